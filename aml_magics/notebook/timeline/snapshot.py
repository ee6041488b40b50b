"""The snapshot: a timeline where there is no kernel, no widget library or no trust, as HTML and as text.

It is HTML of the kind that JupyterLab leaves alone in a notebook that somebody else has run: images with their data in
them, and a ``details`` element for the longer of the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from aml_magics.notebook.present import escape, html_lines, text_table
from aml_magics.notebook.timeline.drawing import as_image
from aml_magics.notebook.timeline.outline import Outline, outline_of
from aml_magics.notebook.timeline.rows import Row
from aml_magics.notebook.timeline.shapes import kind_of
from aml_magics.notebook.timeline.texts import clock, cut

if TYPE_CHECKING:
    from aml_magics.model.resources import Run, Schedule

__all__ = ["LIVE", "STATIC", "Snapshot", "snapshot_of"]

LIVE, STATIC = "aml-timeline", "aml-timeline-static"
_SPANS = (timedelta(hours=24), timedelta(days=7))
_LONG = 40
_EMPTY = "No schedule fires, and nothing ran."
_NOTE = 'style="font-size:12px;opacity:.8"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """``short`` and ``long`` are the same things at the same time, of 24 hours and of 7 days back and ahead."""

    short: Outline
    long: Outline
    zone: tzinfo

    @property
    def now(self) -> datetime:
        return self.short.now

    @property
    def as_of(self) -> str:
        """``as of 2026-11-28 06:00 UTC``."""
        return f"as of {clock(self.now, self.zone)} {self.now.astimezone(self.zone).tzname()}"

    def said(self, outline: Outline) -> list[str]:
        """What stands below one of the drawings."""
        lines = [outline.together(self.zone), *outline.notes(self.zone)]
        return [*filter(None, lines)] if outline.rows else [_EMPTY]

    def html(self, as_of: str = "") -> str:
        """The short timeline as an image, the long one to be opened."""
        head = f"<p><strong>Timeline</strong> of the last and the next 24 hours, {escape(as_of or self.as_of)}</p>"
        more = f"<details><summary>7 days</summary>{self._picture(self.long, '7 days')}</details>"
        return f'<div class="{STATIC}">{head}{self._picture(self.short, "24 hours")}{more}</div>'

    def text(self) -> str:
        """The facts of the short one, a line for each schedule."""
        rows = [
            (cut(row.name, _LONG), _counted(row), f"{len(row.minutes):,}" if row.minutes else "", self._next(row))
            for row in self.short.rows
        ]
        table = [text_table(["schedule", "ran", "fires", "next"], rows)] if rows else []
        head = f"Timeline of the last and the next 24 hours, {self.as_of}"
        return "\n".join([head, *table, *self.said(self.short)])

    def _picture(self, outline: Outline, words: str) -> str:
        svg = as_image(outline.svg(self.zone), f"Timeline of the last and the next {words}: {_summary(outline)}")
        return (svg if outline.rows else "") + f"<div {_NOTE}>{html_lines(self.said(outline))}</div>"

    def _next(self, row: Row) -> str:
        return clock(datetime.fromtimestamp(row.minutes[0] * 60, UTC), self.zone) if row.minutes else row.waits_for


def snapshot_of(
    schedules: Sequence[Schedule], runs: Sequence[Run], *, limit: int, now: datetime, zone: tzinfo
) -> Snapshot:
    """What was seen as of ``now``; ``limit`` is how many runs, the newest, were asked for."""
    short, long = (outline_of(schedules, runs, now=now, past=span, coming=span, limit=limit) for span in _SPANS)
    return Snapshot(short=short, long=long, zone=zone)


def _counted(row: Row) -> str:
    """``3 done, 1 failed``."""
    return ", ".join(f"{number:,} {kind}" for kind, number in Counter(kind_of(run.status) for run in row.ran).items())


def _summary(outline: Outline) -> str:
    """What the picture shows, for those who do not see it."""
    fires = sum(len(row.minutes) for row in outline.rows)
    named = ", ".join(f"{row.name}{f' ({_counted(row)})' if row.ran else ''}" for row in outline.rows)
    return f"{fires:,} fires to come, {len(outline.collisions):,} times several at once; {named}"
