"""A place whose datastore lists in pages: what is kept of it, and what happens when the datastore becomes another."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.engine.fakes import Bench, MemoryStore, PagedMemoryStore, change

QUICK = {"polling_interval": timedelta(seconds=2), "settle": timedelta(0)}


def kept(bench: Bench) -> tuple[int, int]:
    """The rows of names, and those of pages."""
    return tuple(bench.database.row(f"SELECT count(*) FROM {table}")[0] for table in ("objects", "pages"))


def test_objects_are_kept_in_a_few_rows_and_by_name_only_where_what_is_gone_must_have_one():
    async def scenario():
        async with Bench(store=PagedMemoryStore()) as bench:
            for number in range(100):
                bench.store.put(f"in/{number:03}")
            await bench.join(change(**QUICK))
            assert kept(bench) == (0, 1)
            await bench.join(change(on=("added", "removed"), **QUICK), "t")
            assert kept(bench) == (100, 1)
            del bench.store.objects["in/050"]
            await bench.clock.pass_time(10)
            assert [(run["schedule_id"], run["objects"]) for run in bench.runs] == [("t", "in/050")]
            assert kept(bench) == (99, 1)
            assert [poll.removed for poll in bench.polls() if poll.removed] == [1]

    asyncio.run(scenario())


def test_a_look_that_finds_nothing_writes_nothing_of_the_snapshot():
    async def scenario():
        async with Bench(store=PagedMemoryStore()) as bench:
            bench.store.put("in/a")
            await bench.join(change(**QUICK))
            await bench.clock.pass_time(9)
            before = bench.database.row("SELECT generation FROM locations")["generation"]
            await bench.clock.pass_time(9)
            assert bench.database.row("SELECT generation FROM locations")["generation"] == before
            assert len(bench.polls()) > 8

    asyncio.run(scenario())


@pytest.mark.parametrize("kinds", [(MemoryStore, PagedMemoryStore), (PagedMemoryStore, MemoryStore)])
@pytest.mark.parametrize("objects", [0, 20])
def test_what_is_in_a_datastore_that_became_one_of_another_kind_is_not_news_and_what_comes_then_is(kinds, objects):
    before, after = (kind() for kind in kinds)
    for number in range(objects):
        after.put(f"in/{number}")

    async def scenario():
        async with Bench(store=before) as bench:
            before.put("in/there")
            await bench.join(change(**QUICK))
            await bench.clock.pass_time(5)
            bench.host.stores["data"] = after
            await bench.clock.pass_time(5)
            after.put("in/new")
            await bench.clock.pass_time(5)
            assert bench.fired == ["in/new"]
            assert [rows > 0 for rows in kept(bench)] == [kinds[1] is MemoryStore, kinds[1] is PagedMemoryStore]

    asyncio.run(scenario())


def test_a_kernel_that_starts_anew_reads_the_pages_and_finds_what_changed_meanwhile(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db", store=PagedMemoryStore())
        async with first:
            for number in range(50):
                first.store.put(f"in/{number:02}")
            await first.join(change(**QUICK))
        first.store.put("in/07")
        first.store.put("in/99")
        del first.store.objects["in/08"]
        async with first.another() as second:
            await second.clock.pass_time(5)
            assert sorted(second.fired) == ["in/07", "in/99"]
            poll = next(poll for poll in second.polls() if poll.fired)
            assert (poll.objects, poll.added, poll.modified, poll.removed) == (50, 1, 1, 1)

    asyncio.run(scenario())


def test_a_page_that_makes_no_sense_is_a_failure_that_names_the_place_and_nothing_is_lost():
    async def scenario():
        async with Bench(store=PagedMemoryStore()) as bench:
            await bench.join(change(**QUICK))
            bench.store.put("in/new")
            whole = bench.store.pages
            bench.store.pages = lambda path, *, recursive: (
                page._replace(body=page.body.replace(b"<Etag>", b"<Etam>")) for page in whole(path, recursive=recursive)
            )
            await bench.clock.pass_time(5)
            assert bench.fired == []
            assert bench.polls()[-1].error.startswith("cannot list the objects in data/in: the page is not XML")
            bench.store.pages = whole
            await bench.clock.pass_time(10)
            assert bench.fired == ["in/new"]

    asyncio.run(scenario())
