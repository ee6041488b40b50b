"""Sweeps that do not follow a listing from its beginning to its end: the end alone, or several ranges at once.

Where new names sort after all that are there, the end is what is left to list: from the first name of one of the last
rows of the snapshot on, before everything that somebody waits for. The rows before it stay as they are, unseen.

A service that can also end a listing where it is told to (those that answer in Arrow can) lists ranges of a large
place side by side, so that its answers are waited for at the same time. It alone knows the order of its names: ranges
that we would cut ourselves might leave some out.

The snapshot is whole at any time. A service that turns out to list otherwise is compared with all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import Protocol, runtime_checkable

from xxhash import xxh3_64_intdigest

from aml_magics.datastores.blob_arrow import ArrowPage
from aml_magics.datastores.blob_xml import Page, plain_name
from aml_magics.engine.leaf_walk import Sweep, Walk, conclude
from aml_magics.engine.packing import PackedSnapshot, unpack
from aml_magics.engine.threads import DaemonThreadPool

__all__ = ["AT_ONCE", "RangedStore", "sweep_ranges", "sweep_tail"]

AT_ONCE = 16  # ranges
ROWS = 4  # of a snapshot in a range, on average
LEAST_ROWS = 8  # of a snapshot that is worth more connections than one


@runtime_checkable
class RangedStore(Protocol):
    """A datastore that lists in pages, and may begin and end anywhere."""

    @property
    def starts_anywhere(self) -> bool:
        """Whether ``start_from`` is heeded, as far as is known by now."""

    @property
    def ends_anywhere(self) -> bool:
        """Whether ``end_before`` is heeded: so it is where the last page came in Arrow."""

    def pages(
        self, path: str, *, recursive: bool, start_from: str = "", end_before: str = ""
    ) -> Iterator[Page | ArrowPage]:
        """The pages of a place, with the names that are not before the one and are before the other."""


def sweep_tail(
    store: RangedStore, path: str, recursive: bool, snapshot: PackedSnapshot, watched: Collection[str]
) -> Sweep | None:
    """A sweep of the end of a place; its ``objects`` are those it saw. ``None``: it takes a sweep of all of it."""
    begun = _beginning(snapshot, watched)
    if begun is None or not _starts(store):
        return None
    row, name = begun
    walk = Walk(store.pages(path, recursive=recursive, start_from=name), PackedSnapshot(snapshot.rows[row:]))
    return conclude(snapshot, [walk], watched, snapshot.rows[:row]) if _starts(store) else None


def sweep_ranges(
    store: RangedStore, path: str, recursive: bool, snapshot: PackedSnapshot, watched: Collection[str]
) -> Sweep | None:
    """A sweep of a large place, in ranges. ``None``: it takes one from beginning to end."""
    if len(snapshot.rows) < LEAST_ROWS or not store.ends_anywhere:
        return None
    bounds = _bounds(snapshot)

    def walk(first: tuple[int, str], last: tuple[int, str]) -> Walk:
        pages = store.pages(path, recursive=recursive, start_from=first[1], end_before=last[1])
        return Walk(_in_arrow(pages), PackedSnapshot(snapshot.rows[first[0] : last[0]]))

    with DaemonThreadPool(AT_ONCE, "aml-range") as threads:
        try:
            walks = list(threads.map(lambda pair: walk(*pair), pairwise(bounds)))
        except _NotInArrowError:
            return None
    return conclude(snapshot, walks, watched)


def _beginning(snapshot: PackedSnapshot, watched: Collection[str]) -> tuple[int, str] | None:
    """The last row, but the first, that begins before all of these names; and its first name."""
    earliest = min((name.encode() for name in watched), default=None)
    for row in range(len(snapshot.rows) - 1, 0, -1):
        name = _first_name(snapshot, row)
        if name and (earliest is None or name.encode() <= earliest):
            return row, name
    return None


def _bounds(snapshot: PackedSnapshot) -> list[tuple[int, str]]:
    """Where ranges begin, and where the last one ends: rows, and the first names in them.

    A name makes a bound by itself, so that ranges stay what they are while rows come and go between them. In others the
    same objects would come in other pages, which all had to be read.
    """
    names = [(row, _first_name(snapshot, row)) for row in range(1, len(snapshot.rows))]
    inner = [(row, name) for row, name in names if name and xxh3_64_intdigest(name.encode()) % ROWS == 0]
    return [(0, ""), *inner, (len(snapshot.rows), "")]


def _first_name(snapshot: PackedSnapshot, row: int) -> str:
    """Of a row; "" when it is written in an odd way."""
    return plain_name(unpack(snapshot.rows[row][1])[0].key) or ""


def _starts(store: RangedStore) -> bool:
    """As it is known at this moment: a listing may find out better."""
    return store.starts_anywhere


def _in_arrow(pages: Iterable[Page | ArrowPage]) -> Iterator[ArrowPage]:
    """Those pages. A service that goes back to XML is an older one, and heeds no end any more."""
    for page in pages:
        if not isinstance(page, ArrowPage):
            raise _NotInArrowError
        yield page


class _NotInArrowError(Exception):
    """Never leaves here."""
