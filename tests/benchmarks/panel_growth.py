"""What a panel costs that stays open for minutes, at two updates a second: comms, kernel memory, nodes.

In a JupyterLab, the panel of 20 schedules, one of which a thread disables and enables every half a second, and a table
of 1,000 rows that the thread updates as often. The panel looks at most twice a second and rests longer after a long
look, so it shows fewer changes ("panel" and "table" are how often each has changed on the page). "RSS" is what the
system has given to the kernel, the workspace and its engine included, "blocks" how many blocks Python has allocated,
after a collection (tracemalloc would make a look four times as long); "live" is the page's document, "nodes" also what
is detached from it. The first line is from when everything has been done a few times. A table and no assertion.

python -m tests.benchmarks.panel_growth 10
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbformat import v4, write

from tests.benchmarks.panels import PYTHON
from tests.support import table_bed
from tests.support.lab import Lab, Page

SET_UP = """\
%load_ext aml_magics
import table_bed as bed
import gc, sys, threading, time
from aml_magics import connect
ws = connect()
ws.pipelines.publish(source="print('scored')", name="score")
for n in range(20):
    ws.schedules.create(f"schedule-{n:02}", pipeline="score", every="day", start_time="2090-01-01T00:00:00")
"""
CHANGES = """\
changed, over = 0, threading.Event()
def change():
    global changed
    data = bed.frame(1000).copy()
    begun = time.monotonic()
    while not over.wait(max(0, begun + changed / 2 - time.monotonic())):
        (ws.schedules.enable if changed % 2 else ws.schedules.disable)("schedule-19")
        data.loc[0, "host"] = f"host-{changed}"
        t.update(data, footer=f"change {changed}")
        changed += 1
thread = threading.Thread(target=change, daemon=True)
thread.start()
"""
LOOK = """\
import json, psutil
gc.collect()
print(json.dumps({
    "changed": changed,
    "comms": len(get_ipython().kernel.comm_manager.comms),
    "blocks": sys.getallocatedblocks(),
    "rss": psutil.Process().memory_info().rss,
    "threads": threading.active_count(),
}))
"""
COUNT = """() => {
    window.shown = [0, 0]
    document.querySelectorAll('.aml-table').forEach((table, place) => new MutationObserver(
        () => window.shown[place]++).observe(table, { subtree: true, childList: true, characterData: true }))
}"""
WARM_UP = 20.0  # seconds
LINES = 10


def main(minutes: float) -> None:
    """Measure and print as it goes."""
    out = sys.stdout.write
    with opened() as page:
        page.python(CHANGES)
        page.raw.evaluate(COUNT)
        page.raw.wait_for_timeout(WARM_UP * 1000)
        out(
            f"{'minute':>7}{'changes':>9}{'panel':>7}{'table':>7}{'comms':>7}{'blocks':>9}{'RSS MB':>9}"
            f"{'live':>7}{'nodes':>8}{'threads':>9}\n"
        )
        begun = time.monotonic()
        for step in range(LINES + 1):
            page.raw.wait_for_timeout(max(0, begun + step * minutes * 60 / LINES - time.monotonic()) * 1000)
            out(line((time.monotonic() - begun) / 60, look(page)))
            sys.stdout.flush()
        page.python("over.set(); thread.join(); ws.close()")


@contextmanager
def opened() -> Iterator[Page]:
    """A notebook whose second cell shows the panel."""
    folder = Path(tempfile.mkdtemp(prefix="aml-growth-"))
    shutil.copyfile(table_bed.__file__, folder / "table_bed.py")
    cells = [
        v4.new_code_cell(SET_UP),
        v4.new_code_cell("%aml panel schedules"),
        v4.new_code_cell("t = bed.make(1000)\nt"),
    ]
    write(v4.new_notebook(cells=cells, metadata=PYTHON), folder / "growth.ipynb")
    try:
        with Lab(folder) as lab, lab.browser() as page, page.opened("growth.ipynb"):
            page.run_all()
            page.raw.locator(".aml-table").nth(1).locator(".body .row").first.wait_for()
            yield page
    finally:
        shutil.rmtree(folder)


def look(page: Page) -> dict[str, float]:
    """What there is of everything, garbage aside."""
    found = json.loads(page.python(LOOK))
    session = page.raw.context.new_cdp_session(page.raw)
    session.send("HeapProfiler.collectGarbage")
    found["nodes"] = session.send("Memory.getDOMCounters")["nodes"]
    session.detach()
    found["panel"], found["table"] = page.raw.evaluate("window.shown")
    return {**found, "live": page.raw.evaluate("document.querySelectorAll('*').length")}


def line(minute: float, found: dict[str, float]) -> str:
    """One line of the table."""
    return (
        f"{minute:>7.1f}{found['changed']:>9}{found['panel']:>7}{found['table']:>7}{found['comms']:>7}"
        f"{found['blocks']:>9}{found['rss'] / 1e6:>9.1f}"
        f"{found['live']:>7}{found['nodes']:>8}{found['threads']:>9}\n"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1)
