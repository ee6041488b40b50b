"""The time schedules of an engine: which there are, how far each is decided, and what happens when some are due.

A time schedule is decided up to its *cursor*. A schedule that appears while the engine runs is either new, and fires
as its trigger says from its creation on; or it was disabled, its cursor was marked as paused then (or it has none
although it is older than the grace), and what fell due meanwhile is nobody's loss. After a start, everything between
the cursor and now was missed, and the schedule says what becomes of it.

Very many that fall due together are a burst: that they fire is written down at once, what they fire in turns between
which the loop is free.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import TypeGuard

from aml_magics.engine.backlog import GRACE, Decision, decide
from aml_magics.engine.clock import Clock
from aml_magics.engine.host import Watch
from aml_magics.engine.ledger import Burst, Claims, Cursor, Ledger
from aml_magics.engine.scheduler import Due, Scheduler, no_collections
from aml_magics.engine.tasks import Work
from aml_magics.model.triggers import DatastoreChange, Recurrence, Timetable

__all__ = ["BURST", "PART", "Timekeeper"]

BURST = 250  # more than these at a time are a burst
PART = 250  # of which so many are written out in one transaction, some 5 ms
LATENESS_KEPT = 2000
FUTURE = 60.0  # seconds that a cursor may be ahead of the clock: two machines on one file never quite agree


class _Plan(Due):
    """When one schedule is due next; never, while it waits for its burst to be written out.

    ``cursor`` is how far it is decided as far as this kernel knows; ``None``: not at all since its creation, which
    a hundred thousand need not each know as a number.
    """

    __slots__ = ("cursor", "timetable", "watch")

    watch: Watch
    timetable: Timetable
    cursor: float | None

    @property
    def after(self) -> float:
        return _before_birth(self.watch) if self.cursor is None else self.cursor


class Timekeeper:
    """``claimed`` is told what each commit brought; ``spawn(name, work)`` begins a task (``Tasks.spawn``)."""

    def __init__(
        self, ledger: Ledger, clock: Clock, claimed: Callable[[Claims], None], spawn: Callable[[str, Work], object]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._claimed = claimed
        self._spawn = spawn
        self._bursts: deque[Burst] = deque()  # noted, not written out
        self._dropped: set[str] = set()  # turned out not to be active, not yet marked as paused
        self._lateness: deque[float] = deque(maxlen=LATENESS_KEPT)
        self._stuck_since = inf
        self._scheduler = Scheduler[_Plan](clock, self._fire)
        self.run = self._scheduler.run
        self.fire_due = self._scheduler.fire_due

    def __len__(self) -> int:
        return len(self._scheduler)

    def __contains__(self, schedule_id: str) -> bool:
        return schedule_id in self._scheduler

    def next_due(self, schedule_id: str) -> float | None:
        """When a schedule is due next; ``None`` when it is not here, or never."""
        plan = self._scheduler.get(schedule_id)
        return None if plan is None or plan == inf else float(plan)

    def lateness(self, share: float) -> float | None:
        """Seconds from due to committed, that share of the newest fires was not later."""
        ordered = sorted(self._lateness)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None

    def sync(self, watches: Sequence[Watch], *, starting: bool) -> bool:
        """These are the active time schedules now. True when others were before."""
        self._finish_bursts()
        gone = self._dropped.union(self._scheduler.names())
        if gone:
            gone.difference_update(watch.id for watch in watches)
        self._scheduler.remove(gone)
        self._dropped.clear()
        if fresh := self._unplanned(watches):
            self._plan(fresh, starting=starting)
        if starting:
            self._bursts += self._ledger.bursts()
            self._finish_bursts()
        return bool(gone)

    def _unplanned(self, watches: Sequence[Watch]) -> Sequence[Watch]:
        """Those that are new, or have another trigger than before. What else has changed is noted."""
        if not len(self._scheduler):
            return watches
        fresh = []
        for watch in watches:
            plan = self._scheduler.get(watch.id)
            if plan is None:
                fresh.append(watch)
            elif plan.watch != watch:
                known, plan.watch = plan.watch, watch
                if known.trigger != watch.trigger or known.created != watch.created:
                    fresh.append(watch)
        return fresh

    def _plan(self, watches: Sequence[Watch], *, starting: bool) -> None:
        cursors, known = self._ledger.cursors(), self._scheduler.names()
        now = self._clock.now()
        moved: dict[str, float] = {}
        plans: list[_Plan] = []
        with no_collections():
            for watch in watches:
                cursor = cursors.get(watch.id)
                at = None if cursor is None else cursor.at
                if watch.id in known or _is_over(watch, cursor, now, starting=starting):
                    at = moved[watch.id] = now
                plans.append(_planned(watch, _timetable(watch), at))
        if moved:
            self._ledger.move(moved)
        self._scheduler.put(plans)

    def _fire(self, batch: list[_Plan], now: float) -> None:
        # While nothing can be written, or a cell's long call holds up this thread, time goes on, and what would have
        # been seen in time must not become missed by that.
        seen = self._stuck_since = min(now - self._scheduler.held_up, self._stuck_since)
        if len(batch) > BURST:
            self._note_burst(batch, now, seen)
        else:
            decisions = [decide(plan.watch, plan.timetable, plan.after, float(plan), now, seen) for plan in batch]
            self._record(batch, decisions)
            self._note_lateness(each.on_time for each in decisions if each.on_time is not None)
        self._stuck_since = inf

    def _note_burst(self, batch: Sequence[_Plan], now: float, seen: float) -> None:
        names = [plan.name for plan in batch]
        is_writing = bool(self._bursts)
        self._bursts += self._ledger.note((names[i : i + PART] for i in range(0, len(names), PART)), now, seen)
        self._note_lateness(due for due in batch if seen - due <= GRACE)
        self._scheduler.put(_plan(plan.watch, plan.timetable, plan.cursor, None) for plan in batch)
        if not is_writing:
            self._spawn("burst", self._write_out)

    def _note_lateness(self, dues: Iterable[float]) -> None:
        now = self._clock.now()
        self._lateness.extend(now - due for due in dues)

    async def _write_out(self) -> None:
        while self._bursts:
            self._finish_burst()
            await asyncio.sleep(0)  # the loop has other guests

    def _finish_bursts(self) -> None:
        while self._bursts:
            self._finish_burst()

    def _finish_burst(self) -> None:
        burst = self._bursts[0]
        plans, decisions = [], []
        for plan in filter(_is_there, map(self._scheduler.get, burst.schedules)):
            first = plan.timetable.next_after(plan.after)
            if first is not None and first <= burst.at:
                plans.append(plan)
                decisions.append(decide(plan.watch, plan.timetable, plan.after, first, burst.at, burst.seen))
        self._record(plans, decisions, burst)
        self._bursts.popleft()

    def _record(self, plans: Iterable[_Plan], decisions: Sequence[Decision], burst: Burst | None = None) -> None:
        claims = self._ledger.record(decisions, burst)
        again = []
        for plan, decision in zip(plans, decisions, strict=True):
            if plan.name in claims.inactive:
                self._dropped.add(plan.name)
            elif plan.name in claims.overtaken:
                again.append(_planned(plan.watch, plan.timetable, claims.overtaken[plan.name]))
            else:
                again.append(_plan(plan.watch, plan.timetable, decision.until, decision.next_due))
        self._scheduler.put(again)
        self._claimed(claims)


def _is_there(plan: _Plan | None) -> TypeGuard[_Plan]:
    return plan is not None  # not by its truth: it is a number


def _planned(watch: Watch, timetable: Timetable, cursor: float | None) -> _Plan:
    return _plan(watch, timetable, cursor, timetable.next_after(_before_birth(watch) if cursor is None else cursor))


def _plan(watch: Watch, timetable: Timetable, cursor: float | None, due: float | None) -> _Plan:
    plan = _Plan(inf if due is None else due)
    plan.name = watch.id
    plan.watch = watch
    plan.timetable = timetable
    plan.cursor = cursor
    return plan


def _timetable(watch: Watch) -> Timetable:
    if isinstance(watch.trigger, DatastoreChange):
        raise TypeError(f"schedule {watch.id} has no timetable")
    return watch.trigger.timetable(watch.created)


def _before_birth(watch: Watch) -> float:
    """Up to when a schedule that never fired is decided. Some recurrences begin with their creation, none before."""
    if isinstance(watch.trigger, Recurrence) and watch.trigger.start_time is None:
        return -inf
    return watch.created.timestamp()


def _is_over(watch: Watch, cursor: Cursor | None, now: float, *, starting: bool) -> bool:
    """Whether everything until now is over and done for a schedule that is new to this kernel."""
    if cursor is None:
        return not starting and now - watch.created.timestamp() > GRACE
    # A cursor of the future was written while the clock was wrong: it would keep the schedule silent until then.
    return cursor.paused or cursor.at > now + FUTURE
