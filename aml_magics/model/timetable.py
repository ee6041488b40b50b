"""Timetables: "when next?", as POSIX seconds in and out. The engine asks them a million times, so they are lean.

``ElapsedTimetable`` counts real seconds from an anchor: every 15 minutes, whatever the wall clock does.
``WallTimetable`` joins days with times of the day on the wall clock of a zone, in one of two ways; both are Debian
cron's, which is this project's measure of right:

* *fixed*: each time of day comes once a day, ``WallClock.first_instant`` says when. Times that a gap swallows come
  together at its end, as one.
* *real*: whatever the wall clock shows is looked at as it passes; a repeated hour repeats, a skipped one does not come.

A timetable is a pure function of its construction; what it remembers only makes the next answer faster, so any thread
may ask.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache
from math import floor
from typing import TYPE_CHECKING, Protocol

from aml_magics.model.wall_clock import DAY, LAST_INSTANT, TWO_DAYS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from aml_magics.model.days import Days
    from aml_magics.model.wall_clock import Segment, WallClock

__all__ = ["ElapsedTimetable", "Timetable", "WallTimetable", "every", "times_of_day"]


LAST_DAY = LAST_INSTANT // DAY


class Timetable(Protocol):
    @property
    def zone(self) -> ZoneInfo: ...

    def next_after(self, after: float) -> float | None:
        """The first instant strictly after ``after``, both POSIX seconds; ``None`` when there is none any more."""


class ElapsedTimetable(float):
    """An anchor (POSIX seconds) and every ``step`` seconds after it.

    An instance is nothing but its anchor, so that 100,000 of them and their place in a heap stay under 20 MB (an
    object with two slots and a float of its own took 22). What many have in common lives in their class, which
    ``every`` makes.
    """

    __slots__ = ()
    step: int
    zone: ZoneInfo

    def next_after(self, after: float) -> float | None:
        if after < self:
            return float(self)
        step = self.step
        due = self + ((after - self) // step + 1) * step
        if due <= after:  # an anchor with a fraction may round down by an ulp
            due += step
        return due if due < LAST_INSTANT else None


@lru_cache(maxsize=1024)
def every(step: int, zone: ZoneInfo) -> type[ElapsedTimetable]:
    """The timetables of that step (seconds) and zone: call it with the anchor."""
    return type("ElapsedTimetable", (ElapsedTimetable,), {"__slots__": (), "step": step, "zone": zone})


@lru_cache(maxsize=4096)
def times_of_day(hours: tuple[int, ...], minutes: tuple[int, ...]) -> tuple[int, ...]:
    """The cross product as seconds of the day, ascending. Equal ones are shared."""
    return tuple(sorted({hour * 3600 + minute * 60 for hour in hours for minute in minutes}))


class WallTimetable:
    """``days`` at ``times`` (seconds of the day, ascending, not empty) on the wall clock ``clock``.

    ``real`` chooses the second of the two ways of the module's description; in the first, readings before the wall
    second ``least`` do not count. Nothing comes at or before the instant ``begin``, except that ``at_once`` makes
    ``begin`` itself the first.
    """

    __slots__ = ("_midnight", "at_once", "begin", "clock", "days", "least", "real", "times")

    def __init__(
        self,
        clock: WallClock,
        days: Days,
        times: tuple[int, ...],
        *,
        real: bool = False,
        least: int = 0,
        begin: float = float("-inf"),
        at_once: bool = False,
    ) -> None:
        self.clock = clock
        self.days = days
        self.times = times
        self.real = real
        self.least = least
        self.begin = begin
        self.at_once = at_once
        self._midnight = 2 * LAST_INSTANT  # of the day that was found last, when nothing is special about it

    @property
    def zone(self) -> ZoneInfo:
        return self.clock.zone

    def next_after(self, after: float) -> float | None:
        midnight, times = self._midnight, self.times
        second = after - midnight
        if 0 <= second < times[-1]:
            return float(midnight + times[bisect_right(times, second)])
        if after < self.begin:
            if self.at_once:
                return self.begin
            after = self.begin
        instant = floor(after)
        return self._next_real(instant + 1) if self.real else self._next_fixed(instant)

    def skipped(self, instant: int) -> list[int]:
        """The times (wall seconds) that a gap swallowed and that come at ``instant``, its end, instead."""
        segment = self.clock.segment(instant)
        if self.real or segment.start != instant:
            return []
        gone = []
        wall = self.next_reading(max(segment.reached, self.least))
        while wall is not None and wall < instant + segment.offset:
            gone.append(wall)
            wall = self.next_reading(wall + 1)
        return gone

    def next_reading(self, wall: int) -> int | None:
        """The first wall second of this timetable that is not before ``wall``."""
        day, second = divmod(wall, DAY)
        found = self._day_from(day)
        if found == day:
            index = bisect_left(self.times, second)
            if index < len(self.times):
                return wall - second + self.times[index]
            found = self._day_from(day + 1)
        return None if found is None else found * DAY + self.times[0]

    def _day_from(self, day: int) -> int | None:
        found = self.days.at_or_after(day) if day < LAST_DAY else None
        return found if found is not None and found < LAST_DAY else None

    def _next_fixed(self, instant: int) -> float | None:
        segment = self.clock.segment(instant)
        # In the second pass of a fold the wall clock is where it has been before.
        wall = self.next_reading(max(instant + segment.offset + 1, segment.reached, self.least))
        if wall is None:
            return None
        while wall - segment.offset >= segment.end:
            segment = self.clock.segment(max(segment.end, wall - segment.offset - TWO_DAYS))
        self._remember(wall, segment)
        return float(max(wall - segment.offset, segment.start))

    def _next_real(self, instant: int) -> float | None:
        # Bounded: each turn moves on by a segment, and next_reading ends within the calendar.
        while True:
            segment = self.clock.segment(instant)
            wall = self.next_reading(instant + segment.offset)
            if wall is None:
                return None
            due = wall - segment.offset
            if due < segment.end:
                self._remember(wall, segment)
                return float(due)
            # A fold at the end of two days without a fire only repeats readings without one: leap.
            near = segment.end - instant < TWO_DAYS
            instant = segment.end if near else max(segment.end, due - TWO_DAYS)

    def _remember(self, wall: int, segment: Segment) -> None:
        """Note the day of ``wall``, so that its other times are found at once, when the clock does not change on it."""
        start, end, offset, reached = segment
        first = wall - wall % DAY
        midnight = first - offset
        if start <= midnight and midnight + DAY <= end and first >= max(reached, self.least) and midnight >= self.begin:
            self._midnight = midnight
