"""What a filter searches: the texts of each column, made once for every distinct value and kept as long as it is there.

Most columns are indexed in a few milliseconds however long they are. A column of many distinct values whose texts are
made one by one, such as instants, takes a microsecond or ten for each: it is *behind* until ``catch_up`` has been
called for it, which may be done in slices and elsewhere. Until then its unmade texts are not found.

An index holds the column that it was made of and compares the next one with it; the same column costs nothing, a
changed one costs the texts of its new values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype

from aml_magics.notebook.widgets.cells import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Search", "is_same"]

_AT_ONCE = 10_000  # so many texts made one by one let nobody wait
_SLICE = 500


class Search:
    """The indices of all columns but drawings. ``follow`` tells it the frame, ``hits`` searches."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._indices = [_Index(column) for column in columns if column.kind != "drawing"]

    @property
    def is_behind(self) -> bool:
        """Whether texts are still to be made."""
        return any(index.is_behind for index in self._indices)

    def follow(self, frame: pd.DataFrame) -> None:
        """Search this frame from now on."""
        for index in self._indices:
            index.follow(frame[index.column.name])

    def hits(self, words: Sequence[str], rows: int) -> NDArray[np.bool_]:
        """For each row whether all words occur in it, each in any column. Words are casefolded."""
        hits = np.ones(rows, dtype=bool)
        for word in words:
            hits &= np.logical_or.reduce([index.has(word) for index in self._indices])
        return hits

    def catch_up(self) -> Iterator[bool]:
        """Make what is to be made, a slice for each step; whoever steps may let others in between."""
        for index in self._indices:
            yield from index.catch_up()


class _Index:
    """One column: its distinct values, their texts, and for each row which of them it has (-1, the last, is none)."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self._series: pd.Series[Any] | None = None
        self._values: pd.Index[Any] = pd.Index([])
        self._codes: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._texts: NDArray[np.object_] = np.array([""], dtype=object)
        self._unmade: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._found: dict[str, NDArray[np.bool_]] = {}

    @property
    def is_behind(self) -> bool:
        return len(self._unmade) > 0

    def follow(self, series: pd.Series[Any]) -> None:
        if is_same(self._series, series):
            return
        self._series, self._found = series, {}
        codes, values = _distinct(series)
        known = _places_in(self._values, values)
        texts = np.full(len(values) + 1, "", dtype=object)
        texts[:-1][known >= 0] = self._texts[known[known >= 0]]
        known[np.isin(known, self._unmade)] = -1
        self._codes, self._values, self._texts = codes, values, texts
        self._unmade = np.flatnonzero(known < 0)
        if is_string_dtype(values) and self.column.show is None:
            self._texts[self._unmade] = [str(value).casefold() for value in values[self._unmade].tolist()]
            self._unmade = self._unmade[:0]
        elif len(self._unmade) <= _AT_ONCE:
            self._make(_AT_ONCE)

    def has(self, word: str) -> NDArray[np.bool_]:
        """For each row whether the word occurs in its text."""
        if word not in self._found:
            by_text = np.fromiter((word in text for text in self._texts.tolist()), bool, len(self._texts))
            self._found[word] = by_text[self._codes]
        return self._found[word]

    def catch_up(self) -> Iterator[bool]:
        while self.is_behind:
            self._make(_SLICE)
            yield True
        self._found = {}

    def _make(self, number: int) -> None:
        places, self._unmade = self._unmade[:number], self._unmade[number:]
        self._texts[places] = [self.column.text(value).casefold() for value in self._values[places]]


def _distinct(series: pd.Series[Any]) -> tuple[NDArray[np.intp], pd.Index[Any]]:
    """For each row the place of its value, and the values."""
    try:
        return pd.factorize(series)
    except TypeError:  # values that have no hash are taken to be different
        return np.arange(len(series)), pd.Index(series.to_list(), dtype=object)


def _places_in(old: pd.Index[Any], new: pd.Index[Any]) -> NDArray[np.intp]:
    """For each new value where it is among the old ones, or -1."""
    with suppress(TypeError, pd.errors.InvalidIndexError):  # see above
        if old.dtype == new.dtype:  # the zone of instants is part of it
            return old.get_indexer(new)
    return np.full(len(new), -1)


def is_same(old: pd.Series[Any] | None, new: pd.Series[Any]) -> bool:
    """Whether a column holds what another one holds.

    Columns of Arrow that share their array do, and need not be looked at: each look lets other threads have the
    interpreter, which a busy cell gives back milliseconds later. The attribute is private to pandas: without it,
    a look is taken.
    """
    if old is None:
        return False
    arrow = getattr(old.array, "_pa_array", None)
    return (arrow is not None and arrow is getattr(new.array, "_pa_array", None)) or old.equals(new)
