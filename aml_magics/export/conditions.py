"""What schedules of v1 cannot ask for, in the language that Logic Apps and Data Factory share.

Each function gives expressions without the ``@`` before them, to be joined by ``all_of``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.export.blobs import name_conditions
from aml_magics.model.words import SUNDAY_FIRST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aml_magics.export.source import Window
    from aml_magics.model.change import DatastoreChange

__all__ = ["all_of", "of_blob", "of_time"]

_DAY = 24 * 60


def all_of(expressions: Sequence[str]) -> str:
    """One expression that holds when all do.

    >>> all_of(["equals(1, 1)"])
    '@equals(1, 1)'
    """
    return f"@{expressions[0]}" if len(expressions) == 1 else f"@and({', '.join(expressions)})"


def of_blob(trigger: DatastoreChange, blob: str) -> list[str]:
    """What a blob must be like; ``blob`` is the expression for its properties. InvalidInput for a pattern beyond it."""
    found = name_conditions(trigger.pattern, f"{blob}?['Name']") if trigger.pattern else []
    if trigger.min_size:
        found.append(f"greaterOrEquals({blob}?['Size'], {trigger.min_size})")
    return found


def of_time(window: Window) -> list[str]:
    """When it may be: the hour and minute as a number (830 is 08:30), and the day of the week."""
    local = f"convertFromUtc(utcNow(), '{window.time_zone}'"
    found = []
    if (window.begin, window.end) != (0, _DAY):
        minute = f"int({local}, 'HHmm'))"
        bounds = [f"greaterOrEquals({minute}, {_clock(window.begin)})", f"less({minute}, {_clock(window.end)})"]
        found.append(f"{'and' if window.begin < window.end else 'or'}({', '.join(bounds)})")
    if window.days:
        numbers = ", ".join(str(SUNDAY_FIRST.index(day)) for day in window.days)
        found.append(f"contains(createArray({numbers}), dayOfWeek({local})))")
    return found


def _clock(minute: int) -> int:
    return minute // 60 * 100 + minute % 60
