"""An embedded workspace behind a stand-in for Azure, on a real port over TLS, and the ways to connect to it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aml_magics.background import Background
from aml_magics.client.workspace import Workspace, open_embedded
from aml_magics.embedded.workspace import EmbeddedWorkspace
from tests.support.azure_stand_in import GROUP, SUBSCRIPTION, WORKSPACE, Credential, StandIn
from tests.support.https import make_certificate, served


class AzureBed:
    """``ours`` is the workspace as it is embedded; ``options`` are the arguments of ``connect`` for Azure's."""

    def __init__(self, ours: Workspace, stand_in: StandIn, ca: Path, folder: Path) -> None:
        self.ours = ours
        self.stand_in = stand_in
        self.ca = ca
        self.folder = folder
        self.credential = Credential(stand_in)

    @property
    def options(self) -> dict[str, Any]:
        return {
            "subscription": SUBSCRIPTION,
            "resource_group": GROUP,
            "workspace": WORKSPACE,
            "cloud": self.stand_in.base,
            "ca": self.ca,
            "credential": self.credential,
        }

    def write_config(self, folder: Path) -> Path:
        file = folder / "config.json"
        names = {"subscription_id": SUBSCRIPTION, "resource_group": GROUP, "workspace_name": WORKSPACE}
        file.write_text(json.dumps(names))
        return file


@contextmanager
def azure_bed(folder: Path) -> Iterator[AzureBed]:
    """Everything is in ``folder``, the cache of discovery apart."""
    background = Background("aml-stand-in")
    root = folder / "embedded"
    root.mkdir()

    async def start() -> EmbeddedWorkspace:
        made = EmbeddedWorkspace(root)
        await made.start()
        return made

    embedded = background.call(start())
    try:
        stand_in = StandIn(embedded.app, now=time.time)
        tls = make_certificate(folder)
        with served(stand_in, background, tls) as address:
            stand_in.base = address
            yield AzureBed(open_embedded(embedded.app, background.call, location=str(root)), stand_in, tls[0], folder)
    finally:
        background.call(embedded.stop(), timeout=20)
        background.stop()
