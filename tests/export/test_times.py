"""Times of schedules as recurrences of Logic Apps and Data Factory, or refused with what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aml_magics.export.times import recurrence_of
from aml_magics.model.errors import InvalidInput
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.triggers import Cron
from tests.support.exports import NOW

BOTH = ("logic-app", "data-factory")
START = datetime(2026, 12, 1, 6, 30)


@pytest.mark.parametrize("host", BOTH)
def test_a_start_has_no_offset_where_a_zone_is_named_and_a_z_in_utc(host):
    here = recurrence_of(Recurrence(frequency="Day", start_time=START, time_zone="Europe/Berlin"), host, NOW)
    assert (here["startTime"], here["timeZone"]) == ("2026-12-01T06:30:00", "W. Europe Standard Time")
    assert (
        recurrence_of(Recurrence(frequency="Day", start_time=START), host, NOW)["startTime"] == "2026-12-01T06:30:00Z"
    )


def test_without_a_start_a_logic_app_begins_when_it_is_enabled_and_data_factory_gets_now():
    every = Recurrence(frequency="Hour", interval=2, time_zone="America/Sao_Paulo")
    assert "startTime" not in recurrence_of(every, "logic-app", NOW)
    assert recurrence_of(every, "data-factory", NOW)["startTime"] == "2026-11-27T15:45:00"


@pytest.mark.parametrize("host", BOTH)
def test_a_schedule_that_is_there_goes_on_from_when_it_was_made(host):
    made = datetime(2026, 11, 3, 9, 0, 5, 700, tzinfo=UTC)
    assert recurrence_of(Recurrence(frequency="Week"), host, NOW, made)["startTime"] == "2026-11-03T09:00:05Z"


@pytest.mark.parametrize("host", BOTH)
def test_hours_and_minutes_always_come_together(host):
    hours = recurrence_of(Recurrence(frequency="Day", hours=(6, 18)), host, NOW)
    assert hours["schedule"] == {"hours": [6, 18], "minutes": [0]}
    minutes = recurrence_of(Recurrence(frequency="Week", minutes=(15,), week_days=("Friday",)), host, NOW)
    assert minutes["schedule"] == {"hours": [0], "minutes": [15], "weekDays": ["Friday"]}


@pytest.mark.parametrize("host", BOTH)
@pytest.mark.parametrize(
    ("cron", "frequency", "schedule"),
    [
        ("0 6 * * *", "Day", {"hours": [6], "minutes": [0]}),
        ("*/30 6-8 * * *", "Day", {"hours": [6, 7, 8], "minutes": [0, 30]}),
        ("15 16 * * 0,3", "Week", {"hours": [16], "minutes": [15], "weekDays": ["Sunday", "Wednesday"]}),
    ],
)
def test_a_cron_of_times_and_week_days_is_a_schedule(host, cron, frequency, schedule):
    found = recurrence_of(Cron(expression=cron), host, NOW)
    assert (found["frequency"], found["interval"], found["schedule"]) == (frequency, 1, schedule)


@pytest.mark.parametrize("host", BOTH)
def test_a_cron_has_a_start_so_that_enabling_it_fires_nothing(host):
    found = recurrence_of(Cron(expression="0 6 * * *", time_zone="America/Sao_Paulo"), host, NOW)
    assert found["startTime"] == "2026-11-27T15:45:00"


def test_one_day_of_the_month_is_the_start_of_a_logic_apps_month():
    found = recurrence_of(Cron(expression="30 6 5 * *", time_zone="Europe/Lisbon"), "logic-app", NOW)
    assert found == {
        "frequency": "Month",
        "interval": 1,
        "startTime": "2026-12-05T06:30:00",
        "timeZone": "GMT Standard Time",
    }


def test_days_of_the_month_are_data_factorys_own():
    found = recurrence_of(Cron(expression="0 6 1,15 * *"), "data-factory", NOW)
    assert found["frequency"] == "Month"
    assert found["schedule"] == {"hours": [6], "minutes": [0], "monthDays": [1, 15]}


@pytest.mark.parametrize(
    ("trigger", "host", "words"),
    [
        (Cron(expression="0 6 1,15 * *"), "logic-app", "several days of the month.*data-factory"),
        (Cron(expression="0 6,18 1 * *"), "logic-app", "several times on one"),
        (Cron(expression="0 6 * 3 *"), "logic-app", "has months.*Leave the month field"),
        (
            Cron(expression="0 6 * 3 *"),
            "data-factory",
            "Data Factory cannot express cron '0 6 \\* 3 \\*', which has months",
        ),
        (Cron(expression="0 6 1 * 1"), "data-factory", "days of the month and of the week.*two schedules"),
        (Recurrence(frequency="Second"), "data-factory", "no frequency: Second"),
        (Recurrence(frequency="Day", time_zone="Antarctica/Troll"), "logic-app", "no Windows name"),
    ],
)
def test_what_the_host_cannot_express_is_refused_with_what_to_do(trigger, host, words):
    with pytest.raises(InvalidInput, match=words):
        recurrence_of(trigger, host, NOW)
