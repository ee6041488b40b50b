"""The heap: what is due comes out in order, once, also when it was moved, taken back or put in by the thousand."""

from __future__ import annotations

import asyncio
import gc
import random
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.engine.clock import RECHECK, Alarm
from aml_magics.engine.scheduler import LONGEST_REST, SLACK, Due, Scheduler
from tests.engine.fakes import WallClock


def due(seconds: float, name: str) -> Due:
    made = Due(seconds)
    made.name = name
    return made


class Recorder:
    """A scheduler, what it fired, and which schedules come again after how many seconds."""

    def __init__(self) -> None:
        self.clock = WallClock()
        self.origin = self.clock.now()
        self.fired: list[tuple[float, str]] = []
        self.batches: list[int] = []
        self.again: dict[str, float] = {}
        self.scheduler = Scheduler(self.clock, self._fire)

    def put(self, **seconds: float) -> None:
        self.scheduler.put([due(self.origin + each, name) for name, each in seconds.items()])

    def _fire(self, batch, now) -> None:
        self.batches.append(len(batch))
        self.fired += sorted((each - self.origin, each.name) for each in batch)
        self.scheduler.put([due(each + self.again[each.name], each.name) for each in batch if each.name in self.again])

    async def run_for(self, *seconds: float) -> None:
        task = asyncio.create_task(self.scheduler.run())
        for each in seconds:
            await self.clock.pass_time(each)
        task.cancel()
        await asyncio.wait([task])


def test_what_is_due_comes_in_order_and_again_when_it_is_put_back():
    recorder = Recorder()
    recorder.again = {"a": 2.0}
    recorder.put(b=3.0, a=1.0)
    asyncio.run(recorder.run_for(6))
    assert recorder.fired == [(1, "a"), (3, "a"), (3, "b"), (5, "a")]


def test_what_is_due_at_one_instant_is_one_batch():
    recorder = Recorder()
    recorder.put(a=1, b=1, c=1, d=2)
    asyncio.run(recorder.run_for(3))
    assert recorder.batches == [3, 1]


def test_instants_that_follow_closely_share_a_wake_up_and_a_lone_one_is_not_kept_waiting():
    async def scenario():
        recorder = Recorder()
        recorder.put(a=1.0, b=1.001, c=1.0015, d=1.5)
        task = asyncio.create_task(recorder.scheduler.run())
        await recorder.clock.pass_time(1.0005)
        assert recorder.fired == []
        await recorder.clock.pass_time(0.002)
        assert recorder.batches == [3]
        await recorder.clock.pass_time(0.4975)
        assert recorder.batches == [3, 1]
        task.cancel()

    asyncio.run(scenario())


def test_a_thousand_a_second_share_ten_wake_ups_and_none_waits_longer_than_the_longest_rest():
    async def scenario():
        recorder, late = Recorder(), []
        fire = recorder.scheduler._fire
        recorder.scheduler._fire = lambda batch, now: late.append(now - min(batch)) or fire(batch, now)
        recorder.scheduler.put(due(recorder.origin + 1 + number / 1000, f"s{number}") for number in range(3000))
        task = asyncio.create_task(recorder.scheduler.run())
        for _ in range(4100):
            await recorder.clock.pass_time(0.001)
        task.cancel()
        assert len(recorder.fired) == 3000
        assert sum(recorder.batches[-12:]) > 900
        assert max(late) < LONGEST_REST + SLACK
        assert late[0] < 2 * SLACK

    asyncio.run(scenario())


def test_a_clock_that_is_set_back_makes_no_rest_longer():
    async def scenario():
        recorder = Recorder()
        recorder.put(**{f"s{number}": 1.0 for number in range(5000)})
        task = asyncio.create_task(recorder.scheduler.run())
        await recorder.clock.pass_time(1)
        recorder.clock.step(-3600)
        recorder.put(late=-3598.5)
        await recorder.clock.pass_time(0.5 + LONGEST_REST)
        assert recorder.fired[-1] == (-3598.5, "late")
        task.cancel()

    asyncio.run(scenario())


@pytest.mark.parametrize("due_now", [1, 10, 100, 1000])
def test_many_of_many_come_in_order_and_the_others_stay(due_now):
    recorder = Recorder()
    chance = random.Random(due_now)
    wanted = [chance.random() for _ in range(due_now)]
    recorder.put(**{f"now{number}": seconds for number, seconds in enumerate(wanted)})
    recorder.put(**{f"later{number}": 2 + chance.random() for number in range(1000)})
    recorder.clock.advance(1)
    batches = []
    recorder.scheduler._fire = lambda batch, _now: batches.append([each - recorder.origin for each in batch])
    recorder.scheduler.fire_due()
    assert batches == [pytest.approx(sorted(wanted), abs=1e-6)]
    recorder.clock.advance(2)
    recorder.scheduler.fire_due()
    assert len(batches[1]) == 1000
    assert batches[1] == sorted(batches[1])
    assert len(recorder.scheduler) == 0


def test_what_was_taken_back_or_moved_does_not_come_at_its_old_time():
    recorder = Recorder()
    recorder.put(a=1, b=1, c=1)
    recorder.scheduler.remove(["a", "unknown"])
    recorder.put(b=2)
    recorder.put(c=0.5)
    assert len(recorder.scheduler) == 2
    asyncio.run(recorder.run_for(3))
    assert recorder.fired == [(0.5, "c"), (2, "b")]


def test_what_is_moved_away_and_back_comes_once():
    recorder = Recorder()
    for _ in range(3):
        recorder.put(a=1)
        recorder.scheduler.remove(["a"])
        recorder.put(a=2)
        recorder.put(a=1)
    asyncio.run(recorder.run_for(3))
    assert recorder.fired == [(1, "a")]


def test_something_earlier_ends_the_sleep():
    async def scenario():
        recorder = Recorder()
        recorder.put(late=100)
        task = asyncio.create_task(recorder.scheduler.run())
        await recorder.clock.pass_time(1)
        recorder.put(early=1.5)
        await recorder.clock.pass_time(1)
        assert recorder.fired == [(1.5, "early")]
        task.cancel()

    asyncio.run(scenario())


def test_a_batch_that_could_not_be_fired_is_due_again():
    async def scenario():
        recorder = Recorder()
        recorder.put(a=0, b=0)
        works, recorder.scheduler._fire = recorder.scheduler._fire, lambda _batch, _now: 1 / 0
        with pytest.raises(ZeroDivisionError):
            await recorder.scheduler.run()
        recorder.scheduler._fire = works
        await recorder.run_for(1)
        assert recorder.fired == [(0, "a"), (0, "b")]

    asyncio.run(scenario())


def test_leftovers_do_not_pile_up():
    recorder = Recorder()
    for round_ in range(1000):
        recorder.put(**{f"s{number}": 1000 + round_ for number in range(10)})
    assert len(recorder.scheduler) == 10
    assert len(recorder.scheduler._heap) <= 2 * 10 + 64 + 10


def test_what_never_comes_is_known_and_costs_no_place():
    recorder = Recorder()
    recorder.put(never=inf, a=1)
    assert "never" in recorder.scheduler
    assert len(recorder.scheduler._heap) == 1
    asyncio.run(recorder.run_for(2))
    assert recorder.fired == [(1, "a")]
    assert "never" in recorder.scheduler
    assert "a" not in recorder.scheduler


def test_an_overdue_schedule_that_never_ends_lets_others_run():
    async def scenario():
        recorder = Recorder()
        recorder.again = {"a": 0.0}
        recorder.put(a=-1)
        task = asyncio.create_task(recorder.scheduler.run())
        others = asyncio.create_task(asyncio.sleep(0))
        for _ in range(10):
            await recorder.clock.pass_time(LONGEST_REST / 10)
        task.cancel()
        assert others.done()
        assert len(recorder.fired) > 1

    asyncio.run(scenario())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9), st.sampled_from(["put", "remove"])), max_size=60)
)
def test_it_agrees_with_a_plain_dictionary(actions):
    recorder, model = Recorder(), {}
    for name, seconds, action in actions:
        if action == "put":
            recorder.put(**{name: seconds})
            model[name] = float(seconds)
        else:
            recorder.scheduler.remove([name])
            model.pop(name, None)
    recorder.clock.advance(10)
    recorder.scheduler.fire_due()
    assert recorder.fired == sorted((seconds, name) for name, seconds in model.items())
    assert len(recorder.scheduler) == 0


# --- the alarm -------------------------------------------------------------------------------------------------------


def test_an_alarm_that_rang_before_anybody_waited_ends_the_next_wait():
    async def scenario():
        alarm = Alarm(WallClock())
        alarm.ring()
        assert await alarm.wait(100)

    asyncio.run(scenario())


def test_an_alarm_waits_as_long_as_it_was_told_and_never_long_without_a_look_at_the_clock():
    async def scenario(seconds, passed):
        clock = WallClock()
        task = asyncio.create_task(Alarm(clock).wait(seconds))
        await clock.pass_time(passed - 0.01)
        assert not task.done()
        await clock.pass_time(0.02)
        assert task.done()
        assert await task is False

    asyncio.run(scenario(2, 2))
    asyncio.run(scenario(3600, 5))


def test_a_cancellation_that_comes_together_with_a_ring_is_not_lost():
    async def scenario(first, second):
        clock = WallClock()
        alarm = Alarm(clock)

        async def wait() -> None:
            await alarm.wait(100)
            await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await clock.pass_time(1)
        acts = {"ring": alarm.ring, "cancel": task.cancel}
        acts[first]()
        acts[second]()
        await clock.pass_time(1)
        assert task.cancelled()

    asyncio.run(scenario("ring", "cancel"))
    asyncio.run(scenario("cancel", "ring"))


def test_a_ring_leaves_no_trace_of_cancellation_and_several_are_one():
    async def scenario():
        clock = WallClock()
        alarm, rung = Alarm(clock), []

        async def wait() -> None:
            rung.append(await alarm.wait(100))
            rung.append(asyncio.current_task().cancelling())
            rung.append(await alarm.wait(1))

        task = asyncio.create_task(wait())
        await clock.pass_time(1)
        alarm.ring()
        alarm.ring()
        await clock.pass_time(2)
        assert rung == [True, 0, False]
        assert task.done()

    asyncio.run(scenario())


def test_a_ring_at_the_very_moment_the_sleep_ends_is_heard():
    async def scenario():
        clock = WallClock()
        alarm = Alarm(clock)
        task = asyncio.create_task(alarm.wait(1))
        await clock.pass_time(0)
        clock.advance(1)
        await asyncio.sleep(0)  # the sleep is over, its task has not run yet
        alarm.ring()
        assert await task is True

    asyncio.run(scenario())


def test_an_alarm_that_is_cancelled_leaves_no_sleeper():
    async def scenario():
        clock = WallClock()
        task = asyncio.create_task(Alarm(clock).wait(100))
        await clock.pass_time(1)
        task.cancel()
        await asyncio.wait([task])
        await clock.pass_time(0)
        assert clock.sleeping() == 0

    asyncio.run(scenario())


def test_a_clock_that_fails_wakes_whoever_waits():
    class Broken(WallClock):
        def __init__(self) -> None:
            super().__init__()
            self.sleep = self._fail

        async def _fail(self, seconds: float) -> None:
            raise OSError("no time")

    async def scenario():
        with pytest.raises(OSError, match="no time"):
            await Alarm(Broken()).wait(1)

    asyncio.run(scenario())


def test_a_long_call_that_holds_the_interpreter_is_told_and_ordinary_rest_is_not():
    monotonic = [100.0]
    scheduler = Scheduler(WallClock(), lambda _batch, _now: None, monotonic=lambda: monotonic[0])
    monotonic[0] += RECHECK
    assert scheduler.held_up == 0
    monotonic[0] += 47
    assert scheduler.held_up == 47


@pytest.mark.parametrize("is_on", [True, False])
def test_collections_are_as_before_also_when_making_the_schedules_failed(is_on):
    (gc.enable if is_on else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError):
            Scheduler(WallClock(), lambda _batch, _now: None).put(1 / 0 for _ in "a")
        assert gc.isenabled() == is_on
    finally:
        gc.enable()
