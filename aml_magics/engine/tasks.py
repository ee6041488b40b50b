"""The long-lived tasks of an engine.

They begin in an empty context, or ipykernel would for ever pin what they do to the cell that happened to start them.
They never die silently: an unexpected error is reported, and after a pause the work is taken up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context

from aml_magics.engine.clock import Clock

__all__ = ["FIRST_PAUSE", "LONGEST_PAUSE", "Tasks"]

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0

Work = Callable[[], Coroutine[object, object, None]]


class Tasks:
    """Created and stopped with the engine; ``report(name, error)`` gets every unexpected error."""

    def __init__(self, clock: Clock, report: Callable[[str, Exception], None]) -> None:
        self._clock = clock
        self._report = report
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, name: str, work: Work) -> asyncio.Task[None]:
        """Run ``work()`` until it returns; when it fails, again."""
        task = asyncio.get_running_loop().create_task(self._keep_on(name, work), name=f"aml-{name}", context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Cancel all tasks and wait for their end."""
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _keep_on(self, name: str, work: Work) -> None:
        pause = FIRST_PAUSE
        while True:
            begun = self._clock.now()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - a background task must not die of anything
                self._report(name, error)
            else:
                return
            if self._clock.now() - begun > LONGEST_PAUSE:
                pause = FIRST_PAUSE  # it worked for a while: this is a new trouble
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
