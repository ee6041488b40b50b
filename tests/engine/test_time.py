"""Time schedules: what is due is fired once, on time, and what was missed is treated as the schedule says."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import datetime, timedelta

import pytest

from aml_magics.engine.host import Watch
from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import Missed, Outcome
from aml_magics.model.triggers import Cron, Recurrence
from tests.engine.fakes import START, Bench, every


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


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


def test_all_that_is_due_at_one_instant_is_one_transaction():
    async def scenario():
        bench = Bench()
        for number in range(50):
            bench.write_schedule(Cron(expression="*/2 * * * *"), f"s{number}")
        async with bench:
            await bench.clock.pass_time(110)
            begun = []
            bench.database._connection.set_trace_callback(lambda sql: sql.startswith("BEGIN") and begun.append(sql))
            woken = bench.host.submitted
            batches = []
            bench.host.submitted = lambda ids: batches.append(len(ids)) or woken(ids)
            bench.clock.advance(10)
            await bench.clock.pass_time(0)
            bench.database._connection.set_trace_callback(None)
            assert batches == [50]
            assert len(begun) == 2  # the fires, and a beat
            assert len(bench.runs) == 50

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


# --- several kernels -------------------------------------------------------------------------------------------------


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
            third.engine._timekeeper.fire_due()  # would now find others missed, and make one run for these
            assert second.dues == [0, 600]
            third.engine._timekeeper.fire_due()  # from where the second has got to
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


def _later(batch: list, now: float) -> None:
    raise RuntimeError("this kernel is stuck")


# --- missed ----------------------------------------------------------------------------------------------------------


def off_for(bench: Bench, seconds: float) -> Bench:
    """The next kernel, started after a while without any."""
    bench.clock.advance(seconds)
    return bench.another()


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


# --- a host that refuses or fails ------------------------------------------------------------------------------------


def refuse(error: Exception, only: str = "s"):
    def on_submit(db: sqlite3.Connection, fire) -> None:
        if fire.schedule_id == only:
            raise error

    return on_submit


def test_a_fire_that_the_host_refuses_is_kept_with_the_reason_and_undone_alone():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(60), "good")
        bench.write_schedule(every(60), "s")
        bench.write_schedule(every(60), "better")
        bench.host.on_submit = refuse(InvalidInput("pipeline 'train' is disabled", hint="Enable it."))
        async with bench:
            await bench.clock.pass_time(30)
            assert {row["schedule_id"] for row in bench.runs} == {"good", "better"}
            (fire,) = bench.fires()
            assert fire.outcome == Outcome.REFUSED
            assert fire.detail == "pipeline 'train' is disabled. Enable it."
            assert fire.run_id is None
            assert bench.engine.health().errors == ()
            await bench.clock.pass_time(60)
            assert len(bench.fires()) == 2

    asyncio.run(scenario())


def test_an_unexpected_error_of_the_host_is_a_refusal_and_shows_in_health():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(60))
        bench.host.on_submit = refuse(TypeError("bad argument"))
        async with bench:
            await bench.clock.pass_time(30)
            assert bench.fires()[0].detail == "unexpected TypeError: bad argument"
            assert "submit: TypeError: bad argument" in bench.engine.health().errors[0]

    asyncio.run(scenario())


def test_a_database_error_decides_nothing_and_is_tried_again():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(3600))
        bench.host.on_submit = refuse(sqlite3.OperationalError("disk is full"))
        async with bench:
            await bench.clock.pass_time(3)
            assert bench.runs == []
            assert bench.fires() == []
            assert "disk is full" in bench.engine.health().errors[0]
            bench.host.on_submit = lambda _db, _fire: None
            await bench.clock.pass_time(5)
            assert bench.dues == [0]

    asyncio.run(scenario())


def test_what_was_seen_in_time_is_fired_even_when_it_could_not_be_written_for_a_while():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(3600))
        bench.host.on_submit = refuse(sqlite3.OperationalError("database is locked"))
        async with bench:
            await bench.clock.pass_time(70)
            assert bench.fires() == []
            bench.host.on_submit = lambda _db, _fire: None
            await bench.clock.pass_time(60)
            assert bench.dues == [0]
            assert bench.fires()[0].detail == ""

    asyncio.run(scenario())


def test_wrong_sql_of_a_host_is_a_refusal_and_not_a_broken_database():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(10), "other")
        bench.write_schedule(every(10))

        def on_submit(db, fire):
            if fire.schedule_id == "s":
                db.execute("INSERT INTO nowhere VALUES (1)")

        bench.host.on_submit = on_submit
        async with bench:
            await bench.clock.pass_time(15)
            assert bench.dues == [0, 10]
            assert bench.fires()[0].detail == "unexpected OperationalError: no such table: nowhere"

    asyncio.run(scenario())


def test_a_host_that_cannot_be_woken_does_not_stop_the_engine():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(10))

        def submitted(ids):
            raise RuntimeError("asleep")

        bench.host.submitted = submitted
        async with bench:
            await bench.clock.pass_time(25)
            assert bench.dues == [0, 10, 20]
            assert "submitted: RuntimeError: asleep" in bench.engine.health().errors[0]

    asyncio.run(scenario())


def test_the_newest_fires_of_all_outcomes_are_listed_newest_first():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(10), missed=Missed.SKIP)
        bench.write_schedule(every(10), "another")
        refusing = refuse(InvalidInput("not now"))
        async with bench:
            for number in range(12):
                bench.host.on_submit = refusing if number % 3 == 0 else lambda _db, _fire: None
                bench.clock.advance(35 if number % 4 == 0 else 10)
                await bench.clock.pass_time(0)
            everything = bench.engine.history("s", 1000)
            assert len(everything.fires) == everything.submitted + everything.missed + everything.refused
            assert {fire.outcome for fire in everything.fires} == set(Outcome)
            assert [fire.due for fire in everything.fires] == sorted((f.due for f in everything.fires), reverse=True)
            newest = bench.engine.history("s", 5)
            assert newest.fires == everything.fires[:5]
            assert newest.submitted == everything.submitted

    asyncio.run(scenario())


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


def test_ten_thousand_that_are_due_together_do_not_take_a_minute():
    async def scenario():
        bench = Bench()
        with bench.database.transaction() as db:
            for number in range(10_000):
                name = f"s{number}"
                bench.registry[name] = Watch(id=name, name=name, trigger=every(3600), created=bench.now)
                db.execute("INSERT INTO schedules VALUES (?, 1)", (name,))
        begun = time.perf_counter()
        async with bench:
            await bench.clock.pass_time(0)
            assert len(bench.runs) == 10_000
        assert time.perf_counter() - begun < 60

    asyncio.run(scenario())
