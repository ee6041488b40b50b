"""Instants and wall-clock times as text.

Instants are ISO 8601 in UTC with six fraction digits and ``Z``; Azure writes seven digits, which are read too. A
recurrence's ``StartTime`` is a wall-clock time: ``YYYY-MM-DDThh:mm:ss`` with no offset, because its zone travels
beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from aml_magics.model.errors import InvalidInput

__all__ = ["instant_from", "instant_to", "wall_from", "wall_to"]


def instant_to(moment: datetime | None) -> str | None:
    """``2026-11-23T00:32:50.123456Z`` for an aware ``datetime``; ``None`` stays ``None``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant_from(text: str | None, what: str = "date") -> datetime | None:
    """The aware ``datetime`` in UTC; text without an offset is UTC. Raises ``InvalidInput`` for anything else."""
    if not text:
        return None
    moment = _parsed(text, what, "2026-11-23T00:32:50Z")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def wall_to(moment: datetime | None) -> str | None:
    """``2026-11-23T00:32:50`` for a naive ``datetime``; fractions of a second only when there are any."""
    if moment is None:
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds" if moment.microsecond else "seconds")


def wall_from(text: str | None, what: str = "StartTime") -> datetime | None:
    """The naive ``datetime``. Raises ``InvalidInput`` for text with an offset (a ``Z`` included)."""
    if not text:
        return None
    moment = _parsed(text, what, "2026-11-23T09:00:00")
    if moment.tzinfo is not None:
        message = f"{what}: {text!r} has an offset"
        raise InvalidInput(message, hint="Write the time on the wall without it, and name the zone in TimeZone.")
    return moment


def _parsed(text: str, what: str, example: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        message = f"{what}: {text!r} is no ISO 8601 date and time"
        raise InvalidInput(message, hint=f"Write it as {example}.") from None
