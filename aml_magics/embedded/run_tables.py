"""Runs and their steps in the workspace's database.

A run is *claimed* by the kernel that executes it: ``owner`` is that kernel's name among those on the file. A run that
is NotStarted and has no owner can be claimed by anybody; every later change is made ``WHERE owner = ?``, so a kernel
that was given up for dead and comes back changes nothing. Times are POSIX seconds; mappings are JSON.

Functions that take a connection are called inside a transaction of the caller; those that take the ``Database`` read.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aml_magics.embedded.run_schema import COMPONENT, MIGRATIONS
from aml_magics.model.errors import NotFound
from aml_magics.model.resources import DataPath, Run, RunStatus, Step, StepStatus

if TYPE_CHECKING:
    from aml_magics.engine.database import Database

__all__ = [
    "COMPONENT",
    "MIGRATIONS",
    "RunRecord",
    "claim_next",
    "end_run",
    "find_runs",
    "get_record",
    "get_run",
    "insert_run",
    "last_run_of_schedule",
    "refuse",
    "release",
    "request_cancel",
    "runs_to_cancel",
    "runs_waiting",
    "set_notes",
    "steps_of",
    "steps_of_newest",
    "take_over",
    "update_step",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run with what the tables know besides."""

    run: Run
    tags: Mapping[str, str]
    properties: Mapping[str, str]
    parent_run_id: str | None
    owner: str | None
    cancel_requested: bool


def insert_run(
    connection: sqlite3.Connection,
    run: Run,
    steps: Iterable[tuple[str, str]],
    *,
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
    parent_run_id: str | None = None,
) -> bool:
    """Add a run (``created`` must be set) with its steps, as (node id, name) in the order they were written.

    False when a run with that id is there already: nothing is changed then.
    """
    if run.created is None:
        raise ValueError(f"run {run.id} has no creation time")
    created = run.created.timestamp()
    paths = {name: [place.datastore, place.path] for name, place in run.data_paths.items()}
    cursor = connection.execute(
        "INSERT OR IGNORE INTO runs (id, experiment, pipeline_id, schedule_id, status, detail, description, source,"
        " parameters, data_paths, continue_on_step_failure, tags, properties, parent_run_id, created, started, ended)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.id,
            run.experiment_name,
            run.pipeline_id,
            run.schedule_id,
            run.status,
            run.status_detail,
            run.description,
            run.source,
            json.dumps(dict(run.parameters)),
            json.dumps(paths),
            run.continue_on_step_failure,
            json.dumps(dict(tags or {})),
            json.dumps(dict(properties or {})),
            parent_run_id,
            created,
            _seconds(run.started),
            _seconds(run.ended),
        ),
    )
    if cursor.rowcount == 0:
        return False
    connection.executemany(
        "INSERT INTO steps (run_id, id, name, position, status, detail, created) VALUES (?, ?, ?, ?, ?, '', ?)",
        [
            (run.id, node, name, position, StepStatus.NOT_STARTED, created)
            for position, (node, name) in enumerate(steps)
        ],
    )
    return True


def get_run(database: Database, run_id: str) -> Run | None:
    """The run, or ``None``."""
    row = database.row("SELECT * FROM runs WHERE id = ?", (run_id,))
    return None if row is None else _run(row)


def get_record(database: Database, run_id: str) -> RunRecord | None:
    """As ``get_run``, with tags, properties, parent and owner."""
    row = database.row("SELECT * FROM runs WHERE id = ?", (run_id,))
    if row is None:
        return None
    return RunRecord(
        run=_run(row),
        tags=json.loads(row["tags"]),
        properties=json.loads(row["properties"]),
        parent_run_id=row["parent_run_id"],
        owner=row["owner"],
        cancel_requested=bool(row["cancel_requested"]),
    )


def find_runs(
    database: Database,
    *,
    pipeline_id: str | None = None,
    schedule_id: str | None = None,
    experiment_name: str | None = None,
    parent_run_id: str | None = None,
    limit: int | None = None,
) -> list[Run]:
    """The runs that match everything given, newest first, at most ``limit``."""
    wanted = {
        "pipeline_id": pipeline_id,
        "schedule_id": schedule_id,
        "experiment": experiment_name,
        "parent_run_id": parent_run_id,
    }
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in given) or "1"
    rows = database.rows(
        f"SELECT * FROM runs WHERE {where} ORDER BY created DESC, rowid DESC LIMIT ?",
        (*given.values(), -1 if limit is None else limit),
    )
    return [_run(row) for row in rows]


def last_run_of_schedule(database: Database, schedule_id: str) -> Run | None:
    """The newest run that the schedule started, or ``None``."""
    return next(iter(find_runs(database, schedule_id=schedule_id, limit=1)), None)


def steps_of(database: Database, run_id: str) -> list[Step]:
    """The steps of a run in the order they were written; empty for an unknown run."""
    return [_step(row) for row in database.rows("SELECT * FROM steps WHERE run_id = ? ORDER BY position", (run_id,))]


def steps_of_newest(database: Database, runs: int) -> list[Step]:
    """The steps of the newest ``runs`` of all, each run's in the order they were written."""
    newest = "SELECT id FROM runs ORDER BY created DESC, rowid DESC LIMIT ?"
    return [
        _step(row)
        for row in database.rows(f"SELECT * FROM steps WHERE run_id IN ({newest}) ORDER BY run_id, position", (runs,))
    ]


def set_notes(
    connection: sqlite3.Connection, run_id: str, tags: Mapping[str, str], properties: Mapping[str, str]
) -> None:
    """Replace what callers have noted about a run."""
    notes = (json.dumps(dict(tags)), json.dumps(dict(properties)))
    connection.execute("UPDATE runs SET tags = ?, properties = ? WHERE id = ?", (*notes, run_id))


def runs_waiting(database: Database) -> bool:
    """Whether there is a run that anybody may claim; cheap enough to ask every second."""
    query = "SELECT 1 FROM runs WHERE status = 'NotStarted' AND owner IS NULL LIMIT 1"
    return database.row(query) is not None


def claim_next(connection: sqlite3.Connection, owner: str, now: float) -> str | None:
    """Make the oldest run that waits Running under this owner; its id, or ``None`` when there is none."""
    rows = connection.execute(
        "UPDATE runs SET owner = ?, status = 'Running', started = ? WHERE id = ("
        "SELECT id FROM runs WHERE status = 'NotStarted' AND owner IS NULL ORDER BY created, rowid LIMIT 1"
        ") RETURNING id",
        (owner, now),
    ).fetchall()
    return str(rows[0]["id"]) if rows else None


def update_step(
    connection: sqlite3.Connection,
    owner: str,
    step: Step,
    *,
    now: float,
) -> bool:
    """Write the status, detail and exit code of a step; start and end are stamped with ``now`` when they are reached.

    False, and nothing is written, when the run is not this owner's any more.
    """
    cursor = connection.execute(
        "UPDATE steps SET status = :status, detail = :detail, exit_code = :exit_code,"
        " started = CASE WHEN :is_running THEN :now ELSE started END,"
        " ended = CASE WHEN :is_final THEN :now ELSE NULL END"
        " WHERE run_id = :run_id AND id = :id AND EXISTS"
        " (SELECT 1 FROM runs WHERE id = :run_id AND owner = :owner AND status = 'Running')",
        {
            "status": step.status,
            "detail": step.detail,
            "exit_code": step.exit_code,
            "is_running": step.status is StepStatus.RUNNING,
            "is_final": step.status.is_final,
            "now": now,
            "run_id": step.run_id,
            "id": step.id,
            "owner": owner,
        },
    )
    return cursor.rowcount == 1


def end_run(
    connection: sqlite3.Connection, owner: str, run_id: str, status: RunStatus, detail: str, *, now: float
) -> bool:
    """End a run that is this owner's; False when it is not any more."""
    cursor = connection.execute(
        "UPDATE runs SET status = ?, detail = ?, ended = ?, owner = NULL"
        " WHERE id = ? AND owner = ? AND status = 'Running'",
        (status, detail, now, run_id, owner),
    )
    return cursor.rowcount == 1


def refuse(connection: sqlite3.Connection, owner: str, run_id: str, detail: str, *, now: float) -> None:
    """End a claimed run that cannot be run at all."""
    if end_run(connection, owner, run_id, RunStatus.FAILED, detail, now=now):
        _end_unfinished(connection, run_id, StepStatus.BYPASSED, "", now)


def request_cancel(connection: sqlite3.Connection, run_id: str, now: float) -> list[str]:
    """Ask for the end of a run; the names of its steps that run now. Nothing happens to a run that has ended.

    A run that nobody has claimed is Canceled at once; another one by its owner, soon. Raises ``NotFound``.
    """
    row = connection.execute("SELECT status, owner FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no run {run_id!r}")
    if RunStatus(row["status"]).is_final:
        return []
    connection.execute("UPDATE runs SET cancel_requested = 1 WHERE id = ?", (run_id,))
    if row["owner"] is None:
        _end_unfinished(connection, run_id, StepStatus.CANCELED, "", now)
        connection.execute("UPDATE runs SET status = 'Canceled', ended = ? WHERE id = ?", (now, run_id))
        return []
    return _running_steps(connection, run_id)


def runs_to_cancel(database: Database, owner: str) -> list[str]:
    """The runs of this owner whose end was asked for."""
    query = "SELECT id FROM runs WHERE owner = ? AND cancel_requested = 1 AND status = 'Running'"
    return [str(row["id"]) for row in database.rows(query, (owner,))]


def release(connection: sqlite3.Connection, owner: str, run_id: str) -> None:
    """Give back a run none of whose steps has started: anybody may claim it again."""
    connection.execute("UPDATE steps SET status = 'NotStarted' WHERE run_id = ? AND status = 'Queued'", (run_id,))
    connection.execute(
        "UPDATE runs SET status = 'NotStarted', owner = NULL, started = NULL WHERE id = ? AND owner = ?",
        (run_id, owner),
    )


def take_over(connection: sqlite3.Connection, owner: str, reason: str, now: float) -> list[tuple[str, str]]:
    """End what an owner that is gone was running, and give back what it had not started; doing it twice is harmless.

    A run with a step that has started is Failed with the reason (Canceled when its end was asked for). Returns (run id,
    step name) of the steps that were running.
    """
    running = []
    rows = connection.execute("SELECT id, cancel_requested FROM runs WHERE owner = ?", (owner,)).fetchall()
    for run_id, cancel_requested in rows:
        begun = "SELECT 1 FROM steps WHERE run_id = ? AND status NOT IN ('NotStarted', 'Queued') LIMIT 1"
        if not cancel_requested and connection.execute(begun, (run_id,)).fetchone() is None:
            release(connection, owner, run_id)
            continue
        running += [(str(run_id), name) for name in _running_steps(connection, run_id)]
        broken, left, status, detail = (
            (StepStatus.CANCELED, StepStatus.CANCELED, RunStatus.CANCELED, "")
            if cancel_requested
            else (StepStatus.FAILED, StepStatus.BYPASSED, RunStatus.FAILED, reason)
        )
        connection.execute(
            "UPDATE steps SET status = ?, detail = ?, ended = ? WHERE run_id = ? AND status = 'Running'",
            (broken, reason, now, run_id),
        )
        _end_unfinished(connection, run_id, left, "", now)
        end_run(connection, owner, run_id, status, detail, now=now)
    return running


def _end_unfinished(connection: sqlite3.Connection, run_id: str, status: StepStatus, detail: str, now: float) -> None:
    connection.execute(
        "UPDATE steps SET status = ?, detail = ?, ended = ? WHERE run_id = ? AND status IN ('NotStarted', 'Queued')",
        (status, detail, now, run_id),
    )


def _running_steps(connection: sqlite3.Connection, run_id: str) -> list[str]:
    rows = connection.execute("SELECT name FROM steps WHERE run_id = ? AND status = 'Running'", (run_id,))
    return [str(row["name"]) for row in rows]


def _run(row: sqlite3.Row) -> Run:
    return Run(
        id=row["id"],
        experiment_name=row["experiment"],
        pipeline_id=row["pipeline_id"],
        status=RunStatus(row["status"]),
        status_detail=row["detail"],
        schedule_id=row["schedule_id"],
        description=row["description"],
        source=row["source"],
        parameters=json.loads(row["parameters"]),
        data_paths={name: DataPath(*place) for name, place in json.loads(row["data_paths"]).items()},
        continue_on_step_failure=bool(row["continue_on_step_failure"]),
        created=_moment(row["created"]),
        started=_moment(row["started"]),
        ended=_moment(row["ended"]),
    )


def _step(row: sqlite3.Row) -> Step:
    return Step(
        id=row["id"],
        run_id=row["run_id"],
        name=row["name"],
        status=StepStatus(row["status"]),
        detail=row["detail"],
        exit_code=row["exit_code"],
        started=_moment(row["started"]),
        ended=_moment(row["ended"]),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
