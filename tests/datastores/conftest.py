"""The library that watches folders ends its own threads, which are not Python's, a moment after it was told to."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

PATIENCE = 5.0


def watching_threads() -> int:
    return sum(_name(task).startswith("notify-rs") for task in Path("/proc/self/task").iterdir())


@pytest.fixture(autouse=True)
def watchers_have_ended(nothing_is_left_behind):
    """Wait for them, so that the files that they hold are not taken for leaks."""
    before = watching_threads()
    yield
    deadline = time.monotonic() + PATIENCE
    while watching_threads() > before:
        assert time.monotonic() < deadline, "a thread that watches a folder still runs"


def _name(task: Path) -> str:
    try:
        return (task / "comm").read_text()
    except OSError:
        return ""
