"""``workspace.logic_apps``: the Logic Apps in the resource group of a workspace on Azure, synchronously.

Deploying keeps what it finds: one that is enabled stays so, a new one is disabled until it is enabled.
"""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aml_magics.client.arm import group_location
from aml_magics.client.arm_deployments import Deploying, deployment_name, give_roles
from aml_magics.client.calls import segment
from aml_magics.client.connection import StatusChange
from aml_magics.client.logic_app_calls import LogicAppCalls, or_none
from aml_magics.client.parcels import open_parcel, read_parcel
from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.resources import Status
from aml_magics.wire.arm_deployments import deployment_to
from aml_magics.wire.arm_logic import LOGIC

if TYPE_CHECKING:
    from aml_magics.client.arm import Manager, Where
    from aml_magics.client.connection import Connection
    from aml_magics.client.parcels import Parcel
    from aml_magics.model.hosted import Check, HostedRun, LogicApp, PlannedChange, Work
    from aml_magics.wire.casing import Json

__all__ = ["Deployed", "LogicApps"]

Tell = Callable[[str], None]


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
        self._calls = LogicAppCalls(manager)

    def list(self, *, resource_group: str | None = None) -> builtins.list[LogicApp]:
        """All of them, by name."""
        return self._connection.run(self._calls.listed(self._where(resource_group)))

    def get(self, name: str, *, resource_group: str | None = None) -> LogicApp:
        """One of them, by name or id. Raises ``NotFound`` with the nearest name."""
        return self._connection.run(self._calls.found(name, self._where(resource_group)))

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
        tell: Tell = lambda _text: None,
    ) -> Deployed:
        """Deploy the export in a folder and wait for it; ``roles`` gives its identity the roles of ``roles.json`` too.

        ``tell`` gets what happens on the way. Raises ``InvalidInput`` when it is refused, ``Conflict``, and
        ``ServiceError`` with what failed.
        """
        where = self._where(resource_group)
        return self._connection.run(self._deploy(folder, parameters or {}, where, enable, roles, timeout, tell))

    def enable(self, *names: str, resource_group: str | None = None) -> builtins.list[StatusChange[LogicApp]]:
        """Let them fire. All names are looked up before the first is changed."""
        return self._connection.run(self._calls.set_status(names, Status.ACTIVE, self._where(resource_group)))

    def disable(self, *names: str, resource_group: str | None = None) -> builtins.list[StatusChange[LogicApp]]:
        """Stop them; runs go on."""
        return self._connection.run(self._calls.set_status(names, Status.DISABLED, self._where(resource_group)))

    def runs(self, name: str, *, limit: int = 25, resource_group: str | None = None) -> builtins.list[HostedRun]:
        """Its newest runs."""
        return self._connection.run(self._calls.runs(name, limit, self._where(resource_group)))

    def work(self, name: str, run: str, *, resource_group: str | None = None) -> builtins.list[Work]:
        """The actions of one run, with what they answered where one failed."""
        return self._connection.run(self._calls.work(name, run, self._where(resource_group)))

    def history(
        self, name: str, *, trigger: str | None = None, limit: int = 50, resource_group: str | None = None
    ) -> builtins.list[Check]:
        """The newest checks of its triggers, fired or not, and why; the newest that fired with the run they started."""
        return self._connection.run(self._calls.history(name, trigger, limit, self._where(resource_group)))

    def fire(self, name: str, *, trigger: str | None = None, resource_group: str | None = None) -> str:
        """Let a trigger look, or fire, now: once. The run's id, where Azure tells it."""
        return self._connection.run(self._calls.fire(name, trigger, self._where(resource_group)))

    def _where(self, resource_group: str | None) -> Where:
        return self._manager.in_group(resource_group)

    async def _parcel(self, folder: str, given: Mapping[str, Any], where: Where) -> Parcel:
        path = open_parcel(folder, "logic-app")
        location = await group_location(self._manager, where)
        return read_parcel(
            path, "logic-app", given, subscription=where.subscription, resource_group=where.group, location=location
        )

    async def _checked(self, parcel: Parcel, where: Where, deploying: Deploying) -> tuple[Json, LogicApp | None]:
        """The deployment's body, checked by the resource manager and by Logic Apps, and the Logic App that is there."""
        name = parcel.definition.name
        former = await or_none(self._calls.only(name, where))
        template = parcel.enabled() if former is not None and former.status is Status.ACTIVE else parcel.template
        body = deployment_to(template, parcel.values)
        await deploying.validate(body)
        workflow = parcel.workflow
        place = f"{where.provider('Microsoft.Logic/locations')}/{segment(workflow['location'])}"
        path = f"{place}/workflows/{segment(name)}/validate"
        await _accepted(name, self._manager.question(path, LOGIC, workflow))
        return body, former

    async def _plan(self, folder: str, given: Mapping[str, Any], where: Where) -> builtins.list[PlannedChange]:
        parcel = await self._parcel(folder, given, where)
        deploying = Deploying(self._manager, where, deployment_name("logic-app", parcel.definition.name))
        body, _former = await self._checked(parcel, where, deploying)
        return await deploying.changes(body)

    async def _deploy(
        self,
        folder: str,
        given: Mapping[str, Any],
        where: Where,
        enable: bool,
        roles: bool,
        patience: float | None,
        tell: Tell,
    ) -> Deployed:
        parcel = await self._parcel(folder, given, where)
        if roles:
            parcel.check_roles()
        deploying = Deploying(self._manager, where, deployment_name("logic-app", parcel.definition.name), tell)
        await deploying.wait(patience=patience)
        body, former = await self._checked(parcel, where, deploying)
        await deploying.carry_out(body, patience=patience)
        if roles:
            await give_roles(self._manager, where, parcel, deploying.name, patience, tell)
        app = await self._calls.only(parcel.definition.name, where)
        if enable and app.status is not Status.ACTIVE:
            app = await self._calls.switched(app, Status.ACTIVE)
        return Deployed(app=app, was=former.status if former else None, deployment=deploying.name)


async def _accepted(name: str, question: Awaitable[Any]) -> None:
    try:
        await question
    except AmlError as error:
        if not isinstance(error, InvalidInput) and getattr(error, "status", 0) != 400:
            raise
        message = f"Logic Apps refuses the definition of {name!r}: {error.message}"
        raise InvalidInput(message, hint="Nothing was made. Correct template.json, or export it again.") from error
