"""Which days: the date half of a timetable. Each rule answers ``at_or_after(day)`` with the first such day, or
``None``.

A *day* is the number of days since 1970-01-01 on the wall calendar. Weeks start on Monday. Every search ends: the
rules by interval are closed forms but for the month, which tries at most ``MONTHS_TRIED`` steps, and cron looks
``MONTHS_AHEAD`` months ahead, which is twice the longest wait there is (29 February on one weekday: 40 years, across
2100).
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

__all__ = ["CronDays", "Days", "EveryNthDay", "EveryNthMonth", "EveryNthWeek", "calendar_date", "day_number"]

EPOCH = date(1970, 1, 1).toordinal()
LAST_YEAR = 9998
MONTHS_TRIED = 100
MONTHS_AHEAD = 960
MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH


def calendar_date(day: int) -> date:
    """The date of a day number."""
    return date.fromordinal(day + EPOCH)


def _month_length(year: int, month: int) -> int:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap else MONTH_LENGTHS[month - 1]


class Days(Protocol):
    def at_or_after(self, day: int) -> int | None:
        """The first day of this rule that is not before ``day``."""


class EveryNthDay:
    """Every ``interval`` days, counted from ``first``."""

    __slots__ = ("first", "interval")

    def __init__(self, first: int, interval: int) -> None:
        self.first = first
        self.interval = interval

    def at_or_after(self, day: int) -> int | None:
        return day + (self.first - day) % self.interval if day > self.first else self.first


class EveryNthWeek:
    """The ``weekdays`` (0 = Monday, ascending) of every ``interval``-th week, counted from the week that ``first`` is
    in.

    Days of that first week before ``first`` itself do not count.
    """

    __slots__ = ("first", "interval", "monday", "weekdays")

    def __init__(self, first: int, interval: int, weekdays: tuple[int, ...]) -> None:
        self.first = first
        self.interval = interval
        self.weekdays = weekdays
        self.monday = first - calendar_date(first).weekday()

    def at_or_after(self, day: int) -> int | None:
        week, weekday = divmod(max(day, self.first) - self.monday, 7)
        if week % self.interval == 0:
            for wanted in self.weekdays:
                if wanted >= weekday:
                    return self.monday + week * 7 + wanted
        return self.monday + (week // self.interval + 1) * self.interval * 7 + self.weekdays[0]


class EveryNthMonth:
    """The day of the month of ``first``, every ``interval`` months from then; months without that day are passed
    over."""

    __slots__ = ("first", "interval", "month", "wanted")

    def __init__(self, first: int, interval: int) -> None:
        start = calendar_date(first)
        self.first = first
        self.interval = interval
        self.month = start.year * 12 + start.month - 1
        self.wanted = start.day

    def at_or_after(self, day: int) -> int | None:
        if day <= self.first:
            return self.first
        today = calendar_date(day)
        month = today.year * 12 + today.month - 1 + (today.day > self.wanted)
        month += (self.month - month) % self.interval
        for _ in range(MONTHS_TRIED):
            year, index = divmod(month, 12)
            if year > LAST_YEAR:
                return None
            if self.wanted <= _month_length(year, index + 1):
                return day_number(date(year, index + 1, self.wanted))
            month += self.interval
        return None


class CronDays:
    """Cron's three date fields. A bit of ``days`` is a day of the month (1-31), of ``months`` a month (1-12).

    ``weekdays`` has bit 0 for Sunday. ``either``: a day counts when one of both day fields has it (both are
    restricted); otherwise both must have it.
    """

    __slots__ = ("_by_first_weekday", "days", "either", "every_day", "months")

    def __init__(self, days: int, months: int, weekdays: int, *, either: bool) -> None:
        self.days = days
        self.months = months
        self.either = either
        # For a month that starts on weekday w: the days of the month that fall on the wanted weekdays.
        self._by_first_weekday = tuple(
            sum(1 << day for day in range(1, 32) if weekdays >> (first + day - 1) % 7 & 1) for first in range(7)
        )
        self.every_day = days == 0xFFFFFFFE and months == 0x1FFE and weekdays == 0x7F

    def at_or_after(self, day: int) -> int | None:
        if self.every_day:
            return day
        today = calendar_date(day)
        year, month, since = today.year, today.month, today.day
        for _ in range(MONTHS_AHEAD):
            if year > LAST_YEAR:
                return None
            if self.months >> month & 1:
                left = self._days_of(year, month) >> since << since
                if left:
                    return day_number(date(year, month, (left & -left).bit_length() - 1))
            since = 1
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return None

    def _days_of(self, year: int, month: int) -> int:
        by_weekday = self._by_first_weekday[date(year, month, 1).isoweekday() % 7]
        days = self.days | by_weekday if self.either else self.days & by_weekday
        return days & ((2 << _month_length(year, month)) - 1)
