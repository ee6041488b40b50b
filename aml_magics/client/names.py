"""From what a person writes to the one thing that is meant: names, ids, the beginnings of ids.

A name is not unique: a schedule that was replaced keeps its name and is disabled. So the newest active one is meant,
then the newest one. Where something is about to change, two *active* ones of one name are too many: guessing would
stop the wrong one. Pure functions; whoever calls them fetches the candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from aml_magics.model.errors import InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import DataPath, Status

if TYPE_CHECKING:
    from aml_magics.model.resources import Datastore, Experiment, Pipeline, Run, Schedule

__all__ = [
    "as_data_path",
    "check_experiment_name",
    "is_id",
    "named",
    "newest_first",
    "pick",
    "pick_by_name",
    "pick_id",
    "reference",
]

SHORTEST_PREFIX = 4
"""Characters of an id that are enough, when no other id begins with them."""

_SHOWN = 5  # candidates in a message
_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_EXPERIMENT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}")
_LONG_AGO = datetime.fromtimestamp(0, UTC)


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def created(self) -> datetime | None: ...


N = TypeVar("N", bound=_Named)


def reference(what: str, value: str | Pipeline | Schedule | Run | Datastore | Experiment) -> str:
    """The text to look for; a value of the model stands for its id (or its name, when that is what counts).

    Raises ``InvalidInput`` for anything else.
    """
    field = "name" if what in ("experiment", "datastore") else "id"
    text = value if isinstance(value, str) else getattr(value, field, None)
    if not isinstance(text, str) or not text.strip():
        message = f"{what}: {value!r} is neither a name nor an id"
        raise InvalidInput(message, hint=f"Give the {what}'s name or id as text.")
    return text.strip()


def is_id(text: str) -> bool:
    """Whether this can only be a whole id: worth asking for directly."""
    return _ID.fullmatch(text) is not None


def newest_first(items: Iterable[N]) -> list[N]:
    """Active ones before others, among equals the newest first."""
    return sorted(items, key=lambda item: (item.status is Status.ACTIVE, item.created or _LONG_AGO), reverse=True)


def named(name: str, items: Iterable[N]) -> list[N]:
    """Those of this name, ``newest_first``."""
    return newest_first(item for item in items if item.name == name)


def pick(what: str, wanted: str, items: Sequence[N], *, to_change: bool = False) -> N:
    """The one that ``wanted`` means: by id, by name, by the beginning of an id.

    ``to_change`` refuses a name that several active ones have. Raises ``NotFound`` with the nearest name,
    ``InvalidInput`` with the candidates when it cannot be told which one is meant.
    """
    for item in items:
        if item.id == wanted:
            return item
    same_name = named(wanted, items)
    if same_name:
        active = [item for item in same_name if item.status is Status.ACTIVE]
        if to_change and len(active) > 1:
            message = f"{len(active)} active {what}s are called {wanted!r}: {_listed(item.id for item in active)}"
            raise InvalidInput(message, hint="Give the id of the one that you mean.")
        return same_name[0]
    chosen = pick_id(what, wanted, {item.id: item.name for item in items})
    if chosen is not None:
        return next(item for item in items if item.id == chosen)
    raise NotFound(f"there is no {what} {wanted!r}", hint=_nearest(what, wanted, newest_first(items)))


def pick_id(what: str, wanted: str, ids: Mapping[str, str]) -> str | None:
    """The one id that begins with ``wanted``; ``ids`` maps ids to what they are called. ``None`` when there is none.

    Raises ``InvalidInput`` with the candidates when there are several.
    """
    if len(wanted) < SHORTEST_PREFIX:
        return None
    found = [known for known in ids if known.casefold().startswith(wanted.casefold())]
    if len(found) > 1:
        candidates = _listed(f"{known} ({ids[known]})" if ids[known] else known for known in found)
        message = f"{len(found)} {what}s have an id that begins with {wanted!r}: {candidates}"
        raise InvalidInput(message, hint="Give more of the id.")
    return found[0] if found else None


def pick_by_name(what: str, wanted: str, names: Iterable[str]) -> str:
    """``wanted`` itself when it is one of the names. Raises ``NotFound`` with the nearest one."""
    known = list(names)
    if wanted not in known:
        hint = did_you_mean(wanted, known) or f"There are no {what}s yet."
        raise NotFound(f"there is no {what} {wanted!r}", hint=hint)
    return wanted


def check_experiment_name(name: object) -> str:
    """``name`` itself. Raises ``InvalidInput`` when Azure ML would not take it."""
    if not isinstance(name, str) or not _EXPERIMENT.fullmatch(name):
        message = f"experiment_name: {name!r} cannot be an experiment's name"
        raise InvalidInput(message, hint="1 to 255 letters, digits, - and _, the first a letter or digit.")
    return name


def as_data_path(name: str, value: object) -> DataPath:
    """A ``DataPath`` from itself or from ``datastore/path``. Raises ``InvalidInput`` naming the parameter."""
    if isinstance(value, DataPath):
        return value
    datastore, slash, path = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not datastore or not slash:
        message = f"data path {name!r}: {value!r} is not datastore/path"
        raise InvalidInput(message, hint="Write for example workspaceblobstore/incoming/day1.csv.")
    return DataPath(datastore, path.strip("/"))


def _nearest(what: str, wanted: str, items: Sequence[_Named]) -> str:
    active = [item.name for item in items if item.status is Status.ACTIVE]
    return did_you_mean(wanted, active or [item.name for item in items]) or f"There are no {what}s yet."


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")
