"""The dates in the headers of HTTP, and the pauses that they ask for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["instant_in", "pause_in"]


def pause_in(text: str) -> float | None:
    """``Retry-After`` in seconds: they are given as such, or as the date until which to wait."""
    if text.isascii() and text.isdigit():
        return float(text)
    at = instant_in(text)
    return None if at is None else max(0.0, at.timestamp() - time.time())


def instant_in(text: str) -> datetime | None:
    """The aware datetime of a header; ``None`` for what is none."""
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
