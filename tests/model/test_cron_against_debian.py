"""Cron timetables fire exactly when Debian's cron would, around every clock change looked at."""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from aml_magics.model.triggers import Cron, Timetable

from .oracles import DAY, DebianCron, transitions

NOW = datetime(2026, 11, 22, tzinfo=UTC)
# The required zones, and some that change their clocks in other ways: by two hours, for Ramadan, at midnight.
ZONES = (
    "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "America/St_Johns", "Asia/Beirut",
    "Asia/Kolkata", "UTC", "Africa/Cairo", "Africa/Casablanca", "America/Santiago", "Antarctica/Troll", "Asia/Tehran",
    "Europe/Dublin", "America/Havana",
)  # fmt: skip
YEARS = (1986, 2037)
DAYS = 3  # to both sides of the change
WINDOWS = 5_000
PLACES = 250  # clock changes; several windows at each, since walking its minutes is what costs


def test_five_thousand_windows_around_clock_changes_have_not_one_wrong_fire():
    rng = random.Random(20261122)
    wrong = []
    for _ in range(PLACES):
        zone = rng.choice(ZONES)
        around = random_change(rng, zone)
        cron = DebianCron(zone, around, DAYS)
        for _ in range(-(-WINDOWS // PLACES)):
            expression = random_expression(rng, around, zone)
            since = around + rng.uniform(0.25 - DAYS, DAYS) * DAY  # cron's clocks settle first
            wrong += difference(cron, zone, expression, since)
    assert wrong == [], "\n".join(wrong)


def difference(cron: DebianCron, zone: str, expression: str, since: float) -> list[str]:
    """What is wrong with the fires after ``since``: asked one after the other, then here and there."""
    timetable = Cron(expression=expression, time_zone=zone).timetable(NOW)
    expected = [fire for fire in cron.fires(expression) if fire > since]
    fires = walk(timetable, since, cron.last)
    where = f"{expression!r} in {zone} from {since}"
    if fires != expected:
        extra, missing = sorted({*fires} - {*expected}), sorted({*expected} - {*fires})
        return [f"{where}: extra {extra[:5]}, missing {missing[:5]}"]
    rng = random.Random(f"{where}")
    for _ in range(10):
        after = rng.uniform(since, cron.last)
        due = timetable.next_after(after)
        later = bisect_right(expected, after)
        if later < len(expected) and due != expected[later]:
            return [f"{where}: after {after} comes {due}, not {expected[later]}"]
    return []


def walk(timetable: Timetable, since: float, end: int) -> list[float]:
    fires = []
    due = timetable.next_after(since)
    while due is not None and due < end:
        fires.append(due)
        due = timetable.next_after(due)
    return fires


def random_change(rng: random.Random, zone: str) -> int:
    changes = transitions(zone, *YEARS)
    if not changes:
        return rng.randrange(*(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in YEARS))
    return rng.choice(changes)


def random_expression(rng: random.Random, around: int, zone: str) -> str:
    at = wall(around, zone)
    minute = rng.choice(["*", "*/7", "*/15", "*/20", "5/10", "0", "30", "59", "0-59", "0,30", "1-9/4", f"{at.minute}"])
    if minute not in {"*", "0-59"} and rng.random() < 0.5:
        minute = str(rng.randrange(60))
    near = sorted({(at.hour + offset) % 24 for offset in rng.sample(range(-3, 3), rng.randint(1, 3))})
    hour = rng.choice(["*", "*/2", "*/6", "0-23", "0", "1", "2", "23", "0,1,2,3", "22-23", ",".join(map(str, near))])
    day = rng.choice(["*"] * 8 + [str(at.day), "*/2", "1-15", "31", f"{max(1, at.day - 2)}-{max(2, at.day)}"])
    month = rng.choice(["*"] * 6 + [str(at.month), at.strftime("%b").upper(), "*/3", "1-6"])
    weekday = rng.choice(["*"] * 6 + ["0", "Sun", "1-5", "MON-SAT", "*/2", "5,6,0", str(at.isoweekday() % 7)])
    return f"{minute} {hour} {day} {month} {weekday}"


@cache
def wall(instant: int, zone: str) -> datetime:
    return datetime.fromtimestamp(instant, ZoneInfo(zone))


# What the random windows found in others (or would have found in us), kept by name.
@pytest.mark.parametrize(
    ("expression", "zone", "day"),
    [
        ("58 */2 * * *", "America/St_Johns", datetime(2009, 10, 30, 14, 19, tzinfo=UTC)),  # cronsim never returns
        ("30 23 * * *", "America/St_Johns", datetime(2009, 11, 1, 2, 31, tzinfo=UTC)),  # the fold crosses midnight
        ("0 0 * * *", "America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),
        ("0 0 * * *", "America/Sao_Paulo", datetime(2018, 11, 4, 3, 0, tzinfo=UTC)),  # no midnight
        ("30 1 * * *", "America/New_York", datetime(2026, 11, 1, 6, 0, tzinfo=UTC)),
        ("30 2 * * *", "America/New_York", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("0,30 2 * * *", "America/New_York", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("0 2,3 * * *", "America/New_York", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("*/15 2 * * *", "America/New_York", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("*/15 1 * * *", "America/New_York", datetime(2026, 11, 1, 6, 0, tzinfo=UTC)),
        ("45 1 * * *", "Australia/Lord_Howe", datetime(2026, 4, 4, 15, 0, tzinfo=UTC)),  # half an hour back
        ("15 2 * * *", "Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ],
)
def test_known_hard_days_are_right(expression, zone, day):
    around = int(day.timestamp())
    assert difference(DebianCron(zone, around, DAYS), zone, expression, around - (DAYS - 0.5) * DAY) == []
