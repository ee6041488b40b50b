"""What the SDK documents for ScheduleRecurrence, case by case, and what was decided where it is silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.recurrence import Recurrence

CREATED = datetime(2026, 11, 22, 12, 3, tzinfo=UTC)  # a Sunday


def fires(trigger: Recurrence, count: int = 4, after: datetime = CREATED, created: datetime | None = None) -> list[str]:
    return [f"{fire.at:%a %Y-%m-%d %H:%M}" for fire in trigger.next_fires(after, count, created=created)]


def test_without_a_start_time_the_first_fire_is_at_once_and_the_rest_count_from_it():
    trigger = Recurrence(frequency="Minute", interval=15)
    assert fires(trigger) == [
        "Sun 2026-11-22 12:03",
        "Sun 2026-11-22 12:18",
        "Sun 2026-11-22 12:33",
        "Sun 2026-11-22 12:48",
    ]
    timetable = trigger.timetable(CREATED)
    assert timetable.next_after(CREATED.timestamp() - 1) == CREATED.timestamp()
    assert timetable.next_after(CREATED.timestamp()) == CREATED.timestamp() + 900


def test_the_fire_at_once_is_at_the_creation_to_the_microsecond_and_later_ones_never_drift():
    created = datetime(2026, 11, 22, 12, 3, 4, 567891, tzinfo=UTC)
    timetable = Recurrence(frequency="Second", interval=7).timetable(created)
    anchor = created.timestamp()
    assert timetable.next_after(0) == anchor
    due = anchor
    for count in range(1, 2_000):
        due = timetable.next_after(due)
        assert due == anchor + 7 * count


def test_a_calendar_recurrence_without_a_start_time_fires_at_once_and_then_as_computed():
    trigger = Recurrence(frequency="Week", week_days=("Monday", "Friday"), hours=(6,), minutes=(30,))
    assert fires(trigger, 3) == ["Sun 2026-11-22 12:03", "Mon 2026-11-23 06:30", "Fri 2026-11-27 06:30"]


def test_a_calendar_recurrence_without_start_or_times_keeps_the_wall_time_of_its_creation():
    trigger = Recurrence(frequency="Day", time_zone="America/New_York")
    created = datetime(2027, 3, 12, 12, 3, tzinfo=UTC)  # the clocks change on the 14th
    assert fires(trigger, 4, created) == [
        "Fri 2027-03-12 07:03", "Sat 2027-03-13 07:03", "Sun 2027-03-14 07:03", "Mon 2027-03-15 07:03",
    ]  # fmt: skip


def test_a_start_time_in_the_past_only_anchors_the_computed_times():
    trigger = Recurrence(frequency="Hour", start_time=datetime(2025, 1, 1, 12, 55))
    assert fires(trigger, 2) == ["Sun 2026-11-22 12:55", "Sun 2026-11-22 13:55"]
    trigger = Recurrence(frequency="Month", start_time=datetime(2020, 1, 1, 9, 0))
    assert fires(trigger, 2) == ["Tue 2026-12-01 09:00", "Fri 2027-01-01 09:00"]


@pytest.mark.parametrize("frequency", ["Second", "Minute", "Hour", "Day", "Week", "Month"])
def test_a_start_time_to_come_is_the_first_fire(frequency):
    trigger = Recurrence(frequency=frequency, start_time=datetime(2026, 12, 24, 18, 30), time_zone="Europe/Berlin")
    assert fires(trigger, 1) == ["Thu 2026-12-24 18:30"]


def test_a_start_time_that_matches_the_times_given_does_not_fire_itself():
    at = {"start_time": datetime(2026, 12, 7, 6, 30), "hours": (6,), "minutes": (30,)}  # a Monday
    assert fires(Recurrence(frequency="Day", **at), 1) == ["Tue 2026-12-08 06:30"]
    weekly = Recurrence(frequency="Week", week_days=("Monday", "Friday"), **at)
    assert fires(weekly, 2) == ["Fri 2026-12-11 06:30", "Mon 2026-12-14 06:30"]


def test_a_start_time_between_the_times_given_begins_with_the_next_of_them():
    trigger = Recurrence(frequency="Day", start_time=datetime(2026, 12, 7, 11, 0), hours=(10, 12, 14), minutes=(30,))
    assert fires(trigger, 3) == ["Mon 2026-12-07 12:30", "Mon 2026-12-07 14:30", "Tue 2026-12-08 10:30"]


def test_hours_and_minutes_are_a_cross_product():
    trigger = Recurrence(frequency="Day", start_time=datetime(2026, 1, 1), hours=(14, 10), minutes=(30, 0))
    assert [fire[-5:] for fire in fires(trigger, 4, datetime(2026, 12, 1, tzinfo=UTC))] == [
        "10:00",
        "10:30",
        "14:00",
        "14:30",
    ]


def test_hours_alone_mean_the_full_hour_and_minutes_alone_the_hour_after_midnight():
    start = datetime(2026, 1, 1, 5, 17)
    assert [fire[-5:] for fire in fires(Recurrence(frequency="Day", start_time=start, hours=(6, 18)), 2)] == [
        "18:00",
        "06:00",
    ]
    assert [fire[-5:] for fire in fires(Recurrence(frequency="Day", start_time=start, minutes=(30,)), 2)] == [
        "00:30",
        "00:30",
    ]


def test_every_second_week_counts_from_the_monday_of_the_week_of_the_start():
    trigger = Recurrence(
        frequency="Week",
        interval=2,
        start_time=datetime(2026, 12, 2),  # a Wednesday
        week_days=("Sunday", "Monday"),
        hours=(8,),
    )
    assert fires(trigger, 4) == [
        "Sun 2026-12-06 08:00",
        "Mon 2026-12-14 08:00",
        "Sun 2026-12-20 08:00",
        "Mon 2026-12-28 08:00",
    ]


def test_a_week_without_week_days_keeps_the_weekday_of_its_start():
    trigger = Recurrence(frequency="Week", interval=3, start_time=datetime(2026, 12, 2, 8))
    assert fires(trigger, 3) == ["Wed 2026-12-02 08:00", "Wed 2026-12-23 08:00", "Wed 2027-01-13 08:00"]


def test_a_month_that_has_no_day_31_is_passed_over():
    trigger = Recurrence(frequency="Month", start_time=datetime(2026, 12, 31, 9))
    assert fires(trigger, 4) == [
        "Thu 2026-12-31 09:00",
        "Sun 2027-01-31 09:00",
        "Wed 2027-03-31 09:00",
        "Mon 2027-05-31 09:00",
    ]


def test_the_29th_of_february_every_twelve_months_waits_for_leap_years_also_across_2100():
    trigger = Recurrence(frequency="Month", interval=12, start_time=datetime(2092, 2, 29, 9))
    assert fires(trigger, 3) == ["Fri 2092-02-29 09:00", "Wed 2096-02-29 09:00", "Fri 2104-02-29 09:00"]


def test_every_24_hours_follows_real_time_and_every_day_the_wall_clock():
    start = datetime(2027, 3, 13, 12, 0)
    after = datetime(2027, 3, 13, tzinfo=UTC)
    hours = Recurrence(frequency="Hour", interval=24, start_time=start, time_zone="America/New_York")
    assert fires(hours, 3, after) == ["Sat 2027-03-13 12:00", "Sun 2027-03-14 13:00", "Mon 2027-03-15 13:00"]
    days = Recurrence(frequency="Day", start_time=start, time_zone="America/New_York")
    assert fires(days, 3, after) == ["Sat 2027-03-13 12:00", "Sun 2027-03-14 12:00", "Mon 2027-03-15 12:00"]


def test_a_start_time_in_a_gap_is_the_end_of_the_gap_and_swallows_no_other_fire():
    gap = datetime(2025, 3, 30, 0, 30)  # Beirut: 00:00 to 01:00 do not exist
    after = datetime(2025, 3, 1, tzinfo=UTC)
    assert fires(Recurrence(frequency="Day", start_time=gap, time_zone="Asia/Beirut"), 2, after) == [
        "Sun 2025-03-30 01:00", "Mon 2025-03-31 00:30",
    ]  # fmt: skip
    computed = Recurrence(frequency="Day", start_time=gap, time_zone="Asia/Beirut", hours=(1,))
    assert fires(computed, 1, after) == ["Sun 2025-03-30 01:00"]


def test_a_windows_zone_name_is_kept_as_written_and_means_its_iana_zone():
    trigger = Recurrence(
        frequency="Day", start_time=datetime(2026, 12, 1, 6), time_zone="E. South America Standard Time"
    )
    assert trigger.time_zone == "E. South America Standard Time"
    assert trigger.next_fires(CREATED, 1)[0].at == datetime(2026, 12, 1, 6, tzinfo=ZoneInfo("America/Sao_Paulo"))


def test_the_preview_starts_with_the_fire_at_once_only_for_a_schedule_not_yet_born():
    trigger = Recurrence(frequency="Hour")
    born = CREATED - timedelta(minutes=10)
    assert fires(trigger, 2, CREATED, born) == ["Sun 2026-11-22 12:53", "Sun 2026-11-22 13:53"]
    later = CREATED + timedelta(minutes=10)
    assert fires(trigger, 2, CREATED, later) == ["Sun 2026-11-22 12:13", "Sun 2026-11-22 13:13"]
    assert trigger.next_fires(CREATED, 1)[0].note == "at once: there is no start_time"
    assert trigger.next_fires(CREATED, 0) == []


def test_equal_recurrences_are_equal_however_their_lists_were_written():
    one = Recurrence(frequency="Week", hours=[18, 6, 6], week_days=["Friday", "Monday"])  # type: ignore[arg-type]
    assert one == Recurrence(frequency="Week", hours=(6, 18), week_days=("Monday", "Friday"))
    assert one.week_days == ("Monday", "Friday")
    assert hash(one)


def test_fractions_of_a_second_of_a_start_time_are_dropped_as_on_the_wire():
    assert Recurrence(frequency="Day", start_time=datetime(2026, 12, 1, 6, 0, 0, 999)).start_time == datetime(
        2026, 12, 1, 6
    )


def test_a_recurrence_beyond_the_calendar_ends_instead_of_failing():
    far = datetime(2900, 1, 31, tzinfo=UTC)
    for frequency in ("Hour", "Day", "Week", "Month"):
        trigger = Recurrence(frequency=frequency, interval=9_999_999, start_time=datetime(2026, 1, 31))
        assert len(trigger.next_fires(far, 50)) < 10


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"frequency": "Minute", "interval": 15}, "every 15 minutes"),
        ({"frequency": "Hour"}, "every hour"),
        ({"frequency": "Second", "interval": 2, "time_zone": "Asia/Kolkata"}, "every 2 seconds"),
        ({"frequency": "Day", "hours": (6,)}, "06:00 every day"),
        ({"frequency": "Day", "hours": tuple(range(24)), "minutes": (15,)}, "24 times from 00:15 to 23:15 every day"),
        (
            {"frequency": "Week", "interval": 2, "hours": (6,), "minutes": (30,), "week_days": ("Monday", "Friday")},
            "06:30 on Monday and Friday every 2 weeks",
        ),
        ({"frequency": "Week", "start_time": datetime(2026, 12, 1, 8)}, "08:00 on Tuesday every week"),
        ({"frequency": "Month", "start_time": datetime(2026, 12, 1, 9, 0, 30)}, "09:00:30 on day 1 every month"),
        ({"frequency": "Day", "hours": (6,), "time_zone": "Europe/Rome"}, "06:00 every day, Europe/Rome"),
        ({"frequency": "Month"}, "every month"),
    ],
)
def test_a_recurrence_says_itself_in_words(fields, words):
    assert Recurrence(**fields).in_words() == words


def test_seconds_and_zones_without_a_windows_name_need_a_kernel():
    assert Recurrence(frequency="Second").needs_kernel() == ("frequency: Second",)
    assert Recurrence(frequency="Minute", time_zone="Europe/Rome").needs_kernel() == ()
    assert Recurrence(frequency="Day", time_zone="Antarctica/Troll").needs_kernel() == ("time_zone: Antarctica/Troll",)


@pytest.mark.parametrize("hours", [0, 6, None, "6", {6: 7}])
def test_hours_that_are_no_list_are_refused_not_dropped(hours):
    with pytest.raises(InvalidInput, match="is not a list"):
        Recurrence(frequency="Day", hours=hours)


@pytest.mark.parametrize("frequency", ["Minute", "Month"])
def test_empty_lists_say_nothing_whatever_the_frequency(frequency):
    trigger = Recurrence(frequency=frequency, hours=[], minutes=(), week_days=[])
    assert trigger == Recurrence(frequency=frequency)


def test_a_naive_creation_is_refused():
    with pytest.raises(ValueError, match="created must be aware"):
        Recurrence(frequency="Day").timetable(datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="after must be aware"):
        Recurrence(frequency="Day").next_fires(datetime(2026, 1, 1), 1)


def test_an_aware_start_time_is_refused_with_its_wall_clock_as_the_fix():
    start = datetime(2026, 12, 1, 6, 30, tzinfo=ZoneInfo("Europe/Rome"))
    with pytest.raises(InvalidInput, match=r"has a UTC offset.*\(2026-12-01T06:30:00\)"):
        Recurrence(frequency="Day", start_time=start)
