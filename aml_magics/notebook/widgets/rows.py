"""The rows of a DataFrame in the order in which they are shown, and the part of them that is in sight.

Nothing here costs more for being asked often: the whole frame is touched when it is replaced, filtered or sorted, while
what is in sight is some forty rows, cut out by position. Texts are made for those only; a filter makes them for
every distinct value once, and keeps them as long as the column stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pandas.api.types import is_string_dtype

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.notebook.widgets.cells import Action, Cell, Column, Wire, is_missing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Row", "Rows", "Sort"]

Sort: TypeAlias = tuple[str, bool] | None
Row: TypeAlias = list[Any]  # [the cells, the names of the actions that apply]


class Rows:
    """A frame, its columns, and the order that filter and sort give it. Not thread-safe: the Table is."""

    def __init__(self, frame: pd.DataFrame, columns: Sequence[Column], key: str, actions: Sequence[Action]) -> None:
        self.columns = columns
        self.sort: Sort = None
        self.filter = ""
        self._key = key
        self._actions = actions
        self._texts: dict[str, tuple[pd.Series[Any], list[str], list[int]]] = {}
        self.replace(frame)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows that are shown, in the order shown."""
        return self._frame.iloc[list(self._order)]

    @property
    def count(self) -> int:
        """How many rows the filter leaves."""
        return len(self._order)

    @property
    def total(self) -> int:
        return len(self._frame)

    def replace(self, frame: pd.DataFrame) -> None:
        """Show other data. InvalidInput, and nothing changes, when a column is missing or two rows have one key."""
        wanted = {self._key, *(column.name for column in self.columns)}
        wanted |= {column.hint for column in self.columns if column.hint}
        if missing := sorted(wanted - set(frame.columns)):
            message = f"the table's frame has no column {missing[0]!r}"
            raise InvalidInput(message, hint=did_you_mean(missing[0], map(str, frame.columns)))
        keys = frame[self._key]
        if not keys.is_unique:
            message = f"two rows of the table's frame have the key {str(keys[keys.duplicated()].iloc[0])!r}"
            raise InvalidInput(message, hint=f"The column {self._key!r} has to tell rows apart.")
        self._frame = frame.copy()
        self._places: dict[str, int] | None = None
        self.arrange()

    def sort_by(self, sort: Sort) -> None:
        """Sort by (column, ascending), or as the frame is. InvalidInput names a column that cannot be sorted by."""
        sortable = [column.name for column in self.columns if column.kind != "drawing"]
        if sort is not None and sort[0] not in sortable:
            message = f"the table cannot be sorted by {sort[0]!r}"
            raise InvalidInput(message, hint=did_you_mean(str(sort[0]), sortable))
        self.sort = None if sort is None else (sort[0], bool(sort[1]))
        self.arrange()

    def filter_by(self, text: str) -> None:
        """Leave only the rows in which every word of ``text`` occurs, whatever its case; drawings are not searched."""
        self.filter = text
        self.arrange()

    def arrange(self) -> None:
        """Work out which rows are shown, in which order."""
        self._order: Sequence[int] = range(len(self._frame))
        if words := self.filter.casefold().split():
            hits = self._hits(words)
            self._order = [place for place in self._order if hits[place]]
        if self.sort is not None:
            self._order = self._sorted(*self.sort)

    def row_of(self, key: str) -> dict[Any, Any] | None:
        """The values of one row by column, or None when it is not there."""
        place = self.places.get(key)
        return None if place is None else dict(self._frame.iloc[[place]].to_dict("records")[0])

    def has(self, key: str) -> bool:
        return key in self.places

    def subset(self, keys: Iterable[str]) -> pd.DataFrame:
        """The rows with these keys, in the frame's own order."""
        return self._frame.iloc[sorted(self.places[key] for key in keys if key in self.places)]

    def keys(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The keys of the rows shown, from one place to another."""
        return self._frame[self._key].iloc[list(self._order[start:stop])].map(str).to_list()

    def window(self, start: int, length: int) -> dict[str, Row]:
        """The rows in sight by key, in the order shown."""
        part = self._frame.iloc[list(self._order[start : start + length])]
        return {str(values[self._key]): self._row(values) for values in part.to_dict("records")}

    def cells(self, start: int, stop: int) -> list[list[Cell]]:
        """The cells of the rows shown, from one place to another."""
        part = self._frame.iloc[list(self._order[start:stop])]
        return [[self._cell(column, values) for column in self.columns] for values in part.to_dict("records")]

    def applies(self, action: str, key: str) -> bool:
        """Whether a row is there and has this action."""
        values = self.row_of(key)
        return values is not None and any(one.name == action and one.when(values) for one in self._actions)

    @property
    def places(self) -> dict[str, int]:
        if self._places is None:
            self._places = {key: place for place, key in enumerate(self._frame[self._key].map(str))}
        return self._places

    def _row(self, values: dict[Any, Any]) -> Row:
        cells: list[Wire] = [self._cell(column, values).wire() for column in self.columns]
        return [cells, [action.name for action in self._actions if action.when(values)]]

    @staticmethod
    def _cell(column: Column, values: Mapping[Any, Any]) -> Cell:
        return column.cell(values[column.name], values[column.hint] if column.hint else None)

    def _sorted(self, name: str, ascending: bool) -> list[int]:
        series = self._frame[name].reset_index(drop=True).iloc[list(self._order)]
        try:
            return list(_sort(series, ascending).index)
        except TypeError:  # values of several types: by what is shown of them
            column = next(one for one in self.columns if one.name == name)
            return list(_sort(series.map(lambda value: column.cell(value).text), ascending).index)

    def _hits(self, words: Sequence[str]) -> list[bool]:
        columns = [self._texts_of(column) for column in self.columns if column.kind != "drawing"]
        hits = [True] * len(self._frame)
        for word in words:
            found = [[word in text for text in texts] for texts, _codes in columns]
            per_row = [[by_text[code] for code in codes] for by_text, (_, codes) in zip(found, columns, strict=True)]
            hits = [hit and any(there) for hit, *there in zip(hits, *per_row, strict=True)]
        return hits

    def _texts_of(self, column: Column) -> tuple[list[str], list[int]]:
        """The distinct texts of a column, casefolded, and for each row which of them it has."""
        series = self._frame[column.name]
        known = self._texts.get(column.name)
        if known is not None and known[0].equals(series):
            return known[1], known[2]
        texts: dict[str, int] = {}
        codes = [texts.setdefault(text, len(texts)) for text in _texts(column, series)]
        self._texts[column.name] = (series, list(texts), codes)
        return list(texts), codes


def _sort(series: pd.Series[Any], ascending: bool) -> pd.Series[Any]:
    return series.sort_values(ascending=ascending, kind="stable", key=_without_case, na_position="last")


def _without_case(series: pd.Series[Any]) -> pd.Series[Any]:
    return series.str.casefold() if is_string_dtype(series) else series


def _texts(column: Column, series: pd.Series[Any]) -> Iterable[str]:
    if column.show is None and is_string_dtype(series):  # ten times faster than one by one
        return series.fillna("").str.casefold()
    memo: dict[Any, str] = {}
    return (_text(column, value, memo) for value in series)


def _text(column: Column, value: object, memo: dict[Any, str]) -> str:
    if is_missing(value):
        return ""
    try:
        if value not in memo:
            memo[value] = column.cell(value).text.casefold()
        return memo[value]
    except TypeError:  # a value that cannot be a key
        return column.cell(value).text.casefold()
