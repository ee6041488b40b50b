"""Cron: five fields on the wall clock of a zone. Only a kernel hosts it: Azure's v1 service has no cron.

``cron_fields`` says how an expression is read, ``timetable`` what clock changes do to it. A cron never fires at once,
and never before its ``start_time``; a ``start_time`` that matches does fire.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from aml_magics.model.checks import checked_start, checked_zone, require_aware
from aml_magics.model.cron_fields import CronFields, read_cron
from aml_magics.model.days import CronDays
from aml_magics.model.errors import InvalidInput
from aml_magics.model.preview import FireTime, fires
from aml_magics.model.timetable import Timetable, WallTimetable, times_of_day
from aml_magics.model.wall_clock import wall_clock, wall_second
from aml_magics.model.zones import zone

__all__ = ["Cron"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """``expression`` has five fields; ``start_time`` is naive, in ``time_zone``, and nothing fires before it."""

    expression: str
    time_zone: str = "UTC"
    start_time: datetime | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.expression, str):
            raise InvalidInput(f"cron {self.expression!r} is not text", hint="Put it in quotes: '0 6 * * 1-5'.")
        object.__setattr__(self, "expression", " ".join(self.expression.split()))
        read_cron(self.expression)
        checked_zone(self.time_zone)
        object.__setattr__(self, "start_time", checked_start(self.start_time))

    @property
    def fields(self) -> CronFields:
        """The values of each field."""
        return read_cron(self.expression)

    def timetable(self, created: datetime) -> Timetable:
        """When it fires; ``created`` does not matter to a cron. Equal crons share one timetable."""
        require_aware("created", created)
        return _timetable(self)

    def next_fires(self, after: datetime, n: int, *, created: datetime | None = None) -> list[FireTime]:
        """The first ``n`` fires strictly after ``after``."""
        since = require_aware("after", after)
        return fires(self.timetable(since if created is None else created), since.timestamp(), n)

    def in_words(self) -> str:
        """``cron 0 6 * * 1-5``."""
        words = f"cron {self.expression}"
        return words if self.time_zone == "UTC" else f"{words}, {self.time_zone}"

    def needs_kernel(self) -> tuple[str, ...]:
        """The options used that Azure's v1 service does not have."""
        return ("cron",)


@lru_cache(maxsize=4096)
def _timetable(cron: Cron) -> WallTimetable:
    fields = cron.fields
    clock = wall_clock(zone(cron.time_zone))
    days = CronDays(_bits(fields.days), _bits(fields.months), _bits(fields.weekdays), either=fields.either_day)
    times = times_of_day(fields.hours, fields.minutes)
    start = 0 if cron.start_time is None else wall_second(cron.start_time)
    if not fields.real:
        return WallTimetable(clock, days, times, least=start)
    # In a fold, readings below the start's come once more after it, and those count.
    return WallTimetable(clock, days, times, real=True, begin=clock.first_instant(start) - 1)


def _bits(values: tuple[int, ...]) -> int:
    return sum(1 << value for value in values)
