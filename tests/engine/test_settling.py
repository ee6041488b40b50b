"""A change fires when it has settled, alone or in a batch, and not while anybody writes it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.engine.fakes import Bench, change


def test_an_object_fires_when_it_has_not_changed_for_as_long_as_settle_says():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(seconds=2)))
            await bench.clock.pass_time(1)
            for _ in range(5):  # still growing
                bench.store.put("in/a")
                bench.store.poke()
                await bench.clock.pass_time(1.5)
            assert bench.fired == []
            assert bench.engine.history("s").waiting == ("in/a",)
            await bench.clock.pass_time(0.6)
            assert bench.fired == ["in/a"]
            assert bench.engine.history("s").waiting == ()
            assert bench.fires()[0].reason == "added"

    asyncio.run(scenario())


def test_a_growing_object_is_one_new_object_in_the_polls():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(seconds=2)))
            for _ in range(8):
                bench.store.put("in/a")
                bench.store.poke()
                await bench.clock.pass_time(1)
            await bench.clock.pass_time(3)
            history = bench.engine.history("s")
            assert (history.added, history.modified) == (1, 0)
            assert sum(poll.fired for poll in history.polls) == 1

    asyncio.run(scenario())


def test_an_object_that_is_open_for_writing_waits_until_it_is_closed():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            bench.store.put("in/a")
            bench.store.writing.add("in/a")
            bench.store.poke()
            await bench.clock.pass_time(30)
            assert bench.fired == []
            bench.store.writing.clear()  # closing a file is no change, nobody wakes us
            await bench.clock.pass_time(1)
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())


def test_with_settle_zero_an_open_object_waits_too_and_a_closed_one_fires_at_the_first_look():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(0)))
            bench.store.put("in/open")
            bench.store.put("in/closed")
            bench.store.writing.add("in/open")
            bench.store.poke()
            await bench.clock.pass_time(0.06)
            assert bench.fired == ["in/closed"]
            bench.store.writing.clear()
            await bench.clock.pass_time(1)
            assert bench.fired == ["in/closed", "in/open"]

    asyncio.run(scenario())


def test_each_schedule_of_a_place_waits_by_its_own_settle():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(seconds=1)), "soon")
            await bench.join(change(settle=timedelta(seconds=5)), "late")
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(3)
            assert [row["schedule_id"] for row in bench.runs] == ["soon"]
            await bench.clock.pass_time(3)
            assert [row["schedule_id"] for row in bench.runs] == ["soon", "late"]

    asyncio.run(scenario())


def test_an_object_that_is_removed_before_it_settles_does_not_fire_and_fires_when_it_comes_again():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(seconds=2)))
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(1)
            del bench.store.objects["in/a"]
            await bench.clock.pass_time(70)
            assert bench.fired == []
            assert bench.engine.history("s").waiting == ()
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(3)
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())


def test_an_object_that_is_removed_and_added_again_fires_again():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            for _ in range(2):
                bench.store.put("in/a")
                await bench.clock.pass_time(61)
                del bench.store.objects["in/a"]
                await bench.clock.pass_time(61)
            assert bench.fired == ["in/a", "in/a"]
            assert [fire.reason for fire in bench.fires()] == ["added", "added"]

    asyncio.run(scenario())


@pytest.mark.old_versions_return
def test_a_version_that_comes_back_does_not_fire_again():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            versions = []
            for _ in range(2):
                bench.store.put("in/a")
                versions.append(bench.store.objects["in/a"])
                await bench.clock.pass_time(61)
            bench.store.objects["in/a"] = versions[0]
            await bench.clock.pass_time(61)
            assert bench.fired == ["in/a", "in/a"]
            assert len(bench.fires()) == 2
            assert bench.engine.health().errors == ()

    asyncio.run(scenario())


def test_a_clock_that_is_set_back_holds_nothing_up():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(0.1)
            bench.clock.step(-86_400)
            await bench.clock.pass_time(10)
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())


def test_a_batch_is_one_run_for_all_changes_of_a_look():
    async def scenario():
        async with Bench() as bench:
            bench.store.put("in/b")
            await bench.join(change(per="batch"))
            for name in ("in/c", "in/b", "in/a"):
                bench.store.put(name)
            await bench.clock.pass_time(120)
            (fire,) = bench.fires()
            assert fire.objects == ("in/a", "in/b", "in/c")
            assert fire.detail == "2 added, 1 modified"
            assert bench.fired == ["in/a|in/b|in/c"]

    asyncio.run(scenario())


def test_a_batch_waits_for_what_has_yet_to_settle_but_not_for_an_open_file():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(per="batch", settle=timedelta(seconds=1)))
            bench.store.writing.add("in/open")
            for number in range(4):
                bench.store.put(f"in/{number}")
                bench.store.poke()
                await bench.clock.pass_time(0.7)
            assert bench.fired == []
            for _ in range(4):
                bench.store.put("in/open")  # still growing
                bench.store.poke()
                await bench.clock.pass_time(0.3)
            assert bench.fired == ["in/0|in/1|in/2|in/3"]
            bench.store.writing.clear()
            await bench.clock.pass_time(3)
            assert bench.fired[1:] == ["in/open"]

    asyncio.run(scenario())


def test_a_stream_of_files_that_never_pauses_is_a_run_per_polling_interval():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(per="batch", polling_interval=timedelta(seconds=10)))
            for number in range(150):
                bench.store.put(f"in/{number:03}")
                bench.store.poke()
                await bench.clock.pass_time(0.2)
            await bench.clock.pass_time(12)
            assert 3 <= len(bench.fired) <= 4
            assert "|".join(bench.fired).split("|") == [f"in/{number:03}" for number in range(150)]

    asyncio.run(scenario())
