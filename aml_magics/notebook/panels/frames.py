"""The data of each panel as a DataFrame: pure functions of what was seen, of the viewer's zone and of now.

Columns and dtypes are those of ``notebook.tables`` where they mean the same. ``recent_runs`` holds the seconds of the
last runs, oldest first, negative for a failed one and None for one that is no result; ``steps`` of a run its steps as
(name, status, start, length), the last two in parts of the run's time so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import pandas as pd

from aml_magics.model.glance import LastFire, PastRun
from aml_magics.model.resources import Outcome, Run, RunStatus, Schedule, Status, Step
from aml_magics.model.triggers import DatastoreChange
from aml_magics.notebook.datastore_tables import place_of
from aml_magics.notebook.frames import Columns, build
from aml_magics.notebook.present import moment
from aml_magics.notebook.tables import data_path_text, next_fire, pairs_text, parameter_text, target

if TYPE_CHECKING:
    from aml_magics.model.resources import Datastore
    from aml_magics.notebook.panels.seen import Seen

__all__ = ["Viewer", "datastores", "outcome_of", "overview", "pipelines", "runs", "schedules"]

_DAY = timedelta(days=1)
_PIPELINES: Columns = {
    "name": "string",
    "version": "string",
    "status": "string",
    "parameters": "string",
    "steps": "Int64",
    "last_run": "instant",
    "last_result": "string",
    "schedules": "string",
    "description": "string",
    "created": "instant",
    "id": "string",
}
_SCHEDULES: Columns = {
    "name": "string",
    "status": "string",
    "trigger": "string",
    "next_fire": "instant",
    "next_fire_in_zone": "string",
    "last_fire": "instant",
    "outcome": "string",
    "why": "string",
    "pipeline": "string",
    "experiment": "string",
    "host": "string",
    "description": "string",
    "id": "string",
}
_RUNS: Columns = {
    "status": "string",
    "pipeline": "string",
    "schedule": "string",
    "data_path": "string",
    "experiment": "string",
    "parameters": "string",
    "created": "instant",
    "started": "instant",
    "ended": "instant",
    "seconds": "Float64",
    "detail": "string",
    "id": "string",
}
_DATASTORES: Columns = {
    "name": "string",
    "type": "string",
    "place": "string",
    "default": "string",
    "watched_by": "string",
    "trouble": "string",
}
_OVERVIEW: Columns = {"what": "string", "there": "string", "now": "string", "last": "instant", "next": "instant"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: the zone in which instants are shown, and when."""

    zone: tzinfo
    now: datetime


def pipelines(seen: Seen, viewer: Viewer) -> pd.DataFrame:
    """Published pipelines, the newest first, with their last runs and the active schedules on them."""
    rows = []
    for one in seen.pipelines:
        past = seen.recent.runs.get(one.id, ())
        parameters = [*map(parameter_text, one.parameters), *map(data_path_text, one.data_paths)]
        rows.append({
            "name": one.name,
            "version": one.version or None,
            "status": one.status.value,
            "parameters": ", ".join(parameters) or None,
            "steps": len(one.steps),
            "last_run": past[0].created if past else None,
            "last_result": past[0].status.value if past else None,
            "schedules": ", ".join(schedule.name for schedule in seen.on.get(one.id, ())) or None,
            "description": one.description or None,
            "created": one.created,
            "id": one.id,
        })  # fmt: skip
    frame = _frame(_PIPELINES, rows, viewer)
    marks = [_marks(seen.recent.runs.get(one.id, ())) for one in seen.pipelines]
    return _with_objects(frame, "recent_runs", marks, before="schedules")


def schedules(seen: Seen, viewer: Viewer) -> pd.DataFrame:
    """Schedules, the newest first: when they fire next, and what became of the last fire."""
    rows = []
    for one in seen.schedules:
        coming = next_fire(one, viewer.now)
        last = seen.recent.fires.get(one.id)
        rows.append({
            "name": one.name,
            "status": one.status.value,
            "trigger": one.trigger.in_words(),
            "next_fire": coming.at if coming else None,
            "next_fire_in_zone": moment(coming.at, getattr(one.trigger, "time_zone", "")) if coming else None,
            "last_fire": last.decided if last else None,
            "outcome": outcome_of(last) if last else None,
            "why": last.detail or None if last else None,
            "pipeline": target(one, seen.names),
            "experiment": one.experiment_name,
            "host": one.host.value,
            "description": one.description or None,
            "id": one.id,
        })  # fmt: skip
    return _frame(_SCHEDULES, rows, viewer)


def outcome_of(fire: LastFire) -> str:
    """The status of the run that it started, or ``Missed``, ``Refused``."""
    if fire.outcome is Outcome.SUBMITTED:
        return fire.run_status.value if fire.run_status else "Submitted"
    return fire.outcome.value.capitalize()


def runs(seen: Seen, viewer: Viewer) -> pd.DataFrame:
    """Runs, the newest first. The seconds of one that has not ended are those so far."""
    rows = [
        {
            "status": one.status.value,
            "pipeline": seen.names.get(one.pipeline_id, one.pipeline_id),
            "schedule": seen.names.get(one.schedule_id, one.schedule_id) if one.schedule_id else None,
            "data_path": pairs_text(one.data_paths) or None,
            "experiment": one.experiment_name,
            "parameters": pairs_text(one.parameters) or None,
            "created": one.created,
            "started": one.started,
            "ended": one.ended,
            "seconds": _seconds(one, viewer.now),
            "detail": one.status_detail or None,
            "id": one.id,
        }
        for one in seen.runs
    ]
    lines = [_line_of(one, seen.recent.steps.get(one.id, ()), viewer.now) for one in seen.runs]
    return _with_objects(_frame(_RUNS, rows, viewer), "steps", lines, before="detail")


def datastores(seen: Seen, viewer: Viewer) -> pd.DataFrame:
    """Datastores, by name: where they are, who watches them, and what keeps them from being looked at."""
    watchers = _watchers(seen.schedules)
    troubles = seen.glance.health.poll_errors if seen.glance else ()
    rows = [
        {
            "name": one.name,
            "type": one.type,
            "place": place_of(one),
            "default": "default" if one.is_default else None,
            "watched_by": ", ".join(watchers.get(one.name, ())) or None,
            "trouble": "; ".join(_troubles_of(one, troubles)) or None,
        }
        for one in seen.datastores
    ]
    return _frame(_DATASTORES, rows, viewer)


def overview(seen: Seen, viewer: Viewer) -> pd.DataFrame:
    """One row for each kind of thing: how many there are, how they do, the last and the next of them."""
    rows = [_of_schedules(seen, viewer), _of_pipelines(seen), _of_runs(seen, viewer), _of_datastores(seen)]
    return _frame(_OVERVIEW, rows, viewer)


def _of_schedules(seen: Seen, viewer: Viewer) -> Mapping[str, object]:
    coming = [(fire.at, one.name) for one in seen.schedules if (fire := next_fire(one, viewer.now))]
    bad = sum(outcome_of(fire) in ("Failed", "Missed", "Refused") for fire in seen.recent.fires.values())
    at, name = min(coming, default=(None, ""))
    said = [f"the last fire of {bad:,} went wrong" if bad else "", f"next is {name}" if at else ""]
    last = max((fire.decided for fire in seen.recent.fires.values()), default=None)
    return _row("schedules", _in_use(seen.schedules), said, last, at)


def _of_pipelines(seen: Seen) -> Mapping[str, object]:
    newest = [past[0] for past in seen.recent.runs.values() if past]
    bad = sum(run.status is RunStatus.FAILED for run in newest)
    said = [f"the last run of {bad:,} failed" if bad else ""]
    return _row("pipelines", _in_use(seen.pipelines), said, max((run.created for run in newest), default=None))


def _of_runs(seen: Seen, viewer: Viewer) -> Mapping[str, object]:
    since = viewer.now - _DAY
    counts = {
        "failed in 24 hours": sum(run.status is RunStatus.FAILED and _after(run, since) for run in seen.runs),
        "running": sum(run.status is RunStatus.RUNNING for run in seen.runs),
        "waiting": sum(run.status is RunStatus.NOT_STARTED for run in seen.runs),
        "finished in 24 hours": sum(run.status is RunStatus.FINISHED and _after(run, since) for run in seen.runs),
    }
    said = [f"{number:,} {what}" for what, number in counts.items() if number]
    return _row(
        "runs",
        f"the newest {len(seen.runs):,}" if seen.runs else "none",
        said,
        max(filter(None, (run.created for run in seen.runs)), default=None),
    )


def _of_datastores(seen: Seen) -> Mapping[str, object]:
    watched = len(_watchers(seen.schedules).keys() & {one.name for one in seen.datastores})
    health = seen.glance.health if seen.glance else None
    trouble = "; ".join(health.poll_errors) if health else ""
    said = [f"{watched:,} watched" if watched else "", trouble and f"cannot be looked at: {trouble}"]
    return _row("datastores", f"{len(seen.datastores):,}", said, health.last_look if health else None)


def _row(
    what: str, there: str, said: Iterable[str], last: datetime | None, coming: datetime | None = None
) -> Mapping[str, object]:
    return {"what": what, "there": there, "now": "; ".join(filter(None, said)) or None, "last": last, "next": coming}


def _in_use(found: Sequence[Any]) -> str:
    active = sum(one.status is Status.ACTIVE for one in found)
    return f"{active:,} active" + (f", {len(found) - active:,} disabled" if active < len(found) else "")


def _after(run: Run, since: datetime) -> bool:
    return run.ended is not None and run.ended >= since


def _watchers(found: Iterable[Schedule]) -> dict[str, list[str]]:
    """The names of the active change schedules by datastore."""
    watchers: dict[str, list[str]] = {}
    for one in found:
        if isinstance(one.trigger, DatastoreChange) and one.status is Status.ACTIVE:
            watchers.setdefault(one.trigger.datastore, []).append(one.name)
    return watchers


def _troubles_of(datastore: Datastore, errors: Iterable[str]) -> list[str]:
    """Of ``datastore/path: reason`` those that are about this one."""
    return [error for error in errors if error.startswith((f"{datastore.name}/", f"{datastore.name}:"))]


def _marks(past: Sequence[PastRun]) -> tuple[float | None, ...]:
    return tuple(map(_mark, reversed(past)))


def _mark(run: PastRun) -> float | None:
    seconds = max(run.seconds or 0.0, 0.001)  # zero has no sign
    return {RunStatus.FINISHED: seconds, RunStatus.FAILED: -seconds}.get(run.status)


def _seconds(run: Run, now: datetime) -> float | None:
    if run.started is None:
        return None
    return max(0.0, ((run.ended or now) - run.started).total_seconds())


def _line_of(run: Run, steps: Sequence[Step], now: datetime) -> tuple[tuple[str, str, float, float], ...] | None:
    if run.started is None or not steps:
        return None
    whole = max(((run.ended or now) - run.started).total_seconds(), 0.001)
    line = []
    for step in steps:
        start = ((step.started or run.ended or now) - run.started).total_seconds() / whole
        end = ((step.ended or run.ended or now) - run.started).total_seconds() / whole
        start = min(max(start, 0.0), 1.0)
        line.append((step.name, step.status.value, round(start, 3), round(min(max(end, start), 1.0) - start, 3)))
    return tuple(line)


def _frame(columns: Columns, rows: Sequence[Mapping[str, object]], viewer: Viewer) -> pd.DataFrame:
    return pd.DataFrame(build(columns, rows, zone=viewer.zone))


def _with_objects(frame: pd.DataFrame, name: str, values: Sequence[object], *, before: str) -> pd.DataFrame:
    """With a column of tuples, which no dtype of pandas holds."""
    column: pd.Series[Any] = pd.Series(list(values), dtype=object, index=frame.index)
    frame.insert(list(frame.columns).index(before), name, column)
    return frame
