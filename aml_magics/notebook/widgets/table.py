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
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import pandas as pd

from aml_magics.model.secret import redacted
from aml_magics.notebook.present import printable
from aml_magics.notebook.widgets import static
from aml_magics.notebook.widgets.cells import Action, Column, Detail
from aml_magics.notebook.widgets.picture import Picture, difference
from aml_magics.notebook.widgets.rows import Rows, Sort

__all__ = ["Face", "Table"]

_LONGEST_LOG = 200_000  # characters; what is older is dropped, here and in the browser
_MOST_IN_SIGHT = 400


class Face(Protocol):
    """What shows a table: told of each difference as soon as it is displayed."""

    def tell(self, patch: Picture) -> None: ...
    def show(self) -> None: ...
    def close(self) -> None: ...


class Table:
    """A view of ``frame``: one row per value of the column ``key``, the ``columns`` as declared.

    ``on_action(action, key)`` is called for a button, ``on_open(key)`` when a row is opened (without it no row opens),
    ``on_close()`` when it is closed. ``height`` is in rows; ``noun`` is what one row is. Raises InvalidInput when a
    column is missing from the frame or the key does not tell rows apart.
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
        on_close: Callable[[], object] | None = None,
        label: str = "Table",
        noun: str = "row",
        height: int = 14,
        empty: str = "",
        footer: str = "",
    ) -> None:
        self.label, self.noun, self.height, self.empty = label, noun, height, empty
        self.columns, self.actions = tuple(columns), tuple(actions)
        self.id = uuid.uuid4().hex[:12]
        self._on_action, self._on_open, self._on_close = on_action, on_open, on_close
        self._lock = threading.RLock()
        self._rows = Rows(frame, self.columns, key, self.actions)
        self._start, self._length = 0, height * 3
        self._selected: dict[str, None] = {}
        self._anchor = ""
        self._busy: dict[tuple[str, str], bool] = {}  # whether it stays until settled
        self._error, self._footer, self._opened = "", printable(footer), ""
        self._detail: Detail | None = None
        self._log = ""
        self._face: Face | None = None
        self._version = 0
        self._picture = self._look()

    # What Python sees

    @property
    def frame(self) -> pd.DataFrame:
        """The data shown: filtered, and in the order shown."""
        with self._lock:
            return self._rows.frame

    @property
    def selected(self) -> pd.DataFrame:
        """The selected rows, whether the filter shows them or not, in the frame's own order."""
        with self._lock:
            return self._rows.subset(self._selected)

    @property
    def selected_keys(self) -> list[str]:
        """The keys of the selected rows, in the order in which they were selected."""
        with self._lock:
            return [key for key in self._selected if self._rows.has(key)]

    def select(self, keys: Iterable[str]) -> None:
        """Select these rows and no others; keys that are not there are left out."""
        with self._lock:
            self._selected = {key: None for key in keys if self._rows.has(key)}
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
            self._tell()

    @property
    def error(self) -> str:
        """What the error strip says; empty when there is none. Settable."""
        return self._error

    @error.setter
    def error(self, error: str | BaseException) -> None:
        with self._lock:
            self._error = _in_one_line(error)
            self._tell()

    @property
    def footer(self) -> str:
        """The line below the table. Settable."""
        return self._footer

    @footer.setter
    def footer(self, text: str) -> None:
        with self._lock:
            self._footer = printable(text)
            self._tell()

    def update(self, frame: pd.DataFrame, *, footer: str | None = None) -> None:
        """Show other data, and another footer, in one message about what is in sight. From any thread.

        Raises InvalidInput, and changes nothing, as the constructor does.
        """
        with self._lock:
            self._rows.replace(frame)
            self._footer = self._footer if footer is None else printable(footer)
            self._selected = {key: None for key in self._selected if self._rows.has(key)}
            self._tell()

    def pending(self, key: str, action: str) -> None:
        """Show that an action is under way, until ``settled``."""
        with self._lock:
            self._busy[key, action] = True
            self._tell()

    def settled(self, key: str, action: str) -> None:
        """The action is no longer under way."""
        with self._lock:
            self._busy.pop((key, action), None)
            self._tell()

    # The open row

    @property
    def opened(self) -> str:
        """The key of the row that is open; empty when none is."""
        return self._opened

    @property
    def detail(self) -> Detail | None:
        """What shows below the table. Settable; None closes it."""
        return self._detail

    @detail.setter
    def detail(self, detail: Detail | None) -> None:
        with self._lock:
            if detail is not None and detail.key and detail.key != self._opened:
                return  # another row was opened meanwhile
            if detail is None:
                self._opened = ""
            self._detail = detail
            self._log = _loggable(detail.log or "")[-_LONGEST_LOG:] if detail else ""
            self._tell()

    def append_log(self, text: str, key: str = "") -> None:
        """Add to the log of the detail that shows; nothing when it has none, or when it is not about ``key``."""
        with self._lock:
            if self._detail is None or self._detail.log is None or (key and key != self._opened) or not text:
                return
            added = _loggable(text)
            self._log = (self._log + added)[-_LONGEST_LOG:]
            self._picture["log"] = self._log
            self._version += 1
            if self._face is not None:
                self._face.tell({"v": self._version, "more": added[-_LONGEST_LOG:]})

    # What a face asks for

    def spec(self) -> dict[str, Any]:
        """What never changes, for the browser."""
        columns = [
            {
                "title": printable(column.heading),
                "width": column.width,
                "grow": column.grow,
                "right": column.is_right_aligned,
                "sorts": column.kind != "drawing",
            }
            for column in self.columns
        ]
        return {
            "label": printable(self.label),
            "noun": printable(self.noun),
            "height": self.height,
            "empty": printable(self.empty),
            "columns": columns,
            "actions": {action.name: printable(action.label) for action in self.actions},
            "opens": self._on_open is not None,
        }

    def picture(self) -> Picture:
        """What a browser that knows nothing has to be told: the state after everything sent so far."""
        with self._lock:
            return {**self._picture, "v": self._version}

    def receive(self, message: Mapping[str, Any]) -> None:
        """What a person did, as a face reports it. Never raises: what goes wrong is shown in the error strip."""
        handler = self._handlers().get(str(message.get("do")))
        try:
            if handler is not None:
                handler(message)
        except Exception as error:  # noqa: BLE001 - a handler's exception would be shown nowhere
            self.error = error

    def _handlers(self) -> dict[str, Callable[[Mapping[str, Any]], None]]:
        return {
            "rows": self._move,
            "all": self._repeat,
            "sort": self._sort_by_click,
            "filter": self._filter_by_typing,
            "pick": self._pick,
            "open": self._open,
            "close": self._close_detail,
            "act": self._act,
            "dismiss": self._dismiss,
        }

    def _move(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            self._start = max(0, int(message["start"]))
            self._length = min(_MOST_IN_SIGHT, max(1, int(message["length"])))
            self._tell(message.get("q"))

    def _repeat(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            self._tell(message.get("q"), whole=True)

    def _sort_by_click(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            column = self.columns[int(message["column"])].name
            now = self._rows.sort
            ascending = not (now and now[0] == column and now[1])
            self._rows.sort_by(None if now == (column, False) else (column, ascending))
            self._start = 0
            self._tell(message.get("q"))

    def _filter_by_typing(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            self._rows.filter_by(str(message["text"]))
            self._start = 0
            self._tell(message.get("q"))

    def _pick(self, message: Mapping[str, Any]) -> None:
        key, how = str(message.get("key", "")), message.get("how")
        with self._lock:
            if how == "toggle" and key in self._selected:
                del self._selected[key]
            elif how == "toggle":
                self._selected[key] = None
            elif how == "range":
                self._selected = dict.fromkeys(self._between(self._anchor, key))
            else:
                self._selected = dict.fromkeys(self._rows.keys() if how == "all" else [key] if key else [])
            self._anchor = self._anchor if how == "range" else key
            self._tell(message.get("q"), "picked")

    def _between(self, one: str, other: str) -> list[str]:
        keys = self._rows.keys()
        ends = sorted(keys.index(key) for key in (one, other) if key in keys)
        return keys[ends[0] : ends[-1] + 1] if ends else []

    def _open(self, message: Mapping[str, Any]) -> None:
        key = str(message["key"])
        with self._lock:
            if self._on_open is None or not self._rows.has(key):
                return
            self._opened, self._log = key, ""
            self._detail = Detail(self._name_of(key))
            self._tell(message.get("q"))
        self._on_open(key)

    def _close_detail(self, _message: Mapping[str, Any]) -> None:
        self.detail = None
        if self._on_close is not None:
            self._on_close()

    def _act(self, message: Mapping[str, Any]) -> None:
        key, action = str(message["key"]), str(message["action"])
        with self._lock:
            of_detail = key == self._opened and any(one.name == action for one in (self._detail or Detail("")).actions)
            wanted = (key, action) not in self._busy and (of_detail or self._rows.applies(action, key))
            if wanted:
                self._busy[key, action] = False
            self._tell(message.get("q"), "busy")  # the browser has shown it as pending already: say what is true
        if wanted:
            self._carry_out(key, action)

    def _carry_out(self, key: str, action: str) -> None:
        future: Future[Any] | None = None
        try:
            future = self._on_action(action, key) if self._on_action is not None else None
        finally:
            if future is None:
                self._end(key, action)
        if future is not None:
            future.add_done_callback(lambda done: self._end(key, action, done))

    def _end(self, key: str, action: str, future: Future[Any] | None = None) -> None:
        with self._lock:
            if not self._busy.get((key, action), True):
                del self._busy[key, action]
            if future is not None and not future.cancelled() and (error := future.exception()) is not None:
                self._error = _in_one_line(error)
            self._tell()

    def _dismiss(self, _message: Mapping[str, Any]) -> None:
        self.error = ""

    # What is said

    def _look(self) -> Picture:
        self._start = min(self._start, max(0, self._rows.count - self._length))
        rows = self._rows.window(self._start, self._length)
        sort = self._rows.sort
        names = [column.name for column in self.columns]
        return {
            "start": self._start,
            "count": self._rows.count,
            "total": self._rows.total,
            "keys": list(rows),
            "rows": rows,
            "sort": None if sort is None else [names.index(sort[0]), sort[1]],
            "filter": self._rows.filter,
            "picked": [key for key in rows if key in self._selected],
            "chosen": len(self._selected),
            "busy": [list(pair) for pair in self._busy],
            "error": self._error,
            "footer": self._footer,
            "opened": self._opened,
            "detail": self._detail.wire() if self._detail else None,
            "log": self._log,
        }

    def _tell(self, question: object = None, *always: str, whole: bool = False) -> None:
        """Send what is new; the answer to a question is sent even when nothing is. Call it with the lock held."""
        new = self._look()
        patch: Picture = {"whole": new} if whole else difference(self._picture, new, always)
        self._picture = new
        if not patch and question is None:
            return
        self._version += 1
        if self._face is not None:
            self._face.tell({"v": self._version, **patch, **({} if question is None else {"q": question})})

    def _name_of(self, key: str) -> str:
        values = self._rows.row_of(key) or {}
        return self.columns[0].cell(values.get(self.columns[0].name)).text or key

    # How it is shown

    def __repr__(self) -> str:
        return f"<Table {self.label!r}: {static.counted(self._rows.count, self._rows.total, self.noun)}>"

    def _ipython_display_(self) -> None:
        from aml_magics.notebook.widgets.display import display_table  # noqa: PLC0415 - faces are imported when shown

        display_table(self)

    def face(self, make: Callable[[Table], Face]) -> Face:
        """The one face of this table, made by ``make`` the first time."""
        with self._lock:
            if self._face is None:
                self._face = make(self)
            return self._face

    def snapshot(self, rows: int = 25) -> static.Snapshot:
        """The first rows as shown, for what has no kernel."""
        with self._lock:
            cells = [[column.cell(value) for column, value in zip(self.columns, values, strict=True)]
                     for values in self._rows.frame[[column.name for column in self.columns]].head(rows).itertuples(
                         index=False, name=None)]
            return static.Snapshot(
                label=self.label,
                headings=[column.heading for column in self.columns],
                right=[column.is_right_aligned for column in self.columns],
                cells=cells,
                counted=static.counted(len(cells), self._rows.total, self.noun),
                footer=self._footer,
                empty=self.empty,
            )

    def close(self) -> None:
        """Take the live table away; the data stays readable from Python."""
        with self._lock:
            face, self._face = self._face, None
        if face is not None:
            face.close()


def _in_one_line(error: str | BaseException) -> str:
    text = error if isinstance(error, str) else str(error) or type(error).__name__
    return printable(" ".join(redacted(text).split()))


def _loggable(text: str) -> str:
    """Lines stay lines; what steers a terminal does not."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.replace("\r\n", "\n").split("\n"))
