"""The snapshot: what remains of a table where there is no kernel, no widget library, or no trust.

It is HTML of the kind that JupyterLab leaves alone in a notebook that somebody else has run: a real table with a
caption and header cells, inline styles, pictures as data. Everything is escaped here. The live table follows in the
next output and takes its place (``twins``); an untrusted notebook shows the snapshot and one line that says what to do.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aml_magics.notebook.present import escape, printable, text_table
from aml_magics.notebook.widgets.cells import GLYPHS, Cell, Column, Drawing
from aml_magics.notebook.widgets.twins import twins

__all__ = ["Snapshot", "counted"]

_TABLE = "border-collapse:collapse;font-size:13px"
_CAPTION = "text-align:left;font-weight:600;padding:4px 8px"
_TH = "padding:3px 8px;font-weight:600;border-bottom:1px solid #888;white-space:nowrap"
_TD = "padding:3px 8px;vertical-align:top;border-bottom:1px solid #8884"
_LONG = 60
_TONES = {"ok": "#388e3c", "bad": "#d32f2f", "run": "#1976d2", "wait": "#757575", "off": "#9e9e9e", "warn": "#f57c00"}


@dataclass(frozen=True)
class Snapshot:
    """The first rows of a table, as plain values."""

    names: Sequence[tuple[str, str]]  # (what a row is called, its key), to choose from
    label: str
    columns: Sequence[Column]
    cells: Sequence[Sequence[Cell]]
    counted: str
    footer: str
    empty: str

    def html(self, at: datetime, *, before_widget: bool = False) -> str:
        """As HTML that says when it was made; ``before_widget`` when the live table is the next output."""
        head = "".join(
            f'<th scope="col" style="{_TH};{_aligned(column)}">{escape(column.heading)}</th>' for column in self.columns
        )
        body = "".join(self._row(row) for row in self.cells) or self._nothing()
        caption = f'<caption style="{_CAPTION}">{escape(self.label)} <span style="font-weight:400">'
        caption += f"{escape(self.counted)}, as of {at:%Y-%m-%d %H:%M:%S %Z}</span></caption>"
        table = f'<table style="{_TABLE}">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        notes = f'<p style="font-size:12px;opacity:.8">{escape(self.footer)}</p>' if self.footer else ""
        rules = twins("aml-static", "aml-table") if before_widget else ""
        return f'{rules}<div class="aml-static" style="overflow-x:auto">{table}{notes}</div>'

    def text(self, at: datetime) -> str:
        """The same facts as text."""
        rows = [[_in_text(cell) for cell in row] for row in self.cells]
        body = (
            text_table([printable(column.heading) for column in self.columns], rows)
            if rows
            else f"({self.empty or 'none'})"
        )
        first = f"{printable(self.label)}: {self.counted}, as of {at:%Y-%m-%d %H:%M:%S %Z}"
        return "\n".join([first, body, *([self.footer] if self.footer else [])])

    def _row(self, row: Sequence[Cell]) -> str:
        return "<tr>" + "".join(_td(cell, column) for cell, column in zip(row, self.columns, strict=True)) + "</tr>"

    def _nothing(self) -> str:
        return f'<tr><td colspan="{len(self.columns)}" style="{_TD}">{escape(self.empty or "none")}</td></tr>'


def counted(shown: int, total: int, noun: str) -> str:
    """``3 of 50 schedules``, ``1 schedule``."""
    things = noun if total == 1 else f"{noun}s"
    return f"{total:,} {things}" if shown == total else f"{shown:,} of {total:,} {things}"


def _picture(drawing: Drawing) -> str:
    """An SVG document; its colours suit light and dark."""
    width = drawing.width if drawing.is_fixed else 120
    paths: dict[str, str] = {}
    for x, y, wide, high, icon in drawing.shapes:
        tone = _TONES.get(icon, _TONES["wait"])
        paths[tone] = f"{paths.get(tone, '')}M{x:g} {y:g}h{wide:g}v{high:g}h-{wide:g}z"
    drawn = "".join(f'<path fill="{tone}" d="{path}"/>' for tone, path in paths.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="16" viewBox="0 0 {drawing.width} 16"'
        f' preserveAspectRatio="none">{drawn}</svg>'
    )


def _td(cell: Cell, column: Column) -> str:
    wrap = "min-width:20em;overflow-wrap:anywhere" if len(cell.text) > _LONG else "white-space:nowrap"
    if drawing := cell.drawing():
        data = base64.b64encode(_picture(drawing).encode()).decode()
        content = f'<img alt="{escape(cell.text)}" src="data:image/svg+xml;base64,{data}">'
    else:
        content = escape(_in_text(cell))
    return f'<td style="{_TD};{_aligned(column)};{wrap}">{content}</td>'


def _aligned(column: Column) -> str:
    return f"text-align:{'right' if column.is_right_aligned else 'left'}"


def _in_text(cell: Cell) -> str:
    return f"{GLYPHS[cell.icon]} {cell.text}" if cell.icon else cell.text
