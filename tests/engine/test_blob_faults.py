"""A container that fails in every way and changes meanwhile: each change fires once, and history says what failed.

Each schedule of faults is made from its number: rounds of edits, between looks and between the pages of one, with
faults at random, a clock that jumps, and a container that is deleted and made again. The engine, the listing and what
speaks HTTP are real; the bytes end in a service in this process, and time is a fake clock's. What must have fired is
known from the service alone: after a round, what it shows and did not show when the round began.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from aml_magics.datastores import BlobContainer
from aml_magics.datastores.blob_pages import WAITS
from aml_magics.engine.backlog import fire_key
from aml_magics.model.secret import Secret
from aml_magics.model.triggers import DatastoreChange
from tests.engine.fakes import Bench, change
from tests.support.azurite import KEY
from tests.support.blob_faults import FATAL, ODD_NAMES, PASSING, URL, BlobService

SCHEDULES, PARTS = 1000, 20
INTERVAL = 4  # seconds
LONG_ENOUGH = 3 * INTERVAL  # more than the longest pause after a failure, and a look
NAMES = (*(f"in/{name}" for name in ODD_NAMES), *(f"in/{number:02}.csv" for number in range(25)), "in/sub/a", "in-b/c")
DIRECTORIES = (("in/sub", "directory"), ("in/older", "stub"), ("in/empty/", ""))
DAY = 86_400.0  # seconds; all the jumps back of a schedule are shorter
Version = tuple[str, str]  # name and ETag


class Container:
    """A container at the mercy of one schedule of faults and edits."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.service = BlobService(page_size=self.random.choice((2, 3, 7, 50)))
        self.service.before_page = self._between_pages
        self.recursive = self.random.random() < 0.5
        self.fresh: set[Version] = set()  # written in this round
        self.known: dict[str, str] = {}  # shown when it began
        self._edits = 0  # that may be made between pages
        for _ in range(self.random.choice((0, 5, 40))):
            self.edit()
        self.begin()

    def shown(self) -> dict[str, str]:
        """What a look at the watched path finds, by name."""
        found = {name: etag for name, etag in self.service.objects().items() if name.startswith("in/")}
        return {name: etag for name, etag in found.items() if self.recursive or name.count("/") == 1}

    def begin(self) -> None:
        """A round begins: what is there is known."""
        self.fresh.clear()
        self.known = self.shown()

    def trouble(self) -> None:
        """Edit, and plan faults and edits for the looks to come."""
        self.service.exists = True
        for _ in range(self.random.choice((0, 1, 2, 10))):
            self.edit()
        self._edits = self.random.choice((0, 0, 1, 3, 8))
        self.service.faults.extend(self._faults())
        if self.random.random() < 0.1:
            self.service.delete_container()

    def calm(self) -> None:
        """From now on all is well."""
        self.service.faults.clear()
        self._edits = 0
        self.service.exists = True

    def edit(self) -> None:
        choice = self.random.random()
        if choice < 0.1:
            name, kind = self.random.choice(DIRECTORIES)
            self.service.put(name, kind=kind)
        elif choice < 0.3 and self.service.blobs:
            del self.service.blobs[self.random.choice(sorted(self.service.blobs))]
        else:
            name = self.random.choice(NAMES)
            self.fresh.add((name, self.service.put(name)))

    def check(self, fired: Counter[Version]) -> None:
        """After a calm look: what fired in this round is what had to, once each."""
        due = self.shown().items() - self.known.items()
        assert due <= fired.keys(), f"did not fire: {due - fired.keys()}"
        assert fired.keys() <= self.fresh, f"fired and was not written: {fired.keys() - self.fresh}"
        assert set(fired.values()) <= {1}, f"fired again: {fired}"

    def failed_looks(self) -> Iterator[str]:
        """The last fault of each look that could not succeed, from what the service answered."""
        attempts = 0
        for request in self.service.requests:
            attempts = attempts + 1 if request.fault in PASSING else 0
            if attempts > len(WAITS) or request.fault in FATAL or request.fault == "deleted":
                attempts = 0
                yield request.fault

    def _faults(self) -> Iterator[str]:
        for _ in range(self.random.choice((0, 1, 2, 5))):
            yield from [""] * self.random.randrange(4)
            length = self.random.choice((1, 1, 2, len(WAITS), len(WAITS) + 1, 12))
            if self.random.random() < 0.7:
                yield from self.random.choices(sorted(PASSING), k=length)
            else:
                yield from [self.random.choice(sorted(FATAL))] * self.random.choice((1, 1, 3))

    def _between_pages(self) -> None:
        while self._edits and self.service.exists and self.random.random() < 0.5:
            self._edits -= 1
            self.edit()


class Watched:
    """A kernel that watches such a container."""

    def __init__(self, seed: int) -> None:
        self.container = Container(seed)
        self.random = self.container.random
        self.bench = Bench()

    async def live(self) -> None:
        bench, container = self.bench, self.container
        store = BlobContainer.open(URL, "c", Secret(KEY), sleep=bench.clock.advance)
        bench.host.stores["data"] = store
        with container.service.attached():
            try:
                async with bench:
                    await bench.join(self.trigger())
                    bench.clock.advance(DAY)  # history begins with the schedule, also for a clock that was set back
                    for _ in range(self.random.randrange(1, 4)):
                        await self.round()
                    self.check_history()
            finally:
                store.close()

    def trigger(self) -> DatastoreChange:
        how = {"recursive": self.container.recursive, "settle": timedelta(0)}
        return change("in", polling_interval=timedelta(seconds=INTERVAL), **how)

    async def round(self) -> None:
        before = len(self.bench.fires())
        self.container.begin()
        for _ in range(self.random.randrange(1, 4)):
            self.container.trouble()
            await self.bench.clock.pass_time(self.random.uniform(0.1, 3 * INTERVAL))
            if self.random.random() < 0.15:
                self.bench.clock.step(self.random.choice((-7200, -30, 30, 7200)))
        self.container.calm()
        await self.bench.clock.pass_time(LONG_ENOUGH)
        keys = {fire_key("|".join(("s", *version))): version for version in self.container.fresh}
        fires = Counter(fire.key for fire in self.bench.fires())
        assert max(fires.values(), default=1) == 1
        now = self.bench.fires()[before:]
        self.container.check(Counter(keys.get(fire.key, (*fire.objects, "")) for fire in now))

    def check_history(self) -> None:
        polls = self.bench.polls()
        assert sum(poll.fired for poll in polls) == len(self.bench.fires()) == len(self.bench.runs)
        assert all(poll.fired == poll.added + poll.modified for poll in polls)
        said = Counter(kind_of(poll.error) for poll in polls if poll.error)
        assert said == Counter(map(REASONS.__getitem__, self.container.failed_looks()))


REASONS = {
    **dict.fromkeys(PASSING, "broken"),
    "429": "429",
    "500": "500",
    "503 with Retry-After": "503",
    "403": "403",
    "deleted": "no container",
    "two NextMarkers": "2 NextMarkers",
    "no NextMarker": "no NextMarker",
    "the same NextMarker again": "same NextMarker again",
}
SAID = {
    **{f": {status} ": status for status in ("429", "500", "503", "403")},
    "there is no container": "no container",
    **{text: text for text in ("2 NextMarkers", "no NextMarker", "same NextMarker again")},
    **dict.fromkeys(("the connection broke", "was cut short", "ends before", "Connection"), "broken"),
}


def kind_of(error: str) -> str:
    """What a reason in the history says, in a word of ``REASONS``."""
    return next((kind for text, kind in SAID.items() if text in error), error)


@pytest.mark.parametrize("part", range(PARTS))
def test_each_change_fires_once_whatever_fails(part):
    for seed in range(part * SCHEDULES // PARTS, (part + 1) * SCHEDULES // PARTS):
        with naming(seed):
            asyncio.run(Watched(seed).live())


@contextlib.contextmanager
def naming(seed: int) -> Iterator[None]:
    """Say which schedule of faults it was."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in schedule {seed}")
        raise
