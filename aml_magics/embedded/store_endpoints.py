"""Pipeline endpoints: a name that stays while versions of a pipeline come and go behind it.

Kept as the entities that are answered, without their URL, which depends on who asks. A version names one pipeline for
ever: whoever sends an entity back without a version that is there now had read it before that one was added, and would
undo it. The default version's pipeline has a column of its own, for the question which schedules a pipeline has.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aml_magics.embedded.store_checks import names_shown
from aml_magics.embedded.store_memory import Remembered
from aml_magics.model.errors import Conflict, InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import PipelineEndpoint, Status
from aml_magics.wire.casing import Json, merge
from aml_magics.wire.moments import instant_to
from aml_magics.wire.v1 import (
    EndpointDisabled,
    EndpointInUse,
    endpoint_creation_from,
    endpoint_from,
    endpoint_to,
)

if TYPE_CHECKING:
    from aml_magics.embedded.store_pipelines import Pipelines
    from aml_magics.engine.database import Database
    from aml_magics.model.resources import Pipeline, Schedule

__all__ = ["Endpoints"]


class Endpoints:
    """The pipeline endpoints of one workspace."""

    def __init__(self, database: Database, pipelines: Pipelines, now: Callable[[], datetime]) -> None:
        self._database = database
        self._pipelines = pipelines
        self._now = now
        self._read: Remembered[PipelineEndpoint] = Remembered()

    def all(self, *, active_only: bool = False, limit: int | None = None) -> list[Json]:
        """Newest first."""
        where = "WHERE status = 'Active'" if active_only else ""
        sql = f"SELECT entity FROM endpoints {where} ORDER BY created DESC, id LIMIT ?"
        return [json.loads(row["entity"]) for row in self._database.rows(sql, (-1 if limit is None else limit,))]

    def entity(self, endpoint_id: str) -> Json:
        """The PipelineEndpointEntity, without its URL. Raises ``NotFound``."""
        entity: Json = json.loads(self._row(endpoint_id)["entity"])
        return entity

    def entity_by_name(self, name: str) -> Json:
        """As ``entity``; disabled ones have names too."""
        row = self._database.row("SELECT entity FROM endpoints WHERE name = ?", (name,))
        if row is None:
            message = f"there is no pipeline endpoint {name!r}"
            names = [known["name"] for known in self._database.rows("SELECT name FROM endpoints")]
            raise NotFound(message, hint=did_you_mean(name, names))
        entity: Json = json.loads(row["entity"])
        return entity

    def get(self, endpoint_id: str) -> PipelineEndpoint:
        """The endpoint as a value. Raises ``NotFound``."""
        row = self._row(endpoint_id)
        return self._read.get((endpoint_id, row["revision"]), lambda: endpoint_from(json.loads(row["entity"])))

    def pipelines(self, endpoint_id: str, *, active_only: bool = False) -> list[Json]:
        """PipelineEntities of all versions, without their URLs, in the order in which they were added."""
        found = [self._pipelines.entity(pipeline_id) for pipeline_id in self.get(endpoint_id).versions.values()]
        return [entity for entity in found if not active_only or entity["EntityStatus"] == Status.ACTIVE.value]

    def pipeline_id(self, endpoint_id: str, version: str | None, what: str) -> str:
        """What a submission starts: the pipeline of a version, of the default one unless it is named.

        Raises ``EndpointDisabled``, and ``NotFound`` for the endpoint or the version.
        """
        endpoint = self.get(endpoint_id)
        if endpoint.status is not Status.ACTIVE:
            message = f"{what}: pipeline endpoint {endpoint.name!r} is {endpoint.status.value}"
            raise EndpointDisabled(message, hint="Enable it first.")
        if version is None:
            return endpoint.pipeline_id
        if version not in endpoint.versions:
            message = f"{what}: pipeline endpoint {endpoint.name!r} has no version {version!r}"
            raise NotFound(message, hint=f"Its versions: {', '.join(endpoint.versions)}.")
        return endpoint.versions[version]

    def started_by(self, schedule: Schedule, what: str) -> Pipeline:
        """The pipeline that a fire of the schedule would start now. Raises an ``AmlError`` when it cannot be run."""
        pipeline_id = schedule.pipeline_id
        if schedule.endpoint_id:
            pipeline_id = self.pipeline_id(schedule.endpoint_id, None, what)
        return self._pipelines.active(pipeline_id, what)

    def create(self, request: Mapping[str, Any]) -> Json:
        """From a PipelineEndpointCreationInfo: the new entity. Raises ``Conflict`` for a name that is taken."""
        now = self._now()
        endpoint = replace(endpoint_creation_from(request), id=str(uuid.uuid4()), created=now, modified=now)
        creation = {name: value for name, value in request.items() if name.casefold() != "pipelineid"}
        with self._database.transaction() as connection:
            self._check(endpoint, None)
            return _write(connection, endpoint, creation, 1)

    def update(self, endpoint_id: str, request: Mapping[str, Any]) -> Json:
        """The fields of ``request`` over what is stored: the new entity.

        Raises ``EndpointInUse`` naming the active schedules that would lose their endpoint.
        """
        with self._database.transaction() as connection:
            row = self._row(endpoint_id)
            before = json.loads(row["entity"])
            merged = merge(before, request)
            old = endpoint_from(before)
            changed = endpoint_from(merged)
            endpoint = replace(changed, id=endpoint_id, created=old.created, modified=self._now(), endpoint="")
            self._check(endpoint, old)
            return _write(connection, endpoint, merged, row["revision"] + 1)

    # behind them

    def _row(self, endpoint_id: str) -> sqlite3.Row:
        row = self._database.row("SELECT * FROM endpoints WHERE id = ?", (endpoint_id,))
        if row is None:
            message = f"there is no pipeline endpoint with the id {endpoint_id!r}"
            raise NotFound(message, hint="The list of pipeline endpoints shows the ids.")
        return row

    def _check(self, endpoint: PipelineEndpoint, old: PipelineEndpoint | None) -> None:
        """Refuse what no endpoint may be, and what ``old`` may not become."""
        self._check_name(endpoint)
        what = f"pipeline endpoint {endpoint.name!r}"
        self._check_versions(endpoint, {} if old is None else old.versions, what)
        if endpoint.status is Status.ACTIVE:
            if old is None or endpoint.pipeline_id != old.pipeline_id:
                self._pipelines.active(endpoint.pipeline_id, what)
        elif old is not None:
            self._check_unused(old)

    def _check_unused(self, endpoint: PipelineEndpoint) -> None:
        users = self._database.rows(
            "SELECT name FROM schedules WHERE endpoint_id = ? AND status = 'Active' ORDER BY name", (endpoint.id,)
        )
        if users:
            names = names_shown([row["name"] for row in users])
            message = f"pipeline endpoint {endpoint.name!r} is used by active schedules: {names}"
            raise EndpointInUse(message, hint="Disable them first.")

    def _check_name(self, endpoint: PipelineEndpoint) -> None:
        if not endpoint.name.strip() or not endpoint.name.isprintable():
            message = f"pipeline endpoint: {endpoint.name!r} cannot be its name"
            raise InvalidInput(message, hint="Give it some text on one line.")
        taken = self._database.row("SELECT 1 FROM endpoints WHERE name = ? AND id <> ?", (endpoint.name, endpoint.id))
        if taken is not None:
            message = f"there is a pipeline endpoint {endpoint.name!r} already"
            raise Conflict(message, hint="Choose another name, or add a version to that one.")

    def _check_versions(self, endpoint: PipelineEndpoint, before: Mapping[str, str], what: str) -> None:
        for version, pipeline_id in before.items():
            if endpoint.versions.get(version) != pipeline_id:
                message = f"{what}: version {version!r} is pipeline {pipeline_id} and stays it"
                raise InvalidInput(message, hint="Read the endpoint again: it may have changed since you did.")
        for version, pipeline_id in endpoint.versions.items():
            if not (version.isascii() and version.isdigit() and str(int(version[:99])) == version):
                message = f"{what}: {version!r} cannot be a version"
                raise InvalidInput(message, hint="Versions are whole numbers: 0, 1, 2.")
            if list(endpoint.versions.values()).count(pipeline_id) > 1:
                message = f"{what}: pipeline {pipeline_id!r} has two versions"
                raise InvalidInput(message, hint="Make the one that it has the default version.")
            self._pipelines.get(pipeline_id)
        if endpoint.default_version not in endpoint.versions:
            message = f"{what}: its default version {endpoint.default_version!r} is none of its versions"
            raise InvalidInput(message, hint=f"Its versions: {', '.join(endpoint.versions) or 'none'}.")


def _write(connection: sqlite3.Connection, endpoint: PipelineEndpoint, sent: Json, revision: int) -> Json:
    """Store what was sent, the fields that we know in our own spelling."""
    known = endpoint_to(endpoint) | {"Etag": f'"{revision}"'}
    ours = {name.casefold() for name in known}
    others = {name: value for name, value in sent.items() if name.casefold() not in ours}
    entity = merge({"Properties": {}, "tags": {}}, others) | known
    columns = {
        "id": endpoint.id,
        "name": endpoint.name,
        "status": endpoint.status.value,
        "default_pipeline_id": endpoint.pipeline_id,
        "created": instant_to(endpoint.created),
        "revision": revision,
        "entity": json.dumps(entity),
    }
    connection.execute(
        f"INSERT OR REPLACE INTO endpoints ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        tuple(columns.values()),
    )
    return entity
