"""What a column is, and how a value looks in it: plain values that the live table, the fallback and the snapshot share.

A cell is text, first of all: what a filter finds, a screen reader reads and a file keeps. An icon, a sparkline or bars
are drawn beside it or in its place by our own code, from names and numbers; no markup ever comes from data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

import pandas as pd

from aml_magics.notebook.present import moment, printable

__all__ = ["GLYPHS", "Action", "Cell", "Column", "Detail", "DetailTable", "Icon", "Wire", "is_missing"]

Kind: TypeAlias = Literal["text", "number", "time", "status", "drawing"]
Icon: TypeAlias = Literal["", "ok", "bad", "run", "wait", "off", "warn"]
Wire: TypeAlias = str | dict[str, Any]

LONGEST = 400
# What an icon is where it cannot be drawn: a saved notebook, text.
GLYPHS: Mapping[str, str] = {"ok": "✓", "bad": "✗", "run": "▶", "wait": "◷", "off": "‖", "warn": "⚠"}
_ICONS: Mapping[str, Icon] = {
    **dict.fromkeys(("active", "completed", "enabled", "finished", "fired", "ok", "succeeded"), "ok"),
    **dict.fromkeys(("error", "failed", "unreachable"), "bad"),
    **dict.fromkeys(("canceling", "cancelling", "finalizing", "running", "starting"), "run"),
    **dict.fromkeys(("notstarted", "not started", "pending", "preparing", "queued", "waiting"), "wait"),
    **dict.fromkeys(("canceled", "cancelled", "disabled", "skipped"), "off"),
    **dict.fromkeys(("late", "warning"), "warn"),
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """Rectangles (x, y, width, height, icon) in a space 16 high; ``is_fixed``: not stretched over the whole cell."""

    width: int
    shapes: tuple[tuple[float, float, float, float, str], ...]
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: ``text``, an ``icon`` before it, a ``hint`` on hover.

    ``spark`` draws a bar for each number instead of the text: upwards, or below the line when negative (a failure);
    None is a gap. ``bars`` draws a timeline: (start, length, icon) in parts of the cell's width, 0 to 1.
    """

    text: str
    icon: Icon = ""
    hint: str = ""
    spark: tuple[float | None, ...] = ()
    bars: tuple[tuple[float, float, Icon], ...] = ()

    def wire(self) -> Wire:
        """As it is sent: a string when it is nothing but text."""
        drawing = self.drawing()
        drawn = [drawing.width, int(drawing.is_fixed), *map(list, drawing.shapes)] if drawing else None
        more = {name: value for name, value in (("i", self.icon), ("h", self.hint), ("d", drawn)) if value}
        return {"t": self.text, **more} if more else self.text

    def drawing(self) -> Drawing | None:
        """The sparkline or the timeline as rectangles."""
        if self.spark:
            return Drawing(5 * len(self.spark), tuple(_spark_shapes(self.spark)), is_fixed=True)
        bars = [
            (round(100 * start, 1), 4, round(max(1, 100 * length), 1), 8, icon) for start, length, icon in self.bars
        ]
        return Drawing(100, tuple(bars), is_fixed=False) if bars else None


@dataclass(frozen=True)
class Column:
    """A column of the frame as it is shown.

    ``width`` in characters is its least width, ``grow`` its share of what is left over; where there is little room, a
    ``time`` takes two lines and so less of it. ``show`` makes a Cell or a text
    of a value that is there; without it the ``kind`` decides. ``hint`` names another column of the frame, whose text
    shows on hover. A ``drawing`` (``show`` gives sparks or bars) cannot be sorted by.
    """

    name: str
    title: str = ""
    kind: Kind = "text"
    width: int = 10
    grow: int = 1
    align: Literal["", "left", "right"] = ""
    show: Callable[[Any], str | Cell] | None = None
    hint: str = ""

    @property
    def heading(self) -> str:
        return self.title or self.name.replace("_", " ").capitalize()

    @property
    def is_right_aligned(self) -> bool:
        return (self.align or ("right" if self.kind == "number" else "left")) == "right"

    def wire(self) -> dict[str, Any]:
        """What the browser has to know of it, but for its width."""
        look = "right" if self.is_right_aligned else "time" if self.kind == "time" else ""
        return {"title": printable(self.heading), "look": look, "sorts": self.kind != "drawing"}

    @property
    def least(self) -> float:
        """The least width in units of the font's size, with room for an icon."""
        return round(self.width * 0.54 + (2.9 if self.kind == "status" else 1.4), 2)

    def cell(self, value: object, hint: object = None) -> Cell:
        """The value as it is shown. Values that are missing are empty."""
        if is_missing(value):
            return Cell("")
        shown = self.show(value) if self.show else self._by_kind(value)
        made = shown if isinstance(shown, Cell) else Cell(shown)
        return Cell(
            text=_short(made.text),
            icon=made.icon,
            hint=_short(made.hint or ("" if is_missing(hint) else str(hint))),
            spark=made.spark,
            bars=made.bars,
        )

    def text(self, value: object) -> str:
        """The text of the cell alone, for a value that is there."""
        shown = self.show(value) if self.show else self._by_kind(value)
        return _short(shown.text if isinstance(shown, Cell) else shown)

    def _by_kind(self, value: object) -> str | Cell:
        if self.kind == "status":
            return Cell(str(value), icon=_ICONS.get(str(value).casefold(), ""))
        if isinstance(value, datetime):
            return moment(value)
        if self.kind == "number" and isinstance(value, int | float):
            return f"{value:,.3f}".rstrip("0").rstrip(".")
        return str(value)


@dataclass(frozen=True)
class Action:
    """A button in each row for which ``when`` is true of the row's values (a mapping by column of the frame)."""

    name: str
    label: str
    when: Callable[[Mapping[str, Any]], bool] = field(default=lambda _row: True)


@dataclass(frozen=True)
class DetailTable:
    """A small table in the detail area; cells are texts or Cells."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]

    def wire(self) -> dict[str, Any]:
        cells = [[one.wire() if isinstance(one, Cell) else printable(one) for one in row] for row in self.rows]
        return {"title": printable(self.title), "columns": [*map(printable, self.columns)], "rows": cells}


@dataclass(frozen=True)
class Detail:
    """What shows below the table while a row is open.

    ``fields`` are (name, text) pairs, each with a button that copies the text when its name is in ``copy``. ``log`` is
    None for no log, a text for one that ``Table.append_log`` adds to. ``actions`` are buttons for the open row. ``key``
    is the row that this is about: when another row was opened meanwhile, the detail is dropped.
    """

    title: str
    fields: Sequence[tuple[str, str]] = ()
    tables: Sequence[DetailTable] = ()
    log: str | None = None
    actions: Sequence[Action] = ()
    copy: Sequence[str] = ()
    key: str = ""

    @property
    def action_names(self) -> set[str]:
        return {action.name for action in self.actions}

    def wire(self) -> dict[str, Any]:
        """As it is sent, but for the log."""
        return {
            "title": printable(self.title),
            "fields": [[printable(name), printable(text), int(name in self.copy)] for name, text in self.fields],
            "tables": [table.wire() for table in self.tables],
            "actions": [[action.name, action.label] for action in self.actions],
            "log": int(self.log is not None),
        }


def _spark_shapes(values: Sequence[float | None]) -> Iterator[tuple[float, float, float, float, str]]:
    top = max((value for value in values if value is not None), default=0) or 1
    for place, value in enumerate(values):
        if value is not None and value < 0:
            yield 5 * place, 11.5, 4, 4, "bad"
        elif value is not None:
            height = round(max(1, value / top * 10), 1)
            yield 5 * place, round(10.5 - height, 1), 4, height, "ok"


def is_missing(value: object) -> bool:
    """None, NaN, NaT and pandas' NA; never a list or a mapping."""
    return value is None or (not isinstance(value, list | tuple | dict | set) and bool(pd.isna(value)))  # type: ignore[call-overload]


def _short(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
