"""The rows of a DataFrame in the order in which they are shown, and the part of them that is in sight.

Nothing here costs more for being asked often. A frame that takes the place of another is compared with it, column by
column and each in one go: the same keys are not looked at again, a sort is worked out again only when its column has
changed, a filter (``search``) searches anew only what has. What is in sight is some forty rows, cut out by position;
cells are made for those only, and only for values that have not been in sight lately.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.notebook.present import printable
from aml_magics.notebook.widgets.cells import Action, Cell, Column, Wire, is_missing
from aml_magics.notebook.widgets.search import Search, is_same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Order: TypeAlias = NDArray[np.intp]

__all__ = ["Row", "Rows", "Sort"]

Sort: TypeAlias = tuple[str, bool] | None
Row: TypeAlias = list[Any]  # [the cells, the names of the actions that apply, its name if it is not the first cell's]

_MOST_REMEMBERED = 5_000  # cells
_IS_COPIED_AT_ONCE = int(pd.__version__.split(".")[0]) < 3  # newer ones copy a column when somebody writes to it


class Rows:
    """A frame, its columns, and the order that filter and sort give it. Not thread-safe: the Table is."""

    def __init__(
        self,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        key: str,
        actions: Sequence[Action],
        named: Callable[[Mapping[Any, Any]], str] | None = None,
    ) -> None:
        self.columns = columns
        self._named = named
        self.sort: Sort = None
        self.filter = ""
        self._key = key
        self._actions = actions
        self._search = Search(columns)
        self._keys: pd.Series[Any] | None = None
        self._first: pd.Series[Any] | None = None
        self._shared: set[object] = set()
        self._sorted: tuple[Sort, pd.Series[Any], Order] | None = None
        self._memo: dict[Any, Wire] = {}
        self.replace(frame)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows that are shown, in the order shown."""
        return self._part()

    @property
    def count(self) -> int:
        """How many rows the filter leaves."""
        return len(self._frame) if self._order is None else len(self._order)

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
        own = frame.copy(deep=_IS_COPIED_AT_ONCE)
        self._replace_keys(own[self._key])
        self._replace_first(own[self.columns[0].name])
        self._frame = own
        self.arrange()

    def _replace_keys(self, keys: pd.Series[Any]) -> None:
        """Most often they are the same, which is quickly seen."""
        if is_same(self._keys, keys):
            return
        if not keys.is_unique:
            message = f"two rows of the table's frame have the key {str(keys[keys.duplicated()].iloc[0])!r}"
            raise InvalidInput(message, hint=f"The column {self._key!r} has to tell rows apart.")
        self._keys = keys
        self._places: dict[str, int] | None = None

    def _replace_first(self, first: pd.Series[Any]) -> None:
        """Which names are no names, because several rows have them."""
        if is_same(self._first, first):
            return
        self._first, self._shared = first, set()
        with suppress(TypeError):  # values that have no hash are taken to be different
            self._shared = set(first[first.duplicated()].to_list())

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
        order = self._sorted_by(self.sort) if self.sort is not None else None
        if words := self.filter.casefold().split():
            self._search.follow(self._frame)
            hits = self._search.hits(words, len(self._frame))
            order = np.flatnonzero(hits) if order is None else order[hits[order]]
        self._order = order

    @property
    def is_searching(self) -> bool:
        """Whether there are texts that the filter has not seen yet."""
        return bool(self.filter) and self._search.is_behind

    def search_on(self) -> Iterator[bool]:
        """Search what has not been searched yet: a few milliseconds for each step, and at the end the order."""
        yield from self._search.catch_up()
        self.arrange()

    def search_all(self) -> None:
        """Search what has not been searched yet, now."""
        if self.is_searching:
            list(self.search_on())

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
        return list(map(str, self._part(start, stop)[self._key].to_list()))

    def names(self, start: int, stop: int) -> list[tuple[str, str]]:
        """(name, key) of the rows shown, from one place to another."""
        part = self._part(start, stop).to_dict("records")
        return [(self._name_in(values), str(values[self._key])) for values in part]

    def name(self, key: str) -> str:
        """What a row is called."""
        values = self.row_of(key)
        return key if values is None else self._name_in(values)

    def window(self, start: int, length: int) -> dict[str, Row]:
        """The rows in sight by key, in the order shown."""
        if len(self._memo) > _MOST_REMEMBERED:
            self._memo.clear()
        part = self._part(start, start + length)
        return {str(values[self._key]): self._row(values) for values in part.to_dict("records")}

    def cells(self, start: int, stop: int) -> list[list[Cell]]:
        """The cells of the rows shown, from one place to another."""
        part = self._part(start, stop)
        return [[self._cell(column, values) for column in self.columns] for values in part.to_dict("records")]

    def applies(self, action: str, key: str) -> bool:
        """Whether a row is there and has this action."""
        values = self.row_of(key)
        return values is not None and any(one.name == action and one.when(values) for one in self._actions)

    @property
    def places(self) -> dict[str, int]:
        if self._places is None:
            self._places = {str(key): place for place, key in enumerate(self._frame[self._key].to_list())}
        return self._places

    def _part(self, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        """The rows shown from one place to another."""
        return self._frame.iloc[start:stop] if self._order is None else self._frame.iloc[self._order[start:stop]]

    def _row(self, values: dict[Any, Any]) -> Row:
        cells = [self._wire(place, column, values) for place, column in enumerate(self.columns)]
        return [cells, [action.name for action in self._actions if action.when(values)], *self._own_name(values)]

    def _wire(self, place: int, column: Column, values: Mapping[Any, Any]) -> Wire:
        """The cell as it is sent. Values that look the same are made into one once."""
        look = place, _look(values[column.name]), _look(values[column.hint]) if column.hint else None
        if look not in self._memo:
            self._memo[look] = self._cell(column, values).wire()
        return self._memo[look]

    def _own_name(self, values: Mapping[Any, Any]) -> list[str]:
        """What a row is called, if it is not called what its first cell says."""
        if self._named is not None:
            return [printable(self._named(values))]
        value, key = values[self.columns[0].name], str(values[self._key])
        if is_missing(value):
            return [printable(key)]
        if isinstance(value, Hashable) and value in self._shared:
            return [printable(f"{self._cell(self.columns[0], values).text}, {_short(key)}")]
        return []

    def _name_in(self, values: Mapping[Any, Any]) -> str:
        return [*self._own_name(values), self._cell(self.columns[0], values).text][0]

    @staticmethod
    def _cell(column: Column, values: Mapping[Any, Any]) -> Cell:
        return column.cell(values[column.name], values[column.hint] if column.hint else None)

    def _sorted_by(self, sort: tuple[str, bool]) -> Order:
        """All rows in this order; worked out again only when the column has changed."""
        series = self._frame[sort[0]].reset_index(drop=True)
        if self._sorted is None or self._sorted[0] != sort or not is_same(self._sorted[1], series):
            self._sorted = sort, series, self._order_of(series, *sort)
        return self._sorted[2]

    def _order_of(self, series: pd.Series[Any], name: str, ascending: bool) -> Order:
        try:
            return _sort(series, ascending).index.to_numpy()
        except TypeError:  # values of several types: by what is shown of them
            column = next(one for one in self.columns if one.name == name)
            return _sort(series.map(lambda value: column.cell(value).text), ascending).index.to_numpy()


def _sort(series: pd.Series[Any], ascending: bool) -> pd.Series[Any]:
    return series.sort_values(ascending=ascending, kind="stable", key=_without_case, na_position="last")


def _without_case(series: pd.Series[Any]) -> pd.Series[Any]:
    return series.str.casefold() if is_string_dtype(series) else series


def _short(key: str) -> str:
    """Of a GUID what tells it apart for people."""
    return key if len(key) < 32 else key[:8]


def _look(value: object) -> object:
    """What two values have in common when they look the same: 1 and True do not, nor one instant in two zones."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return tuple(map(_look, value))
    if isinstance(value, datetime):
        return value, value.tzinfo
    return (type(value), value) if isinstance(value, int | float | None) else object()
