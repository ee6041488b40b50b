"""Recurrences by day, week and month fire exactly at the wall times of dateutil's rrule, clock changes included."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aml_magics.model.triggers import Recurrence
from aml_magics.model.words import WEEK_DAYS

from .oracles import DAY, recurrence_fires, transitions

ZONES = (
    "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "America/St_Johns", "Asia/Beirut",
    "Asia/Kolkata", "UTC",
)  # fmt: skip
YEARS = (2005, 2032)
ROUNDS = 1_500


def test_random_recurrences_around_clock_changes_have_not_one_wrong_fire():
    rng = random.Random(7)
    wrong = []
    for _ in range(ROUNDS):
        zone = rng.choice(ZONES)
        start = random_start(rng, zone)
        fields = random_fields(rng)
        span = {"Day": 40, "Week": 150, "Month": 900}[fields["frequency"]] * fields["interval"]
        until = start + timedelta(days=min(span, 3000))
        expected = recurrence_fires(zone, start=start, until=until, **fields)
        found = walk(zone, start, fields, until)
        if found != expected:
            differ = sorted({*found} ^ {*expected})[:5]
            wrong.append(f"{fields} from {start} in {zone}: {differ}")
    assert wrong == [], "\n".join(wrong)


def walk(zone: str, start: datetime, fields: dict, until: datetime) -> list[float]:
    named = {**fields, "week_days": tuple(WEEK_DAYS[day] for day in fields["week_days"])}
    trigger = Recurrence(start_time=start, time_zone=zone, **named)
    # far in the past or near the start: what is asked after must not matter
    since = start.replace(tzinfo=ZoneInfo(zone)).timestamp() - 3 * DAY
    timetable = trigger.timetable(datetime.fromtimestamp(since, UTC))
    end = until.replace(tzinfo=ZoneInfo(zone)).timestamp()
    fires = []
    due = timetable.next_after(since)
    while due is not None and due <= end:
        fires.append(due)
        due = timetable.next_after(due)
    return fires


def random_start(rng: random.Random, zone: str) -> datetime:
    changes = transitions(zone, *YEARS) or (1_500_000_000,)
    near = rng.choice(changes) - rng.randrange(20 * DAY)
    start = datetime.fromtimestamp(near, ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)
    if rng.random() < 0.7:
        start = start.replace(hour=rng.choice([0, 1, 2, 23]), minute=rng.choice([0, 15, 30, 59]), second=0)
    if rng.random() < 0.2:
        start = start.replace(month=rng.choice([1, 3, 5]), day=rng.choice([29, 30, 31]))
    return start


def random_fields(rng: random.Random) -> dict:
    frequency = rng.choice(["Day", "Week", "Month"])
    hours = minutes = week_days = ()
    if frequency != "Month" and rng.random() < 0.6:
        hours = tuple(sorted(rng.sample([0, 1, 2, 3, 12, 23], rng.randint(0, 3))))
        minutes = tuple(sorted(rng.sample([0, 15, 30, 59], rng.randint(0, 2))))
    if frequency == "Week" and rng.random() < 0.6:
        week_days = tuple(sorted(rng.sample(range(7), rng.randint(1, 4))))
    interval = rng.choice([1, 1, 1, 2, 3, 5, 12])
    return {
        "frequency": frequency,
        "interval": interval,
        "hours": hours,
        "minutes": minutes,
        "week_days": week_days,
    }
