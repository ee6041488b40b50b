"""Reading back what was written: the history of a schedule."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aml_magics.engine.database import Database
from aml_magics.model.history import History
from aml_magics.model.resources import Fire, Outcome, Poll

__all__ = ["read_history"]

# The newest of each outcome are found by the index (schedule_id, outcome), however many there are.
_NEWEST_OF_EACH = " UNION ALL ".join(
    f"SELECT * FROM (SELECT id FROM fires WHERE schedule_id = :schedule AND outcome = '{outcome}'"
    " ORDER BY id DESC LIMIT :limit)"
    for outcome in Outcome
)
_NEWEST_FIRES = f"SELECT * FROM fires WHERE id IN ({_NEWEST_OF_EACH}) ORDER BY id DESC LIMIT :limit"

_SEEN = (
    "SELECT count(*) AS looks, total(added) AS added, total(modified) AS modified, total(removed) AS removed,"
    " total(error <> '') AS failed,"
    " total(CASE WHEN matched IS NULL THEN added + modified WHEN matched <> '' THEN json_extract(matched, ?) END)"
    " AS matched"
)


def read_history(database: Database, schedule_id: str, limit: int, *, active: bool, next_due: float | None) -> History:
    """The newest ``limit`` fires and polls of a schedule, and the counts of all of them."""
    fires = database.rows(_NEWEST_FIRES, {"schedule": schedule_id, "limit": limit})
    tally = "SELECT outcome, count(*) FROM fires WHERE schedule_id = ? GROUP BY outcome"
    counts = {outcome: count for outcome, count in database.rows(tally, (schedule_id,))}  # noqa: C416 - rows are no pairs
    history = History(
        schedule_id=schedule_id,
        active=active,
        fires=tuple(map(_fire, fires)),
        submitted=counts.get(Outcome.SUBMITTED.value, 0),
        missed=counts.get(Outcome.MISSED.value, 0),
        refused=counts.get(Outcome.REFUSED.value, 0),
        next_due=None if next_due is None else _instant(next_due),
    )
    cursor = database.row("SELECT at, paused, location FROM cursors WHERE schedule_id = ?", (schedule_id,))
    if cursor is None or cursor["location"] is None:
        return history
    return _with_polls(database, history, cursor, limit)


def _with_polls(database: Database, history: History, cursor: sqlite3.Row, limit: int) -> History:
    since, location = cursor["at"], cursor["location"]
    until = float("inf") if cursor["paused"] is None else cursor["paused"]
    kept = "FROM polls WHERE location = ? AND at BETWEEN ? AND ?"
    span = (location, since, until)
    polls = database.rows(f"SELECT * {kept} ORDER BY at DESC LIMIT ?", (*span, limit))
    seen = database.rows(f"{_SEEN} {kept}", (_in_json(history.schedule_id), *span))[0]
    pending = "SELECT name, turn FROM pending WHERE location = ? AND schedule_id = ? ORDER BY name"
    waiting = database.rows(pending, (location, history.schedule_id))
    return replace(
        history,
        since=_instant(since),
        polls=tuple(_poll(row, history.schedule_id) for row in polls),
        looks=seen["looks"],
        added=int(seen["added"]),
        modified=int(seen["modified"]),
        removed=int(seen["removed"]),
        matched=int(seen["matched"]),
        failed=int(seen["failed"]),
        waiting=tuple(row["name"] for row in waiting if not row["turn"]),
        carried=sum(bool(row["turn"]) for row in waiting),
    )


def _fire(row: sqlite3.Row) -> Fire:
    return Fire(
        key=row["key"],
        schedule_id=row["schedule_id"],
        reason=row["reason"],
        decided=_instant(row["decided"]),
        due=None if row["due"] is None else _instant(row["due"]),
        objects=tuple(json.loads(row["objects"])),
        outcome=Outcome(row["outcome"]),
        run_id=row["run_id"],
        detail=row["detail"],
    )


def _in_json(schedule_id: str) -> str:
    """Where the matches of a schedule are in a poll's ``matched``."""
    return f"$.{json.dumps(schedule_id)}"


def _poll(row: sqlite3.Row, schedule_id: str) -> Poll:
    every = row["added"] + row["modified"]
    return Poll(
        at=_instant(row["at"]),
        took=timedelta(seconds=row["took"]),
        lateness=timedelta(seconds=row["lateness"]),
        objects=row["objects"],
        added=row["added"],
        modified=row["modified"],
        removed=row["removed"],
        matched=every if row["matched"] is None else json.loads(row["matched"] or "{}").get(schedule_id, 0),
        fired=row["fired"],
        error=row["error"],
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
