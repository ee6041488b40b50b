"""A host that refuses a fire, or fails: one fire is lost with a reason, or none, and the others go on."""

from __future__ import annotations

import asyncio
import sqlite3

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import Missed, Outcome
from tests.engine.fakes import Bench, every, refuse


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
