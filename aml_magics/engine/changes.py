"""What a look at a place means for the schedules that wait for it. Pure.

A change (an object that is new, has another ETag than at the last look, or is gone) becomes *pending* for each
schedule whose pattern its name matches, and a fire when it has settled: the same version was seen ``settle`` seconds
ago, and nobody has the object open for writing. What it is then decides whether it counts, by its kind and its size.
An object that changes again waits anew; one that goes before it has settled is forgotten.

A removal counts only where names are kept (``Place.names``), and settles like the rest: what is written anew in
between was not removed but added, or modified where only that is asked for. A change counts as *matched* once, at the
look that first saw it like that.

With ``per: batch`` the settled changes of a schedule fire together, and wait for those that have yet to settle, at
most for a polling interval: a stream of files that never pauses is one run per interval. What a writer holds open is
not waited for.

With ``max_runs_per_poll`` the oldest changes fire and the others are *carried over*: they are pending with a ``turn``,
before which nothing of that schedule fires, and which the polls come to by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aml_magics.engine.backlog import fire_key
from aml_magics.engine.looks import REMOVED, Pending, Scan, Waiting, names_in
from aml_magics.model.change import KINDS
from aml_magics.model.resources import Fire
from aml_magics.model.triggers import DatastoreChange

__all__ = ["Plan", "next_look", "plan_look"]

HELD_RECHECK = 0.25
TOLERANCE = 0.001  # of a timer that wakes a little early
TURN = 0.8  # of a polling interval: the next poll may come a little early, and must not be too early for what it is for


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a look means: the fires, and what waits after it. ``modified`` leaves out what was waiting already.

    ``matched`` has the number of changes that count from this look on, by schedule, where there are any.
    """

    fires: Sequence[Fire]
    waiting: Waiting
    modified: int
    matched: Mapping[str, int] = field(default_factory=dict)


def plan_look(scan: Scan, waiting: Waiting, members: Mapping[str, DatastoreChange]) -> Plan:
    """What a look means, given what was waiting before and the active schedules of the place, by id."""
    known_names = names_in(waiting)
    after: Waiting = {}
    fires: list[Fire] = []
    matched: dict[str, int] = {}
    for schedule_id, change in members.items():
        before = waiting.get(schedule_id, {})
        mine = _still_waiting(before, scan, change)
        counting = _counting(mine, change)
        if count := len(counting - _counting(before, change)):
            matched[schedule_id] = count
        settled = _settled(mine, change, scan)
        for name in settled - counting:
            del mine[name]
        for names in _ready(mine, settled & counting, change, scan):
            fires.append(_fire(schedule_id, names, mine, scan))
            for name in names:
                del mine[name]
        if mine:
            after[schedule_id] = mine
    modified = sum(info.name not in known_names for info in scan.modified)
    return Plan(fires=fires, waiting=after, modified=modified, matched=matched)


def next_look(waiting: Waiting, members: Mapping[str, DatastoreChange], begun: float) -> float:
    """When something that waits may have settled (POSIX seconds), after a look that began at ``begun``; or infinity."""
    soonest = float("inf")
    for schedule_id, mine in waiting.items():
        settle = members[schedule_id].settle.total_seconds() if schedule_id in members else 0.0
        for pending in mine.values():
            if pending.turn > begun:
                continue  # a poll comes by itself
            settled_at = pending.since + settle
            # What has settled and did not fire is held open by a writer, or waits for the rest of its batch.
            soonest = min(soonest, settled_at if settled_at > begun else begun + max(settle, HELD_RECHECK))
    return soonest


def _still_waiting(before: Mapping[str, Pending], scan: Scan, change: DatastoreChange) -> dict[str, Pending]:
    mine = {
        name: _in_our_time(pending, scan.begun, change)
        for name, pending in before.items()
        if name not in scan.removed and change.matches(name)
    }
    if REMOVED in change.on:
        for name, etag in scan.removed.items():
            came_and_went = name in before and before[name].reason == KINDS[0]
            if change.matches(name) and not came_and_went:
                mine[name] = Pending(REMOVED, etag, scan.ended)
    for kind, infos in zip(KINDS, (scan.added, scan.modified), strict=False):
        for info in infos:
            if change.matches(info.name):
                reason = _reason(mine.get(info.name), kind, change)
                mine[info.name] = Pending(reason, info.etag, scan.ended, info.size)
    return mine


def _in_our_time(pending: Pending, begun: float, change: DatastoreChange) -> Pending:
    """A clock that was set back, or that of another machine, must not make anybody wait for longer than is due."""
    latest = begun + change.polling_interval.total_seconds()
    if pending.since <= begun and pending.turn <= latest:
        return pending
    return pending._replace(since=min(pending.since, begun), turn=min(pending.turn, latest))


def _reason(earlier: Pending | None, kind: str, change: DatastoreChange) -> str:
    """What a change is, after an earlier one that has not fired: a new object stays new while it grows."""
    if earlier is None:
        return kind
    if earlier.reason != REMOVED:
        return earlier.reason
    return kind if kind in change.on else KINDS[1]  # it was replaced


def _counting(mine: Mapping[str, Pending], change: DatastoreChange) -> set[str]:
    """The names whose change, as it is now, may fire."""
    return {name for name, pending in mine.items() if change.counts(pending.reason, pending.size)}


def _settled(mine: Mapping[str, Pending], change: DatastoreChange, scan: Scan) -> set[str]:
    settle = change.settle.total_seconds()
    settled = {name for name, pending in mine.items() if not settle or scan.begun - pending.since >= settle - TOLERANCE}
    return settled - scan.held


def _ready(
    mine: dict[str, Pending], settled: Collection[str], change: DatastoreChange, scan: Scan
) -> list[tuple[str, ...]]:
    """The names that fire now, in groups of a run each."""
    if change.per == "file":
        ordered = sorted(settled, key=lambda name: (mine[name].since, name))
        if change.max_runs_per_poll is not None:
            ordered = _in_turn(mine, ordered, change, change.max_runs_per_poll, scan)
        return [(name,) for name in ordered]
    if not settled:
        return []
    restless = mine.keys() - settled - scan.held
    waited = scan.begun - min(mine[name].since for name in settled)
    if restless and waited < change.polling_interval.total_seconds():
        return []
    return [tuple(sorted(settled))]


def _in_turn(mine: dict[str, Pending], ordered: list[str], change: DatastoreChange, most: int, scan: Scan) -> list[str]:
    """The first of ``ordered`` if it is their schedule's turn; the others are carried over."""
    turn = max(pending.turn for pending in mine.values()) if mine else 0.0
    if turn > scan.begun:
        most = 0
    else:
        turn = scan.begun + TURN * change.polling_interval.total_seconds()
    for name in ordered[most:]:
        mine[name] = mine[name]._replace(turn=turn)
    return ordered[:most]


def _fire(schedule_id: str, names: tuple[str, ...], mine: Mapping[str, Pending], scan: Scan) -> Fire:
    kinds = Counter(mine[name].reason for name in names)
    versions = "|".join(_version(name, mine[name]) for name in names)
    detail = f"{kinds[KINDS[0]]} added, {kinds[KINDS[1]]} modified"
    if kinds[REMOVED]:
        detail += f", {kinds[REMOVED]} removed"
    return Fire(
        key=fire_key(f"{schedule_id}|{versions}"),
        schedule_id=schedule_id,
        reason=next(kind for kind in KINDS if kinds[kind]),
        decided=datetime.fromtimestamp(scan.ended, UTC),
        objects=names,
        detail=detail if len(names) > 1 else "",
    )


def _version(name: str, pending: Pending) -> str:
    """What was seen, as the key of a fire has it: the removal of a version is not the version."""
    return f"{name}|{pending.etag}" + (f"|{REMOVED}" if pending.reason == REMOVED else "")
