"""One look at a place, compared with what is remembered of it; and the values that such looks are made of.

A place whose datastore lists in pages is remembered as packed leaves (``leaf_walk``), which cost a few bytes an object
and know no names. Others, and those where what is gone must have a name, are remembered by name and ETag.

A first look finds nothing new. Nor does one at a place that is remembered in the other way: its datastore has become
one of another kind, and everything in it would be news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from aml_magics.datastores.base import ObjectInfo, ObjectStore
from aml_magics.datastores.blob_errors import failure
from aml_magics.datastores.blob_xml import MalformedPage
from aml_magics.engine.leaf_walk import PagedStore, Sweep, sweep
from aml_magics.engine.packing import PackedSnapshot
from aml_magics.engine.ranges import RangedStore, sweep_ranges, sweep_tail
from aml_magics.model.triggers import DatastoreChange

__all__ = ["REMOVED", "Pending", "Place", "Scan", "Snapshot", "Waiting", "names_in", "scan_place"]

REMOVED = "removed"


class Place(NamedTuple):
    """What schedules share a snapshot by.

    ``names``: the snapshot must be able to name what is gone. ``append_only``: a listing may begin at the newest known
    name. Both are for other schedules at the same path another place, with a snapshot of its own.
    """

    datastore: str
    path: str
    recursive: bool
    names: bool = False
    append_only: bool = False

    @classmethod
    def of(cls, change: DatastoreChange) -> Place:
        names = REMOVED in change.on
        return cls(change.datastore, change.path_on_datastore, change.recursive, names, change.append_only)

    def __str__(self) -> str:
        return "/".join(filter(None, (self.datastore, self.path)))


class Pending(NamedTuple):
    """A change that has not fired: ``reason`` is one of ``KINDS``, ``since`` when this version was first seen.

    ``etag`` and ``size`` are of the version that is there, for a removal those of nothing: the ETag that was there, and
    0. ``turn`` is when a change that is carried over may fire (POSIX seconds), 0 for others.
    """

    reason: str
    etag: str
    since: float
    size: int = 0
    turn: float = 0.0


Waiting = dict[str, dict[str, Pending]]  # by schedule id, then by object name


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A look, compared with the snapshot, from ``begun`` to ``ended`` (POSIX seconds). ``held``: open for writing.

    ``removed`` has the ETags of what was there, by name; of a place that is remembered in pages, only what somebody
    waits for, without an ETag. ``is_baseline``: there was nothing to compare with. ``sweep``: the pages, if any.
    """

    begun: float
    ended: float = 0.0
    objects: int = 0
    added: Sequence[ObjectInfo] = ()
    modified: Sequence[ObjectInfo] = ()
    removed: Mapping[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    is_baseline: bool = False
    sweep: Sweep | None = None

    @property
    def removals(self) -> int:
        """How many objects are gone."""
        return self.sweep.removed if self.sweep else len(self.removed)

    @property
    def is_empty(self) -> bool:
        """Whether all is as it is remembered, to the letter."""
        rewritten = self.sweep and (self.sweep.put or self.sweep.drop)
        return not (self.is_baseline or self.added or self.modified or self.removed or rewritten)


@dataclass(slots=True)
class Snapshot:
    """What a kernel believes about a place. Generation 0: nobody has ever looked, so what is there is not news.

    The objects are in ``etags`` by name, or in ``pages``; never in both.
    """

    generation: int = 0
    etags: dict[str, str] = field(default_factory=dict)
    pages: PackedSnapshot = field(default_factory=PackedSnapshot)
    waiting: Waiting = field(default_factory=dict)

    def follow(self, generation: int, scan: Scan, waiting: Waiting) -> None:
        """Take over a look that was committed."""
        self.generation = generation
        self.waiting = waiting
        if scan.sweep:
            self.pages, self.etags = scan.sweep.snapshot, {}
            return
        self.pages = PackedSnapshot()
        for name in scan.removed:
            del self.etags[name]
        self.etags.update((info.name, info.etag) for info in (*scan.added, *scan.modified))


def names_in(waiting: Waiting) -> set[str]:
    """All names that somebody waits for."""
    return {name for names in waiting.values() for name in names}


def scan_place(store: ObjectStore, place: Place, snapshot: Snapshot, begun: float) -> Scan:
    """List a place and compare it with what is remembered. Blocks; the caller knows when it ended.

    Whether somebody writes what waits is asked before the listing: who closes a file in between has changed its ETag,
    and the listing shows it. Asked after it, the version before the last write would pass for a finished one.

    Raises what the datastore raises; nothing has changed then.
    """
    held = {name for name in names_in(snapshot.waiting) if store.is_being_written(name)}
    if isinstance(store, PagedStore) and not place.names:
        scan = _in_pages(store, place, snapshot, begun)
    else:
        scan = _by_name(store, place, snapshot, begun)
    held.update(info.name for info in (*scan.added, *scan.modified) if store.is_being_written(info.name))
    return replace(scan, held=frozenset(held))


def _in_pages(store: PagedStore, place: Place, snapshot: Snapshot, begun: float) -> Scan:
    is_baseline = not snapshot.generation or bool(snapshot.etags)
    watched = names_in(snapshot.waiting)
    where = (place.path, place.recursive, snapshot.pages, watched)
    found = None
    try:
        if isinstance(store, RangedStore):
            found = (sweep_tail if place.append_only else sweep_ranges)(store, *where)
        if found is None:
            found = sweep(store, *where, baseline=is_baseline)
    except MalformedPage as error:
        raise failure("list the objects", str(place), error) from error
    return Scan(
        begun=begun,
        objects=found.objects,
        added=found.added,
        modified=found.modified,
        removed=dict.fromkeys(found.gone, ""),
        is_baseline=is_baseline,
        sweep=found,
    )


def _by_name(store: ObjectStore, place: Place, snapshot: Snapshot, begun: float) -> Scan:
    added, modified, seen = [], [], set[str]()
    for info in store.list(place.path, recursive=place.recursive):
        seen.add(info.name)
        known = snapshot.etags.get(info.name)
        if known is None:
            added.append(info)
        elif known != info.etag:
            modified.append(info)
    some_gone = len(seen) - len(added) < len(snapshot.etags)
    removed = {name: etag for name, etag in snapshot.etags.items() if name not in seen} if some_gone else {}
    return Scan(
        begun=begun,
        objects=len(seen),
        added=added,
        modified=modified,
        removed=removed,
        is_baseline=not snapshot.generation or bool(snapshot.pages.rows),
    )
