"""What every datastore can do: list, read and write objects, and say when a look is worth while.

An object is a name and its bytes. Names are relative to the datastore, separated by ``/``, without a leading or
trailing slash; a *path* is the part of a name before some slash ("" is the whole datastore). An ETag changes whenever
the object does; ``(name, etag)`` is what a change trigger fires by, never the time of modification alone.

The calls block: the engine makes them in a worker thread. Only ``changes`` belongs to the event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = ["ObjectInfo", "ObjectStore"]


class ObjectInfo(NamedTuple):
    """One object as a listing shows it: ``size`` in bytes, ``modified`` in POSIX seconds."""

    name: str
    etag: str
    size: int
    modified: float


class ObjectStore(Protocol):
    """A datastore. A name that leaves it (``..``, an absolute path) is InvalidInput in every call."""

    def list(self, path: str = "", *, recursive: bool = False) -> Iterator[ObjectInfo]:
        """The objects directly under ``path``, or at any depth, in no particular order. A missing path is empty."""

    def read(self, name: str) -> bytes:
        """The bytes of an object, or NotFound."""

    def write(self, name: str, data: bytes) -> ObjectInfo:
        """Make or replace an object. Nobody ever sees a part of it."""

    def local_path(self, name: str) -> Path | None:
        """Where an object or a path lies on this machine, or ``None`` when it does not."""

    def is_being_written(self, name: str) -> bool:
        """Whether somebody has the object open for writing now. ``False`` when the system cannot tell."""

    def changes(self, path: str, *, recursive: bool) -> AsyncIterator[None]:
        """Yields when something may have changed under ``path``: a hint to look, not a promise. May never yield.

        It yields once when the watching has begun, because what came before that went unseen.
        """
