"""Run history's filter language, as far as SDK v1 writes it, over JSON objects.

::

    ((RunType eq azureml.PipelineRun or Properties/azureml.runsource eq azureml.PipelineRun) and (Tags/owner eq "me"))

A comparison is FIELD OPERATOR VALUE with ``eq ne gt ge lt le``; ``null`` is absent, a value may be quoted. Names of
fields are matched without regard to case; ``Tags/x`` and ``Properties/x`` look into a mapping, whose keys keep theirs.
Whether there is a tag x at all is asked as ``(Tags/x ne null or Tags/x eq null)``: without it, neither is true.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from aml_magics.model.errors import InvalidInput

__all__ = ["compile_filter"]

Predicate = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"""\s*(?:(?P<paren>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_DEEPEST = 20


def compile_filter(text: str | None) -> Predicate:
    """A test for JSON objects; no text lets all of them pass. Raises ``InvalidInput`` for what it cannot read."""
    if text is None or not text.strip():
        return lambda _item: True
    reader = _Reader(text)
    predicate = reader.either(0)
    reader.end()
    return predicate


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0

    def either(self, depth: int) -> Predicate:
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else lambda item: any(part(item) for part in parts)

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise self._wrong(f"{self._tokens[self._at][0]!r} is not expected there")

    def _both(self, depth: int) -> Predicate:
        parts = [self._one(depth)]
        while self._take("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda item: all(part(item) for part in parts)

    def _one(self, depth: int) -> Predicate:
        if depth > _DEEPEST:
            raise self._wrong("it is nested too deeply")
        if self._take("("):
            inner = self.either(depth + 1)
            if not self._take(")"):
                raise self._wrong("a bracket is not closed")
            return inner
        field, _ = self._next("a field")
        word, _ = self._next("an operator")
        value, quoted = self._next("a value")
        compare = _OPERATORS.get(word.casefold())
        if compare is None:
            raise self._wrong(f"{word!r} is no operator; known: {', '.join(_OPERATORS)}")
        wanted = None if value == "null" and not quoted else value
        if wanted is None and "/" in field:
            return lambda item: (found := _field(item, field)) is not None and compare(found, None)
        return lambda item: _compared(compare, _field(item, field), wanted)

    def _next(self, what: str) -> tuple[str, bool]:
        if self._at == len(self._tokens):
            raise self._wrong(f"it ends where {what} is expected")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        here = self._tokens[self._at] if self._at < len(self._tokens) else ("", False)
        if here[0].casefold() != word or here[1]:
            return False
        self._at += 1
        return True

    def _wrong(self, reason: str) -> InvalidInput:
        return InvalidInput(f"filter {self._text[:200]!r}: {reason}")


def _tokens(text: str) -> list[tuple[str, bool]]:
    """The words, each with whether it was quoted."""
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            message = f"filter {text[:200]!r}: a quotation mark is not closed"
            raise InvalidInput(message)
        at = match.end()
        quoted = match.lastgroup in ("double", "single")
        found.append((match.group(match.lastgroup or 0), quoted))
    return found


def _field(item: Mapping[str, Any], path: str) -> str | None:
    name, _, key = path.partition("/")
    value = next((value for known, value in item.items() if known.casefold() == name.casefold()), None)
    if key:
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None else str(value)


def _compared(compare: Callable[[Any, Any], bool], value: str | None, wanted: str | None) -> bool:
    if compare in (operator.eq, operator.ne):
        return compare(value, wanted)
    return value is not None and wanted is not None and compare(_sortable(value), _sortable(wanted))


def _sortable(text: str) -> str:
    """Instants in one notation sort as text; ``+00:00`` and ``Z`` are the same."""
    return text.replace("+00:00", "Z").removesuffix("Z")
