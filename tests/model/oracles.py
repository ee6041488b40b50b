"""Two independent answers to "when does it fire?", slow and simple, to hold the timetables against.

``DebianCron`` is the main loop of Debian's cron, walked minute by minute over real UTC: a virtual clock follows the
wall clock; when the wall clock jumps, jobs with a ``*`` in minute or hour run by the wall clock alone, and jobs at a
fixed time run once as the virtual clock passes it. Its fields are expanded by croniter, not by our parser.

``recurrence_fires`` takes wall times from dateutil's rrule and finds the instant of each by going back through UTC.

Neither imports anything of ours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from croniter import croniter
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule

MINUTE, HOUR, DAY = 60, 3600, 86_400
MINUTES_A_DAY = 24 * 60
EPOCH = datetime(1970, 1, 1)
EPOCH_MINUTES = EPOCH.toordinal() * MINUTES_A_DAY
THREE_HOURS = 180  # minutes: what cron takes for a clock change; more is a clock that was set


@cache
def transitions(zone: str, first_year: int, last_year: int) -> tuple[int, ...]:
    """The instants at which the offset of a zone changes: looked at every six hours, then halved."""
    where = ZoneInfo(zone)

    def offset(instant):
        return datetime.fromtimestamp(instant, where).utcoffset()

    found = []
    looks = range(_instant(first_year), _instant(last_year + 1), 6 * HOUR)
    before = offset(looks[0])
    for look in looks:
        now = offset(look)
        if now != before:
            low, high = look - 6 * HOUR, look
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if offset(middle) == now else (middle, high)
            found.append(high)
        before = now
    return tuple(found)


def _instant(year):
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


class DebianCron:
    """Cron in one zone, from ``days`` before ``around`` to ``days`` after; ``around`` is POSIX seconds.

    Which minutes cron looks at does not depend on the job, so its clocks are walked once: ``usual`` has the instants at
    which all jobs are held against the minute on the wall, ``unusual`` those at which wildcard jobs and jobs at a fixed
    time look at minutes of their own.
    """

    def __init__(self, zone: str, around: int, days: int) -> None:
        where = ZoneInfo(zone)
        first = around // MINUTE * MINUTE - days * DAY
        self.last = around // MINUTE * MINUTE + days * DAY
        self.usual: list[tuple[int, int]] = []
        self.unusual: list[tuple[int, range, range]] = []
        virtual = self._clock(first, where)
        for instant in range(first + MINUTE, self.last, MINUTE):
            now = self._clock(instant, where)
            jump = now - virtual
            if jump == 1 or abs(jump) > THREE_HOURS:
                self.usual.append((instant, now))
                virtual = now
            elif jump > 5:
                self.unusual.append((instant, range(now, now + 1), range(virtual + 1, now + 1)))
                virtual = now
            elif jump > 0:
                self.unusual.append((instant, range(virtual + 1, now + 1), range(virtual + 1, now + 1)))
                virtual = now
            else:
                self.unusual.append((instant, range(now, now + 1), range(0)))

    @staticmethod
    def _clock(instant: int, where: ZoneInfo) -> int:
        """Minutes of the wall clock since 1970."""
        at = datetime.fromtimestamp(instant, where)
        return at.toordinal() * MINUTES_A_DAY - EPOCH_MINUTES + at.hour * 60 + at.minute

    def fires(self, expression: str) -> list[int]:
        """The instants of this stretch at which the job runs; more than one run in a minute is one fire."""
        job = Job(expression)
        runs = [instant for instant, now in self.usual if now % MINUTES_A_DAY in job.minutes and job.matches(now)]
        for instant, wild, fixed in self.unusual:
            if any(map(job.matches, wild if job.wild else fixed)):
                runs.append(instant)
        return sorted(runs)


class Job:
    """One line of a crontab."""

    def __init__(self, expression: str) -> None:
        texts = expression.split()
        expanded = croniter.expand(expression)[0]
        full = (range(60), range(24), range(1, 32), range(1, 13), range(7))
        fields = [set(every) if "*" in values else set(values) for values, every in zip(expanded, full, strict=True)]
        self.minutes = {hour * 60 + minute for hour in fields[1] for minute in fields[0]}
        self.days, self.months, self.weekdays = fields[2:]
        self.wild = texts[0][0] == "*" or texts[1][0] == "*"
        self.day_star = texts[2][0] == "*" or texts[4][0] == "*"
        self.on_day: dict[int, bool] = {}

    def matches(self, minute: int) -> bool:
        day, minute_of_day = divmod(minute, MINUTES_A_DAY)
        if minute_of_day not in self.minutes:
            return False
        if day not in self.on_day:
            self.on_day[day] = self._matches_date(EPOCH + timedelta(days=day))
        return self.on_day[day]

    def _matches_date(self, date: datetime) -> bool:
        if date.month not in self.months:
            return False
        by_day, by_weekday = date.day in self.days, date.isoweekday() % 7 in self.weekdays
        return by_day and by_weekday if self.day_star else by_day or by_weekday


def recurrence_fires(
    zone: str,
    *,
    frequency: str,
    interval: int,
    start: datetime,
    until: datetime,
    hours: tuple[int, ...] = (),
    minutes: tuple[int, ...] = (),
    week_days: tuple[int, ...] = (),
) -> list[int]:
    """POSIX seconds of all fires from ``start`` to ``until``, both naive wall times of ``zone``; 0 is Monday."""
    rules: dict[str, object] = {}
    if hours or minutes:
        rules |= {"byhour": hours or (0,), "byminute": minutes or (0,), "bysecond": 0}
    if frequency == "Week":
        rules["byweekday"] = week_days or (start.weekday(),)
    if frequency == "Month":
        rules["bymonthday"] = start.day
    unit = {"Day": DAILY, "Week": WEEKLY, "Month": MONTHLY}[frequency]
    walls = list(rrule(unit, dtstart=start, interval=interval, wkst=0, until=until, **rules))
    if hours or minutes or week_days:
        walls = [wall for wall in walls if wall != start]
    return sorted({instant_of(wall, zone) for wall in walls})


def instant_of(wall: datetime, zone: str) -> int:
    """The first pass of a wall time; in a gap the end of the gap."""
    where = ZoneInfo(zone)
    instant = int(wall.replace(tzinfo=where, fold=0).timestamp())
    if datetime.fromtimestamp(instant, where).replace(tzinfo=None) == wall:
        return instant
    instant -= instant % MINUTE  # past the gap, since fold=0 counted with the offset before it
    after = datetime.fromtimestamp(instant, where).utcoffset()
    while datetime.fromtimestamp(instant - MINUTE, where).utcoffset() == after:
        instant -= MINUTE
    return instant
