"""What the notebooks of the browser tests import: a table of schedules, large or small, with names that try to get out.

``make(rows)`` gives a new table and takes away the last one; ``done`` lists what its handlers were asked to do.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd

from aml_magics.notebook.widgets.cells import Action, Cell, Column, Detail, DetailTable
from aml_magics.notebook.widgets.table import Table

__all__ = ["HOSTILE", "change", "done", "frame", "make", "show_detail"]

START = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
HOSTILE = ("<img src=x onerror=alert(1)>", "تقرير\u200f يومي", "n" * 300, "👩‍🔬 nightly 🚀")
STATUS = ("Active", "Running", "Active", "Disabled", "Failed", "Queued")
TRIGGERS = ("every 15 minutes", "files added in incoming/", "daily at 02:30 Europe/Berlin")

done: list[tuple[str, str]] = []
tables: list[Table] = []


@cache
def frame(rows: int, hostile: bool = False) -> pd.DataFrame:
    """Schedules ``id-0`` and on, made once; with ``hostile`` the first four have such names."""
    names = [*HOSTILE] if hostile else []
    return pd.DataFrame(
        {
            "id": [f"id-{at}" for at in range(rows)],
            "name": [names[at] if at < len(names) else f"schedule-{at:05d}" for at in range(rows)],
            "status": [STATUS[at % 6] for at in range(rows)],
            "host": ["kernel" if at % 3 else "service-v1" for at in range(rows)],
            "trigger": [TRIGGERS[at % 3] for at in range(rows)],
            "next": [START + timedelta(minutes=15 * at) for at in range(rows)],
            "recent": [[-1 if (at + back) % 7 == 0 else 2 + at * back % 9 for back in range(14)] for at in range(rows)],
            "runs": [at * 37 % 1000 for at in range(rows)],
        }
    )


def columns() -> list[Column]:
    return [
        Column("name", width=18, grow=3),
        Column("status", kind="status", width=9),
        Column("host", width=10),
        Column("trigger", width=16, grow=2),
        Column(
            "next", "Next fire", kind="time", width=17, show=lambda at: Cell(f"{at:%Y-%m-%d %H:%M}", hint=f"{at:%A}")
        ),
        Column("recent", kind="drawing", width=10, show=_recent),
        Column("runs", kind="number", width=5),
    ]


def make(rows: int = 50, hostile: bool = False, show: tuple[str, ...] = (), **options: Any) -> Table:
    """A new table of all columns or of those in ``show``; the last one is closed."""
    while tables:
        tables.pop().close()
    done.clear()
    table = Table(
        frame(rows, hostile),
        key="id",
        columns=[one for one in columns() if one.name in show or not show],
        actions=[
            Action("disable", "Disable", when=lambda row: row["status"] != "Disabled"),
            Action("enable", "Enable", when=lambda row: row["status"] == "Disabled"),
        ],
        **{
            "on_action": _act,
            "on_open": lambda key: done.append(("open", key)),
            "label": "Schedules",
            "noun": "schedule",
            "footer": "as of 09:00:00 UTC · last look 2 s ago, no failures",
            **options,
        },
    )
    tables.append(table)
    return table


def change(table: Table, key: str, **values: object) -> None:
    """Update one row."""
    data = table._rows._frame.copy()
    for name, value in values.items():
        data.loc[data["id"] == key, name] = value
    table.update(data)


def later(table: Table, steps: list[dict[str, object]], pause: float) -> threading.Thread:
    """Change the row ``id-0`` step by step from a thread, as a poller does."""

    def run() -> None:
        for values in steps:
            change(table, "id-0", **values)
            time.sleep(pause)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def show_detail(table: Table, key: str) -> None:
    """A detail with everything in it."""
    table.receive({"do": "open", "key": key})
    table.detail = Detail(
        "schedule-00002",
        fields=[
            ("Pipeline", "train"),
            ("Endpoint", "https://workspace.example/pipelines/v1.0/PipelineSubmit/0f3e2a90"),
            ("Parameters", "learning_rate=0.1, epochs=20"),
        ],
        copy=["Endpoint"],
        tables=[
            DetailTable(
                "Polls and fires",
                ["When", "What", "Why"],
                [
                    ["09:15:02", Cell("fired", icon="ok"), "3 new files"],
                    ["09:10:01", Cell("nothing", icon="off"), "saw 3 new files, none matched *.csv"],
                    ["09:05:01", Cell("failed", icon="bad"), "the datastore did not answer for 30 s"],
                ],
            )
        ],
        log="\n".join(f"09:00:{at:02d} step train: epoch {at}, loss {1 / (at + 1):.4f}" for at in range(40)),
        actions=[Action("run", "Run now")],
        key=key,
    )


def _act(action: str, key: str) -> Future[Any] | None:
    """What "disable" does takes a moment on another thread; "enable" is refused."""
    done.append((action, key))
    if action == "enable":
        message = "Not enabled: the pipeline 'train' is disabled. Enable it first."
        raise ValueError(message)
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    threading.Timer(0.2, future.set_result, [None]).start()
    return future


def _recent(values: list[int]) -> Cell:
    failed = sum(value < 0 for value in values)
    return Cell(f"{len(values) - failed} ok, {failed} failed", spark=tuple(values))
