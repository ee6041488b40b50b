"""DatastoreChange: files added or modified at one place of a datastore. It is looked at every ``polling_interval``.

``per`` says what one look that finds several changes starts: ``file`` is a run for each (Azure's way, and the default
when a data path parameter takes the changed file), ``batch`` is one run for all. ``settle`` is how long a file must
stay as it is before it counts. A change trigger has no timetable: nobody knows when a file comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from aml_magics.model.checks import checked_text
from aml_magics.model.errors import InvalidInput, did_you_mean

__all__ = ["DatastoreChange"]

MINUTE = timedelta(minutes=1)
SETTLE = timedelta(seconds=0.5)
LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatastoreChange:
    """``path_on_datastore`` is a folder, relative, with ``/`` between names and none at the ends; empty is all of it.

    Only direct children count unless ``recursive``. After construction ``per`` is ``file`` or ``batch``. InvalidInput
    names the field and the fix.
    """

    datastore: str
    path_on_datastore: str = ""
    polling_interval: timedelta = timedelta(minutes=5)
    data_path_parameter_name: str | None = None
    recursive: bool = False
    per: str = ""
    settle: timedelta = SETTLE

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
        if type(self.recursive) is not bool:
            raise InvalidInput(f"recursive {self.recursive!r} is not true or false", hint="Write recursive: true.")
        if self.per not in ("", "file", "batch"):
            raise InvalidInput(f"per {self.per!r} is not known", hint=did_you_mean(str(self.per), ("file", "batch")))
        put(self, "per", self.per or ("file" if self.data_path_parameter_name else "batch"))

    def in_words(self) -> str:
        """``files added or modified in workspaceblobstore/incoming``."""
        place = "/".join(filter(None, (self.datastore, self.path_on_datastore)))
        return f"files added or modified in {place}{' and its subfolders' if self.recursive else ''}"

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


def _duration(name: str, value: object, *, above_zero: bool) -> None:
    zero = timedelta(0)
    if not isinstance(value, timedelta):
        raise InvalidInput(f"{name} {value!r} is not a length of time", hint="Pass a timedelta, or write 30 seconds.")
    if value < zero or (above_zero and value == zero):
        hint = "Write a length of time above zero." if above_zero else "Write 0s or more."
        raise InvalidInput(f"{name} is {value.total_seconds():g} seconds", hint=hint)
    if value > LONGEST:
        raise InvalidInput(f"{name} is {value.days} days", hint=f"At most {LONGEST.days} days.")
