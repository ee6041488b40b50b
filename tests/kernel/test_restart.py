"""What happens to running steps and to changes when the kernel goes: restart, kill -9, and five reloads."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from tests.support.kernels import Kernel
from tests.support.storm import CONNECT, drop, runs_of

SLOW = """
import aml_magics
ws = aml_magics.connect()
ws.pipelines.publish(name="slow", source='''
import os, pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(os.environ["STORM_ROOT"], "pids.part").write_text(f"{os.getpid()} {child.pid}")
os.rename(os.environ["STORM_ROOT"] + "/pids.part", os.environ["STORM_ROOT"] + "/pids")
child.wait()
''')
run = ws.pipelines.submit("slow", experiment_name="restart")
import pathlib, time
until = time.monotonic() + 30
while not pathlib.Path("pids").exists() and time.monotonic() < until:
    time.sleep(0.02)
print(run.id)
"""
WATCH = """
import aml_magics
ws = aml_magics.connect()
ws.pipelines.publish(name="read", data_paths={"input_data": None}, source="import sys; print(sys.argv)")
ws.schedules.create(name="files", pipeline="read", experiment_name="restart", datastore="workspaceblobstore",
                    path_on_datastore="incoming", data_path_parameter_name="input_data")
"""


def test_a_killed_kernel_leaves_no_process_and_its_run_does_not_stay_running(tmp_path, monkeypatch):
    monkeypatch.setenv("STORM_ROOT", str(tmp_path))
    with Kernel(tmp_path) as kernel:
        run = kernel.run(SLOW).stdout.strip()
        steps = _processes(tmp_path)
        kernel.kill()
        _, alive = psutil.wait_procs(steps, timeout=10)
        assert alive == []
    with Kernel(tmp_path) as kernel:
        state = kernel.run(
            f"{CONNECT}\nfinal = ws.runs.wait({run!r}, timeout=30)\nprint(final.status, final.status_detail)"
        )
    assert state.stdout.startswith("Failed")
    assert "interrupted" in state.stdout


def test_a_restart_in_the_middle_of_a_run_ends_its_processes_and_its_run(tmp_path, monkeypatch):
    monkeypatch.setenv("STORM_ROOT", str(tmp_path))
    with Kernel(tmp_path) as kernel:
        run = kernel.run(SLOW).stdout.strip()
        steps = _processes(tmp_path)
        kernel.restart()
        _, alive = psutil.wait_procs(steps, timeout=10)
        assert alive == []
        state = kernel.run(f"{CONNECT}\nprint(ws.runs.wait({run!r}, timeout=30).status)")
    assert state.stdout.strip() == "Failed"


def test_changes_that_came_while_the_kernel_was_off_fire_once_on_return(tmp_path):
    incoming = tmp_path / "workspaceblobstore" / "incoming"
    drop(incoming, "there-before.csv")
    with Kernel(tmp_path) as kernel:
        kernel.run(WATCH)
        kernel.kill()
    for number in range(30):
        drop(incoming, f"while-off-{number}.csv")
    for _ in range(2):  # the second time there is nothing left to fire
        with Kernel(tmp_path) as kernel:
            kernel.run(
                f"""
{CONNECT}
import time
until = time.monotonic() + 50
while time.monotonic() < until:
    runs = ws.schedules.runs("files")
    if len(runs) >= 30 and all(run.status.is_final for run in runs):
        break
    time.sleep(0.05)
"""
            )
    paths = [run["data_paths"] for run in runs_of(tmp_path)]
    assert len(paths) == len(set(paths)) == 30
    assert not any("there-before" in path for path in paths)


def test_five_reloads_leave_one_thread_one_engine_and_one_set_of_fires(tmp_path):
    with Kernel(tmp_path) as kernel:
        kernel.run("%load_ext aml_magics\nconnected = %aml connect")
        for _ in range(5):
            kernel.run("%reload_ext aml_magics\nconnected = %aml connect")
        seen = kernel.run(
            """
import threading
import sqlite3
print(sum(thread.name.startswith("aml-magics") and "pool" not in thread.name for thread in threading.enumerate()))
print(sum(type(one).__name__ == "AmlMagics" for one in get_ipython().configurables))
print(sqlite3.connect(".aml/workspace.db").execute("select count(*) from owners").fetchone()[0])
"""
        ).stdout.split()
        assert seen == ["1", "1", "1"]
        kernel.run("%unload_ext aml_magics")
        left = kernel.run("print([t.name for t in threading.enumerate() if t.name.startswith('aml-magics')])").stdout
        assert left.strip() == "[]"


def test_a_reload_neither_ends_running_steps_nor_silences_schedules(tmp_path, monkeypatch):
    monkeypatch.setenv("STORM_ROOT", str(tmp_path))
    with Kernel(tmp_path) as kernel:
        kernel.run("%load_ext aml_magics")
        run = kernel.run(SLOW).stdout.strip()
        kernel.run("%reload_ext aml_magics")
        state = kernel.run(f"print(ws.runs.get({run!r}).status); again = %aml connect\nprint(again.value is ws)")
    assert state.stdout.split() == ["Running", "True"]


def test_shutting_down_takes_under_the_two_seconds_after_which_a_server_kills(tmp_path, monkeypatch):
    monkeypatch.setenv("STORM_ROOT", str(tmp_path))
    with Kernel(tmp_path) as kernel:
        kernel.run(SLOW)
        steps = _processes(tmp_path)
        kernel.run("import atexit; atexit.register(lambda: open('said-goodbye', 'w').close())")
        kernel.shut_down()
        _, alive = psutil.wait_procs(steps, timeout=10)
    assert alive == []
    assert (tmp_path / "said-goodbye").exists()


def _processes(root: Path) -> list[psutil.Process]:
    return [psutil.Process(int(pid)) for pid in os.fsdecode((root / "pids").read_bytes()).split()]
