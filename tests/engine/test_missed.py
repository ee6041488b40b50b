"""What fell due while no kernel was there, or while its clock was not right, goes as the schedule says."""

from __future__ import annotations

import asyncio

import pytest

from aml_magics.model.resources import Missed, Outcome
from tests.engine.fakes import Bench, at, every, off_for


async def first_life(path, trigger, missed: Missed) -> Bench:
    bench = Bench(path / "w.db")
    bench.write_schedule(trigger, missed=missed)
    async with bench:
        await bench.clock.pass_time(30)
    return bench


def test_skip_records_what_was_missed_in_one_row_and_runs_nothing(tmp_path):
    async def scenario():
        first = await first_life(tmp_path, every(60), Missed.SKIP)
        async with off_for(first, 600) as second:  # now 10:30
            assert second.dues == [0]
            _, missed = second.fires()
            assert missed.outcome == Outcome.MISSED
            assert missed.due == at(600)
            assert missed.run_id is None
            expected = "10 fire times (2026-03-02 09:01:00 UTC to 2026-03-02 09:10:00 UTC) missed"
            assert missed.detail.startswith(expected)
            await second.clock.pass_time(60)
            assert second.dues == [0, 660]

    asyncio.run(scenario())


def test_once_makes_one_run_for_all_that_was_missed(tmp_path):
    async def scenario():
        first = await first_life(tmp_path, every(60), Missed.ONCE)
        async with off_for(first, 600) as second:
            assert second.dues == [0, 600]
            assert second.fires()[-1].detail.startswith("one run for 10 fire times (2026-03-02 09:01:00 UTC to")

    asyncio.run(scenario())


def test_all_makes_a_run_for_each_that_was_missed(tmp_path):
    async def scenario():
        first = await first_life(tmp_path, every(60), Missed.ALL)
        async with off_for(first, 600) as second:
            assert second.dues == [0, *range(60, 601, 60)]
            assert {fire.outcome for fire in second.fires()} == {Outcome.SUBMITTED}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("missed", "runs"), [(Missed.SKIP, [600]), (Missed.ONCE, [540, 600]), (Missed.ALL, [*range(60, 601, 60)])]
)
def test_the_newest_is_fired_as_usual_when_it_is_within_the_grace(tmp_path, missed, runs):
    async def scenario():
        first = await first_life(tmp_path, every(60), missed)
        async with off_for(first, 578) as second:  # 8 seconds after 600
            assert second.dues == [0, *runs]
            assert second.fires()[-1].detail == ""
            assert second.fires()[-1].due == at(600)

    asyncio.run(scenario())


@pytest.mark.parametrize(("late", "fired"), [(10.0, True), (10.001, False)])
def test_ten_seconds_late_is_on_time_and_more_is_missed(tmp_path, late, fired):
    async def scenario():
        first = await first_life(tmp_path, every(3600), Missed.SKIP)
        async with off_for(first, 3570 + late) as second:
            assert (3600 in second.dues) == fired
            assert second.fires()[-1].outcome == (Outcome.SUBMITTED if fired else Outcome.MISSED)

    asyncio.run(scenario())


def test_nothing_is_missed_twice(tmp_path):
    async def scenario():
        first = await first_life(tmp_path, every(60), Missed.ALL)
        async with off_for(first, 600) as second:
            before = len(second.runs)
        async with second.another() as third:
            assert len(third.runs) == before

    asyncio.run(scenario())


def test_a_schedule_of_every_second_that_was_off_for_a_year_starts_in_milliseconds(tmp_path):
    async def scenario(missed):
        folder = tmp_path / missed
        first = await first_life(folder, every(1), missed)
        calls = 0
        async with off_for(first, 365 * 86_400) as second:
            plan = second.engine._timekeeper._scheduler.get("s")
            assert plan.after == second.clock.now()
            calls = second.dues
            details = [fire.detail for fire in second.fires()]
        return calls, details

    runs, details = asyncio.run(scenario(Missed.SKIP))
    assert len(runs) == 32  # 0 to 30, and the newest
    assert "more than 1,000 fire times (2026-03-02 09:00:31 UTC to 2027-03-02 09:00:29 UTC)" in details[-2]
    runs, details = asyncio.run(scenario(Missed.ONCE))
    assert len(runs) == 33
    runs, details = asyncio.run(scenario(Missed.ALL))
    assert len(runs) == 31 + 1000 + 1
    assert sum("only the newest 1,000 are run" in detail for detail in details) == 1


def test_two_kernels_that_start_together_record_what_was_missed_once(tmp_path):
    async def scenario():
        first = await first_life(tmp_path, every(60), Missed.ONCE)
        second = off_for(first, 600)
        third = second.another()
        async with second, third:
            await second.clock.pass_time(10)
            assert second.dues == [0, 600]

    asyncio.run(scenario())


def test_a_clock_that_jumps_ahead_makes_fires_missed_and_one_that_jumps_back_makes_none_twice():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(60))
        async with bench:
            await bench.clock.pass_time(90)
            bench.clock.advance(3600 + 30 + 5)  # a laptop's lid: sleepers wake at the new time
            await bench.clock.pass_time(0)
            assert bench.dues == [0, 60, 3720]
            bench.clock.step(-3600)
            await bench.clock.pass_time(3600)
            assert bench.dues == [0, 60, 3720]
            await bench.clock.pass_time(60)
            assert bench.dues == [0, 60, 3720, 3780]

    asyncio.run(scenario())


def test_a_sleep_that_stood_still_while_the_machine_was_suspended_is_noticed_within_seconds():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(3600))
        async with bench:
            await bench.clock.pass_time(1)
            bench.clock.step(3590)
            await bench.clock.pass_time(14)
            assert bench.dues == [0, 3600]  # within the grace

    asyncio.run(scenario())


def test_a_cursor_that_was_written_while_the_clock_was_years_ahead_does_not_silence_a_schedule(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        first.write_schedule(every(60))
        first.clock.step(10 * 365 * 86400)
        async with first:
            await first.clock.pass_time(120)
        first.clock.step(-10 * 365 * 86400)
        async with first.another() as second:
            await second.clock.pass_time(180)
            recent = [due for due in second.dues if due < 86400]
        assert len(recent) >= 2

    asyncio.run(scenario())
