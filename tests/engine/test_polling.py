"""Change schedules over a datastore in memory: what fires, when a place is looked at, and what is recorded."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aml_magics.engine.places import POLLS_KEPT
from tests.engine.fakes import Bench, change


def test_what_is_there_when_a_schedule_is_created_does_not_fire():
    async def scenario():
        async with Bench() as bench:
            bench.store.put("in/old")
            await bench.join(change())
            await bench.clock.pass_time(300)
            assert bench.fired == []

    asyncio.run(scenario())


def test_an_added_and_a_modified_object_fire_once_each():
    async def scenario():
        async with Bench() as bench:
            bench.store.put("in/old")
            await bench.join(change())
            bench.store.put("in/old")
            bench.store.put("in/new")
            await bench.clock.pass_time(300)
            assert sorted(bench.fired) == ["in/new", "in/old"]
            assert {(fire.reason, fire.objects) for fire in bench.fires()} == {
                ("added", ("in/new",)),
                ("modified", ("in/old",)),
            }
            bench.store.put("in/new")
            await bench.clock.pass_time(120)
            assert bench.fired.count("in/new") == 2

    asyncio.run(scenario())


def test_objects_elsewhere_and_in_subfolders_do_not_count_unless_recursive():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(), "flat")
            await bench.join(change(recursive=True), "deep")
            for name in ("in/a", "in/sub/b", "elsewhere/c", "inner/d"):
                bench.store.put(name)
            await bench.clock.pass_time(120)
            assert [fire.objects for fire in bench.fires("flat")] == [("in/a",)]
            assert {fire.objects for fire in bench.fires("deep")} == {("in/a",), ("in/sub/b",)}

    asyncio.run(scenario())


def test_schedules_of_one_place_share_its_listings_at_the_smallest_interval():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(polling_interval=timedelta(minutes=10)), "slow")
            await bench.join(change(polling_interval=timedelta(seconds=20)), "quick")
            await bench.clock.pass_time(1)
            before = bench.store.listings
            await bench.clock.pass_time(200)
            assert bench.store.listings - before == 10
            bench.set_active("quick", False)
            bench.engine.refresh()
            await bench.clock.pass_time(1)
            before = bench.store.listings
            await bench.clock.pass_time(610)
            assert bench.store.listings - before == 1

    asyncio.run(scenario())


def test_a_wake_up_is_followed_by_a_look_at_once():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(0)))
            await bench.clock.pass_time(10)
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(0.05)
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())


def test_a_datastore_that_wakes_us_all_the_time_is_not_listed_all_the_time():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            before = bench.store.listings
            for _ in range(1000):
                bench.store.poke()
                await bench.clock.pass_time(0.001)
            assert bench.store.listings - before <= 22

    asyncio.run(scenario())


def test_a_tiny_polling_interval_is_not_a_busy_loop():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(polling_interval=timedelta(microseconds=1)))
            before = bench.store.listings
            await bench.clock.pass_time(10)
            assert bench.store.listings - before <= 201

    asyncio.run(scenario())


def test_looks_at_one_place_never_overlap():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(settle=timedelta(0)), "first")
            poller = next(iter(bench.engine._pollers._pollers.values()))
            scan, inside, most = poller._scan, [], []

            async def slow_scan(snapshot):
                inside.append(1)
                most.append(len(inside))
                await bench.clock.sleep(1)
                found = await scan(snapshot)
                inside.pop()
                return found

            poller._scan = slow_scan
            bench.store.put("in/a")
            bench.store.poke()
            joins = [asyncio.create_task(bench.join(change(settle=timedelta(0)), f"s{number}")) for number in range(3)]
            await bench.clock.pass_time(30)
            await asyncio.gather(*joins)
            assert len(most) > 3
            assert set(most) == {1}

    asyncio.run(scenario())


def test_a_place_that_is_slow_to_list_is_looked_at_a_fifth_of_the_time():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            poller = next(iter(bench.engine._pollers._pollers.values()))
            scan = poller._scan

            async def slow_scan(snapshot):
                begun = bench.clock.now()
                await bench.clock.sleep(2)
                found = await scan(snapshot)
                poller._begun = begun
                return found

            poller._scan = slow_scan
            before = bench.store.listings
            for _ in range(500):
                bench.store.poke()
                await bench.clock.pass_time(0.1)
            assert 3 <= bench.store.listings - before <= 6

    asyncio.run(scenario())


def test_a_poll_that_finds_nothing_is_recorded_too():
    async def scenario():
        async with Bench() as bench:
            bench.store.put("in/a")
            await bench.join(change())
            await bench.clock.pass_time(185)
            polls = bench.polls()
            assert [poll.objects for poll in polls] == [1] * len(polls)
            assert 4 <= len(polls) <= 5
            words = bench.engine.history("s").in_words()
            assert words.startswith(f"looked {len(polls)} times since 2026-03-02 09:00:00 UTC, saw no change")

    asyncio.run(scenario())


def test_an_unchanged_look_writes_one_row():
    async def scenario():
        async with Bench() as bench:
            for number in range(100):
                bench.store.put(f"in/{number}")
            await bench.join(change())
            await bench.clock.pass_time(61)
            poller = next(iter(bench.engine._pollers._pollers.values()))
            before = bench.database._connection.total_changes
            await poller.look(due=bench.clock.now())
            assert bench.database._connection.total_changes - before == 1
            await poller.look(due=None)
            assert bench.database._connection.total_changes - before == 1

    asyncio.run(scenario())


def test_only_the_newest_polls_of_a_place_are_kept():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(polling_interval=timedelta(seconds=1)))
            await bench.clock.pass_time(1200)
            kept = bench.database.row("SELECT count(*), max(at) FROM polls")
            assert POLLS_KEPT <= kept[0] < POLLS_KEPT + 60
            assert kept[1] >= bench.clock.now() - 1

    asyncio.run(scenario())
