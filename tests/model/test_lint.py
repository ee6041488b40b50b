"""Warnings say what a trigger will do that its author may not have meant, and stay silent otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aml_magics.model.lint import warnings_for
from aml_magics.model.parsing import trigger_from

NOW = datetime(2026, 11, 22, 12, 3, tzinfo=UTC)
AZURE = "Azure's v2 schedules ignore day-of-month and month: there it would fire on every other day too"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"every": "15 minutes"}, []),
        ({"every": "week", "week_days": ["Monday"], "time_of_day": "6:30", "time_zone": "Europe/Rome"}, []),
        ({"cron": "*/15 * * * *"}, []),
        ({"cron": "0 */6 * * 1-5"}, []),
        ({"datastore": "blobs", "path_on_datastore": "incoming"}, []),
        ({"every": "month", "start_time": "2026-12-28"}, []),
        (
            {"every": "month", "start_time": "2026-12-31"},
            ["day 31: months without it are skipped (five months have none)"],
        ),
        (
            {"every": "month", "start_time": "2026-12-29"},
            ["day 29: months without it are skipped (February has one only in leap years)"],
        ),
        ({"every": "day", "hours": [6]}, ["hours without minutes: it fires at minute 0"]),
        ({"every": "day", "minutes": [30]}, ["minutes without hours: it fires in hour 0, right after midnight"]),
        (
            {"every": "hour", "start_time": "2025-01-01T12:55"},
            ["start_time is in the past: the first fire is 2026-11-22 12:55, computed from it"],
        ),
        (
            {"every": "day", "start_time": "2026-12-01T06:30", "time_of_day": "6:30"},
            ["start_time itself does not fire: it matches the days and times, and the next match is the first"],
        ),
        ({"every": "week", "start_time": "2026-12-01T06:30", "time_of_day": "6:30", "week_days": "Friday"}, []),
        ({"every": "day", "start_time": "2026-12-01T06:30"}, []),
        (
            {"every": "day", "start_time": "2026-12-01T02:30", "time_zone": "America/New_York"},
            ["2027-03-14: 02:30 does not exist on this day: fires at 03:00"],
        ),
        (
            {"cron": "30 2 * * *", "time_zone": "America/New_York"},
            ["2027-03-14: 02:30 does not exist on this day: fires at 03:00"],
        ),
        ({"cron": "*/5 2 * * *", "time_zone": "America/New_York"}, []),
        ({"cron": "*/7 * * * *"}, ["minute */7 is uneven: after 56 comes 0, only 4 later"]),
        ({"cron": "0 */5 * * *"}, ["hour */5 is uneven: after 20 comes 0, only 4 later"]),
        ({"cron": "*/90 * * * *"}, ["minute */90 matches only minute 0; every: 90 minutes counts through"]),
        ({"cron": "0 6 1 * *"}, [AZURE]),
        ({"cron": "0 6 * 6 *"}, [AZURE]),
        ({"cron": "0 6 1 * 1"}, ["both day fields are set: it fires when either of them matches", AZURE]),
        (
            {"cron": "0 6 31 * *"},
            [AZURE, "day 31: months without it are skipped (five months have none)"],
        ),
        ({"cron": "30 2 31 2 *"}, ["it never fires: no such date comes", AZURE]),
        (
            {"datastore": "blobs", "polling_interval": "250ms"},
            ["polling every 0.25 seconds: each poll lists the whole place"],
        ),
        (
            {"datastore": "blobs", "path_on_datastore": "incoming/*.csv"},
            ["path_on_datastore 'incoming/*.csv' is a folder's name, not a pattern"],
        ),
        ({"datastore": "blobs", "pattern": "*.csv"}, []),
        ({"datastore": "blobs", "pattern": "csv"}, ["pattern 'csv' has no * and no ?: it matches that one name only"]),
        (
            {"datastore": "blobs", "append_only": True},
            ["append_only: a file whose name sorts before the newest one may never be seen"],
        ),
    ],
)
def test_a_trigger_is_warned_of_as_it_deserves(written, expected):
    assert warnings_for(trigger_from(written), NOW) == expected


def test_a_month_without_a_start_time_goes_by_the_day_of_its_creation():
    last_day = datetime(2026, 12, 31, 12, tzinfo=UTC)
    assert warnings_for(trigger_from({"every": "month"}), last_day)[0].startswith("day 31:")
    assert warnings_for(trigger_from({"every": "month"}), NOW) == []
