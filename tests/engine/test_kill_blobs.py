"""kill -9 at 50 moments while two kernels watch a container in which blobs come, change and go.

Some kernels are killed at random, from their first breath on; some a random moment after they have come to a point that
matters; and some exactly there, with a page in hand, or a transaction half written.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import select
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from math import inf
from pathlib import Path
from typing import NamedTuple

from aml_magics.datastores import ObjectStore
from aml_magics.engine.engine import Engine
from aml_magics.model.history import History
from aml_magics.model.resources import Fire
from tests.engine.blob_storm import BEFORE, BlobStorm, Look, Version, versions_of
from tests.engine.fakes import until
from tests.engine.killable import HALTED, INTERVAL, MARKS, SETTLE, end_kernel, give_birth, host_over, start_kernel

KILLS = 50
SCHEDULES = ("file", "batch", "gone")
OLD = [f"in/before-{number:02}" for number in range(30)]
PLACES = 2  # "gone" must know the names of what is gone, and has a place of its own
PATIENCE = 30.0  # seconds in which each mark comes
LAST_LOOKS = 4


class Moment(NamedTuple):
    """``delay`` seconds after the ``number``th ``mark``, or after the start; without a delay, exactly at that mark."""

    mark: str
    number: int
    delay: float | None


class Victim:
    """A kernel that is to be killed at that moment."""

    def __init__(self, path: Path, place: str, moment: Moment) -> None:
        self.moment = moment
        halt = () if moment.delay is not None else (moment.mark, moment.number)
        self._awaited, self._left = (HALTED, 1) if halt else (moment.mark, moment.number)
        self.process = start_kernel(path, place, *halt)
        self._begun = time.monotonic()
        self.dies_at = inf if moment.mark else self._begun + moment.delay

    def fileno(self) -> int:
        return self.process.stdout.fileno()

    def listen(self) -> None:
        """Take in a mark that it has printed."""
        line = self.process.stdout.readline().decode().strip()
        assert line, "the kernel ended by itself"
        if line == self._awaited:
            self._left -= 1
            if not self._left:
                self.dies_at = time.monotonic() + (self.moment.delay or 0.0)

    @property
    def is_due(self) -> bool:
        assert self.dies_at < inf or time.monotonic() < self._begun + PATIENCE, f"{self.moment} never came"
        return time.monotonic() >= self.dies_at


def moments(chance: random.Random) -> Iterator[Moment]:
    """Of five kills one is at random, two are soon after a mark, and two at one; all marks come, again and again."""
    marks = itertools.cycle(MARKS)
    plan = []
    for _ in range(KILLS // 5):
        plan.append(Moment("", 0, chance.random()))
        for mark in itertools.islice(marks, 2):
            number = 1 if mark == "ready" else chance.randrange(1, 9)
            plan += [Moment(mark, number, chance.random() * 0.02), Moment(mark, number, None)]
    chance.shuffle(plan)
    return iter(plan)


def kill_again_and_again(path: Path, place: str, chance: random.Random) -> None:
    """Two kernels at a time."""
    plan = moments(chance)
    living = {Victim(path, place, next(plan)) for _ in range(2)}
    try:
        while living:
            soonest = min(victim.dies_at for victim in living)
            for victim in select.select(living, [], [], max(0.0, min(soonest - time.monotonic(), 1.0)))[0]:
                victim.listen()
            for victim in [victim for victim in living if victim.is_due]:
                end_kernel(victim.process)
                living.remove(victim)
                living.update(Victim(path, place, moment) for moment in itertools.islice(plan, 1))
    finally:
        for victim in living:
            end_kernel(victim.process)


async def finish(path: Path, store: ObjectStore) -> dict[str, History]:
    """One kernel that nobody kills brings everything to its end. What the schedules have to tell then, by name."""
    host = host_over(path, store)
    engine = Engine(host.database, host)
    begun = time.time()
    await engine.start()
    enough = "SELECT location FROM polls WHERE at > ? GROUP BY location HAVING count(*) >= ?"
    try:
        await until(lambda: len(host.database.rows(enough, (begun, LAST_LOOKS))) == PLACES)
        assert host.database.rows("SELECT * FROM pending") == []
        assert engine.health().errors == ()
        assert host.database.row("PRAGMA integrity_check")[0] == "ok"
        assert len(host.database.rows("SELECT * FROM owners")) == 1
        told = {name: engine.history(name, 100_000) for name in SCHEDULES}
        runs = Counter(row["id"] for row in host.database.rows("SELECT id FROM runs"))
        assert runs == Counter(fire.key for history in told.values() for fire in history.fires)
        return told
    finally:
        await engine.stop()
        host.database.close()


def looks_of(history: History) -> list[Look]:
    """Oldest first."""
    return [Look(poll.at.timestamp(), (poll.at + poll.took).timestamp()) for poll in reversed(history.polls)]


def with_looks(*histories: History) -> list[tuple[Fire, Look]]:
    """The fires of all schedules at one place, each with its look. Each look has as many as the history says."""
    looks = looks_of(histories[0])
    fires = [fire for history in histories for fire in history.fires]
    ends = [min(looks, key=lambda look: abs(look.ended - fire.decided.timestamp())) for fire in fires]
    assert all(abs(look.ended - fire.decided.timestamp()) < 1e-5 for fire, look in zip(fires, ends, strict=True))
    said = {look: poll.fired for look, poll in zip(looks, reversed(histories[0].polls), strict=True) if poll.fired}
    assert said == Counter(ends)
    return list(zip(fires, ends, strict=True))


def check_changes(storm: BlobStorm, file: History, batch: History) -> None:
    """Every version that had to fire has fired, once, for each of the two; and nothing has that could not."""
    looks = looks_of(file)
    fresh = {version for version in storm.versions if version.written != BEFORE}
    fired: dict[str, Counter[Version]] = {"file": Counter(), "batch": Counter()}
    for fire, look in with_looks(file, batch):
        seen = by_name(version for version in fresh if version.may_be_seen(look))
        fired[fire.schedule_id].update(versions_of(fire, seen))
    for schedule, after in (("file", SETTLE), ("batch", INTERVAL)):
        due = {version for version in fresh if version.must_fire(looks, after)}
        assert due >= fresh.intersection(storm.there), "the last looks came too early"
        assert due - fired[schedule].keys() == set()
        assert set(fired[schedule].values()) == {1}
        assert len(due - set(storm.there)) > KILLS / 5, "the storm was too weak to show anything"


def check_removals(storm: BlobStorm, gone: History) -> None:
    """A blob that was known and is gone has fired, once, as one of the versions that it had."""
    looks = looks_of(gone)
    life_of = {version: life for life in storm.lives for version in life.versions}
    fired: Counter[int] = Counter()
    for fire, look in with_looks(gone):
        seen = by_name(version for version, life in life_of.items() if life.may_be_missed(look))
        fired.update(id(life_of[version]) for version in versions_of(fire, seen, "|removed"))
    due = {id(life) for life in storm.lives if life.must_be_missed(looks, SETTLE)}
    assert len(due) > KILLS / 5, "the storm was too weak to show anything"
    assert due - fired.keys() == set()
    assert set(fired.values()) == {1}


def by_name(versions: Iterable[Version]) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for version in versions:
        found.setdefault(version.name, []).append(version)
    return found


def test_kernels_that_are_killed_in_a_storm_of_blobs_lose_nothing_and_double_nothing(tmp_path, azurite):
    chance = random.Random(4)
    path = tmp_path / "w.db"
    client = azurite.client()
    store = azurite.store(client.container_name)
    storm = BlobStorm(client, chance)
    try:
        storm.begin_with(OLD)
        asyncio.run(give_birth(path, store, SCHEDULES))
        with storm:
            kill_again_and_again(path, f"{azurite.url}/{client.container_name}", random.Random(5))
        told = asyncio.run(finish(path, store))
    finally:
        client.close()
        store.close()
    assert {history.added - history.removed for history in told.values()} == {len(storm.there) - len(OLD)}
    check_changes(storm, told["file"], told["batch"])
    check_removals(storm, told["gone"])
