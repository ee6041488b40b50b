"""``python -m aml_magics serve``: the same without a notebook."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

from aml_magics.wire.v1 import EMBEDDED_SCOPE
from tests.support.planted import planted

TOKEN = planted("token-of-the-environment")


@contextmanager
def started(folder, *arguments, **environment):
    command = [sys.executable, "-m", "aml_magics", "serve", *arguments]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_it_serves(process) -> dict[str, str]:
    """What it printed: the first word of a line and the rest."""
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Ctrl-C"):
            break
    return dict(line.split(maxsplit=1) for line in lines if " " in line) | {"all": "\n".join(lines)}


def ask(url, token):
    with httpx.Client(trust_env=False) as client:
        return client.get(url + EMBEDDED_SCOPE, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_interrupted(tmp_path, number):
    with started(tmp_path) as process:
        printed = until_it_serves(process)
        url = printed["Serving"].removeprefix("at ")
        assert ask(url, printed["token"]).json()["name"] == "embedded"
        assert ask(url, "wrong").status_code == 401
        assert f"%aml connect {url} --token" in printed["all"]
        process.send_signal(number)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


INTERRUPTED = """
import os, signal, sys
from aml_magics import __main__ as program, session

serve = session.serve

def interrupted(*arguments, **options):
    os.kill(os.getpid(), signal.SIGINT)
    return serve(*arguments, **options)

session.serve = interrupted
sys.exit(program.main(["serve"]))
"""


def test_an_interrupt_while_it_starts_ends_it_as_quietly(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_token_may_come_from_the_environment(tmp_path):
    with started(tmp_path, AML_MAGICS_TOKEN=TOKEN) as process:
        printed = until_it_serves(process)
        assert printed["token"] == TOKEN
        assert ask(printed["Serving"].removeprefix("at "), TOKEN).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "there is no folder"),
        (["http://127.0.0.1:9"], "served already"),
        (["--host", ""], "the host is empty"),
        (["--port", "70000"], "70000 is no port"),
        (["--host", "203.0.113.9"], "cannot be served on"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, arguments, words):
    with started(tmp_path, *arguments) as process:
        assert process.wait(30) == 1
        (line,) = process.stderr.read().splitlines()
        assert words in line
        assert process.stdout.read() == ""
