"""Reading a YAML mapping key by key, so that what is wrong is named with its place and nothing is passed over.

A ``Section`` knows where it stands (``jobs.train.limits``). Each reading method takes its key out; ``close`` refuses
what nobody took. Keys that can be left unused without changing what a pipeline does become notes, shared by all
sections of one text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from aml_magics.model.errors import InvalidInput, did_you_mean

__all__ = ["Section"]

T = TypeVar("T")
_KINDS = {str: "text", bool: "true or false", float: "a number"}


class Section:
    """A mapping at a place; raises ``InvalidInput`` when ``value`` is no mapping. An absent one (None) is empty."""

    def __init__(self, value: object, where: str, notes: list[str]) -> None:
        self.where = where
        self.notes = notes
        if not isinstance(value, dict | None):
            raise self.wrong(f"expected a mapping, got {value!r}", "Write  key: value  lines below it.")
        self._left: dict[str, object] = dict(value or {})
        self._known: list[str] = []

    def wrong(self, problem: str, hint: str = "") -> InvalidInput:
        """The error for this place; the caller raises it."""
        return InvalidInput(f"{self.where}: {problem}", hint=hint)

    def names(self) -> list[str]:
        """The keys that were not taken yet."""
        return list(self._left)

    def take(self, key: str) -> object:
        self._known.append(key)
        return self._left.pop(key, None)

    def text(self, key: str, default: str = "") -> str:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self._expect(key, value, str)  # not a float: 1.10 has become 1.1 by now

    def boolean(self, key: str, default: bool) -> bool:
        value = self.take(key)
        return default if value is None else self._expect(key, value, bool)

    def number(self, key: str) -> float | None:
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        return self._expect(key, value, float)

    def section(self, key: str) -> Section:
        return Section(self.take(key), f"{self.where}.{key}", self.notes)

    def ignore(self, reasons: Mapping[str, str]) -> None:
        """Take these keys if they are there; those with a reason leave a note."""
        for key, reason in reasons.items():
            if key in self._left and reason:
                self.notes.append(f"{self.where}: {key} is not used here: {reason}")
            self.take(key)

    def refuse(self, reasons: Mapping[str, str]) -> None:
        """Raise ``InvalidInput`` for a key that would change what the pipeline does."""
        for key, reason in reasons.items():
            if key in self._left:
                raise self.wrong(f"{key!r} is not supported: {reason}")

    def close(self) -> None:
        """Raise ``InvalidInput`` for a key that nobody knows."""
        for key in self._left:
            raise self.wrong(f"there is no key {key!r} here", did_you_mean(key, self._known))

    def _expect(self, key: str, value: object, kind: type[T]) -> T:
        if not isinstance(value, kind):
            raise self.wrong(
                f"{key} must be {_KINDS[kind]}, got {value!r}", "Put text in quotes." if kind is str else ""
            )
        return value
