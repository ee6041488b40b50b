"""The small program between us and a step: it starts the step's command and makes sure that it ends.

Run as ``python -I -S supervisor.py`` in a session of its own, by ``step.run_step``. It imports only what is small in
the standard library and is there after some 20 ms. Standard input is a pipe that nobody writes to after the request:
when it closes, the process that asked for the step is gone, even by ``kill -9``, and everything the step started is
ended. The same happens when the time is up, when the file ``cancel`` appears and, for what a step leaves running behind
it, when the command ends by itself. Ending is SIGTERM, then SIGKILL after the grace.

The command leads a session and process group of its own, so an interrupt of the notebook does not reach it. A process
that leaves the group is still found on Linux, where this program becomes the parent of every orphan below it.

The request is a line with a length, then fields separated by NUL (all bytes: names and values are whatever the system
says they are): folder, log, cancel file, timeout or nothing, grace, parent's process id, command, then ``NAME=value``
of each environment variable. The answer, on standard output: ``group PID``, then one of ``exited CODE``,
``canceled CODE``, ``timeout CODE``, ``stopped CODE``, ``failed REASON``. A negative code is a signal's number.
"""

# ruff: noqa: PTH110, PTH123, PTH208 - importing pathlib takes longer than all the rest of this program
from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress

TICK = 0.1  # seconds between two looks at the cancel file
GIVE_UP = 5.0  # seconds after SIGKILL: a process that survives that long waits for a device
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
REQUEST, ANSWER = 0, 1
SHELL = "/bin/sh"


class Request:
    """What to run, decoded from the pipe."""

    def __init__(self, data: bytes) -> None:
        folder, log, cancel, timeout, grace, parent, command, *environment = data.split(b"\0")
        self.folder, self.log, self.cancel, self.command = folder, log, cancel, command
        self.timeout = float(timeout) if timeout else None
        self.grace = float(grace)
        self.parent = int(parent)
        self.environment = dict(entry.split(b"=", 1) for entry in environment)

    @classmethod
    def read(cls) -> Request:
        head = b""
        while not head.endswith(b"\n"):
            head += _read_some(1)
        data = b""
        while len(data) < int(head):
            data += _read_some(int(head) - len(data))
        return cls(data)


def _read_some(most: int) -> bytes:
    piece = os.read(REQUEST, most)
    if not piece:
        raise SystemExit(1)  # the parent is gone before it had finished asking
    return piece


class Tree:
    """The command and every process below it."""

    def __init__(self, leader: int, *, adopts_orphans: bool) -> None:
        self.leader = leader
        self.code: int | None = None
        self.adopts_orphans = adopts_orphans

    def reap(self) -> bool:
        """Collect who has ended; True when nobody is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return self.adopts_orphans or not self._group_exists()
            if pid == 0:
                return False
            if pid == self.leader:
                self.code = os.waitstatus_to_exitcode(status)

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.leader, number)
        for pid, group in descendants(os.getpid()) if self.adopts_orphans else ():
            with suppress(ProcessLookupError, PermissionError):
                if group != self.leader:
                    os.kill(pid, number)

    def _group_exists(self) -> bool:
        try:
            os.killpg(self.leader, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def descendants(root: int) -> list[tuple[int, int]]:
    """(process id, group) of all processes below ``root``, read from /proc."""
    children: dict[int, list[tuple[int, int]]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            _state, parent, group, *_ = file.read().rpartition(b")")[2].split()
            children.setdefault(int(parent), []).append((int(name), int(group)))
    found = list(children.get(root, ()))
    for pid, _group in found:  # grows while it is walked
        found += children.get(pid, ())
    return found


def control(option: int, value: int) -> bool:
    """``prctl(2)``; False where there is none."""
    if sys.platform != "linux":
        return False
    try:
        import ctypes  # noqa: PLC0415 - a Python can be built without it

        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


def start(request: Request) -> tuple[int, bytes]:
    """The command's process id, and why it could not be started (empty when it was)."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            become_command(request)
        except BaseException as error:  # noqa: BLE001 - this is the forked child: nothing may return from here
            os.write(writer, str(error).encode(errors="replace"))
        finally:
            os._exit(127)
    os.close(writer)
    with open(reader, "rb") as problems:  # closed by exec
        return pid, problems.read()


def become_command(request: Request) -> None:
    """In the forked child: turn into the command, with nothing of ours left but the log."""
    os.setsid()
    control(PR_SET_PDEATHSIG, signal.SIGKILL)
    answer(f"group {os.getpid()}")  # before the command can do anything: should we be killed now, they can still end it
    log = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.chdir(request.folder)
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with suppress(OSError, ValueError):  # a kernel ignores some of its own, and a program inherits that
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.execve(SHELL, [b"sh", b"-c", request.command], request.environment)  # noqa: S606 - this is the shell


def watch(tree: Tree, request: Request, wakeup: int, stopped: list[int]) -> str:
    """Wait for the end of the command, or for a reason to end it."""
    deadline = None if request.timeout is None else time.monotonic() + request.timeout
    while True:
        tree.reap()
        if tree.code is not None:
            return "exited"
        if os.path.exists(request.cancel):
            return "canceled"
        if deadline is not None and time.monotonic() >= deadline:
            return "timeout"
        if stopped or os.getppid() != request.parent:
            return "stopped"
        ready, _, _ = select.select([REQUEST, wakeup], [], [], TICK)
        if REQUEST in ready and not os.read(REQUEST, 1):
            return "stopped"
        if wakeup in ready:
            os.read(wakeup, 512)


def end(tree: Tree, grace: float, wakeup: int) -> None:
    """End what is left of the tree; returns at once when nothing is."""
    began = time.monotonic()
    number = signal.SIGTERM
    if not tree.reap():
        tree.send(number)
    while not tree.reap() and (late := time.monotonic() - began) < grace + GIVE_UP:
        if late >= grace:
            number = signal.SIGKILL
            tree.send(number)
        wait = TICK / 4 if number == signal.SIGKILL else min(TICK, grace - late)
        if select.select([wakeup], [], [], max(wait, 0))[0]:
            os.read(wakeup, 512)


def answer(text: str) -> None:
    """One line for ``run_step``."""
    with suppress(OSError):  # nobody may be there to read it
        os.write(ANSWER, text.encode(errors="replace") + b"\n")


def main() -> None:
    """Read the request, run it, answer."""
    request = Request.read()
    wakeup, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    stopped: list[int] = []
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: stopped.append(number))
    adopts_orphans = control(PR_SET_CHILD_SUBREAPER, 1)
    pid, problem = start(request)
    if problem:
        answer("failed " + problem.decode(errors="replace").replace("\n", " "))
        return
    tree = Tree(pid, adopts_orphans=adopts_orphans)
    reason = watch(tree, request, wakeup, stopped)
    end(tree, request.grace, wakeup)
    answer(f"{reason} {0 if tree.code is None else tree.code}")


if __name__ == "__main__":
    main()
