"""A workspace facade over a service in memory, with time that passes when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import httpx
import pytest

from aml_magics.client.transport import Transport
from aml_magics.client.v1 import WorkspaceClient
from aml_magics.client.workspace import Workspace
from tests.client.service import SCOPE, Service


class Waits:
    """A sleep that takes no time and remembers; ``then`` is called with each pause."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.then: Callable[[float], None] = lambda _seconds: None

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.then(seconds)

    def monotonic(self) -> float:
        return sum(self.pauses)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def service() -> Service:
    return Service()


def client_of(service: Service, waits: Waits) -> WorkspaceClient:
    transport = Transport(scope=SCOPE, api="https://w.example", network=httpx.MockTransport(service), sleep=waits.sleep)
    return WorkspaceClient(transport, is_embedded=not service.is_azure, sleep=waits.sleep)


def workspace_of(service: Service, waits: Waits, runner: asyncio.Runner) -> Workspace:
    return Workspace(
        client_of(service, waits),
        runner.run,
        name="w",
        location="https://w.example",
        sleep=waits.sleep,
        monotonic=waits.monotonic,
    )


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture
def ws(service: Service, waits: Waits, runner: asyncio.Runner) -> Workspace:
    return workspace_of(service, waits, runner)


@pytest.fixture
def azure() -> Service:
    return Service(is_azure=True)


@pytest.fixture
def azure_ws(azure: Service, waits: Waits, runner: asyncio.Runner) -> Workspace:
    return workspace_of(azure, waits, runner)
