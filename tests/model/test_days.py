"""Each rule for days against the plainest reading of its definition, day by day."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from aml_magics.model.days import CronDays, EveryNthDay, EveryNthMonth, EveryNthWeek, calendar_date, day_number

FIRST = date(2027, 12, 29)  # a Wednesday, and a leap year follows
SPAN = range(-40, 1200)


def expected_days(counts: Callable[[date], bool]) -> list[int]:
    return [day_number(FIRST) + offset for offset in SPAN if counts(FIRST + timedelta(days=offset))]


def found_days(rule: EveryNthDay | EveryNthWeek | EveryNthMonth | CronDays) -> list[int]:
    """All days of the span, and that each answer is the same from every day before it."""
    start, end = day_number(FIRST) + SPAN[0], day_number(FIRST) + SPAN[-1]
    found = []
    day = rule.at_or_after(start)
    while day is not None and day <= end:
        found.append(day)
        following = rule.at_or_after(day + 1)
        assert following is None or all(rule.at_or_after(any_day) == following for any_day in range(day + 1, following))
        day = following
    return found


@pytest.mark.parametrize("interval", [1, 2, 7, 30])
def test_every_nth_day_counts_from_the_first(interval):
    rule = EveryNthDay(day_number(FIRST), interval)
    assert found_days(rule) == expected_days(lambda day: day >= FIRST and (day - FIRST).days % interval == 0)


@pytest.mark.parametrize("interval", [1, 2, 3])
@pytest.mark.parametrize("weekdays", [(0,), (2,), (0, 1, 6), (5, 6)])
def test_every_nth_week_counts_mondays_and_leaves_out_days_before_the_first(interval, weekdays):
    monday = FIRST - timedelta(days=FIRST.weekday())
    rule = EveryNthWeek(day_number(FIRST), interval, weekdays)
    assert found_days(rule) == expected_days(
        lambda day: day >= FIRST and day.weekday() in weekdays and (day - monday).days // 7 % interval == 0
    )


@pytest.mark.parametrize("interval", [1, 2, 5, 12])
@pytest.mark.parametrize("dates", [FIRST, date(2027, 12, 31), date(2028, 2, 29), date(2027, 12, 1)])
def test_every_nth_month_passes_over_months_that_lack_the_day(interval, dates):
    months = dates.year * 12 + dates.month
    rule = EveryNthMonth(day_number(dates), interval)
    assert found_days(rule) == expected_days(
        lambda day: day >= dates and day.day == dates.day and (day.year * 12 + day.month - months) % interval == 0
    )


def test_cron_days_are_those_that_the_fields_say():
    rng = random.Random(5)
    for _ in range(60):
        days, months = rng.sample(range(1, 32), rng.randint(1, 5)), rng.sample(range(1, 13), rng.randint(1, 12))
        weekdays, either = rng.sample(range(7), rng.randint(1, 7)), rng.random() < 0.5
        rule = CronDays(bits(days), bits(months), bits(weekdays), either=either)

        def counts(day, days=days, months=months, weekdays=weekdays, either=either):
            matches = [day.day in days, day.isoweekday() % 7 in weekdays]
            return day.month in months and (any(matches) if either else all(matches))

        assert found_days(rule) == expected_days(counts)


def bits(values: list[int]) -> int:
    return sum(1 << value for value in values)


def test_a_day_number_is_the_date_it_came_from():
    assert day_number(date(1970, 1, 1)) == 0
    for day in (date(1970, 1, 1), date(2000, 2, 29), date(2100, 3, 1), date(9998, 12, 31)):
        assert calendar_date(day_number(day)) == day
