"""Blobs that come, change and go, with the moments at which they did; and what schedules must make of that.

``BlobStorm`` writes, rewrites, deletes and makes again from a thread. Of each version of a blob it knows between which
two instants it came and between which two it went, so that a look at the container, of which we know when it began and
ended, *must* have seen a version, *may* have seen it, or cannot have.

What can be promised follows from that. A version that is overwritten before a look could see it need not fire. One
that a look must have seen, and another one later than it takes to settle, must have fired. None fires twice; and
nothing fires but versions that the look of that fire may have seen, or may have found gone.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Self

from aml_magics.engine.backlog import fire_key
from aml_magics.model.resources import Fire

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

__all__ = ["BEFORE", "BlobStorm", "Life", "Look", "Version", "versions_of"]

ROUNDING = 2e-6  # seconds: the history has microseconds
MOST_GUESSES = 100_000


class Span(NamedTuple):
    """Something happened between these instants (POSIX seconds)."""

    began: float
    ended: float


BEFORE, NEVER = Span(-inf, -inf), Span(inf, inf)


class Look(NamedTuple):
    """A look at the container that was recorded."""

    begun: float
    ended: float


@dataclass(eq=False, slots=True)
class Version:
    """What a blob was between two writes of it."""

    name: str
    etag: str
    written: Span
    gone: Span = NEVER

    def must_be_seen(self, look: Look) -> bool:
        return self.written.ended < look.begun - ROUNDING and look.ended + ROUNDING < self.gone.began

    def may_be_seen(self, look: Look) -> bool:
        return self.written.began <= look.ended + ROUNDING and look.begun - ROUNDING <= self.gone.ended

    def must_fire(self, looks: Sequence[Look], after: float) -> bool:
        """Whether two looks must have seen it, the second one ``after`` seconds or more after the first."""
        return _last_long(filter(self.must_be_seen, looks), after)


@dataclass(eq=False, slots=True)
class Life:
    """A blob from when it came into being until it was deleted, and came into being again."""

    versions: list[Version]
    again: Span = NEVER

    @property
    def deleted(self) -> Span:
        return self.versions[-1].gone

    def may_be_missed(self, look: Look) -> bool:
        """Whether a look may have found that it is gone."""
        return self.deleted.began <= look.ended + ROUNDING

    def must_be_missed(self, looks: Sequence[Look], settle: float) -> bool:
        """Whether its end must fire: it was known well, and then two looks found that it is gone."""
        gone = Version("", "", self.deleted, self.again)
        known = any(version.must_fire(looks, settle) for version in self.versions)
        return known and gone.must_fire(looks, settle)


def _last_long(looks: Iterator[Look], seconds: float) -> bool:
    first = next(looks, None)
    return first is not None and any(look.begun - first.ended >= seconds + 2 * ROUNDING for look in looks)


def versions_of(fire: Fire, candidates: Mapping[str, Sequence[Version]], suffix: str = "") -> list[Version]:
    """The versions that a fire is for: those of the candidates, by name, that its key is made of."""
    options = [candidates.get(name, ()) for name in fire.objects]
    for versions in itertools.islice(itertools.product(*options), MOST_GUESSES):
        text = "|".join(f"{version.name}|{version.etag}{suffix}" for version in versions)
        if fire_key(f"{fire.schedule_id}|{text}") == fire.key:
            return list(versions)
    raise AssertionError(f"{fire} is for something that nobody can have seen; candidates: {options}")


@dataclass
class BlobStorm:
    """``with BlobStorm(client, chance) as storm``: a storm in that container until the block is left."""

    client: ContainerClient
    chance: random.Random
    pause: float = 0.04  # seconds at most between two changes, but for a lull now and then
    lives: list[Life] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._living: dict[str, Life] = {}
        self._ended: dict[str, Life] = {}
        self._over = threading.Event()
        self._failure: BaseException | None = None

    def begin_with(self, names: Sequence[str]) -> None:
        """Write these before anybody watches."""
        for name in names:
            etag, _ = self._upload(name)
            self._begin(Version(name, etag, BEFORE))

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._blow, name="storm")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    @property
    def versions(self) -> list[Version]:
        return [version for life in self.lives for version in life.versions]

    @property
    def there(self) -> list[Version]:
        """What is there now."""
        return [life.versions[-1] for life in self._living.values()]

    def _blow(self) -> None:
        try:
            while not self._over.wait(self.chance.random() * self.pause):
                self._change()
                if self.chance.random() < 0.01:
                    self._over.wait(self.chance.random() * 2)
        except BaseException as error:  # noqa: BLE001 - whoever made the storm gets it
            self._failure = error

    def _change(self) -> None:
        choice = self.chance.random()
        if choice < 0.25 and len(self._living) > 10:
            self._delete(self._pick(self._living))
        elif choice < 0.35 and self._ended:
            self._write(self._pick(self._ended))
        elif choice < 0.65 and self._living:
            self._write(self._pick(self._living))
        else:
            self._write(f"in/{len(self.lives):05}")

    def _pick(self, names: Mapping[str, Life]) -> str:
        """Often one of the newest: they change again before anybody has seen them, or while they settle."""
        newest = self.chance.choice((3, len(names)))
        return self.chance.choice(list(names)[-newest:])

    def _write(self, name: str) -> None:
        etag, span = self._upload(name)
        version = Version(name, etag, span)
        if name in self._living:
            life = self._living.pop(name)  # it is among the newest now
            life.versions[-1].gone = span
            life.versions.append(version)
            self._living[name] = life
        else:
            if name in self._ended:
                self._ended.pop(name).again = span
            self._begin(version)

    def _begin(self, version: Version) -> None:
        life = self._living[version.name] = Life([version])
        self.lives.append(life)

    def _delete(self, name: str) -> None:
        began = time.time()
        self.client.delete_blob(name)
        life = self._ended[name] = self._living.pop(name)
        life.versions[-1].gone = Span(began, time.time())

    def _upload(self, name: str) -> tuple[str, Span]:
        began = time.time()
        answer = self.client.get_blob_client(name).upload_blob(b"x" * self.chance.randrange(1, 50), overwrite=True)
        return answer["etag"].strip('"'), Span(began, time.time())
