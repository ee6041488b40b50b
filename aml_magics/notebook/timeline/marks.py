"""Marks: instants as short SVG paths.

All marks of one kind in one row are one path. They are drawn with strokes that do not scale, in a plot that does: so a
path knows only per mille across, and neighbours that would touch become one band. Ten thousand fires are then a few
characters, and never look sparser than they are.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["WIDE", "Span", "band", "dots", "merged", "span"]

WIDE = 1000  # what a plot is wide, in its own units

Span = tuple[int, int]


def span(begin: float, end: float, now: float, past: float, coming: float) -> Span:
    """Where a stretch (POSIX seconds) lies in a plot of ``past`` seconds before ``now`` and ``coming`` ones after."""
    scale = WIDE / (past + coming)
    left, right = (round((at - now + past) * scale) for at in (begin, end))
    return max(0, min(WIDE, left)), max(0, min(WIDE, right))


def merged(spans: Iterable[Span], within: int) -> list[Span]:
    """The same stretches, ascending; those that lie within so many units of each other as one."""
    found: list[Span] = []
    for left, right in sorted(spans):
        if found and left - found[-1][1] < within:
            found[-1] = (found[-1][0], max(found[-1][1], right))
        else:
            found.append((left, right))
    return found


def band(spans: Iterable[Span], top: int, height: int, within: int = 2) -> str:
    """A path: a stroke for each stretch too short to see, a box for each longer one; see ``merged``."""
    pieces = []
    for left, right in merged(spans, within):
        pieces.append(f"M{left} {top}v{height}" + (f"h{right - left}v-{height}z" if right > left else ""))
    return "".join(pieces)


def dots(spans: Iterable[Span], y: int) -> str:
    """A path of strokes without a length, which round caps make dots; a line where they touch."""
    return "".join(f"M{left} {y}h{right - left}" for left, right in merged(spans, 4))
