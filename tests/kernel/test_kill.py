"""``kill -9`` of the kernel at 50 random moments while files arrive and clocks tick: nothing lost, nothing twice."""

from __future__ import annotations

import os
import time
from collections import Counter
from random import Random

import pytest

from tests.support.kernels import Kernel
from tests.support.storm import CONNECT, SET_UP, UNFINISHED, Storm, due_instants, executed, runs_of

KILLS = 50


@pytest.mark.timeout(900)
def test_after_50_kills_in_a_storm_every_file_has_exactly_one_run(tmp_path, monkeypatch):
    monkeypatch.setenv("STORM_ROOT", str(tmp_path))
    random = Random(os.environ.get("STORM_SEED", "20261123"))
    with Kernel(tmp_path) as kernel:
        kernel.run(SET_UP)
        kernel.kill()

    incoming = tmp_path / "workspaceblobstore" / "incoming"
    with Storm(incoming, random, most=400, pause=0.3) as storm:
        for _ in range(KILLS):
            with Kernel(tmp_path) as kernel:
                kernel.start(CONNECT)
                time.sleep(random.random() * 2)  # the moment of the kill: anywhere in start-up, catching up and ticking
                kernel.kill()

    with Kernel(tmp_path) as kernel:
        kernel.run(CONNECT)
        _wait_until_quiet(kernel, len(storm.names))

    runs = runs_of(tmp_path)
    by_file = Counter(run["data_paths"] for run in runs if run["schedule"] == "files")
    assert {name: sum(name in path for path in by_file.elements()) for name in storm.names} == dict.fromkeys(
        storm.names, 1
    )
    assert len(by_file) == len(storm.names)
    assert [run["id"] for run in runs if run["status"] in ("NotStarted", "Running")] == []
    assert {run: times for run, times in executed(tmp_path).items() if times > 1} == {}
    due = due_instants(tmp_path, "ticks")
    assert len(due) == sum(run["schedule"] == "ticks" for run in runs) > 0
    assert [instant for instant, times in Counter(due).items() if times > 1] == []


def _wait_until_quiet(kernel: Kernel, files: int) -> None:
    kernel.run(
        f"""
import time
from pathlib import Path
import sqlite3
database = sqlite3.connect(".aml/workspace.db")
def count(sql):
    return database.execute(sql).fetchone()[0]
ws.schedules.disable("ticks")
until = time.monotonic() + 100
while time.monotonic() < until:
    seen = count("select count(*) from runs where schedule_id = (select id from schedules where name = 'files')")
    left = count("select count(*) from runs where status in {UNFINISHED}")
    if seen >= {files} and not left:
        break
    time.sleep(0.1)
database.close()
""",
        timeout=150,
    )
