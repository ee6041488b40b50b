"""A workspace over Azure ML's v1 REST protocol: one asynchronous method a call, values of the model in and out.

``WorkspaceClient`` runs on whatever loop its transport is used on and keeps no state but what cannot change (the
parameters of published pipelines). Names are ids here; names that people use are resolved by the facade. The embedded
workspace and Azure speak the same protocol; where Azure cannot do a thing, the method refuses it by name instead of
sending it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aml_magics.client.calls import read, read_all, read_object, segment, values_of_pages
from aml_magics.client.services import DATASTORES, EXTRAS, HISTORY, PIPELINES
from aml_magics.client.v1_runs import RunCalls, field_of, pipeline_id_of
from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.errors import Conflict, InvalidInput, ServiceError
from aml_magics.model.resources import Datastore, Experiment, Pipeline, PipelineEndpoint, Schedule, Status
from aml_magics.model.storage import account_url
from aml_magics.wire.casing import Body, Json, merge
from aml_magics.wire.moments import instant_from
from aml_magics.wire.v1 import (
    datastore_from,
    endpoint_from,
    experiment_from,
    glance_from,
    history_from,
    module_creation_to,
    outlook_from,
    pipeline_creation_to,
    pipeline_from,
    recent_from,
    registration_to,
    schedule_creation_to,
    schedule_from,
    status_from,
)

if TYPE_CHECKING:
    from datetime import datetime

    from aml_magics.client.transport import Sleep, Transport
    from aml_magics.model.glance import Glance, Recent
    from aml_magics.model.graph import PipelineDefinition
    from aml_magics.model.history import History
    from aml_magics.model.outlook import Outlook
    from aml_magics.model.storage import BlobAccess, Registration

__all__ = ["ListedSchedule", "WorkspaceClient"]

_PROVISIONING_PAUSES = (1.0, 2.0, *(5.0,) * 120)  # seconds between looks, about ten minutes in all


class WorkspaceClient(RunCalls):
    """All calls about one workspace. ``sleep`` waits between two looks at a schedule that Azure still provisions."""

    def __init__(self, transport: Transport, *, is_embedded: bool, sleep: Sleep = asyncio.sleep) -> None:
        super().__init__(transport, is_embedded=is_embedded)
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"<WorkspaceClient {self.transport.host}>"

    async def close(self) -> None:
        await self.transport.close()

    # experiments

    async def experiment(self, name: str) -> Experiment:
        """One experiment by name. Raises ``NotFound``."""
        answer = await self.transport.json("GET", HISTORY, f"/experiments/{segment(name)}")
        return read("experiment", experiment_from, answer)

    async def create_experiment(self, name: str) -> Experiment:
        answer = await self.transport.json("POST", HISTORY, f"/experiments/{segment(name)}")
        return read("experiment", experiment_from, answer)

    # datastores and what is on them

    async def datastores(self) -> list[Datastore]:
        """All datastores, without their credentials."""

        async def page(token: str | None) -> object:
            query = {"count": 100, "includeSecret": False, "continuationToken": token}
            return await self.transport.json("GET", DATASTORES, "/datastores", query=query)

        return await read_all("datastore", datastore_from, await values_of_pages(page))

    async def datastore(self, name: str) -> Datastore:
        """One datastore by name. Raises ``NotFound``."""
        answer = await self.transport.json("GET", DATASTORES, f"/datastores/{segment(name)}")
        return read("datastore", datastore_from, answer)

    async def default_datastore(self) -> Datastore:
        answer = await self.transport.json("GET", DATASTORES, "/default")
        return read("datastore", lambda item: datastore_from(item, is_default=True), answer)

    async def register_datastore(
        self,
        registration: Registration,
        *,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
        dry_run: bool = False,
    ) -> Datastore:
        """Register a datastore; the workspace first looks whether it gets in, unless ``skip_validation``.

        Raises ``Conflict`` when the name is taken, ``InvalidInput`` for what this workspace cannot reach.
        """
        access = registration.access
        if access is None or access.url != account_url(access.account, suffix=_suffix_of(access)):
            self._only_embedded("a datastore that is not a storage account of Azure")
        query = {"createIfNotExists": create_if_not_exists, "skipValidation": skip_validation}
        if dry_run:
            self._only_embedded("a dry run of a registration")
            query["dryRun"] = True
        body = registration_to(registration, for_azure=not self.is_embedded)
        try:
            answer = await self.transport.json("POST", DATASTORES, "/datastores", body=body, query=query)
        except Conflict:
            if not overwrite:
                raise
            path = f"/datastores/{segment(registration.name)}"
            answer = await self.transport.json("PUT", DATASTORES, path, body=body, query=query)
        return read("datastore", datastore_from, answer) if dry_run else await self.datastore(registration.name)

    async def unregister_datastore(self, name: str) -> None:
        """Forget a datastore; what lies in it stays. Raises ``Conflict`` while it is needed."""
        await self.transport.json("DELETE", DATASTORES, f"/datastores/{segment(name)}")

    async def set_default_datastore(self, name: str) -> Datastore:
        await self.transport.json("PUT", DATASTORES, f"/default/{segment(name)}")
        return await self.default_datastore()

    async def objects(self, datastore: str, path: str = "", *, recursive: bool = False) -> list[ObjectInfo]:
        """The objects directly under ``path``, or at any depth, sorted by name."""
        self._only_embedded("listing the objects of a datastore")
        answer = await self.transport.json(
            "GET", EXTRAS, f"/datastores/{segment(datastore)}/objects", query={"path": path, "recursive": recursive}
        )
        items = read("object", lambda item: Body(item).values("value"), answer)
        return sorted(await read_all("object", _object_from, items))

    async def outlook(self, datastore: str, path: str) -> list[Outlook]:
        """What would fire now at a path, by name of the object."""
        self._only_embedded("looking at what would fire")
        url = f"/datastores/{segment(datastore)}/outlook"
        answer = await self.transport.json("GET", EXTRAS, url, query={"path": path})
        items = read("outlook", lambda item: Body(item).values("value"), answer)
        return await read_all("outlook", outlook_from, items)

    async def read_object(self, datastore: str, name: str) -> bytes:
        """The bytes of an object. Raises ``NotFound``."""
        self._only_embedded("reading a datastore")
        path = f"/datastores/{segment(datastore)}/objects/content"
        return await self.transport.download(EXTRAS, path, query={"name": name})

    async def write_object(self, datastore: str, name: str, content: bytes) -> None:
        """Make or replace an object."""
        self._only_embedded("writing to a datastore")
        await self.transport.upload(EXTRAS, f"/datastores/{segment(datastore)}/objects", content, query={"name": name})

    # pipelines: see also RunCalls

    async def create_pipeline(self, definition: PipelineDefinition) -> Pipeline:
        """Publish: a module for each step, then the pipeline. Modules without a pipeline are nothing anybody sees."""
        self._only_embedded("publishing steps with their code")
        modules = {step.name: module_creation_to(step) for step in definition.steps}
        ids = {}
        for name, body in modules.items():
            answer = await self.transport.json("POST", PIPELINES, "/Modules", body=body)
            ids[name] = read("module", lambda item: Body(item, "module").required("Id"), answer)
        body = pipeline_creation_to(definition, ids)
        answer = await self.transport.json("POST", PIPELINES, "/Pipelines/Create", body=body)
        return self._learn(
            read(
                "pipeline", lambda item: pipeline_from(item, interface=body["GraphInterface"], steps=list(ids)), answer
            )
        )

    async def set_pipeline_status(self, pipeline_id: str, status: Status) -> Pipeline:
        """Put a pipeline in or out of use. Raises ``Conflict`` when active schedules use it, ``NotFound``."""
        path = f"/Pipelines/{segment(pipeline_id)}/status"
        await self.transport.json("PUT", PIPELINES, path, body=status.value)
        return await self.pipeline(pipeline_id)

    async def endpoints(self, *, active_only: bool = True) -> list[PipelineEndpoint]:
        """All pipeline endpoints."""
        answer = await self.transport.json("GET", PIPELINES, "/PipelineEndpoints", query={"activeOnly": active_only})
        return await read_all("pipeline endpoint", endpoint_from, answer)

    # schedules

    async def schedules(self, *, active_only: bool = True) -> list[Schedule]:
        """All schedules."""
        answer = await self.transport.json("GET", PIPELINES, "/Schedules", query={"activeOnly": active_only})
        found = await self._schedules(answer)
        return [schedule for schedule in found if not active_only or schedule.status is Status.ACTIVE]

    async def listed_schedules(self) -> list[ListedSchedule]:
        """All schedules, disabled ones too, at a glance: for looking up names among thousands."""
        answer = await self.transport.json("GET", PIPELINES, "/Schedules", query={"activeOnly": False})
        return await read_all("schedule", ListedSchedule, answer)

    async def read_listed(self, listed: Sequence[ListedSchedule]) -> list[Schedule]:
        """The schedules themselves; nothing is asked for again."""
        return await self._schedules([found.entity for found in listed])

    async def schedule(self, schedule_id: str) -> Schedule:
        """One schedule. Raises ``NotFound``."""
        return (await self._schedules([await self._schedule_entity(schedule_id)]))[0]

    async def create_schedule(self, schedule: Schedule) -> Schedule:
        """Create a schedule and wait until the workspace has provisioned it. Sent once.

        Raises ``InvalidInput`` for what this workspace cannot host, and ``ServiceError`` when provisioning fails.
        """
        body = schedule_creation_to(schedule, for_azure=not self.is_embedded)
        answer = await self.transport.json("POST", PIPELINES, "/Schedules/Create", body=body)
        return (await self._schedules([await self._provisioned(answer)]))[0]

    async def set_schedule_status(self, schedule_id: str, status: Status) -> Schedule:
        """Put a schedule in or out of use. The whole entity goes back with the one change, as the protocol has it."""
        entity = await self._schedule_entity(schedule_id)
        path = f"/Schedules/{segment(schedule_id)}"
        await self.transport.json("PUT", PIPELINES, path, body=merge(entity, {"EntityStatus": status.value}))
        return (await self._schedules([await self._provisioned(await self._schedule_entity(schedule_id))]))[0]

    # what only our own workspaces tell

    async def status(self) -> Json:
        """How the workspace and its engine do."""
        self._only_embedded("status")
        answer = await self.transport.json("GET", EXTRAS, "/status")
        return {"counts": {}} | read_object("its status", answer)

    async def glance(self) -> Glance:
        """Whether anything was written since the last glance, and how the engine is. It costs the workspace nothing."""
        self._only_embedded("a glance")
        return read("its state", glance_from, await self.transport.json("GET", EXTRAS, "/glance"))

    async def recent(self, *, runs: int = 0) -> Recent:
        """What happened last to every schedule and pipeline, and the steps of the newest ``runs`` (at most 1,000)."""
        self._only_embedded("what happened last")
        answer = await self.transport.json("GET", EXTRAS, "/recent", query={"runs": runs or None})
        return read("what happened last", recent_from, answer)

    async def history(self, schedule_id: str, *, limit: int = 50) -> History:
        """What a schedule did and what it saw: its newest ``limit`` fires and polls. Raises ``NotFound``."""
        self._only_embedded("the history of a schedule")
        path = f"/schedules/{segment(schedule_id)}/history"
        answer = await self.transport.json("GET", EXTRAS, path, query={"limit": limit})
        return read("history", history_from, answer)

    async def _schedule_entity(self, schedule_id: str) -> Json:
        answer = await self.transport.json("GET", PIPELINES, f"/Schedules/{segment(schedule_id)}")
        return read_object("schedule", answer)

    async def _schedules(self, answers: list[Json]) -> list[Schedule]:
        await self._learn_all(await read_all("schedule", pipeline_id_of, answers))
        return await read_all(
            "schedule", lambda item: schedule_from(item, parameters=self._parameters(pipeline_id_of(item))), answers
        )

    async def _provisioned(self, entity: Json) -> Json:
        for pause in _PROVISIONING_PAUSES:
            body = read("schedule", lambda item: Body(item, "schedule"), entity)
            state = body.text("ProvisioningStatus", "Completed")
            if state in ("Failed", "2"):
                message = f"the workspace could not provision the schedule {body.text('Name')!r} ({body.text('Id')})"
                raise ServiceError(
                    message, code="ProvisioningFailed", hint="Disable it and look at the workspace's quota."
                )
            if state not in ("Provisioning", "1"):
                return entity
            await self._sleep(pause)
            entity = await self._schedule_entity(body.text("Id"))
        message = "the workspace is still provisioning the schedule after ten minutes"
        raise ServiceError(message, code="ProvisioningTimeout", hint="Look at it again later: it may become active.")

    def _only_embedded(self, what: str) -> None:
        if not self.is_embedded:
            message = f"{what} works on an embedded workspace only"
            raise InvalidInput(message, hint="Open one with %aml connect.")


class ListedSchedule:
    """What a list tells of a schedule at a glance. Reading one in full takes a hundred times as long."""

    __slots__ = ("entity", "id", "name")

    def __init__(self, entity: Json) -> None:
        if not isinstance(entity, Mapping):
            message = "it is no JSON object"
            raise InvalidInput(message)
        self.entity = entity
        self.id = field_of(entity, "Id")
        self.name = field_of(entity, "Name")

    @property
    def status(self) -> Status:
        return status_from(Body(self.entity, "schedule").optional_text("EntityStatus"))

    @property
    def created(self) -> datetime | None:
        return instant_from(Body(self.entity, "schedule").optional_text("CreatedDate"))


def _object_from(item: Json) -> ObjectInfo:
    body = Body(item, "object")
    return ObjectInfo(body.text("name"), body.text("etag"), body.integer("size") or 0, body.number("modified") or 0.0)


def _suffix_of(access: BlobAccess) -> str:
    """The cloud's domain in the URL of one of its accounts; of another URL something that makes no such URL."""
    return access.url.partition(f"://{access.account}.blob.")[2]
