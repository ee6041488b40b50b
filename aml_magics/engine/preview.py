"""What a look would mean, without one: the changes of a scan and what waits, judged for each schedule. Pure.

It tells what is in the way of each object, where ``changes.plan_look`` tells what happens to all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from aml_magics.datastores.base import ObjectInfo
from aml_magics.engine.looks import Pending, Scan, Waiting
from aml_magics.model.history import instant_text
from aml_magics.model.outlook import Outlook, why_not
from aml_magics.model.triggers import DatastoreChange

__all__ = ["outlooks"]

_Seen = tuple[str, int, float | None]  # kind of change, size, modified


def outlooks(
    scan: Scan, waiting: Waiting, members: Mapping[str, DatastoreChange], names: Mapping[str, str]
) -> list[Outlook]:
    """An outlook for each schedule and each object that is new to it or waits for it, by name of the object.

    ``names`` are those of the schedules, by id.
    """
    found = [
        _outlook(name, seen, waiting.get(id_, {}).get(name), trigger, scan, names.get(id_, id_))
        for id_, trigger in members.items()
        for name, seen in _relevant(scan, waiting.get(id_, {}))
    ]
    return sorted(found, key=lambda one: (one.name, one.schedule))


def _relevant(scan: Scan, pending: Mapping[str, Pending]) -> Iterator[tuple[str, _Seen]]:
    """What has changed since the last look, then what has waited since an earlier one and is as it was."""
    changed: dict[str, tuple[str, ObjectInfo]] = {info.name: ("modified", info) for info in scan.modified}
    changed |= {info.name: ("added", info) for info in scan.added}
    for name, (kind, info) in changed.items():
        yield name, (pending[name].reason if name in pending else kind, info.size, info.modified)
    for name in scan.removed:
        yield name, ("removed", 0, None)
    for name, known in pending.items():
        if name not in changed and name not in scan.removed:
            yield name, (known.reason, known.size, None)


def _outlook(
    name: str, seen: _Seen, pending: Pending | None, trigger: DatastoreChange, scan: Scan, schedule: str
) -> Outlook:
    kind, size, modified = seen
    reason = why_not(trigger, name, kind, size)
    why = reason or _when(name, pending, trigger, scan)
    return Outlook(name=name, change=kind, fires=not reason, why=why, size=size, modified=modified, schedule=schedule)


def _when(name: str, pending: Pending | None, trigger: DatastoreChange, scan: Scan) -> str:
    """When what counts fires."""
    settle = trigger.settle.total_seconds()
    if name in scan.held:
        return "when whoever is writing it has closed it"
    if pending is not None and pending.turn > scan.begun:
        return f"carried over: from {instant_text(datetime.fromtimestamp(pending.turn, UTC))} on"
    if settle and (pending is None or scan.begun - pending.since < settle):
        return f"when it has stayed as it is for {settle:g} s"
    return "at the next look"
