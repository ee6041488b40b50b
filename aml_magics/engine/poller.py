"""Looks at one place of a datastore for all schedules that watch it.

A look is: list the place in a worker thread and compare with the snapshot; then, in one transaction and only if no
other kernel was faster, write fires, runs, what waits to settle, and the new snapshot. A kernel that dies between any
two steps has done all of it or nothing. If another one was faster, the look is thrown away and made again from what
that one wrote.

When to look: every ``polling_interval`` (the smallest of its schedules; up to ``JITTER`` earlier where only that makes
it look, so that many places do not stay in step), when the datastore says that something changed (``changes``), and
when something that waits may have settled. A datastore that says so all the time is not
looked at more than ``DUTY`` of the time. A failure is written down with its reason, and the next look comes ever
later.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aml_magics.engine.changes import Plan, next_look, plan_look
from aml_magics.engine.clock import Alarm, Clock
from aml_magics.engine.database import Database
from aml_magics.engine.host import Host
from aml_magics.engine.ledger import Claims, Ledger
from aml_magics.engine.looks import Place, Scan, Snapshot, scan_place
from aml_magics.engine.places import PlaceStore
from aml_magics.engine.tasks import LONGEST_PAUSE
from aml_magics.model.errors import AmlError, Conflict
from aml_magics.model.resources import Poll
from aml_magics.model.triggers import DatastoreChange

__all__ = ["LOOKS_AT_ONCE", "Commit", "Members", "Poller", "Tools"]

Commit = Callable[[sqlite3.Connection], None]
Members = Mapping[str, DatastoreChange]

SHORTEST_GAP = 0.05  # seconds from one look to the next
LEAST_RECOVERY = 0.5  # seconds from a failed look to the next one
DUTY = 0.2
JITTER = 0.1  # of a polling interval
TRIES = 20
LOOKS_AT_ONCE = 8  # at one datastore: one that does not answer leaves threads to the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the pollers of an engine share. ``claimed`` is told what a commit brought, ``report`` what went wrong."""

    database: Database
    host: Host
    ledger: Ledger
    clock: Clock
    executor: Executor
    members: Callable[[Place], Members]  # the active schedules of a place, read from the database now
    claimed: Callable[[Claims], None]
    report: Callable[[str, Exception], None]
    chance: Callable[[], float] = random.random  # from 0 up to 1
    turns: Mapping[str, asyncio.Semaphore] = field(  # by datastore
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(LOOKS_AT_ONCE))
    )


class Poller:
    """One place. It remembers the snapshot between looks; all looks go one after the other."""

    def __init__(self, place: Place, tools: Tools) -> None:
        self.place = place
        self.error = ""  # why the last look failed
        self.wakeup_error = ""  # why only the polling interval makes it look
        self.looked = asyncio.Event()
        self._tools = tools
        self._store = PlaceStore(tools.database, place)
        self._snapshot: Snapshot | None = self._store.load()
        self._members: Members = {}
        self._known = float("-inf")  # since when they are these
        self._lock = asyncio.Lock()
        self._alarm = Alarm(tools.clock)
        self._wanted = False
        self._begun = self._ended = self._polled = float("-inf")
        self._failures = 0
        self._jitter = 0.0  # of the pause until the next poll
        self._has_wakeups = True  # until it turns out that it has none

    @property
    def id(self) -> int:
        return self._store.id

    @property
    def last_look(self) -> float | None:
        """When the last look that succeeded ended; ``None`` before the first."""
        return None if self._ended == float("-inf") else self._ended

    @property
    def busy(self) -> bool:
        return self._lock.locked()

    def watch_for(self, members: Members) -> None:
        """These are the active schedules now."""
        if self._take(members):
            self._alarm.ring()

    def _take(self, members: Members) -> bool:
        """True when others were before."""
        if members == self._members:
            return False
        self._members, self._known = members, self._tools.clock.now()
        return True

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            now = self._tools.clock.now()
            due = self._due(now)
            try:
                await self.look(due=due)
            except Exception as error:  # noqa: BLE001 - a datastore may fail in any way; it is kept and tried again
                await self._fail(error)
                continue
            finally:
                self.looked.set()
            self._failures, self.error = 0, ""
            if due is not None:
                self._polled = now
                self._jitter = 0.0 if self._has_wakeups else JITTER * self._tools.chance()
            await self._wait()

    def _due(self, now: float) -> float | None:
        """Since when a poll has been due, if it is."""
        if now < self._polled or self._failures or self._polled == float("-inf"):
            return now  # the clock was set back, or there is nothing to reckon from
        return max(self._next_poll, self._known) if now >= self._next_poll else None

    async def look(self, *, due: float | None, commit: Commit | None = None) -> None:
        """Look now. ``due``: when this had to begin, ``None``: keep no record when nothing is found.

        ``commit`` is called in the same transaction.

        It may be called again after a rollback. Raises what the datastore or ``commit`` raises, and Conflict when other
        kernels were faster again and again.
        """
        async with self._lock:
            for _ in range(TRIES):
                if self._snapshot is None:
                    snapshot = self._store.load()
                    self._take(self._tools.members(self.place))  # read after the snapshot: never older than it
                    self._snapshot = snapshot
                self._wanted = False
                claims = self._write(self._snapshot, await self._scan(self._snapshot), due=due, commit=commit)
                if claims is not None:
                    break
                self._snapshot = None
            else:
                hint = "Try again, or let fewer kernels share the workspace."
                raise Conflict(f"other kernels look at {self.place} all the time", hint=hint)
            if commit is not None:
                self._snapshot = None  # somebody was born: read the schedules again before the next look
                self._alarm.ring()
        self._tools.claimed(claims)

    async def follow(self) -> None:
        """Look when the datastore says that something changed, until cancelled."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - wake-ups are a courtesy: the reason is kept, polling goes on
                self.wakeup_error = _reason(error)
                await self._tools.clock.sleep(LONGEST_PAUSE)
            else:
                self._has_wakeups = False
                return

    async def _listen(self) -> None:
        store = self._tools.host.object_store(self.place.datastore)
        changes = store.changes(self.place.path, recursive=self.place.recursive)
        try:
            async for _ in changes:
                self.wakeup_error = ""
                self._wanted = True
                self._alarm.ring()
        finally:
            close = getattr(changes, "aclose", None)
            if close is not None:
                await close()

    async def peek(self) -> tuple[Scan, Snapshot]:
        """What a look would see now, and what it would be compared with. Nothing is recorded, and nothing fires."""
        async with self._lock:
            snapshot = self._snapshot or self._store.load()
            return await self._compare(snapshot, self._tools.clock.now()), snapshot

    async def _scan(self, snapshot: Snapshot) -> Scan:
        self._begun = self._tools.clock.now()
        scan = await self._compare(snapshot, self._begun)
        self._ended = scan.ended
        return scan

    async def _compare(self, snapshot: Snapshot, begun: float) -> Scan:
        tools = self._tools
        store = tools.host.object_store(self.place.datastore)
        loop = asyncio.get_running_loop()
        async with tools.turns[self.place.datastore]:
            scan = await loop.run_in_executor(tools.executor, scan_place, store, self.place, snapshot, begun)
        return replace(scan, ended=max(begun, tools.clock.now()))

    def _write(self, snapshot: Snapshot, scan: Scan, *, due: float | None, commit: Commit | None) -> Claims | None:
        """Write a look, if the place is still as it was in ``snapshot``."""
        plan = self._plan(snapshot, scan, self._members)
        if commit is None and due is None and scan.is_empty and plan.waiting == snapshot.waiting and not plan.fires:
            return Claims()
        return self._tools.ledger.with_care(
            lambda careful: self._attempt(snapshot, scan, plan, due=due, commit=commit, careful=careful)
        )

    def _attempt(
        self, snapshot: Snapshot, scan: Scan, plan: Plan, *, due: float | None, commit: Commit | None, careful: bool
    ) -> Claims | None:
        tools, claims = self._tools, Claims()
        generation = snapshot.generation
        with tools.database.transaction(durable=bool(plan.fires) or commit is not None) as db:
            if not self._store.is_current(db, snapshot):
                return None
            if commit is not None:
                # Whoever was born elsewhere is seen here, and whoever is born now finds nothing waiting from before.
                plan = self._plan(snapshot, scan, tools.members(self.place))
            tools.ledger.claim(db, plan.fires, claims, careful=careful)
            if not scan.is_empty or plan.waiting != snapshot.waiting or commit is not None:
                generation = self._store.write(db, snapshot, scan, plan.waiting)
            poll = _poll(scan, plan, claims, due)
            if due is not None or poll.added or poll.modified or poll.removed or plan.matched or poll.fired:
                self._store.add_poll(db, poll, plan.matched)
            if commit is not None:
                commit(db)
        snapshot.follow(generation, scan, plan.waiting)
        return claims

    @staticmethod
    def _plan(snapshot: Snapshot, scan: Scan, members: Members) -> Plan:
        if scan.is_baseline:
            return Plan(fires=(), waiting={}, modified=0)
        return plan_look(scan, snapshot.waiting, members)

    @property
    def _interval(self) -> float:
        intervals = (change.polling_interval.total_seconds() for change in self._members.values())
        return max(min(intervals, default=LONGEST_PAUSE), SHORTEST_GAP)

    @property
    def _next_poll(self) -> float:
        return self._polled + self._interval * (1.0 - self._jitter)

    async def _wait(self) -> None:
        """Until the next look."""
        while True:
            now = self._tools.clock.now()
            if now < self._ended:
                return  # the clock was set back: all deadlines are in doubt
            snapshot = None if self._wanted else self._snapshot
            at = next_look(snapshot.waiting, self._members, self._begun) if snapshot else self._ended
            at = max(at, self._ended + max(SHORTEST_GAP, (self._ended - self._begun) / DUTY))
            at = min(at, self._next_poll)
            if now >= at:
                return
            await self._alarm.wait(at - now)

    async def _fail(self, error: Exception) -> None:
        self.error = _reason(error)
        self._failures += 1
        tools = self._tools
        if not isinstance(error, AmlError | OSError):
            tools.report(f"look at {self.place}", error)
        poll = Poll(at=datetime.fromtimestamp(tools.clock.now(), UTC), took=timedelta(0), objects=0, error=self.error)
        try:
            with tools.database.transaction(durable=False) as db:
                self._store.add_poll(db, poll, {})
        except sqlite3.Error as trouble:
            tools.report(f"look at {self.place}", trouble)
        await self._recover(min(2.0 ** min(self._failures, 20), max(self._interval, LEAST_RECOVERY)))

    async def _recover(self, pause: float) -> None:
        """Until the next try: later after each failure, never later than a poll, at once when something moves."""
        clock = self._tools.clock
        begun = clock.now()
        self._wanted = False
        await clock.sleep(LEAST_RECOVERY)  # a datastore that fails and moves all the time is not asked all the time
        while not self._wanted and begun <= (now := clock.now()) < begun + pause:
            await self._alarm.wait(begun + pause - now)


def _poll(scan: Scan, plan: Plan, claims: Claims, due: float | None) -> Poll:
    return Poll(
        at=datetime.fromtimestamp(scan.begun, UTC),
        took=timedelta(seconds=scan.ended - scan.begun),
        lateness=timedelta(seconds=0.0 if due is None else max(0.0, scan.begun - due)),
        objects=scan.objects,
        added=0 if scan.is_baseline else len(scan.added),
        modified=plan.modified,
        removed=scan.removals,
        fired=claims.kept,
    )


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, AmlError) else f"{type(error).__name__}: {error}"
