"""A real Jupyter kernel in a folder, driven over ZMQ, with everything it says on record.

::

    with Kernel(tmp_path) as kernel:
        cell = kernel.run("%load_ext aml_magics")
        assert cell.stdout == ""
        long = kernel.start("%aml run wait train")
        kernel.interrupt()
        assert long.wait().error.name == "KeyboardInterrupt"

The ``with`` block owns the process: it is gone afterwards, also when the test failed. Jupyter's and IPython's folders
are private ones; the working folder is the one that was given, and a second kernel may be given it too. A thread reads
IOPub and notes when each message came and for which cell; every wait is a wait for a message and has a limit.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import zmq
from jupyter_client import AsyncKernelManager, BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.session import Session

from tests.support.messages import Cell, Message
from tests.support.planted import MARK

PATIENCE = 60.0


def private_environment(folder: Path) -> dict[str, str]:
    """Our environment, with all of Jupyter's and IPython's own folders inside ``folder``."""
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
        "IPYTHONDIR",
    )
    for name in names:
        (folder / name.lower()).mkdir(parents=True, exist_ok=True)
    return {**os.environ, **{name: str(folder / name.lower()) for name in names}}


class _OneSpec(KernelSpecManager):
    """Knows the one kernel under test, and looks nowhere on the disk."""

    python: str = sys.executable

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, language="python", display_name=kernel_name)


def kernel_manager(connection_file: Path, python: Path | str = sys.executable) -> AsyncKernelManager:
    """A manager of a kernel that is not started yet, on sockets in the file system: no port that others could take."""
    specs = _OneSpec()
    specs.python = str(python)
    return AsyncKernelManager(kernel_spec_manager=specs, transport="ipc", connection_file=str(connection_file))


class Kernel:
    """One kernel process. ``python`` is its interpreter, ``environment`` is added to the private one."""

    def __init__(
        self, folder: Path, *, python: Path | str = sys.executable, environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = Path(folder)
        self.messages: list[Message] = []
        self._python = python
        self._environment = dict(environment or {})
        self._arrived = threading.Condition()
        self._replies: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        self._private = Path(tempfile.mkdtemp(prefix="aml-kernel-"))  # short: socket paths have a limit of about 100
        self._log = (self._private / "kernel.log").open("w")
        self._runner = asyncio.Runner()
        self._manager = kernel_manager(self._private / "kernel.json", self._python)
        try:
            self._launch()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._runner.run(self._end())
        finally:
            self._runner.close()
            self._disconnect()
            self._log.close()
            log = Path(self._log.name).read_text(errors="replace")
            shutil.rmtree(self._private)
        if not any(exception) and MARK in log:
            message = f"a planted secret is in the kernel's log:\n{log[-2000:]}"
            raise AssertionError(message)

    # -- cells -------------------------------------------------------------------------------------------------------

    def run(self, code: str, *, timeout: float = PATIENCE, check: bool = True) -> Cell:
        """Run a cell to its end. AssertionError with its traceback when it failed, unless ``check`` is false."""
        cell = self.start(code).wait(timeout)
        if check and cell.error is not None:
            message = f"the cell failed:\n{code}\n{cell.error.traceback}"
            raise AssertionError(message)
        return cell

    def start(self, code: str) -> Cell:
        """Send a cell and return at once."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        return Cell(self, self._send("execute_request", content), code)

    def request(self, kind: str, content: Mapping[str, Any], *, timeout: float = PATIENCE) -> dict[str, Any]:
        """Any other request on the shell channel (``complete_request``, ``inspect_request``): the reply's content."""
        return self.reply(self._send(kind, dict(content)), timeout)

    def complete(self, code: str, cursor: int | None = None) -> list[str]:
        """What the Tab key offers at ``cursor``, the end of ``code`` by default."""
        position = len(code) if cursor is None else cursor
        return list(self.request("complete_request", {"code": code, "cursor_pos": position})["matches"])

    def reply(self, request: str, timeout: float = PATIENCE) -> dict[str, Any]:
        """The content of the reply to a request; TimeoutError when none comes or the kernel is gone."""
        deadline = time.monotonic() + timeout
        while request not in self._replies:
            if not self._shell.poll(100) and (time.monotonic() > deadline or not self.alive()):
                message = f"no reply within {timeout} s, kernel alive: {self.alive()}\n{self._tail()}"
                raise TimeoutError(message)
            _identities, answer = self._client.session.recv(self._shell)
            if answer is not None:
                self._replies[answer["parent_header"].get("msg_id", "")] = answer["content"]
        return self._replies[request]

    def wait_for(
        self,
        condition: Callable[[Message], bool],
        *,
        since: int = 0,
        timeout: float = PATIENCE,
        what: str = "a message",
    ) -> Message:
        """The first message from number ``since`` on that meets the condition, now or later."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            while True:
                for message in self.messages[since:]:
                    if condition(message):
                        return message
                since = len(self.messages)
                if not self._arrived.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    problem = f"{what} did not come within {timeout} s\n{self._tail()}"
                    raise TimeoutError(problem)

    # -- the process -------------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The kernel's process id."""
        return int(self._manager.provisioner.pid)

    def alive(self) -> bool:
        """Whether the process runs."""
        return bool(self._runner.run(self._manager.is_alive()))

    def interrupt(self) -> None:
        """Kernel > Interrupt."""
        self._runner.run(self._manager.interrupt_kernel())

    def restart(self) -> None:
        """Kernel > Restart: shut down politely, start anew. Returns when the new one answers."""
        self._runner.run(self._manager.restart_kernel())
        self._wait_until_ready()

    def kill(self) -> None:
        """``kill -9`` of the kernel's process alone, as when memory runs out. Returns when it is dead."""
        os.kill(self.pid, signal.SIGKILL)
        self._runner.run(self._manager.provisioner.wait())

    def shut_down(self) -> float:
        """Kernel > Shut Down: seconds until the process was gone. Jupyter kills after five."""
        began = time.monotonic()
        self._runner.run(self._manager.shutdown_kernel())
        return time.monotonic() - began

    # -- inside ------------------------------------------------------------------------------------------------------

    def _launch(self) -> None:
        environment = {**private_environment(self._private), **self._environment}
        log = self._log
        self._runner.run(self._manager.start_kernel(cwd=str(self.folder), env=environment, stdout=log, stderr=log))
        self._client = BlockingKernelClient(context=zmq.Context())
        self._client.load_connection_info(self._manager.get_connection_info())
        self._shell = self._client.connect_shell()
        self._wake_reader, reader_end = _pair(self._client.context)
        self._reader = threading.Thread(target=self._read, args=(reader_end,), name="kernel messages", daemon=True)
        self._reader.start()
        self._wait_until_ready()

    def _read(self, stop: zmq.Socket[bytes]) -> None:
        iopub = self._client.connect_iopub()
        session = Session(key=self._client.session.key)  # a session of its own: they are not made for two threads
        poller = zmq.Poller()
        poller.register(iopub, zmq.POLLIN)
        poller.register(stop, zmq.POLLIN)
        while stop not in (ready := dict(poller.poll())):
            if iopub in ready:
                _identities, raw = session.recv(iopub)
                with self._arrived:
                    self.messages.append(Message.of(raw, time.monotonic()))
                    self._arrived.notify_all()
        iopub.close(linger=0)
        stop.close(linger=0)

    def _wait_until_ready(self) -> None:
        """A kernel is ready when it answers and IOPub is heard: what it says before that is lost."""
        deadline = time.monotonic() + PATIENCE
        while True:
            request = self._send("kernel_info_request", {})
            self.reply(request, deadline - time.monotonic())
            try:
                self.wait_for(lambda message: message.idle_of(request), timeout=1)  # noqa: B023 - used before it changes
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        return str(self._client.session.send(self._shell, kind, content)["header"]["msg_id"])

    async def _end(self) -> None:
        if self._manager.has_kernel:
            await self._manager.shutdown_kernel(now=True)
        await self._manager.cleanup_resources()

    def _disconnect(self) -> None:
        if hasattr(self, "_reader"):
            self._wake_reader.send(b"")
            self._reader.join()
            self._wake_reader.close(linger=0)
            self._shell.close(linger=0)
        if hasattr(self, "_client"):
            self._client.context.term()

    def _tail(self) -> str:
        said = "\n".join(str(message) for message in self.messages[-10:])
        return f"{said}\n{Path(self._log.name).read_text()[-2000:]}"


def _pair(context: zmq.Context[zmq.Socket[bytes]]) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
    one, other = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    one.bind("inproc://stop")
    other.connect("inproc://stop")
    return one, other
