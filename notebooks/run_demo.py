"""What ``make demo`` does: run the first notebook with no browser, in a temporary folder, and say what happened.

The notebook runs in a kernel of its own. When that kernel is gone, this process opens the workspace that it left behind
and reads the runs and schedules from there, so what is printed is what was kept. Exits with 1 when something that the
notebook promises did not happen.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import aml_magics
from aml_magics import Workspace
from aml_magics.model.resources import Run, Schedule

NOTEBOOK = Path(__file__).resolve().with_name("01-first-schedule.ipynb")
SHOWN_RUNS = 2
EXPECTED = {
    "MyRecurringSchedule": "workspaceblobstore/",
    "MyReactiveSchedule": "workspaceblobstore/incoming/monday.csv",
}


def main() -> int:
    """Run, tell, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="aml-demo-") as temporary:
        folder = Path(temporary) / "notebooks"
        folder.mkdir()
        began = time.monotonic()
        try:
            run_notebook(folder, Path(temporary) / "jupyter")
        except CellExecutionError as error:
            print(f"{NOTEBOOK.name} stopped: {error.ename}: {error.evalue}", file=sys.stderr)
            return 1
        print(f"Ran {NOTEBOOK.name} in {time.monotonic() - began:.0f} s, in a temporary folder. What it left behind:")
        with aml_magics.connect(folder) as workspace:
            problems = list(tell(workspace))
    for problem in problems:
        print(f"Not as promised: {problem}", file=sys.stderr)
    return 1 if problems else 0


def run_notebook(folder: Path, private: Path) -> None:
    """Execute a copy in ``folder``; Jupyter's and IPython's own files stay in ``private``, whatever the user's are."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ[name] = str(private / name.lower())
        (private / name.lower()).mkdir(parents=True)
    shutil.copy(NOTEBOOK, folder)
    notebook = nbformat.read(folder / NOTEBOOK.name, as_version=4)
    manager = AsyncKernelManager(transport="ipc", connection_file=str(private / "kernel.json"))  # no port to be taken
    client = NotebookClient(notebook, timeout=120, km=manager, resources={"metadata": {"path": str(folder)}})
    asyncio.run(client.async_execute(cleanup_kc=True))


def tell(workspace: Workspace) -> Iterator[str]:
    """Print what is in the workspace; yield what is not as the notebook promises."""
    for pipeline in workspace.pipelines.list(active_only=False):
        print(f"pipeline {pipeline.name}: {pipeline.status}")
    schedules = {schedule.name: schedule for schedule in workspace.schedules.list(active_only=False)}
    for schedule in sorted(schedules.values(), key=lambda schedule: schedule.created or 0):
        runs = workspace.schedules.runs(schedule.id)
        tell_schedule(schedule, runs)
        if schedule.name in EXPECTED and not has_finished(runs, EXPECTED[schedule.name]):
            yield f"no run of {schedule.name} has finished on {EXPECTED[schedule.name]}"
    yield from (f"there is no schedule {name}" for name in EXPECTED if name not in schedules)
    active = [schedule.name for schedule in workspace.schedules.list()]
    print(f"active schedules: {', '.join(active) or 'none'}")
    yield from (f"{name} is still active" for name in active)


def tell_schedule(schedule: Schedule, runs: list[Run]) -> None:
    """One line for the schedule, one for each of its newest runs."""
    count = f"{len(runs)} run{'' if len(runs) == 1 else 's'}"
    print(f"schedule {schedule.name}, {schedule.trigger.in_words()}: {schedule.status}, {count}")
    for run in runs[:SHOWN_RUNS]:
        places = ", ".join(f"{name} = {place}" for name, place in run.data_paths.items())
        print(f"    run {run.id[:8]}: {run.status}, {places}")


def has_finished(runs: list[Run], place: str) -> bool:
    """Whether one of the runs has finished with a data path that starts with ``place``."""
    finished = [run for run in runs if run.status == "Finished"]
    return any(str(path).startswith(place) for run in finished for path in run.data_paths.values())


if __name__ == "__main__":
    sys.exit(main())
