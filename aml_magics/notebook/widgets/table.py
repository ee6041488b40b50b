"""``Table``: a pandas DataFrame as a live table in a notebook, the same object from Python and from the browser.

::

    table = Table(frame, columns=[Column("name", grow=2), Column("status", kind="status")], key="id",
                  actions=[Action("disable", "Disable", when=lambda row: row["status"] == "Active")],
                  on_action=lambda action, key: background.spawn(disable(key)), label="Schedules", noun="schedule")
    table                        # at the end of a cell: a snapshot for the file, and the live table, which hides it
    table.update(other_frame)    # from any thread: one message with what changed of what is in sight
    table.frame, table.selected  # the rows shown, in the order shown; the rows selected
    table.sort = ("name", True); table.filter = "nightly"

Who owns what: the table holds the data and every fact about how it is shown; a *face* (``live`` or ``fallback``) shows
it and passes on what a person does. All state is under one lock, held only for short work in memory and for handing a
message to the kernel; handlers of the panel are called outside of it, in whatever thread the browser's message came.
They hand their work on and may return its future: the button shows that it is pending until the future is done. What
a handler or its future raises is shown in the table's error strip, since nobody would see it anywhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from aml_magics.notebook.present import printable
from aml_magics.notebook.widgets.cells import Action, Column, Detail
from aml_magics.notebook.widgets.gestures import Gestures, Handlers, in_one_line
from aml_magics.notebook.widgets.picture import Picture, difference
from aml_magics.notebook.widgets.rows import Rows, Sort
from aml_magics.notebook.widgets.state import State
from aml_magics.notebook.widgets.static import Snapshot, counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Face", "Table"]

_BREATH = 0.001  # seconds
_SHRINK = {"time": 0.36, "text": 0.31}  # where there is little room an instant takes two lines, a text is cut earlier


class Face(Protocol):
    """What shows a table and is told of every difference."""

    def tell(self, patch: Picture) -> None: ...
    def show(self) -> None: ...
    def close(self) -> None: ...


class Table:
    """A view of ``frame``: one row per value of the column ``key``, the ``columns`` as declared.

    ``on_action(action, key)`` is called for a button, ``on_open(key)`` when a row is opened (without it no row opens),
    ``on_shut()`` when it is closed, ``on_close()`` once, when the table is. ``named(row)`` gives what a row is called
    where it is not seen as a whole (labels of its buttons, the heading of its details), unlike any other; without it,
    its first cell, and its key where several rows have that.
    ``height`` is in rows, ``noun`` is what one row is, ``empty`` shows when there is none, ``footer`` below. Functions
    of values or rows are asked once for values that look the same. Raises InvalidInput when a column is missing or the
    key does not tell rows apart.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        columns: Sequence[Column],
        key: str,
        actions: Sequence[Action] = (),
        on_action: Callable[[str, str], Future[Any] | None] | None = None,
        on_open: Callable[[str], object] | None = None,
        on_shut: Callable[[], object] | None = None,
        on_close: Callable[[], object] | None = None,
        named: Callable[[Mapping[Any, Any]], str] | None = None,
        label: str = "Table",
        noun: str = "row",
        height: int = 14,
        empty: str = "",
        footer: str = "",
    ) -> None:
        self.label, self.noun, self.height, self.empty = label, noun, height, empty
        self.columns, self.actions = tuple(columns), tuple(actions)
        self._lock = threading.RLock()
        self._rows = Rows(frame, self.columns, key, self.actions, named)
        self._state = State(self._rows, self.columns, height=height, noun=noun, empty=empty, footer=footer)
        self.opens = on_open is not None
        handlers = Handlers(action=on_action, open=on_open, shut=on_shut)
        self._gestures = Gestures(self._state, self._lock, self._tell, handlers)
        self._on_close = on_close
        self._is_closed = self._is_searching = False
        self._face: Face | None = None
        self._version = 0
        self._picture = self._state.picture()

    # The data and how it is shown

    @property
    def frame(self) -> pd.DataFrame:
        """The data shown: filtered, and in the order shown."""
        with self._lock:
            self._rows.search_all()
            return self._rows.frame

    @property
    def selected(self) -> pd.DataFrame:
        """The selected rows, whether the filter shows them or not, in the frame's own order."""
        with self._lock:
            return self._rows.subset(self._state.selected)

    @property
    def selected_keys(self) -> list[str]:
        """The keys of the selected rows, in the order in which they were selected."""
        with self._lock:
            return list(self._state.selected)

    def select(self, keys: Iterable[str]) -> None:
        """Select these rows and no others; keys that are not there are left out."""
        with self._lock:
            self._state.select(keys)
            self._tell()

    @property
    def sort(self) -> Sort:
        """(column, ascending), or None for the order of the frame. Settable."""
        return self._rows.sort

    @sort.setter
    def sort(self, sort: Sort) -> None:
        with self._lock:
            self._rows.sort_by(sort)
            self._tell()

    @property
    def filter(self) -> str:
        """Words that must all occur in a row for it to be shown. Settable."""
        return self._rows.filter

    @filter.setter
    def filter(self, text: str) -> None:
        with self._lock:
            self._rows.filter_by(text)
            self._rows.search_all()
            self._tell()

    def update(self, frame: pd.DataFrame, *, footer: str | None = None) -> None:
        """Show other data, and another footer, in one message about what is in sight. From any thread.

        Raises InvalidInput, and changes nothing, as the constructor does.
        """
        with self._lock:
            self._rows.replace(frame)
            self._state.footer = self._state.footer if footer is None else printable(footer)
            self._state.select(self._state.selected)
            self._tell()

    # What is said around it

    @property
    def error(self) -> str:
        """What the error strip says; empty when there is none. Settable, also to an exception."""
        return self._state.error

    @error.setter
    def error(self, error: str | BaseException) -> None:
        with self._lock:
            self._state.error = in_one_line(error)
            self._tell()

    @property
    def footer(self) -> str:
        """The line below the table. Settable."""
        return self._state.footer

    @footer.setter
    def footer(self, text: str) -> None:
        with self._lock:
            self._state.footer = printable(text)
            self._tell()

    def pending(self, key: str, action: str) -> None:
        """Show that an action is under way, until ``settled``."""
        with self._lock:
            self._state.busy[key, action] = True
            self._tell()

    def settled(self, key: str, action: str) -> None:
        """The action is no longer under way."""
        with self._lock:
            self._state.busy.pop((key, action), None)
            self._tell()

    # The open row

    @property
    def opened(self) -> str:
        """The key of the row that is open; empty when none is."""
        return self._state.opened

    @property
    def detail(self) -> Detail | None:
        """What shows below the table. Settable; None closes it; one about another row than the open one is dropped."""
        return self._state.detail

    @detail.setter
    def detail(self, detail: Detail | None) -> None:
        with self._lock:
            self._state.show(detail)
            self._tell()

    @property
    def log(self) -> str:
        """The log that shows, its last 200,000 characters."""
        return self._state.log

    def append_log(self, text: str, key: str = "") -> None:
        """Add to the log of the detail that shows; nothing when it has none, or when it is not about ``key``."""
        with self._lock:
            if added := self._state.add_to_log(text, key):
                self._picture["log"] = self._state.log
                self._send({"more": added})

    # What a face asks for

    def spec(self) -> dict[str, Any]:
        """What never changes, for a browser."""
        # In the first cell there is room for the button that opens the row. Where there is little, --narrow is 1.
        wide = [column.least + (0 if place else 1.4) for place, column in enumerate(self.columns)]
        less = [width * _SHRINK.get(column.kind, 0) for width, column in zip(wide, self.columns, strict=True)]
        shares = [column.grow or 0.01 for column in self.columns]
        return {
            "label": printable(self.label),
            "height": self.height,
            "columns": [column.wire() for column in self.columns],
            "layout": " ".join(
                f"minmax({_least(*widths)}, {share}fr)" for *widths, share in zip(wide, less, shares, strict=True)
            ),
            "least": _least(sum(wide), sum(less)),
            "actions": {action.name: printable(action.label) for action in self.actions},
            "opens": self.opens,
        }

    def picture(self) -> Picture:
        """What a browser that knows nothing has to be told: the state after everything sent so far."""
        with self._lock:
            return {**self._picture, "v": self._version}

    def receive(self, message: Mapping[str, Any]) -> None:
        """What a person did, as a face reports it. Never raises."""
        self._gestures.receive(message)

    def face(self, make: Callable[[Table], Face]) -> Face:
        """The one face of this table, made by ``make`` the first time."""
        with self._lock:
            if self._face is None:
                self._face = make(self)
            return self._face

    def close(self) -> None:
        """Take the live table away; the data stays readable from Python. Twice is harmless."""
        with self._lock:
            face, self._face = self._face, None
            was_closed, self._is_closed = self._is_closed, True
        if face is not None:
            face.close()
        if self._on_close is not None and not was_closed:
            self._on_close()

    def _tell(self, question: object = None, *always: str, whole: bool = False) -> None:
        """Send what is new; the answer to a question is sent even when nothing is. Call it with the lock held."""
        new = self._state.picture()
        patch: Picture = {"whole": new} if whole else difference(self._picture, new, always)
        self._picture = new
        if patch or question is not None:
            self._send(patch if question is None else {**patch, "q": question})
        if self._rows.is_searching and not (self._is_searching or self._is_closed):
            self._is_searching = True
            threading.Thread(target=self._search_on, name="aml-table-search", daemon=True).start()

    def _search_on(self) -> None:
        """Search what would have kept a person waiting, a slice at a time: others get the lock in between."""
        steps = self._rows.search_on()
        while self._is_searching:
            with self._lock:
                try:
                    self._is_searching = not self._is_closed and next(steps, False)
                except Exception as error:  # noqa: BLE001 - of the panel's own functions: nobody else would say it
                    self._is_searching = False
                    self._state.error = in_one_line(error)
                if not self._is_searching:
                    self._tell()
            time.sleep(_BREATH)  # on a thread of its own: nobody waits for it

    def _send(self, patch: Picture) -> None:
        self._version += 1
        if self._face is not None:
            self._face.tell({"v": self._version, **patch})

    # How it is displayed

    def snapshot(self, rows: int = 25, start: int = 0) -> Snapshot:
        """A page of the rows as shown, for what has no kernel."""
        with self._lock:
            names, cells = self._rows.names(start, start + rows), self._rows.cells(start, start + rows)
            return Snapshot(
                names=names,
                label=self.label,
                columns=self.columns,
                cells=cells,
                counted=counted(len(cells), self._rows.total, self.noun),
                footer=self._state.footer,
                empty=self.empty,
            )

    def __repr__(self) -> str:
        return f"<Table {self.label!r}: {counted(self._rows.count, self._rows.total, self.noun)}>"

    def _ipython_display_(self) -> None:
        from aml_magics.notebook.widgets.display import display_table  # noqa: PLC0415 - a face is imported when shown

        display_table(self)


def _least(wide: float, less: float) -> str:
    return f"calc({wide:.2f}em - {less:.2f}em * var(--narrow, 0))"
