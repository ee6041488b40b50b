"""Microsoft's own SDK v1, unmodified, does the whole article against a workspace that we serve on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MINUTES = 4 * 60


@pytest.fixture
def interpreter(request) -> Path:
    """The interpreter that has the SDK: $AML_MAGICS_SDK_PYTHON, else the one that ``make sdk`` makes."""
    named = os.environ.get("AML_MAGICS_SDK_PYTHON")
    if not named:
        return request.getfixturevalue("sdk_python")
    if not Path(named).exists():
        pytest.fail(f"AML_MAGICS_SDK_PYTHON is {named}, which is not there", pytrace=False)
    return Path(named)


@pytest.fixture
def served(tmp_path):
    """An embedded workspace in a process of its own: what it says about itself, and its folder."""
    root = tmp_path / "workspace"
    root.mkdir()
    command = [sys.executable, str(HERE / "serve_embedded.py"), str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            assert line, "the workspace did not start"
            yield json.loads(line), root
        finally:
            server.stdin.close()
            assert server.wait(timeout=30) == 0


@pytest.mark.timeout(MINUTES + 60)
def test_microsofts_sdk_does_the_article_on_an_embedded_workspace(interpreter, served, tmp_path):
    about, root = served
    arguments = [about["base"], about["scope"], about["workspace_id"]]
    arguments += [about["pipelines"]["train"], about["pipelines"]["idle"], str(root)]
    home = tmp_path / "home"  # the SDK keeps a cache of discovery answers in it
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "NO_PROXY": "127.0.0.1,localhost"}

    done = subprocess.run(
        [str(interpreter), str(HERE / "drive_with_sdk.py"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=MINUTES,
        check=False,
    )

    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-5000:]}"
    assert done.stdout.rstrip().endswith("the article works")
