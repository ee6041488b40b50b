"""Zones by Windows and IANA names, back and forth, and the nearest name for a wrong one."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.zone_table import TABLE
from aml_magics.model.zones import nearest, to_iana, to_windows, zone

WINDOWS = [line.split(":")[0] for line in TABLE.strip().splitlines() if not line.startswith(" ")]


def test_every_windows_name_leads_to_a_zone_that_exists_and_back():
    assert len(WINDOWS) == 141
    moved = {}
    for name in WINDOWS:
        assert zone(name).utcoffset(datetime(2026, 7, 1)) is not None
        if to_windows(to_iana(name)) != name:
            moved[name] = to_windows(to_iana(name))
    assert moved == {"Kamchatka Standard Time": "Russia Time Zone 11", "Mid-Atlantic Standard Time": "UTC-02"}


def test_every_iana_name_of_the_table_exists_and_no_name_stands_twice():
    names = [name for line in TABLE.replace("\n  ", " ").strip().splitlines() for name in line.split(": ")[1].split()]
    known = zoneinfo.available_timezones()
    assert sorted(name for name in names if name not in known) == []
    twice = sorted({name for name in names if names.count(name) > 1})
    assert twice == ["Asia/Kamchatka", "Etc/GMT+2"]  # one of ours each, see the table


@pytest.mark.parametrize(
    ("windows", "iana"),
    [
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("E. South America Standard Time", "America/Sao_Paulo"),
        ("India Standard Time", "Asia/Kolkata"),  # CLDR still says Asia/Calcutta
        ("FLE Standard Time", "Europe/Kyiv"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Arabian Standard Time", "Asia/Dubai"),
        ("UTC", "UTC"),
        ("UTC-11", "Etc/GMT+11"),
    ],
)
def test_the_usual_names_match(windows, iana):
    assert to_iana(windows) == iana
    assert to_windows(iana) == windows


@pytest.mark.parametrize(
    ("iana", "windows"),
    [
        ("Asia/Calcutta", "India Standard Time"),
        ("Europe/Lisbon", "GMT Standard Time"),
        ("US/Eastern", "Eastern Standard Time"),
        ("Europe/Kiev", "FLE Standard Time"),
        ("Etc/UTC", "UTC"),
        ("Pacific Standard Time", "Pacific Standard Time"),
    ],
)
def test_old_and_other_spellings_have_the_same_windows_name(iana, windows):
    assert to_windows(iana) == windows


def test_names_for_one_clock_tell_the_same_time_now():
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for windows in WINDOWS:
        assert now.astimezone(zone(windows)) == now.astimezone(zone(to_iana(windows)))


def test_a_zone_is_one_object():
    assert zone("America/Sao_Paulo") is zone("E. South America Standard Time")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("America/New_Yrok", "America/New_York"),
        ("america/new_york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("São Paulo", "America/Sao_Paulo"),
        ("Lisbon", "Europe/Lisbon"),
        ("pacific standard time", "Pacific Standard Time"),
        ("Pacific Standart Time", "Pacific Standard Time"),
        ("utc", "UTC"),
        ("Europe/Berln", "Europe/Berlin"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(wrong, right):
    assert nearest(wrong) == right
    with pytest.raises(InvalidInput) as caught:
        zone(wrong)
    assert caught.value.hint == f"Did you mean {right!r}?"
    assert repr(wrong) in caught.value.message


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "/etc/localtime", "right/UTC", "posix/UTC", "Factory", "X\0"]
)
def test_what_is_no_zone_is_refused_whatever_it_looks_like(name):
    with pytest.raises(InvalidInput, match="is not known"):
        zone(name)


def test_a_zone_without_a_windows_name_says_what_to_do():
    with pytest.raises(InvalidInput, match=r"'Antarctica/Troll' has no Windows name.*large city nearby"):
        to_windows("Antarctica/Troll")
