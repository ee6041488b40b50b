"""The next fires of a time trigger, for people: in the trigger's own zone, clock changes explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aml_magics.model.days import calendar_date
from aml_magics.model.timetable import WallTimetable
from aml_magics.model.wall_clock import DAY
from aml_magics.model.words import listed

if TYPE_CHECKING:
    from aml_magics.model.timetable import Timetable

__all__ = ["FireTime", "clock_text", "fires", "note_on"]

MANY = 3


@dataclass(frozen=True, slots=True)
class FireTime:
    """One coming fire. ``at`` is aware, in the trigger's zone; ``note`` says what is special about it."""

    at: datetime
    note: str = ""


def fires(timetable: Timetable, after: float, count: int) -> list[FireTime]:
    """The first ``count`` fires strictly after ``after`` (POSIX seconds); fewer when there are no more."""
    found: list[FireTime] = []
    while len(found) < count:
        due = timetable.next_after(after)
        if due is None:
            break
        found.append(FireTime(datetime.fromtimestamp(due, timetable.zone), note_on(timetable, due)))
        after = due
    return found


def note_on(timetable: Timetable, due: float) -> str:
    """What a clock change did to the fire at ``due``; empty when nothing."""
    at = datetime.fromtimestamp(due, timetable.zone)
    if isinstance(timetable, WallTimetable) and due == int(due):
        gone = timetable.skipped(int(due))
        if gone:
            return _gap_note(gone, at)
    first, second = at.replace(fold=0).utcoffset(), at.replace(fold=1).utcoffset()
    if first is not None and second is not None and first > second:
        return f"{_reading(at)} happens twice: the {'second' if at.fold else 'first'}"
    return ""


def clock_text(second: int) -> str:
    """A second of the day as ``06:30``, or ``06:30:15``."""
    text = str(timedelta(seconds=second)).zfill(8)
    return text.removesuffix(":00")


def _gap_note(gone: list[int], at: datetime) -> str:
    words = [clock_text(wall % DAY) for wall in gone]
    if len(words) > MANY:
        words = [words[0], f"{len(words) - 1} more"]
    same_day = calendar_date(gone[0] // DAY) == at.date()
    day = "this day" if same_day else calendar_date(gone[0] // DAY).isoformat()
    return f"{listed(words)} {'does' if len(gone) == 1 else 'do'} not exist on {day}: fires at {_reading(at)}"


def _reading(at: datetime) -> str:
    return clock_text(at.hour * 3600 + at.minute * 60 + at.second)
