"""How late is a fire, in a real kernel: a dropped file, and a clock while a cell blocks; and how soon an interrupt is.

Two tables, no assertion. The interrupt is of ``%aml pipeline list`` against a service that sends a byte an hour.

python -m tests.benchmarks.latency
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from aml_magics.model.secret import Secret
from aml_magics.session import Session
from tests.support.hostile import Hostile
from tests.support.kernels import Kernel
from tests.support.storm import drop

__all__ = ["FIRES", "tell_lateness"]

FILES = 20
INTERRUPTS = 20
SET_UP = """
import aml_magics
ws = aml_magics.connect()
ws.pipelines.publish(name="nothing", data_paths={"input_data": "workspaceblobstore/incoming"}, source="pass")
ws.schedules.create(name="files", pipeline="nothing", experiment_name="late", datastore="workspaceblobstore",
                    path_on_datastore="incoming", polling_interval=5, data_path_parameter_name="input_data")
"""
FIRES = """
import json
fires = [fire for fire in ws.schedules.history("{name}", limit=1000).fires if fire.run_id]
rows = [[fire.decided.timestamp(), fire.due.timestamp() if fire.due else None, fire.objects] for fire in fires]
print(json.dumps(rows))
"""
CELLS = {
    "time.sleep(20)": "import time\ntime.sleep(20)",
    "a pure Python loop, 20 s": "import time\nend = time.monotonic() + 20\nwhile time.monotonic() < end: pass",
    "idle, 20 s": "",
}


def main() -> None:
    """Measure and print."""
    import json

    with tempfile.TemporaryDirectory() as folder, Kernel(Path(folder)) as kernel:
        kernel.run(SET_UP)
        lateness = []
        for number in range(FILES):
            drop(Path(folder) / "workspaceblobstore" / "incoming", f"file-{number}.csv")
            moved = time.time()
            _until_fired(kernel, number + 1)
            fires = json.loads(kernel.run(FIRES.format(name="files")).stdout)
            fired = {Path(fire[2][0]).name: fire[0] for fire in fires}
            lateness.append((fired[f"file-{number}.csv"] - moved) * 1000)
        rows = [("a file moved in, 20 times", lateness)]
        for label, cell in CELLS.items():
            name = label.split()[0].strip(",()0123456789.")
            kernel.run(
                f"made = ws.schedules.create({name!r}, pipeline='nothing', experiment_name='late', every='2 seconds')"
            )
            if cell:
                kernel.run(cell)
            else:
                time.sleep(20)
            kernel.run(f"gone = ws.schedules.disable({name!r})")
            fires = json.loads(kernel.run(FIRES.format(name=name)).stdout)
            rows.append((f"a 2 s schedule under {label}", [(fire[0] - fire[1]) * 1000 for fire in fires]))
    tell_lateness(rows)
    _tell_interrupts()


def tell_lateness(rows: Iterable[tuple[str, list[float]]]) -> None:
    """A table of labels and milliseconds."""
    out = sys.stdout.write
    out(f"{'lateness of the fire, ms':<56}{'fires':>7}{'p50':>9}{'p99':>9}{'max':>9}\n")
    for label, values in rows:
        values.sort()
        p99 = values[min(len(values) - 1, int(len(values) * 0.99))]
        out(f"{label:<56}{len(values):>7}{statistics.median(values):>9.1f}{p99:>9.1f}{values[-1]:>9.1f}\n")


def _tell_interrupts() -> None:
    """Seconds from Kernel > Interrupt to the end of the cell."""
    token = "a-token-for-the-benchmark"
    with tempfile.TemporaryDirectory() as folder:
        session = Session()
        session.connect(folder)
        served = urlsplit(session.serve(token=Secret(token)).url)
        with Hostile((str(served.hostname), int(served.port or 0))) as proxy, Kernel(Path(folder)) as kernel:
            kernel.run(f"%load_ext aml_magics\n%aml connect {proxy.url} --token {token}")
            taken = [_interrupt(proxy, kernel) for _ in range(INTERRUPTS)]
            proxy.be("")
        session.close()
    taken.sort()
    sys.stdout.write(f"\n{'from Interrupt to the end of the cell, s':<48}{'times':>7}{'p50':>9}{'max':>9}\n")
    sys.stdout.write(f"{'a verb that waits for an answer':<48}{len(taken):>7}")
    sys.stdout.write(f"{statistics.median(taken):>9.2f}{taken[-1]:>9.2f}\n")


def _interrupt(proxy: Hostile, kernel: Kernel) -> float:
    proxy.be("slow bytes", pace=3600)
    cell = kernel.start("%aml pipeline list")
    assert proxy.was_asked.wait(30)
    began = time.monotonic()
    kernel.interrupt()
    assert cell.wait().error
    return time.monotonic() - began


def _until_fired(kernel: Kernel, count: int) -> None:
    kernel.run(
        f"import time\nuntil = time.monotonic() + 20\n"
        f"while len(ws.schedules.runs('files')) < {count} and time.monotonic() < until: time.sleep(0.02)"
    )


if __name__ == "__main__":
    main()
