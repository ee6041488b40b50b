"""What the clock on the wall shows in a zone, at any instant, as plain integers.

An instant is POSIX seconds. A *wall second* is the reading of the local clock, counted as if the zone were UTC; so a
day is ``wall // 86400``, and no ``datetime`` is built to ask "when next?". Between two changes of the offset lies a
``Segment``. ``ZoneInfo`` does not show its changes, so they are found by looking at the offset once a day and halving:
about 0.3 ms for each stretch of 400 days, kept for good. (No zone changed there and back within a day.)

``first_instant`` is the rule of this project for a time of day: the first instant at which the wall clock has reached
it. In a gap that is the first moment after the gap, in a fold it is the first pass. It never decreases as the wall
second grows, so each wall second has exactly one instant. This is how Debian's cron treats jobs with a fixed time; cron
gives up on jumps of three hours and more, we do not.

One clock a zone, made on first use and shared by every timetable, from any thread: what it remembers can be computed
twice, never wrongly.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["DAY", "TWO_DAYS", "Segment", "WallClock", "wall_clock", "wall_second"]

DAY = 86_400
TWO_DAYS = 2 * DAY  # more than any clock was ever put forward or back
STRETCH = 400 * DAY
LAST_INSTANT = 253_370_764_800  # 9999-01-01: the end of what datetime can tell, with room for any offset
WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 wall clock readings have no zone
SECOND = timedelta(seconds=1)


class Segment(NamedTuple):
    """Instants ``start <= t < end`` with one offset.

    ``reached`` is what the wall clock had come to just before ``start``: after a fold it is more than
    ``start + offset``, after a gap less.
    """

    start: int
    end: int
    offset: int
    reached: int


class WallClock:
    """The local clock of one zone; see the module. Get one with ``wall_clock``."""

    __slots__ = ("_stretches", "latest", "zone")

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._stretches: dict[int, tuple[list[int], list[Segment]]] = {}
        self.latest = Segment(0, 0, 0, 0)  # asked for last: nearly always the one that is wanted next

    def segment(self, instant: int) -> Segment:
        """The segment that ``instant`` lies in. Segments may also end where nothing changes."""
        segment = self.latest
        start, end, _offset, _reached = segment  # quicker than by name, and this runs for every answer
        if start <= instant < end:
            return segment
        index = instant // STRETCH
        found = self._stretches.get(index)
        if found is None:
            segments = self._find(index * STRETCH)
            found = self._stretches[index] = ([segment.start for segment in segments], segments)
        starts, segments = found
        segment = segments[bisect_right(starts, instant) - 1]
        self.latest = segment
        return segment

    def first_instant(self, wall: int) -> int:
        """The first instant at which the wall clock has reached ``wall``."""
        segment = self.segment(wall - TWO_DAYS)
        while wall - segment.offset >= segment.end:
            segment = self.segment(segment.end)
        return max(wall - segment.offset, segment.start)

    def _offset(self, instant: int) -> int:
        offset = datetime.fromtimestamp(min(instant, LAST_INSTANT), self.zone).utcoffset()
        return offset // SECOND if offset is not None else 0

    def _find(self, start: int) -> list[Segment]:
        # Two days more at the front: the first segment must know of a fold that has just happened.
        looks = range(start - TWO_DAYS, start + STRETCH + 1, DAY)
        offsets = [self._offset(look) for look in looks]
        segments: list[Segment] = []
        since, offset, reached = looks[0], offsets[0], looks[0] + offsets[0]
        for look, new in zip(looks, offsets, strict=True):
            if new != offset:
                change = self._change(look - DAY, look)
                segments.append(Segment(since, change, offset, reached))
                since, offset, reached = change, new, change + offset
        segments.append(Segment(since, start + STRETCH, offset, reached))
        return [
            _from(start, segment)._replace(end=min(segment.end, start + STRETCH))
            for segment in segments
            if start < segment.end and segment.start < start + STRETCH
        ]

    def _change(self, before: int, after: int) -> int:
        """The first instant in ``(before, after]`` with the offset of ``after``."""
        offset = self._offset(after)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == offset:
                after = middle
            else:
                before = middle
        return after


def _from(start: int, segment: Segment) -> Segment:
    """The part of a segment that is not before ``start``."""
    if segment.start >= start:
        return segment
    return segment._replace(start=start, reached=max(segment.reached, start + segment.offset))


@cache
def wall_clock(zone: ZoneInfo) -> WallClock:
    """The one clock of that zone."""
    return WallClock(zone)


def wall_second(reading: datetime) -> int:
    """A naive date and time as a wall second; what is less than a second is dropped."""
    since = reading - WALL_EPOCH
    return since.days * DAY + since.seconds
