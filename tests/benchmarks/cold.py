"""From nothing to a list of pipelines, whole processes: ``%aml`` beside Microsoft's SDK, on the same served workspace.

python -m tests.benchmarks.cold

Both start an interpreter, import what they need, connect and list. ``%aml`` runs in an IPython shell, as it does in a
notebook, and shows its table; so does the SDK, for the same start. The two take turns, so that a machine that slows
down slows both. Medians of seconds of wall and of CPU time; the last column is what the SDK takes for one of ours.
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
SDK = Path(__file__).resolve().parents[2] / ".venv-sdk" / "bin" / "python"
OURS = """
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
for cell in {cells!r}:
    shell.run_cell(cell).raise_error()
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
    with tempfile.TemporaryDirectory() as folder:
        session = Session()
        workspace = session.connect(folder)
        for number in range(3):
            workspace.pipelines.publish(source="print('trained')", name=f"train-{number}")
        served = session.serve(token=Secret("a-token-for-the-benchmark"))
        environment = {**os.environ, "TOKEN": served.token.reveal(), "HOME": folder, "NO_PROXY": "127.0.0.1"}
        ours = [sys.executable, "-c", OURS.format(cells=[cell.format(url=served.url) for cell in AML])]
        theirs = [str(SDK), "-c", OURS.format(cells=[cell.format(lines=served.sdk_lines) for cell in THEIRS])]
        taken: dict[str, list[tuple[float, float]]] = {"%aml": [], "SDK v1": []}
        for _ in range(ROUNDS + 1):  # the first of each warms the disk
            for name, command in (("%aml", ours), ("SDK v1", theirs)):
                taken[name].append(_run(command, folder, environment))
        session.close()
    tell({name: times[1:] for name, times in taken.items()})


def tell(taken: dict[str, list[tuple[float, float]]]) -> None:
    """One row for each kind of time."""
    out = sys.stdout.write
    out(f"{f'cold connect and list, median of {ROUNDS}':<44}{'%aml':>9}{'SDK v1':>9}{'ratio':>8}\n")
    for index, kind in enumerate(("wall, s", "CPU, s")):
        mine, other = (statistics.median(times[index] for times in taken[name]) for name in ("%aml", "SDK v1"))
        ratios = [theirs[index] / ours[index] for ours, theirs in zip(*taken.values(), strict=True)]
        out(f"{kind:<44}{mine:>9.2f}{other:>9.2f}{statistics.median(ratios):>8.1f}\n")


def _run(command: list[str], folder: str, environment: dict[str, str]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    wall = time.perf_counter() - began
    assert done.returncode == 0 and "train-2" in done.stdout, done.stdout + done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
