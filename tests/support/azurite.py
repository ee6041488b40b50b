"""Azure's storage emulator for the tests that need it: one process, on loopback, with everything in memory.

Its one account and that account's key are the documented ones of every emulator: no secret.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aml_magics.datastores import BlobContainer
from aml_magics.model.secret import Secret

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

__all__ = ["ACCOUNT", "API_VERSION", "KEY", "Azurite"]

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
API_VERSION = "2024-08-04"
PROGRAM = Path(__file__).resolve().parents[2] / ".azurite" / "node_modules" / ".bin" / "azurite-blob"
PATIENCE = 60.0
_numbers = itertools.count(1)


class Azurite:
    """``with Azurite() as azurite``: an emulator that ends with the block."""

    def __enter__(self) -> Self:
        if not PROGRAM.exists():
            raise RuntimeError("Azure's storage emulator is not installed: run 'make azurite'")
        self._folder = tempfile.TemporaryDirectory(prefix="azurite-")
        log = Path(self._folder.name) / "log"
        options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [PROGRAM, *options, "--silent"],
                cwd=self._folder.name,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self.url = f"{self._address(log)}/{ACCOUNT}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._folder.cleanup()

    @property
    def connection_string(self) -> str:
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.url};"

    def client(self, name: str | None = None) -> ContainerClient:
        """The SDK's client of that container, or of a fresh one. Whoever asked closes it."""
        from azure.storage.blob import ContainerClient

        client = ContainerClient(self.url, name or f"test-{next(_numbers):05}", credential=KEY, api_version=API_VERSION)
        if name is None:
            client.create_container()
        return client

    def store(self, name: str, **options: object) -> BlobContainer:
        """That container as a datastore, opened with the account's key. Whoever asked closes it."""
        return BlobContainer.open(self.url, name, Secret(KEY), **options)

    def sas(self, name: str, permission: str = "rwdl", *, lasts: timedelta = timedelta(hours=1)) -> str:
        """A shared access signature for that container."""
        from azure.storage.blob import ContainerSasPermissions, generate_container_sas

        return generate_container_sas(
            ACCOUNT,
            name,
            account_key=KEY,
            permission=ContainerSasPermissions.from_string(permission),
            expiry=datetime.now(UTC) + lasts,
        )

    def _address(self, log: Path) -> str:
        deadline = time.monotonic() + PATIENCE
        while (found := re.search(r"listens on (http://\S+)", log.read_text(errors="replace"))) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Azure's storage emulator does not start: {log.read_text(errors='replace')}")
            time.sleep(0.02)
        return found[1]
