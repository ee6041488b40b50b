"""The live table in a browser: first render, bytes, and from Python to the page; beside itables and ipydatagrid.

One JupyterLab, one Chromium, one run, so that the numbers can be compared with each other. "First" is from Run to a
painted row, the fastest of three; bytes are those of the kernel's WebSocket; a latency is from ``time.time()`` in
Python to the change on the page. Tables and no assertion.

python -m tests.benchmarks.panels
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbformat import v4, write

from tests.support import table_bed
from tests.support.lab import Lab, Page

PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
SETUP = "import table_bed as bed, time, pandas as pd"
CELLS = {
    "own": "t = bed.make({rows})\nt",
    "itables": "from itables.widget import ITable\nt = ITable(plain({rows}), maxBytes=0)\nt",
    "ipydatagrid": "from ipydatagrid import DataGrid\nt = DataGrid(plain({rows}))\nt",
}
PLAIN = "def plain(rows): return bed.frame(rows).drop(columns='recent')"
# What is on the page when a table is there; for ipydatagrid it is a canvas, whose text cannot be read.
PAINTED = {"own": ".aml-table .body .row", "itables": "table.dataTable tbody td", "ipydatagrid": "canvas"}
RUN_AND_WAIT = """async selector => {
    const cells = window.jupyterapp.shell.currentWidget.content
    cells.activeCellIndex = 1
    cells.activeCell.model.sharedModel.setSource(window.source)
    await window.jupyterapp.commands.execute('notebook:clear-cell-output')
    const begun = performance.now()
    void window.jupyterapp.commands.execute('notebook:run-cell')
    while (!document.querySelector(selector)) await new Promise(requestAnimationFrame)
    await new Promise(requestAnimationFrame)
    return performance.now() - begun
}"""
# Changes of a text that holds the time at which Python made it; for the canvas, the time of the message's arrival.
WATCH = """selector => {
    window.late = {}
    const look = () => {
        for (const [stamp] of document.querySelector(selector).innerText.matchAll(/@[0-9.]+/g))
            window.late[stamp] ??= Date.now() - 1000 * Number(stamp.slice(1))
    }
    new MutationObserver(look).observe(
        document.querySelector(selector), { subtree: true, childList: true, characterData: true })
}"""
FEED = """
import threading
def feed(number, pause):
    def run(data):
        for _ in range(number):
            data.loc[0, 'host'] = f'@{time.time():.4f}'
            t.update(data)
            time.sleep(pause)
    threading.Thread(target=run, args=[bed.frame(len(t.frame)).copy()], daemon=True).start()
"""
CHANGE = {
    "own": "bed.change(t, 'id-0', host='{stamp}')",
    "itables": "d = plain(10_000); d.loc[0, 'host'] = '{stamp}'; t.df = d",
    "ipydatagrid": "t.set_cell_value('host', 0, '{stamp}')",
}
# A canvas cannot be read: for ipydatagrid the kernel's and the page's messages are waited for, which flatters it.
CHANGE_AND_WAIT = """async ([code, selector]) => {
    const begun = performance.now(), stamp = '@' + Date.now()
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
    await kernel.requestExecute({ code: code.replace('{stamp}', stamp) }).done
    const box = document.querySelector(selector)
    while (box.localName !== 'canvas' && !box.innerText.includes(stamp)) await new Promise(requestAnimationFrame)
    await new Promise(requestAnimationFrame)
    return performance.now() - begun
}"""
READ = {"own": ".aml-table", "itables": "table.dataTable tbody", "ipydatagrid": "canvas"}
BUSY = {
    "idle": "time.sleep(0)",
    "time.sleep": "time.sleep(11)",
    "a Python loop": "end = time.monotonic() + 11\nwhile time.monotonic() < end: pass",
}


class Wire:
    """What came over the kernel's WebSocket."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        page.raw.on("websocket", lambda socket: socket.on("framereceived", self._count))

    def _count(self, payload: bytes | str) -> None:
        self.bytes += len(payload)


def main() -> None:
    """Measure and print."""
    out = sys.stdout.write
    with opened() as (page, wire):
        out(f"{'first render':<26}{'rows':>9}{'ms':>8}{'KiB':>10}\n")
        for name, counts in (("own", (100, 10_000, 100_000)), ("itables", (10_000,)), ("ipydatagrid", (10_000,))):
            for rows in counts:
                taken, size = first(page, wire, name, rows)
                out(f"{name:<26}{rows:>9}{taken:>8.0f}{size / 1024:>10.1f}\n")
        out(f"\n{'one cell changes':<40}{'shown':>8}{'p50 ms':>9}{'p99 ms':>9}{'bytes':>8}\n")
        for rows in (100, 100_000):
            first(page, wire, "own", rows, times=1)
            for label, cell in BUSY.items():
                out(line(f"own, {rows} rows, {label}", own_updates(page, wire, cell), 100))
        for name in CELLS:
            first(page, wire, name, 10_000, times=1)
            out(f"{name + ', 10000 rows, one by one':<40}{'':>8}{one_by_one(page, name):>9.0f}\n")


@contextmanager
def opened() -> Iterator[tuple[Page, Wire]]:
    """A notebook with an empty second cell."""
    folder = Path(tempfile.mkdtemp(prefix="aml-panels-"))
    shutil.copyfile(table_bed.__file__, folder / "table_bed.py")
    cells = [v4.new_code_cell(f"{SETUP}\n{PLAIN}\n{FEED}"), v4.new_code_cell("")]
    write(v4.new_notebook(cells=cells, metadata=PYTHON), folder / "bench.ipynb")
    try:
        with Lab(folder) as lab, lab.browser() as page:
            wire = Wire(page)
            with page.opened("bench.ipynb"):
                page.run_all()
                yield page, wire
    finally:
        shutil.rmtree(folder)


def first(page: Page, wire: Wire, name: str, rows: int, times: int = 3) -> tuple[float, int]:
    """(milliseconds of the fastest, bytes of the last) of showing a table."""
    taken = []
    for _time in range(times):
        page.raw.evaluate("source => { window.source = source }", CELLS[name].format(rows=rows))
        page.python(f"bed.frame({rows}), None")
        before = wire.bytes
        taken.append(page._evaluate(RUN_AND_WAIT, PAINTED[name]))
        page.python("0")
    return min(taken), wire.bytes - before


def own_updates(page: Page, wire: Wire, busy: str) -> tuple[list[float], float]:
    """(latencies of 100 changes at ten a second, bytes of each) while a cell does ``busy``."""
    page.raw.evaluate(WATCH, ".aml-table")
    before = wire.bytes
    page.python("feed(100, 0.1)")
    page.python(busy, timeout=60)
    for _attempt in range(200):
        if len(page.raw.evaluate("window.late")) == 100:
            break
        page.raw.wait_for_timeout(100)
    return list(page.raw.evaluate("window.late").values()), (wire.bytes - before) / 100


def one_by_one(page: Page, name: str) -> float:
    """The median time from asking for a change until it can be read, of eight."""
    taken = [page._evaluate(CHANGE_AND_WAIT, [CHANGE[name], READ[name]]) for _time in range(8)]
    return statistics.median(taken)


def line(label: str, measured: tuple[list[float], float], sent: int) -> str:
    """One line of the second table."""
    late, size = measured
    late.sort()
    p99 = late[min(len(late) - 1, int(len(late) * 0.99))]
    return f"{label:<40}{len(late):>4}/{sent}{statistics.median(late):>8.0f}{p99:>9.0f}{size:>8.0f}\n"


if __name__ == "__main__":
    main()
