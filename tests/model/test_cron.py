"""Cron triggers: what an expression means, and that every search for the next fire ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aml_magics.model import days
from aml_magics.model.cron import Cron
from aml_magics.model.cron_fields import read_cron
from aml_magics.model.errors import InvalidInput

NOW = datetime(2026, 11, 22, 12, 3, tzinfo=UTC)


def fires(expression: str, count: int = 3, after: datetime = NOW, **fields: object) -> list[str]:
    trigger = Cron(expression=expression, **fields)
    return [f"{fire.at:%a %Y-%m-%d %H:%M %z}" for fire in trigger.next_fires(after, count)]


def test_a_fixed_time_on_weekdays():
    assert fires("0 6 * * 1-5") == [
        "Mon 2026-11-23 06:00 +0000",
        "Tue 2026-11-24 06:00 +0000",
        "Wed 2026-11-25 06:00 +0000",
    ]


def test_a_fixed_time_in_a_gap_comes_at_its_end_and_once():
    after = datetime(2027, 3, 13, 12, tzinfo=UTC)
    assert fires("0,30 2 * * *", 3, after, time_zone="America/New_York") == [
        "Sun 2027-03-14 03:00 -0400", "Mon 2027-03-15 02:00 -0400", "Mon 2027-03-15 02:30 -0400",
    ]  # fmt: skip


def test_a_fixed_time_in_a_fold_comes_in_the_first_pass_and_once():
    after = datetime(2027, 11, 6, 12, tzinfo=UTC)
    assert fires("30 1 * * *", 2, after, time_zone="America/New_York") == [
        "Sun 2027-11-07 01:30 -0400", "Mon 2027-11-08 01:30 -0500",
    ]  # fmt: skip


def test_a_star_in_the_hour_follows_real_time_through_gap_and_fold():
    after = datetime(2027, 11, 7, 4, 45, tzinfo=UTC)
    assert fires("30 * * * *", 4, after, time_zone="America/New_York") == [
        "Sun 2027-11-07 01:30 -0400", "Sun 2027-11-07 01:30 -0500", "Sun 2027-11-07 02:30 -0500",
        "Sun 2027-11-07 03:30 -0500",
    ]  # fmt: skip
    after = datetime(2027, 3, 14, 6, 15, tzinfo=UTC)
    assert fires("30 * * * *", 2, after, time_zone="America/New_York") == [
        "Sun 2027-03-14 01:30 -0500", "Sun 2027-03-14 03:30 -0400",
    ]  # fmt: skip


def test_nothing_fires_before_the_start_time_and_a_matching_start_time_does():
    assert fires("0 6 * * *", 1, start_time=datetime(2027, 1, 5, 6, 0)) == ["Tue 2027-01-05 06:00 +0000"]
    assert fires("0 6 * * *", 1, start_time=datetime(2027, 1, 5, 6, 1)) == ["Wed 2027-01-06 06:00 +0000"]
    assert fires("*/15 * * * *", 1, start_time=datetime(2027, 1, 5, 6, 1)) == ["Tue 2027-01-05 06:15 +0000"]
    assert fires("*/15 * * * *", 1, start_time=datetime(2027, 1, 5, 6, 0)) == ["Tue 2027-01-05 06:00 +0000"]


def test_a_start_time_in_a_fold_is_its_first_pass_and_the_second_pass_counts_whole():
    after = datetime(2027, 11, 7, tzinfo=UTC)
    start = datetime(2027, 11, 7, 1, 30)
    assert fires("*/15 1 * * *", 4, after, time_zone="America/New_York", start_time=start) == [
        "Sun 2027-11-07 01:30 -0400", "Sun 2027-11-07 01:45 -0400", "Sun 2027-11-07 01:00 -0500",
        "Sun 2027-11-07 01:15 -0500",
    ]  # fmt: skip


def test_both_day_fields_restricted_means_either():
    assert fires("0 0 13 * Fri", 3) == [
        "Fri 2026-11-27 00:00 +0000",
        "Fri 2026-12-04 00:00 +0000",
        "Fri 2026-12-11 00:00 +0000",
    ]
    assert fires("0 0 13 12 Fri", 3, datetime(2026, 12, 11, tzinfo=UTC))[0] == "Sun 2026-12-13 00:00 +0000"


def test_a_star_at_the_front_of_a_day_field_means_both():
    assert fires("0 0 */2 * Fri", 2) == ["Fri 2026-11-27 00:00 +0000", "Fri 2026-12-11 00:00 +0000"]


def test_the_longest_wait_there_is_is_found():
    """29 February on one weekday (the step of 7 leaves Sunday, and a star means both): 40 years across 2100."""
    assert fires("0 0 29 2 */7", 2, datetime(2076, 3, 1, tzinfo=UTC)) == [
        "Sun 2088-02-29 00:00 +0000", "Sun 2128-02-29 00:00 +0000",
    ]  # fmt: skip


@pytest.mark.parametrize("expression", ["30 2 31 2 *", "0 0 30 2 *", "* * 31 4,6,9,11 *", "*/5 0 31 2 */2"])
def test_a_date_that_never_comes_is_no_fire_after_a_bounded_search(expression, monkeypatch):
    looked_at = []
    original = days.CronDays._days_of
    monkeypatch.setattr(days.CronDays, "_days_of", lambda *args: looked_at.append(args) or original(*args))
    timetable = Cron(expression=expression, time_zone="America/New_York").timetable(NOW)
    assert timetable.next_after(NOW.timestamp()) is None
    assert len(looked_at) <= days.MONTHS_AHEAD


def test_the_end_of_the_calendar_is_no_fire():
    last = datetime(9998, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    for expression in ("* * * * *", "0 0 * * *", "0 0 1 1 *"):
        assert Cron(expression=expression).timetable(NOW).next_after(last + 172_800) is None


def test_equal_crons_share_one_timetable():
    assert Cron(expression="*/15 * * * *").timetable(NOW) is Cron(expression=" */15  * * * * ").timetable(NOW)


def test_a_cron_says_itself_in_words_and_needs_a_kernel():
    assert Cron(expression="0 6 * * 1-5").in_words() == "cron 0 6 * * 1-5"
    assert Cron(expression="0 6 * * *", time_zone="Europe/Rome").in_words() == "cron 0 6 * * *, Europe/Rome"
    assert Cron(expression="0 6 * * *").needs_kernel() == ("cron",)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("*", list(range(60))),
        ("*/20", [0, 20, 40]),
        ("5/20", [5, 25, 45]),
        ("5-30/10", [5, 15, 25]),
        ("7", [7]),
        ("3,1,2-4", [1, 2, 3, 4]),
    ],
)
def test_a_field_is_values_ranges_and_steps(field, values):
    assert list(read_cron(f"{field} * * * *").minutes) == values


@pytest.mark.parametrize(
    ("months", "weekdays", "expected"),
    [
        ("JAN,dec", "mon-FRI", ((1, 12), (1, 2, 3, 4, 5))),
        ("January", "Sunday,Tues", ((1,), (0, 2))),
        ("jun-Aug", "Sun-Mon", ((6, 7, 8), (0, 1))),
    ],
)
def test_months_and_weekdays_go_by_their_english_names(months, weekdays, expected):
    fields = read_cron(f"0 0 * {months} {weekdays}")
    assert (fields.months, fields.weekdays) == expected


def test_one_day_written_as_a_range_is_that_day():
    """croniter 7.0 reads 1-1 as every day."""
    assert read_cron("0 0 1-1 * *").days == (1,)


@pytest.mark.parametrize(
    ("expression", "says", "fix"),
    [
        ("0 0 6 * * *", "six fields; a seconds field is not supported", "Leave out the first: '0 6 * * *'."),
        ("30 0 6 * * *", "six fields; a seconds field is not supported", "Write five fields"),
        ("0 6 * *", "has 4 fields, not five", "Write five fields: minute hour day-of-month month day-of-week"),
        ("", "has 0 fields, not five", "Write five fields"),
        ("x", "has 1 field, not five", "Write five fields"),
        ("@daily", "shorthand", "Write '0 0 * * *'."),
        ("@Hourly", "shorthand", "Write '0 * * * *'."),
        ("0 6 * * 7", "day-of-week 7 is out of range", "Sunday is 0 (or Sun)."),
        ("0 6 * * 8", "day-of-week 8 is out of range", "It takes 0 to 6 or Sun to Sat"),
        ("60 6 * * *", "minute 60 is out of range", "It takes 0 to 59"),
        ("0 24 * * *", "hour 24 is out of range", "It takes 0 to 23"),
        ("0 0 0 * *", "day-of-month 0 is out of range", "It takes 1 to 31"),
        ("0 0 * 13 *", "month 13 is out of range", "It takes 1 to 12 or Jan to Dec"),
        ("0 6 L * *", "Azure's cron has no 'L'", "It takes 1 to 31"),
        ("0 6 15W * *", "Azure's cron has no 'W'", "It takes 1 to 31"),
        ("0 6 * * 5#2", "Azure's cron has no '#'", "It takes 0 to 6"),
        ("0 6 ? * 1", "Azure's cron has no '?'", "It takes 1 to 31"),
        ("0 22-2 * * *", "hour '22-2' runs backwards", "Write '22-23,0-2'"),
        ("0 6 * * Fri-Mon", "day-of-week 'Fri-Mon' runs backwards", "Write 'Fri-6,0-Mon'"),
        ("0 6 * * Mom", "day-of-week 'Mom' is not a name", "Did you mean 'Mon'?"),
        ("0 6 * * Wed-", "day-of-week 'Wed-' is not a value, a range or a step", "It takes 0 to 6"),
        ("0 6 * Julember *", "month 'Julember' is not a name", ""),
        ("x 6 * * *", "minute 'x' is not a number", "It takes 0 to 59"),
        ("*/0 * * * *", "a step must be at least 1", "Leave out /0."),
        ("*-5 * * * *", "minute '*-5' is not a value, a range or a step", "It takes 0 to 59"),
        ("1,,2 * * * *", "minute '' is not a value, a range or a step", "It takes 0 to 59"),
        ("-5 * * * *", "minute '-5' is not a value, a range or a step", "It takes 0 to 59"),
    ],
)
def test_a_mistake_in_an_expression_is_named_with_its_fix(expression, says, fix):
    with pytest.raises(InvalidInput) as caught:
        Cron(expression=expression)
    assert says in caught.value.message
    assert fix in caught.value.hint
    assert caught.value.hint


def test_an_expression_that_is_not_text_is_refused():
    with pytest.raises(InvalidInput, match="Put it in quotes"):
        Cron(expression=5)
