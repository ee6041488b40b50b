"""The time schedules of an engine: which there are, how far each is decided, and what happens when some are due.

A time schedule is decided up to its *cursor*. A schedule that appears while the engine runs is either new, and fires
as its trigger says from its creation on; or it was disabled, its cursor was marked as paused then (or it has none
although it is older than the grace), and what fell due meanwhile is nobody's loss. After a start, everything between
the cursor and now was missed, and the schedule says what becomes of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import inf, nextafter

from aml_magics.engine.backlog import GRACE, decide
from aml_magics.engine.clock import Clock
from aml_magics.engine.host import Watch
from aml_magics.engine.ledger import Claims, Cursor, Ledger
from aml_magics.engine.scheduler import Due, Scheduler, no_collections
from aml_magics.model.triggers import DatastoreChange, Recurrence, Timetable

__all__ = ["Timekeeper"]

LATENESS_KEPT = 2000
FUTURE = 60.0  # seconds that a cursor may be ahead of the clock: two machines on one file never quite agree


class _Plan(Due):
    """When one schedule is due next. ``after`` is its cursor as far as this kernel knows."""

    __slots__ = ("after", "timetable", "watch")

    watch: Watch
    timetable: Timetable
    after: float


class Timekeeper:
    """``claimed`` is told what each commit brought."""

    def __init__(self, ledger: Ledger, clock: Clock, claimed: Callable[[Claims], None]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._claimed = claimed
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
        gone = self._dropped.union(self._scheduler.names()).difference(watch.id for watch in watches)
        self._scheduler.remove(gone)
        self._dropped.clear()
        fresh = []
        for watch in watches:
            plan = self._scheduler.get(watch.id)
            if plan is None:
                fresh.append(watch)
            elif plan.watch != watch:
                known, plan.watch = plan.watch, watch
                if known.trigger != watch.trigger or known.created != watch.created:
                    fresh.append(watch)
        if fresh:
            self._plan(fresh, starting=starting)
        return bool(gone)

    def _plan(self, watches: Sequence[Watch], *, starting: bool) -> None:
        cursors = self._ledger.cursors()
        now = self._clock.now()
        moved: dict[str, float] = {}
        plans: list[_Plan] = []
        with no_collections():
            for watch in watches:
                changed = watch.id in self._scheduler
                after = None if changed else _after(watch, cursors.get(watch.id), now, starting=starting)
                if after is None:
                    after = moved[watch.id] = now
                timetable = _timetable(watch)
                plans.append(_plan(watch, timetable, after, timetable.next_after(after)))
        if moved:
            self._ledger.move(moved)
        self._scheduler.put(plans)

    def _fire(self, batch: list[_Plan], now: float) -> None:
        # While nothing can be written, or a cell's long call holds up this thread, time goes on, and what would have
        # been seen in time must not become missed by that.
        seen = self._stuck_since = min(now - self._scheduler.held_up, self._stuck_since)
        decisions = [decide(plan.watch, plan.timetable, plan.after, float(plan), now, seen) for plan in batch]
        claims = self._ledger.record(decisions)
        self._stuck_since = inf
        committed = self._clock.now()
        again = []
        for plan, decision in zip(batch, decisions, strict=True):
            if plan.name in claims.inactive:
                self._dropped.add(plan.name)
            elif plan.name in claims.overtaken:
                after = claims.overtaken[plan.name]
                again.append(_plan(plan.watch, plan.timetable, after, plan.timetable.next_after(after)))
            else:
                again.append(_plan(plan.watch, plan.timetable, decision.until, decision.next_due))
                if decision.on_time is not None:
                    self._lateness.append(committed - decision.on_time)
        self._scheduler.put(again)
        self._claimed(claims)


def _plan(watch: Watch, timetable: Timetable, after: float, due: float | None) -> _Plan:
    plan = _Plan(inf if due is None else due)
    plan.name = watch.id
    plan.watch = watch
    plan.timetable = timetable
    plan.after = after
    return plan


def _timetable(watch: Watch) -> Timetable:
    if isinstance(watch.trigger, DatastoreChange):
        raise TypeError(f"schedule {watch.id} has no timetable")
    return watch.trigger.timetable(watch.created)


def _after(watch: Watch, cursor: Cursor | None, now: float, *, starting: bool) -> float | None:
    """Up to when a schedule that is new to this kernel is decided; ``None``: everything until now is over and done."""
    if cursor is not None:
        # A cursor of the future was written while the clock was wrong: it would keep the schedule silent until then.
        return None if cursor.paused or cursor.at > now + FUTURE else cursor.at
    created = watch.created.timestamp()
    if starting or now - created <= GRACE:
        at_once = isinstance(watch.trigger, Recurrence) and watch.trigger.start_time is None
        return nextafter(created, -inf) if at_once else created  # at once: the creation is itself the first fire
    return None
