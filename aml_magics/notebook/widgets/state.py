"""Everything that is true of a table at one moment, and the picture of it that a browser is given.

Plain values and short methods, no lock and no sending: the Table holds the lock around each use, and tells its face.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aml_magics.notebook.present import printable
from aml_magics.notebook.widgets.cells import Column, Detail
from aml_magics.notebook.widgets.picture import Picture
from aml_magics.notebook.widgets.rows import Rows
from aml_magics.notebook.widgets.static import counted

__all__ = ["State", "loggable"]

_LONGEST_LOG = 200_000  # characters; what is older is dropped, here and in the browser
_MOST_IN_SIGHT = 400


class State:
    """The rows and what is in sight of them; the selection; what is under way; error, footer, open row and its log."""

    def __init__(
        self, rows: Rows, columns: tuple[Column, ...], *, height: int, noun: str, empty: str, footer: str
    ) -> None:
        self.rows, self.columns = rows, columns
        self._noun, self._empty = printable(noun), printable(empty)
        self.start, self.length = 0, height * 3
        self.selected: dict[str, None] = {}
        self.busy: dict[tuple[str, str], bool] = {}  # (key, action): whether it stays until Python settles it
        self.error, self.footer = "", printable(footer)
        self.opened = ""
        self.detail: Detail | None = None
        self.log = ""
        self._anchor = ""

    def look_at(self, start: int, length: int) -> None:
        """Have other rows in sight."""
        self.start = max(0, start)
        self.length = min(_MOST_IN_SIGHT, max(1, length))

    def select(self, keys: Iterable[str]) -> None:
        """Select these and no others; keys that are not there are left out."""
        self.selected = {key: None for key in keys if self.rows.has(key)}

    def pick(self, key: str, how: object) -> None:
        """Select as a person does: ``toggle`` one, the ``range`` from the last one, ``all``, or only this one."""
        if how == "toggle" and key in self.selected:
            del self.selected[key]
        elif how == "toggle":
            self.selected[key] = None
        elif how == "range":
            self.selected = dict.fromkeys(self._between(self._anchor, key))
        else:
            self.selected = dict.fromkeys(self.rows.keys() if how == "all" else [key] if key else [])
        self._anchor = self._anchor if how == "range" else key

    def show(self, detail: Detail | None) -> None:
        """Show this below the table; None closes it. Dropped when it is about another row than the open one."""
        if detail is not None and detail.key and detail.key != self.opened:
            return
        self.opened = self.opened if detail is not None else ""
        self.detail = detail
        self.log = loggable(detail.log or "")[-_LONGEST_LOG:] if detail is not None else ""

    def open(self, key: str) -> None:
        """Open a row: its name shows at once, what there is to say follows."""
        self.opened = key
        self.show(Detail(self.rows.name(key)))

    def add_to_log(self, text: str, key: str) -> str:
        """Add to the log that shows, if there is one and it is about ``key``; what was added."""
        if self.detail is None or self.detail.log is None or (key and key != self.opened):
            return ""
        added = loggable(text)[-_LONGEST_LOG:]
        self.log = (self.log + added)[-_LONGEST_LOG:]
        return added

    def offers(self, key: str, action: str) -> bool:
        """Whether there is such a button now, and it is not under way already."""
        in_detail = key == self.opened and self.detail is not None and action in self.detail.action_names
        return (key, action) not in self.busy and (in_detail or self.rows.applies(action, key))

    def picture(self) -> Picture:
        """What a browser has to know of this moment."""
        self.start = min(self.start, max(0, self.rows.count - self.length))
        rows = self.rows.window(self.start, self.length)
        return {
            "start": self.start,
            "count": self.rows.count,
            "says": self._says(),
            "none": self._none(),
            "keys": list(rows),
            "rows": rows,
            "sort": self._sort(),
            "filter": self.rows.filter,
            "picked": [key for key in rows if key in self.selected],
            "busy": [list(pair) for pair in self.busy],
            "error": self.error,
            "footer": self.footer,
            "opened": self.opened,
            "detail": self.detail.wire() if self.detail is not None else None,
            "log": self.log,
        }

    def _says(self) -> str:
        chosen = f", {len(self.selected):,} selected" if self.selected else ""
        more = ", still searching" if self.rows.is_searching else ""
        return counted(self.rows.count, self.rows.total, self._noun) + chosen + more

    def _none(self) -> str:
        """What is shown instead of rows."""
        if self.rows.count:
            return ""
        return f"Nothing matches “{printable(self.rows.filter)}”." if self.rows.total else self._empty or "None yet."

    def _sort(self) -> list[Any] | None:
        if self.rows.sort is None:
            return None
        name, ascending = self.rows.sort
        return [[column.name for column in self.columns].index(name), ascending]

    def _between(self, one: str, other: str) -> list[str]:
        keys = self.rows.keys()
        ends = sorted(keys.index(key) for key in (one, other) if key in keys)
        return keys[ends[0] : ends[-1] + 1] if ends else []


def loggable(text: str) -> str:
    """Lines and tabs stay; what steers a terminal or the direction of writing does not."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in lines)
