"""Change schedules over a datastore in memory: each change fires once for each schedule, whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta

import pytest

from aml_magics.engine.host import Watch
from aml_magics.engine.places import POLLS_KEPT
from aml_magics.model.errors import AmlError, InvalidInput, NotFound
from aml_magics.model.resources import Outcome
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


# --- settling --------------------------------------------------------------------------------------------------------


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


# --- batches ---------------------------------------------------------------------------------------------------------


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


# --- absence ---------------------------------------------------------------------------------------------------------


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


# --- joining ---------------------------------------------------------------------------------------------------------


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


# --- several kernels -------------------------------------------------------------------------------------------------


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


# --- failures --------------------------------------------------------------------------------------------------------


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
    from aml_magics.engine.places import PlaceStore, Snapshot

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


# --- records ---------------------------------------------------------------------------------------------------------


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
            await poller.look(due=True)
            assert bench.database._connection.total_changes - before == 1
            await poller.look(due=False)
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
