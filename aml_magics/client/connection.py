"""What all parts of the synchronous facade share: the client, and the way to the loop thread and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from aml_magics.background import Stopped
from aml_magics.model.errors import InvalidInput, NotConnected
from aml_magics.model.resources import Status

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient

__all__ = ["Call", "Collection", "Connection", "Spawn", "StatusChange"]

_LEAVE_SECONDS = 1.0
T = TypeVar("T")


class Call(Protocol):
    """Runs a coroutine where the client lives, and waits; an interrupt cancels it. ``Background.call`` is one."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T: ...


class Spawn(Protocol):
    """Starts a coroutine where the client lives, and does not wait. ``Background.spawn`` is one."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> Future[T]: ...


@dataclass(slots=True)
class Connection:
    """One open workspace. ``sleep`` and ``monotonic`` are the time that waiting for runs goes by.

    ``spawn`` is ``None`` where nothing can go on beside the caller.
    """

    client: WorkspaceClient
    call: Call
    location: str
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    spawn: Spawn | None = None
    is_closed: bool = field(default=False, init=False)
    started: set[asyncio.Task[Any]] = field(default_factory=set, init=False)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result. Raises ``NotConnected`` when the workspace is closed."""
        try:
            if not self.is_closed:
                return self.call(coroutine)
            coroutine.close()
        except Stopped:
            self.is_closed = True
        raise _closed()

    def start(self, work: Callable[[WorkspaceClient], Coroutine[Any, Any, T]]) -> Future[T]:
        """Start ``work(client)`` and return at once. Raises ``NotConnected`` as ``run`` does."""
        if self.spawn is None:
            message = "this workspace has no thread of its own for work that goes on beside the caller"
            raise InvalidInput(message, hint="Open it with aml_magics.connect().")
        try:
            if not self.is_closed:
                return self.spawn(self._carry_out(work))
        except Stopped:
            self.is_closed = True
        raise _closed()

    async def leave(self) -> None:
        """On the loop thread: end what was started, then close the client, so that nobody asks a closed one."""
        started = self.started - {asyncio.current_task()}
        for task in started:
            task.cancel()
        if started:
            await asyncio.wait(started, timeout=_LEAVE_SECONDS)
        await self.client.close()

    async def _carry_out(self, work: Callable[[WorkspaceClient], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self.started.add(task)
        try:
            return await work(self.client)
        finally:
            self.started.discard(task)


def _closed() -> NotConnected:
    message = "this workspace is closed"
    return NotConnected(message, hint="Open it again with %aml connect, or aml_magics.connect().")


class Collection:
    """One kind of thing in a workspace. Making one, and showing it, asks nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the workspace at {self._connection.location}>"

    @property
    def _client(self) -> WorkspaceClient:
        return self._connection.client


class _HasStatus(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> Status: ...


R = TypeVar("R", bound=_HasStatus)


@dataclass(frozen=True, slots=True)
class StatusChange(Generic[R]):
    """What ``disable`` or ``enable`` did to one thing: ``value`` is its state now, ``was`` the status it had before."""

    value: R
    was: Status

    @property
    def changed(self) -> bool:
        return self.value.status is not self.was

    def in_words(self) -> str:
        """``nightly: Active -> Disabled``, or ``nightly: Disabled already``."""
        now = self.value.status.value
        return f"{self.value.name}: {f'{self.was.value} -> {now}' if self.changed else f'{now} already'}"
