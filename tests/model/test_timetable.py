"""Promises of every timetable: strictly after, no fire left out, small."""

from __future__ import annotations

import heapq
import tracemalloc
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.model.cron import Cron
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.timetable import every
from aml_magics.model.words import WEEK_DAYS

ZONES = ["UTC", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Beirut", "Asia/Kolkata"]
START = datetime(2007, 1, 1)
instants = st.floats(min_value=0, max_value=2e9, allow_nan=False)
starts = st.none() | st.datetimes(min_value=START, max_value=datetime(2030, 1, 1))
aware = st.datetimes(min_value=START, max_value=datetime(2030, 1, 1), timezones=st.just(UTC))


@st.composite
def recurrences(draw: st.DrawFn) -> Recurrence:
    frequency = draw(st.sampled_from(["Second", "Minute", "Hour", "Day", "Week", "Month"]))
    fields = {}
    if frequency in {"Day", "Week"}:
        fields["hours"] = tuple(draw(st.sets(st.integers(0, 23), max_size=3)))
        fields["minutes"] = tuple(draw(st.sets(st.integers(0, 59), max_size=3)))
    if frequency == "Week":
        fields["week_days"] = tuple(draw(st.sets(st.sampled_from(WEEK_DAYS), max_size=3)))
    interval, zone = draw(st.integers(1, 40)), draw(st.sampled_from(ZONES))
    return Recurrence(frequency=frequency, interval=interval, time_zone=zone, start_time=draw(starts), **fields)


crons = st.builds(
    lambda minute, hour, day, zone, start: Cron(
        expression=f"{minute} {hour} {day} * *", time_zone=zone, start_time=start
    ),
    st.sampled_from(["*", "*/15", "0", "0,30", "59"]),
    st.sampled_from(["*", "*/2", "0", "1,2", "2", "23"]),
    st.sampled_from(["*", "1", "28-31", "*/2"]),
    st.sampled_from(ZONES),
    starts,
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(recurrences(), crons), aware, instants, st.floats(0, 1))
def test_the_next_fire_is_strictly_after_and_the_same_from_anywhere_before_it(trigger, created, after, part):
    timetable = trigger.timetable(created)
    due = timetable.next_after(after)
    assert due is not None
    assert due > after
    between = after + (due - after) * part
    if between < due:
        assert timetable.next_after(between) == due
    following = timetable.next_after(due)
    assert following is not None
    assert following > due


@settings(max_examples=200, deadline=None)
@given(st.one_of(recurrences(), crons), aware, instants)
def test_an_answer_does_not_depend_on_what_was_asked_before(trigger, created, after):
    fresh = trigger.timetable(created)
    first = fresh.next_after(after)
    for other in (0.0, 1.9e9, after + 1e6, after - 1e6):
        fresh.next_after(other)
    assert fresh.next_after(after) == first


def test_the_fire_at_once_is_still_found_after_later_times_were_asked_for():
    created = datetime(2026, 11, 22, 12, 3, tzinfo=UTC)
    timetable = Recurrence(frequency="Day", hours=(6, 9, 18, 21)).timetable(created)
    begin = created.timestamp()
    assert timetable.next_after(begin) == datetime(2026, 11, 22, 18, tzinfo=UTC).timestamp()
    for hours in (1, 4, 8, 24):
        assert timetable.next_after(begin - hours * 3600) == begin


def test_a_time_in_the_second_pass_of_a_fold_at_midnight_is_not_taken_for_the_first():
    """In Havana 00:00 to 01:00 come twice, so that day has a second midnight to count from."""
    timetable = Cron(expression="30 0,12 * * *", time_zone="America/Havana").timetable(datetime.now(UTC))
    fold = datetime(2026, 11, 1, 5, tzinfo=UTC).timestamp()
    noon = fold + 12.5 * 3600
    assert timetable.next_after(fold - 3600) == fold - 1800
    assert timetable.next_after(fold + 7200) == noon
    assert timetable.next_after(fold + 600) == noon


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 2**21 - 1), st.integers(1, 100), st.integers(1, 3600))
def test_seconds_are_counted_right_where_the_grain_of_a_float_grows(part, steps, step):
    """At 2**31 (in 2038) an anchor with a fraction may fall between two floats."""
    anchor = 2.0**31 - steps * step + part / 2**22
    timetable = every(step, ZoneInfo("UTC"))(anchor)
    due = anchor
    for count in range(1, 2 * steps):
        following = timetable.next_after(due)
        assert following == anchor + count * step
        assert following > due
        due = following


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_hundred_thousand_timetables_and_their_heap_stay_under_20_megabytes(zone):
    recurrences = [Recurrence(frequency="Minute", interval=minutes, time_zone=zone) for minutes in (5, 10, 15, 30, 60)]
    births = [datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=0.37 * number) for number in range(20_000)]
    later = births[-1].timestamp() + 86_400
    recurrences[0].timetable(births[0])
    tracemalloc.start()
    try:
        tables = [recurrences[number % 5].timetable(births[number]) for number in range(len(births))]
        heap = [(table.next_after(later), number) for number, table in enumerate(tables)]
        heapq.heapify(heap)
        used, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used * 5 < 20e6


def test_equal_times_of_day_are_one_object_in_memory():
    one = Cron(expression="*/15 * * * *").timetable(datetime.now(UTC))
    other = Cron(expression="*/15 * * * 1", time_zone="Asia/Kolkata").timetable(datetime.now(UTC))
    assert one.times is other.times
