"""Azurite, Azure's storage emulator: one real process for all tests that want a blob service, on the loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aml_magics.model.storage import azurite_access
from tests.support.leaks import MARK

__all__ = ["ACCOUNT", "Azurite", "running"]

ACCOUNT = "devstoreaccount1"
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".azurite" / "node_modules" / ".bin" / "azurite-blob"
PATIENCE = 30.0


@dataclass(frozen=True)
class Azurite:
    """``url`` is that of its account, without a slash at the end."""

    url: str

    @property
    def key(self) -> str:
        secret = azurite_access("any").secret
        assert secret is not None
        return secret.reveal()

    def container(self) -> str:
        """The name of a new container that nobody has made yet."""
        return f"c{uuid.uuid4().hex[:20]}"


@contextmanager
def running(folder: Path) -> Iterator[Azurite]:
    """Azurite, with its files in ``folder``, until the block ends."""
    if not PROGRAM.exists():
        raise RuntimeError("Azurite is not installed: run 'make azurite'")
    port = _free_port()
    command = [str(PROGRAM), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    command += ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"]
    command = [part for part in command if part not in ("--location", str(folder))]
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield Azurite(f"http://127.0.0.1:{port}/{ACCOUNT}")
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("Azurite did not come up")
