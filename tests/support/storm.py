"""What the tests that kill kernels share: a workspace with a pipeline and two schedules, and a look at it from outside.

Each step appends its run's id to the file ``effects`` beside the workspace, so a run that was executed twice shows.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from pathlib import Path
from random import Random
from typing import Self

SET_UP = """
import aml_magics
ws = aml_magics.connect()
ws.pipelines.publish(
    name="count",
    data_paths={"input_data": "workspaceblobstore/incoming"},
    source='''
import os, pathlib
with open(pathlib.Path(os.environ["STORM_ROOT"]) / "effects", "a") as effects:
    effects.write(os.environ["AZUREML_RUN_ID"] + "\\\\n")
''',
)
ws.schedules.create(
    name="files", pipeline="count", experiment_name="storm", datastore="workspaceblobstore",
    path_on_datastore="incoming", polling_interval="2s", data_path_parameter_name="input_data",
)
ws.schedules.create(name="ticks", pipeline="count", experiment_name="storm", every="1 second", missed="skip")
"""
CONNECT = "import aml_magics; ws = aml_magics.connect()"
UNFINISHED = "('NotStarted', 'Running')"


def drop(folder: Path, name: str) -> None:
    """Put a finished file into ``folder`` in one move, as a careful producer does."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder.parent / f".{name}.part"
    hidden.write_text(name)
    hidden.replace(folder / name)


class Storm:
    """Drops files into ``folder`` from a thread, at random moments, until the block is left; ``names`` are theirs."""

    def __init__(self, folder: Path, random: Random, *, most: int, pause: float) -> None:
        self.names: list[str] = []
        self._folder = folder
        self._random = random
        self._most = most
        self._pause = pause
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._blow, name="storm")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _blow(self) -> None:
        while len(self.names) < self._most and not self._over.wait(self._random.random() * 2 * self._pause):
            name = f"file-{len(self.names):04d}.csv"
            drop(self._folder, name)
            self.names.append(name)


def runs_of(root: Path) -> list[sqlite3.Row]:
    """All runs in the workspace file."""
    return _rows(
        root,
        "select runs.*, schedules.name as schedule from runs left join schedules on schedules.id = runs.schedule_id",
    )


def due_instants(root: Path, schedule: str) -> list[float]:
    """When the fires of a time schedule that became a run were due: a key that differs does not hide a double."""
    sql = "select due from fires join schedules on schedules.id = schedule_id where run_id is not null and name = ?"
    return [row["due"] for row in _rows(root, sql, schedule)]


def _rows(root: Path, sql: str, *values: str) -> list[sqlite3.Row]:
    """Read from outside, with a connection of our own."""
    connection = sqlite3.connect(f"file:{root / '.aml' / 'workspace.db'}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def executed(root: Path) -> Counter[str]:
    """How often each run's step really ran."""
    effects = root / "effects"
    return Counter(effects.read_text().split()) if effects.exists() else Counter()
