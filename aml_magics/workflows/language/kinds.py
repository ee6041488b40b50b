"""The kinds of values of the language, the readers of arguments, and the registry of functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Function",
    "Refusal",
    "array",
    "function",
    "kind_of",
    "number",
    "registered",
    "short_enough",
    "text",
    "truth",
    "whole",
]

Json = Any
MOST = 1 << 63
LONGEST_TEXT = 10_000_000  # letters that a function may make: a definition is not to fill the memory
registered: dict[str, Function] = {}  # by name, folded


class Refusal(Exception):
    """A value that a function or an access does not take. ``argument`` counts from 1, 0: none in particular.

    Never leaves the language: whoever evaluates adds the column.
    """

    def __init__(self, what: str, *, argument: int = 0, hint: str = "") -> None:
        super().__init__(what)
        self.argument = argument
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language; ``most`` None: any number of arguments."""

    name: str
    call: Callable[..., Json]
    least: int
    most: int | None

    def arity_problem(self, given: int) -> str:
        """What is wrong with that number of arguments, or nothing."""
        if given >= self.least and (self.most is None or given <= self.most):
            return ""
        if self.most is None:
            wanted, number = f"at least {self.least}", self.least
        else:
            wanted = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
            number = self.most
        return f"takes {wanted} argument{'' if number == 1 else 's'}, not {given}"


def function(name: str, least: int, most: int | None = -1) -> Callable[[Callable[..., Json]], Callable[..., Json]]:
    """Register what is decorated under that name. ``most`` is ``least`` unless it is told; None: any number."""

    def register(call: Callable[..., Json]) -> Callable[..., Json]:
        registered[name.casefold()] = Function(name, call, least, least if most == -1 else most)
        return call

    return register


def kind_of(value: Json) -> str:
    """``text``, ``the number 3``, ``null`` ... for an error."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return "text"
    return "an object" if isinstance(value, Mapping) else "an array"


def text(value: Json, argument: int) -> str:
    """That argument, which must be text."""
    if isinstance(value, str):
        return value
    raise Refusal(f"must be text, and is {kind_of(value)}", argument=argument)


def short_enough(letters: int) -> None:
    """Refuse to make a text of that many letters, before it is made."""
    if letters > LONGEST_TEXT:
        raise Refusal(f"makes more than {LONGEST_TEXT:,} letters")


def number(value: Json, argument: int) -> float | int:
    """That argument, which must be a number of 64 bits."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise Refusal(f"must be a number, and is {kind_of(value)}", argument=argument)


def whole(value: Json, argument: int) -> int:
    """That argument, which must be a whole number."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST:
        return value
    raise Refusal(f"must be a whole number, and is {kind_of(value)}", argument=argument)


def truth(value: Json, argument: int) -> bool:
    """That argument, which must be true or false."""
    if isinstance(value, bool):
        return value
    raise Refusal(f"must be true or false, and is {kind_of(value)}", argument=argument)


def array(value: Json, argument: int) -> list[Json]:
    """That argument, which must be an array."""
    if isinstance(value, list):
        return value
    raise Refusal(f"must be an array, and is {kind_of(value)}", argument=argument)
