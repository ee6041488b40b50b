"""Looks that several kernels make, that fail, or that are cut short: nothing is lost, nothing fires twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.resources import Outcome
from tests.engine.fakes import Bench, change


def test_kernels_that_watch_one_place_fire_each_change_once(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        second, third = first.another(), first.another()
        async with first, second, third:
            await first.join(change(), "s")
            await first.join(change(per="batch"), "b")
            await first.clock.pass_time(3)
            for number in range(10):
                first.store.put(f"in/{number}")
                first.store.poke()
                await first.clock.pass_time(0.3)
            await first.clock.pass_time(70)
            by_file = [row["objects"] for row in first.runs if row["schedule_id"] == "s"]
            assert sorted(by_file) == [f"in/{number}" for number in range(10)]
            batched = [row["objects"] for row in first.runs if row["schedule_id"] == "b"]
            assert sorted("|".join(batched).split("|")) == [f"in/{number}" for number in range(10)]
            assert first.engine.health().errors == second.engine.health().errors == ()

    asyncio.run(scenario())


def test_a_scan_is_thrown_away_when_another_kernel_was_faster(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        second = first.another()
        async with first, second:
            await first.join(change(settle=timedelta(0)))
            await first.clock.pass_time(5)
            second_poller = next(iter(second.engine._pollers._pollers.values()))
            first_poller = next(iter(first.engine._pollers._pollers.values()))
            first.store.put("in/a")
            scan = first_poller._scan

            async def slow_scan(snapshot):
                found = await scan(snapshot)
                first_poller._scan = scan
                await second_poller.look(due=False)  # sees in/a, fires
                del first.store.objects["in/a"]
                await second_poller.look(due=False)  # sees that it is gone
                return found

            first_poller._scan = slow_scan
            await first_poller.look(due=False)
            assert first.fired == ["in/a"]
            rows = first.database.rows("SELECT name FROM objects")
            assert rows == []  # not brought back to life

    asyncio.run(scenario())


def test_a_schedule_born_in_another_kernel_misses_nothing_that_this_one_sees_first(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        second = first.another()
        async with first, second:
            await first.join(change(settle=timedelta(0)), "old")
            await first.clock.pass_time(5)
            await first.join(change(settle=timedelta(0)), "new")  # the second does not know yet
            first.store.put("in/a")
            second_poller = next(iter(second.engine._pollers._pollers.values()))
            await second_poller.look(due=False)
            assert {row["schedule_id"] for row in first.runs} == {"old", "new"}

    asyncio.run(scenario())


def test_a_look_that_fails_is_recorded_with_its_reason_and_tried_ever_later():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            bench.store.failure = AmlError("the account is locked")
            await bench.clock.pass_time(60)
            before = bench.store.listings
            assert bench.engine.health().last_poll_error == "data/in: the account is locked"
            assert bench.polls()[-1].error == "the account is locked"
            await bench.clock.pass_time(600)
            assert 8 <= bench.store.listings - before <= 16
            bench.store.failure = None
            bench.store.put("in/a")
            await bench.clock.pass_time(120)
            assert bench.engine.health().last_poll_error == ""
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())


def test_an_unexpected_failure_of_a_listing_shows_in_health_and_does_not_end_the_looking():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            bench.store.failure = ZeroDivisionError("a bug")
            await bench.clock.pass_time(62)
            assert any("look at data/in: ZeroDivisionError: a bug" in error for error in bench.engine.health().errors)
            bench.store.failure = None
            bench.store.put("in/a")
            await bench.clock.pass_time(120)
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())


def test_a_datastore_without_wake_ups_is_polled_and_health_says_why():
    async def scenario():
        async with Bench() as bench:

            def refuse(path, *, recursive):
                raise OSError("no inotify watches left")

            bench.store.changes = refuse
            await bench.join(change())
            await bench.clock.pass_time(1)
            assert bench.engine.health().wakeup_errors == ("data/in: OSError: no inotify watches left",)
            bench.store.put("in/a")
            await bench.clock.pass_time(61)
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())


def test_a_datastore_that_cannot_be_opened_is_one_trouble_and_not_two(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        async with first:
            await first.join(change())
        second = first.another()
        second.host.stores.clear()
        async with second:
            await second.clock.pass_time(1)
            health = second.engine.health()
            assert (len(health.poll_errors), health.wakeup_errors) == (1, ())

    asyncio.run(scenario())


def test_a_fire_that_the_host_refuses_is_not_tried_again_and_the_others_fire():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())

            def on_submit(db, fire):
                if fire.objects == ("in/b",):
                    raise InvalidInput("no such parameter")

            bench.host.on_submit = on_submit
            for name in ("in/a", "in/b", "in/c"):
                bench.store.put(name)
            await bench.clock.pass_time(200)
            assert sorted(bench.fired) == ["in/a", "in/c"]
            refused = [fire for fire in bench.fires() if fire.outcome == Outcome.REFUSED]
            assert [(fire.objects, fire.detail) for fire in refused] == [(("in/b",), "no such parameter")]

    asyncio.run(scenario())


@pytest.mark.parametrize("point", ["claim", "write", "add_poll", "follow", "is_current"])
def test_a_failure_between_any_two_steps_of_a_look_neither_loses_nor_repeats(point, monkeypatch):
    from aml_magics.engine.ledger import Ledger
    from aml_magics.engine.looks import Snapshot
    from aml_magics.engine.places import PlaceStore

    owner = {"claim": Ledger, "follow": Snapshot}.get(point, PlaceStore)

    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            await bench.clock.pass_time(1)
            original, failures = getattr(owner, point), []

            def fail_before_and_after(self, *args, **kwargs):
                if len(failures) == 0:
                    failures.append("before")
                    raise RuntimeError("before")
                result = original(self, *args, **kwargs)
                if len(failures) == 1:
                    failures.append("after")
                    raise RuntimeError("after")
                return result

            monkeypatch.setattr(owner, point, fail_before_and_after)
            for number in range(5):
                bench.store.put(f"in/{number}")
                bench.store.poke()
                await bench.clock.pass_time(0.4)
            await bench.clock.pass_time(130)
            assert failures == ["before", "after"]
            assert sorted(bench.fired) == [f"in/{number}" for number in range(5)]
            assert len(bench.engine.health().errors) == 2

    asyncio.run(scenario())
