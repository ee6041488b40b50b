"""The words of a timeline: names cut to their place, and what each row says to a reader or on hover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from unicodedata import east_asian_width

from aml_magics.model.words import listed
from aml_magics.notebook.present import escape, printable
from aml_magics.notebook.timeline.rows import Collision, Row
from aml_magics.notebook.timeline.shapes import SHAPES, kind_of

__all__ = ["clock", "cut", "isolated", "row_title", "together_title", "zone_name"]

_NAMED = 5  # things in a row that are named; the rest is counted
_LONG = 80


def cut(text: str, letters: int) -> str:
    """The text on one line, in the room of so many letters; an ideogram takes two of them."""
    text = printable(text)
    room = letters
    for index, letter in enumerate(text):
        room -= 2 if east_asian_width(letter) in "WF" else 1
        if room < 0 or (room == 0 and index + 1 < len(text)):
            return f"{text[:index]}…"
    return text


def isolated(text: str) -> str:
    """Text for SVG, whose direction stays its own."""
    return f"\u2068{escape(text)}\u2069"


def zone_name(zone: tzinfo) -> str:
    """``Europe/Lisbon``."""
    return getattr(zone, "key", None) or datetime.now(zone).tzname() or "UTC"


def clock(at: datetime, zone: tzinfo) -> str:
    """``2026-11-28 06:00``, in the display zone."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def row_title(row: Row, zone: tzinfo) -> str:
    """What a row says: its name and trigger, how many ran with which end, when it fires next."""
    counts = Counter(kind_of(run.status) for run in row.ran)
    parts = [f"{counts[kind]:,} {kind}" for kind in SHAPES if counts[kind]] or ["no runs"]
    failed = [clock(run.start, zone) for run in row.ran if kind_of(run.status) == "failed"]
    if failed:
        parts.append(f"failed at {_few(sorted(failed, reverse=True))}")
    if row.minutes:
        first = clock(datetime.fromtimestamp(row.minutes[0] * 60, UTC), zone)
        parts.append(f"fires in {len(row.minutes):,} minute{'s' if len(row.minutes) > 1 else ''}, next at {first}")
    trigger = f" ({isolated(cut(row.trigger, _LONG))})" if row.trigger else ""
    return f"{isolated(cut(row.name, _LONG))}{trigger}: {', '.join(parts)}"


def together_title(shared: Sequence[Collision], zone: tzinfo) -> str:
    """``several schedules in 3 minutes: ...``."""
    texts = [f"{clock(one.at, zone)} {isolated(listed([cut(name, 20) for name in one.names]))}" for one in shared]
    return f"Several schedules fire in the same minute, {len(shared):,} times: {_few(texts)}"


def _few(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _NAMED:,} more" if len(texts) > _NAMED else ""
    return "; ".join(texts[:_NAMED]) + more
