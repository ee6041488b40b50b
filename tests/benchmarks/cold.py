"""From nothing to a list of pipelines: ``%aml`` beside Microsoft's SDK, on the same served workspace.

python -m tests.benchmarks.cold

Both connect and list in an IPython shell that shows the result, by the one interpreter that has both installed. They
take turns, so that a machine that slows down slows both. First whole processes, the start of Python, IPython and
pandas included; then what it takes inside a kernel in which pandas is loaded already, as it is in most notebooks.
Medians in seconds; the ratio is the median over the pairs.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aml_magics.model.secret import Secret
from aml_magics.session import Session

ROUNDS = 7
PYTHON = Path(__file__).resolve().parents[2] / ".venv-sdk" / "bin" / "python"
SHELL = """
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
import os, sys, time
if os.environ["IS_WARM"]:
    import pandas
began = time.perf_counter(), time.process_time()
for cell in {cells!r}:
    shell.run_cell(cell).raise_error()
sys.stderr.write(f"{{time.perf_counter() - began[0]}} {{time.process_time() - began[1]}}")
"""
AML = [
    "%load_ext aml_magics",
    "import os; TOKEN = os.environ['TOKEN']",
    "%aml connect {url} --token {{TOKEN}}",
    "listed = %aml pipeline list",
    "print(listed)",
]
THEIRS = ["{lines}", "from azureml.pipeline.core import PublishedPipeline", "print(PublishedPipeline.list(ws))"]


def main() -> None:
    """Measure and print."""
    package = PYTHON.parents[2] / "aml_magics"
    subprocess.run([str(PYTHON), "-m", "compileall", "-q", str(package)], check=True)  # as pip does it for the SDK
    with tempfile.TemporaryDirectory() as folder:
        session = Session()
        workspace = session.connect(folder)
        for number in range(3):
            workspace.pipelines.publish(source="print('trained')", name=f"train-{number}")
        served = session.serve(token=Secret("a-token-for-the-benchmark"))
        environment = {**os.environ, "TOKEN": served.token.reveal(), "HOME": folder, "NO_PROXY": "127.0.0.1"}
        cells = {
            "%aml": [cell.format(url=served.url) for cell in AML],
            "SDK v1": [cell.format(lines=served.sdk_lines) for cell in THEIRS],
        }
        _tell("whole processes", _taken(cells, folder, {**environment, "IS_WARM": ""}))
        _tell("in a kernel with pandas", _taken(cells, folder, {**environment, "IS_WARM": "yes"}))
        session.close()


def _taken(cells: dict[str, list[str]], folder: str, environment: dict[str, str]) -> list[list[tuple[float, float]]]:
    """Wall and CPU seconds of each round, ours and theirs."""
    commands = [[str(PYTHON), "-c", SHELL.format(cells=one)] for one in cells.values()]
    rounds = range(ROUNDS + 1)  # the first of each warms the disk
    return [[_run(command, folder, environment) for command in commands] for _ in rounds][1:]


def _tell(what: str, taken: list[list[tuple[float, float]]]) -> None:
    """One row for each kind of time."""
    out = sys.stdout.write
    out(f"{f'connect and list, {what}':<44}{'%aml':>9}{'SDK v1':>9}{'ratio':>8}\n")
    for index, kind in enumerate(("wall, s", "CPU, s")):
        ours, theirs = (statistics.median(pair[side][index] for pair in taken) for side in (0, 1))
        ratio = statistics.median(pair[1][index] / pair[0][index] for pair in taken)
        out(f"{kind:<44}{ours:>9.2f}{theirs:>9.2f}{ratio:>8.1f}\n")


def _run(command: list[str], folder: str, environment: dict[str, str]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=99, check=False)
    wall = time.perf_counter() - began
    assert "train-2" in done.stdout, done.stdout + done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if environment["IS_WARM"]:
        inside, used = done.stderr.split()[-2:]
        return float(inside), float(used)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
