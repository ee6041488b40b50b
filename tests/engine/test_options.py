"""Which changes of a place a schedule takes, how many at a time, and what its history says of the others."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from aml_magics.datastores import ObjectInfo
from aml_magics.engine.changes import next_look, plan_look
from aml_magics.engine.database import Database
from aml_magics.engine.looks import Pending, Place, Scan
from aml_magics.engine.schema import SCHEMA
from tests.engine.fakes import Bench, MemoryStore, TableHost, change, off_for

ALL = ("added", "modified", "removed")
NOW = timedelta(0)


def info(name: str, etag: str = "v1", size: int = 1) -> ObjectInfo:
    return ObjectInfo(name, etag, size, 0.0)


def look(at: float, trigger, waiting=None, **seen):
    """What a look means for one schedule."""
    return plan_look(Scan(begun=at, ended=at, **seen), {"s": waiting or {}}, {"s": trigger})


def test_only_names_that_match_the_pattern_are_pending_and_fire():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(pattern="*.csv"))
            for name in ("in/a.csv", "in/b.CSV", "in/c.txt", "in/csv"):
                bench.store.put(name)
            bench.store.poke()
            await bench.clock.pass_time(0.1)
            assert [row["name"] for row in bench.database.rows("SELECT name FROM pending")] == ["in/a.csv"]
            await bench.clock.pass_time(60)
            assert bench.fired == ["in/a.csv"]
            history = bench.engine.history("s")
            assert (history.added, history.matched) == (4, 1)

    asyncio.run(scenario())


def test_each_schedule_of_a_place_has_its_own_pattern_and_its_own_count():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(pattern="*.csv"), "csv")
            await bench.join(change(pattern="*.json"), "json")
            await bench.join(change(), "all")
            assert len(bench.engine._pollers) == 1
            for name in ("in/a.csv", "in/b.csv", "in/c.txt"):
                bench.store.put(name)
            await bench.clock.pass_time(61)
            told = {name: bench.engine.history(name) for name in ("csv", "json", "all")}
            assert {name: one.matched for name, one in told.items()} == {"csv": 2, "json": 0, "all": 3}
            assert max(poll.matched for poll in told["csv"].polls) == 2
            assert told["json"].in_words().endswith("saw 3 new files; has not fired")
            words = replace(told["json"], condition="*.json").in_words()
            assert words.endswith("saw 3 new files, none matched *.json; has not fired")

    asyncio.run(scenario())


def test_a_pattern_with_a_slash_is_for_the_whole_name_below_the_path():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(recursive=True, pattern="2026/*.csv"), "whole")
            await bench.join(change(recursive=True, pattern="a*.csv"), "last")
            for name in ("in/2026/a.csv", "in/2026/11/b.csv", "in/2025/a.csv", "in/a.csv"):
                bench.store.put(name)
            await bench.clock.pass_time(61)
            by_schedule = {
                name: sorted(row["objects"] for row in bench.runs if row["schedule_id"] == name)
                for name in ("whole", "last")
            }
            assert by_schedule == {
                "whole": ["in/2026/11/b.csv", "in/2026/a.csv"],
                "last": ["in/2025/a.csv", "in/2026/a.csv", "in/a.csv"],
            }

    asyncio.run(scenario())


def test_a_file_that_is_too_small_does_not_fire_until_it_has_grown():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(min_size=1000))
            bench.store.put("in/small", 999)
            bench.store.put("in/large", 1000)
            await bench.clock.pass_time(61)
            assert bench.fired == ["in/large"]
            history = bench.engine.history("s")
            assert (history.added, history.matched, history.waiting) == (2, 1, ())
            bench.store.put("in/small", 2000)
            await bench.clock.pass_time(61)
            assert bench.fired == ["in/large", "in/small"]
            assert bench.engine.history("s").matched == 2

    asyncio.run(scenario())


def test_a_new_file_is_judged_by_what_becomes_of_it_and_stays_new_while_it_grows():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(on=("added",), min_size=1000, settle=timedelta(seconds=2)))
            for size in (0, 10, 5000):
                bench.store.put("in/a", size)
                bench.store.poke()
                await bench.clock.pass_time(1)
            await bench.clock.pass_time(3)
            assert bench.fired == ["in/a"]
            assert bench.fires()[0].reason == "added"
            assert bench.engine.history("s").matched == 1

    asyncio.run(scenario())


def test_a_new_file_that_grows_is_not_taken_for_a_modified_one():
    async def scenario():
        async with Bench() as bench:
            bench.store.put("in/old")
            await bench.join(change(on=("modified",), settle=timedelta(seconds=2)))
            for _ in range(3):
                bench.store.put("in/new")
                bench.store.poke()
                await bench.clock.pass_time(1)
            bench.store.put("in/old")
            await bench.clock.pass_time(70)
            assert bench.fired == ["in/old"]
            bench.store.put("in/new")
            await bench.clock.pass_time(70)
            assert bench.fired == ["in/old", "in/new"]

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ALL)
def test_a_schedule_fires_on_the_kinds_of_change_that_it_names_and_no_others(kind):
    async def scenario():
        async with Bench() as bench:
            bench.store.put("in/modified")
            bench.store.put("in/removed")
            await bench.join(change(on=(kind,)))
            bench.store.put("in/added")
            bench.store.put("in/modified")
            del bench.store.objects["in/removed"]
            await bench.clock.pass_time(61)
            assert [(fire.reason, fire.objects) for fire in bench.fires()] == [(kind, (f"in/{kind}",))]
            assert bench.engine.history("s").matched == 1

    asyncio.run(scenario())


@pytest.mark.old_versions_return
def test_each_version_that_is_removed_fires_once():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(on=("removed",)))
            for _ in range(2):
                bench.store.put("in/a")
                version = bench.store.objects["in/a"]
                await bench.clock.pass_time(61)
                del bench.store.objects["in/a"]
                await bench.clock.pass_time(61)
            assert bench.fired == ["in/a", "in/a"]
            bench.store.objects["in/a"] = version  # moved back, and away again
            await bench.clock.pass_time(61)
            del bench.store.objects["in/a"]
            await bench.clock.pass_time(61)
            assert bench.fired == ["in/a", "in/a"]
            assert bench.engine.health().errors == ()

    asyncio.run(scenario())


def test_removals_while_no_kernel_ran_fire_when_one_returns(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        async with first:
            first.store.put("in/a")
            await first.join(change(on=("removed",)))
            await first.clock.pass_time(1)
        del first.store.objects["in/a"]
        async with off_for(first, 600) as second:
            await second.clock.pass_time(5)
            assert second.fired == ["in/a"]

    asyncio.run(scenario())


def test_removals_fire_with_the_rest_of_a_batch_which_says_how_many():
    async def scenario():
        async with Bench() as bench:
            bench.store.put("in/b")
            await bench.join(change(per="batch", on=ALL))
            bench.store.put("in/a")
            del bench.store.objects["in/b"]
            await bench.clock.pass_time(61)
            (fire,) = bench.fires()
            assert (fire.objects, fire.reason) == (("in/a", "in/b"), "added")
            assert fire.detail == "1 added, 0 modified, 1 removed"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("on", "reasons"), [(ALL, ["added"]), (("modified", "removed"), ["modified"]), (("removed",), [])]
)
def test_what_is_deleted_and_written_anew_before_that_settles_was_not_removed(on, reasons):
    async def scenario():
        async with Bench() as bench:
            bench.store.put("in/a")
            await bench.join(change(on=on, settle=timedelta(seconds=2)))
            del bench.store.objects["in/a"]
            bench.store.poke()
            await bench.clock.pass_time(1)
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(70)
            assert [fire.reason for fire in bench.fires()] == reasons

    asyncio.run(scenario())


def test_what_comes_and_goes_before_it_settles_is_neither_added_nor_removed():
    trigger = change(on=ALL)
    seen = look(0.0, trigger, added=[info("in/a")])
    gone = look(0.1, trigger, seen.waiting["s"], removed={"in/a": "v1"})
    assert (gone.fires, gone.waiting) == ([], {})


def test_the_key_of_a_removal_is_not_that_of_the_version_which_was_removed():
    trigger = change(on=ALL, settle=NOW)
    added = look(0.0, trigger, added=[info("in/a")]).fires[0]
    removed = look(1.0, trigger, removed={"in/a": "v1"}).fires[0]
    again = look(9.0, trigger, removed={"in/a": "v1"}).fires[0]
    assert added.key != removed.key == again.key
    assert removed.objects == ("in/a",)


def test_schedules_that_need_names_or_only_append_have_places_of_their_own():
    triggers = [change(), change(on=ALL), change(on=("removed",)), change(append_only=True), change(pattern="*.csv")]
    places = [Place.of(trigger) for trigger in triggers]
    assert places[0] == places[4] == ("data", "in", False, False, False)
    assert places[1] == places[2] == ("data", "in", False, True, False)
    assert places[3] == ("data", "in", False, False, True)
    assert {str(place) for place in places} == {"data/in"}

    async def scenario():
        async with Bench() as bench:
            for number, trigger in enumerate(triggers):
                await bench.join(trigger, str(number))
            assert len(bench.engine._pollers) == bench.database.row("SELECT count(*) FROM locations")[0] == 3
            bench.store.put("in/a.csv")
            await bench.clock.pass_time(61)
            assert sorted(row["schedule_id"] for row in bench.runs) == ["0", "1", "3", "4"]

    asyncio.run(scenario())


def test_a_pattern_that_was_changed_counts_for_what_is_pending_too():
    seen = look(0.0, change(pattern="*.csv"), added=[info("in/a.csv"), info("in/b.csv")])
    after = look(9.0, change(pattern="b*"), seen.waiting["s"])
    assert [fire.objects for fire in after.fires] == [("in/b.csv",)]
    assert after.waiting == {}


def test_no_more_runs_than_allowed_start_at_a_poll_and_the_rest_follows_at_the_next_ones_oldest_first():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(max_runs_per_poll=2))
            for name in ("in/z", "in/y", "in/x"):
                bench.store.put(name)
            await bench.clock.pass_time(2)
            assert bench.fired == ["in/x", "in/y"]
            bench.store.put("in/a")
            bench.store.put("in/b")
            bench.store.poke()
            await bench.clock.pass_time(2)
            history = bench.engine.history("s")
            assert (history.carried, history.waiting) == (3, ())
            assert "3 carried over to the next poll" in history.in_words()
            assert bench.fired == ["in/x", "in/y"]
            await bench.clock.pass_time(60)
            assert bench.fired[2:] == ["in/z", "in/a"]
            await bench.clock.pass_time(60)
            assert bench.fired[4:] == ["in/b"]
            assert bench.engine.history("s").carried == 0
            await bench.clock.pass_time(300)
            assert len(bench.fired) == 5
            assert bench.engine.history("s").matched == 5

    asyncio.run(scenario())


def test_what_is_carried_over_is_waited_for_without_looking():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(max_runs_per_poll=1))
            for number in range(9):
                bench.store.put(f"in/{number}")
            await bench.clock.pass_time(2)
            before = bench.store.listings
            await bench.clock.pass_time(240)
            assert bench.store.listings - before == 4
            assert bench.fired == [f"in/{number}" for number in range(5)]

    asyncio.run(scenario())


def test_what_is_carried_over_outlives_the_kernel_and_waits_for_its_turn_there(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        async with first:
            await first.join(change(max_runs_per_poll=2))
            for number in range(5):
                first.store.put(f"in/{number}")
            first.store.poke()
            await first.clock.pass_time(2)
            assert first.fired == ["in/0", "in/1"]
        async with off_for(first, 1) as second:
            await second.clock.pass_time(5)
            assert second.fired == ["in/0", "in/1"]
            await second.clock.pass_time(60)
            assert second.fired == ["in/0", "in/1", "in/2", "in/3"]

    asyncio.run(scenario())


def test_kernels_that_share_a_place_share_its_turns_and_the_others_fire_meanwhile(tmp_path):
    async def scenario():
        async with Bench(tmp_path / "w.db") as first, first.another():
            await first.join(change(max_runs_per_poll=2, on=ALL), "slow")
            await first.join(change(on=ALL), "fast")
            names = [f"in/{number}" for number in range(7)]
            for name in names:
                first.store.put(name)
            first.store.poke()
            done = []
            for _ in range(5):
                await first.clock.pass_time(60)
                done.append(sum(row["schedule_id"] == "slow" for row in first.runs))
            assert done == [4, 6, 7, 7, 7]  # two at once, two at each poll
            for schedule in ("slow", "fast"):
                assert [row["objects"] for row in first.runs if row["schedule_id"] == schedule] == names

    asyncio.run(scenario())


def test_a_clock_that_is_set_back_does_not_put_off_a_turn():
    trigger = change(max_runs_per_poll=1, settle=NOW)
    waiting = {"in/a": Pending("added", "v1", 1e6, 1, 1e6 + 48), "in/b": Pending("added", "v1", 1e6, 1, 1e6 + 48)}
    held = look(100.0, trigger, waiting)
    assert held.fires == []
    assert {pending.turn for pending in held.waiting["s"].values()} == {160.0}
    assert len(look(161.0, trigger, held.waiting["s"]).fires) == 1


def test_what_is_carried_over_and_goes_is_forgotten_and_what_changes_again_settles_again():
    trigger = change(max_runs_per_poll=1, settle=timedelta(seconds=1))
    waiting = {name: Pending("added", "v1", 0.0, 1, 50.0) for name in ("in/a", "in/b", "in/c")}
    plan = look(10.0, trigger, waiting, modified=[info("in/b", "v2")], removed={"in/a": "v1"})
    assert plan.waiting["s"] == {"in/c": waiting["in/c"], "in/b": Pending("added", "v2", 10.0, 1)}
    assert next_look(plan.waiting, {"s": trigger}, 10.0) == 11.0
    later = look(11.0, trigger, plan.waiting["s"])
    assert later.waiting["s"]["in/b"].turn == 50.0
    assert next_look(later.waiting, {"s": trigger}, 11.0) == float("inf")
    assert [fire.objects for fire in look(50.0, trigger, later.waiting["s"]).fires] == [("in/c",)]


@pytest.mark.parametrize("seed", range(6))
def test_in_any_order_of_events_each_version_that_counts_fires_once(seed):
    chance = random.Random(seed)
    trigger = change(
        pattern="*.csv",
        on=ALL,
        settle=chance.choice([NOW, timedelta(seconds=1)]),
        max_runs_per_poll=chance.choice([None, 1, 3]),
        polling_interval=timedelta(seconds=5),
    )

    async def scenario():
        async with Bench() as bench:
            await bench.join(trigger)
            expected, version = Counter(), 0
            for _ in range(60):
                name = f"in/{chance.randrange(6)}.{chance.choice(['csv', 'txt'])}"
                counts = name.endswith("csv")
                if name in bench.store.objects and chance.random() < 0.5:
                    expected["removed", name] += counts
                    del bench.store.objects[name]
                else:
                    version += 1
                    kind = "modified" if name in bench.store.objects else "added"
                    bench.store.put(name, version)
                    expected[kind, name] += counts
                bench.store.poke()
                await bench.clock.pass_time(40)  # long enough for every turn
            fired = Counter((fire.reason, fire.objects[0]) for fire in bench.fires())
            assert fired == +expected
            assert bench.database.rows("SELECT * FROM pending") == []
            assert bench.engine.history("s").matched == sum(expected.values())

    asyncio.run(scenario())


def test_polls_are_a_little_early_where_only_the_interval_makes_us_look():
    async def scenario(wakeups: bool, share: float) -> list[float]:
        async with Bench() as bench:
            if not wakeups:
                bench.store.changes = no_changes
            await bench.join(change())
            poller = next(iter(bench.engine._pollers._pollers.values()))
            poller._tools = replace(poller._tools, chance=lambda: share)
            await bench.clock.pass_time(1000)
            at = [poll.at.timestamp() for poll in bench.polls()]
            return [round(later - earlier, 3) for earlier, later in pairwise(at[2:])]

    async def no_changes(path, *, recursive):
        for nothing in ():
            yield nothing

    assert set(asyncio.run(scenario(True, 0.5))) == {60.0}
    assert set(asyncio.run(scenario(False, 0.0))) == {60.0}
    assert set(asyncio.run(scenario(False, 0.5))) == {57.0}
    assert min(asyncio.run(scenario(False, 0.999))) >= 54.0


def test_a_poll_that_begins_late_says_by_how_much():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            await bench.clock.pass_time(61)
            assert [poll.lateness for poll in bench.polls()] == [timedelta(0)] * len(bench.polls())
            bench.clock.step(100)  # the machine slept
            await bench.clock.pass_time(6)
            late = bench.polls()[-1].lateness
            assert timedelta(seconds=40) < late < timedelta(seconds=47)
            bench.store.put("in/a")
            bench.store.poke()
            await bench.clock.pass_time(1)
            assert bench.polls()[-1].lateness == timedelta(0)

    asyncio.run(scenario())


def test_a_schedule_that_asks_for_quicker_polls_makes_none_of_them_late():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change(polling_interval=timedelta(minutes=10)), "slow")
            await bench.clock.pass_time(300)
            await bench.join(change(polling_interval=timedelta(seconds=20)), "quick")
            await bench.clock.pass_time(100)
            assert max(poll.lateness for poll in bench.polls("slow")) < timedelta(seconds=0.1)
            assert len(bench.polls("quick")) >= 5

    asyncio.run(scenario())


def test_failures_are_counted_and_recovery_is_not_late():
    async def scenario():
        async with Bench() as bench:
            await bench.join(change())
            await bench.clock.pass_time(1)
            bench.store.failure = OSError("no such account")
            await bench.clock.pass_time(200)
            failed = bench.engine.history("s")
            assert failed.failed >= 3
            assert (
                failed.in_words()
                .split(";")[0]
                .endswith(f"failed {failed.failed} times, last: OSError: no such account")
            )
            bench.store.failure = None
            before = bench.store.listings
            bench.store.put("in/a")
            await bench.clock.pass_time(61)
            assert bench.fired == ["in/a"]
            assert bench.store.listings - before <= 4
            assert max(poll.lateness for poll in bench.polls()) < timedelta(seconds=1)
            assert f"failed {failed.failed} times, last at 2026-03-02 09:" in bench.engine.history("s").in_words()

    asyncio.run(scenario())


def test_a_database_from_before_these_options_goes_on_where_it_was(tmp_path):
    """Snapshots, pending changes and polls of the first schema stay what they are."""
    database = Database(tmp_path / "w.db")
    database.migrate("engine", SCHEMA[:1])
    bench = Bench.around(database, TableHost(database, {}, {}))
    with database.transaction() as db:
        db.execute("INSERT INTO locations VALUES (7, 'data', 'in', 0, 3)")
        db.execute("INSERT INTO objects VALUES (7, 'in/old', 'v1', 1, 0.0), (7, 'in/new', 'v2', 1, 0.0)")
        db.execute("INSERT INTO pending VALUES (7, 's', 'in/new', 'added', 'v2', 0.0)")
        db.execute("INSERT INTO cursors VALUES ('s', 1.0, NULL, 7)")
        db.execute("INSERT INTO polls VALUES (1, 7, 2.0, 0.5, 2, 1, 1, 0, 0, '')")
    bench.write_schedule(change(), created=bench.now)
    bench.database.close()

    async def scenario():
        after = Bench(tmp_path / "w.db", registry=bench.registry, store=MemoryStore())  # by name, as all were then
        for name, etag in (("in/old", "v1"), ("in/new", "v2")):
            after.store.objects[name] = info(name, etag)
        async with after:
            await after.clock.pass_time(5)
            assert after.fired == ["in/new"]
            assert [tuple(row)[:6] for row in after.database.rows("SELECT * FROM locations")] == [
                (7, "data", "in", 0, 0, 0)
            ]
            history = after.engine.history("s")
            oldest = history.polls[-1]
            assert (oldest.added, oldest.modified, oldest.matched, oldest.lateness) == (1, 1, 2, timedelta(0))
            assert history.matched == 2
            await after.join(change(on=("removed",)), "t")
            assert after.database.row("SELECT count(*) FROM locations")[0] == 2

    asyncio.run(scenario())
