"""Cron expressions: five fields, read strictly by the rules of Azure's NCrontab.

``minute hour day-of-month month day-of-week``. A field is ``*`` or a list of values and ranges, each with an optional
``/step``; ``5/10`` means from 5 up to the end. Months and weekdays also go by their English names, short or full.
Sunday is 0. What other crons know and NCrontab does not is refused by name: 7 for Sunday, ``L W # ?``, ``@daily``, a
seconds field. NCrontab quietly turns ``22-2`` around; that is never what was meant, so it is refused too.

Two rules are Debian cron's, because NCrontab has none or Azure does not keep it: a day counts when either day field has
it if neither field starts with ``*``, else both must; and a ``*`` at the front of minute or hour makes the expression
follow real time (see ``timetable``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, NoReturn

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.words import MONTHS, SUNDAY_FIRST

__all__ = ["CronFields", "Field", "read_cron"]

SHAPE = "Write five fields: minute hour day-of-month month day-of-week, as in 0 6 * * 1-5."
SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?", re.ASCII)
OTHER_CRONS = re.compile(r"[#?@]|(?<![a-z])(?:LW|L|W)(?![a-z])", re.IGNORECASE)
FIVE = 5
SHORTEST_NAME = 3


class Field(NamedTuple):
    """What one field may hold. ``names`` stand for ``low``, ``low + 1`` and so on."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day-of-month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day-of-week", 0, 6, SUNDAY_FIRST),
)


class CronFields(NamedTuple):
    """The values of each field, ascending; ``texts`` are the five fields as written."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    texts: tuple[str, ...]

    @property
    def real(self) -> bool:
        """Whether the expression follows real time around clock changes."""
        return self.texts[0].startswith("*") or self.texts[1].startswith("*")

    @property
    def either_day(self) -> bool:
        """Whether one matching day field is enough."""
        return not (self.texts[2].startswith("*") or self.texts[4].startswith("*"))


@lru_cache(maxsize=1024)
def read_cron(expression: str) -> CronFields:
    """Read five fields. InvalidInput names the expression, the field and the fix."""
    texts = tuple(expression.split())
    if len(texts) != FIVE:
        _wrong_count(expression, texts)
    minutes, hours, days, months, weekdays = (
        _values(expression, field, text) for field, text in zip(FIELDS, texts, strict=True)
    )
    return CronFields(minutes, hours, days, months, weekdays, texts)


def _wrong_count(expression: str, texts: tuple[str, ...]) -> NoReturn:
    if expression.strip().lower() in SHORTHANDS:
        meant = SHORTHANDS[expression.strip().lower()]
        raise InvalidInput(f"cron {expression!r} is a shorthand of other crons", hint=f"Write {meant!r}.")
    message = f"cron {expression!r} has {len(texts)} field{'' if len(texts) == 1 else 's'}, not five"
    if len(texts) == FIVE + 1:
        message = f"cron {expression!r} has six fields; a seconds field is not supported"
        if texts[0] == "0":
            raise InvalidInput(message, hint=f"Leave out the first: {' '.join(texts[1:])!r}.")
    raise InvalidInput(message, hint=SHAPE)


def _values(expression: str, field: Field, text: str) -> tuple[int, ...]:
    where = f"cron {expression!r}: {field.name}"
    found: set[int] = set()
    for part in text.split(","):
        found.update(_part(where, field, part))
    return tuple(sorted(found))


def _part(where: str, field: Field, part: str) -> range:
    other = OTHER_CRONS.search(part)
    if other:
        raise InvalidInput(f"{where} {part!r}: Azure's cron has no {other[0]!r}", hint=_range_hint(field))
    match = PART.fullmatch(part)
    if match is None or (match["first"] == "*" and match["last"]):
        raise InvalidInput(f"{where} {part!r} is not a value, a range or a step", hint=_range_hint(field))
    step = int(match["step"] or 1)
    if step == 0:
        raise InvalidInput(f"{where} {part!r}: a step must be at least 1", hint="Leave out /0.")
    if match["first"] == "*":
        return range(field.low, field.high + 1, step)
    first = _value(where, field, match["first"])
    last = first
    if match["last"]:
        last = _value(where, field, match["last"])
    elif match["step"]:
        last = field.high
    if first > last:
        around = f"{match['first']}-{field.high},{field.low}-{match['last']}"
        raise InvalidInput(f"{where} {part!r} runs backwards", hint=f"Write {around!r} to go around the end.")
    return range(first, last + 1, step)


def _value(where: str, field: Field, text: str) -> int:
    if text.isdigit():
        value = int(text)
        if field.low <= value <= field.high:
            return value
        hint = _range_hint(field)
        if field.names is SUNDAY_FIRST and value == len(SUNDAY_FIRST):
            hint = "Sunday is 0 (or Sun)."
        raise InvalidInput(f"{where} {text} is out of range", hint=hint)
    for index, name in enumerate(field.names):
        if len(text) >= SHORTEST_NAME and name.casefold().startswith(text.casefold()):
            return field.low + index
    if field.names:
        raise InvalidInput(
            f"{where} {text!r} is not a name", hint=did_you_mean(text, [name[:3] for name in field.names])
        )
    raise InvalidInput(f"{where} {text!r} is not a number", hint=_range_hint(field))


def _range_hint(field: Field) -> str:
    names = f" or {field.names[0][:3]} to {field.names[-1][:3]}" if field.names else ""
    return f"It takes {field.low} to {field.high}{names}, as *, 1, 1-3, 1,3 or */2."
