"""What a look tells at the end alone, where new names sort after all that are there, or at several ranges at once."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from aml_magics.datastores.blob_arrow import ArrowPage
from aml_magics.engine import packing
from aml_magics.engine.leaf_walk import sweep
from aml_magics.engine.packing import PackedSnapshot
from aml_magics.engine.ranges import sweep_ranges, sweep_tail
from tests.engine.fakes import Bench, PagedMemoryStore, change
from tests.support.listing import LiveListing, xml_record

PAGE = 50


class Service(LiveListing):
    """A listing that may begin anywhere, or claims it at first, and end anywhere; ``asked`` is where one began."""

    def __init__(self, *, starts_anywhere: bool = True, order: Callable[[str], object] = str.encode) -> None:
        super().__init__(PAGE, order)
        self.starts_anywhere = True
        self.ends_anywhere = False
        self.asked: list[str] = []
        self._really = starts_anywhere

    def pages(self, path="", *, recursive=True, start_from="", end_before=""):
        self.asked.append(start_from)
        if not self._really:
            self.starts_anywhere, start_from = False, ""
        part = LiveListing(PAGE, self.order)
        part.in_arrow = self.in_arrow
        first, last = self.order(start_from), self.order(end_before)
        part.records = {
            name: record
            for name, record in self.records.items()
            if first <= self.order(name) and (not end_before or self.order(name) < last)
        }
        for page in part.pages(path, recursive=recursive):
            self.ends_anywhere = isinstance(page, ArrowPage)
            yield page

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
        assert service.asked[-1]
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
    assert service.asked[-1] <= day(310)
    assert ([info.name for info in found.modified], found.gone) == ([day(310)], [day(700)])


def test_a_service_that_begins_at_the_beginning_after_all_is_looked_at_as_a_whole():
    service = Service(starts_anywhere=False)
    service.starts_anywhere = True
    snapshot = filled(service, 1000)
    service.starts_anywhere = True
    assert sweep_tail(service, "", True, snapshot, ()) is None
    assert service.starts_anywhere is False
    assert sweep_tail(service, "", True, snapshot, ()) is None


ORDERS = {
    "bytes": str.encode,
    "slash first": lambda name: name.replace("/", "\0").encode(),
    "none that we know": lambda name: name[::-1].encode(),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(3))
def test_ranges_side_by_side_tell_what_a_dictionary_tells_whatever_the_order(seed, order):
    service, chance = Service(order=ORDERS[order]), random.Random(seed)
    service.in_arrow = lambda: True
    snapshot = filled(service, 1200)
    known = dict.fromkeys(service.records, "v1")
    for turn in range(8):
        for _ in range(chance.choice((0, 1, 20, 200))):
            number, etag = chance.randrange(2400), f"v{turn}-{chance.random()}"
            if day(number) in service.records and chance.random() < 0.4:
                del service.records[day(number)]
            else:
                service.put(day(number), etag)
        watched = chance.choices(sorted(known), k=30)
        service.asked.clear()
        found = sweep_ranges(service, "", True, snapshot, watched)
        assert 1 < len(service.asked) < len(snapshot.rows)
        now = {name: _etag(record) for name, record in service.records.items()}
        assert {info.name: info.etag for info in found.added} == {n: now[n] for n in now.keys() - known.keys()}
        stayed = now.keys() & known.keys()
        assert {info.name for info in found.modified} == {name for name in stayed if now[name] != known[name]}
        assert (found.objects, found.removed) == (len(now), len(known.keys() - now.keys()))
        assert set(found.gone) == set(watched) - now.keys()
        rows = {key: row for key, row in snapshot.rows if key not in found.drop} | dict(found.put)
        snapshot, known = found.snapshot, now
        assert PackedSnapshot.load(rows.items()) == snapshot
    for _ in range(3):
        quiet = sweep_ranges(service, "", True, snapshot, ())
        snapshot = quiet.snapshot
    assert (quiet.parsed, quiet.put, quiet.drop) == (0, [], [])


def test_a_small_place_and_a_service_that_answers_in_xml_are_listed_from_beginning_to_end():
    service = Service()
    snapshot = filled(service, 1500)
    assert sweep_ranges(service, "", True, snapshot, ()) is None
    service.in_arrow = lambda: True
    assert sweep_ranges(service, "", True, snapshot, ()) is None  # it has not said so yet
    large = sweep(service, "", True, snapshot).snapshot
    assert sweep_ranges(service, "", True, large, ()).objects == 1500
    assert sweep_ranges(service, "", True, PackedSnapshot(large.rows[:5]), ()) is None


def test_a_service_that_goes_back_to_xml_while_it_lists_is_looked_at_as_a_whole():
    service, answers = Service(), itertools.count()
    service.in_arrow = lambda: True
    snapshot = filled(service, 1500)
    service.in_arrow = lambda: next(answers) < 7
    assert sweep_ranges(service, "", True, snapshot, ()) is None


def test_a_range_that_a_service_holds_does_not_hold_up_the_exit_of_the_interpreter():
    service, daemons = Service(), []
    service.in_arrow = lambda: daemons.append(threading.current_thread().daemon) or True
    snapshot = filled(service, 1500)
    daemons.clear()
    assert sweep_ranges(service, "", True, snapshot, ()).objects == 1500
    assert all(daemons)


def _etag(record: bytes) -> str:
    return record.partition(b"<Etag>")[2].partition(b"<")[0].decode()


def test_an_append_only_schedule_fires_for_what_comes_at_the_end_and_lists_no_more_than_that():
    class Store(PagedMemoryStore):
        starts_anywhere, ends_anywhere = True, False
        started: list[str]

        def pages(self, path, *, recursive, start_from="", end_before=""):
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
