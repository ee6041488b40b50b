"""A workspace with panels, open in this process, and what to wait for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from aml_magics.client.workspace import Workspace
from aml_magics.session import Session

PATIENCE = 20.0


@pytest.fixture
def ws(tmp_path) -> Iterator[Workspace]:
    session = Session()
    try:
        yield session.connect(tmp_path)
    finally:
        session.close()


def until(is_so: Callable[[], object], what: str = "") -> None:
    """Wait for a condition; fail when it never holds."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"it never came true: {what or is_so}")
        time.sleep(0.02)


class Calls:
    """What is asked of a workspace, by kind of question."""

    def __init__(self, ws: Workspace, monkeypatch) -> None:
        self.paths: list[str] = []
        transport = ws.ask(_transport)
        send = transport.json

        async def counted(method, service, path, **options):
            self.paths.append(path)
            return await send(method, service, path, **options)

        monkeypatch.setattr(transport, "json", counted)

    @property
    def count(self) -> int:
        return sum(path != "/glance" for path in self.paths)

    def by_path(self) -> Counter[str]:
        return Counter(self.paths)


async def _transport(client):
    return client.transport


def gesture(panel, do: str, **message: object) -> None:
    """What a browser would send."""
    panel.table.receive({"do": do, **message})


def key_of(panel, **wanted: str) -> str:
    """The key of the row whose columns have these values."""
    frame = panel.frame
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    return str(frame[panel.kind.key].iloc[0])


def column(panel, name: str) -> list[object]:
    """The values of a column as shown; what is missing is empty."""
    return panel.frame[name].astype(object).fillna("").to_list()
