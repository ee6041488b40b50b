"""Functions on instants: ISO 8601 text in and out, UTC with seven digits of the second unless a format is given.

Formats are those of .NET, in English: the standard ones of one letter (o, s, u, r, d, D, t, T, g, G, f, F, m, y) and
custom ones (``yyyy-MM-dd HH:mm:ss``), whose letters are replaced and whose quoted text stays. Zones are Windows names,
as Azure takes them, or IANA names.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from aml_magics.model.errors import AmlError
from aml_magics.model.zones import zone
from aml_magics.workflows.language.kinds import Refusal, function, text, whole

__all__ = ["clock_functions", "stamp"]

Json = Any
_ROUND_TRIP = "yyyy-MM-ddTHH:mm:ss.fffffffK"
_STANDARD = {
    "o": _ROUND_TRIP,
    "s": "yyyy-MM-ddTHH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ss'Z'",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "d": "M/d/yyyy",
    "D": "dddd, MMMM d, yyyy",
    "t": "h:mm tt",
    "T": "h:mm:ss tt",
    "g": "M/d/yyyy h:mm tt",
    "G": "M/d/yyyy h:mm:ss tt",
    "f": "dddd, MMMM d, yyyy h:mm tt",
    "F": "dddd, MMMM d, yyyy h:mm:ss tt",
    "m": "MMMM d",
    "y": "MMMM yyyy",
}
_STANDARD |= {letter.upper(): _STANDARD[letter] for letter in "ormy"}
_CUSTOM = re.compile(r"'([^']*)'|\"([^\"]*)\"|\\(.)|([yMdHhmsfFt])\4*|z+|K|.", re.DOTALL)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_DIGITS = re.compile(r"(\.\d{1,6})\d*")  # Python reads six digits of the second
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def clock_functions(now: Callable[[], datetime]) -> dict[str, Callable[..., Json]]:
    """``utcNow`` and its like by a clock of one's own, by folded name, for a scope."""

    def utc_now(form: Json = _ROUND_TRIP) -> str:
        return stamp(now().astimezone(UTC), form)

    def future(interval: Json, unit: Json, form: Json = _ROUND_TRIP) -> str:
        return stamp(_moved(now().astimezone(UTC), whole(interval, 1), unit, 2), form)

    def past(interval: Json, unit: Json, form: Json = _ROUND_TRIP) -> str:
        return stamp(_moved(now().astimezone(UTC), -whole(interval, 1), unit, 2), form)

    return {"utcnow": utc_now, "getfuturetime": future, "getpasttime": past}


def _now() -> datetime:
    return datetime.now(UTC)


for _name, _least, _most in (("utcNow", 0, 1), ("getFutureTime", 2, 3), ("getPastTime", 2, 3)):
    function(_name, _least, _most)(clock_functions(_now)[_name.casefold()])


@function("addDays", 2, 3)
def add_days(at: Json, count: Json, form: Json = _ROUND_TRIP) -> str:
    return _added(at, count, "day", form)


@function("addHours", 2, 3)
def add_hours(at: Json, count: Json, form: Json = _ROUND_TRIP) -> str:
    return _added(at, count, "hour", form)


@function("addMinutes", 2, 3)
def add_minutes(at: Json, count: Json, form: Json = _ROUND_TRIP) -> str:
    return _added(at, count, "minute", form)


@function("addSeconds", 2, 3)
def add_seconds(at: Json, count: Json, form: Json = _ROUND_TRIP) -> str:
    return _added(at, count, "second", form)


@function("addToTime", 3, 4)
def add_to_time(at: Json, count: Json, unit: Json, form: Json = _ROUND_TRIP) -> str:
    return stamp(_moved(_instant(at), whole(count, 2), unit, 3), form)


@function("subtractFromTime", 3, 4)
def subtract_from_time(at: Json, count: Json, unit: Json, form: Json = _ROUND_TRIP) -> str:
    return stamp(_moved(_instant(at), -whole(count, 2), unit, 3), form)


@function("formatDateTime", 1, 3)
def format_date_time(at: Json, form: Json = _ROUND_TRIP, locale: Json = "en-us") -> str:
    if text(locale, 3).casefold() not in ("en", "en-us"):
        raise Refusal(f"must be en-US here, and is {locale!r}", argument=3)
    return stamp(_instant(at), form, 2)


@function("convertFromUtc", 2, 3)
def convert_from_utc(at: Json, to: Json, form: Json = _ROUND_TRIP) -> str:
    return stamp(_in_zone(_instant(at), _zone(to, 2)), form, 3, is_local=True)


@function("convertToUtc", 2, 3)
def convert_to_utc(at: Json, source: Json, form: Json = _ROUND_TRIP) -> str:
    return stamp(_in_zone(_instant(at, _zone(source, 2)), UTC), form, 3)


@function("convertTimeZone", 3, 4)
def convert_time_zone(at: Json, source: Json, to: Json, form: Json = _ROUND_TRIP) -> str:
    return stamp(_in_zone(_instant(at, _zone(source, 2)), _zone(to, 3)), form, 4, is_local=True)


@function("dayOfMonth", 1)
def day_of_month(at: Json) -> int:
    return _instant(at).day


@function("dayOfWeek", 1)
def day_of_week(at: Json) -> int:
    """0 is Sunday."""
    return _instant(at).isoweekday() % 7


@function("dayOfYear", 1)
def day_of_year(at: Json) -> int:
    return _instant(at).timetuple().tm_yday


@function("startOfDay", 1, 2)
def start_of_day(at: Json, form: Json = _ROUND_TRIP) -> str:
    return stamp(_instant(at).replace(hour=0, minute=0, second=0, microsecond=0), form)


@function("startOfHour", 1, 2)
def start_of_hour(at: Json, form: Json = _ROUND_TRIP) -> str:
    return stamp(_instant(at).replace(minute=0, second=0, microsecond=0), form)


@function("startOfMonth", 1, 2)
def start_of_month(at: Json, form: Json = _ROUND_TRIP) -> str:
    return stamp(_instant(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0), form)


@function("ticks", 1)
def ticks(at: Json) -> int:
    """Tenths of microseconds since the year 1."""
    return (_instant(at) - _EPOCH) // timedelta(microseconds=1) * 10


@function("dateDifference", 2)
def date_difference(start: Json, end: Json) -> str:
    """As .NET writes a span: ``[-][d.]hh:mm:ss[.fffffff]``."""
    span = _instant(end, argument=2) - _instant(start)
    sign, span = ("-", -span) if span < timedelta(0) else ("", span)
    minutes, seconds = divmod(span.seconds, 60)
    days = f"{span.days}." if span.days else ""
    rest = f".{span.microseconds:06}0" if span.microseconds else ""
    return f"{sign}{days}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{rest}"


def stamp(at: datetime, form: Json = _ROUND_TRIP, argument: int = 0, *, is_local: bool = False) -> str:
    """An aware instant in a format of .NET. ``is_local``: the zone is not written, as Azure does after a conversion."""
    wanted = text(form, argument)
    pattern = _STANDARD.get(wanted, wanted)
    if len(wanted) == 1 and wanted not in _STANDARD:
        raise Refusal(f"is no format of .NET: {wanted!r}", argument=argument)
    return _CUSTOM.sub(lambda found: _part(found, at, is_local=is_local), pattern)


def _part(found: re.Match[str], at: datetime, *, is_local: bool) -> str:
    letters = found[0]
    for quoted in (found[1], found[2], found[3]):
        if quoted is not None:
            return quoted
    if letters == "K":
        return "" if is_local else _offset(at, "K")
    return _offset(at, letters) if letters.startswith("z") else _letters(letters, at)


def _letters(letters: str, at: datetime) -> str:
    letter, count = letters[0], len(letters)
    if letter == "y":
        return f"{at.year % 100:0{count}}" if count < 3 else f"{at.year:0{count}}"
    if letter in "Md" and count > 2:
        name = _MONTHS[at.month - 1] if letter == "M" else _DAYS[at.weekday()]
        return name[:3] if count == 3 else name
    if letter in "fF":
        digits = f"{at.microsecond:06}0"[:count]
        return digits if letter == "f" else digits.rstrip("0")
    if letter == "t":
        return ("AM" if at.hour < 12 else "PM")[:count]
    numbers = {"M": at.month, "d": at.day, "H": at.hour, "h": at.hour % 12 or 12, "m": at.minute, "s": at.second}
    return f"{numbers[letter]:0{min(count, 2)}}" if letter in numbers else letters


def _offset(at: datetime, letters: str) -> str:
    minutes = int((at.utcoffset() or timedelta(0)).total_seconds()) // 60
    if letters == "K" and not minutes:
        return "Z"
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    if letters in ("z", "zz"):
        return f"{sign}{minutes // 60:0{len(letters)}}"
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


def _added(at: Json, count: Json, unit: str, form: Json) -> str:
    return stamp(_moved(_instant(at), whole(count, 2), unit, 0), form, 3)


def _moved(at: datetime, count: int, unit: Json, argument: int) -> datetime:
    name = text(unit, argument).casefold()
    try:
        if name in ("month", "year"):
            return _months_later(at, count * (12 if name == "year" else 1))
        if name in _UNITS:
            return at + timedelta(seconds=count * _UNITS[name])
    except (OverflowError, ValueError):
        raise Refusal("the result is not in the calendar") from None
    units = ", ".join(each.capitalize() for each in (*_UNITS, "month", "year"))
    raise Refusal(f"must be {units}, and is {unit!r}", argument=argument)


def _months_later(at: datetime, months: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)


def _instant(at: Json, zone_of_it: tzinfo = UTC, argument: int = 1) -> datetime:
    """The instant of a text; one without an offset is in that zone."""
    try:
        found = datetime.fromisoformat(_DIGITS.sub(r"\1", text(at, argument).strip()))
    except ValueError:
        raise Refusal(f"is no date and time: {at!r}", argument=argument, hint="2026-03-02T09:00:00Z is one.") from None
    return found.replace(tzinfo=zone_of_it) if found.tzinfo is None else _in_zone(found, UTC)


def _in_zone(at: datetime, to: tzinfo) -> datetime:
    try:
        return at.astimezone(to)
    except OverflowError:
        raise Refusal("the result is not in the calendar") from None


def _zone(name: Json, argument: int) -> tzinfo:
    try:
        return zone(text(name, argument))
    except AmlError as error:
        raise Refusal(str(error), argument=argument) from None
