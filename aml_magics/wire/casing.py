"""Reading JSON objects whose names arrive in any case.

Azure's pipelines service writes ``PascalCase``, its other services ``camelCase``, and callers other than the SDK (a
Logic App's hand-written body, Data Factory) mix both. So whatever is read is read through a ``Body``: names without
regard to case, ``null`` the same as absent, and a value of the wrong kind refused in one line that names the place.
Keys
of *mappings* (parameter names, tags) are data, not names, and keep their case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aml_magics.model.errors import InvalidInput

__all__ = ["Body", "Json", "merge", "without_nulls"]

Json = dict[str, Any]


class Body:
    """One JSON object. ``what`` is its place, for messages: ``schedule.Recurrence``."""

    def __init__(self, value: object, what: str = "body") -> None:
        if not isinstance(value, Mapping):
            message = f"{what}: expected a JSON object, got {_kind(value)}"
            raise InvalidInput(message)
        self.what = what
        self._given = value
        self._folded: dict[str, object] | None = None  # made when a name is not found as it is written here

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def names(self) -> list[str]:
        """The names that are there, as they are written."""
        return [str(name) for name in self._given]

    def get(self, name: str) -> object:
        """The value as it came; ``None`` when absent."""
        value: object = self._given.get(name)
        if value is None:
            if self._folded is None:
                self._folded = {str(known).casefold(): item for known, item in self._given.items() if item is not None}
            value = self._folded.get(name.casefold())
        return value

    def optional_text(self, name: str) -> str | None:
        """Text, or ``None``. A number is taken as the text it is written as: services send enums and ids either way."""
        value = self.get(name)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        raise self._wrong(name, "text", value)

    def text(self, name: str, default: str = "") -> str:
        value = self.optional_text(name)
        return default if value is None else value

    def required(self, name: str) -> str:
        """Text that must be there and not be empty: what something is found by."""
        found = self.text(name)
        if not found:
            message = f"{self.what}.{name}: it is missing"
            raise InvalidInput(message)
        return found

    def integer(self, name: str) -> int | None:
        """A whole number, also when it is written as text."""
        value = self.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        try:
            number = float(value) if isinstance(value, str | float) else None
        except ValueError:
            number = None
        if number is None or not number.is_integer():
            raise self._wrong(name, "a whole number", value)
        return int(number)

    def number(self, name: str) -> float | None:
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a number", value)
        return float(value)

    def boolean(self, name: str) -> bool | None:
        """True or false, also as the text ``True`` or ``false``."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return value
        word = value.casefold() if isinstance(value, str) else ""
        if word not in ("true", "false"):
            raise self._wrong(name, "true or false", value)
        return word == "true"

    def body(self, name: str) -> Body | None:
        """The object under ``name``."""
        value = self.get(name)
        return None if value is None else Body(value, f"{self.what}.{name}")

    def values(self, name: str) -> list[Any]:
        """The array under ``name``, empty when absent."""
        value = self.get(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise self._wrong(name, "an array", value)
        return list(value)

    def bodies(self, name: str) -> list[Body]:
        """The array of objects under ``name``."""
        return [Body(item, f"{self.what}.{name}[{index}]") for index, item in enumerate(self.values(name))]

    def mapping(self, name: str) -> dict[str, Any]:
        """The mapping under ``name``: its keys are data and keep their case; ``null`` values are left out."""
        value = self.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._wrong(name, "a JSON object", value)
        return {str(key): item for key, item in value.items() if item is not None}

    def texts(self, name: str) -> dict[str, str]:
        """A mapping of text to text; numbers and booleans are taken as Python writes them (``0.1``, ``True``)."""
        found = {}
        for key, item in self.mapping(name).items():
            if not isinstance(item, str | int | float):
                raise self._wrong(f"{name}.{key}", "text", item)
            found[key] = str(item)
        return found

    def tags(self) -> dict[str, str]:
        """The mapping ``tags``: one that was given without a value is kept with an empty one."""
        given = self.get("tags")
        bare = [str(name) for name, value in given.items() if value is None] if isinstance(given, Mapping) else []
        return dict.fromkeys(bare, "") | self.texts("tags")

    def _wrong(self, name: str, expected: str, value: object) -> InvalidInput:
        return InvalidInput(f"{self.what}.{name}: expected {expected}, got {_kind(value)}")


def merge(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> Json:
    """``stored`` with the fields of ``sent`` over it, by name without regard to case; the stored spelling stays.

    A field that is sent as ``null`` is cleared. (Microsoft's client leaves a null field out, and then the stored one
    stays: "a server must keep what it stores".)
    """
    result = dict(stored)
    spelling = {name.casefold(): name for name in stored}
    for name, value in sent.items():
        known = spelling.get(name.casefold(), name)
        if value is None:
            result.pop(known, None)
        else:
            result[known] = value
    return result


def without_nulls(fields: Mapping[str, Any]) -> Json:
    """The fields that have a value, in their order."""
    return {name: value for name, value in fields.items() if value is not None}


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "an array"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
