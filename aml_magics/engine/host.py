"""What an engine fires into.

The engine decides *when*; the host knows *what*. A host reads its schedules from the same database file, makes a run
of a fire inside the engine's own transaction (so a fire and its run exist together or not at all) and hands out the
datastores.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aml_magics.datastores.base import ObjectStore
from aml_magics.model.resources import Fire, Missed
from aml_magics.model.triggers import Trigger

__all__ = ["Host", "Watch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One active schedule, as much of it as the engine needs. ``created`` is aware."""

    id: str
    name: str
    trigger: Trigger
    created: datetime
    missed: Missed = Missed.SKIP


class Host(Protocol):
    """Everything is called on the loop thread."""

    def watches(self) -> list[Watch]:
        """All active schedules, read from the database now. Also called inside a transaction of the engine."""

    def submit(self, db: sqlite3.Connection, fire: Fire) -> str | None:
        """Make the run of a fire and return its id. Called inside a transaction of the engine, on its connection.

        ``None`` when the schedule is not active any more: the fire is then dropped. An AmlError says why this run
        cannot be: the fire is then kept as refused, with that reason.
        """

    def submitted(self, run_ids: Sequence[str]) -> None:
        """After the commit: wake whoever executes runs."""

    def object_store(self, datastore: str) -> ObjectStore:
        """The datastore of that name; NotFound when it is gone."""

    def owners(self) -> Sequence[str]:
        """The kernels, by their owner names, that have work under way."""

    def owner_died(self, owner: str) -> None:
        """Another kernel on this file is gone: take over what it was running. Called outside a transaction.

        Every kernel that notices calls its host, and one that dies in the middle leaves it to the next: doing it
        twice must be harmless.
        """
