"""What becomes of the instants that are due, without any engine; and that it never takes long."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.engine.backlog import GRACE, LIMIT, decide, fire_key
from aml_magics.engine.host import Watch
from aml_magics.model.resources import Missed, Outcome
from aml_magics.model.triggers import Cron, Recurrence, Trigger

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
YEAR = 365 * 86_400


class Counted:
    """A timetable that counts how often it is asked."""

    def __init__(self, trigger: Trigger) -> None:
        self.timetable = trigger.timetable(START)
        self.zone = self.timetable.zone
        self.asked = 0

    def next_after(self, after: float) -> float | None:
        self.asked += 1
        return self.timetable.next_after(after)


class Listed:
    """A timetable of exactly these instants."""

    zone = UTC

    def __init__(self, instants: list[float]) -> None:
        self.instants = sorted(instants)

    def next_after(self, after: float) -> float | None:
        return next((instant for instant in self.instants if instant > after), None)


def watch(missed: Missed) -> Watch:
    trigger = Recurrence(frequency="Second")
    return Watch(id="s", name="s", trigger=trigger, created=START, missed=missed)


def decided(timetable, after: float, now: float, missed: Missed):
    return decide(watch(missed), timetable, after, timetable.next_after(after), now, now)


@pytest.mark.parametrize("missed", list(Missed))
@pytest.mark.parametrize(
    "trigger",
    [
        Recurrence(frequency="Second"),
        Recurrence(frequency="Minute"),
        Recurrence(frequency="Hour"),
        Cron(expression="*/5 * * * *"),
        Cron(expression="* 0-16 * * *"),
        Cron(expression="* * 1-15 * *"),
        Cron(expression="* * * 3 *"),
    ],
    ids=lambda trigger: trigger.in_words(),
)
@pytest.mark.parametrize("off", [YEAR, YEAR - 7 * 3600 - 13, 200 * 86_400, 30 * 86_400, 20 * 86_400])
def test_the_work_is_bounded_however_long_the_kernel_was_off(trigger, missed, off):
    timetable = Counted(trigger)
    after = START.timestamp()
    now = after + off
    decision = decided(timetable, after, now, missed)
    assert timetable.asked < 60_000
    plain = trigger.timetable(START)
    assert plain.next_after(decision.until) == decision.next_due
    assert decision.until <= now < decision.next_due
    assert plain.next_after(decision.until - 1) == decision.until
    runs = [fire for fire in decision.fires if fire.outcome == Outcome.SUBMITTED]
    assert len(runs) <= {Missed.SKIP: 1, Missed.ONCE: 2, Missed.ALL: LIMIT + 1}[missed]
    assert len({fire.key for fire in decision.fires}) == len(decision.fires)
    assert [fire.due for fire in decision.fires] == sorted(fire.due for fire in decision.fires)


def test_a_schedule_of_every_second_that_was_off_for_a_year_is_decided_in_a_few_thousand_steps():
    timetable = Counted(Recurrence(frequency="Second"))
    decided(timetable, START.timestamp(), START.timestamp() + YEAR, Missed.SKIP)
    assert timetable.asked < 1200


instants = st.lists(st.integers(1, 5000).map(float), min_size=1, max_size=60, unique=True)


@settings(max_examples=300, deadline=None)
@given(instants, st.integers(0, 5000), st.sampled_from(list(Missed)))
def test_every_instant_until_now_is_decided_once_and_only_the_newest_can_be_on_time(instants, now, missed):
    timetable = Listed(instants)
    due = [instant for instant in timetable.instants if instant <= now]
    if not due:
        return
    decision = decided(timetable, 0.0, float(now), missed)
    assert decision.until == due[-1]
    assert decision.on_time == (due[-1] if now - due[-1] <= GRACE else None)
    late = due[:-1] if decision.on_time else due
    runs = [fire.due.timestamp() for fire in decision.fires if fire.outcome == Outcome.SUBMITTED and fire.detail]
    rows = [fire for fire in decision.fires if fire.outcome == Outcome.MISSED]
    expected = {Missed.SKIP: [], Missed.ONCE: late[-1:], Missed.ALL: late}[missed]
    assert runs == expected
    assert len(rows) == (1 if missed == Missed.SKIP and late else 0)
    if rows:
        assert rows[0].detail.startswith(f"{len(late)} fire time{'s' if len(late) > 1 else ''} (")


@pytest.mark.parametrize(("count", "said"), [(1000, "1,000 fire times"), (1001, "more than 1,000 fire times")])
def test_a_thousand_are_counted_and_more_are_more_than_a_thousand(count, said):
    after = START.timestamp()
    timetable = Recurrence(frequency="Minute").timetable(START)
    decision = decided(timetable, after, after + 60 * count + 30, Missed.SKIP)
    assert decision.fires[0].detail.startswith(said)


def test_all_runs_the_newest_thousand_and_says_what_it_left():
    after = START.timestamp()
    timetable = Recurrence(frequency="Minute").timetable(START)
    decision = decided(timetable, after, after + 60 * 1500 + 30, Missed.ALL)
    left, *runs = decision.fires
    assert len(runs) == 1000
    assert runs[-1].due == START + timedelta(minutes=1500)
    assert runs[0].due == START + timedelta(minutes=501)
    assert left.outcome == Outcome.MISSED
    assert left.due == START + timedelta(minutes=500)
    assert left.detail.endswith("only the newest 1,000 are run")


def test_a_lone_instant_after_a_long_rest_does_not_hide_those_before_it():
    burst = [float(second) for second in range(1, 3000)]
    decision = decided(Listed([*burst, 9000.0]), 0.0, 9001.0, Missed.ONCE)
    assert decision.on_time == 9000.0
    assert [fire.due.timestamp() for fire in decision.fires] == [2999.0, 9000.0]


@given(st.text())
def test_the_key_of_a_fire_is_a_uuid_of_version_five(text):
    key = fire_key(text)
    assert uuid.UUID(key).version == 5
    assert key == str(uuid.uuid5(uuid.UUID("5f3b0e3c-6d57-5e0b-9a53-1f6f1d1c3f6e"), text))
