"""``workspace.data_factories``: pipelines and triggers of data factories beside a workspace on Azure, synchronously.

A trigger that is started cannot be edited: deploying stops those that it changes, and starts them again afterwards,
whether it went well or not. A new one stays stopped until it is started.
"""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aml_magics.client.arm import StillGoing, group_location
from aml_magics.client.arm_deployments import Deploying, deployment_name, give_roles
from aml_magics.client.connection import StatusChange
from aml_magics.client.factory_calls import FactoryCalls
from aml_magics.client.parcels import open_parcel, read_parcel, value_in_file
from aml_magics.export.definitions import DataFactoryDefinition
from aml_magics.model.errors import AmlError
from aml_magics.model.resources import Status
from aml_magics.wire.arm_deployments import deployment_to

if TYPE_CHECKING:
    from aml_magics.client.arm import Manager, Where
    from aml_magics.client.connection import Connection
    from aml_magics.client.parcels import Parcel
    from aml_magics.model.hosted import Check, Factory, FactoryPipeline, HostedRun, HostedTrigger, PlannedChange, Work

__all__ = ["DataFactories", "FactoryDeployed"]

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryDeployed:
    """What a deployment made: the pipeline and its triggers as they are now, and the status that each had before."""

    pipeline: FactoryPipeline
    triggers: tuple[HostedTrigger, ...]
    was: Mapping[str, Status]
    deployment: str


class DataFactories:
    """Each verb takes ``factory`` and ``resource_group``; without them it is the only factory of the workspace's group.

    Raises ``InvalidInput`` when there are several.
    """

    def __init__(self, connection: Connection, manager: Manager) -> None:
        self._connection = connection
        self._manager = manager
        self._calls = FactoryCalls(manager)

    def list(self, *, factory: str | None = None, resource_group: str | None = None) -> builtins.list[HostedTrigger]:
        """The triggers of the factory that is named, or of all in the resource group."""
        return self._connection.run(self._calls.triggers(factory, self._where(resource_group)))

    def pipelines(
        self, *, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[FactoryPipeline]:
        """The pipelines of a factory."""
        return self._connection.run(self._calls.pipelines(factory, self._where(resource_group)))

    def get(
        self, name: str, *, factory: str | None = None, resource_group: str | None = None
    ) -> tuple[FactoryPipeline, builtins.list[HostedTrigger]]:
        """A pipeline and its triggers, by the pipeline's name or by that of one of them. Raises ``NotFound``."""
        return self._connection.run(self._calls.get(name, factory, self._where(resource_group)))

    def plan(
        self,
        folder: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        factory: str | None = None,
        resource_group: str | None = None,
    ) -> builtins.list[PlannedChange]:
        """What ``deploy`` would create or change; it is checked, and nothing is done."""
        return self._connection.run(self._plan(folder, parameters or {}, factory, self._where(resource_group)))

    def deploy(
        self,
        folder: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        factory: str | None = None,
        resource_group: str | None = None,
        start: bool = False,
        roles: bool = False,
        timeout: float | None = None,
        tell: Tell = lambda _text: None,
    ) -> FactoryDeployed:
        """Deploy the export in a folder into a factory and wait for it. As ``LogicApps.deploy``."""
        where = self._where(resource_group)
        return self._connection.run(
            self._deploy(
                folder, parameters or {}, factory, where, start=start, roles=roles, patience=timeout, tell=tell
            )
        )

    def start(
        self, *names: str, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[StatusChange[HostedTrigger]]:
        """Start triggers, by their names or by that of a pipeline: from now on they fire."""
        return self._connection.run(self._set_status(names, Status.ACTIVE, factory, self._where(resource_group)))

    def stop(
        self, *names: str, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[StatusChange[HostedTrigger]]:
        """Stop triggers; runs go on."""
        return self._connection.run(self._set_status(names, Status.DISABLED, factory, self._where(resource_group)))

    def meant(
        self, *names: str, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[HostedTrigger]:
        """The triggers that ``start`` and ``stop`` would look at."""
        return self._connection.run(self._calls.meant(names, factory, self._where(resource_group)))

    def runs(
        self, name: str, *, limit: int = 25, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[HostedRun]:
        """The newest runs of a pipeline; Azure keeps them for 45 days."""
        return self._connection.run(self._calls.runs(name, limit, factory, self._where(resource_group)))

    def work(self, run: str, *, factory: str | None = None, resource_group: str | None = None) -> builtins.list[Work]:
        """The activities of one run."""
        return self._connection.run(self._calls.work(run, factory, self._where(resource_group)))

    def history(
        self, name: str, *, limit: int = 50, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[Check]:
        """The newest times that a trigger, or the triggers of a pipeline, fired, or failed to, and why."""
        return self._connection.run(self._calls.history(name, limit, factory, self._where(resource_group)))

    def fire(
        self,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        factory: str | None = None,
        resource_group: str | None = None,
    ) -> str:
        """Start a pipeline now, once, with these parameters. The run's id."""
        return self._connection.run(self._calls.fire(name, parameters or {}, factory, self._where(resource_group)))

    def fire_plan(
        self,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        factory: str | None = None,
        resource_group: str | None = None,
    ) -> FactoryPipeline:
        """The pipeline that ``fire`` would start. Raises what it would raise for its parameters."""
        return self._connection.run(self._calls.fireable(name, parameters or {}, factory, self._where(resource_group)))

    def _where(self, resource_group: str | None) -> Where:
        return self._manager.in_group(resource_group)

    async def _parcel(
        self, folder: str, given: Mapping[str, Any], factory: str | None, where: Where
    ) -> tuple[Parcel, Factory]:
        """The export with the factory that it goes to, which must be there."""
        path = open_parcel(folder, "data-factory")
        location = await group_location(self._manager, where)
        if factory is None and "factoryName" not in given:
            factory = value_in_file(path, "factoryName") or (await self._calls.factory(None, where)).name
        parcel = read_parcel(
            path,
            "data-factory",
            {**given, **({"factoryName": factory} if factory else {})},
            subscription=where.subscription,
            resource_group=where.group,
            location=location,
        )
        return parcel, await self._calls.factory(_definition(parcel).factory, where)

    async def _plan(
        self, folder: str, given: Mapping[str, Any], factory: str | None, where: Where
    ) -> builtins.list[PlannedChange]:
        parcel, _factory = await self._parcel(folder, given, factory, where)
        body = deployment_to(parcel.template, parcel.values)
        deploying = Deploying(self._manager, where, deployment_name("data-factory", parcel.definition.name))
        await deploying.validate(body)
        return await deploying.changes(body)

    async def _deploy(
        self,
        folder: str,
        given: Mapping[str, Any],
        factory: str | None,
        where: Where,
        *,
        start: bool,
        roles: bool,
        patience: float | None,
        tell: Tell,
    ) -> FactoryDeployed:
        parcel, found = await self._parcel(folder, given, factory, where)
        if roles:
            parcel.check_roles()
        body = deployment_to(parcel.template, parcel.values)
        deploying = Deploying(self._manager, where, deployment_name("data-factory", parcel.definition.name), tell)
        await deploying.wait(patience=patience)
        await deploying.validate(body)
        ours = set(_definition(parcel).triggers)
        before = [one for one in await self._calls.triggers_of(found) if one.name in ours]
        started = [one for one in before if one.status is Status.ACTIVE]
        await self._with_stopped(started, lambda: deploying.carry_out(body, patience=patience), tell)
        if roles:
            await give_roles(self._manager, where, parcel, deploying.name, patience, tell)
        pipeline, triggers = await self._calls.get(parcel.definition.name, found.name, where)
        if start:
            triggers = [await self._calls.switched(one, Status.ACTIVE) for one in triggers]
        return FactoryDeployed(
            pipeline=pipeline,
            triggers=tuple(triggers),
            was={one.name: one.status for one in before},
            deployment=deploying.name,
        )

    async def _with_stopped(
        self, started: Sequence[HostedTrigger], carry_out: Callable[[], Awaitable[object]], tell: Tell
    ) -> None:
        """Stop what is started, edit it, start it again: also when the deployment has failed."""
        stopped: builtins.list[HostedTrigger] = []
        try:
            for trigger in started:
                tell(
                    f"The trigger {trigger.name!r} is started: it is stopped for the change and started again after; "
                    "after an interrupt add --start."
                )
                stopped.append(await self._calls.switched(trigger, Status.DISABLED))
            await carry_out()
        except StillGoing as error:
            if stopped:
                error.hint += f" Stopped meanwhile: {', '.join(one.name for one in stopped)}; start them afterwards."
            raise
        except AmlError as error:
            await self._started_again(stopped, error)
            raise
        await self._started_again(stopped, None)

    async def _started_again(self, stopped: Sequence[HostedTrigger], error: AmlError | None) -> None:
        for trigger in stopped:
            try:
                await self._calls.switched(trigger, Status.ACTIVE)
            except AmlError as failure:
                told = error or failure
                told.hint = f"{told.hint} The trigger {trigger.name!r} is stopped: start it again."
                if error is None:
                    raise

    async def _set_status(
        self, names: Sequence[str], to: Status, factory: str | None, where: Where
    ) -> builtins.list[StatusChange[HostedTrigger]]:
        return [
            StatusChange(await self._calls.switched(trigger, to), trigger.status)
            for trigger in await self._calls.meant(names, factory, where)
        ]


def _definition(parcel: Parcel) -> DataFactoryDefinition:
    assert isinstance(parcel.definition, DataFactoryDefinition)  # noqa: S101 - read_parcel has made sure
    return parcel.definition
