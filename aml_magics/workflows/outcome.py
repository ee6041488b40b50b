"""Which of several that wait for each other decide about the whole: a rule that Logic Apps and Data Factory share.

The *leaves* count, those on which no other waits; for one that was skipped, what it waited for counts instead, and so
on upwards. That is why a failure that only a path for failures follows is mended by it, and one with a path for success
beside it is not: that path's end was skipped, so the failure itself counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

__all__ = ["those_that_count"]


def those_that_count(waits: Mapping[str, Iterable[str]], skipped: Collection[str]) -> list[str]:
    """``waits`` has for each name those that it waits for. The names that count, in the order of ``waits``.

    >>> those_that_count({"try": [], "catch": ["try"]}, skipped=["catch"])
    ['try', 'catch']
    """
    needed = {other for others in waits.values() for other in others}
    left = [name for name in waits if name not in needed]
    seen: set[str] = set()
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += waits[name] if name in skipped else ()
    return [name for name in waits if name in seen]
