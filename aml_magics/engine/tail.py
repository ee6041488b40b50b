"""What is left to list of a place where new names sort after all that are there: the last rows of its snapshot.

The listing begins at the first name of one of the last rows, before everything that somebody waits for. The rows before
it stay as they are, unseen. So the snapshot is whole at any time, and a service that turns out to begin each listing at
the beginning is compared with all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from aml_magics.datastores.blob_arrow import ArrowPage
from aml_magics.datastores.blob_xml import Page, plain_name
from aml_magics.engine.leaf_walk import Sweep, sweep
from aml_magics.engine.packing import PackedSnapshot, unpack

__all__ = ["StartingStore", "sweep_tail"]


@runtime_checkable
class StartingStore(Protocol):
    """A datastore that lists in pages, and may begin anywhere."""

    @property
    def starts_anywhere(self) -> bool:
        """Whether ``start_from`` is heeded, as far as is known by now."""

    def pages(self, path: str, *, recursive: bool, start_from: str = "") -> Iterator[Page | ArrowPage]:
        """The pages of a place, from the first name that is not before ``start_from``."""


def sweep_tail(
    store: StartingStore, path: str, recursive: bool, snapshot: PackedSnapshot, watched: Collection[str]
) -> Sweep | None:
    """A sweep of the end of a place; its ``objects`` are those it saw. ``None``: it takes a sweep of all of it."""
    begun = _beginning(snapshot, watched)
    if begun is None or not store.starts_anywhere:
        return None
    row, name = begun
    head, rest = snapshot.rows[:row], PackedSnapshot(snapshot.rows[row:])
    found = sweep(_From(store, name), path, recursive, rest, watched, after=head[-1][0])
    if not store.starts_anywhere:  # it did not, after all
        return None
    return replace(found, snapshot=PackedSnapshot((*head, *found.snapshot.rows)))


def _beginning(snapshot: PackedSnapshot, watched: Collection[str]) -> tuple[int, str] | None:
    """The last row, but the first, that begins before all of these names; and its first name."""
    earliest = min((name.encode() for name in watched), default=None)
    for row in range(len(snapshot.rows) - 1, 0, -1):
        name = plain_name(unpack(snapshot.rows[row][1])[0].key)
        if name is not None and (earliest is None or name.encode() <= earliest):
            return row, name
    return None


@dataclass(frozen=True, slots=True)
class _From:
    store: StartingStore
    name: str

    def pages(self, path: str, *, recursive: bool) -> Iterator[Page | ArrowPage]:
        return self.store.pages(path, recursive=recursive, start_from=self.name)
