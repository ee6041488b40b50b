"""Comparing and calculating."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from aml_magics.workflows.language.kinds import Refusal, array, function, kind_of, number, truth, whole
from aml_magics.workflows.language.texts import is_same

__all__: list[str] = []

Json = Any
Number = int | float
LONGEST_RANGE = 100_000


@function("and", 1, None)
def and_(*values: Json) -> bool:
    return all([truth(value, at) for at, value in enumerate(values, 1)])


@function("or", 1, None)
def or_(*values: Json) -> bool:
    return any([truth(value, at) for at, value in enumerate(values, 1)])


@function("not", 1)
def not_(value: Json) -> bool:
    return not truth(value, 1)


@function("if", 3)
def if_(condition: Json, yes: Json, no: Json) -> Json:
    return yes if truth(condition, 1) else no


@function("equals", 2)
def equals(one: Json, other: Json) -> bool:
    """The same kind and value; text with regard to case; 1 and 1.0 are the same."""
    return is_same(one, other)


def _compared(name: str, holds: Callable[[Json, Json], bool]) -> None:
    def compare(one: Json, other: Json) -> bool:
        for at, value in enumerate((one, other), 1):
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise Refusal(f"must be a number or text, and is {kind_of(value)}", argument=at)
        if isinstance(one, str) != isinstance(other, str):
            raise Refusal(f"must be of the kind of argument 1, and is {kind_of(other)}", argument=2)
        return holds(one, other)

    function(name, 2)(compare)


_compared("less", lambda one, other: one < other)
_compared("lessOrEquals", lambda one, other: one <= other)
_compared("greater", lambda one, other: one > other)
_compared("greaterOrEquals", lambda one, other: one >= other)


@function("add", 2)
def add(one: Json, other: Json) -> Number:
    return _finite(number(one, 1) + number(other, 2))


@function("sub", 2)
def sub(one: Json, other: Json) -> Number:
    return _finite(number(one, 1) - number(other, 2))


@function("mul", 2)
def mul(one: Json, other: Json) -> Number:
    return _finite(number(one, 1) * number(other, 2))


@function("div", 2)
def div(one: Json, other: Json) -> Number:
    """Of whole numbers a whole one, towards zero."""
    dividend, divisor = number(one, 1), _not_zero(other)
    if isinstance(dividend, int) and isinstance(divisor, int):
        quotient = abs(dividend) // abs(divisor)
        return quotient if (dividend < 0) == (divisor < 0) else -quotient
    return _finite(dividend / divisor)


@function("mod", 2)
def mod(one: Json, other: Json) -> Number:
    """The sign is the dividend's."""
    dividend, divisor = number(one, 1), _not_zero(other)
    if isinstance(dividend, int) and isinstance(divisor, int):
        rest = abs(dividend) % abs(divisor)
        return rest if dividend >= 0 else -rest
    return math.fmod(dividend, divisor)


@function("min", 1, None)
def min_(*values: Json) -> Number:
    return min(_numbers(values))


@function("max", 1, None)
def max_(*values: Json) -> Number:
    return max(_numbers(values))


@function("range", 2)
def range_(start: Json, count: Json) -> list[int]:
    begin, wanted = whole(start, 1), whole(count, 2)
    if not 0 <= wanted <= LONGEST_RANGE:
        raise Refusal(f"must be from 0 to {LONGEST_RANGE:,}, and is {wanted}", argument=2)
    return list(range(begin, begin + wanted))


@function("rand", 2)
def rand(least: Json, above: Json) -> int:
    low, high = whole(least, 1), whole(above, 2)
    if low >= high:
        raise Refusal(f"must be above argument 1 ({low}), and is {high}", argument=2)
    return random.randrange(low, high)  # noqa: S311 - not for secrets


def _numbers(values: tuple[Json, ...]) -> list[Number]:
    if len(values) == 1 and isinstance(values[0], list):
        found = [number(value, 1) for value in array(values[0], 1)]
        if not found:
            raise Refusal("must not be empty", argument=1)
        return found
    return [number(value, at) for at, value in enumerate(values, 1)]


def _not_zero(value: Json) -> Number:
    if (found := number(value, 2)) == 0:
        raise Refusal("must not be 0", argument=2)
    return found


def _finite(value: Number) -> Number:
    try:
        return number(value, 0)
    except Refusal:
        raise Refusal("the result is too large") from None
