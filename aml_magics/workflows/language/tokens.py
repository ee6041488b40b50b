"""The words of an expression, each with its column (from 1), and the error that points at one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from aml_magics.model.errors import InvalidInput

__all__ = ["ExpressionError", "Token", "tokens"]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<number>[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![\w.])
    | (?P<name>[^\W\d][\w-]*)
    | (?P<sign>\?\.|\?\[|[().,\[\]])
    )""",
    re.VERBOSE,
)
_SHOWN = 60  # letters of an expression that an error shows, around its column


class ExpressionError(InvalidInput):
    """An expression that cannot be read, or has no value: the message says where it went wrong."""

    @classmethod
    def at(cls, column: int, text: str, what: str, hint: str = "") -> ExpressionError:
        """``what`` is wrong at that column of ``text``."""
        start = max(0, column - 1 - _SHOWN // 2) if len(text) > _SHOWN else 0
        shown = text[start : start + _SHOWN]
        shown = f"{'...' if start else ''}{shown}{'...' if start + _SHOWN < len(text) else ''}"
        return cls(f"{what}, at column {column} of {shown!r}", hint=hint)


class Token(NamedTuple):
    """``kind`` is text, number, name, sign, or end."""

    kind: str
    text: str
    column: int


def tokens(text: str) -> Iterator[Token]:
    """All of them, and one of kind "end". Raises ExpressionError at what is none."""
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _no_token(text, at + len(text[at:]) - len(text[at:].lstrip()))
        yield Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup) + 1)
        at = found.end()
    yield Token("end", "", len(text) + 1)


def _no_token(text: str, at: int) -> ExpressionError:
    if text[at] == "'":
        return ExpressionError.at(at + 1, text, "text that begins here does not end", "A quote inside it is two: ''.")
    if text[at] == '"':
        return ExpressionError.at(at + 1, text, "double quotes mean nothing here", "Text stands in single quotes.")
    operators = {"=": "equals(a, b)", "!": "not(a)", "<": "less(a, b)", ">": "greater(a, b)", "&": "and(a, b)"}
    operators |= {"|": "or(a, b)", "+": "add(a, b) or concat(a, b)", "*": "mul(a, b)", "/": "div(a, b)"}
    hint = f"There are no operators: {operators[text[at]]}." if text[at] in operators else ""
    return ExpressionError.at(at + 1, text, f"{text[at]!r} is not part of the language", hint)
