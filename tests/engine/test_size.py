"""Large containers, on the listing service of the benchmarks: the same objects as the library's, kept in few rows."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from aml_magics.datastores import BlobContainer
from aml_magics.model.secret import Secret
from tests.benchmarks.listing_server import CONTAINER, ListingServer, control
from tests.engine.fakes import Bench, change
from tests.support.azurite import KEY

FOLDER = "landing/sensors"
BATCH = {"polling_interval": timedelta(seconds=2), "settle": timedelta(0), "per": "batch"}
EDITS = ("random", "insert", "tail")


@pytest.fixture
def opened():
    stores = []

    def open_it(server: ListingServer, **options) -> BlobContainer:
        stores.append(BlobContainer.open(server.url, CONTAINER, Secret(KEY), **options))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.mark.parametrize("seed", range(3))
def test_the_fast_listing_and_the_library_s_are_the_same_whatever_was_edited(seed, opened):
    chance = random.Random(seed)
    with ListingServer(chance.choice((0, 1, 400, 1200))) as server:
        size = chance.choice((20, 100, 5000))
        fast, sdk = opened(server, page_size=size), opened(server, listing="sdk", page_size=size)
        for _ in range(3):
            for path, recursive in (
                ("", True),
                ("", False),
                ("odd", True),
                ("odd", False),
                (FOLDER, False),
                ("od", True),
            ):
                listed = list(fast.list(path, recursive=recursive))
                assert listed == list(sdk.list(path, recursive=recursive))
                assert len({info.name for info in listed}) == len(listed)
            assert len(list(fast.list(recursive=True))) == server.state()["blobs"]
            if server.state()["blobs"] > 100:
                control(server.address, chance.choice(EDITS), count=chance.choice((1, 20, 100)))


@pytest.mark.parametrize("in_arrow", [False, True])
def test_of_a_hundred_thousand_blobs_those_that_changed_fire_and_little_is_kept(in_arrow, opened):
    async def scenario():
        with ListingServer(100_000) as server:
            control(server.address, "arrow", offered=in_arrow)
            async with Bench(store=opened(server)) as bench:
                await bench.join(change(FOLDER, **BATCH))
                for kind in EDITS:
                    names = {name for name in control(server.address, kind, count=30) if name.startswith(FOLDER)}
                    await bench.clock.pass_time(6)
                    assert set(bench.fired[-1].split("|")) == names
                assert len(bench.fired) == 3
                assert bench.polls()[-1].objects == 100_060
                rows, size = bench.database.row("SELECT count(*), sum(length(content)) FROM pages")
                assert rows < 30
                assert size < 100_060 * (40 if not in_arrow else 20)
                assert (server.state()["arrow"] > 0) is in_arrow

    asyncio.run(scenario())


def test_a_schedule_for_the_end_of_a_hundred_thousand_blobs_asks_for_a_page_or_two(opened):
    async def scenario():
        with ListingServer(100_000) as server:
            async with Bench(store=opened(server)) as bench:
                await bench.join(change(FOLDER, append_only=True, **BATCH))
                before = server.state()["requests"]
                assert before >= 20
                await bench.clock.pass_time(2)
                assert server.state()["requests"] - before <= 3
                names = control(server.address, "tail", count=40)
                await bench.clock.pass_time(4)
                assert bench.fired == ["|".join(names)]
                assert server.state()["requests"] - before <= 10

    asyncio.run(scenario())
