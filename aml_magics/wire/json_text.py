"""JSON that people write or paste, read without trusting its depth.

Whoever walks a definition calls itself for each level, and so does Python's own parser: text that is nested too deep is
refused like any other mistake in it, with its line and column.
"""

from __future__ import annotations

import json
import re

__all__ = ["loads"]

_DEEPEST = 100  # levels; an action inside an action takes two of them, and Azure takes actions 8 deep
_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def loads(text: str) -> object:
    """As ``json.loads``; ``json.JSONDecodeError`` also for more than 100 levels inside each other.

    >>> loads('{"a": [1]}')
    {'a': [1]}
    """
    depth = 0
    for sign in _SIGNS.finditer(text):
        if sign[0] in "[{":
            depth += 1
            if depth > _DEEPEST:
                raise json.JSONDecodeError(f"more than {_DEEPEST} levels inside each other", text, sign.start())
        elif sign[0] in "]}":
            depth -= 1
    value: object = json.loads(text)
    return value
