"""Schedules that Logic Apps and data factories host, under the verbs of ``%aml schedule``.

A name means the workspace's own schedule first. What is beside the workspace is asked for by the list, for a name that
the workspace does not have, and for a history that Azure does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aml_magics.client.hosts import Beside
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.resources import Host, Status
from aml_magics.notebook import hosted_tables
from aml_magics.notebook.commands import data_factory, logic_app
from aml_magics.wire.hosted_words import started_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from aml_magics.model.hosted import HostedTrigger, LogicApp
    from aml_magics.model.resources import Schedule
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table
    from aml_magics.notebook.views import View

__all__ = ["ask", "change", "find", "history", "own_or_beside", "runs", "show", "starting"]


def ask(call: Call) -> Callable[[], Beside]:
    """Asks what is beside the workspace, while the caller asks the workspace itself; the function gives the answer.

    Who does not want the answer any more leaves the question alone, it is bounded in time: cancelled within a TLS
    handshake, it would leave a socket behind.
    """
    if call.workspace.is_on_azure:
        return call.workspace.beside(call.around.settings.resource_groups).result
    return Beside


def starting(found: Sequence[HostedTrigger], ids: set[str]) -> list[HostedTrigger]:
    """Those that start one of these pipelines."""
    return [one for one in found if any(started_id(start) in ids for start in one.starts)]


def find(call: Call, name: str) -> HostedTrigger | None:
    """What is called so beside the workspace. InvalidInput for a name that several have."""
    return _named(ask(call)(), name)


def _named(beside: Beside, name: str) -> HostedTrigger | None:
    found = [one for one in beside.triggers if name in (one.name, one.id)]
    if len(found) > 1:
        places = ", ".join(one.id for one in found)
        message = f"{len(found)} are called {name!r} beside the workspace: {places}"
        raise InvalidInput(message, hint="Give the id of the one that you mean.")
    return found[0] if found else None


def own_or_beside(call: Call, name: str) -> Schedule | HostedTrigger:
    """The workspace's own schedule of that name or id, else what is beside it. NotFound when neither is."""
    try:
        return call.workspace.schedules.get(name)
    except NotFound as error:
        beside = ask(call)()
        found = _named(beside, name)
        if found is None:
            error.hint = f"{error.hint} {beside.problem}".strip()
            raise
        return found


def show(call: Call, found: HostedTrigger) -> View:
    """As the host's own verb shows it."""
    if found.host is Host.LOGIC_APP:
        return logic_app.show_app(call, call.workspace.logic_apps.get(found.id))
    return data_factory.show_named(call, found.name, **_place(found))


def history(call: Call, found: HostedTrigger) -> Table:
    """Did it fire, and if not, why."""
    if found.host is Host.LOGIC_APP:
        return logic_app.history_of(call, call.workspace.logic_apps.get(found.id))
    return data_factory.history_of(call, found.name, **_place(found))


def runs(call: Call, found: HostedTrigger) -> Table:
    """The runs of the host; those that it started in the workspace are in its history."""
    if found.host is Host.LOGIC_APP:
        made = call.workspace.logic_apps.runs(found.id)
    else:
        made = call.workspace.data_factories.runs(found.name, **_place(found))
    return hosted_tables.runs(call, made, f"Runs of {found.name}")


def change(call: Call, found: HostedTrigger, to: Status) -> tuple[HostedTrigger | LogicApp, Status]:
    """Switched on or off, with the status that it had."""
    if call.is_dry_run:
        return found, found.status
    if found.host is Host.LOGIC_APP:
        apps = call.workspace.logic_apps
        (app,) = (apps.enable if to is Status.ACTIVE else apps.disable)(found.id)
        return app.value, app.was
    factories = call.workspace.data_factories
    (one,) = (factories.start if to is Status.ACTIVE else factories.stop)(found.id, **_place(found))
    return one.value, one.was


def _place(found: HostedTrigger) -> dict[str, Any]:
    return {"factory": found.owner, "resource_group": found.id.split("/")[4]}
