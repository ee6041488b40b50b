"""Where new names sort after all that are there, a look lists the end alone, and still tells every one of them once."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from aml_magics.engine import packing
from aml_magics.engine.leaf_walk import sweep
from aml_magics.engine.packing import PackedSnapshot
from aml_magics.engine.tail import sweep_tail
from tests.engine.fakes import Bench, PagedMemoryStore, change
from tests.support.listing import LiveListing, xml_record

PAGE = 50


class Service(LiveListing):
    """A listing that may begin anywhere, or claims it at first; ``asked`` is where the last one began."""

    def __init__(self, *, starts_anywhere: bool = True) -> None:
        super().__init__(PAGE)
        self.starts_anywhere = True
        self.asked = ""
        self._really = starts_anywhere

    def pages(self, path="", *, recursive=True, start_from=""):
        self.asked = start_from
        if not self._really:
            self.starts_anywhere, start_from = False, ""
        everything = self.records
        self.records = {name: record for name, record in everything.items() if name >= start_from}
        try:
            yield from list(super().pages(path, recursive=recursive))
        finally:
            self.records = everything

    def put(self, name: str, etag: str = "v1") -> None:
        self.records[name] = xml_record(name, etag)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in (("ROW", 100), ("LARGE_ROW", 150), ("SMALL_ROW", 25)):
        monkeypatch.setattr(packing, name, value)


def day(number: int) -> str:
    return f"in/2026/{number:06}" + ("", " & more", "ü", "<")[number % 4]


def filled(service: Service, count: int) -> PackedSnapshot:
    for number in range(count):
        service.put(day(number))
    return sweep(service, "", True, PackedSnapshot(), baseline=True).snapshot


@pytest.mark.parametrize("seed", range(5))
def test_what_comes_at_the_end_is_told_once_and_the_snapshot_stays_that_of_the_whole_place(seed):
    service, chance, count = Service(), random.Random(seed), 1000
    snapshot = filled(service, count)
    rows = dict(snapshot.rows)
    for _ in range(40):
        more = chance.choice((0, 1, 3, 120, 400))
        for number in range(count, count + more):
            service.put(day(number))
        count += more
        found = sweep_tail(service, "", True, snapshot, ())
        assert sorted(info.name for info in found.added) == [day(number) for number in range(count - more, count)]
        assert (found.modified, found.removed) == ([], 0)
        assert service.asked
        assert found.objects < more + 300
        for key in found.drop:
            del rows[key]
        rows.update(found.put)
        snapshot = found.snapshot
        assert PackedSnapshot.load(rows.items()) == snapshot
        whole = sweep(service, "", True, snapshot)
        assert (whole.objects, whole.added, whole.modified, whole.removed) == (count, [], [], 0)


def test_a_quiet_look_at_ten_thousand_objects_takes_a_page_or_two_and_a_look_of_all_of_it_two_hundred():
    service = Service()
    snapshot = filled(service, 10_000)
    assert sweep_tail(service, "", True, snapshot, ()).pages <= 4
    assert sweep(service, "", True, snapshot).pages == 200


def test_the_listing_begins_before_all_that_somebody_waits_for_and_sees_it_change_or_go():
    service = Service()
    snapshot = filled(service, 1000)
    waiting = [day(310), day(700)]
    service.put(day(310), "v2")
    del service.records[day(700)]
    found = sweep_tail(service, "", True, snapshot, waiting)
    assert service.asked <= day(310)
    assert ([info.name for info in found.modified], found.gone) == ([day(310)], [day(700)])


def test_a_service_that_begins_at_the_beginning_after_all_is_looked_at_as_a_whole():
    service = Service(starts_anywhere=False)
    service.starts_anywhere = True
    snapshot = filled(service, 1000)
    service.starts_anywhere = True
    assert sweep_tail(service, "", True, snapshot, ()) is None
    assert service.starts_anywhere is False
    assert sweep_tail(service, "", True, snapshot, ()) is None


def test_an_append_only_schedule_fires_for_what_comes_at_the_end_and_lists_no_more_than_that():
    class Store(PagedMemoryStore):
        starts_anywhere = True
        started: list[str]

        def pages(self, path, *, recursive, start_from=""):
            self.started = [*getattr(self, "started", []), start_from]
            kept = self.objects
            self.objects = {name: info for name, info in kept.items() if name >= start_from}
            pages = list(super().pages(path, recursive=recursive))
            self.objects = kept
            yield from pages

    async def scenario():
        async with Bench(store=Store()) as bench:
            for number in range(500):
                bench.store.put(f"in/{number:04}")
            quick = {"polling_interval": timedelta(seconds=2), "settle": timedelta(seconds=1)}
            await bench.join(change(append_only=True, **quick), "end")
            await bench.join(change(**quick), "all")
            bench.store.put("in/0499b")
            bench.store.put("in/0001b")
            await bench.clock.pass_time(10)
            fired = {(run["schedule_id"], run["objects"]) for run in bench.runs}
            assert fired == {("end", "in/0499b"), ("all", "in/0499b"), ("all", "in/0001b")}
            assert bench.store.started.count("") >= 2
            assert all(start >= "in/0390" for start in bench.store.started if start)
            seen = {poll.objects for poll in bench.polls("end")[1:]}
            assert max(seen) < 110

    asyncio.run(scenario())
