"""What the next look at a place would do: for each object that changed or waits, who would fire for it, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aml_magics.model.words import bytes_of, listed

if TYPE_CHECKING:
    from aml_magics.model.change import DatastoreChange

__all__ = ["Outlook", "why_not"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One object and one schedule. ``change`` is added, modified or removed; ``modified`` is POSIX seconds.

    ``schedule`` is its name, empty for one that is not there yet; ``why`` says when it fires, or why it does not.
    """

    name: str
    change: str
    fires: bool
    why: str
    size: int = 0
    modified: float | None = None
    schedule: str = ""


def why_not(trigger: DatastoreChange, name: str, change: str, size: int) -> str:
    """Why a change does not count for a trigger; empty when it does."""
    if not trigger.matches(name):
        return f"its name does not match {trigger.pattern}"
    if change not in trigger.on:
        return f"only what is {listed(trigger.on)} counts"
    if not trigger.counts(change, size):
        return f"it is smaller than {bytes_of(trigger.min_size)}"
    return ""
