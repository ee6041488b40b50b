"""The rows of a timeline, as plain values: for each schedule what ran and the minutes in which it will fire.

A fire is counted by the minute: a schedule of every second has 604,800 fires in a week and 10,080 minutes with one,
and no more than those are ever asked for. Minutes are whole minutes since 1970, so that "in the same minute" means the
same for schedules in different zones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from aml_magics.model.resources import Run, RunStatus, Schedule, Status
from aml_magics.model.triggers import DatastoreChange

__all__ = ["MOST_ROWS", "Collision", "Ran", "Row", "collisions", "minutes_of", "rows_of"]

MOST_ROWS = 40  # more cannot be looked at together
_BY_HAND = "(no schedule)"
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Ran:
    """One run: aware instants; ``end`` is None while it goes on, and for one that has not begun."""

    start: datetime
    end: datetime | None
    status: RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``minutes`` are those with a fire, ascending, as whole minutes since 1970. ``waits_for`` says, for a schedule
    that no clock fires, what does.
    """

    name: str
    trigger: str = ""
    ran: Sequence[Ran] = ()
    minutes: Sequence[int] = ()
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Collision:
    """A minute in which more than one schedule fires, with their names."""

    minute: int
    names: tuple[str, ...]

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.minute * _MINUTE, UTC)


def rows_of(
    schedules: Sequence[Schedule],
    runs: Sequence[Run],
    *,
    now: datetime,
    past: timedelta,
    coming: timedelta,
    most: int = MOST_ROWS,
) -> tuple[list[Row], int]:
    """A row for each schedule that is active or has run, and one for runs without a schedule; how many are left out.

    Those that fire next come first, then those that wait for a change, then what only ran.
    """
    ran = _ran_by_schedule(runs, now - past)
    shown = [one for one in schedules if one.status is Status.ACTIVE or one.id in ran]
    shown.sort(key=lambda one: (_next(one, now), one.name))
    rows = [_row(one, ran.get(one.id, ()), now, coming) for one in shown[:most]]
    known = {one.id for one in schedules}
    others = [one for id_, found in ran.items() if id_ not in known for one in found]
    if others:
        rows.append(Row(name=_BY_HAND, ran=others))
    return rows, max(0, len(shown) - most)


def minutes_of(schedule: Schedule, now: datetime, coming: timedelta) -> Iterator[int]:
    """The minutes after ``now`` in which an active schedule fires by the clock, none for others."""
    if isinstance(schedule.trigger, DatastoreChange) or schedule.status is not Status.ACTIVE:
        return
    table = schedule.trigger.timetable(schedule.created or now)
    end = (now + coming).timestamp()
    due = table.next_after(now.timestamp())
    while due is not None and due <= end:
        minute = int(due // _MINUTE)
        yield minute
        due = table.next_after((minute + 1) * _MINUTE - 1e-3)


def collisions(rows: Sequence[Row]) -> list[Collision]:
    """The minutes in which several of the rows fire, ascending."""
    counts: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        for minute in row.minutes:
            counts[minute].append(row.name)
    return [Collision(minute, tuple(names)) for minute, names in sorted(counts.items()) if len(names) > 1]


def _ran_by_schedule(runs: Sequence[Run], since: datetime) -> Mapping[str, list[Ran]]:
    found: dict[str, list[Ran]] = defaultdict(list)
    for run in runs:
        start = run.started or run.created
        if start is not None and (run.ended or start) >= since:
            found[run.schedule_id or ""].append(Ran(start, run.ended, run.status))
    return found


def _next(schedule: Schedule, now: datetime) -> float:
    """What rows are ordered by: the next fire; then changes, fires that never come, what does not fire any more."""
    if schedule.status is not Status.ACTIVE:
        return 3e12
    if isinstance(schedule.trigger, DatastoreChange):
        return 1e12
    due = schedule.trigger.timetable(schedule.created or now).next_after(now.timestamp())
    return 2e12 if due is None else due


def _row(schedule: Schedule, ran: Sequence[Ran], now: datetime, coming: timedelta) -> Row:
    most = int(coming.total_seconds() // _MINUTE) + 2
    words = schedule.trigger.in_words()
    is_waiting = isinstance(schedule.trigger, DatastoreChange) and schedule.status is Status.ACTIVE
    return Row(
        name=schedule.name,
        trigger=words if schedule.status is Status.ACTIVE else f"{schedule.status.value.lower()}: {words}",
        ran=ran,
        minutes=list(islice(minutes_of(schedule, now, coming), most)),
        waits_for=words if is_waiting else "",
    )
