"""The time schedules of an engine: which there are, how far each is decided, and what happens when some are due.

A time schedule is decided up to its *cursor*. A schedule that appears while the engine runs is either new, and fires
as its trigger says from its creation on; or it was disabled, its cursor was marked as paused then (or it has none
although it is older than the grace), and what fell due meanwhile is nobody's loss. After a start, everything between
the cursor and now was missed, and the schedule says what becomes of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import inf, nextafter

from aml_magics.engine.backlog import GRACE, decide
from aml_magics.engine.clock import Clock
from aml_magics.engine.host import Watch
from aml_magics.engine.ledger import Claims, Cursor, Ledger
from aml_magics.engine.scheduler import Due, Scheduler
from aml_magics.model.triggers import DatastoreChange, Recurrence, Timetable

__all__ = ["Timekeeper"]

LATENESS_KEPT = 2000


class _Plan:
    """One schedule; ``after`` is its cursor as far as this kernel knows."""

    __slots__ = ("after", "timetable", "watch")

    def __init__(self, watch: Watch, timetable: Timetable, after: float) -> None:
        self.watch = watch
        self.timetable = timetable
        self.after = after


class Timekeeper:
    """``claimed`` is told what each commit brought."""

    def __init__(self, ledger: Ledger, clock: Clock, claimed: Callable[[Claims], None]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._claimed = claimed
        self._plans: dict[str, _Plan] = {}
        self._dropped: set[str] = set()  # turned out not to be active, not yet marked as paused
        self._lateness: deque[float] = deque(maxlen=LATENESS_KEPT)
        self._scheduler = Scheduler(clock, self._fire)
        self.run = self._scheduler.run
        self.fire_due = self._scheduler.fire_due

    def __len__(self) -> int:
        return len(self._plans)

    def __contains__(self, schedule_id: str) -> bool:
        return schedule_id in self._plans

    def next_due(self, schedule_id: str) -> float | None:
        return self._scheduler.due(schedule_id)

    def lateness(self, share: float) -> float | None:
        """Seconds from due to committed, that share of the newest fires was not later."""
        ordered = sorted(self._lateness)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None

    def sync(self, watches: Sequence[Watch], *, starting: bool) -> bool:
        """These are the active time schedules now. True when others were before."""
        gone = (self._plans.keys() | self._dropped) - {watch.id for watch in watches}
        self._scheduler.remove(gone)
        for schedule_id in gone:
            self._plans.pop(schedule_id, None)
        self._dropped.clear()
        fresh = [watch for watch in watches if self._is_news(watch)]
        if fresh:
            self._plan(fresh, starting=starting)
        return bool(gone)

    def _is_news(self, watch: Watch) -> bool:
        plan = self._plans.get(watch.id)
        if plan is None:
            return True
        known, plan.watch = plan.watch, watch
        return known != watch and (known.trigger != watch.trigger or known.created != watch.created)

    def _plan(self, watches: Sequence[Watch], *, starting: bool) -> None:
        cursors = self._ledger.cursors()
        now = self._clock.now()
        moved: dict[str, float] = {}
        dues: list[Due] = []
        changed = self._plans.keys() & {watch.id for watch in watches}
        self._scheduler.remove(changed)
        for watch in watches:
            after = None if watch.id in changed else _after(watch, cursors, now, starting=starting)
            if after is None:
                after = moved[watch.id] = now
            if isinstance(watch.trigger, DatastoreChange):
                raise TypeError(f"schedule {watch.id} has no timetable")
            timetable = watch.trigger.timetable(watch.created)
            self._plans[watch.id] = _Plan(watch, timetable, after)
            due = timetable.next_after(after)
            if due is not None:
                dues.append((due, watch.id))
        if moved:
            self._ledger.move(moved)
        self._scheduler.put(dues)

    def _fire(self, batch: list[Due], now: float) -> None:
        plans = self._plans
        decisions = [
            decide((plan := plans[schedule_id]).watch, plan.timetable, plan.after, due, now)
            for due, schedule_id in batch
        ]
        claims = self._ledger.record(decisions)
        committed = self._clock.now()
        dues: list[Due] = []
        for decision in decisions:
            schedule_id = decision.schedule_id
            if schedule_id in claims.inactive:
                del plans[schedule_id]
                self._dropped.add(schedule_id)
                continue
            plan = plans[schedule_id]
            if schedule_id in claims.overtaken:
                plan.after = claims.overtaken[schedule_id]
                due = plan.timetable.next_after(plan.after)
            else:
                plan.after = decision.until
                due = decision.next_due
                if decision.on_time is not None:
                    self._lateness.append(committed - decision.on_time)
            if due is not None:
                dues.append((due, schedule_id))
        self._scheduler.put(dues)
        self._claimed(claims)


def _after(watch: Watch, cursors: Mapping[str, Cursor], now: float, *, starting: bool) -> float | None:
    """Up to when a schedule that is new to this kernel is decided; ``None``: everything until now is over and done."""
    cursor = cursors.get(watch.id)
    if cursor is not None:
        return None if cursor.paused else cursor.at
    created = watch.created.timestamp()
    if starting or now - created <= GRACE:
        at_once = isinstance(watch.trigger, Recurrence) and watch.trigger.start_time is None
        return nextafter(created, -inf) if at_once else created  # at once: the creation is itself the first fire
    return None
