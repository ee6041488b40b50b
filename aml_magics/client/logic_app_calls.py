"""Logic Apps over the resource manager: what they are, what they did, and why not, asked for on the loop."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aml_magics.client.calls import read, read_all, segment, side_by_side
from aml_magics.client.connection import StatusChange
from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound, ServiceError, did_you_mean
from aml_magics.model.resources import Status
from aml_magics.wire.arm_logic import LOGIC, action_from, check_from, logic_app_from, run_from

if TYPE_CHECKING:
    from aml_magics.client.arm import Manager, Where
    from aml_magics.model.hosted import Check, HostedRun, LogicApp, Work
    from aml_magics.wire.casing import Json

__all__ = ["LogicAppCalls", "or_none"]

_PROVIDER = "Microsoft.Logic/workflows"
_LOOKED_INTO = 10  # fired checks of which the run is asked what it started
_PAGE = 100
_RUN_ID = "x-ms-workflow-run-id"


class LogicAppCalls:
    """Raises ``NotFound`` with the nearest name."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def listed(self, where: Where) -> list[LogicApp]:
        answers = await self._manager.listed(where.provider(_PROVIDER), LOGIC)
        return sorted(await read_all("Logic App", logic_app_from, answers), key=lambda one: one.name.casefold())

    async def found(self, name: str, where: Where) -> LogicApp:
        path = name if name.startswith("/") else _path(where, name)
        try:
            return read(f"the Logic App {name!r}", logic_app_from, await self._manager.get(path, LOGIC))
        except NotFound as error:
            known = [one.name for one in await self.listed(where)]
            message = f"there is no Logic App {name!r} in the resource group {where.group!r}"
            hint = did_you_mean(name, known) or "Deploy one with %aml logic-app deploy, or name --resource-group."
            raise NotFound(message, hint=hint) from error

    async def only(self, name: str, where: Where) -> LogicApp:
        return read(f"the Logic App {name!r}", logic_app_from, await self._manager.get(_path(where, name), LOGIC))

    async def switched(self, app: LogicApp, to: Status) -> LogicApp:
        verb = "enable" if to is Status.ACTIVE else "disable"
        await self._manager.settled(await self._manager.change("POST", f"{app.id}/{verb}", LOGIC))
        return read(f"the Logic App {app.name!r}", logic_app_from, await self._manager.get(app.id, LOGIC))

    async def runs(self, name: str, limit: int, where: Where) -> list[HostedRun]:
        app = await self.found(name, where)
        answers = await self._manager.listed(f"{app.id}/runs", LOGIC, enough=limit, **{"$top": min(limit, _PAGE)})
        return await read_all("run", lambda one: run_from(one, app.name), answers)

    async def work(self, name: str, run: str, where: Where) -> list[Work]:
        app = await self.found(name, where)
        try:
            answers = await self._manager.listed(f"{app.id}/runs/{segment(run)}/actions", LOGIC)
        except NotFound as error:
            message = f"the Logic App {app.name!r} has no run {run!r}"
            raise NotFound(message, hint=f"%aml logic-app runs {app.name} lists them.") from error
        return await side_by_side(lambda one: self._action(one, app), answers)

    async def _action(self, answer: Json, app: LogicApp) -> Work:
        """What it put out is asked for when that tells something: what was started, or why it failed."""
        work = read("an action", action_from, answer)
        if work.name not in app.submits and work.status != "Failed":
            return work
        return action_from(answer, await self._output(answer))

    async def _output(self, answer: Json) -> Any:  # noqa: ANN401 - JSON
        """Nothing when it cannot be had: the address is good for a while only, and holds its own key."""
        link = (answer.get("properties") or {}).get("outputsLink") or {}
        uri = link.get("uri") if isinstance(link, Mapping) else None
        if not isinstance(uri, str) or not uri.startswith("https://"):
            return None
        try:
            return await self._manager.ask(uri)
        except AmlError:
            return None

    async def history(self, name: str, trigger: str | None, limit: int, where: Where) -> list[Check]:
        app = await self.found(name, where)
        names = [_trigger_of(app, trigger)] if trigger else list(app.triggers)
        checks: list[Check] = []
        for one in names:
            path = f"{app.id}/triggers/{segment(one)}/histories"
            answers = await self._manager.listed(path, LOGIC, enough=limit, **{"$top": min(limit, _PAGE)})
            checks += await read_all("check", partial(check_from, trigger=one), answers)
        newest = sorted(checks, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)[:limit]
        return await self._with_runs(app, newest)

    async def _with_runs(self, app: LogicApp, checks: list[Check]) -> list[Check]:
        fired = [one.run_id for one in checks if one.fired and one.run_id][:_LOOKED_INTO]
        works = dict(zip(fired, await side_by_side(lambda run: self._started_by(app, run), fired), strict=True))
        found = []
        for one in checks:
            work = works.get(one.run_id)
            known = replace(one, ml_run_id=work.ml_run_id, reason=one.reason or work.error) if work else one
            found.append(known)
        return found

    async def _started_by(self, app: LogicApp, run: str) -> Work | None:
        """The action of a run that started something in the workspace, or failed to."""
        path = f"{app.id}/runs/{segment(run)}/actions"
        for name in app.submits:
            answer = await or_none(self._manager.get(f"{path}/{segment(name)}", LOGIC))
            if answer is not None:
                return await self._action(answer, app)
        return None

    async def fire(self, name: str, trigger: str | None, where: Where) -> str:
        app = await self.found(name, where)
        path = f"{app.id}/triggers/{segment(_trigger_of(app, trigger))}/run"
        try:
            answer = await self._manager.start(path, LOGIC)
        except (Conflict, ServiceError) as error:
            if app.status is not Status.ACTIVE and getattr(error, "status", 409) in (400, 409):
                error.hint = f"It is disabled: %aml logic-app enable {app.name} lets it fire."
            raise
        return answer.headers.get(_RUN_ID, "")

    async def set_status(self, names: Sequence[str], to: Status, where: Where) -> list[StatusChange[LogicApp]]:
        if not names:
            raise InvalidInput("no Logic App is named", hint="Give names.")
        changes = []
        for app in [await self.found(name, where) for name in dict.fromkeys(names)]:
            now = app if app.status is to else await self.switched(app, to)
            changes.append(StatusChange(now, app.status))
        return changes


def _path(where: Where, name: str) -> str:
    return f"{where.provider(_PROVIDER)}/{segment(name)}"


def _trigger_of(app: LogicApp, wanted: str | None) -> str:
    """The one that is named, or the only one. Raises ``InvalidInput``."""
    if wanted is not None:
        if wanted not in app.triggers:
            message = f"the Logic App {app.name!r} has no trigger {wanted!r}"
            raise InvalidInput(message, hint=did_you_mean(wanted, app.triggers) or "It has none.")
        return wanted
    if len(app.triggers) != 1:
        message = f"the Logic App {app.name!r} has {len(app.triggers)} triggers"
        raise InvalidInput(message, hint=f"Name one with --trigger: {', '.join(app.triggers) or 'it has none'}.")
    return next(iter(app.triggers))


async def or_none(asked: Awaitable[Any]) -> Any:  # noqa: ANN401 - what is asked for
    """The answer; ``None`` when there is no such thing."""
    try:
        return await asked
    except NotFound:
        return None
