"""What a look means, without any engine; and a random life of several kernels over one place."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.datastores import ObjectInfo
from aml_magics.engine.changes import next_look, plan_look
from aml_magics.engine.looks import Pending, Place, Scan, Snapshot, scan_place
from aml_magics.engine.places import PlaceStore
from tests.engine.fakes import Bench, MemoryStore, change

PLACE = Place("data", "in", recursive=False)


def info(name: str, etag: str = "v1") -> ObjectInfo:
    return ObjectInfo(name, etag, 1, 0.0)


def test_a_listing_is_compared_with_the_snapshot_by_name_and_etag():
    store = MemoryStore()
    for name in ("in/same", "in/other", "in/new"):
        store.put(name)
    store.writing = {"in/new", "in/same"}
    snapshot = {"in/same": store.objects["in/same"].etag, "in/other": "an older one", "in/gone": "v0"}
    waiting = {"s": {"in/gone": Pending("added", "v0", 0.0)}}
    scan = scan_place(store, PLACE, Snapshot(generation=1, etags=snapshot, waiting=waiting), 5.0)
    assert [each.name for each in scan.added] == ["in/new"]
    assert [each.name for each in scan.modified] == ["in/other"]
    assert scan.removed == {"in/gone": "v0"}
    assert (scan.objects, scan.begun) == (3, 5.0)
    assert scan.held == {"in/new"}  # asked only of what could fire


def test_a_writer_who_closes_while_we_list_does_not_make_its_last_but_one_version_pass_for_finished():
    store = MemoryStore()
    store.put("in/a")
    seen = store.objects["in/a"].etag
    store.writing = {"in/a"}
    waiting = {"s": {"in/a": Pending("added", seen, 0.0)}}

    def write_the_rest_and_close() -> None:
        store.put("in/a")
        store.writing.clear()

    store.after_listing = write_the_rest_and_close
    scan = scan_place(store, PLACE, Snapshot(generation=1, etags={"in/a": seen}, waiting=waiting), 5.0)
    assert not plan_look(replace(scan, ended=5.0), waiting, {"s": change()}).fires


def test_settling_begins_when_the_look_ended_and_is_over_when_a_look_begins_late_enough():
    members = {"s": change(settle=timedelta(seconds=1))}
    seen = plan_look(Scan(begun=10, ended=12, added=[info("a")]), {}, members)
    assert not seen.fires
    assert seen.waiting == {"s": {"a": Pending("added", "v1", 12, size=1)}}
    assert next_look(seen.waiting, members, 10) == 13
    early = plan_look(Scan(begun=12.9, ended=14), seen.waiting, members)
    assert not early.fires
    late = plan_look(Scan(begun=13, ended=14), seen.waiting, members)
    assert [fire.objects for fire in late.fires] == [("a",)]
    assert late.waiting == {}


def test_what_waits_for_a_schedule_that_is_not_active_is_forgotten():
    waiting = {"gone": {"a": Pending("added", "v1", 0)}, "s": {"a": Pending("added", "v1", 0)}}
    plan = plan_look(Scan(begun=0.1, ended=0.1), waiting, {"s": change()})
    assert plan.waiting == {"s": waiting["s"]}


def test_the_key_of_a_fire_says_who_and_which_version_and_nothing_else():
    def key(etag: str, begun: float = 10.0, schedule: str = "s", per: str = "file") -> str:
        trigger = change(settle=timedelta(0), per=per)
        plan = plan_look(Scan(begun=begun, ended=begun, added=[info("a", etag)]), {}, {schedule: trigger})
        return plan.fires[0].key

    assert key("v1") == key("v1", begun=99.0)
    assert len({key("v1"), key("v2"), key("v1", schedule="t")}) == 3


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["v1", "v2"]), st.booleans()), max_size=8),
    st.sampled_from(["file", "batch"]),
)
def test_nothing_that_was_seen_is_lost_it_waits_or_fires(changes, per):
    waiting, snapshot = {}, {}
    members = {"s": change(per=per, settle=timedelta(seconds=1))}
    fired = Counter()
    due = set()
    at = 0.0
    for name, etag, held in changes:
        at += 0.4
        added = [info(name, etag)] if name not in snapshot else []
        modified = [info(name, etag)] if name in snapshot and snapshot[name] != etag else []
        if added or modified:
            due.add((name, etag))
            due -= {pair for pair in due if pair[0] == name and pair[1] != etag}
        snapshot[name] = etag
        scan = Scan(begun=at, ended=at, added=added, modified=modified, held=frozenset(name if held else ""))
        plan = plan_look(scan, waiting, members)
        waiting = plan.waiting
        for fire in plan.fires:
            fired.update(fire.objects)
            due -= {(each, snapshot[each]) for each in fire.objects}
        assert {(each, pending.etag) for each, pending in waiting.get("s", {}).items()} == due
    plan = plan_look(Scan(begun=at + 2, ended=at + 2), waiting, members)
    assert {name for fire in plan.fires for name in fire.objects} == {name for name, _ in due}
    assert plan.waiting == {}


@pytest.mark.parametrize("seed", range(8))
def test_in_any_life_of_several_kernels_every_change_fires_once(seed, tmp_path):
    """Kernels start, stop and crash; objects come, change and go; nothing is lost and nothing fires twice."""
    chance = random.Random(seed)

    async def crash(bench: Bench) -> None:
        await bench.engine._tasks.stop()  # nothing is written any more, nobody says good-bye
        bench.database.close()

    async def scenario():
        first = Bench(tmp_path / "w.db")
        store, living, names, versions = first.store, [first], [], Counter()
        await first.engine.start()
        await first.join(change(polling_interval=timedelta(seconds=3)), "file")
        await first.join(change(polling_interval=timedelta(seconds=3), per="batch"), "batch")
        for step in range(120):
            act = chance.random()
            if act < 0.4:
                names.append(f"in/{step:03}")
                versions[names[-1]] += 1
                store.put(names[-1])
            elif act < 0.5 and names:
                name = chance.choice(names)
                versions[name] += 1
                store.put(name)
            elif act < 0.6 and len(living) < 3:
                living.append(first.another())
                await living[-1].engine.start()
            elif act < 0.7 and len(living) > 1:
                bench = living.pop(chance.randrange(len(living)))
                await (crash(bench) if chance.random() < 0.5 else bench.__aexit__())
            if chance.random() < 0.5:
                store.poke()
            await living[0].clock.pass_time(chance.random() * 0.8)
        await living[0].clock.pass_time(20)
        runs = {
            kind: Counter(
                name for row in living[0].runs if row["schedule_id"] == kind for name in row["objects"].split("|")
            )
            for kind in ("file", "batch")
        }
        for kind in ("file", "batch"):
            assert set(runs[kind]) == set(names)
            once = [name for name in names if versions[name] == 1]
            assert {name: runs[kind][name] for name in once} == dict.fromkeys(once, 1)
            assert all(runs[kind][name] <= versions[name] for name in names)
        remembered = PlaceStore(living[0].database, PLACE).load()
        assert remembered.generation
        assert scan_place(store, PLACE, remembered, 0.0).is_empty
        assert living[0].database.rows("SELECT * FROM pending") == []
        for bench in living:
            assert bench.engine.health().errors == ()
            await bench.__aexit__()

    asyncio.run(scenario())
