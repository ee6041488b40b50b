"""Triggers from what people write: every key, every kind, and every mistake with its fix."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.parsing import TRIGGER_KEYS, trigger_from
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence


@pytest.mark.parametrize(
    ("written", "trigger"),
    [
        ({"frequency": "Minute", "interval": 15}, Recurrence(frequency="Minute", interval=15)),
        ({"frequency": "Minute", "interval": "15"}, Recurrence(frequency="Minute", interval=15)),
        ({"frequency": "Day", "interval": None, "hours": None}, Recurrence(frequency="Day")),
        ({"every": "15 minutes"}, Recurrence(frequency="Minute", interval=15)),
        ({"every": "minute"}, Recurrence(frequency="Minute")),
        ({"every": "30s"}, Recurrence(frequency="Second", interval=30)),
        ({"every": "2 h"}, Recurrence(frequency="Hour", interval=2)),
        ({"every": "15m"}, Recurrence(frequency="Minute", interval=15)),
        ({"every": " 3 Months "}, Recurrence(frequency="Month", interval=3)),
        (
            {"every": "2 weeks", "week_days": "Monday, Friday", "time_of_day": "6:30"},
            Recurrence(frequency="Week", interval=2, week_days=("Monday", "Friday"), hours=(6,), minutes=(30,)),
        ),
        ({"every": "day", "time_of_day": time(18, 5)}, Recurrence(frequency="Day", hours=(18,), minutes=(5,))),
        ({"frequency": "Day", "hours": 6, "minutes": "0,30"}, Recurrence(frequency="Day", hours=(6,), minutes=(0, 30))),
        ({"frequency": "Day", "hours": [6, "18"]}, Recurrence(frequency="Day", hours=(6, 18))),
        (
            {"frequency": "Day", "start_time": "2026-12-01T06:30:00", "time_zone": "Europe/Rome"},
            Recurrence(frequency="Day", start_time=datetime(2026, 12, 1, 6, 30), time_zone="Europe/Rome"),
        ),
        (
            {"frequency": "Day", "start_time": "2026-12-01 06:30"},
            Recurrence(frequency="Day", start_time=datetime(2026, 12, 1, 6, 30)),
        ),
        (
            {"frequency": "Day", "start_time": "2026-12-01"},
            Recurrence(frequency="Day", start_time=datetime(2026, 12, 1)),
        ),
        (
            {"frequency": "Day", "start_time": date(2026, 12, 1)},
            Recurrence(frequency="Day", start_time=datetime(2026, 12, 1)),
        ),
        ({"cron": "*/15 * * * *"}, Cron(expression="*/15 * * * *")),
        (
            {"cron": "0 6 * * 1-5", "time_zone": "UTC", "start_time": datetime(2026, 12, 1)},
            Cron(expression="0 6 * * 1-5", start_time=datetime(2026, 12, 1)),
        ),
        ({"datastore": "blobs"}, DatastoreChange(datastore="blobs")),
        (
            {"datastore": "blobs", "polling_interval": 5},
            DatastoreChange(datastore="blobs", polling_interval=timedelta(minutes=5)),
        ),
        (
            {"datastore": "blobs", "polling_interval": "5"},
            DatastoreChange(datastore="blobs", polling_interval=timedelta(minutes=5)),
        ),
        (
            {"datastore": "blobs", "polling_interval": "5s", "settle": "500ms"},
            DatastoreChange(
                datastore="blobs", polling_interval=timedelta(seconds=5), settle=timedelta(milliseconds=500)
            ),
        ),
        (
            {"datastore": "blobs", "polling_interval": "2 minutes", "settle": 2},
            DatastoreChange(datastore="blobs", polling_interval=timedelta(minutes=2), settle=timedelta(seconds=2)),
        ),
        (
            {"datastore": "blobs", "pattern": "*.csv", "min_size": "1.5 KB", "on": "removed, added"}
            | {"min_size": None, "append_only": "false"},
            DatastoreChange(datastore="blobs", pattern="*.csv", on=("added", "removed")),
        ),
        (
            {"datastore": "blobs", "min_size": "10 KB", "on": ["modified"], "per": "file", "max_runs_per_poll": "3"},
            DatastoreChange(datastore="blobs", min_size=10_000, on=("modified",), per="file", max_runs_per_poll=3),
        ),
        (
            {"datastore": "blobs", "min_size": 10, "append_only": "yes"},
            DatastoreChange(datastore="blobs", min_size=10, append_only=True),
        ),
        (
            {"datastore": "blobs", "polling_interval": 0.5, "settle": timedelta(0)},
            DatastoreChange(datastore="blobs", polling_interval=timedelta(seconds=30), settle=timedelta(0)),
        ),
        (
            {
                "datastore": "workspaceblobstore",
                "path_on_datastore": "incoming/",
                "data_path_parameter_name": "input_data",
                "recursive": "true",
                "per": "batch",
            },
            DatastoreChange(
                datastore="workspaceblobstore",
                path_on_datastore="incoming",
                data_path_parameter_name="input_data",
                recursive=True,
                per="batch",
            ),
        ),
    ],
)
def test_what_is_written_is_the_trigger_it_says(written, trigger):
    assert trigger_from(written) == trigger


def test_the_mapping_that_was_given_stays_as_it_was():
    written = {"every": "15 minutes", "start_time": "2026-12-01"}
    trigger_from(written)
    assert written == {"every": "15 minutes", "start_time": "2026-12-01"}


def test_the_keys_are_the_arguments_of_the_sdk_and_ours():
    expected = {
        "frequency", "interval", "start_time", "time_zone", "hours", "minutes", "week_days", "time_of_day", "every",
        "cron", "datastore", "path_on_datastore", "polling_interval", "data_path_parameter_name", "recursive", "per",
        "settle", "pattern", "min_size", "on", "max_runs_per_poll", "append_only",
    }  # fmt: skip
    assert expected == TRIGGER_KEYS


@pytest.mark.parametrize(
    ("word", "english"),
    [
        ("minute", "Minute"), ("MINUTE", "Minute"), ("minutes", "Minute"), ("hourly", "Hour"), ("daily", "Day"),
        ("minuto", "Minute"), ("hora", "Hour"), ("dia", "Day"), ("semana", "Week"), ("mes", "Month"), ("mês", "Month"),
        ("Día", "Day"), ("meses", "Month"),
        ("heure", "Hour"), ("jour", "Day"), ("semaine", "Week"), ("mois", "Month"),
        ("Minuten", "Minute"), ("Stunde", "Hour"), ("Tag", "Day"), ("Woche", "Week"), ("Monat", "Month"),
        ("minuti", "Minute"), ("ora", "Hour"), ("giorno", "Day"), ("settimana", "Week"), ("mese", "Month"),
        ("segundos", "Second"), ("Minuet", "Minute"), ("Weak", "Week"),
    ],
)  # fmt: skip
def test_a_frequency_in_another_case_number_or_language_is_answered_with_the_english_word(word, english):
    error = refused({"frequency": word})
    assert f"frequency {word!r}" in error.message
    assert repr(english) in error.hint


@pytest.mark.parametrize(
    ("word", "english"),
    [
        ("Mon", "Monday"), ("monday", "Monday"), ("segunda", "Monday"), ("terça-feira", "Tuesday"),
        ("Mittwoch", "Wednesday"),
        ("miércoles", "Wednesday"), ("jeudi", "Thursday"), ("venerdì", "Friday"), ("sábado", "Saturday"),
        ("domingo", "Sunday"), ("Sunnday", "Sunday"),
    ],
)  # fmt: skip
def test_a_week_day_in_another_form_or_language_is_answered_with_the_english_name(word, english):
    error = refused({"frequency": "Week", "week_days": [word]})
    assert f"week_days {word!r}" in error.message
    assert repr(english) in error.hint


@pytest.mark.parametrize(
    ("written", "says", "fix"),
    [
        ({}, "there is no trigger", "Write every: 15 minutes, or cron"),
        ({"frequncy": "Day"}, "'frequncy' is not a key of a trigger", "Did you mean 'frequency'?"),
        ({"datastore_name": "x"}, "'datastore_name'", "Did you mean 'datastore'?"),
        ({5: "x"}, "5 is not a key", "Known: "),
        ({"interval": 15}, "interval without a frequency", "every: 15 minutes"),
        ({"time_of_day": "6:30"}, "time_of_day without a frequency", "frequency"),
        ({"frequency": "yearly"}, "frequency 'yearly'", "'Month' with interval: 12"),
        ({"frequency": "Fortnight"}, "frequency 'Fortnight'", "Known: Day, Hour, Minute"),
        ({"frequency": 5}, "frequency 5", "Second, Minute, Hour, Day, Week, Month"),
        ({"frequency": "Day", "interval": 0}, "interval 0 is out of range", "1 to 9999999"),
        ({"frequency": "Day", "interval": -1}, "interval -1 is out of range", "1 to 9999999"),
        ({"frequency": "Hour", "interval": 1.5}, "interval 1.5", "every: 90 minutes"),
        ({"frequency": "Hour", "interval": 15.0}, "interval 15.0", "Write 15."),
        ({"frequency": "Day", "interval": "abc"}, "interval 'abc'", "Write a number"),
        ({"frequency": "Day", "interval": True}, "interval True", "Write a number"),
        ({"frequency": "Day", "hours": 24}, "hours 24 is out of range", "0 to 23"),
        ({"frequency": "Day", "hours": [6, True]}, "hours True is not a whole number", "0 to 23"),
        ({"frequency": "Day", "hours": "six"}, "hours 'six' is not a whole number", "0 to 23"),
        ({"frequency": "Day", "minutes": [60]}, "minutes 60 is out of range", "0 to 59"),
        ({"frequency": "Minute", "hours": [6]}, "hours goes with frequency Day or Week", "frequency: Day"),
        ({"frequency": "Month", "minutes": [6]}, "minutes goes with frequency Day or Week", "start_time"),
        ({"frequency": "Day", "week_days": ["Monday"]}, "week_days goes with frequency Week", "frequency: Week"),
        ({"frequency": "Week", "week_days": [1]}, "week_days 1", "Known: "),
        ({"frequency": "Day", "time_of_day": "25:00"}, "time_of_day '25:00'", "00:00 to 23:59"),
        ({"frequency": "Day", "time_of_day": "6:60"}, "time_of_day '6:60'", "00:00 to 23:59"),
        ({"frequency": "Day", "time_of_day": "6:30 PM"}, "time_of_day '6:30 PM'", "'18:30'"),
        ({"frequency": "Day", "time_of_day": "12:30 a.m."}, "time_of_day '12:30 a.m.'", "'00:30'"),
        ({"frequency": "Day", "time_of_day": 630}, "time_of_day 630", "'06:30'"),
        ({"frequency": "Day", "time_of_day": "0630"}, "time_of_day '0630'", "'06:30'"),
        ({"frequency": "Day", "time_of_day": 1830}, "time_of_day 1830", "'18:30'"),
        ({"frequency": "Day", "time_of_day": 390}, "time_of_day 390", "Write hh:mm"),
        ({"frequency": "Day", "time_of_day": ["6:30"]}, "time_of_day ['6:30']", "hh:mm"),
        ({"frequency": "Day", "time_of_day": "6:30", "hours": [6]}, "time_of_day says the same as hours", "Keep"),
        ({"frequency": "Hour", "time_of_day": "6:30"}, "time_of_day goes with frequency Day or Week", "start_time"),
        ({"frequency": "hora", "time_of_day": "6:30"}, "frequency 'hora'", "'Hour'"),
        ({"frequency": ["Day"], "time_of_day": "6:30"}, "frequency ['Day']", "Day"),
        ({"datastore": "x", "per": ["file"]}, "per ['file']", "'file'"),
        ({"datastore": "x", "polling_interval": [5]}, "polling_interval [5]", "number of minutes"),
        ({"frequency": "Day", "hours": {"a": 1}}, "hours {'a': 1}", "0 to 23"),
        ({"frequency": "Day", "time_zone": ["UTC"]}, "time_zone ['UTC']", "America/Sao_Paulo"),
        ({"every": "15 minutes", "interval": 3}, "every says the same as interval", "Keep one"),
        ({"every": 15}, "every 15 is not an interval", "15 minutes"),
        ({"every": "15"}, "every '15' is not an interval", "15 minutes"),
        ({"every": "often enough"}, "every 'often enough' is not an interval", "15 minutes"),
        ({"every": "15 minutos"}, "'minutos' is not a unit", "Write 15 minutes."),
        ({"every": "1 hora"}, "'hora' is not a unit", "Write 1 hour."),
        ({"every": "5 parsecs"}, "'parsecs' is not a unit", "Units: seconds"),
        ({"every": "1.5 hours"}, "1.5 is not a whole number", "Write 90 minutes."),
        ({"every": "0.3 seconds"}, "0.3 is not a whole number", "1 or more"),
        ({"every": "0 days"}, "0 is not a whole number of at least 1", "1 or more"),
        ({"every": "-2 days"}, "-2 is not a whole number of at least 1", "1 or more"),
        ({"frequency": "Day", "start_time": "2026-12-01T06:00:00Z"}, "has a UTC offset", "time_zone"),
        ({"frequency": "Day", "start_time": "2026-12-01T06:00:00+01:00"}, "has a UTC offset", "time_zone"),
        ({"frequency": "Day", "start_time": "01/12/2026"}, "start_time '01/12/2026'", "2026-12-01T06:30:00"),
        ({"frequency": "Day", "start_time": "2026-13-01"}, "month must be in 1..12", "2026-12-01T06:30:00"),
        ({"frequency": "Day", "start_time": 20261201}, "start_time 20261201", "2026-12-01T06:30:00"),
        ({"frequency": "Day", "start_time": "0001-01-01T00:00:00"}, "out of range", "1970 to 9000"),
        ({"frequency": "Day", "time_zone": "America/New_Yrok"}, "'America/New_Yrok'", "'America/New_York'"),
        ({"frequency": "Day", "time_zone": 3}, "time_zone 3", "America/Sao_Paulo"),
        ({"cron": "0 6 * *"}, "has 4 fields", "Write five fields"),
        ({"cron": 15}, "cron 15 is not text", "quotes"),
        ({"cron": "0 6 * * *", "frequency": "Day"}, "cron does not go together with frequency", "keep one"),
        ({"cron": "0 6 * * *", "datastore": "x"}, "cron does not go together with datastore", "keep one"),
        ({"datastore": "x", "every": "day"}, "datastore does not go together with every", "keep one"),
        ({"datastore": "x", "time_zone": "UTC"}, "datastore does not go together with time_zone", "keep one"),
        ({"polling_interval": 5}, "polling_interval without a datastore", "workspaceblobstore"),
        ({"datastore": "x", "polling_interval": -1}, "polling_interval -1 is negative", "30 seconds"),
        ({"datastore": "x", "polling_interval": 0}, "polling_interval is 0 seconds", "above zero"),
        ({"datastore": "x", "polling_interval": "5 parsecs"}, "'parsecs' is not a unit of time", "seconds, minutes"),
        ({"datastore": "x", "polling_interval": "soon"}, "polling_interval 'soon'", "number of minutes"),
        ({"datastore": "x", "polling_interval": True}, "polling_interval True", "number of minutes"),
        ({"datastore": "x", "polling_interval": float("nan")}, "polling_interval nan", "number of minutes"),
        ({"datastore": "x", "polling_interval": float("inf")}, "polling_interval inf", "number of minutes"),
        ({"datastore": "x", "polling_interval": 10**20}, "is too long", "number of minutes"),
        ({"datastore": "x", "polling_interval": "1 month"}, "'month' is not a unit of time", "weeks"),
        ({"datastore": "x", "settle": "-2s"}, "settle '-2s' is negative", "number of seconds"),
        ({"datastore": "x", "min_size": "big"}, "min_size 'big' is not a size", "10 KB"),
        ({"datastore": "x", "min_size": "5 apples"}, "'apples' is not a unit of size", "KB, MB"),
        ({"datastore": "x", "min_size": "10k"}, "'k' is not a unit of size", "KB, MB"),
        ({"datastore": "x", "min_size": "-1 KB"}, "min_size '-1 KB' is negative", "number of bytes"),
        ({"datastore": "x", "min_size": True}, "min_size True is not a size", "number of bytes"),
        ({"datastore": "x", "min_size": [1]}, "min_size [1] is not a size", "number of bytes"),
        ({"datastore": "x", "min_size": float("nan")}, "min_size nan is not a size", "number of bytes"),
        ({"datastore": "x", "min_size": "9" * 400}, "is too large", "number of bytes"),
        ({"datastore": "x", "min_size": "9999999 TB"}, "is out of range", "It takes 0 to"),
        ({"datastore": "x", "on": ""}, "on '' names no change", "added, modified or removed"),
        ({"datastore": "x", "on": []}, "on [] names no change", "added, modified or removed"),
        ({"datastore": "x", "on": "added, gone"}, "on 'gone' is not known", "removed"),
        ({"datastore": "x", "on": True}, "on True is not known", "added"),
        ({"datastore": "x", "append_only": "perhaps"}, "append_only 'perhaps'", "append_only: true"),
        ({"datastore": "x", "max_runs_per_poll": "many"}, "max_runs_per_poll 'many'", "It takes 1 to"),
        ({"pattern": "*.csv"}, "pattern without a datastore", "workspaceblobstore"),
        ({"datastore": "x", "recursive": "maybe"}, "recursive 'maybe'", "recursive: true"),
    ],
)
def test_a_mistake_is_named_with_its_fix(written, says, fix):
    error = refused(written)
    assert says in error.message
    assert fix in error.hint
    assert "\n" not in str(error)


def refused(written: dict) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        trigger_from(written)
    return caught.value


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (0, 0), ("0", 0), (1024, 1024), ("1024", 1024), ("5 bytes", 5), ("1 byte", 1), ("7B", 7), ("10 KB", 10_000),
        ("10KB", 10_000), ("10 kb", 10_000), ("1 KiB", 1024), ("1.5 MiB", 1_572_864), ("2 GB", 2 * 10**9),
        ("1 TiB", 2**40), ("0.0005 KB", 1),
    ],
)  # fmt: skip
def test_sizes_are_written_in_bytes_or_with_a_unit(written, size):
    assert trigger_from({"datastore": "x", "min_size": written}).min_size == size
