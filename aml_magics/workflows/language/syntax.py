"""From text to a tree: literals, calls, and what is taken out of a value with ``.name``, ``['name']`` or ``[0]``.

::

    expression  = (literal | NAME "(" [expression {"," expression}] ")") {access}
    access      = ["?"] "." NAME | ["?"] "[" expression "]"
    literal     = 'text' | number | true | false | null
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aml_magics.workflows.language.tokens import ExpressionError, Token, tokens

__all__ = [
    "DEEPEST",
    "LONGEST",
    "Access",
    "Call",
    "Expression",
    "ExpressionError",
    "Literal",
    "calls",
    "nodes",
    "parse",
]

LONGEST = 8192  # characters of one expression, a limit of Logic Apps
DEEPEST = 64  # calls and brackets inside each other
MOST_DIGITS = 19  # of a whole number of 64 bits
_LITERALS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written out."""

    value: Any
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Access:
    """What is at ``key`` in ``of``. ``is_optional``: null when there is nothing."""

    of: Node
    key: Node
    is_optional: bool
    column: int


Node = Literal | Call | Access


@dataclass(frozen=True, slots=True)
class Expression:
    """A tree, with the text that its columns count in."""

    text: str
    root: Node


def nodes(root: Node) -> Iterator[Node]:
    """All of a tree, from left to right. By a list of what is left: a chain may be longer than the stack is deep."""
    left: list[Node] = [root]
    while left:
        node = left.pop()
        yield node
        if isinstance(node, Call):
            left += reversed(node.arguments)
        elif isinstance(node, Access):
            left += (node.key, node.of)


def calls(root: Node) -> Iterator[Call]:
    """All calls of a tree, from left to right."""
    return (node for node in nodes(root) if isinstance(node, Call))


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Read an expression, without the ``@``. Raises ExpressionError."""
    if len(text) > LONGEST:
        message = f"an expression has {len(text):,} characters, the longest may have {LONGEST:,}"
        raise ExpressionError(message, hint="Put parts of it into Compose actions or variables.")
    return Expression(text, _Parser(text).whole())


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._expression()
        if (token := self._next()).kind != "end":
            hint = "What is joined stands in concat(...) or in @{...} each." if token.kind != "sign" else ""
            raise self._error(token, f"{token.text!r} follows an expression that is complete", hint)
        return node

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(self._tokens[self._at], f"more than {DEEPEST} expressions inside each other")
        node = self._value()
        while self._peek().text in (".", "?.", "[", "?[") and self._peek().kind == "sign":
            node = self._access(node, self._next())
        self._depth -= 1
        return node

    def _value(self) -> Node:
        token = self._next()
        if token.kind == "text":
            return Literal(token.text[1:-1].replace("''", "'"), token.column)
        if token.kind == "number":
            return Literal(self._number(token), token.column)
        if token.kind != "name":
            what = "an expression is missing" if token.kind == "end" else f"{token.text!r} where a value should be"
            raise self._error(token, what)
        if self._peek().text == "(":
            return Call(token.text, self._arguments(self._next()), token.column)
        if token.text.casefold() in _LITERALS:
            return Literal(_LITERALS[token.text.casefold()], token.column)
        hint = f"Text stands in quotes ('{token.text}'), a function in front of brackets ({token.text}())."
        raise self._error(token, f"{token.text!r} is no value", hint)

    def _number(self, token: Token) -> float:
        is_whole = token.text.lstrip("+-").isdecimal()
        digits = len(token.text.lstrip("+-").lstrip("0"))
        if (is_whole and digits > MOST_DIGITS) or not math.isfinite(float(token.text)):
            raise self._error(token, "the number is too large")
        return int(token.text) if is_whole else float(token.text)

    def _arguments(self, opened: Token) -> tuple[Node, ...]:
        if self._peek().text == ")" and self._peek().kind == "sign":
            self._next()
            return ()
        found = [self._expression()]
        while (token := self._next()).text == "," and token.kind == "sign":
            found.append(self._expression())
        if token.text != ")" or token.kind != "sign":
            raise self._unclosed(opened, token, "')' or ','")
        return tuple(found)

    def _access(self, of: Node, sign: Token) -> Access:
        is_optional = sign.text.startswith("?")
        if sign.text.endswith("."):
            name = self._next()
            if name.kind != "name":
                raise self._error(name, "the name of a property is missing")
            return Access(of, Literal(name.text, name.column), is_optional, name.column)
        key = self._expression()
        if (closed := self._next()).text != "]" or closed.kind != "sign":
            raise self._unclosed(sign, closed, "']'")
        return Access(of, key, is_optional, key.column)

    def _unclosed(self, opened: Token, found: Token, wanted: str) -> ExpressionError:
        where = f"after what begins at column {opened.column}"
        got = "the expression ends" if found.kind == "end" else f"there is {found.text!r}"
        return self._error(found, f"{wanted} is missing {where}: {got}")

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _error(self, token: Token, what: str, hint: str = "") -> ExpressionError:
        return ExpressionError.at(token.column, self._text, what, hint)
