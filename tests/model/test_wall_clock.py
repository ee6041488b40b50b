"""The wall clock by integers is the wall clock by zoneinfo, also where stretches meet and folds cross midnight."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from aml_magics.model import wall_clock
from aml_magics.model.wall_clock import DAY, WallClock, wall_second

from .oracles import instant_of, transitions

ZONES = ("America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Beirut", "Africa/Casablanca", "UTC")


def offset(zone: str, instant: int) -> int:
    return int(datetime.fromtimestamp(instant, ZoneInfo(zone)).utcoffset().total_seconds())


@pytest.mark.parametrize("zone", ZONES)
def test_the_offset_at_any_instant_is_that_of_zoneinfo(zone):
    rng = random.Random(zone)
    clock = WallClock(ZoneInfo(zone))
    changes = transitions(zone, 1990, 2036)
    instants = [rng.randrange(600_000_000, 2_100_000_000) for _ in range(300)]
    instants += [change + near for change in changes for near in (-3601, -1, 0, 1, 3600)]
    rng.shuffle(instants)
    for instant in instants:
        segment = clock.segment(instant)
        assert segment.start <= instant < segment.end
        assert segment.offset == offset(zone, instant)


@pytest.mark.parametrize("zone", ZONES)
def test_a_wall_second_has_the_first_instant_at_which_it_is_reached(zone):
    rng = random.Random(zone)
    clock = WallClock(ZoneInfo(zone))
    for change in transitions(zone, 1990, 2036) or (1_700_000_000,):
        for _ in range(8):
            reading = datetime.fromtimestamp(change + rng.randrange(-2 * DAY, 2 * DAY), UTC).replace(tzinfo=None)
            assert clock.first_instant(wall_second(reading)) == instant_of(reading, zone), reading


@pytest.mark.parametrize("after", [1, 600, 3599, 3600, DAY])
@pytest.mark.parametrize("zone", ["America/New_York", "America/St_Johns"])
def test_a_fold_just_before_a_new_stretch_is_not_forgotten(zone, after, monkeypatch):
    fold = next(change for change in transitions(zone, 2009, 2010) if offset(zone, change) < offset(zone, change - 1))
    monkeypatch.setattr(wall_clock, "STRETCH", fold + after)  # the second stretch starts right after the fold
    clock = WallClock(ZoneInfo(zone))
    segment = clock.segment(fold + after)
    assert segment.start == fold + after
    lost = offset(zone, fold - 1) - offset(zone, fold)
    assert segment.reached == max(fold + offset(zone, fold - 1), segment.start + segment.offset)
    assert (segment.reached > segment.start + segment.offset) == (after < lost)


def test_a_stretch_that_merely_begins_is_not_taken_for_a_gap(monkeypatch):
    monkeypatch.setattr(wall_clock, "STRETCH", 10 * DAY)
    clock = WallClock(ZoneInfo("Asia/Kolkata"))
    for number in range(2000, 2010):
        segment = clock.segment(number * 10 * DAY)
        assert segment.reached == segment.start + segment.offset
