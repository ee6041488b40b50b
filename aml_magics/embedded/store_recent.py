"""What happened last to every schedule, every pipeline and the newest runs: one question for a whole table.

Each query goes along an index and touches only what it answers with, however long the history is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from aml_magics.embedded import run_tables
from aml_magics.model.glance import LastFire, PastRun, Recent
from aml_magics.model.resources import Outcome, RunStatus

if TYPE_CHECKING:
    from aml_magics.engine.database import Database
    from aml_magics.model.resources import Step

__all__ = ["recent"]

_RUNS_OF_EACH = 20
# Of each outcome the newest is found by the index (schedule_id, outcome); the newest of these is the last one.
_NEWEST = ", ".join(
    f"(SELECT coalesce(max(id), 0) FROM fires WHERE schedule_id = s.id AND outcome = '{outcome}')"
    for outcome in Outcome
)
_LAST_FIRES = (
    "SELECT f.*, r.status AS run_status"
    f" FROM schedules s JOIN fires f ON f.id = max({_NEWEST}) LEFT JOIN runs r ON r.id = f.run_id"
)
_PAST_RUNS = (
    "SELECT r.id, r.pipeline_id, r.status, r.created, r.started, r.ended FROM pipelines p JOIN runs r ON r.rowid IN"
    " (SELECT rowid FROM runs WHERE pipeline_id = p.id ORDER BY created DESC LIMIT ?)"
    " WHERE p.listed ORDER BY r.pipeline_id, r.created DESC, r.rowid DESC"
)


def recent(database: Database, *, runs: int = 0) -> Recent:
    """The last fire of each schedule, the last 20 runs of each published pipeline, the steps of the newest ``runs``."""
    return Recent(fires=_fires(database), runs=_runs(database), steps=_steps(database, runs))


def _fires(database: Database) -> dict[str, LastFire]:
    return {
        row["schedule_id"]: LastFire(
            decided=_instant(row["decided"]),
            reason=row["reason"],
            outcome=Outcome(row["outcome"]),
            detail=row["detail"],
            run_id=row["run_id"],
            run_status=None if row["run_status"] is None else RunStatus(row["run_status"]),
        )
        for row in database.rows(_LAST_FIRES)
    }


def _runs(database: Database) -> dict[str, tuple[PastRun, ...]]:
    rows = database.rows(_PAST_RUNS, (_RUNS_OF_EACH,))
    return {
        pipeline: tuple(
            PastRun(
                id=row["id"],
                status=RunStatus(row["status"]),
                created=_instant(row["created"]),
                seconds=_between(row["started"], row["ended"]),
            )
            for row in own
        )
        for pipeline, own in groupby(rows, key=itemgetter("pipeline_id"))
    }


def _steps(database: Database, runs: int) -> dict[str, tuple[Step, ...]]:
    return _by_run(run_tables.steps_of_newest(database, runs)) if runs else {}


def _by_run(steps: Iterable[Step]) -> dict[str, tuple[Step, ...]]:
    found: dict[str, tuple[Step, ...]] = {}
    for step in steps:
        found[step.run_id] = (*found.get(step.run_id, ()), step)
    return found


def _between(started: float | None, ended: float | None) -> float | None:
    return None if started is None or ended is None else ended - started


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
