"""Values that were read from JSON in the database, kept by (id, revision): a fire must not read its schedule anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Remembered"]

T = TypeVar("T")

_MOST = 256


class Remembered(Generic[T]):
    """The newest values, a few hundred at most. A key names a value that never changes: an id and a revision."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, int], T] = {}

    def get(self, key: tuple[str, int], read: Callable[[], T], *, keep: Callable[[T], bool] | None = None) -> T:
        """The value of ``key``; ``read`` gives it the first time, ``keep`` says whether it is worth its place."""
        if key in self._values:
            return self._values[key]
        value = read()
        if keep is None or keep(value):
            self._values[key] = value
            if len(self._values) > _MOST:
                del self._values[next(iter(self._values))]
        return value
