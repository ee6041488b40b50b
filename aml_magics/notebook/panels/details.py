"""What an opened row says: here, and only here, a question about a single thing is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aml_magics.client.finding import started_by
from aml_magics.model.resources import Status
from aml_magics.model.triggers import DatastoreChange
from aml_magics.notebook.datastore_tables import facts_of
from aml_magics.notebook.panels.columns import duration
from aml_magics.notebook.present import moment
from aml_magics.notebook.tables import pairs_text, seconds_between
from aml_magics.notebook.widgets.cells import Cell, Column, Detail, DetailTable

if TYPE_CHECKING:
    from datetime import datetime

    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.model.history import History
    from aml_magics.model.resources import Pipeline, Run, Schedule, Step
    from aml_magics.notebook.panels.frames import Viewer

__all__ = ["Opened", "open_datastore", "open_pipeline", "open_run", "open_schedule", "steps_table"]

_LAST = 10
_HISTORY = 20
_COMING = 5
_STATUS = Column("status", kind="status")


@dataclass(frozen=True)
class Opened:
    """``detail`` to show, and the run whose log follows it, if any."""

    detail: Detail
    run: Run | None = None


async def open_pipeline(client: WorkspaceClient, viewer: Viewer, pipeline_id: str) -> Opened:
    """A pipeline: its endpoint, parameters, schedules and runs, with the steps and the log of the newest one."""
    found = await client.pipeline(pipeline_id)
    runs = (await client.runs_of_pipeline(pipeline_id, limit=_LAST))[:_LAST]
    listed = await client.listed_schedules()
    schedules = [(one.name, one.status) for one, started in await started_by(client, listed) if started == pipeline_id]
    steps = await client.steps(runs[0]) if runs else []
    tables = [
        _parameters_table(found),
        DetailTable("Schedules", ("Name", "Status"), [(name, _status(status)) for name, status in schedules]),
        _runs_table(runs, viewer),
        steps_table(steps, viewer),
    ]
    fields = [
        ("id", found.id),
        ("endpoint", found.endpoint),
        ("description", found.description),
        ("version", found.version),
        ("steps", ", ".join(found.steps)),
        ("on a failed step", "go on" if found.continue_on_step_failure else "stop"),
        ("created", _instant(found.created, viewer)),
    ]
    newest = runs[0] if runs else None
    return Opened(_detail(f"Pipeline {found.name}", pipeline_id, fields, tables, log="" if newest else None), newest)


async def open_schedule(client: WorkspaceClient, viewer: Viewer, schedule_id: str) -> Opened:
    """A schedule: what comes, what came, and why not."""
    found = await client.schedule(schedule_id)
    runs = (await client.runs_of_schedule(schedule_id, limit=_LAST))[:_LAST]
    history = await client.history(schedule_id, limit=_HISTORY) if client.is_embedded else None
    told = history.in_words(viewer.zone) if history else "the service does not tell; these are the runs that it started"
    fields = [
        ("id", found.id),
        ("trigger", found.trigger.in_words()),
        ("history", told),
        ("description", found.description),
        ("experiment", found.experiment_name),
        ("parameters", pairs_text({**found.pipeline_parameters, **found.data_paths})),
        ("created", _instant(found.created, viewer)),
    ]
    tables = [_coming_table(found, viewer), *_history_tables(history, viewer), _runs_table(runs, viewer)]
    return Opened(_detail(f"Schedule {found.name}", schedule_id, fields, tables))


async def open_run(client: WorkspaceClient, viewer: Viewer, run_id: str) -> Opened:
    """A run: its steps, and what they write."""
    run = await client.run(run_id)
    took = seconds_between(run.started, run.ended)
    fields = [
        ("id", run.id),
        ("status", run.status.value),
        ("detail", run.status_detail),
        ("experiment", run.experiment_name),
        ("source", run.source),
        ("parameters", pairs_text(run.parameters)),
        ("data paths", pairs_text(run.data_paths)),
        ("created", _instant(run.created, viewer)),
        ("took", "" if took is None else duration(took)),
    ]
    tables = [steps_table(await client.steps(run), viewer)]
    return Opened(_detail(f"Run {run.id[:8]}: {run.status.value}", run_id, fields, tables, log=""), run)


async def open_datastore(client: WorkspaceClient, _viewer: Viewer, name: str) -> Opened:
    """A datastore: where it is, and the schedules that watch it."""
    found = await client.datastore(name)
    watching = [
        (one.name, trigger.in_words(), _status(one.status))
        for one in await client.schedules(active_only=False)
        if isinstance(trigger := one.trigger, DatastoreChange) and trigger.datastore == name
    ]
    fields = [*facts_of(found), ("default", "yes" if found.is_default else "")]
    table = DetailTable("Watched by", ("Schedule", "Trigger", "Status"), watching)
    return Opened(_detail(f"Datastore {found.name}", name, fields, [table]))


def steps_table(steps: Sequence[Step], viewer: Viewer) -> DetailTable:
    """The steps of a run as they stand."""
    rows = [
        (
            step.name,
            _status(step.status),
            _instant(step.started, viewer),
            _took(step.started, step.ended),
            "" if step.exit_code is None else str(step.exit_code),
            step.detail,
        )
        for step in steps
    ]
    return DetailTable("Steps", ("Name", "Status", "Started", "Took", "Exit code", "Detail"), rows)


def _detail(
    title: str, key: str, fields: Iterable[tuple[str, str]], tables: Iterable[DetailTable], log: str | None = None
) -> Detail:
    """With what has something to say, ids and addresses to copy."""
    return Detail(
        title=title,
        fields=[(name, text) for name, text in fields if text],
        tables=[table for table in tables if table.rows],
        log=log,
        copy=("id", "endpoint"),
        key=key,
    )


def _parameters_table(pipeline: Pipeline) -> DetailTable:
    rows = [(one.name, type(one.default).__name__, str(one.default)) for one in pipeline.parameters]
    rows += [(one.name, "data path", str(one.default or "")) for one in pipeline.data_paths]
    return DetailTable("Parameters", ("Name", "Type", "Default"), rows)


def _runs_table(runs: Sequence[Run], viewer: Viewer) -> DetailTable:
    rows = [
        (
            _status(run.status),
            _instant(run.created, viewer),
            _took(run.started, run.ended),
            pairs_text({**run.parameters, **run.data_paths}),
            run.status_detail,
            run.id,
        )
        for run in runs
    ]
    return DetailTable("Last runs", ("Status", "Created", "Took", "Parameters", "Detail", "Id"), rows)


def _coming_table(schedule: Schedule, viewer: Viewer) -> DetailTable:
    trigger = schedule.trigger
    coming = []
    if schedule.status is Status.ACTIVE and not isinstance(trigger, DatastoreChange):
        coming = trigger.next_fires(viewer.now, _COMING, created=schedule.created or viewer.now)
    rows = [(_instant(one.at, viewer), moment(one.at, getattr(trigger, "time_zone", "")), one.note) for one in coming]
    return DetailTable("Next fires", ("Here", "In its zone", "Note"), rows)


def _history_tables(history: History | None, viewer: Viewer) -> list[DetailTable]:
    if history is None:
        return []
    fires = [
        (_instant(one.decided, viewer), one.reason, ", ".join(one.objects), one.outcome.value, one.detail)
        for one in history.fires
    ]
    polls = [
        (
            _instant(one.at, viewer),
            f"{one.objects:,}",
            f"{one.added} added, {one.modified} modified, {one.removed} removed",
            str(one.matched),
            str(one.fired),
            f"{one.lateness.total_seconds():.2f} s",
            one.error,
        )
        for one in history.polls
    ]
    return [
        DetailTable("Fires", ("Decided", "Reason", "Objects", "Outcome", "Detail"), fires),
        DetailTable("Polls", ("At", "Objects", "Changes", "Matched", "Fired", "Late", "Error"), polls),
    ]


def _status(status: str) -> Cell:
    return _STATUS.cell(str(status))


def _instant(at: datetime | None, viewer: Viewer) -> str:
    return moment(at.astimezone(viewer.zone)) if at else ""


def _took(started: datetime | None, ended: datetime | None) -> str:
    seconds = seconds_between(started, ended)
    return "" if seconds is None else duration(seconds)
