"""From what a person writes to the one thing that is meant: names, ids, the beginnings of ids.

A name is not unique: a schedule that was replaced keeps its name and is disabled. So the newest active one is meant,
then the newest one. Where something is about to change, two *active* ones of one name are too many: guessing would
stop the wrong one. Pure functions; whoever calls them fetches the candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeGuard, TypeVar

from aml_magics.model.errors import InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import DataPath, Status

if TYPE_CHECKING:
    from aml_magics.model.resources import Datastore, Experiment, Pipeline, Run, Schedule

__all__ = [
    "as_data_path",
    "check_data_path",
    "check_experiment_name",
    "check_flag",
    "check_mapping",
    "check_text",
    "is_experiment_name",
    "is_id",
    "named",
    "newest_first",
    "pick",
    "pick_by_name",
    "pick_id",
    "pick_publications",
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


def pick_publications(wanted: str, pipelines: Sequence[N], status: Status) -> list[N]:
    """The pipelines that get ``status`` when ``wanted`` is to have it, newest first.

    An id means one. A name means the pipeline however often it was published: all its active publications go out of
    use, and the newest one comes back. Raises as ``pick``.
    """
    known_id = any(one.id == wanted for one in pipelines)
    same_name = [] if known_id else named(wanted, pipelines)
    if not same_name:
        return [pick("pipeline", wanted, pipelines)]
    if status is Status.ACTIVE:
        return [max(same_name, key=lambda one: one.created or _LONG_AGO)]
    return [one for one in same_name if one.status is Status.ACTIVE] or same_name[:1]


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


def is_experiment_name(name: object) -> TypeGuard[str]:
    """Whether Azure ML takes ``name`` for an experiment."""
    return isinstance(name, str) and _EXPERIMENT.fullmatch(name) is not None


def check_experiment_name(name: object) -> str:
    """``name`` itself. Raises ``InvalidInput`` when Azure ML would not take it."""
    if not is_experiment_name(name):
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
    return DataPath(datastore, path.removesuffix("/"))


def check_data_path(name: str, place: DataPath) -> None:
    """Raises ``InvalidInput`` for a place that is not written plainly from the top of a datastore.

    A datastore takes no other names of objects (``datastores/``), so a run that gets such a place could only fail.
    """
    if not place.datastore or not all(isinstance(part, str) for part in (place.datastore, place.path)):
        message = f"data path {name!r}: {place!r} is no place on a datastore"
        raise InvalidInput(message, hint="Both parts are text: DataPath('workspaceblobstore', 'incoming').")
    parts = place.path.split("/") if place.path else []
    if "\\" in place.path or "\0" in place.path or any(part in ("", ".", "..") for part in parts):
        plain = [part for part in re.split(r"[/\\\0]", place.path) if part not in ("", ".", "..")]
        message = f"data path {name!r}: {str(place)!r} is not a plain path from the top of the datastore"
        raise InvalidInput(message, hint=f"Write {'/'.join([place.datastore, *plain])!r}.")


def check_text(what: str, value: object) -> str:
    """``value`` itself. Raises ``InvalidInput`` when it is no text."""
    if isinstance(value, str):
        return value
    message = f"{what}: {value!r} is not text"
    raise InvalidInput(message, hint="Put it in quotes.")


def check_flag(what: str, value: object) -> bool | None:
    """``value`` itself: true, false, or ``None`` when it is left to the other end. Raises ``InvalidInput``."""
    if value is None or isinstance(value, bool):
        return value
    message = f"{what}: {value!r} is neither True nor False"
    raise InvalidInput(message, hint="Write True or False, without quotes.")


def check_mapping(what: str, value: object) -> Mapping[str, object]:
    """``value`` itself when it maps names. Raises ``InvalidInput``."""
    if not isinstance(value, Mapping):
        message = f"{what}: {value!r} is no mapping of names to values"
        raise InvalidInput(message, hint=f"Write {what}={{'name': value}}.")
    for key in value:
        if not isinstance(key, str):
            message = f"{what}: {key!r} is not a name"
            raise InvalidInput(message, hint="Names are text: put it in quotes.")
    return value


def _nearest(what: str, wanted: str, items: Sequence[_Named]) -> str:
    active = [item.name for item in items if item.status is Status.ACTIVE]
    return did_you_mean(wanted, active or [item.name for item in items]) or f"There are no {what}s yet."


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")
