"""A preview says what a clock change does to a fire."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aml_magics.model.cron import Cron
from aml_magics.model.recurrence import Recurrence

SPRING = datetime(2027, 3, 14, 5, tzinfo=UTC)  # New York goes from 02:00 to 03:00 two hours later
AUTUMN = datetime(2027, 11, 7, 4, 50, tzinfo=UTC)  # New York goes from 02:00 back to 01:00 at 06:00 UTC


@pytest.mark.parametrize(
    ("expression", "note"),
    [
        ("30 2 * * *", "02:30 does not exist on this day: fires at 03:00"),
        ("0,30 2 * * *", "02:00 and 02:30 do not exist on this day: fires at 03:00"),
        ("0-59 2 * * *", "02:00 and 59 more do not exist on this day: fires at 03:00"),
        ("0 2,3 * * *", "02:00 does not exist on this day: fires at 03:00"),
        ("0 3 * * *", ""),
    ],
)
def test_a_fixed_time_in_a_gap_is_noted_where_it_comes_instead(expression, note):
    fire = Cron(expression=expression, time_zone="America/New_York").next_fires(SPRING, 1)[0]
    assert f"{fire.at:%H:%M %z}" == "03:00 -0400"
    assert fire.note == note


def test_a_recurrence_by_day_is_noted_alike():
    trigger = Recurrence(frequency="Day", start_time=datetime(2026, 1, 1, 2, 30), time_zone="America/New_York")
    notes = [fire.note for fire in trigger.next_fires(SPRING, 2)]
    assert notes == ["02:30 does not exist on this day: fires at 03:00", ""]


def test_a_fixed_time_in_a_fold_is_noted_as_the_first():
    fire = Cron(expression="30 1 * * *", time_zone="America/New_York").next_fires(AUTUMN, 1)[0]
    assert fire.note == "01:30 happens twice: the first"
    assert fire.at.utcoffset() == datetime(2027, 7, 1, tzinfo=fire.at.tzinfo).utcoffset()


@pytest.mark.parametrize(
    "trigger",
    [
        Cron(expression="0 * * * *", time_zone="America/New_York"),
        Recurrence(frequency="Hour", start_time=datetime(2027, 1, 1), time_zone="America/New_York"),
    ],
)
def test_what_follows_real_time_is_noted_in_both_passes(trigger):
    assert [(f"{fire.at:%H:%M}", fire.note) for fire in trigger.next_fires(AUTUMN, 3)] == [
        ("01:00", "01:00 happens twice: the first"),
        ("01:00", "01:00 happens twice: the second"),
        ("02:00", ""),
    ]


def test_a_day_that_a_zone_left_out_is_named():
    """Samoa went from the 29th to the 31st of December 2011."""
    trigger = Cron(expression="0 6 30 * *", time_zone="Pacific/Apia")
    fire = trigger.next_fires(datetime(2011, 12, 20, tzinfo=UTC), 1)[0]
    assert f"{fire.at:%Y-%m-%d %H:%M}" == "2011-12-31 00:00"
    assert fire.note == "06:00 does not exist on 2011-12-30: fires at 00:00"
