"""From what stands on the line to a Python value, one small function a kind of option.

A reader gets what the option is called (for its message) and either the text of the word or, for ``{name}``, the object
itself; it returns the value or raises InvalidInput. Readers keep what they do not understand when somebody further down
knows better: the trigger's own parser has the better message for ``--interval soon``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.resources import DataPath, ParameterValue
from aml_magics.model.secret import Secret

__all__ = [
    "Given",
    "GivenSecret",
    "anything",
    "choice",
    "data_path",
    "inferred",
    "items",
    "reference",
    "scalar",
    "seconds",
    "secret",
    "sound",
    "text",
    "truth",
    "whole_number",
]

_INT = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][+-]?[0-9]+)?")
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(s|seconds?|m|min|minutes?|h|hours?)?")
_LONGEST_NUMBER = 300  # digits; more do not fit into a float, and nobody means a number
_TRUTH = {"true": True, "false": False, "yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Given:
    """The value of ``name=value`` as it stood on the line; quotes around it say that it is text."""

    value: object
    is_quoted: bool = False


def anything(_what: str, value: object) -> object:
    """The object itself."""
    return value


def text(what: str, value: object) -> str:
    """Text. A number, a truth value or a collection is refused (YAML's ``1.10`` is 1.1); the rest is its ``str``."""
    if isinstance(value, str):
        return sound(what, value)
    if value is None or isinstance(value, (bool, int, float, list, tuple, set, Mapping)):
        raise InvalidInput(f"{what} is text, not {value!r}", hint="Put it in quotes.")
    return sound(what, str(value))


def sound(what: str, value: str) -> str:
    """The text itself, if a file name and JSON can hold it."""
    if "\0" in value:
        raise InvalidInput(f"{what} holds a NUL character", hint="Take it out.")
    try:
        value.encode()
    except UnicodeEncodeError:
        message = f"{what} holds half of a character: {value!r}"
        raise InvalidInput(message, hint="Decode the text with the encoding that it has.") from None
    return value


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """A secret from the line. ``is_typed``: it stands there itself, so a saved notebook holds it."""

    secret: Secret
    is_typed: bool


def secret(what: str, value: object, *, is_typed: bool) -> GivenSecret:
    """A token or a key, which is never shown from here on, also when it is refused."""
    if isinstance(value, Secret):
        return GivenSecret(value, is_typed=False)
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{what} is text", hint=f"Write {what} {{TOKEN}} with a variable that holds it.")
    return GivenSecret(Secret(value.strip()), is_typed=is_typed)


def reference(what: str, value: object) -> str:
    """A name or an id; an object that has an id (a run, a schedule, a pipeline) stands for itself."""
    known = getattr(value, "id", None) or getattr(value, "name", None)
    if not isinstance(value, str) and isinstance(known, str):
        return known
    if not isinstance(value, str):
        raise InvalidInput(
            f"{what} is a name or an id, not {value!r}", hint="Give a text, or an object that has an id."
        )
    found = sound(what, value).strip()
    if not found:
        raise InvalidInput(f"{what} is empty", hint="Give a name or an id.")
    return found


def references(what: str, value: object) -> list[str]:
    """One reference, or as many as a list holds."""
    many = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return [reference(what, one) for one in many]


def whole_number(what: str, value: object) -> int:
    """A whole number of at least one."""
    number = int(value) if isinstance(value, str) and _INT.fullmatch(value) else value
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InvalidInput(f"{what} is a whole number of at least 1, not {value!r}", hint="Write for example 5.")
    return number


def seconds(what: str, value: object) -> float:
    """A length of time in seconds: ``90``, ``90s``, ``5 minutes``, a timedelta."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    found = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise InvalidInput(
            f"{what} is a length of time, not {value!r}", hint="Write for example 90, 90s or '5 minutes'."
        )
    return float(found[1]) * {"m": 60, "h": 3600}.get((found[2] or "s")[0], 1)


def truth(what: str, value: object) -> bool:
    """``true`` or ``false``, in any case."""
    if isinstance(value, bool):
        return value
    known = _TRUTH.get(value.strip().casefold()) if isinstance(value, str) else None
    if known is None:
        raise InvalidInput(f"{what} is true or false, not {value!r}", hint="Write true or false.")
    return known


def choice(what: str, value: object, choices: tuple[str, ...]) -> str:
    """One of the choices, in any case; returned as it is declared."""
    lowered = {known.casefold(): known for known in choices}
    found = lowered.get(value.strip().casefold()) if isinstance(value, str) else None
    if found is None:
        hint = did_you_mean(value, choices) if isinstance(value, str) else f"Known: {', '.join(choices)}."
        raise InvalidInput(f"{what} cannot be {value!r}", hint=hint)
    return found


def scalar(_what: str, value: object) -> object:
    """A number when it is written as one, otherwise what it was: for values that another parser checks."""
    return inferred(value) if isinstance(value, str) and value.casefold() not in _TRUTH else value


def items(_what: str, value: object) -> object:
    """``9,12,15`` as a list, of numbers where they are numbers: for values that another parser checks."""
    if not isinstance(value, str):
        return value
    return [scalar(_what, part.strip()) for part in value.split(",") if part.strip()]


def inferred(value: object) -> ParameterValue:
    """The type that a parameter's text suggests: whole number, number, true or false, text. ``007`` stays text."""
    if not isinstance(value, str):
        if isinstance(value, (bool, int, float)):
            return value
        return text("A parameter", value)
    if _INT.fullmatch(value):
        return int(value) if len(value) < _LONGEST_NUMBER else value
    if _FLOAT.fullmatch(value) and math.isfinite(number := float(value)):
        return number
    return {"true": True, "false": False}.get(value.casefold(), value)


def data_path(what: str, value: object) -> DataPath:
    """``datastore/path``, a mapping with ``datastore`` and ``path``, or a DataPath."""
    if isinstance(value, DataPath):
        return value
    if isinstance(value, Mapping):
        unknown = sorted(str(key) for key in value if key not in ("datastore", "path"))
        if unknown:
            raise InvalidInput(
                f"{what} has no key {unknown[0]!r}", hint=did_you_mean(unknown[0], ("datastore", "path"))
            )
        return DataPath(
            text(f"{what}: datastore", value.get("datastore")), text(f"{what}: path", value.get("path", ""))
        )
    written = value.as_posix() if isinstance(value, PurePath) else text(what, value)
    datastore, slash, path = written.partition("/")
    if not (slash and datastore):
        raise InvalidInput(
            f"{what} is datastore/path, not {written!r}", hint="Write for example workspaceblobstore/incoming."
        )
    return DataPath(datastore, path.strip("/"))
