"""Every test proves that it leaves nothing behind; fixtures that several rooms use."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import pytest

from tests.support.azurite import Azurite
from tests.support.clock import FakeClock
from tests.support.leaks import MARK, Snapshot
from tests.support.planted import found_below

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def started_once():
    """Mark our processes, and start now what Python starts once per process: later it would look like a leak."""
    os.environ[MARK] = uuid.uuid4().hex
    resource_tracker.ensure_running()
    yield
    del os.environ[MARK]


@pytest.fixture(autouse=True)
def nothing_is_left_behind(started_once):
    """Fail the test after which a thread, process, open file, environment variable or other folder remains."""
    before = Snapshot.take()
    yield
    leaks = before.leaks()
    if leaks:
        pytest.fail("this test left behind:\n  " + "\n  ".join(leaks), pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def no_planted_secret_is_written_anywhere(tmp_path_factory):
    """Fail the last test when any of them has left a planted secret in a notebook, a log or a database."""
    yield
    found = found_below(tmp_path_factory.getbasetemp())
    if found:
        pytest.fail("planted secrets were written to:\n  " + "\n  ".join(found), pytrace=False)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves only when told to."""
    return FakeClock()


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azure's storage emulator, one for all tests."""
    with Azurite() as azurite:
        yield azurite


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def sdk_python() -> Path:
    """The interpreter of the environment in which Microsoft's SDK v1 is installed, unmodified."""
    python = ROOT / ".venv-sdk" / "bin" / "python"
    if not python.exists():
        pytest.fail("Microsoft's SDK is not installed: run 'make sdk'", pytrace=False)
    return python
