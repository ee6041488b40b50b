"""What tests ask of a process that may end while they ask."""

from __future__ import annotations

import psutil


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended, reaped or not: it may also end between two of our questions."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
