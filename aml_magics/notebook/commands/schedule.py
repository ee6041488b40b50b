"""``%aml schedule``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.hosted import HostedTrigger
from aml_magics.model.lint import warnings_for
from aml_magics.model.resources import Missed, Schedule, Status
from aml_magics.model.triggers import DatastoreChange
from aml_magics.model.words import listed
from aml_magics.notebook import tables
from aml_magics.notebook.commands import schedule_beside
from aml_magics.notebook.commands.pipeline import left_out
from aml_magics.notebook.commands.schedule_request import read_request
from aml_magics.notebook.commands.shared import (
    LAST,
    change_status,
    instant,
    pipeline_names,
    target_names,
)
from aml_magics.notebook.present import in_words
from aml_magics.notebook.views import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from aml_magics.client.schedule_plan import SchedulePlan
    from aml_magics.model.triggers import Trigger
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["create", "disable", "enable", "history", "list_all", "preview", "runs", "show"]

_NEXT = 5  # fires that a view of a schedule shows
_HISTORY = 50
_DID = {
    "create": "Made the schedule",
    "replace": "Replaced the schedule",
    "unchanged": "Unchanged, the same as before: the schedule",
    "skip": "Kept the schedule",
}
_WOULD = {
    "create": "Would make the schedule",
    "replace": "Would replace the schedule",
    "unchanged": "Would change nothing, it is the same: the schedule",
    "skip": "Would keep the schedule",
}


def create(call: Call) -> View:
    """Bind a pipeline, an experiment and a trigger together; or, dry, say what that would do."""
    arguments = read_request(call).creation()
    schedules = call.workspace.schedules
    plan = schedules.plan(**arguments)
    names = {plan.pipeline.id: plan.pipeline.name}  # one that is kept may start something else
    if call.is_dry_run:
        started = tables.target(plan.schedule, names)
        return _view(call, plan.schedule, started, title=_WOULD[plan.action], notes=_changes(plan))
    made = schedules.create(**arguments)
    call.remember("schedule", [made.name])
    call.remember("experiment", [made.experiment_name])
    is_new = plan.action in ("create", "replace")
    return _view(call, made, tables.target(made, names), title=_DID[plan.action], notes=_changes(plan), is_new=is_new)


def _changes(plan: SchedulePlan) -> list[str]:
    """What a schedule of that name which is there already has to do with it."""
    if not plan.differences:
        return []
    verb = "Kept, though it differs" if plan.action == "skip" else "Replaces the one that was there"
    return [f"{verb}: {'; '.join(plan.differences)}"]


def _next_fires(
    call: Call, trigger: Trigger, after: datetime, count: int = _NEXT, *, created: datetime | None = None
) -> Table:
    if isinstance(trigger, DatastoreChange):
        return tables.fire_times(call, [], "", f"When: {trigger.in_words()}", empty="nobody knows when a file comes")
    coming = trigger.next_fires(after, count, created=created or after)
    return tables.fire_times(call, coming, trigger.time_zone, f"Next fires: {trigger.in_words()}")


def _view(
    call: Call,
    found: Schedule,
    pipeline: str,
    *,
    title: str = "Schedule",
    notes: Iterable[str] = (),
    is_new: bool = False,
) -> View:
    """A schedule with its next fires; those of a new one begin with the fire at once, if it has one."""
    trigger = found.trigger
    fields = [
        ("id", found.id),
        ("status", found.status.value),
        ("trigger", trigger.in_words()),
        *_change_fields(trigger),
        ("pipeline endpoint" if found.endpoint_id else "pipeline", pipeline),
        ("experiment", found.experiment_name),
        ("description", found.description),
        ("parameters", tables.pairs_text({**found.pipeline_parameters, **found.data_paths})),
        ("on a failed step", {True: "go on", False: "stop", None: ""}[found.continue_on_step_failure]),
        ("missed", found.missed.value if found.missed is not Missed.SKIP else ""),
        ("host", found.host.value),
        ("created", instant(call, found.created)),
    ]
    said = [*notes, *(f"Warning: {warning}" for warning in warnings_for(trigger, call.now()))]
    if is_new and isinstance(trigger, DatastoreChange):
        kinds = listed(trigger.on).replace(" and ", " or ")
        said.append(f"Files that are there now do not fire; those that are {kinds} from now on do.")
    sections = {}
    if found.status is not Status.ACTIVE:
        said.insert(0, "It is disabled: it does not fire.")
    elif not isinstance(trigger, DatastoreChange):
        after = found.created if is_new and found.created else call.now()
        sections["next_fires"] = _next_fires(call, trigger, after, created=found.created)
    return View(f"{title} {found.name}", value=found, fields=fields, sections=sections, notes=said)


def _change_fields(trigger: Trigger) -> list[tuple[str, str]]:
    """What the words of a change trigger leave out."""
    if not isinstance(trigger, DatastoreChange):
        return []
    most = f", at most {trigger.max_runs_per_poll:,} a poll" if trigger.max_runs_per_poll is not None else ""
    return [
        ("looks", f"every {in_words(trigger.polling_interval)}"),
        ("runs", f"one per {trigger.per}{most}"),
        (
            "changed object",
            f"in the data path {trigger.data_path_parameter_name}" if trigger.data_path_parameter_name else "",
        ),
        ("names", "only added, each sorts after those that are there" if trigger.append_only else ""),
    ]


def list_all(call: Call) -> Table:
    """The active schedules with their next fire; says how many disabled ones it leaves out."""
    workspace = call.workspace
    answer = schedule_beside.ask(call)
    own = workspace.schedules.list(active_only=False, pipeline=call.get("pipeline"))
    names = target_names(workspace, own)
    beside = answer()
    hosted: Sequence[HostedTrigger] = beside.triggers
    if "pipeline" in call.arguments:
        wanted = {id_ for id_, name in names.items() if call.get("pipeline") in (id_, name)}
        hosted = schedule_beside.starting(hosted, wanted)
    everything: list[Schedule | HostedTrigger] = [*own, *hosted]
    shown = [one for one in everything if call.get("all") or one.status is Status.ACTIVE]
    call.remember("schedule", [one.name for one in everything], all_of_them="pipeline" not in call.arguments)
    notes = [*left_out(len(everything) - len(shown), "schedule"), *([beside.problem] if beside.problem else [])]
    return tables.schedules(call, shown, names, notes)


def show(call: Call) -> View:
    """One schedule: its trigger, next fires and last runs."""
    workspace = call.workspace
    found = schedule_beside.own_or_beside(call, call.get("name_or_id"))
    call.remember("schedule", [found.name])
    if isinstance(found, HostedTrigger):
        return schedule_beside.show(call, found)
    names = {**target_names(workspace, [found]), found.id: found.name}
    view = _view(call, found, tables.target(found, names))
    last = workspace.runs.list(schedule=found.id, limit=LAST)
    view.sections["runs"] = tables.runs(call, last, names, "Last runs")
    return view


def runs(call: Call) -> Table:
    """The runs that a schedule started, the newest first."""
    workspace = call.workspace
    found = schedule_beside.own_or_beside(call, call.get("name_or_id"))
    if isinstance(found, HostedTrigger):
        return schedule_beside.runs(call, found)
    started = workspace.schedules.runs(found.id)
    call.remember("run", [run.id for run in reversed(started)])
    names = {**pipeline_names(workspace), found.id: found.name}
    return tables.runs(call, started, names, f"Runs of {found.name}")


def preview(call: Call) -> Table:
    """When a schedule will fire, or what the trigger on the line and in the cell would do."""
    request = read_request(call)
    count = call.get("count", _NEXT)
    if request.trigger_words or call.body is not None:
        trigger, after, created = request.trigger(), call.now(), None
        notes = [*_not_of_a_schedule(call), *_unknown_datastore(call, trigger)]
    else:
        found = call.workspace.schedules.get(_name_of(call))
        trigger, after, created = found.trigger, call.now(), found.created
        notes = [] if found.status is Status.ACTIVE else ["It is disabled: none of these will fire."]
    table = _next_fires(call, trigger, after, count, created=created)
    table.add_notes([*notes, *(f"Warning: {warning}" for warning in warnings_for(trigger, call.now()))])
    return table


def _not_of_a_schedule(call: Call) -> list[str]:
    """A name beside a trigger: fine in a cell that is to become ``create NAME``, two different questions on a line."""
    name = call.get("name_or_id")
    if name is None:
        return []
    if call.body is None:
        message = f"The schedule {name!r} and a trigger are two things to preview"
        raise InvalidInput(message, hint="Leave out the name or the trigger's options.")
    return [f"This is the trigger in the cell, whatever the schedule {name} does now."]


def _unknown_datastore(call: Call, trigger: Trigger) -> list[str]:
    """A preview opens no workspace; one that is open knows its datastores."""
    if not isinstance(trigger, DatastoreChange) or not call.around.session.is_connected:
        return []
    known = [one.name for one in call.workspace.datastores.list()]
    if trigger.datastore in known:
        return []
    return [f"Warning: the workspace has no datastore {trigger.datastore!r}. {did_you_mean(trigger.datastore, known)}"]


def _name_of(call: Call) -> str:
    name = call.get("name_or_id")
    if name is None:
        hint = "Name a schedule, or write a trigger: %aml schedule preview --every '15 minutes'."
        raise InvalidInput("There is nothing to preview", hint=hint)
    return str(name)


def history(call: Call) -> View | Table:
    """Did it fire, and if not, why: in words, with the fires and the looks that say so."""
    workspace = call.workspace
    found = schedule_beside.own_or_beside(call, call.get("name_or_id"))
    call.remember("schedule", [found.name])
    hosted = found if isinstance(found, HostedTrigger) else _untold(call, found)
    if hosted is not None:
        return schedule_beside.history(call, hosted)
    assert isinstance(found, Schedule)  # noqa: S101 - for the type checker
    told = workspace.schedules.history(found.id, limit=call.get("limit", _HISTORY))
    sections = {"fires": tables.fires(call, told.fires)}
    if isinstance(found.trigger, DatastoreChange):
        sections["polls"] = tables.polls(call, told.polls)
    fields = [
        ("trigger", found.trigger.in_words()),
        ("status", found.status.value),
        ("history", told.in_words(call.zone)),
    ]
    return View(f"History of {found.name}", value=told, fields=fields, sections=sections)


def _untold(call: Call, found: Schedule) -> HostedTrigger | None:
    """Azure does not tell the history of its own schedules: that of the same name beside the workspace, if there is."""
    if call.workspace.is_embedded:
        return None
    hosted = schedule_beside.find(call, found.name)
    if hosted is not None:
        call.notes.append(
            f"This is the {hosted.host.value} of that name: Azure does not tell the schedule's own history."
        )
    return hosted


def disable(call: Call) -> Table:
    """Stop schedules."""
    return _set_status(call, Status.DISABLED)


def enable(call: Call) -> Table:
    """Let schedules fire again."""
    return _set_status(call, Status.ACTIVE)


def _set_status(call: Call, to: Status) -> Table:
    """All are looked up before the first is changed."""
    schedules, names = call.workspace.schedules, call.named("name_or_id")
    if not call.workspace.is_on_azure:
        return change_status(call, schedules, kind="schedule", to=to)
    found = [schedule_beside.own_or_beside(call, name) for name in names]
    hosted = [one for one in found if isinstance(one, HostedTrigger)]
    if not hosted:
        return change_status(call, schedules, kind="schedule", to=to)
    own = [one for one in found if isinstance(one, Schedule)]
    before: list[tuple[tables.Switched, Status]] = [(one, one.status) for one in own]
    if own and not call.is_dry_run:
        change = schedules.disable if to is Status.DISABLED else schedules.enable
        before = [(one.value, one.was) for one in change(*own)]
    before += [schedule_beside.change(call, one, to) for one in hosted]
    return tables.changes(call, before, to, f"{'Would be' if call.is_dry_run else 'Now'} {to.value.lower()}", [])
