"""What a look at a place means for the schedules that wait for it. Pure, but for the look itself.

A change (an object that is new, or has another ETag than at the last look) becomes *pending* for each schedule at
once, and a fire when it has settled: the same version was seen ``settle`` seconds ago, and nobody has the object open
for writing. An object that changes again waits anew; one that goes is forgotten.

With ``per: batch`` the settled changes of a schedule fire together, and wait for those that have yet to settle, at
most for a polling interval: a stream of files that never pauses is one run per interval. What a writer holds open is
not waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from aml_magics.datastores.base import ObjectInfo, ObjectStore
from aml_magics.engine.backlog import fire_key
from aml_magics.model.resources import Fire
from aml_magics.model.triggers import DatastoreChange

__all__ = ["Pending", "Place", "Plan", "Scan", "Waiting", "next_look", "plan_look", "scan_place"]

HELD_RECHECK = 0.25
TOLERANCE = 0.001  # of a timer that wakes a little early


class Place(NamedTuple):
    """What schedules share a snapshot by."""

    datastore: str
    path: str
    recursive: bool

    @classmethod
    def of(cls, change: DatastoreChange) -> Place:
        return cls(change.datastore, change.path_on_datastore, change.recursive)

    def __str__(self) -> str:
        return "/".join(filter(None, (self.datastore, self.path)))


class Pending(NamedTuple):
    """A change that has not settled: ``reason`` is added or modified, ``since`` when this version was first seen."""

    reason: str
    etag: str
    since: float


Waiting = dict[str, dict[str, Pending]]  # by schedule id, then by object name


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A look, compared with the snapshot, from ``begun`` to ``ended`` (POSIX seconds). ``held``: open for writing."""

    begun: float
    ended: float = 0.0
    objects: int = 0
    added: Sequence[ObjectInfo] = ()
    modified: Sequence[ObjectInfo] = ()
    removed: Sequence[str] = ()
    held: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.modified or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a look means: the fires, and what waits after it. ``modified`` leaves out what was waiting already."""

    fires: Sequence[Fire]
    waiting: Waiting
    modified: int


def scan_place(store: ObjectStore, place: Place, snapshot: Mapping[str, str], waiting: Waiting, begun: float) -> Scan:
    """List a place and compare it with ``snapshot`` (name to ETag). Blocks; the caller knows when it ended.

    Whether somebody writes what waits is asked before the listing: who closes a file in between has changed its ETag,
    and the listing shows it. Asked after it, the version before the last write would pass for a finished one.
    """
    held = {name for name in _names(waiting) if store.is_being_written(name)}
    added, modified, seen = [], [], set[str]()
    for info in store.list(place.path, recursive=place.recursive):
        seen.add(info.name)
        known = snapshot.get(info.name)
        if known is None:
            added.append(info)
        elif known != info.etag:
            modified.append(info)
    removed = [name for name in snapshot if name not in seen] if len(seen) - len(added) < len(snapshot) else []
    held.update(info.name for info in (*added, *modified) if store.is_being_written(info.name))
    return Scan(
        begun=begun,
        objects=len(seen),
        added=added,
        modified=modified,
        removed=removed,
        held=frozenset(held),
    )


def plan_look(scan: Scan, waiting: Waiting, members: Mapping[str, DatastoreChange]) -> Plan:
    """What a look means, given what was waiting before and the active schedules of the place, by id."""
    known_names = _names(waiting)
    after: Waiting = {}
    fires: list[Fire] = []
    for schedule_id, change in members.items():
        mine = _still_waiting(waiting.get(schedule_id, {}), scan)
        for names in _ready(mine, change, scan):
            fires.append(_fire(schedule_id, names, mine, scan))
            for name in names:
                del mine[name]
        if mine:
            after[schedule_id] = mine
    return Plan(fires=fires, waiting=after, modified=sum(info.name not in known_names for info in scan.modified))


def next_look(waiting: Waiting, members: Mapping[str, DatastoreChange], begun: float) -> float:
    """When something that waits may have settled (POSIX seconds), after a look that began at ``begun``; or infinity."""
    soonest = float("inf")
    for schedule_id, mine in waiting.items():
        settle = members[schedule_id].settle.total_seconds() if schedule_id in members else 0.0
        for pending in mine.values():
            settled_at = pending.since + settle
            # What has settled and did not fire is held open by a writer, or waits for the rest of its batch.
            soonest = min(soonest, settled_at if settled_at > begun else begun + max(settle, HELD_RECHECK))
    return soonest


def _names(waiting: Waiting) -> set[str]:
    return {name for names in waiting.values() for name in names}


def _still_waiting(before: Mapping[str, Pending], scan: Scan) -> dict[str, Pending]:
    removed = frozenset(scan.removed)
    # A clock that was set back, or that of another machine, must not make anybody wait for longer than ``settle``.
    mine = {
        name: pending if pending.since <= scan.begun else pending._replace(since=scan.begun)
        for name, pending in before.items()
        if name not in removed
    }
    for reason, infos in (("added", scan.added), ("modified", scan.modified)):
        for info in infos:
            earlier = mine.get(info.name)
            mine[info.name] = Pending(earlier.reason if earlier else reason, info.etag, scan.ended)
    return mine


def _ready(mine: Mapping[str, Pending], change: DatastoreChange, scan: Scan) -> list[tuple[str, ...]]:
    """The names that fire now, in groups of a run each."""
    settle = change.settle.total_seconds()
    settled = {name for name, pending in mine.items() if not settle or scan.begun - pending.since >= settle - TOLERANCE}
    ready = sorted(settled - scan.held)
    if change.per == "file":
        return [(name,) for name in ready]
    if not ready:
        return []
    restless = mine.keys() - settled - scan.held
    waited = scan.begun - min(mine[name].since for name in ready)
    if restless and waited < change.polling_interval.total_seconds():
        return []
    return [tuple(ready)]


def _fire(schedule_id: str, names: tuple[str, ...], mine: Mapping[str, Pending], scan: Scan) -> Fire:
    added = sum(mine[name].reason == "added" for name in names)
    versions = "|".join(f"{name}|{mine[name].etag}" for name in names)
    return Fire(
        key=fire_key(f"{schedule_id}|{versions}"),
        schedule_id=schedule_id,
        reason="added" if added else "modified",
        decided=datetime.fromtimestamp(scan.ended, UTC),
        objects=names,
        detail=f"{added} added, {len(names) - added} modified" if len(names) > 1 else "",
    )
