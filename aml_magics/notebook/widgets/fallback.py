"""The table where anywidget is missing: one page of HTML and one toolbar of plain ipywidgets, however many rows.

A widget for each cell would cost thousands of messages. Here a row is chosen in a list, and the buttons act upon it.
The page is the snapshot of static.py, made again at every change, so what is escaped there is escaped here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ipywidgets
from IPython.display import display

from aml_magics.notebook.present import escape, html_code, html_fields
from aml_magics.notebook.widgets.picture import Picture
from aml_magics.notebook.widgets.table import Table

__all__ = ["PagedFace"]

_PAGE = 25


class PagedFace:
    """A Table's face of nine widgets and one button per action."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._start = 0
        self._telling = False
        self.page, self.detail, self.error = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self.filter = ipywidgets.Text(placeholder="Filter", continuous_update=False)
        self.row = ipywidgets.Dropdown(description="Row")
        self.filter.observe(self._filter, "value")
        self.buttons = [
            self._button("Previous", lambda: self._turn(-_PAGE)),
            self._button("Next", lambda: self._turn(_PAGE)),
            *(self._button(action.label, self._doer(action.name)) for action in table.actions),
        ]
        if table.opens:
            self.buttons.append(self._button("Details", lambda: self._say({"do": "open", "key": self.row.value})))
        self.toolbar = ipywidgets.HBox([self.filter, self.row, *self.buttons], layout={"flex_flow": "row wrap"})
        self.widget = ipywidgets.VBox([self.toolbar, self.error, self.page, self.detail])
        self._draw(table.picture())

    def tell(self, _patch: Picture) -> None:
        self._draw(self._table.picture())

    def show(self) -> None:
        display(self.widget)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        for widget in (*self.toolbar.children, self.toolbar, self.error, self.page, self.detail, self.widget):
            widget.close()

    def _draw(self, picture: Picture) -> None:
        """Everything anew. Setting what is there already sends nothing."""
        self._telling = True
        try:
            self._start = min(self._start, max(0, (picture["count"] - 1) // _PAGE * _PAGE))
            snapshot = self._table.snapshot(_PAGE, self._start)
            chosen = self.row.value
            self.page.value = snapshot.html(datetime.now().astimezone())
            self.row.options = snapshot.names
            self.row.value = chosen if chosen in dict(snapshot.names).values() else None
            self.filter.value = picture["filter"]
            self.error.value = f'<p role="alert">{escape(picture["error"])}</p>' if picture["error"] else ""
            self.detail.value = self._detail(picture)
        finally:
            self._telling = False

    def _detail(self, picture: Picture) -> str:
        detail = self._table.detail
        if detail is None:
            return ""
        log = html_code(picture["log"]) if detail.log is not None else ""
        return f"<h4>{escape(detail.title)}</h4>{html_fields(detail.fields)}{log}"

    def _button(self, label: str, act: Any) -> Any:  # noqa: ANN401 - ipywidgets has no types
        button = ipywidgets.Button(description=label, layout={"width": "auto"})
        button.on_click(lambda _button: act())
        return button

    def _doer(self, action: str) -> Any:  # noqa: ANN401
        return lambda: self._say({"do": "act", "key": self.row.value, "action": action})

    def _say(self, message: dict[str, Any]) -> None:
        if message.get("key", "") is None:
            self._table.error = "Choose a row first."
        else:
            self._table.receive(message)

    def _turn(self, rows: int) -> None:
        self._start = max(0, self._start + rows)
        self._draw(self._table.picture())

    def _filter(self, change: dict[str, Any]) -> None:
        if not self._telling:
            self._start = 0
            self._table.receive({"do": "filter", "text": change["new"]})
