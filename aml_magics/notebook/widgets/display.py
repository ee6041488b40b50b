"""How a table is displayed: the snapshot, then the live table, which hides it; without widgets, what there is.

Three cases: anywidget is there (the live table), only ipywidgets is (the fallback), neither is, or this is a terminal
(the snapshot alone).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from typing import cast

from IPython.core.getipython import get_ipython
from IPython.display import display

from aml_magics.notebook.widgets.table import Face, Table

__all__ = ["display_table"]


def display_table(table: Table) -> None:
    """Display it in the cell that runs."""
    make = _face_maker() if hasattr(get_ipython(), "kernel") else None
    now = datetime.now().astimezone()
    snapshot = table.snapshot()
    html = snapshot.html(now, before_widget=make is not None)
    display({"text/html": html, "text/plain": snapshot.text(now)}, raw=True)  # type: ignore[no-untyped-call]
    if make is not None:
        table.face(make).show()


def _face_maker() -> Callable[[Table], Face] | None:
    for module, name in (("live", "LiveFace"), ("fallback", "PagedFace")):
        with suppress(ImportError):  # the library is missing, or too old to be imported here
            return cast("Callable[[Table], Face]", getattr(import_module(f"{__package__}.{module}"), name))
    return None
