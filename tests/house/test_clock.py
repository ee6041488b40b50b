"""The clock that other tests lean on keeps its own promises."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.support.clock import FakeClock


async def note(clock: FakeClock, seconds: float, woken: list[tuple[float, float]]) -> None:
    await clock.sleep(seconds)
    woken.append((seconds, clock.now()))


def test_a_jump_wakes_who_is_due_at_the_new_time_and_nobody_else():
    async def scenario():
        clock, woken = FakeClock(0), []
        tasks = [asyncio.create_task(note(clock, seconds, woken)) for seconds in (3, 1, 10)]
        await clock.pass_time(0)
        clock.advance(5)
        await asyncio.gather(*tasks[:2])
        assert woken == [(1, 5.0), (3, 5.0)]
        assert clock.sleeping() == 1
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert clock.sleeping() == 0

    asyncio.run(scenario())


def test_a_walk_stops_at_every_sleeper_also_at_those_set_on_the_way():
    async def tick(clock, seen):
        while True:
            await clock.sleep(2)
            seen.append(clock.now())

    async def scenario():
        clock, seen = FakeClock(100), []
        task = asyncio.create_task(tick(clock, seen))
        await clock.pass_time(7)
        assert seen == [102, 104, 106]
        assert clock.now() == 107
        task.cancel()

    asyncio.run(scenario())


def test_a_loop_in_another_thread_sleeps_on_the_same_clock():
    clock, woken = FakeClock(0), []
    thread = threading.Thread(target=lambda: asyncio.run(note(clock, 60, woken)))
    thread.start()
    clock.wait_for_sleepers()
    clock.advance(60)
    thread.join(5)
    assert woken == [(60, 60.0)]


def test_waiting_for_sleepers_that_never_come_says_how_many_there_are():
    with pytest.raises(TimeoutError, match="0 of 2 sleepers"):
        FakeClock().wait_for_sleepers(2, timeout=0.01)
