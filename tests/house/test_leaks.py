"""The guard against leaks sees each kind of leak: without this its silence would prove nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from tests.support import leaks
from tests.support.leaks import Snapshot

READS_UNTIL_CLOSED = "import sys; sys.stdin.read()"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(leaks, "PATIENCE", 0.05)


def test_a_thread_that_still_runs_is_named():
    before = Snapshot.take()
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="forgotten", daemon=True)
    thread.start()
    try:
        assert before.leaks() == ["thread 'forgotten' (daemon: True) still runs"]
    finally:
        release.set()
        thread.join()
    assert before.leaks() == []


def test_a_child_process_is_named_and_ended():
    before = Snapshot.take()
    with subprocess.Popen([sys.executable, "-c", READS_UNTIL_CLOSED], stdin=subprocess.PIPE) as child:
        found = [leak for leak in before.leaks() if leak.startswith("process")]
        assert len(found) == 1
        assert READS_UNTIL_CLOSED in found[0]
        assert child.wait() != 0


def test_a_process_whose_parent_is_gone_is_found_by_its_environment():
    before = Snapshot.take()
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {READS_UNTIL_CLOSED!r}], stdin=0)"
    reader, writer = os.pipe()
    try:
        subprocess.run([sys.executable, "-c", orphan], stdin=reader, check=True)
        found = [leak for leak in before.leaks() if leak.startswith("process")]
        assert len(found) == 1
    finally:
        os.close(reader)
        os.close(writer)


def test_an_open_file_is_named(tmp_path):
    before = Snapshot.take()
    with (tmp_path / "open.txt").open("w"):
        found = before.leaks()
    assert len(found) == 1
    assert "open.txt" in found[0]
    assert before.leaks() == []


def test_an_environment_variable_is_named_and_put_back():
    before = Snapshot.take()
    os.environ["AML_MAGICS_FORGOTTEN"] = "1"
    assert before.leaks() == ["environment variable AML_MAGICS_FORGOTTEN was None, is '1'"]
    assert before.leaks() == []


def test_another_current_folder_is_named_and_put_back(tmp_path):
    before = Snapshot.take()
    os.chdir(tmp_path)
    assert before.leaks() == [f"the current folder is {tmp_path}, was {before.folder}"]
    assert before.leaks() == []
