"""A schedule knows what was there when it was born or enabled, and loses nothing while nobody looks."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta

import pytest

from aml_magics.engine.host import Watch
from aml_magics.model.errors import InvalidInput, NotFound
from tests.engine.fakes import Bench, change


def test_changes_while_no_engine_ran_fire_once_on_the_next_start(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        async with first:
            first.store.put("in/old")
            await first.join(change())
        first.store.put("in/old")
        first.store.put("in/new")
        for _ in range(2):
            bench = first.another()
            async with bench:
                await bench.clock.pass_time(2)
                assert sorted(bench.fired) == ["in/new", "in/old"]

    asyncio.run(scenario())


def test_what_had_not_settled_when_the_engine_stopped_fires_after_the_next_start(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        async with first:
            await first.join(change(settle=timedelta(seconds=5)))
            first.store.put("in/a")
            first.store.poke()
            await first.clock.pass_time(1)
            assert first.engine.history("s").waiting == ("in/a",)
        async with first.another() as second:
            await second.clock.pass_time(5)
            assert second.fired == ["in/a"]

    asyncio.run(scenario())


def test_what_changes_while_a_schedule_is_disabled_does_not_fire_when_it_is_enabled():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(seconds=5)))
            bench.store.put("in/waiting")
            bench.store.poke()
            await bench.clock.pass_time(1)
            bench.set_active("s", False)
            bench.engine.refresh()
            await bench.clock.pass_time(100)
            bench.store.put("in/meanwhile")
            await bench.join(change(settle=timedelta(seconds=5)))
            await bench.clock.pass_time(100)
            assert bench.fired == []
            bench.store.put("in/after")
            await bench.clock.pass_time(100)
            assert bench.fired == ["in/after"]

    asyncio.run(scenario())


def test_a_schedule_that_was_never_joined_takes_what_is_there_for_known():
    async def scenario():
        bench = Bench()
        bench.store.put("in/old")
        bench.write_schedule(change())
        async with bench:
            await bench.clock.pass_time(5)
            bench.store.put("in/new")
            await bench.clock.pass_time(120)
            assert bench.fired == ["in/new"]

    asyncio.run(scenario())


def test_a_schedule_that_another_process_disables_does_not_fire():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(0.1)
            bench.set_active("s", False)  # nobody says so
            await bench.clock.pass_time(60)
            assert bench.fires() == []
            assert bench.runs == []

    asyncio.run(scenario())


def test_a_join_fires_what_is_new_for_the_other_schedules_of_the_place():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(), "first")
            await bench.clock.pass_time(5)
            bench.store.put("in/a")
            await bench.join(change(), "second")
            await bench.clock.pass_time(5)
            assert [row["schedule_id"] for row in bench.runs] == ["first"]

    asyncio.run(scenario())


def test_a_join_that_fails_leaves_nothing_behind():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(), "first")
            bench.store.put("in/a")

            def commit(db: sqlite3.Connection) -> None:
                db.execute("INSERT INTO schedules VALUES ('second', 1)")
                raise InvalidInput("no such experiment")

            with pytest.raises(InvalidInput):
                await bench.engine.join(change(), commit)
            assert len(bench.host.watches()) == 1
            assert not bench.database._in_transaction
            await bench.clock.pass_time(120)
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())


def test_a_join_to_a_place_that_cannot_be_listed_says_why():
    async def scenario():
        async with Bench() as bench:
            bench.store.failure = PermissionError("not yours")
            with pytest.raises(PermissionError):
                await bench.join(change())
            del bench.host.stores["data"]
            with pytest.raises(NotFound, match="no datastore 'data'"):
                await bench.join(change())
            assert bench.host.watches() == []

    asyncio.run(scenario())


def test_a_join_works_before_the_engine_is_started():
    async def scenario():
        bench = Bench()
        bench.store.put("in/old")
        await bench.join(change())
        bench.store.put("in/new")
        async with bench:
            await bench.clock.pass_time(2)
            assert bench.fired == ["in/new"]

    asyncio.run(scenario())


def test_a_join_counts_even_when_the_schedules_cannot_be_read_right_after_it():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(0)), "old")
            watches, committed = bench.host.watches, []

            def fail_after_the_commit() -> list:
                if committed:
                    raise RuntimeError("cannot read")
                return watches()

            bench.host.watches = fail_after_the_commit

            def commit(db: sqlite3.Connection) -> None:
                db.execute("INSERT INTO schedules VALUES ('new', 1)")
                committed.append(True)

            bench.registry["new"] = Watch(id="new", name="new", trigger=change(settle=timedelta(0)), created=bench.now)
            await bench.engine.join(change(), commit)
            assert "cannot read" in bench.engine.health().errors[0]
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(5)
            assert bench.runs == []  # nobody knows for whom it is news
            committed.clear()
            await bench.clock.pass_time(30)
            assert {row["schedule_id"] for row in bench.runs} == {"old", "new"}
            assert bench.engine.history("new").active

    asyncio.run(scenario())


def test_what_waited_when_another_kernel_disabled_a_schedule_is_forgotten_when_it_is_enabled_here(tmp_path):
    async def scenario():
        async with Bench(tmp_path / "w.db") as bench:
            await bench.join(change(settle=timedelta(seconds=5)))
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(1)
            assert bench.engine.history("s").waiting == ("in/a",)
            bench.set_active("s", False)  # nobody says so
            await bench.join(change(settle=timedelta(seconds=5)))
            await bench.clock.pass_time(100)
            assert bench.fired == []

    asyncio.run(scenario())
