"""``workspace.data_factories``: pipelines and triggers of data factories beside a workspace on Azure, synchronously.

A trigger that is started cannot be edited: deploying stops those that it changes, and starts them again afterwards,
whether it went well or not. A new one stays stopped until it is started.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aml_magics.client.arm import StillGoing, group_location
from aml_magics.client.arm_deployments import Deploying, deployment_name
from aml_magics.client.calls import read, read_all, read_object, segment, side_by_side, values_of_pages
from aml_magics.client.connection import StatusChange
from aml_magics.client.parcels import open_parcel, read_parcel, value_in_file
from aml_magics.export.definitions import DataFactoryDefinition
from aml_magics.model.errors import AmlError, InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import Status
from aml_magics.wire.arm_factory import (
    FACTORY,
    activity_from,
    factory_from,
    pipeline_from,
    pipeline_run_from,
    query_to,
    trigger_from,
    trigger_run_from,
)

if TYPE_CHECKING:
    from aml_magics.client.arm import Manager, Where
    from aml_magics.client.connection import Connection
    from aml_magics.client.parcels import Parcel
    from aml_magics.model.hosted import Check, Factory, FactoryPipeline, HostedRun, HostedTrigger, PlannedChange, Work

__all__ = ["DataFactories", "FactoryDeployed"]

_PROVIDER = "Microsoft.DataFactory/factories"
_KEPT = timedelta(days=45)  # how long Azure keeps runs
_LOOKED_INTO = 10  # fired checks of which the run is asked what it started
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

    def list(self, *, factory: str | None = None, resource_group: str | None = None) -> builtins.list[HostedTrigger]:
        """The triggers of the factory that is named, or of all in the resource group."""
        return self._connection.run(self._list(factory, self._where(resource_group)))

    def pipelines(
        self, *, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[FactoryPipeline]:
        """The pipelines of a factory."""
        return self._connection.run(self._pipelines_of(factory, self._where(resource_group)))

    def get(
        self, name: str, *, factory: str | None = None, resource_group: str | None = None
    ) -> tuple[FactoryPipeline, builtins.list[HostedTrigger]]:
        """A pipeline and its triggers, by the pipeline's name or by that of one of them. Raises ``NotFound``."""
        return self._connection.run(self._get(name, factory, self._where(resource_group)))

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
        return self._connection.run(self._meant(names, factory, self._where(resource_group)))

    def runs(
        self, name: str, *, limit: int = 25, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[HostedRun]:
        """The newest runs of a pipeline; Azure keeps them for 45 days."""
        return self._connection.run(self._runs(name, limit, factory, self._where(resource_group)))

    def work(self, run: str, *, factory: str | None = None, resource_group: str | None = None) -> builtins.list[Work]:
        """The activities of one run."""
        return self._connection.run(self._work(run, factory, self._where(resource_group)))

    def history(
        self, name: str, *, limit: int = 50, factory: str | None = None, resource_group: str | None = None
    ) -> builtins.list[Check]:
        """The newest times that a trigger, or the triggers of a pipeline, fired, or failed to, and why."""
        return self._connection.run(self._history(name, limit, factory, self._where(resource_group)))

    def fire(
        self,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        factory: str | None = None,
        resource_group: str | None = None,
    ) -> str:
        """Start a pipeline now, once, with these parameters. The run's id."""
        return self._connection.run(self._fire(name, parameters or {}, factory, self._where(resource_group)))

    def fire_plan(
        self,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        factory: str | None = None,
        resource_group: str | None = None,
    ) -> FactoryPipeline:
        """The pipeline that ``fire`` would start. Raises what it would raise for its parameters."""
        return self._connection.run(self._fireable(name, parameters or {}, factory, self._where(resource_group)))

    # on the loop

    async def factories(self, where: Where) -> builtins.list[Factory]:
        answers = await self._manager.listed(where.provider(_PROVIDER), FACTORY)
        return await read_all("data factory", factory_from, answers)

    async def factory(self, wanted: str | None, where: Where) -> Factory:
        """The one that is named, or the only one. Raises ``NotFound``, ``InvalidInput``."""
        if wanted is None:
            found = await self.factories(where)
            if len(found) == 1:
                return found[0]
            names = ", ".join(one.name for one in found)
            message = f"there are {len(found)} data factories in the resource group {where.group!r}"
            hint = f"Name one with --factory: {names}." if found else _no_factory(where)
            raise InvalidInput(message, hint=hint)
        path = f"{where.provider(_PROVIDER)}/{segment(wanted)}"
        try:
            return read("the data factory", factory_from, await self._manager.get(path, FACTORY))
        except NotFound as error:
            known = [one.name for one in await self.factories(where)]
            message = f"there is no data factory {wanted!r} in the resource group {where.group!r}"
            raise NotFound(message, hint=did_you_mean(wanted, known) or _no_factory(where)) from error

    async def triggers_of(self, factory: Factory) -> builtins.list[HostedTrigger]:
        answers = await self._manager.listed(f"{factory.id}/triggers", FACTORY)
        return await read_all("trigger", lambda one: trigger_from(one, factory.name), answers)

    async def pipelines_in(self, factory: Factory) -> builtins.list[FactoryPipeline]:
        answers = await self._manager.listed(f"{factory.id}/pipelines", FACTORY)
        return await read_all("pipeline", lambda one: pipeline_from(one, factory.name), answers)

    async def switched(self, trigger: HostedTrigger, to: Status) -> HostedTrigger:
        """Started or stopped. Raises ``ServiceError`` when that fails."""
        verb = "start" if to is Status.ACTIVE else "stop"
        await self._manager.settled(await self._manager.change("POST", f"{trigger.id}/{verb}", FACTORY))
        return read(
            "the trigger", lambda one: trigger_from(one, trigger.owner), await self._manager.get(trigger.id, FACTORY)
        )

    def _where(self, resource_group: str | None) -> Where:
        return self._manager.in_group(resource_group)

    async def _list(self, factory: str | None, where: Where) -> builtins.list[HostedTrigger]:
        factories = [await self.factory(factory, where)] if factory else await self.factories(where)
        return [one for each in await side_by_side(self.triggers_of, factories) for one in each]

    async def _pipelines_of(self, factory: str | None, where: Where) -> builtins.list[FactoryPipeline]:
        return await self.pipelines_in(await self.factory(factory, where))

    async def _get(
        self, name: str, factory: str | None, where: Where
    ) -> tuple[FactoryPipeline, builtins.list[HostedTrigger]]:
        found = await self.factory(factory, where)
        triggers, pipelines = await self.triggers_of(found), await self.pipelines_in(found)
        named = next((one for one in triggers if one.name == name), None)
        wanted = named.pipelines[0] if named is not None and named.pipelines else name
        pipeline = next((one for one in pipelines if one.name == wanted), None)
        if pipeline is None:
            known = [*(one.name for one in pipelines), *(one.name for one in triggers)]
            message = f"the data factory {found.name!r} has no pipeline and no trigger {name!r}"
            raise NotFound(message, hint=did_you_mean(name, known))
        return pipeline, [one for one in triggers if pipeline.name in one.pipelines]

    async def _prepared(
        self, folder: str, given: Mapping[str, Any], factory: str | None, where: Where, tell: Tell
    ) -> tuple[Parcel, Factory, Deploying]:
        path = open_parcel(folder, "data-factory")
        location = await group_location(self._manager, where)
        if factory is None and "factoryName" not in given:
            factory = value_in_file(path, "factoryName") or (await self.factory(None, where)).name
        parcel = read_parcel(
            path,
            "data-factory",
            {**given, **({"factoryName": factory} if factory else {})},
            subscription=where.subscription,
            resource_group=where.group,
            location=location,
        )
        found = await self.factory(_definition(parcel).factory, where)
        name = deployment_name("data-factory", parcel.definition.name)
        deploying = Deploying(self._manager, where, name, parcel.template, parcel.values, tell)
        await deploying.validate()
        return parcel, found, deploying

    async def _plan(
        self, folder: str, given: Mapping[str, Any], factory: str | None, where: Where
    ) -> builtins.list[PlannedChange]:
        deploying = (await self._prepared(folder, given, factory, where, lambda _text: None))[2]
        return await deploying.changes()

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
        parcel, found, deploying = await self._prepared(folder, given, factory, where, tell)
        if roles and parcel.roles is None:
            raise InvalidInput(f"there is no roles.json in {parcel.folder.as_posix()!r}", hint="Export it again.")
        ours = set(_definition(parcel).triggers)
        before = [one for one in await self.triggers_of(found) if one.name in ours]
        await self._with_stopped(
            [one for one in before if one.status is Status.ACTIVE], deploying.carry_out, patience, tell
        )
        if roles and parcel.roles is not None:
            await Deploying(
                self._manager, where, f"{deploying.name[:58]}-roles", parcel.roles, parcel.values_of_roles(), tell
            ).carry_out(patience=patience)
        pipeline, triggers = await self._get(parcel.definition.name, found.name, where)
        if start:
            triggers = [
                await self.switched(one, Status.ACTIVE) if one.status is not Status.ACTIVE else one for one in triggers
            ]
        return FactoryDeployed(
            pipeline=pipeline,
            triggers=tuple(triggers),
            was={one.name: one.status for one in before},
            deployment=deploying.name,
        )

    async def _with_stopped(
        self, started: Sequence[HostedTrigger], carry_out: Callable[..., Any], patience: float | None, tell: Tell
    ) -> None:
        """Stop what is started, edit it, start it again: also when the deployment has failed."""
        stopped: builtins.list[HostedTrigger] = []
        try:
            for trigger in started:
                tell(f"Stops the trigger {trigger.name!r}, which is started, to change it.")
                await self.switched(trigger, Status.DISABLED)
                stopped.append(trigger)
            await carry_out(patience=patience)
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
                await self.switched(trigger, Status.ACTIVE)
            except AmlError as failure:
                told = error or failure
                told.hint = f"{told.hint} The trigger {trigger.name!r} is stopped: start it again."
                if error is None:
                    raise

    async def _meant(self, names: Sequence[str], factory: str | None, where: Where) -> builtins.list[HostedTrigger]:
        if not names:
            raise InvalidInput("no trigger is named", hint="Give names of triggers or of pipelines.")
        found = await self.factory(factory, where)
        everything = await self.triggers_of(found)
        wanted = [one for name in names for one in _meant(name, everything, found.name)]
        return builtins.list({one.id: one for one in wanted}.values())

    async def _set_status(
        self, names: Sequence[str], to: Status, factory: str | None, where: Where
    ) -> builtins.list[StatusChange[HostedTrigger]]:
        changes = []
        for trigger in await self._meant(names, factory, where):
            now = trigger if trigger.status is to else await self.switched(trigger, to)
            changes.append(StatusChange(now, trigger.status))
        return changes

    async def _runs(self, name: str, limit: int, factory: str | None, where: Where) -> builtins.list[HostedRun]:
        found = await self.factory(factory, where)
        pipeline, _triggers = await self._get(name, found.name, where)
        answers = await self._queried(
            f"{found.id}/queryPipelineRuns", [("PipelineName", pipeline.name)], "RunStart", limit
        )
        return await read_all("run", pipeline_run_from, answers)

    async def _work(self, run: str, factory: str | None, where: Where) -> builtins.list[Work]:
        found = await self.factory(factory, where)
        return await self._activities(found, run)

    async def _activities(self, factory: Factory, run: str) -> builtins.list[Work]:
        try:
            answers = await self._queried(
                f"{factory.id}/pipelineruns/{segment(run)}/queryActivityruns", [], "ActivityRunStart", None
            )
        except NotFound as error:
            message = f"the data factory {factory.name!r} has no run {run!r}"
            raise NotFound(message, hint="%aml data-factory runs NAME lists those of a pipeline.") from error
        return (await read_all("activity", activity_from, answers))[::-1]

    async def _history(self, name: str, limit: int, factory: str | None, where: Where) -> builtins.list[Check]:
        found = await self.factory(factory, where)
        checks: builtins.list[Check] = []
        for trigger in _meant(name, await self.triggers_of(found), found.name):
            answers = await self._queried(
                f"{found.id}/queryTriggerRuns", [("TriggerName", trigger.name)], "TriggerRunTimestamp", limit
            )
            checks += await read_all("check", trigger_run_from, answers)
        newest = sorted(checks, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)[:limit]
        return await self._with_runs(found, newest)

    async def _with_runs(self, factory: Factory, checks: builtins.list[Check]) -> builtins.list[Check]:
        fired = builtins.list(dict.fromkeys(one.run_id for one in checks if one.run_id))[:_LOOKED_INTO]
        started = dict(zip(fired, await side_by_side(lambda run: self._ml_run(factory, run), fired), strict=True))
        return [replace(one, ml_run_id=started.get(one.run_id, "")) for one in checks]

    async def _ml_run(self, factory: Factory, run: str) -> str:
        try:
            return next((one.ml_run_id for one in await self._activities(factory, run) if one.ml_run_id), "")
        except NotFound:
            return ""

    async def _queried(
        self, path: str, filters: Sequence[tuple[str, str]], newest_by: str, limit: int | None
    ) -> builtins.list[Any]:
        until = datetime.now(UTC)

        async def page(token: str | None) -> Any:  # noqa: ANN401 - JSON
            body = query_to(until - _KEPT, until, filters=filters, newest_by=newest_by, token=token)
            return await self._manager.question(path, FACTORY, body)

        return await values_of_pages(page, enough=limit)

    async def _fireable(
        self, name: str, given: Mapping[str, Any], factory: str | None, where: Where
    ) -> FactoryPipeline:
        pipeline, _triggers = await self._get(name, factory, where)
        for one in given:
            if one not in pipeline.parameters:
                message = f"the pipeline {pipeline.name!r} has no parameter {one!r}"
                raise InvalidInput(message, hint=did_you_mean(one, pipeline.parameters) or "It has none.")
        missing = [one for one in pipeline.parameters if one not in given and one not in pipeline.defaults]
        if missing:
            message = f"the pipeline {pipeline.name!r} needs {', '.join(missing)}"
            raise InvalidInput(message, hint=f"Give {' '.join(f'--parameter {one}=...' for one in missing)}.")
        return pipeline

    async def _fire(self, name: str, given: Mapping[str, Any], factory: str | None, where: Where) -> str:
        pipeline = await self._fireable(name, given, factory, where)
        answer = await self._manager.start(f"{pipeline.id}/createRun", FACTORY, dict(given))
        return str(read_object("the run", answer.body).get("runId", ""))


def _definition(parcel: Parcel) -> DataFactoryDefinition:
    assert isinstance(parcel.definition, DataFactoryDefinition)  # noqa: S101 - read_parcel has made sure
    return parcel.definition


def _meant(name: str, triggers: Sequence[HostedTrigger], factory: str) -> builtins.list[HostedTrigger]:
    """The trigger of that name or id, or all of the pipeline of that name. Raises ``NotFound``."""
    found = [one for one in triggers if name in (one.name, one.id)] or [
        one for one in triggers if name in one.pipelines
    ]
    if not found:
        known = [*(one.name for one in triggers), *(each for one in triggers for each in one.pipelines)]
        message = f"the data factory {factory!r} has no trigger {name!r}, and no pipeline of that name with one"
        raise NotFound(message, hint=did_you_mean(name, known))
    return found


def _no_factory(where: Where) -> str:
    return f"Make one first: az datafactory create --name NAME --resource-group {where.group} --location REGION."
