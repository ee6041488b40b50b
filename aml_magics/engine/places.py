"""Watched places in the database: their snapshots, what waits to settle there, and the looks at them.

A look is written only if nobody else has written one since the snapshot was read (compare and swap on ``generation``).
Reading needs no transaction: the generation is read first, so whatever is newer than it makes the swap fail.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from aml_magics.engine.database import Database
from aml_magics.engine.leaf_walk import Sweep
from aml_magics.engine.looks import Pending, Place, Scan, Snapshot, Waiting
from aml_magics.engine.packing import PackedSnapshot
from aml_magics.model.resources import Poll

__all__ = ["POLLS_KEPT", "PlaceStore"]

POLLS_KEPT = 1000
_PRUNE_EVERY = 50


class PlaceStore:
    """The rows of one place. ``load`` comes first; methods that take a connection are called inside a transaction."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self._place = place
        self._polls = 0
        self.id = 0  # of the location's row, once loaded

    def load(self) -> Snapshot:
        """The snapshot as it is now."""
        if not self.id:
            self.id = self._row_id()
        row = self._database.row("SELECT generation FROM locations WHERE id = ?", (self.id,))
        snapshot = Snapshot(generation=row["generation"] if row else 0)
        objects = self._database.rows("SELECT name, etag FROM objects WHERE location = ?", (self.id,))
        snapshot.etags = {name: etag for name, etag in objects}  # noqa: C416 - rows are no pairs
        pages = self._database.rows("SELECT key, content FROM pages WHERE location = ?", (self.id,))
        snapshot.pages = PackedSnapshot.load((key, content) for key, content in pages)
        waiting = "SELECT schedule_id, name, reason, etag, since, size, turn FROM pending WHERE location = ?"
        for schedule_id, name, *pending in self._database.rows(waiting, (self.id,)):
            snapshot.waiting.setdefault(schedule_id, {})[name] = Pending(*pending)
        return snapshot

    def is_current(self, db: sqlite3.Connection, snapshot: Snapshot) -> bool:
        row = db.execute("SELECT generation FROM locations WHERE id = ?", (self.id,)).fetchone()
        return bool(row["generation"] == snapshot.generation)

    def write(self, db: sqlite3.Connection, before: Snapshot, scan: Scan, waiting: Waiting) -> int:
        """Replace what ``before`` says by what was seen. Returns the new generation."""
        if scan.is_baseline:
            db.execute("DELETE FROM objects WHERE location = ?", (self.id,))
            db.execute("DELETE FROM pages WHERE location = ?", (self.id,))
        if scan.sweep:
            self._write_pages(db, scan.sweep)
        else:
            self._write_objects(db, scan)
        self._write_waiting(db, before.waiting, waiting)
        db.execute("UPDATE locations SET generation = ? WHERE id = ?", (before.generation + 1, self.id))
        return before.generation + 1

    def add_poll(self, db: sqlite3.Connection, poll: Poll, matched: Mapping[str, int]) -> None:
        """``matched`` is by schedule: what one of them is looking for is nothing to another."""
        numbers = (poll.at.timestamp(), poll.took.total_seconds(), poll.lateness.total_seconds(), poll.objects)
        changes = (poll.added, poll.modified, poll.removed, json.dumps(matched) if matched else "")
        db.execute(
            "INSERT INTO polls (location, at, took, lateness, objects, added, modified, removed, matched, fired, error)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self.id, *numbers, *changes, poll.fired, poll.error),
        )
        self._polls += 1
        if self._polls % _PRUNE_EVERY == 1:
            db.execute(
                "DELETE FROM polls WHERE location = ? AND at <"
                " (SELECT at FROM polls WHERE location = ? ORDER BY at DESC LIMIT 1 OFFSET ?)",
                (self.id, self.id, POLLS_KEPT - 1),
            )

    def _row_id(self) -> int:
        columns = ", ".join(Place._fields)
        places = f"({', '.join('?' * len(self._place))})"
        with self._database.transaction(durable=False) as db:
            db.execute(f"INSERT OR IGNORE INTO locations ({columns}) VALUES {places}", self._place)
            found = f"SELECT id FROM locations WHERE ({columns}) = {places}"
            return int(db.execute(found, self._place).fetchone()["id"])

    def _write_pages(self, db: sqlite3.Connection, found: Sweep) -> None:
        db.executemany("DELETE FROM pages WHERE location = ? AND key = ?", [(self.id, key) for key in found.drop])
        db.executemany("INSERT OR REPLACE INTO pages VALUES (?, ?, ?)", [(self.id, *row) for row in found.put])

    def _write_objects(self, db: sqlite3.Connection, scan: Scan) -> None:
        objects = [(self.id, *info) for info in (*scan.added, *scan.modified)]
        db.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", objects)
        gone = [(self.id, name) for name in scan.removed]
        db.executemany("DELETE FROM objects WHERE location = ? AND name = ?", gone)

    def _write_waiting(self, db: sqlite3.Connection, before: Waiting, after: Waiting) -> None:
        put, drop = [], []
        for schedule_id in before.keys() | after.keys():
            old, new = before.get(schedule_id, {}), after.get(schedule_id, {})
            put += [(self.id, schedule_id, name, *pending) for name, pending in new.items() if old.get(name) != pending]
            drop += [(self.id, schedule_id, name) for name in old.keys() - new.keys()]
        db.executemany("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?)", put)
        db.executemany("DELETE FROM pending WHERE location = ? AND schedule_id = ? AND name = ?", drop)
