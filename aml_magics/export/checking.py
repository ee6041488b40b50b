"""What both checkers share: problems, keys, the graph of what waits for what, recurrences, names in expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from aml_magics.export.arm import is_expression
from aml_magics.model.errors import did_you_mean
from aml_magics.model.words import WEEK_DAYS

__all__ = ["Problem", "check_graph", "check_keys", "check_recurrence", "named_in", "require", "texts_in"]

_NUMBERS = {"hours": range(24), "minutes": range(60), "monthDays": range(-31, 32)}
_RECURRENCE = frozenset({"frequency", "interval", "startTime", "endTime", "timeZone", "schedule", "count"})
_MOST_INTERVAL = 9_999_999


class Problem(NamedTuple):
    """One thing that Azure would refuse, or that could never work: ``where`` is a path in the definition."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what.rstrip(' .')}"  # a hint that there is not leaves its blank


def check_keys(where: str, value: object, known: Iterable[str], required: Iterable[str] = ()) -> Iterator[Problem]:
    """That it is an object, of known keys, with those that it needs."""
    if not isinstance(value, Mapping):
        yield Problem(where, f"is {type(value).__name__}, not an object")
        return
    known = {*known, *required}
    for key in value:
        if key not in known:
            yield Problem(where, f"has an unknown key {key!r}. {did_you_mean(str(key), known)}")
    yield from require(where, value, required)


def require(where: str, value: Mapping[str, Any], names: Iterable[str]) -> Iterator[Problem]:
    """That what must be there is there, and not empty text."""
    for name in names:
        if value.get(name) in (None, ""):
            yield Problem(where, f"has no {name!r}")


def check_graph(
    where: str, waits: Mapping[str, Mapping[str, Sequence[str]]], statuses: Sequence[str]
) -> Iterator[Problem]:
    """``waits`` has for each name those that it waits for, with the results that let it go on."""
    for name, others in waits.items():
        for other, results in others.items():
            if other not in waits:
                yield Problem(f"{where}.{name}", f"runs after {other!r}, which is not beside it. "
                              f"{did_you_mean(other, set(waits) - {name})}")  # fmt: skip
            if not isinstance(results, list) or not results:
                yield Problem(f"{where}.{name}", f"runs after no result of {other!r}. Known: {', '.join(statuses)}.")
                continue
            for result in results:
                if result not in statuses:
                    hint = did_you_mean(str(result), statuses)
                    yield Problem(f"{where}.{name}", f"runs after {other!r} has {result!r}, which is no result. {hint}")
    try:
        TopologicalSorter({name: set(others) for name, others in waits.items()}).prepare()
    except CycleError as error:
        yield Problem(where, f"waits in a circle: {' -> '.join(map(str, reversed(error.args[1])))}")


def check_recurrence(
    where: str, value: object, frequencies: Sequence[str], *, with_times: Sequence[str]
) -> Iterator[Problem]:
    """A recurrence as both services have it; ``with_times`` are the frequencies at which it may have a schedule."""
    if not isinstance(value, Mapping):
        yield Problem(where, "is not an object")
        return
    yield from check_keys(where, value, _RECURRENCE, ("frequency", "interval"))
    frequency, interval = value.get("frequency"), value.get("interval")
    if frequency is not None and frequency not in frequencies:
        yield Problem(where, f"has the frequency {frequency!r}. {did_you_mean(str(frequency), frequencies)}")
    if interval is not None and (type(interval) is not int or not 1 <= interval <= _MOST_INTERVAL):
        yield Problem(where, f"has the interval {interval!r}: a whole number from 1")
    schedule = value.get("schedule")
    if schedule is not None:
        if frequency not in with_times:
            yield Problem(f"{where}.schedule", f"goes with {', '.join(with_times)}, not {frequency}")
        yield from _check_times(f"{where}.schedule", schedule)


def _check_times(where: str, value: object) -> Iterator[Problem]:
    yield from check_keys(where, value, (*_NUMBERS, "weekDays", "monthlyOccurrences"))
    if not isinstance(value, Mapping):
        return
    for name, allowed in _NUMBERS.items():
        for one in value.get(name, ()):
            if type(one) is not int or one not in allowed:
                yield Problem(f"{where}.{name}", f"has {one!r}: {allowed[0]} to {allowed[-1]}")
    for one in value.get("weekDays", ()):
        if one not in WEEK_DAYS:
            yield Problem(f"{where}.weekDays", f"has {one!r}. {did_you_mean(str(one), WEEK_DAYS)}")


def texts_in(value: object) -> Iterator[str]:
    """Every text in JSON that is or holds an expression; what a parameter of the template is to fill in is none yet."""
    if isinstance(value, str):
        if "@" in value and not is_expression(value):
            yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)


def named_in(value: object, *functions: str) -> set[str]:
    """The names that expressions ask for: ``X`` of ``body('X')``."""
    call = re.compile(rf"(?<![\w.])(?:{'|'.join(functions)})\(\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)
    return {found.replace("''", "'") for text in texts_in(value) for found in call.findall(text)}
