"""What running a definition needs from outside: a workspace of Azure ML, and time.

Both are handed in. ``client.v1.WorkspaceClient`` is such a workspace and ``engine.clock.SystemClock`` such a clock;
this room knows neither, so that a test hands in its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.resources import Datastore, Run

__all__ = ["Clock", "LateError", "MlWorkspace", "one_error", "within"]

T = TypeVar("T")


class Clock(Protocol):
    def now(self) -> float:
        """The wall clock in POSIX seconds."""

    async def sleep(self, seconds: float) -> None: ...


class MlWorkspace(Protocol):
    """A workspace, asynchronously. ``is_embedded``: it is this package's own, so asking often costs nothing."""

    is_embedded: bool

    async def submit_as_written(
        self, body: Mapping[str, Any], *, pipeline_id: str = "", endpoint_id: str = "", version: str = ""
    ) -> Run:
        """Start a run with a body that somebody else wrote. Sent once."""

    async def run(self, run_id: str) -> Run: ...

    async def cancel_run(self, run_id: str) -> None: ...

    async def datastores(self) -> list[Datastore]: ...

    async def objects(self, datastore: str, path: str = "", *, recursive: bool = False) -> list[ObjectInfo]: ...


class LateError(TimeoutError):
    """The work has not ended in time; it was cancelled, and its clean-up is over."""


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work`` if it comes within ``seconds`` of this clock. Raises ``LateError``."""
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise LateError
        return task.result()
    finally:
        for each in (task, alarm):
            each.cancel()
        await asyncio.gather(task, alarm, return_exceptions=True)


@contextmanager
def one_error() -> Iterator[None]:
    """What ends a group of tasks as the error that it was, the first of them, not as a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        try:
            raise error from None
        finally:
            error.__context__ = None  # IPython shows everything that was raised beside a group at length
