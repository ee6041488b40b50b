"""Microsoft's SDK v1 reaches a served workspace in each of the four known ways, and in none without the token."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import aml_magics

HERE = Path(__file__).parent
MINUTES = 3 * 60


@pytest.fixture
def workspace(tmp_path):
    """A folder with the workspace in which ``train`` is published."""
    with aml_magics.connect(tmp_path) as workspace:
        workspace.pipelines.publish(source="print('trained')", name="train")
    return tmp_path


@pytest.fixture
def served(workspace, request):
    """The workspace served by a process of its own: what it printed."""
    command = [sys.executable, "-m", "aml_magics", "serve", *(["--tls"] if request.param else [])]
    with subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            while not lines or not lines[-1].startswith("Ctrl-C"):
                lines.append(process.stdout.readline())
                assert lines[-1], "the workspace is not served"
            yield "".join(lines)
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0


def drive(python, workspace, printed, way, home, **environment):
    url = re.search(r"https?://\S+", printed)[0]
    lines = "".join(line.removeprefix("    ") for line in printed.splitlines(keepends=True) if line.startswith("    "))
    return subprocess.run(
        [str(python), str(HERE / "drive_ways.py"), way, url, ".aml/served", *ids_in(workspace)],
        cwd=workspace,
        env={**os.environ, "HOME": str(home), "NO_PROXY": "127.0.0.1,localhost", **environment},
        input=lines,
        capture_output=True,
        text=True,
        timeout=MINUTES,
        check=False,
    )


def ids_in(workspace) -> tuple[str, str]:
    """Of the workspace and of its one pipeline, as they are kept."""
    with closing(sqlite3.connect(workspace / ".aml" / "workspace.db")) as database:
        return database.execute("SELECT workspace.id, pipelines.id FROM workspace, pipelines").fetchone()


def the_environment(workspace) -> dict[str, str]:
    """``sdk.env`` as a shell reads it."""
    script = "set -a; . .aml/served/sdk.env; set +a; env -0"
    found = subprocess.run(["sh", "-c", script], cwd=workspace, env={}, capture_output=True, text=True, check=True)
    return dict(item.partition("=")[::2] for item in found.stdout.split("\0") if item)


@pytest.fixture
def home(tmp_path_factory):
    """The SDK keeps a cache of discovery answers in it."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.timeout(MINUTES + 60)
@pytest.mark.parametrize(
    ("served", "way"),
    [(False, "A"), (False, "B"), (True, "C"), (False, "D"), (True, "A")],
    indirect=["served"],
    ids=["A", "B", "C", "D", "A-tls"],
)
def test_the_sdk_gets_to_a_served_workspace(sdk_python, workspace, served, way, home):
    environment = the_environment(workspace) if "https://" in served else {}
    if way == "A":
        environment = {name: value for name, value in environment.items() if name == "REQUESTS_CA_BUNDLE"}
    done = drive(sdk_python, workspace, served, way, home, **environment)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-5000:]}"
    assert done.stdout.rstrip().endswith("the way works")


@pytest.mark.timeout(MINUTES + 60)
@pytest.mark.parametrize("served", [False], indirect=True)
def test_without_the_token_the_sdk_gets_nowhere(sdk_python, workspace, served, home):
    (workspace / ".aml" / "served" / "token").write_text("another-token-of-some-length")
    done = drive(sdk_python, workspace, served, "B", home)
    assert done.returncode != 0
    assert "ok published pipelines" not in done.stdout
    assert "401" in done.stderr or "Unauthorized" in done.stderr
