"""Data factories over the resource manager: their pipelines, triggers and runs, asked for on the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aml_magics.client.calls import read, read_all, read_object, segment, side_by_side, values_of_pages
from aml_magics.model.errors import InvalidInput, NotFound, did_you_mean
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
    from aml_magics.model.hosted import Check, Factory, FactoryPipeline, HostedRun, HostedTrigger, Work

__all__ = ["FactoryCalls"]

_PROVIDER = "Microsoft.DataFactory/factories"
_KEPT = timedelta(days=45)  # how long Azure keeps runs
_EMPTY = "There is none yet: %aml data-factory deploy makes one."
_LOOKED_INTO = 10  # fired checks of which the run is asked what it started


class FactoryCalls:
    """A factory that is ``None`` is the only one of the resource group. Raises ``NotFound``, ``InvalidInput``."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def factories(self, where: Where) -> list[Factory]:
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

    async def triggers_of(self, factory: Factory) -> list[HostedTrigger]:
        answers = await self._manager.listed(f"{factory.id}/triggers", FACTORY)
        return await read_all("trigger", lambda one: trigger_from(one, factory.name), answers)

    async def pipelines_in(self, factory: Factory) -> list[FactoryPipeline]:
        answers = await self._manager.listed(f"{factory.id}/pipelines", FACTORY)
        return await read_all("pipeline", lambda one: pipeline_from(one, factory.name), answers)

    async def switched(self, trigger: HostedTrigger, to: Status) -> HostedTrigger:
        """Started or stopped. Raises ``ServiceError`` when that fails."""
        if trigger.status is to:
            return trigger
        verb = "start" if to is Status.ACTIVE else "stop"
        await self._manager.settled(await self._manager.change("POST", f"{trigger.id}/{verb}", FACTORY))
        return read(
            "the trigger", lambda one: trigger_from(one, trigger.owner), await self._manager.get(trigger.id, FACTORY)
        )

    async def get(self, name: str, factory: str | None, where: Where) -> tuple[FactoryPipeline, list[HostedTrigger]]:
        found = await self.factory(factory, where)
        triggers, pipelines = await self.triggers_of(found), await self.pipelines_in(found)
        named = next((one for one in triggers if one.name == name), None)
        wanted = named.pipelines[0] if named is not None and named.pipelines else name
        pipeline = next((one for one in pipelines if one.name == wanted), None)
        if pipeline is None:
            known = [*(one.name for one in pipelines), *(one.name for one in triggers)]
            message = f"the data factory {found.name!r} has no pipeline and no trigger {name!r}"
            raise NotFound(message, hint=did_you_mean(name, known) or _EMPTY)
        return pipeline, [one for one in triggers if pipeline.name in one.pipelines]

    async def meant(self, names: Sequence[str], factory: str | None, where: Where) -> list[HostedTrigger]:
        if not names:
            raise InvalidInput("no trigger is named", hint="Give names of triggers or of pipelines.")
        found = await self.factory(factory, where)
        everything = await self.triggers_of(found)
        wanted = [one for name in names for one in _named(name, everything, found.name)]
        return list({one.id: one for one in wanted}.values())

    async def runs(self, name: str, limit: int, factory: str | None, where: Where) -> list[HostedRun]:
        found = await self.factory(factory, where)
        pipeline, _triggers = await self.get(name, found.name, where)
        answers = await self._queried(
            f"{found.id}/queryPipelineRuns", [("PipelineName", pipeline.name)], "RunStart", limit
        )
        return await read_all("run", pipeline_run_from, answers)

    async def work(self, run: str, factory: str | None, where: Where) -> list[Work]:
        found = await self.factory(factory, where)
        return await self._activities(found, run)

    async def _activities(self, factory: Factory, run: str) -> list[Work]:
        try:
            answers = await self._queried(
                f"{factory.id}/pipelineruns/{segment(run)}/queryActivityruns", [], "ActivityRunStart", None
            )
        except NotFound as error:
            message = f"the data factory {factory.name!r} has no run {run!r}"
            raise NotFound(message, hint="%aml data-factory runs NAME lists those of a pipeline.") from error
        return (await read_all("activity", activity_from, answers))[::-1]

    async def history(self, name: str, limit: int, factory: str | None, where: Where) -> list[Check]:
        found = await self.factory(factory, where)
        checks: list[Check] = []
        for trigger in _named(name, await self.triggers_of(found), found.name):
            answers = await self._queried(
                f"{found.id}/queryTriggerRuns", [("TriggerName", trigger.name)], "TriggerRunTimestamp", limit
            )
            checks += await read_all("check", trigger_run_from, answers)
        newest = sorted(checks, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)[:limit]
        return await self._with_runs(found, newest)

    async def _with_runs(self, factory: Factory, checks: list[Check]) -> list[Check]:
        fired = list(dict.fromkeys(one.run_id for one in checks if one.run_id))[:_LOOKED_INTO]
        started = dict(zip(fired, await side_by_side(lambda run: self._ml_run(factory, run), fired), strict=True))
        return [replace(one, ml_run_id=started.get(one.run_id, "")) for one in checks]

    async def _ml_run(self, factory: Factory, run: str) -> str:
        try:
            return next((one.ml_run_id for one in await self._activities(factory, run) if one.ml_run_id), "")
        except NotFound:
            return ""

    async def _queried(
        self, path: str, filters: Sequence[tuple[str, str]], newest_by: str, limit: int | None
    ) -> list[Any]:
        until = datetime.now(UTC)

        async def page(token: str | None) -> Any:  # noqa: ANN401 - JSON
            body = query_to(until - _KEPT, until, filters=filters, newest_by=newest_by, token=token)
            return await self._manager.question(path, FACTORY, body)

        return await values_of_pages(page, enough=limit)

    async def fireable(self, name: str, given: Mapping[str, Any], factory: str | None, where: Where) -> FactoryPipeline:
        pipeline, _triggers = await self.get(name, factory, where)
        for one in given:
            if one not in pipeline.parameters:
                message = f"the pipeline {pipeline.name!r} has no parameter {one!r}"
                raise InvalidInput(message, hint=did_you_mean(one, pipeline.parameters) or "It has none.")
        missing = [one for one in pipeline.parameters if one not in given and one not in pipeline.defaults]
        if missing:
            message = f"the pipeline {pipeline.name!r} needs {', '.join(missing)}"
            raise InvalidInput(message, hint=f"Give {' '.join(f'--parameter {one}=...' for one in missing)}.")
        return pipeline

    async def fire(self, name: str, given: Mapping[str, Any], factory: str | None, where: Where) -> str:
        pipeline = await self.fireable(name, given, factory, where)
        answer = await self._manager.start(f"{pipeline.id}/createRun", FACTORY, dict(given))
        return str(read_object("the run", answer.body).get("runId", ""))

    async def triggers(self, factory: str | None, where: Where) -> list[HostedTrigger]:
        factories = [await self.factory(factory, where)] if factory else await self.factories(where)
        return [one for each in await side_by_side(self.triggers_of, factories) for one in each]

    async def pipelines(self, factory: str | None, where: Where) -> list[FactoryPipeline]:
        return await self.pipelines_in(await self.factory(factory, where))


def _named(name: str, triggers: Sequence[HostedTrigger], factory: str) -> list[HostedTrigger]:
    """The trigger of that name or id, or all of the pipeline of that name. Raises ``NotFound``."""
    found = [one for one in triggers if name in (one.name, one.id)] or [
        one for one in triggers if name in one.pipelines
    ]
    if not found:
        known = [*(one.name for one in triggers), *(each for one in triggers for each in one.pipelines)]
        message = f"the data factory {factory!r} has no trigger {name!r}, and no pipeline of that name with one"
        raise NotFound(message, hint=did_you_mean(name, known) or _EMPTY)
    return found


def _no_factory(where: Where) -> str:
    return f"Make one first: az datafactory create --name NAME --resource-group {where.group} --location REGION."
