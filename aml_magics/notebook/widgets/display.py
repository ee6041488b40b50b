"""How a table is displayed: the snapshot, then the live table, which hides it; where widgets are missing, what there is.

Three cases: anywidget is there (the live table), only ipywidgets is (the fallback), neither is, or this is a terminal
(the snapshot alone).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

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
    display({"text/html": html, "text/plain": snapshot.text(now)}, raw=True)
    if make is not None:
        table.face(make).show()


def _face_maker() -> Callable[[Table], Face] | None:
    try:
        from aml_magics.notebook.widgets.live import LiveFace  # noqa: PLC0415 - it may be missing

        return LiveFace
    except ImportError:
        pass
    try:
        from aml_magics.notebook.widgets.fallback import PagedFace  # noqa: PLC0415

        return PagedFace
    except ImportError:
        return None
