"""``%aml logic-app``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.model.resources import Status
from aml_magics.notebook import hosted_tables
from aml_magics.notebook.commands.hosted import HISTORY, RUNS, azure, in_short, values, watching
from aml_magics.notebook.commands.shared import LAST, instant
from aml_magics.notebook.views import View
from aml_magics.notebook.words import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aml_magics.client.logic_apps import LogicApps
    from aml_magics.model.hosted import LogicApp
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["deploy", "disable", "enable", "history", "history_of", "list_all", "runs", "show", "show_app", "trigger"]


def deploy(call: Call) -> View | Table:
    """Check an export, and create or change the Logic App; or, dry, show what that would do."""
    apps, folder, group = _apps(call), call.get("folder"), call.get("resource_group")
    given = values(call)
    if call.is_dry_run:
        with call.progress("Checking with Azure"):
            planned = apps.plan(folder, parameters=given, resource_group=group)
        return hosted_tables.planned(call, planned, "Would change", ["Azure has checked it; nothing was changed."])
    with watching(call, "Deploying", f"%aml logic-app deploy {spelled(folder)}") as told:
        made = apps.deploy(
            folder,
            parameters=given,
            resource_group=group,
            enable=bool(call.get("enable")),
            roles=bool(call.get("roles")),
            timeout=call.get("timeout"),
            tell=told.append,
        )
    app = made.app
    call.remember("logic-app", [app.name])
    title = "Made the Logic App" if made.was is None else "Changed the Logic App"
    notes = [*told]
    if not call.get("roles") and made.was is None:
        notes.append("Its identity needs the roles of roles.json: deploy it again with --roles, if it has none yet.")
    return _view(call, app, f"{title} {app.name}", notes)


def list_all(call: Call) -> Table:
    """The Logic Apps of the resource group."""
    found = _apps(call).list(resource_group=call.get("resource_group"))
    call.remember("logic-app", [one.name for one in found], all_of_them=True)
    return hosted_tables.apps(call, found)


def show(call: Call) -> View:
    """One Logic App."""
    return show_app(call, _apps(call).get(call.get("name"), resource_group=call.get("resource_group")))


def show_app(call: Call, app: LogicApp) -> View:
    """One Logic App with its last runs."""
    call.remember("logic-app", [app.name])
    view = _view(call, app, f"Logic App {app.name}", ())
    last = _apps(call).runs(app.id, limit=LAST)
    view.sections["runs"] = hosted_tables.runs(call, last, "Last runs")
    return view


def _view(call: Call, app: LogicApp, title: str, notes: Iterable[str]) -> View:
    fields = [
        ("status", app.status.value),
        ("trigger", hosted_tables.in_words(app)),
        ("starts", ", ".join(app.starts)),
        ("region", app.location),
        ("identity", app.principal),
        ("created", instant(call, app.created)),
        ("changed", instant(call, app.changed)),
        ("id", app.id),
    ]
    name = spelled(app.name)
    if app.status is Status.ACTIVE:
        said = [f"Did it fire, and if not, why: %aml logic-app history {name}"]
    else:
        said = [f"It is disabled: it does not fire until %aml logic-app enable {name}"]
    return View(title, value=app, fields=fields, notes=[*notes, *said])


def history(call: Call) -> Table:
    """Every check of its triggers: did it fire, and if not, why."""
    apps, group = _apps(call), call.get("resource_group")
    return history_of(call, apps.get(call.get("name"), resource_group=group))


def history_of(call: Call, app: LogicApp) -> Table:
    """The history of one Logic App."""
    call.remember("logic-app", [app.name])
    checks = _apps(call).history(app.id, trigger=call.get("trigger"), limit=call.get("limit", HISTORY))
    notes = [in_short(checks)]
    if app.status is not Status.ACTIVE:
        notes.append(f"It is disabled: %aml logic-app enable {spelled(app.name)}")
    return hosted_tables.checks(call, checks, f"History of {app.name}, the newest first", notes)


def runs(call: Call) -> Table:
    """Its newest runs, or the actions of one of them."""
    apps, name, group = _apps(call), call.get("name"), call.get("resource_group")
    if "run" in call.arguments:
        found = apps.work(name, call.get("run"), resource_group=group)
        return hosted_tables.work(call, found, f"Actions of the run {call.get('run')}")
    limit = call.get("limit", RUNS)
    return hosted_tables.runs(call, apps.runs(name, limit=limit, resource_group=group), f"Runs of {name}")


def trigger(call: Call) -> View:
    """Let its trigger look, or fire, now."""
    apps, group = _apps(call), call.get("resource_group")
    app = apps.get(call.get("name"), resource_group=group)
    call.remember("logic-app", [app.name])
    if call.is_dry_run:
        return _view(call, app, f"Would let {app.name} look now", ())
    run = apps.fire(app.id, trigger=call.get("trigger"))
    fields = [("run", run), ("trigger", hosted_tables.in_words(app))]
    notes = [f"What came of it: %aml logic-app history {spelled(app.name)}"]
    return View(f"{app.name} looks now", value=app, fields=fields, notes=notes)


def enable(call: Call) -> Table:
    """Let Logic Apps fire."""
    return _set_status(call, Status.ACTIVE)


def disable(call: Call) -> Table:
    """Stop Logic Apps."""
    return _set_status(call, Status.DISABLED)


def _set_status(call: Call, to: Status) -> Table:
    apps, names, group = _apps(call), call.named("name"), call.get("resource_group")
    if call.is_dry_run:
        found = [apps.get(name, resource_group=group) for name in names]
        return hosted_tables.status_changes(call, [(one, one.status) for one in found], to, [])
    changes = (apps.enable if to is Status.ACTIVE else apps.disable)(*names, resource_group=group)
    call.remember("logic-app", [one.value.name for one in changes])
    back = "disable" if to is Status.ACTIVE else "enable"
    changed = [spelled(one.value.name) for one in changes if one.changed]
    undo = [f"To undo: %aml logic-app {back} {' '.join(changed)}"] if changed else []
    return hosted_tables.status_changes(call, [(one.value, one.was) for one in changes], to, undo)


def _apps(call: Call) -> LogicApps:
    return azure(call, "logic-app").logic_apps
