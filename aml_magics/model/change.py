"""DatastoreChange: files added, modified or removed at one place of a datastore, looked at every ``polling_interval``.

``per`` says what one look that finds several changes starts: ``file`` is a run for each (Azure's way, and the default
when a data path parameter takes the changed file), ``batch`` is one run for all. ``settle`` is how long a file must
stay as it is before it counts. A change trigger has no timetable: nobody knows when a file comes.

Which changes count: ``on`` says of what kind, ``pattern`` by what name, ``min_size`` from how many bytes. The kind and
the size are asked when the change has settled, so that a file which is still growing is judged by what becomes of it.
A pattern is that of a shell (``*``, ``?``, ``[abc]``) and case counts. Without a ``/`` it is matched against the last
part of a name, at any depth; with one against the whole name below ``path_on_datastore``, and ``*`` stands for
anything there, ``/`` included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from aml_magics.model.checks import checked_text, whole_number
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.words import bytes_of, listed

__all__ = ["KINDS", "DatastoreChange"]

KINDS = ("added", "modified", "removed")

MINUTE = timedelta(minutes=1)
SETTLE = timedelta(seconds=0.5)
LONGEST = timedelta(days=365)
LARGEST = 10**15  # bytes
MOST_RUNS = 100_000
LONGEST_PATTERN = 1024  # characters, as long as the name of a blob


@dataclass(frozen=True, slots=True, kw_only=True)
class DatastoreChange:
    """``path_on_datastore`` is a folder, relative, with ``/`` between names and none at the ends; empty is all of it.

    Only direct children count unless ``recursive``. After construction ``per`` is ``file`` or ``batch``, and ``on`` has
    some of ``KINDS`` in their order, by default added and modified. With ``max_runs_per_poll`` the changes above it
    wait for the next poll. ``append_only`` says that files are only ever added, with names that sort after those that
    are there: a store may then list from the newest known name on. InvalidInput names the field and the fix.
    """

    datastore: str
    path_on_datastore: str = ""
    polling_interval: timedelta = timedelta(minutes=5)
    data_path_parameter_name: str | None = None
    recursive: bool = False
    per: str = ""
    settle: timedelta = SETTLE
    pattern: str | None = None
    min_size: int = 0
    on: tuple[str, ...] = ()
    max_runs_per_poll: int | None = None
    append_only: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "datastore", checked_text("datastore", self.datastore, "Write its name: workspaceblobstore."))
        put(self, "path_on_datastore", _folder(self.path_on_datastore))
        _duration("polling_interval", self.polling_interval, above_zero=True)
        _duration("settle", self.settle, above_zero=False)
        if self.data_path_parameter_name is not None:
            hint = "Write the name of a data path parameter of the pipeline, or leave it out."
            name = checked_text("data_path_parameter_name", self.data_path_parameter_name, hint)
            put(self, "data_path_parameter_name", name)
        for name in ("recursive", "append_only"):
            _flag(name, getattr(self, name))
        if self.per not in ("", "file", "batch"):
            raise InvalidInput(f"per {self.per!r} is not known", hint=did_you_mean(str(self.per), ("file", "batch")))
        put(self, "per", self.per or self.default_per)
        if self.pattern is not None:
            put(self, "pattern", _pattern(self.pattern, recursive=self.recursive))
        put(self, "on", _kinds(self.on) or self.default_on)
        whole_number("min_size", self.min_size, 0, LARGEST)
        if self.max_runs_per_poll is not None:
            whole_number("max_runs_per_poll", self.max_runs_per_poll, 1, MOST_RUNS)
        self._check_together()

    def _check_together(self) -> None:
        one_of = "Leave one of them out."
        if self.append_only and self.on != self.default_on:
            message = f"append_only does not go together with on: {', '.join(self.on)}: only what is new is looked for"
            raise InvalidInput(message, hint=one_of)
        if self.min_size and "removed" in self.on:
            message = "min_size does not go together with on: removed: what is gone has no size"
            raise InvalidInput(message, hint=f"{one_of[:-1]}, or make two schedules.")
        if self.max_runs_per_poll is not None and self.per == "batch":
            message = "max_runs_per_poll does not go together with per: batch, which is one run for all"
            raise InvalidInput(message, hint="Write per: file, or leave max_runs_per_poll out.")

    @property
    def default_per(self) -> str:
        """What ``per`` is when nobody says it."""
        return "file" if self.data_path_parameter_name else "batch"

    @property
    def default_on(self) -> tuple[str, ...]:
        """What ``on`` is when nobody says it."""
        return KINDS[: 1 if self.append_only else 2]

    def matches(self, name: str) -> bool:
        """Whether the pattern has nothing against an object; ``name`` is its path on the datastore."""
        if self.pattern is None:
            return True
        below = name.removeprefix(f"{self.path_on_datastore}/") if self.path_on_datastore else name
        return fnmatchcase(below if "/" in self.pattern else below.rpartition("/")[2], self.pattern)

    def counts(self, kind: str, size: int) -> bool:
        """Whether a change of that kind, which left an object of ``size`` bytes, may fire."""
        return kind in self.on and size >= self.min_size

    @property
    def condition(self) -> str:
        """What changes must be like to count, in few words: ``*.csv, at least 10 KB``. Empty when all files count."""
        parts = [self.pattern or "", f"at least {bytes_of(self.min_size)}" if self.min_size else ""]
        if self.on != self.default_on:
            parts.append(f"on: {listed(self.on)}")
        return ", ".join(filter(None, parts))

    def in_words(self) -> str:
        """``files matching *.csv of at least 10 KB added or modified in workspaceblobstore/incoming``."""
        place = "/".join(filter(None, (self.datastore, self.path_on_datastore)))
        which = f" matching {self.pattern}" if self.pattern else ""
        which += f" of at least {bytes_of(self.min_size)}" if self.min_size else ""
        kinds = listed(self.on).replace(" and ", " or ")
        return f"files{which} {kinds} in {place}{' and its subfolders' if self.recursive else ''}"

    def needs_kernel(self) -> tuple[str, ...]:
        """The options used that Azure's v1 service does not have: it polls by the minute, one folder, a run per file.

        ``per: batch`` counts only against a data path parameter; without one it is our default, and Azure's own
        behaviour is not documented.
        """
        used = {
            "polling_interval under a minute": self.polling_interval < MINUTE,
            "polling_interval not in whole minutes": self.polling_interval > MINUTE and self.polling_interval % MINUTE,
            "recursive": self.recursive,
            "per: batch": self.per == "batch" and self.data_path_parameter_name is not None,
            "settle": self.settle != SETTLE,
            "pattern": self.pattern,
            "min_size": self.min_size,
            f"on: {', '.join(self.on)}": self.on != self.default_on,
            "max_runs_per_poll": self.max_runs_per_poll,
            "append_only": self.append_only,
        }
        return tuple(name for name, is_used in used.items() if is_used)


def _folder(path: object) -> str:
    if not isinstance(path, str):
        raise InvalidInput(f"path_on_datastore {path!r} is not text", hint="Write a folder: incoming/images.")
    if "\\" in path:
        fixed = path.replace("\\", "/").strip("/")
        raise InvalidInput(f"path_on_datastore {path!r} has a backslash", hint=f"Write {fixed!r}.")
    names = path.strip().strip("/").split("/")
    if ".." in names or "." in names or (len(names) > 1 and "" in names):
        fixed = "/".join(name for name in names if name not in {"", ".", ".."})
        message = f"path_on_datastore {path!r} is not a plain path from the top of the datastore"
        raise InvalidInput(message, hint=f"Write {fixed!r}.")
    return "/".join(names)


def _flag(name: str, value: object) -> None:
    if type(value) is not bool:
        raise InvalidInput(f"{name} {value!r} is not true or false", hint=f"Write {name}: true.")


def _pattern(pattern: object, *, recursive: bool) -> str:
    found = checked_text("pattern", pattern, "Write one in quotes, as in pattern: '*.csv', or leave it out.")
    if "\\" in found:
        fixed = found.replace("\\", "/")
        raise InvalidInput(f"pattern {found!r} has a backslash", hint=f"Write {fixed!r}.")
    if len(found) > LONGEST_PATTERN:
        raise InvalidInput(f"pattern has {len(found)} characters", hint=f"At most {LONGEST_PATTERN}.")
    parts = found.split("/")
    if {"", ".", ".."} & set(parts):
        fixed = "/".join(part for part in parts if part not in {"", ".", ".."}) or "*"
        raise InvalidInput(f"pattern {found!r} matches no name below path_on_datastore", hint=f"Write {fixed!r}.")
    if len(parts) > 1 and not recursive:
        message = f"pattern {found!r} is for names in sub-folders, and those are not looked at"
        raise InvalidInput(message, hint=f"Add recursive: true, or write {parts[-1]!r}.")
    return found


def _kinds(given: object) -> tuple[str, ...]:
    """The kinds in their order."""
    kinds = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (given,)
    for kind in kinds:
        if kind not in KINDS:
            raise InvalidInput(f"on {kind!r} is not known", hint=did_you_mean(str(kind), KINDS))
    return tuple(kind for kind in KINDS if kind in kinds)


def _duration(name: str, value: object, *, above_zero: bool) -> None:
    zero = timedelta(0)
    if not isinstance(value, timedelta):
        raise InvalidInput(f"{name} {value!r} is not a length of time", hint="Pass a timedelta, or write 30 seconds.")
    if value < zero or (above_zero and value == zero):
        hint = "Write a length of time above zero." if above_zero else "Write 0s or more."
        raise InvalidInput(f"{name} is {value.total_seconds():g} seconds", hint=hint)
    if value > LONGEST:
        raise InvalidInput(f"{name} is {value.days} days", hint=f"At most {LONGEST.days} days.")
