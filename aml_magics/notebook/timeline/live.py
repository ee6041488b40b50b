"""``Timeline``: the live timeline of the overview, of the last and the next 24 hours or 7 days.

Both drawings are always there, so the switch is the browser's own: it works at once while a cell runs, and where there
is no kernel. An update is one message with the drawings that have changed; equal ones are not sent. Like a table it is
displayed twice, as a snapshot that stays in the file and as the widget, which hides it. Without anywidget the widget
is the snapshot, renewed.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from aml_magics.notebook.timeline.snapshot import LIVE, STATIC, Snapshot
from aml_magics.notebook.widgets.twins import twins

__all__ = ["Timeline"]

_STALE = timedelta(minutes=1)  # the finest that a drawing can show is three
_WIDEST = 2000  # pixels: as wide as the tables beside it
_HERE = Path(__file__).parent


class Timeline:
    """``snapshot`` is what it shows. All of it may be called from any thread."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._footer = snapshot.as_of
        self._lock = threading.Lock()
        self._widget: Any = None

    def update(self, snapshot: Snapshot) -> None:
        """Show other facts, in one message."""
        with self._lock:
            self.snapshot, self._footer = snapshot, snapshot.as_of
            self._tell()

    def is_stale(self, now: datetime) -> bool:
        """Whether so much time has passed that "now" is elsewhere."""
        return now - self.snapshot.now >= _STALE

    def leave(self, why: str) -> None:
        """Say why it does not move any more."""
        with self._lock:
            self._footer = f"{why}; this is {self.snapshot.as_of}"
            self._tell()

    def close(self) -> None:
        """Take the live timeline away."""
        with self._lock:
            if self._widget is not None:
                self._widget.close()

    def _ipython_display_(self) -> None:
        with self._lock:
            if self._widget is None:
                self._widget = _made() if hasattr(get_ipython(), "kernel") else None
                self._tell()
            snapshot, widget = self.snapshot, self._widget
        rules = twins(STATIC, LIVE) if widget is not None else ""
        display({"text/html": rules + snapshot.html(), "text/plain": snapshot.text()}, raw=True)  # type: ignore[no-untyped-call]
        if widget is not None:
            view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
            bundle = {
                "application/vnd.jupyter.widget-view+json": view,
                "text/plain": "The live timeline.",
                "text/html": "<p>Run this cell for the live timeline.</p>",
            }
            display(bundle, raw=True)  # type: ignore[no-untyped-call]

    def _tell(self) -> None:
        if self._widget is not None:
            with self._widget.hold_sync():
                self._widget.show(self.snapshot, self._footer)


def _made() -> Any:  # noqa: ANN401 - ipywidgets has no types
    """The widget that the libraries here allow: ours, or the snapshot in one of ipywidgets', or none."""
    for kind in (_live_kind, _plain_kind):
        with suppress(ImportError):
            return kind()()
    return None


@cache
def _live_kind() -> type:
    import anywidget  # noqa: PLC0415 - it may be missing
    import traitlets as t  # noqa: PLC0415

    class LiveTimeline(anywidget.AnyWidget):
        _esm = _HERE / "timeline.js"
        _css = _HERE / "timeline.css"
        short = t.Dict().tag(sync=True)
        long = t.Dict().tag(sync=True)
        footer = t.Unicode("").tag(sync=True)
        is_long = t.Bool(False).tag(sync=True)

        def show(self, snapshot: Snapshot, footer: str) -> None:
            self.short, self.long = (
                {"svg": one.svg(snapshot.zone, width=_WIDEST) if one.rows else "", "said": snapshot.said(one)}
                for one in (snapshot.short, snapshot.long)
            )
            self.footer = footer

    return LiveTimeline


@cache
def _plain_kind() -> type:
    import ipywidgets as w  # noqa: PLC0415 - it may be missing

    class PlainTimeline(w.HTML):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.add_class(LIVE)

        def show(self, snapshot: Snapshot, footer: str) -> None:
            self.value = snapshot.html(footer)

    return PlainTimeline
