"""What several triggers check about their fields. A message starts with the name of the argument, as the SDK calls
it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput
from aml_magics.model.zones import zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["checked_start", "checked_text", "checked_zone", "require_aware", "whole_number"]

FIRST_YEAR, LAST_YEAR = 1970, 9000


def whole_number(name: str, value: object, low: int, high: int) -> int:
    """``value`` when it is an ``int`` (no ``bool``) from ``low`` to ``high``."""
    if type(value) is int and low <= value <= high:
        return value
    message = f"{name} {value!r} is not a whole number"
    if type(value) is int:
        message = f"{name} {value} is out of range"
    raise InvalidInput(message, hint=f"It takes {low} to {high}.")


def checked_start(start_time: object) -> datetime | None:
    """A naive start time in whole seconds, as the wire carries it; ``None`` stays ``None``."""
    if start_time is None:
        return None
    if not isinstance(start_time, datetime):
        raise InvalidInput(f"start_time {start_time!r} is not a date and time", hint="Write 2026-12-01T06:30:00.")
    if start_time.tzinfo is not None:
        naive = start_time.replace(tzinfo=None, microsecond=0).isoformat()
        message = f"start_time {start_time.isoformat()} has a UTC offset"
        raise InvalidInput(message, hint=f"Write the wall clock alone ({naive}) and say where in time_zone.")
    if not FIRST_YEAR <= start_time.year <= LAST_YEAR:
        message = f"start_time {start_time.isoformat()} is out of range"
        raise InvalidInput(message, hint=f"Take a year from {FIRST_YEAR} to {LAST_YEAR}, or leave it out.")
    return start_time.replace(microsecond=0)


def checked_zone(time_zone: object) -> ZoneInfo:
    """The zone of that name."""
    if not isinstance(time_zone, str):
        raise InvalidInput(f"time_zone {time_zone!r} is not a name", hint="Write one such as America/Sao_Paulo.")
    return zone(time_zone)


def checked_text(name: str, value: object, hint: str) -> str:
    """``value`` when it is text with something in it, stripped."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise InvalidInput(f"{name} {value!r} is not a name", hint=hint)


def require_aware(name: str, instant: datetime) -> datetime:
    """``instant`` itself. ValueError when it is naive: whoever calls us mixed up wall clock and instant."""
    if instant.tzinfo is None:
        message = f"{name} must be aware of its time zone, not {instant!r}"
        raise ValueError(message)
    return instant
