"""The drawing: a timeline as SVG text, and SVG as an ``<img>`` for what has no kernel.

In a page the colours are Jupyter's own variables; an image is a document of its own, which does not see them, so the
colours behind them are those that read on white and on black. Names are other people's input: they are escaped, cut
with an ellipsis, isolated (right-to-left text must not turn what stands beside it), and clipped to their place.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from aml_magics.notebook.present import escape
from aml_magics.notebook.timeline.axis import Tick, day_label, ticks
from aml_magics.notebook.timeline.marks import WIDE, Span, band, dots, span
from aml_magics.notebook.timeline.rows import Collision, Row, collisions
from aml_magics.notebook.timeline.shapes import SHAPES, STYLE, drawn, kind_of, legend
from aml_magics.notebook.timeline.texts import cut, isolated, row_title, together_title, zone_name

__all__ = ["as_image", "timeline_svg"]

_HEAD, _ROW, _FOOT = 40, 30, 62  # pixels
_LEFT, _PLOT = 24.0, 75.5  # per cent of the width: the names, the plot
_LONG = 80  # letters of a name; the page cuts it to its place
_DENSE = 5  # units between two fires that the eye takes for one where it is narrow
_MOST_LINES = 8  # collisions that get a line through all rows
_START = '<svg xmlns="http://www.w3.org/2000/svg" class="aml-tl"'


@dataclass(frozen=True, slots=True)
class _Plot:
    """What the plot shows, and where an instant lies in it."""

    now: float
    past: float
    coming: float

    def span(self, begin: float, end: float) -> Span:
        return span(begin, end, self.now, self.past, self.coming)

    def place(self, at: float) -> int:
        return self.span(at, at)[0]

    def across(self, at: float) -> str:
        """As per cent of the whole drawing."""
        return f"{_LEFT + self.place(at) * _PLOT / WIDE:.2f}%"


def timeline_svg(
    rows: Sequence[Row], *, now: datetime, past: timedelta, coming: timedelta, width: int = 1000, zone: tzinfo = UTC
) -> str:
    """One row a schedule: left of ``now`` what ran in ``past``, right of it what fires in ``coming``.

    The drawing is as wide as its place, at most ``width`` pixels, and has the same height in any. Where it is narrow,
    there are fewer labels. Under 60 KiB for a dozen schedules of any kind.
    """
    plot = _Plot(now.timestamp(), past.total_seconds(), coming.total_seconds())
    shared = collisions(rows)
    height = _HEAD + _ROW * (len(rows) + bool(shared))
    label = f"Timeline of {len(rows)} schedules, from {now - past:%Y-%m-%d %H:%M} to {now + coming:%Y-%m-%d %H:%M %Z}"
    inside = "".join(
        (
            _grid(ticks(now - past, now + coming, zone), plot, height),
            _across(shared, plot, height),
            *(_row(row, plot, index, now, zone) for index, row in enumerate(rows)),
            _together(shared, plot, len(rows), zone),
            f'<path class="now" d="M{plot.place(plot.now)} 34V{height}"/>',
        )
    )
    return (
        f'{_START} width="100%" height="{height + _FOOT}" role="group" aria-label="{escape(label)}"'
        f' style="max-width:{width}px"><style>{STYLE}</style>'
        f"{_axis(now - past, now + coming, zone, plot)}{_names(rows, shared, zone)}"
        f'<svg x="{_LEFT}%" width="{_PLOT}%" height="{height}" viewBox="0 0 {WIDE} {height}"'
        f' preserveAspectRatio="none">{inside}</svg>{_waits(rows, plot)}'
        f'<text x="{plot.across(plot.now)}" y="{height + 14}" text-anchor="middle">now</text>'
        f'<g transform="translate(4,{height + 24})">{legend(bool(shared))}</g></svg>'
    )


def as_image(svg: str, alt: str) -> str:
    """The SVG as ``<img>`` with its data in it: what JupyterLab leaves alone in a notebook that it does not trust."""
    data = base64.b64encode(svg.encode()).decode()
    widest = svg.partition("max-width:")[2].partition('"')[0]
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}" style="width:100%;max-width:{widest}">'


def _grid(found: Sequence[Tick], plot: _Plot, height: int) -> str:
    def path(is_day: bool) -> str:
        places = (plot.place(tick.at.timestamp()) for tick in found if tick.is_day is is_day)
        return "".join(f"M{place} 34V{height}" for place in places)

    return f'<path class="grid" d="{path(False)}"/><path class="day" d="{path(True)}"/>'


def _axis(begin: datetime, end: datetime, zone: tzinfo, plot: _Plot) -> str:
    """Days above, times of the day below; the day on which it begins where there is room for it."""
    found = ticks(begin, end, zone)
    days = [tick for tick in found if tick.is_day]
    parts = []
    room = plot.place(days[0].at.timestamp()) if days else WIDE
    if room > WIDE * 0.12:
        hidden = ' class="w"' if room < WIDE * 0.25 else ""
        parts.append(f'<text x="{_LEFT}%" y="12"{hidden}>{day_label(begin.astimezone(zone))}</text>')
    for tick in found:
        hidden = ' class="w"' if tick.is_minor else ""
        at, place = plot.across(tick.at.timestamp()), plot.place(tick.at.timestamp())
        if tick.is_day and place < WIDE * 0.96:
            parts.append(f'<text x="{at}" y="12"{hidden if len(days) > 4 else ""}>{tick.label}</text>')
        if WIDE * 0.02 < place < WIDE * 0.98 and len(days) <= 4:
            parts.append(f'<text x="{at}" y="28" text-anchor="middle"{hidden}>{tick.at:%H:%M}</text>')
    return "".join(parts)


def _names(rows: Sequence[Row], shared: Sequence[Collision], zone: tzinfo) -> str:
    names = [*(row.name for row in rows), *(["at once"] if shared else [])]
    labels = [_label(name, index, 0, _LEFT - 1) for index, name in enumerate(names)]
    return f'<text class="soft" x="4" y="28">{escape(zone_name(zone))}</text>{"".join(labels)}'


def _waits(rows: Sequence[Row], plot: _Plot) -> str:
    """What fires those that no clock fires, in words right of now."""
    left = _LEFT + (plot.place(plot.now) + 8) * _PLOT / WIDE
    found = [(index, row.waits_for) for index, row in enumerate(rows) if row.waits_for]
    return "".join(_label(words, index, left, 99.5 - left, "soft") for index, words in found)


def _label(text: str, index: int, left: float, width: float, kind: str = "") -> str:
    """Text in a row, in a box that the page cuts with an ellipsis where it ends."""
    text = isolated(cut(text, _LONG))
    return (
        f'<foreignObject x="{left:.2f}%" y="{_HEAD + _ROW * index + 7}" width="{width:.2f}%" height="18">'
        f'<div xmlns="http://www.w3.org/1999/xhtml" class="label {kind}" title="{text}">{text}</div></foreignObject>'
    )


def _row(row: Row, plot: _Plot, index: int, now: datetime, zone: tzinfo) -> str:
    by_kind: dict[str, list[Span]] = {kind: [] for kind in SHAPES}
    for run in row.ran:
        end = run.end or (now if run.status.value == "Running" else run.start)
        by_kind[kind_of(run.status)].append(plot.span(run.start.timestamp(), end.timestamp()))
    marks = "".join(drawn(kind, spans) for kind, spans in by_kind.items() if spans)
    fires = {plot.span(minute * 60, minute * 60) for minute in row.minutes}
    marks += f'<path class="fire" d="{band(fires, 12, 10, _DENSE)}"/>' if fires else ""
    return (
        f'<g role="img" transform="translate(0,{_HEAD + _ROW * index})"><title>{row_title(row, zone)}</title>'
        f'<rect width="{WIDE}" height="{_ROW}" fill="transparent"/><path class="grid" d="M0 22.5H{WIDE}"/>{marks}</g>'
    )


def _across(shared: Sequence[Collision], plot: _Plot, height: int) -> str:
    """A faint line through all rows at each minute that several share, while they can be told apart."""
    if len(shared) > _MOST_LINES:
        return ""
    return "".join(f'<path class="across" d="M{plot.place(one.minute * 60)} {_HEAD}V{height}"/>' for one in shared)


def _together(shared: Sequence[Collision], plot: _Plot, index: int, zone: tzinfo) -> str:
    if not shared:
        return ""
    spans = {plot.span(one.minute * 60, one.minute * 60) for one in shared}
    return (
        f'<g role="img" transform="translate(0,{_HEAD + _ROW * index})"><title>{together_title(shared, zone)}</title>'
        f'<rect width="{WIDE}" height="{_ROW}" fill="transparent"/><path class="both" d="{dots(spans, 17)}"/></g>'
    )
