"""Fires and cursors in the database: what was decided, once.

A fire, its run and the cursor that moves past it are one transaction. Two things keep two kernels from firing twice:
the cursor, read inside the transaction, tells the slower one that it was decided already; and the fire's key is
unique.

Ten thousand at one instant would hold up the loop for as long as it takes to write them. They are a *burst*: that they
are decided, as of now, is one short transaction; what is decided is written out in turns after that, by the next start
if need be.

A host that refuses a run may have written half of it. The first attempt goes without savepoints, which would triple
its cost; when a host raises, the whole transaction is done again with one for each fire, and only the refused ones
are undone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from aml_magics.engine.backlog import Decision
from aml_magics.engine.database import Database
from aml_magics.engine.host import Host, Watch
from aml_magics.model.errors import AmlError
from aml_magics.model.resources import Fire, Outcome

__all__ = ["Burst", "Claims", "Cursor", "Ledger", "SubmitFailed"]

T = TypeVar("T")


class SubmitFailed(Exception):
    """A host raised in a transaction without savepoints: do it again with them. Never leaves the engine."""


class Burst(NamedTuple):
    """Some of the schedules that fell due together: everything until ``at``, first seen at ``seen``, is decided."""

    id: int
    at: float
    seen: float
    schedules: list[str]


class Cursor(NamedTuple):
    """How far a schedule has got, and whether it has not been active since."""

    at: float
    paused: bool


@dataclass(slots=True)
class Claims:
    """What became of fires: runs made, schedules that are not active any more, cursors of those decided elsewhere."""

    run_ids: list[str] = field(default_factory=list)
    inactive: set[str] = field(default_factory=set)
    overtaken: dict[str, float] = field(default_factory=dict)
    kept: int = 0


class Ledger:
    """``report(name, error)`` gets what a host raised that is not an AmlError; its fire is refused like any other."""

    def __init__(self, database: Database, host: Host, report: Callable[[str, Exception], None]) -> None:
        self._database = database
        self._host = host
        self._report = report

    def cursors(self) -> dict[str, Cursor]:
        rows = self._database.rows("SELECT schedule_id, at, paused IS NOT NULL FROM cursors WHERE location IS NULL")
        return {schedule_id: Cursor(at, bool(paused)) for schedule_id, at, paused in rows}

    def move(self, cursors: Mapping[str, float]) -> None:
        """Say that these schedules are active and decided up to here, whatever was before."""
        with self._database.transaction() as db:
            db.executemany(
                "INSERT INTO cursors (schedule_id, at) VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET at = excluded.at, paused = NULL",
                cursors.items(),
            )

    def look_for(self, places: Iterable[tuple[str, int, float]], now: float) -> None:
        """Say that schedules (id, location, born) are active: since their birth, or since now if they were paused."""
        with self._database.transaction(durable=False) as db:
            db.executemany(
                "INSERT INTO cursors (schedule_id, location, at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
                " at = CASE WHEN paused IS NULL AND location = excluded.location THEN at ELSE ? END,"
                " location = excluded.location, paused = NULL",
                [(*place, now) for place in places],
            )

    def pause(self, active: Iterable[Watch], now: float) -> None:
        """Note which schedules are not active any more: all but these, unless the host says that they are after all."""
        known = {
            row["schedule_id"] for row in self._database.rows("SELECT schedule_id FROM cursors WHERE paused IS NULL")
        }
        if not known.difference(watch.id for watch in active):
            return
        with self._database.transaction() as db:
            gone = known - {watch.id for watch in self._host.watches()}
            db.executemany("UPDATE cursors SET paused = ? WHERE schedule_id = ?", [(now, each) for each in gone])

    def note(self, parts: Iterable[list[str]], at: float, seen: float) -> list[Burst]:
        """Decide that all these schedules have until ``at`` fires as of then; each part is to be one ``record``."""
        with self._database.transaction() as db:
            sql = "INSERT INTO bursts (at, seen, schedules) VALUES (?, ?, ?) RETURNING id"
            notes = [(db.execute(sql, (at, seen, json.dumps(part))).fetchone()[0], part) for part in parts]
        return [Burst(number, at, seen, part) for number, part in notes]

    def bursts(self) -> list[Burst]:
        """What was noted, by any kernel, and is not written out."""
        rows = self._database.rows("SELECT id, at, seen, schedules FROM bursts ORDER BY id")
        return [Burst(number, at, seen, json.loads(schedules)) for number, at, seen, schedules in rows]

    def record(self, decisions: Iterable[Decision], burst: Burst | None = None) -> Claims:
        """Write decisions and make their runs, in one transaction, but for what another kernel decided meanwhile.

        ``burst`` is what they write out.
        """
        made = list(decisions)
        return self.with_care(lambda careful: self._record(made, burst, careful))

    def with_care(self, attempt: Callable[[bool], T]) -> T:
        """``attempt(careful)`` is one transaction that claims fires: without savepoints, or with when a host raised."""
        try:
            return attempt(False)
        except SubmitFailed:
            return attempt(True)

    def claim(self, db: sqlite3.Connection, fires: Sequence[Fire], claims: Claims, *, careful: bool) -> None:
        """Write the fires that are not there yet and make their runs, inside the caller's transaction."""
        fresh = _insert(db, fires)
        claims.kept += len(fresh)
        for fire in fresh:
            if fire.outcome is not Outcome.SUBMITTED:
                continue
            run_id = self._submit(db, fire, careful=careful)
            if run_id is None:
                db.execute("DELETE FROM fires WHERE key = ?", (fire.key,))
                claims.kept -= 1
                claims.inactive.add(fire.schedule_id)
            elif run_id:
                claims.run_ids.append(run_id)
                if run_id != fire.key:
                    db.execute("UPDATE fires SET run_id = ? WHERE key = ?", (run_id, fire.key))

    def _record(self, decisions: Sequence[Decision], burst: Burst | None, careful: bool) -> Claims:
        claims = Claims()
        with self._database.transaction() as db:
            if burst is not None:
                db.execute("DELETE FROM bursts WHERE id = ?", (burst.id,))
            reached = self._reached(db, decisions)
            after = {decision.schedule_id: decision.after for decision in decisions}
            claims.overtaken = {schedule_id: at for schedule_id, at in reached.items() if at > after[schedule_id]}
            ours = [decision for decision in decisions if decision.schedule_id not in claims.overtaken]
            self.claim(db, [fire for decision in ours for fire in decision.fires], claims, careful=careful)
            db.executemany(
                "INSERT INTO cursors (schedule_id, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
                [(each.schedule_id, each.until) for each in ours],
            )
        return claims

    @staticmethod
    def _reached(db: sqlite3.Connection, decisions: Sequence[Decision]) -> dict[str, float]:
        """How far the schedules have really got."""
        if len(decisions) == 1:
            sql, value = "SELECT schedule_id, at FROM cursors WHERE schedule_id = ?", decisions[0].schedule_id
        else:
            sql = "SELECT schedule_id, at FROM cursors WHERE schedule_id IN (SELECT value FROM json_each(?))"
            value = json.dumps([decision.schedule_id for decision in decisions])
        return {schedule_id: at for schedule_id, at in db.execute(sql, (value,))}  # noqa: C416 - rows are no pairs

    def _submit(self, db: sqlite3.Connection, fire: Fire, *, careful: bool) -> str | None:
        """The run's id; ``None`` when the schedule is not active, "" when the fire was refused."""
        try:
            if not careful:
                return self._host.submit(db, fire)
            with _savepoint(db):
                return self._host.submit(db, fire)
        except Exception as error:
            if isinstance(error, sqlite3.OperationalError) and not _is_bad_sql(error):
                raise  # the disk is full, or the like: nothing is decided
            if not careful:
                raise SubmitFailed from error
            self._refuse(db, fire, error)
            return ""

    def _refuse(self, db: sqlite3.Connection, fire: Fire, error: Exception) -> None:
        detail = str(error) if isinstance(error, AmlError) else f"unexpected {type(error).__name__}: {error}"
        db.execute(
            "UPDATE fires SET outcome = ?, run_id = NULL, detail = ? WHERE key = ?",
            (Outcome.REFUSED.value, detail, fire.key),
        )
        if not isinstance(error, AmlError):
            self._report("submit", error)


def _insert(db: sqlite3.Connection, fires: Sequence[Fire]) -> Sequence[Fire]:
    """Insert fires; returns those that were not there yet."""
    inserted = db.executemany(
        "INSERT OR IGNORE INTO fires (key, schedule_id, reason, decided, due, objects, outcome, run_id, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        map(_row, fires),
    ).rowcount
    if inserted == len(fires):
        return fires
    rows = db.execute("SELECT key FROM fires ORDER BY id DESC LIMIT ?", (max(inserted, 0),))
    fresh = {row["key"] for row in rows}
    return [fire for fire in fires if fire.key in fresh]


def _is_bad_sql(error: sqlite3.OperationalError) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _row(fire: Fire) -> tuple[object, ...]:
    return (
        fire.key,
        fire.schedule_id,
        fire.reason,
        fire.decided.timestamp(),
        fire.due.timestamp() if fire.due else None,
        json.dumps(fire.objects) if fire.objects else "[]",
        fire.outcome._value_,  # a thousand a second: ``value`` takes a microsecond
        fire.key if fire.outcome is Outcome.SUBMITTED else None,
        fire.detail,
    )


@contextmanager
def _savepoint(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("SAVEPOINT submit")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK TO submit")
        raise
    finally:
        db.execute("RELEASE submit")
