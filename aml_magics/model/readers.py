"""Reading single values as people write them, in YAML, on a command line or as Python keywords.

Each reader takes the key (to name it in errors) and the value, and returns what a trigger's constructor wants. Text is
taken where a number or a list is meant, since a command line has nothing else. What a reader does not understand it
hands on unchanged when the constructor's own message says it better.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from math import ceil, isfinite

from aml_magics.model.errors import InvalidInput
from aml_magics.model.words import finer, meant_frequency, plain, unit

__all__ = [
    "read_count",
    "read_every",
    "read_flag",
    "read_length",
    "read_list",
    "read_size",
    "read_start_time",
    "read_time_of_day",
]

START_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?(?P<offset>Z|[+-]\d{2}:?\d{2})?"
)
TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?P<afternoon>\s*[ap]\.?m\.?)?", re.IGNORECASE)
CLOCK_DIGITS = re.compile(r"([01]?\d|2[0-3])([0-5]\d)")
QUANTITY = re.compile(r"(?P<number>[+-]?\d+(?:\.\d+)?)?\s*(?P<unit>[^\W\d_]+)?")
LENGTHS = {"Second": 1.0, "Minute": 60.0, "Hour": 3600.0, "Day": 86_400.0, "Week": 604_800.0}
SIZES: dict[str, int] = {"b": 1, "byte": 1, "bytes": 1} | {
    f"{letter}{rest}": base**power
    for power, letter in enumerate("kmgt", 1)
    for rest, base in (("b", 1000), ("ib", 1024))
}
MILLISECONDS = {"ms", "millisecond", "milliseconds"}
LONGEST = 1e9
YES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read_count(value: object) -> object:
    """Digits as a number; anything else as it is."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,12}\s*", value):
        return int(value)
    return value


def read_list(value: object) -> object:
    """One value, or several with commas between, as a tuple; a list with its digits as numbers."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")] if value.strip() else []
    elif not isinstance(value, list | tuple | set | frozenset | range):
        value = [value]
    return tuple(read_count(part) for part in value)


def read_flag(value: object) -> object:
    """``true``, ``yes``, ``on``, ``1`` and their opposites; anything else as it is."""
    return YES.get(plain(value), value) if isinstance(value, str) else value


def read_start_time(value: object) -> object:
    """``2026-12-01T06:30:00`` (``T`` or a space; seconds, or the whole time, may be left out), or a ``datetime``."""
    if isinstance(value, datetime) or value is None:
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    match = START_TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise InvalidInput(f"start_time {value!r} is not a date and time", hint="Write 2026-12-01T06:30:00.")
    if match["offset"]:
        message = f"start_time {value!r} has a UTC offset"
        raise InvalidInput(message, hint="Write the wall clock alone and say where in time_zone.")
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}")
    except ValueError as error:
        raise InvalidInput(f"start_time {value!r}: {error}", hint="Write 2026-12-01T06:30:00.") from None


def read_time_of_day(value: object) -> tuple[int, int]:
    """``h:mm`` or ``hh:mm`` as hour and minute."""
    if isinstance(value, time):
        return value.hour, value.minute
    match = TIME_OF_DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    hint = "Write hh:mm, from 00:00 to 23:59."
    if match is not None:
        hour, minute = int(match[1]), int(match[2])
        if match["afternoon"] and 1 <= hour <= 12:
            hour = hour % 12 + 12 * ("p" in match["afternoon"].lower())
            hint = f"Write '{hour:02}:{minute:02}'."
        elif hour < 24 and minute < 60:
            return hour, minute
    elif (digits := CLOCK_DIGITS.fullmatch(str(value))) is not None:
        # YAML reads 0630 as the number 630; a command line and quotes keep it as text.
        hint = f"Write '{int(digits[1]):02}:{digits[2]}'."
    raise InvalidInput(f"time_of_day {value!r} is not a time of day", hint=hint)


def read_every(value: object) -> tuple[str, int]:
    """``15 minutes``, ``2 weeks``, ``day`` as frequency and interval."""
    match = QUANTITY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or not match["unit"]:
        number = read_count(value)
        hint = f"Say of what, on a line in quotes: '{number} minutes'." if type(number) is int else "Write 15 minutes."
        raise InvalidInput(f"every {value!r} is not an interval", hint=hint)
    text, word = match["number"] or "1", match["unit"]
    frequency = unit(word)
    if not frequency:
        meant = meant_frequency(word).lower()
        plural = "" if text == "1" else "s"
        known = "Units: seconds, minutes, hours, days, weeks, months."
        hint = f"Write {text} {meant}{plural}." if meant else known
        raise InvalidInput(f"every {value!r}: {word!r} is not a unit of time", hint=hint)
    number_of = float(text)
    if number_of.is_integer() and 1 <= number_of <= LONGEST:
        return frequency, int(number_of)
    same = finer(number_of, frequency)
    hint = f"Write {same}." if same else "Write 1 or more."
    raise InvalidInput(f"every {value!r}: {text} is not a whole number of at least 1", hint=hint)


def read_length(key: str, value: object, *, bare: str) -> timedelta:
    """``5s``, ``2 minutes``, ``1.5 hours``, ``500ms``, a ``timedelta``; a bare number counts in ``bare``."""
    if isinstance(value, timedelta):
        return value
    hint = f"Write a number of {bare.lower()}s, or a number and a unit: 30 seconds."
    match = QUANTITY.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    if isinstance(value, bool) or match is None or match["number"] is None:
        raise InvalidInput(f"{key} {value!r} is not a length of time", hint=hint)
    seconds = _seconds_of(match["unit"], bare)
    if seconds is None:
        known = "Units: milliseconds, seconds, minutes, hours, days, weeks."
        raise InvalidInput(f"{key} {value!r}: {match['unit']!r} is not a unit of time", hint=known)
    if float(match["number"]) < 0:
        raise InvalidInput(f"{key} {value!r} is negative", hint=hint)
    length = float(match["number"]) * seconds
    if not isfinite(length) or length > LONGEST:
        raise InvalidInput(f"{key} {value!r} is too long", hint=hint)
    return timedelta(seconds=length)


def read_size(key: str, value: object) -> int:
    """``10 KB`` (1,000 bytes each), ``1 MiB`` (1,024 KiB), ``1.5 GB``; a bare number counts bytes."""
    hint = "Write a number of bytes, or a number and a unit: 10 KB."
    match = QUANTITY.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    if isinstance(value, bool) or match is None or match["number"] is None:
        raise InvalidInput(f"{key} {value!r} is not a size", hint=hint)
    factor = SIZES.get((match["unit"] or "b").casefold())
    if factor is None:
        known = "Units: bytes, KB, MB, GB, TB, KiB, MiB, GiB, TiB."
        raise InvalidInput(f"{key} {value!r}: {match['unit']!r} is not a unit of size", hint=known)
    if match["number"].startswith("-"):
        raise InvalidInput(f"{key} {value!r} is negative", hint=hint)
    size = float(match["number"]) * factor
    if not isfinite(size):
        raise InvalidInput(f"{key} {value!r} is too large", hint=hint)
    # A float holds whole numbers up to 2**53, which is more than any datastore has.
    return ceil(size)


def _seconds_of(word: str | None, bare: str) -> float | None:
    if word and plain(word) in MILLISECONDS:
        return 0.001
    return LENGTHS.get(unit(word) if word else bare)
