"""The life of an engine: it leaves nothing behind, survives what goes wrong, and belongs to no cell."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from aml_magics.datastores import Folder
from aml_magics.engine.database import Database
from aml_magics.engine.engine import Engine
from aml_magics.engine.poller import LOOKS_AT_ONCE
from aml_magics.engine.tasks import Tasks
from tests.datastores.conftest import watching_threads
from tests.engine.fakes import Bench, MemoryStore, TableHost, WallClock, change, every, until

CELL: contextvars.ContextVar[str] = contextvars.ContextVar("CELL", default="nowhere")


def test_stop_leaves_no_task_thread_watcher_or_row(tmp_path):
    async def scenario():
        database = Database(tmp_path / "w.db")
        host = TableHost(database, {}, {"data": Folder(tmp_path / "data")})
        bench = Bench.around(database, host)
        tasks, threads, native = asyncio.all_tasks(), threading.enumerate(), watching_threads()
        engine = bench.engine = Engine(database, host)
        bench.write_schedule(every(3600), "t")
        await engine.start()
        await bench.join(change("a"), "a")
        await bench.join(change("b", recursive=True), "b")
        host.stores["data"].write("a/1", b"")
        await until(lambda: host.woken and watching_threads() == native + 2)
        await engine.stop()
        assert asyncio.all_tasks() == tasks
        assert threading.enumerate() == threads
        assert len(database.rows("SELECT * FROM owners")) == 1  # until its work is put down
        engine.leave()
        assert database.rows("SELECT * FROM owners") == []
        await engine.stop()
        database.close()

    asyncio.run(scenario())


def test_a_listing_that_hangs_does_not_hold_up_the_stop(tmp_path):
    async def scenario():
        gate, hanging = threading.Event(), threading.Event()
        store = MemoryStore()
        database = Database(tmp_path / "w.db")
        host = TableHost(database, {}, {"data": store})
        bench = Bench.around(database, host)
        engine = bench.engine = Engine(database, host, clock=bench.clock)
        await engine.start()
        await bench.join(change())

        def hang() -> None:
            hanging.set()
            gate.wait(30)

        store.before_listing = hang
        store.poke()
        while not hanging.is_set():
            await bench.clock.pass_time(0.1)
        begun = asyncio.get_running_loop().time()
        await engine.stop()
        assert asyncio.get_running_loop().time() - begun < 5
        database.close()
        gate.set()

    asyncio.run(scenario())


def test_a_datastore_that_hangs_wherever_it_is_looked_at_leaves_the_others_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("aml_magics.engine.engine.LISTING_THREADS", LOOKS_AT_ONCE + 4)

    async def scenario():
        gate, dead, well = threading.Event(), MemoryStore(), MemoryStore()
        database = Database(tmp_path / "w.db")
        host = TableHost(database, {}, {"data": dead, "well": well})
        bench = Bench.around(database, host)
        engine = bench.engine = Engine(database, host, clock=bench.clock)
        await engine.start()
        for number in range(2 * LOOKS_AT_ONCE):
            await bench.join(change(f"in/{number}"), f"s{number}")
        await bench.join(replace(change(), datastore="well"), "well")

        async def until_so(condition) -> None:
            deadline = time.monotonic() + 10
            while not condition() and time.monotonic() < deadline:
                await bench.clock.pass_time(0.1)

        dead.before_listing = lambda: gate.wait(30) and None
        before = dead.listings
        dead.poke()
        await until_so(lambda: dead.listings >= before + LOOKS_AT_ONCE)
        well.put("in/a")
        well.poke()
        await until_so(lambda: host.woken)
        fired = [fire.objects for fire in bench.fires("well")]
        gate.set()
        await engine.stop()
        database.close()
        assert fired == [("in/a",)]

    asyncio.run(scenario())


def test_an_engine_is_started_once():
    async def scenario():
        async with Bench() as bench:
            with pytest.raises(RuntimeError, match="started once"):
                await bench.engine.start()

    asyncio.run(scenario())


def test_stopping_what_was_never_started_is_harmless():
    async def scenario():
        bench = Bench()
        await bench.engine.stop()
        await bench.engine.stop()
        bench.engine.refresh()
        bench.database.close()

    asyncio.run(scenario())


def test_a_start_that_fails_leaves_nothing_behind():
    async def scenario():
        bench = Bench()
        tasks = asyncio.all_tasks()

        def fail() -> list:
            raise RuntimeError("the tables are gone")

        bench.host.watches = fail
        with pytest.raises(RuntimeError, match="tables are gone"):
            await bench.engine.start()
        assert asyncio.all_tasks() == tasks
        bench.engine.leave()
        assert bench.database.rows("SELECT * FROM owners") == []
        bench.database.close()

    asyncio.run(scenario())


def test_everything_runs_in_an_empty_context():
    async def scenario():
        CELL.set("cell 7")
        seen = set()
        bench = Bench()
        bench.write_schedule(every(10), "t")
        object_store, submit, watches = bench.host.object_store, bench.host.submit, bench.host.watches
        bench.host.object_store = lambda name: seen.add(("store", CELL.get())) or object_store(name)
        bench.host.submit = lambda db, fire: seen.add(("submit", CELL.get())) or submit(db, fire)
        async with bench:
            await bench.join(change())
            seen.clear()
            bench.host.watches = lambda: seen.add(("watches", CELL.get())) or watches()
            bench.engine.refresh()
            await bench.clock.pass_time(100)
            assert seen == {("store", "nowhere"), ("submit", "nowhere"), ("watches", "nowhere")}

    asyncio.run(scenario())


def test_schedules_that_cannot_be_read_are_read_again_and_the_others_go_on():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(10))
        async with bench:
            await bench.clock.pass_time(1)
            watches = bench.host.watches

            def fail() -> list:
                raise RuntimeError("cannot read")

            bench.host.watches = fail
            bench.write_schedule(every(10), "new")
            bench.engine.refresh()
            await bench.clock.pass_time(20)
            assert bench.dues == [0, 10, 20]
            assert any("sync: RuntimeError: cannot read" in error for error in bench.engine.health().errors)
            bench.host.watches = watches
            await bench.clock.pass_time(20)
            assert bench.engine.history("new").active

    asyncio.run(scenario())


def test_errors_are_kept_newest_first_and_bounded():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(1))

        def submitted(ids) -> None:
            raise RuntimeError(f"number {len(bench.runs)}")

        bench.host.submitted = submitted
        async with bench:
            await bench.clock.pass_time(40)
            errors = bench.engine.health().errors
            assert len(errors) == 20
            assert "number 41" in errors[0]

    asyncio.run(scenario())


def test_health_counts_schedules_places_and_kernels():
    async def scenario():
        bench = Bench()
        bench.write_schedule(every(10), "t")
        async with bench:
            await bench.join(change("a"), "a")
            await bench.join(change("a"), "a2")
            await bench.join(change("b"), "b")
            health = bench.engine.health()
            assert (health.schedules, health.locations, health.owners) == (4, 2, 1)
            assert health.started == bench.now
            assert health.errors == health.poll_errors == health.wakeup_errors == ()
            for name in ("a", "a2", "b"):
                bench.set_active(name, False)
            bench.engine.refresh()
            await bench.clock.pass_time(1)
            assert bench.engine.health().locations == 0
            assert bench.store.listeners == 0

    asyncio.run(scenario())


def test_start_waits_for_the_first_looks_but_not_for_ever():
    async def scenario():
        bench = Bench()
        bench.store.put("in/a")
        await bench.join(change(settle=timedelta(0)))
        bench.store.put("in/b")
        async with bench:
            assert bench.fired == ["in/b"]

    asyncio.run(scenario())


# --- background tasks ------------------------------------------------------------------------------------------------


def test_a_task_that_fails_is_reported_and_taken_up_again_ever_later():
    async def scenario():
        clock, reports, begun = WallClock(), [], []
        tasks = Tasks(clock, lambda name, error: reports.append((name, str(error))))

        async def work() -> None:
            begun.append(clock.now() - origin)
            if len(begun) < 5:
                raise ValueError(len(begun))

        origin = clock.now()
        tasks.spawn("work", work)
        await clock.pass_time(60)
        assert begun == [0, 1, 3, 7, 15]
        assert reports == [("work", str(number)) for number in range(1, 5)]
        await tasks.stop()

    asyncio.run(scenario())


def test_a_task_that_worked_for_a_while_is_taken_up_again_soon():
    async def scenario():
        clock, begun = WallClock(), []
        tasks = Tasks(clock, lambda _name, _error: None)

        async def work() -> None:
            begun.append(clock.now() - origin)
            await clock.sleep(100)
            raise ValueError

        origin = clock.now()
        tasks.spawn("work", work)
        await clock.pass_time(305)
        assert begun == [0, 101, 202, 303]
        await tasks.stop()

    asyncio.run(scenario())


def test_stopping_ends_tasks_that_begin_others_while_they_end():
    async def scenario():
        tasks = Tasks(WallClock(), lambda _name, _error: None)

        async def wait() -> None:
            await asyncio.Event().wait()

        async def hydra() -> None:
            try:
                await wait()
            finally:
                tasks.spawn("head", wait)

        tasks.spawn("hydra", hydra)
        await asyncio.sleep(0)
        await tasks.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
