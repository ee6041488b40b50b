"""Recurrence: every so many units, as ``ScheduleRecurrence`` of the SDK documents it.

Minute and Hour (and Second, which only a kernel hosts) count real elapsed seconds from the start, so "every 24 hours"
moves on the wall clock when that changes. Day, Week and Month live on the wall clock of ``time_zone``, see
``timetable``.

* No ``start_time``: the first fire is at once, when the schedule is created, and the rest count from there. On Day,
  Week and Month they keep the wall time of the creation, to the second, where ``hours`` and ``minutes`` do not say
  otherwise.
* With a ``start_time``: it is the first fire itself, and in the past it only anchors the computed ones. When
  ``hours``, ``minutes`` or ``week_days`` are given, ``start_time`` never fires: the first computed time strictly after
  it does (the SDK: "if start_time matches week_days and time_of_day, the first workload does not run at start_time").
* ``hours`` and ``minutes`` are a cross product. The SDK shows hours without minutes as ``:00`` and minutes without
  hours as ``00:``, and that is what they mean here: minute 0, hour 0. ``lint`` points it out.
* Week counts weeks that start on Monday from the week of the start; without ``week_days`` it is the start's weekday.
* Month is the start's day of the month; months that do not have it are passed over, as Azure documents for 30 and 31.

``interval`` ends at 9,999,999, the most that Logic Apps (which hosts v1 schedules) takes for its finest unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import floor

from aml_magics.model.checks import checked_start, checked_zone, require_aware, whole_number
from aml_magics.model.days import Days, EveryNthDay, EveryNthMonth, EveryNthWeek, calendar_date
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.preview import FireTime, clock_text, fires
from aml_magics.model.timetable import ElapsedTimetable, Timetable, WallTimetable, every, times_of_day
from aml_magics.model.wall_clock import DAY, WallClock, wall_clock, wall_second
from aml_magics.model.words import (
    FREQUENCIES,
    WEEK_DAYS,
    count_of,
    finer,
    listed,
    meant_frequency,
    meant_week_day,
    plain,
)
from aml_magics.model.zones import windows_name, zone

__all__ = ["Recurrence"]

ELAPSED = {"Second": 1, "Minute": 60, "Hour": 3600}
GOES_WITH = {"hours": ("Day", "Week"), "minutes": ("Day", "Week"), "week_days": ("Week",)}
MOST = 9_999_999
MANY_TIMES = 8
AT_ONCE = "at once: there is no start_time"


@lru_cache(maxsize=4096)
def _elapsed(frequency: str, interval: int, time_zone: str) -> type[ElapsedTimetable] | None:
    """The timetables that follow real time, in one look-up: a hundred thousand are made when a kernel starts."""
    unit = ELAPSED.get(frequency)
    return None if unit is None else every(unit * interval, zone(time_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Every ``interval`` units of ``frequency``; see the module for what each field means.

    ``start_time`` is a naive wall clock reading in ``time_zone``, whose name is kept as written. ``hours`` (0-23) and
    ``minutes`` (0-59) go with Day or Week, ``week_days`` (English full names) with Week; all three are kept sorted and
    without repeats. InvalidInput names the field and the fix.
    """

    frequency: str
    interval: int = 1
    start_time: datetime | None = None
    time_zone: str = "UTC"
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    week_days: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.frequency not in FREQUENCIES:
            raise _unknown_frequency(self.frequency)
        interval = self.interval
        if type(interval) is not int or not 1 <= interval <= MOST:
            raise _bad_interval(interval, self.frequency)
        if self.start_time is not None:
            object.__setattr__(self, "start_time", checked_start(self.start_time))
        checked_zone(self.time_zone)
        if (self.hours, self.minutes, self.week_days) != ((), (), ()):
            self._check_calendar()

    def timetable(self, created: datetime) -> Timetable:
        """When it fires. ``created`` (aware) is the first fire and the anchor when there is no ``start_time``."""
        counted_from = _elapsed(self.frequency, self.interval, self.time_zone)
        if counted_from is None:
            return self._calendar(wall_clock(zone(self.time_zone)), created)
        if self.start_time is not None:
            return counted_from(wall_clock(counted_from.zone).first_instant(wall_second(self.start_time)))
        return counted_from(require_aware("created", created).timestamp())

    def next_fires(self, after: datetime, n: int, *, created: datetime | None = None) -> list[FireTime]:
        """The first ``n`` fires strictly after ``after``; ``created`` defaults to ``after``.

        The fire at once counts when ``created`` is not before ``after``, so a preview of a new schedule begins with it.
        """
        since = require_aware("after", after)
        born = since if created is None else require_aware("created", created)
        table = self.timetable(born)
        found: list[FireTime] = []
        if self.start_time is None and born >= since and n > 0:
            found = [FireTime(born.astimezone(table.zone), AT_ONCE)]
            since = born
        return found + fires(table, since.timestamp(), n - len(found))

    def in_words(self) -> str:
        """``every 15 minutes``, ``06:30 on Monday and Friday every 2 weeks``."""
        words = f"every {count_of(self.interval, self.frequency)}"
        if self.frequency in ELAPSED:
            return words
        week_days = self.week_days
        at, start = _said(self._times()), self.start_time
        if start is not None:
            at = at or clock_text(wall_second(start) % DAY)
            if self.frequency == "Month":
                at += f" on day {start.day}"
            elif self.frequency == "Week":
                week_days = week_days or (WEEK_DAYS[start.weekday()],)
        on = f"on {listed(week_days)}" if week_days else ""
        words = " ".join(filter(None, (at, on, words)))
        return words if self.time_zone == "UTC" else f"{words}, {self.time_zone}"

    def needs_kernel(self) -> tuple[str, ...]:
        """The options used that Azure's v1 service does not have."""
        used = {
            "frequency: Second": self.frequency == "Second",
            f"time_zone: {self.time_zone}": not windows_name(self.time_zone),
        }
        return tuple(name for name, is_used in used.items() if is_used)

    def _times(self) -> tuple[int, ...]:
        if not (self.hours or self.minutes):
            return ()
        return times_of_day(self.hours or (0,), self.minutes or (0,))

    def _calendar(self, clock: WallClock, created: datetime) -> WallTimetable:
        if self.start_time is not None:
            anchor = wall_second(self.start_time)
            computed = bool(self.hours or self.minutes or self.week_days)
            days, times = self._days_and_times(anchor)
            return WallTimetable(clock, days, times, least=anchor + computed)
        begin = require_aware("created", created).timestamp()
        days, times = self._days_and_times(floor(begin) + clock.segment(floor(begin)).offset)
        return WallTimetable(clock, days, times, begin=begin, at_once=True)

    def _days_and_times(self, anchor: int) -> tuple[Days, tuple[int, ...]]:
        day, second = divmod(anchor, DAY)
        return self._days(day), self._times() or (second,)

    def _days(self, first: int) -> Days:
        if self.frequency == "Day":
            return EveryNthDay(first, self.interval)
        if self.frequency == "Month":
            return EveryNthMonth(first, self.interval)
        named = tuple(WEEK_DAYS.index(name) for name in self.week_days)
        return EveryNthWeek(first, self.interval, named or (calendar_date(first).weekday(),))

    def _check_calendar(self) -> None:
        for name, frequencies in GOES_WITH.items():
            value = getattr(self, name)
            kept = _week_days(value) if name == "week_days" else _numbers(name, value)
            if kept and self.frequency not in frequencies:
                message = f"{name} goes with frequency {' or '.join(frequencies)}, not {self.frequency}"
                raise InvalidInput(message, hint=_calendar_hint(name, self.frequency))
            object.__setattr__(self, name, kept)


def _said(times: tuple[int, ...]) -> str:
    if len(times) > MANY_TIMES:
        return f"{len(times)} times from {clock_text(times[0])} to {clock_text(times[-1])}"
    return listed([clock_text(time) for time in times])


def _numbers(name: str, values: object) -> tuple[int, ...]:
    if not isinstance(values, list | tuple | set | frozenset | range):
        raise InvalidInput(f"{name} {values!r} is not a list", hint=f"Write {name}: [6, 18].")
    return tuple(sorted({whole_number(name, value, 0, 23 if name == "hours" else 59) for value in values}))


def _week_days(values: object) -> tuple[str, ...]:
    if not isinstance(values, list | tuple | set | frozenset):
        raise InvalidInput(f"week_days {values!r} is not a list", hint="Write week_days: [Monday, Friday].")
    for value in values:
        if value not in WEEK_DAYS:
            raise _unknown_week_day(value)
    return tuple(name for name in WEEK_DAYS if name in values)


def _unknown_week_day(value: object) -> InvalidInput:
    meant = meant_week_day(value) if isinstance(value, str) else ""
    hint = f"Write {meant!r}." if meant else did_you_mean(str(value), WEEK_DAYS)
    return InvalidInput(f"week_days {value!r} is not an English week day", hint=hint)


def _unknown_frequency(value: object) -> InvalidInput:
    if not isinstance(value, str):
        return InvalidInput(f"frequency {value!r} is not a unit of time", hint=f"It takes {', '.join(FREQUENCIES)}.")
    meant = meant_frequency(value)
    if meant:
        return InvalidInput(f"frequency {value!r} is not known", hint=f"Write {meant!r}.")
    if plain(value) in {"year", "years", "yearly", "ano", "anos", "an", "annee", "jahr", "jahre", "anno", "anni"}:
        return InvalidInput(f"frequency {value!r} is not known", hint="Write 'Month' with interval: 12.")
    return InvalidInput(f"frequency {value!r} is not known", hint=did_you_mean(value, FREQUENCIES))


def _bad_interval(value: object, frequency: str) -> InvalidInput:
    if type(value) is int:
        return InvalidInput(f"interval {value} is out of range", hint=f"It takes 1 to {MOST}.")
    same = finer(value, frequency) if isinstance(value, float) else ""
    if isinstance(value, float) and value.is_integer():
        hint = f"Write {int(value)}."
    else:
        hint = f"It is the same as every: {same}." if same else "Write a number such as 15."
    return InvalidInput(f"interval {value!r} is not a whole number", hint=hint)


def _calendar_hint(name: str, frequency: str) -> str:
    if name == "week_days":
        return "Write frequency: Week, or leave week_days out."
    if frequency == "Month":
        return f"Leave {name} out and give the time in start_time, or use a cron: 30 6 1 * *."
    return f"Write frequency: Day, or leave {name} out."
