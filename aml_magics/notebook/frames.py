"""``Table``: a pandas DataFrame with stable columns and dtypes that says what it leaves out.

Columns and dtypes are declared, so an empty list has them too: text is ``string``, numbers are ``Int64`` and
``Float64``, truth values ``boolean``, instants ``datetime64[us, ZONE]`` in the display zone (the trait
``AmlMagics.timezone``, UTC unless set), so that the zone is in the dtype and its offset in every value shown. All of
these are the same in pandas 2.2 and 3.

Shown are the first ``displaylimit`` rows; the data is always complete. Whatever is computed from a Table is a plain
DataFrame: a footer about 213 schedules would be a lie under a filtered frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Literal

import pandas as pd

from aml_magics.notebook.present import cell, html_lines, html_table, printable, text_table

__all__ = ["Columns", "Table", "build"]

Kind = Literal["string", "Int64", "Float64", "boolean", "instant"]
Columns = Mapping[str, Kind]


class Table(pd.DataFrame):
    """A DataFrame whose text and HTML show a caption, at most ``limit`` rows (0: all) and notes below."""

    _metadata = ["_caption", "_notes", "_limit", "_empty"]  # noqa: RUF012 - pandas' own protocol
    _caption: str = ""
    _notes: tuple[str, ...] = ()
    _limit: int = 0
    _empty: str = "none"

    @property
    def _constructor(self) -> Any:  # noqa: ANN401 - as pandas types it
        return pd.DataFrame

    @property
    def notes(self) -> tuple[str, ...]:
        """What the table says below its rows, first how many of them are shown."""
        shown = len(self._shown_rows())
        counted = (f"{shown} of {len(self)} shown; the DataFrame holds all.",) if shown < len(self) else ()
        return counted + self._notes

    def add_notes(self, notes: Iterable[str]) -> None:
        """Say more below the rows."""
        self._notes = (*self._notes, *notes)

    def _shown_rows(self) -> list[list[str]]:
        rows = self if self._limit < 1 else self.iloc[: self._limit]
        return [
            [cell(None if pd.isna(value) else value) for value in row]
            for row in rows.itertuples(index=False, name=None)
        ]

    def __repr__(self) -> str:
        rows = self._shown_rows()
        body = text_table([str(name) for name in self.columns], rows) if rows else f"({printable(self._empty)})"
        caption = [printable(self._caption)] if self._caption else []
        return "\n".join([*caption, body, *map(printable, self.notes)])

    def _repr_html_(self) -> str:
        rows = self._shown_rows()
        empty = html_lines([f"({self._empty})"]) if not rows else ""
        return html_table([str(name) for name in self.columns], rows, self._caption) + empty + html_lines(self.notes)


def build(
    columns: Columns,
    rows: Sequence[Mapping[str, object]],
    *,
    zone: tzinfo,
    caption: str = "",
    notes: Iterable[str] = (),
    limit: int = 0,
    empty: str = "none",
) -> Table:
    """A Table of the declared columns, in their order; what a row does not have is missing there."""
    table = Table({name: _series([row.get(name) for row in rows], kind, zone) for name, kind in columns.items()})
    table._caption = caption
    table._limit = limit
    table._empty = empty
    table.add_notes(notes)
    return table


def _series(values: list[Any], kind: Kind, zone: tzinfo) -> pd.Series[Any]:
    if kind != "instant":
        return pd.Series(values, dtype=kind)
    instants = [value.astimezone(zone) if isinstance(value, datetime) else pd.NaT for value in values]
    return pd.Series(instants, dtype=pd.DatetimeTZDtype("us", tz=zone))
