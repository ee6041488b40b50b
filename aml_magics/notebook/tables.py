"""The tables of the package, one function a kind of thing. Columns are declared, so an empty list has them too.

What people look for stands first, the id last. ``next_fire`` is an instant in the display zone, to sort and compute
with; ``next_fire_in_zone`` is the same instant as text on the schedule's own clock with the zone's name. A schedule
that is disabled or fires on change has neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aml_magics.model.hosted import HostedTrigger
from aml_magics.model.resources import Status
from aml_magics.model.triggers import DatastoreChange, FireTime
from aml_magics.notebook.frames import Columns, Table, build
from aml_magics.notebook.present import moment
from aml_magics.wire.hosted_words import started_id

if TYPE_CHECKING:
    from aml_magics.client.doctor import Finding
    from aml_magics.model.hosted import LogicApp
    from aml_magics.model.resources import (
        DataPathParameter,
        Experiment,
        Fire,
        Parameter,
        Pipeline,
        Poll,
        Run,
        Schedule,
        Step,
    )
    from aml_magics.notebook.call import Call

    Switched = Pipeline | Schedule | HostedTrigger | LogicApp

__all__ = [
    "changes",
    "data_path_text",
    "experiments",
    "findings",
    "fire_times",
    "fires",
    "instant_of",
    "next_fire",
    "pairs_text",
    "parameter_text",
    "parameters",
    "pipelines",
    "polls",
    "runs",
    "schedules",
    "seconds_between",
    "steps",
    "table",
    "target",
]

_EXPERIMENTS: Columns = {"name": "string", "description": "string", "created": "instant", "id": "string"}
_PIPELINES: Columns = {
    "name": "string",
    "version": "string",
    "status": "string",
    "steps": "Int64",
    "parameters": "string",
    "description": "string",
    "created": "instant",
    "id": "string",
}
_PARAMETERS: Columns = {"name": "string", "type": "string", "default": "string"}
_SCHEDULES: Columns = {
    "name": "string",
    "status": "string",
    "trigger": "string",
    "next_fire": "instant",
    "next_fire_in_zone": "string",
    "pipeline": "string",
    "experiment": "string",
    "host": "string",
    "description": "string",
    "id": "string",
}
_FIRE_TIMES: Columns = {"fire": "instant", "fire_in_zone": "string", "note": "string"}
_RUNS: Columns = {
    "status": "string",
    "pipeline": "string",
    "schedule": "string",
    "experiment": "string",
    "parameters": "string",
    "data_paths": "string",
    "created": "instant",
    "started": "instant",
    "ended": "instant",
    "seconds": "Float64",
    "detail": "string",
    "id": "string",
}
_STEPS: Columns = {
    "name": "string",
    "status": "string",
    "exit_code": "Int64",
    "started": "instant",
    "ended": "instant",
    "seconds": "Float64",
    "detail": "string",
}
_FIRES: Columns = {
    "decided": "instant",
    "reason": "string",
    "due": "instant",
    "objects": "string",
    "outcome": "string",
    "run": "string",
    "detail": "string",
}
_POLLS: Columns = {
    "at": "instant",
    "late": "Float64",
    "seconds": "Float64",
    "objects": "Int64",
    "added": "Int64",
    "modified": "Int64",
    "removed": "Int64",
    "matched": "Int64",
    "fired": "Int64",
    "error": "string",
}
_FINDINGS: Columns = {"check": "string", "result": "string", "found": "string", "what to do": "string"}
_CHANGES: Columns = {"name": "string", "was": "string", "status": "string", "id": "string"}


def table(
    call: Call,
    columns: Columns,
    rows: Sequence[Mapping[str, object]],
    caption: str = "",
    *,
    notes: Iterable[str] = (),
    empty: str = "none",
) -> Table:
    """A table with a caption, shown as the settings say."""
    return build(columns, rows, zone=call.zone, caption=caption, notes=notes, limit=call.limit, empty=empty)


def experiments(call: Call, found: Sequence[Experiment]) -> Table:
    """Experiments by name."""
    rows = [{"name": one.name, "description": one.description, "created": one.created, "id": one.id} for one in found]
    return table(call, _EXPERIMENTS, rows, "Experiments", empty="no experiments")


def instant_of(value: datetime | float) -> datetime:
    """An instant, of POSIX seconds too."""
    return value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)


def pipelines(call: Call, found: Sequence[Pipeline], notes: Iterable[str] = ()) -> Table:
    """Published pipelines with their parameters and defaults."""
    rows = [
        {
            "name": one.name,
            "version": one.version,
            "status": one.status.value,
            "steps": len(one.steps),
            "parameters": ", ".join(
                [*(parameter_text(each) for each in one.parameters), *map(data_path_text, one.data_paths)]
            ),
            "description": one.description,
            "created": one.created,
            "id": one.id,
        }
        for one in found
    ]
    return table(call, _PIPELINES, rows, "Published pipelines", notes=notes, empty="no published pipelines")


def parameter_text(parameter: Parameter) -> str:
    """``learning_rate=0.1``."""
    return f"{parameter.name}={parameter.default!r}"


def data_path_text(parameter: DataPathParameter) -> str:
    """``input_data=workspaceblobstore/incoming``, or the name alone."""
    return f"{parameter.name}={parameter.default}" if parameter.default else parameter.name


def parameters(call: Call, pipeline: Pipeline) -> Table:
    """The parameters of a pipeline, data paths among them, with types and defaults."""
    rows: list[dict[str, object]] = [
        {"name": one.name, "type": type(one.default).__name__, "default": str(one.default)}
        for one in pipeline.parameters
    ]
    rows += [
        {"name": one.name, "type": "data path", "default": str(one.default) if one.default else None}
        for one in pipeline.data_paths
    ]
    return table(call, _PARAMETERS, rows, "Parameters", empty="no parameters")


def next_fire(schedule: Schedule, now: datetime) -> FireTime | None:
    """The next fire of an active time schedule; ``None`` for others and when there is none."""
    if isinstance(schedule.trigger, DatastoreChange) or schedule.status is not Status.ACTIVE:
        return None
    found = schedule.trigger.next_fires(now, 1, created=schedule.created or now)
    return found[0] if found else None


def schedules(
    call: Call, found: Sequence[Schedule | HostedTrigger], pipeline_names: Mapping[str, str], notes: Iterable[str] = ()
) -> Table:
    """Schedules with their trigger in words and their next fire. ``pipeline`` may be a pipeline endpoint."""
    now = call.now()
    rows = [
        _hosted(one, pipeline_names) if isinstance(one, HostedTrigger) else _schedule(one, pipeline_names, now)
        for one in found
    ]
    return table(call, _SCHEDULES, rows, "Schedules", notes=notes, empty="no schedules")


def _schedule(one: Schedule, names: Mapping[str, str], now: datetime) -> Mapping[str, object]:
    coming = next_fire(one, now)
    return {
        "name": one.name,
        "status": one.status.value,
        "trigger": one.trigger.in_words(),
        "next_fire": coming.at if coming else None,
        "next_fire_in_zone": _in_zone(coming, one) if coming else None,
        "pipeline": target(one, names),
        "experiment": one.experiment_name,
        "host": one.host.value,
        "description": one.description,
        "id": one.id,
    }


def _hosted(one: HostedTrigger, names: Mapping[str, str]) -> Mapping[str, object]:
    ids = [started_id(start) for start in one.starts]
    return {
        "name": one.name,
        "status": one.status.value,
        "trigger": one.trigger,
        "next_fire": one.next_fire,
        "next_fire_in_zone": moment(one.next_fire) if one.next_fire else None,
        "pipeline": ", ".join(names.get(id_, id_) for id_ in ids),
        "host": one.host.value,
        "id": one.id,
    }


def target(schedule: Schedule, names: Mapping[str, str]) -> str:
    """What a schedule starts, by name where it has one: a pipeline or a pipeline endpoint."""
    wanted = schedule.pipeline_id or schedule.endpoint_id
    return names.get(wanted, wanted)


def _in_zone(coming: FireTime, schedule: Schedule) -> str:
    return moment(coming.at, getattr(schedule.trigger, "time_zone", ""))


def fire_times(
    call: Call, coming: Sequence[FireTime], time_zone: str, caption: str, *, empty: str = "it never fires"
) -> Table:
    """Fires to come, in the display zone and on the schedule's own clock."""
    rows = [{"fire": one.at, "fire_in_zone": moment(one.at, time_zone), "note": one.note or None} for one in coming]
    return table(call, _FIRE_TIMES, rows, caption, empty=empty)


def runs(
    call: Call,
    found: Sequence[Run],
    names: Mapping[str, str],
    caption: str = "Runs",
    notes: Iterable[str] = (),
) -> Table:
    """Runs with what they really got as parameters. ``names`` are those of pipelines and schedules by id.

    A run that no schedule started has none.
    """
    rows = [
        {
            "status": one.status.value,
            "pipeline": names.get(one.pipeline_id, one.pipeline_id),
            "schedule": names.get(one.schedule_id, one.schedule_id) if one.schedule_id else None,
            "experiment": one.experiment_name,
            "parameters": pairs_text(one.parameters) or None,
            "data_paths": pairs_text(one.data_paths) or None,
            "created": one.created,
            "started": one.started,
            "ended": one.ended,
            "seconds": seconds_between(one.started, one.ended),
            "detail": one.status_detail or None,
            "id": one.id,
        }
        for one in found
    ]
    return table(call, _RUNS, rows, caption, notes=notes, empty="no runs")


def pairs_text(values: Mapping[str, object]) -> str:
    """``learning_rate=0.1, input_data=workspaceblobstore/incoming/a.csv``."""
    return ", ".join(f"{name}={value}" for name, value in values.items())


def seconds_between(started: datetime | None, ended: datetime | None) -> float | None:
    """How long it took; ``None`` before it has ended."""
    return (ended - started).total_seconds() if started and ended else None


def steps(call: Call, found: Sequence[Step]) -> Table:
    """The steps of a run."""
    rows = [
        {
            "name": one.name,
            "status": one.status.value,
            "exit_code": one.exit_code,
            "started": one.started,
            "ended": one.ended,
            "seconds": seconds_between(one.started, one.ended),
            "detail": one.detail or None,
        }
        for one in found
    ]
    return table(call, _STEPS, rows, "Steps", empty="no steps")


def fires(call: Call, found: Sequence[Fire]) -> Table:
    """Fires with their reason and outcome."""
    rows = [
        {
            "decided": one.decided,
            "reason": one.reason,
            "due": one.due,
            "objects": ", ".join(one.objects) or None,
            "outcome": one.outcome.value,
            "run": one.run_id,
            "detail": one.detail or None,
        }
        for one in found
    ]
    return table(call, _FIRES, rows, "Fires, the newest first", empty="no fires")


def polls(call: Call, found: Sequence[Poll]) -> Table:
    """Looks at a datastore; one that found nothing is a look too. ``late`` is in seconds, as ``seconds`` is."""
    rows = [
        {
            "at": one.at,
            "late": one.lateness.total_seconds(),
            "seconds": one.took.total_seconds(),
            "objects": one.objects,
            "added": one.added,
            "modified": one.modified,
            "removed": one.removed,
            "matched": one.matched,
            "fired": one.fired,
            "error": one.error or None,
        }
        for one in found
    ]
    return table(call, _POLLS, rows, "Polls, the newest first", empty="no polls")


def findings(call: Call, found: Sequence[Finding], caption: str, notes: Iterable[str] = ()) -> Table:
    """What a look at everything that can be wrong found."""
    rows = [
        {"check": one.check, "result": one.result.value, "found": one.found, "what to do": one.advice or None}
        for one in found
    ]
    return build(_FINDINGS, rows, zone=call.zone, caption=caption, notes=notes)


def changes(
    call: Call, before: Sequence[tuple[Switched, Status]], status: Status, caption: str, notes: Iterable[str]
) -> Table:
    """What a verb made of several things: the status each had and the one it has now."""
    rows = [{"name": one.name, "was": was.value, "status": status.value, "id": one.id} for one, was in before]
    return table(call, _CHANGES, rows, caption, notes=notes)
