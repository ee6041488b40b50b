"""Schedules go on while a cell holds the kernel: what a notebook is promised about files and clocks."""

from __future__ import annotations

import json
import statistics
import time

from tests.support.kernels import Kernel
from tests.support.storm import SET_UP, drop

FILES = 5
FIRES = """
import json
fires = [fire for name in ("ticks", "files") for fire in ws.schedules.history(name, limit=100).fires if fire.run_id]
told = [[fire.decided.timestamp(), fire.due.timestamp() if fire.due else None, fire.objects] for fire in fires]
print(json.dumps(told))
"""


def test_a_clock_and_dropped_files_fire_on_time_while_a_cell_sleeps(tmp_path, monkeypatch):
    monkeypatch.setenv("STORM_ROOT", str(tmp_path))
    moved = {}
    with Kernel(tmp_path) as kernel:
        kernel.run(SET_UP)
        cell = kernel.start(
            "import time\nbegun = time.time(); print('asleep', flush=True); time.sleep(8); print(begun)"
        )
        kernel.wait_for(lambda message: message.parent == cell.request and message.kind == "stream")
        for number in range(FILES):
            moved[f"incoming/{number}.csv"] = time.time()
            drop(tmp_path / "workspaceblobstore" / "incoming", f"{number}.csv")
            time.sleep(1)
        begun = float(cell.wait().stdout.split()[1])
        fires = json.loads(kernel.run(FIRES).stdout)
        kernel.run("ws.close()")

    asleep = [(decided, due, names) for decided, due, names in fires if begun < decided < begun + 8]
    ticks = [decided - due for decided, due, _ in asleep if due]
    files = [decided - moved[names[0]] for decided, due, names in asleep if not due]
    assert len(ticks) >= 7
    assert statistics.median(ticks) < 0.15
    assert len(files) == FILES
    assert statistics.median(files) < 1.0
