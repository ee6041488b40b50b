"""The live table in a browser: first render, bytes, and from Python to the page; beside itables and ipydatagrid.

One JupyterLab, one Chromium, one run, so that the numbers can be compared with each other. "First" is from Run to a
painted row, the fastest of three; bytes are those of the kernel's WebSocket. A latency is from ``time.time()`` before
the call in Python to the text on the page, on one clock and measured alike for all: each is given its new data ready
made (ours and itables a whole DataFrame, ipydatagrid the one cell), the first row shows the text, and the page notes
the moment at which it is put into the document or, for ipydatagrid, painted on its canvas. p99 is the nearest rank: of
100 all but the slowest. "First keystroke" is from the key to the row that is left. Tables and no assertion.

python -m tests.benchmarks.panels
"""

from __future__ import annotations

import json
import math
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
UPDATE = {
    "own": "t.update(data)",
    "itables": "t.df = data",
    "ipydatagrid": "t.set_cell_value('host', 0, data.loc[0, 'host'])",
}
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
# When each text ``@7`` was first seen, be it in the document or on a canvas.
WATCH = """() => {
    window.seen = {}
    const note = text => {
        for (const [, number] of text.matchAll(/@([0-9]+)/g))
            window.seen[number] ??= performance.timeOrigin + performance.now()
    }
    if (window.watching) return
    window.watching = true
    const fillText = CanvasRenderingContext2D.prototype.fillText
    CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
        note(text)
        return fillText.call(this, text, ...where)
    }
    const told = changes => {
        for (const { target, addedNodes } of changes)
            for (const node of addedNodes.length ? addedNodes : [target]) note(node.textContent)
    }
    new MutationObserver(told).observe(
        document.querySelector('.jp-Notebook'), { subtree: true, childList: true, characterData: true })
}"""
FEED = """
import threading
sent = {}
def feed(number, pause, update, data):
    data = data.copy()
    def run():
        sent.clear()
        for n in range(number):
            data.loc[0, 'host'] = f'@{n}'
            sent[n] = time.time()
            update(data)
            time.sleep(pause)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
"""
TYPE = """async text => {
    const input = document.querySelector('.aml-table input')
    const status = document.querySelector('.aml-table [role=status]')
    const until = async wanted => { while (!wanted(status.innerText)) await new Promise(requestAnimationFrame) }
    const begun = performance.now()
    input.value = text
    input.dispatchEvent(new Event('input', { bubbles: true }))
    await until(said => said.startsWith('1 of'))
    const first = performance.now() - begun
    await until(said => !said.includes('searching'))
    return [first, performance.now() - begun]
}"""
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
        out(f"\n{'one cell changes':<40}{'shown':>8}{'p50 ms':>9}{'p99 ms':>9}{'bytes':>10}\n")
        for rows in (100, 100_000):
            first(page, wire, "own", rows, times=1)
            for label, cell in BUSY.items():
                out(line(f"own, {rows} rows, {label}", updates(page, wire, "own", rows, cell), 100))
        for name in UPDATE:
            first(page, wire, name, 10_000, times=1)
            out(line(f"{name}, 10000 rows", updates(page, wire, name, 10_000, "thread.join()", 12, 1.0), 12))
        first(page, wire, "own", 100_000, times=1)
        out("\nfirst keystroke at 100000 rows: {:.0f} ms, all searched {:.0f} ms\n".format(*keystroke(page)))


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


def updates(
    page: Page, wire: Wire, name: str, rows: int, busy: str, number: int = 100, pause: float = 0.1
) -> tuple[list[float], float]:
    """(latencies of the changes that were seen, bytes of each) while a cell does ``busy``."""
    page.raw.evaluate(WATCH)
    page.python(f"data = {'bed.frame' if name == 'own' else 'plain'}({rows})")
    before = wire.bytes
    page.python(
        f"thread = feed({number}, {pause}, lambda data: exec({UPDATE[name]!r}, globals(), dict(data=data)), data)"
    )
    page.python(busy, timeout=60)
    page.python("thread.join()", timeout=60)
    for _attempt in range(50):
        if len(seen := page.raw.evaluate("window.seen")) == number:
            break
        page.raw.wait_for_timeout(100)
    sent = json.loads(page.python("import json; print(json.dumps(sent))"))
    return [seen[one] - 1000 * sent[one] for one in seen], (wire.bytes - before) / number


def keystroke(page: Page) -> tuple[float, float]:
    """Milliseconds until the filter's first answer, and until everything is searched."""
    page.raw.locator(".aml-table input").focus()
    first, all_of_it = page._evaluate(TYPE, "schedule-00077")
    return first, all_of_it


def line(label: str, measured: tuple[list[float], float], sent: int) -> str:
    """One line of the second table."""
    late, size = measured
    late.sort()
    p99 = late[math.ceil(len(late) * 0.99) - 1]
    return f"{label:<40}{len(late):>4}/{sent:<3}{statistics.median(late):>9.1f}{p99:>9.1f}{size:>10.0f}\n"


if __name__ == "__main__":
    main()
