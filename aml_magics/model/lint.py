"""Warnings: what a trigger will do that its author may not have meant. Nothing here is an error.

Each check looks at one thing and yields sentences; ``warnings_for`` runs those of the trigger's kind. Clock changes are
looked up for a year ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from aml_magics.model.change import DatastoreChange
from aml_magics.model.cron import Cron
from aml_magics.model.cron_fields import FIELDS
from aml_magics.model.preview import note_on
from aml_magics.model.recurrence import ELAPSED, Recurrence
from aml_magics.model.timetable import Timetable, WallTimetable
from aml_magics.model.wall_clock import DAY, wall_clock, wall_second

if TYPE_CHECKING:
    from aml_magics.model.triggers import Trigger

__all__ = ["warnings_for"]

YEAR = 366 * DAY
LAST_SAFE_DAY = 28
SHORT_MONTHS = {29: "February has one only in leap years", 30: "February has none", 31: "five months have none"}


def warnings_for(trigger: Trigger, now: datetime) -> list[str]:
    """What to know about ``trigger`` before it starts at ``now`` (aware). One sentence each, the gravest first."""
    if isinstance(trigger, Recurrence):
        return list(_of_recurrence(trigger, now))
    if isinstance(trigger, Cron):
        return list(_of_cron(trigger, now))
    if isinstance(trigger, DatastoreChange):
        return list(_of_change(trigger))
    assert_never(trigger)


def _of_recurrence(trigger: Recurrence, now: datetime) -> Iterator[str]:
    table = trigger.timetable(now)
    start = trigger.start_time
    yield from _never(table, now)
    if trigger.hours and not trigger.minutes:
        yield "hours without minutes: it fires at minute 0"
    if trigger.minutes and not trigger.hours:
        yield "minutes without hours: it fires in hour 0, right after midnight"
    if start is not None:
        yield from _start(start, table, now)
    if trigger.frequency == "Month":
        day = (start or now.astimezone(table.zone)).day
        if day > LAST_SAFE_DAY:
            yield f"day {day}: months without it are skipped ({SHORT_MONTHS[day]})"
    if trigger.frequency not in ELAPSED:
        yield from _gaps(table, now)


def _start(start: datetime, table: Timetable, now: datetime) -> Iterator[str]:
    instant = wall_clock(table.zone).first_instant(wall_second(start))
    following = table.next_after(now.timestamp())
    if instant <= now.timestamp():
        if following is not None:
            at = datetime.fromtimestamp(following, table.zone)
            yield f"start_time is in the past: the first fire is {at:%Y-%m-%d %H:%M}, computed from it"
    elif isinstance(table, WallTimetable) and following != instant:
        wall = wall_second(start)
        if table.next_reading(wall) == wall:
            yield "start_time itself does not fire: it matches the days and times, and the next match is the first"


def _of_cron(trigger: Cron, now: datetime) -> Iterator[str]:
    table = trigger.timetable(now)
    fields = trigger.fields
    yield from _never(table, now)
    if fields.either_day:
        yield "both day fields are set: it fires when either of them matches"
    if len(fields.days) < 31 or len(fields.months) < 12:
        yield "Azure's v2 schedules ignore day-of-month and month: there it would fire on every other day too"
    if min(fields.days) > LAST_SAFE_DAY and table.next_after(now.timestamp()) is not None:
        yield f"day {fields.days[0]}: months without it are skipped ({SHORT_MONTHS[fields.days[0]]})"
    yield from _uneven_steps(fields.texts)
    yield from _gaps(table, now)


def _uneven_steps(texts: tuple[str, ...]) -> Iterator[str]:
    for field, text in zip(FIELDS[:2], texts, strict=False):
        size = field.high + 1
        if not text.startswith("*/") or "," in text:
            continue
        step = int(text[2:])
        last = (size - 1) // step * step
        if step >= size:
            yield f"{field.name} {text} matches only {field.name} 0; every: {step} {field.name}s counts through"
        elif size % step:
            yield f"{field.name} {text} is uneven: after {last} comes 0, only {size - last} later"


def _of_change(trigger: DatastoreChange) -> Iterator[str]:
    seconds = trigger.polling_interval.total_seconds()
    if seconds < 1:
        yield f"polling every {seconds:g} seconds: each poll lists the whole place"
    if any(sign in trigger.path_on_datastore for sign in "*?[]"):
        yield f"path_on_datastore {trigger.path_on_datastore!r} is a folder's name, not a pattern"
    if trigger.pattern and not any(sign in trigger.pattern for sign in "*?["):
        yield f"pattern {trigger.pattern!r} has no * and no ?: it matches that one name only"
    if trigger.append_only:
        yield "append_only: a file whose name sorts before the newest one may never be seen"


def _never(table: Timetable, now: datetime) -> Iterator[str]:
    if table.next_after(now.timestamp()) is None:
        yield "it never fires: no such date comes"


def _gaps(table: Timetable, now: datetime) -> Iterator[str]:
    """The fires of the coming year that a clock change moves."""
    if not isinstance(table, WallTimetable):
        return
    instant, end = int(now.timestamp()), int(now.timestamp()) + YEAR
    notes = []
    while instant < end:
        instant = table.clock.segment(instant).end
        if instant > table.begin and table.skipped(instant):
            notes.append(f"{datetime.fromtimestamp(instant, table.zone):%Y-%m-%d}: {note_on(table, instant)}")
    yield from notes
