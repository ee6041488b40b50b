"""Very many that are due together: that they fire is on disk at once, what they fire is written out in turns."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter

import pytest

from aml_magics.datastores import Folder
from aml_magics.engine.engine import Engine
from aml_magics.engine.host import Watch
from aml_magics.engine.schema import SCHEMA
from aml_magics.engine.timekeeper import BURST, PART
from aml_magics.model.resources import Outcome
from aml_magics.model.triggers import Cron
from tests.engine.fakes import Bench, every, off_for, until
from tests.engine.killable import MANY, end_kernel, host_over, start_kernel, wait_for

HOUR = 3600
TURNS = 4  # of writing out, the last of which is not full
COUNT = PART * TURNS - 10


def write_many(bench: Bench, count: int = COUNT) -> None:
    """So many schedules, all due at birth and an hour later."""
    with bench.database.transaction() as db:
        for number in range(count):
            name = f"s{number}"
            bench.registry[name] = Watch(id=name, name=name, trigger=every(HOUR), created=bench.now)
            db.execute("INSERT INTO schedules VALUES (?, 1)", (name,))


def turns_left(bench: Bench) -> int:
    return bench.database.row("SELECT count(*) FROM bursts")[0]


async def burst(bench: Bench) -> None:
    """Everything that is due now is decided; nothing is written out."""
    bench.engine._timekeeper.fire_due()
    assert turns_left(bench) == TURNS
    assert bench.runs == []


def counted(bench: Bench) -> Counter[str]:
    return Counter(row["schedule_id"] for row in bench.runs)


def test_what_is_due_together_is_one_transaction_as_long_as_it_is_short():
    async def scenario():
        bench = Bench()
        for number in range(BURST):
            bench.write_schedule(Cron(expression="*/2 * * * *"), f"s{number}")
        async with bench:
            await bench.clock.pass_time(110)
            begun = []
            bench.database._connection.set_trace_callback(lambda sql: sql.startswith("BEGIN") and begun.append(sql))
            batches = []
            bench.host.submitted = lambda ids: batches.append(len(ids))
            bench.clock.advance(10)
            await bench.clock.pass_time(0)
            bench.database._connection.set_trace_callback(None)
            assert batches == [BURST]
            assert len(begun) == 2  # the fires, and a beat
            assert len(bench.runs) == BURST

    asyncio.run(scenario())


def test_a_burst_is_on_disk_before_the_first_run_is_made_and_the_loop_is_free_between_its_turns():
    async def scenario():
        bench, seen = Bench(), []
        write_many(bench)
        bench.host.submitted = lambda run_ids: seen.append((len(set(run_ids)), turns_left(bench)))
        bench.engine._sync(starting=True)
        await burst(bench)
        await asyncio.sleep(0)
        assert seen == [(PART, TURNS - 1)]
        await bench.clock.pass_time(0)
        assert seen == [(PART, 3), (PART, 2), (PART, 1), (COUNT - 3 * PART, 0)]
        assert set(counted(bench).values()) == {1}
        await bench.engine.stop()
        bench.database.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("turns", range(TURNS))
def test_what_was_decided_before_the_kernel_died_fires_as_of_then_and_not_as_missed(tmp_path, turns):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        write_many(first)
        first.engine._sync(starting=True)
        decided = first.now
        await burst(first)
        for _ in range(turns):
            await asyncio.sleep(0)
        await first.engine.stop()
        first.database.close()
        async with off_for(first, HOUR / 2) as second:
            assert counted(second) == dict.fromkeys(first.registry, 1)
            (fire,) = second.fires(f"s{COUNT - 1}")
            assert fire.outcome == Outcome.SUBMITTED
            assert fire.decided == decided
            assert turns_left(second) == 0
            await second.clock.pass_time(HOUR / 2)
            assert counted(second) == dict.fromkeys(first.registry, 2)

    asyncio.run(scenario())


def test_kernels_that_decide_one_burst_fire_it_once(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        write_many(first)
        second, third = first.another(), first.another()
        for bench in (first, second, third):
            bench.engine._sync(starting=True)
        for bench in (first, second, third):
            bench.engine._timekeeper.fire_due()
        assert turns_left(first) == 3 * TURNS
        await first.clock.pass_time(0)
        assert counted(first) == dict.fromkeys(first.registry, 1)
        assert turns_left(first) == 0
        for bench in (first, second, third):
            assert len(bench.engine._timekeeper) == COUNT
            assert bench.engine.health().errors == ()
            await bench.engine.stop()
            bench.database.close()

    asyncio.run(scenario())


def test_a_trigger_that_changes_and_a_schedule_that_is_disabled_in_a_burst_have_fired_once():
    async def scenario():
        bench = Bench()
        write_many(bench)
        bench.engine._sync(starting=True)
        await burst(bench)
        bench.write_schedule(every(60), f"s{COUNT - 1}")
        bench.set_active(f"s{COUNT - 2}", False)
        bench.engine._sync()
        assert turns_left(bench) == 0
        assert counted(bench) == {name: 1 for name in bench.registry if name != f"s{COUNT - 2}"}
        assert f"s{COUNT - 2}" not in bench.engine._timekeeper
        await bench.engine.stop()
        bench.database.close()

    asyncio.run(scenario())


def test_a_burst_that_cannot_be_written_out_is_tried_again():
    async def scenario():
        bench, full, made = Bench(), [True], []
        write_many(bench)

        def fill_the_disk(_db, fire) -> None:
            made.append(fire)
            if full and len(made) > 2 * PART:
                raise sqlite3.OperationalError("disk is full")

        bench.host.on_submit = fill_the_disk
        async with bench:
            await bench.clock.pass_time(0)
            assert turns_left(bench) == TURNS - 2
            assert "burst: OperationalError: disk is full" in bench.engine.health().errors[0]
            full.clear()
            await bench.clock.pass_time(3)
            assert counted(bench) == dict.fromkeys(bench.registry, 1)

    asyncio.run(scenario())


def test_lateness_counts_from_due_to_the_decision_on_disk():
    async def scenario():
        bench = Bench()
        write_many(bench)
        async with bench:
            bench.clock.advance(HOUR + 3)
            await bench.clock.pass_time(0)
            assert bench.engine.health().lateness_p99_ms == pytest.approx(3000)

    asyncio.run(scenario())


@pytest.mark.parametrize("commit", [2, 3, 4])
def test_a_kernel_that_is_killed_in_a_burst_leaves_it_to_the_next(tmp_path, commit):
    path, folder = tmp_path / "w.db", tmp_path / "data"
    folder.mkdir()
    host = host_over(path, Folder(folder))
    host.database.migrate("engine", SCHEMA)
    with host.database.transaction() as db:
        db.executemany("INSERT INTO schedules VALUES (?, 1)", [(name,) for name in MANY])
        db.executemany("INSERT INTO cursors (schedule_id, at) VALUES (?, ?)", [(name, time.time()) for name in MANY])
    kernel = start_kernel(path, folder, "committed", commit)
    wait_for(kernel, "halted")
    end_kernel(kernel)

    def fires_of_the_first_instant() -> list[sqlite3.Row]:
        return host.database.rows(
            "SELECT schedule_id, outcome FROM fires WHERE due = (SELECT min(due) FROM fires) ORDER BY schedule_id"
        )

    async def finish() -> None:
        engine = Engine(host.database, host)
        await engine.start()
        await until(lambda: len(fires_of_the_first_instant()) >= len(MANY))
        await engine.stop()

    asyncio.run(finish())
    assert [tuple(fire) for fire in fires_of_the_first_instant()] == [(name, "submitted") for name in sorted(MANY)]
    host.database.close()
