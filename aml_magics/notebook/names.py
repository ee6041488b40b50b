"""The names that Tab offers: those of the last answers. Completion never asks the workspace."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KnownNames"]

_MOST = 5_000  # of a kind; the newest stay


class KnownNames:
    """Names by kind (``pipeline``, ``schedule``, ``datastore``, ``experiment``, ``run``), the newest last."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, None]] = {}

    def keep(self, kind: str, names: Iterable[str], *, all_of_them: bool = False) -> None:
        """Add names; ``all_of_them`` forgets those that are not among them."""
        kept = {} if all_of_them else self._names.get(kind, {})
        for name in names:
            kept.pop(name, None)
            kept[name] = None
        self._names[kind] = dict.fromkeys(list(kept)[-_MOST:])

    def of(self, kind: str) -> list[str]:
        """The names of a kind, the newest first."""
        return list(reversed(self._names.get(kind, {})))

    def clear(self) -> None:
        self._names.clear()
