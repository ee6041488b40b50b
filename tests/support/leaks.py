"""What a test left behind: threads, processes, open files, environment variables, the current folder.

``tests/conftest.py`` takes a ``Snapshot`` before every test and compares after it. What ends by itself gets
``PATIENCE`` seconds to do so, since a killed process needs a moment; nothing is waited for when nothing is left.

Processes are found in two ways: our direct children, and everything that inherited ``MARK`` in its environment, whoever
its parent is by now. So a step's process that outlived its supervisor is found too.
"""

from __future__ import annotations

import gc
import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE = 5.0
MARK = "AML_MAGICS_TEST_SESSION"
PROC = Path("/proc")
_FOREIGN: dict[str, bytes] = {}  # processes of others, and when each was born
_KERNEL = b"2"  # the parent of the kernel's own threads

# Threads that libraries start once per process and never end, with the reason. Nothing of ours may be here.
LIBRARY_THREADS = {
    r"IPythonHistorySavingThread": "IPython's one shell per process keeps it",
    r"Dask-.*|IO loop|Profile|TCP-Executor.*": "distributed keeps its own loop and pools for the life of the process",
    r"tqdm_monitor|TMonitor": "a progress bar of a library",
}


@dataclass(frozen=True)
class Snapshot:
    """What there is now. Cheap: about a millisecond."""

    threads: frozenset[int]
    processes: frozenset[int]
    files: frozenset[tuple[str, str]]
    environment: dict[str, str]
    folder: str

    @classmethod
    def take(cls) -> Snapshot:
        """Look at this process."""
        return cls(
            threads=frozenset(id(thread) for thread in threading.enumerate()),
            processes=frozenset(_processes()),
            files=frozenset(_files()),
            environment=_environment(),
            folder=_folder(),
        )

    def leaks(self) -> list[str]:
        """One line for each thing that is here now and was not then. Puts the environment back, ends left processes."""
        return [
            *self._left_threads(),
            *self._left_processes(),
            *self._left_files(),
            *self._changed_environment(),
            *self._changed_folder(),
        ]

    def _left_threads(self) -> list[str]:
        deadline = time.monotonic() + PATIENCE
        lines = []
        for thread in threading.enumerate():
            if id(thread) in self.threads or _is_library_thread(thread.name):
                continue
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                lines.append(f"thread {thread.name!r} (daemon: {thread.daemon}) still runs")
        return lines

    def _left_processes(self) -> list[str]:
        new = []
        for pid in _processes() - self.processes:
            try:
                new.append(psutil.Process(pid))
            except psutil.NoSuchProcess:
                continue
        _gone, alive = psutil.wait_procs(new, timeout=PATIENCE)
        lines = []
        for process in alive:
            try:
                lines.append(f"process {process.pid} still runs: {' '.join(process.cmdline())[:200]}")
                process.kill()
            except psutil.NoSuchProcess:
                continue
        return lines

    def _left_files(self) -> list[str]:
        if _files() - self.files:
            gc.collect()  # an object in a cycle closes its file only now
        deadline = time.monotonic() + PATIENCE
        while _files() - self.files and _is_watching() and time.monotonic() < deadline:
            time.sleep(0.005)
        return [f"file descriptor {number} is still open: {target}" for number, target in sorted(_files() - self.files)]

    def _changed_environment(self) -> list[str]:
        now = _environment()
        then = self.environment
        names = sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
        for name in names:
            if name in then:
                os.environ[name] = then[name]
            else:
                del os.environ[name]
        return [f"environment variable {name} was {then.get(name)!r}, is {now.get(name)!r}" for name in names]

    def _changed_folder(self) -> list[str]:
        now = _folder()
        if now == self.folder:
            return []
        os.chdir(self.folder)
        return [f"the current folder is {now}, was {self.folder}"]


def _is_library_thread(name: str) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in LIBRARY_THREADS)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "a folder that is gone"


def _files() -> set[tuple[str, str]]:
    """(number, what it leads to) of each open file; empty where the system does not tell."""
    found = set()
    listing = PROC / "self" / "fd"
    for entry in listing.iterdir() if listing.is_dir() else ():
        try:
            found.add((entry.name, str(entry.readlink())))
        except FileNotFoundError:
            continue  # the listing's own
    return found


def _is_watching() -> bool:
    """Whether a thread of the library that watches folders is left: it ends a moment after it was told to."""
    tasks = PROC / "self" / "task"
    return tasks.is_dir() and any(_read(f"{task}/comm").startswith(b"notify-rs") for task in tasks.iterdir())


def _processes() -> set[int]:
    if not (PROC / "self" / "environ").exists():
        return {child.pid for child in psutil.Process().children(recursive=True)}
    found = set()
    for task in (PROC / "self" / "task").iterdir():
        try:
            found.update(int(pid) for pid in (task / "children").read_text().split())
        except OSError:
            continue  # that thread has ended, or the kernel was built without the list
    with os.scandir(PROC) as entries:
        found.update(int(entry.name) for entry in entries if entry.name.isdigit() and _is_ours(entry.name))
    found.discard(os.getpid())
    return found


def _is_ours(pid: str) -> bool:
    """Whether it has our mark. A process that has none never gets it, and to ask again may wait for its memory."""
    parent, born = _parent_and_birth(pid)
    if not born or _FOREIGN.get(pid) == born:
        return False
    environ = b"" if parent == _KERNEL else _read(f"{PROC}/{pid}/environ")
    ours = f"{MARK}={os.environ.get(MARK, '')}".encode() in environ
    if parent == _KERNEL or (environ and not ours):
        _FOREIGN[pid] = born
    return ours


def _parent_and_birth(pid: str) -> tuple[bytes, bytes]:
    """Both empty when it is gone."""
    fields = _read(f"{PROC}/{pid}/stat").rpartition(b")")[2].split()
    return (fields[1], fields[19]) if fields else (b"", b"")


def _read(path: str) -> bytes:
    # Two hundred times a test: an object for each path takes longer than to read the file.
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""
