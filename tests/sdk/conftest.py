"""A workspace served in a process of its own, and a way to let a program drive it with Microsoft's SDK v1."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.planted import planted

HERE = Path(__file__).parent
TOKEN = planted("sdk-token")
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
    """A workspace served by a process of its own: what it says about itself, and its folder."""
    with serving(tmp_path / "workspace") as about:
        yield about, tmp_path / "workspace"


@contextmanager
def serving(root: Path, *options: str) -> Iterator[dict[str, Any]]:
    """``serve_embedded.py ROOT option ...``: what it says about itself."""
    root.mkdir()
    command = [sys.executable, str(HERE / "serve_embedded.py"), str(root), *options]
    environment = {**os.environ, "AML_MAGICS_TOKEN": TOKEN}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True) as server:
        try:
            line = server.stdout.readline()
            assert line, "the workspace did not start"
            yield json.loads(line)
        finally:
            server.stdin.close()
            assert server.wait(timeout=30) == 0


@pytest.fixture
def drive(interpreter, served, tmp_path):
    """``drive("program.py", argument ...)``: what it printed. The arguments follow the address of the workspace."""
    about, _root = served
    home = tmp_path / "home"  # the SDK keeps a cache of discovery answers in it
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "NO_PROXY": "127.0.0.1,localhost", "AML_MAGICS_TOKEN": TOKEN}
    if about["ca"]:
        environment["REQUESTS_CA_BUNDLE"] = about["ca"]

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
