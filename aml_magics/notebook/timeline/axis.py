"""The axis: which instants of a stretch get a line and a label, on the wall clock of a zone.

Lines stand at round hours as the clock there shows them, so a day on which the clock changes has 23 or 25 of them. A
reading that a gap swallows gets none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from aml_magics.model.words import MONTHS, WEEK_DAYS

__all__ = ["Tick", "day_label", "ticks"]

_STEPS = (1, 2, 3, 6, 12, 24)  # hours
_MOST_LINES = 14


@dataclass(frozen=True, slots=True)
class Tick:
    """``label`` is a time of day, or a day when ``is_day``; ``is_minor`` ones go without a label where it is narrow."""

    at: datetime
    label: str
    is_day: bool
    is_minor: bool


def ticks(begin: datetime, end: datetime, zone: tzinfo) -> list[Tick]:
    """The ticks between two aware instants, ascending, about a dozen of them."""
    hours = (end - begin).total_seconds() / 3600
    step = next((step for step in _STEPS if hours / step <= _MOST_LINES), 24)
    first = begin.astimezone(zone).date()
    found = []
    for at in _round_hours(begin, end, zone, step):
        is_day = at.hour == 0
        label = day_label(at, short=step == 24) if is_day else f"{at:%H:%M}"
        found.append(Tick(at, label, is_day, _is_minor(at, step, first)))
    return found


def day_label(at: datetime, *, short: bool = False) -> str:
    """``Sat 28 Nov``, or short ``Sat 28``."""
    day = f"{WEEK_DAYS[at.weekday()][:3]} {at.day}"
    return day if short else f"{day} {MONTHS[at.month - 1][:3]}"


def _is_minor(at: datetime, step: int, first: date) -> bool:
    if step == 24:
        return (at.date() - first).days % 3 != 1
    return at.hour % (step * 2) != 0


def _round_hours(begin: datetime, end: datetime, zone: tzinfo, step: int) -> Iterator[datetime]:
    day = begin.astimezone(zone).date()
    last = end.astimezone(zone).date()
    while day <= last:
        for hour in range(0, 24, step):
            at = datetime.combine(day, time(hour), zone)
            exists = at.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == at.replace(tzinfo=None)
            if exists and begin <= at <= end:
                yield at
        day += timedelta(days=1)
