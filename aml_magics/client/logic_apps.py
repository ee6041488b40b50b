"""``workspace.logic_apps``: the Logic Apps in the resource group of a workspace on Azure, synchronously.

Deploying keeps what it finds: one that is enabled stays so, a new one is disabled until it is enabled.
"""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aml_magics.client.arm import group_location
from aml_magics.client.arm_deployments import Deploying, deployment_name
from aml_magics.client.calls import read, read_all, segment, side_by_side
from aml_magics.client.connection import StatusChange
from aml_magics.client.parcels import open_parcel, read_parcel
from aml_magics.model.errors import AmlError, InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import Status
from aml_magics.wire.arm_logic import LOGIC, action_from, check_from, logic_app_from, run_from

if TYPE_CHECKING:
    from aml_magics.client.arm import Manager, Where
    from aml_magics.client.connection import Connection
    from aml_magics.client.parcels import Parcel
    from aml_magics.model.hosted import Check, HostedRun, LogicApp, PlannedChange, Work
    from aml_magics.wire.casing import Json

__all__ = ["Deployed", "LogicApps"]

_PROVIDER = "Microsoft.Logic/workflows"
_LOOKED_INTO = 10  # fired checks of which the run is asked what it started
_CODE_RUN_ID = "x-ms-workflow-run-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a deployment made: the Logic App as it is now, the status it had before (``None``: it is new)."""

    app: LogicApp
    was: Status | None
    deployment: str


class LogicApps:
    """Each verb takes ``resource_group``; without one it is the workspace's own."""

    def __init__(self, connection: Connection, manager: Manager) -> None:
        self._connection = connection
        self._manager = manager

    def list(self, *, resource_group: str | None = None) -> builtins.list[LogicApp]:
        """All of them, by name."""
        return self._connection.run(self.listed(self._where(resource_group)))

    def get(self, name: str, *, resource_group: str | None = None) -> LogicApp:
        """One of them, by name or id. Raises ``NotFound`` with the nearest name."""
        return self._connection.run(self.found(name, self._where(resource_group)))

    def plan(
        self, folder: str, *, parameters: Mapping[str, Any] | None = None, resource_group: str | None = None
    ) -> builtins.list[PlannedChange]:
        """What ``deploy`` would create or change; it is checked, and nothing is done.

        Raises ``InvalidInput`` with Azure's reasons when the template is refused.
        """
        return self._connection.run(self._plan(folder, parameters or {}, self._where(resource_group)))

    def deploy(
        self,
        folder: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        resource_group: str | None = None,
        enable: bool = False,
        roles: bool = False,
        timeout: float | None = None,
        tell: Callable[[str], None] = lambda _text: None,
    ) -> Deployed:
        """Deploy the export in a folder and wait for it; ``roles`` gives its identity the roles of ``roles.json`` too.

        ``tell`` gets what happens on the way. Raises ``InvalidInput`` when it is refused, ``Conflict``, and
        ``ServiceError`` with what failed.
        """
        where = self._where(resource_group)
        return self._connection.run(self._deploy(folder, parameters or {}, where, enable, roles, timeout, tell))

    def enable(self, *names: str, resource_group: str | None = None) -> builtins.list[StatusChange[LogicApp]]:
        """Let them fire. All names are looked up before the first is changed."""
        return self._connection.run(self.set_status(names, Status.ACTIVE, self._where(resource_group)))

    def disable(self, *names: str, resource_group: str | None = None) -> builtins.list[StatusChange[LogicApp]]:
        """Stop them; runs go on."""
        return self._connection.run(self.set_status(names, Status.DISABLED, self._where(resource_group)))

    def runs(self, name: str, *, limit: int = 25, resource_group: str | None = None) -> builtins.list[HostedRun]:
        """Its newest runs."""
        return self._connection.run(self._runs(name, limit, self._where(resource_group)))

    def work(self, name: str, run: str, *, resource_group: str | None = None) -> builtins.list[Work]:
        """The actions of one run, with what they answered where one failed."""
        return self._connection.run(self._work(name, run, self._where(resource_group)))

    def history(
        self, name: str, *, trigger: str | None = None, limit: int = 50, resource_group: str | None = None
    ) -> builtins.list[Check]:
        """The newest checks of its triggers, fired or not, and why; the newest that fired with the run they started."""
        return self._connection.run(self._history(name, trigger, limit, self._where(resource_group)))

    def fire(self, name: str, *, trigger: str | None = None, resource_group: str | None = None) -> str:
        """Let a trigger look, or fire, now: once. The run's id, where Azure tells it."""
        return self._connection.run(self._fire(name, trigger, self._where(resource_group)))

    # on the loop

    async def listed(self, where: Where) -> builtins.list[LogicApp]:
        answers = await self._manager.listed(where.provider(_PROVIDER), LOGIC)
        return sorted(await read_all("Logic App", logic_app_from, answers), key=lambda one: one.name.casefold())

    async def found(self, name: str, where: Where) -> LogicApp:
        if name.startswith("/"):
            return read(f"the Logic App {name!r}", logic_app_from, await self._manager.get(name, LOGIC))
        try:
            return read(f"the Logic App {name!r}", logic_app_from, await self._manager.get(_path(where, name), LOGIC))
        except NotFound as error:
            known = [one.name for one in await self.listed(where)]
            message = f"there is no Logic App {name!r} in the resource group {where.group!r}"
            hint = did_you_mean(name, known) or "Deploy one with %aml logic-app deploy, or name --resource-group."
            raise NotFound(message, hint=hint) from error

    async def set_status(self, names: Sequence[str], to: Status, where: Where) -> builtins.list[StatusChange[LogicApp]]:
        if not names:
            raise InvalidInput("no Logic App is named", hint="Give names.")
        changes = []
        for app in [await self.found(name, where) for name in dict.fromkeys(names)]:
            now = app if app.status is to else await self._switched(app, to)
            changes.append(StatusChange(now, app.status))
        return changes

    def _where(self, resource_group: str | None) -> Where:
        return self._manager.in_group(resource_group)

    async def _parcel(self, folder: str, given: Mapping[str, Any], where: Where) -> Parcel:
        path = open_parcel(folder, "logic-app")
        location = await group_location(self._manager, where)
        return read_parcel(
            path, "logic-app", given, subscription=where.subscription, resource_group=where.group, location=location
        )

    async def _prepared(
        self, folder: str, given: Mapping[str, Any], where: Where, tell: Callable[[str], None]
    ) -> tuple[Parcel, LogicApp | None, Deploying]:
        """Checked by the resource manager and by Logic Apps; nothing is made."""
        parcel = await self._parcel(folder, given, where)
        name = parcel.definition.name
        former = await _or_none(self._only(name, where))
        template = parcel.enabled() if former is not None and former.status is Status.ACTIVE else parcel.template
        deploying = Deploying(self._manager, where, deployment_name("logic-app", name), template, parcel.values, tell)
        await deploying.validate()
        workflow = parcel.workflow
        place = f"{where.provider('Microsoft.Logic/locations')}/{segment(workflow['location'])}"
        path = f"{place}/workflows/{segment(name)}/validate"
        await _checked(name, self._manager.question(path, LOGIC, workflow))
        return parcel, former, deploying

    async def _only(self, name: str, where: Where) -> LogicApp:
        return read(f"the Logic App {name!r}", logic_app_from, await self._manager.get(_path(where, name), LOGIC))

    async def _plan(self, folder: str, given: Mapping[str, Any], where: Where) -> builtins.list[PlannedChange]:
        deploying = (await self._prepared(folder, given, where, lambda _text: None))[2]
        return await deploying.changes()

    async def _deploy(
        self,
        folder: str,
        given: Mapping[str, Any],
        where: Where,
        enable: bool,
        roles: bool,
        patience: float | None,
        tell: Callable[[str], None],
    ) -> Deployed:
        parcel, former, deploying = await self._prepared(folder, given, where, tell)
        if roles and parcel.roles is None:
            raise InvalidInput(f"there is no roles.json in {parcel.folder.as_posix()!r}", hint="Export it again.")
        await deploying.carry_out(patience=patience)
        if roles and parcel.roles is not None:
            await Deploying(
                self._manager, where, f"{deploying.name[:58]}-roles", parcel.roles, parcel.values_of_roles(), tell
            ).carry_out(patience=patience)
        app = await self._only(parcel.definition.name, where)
        if enable and app.status is not Status.ACTIVE:
            app = await self._switched(app, Status.ACTIVE)
        return Deployed(app=app, was=former.status if former else None, deployment=deploying.name)

    async def _switched(self, app: LogicApp, to: Status) -> LogicApp:
        verb = "enable" if to is Status.ACTIVE else "disable"
        await self._manager.settled(await self._manager.change("POST", f"{app.id}/{verb}", LOGIC))
        return read(f"the Logic App {app.name!r}", logic_app_from, await self._manager.get(app.id, LOGIC))

    async def _runs(self, name: str, limit: int, where: Where) -> builtins.list[HostedRun]:
        app = await self.found(name, where)
        answers = await self._manager.listed(f"{app.id}/runs", LOGIC, enough=limit, **{"$top": limit})
        return await read_all("run", lambda one: run_from(one, app.name), answers)

    async def _work(self, name: str, run: str, where: Where) -> builtins.list[Work]:
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

    async def _history(self, name: str, trigger: str | None, limit: int, where: Where) -> builtins.list[Check]:
        app = await self.found(name, where)
        names = [_trigger_of(app, trigger)] if trigger else builtins.list(app.triggers)
        checks: builtins.list[Check] = []
        for one in names:
            path = f"{app.id}/triggers/{segment(one)}/histories"
            answers = await self._manager.listed(path, LOGIC, enough=limit, **{"$top": limit})
            checks += await read_all("check", partial(check_from, trigger=one), answers)
        newest = sorted(checks, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)[:limit]
        return await self._with_runs(app, newest)

    async def _with_runs(self, app: LogicApp, checks: builtins.list[Check]) -> builtins.list[Check]:
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
            answer = await _or_none(self._manager.get(f"{path}/{segment(name)}", LOGIC))
            if answer is not None:
                return await self._action(answer, app)
        return None

    async def _fire(self, name: str, trigger: str | None, where: Where) -> str:
        app = await self.found(name, where)
        path = f"{app.id}/triggers/{segment(_trigger_of(app, trigger))}/run"
        answer = await self._manager.start(path, LOGIC)
        return answer.headers.get(_CODE_RUN_ID, "")


def _path(where: Where, name: str) -> str:
    return f"{where.provider(_PROVIDER)}/{segment(name)}"


def _trigger_of(app: LogicApp, wanted: str | None) -> str:
    """The one that is named, or the only one. Raises ``InvalidInput``."""
    if wanted is not None:
        if wanted not in app.triggers:
            message = f"the Logic App {app.name!r} has no trigger {wanted!r}"
            raise InvalidInput(message, hint=did_you_mean(wanted, app.triggers))
        return wanted
    if len(app.triggers) != 1:
        message = f"the Logic App {app.name!r} has {len(app.triggers)} triggers"
        raise InvalidInput(message, hint=f"Name one with --trigger: {', '.join(app.triggers) or 'it has none'}.")
    return next(iter(app.triggers))


async def _checked(name: str, question: Awaitable[Any]) -> None:
    try:
        await question
    except AmlError as error:
        if not isinstance(error, InvalidInput) and getattr(error, "status", 0) != 400:
            raise
        message = f"Logic Apps refuses the definition of {name!r}: {error.message}"
        raise InvalidInput(message, hint="Nothing was made. Correct template.json, or export it again.") from error


async def _or_none(asked: Awaitable[Any]) -> Any:  # noqa: ANN401 - what is asked for
    try:
        return await asked
    except NotFound:
        return None
