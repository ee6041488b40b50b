"""Two kernels on one workspace file: each fire happens once, and when one dies the other goes on with everything."""

from __future__ import annotations

import time
from collections import Counter

from tests.support.kernels import Kernel
from tests.support.storm import CONNECT, SET_UP, drop, due_instants, executed, runs_of

TAKE_OVER_SECONDS = 10.0


def test_two_kernels_on_one_file_fire_once_and_the_survivor_takes_over(tmp_path, monkeypatch):
    monkeypatch.setenv("STORM_ROOT", str(tmp_path))
    incoming = tmp_path / "workspaceblobstore" / "incoming"
    with Kernel(tmp_path) as first, Kernel(tmp_path) as second:
        first.run(SET_UP)
        second.run(CONNECT)
        for number in range(20):
            drop(incoming, f"both-{number}.csv")
        _wait_for_files(second, 20)

        first.kill()
        killed = time.time()
        drop(incoming, "after.csv")
        _wait_for_files(second, 21)
        second.run(
            f"""
import time
until = time.monotonic() + 30
while ws.schedules.last_run("ticks").created.timestamp() < {killed} and time.monotonic() < until:
    time.sleep(0.05)
ws.schedules.disable("ticks", "files")
while [run for run in ws.runs.list(limit=1000) if not run.status.is_final] and time.monotonic() < until:
    time.sleep(0.05)
"""
        )

    runs = runs_of(tmp_path)
    files = Counter(run["data_paths"] for run in runs if run["schedule"] == "files")
    assert len(files) == 21
    assert set(files.values()) == {1}
    for schedule in ("files", "ticks"):
        after = [run["created"] for run in runs if run["schedule"] == schedule and run["created"] > killed]
        assert min(after) - killed < TAKE_OVER_SECONDS
    orphaned = [run["ended"] for run in runs if run["status"] == "Failed"]
    assert all(ended - killed < TAKE_OVER_SECONDS for ended in orphaned)
    assert [run["status"] for run in runs if run["status"] in ("NotStarted", "Running")] == []
    assert set(executed(tmp_path).values()) == {1}
    due = due_instants(tmp_path, "ticks")
    assert len(due) == len(set(due)) == sum(run["schedule"] == "ticks" for run in runs)


def _wait_for_files(kernel: Kernel, count: int) -> None:
    kernel.run(
        f"""
import time
until = time.monotonic() + 50
while len(ws.schedules.runs("files")) < {count} and time.monotonic() < until:
    time.sleep(0.05)
"""
    )
