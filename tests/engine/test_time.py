"""Time schedules: what is due is fired once and on time, by one kernel or by several."""

from __future__ import annotations

import asyncio

import pytest

from aml_magics.model.resources import Missed, Outcome
from aml_magics.model.triggers import Cron, Recurrence
from tests.engine.fakes import START, Bench, at, every, off_for


def test_a_recurrence_without_start_time_fires_at_its_creation_and_then_by_its_interval():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(60))
        async with bench:
            await bench.clock.pass_time(150)
            assert bench.dues == [0, 60, 120]
            assert bench.host.woken == [row["id"] for row in bench.runs]

    asyncio.run(scenario())


def test_a_schedule_created_while_the_engine_runs_fires_at_once_and_at_the_fraction_of_a_second_it_was_born_in():
    async def scenario():
        async with Bench() as bench:
            await bench.clock.pass_time(7.25)
            bench.write_schedule(every(60))
            bench.engine.refresh()
            await bench.clock.pass_time(60)
            assert bench.dues == [7.25, 67.25]

    asyncio.run(scenario())


def test_many_refreshes_read_the_schedules_once():
    async def scenario():
        async with Bench() as bench:
            await bench.clock.pass_time(0)
            calls = []
            watches = bench.host.watches
            bench.host.watches = lambda: calls.append(1) or watches()
            for _ in range(100):
                bench.engine.refresh()
            await bench.clock.pass_time(0)
            assert len(calls) == 1

    asyncio.run(scenario())


def test_fires_are_recorded_with_their_reason_and_run():
    async def scenario():
        bench = Bench()
        bench.write_schedule(Cron(expression="*/2 * * * *"))
        async with bench:
            await bench.clock.pass_time(150)
            (fire,) = bench.fires()
            assert (fire.reason, fire.due, fire.decided, fire.outcome) == ("clock", at(120), at(120), Outcome.SUBMITTED)
            assert fire.run_id == fire.key == bench.runs[0]["id"]
            assert bench.engine.history("s").next_due == at(240)

    asyncio.run(scenario())


def test_a_recurrence_without_start_time_does_not_fire_again_after_a_restart(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        first.write_schedule(every(3600))
        async with first:
            await first.clock.pass_time(5)
        second = first.another()
        async with second:
            await second.clock.pass_time(5)
            assert second.dues == [0]
            await second.clock.pass_time(3600)
            assert second.dues == [0, 3600]

    asyncio.run(scenario())


def test_a_disabled_schedule_does_not_fire_and_does_not_make_up_for_it_when_it_is_enabled():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(60))
        async with bench:
            await bench.clock.pass_time(30)
            bench.set_active("s", False)
            bench.engine.refresh()
            await bench.clock.pass_time(600)
            bench.set_active("s", True)
            bench.engine.refresh()
            await bench.clock.pass_time(60)
            assert bench.dues == [0, 660]
            assert [fire.outcome for fire in bench.fires()] == [Outcome.SUBMITTED] * 2

    asyncio.run(scenario())


def test_what_falls_due_while_a_schedule_is_disabled_is_not_missed_after_a_restart(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        first.write_schedule(every(60), missed=Missed.ALL)
        async with first:
            await first.clock.pass_time(30)
            first.set_active("s", False)
        async with first.another() as second:  # was told nothing, finds it disabled
            await second.clock.pass_time(600)
            second.set_active("s", True)
            second.engine.refresh()
            await second.clock.pass_time(60)
            assert second.dues == [0, 660]

    asyncio.run(scenario())


def test_a_schedule_born_disabled_does_not_fire_for_its_past_when_it_is_enabled():
    async def scenario():
        async with Bench() as bench:
            bench.write_schedule(every(60), missed=Missed.ALL, active=False)
            bench.engine.refresh()
            await bench.clock.pass_time(310)
            bench.set_active("s", True)
            bench.engine.refresh()
            await bench.clock.pass_time(60)
            assert bench.dues == [360]

    asyncio.run(scenario())


def test_a_schedule_that_another_process_disables_just_before_it_is_due_does_not_fire():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(60))
        async with bench:
            await bench.clock.pass_time(59.9)
            bench.set_active("s", False)  # nobody says so
            await bench.clock.pass_time(120)
            assert bench.dues == [0]
            assert len(bench.fires()) == 1
            assert not bench.engine.history("s").active

    asyncio.run(scenario())


def test_a_schedule_that_was_found_disabled_is_taken_up_again_when_it_is_enabled():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(60))
        async with bench:
            await bench.clock.pass_time(59.9)
            bench.set_active("s", False)
            bench.clock.advance(0.1)
            await bench.clock.pass_time(0)
            bench.set_active("s", True)
            bench.engine.refresh()
            await bench.clock.pass_time(65)
            assert bench.dues == [0, 120]

    asyncio.run(scenario())


def test_a_changed_trigger_counts_from_now():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(60))
        async with bench:
            await bench.clock.pass_time(90)
            bench.write_schedule(every(7), created=START)
            bench.engine.refresh()
            await bench.clock.pass_time(10)
            assert bench.dues == [0, 60, 91, 98]

    asyncio.run(scenario())


def test_a_changed_name_changes_no_time():
    async def scenario():
        bench = Bench()
        watch = bench.write_schedule(every(60))
        async with bench:
            await bench.clock.pass_time(90)
            bench.registry["s"] = type(watch)(id="s", name="new", trigger=watch.trigger, created=watch.created)
            bench.engine.refresh()
            await bench.clock.pass_time(30)
            assert bench.dues == [0, 60, 120]

    asyncio.run(scenario())


def test_kernels_on_one_file_fire_everything_once(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        for number in range(20):
            first.write_schedule(every(5 + number), f"s{number}")
        second, third = first.another(), first.another()
        async with first, second, third:
            await first.clock.pass_time(300)
            wanted = sorted(due for number in range(20) for due in range(0, 301, 5 + number))
            assert sorted(first.dues) == wanted
            assert len(first.host.woken) + len(second.host.woken) + len(third.host.woken) == len(wanted)
            assert first.engine.health().errors == ()

    asyncio.run(scenario())


def test_a_kernel_notices_within_a_beat_what_another_one_created_and_disabled(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        second = first.another()
        async with first, second:
            first.write_schedule(every(60))
            await first.clock.pass_time(2.5)
            assert second.engine.history("s").active
            first.set_active("s", False)
            await first.clock.pass_time(2.5)
            assert not second.engine.history("s").active

    asyncio.run(scenario())


def test_what_another_kernel_has_decided_meanwhile_is_not_decided_again_in_another_way(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        first.write_schedule(every(60), missed=Missed.ONCE)
        async with first:
            await first.clock.pass_time(30)
        second, third = first.another(), first.another()
        first.clock.advance(600)
        third.engine._sync(starting=True)  # has read the cursor, and has yet to decide
        async with second:
            assert second.dues == [0, 600]
            second.clock.advance(120)
            fire_due(third)  # would now find others missed, and make one run for these
            assert second.dues == [0, 600]
            fire_due(third)  # from where the second has got to
            assert second.dues == [0, 600, 720]
        third.database.close()

    asyncio.run(scenario())


def test_a_schedule_that_was_disabled_once_still_misses_what_it_misses_later(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        first.write_schedule(every(60), missed=Missed.ALL)
        async with first:
            await first.clock.pass_time(1)
            first.set_active("s", False)
            first.engine.refresh()
            await first.clock.pass_time(1)
            first.set_active("s", True)
            first.engine.refresh()
            await first.clock.pass_time(28)
        async with off_for(first, 120) as second:
            assert second.dues == [0, 60, 120]

    asyncio.run(scenario())


def test_a_kernel_that_wakes_late_takes_over_where_the_others_have_got_to(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        first.write_schedule(every(5), missed=Missed.ALL)
        second = first.another()
        async with second:
            async with first:
                await first.clock.pass_time(2)
                late, second.engine._timekeeper._scheduler._fire = second.engine._timekeeper._scheduler._fire, _later
                await first.clock.pass_time(100)
            second.engine._timekeeper._scheduler._fire = late
            await second.clock.pass_time(100)
            assert sorted(second.dues) == list(range(0, 205, 5))

    asyncio.run(scenario())


def fire_due(bench: Bench) -> None:
    bench.engine._timekeeper.fire_due()
    bench.engine._timekeeper._finish_bursts()


def _later(batch: list, now: float) -> None:
    raise RuntimeError("this kernel is stuck")


def test_lateness_is_from_due_to_committed():
    async def scenario():
        bench = Bench()
        bench.write_schedule(Recurrence(frequency="Minute", interval=1))
        async with bench:
            await bench.clock.pass_time(30)
            assert bench.engine.health().lateness_p99_ms == 0
            bench.clock.advance(32)
            await bench.clock.pass_time(0)
            assert bench.engine.health().lateness_p99_ms == pytest.approx(2000)
            assert bench.engine.health().lateness_p50_ms in (0, pytest.approx(2000))

    asyncio.run(scenario())
