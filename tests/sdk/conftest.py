"""A workspace served in a process of its own, and a way to let a program drive it with Microsoft's SDK v1."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MINUTES = 4 * 60  # for one program, in seconds


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


@pytest.fixture
def drive(interpreter, served, tmp_path):
    """``drive("program.py", argument ...)``: what it printed. The arguments follow the address of the workspace."""
    about, _root = served
    home = tmp_path / "home"  # the SDK keeps a cache of discovery answers in it
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "NO_PROXY": "127.0.0.1,localhost"}

    def run(program: str, *arguments: str) -> str:
        address = [about["base"], about["scope"], about["workspace_id"]]
        done = subprocess.run(
            [str(interpreter), str(HERE / program), *address, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=MINUTES,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-5000:]}"
        return done.stdout

    return run
