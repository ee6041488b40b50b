"""A clock that stands still until a test moves it.

It has the two methods of ``engine.clock.Clock`` and may stand in for one anywhere. A test owns it; several event loops
may sleep on it at the same time (the kernel's thread and the test's own), and it may be moved from any thread.

``advance`` jumps: every sleeper that is due wakes at the new time, as after a laptop's lid was opened. ``pass_time``
walks: it stops at each sleeper's own time and lets the loop run, as time does when nothing holds it up. Work that a
sleeper hands to a thread is not waited for: wait for what it does.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from datetime import UTC, datetime

YIELDS = 50  # turns of the loop after each step: more than any chain of callbacks here is long


class FakeClock:
    """Time that passes when told to. ``start`` is POSIX seconds or an aware datetime."""

    def __init__(self, start: float | datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start.timestamp() if isinstance(start, datetime) else float(start)
        self._sleepers: list[tuple[float, int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()

    def now(self) -> float:
        """POSIX seconds."""
        with self._changed:
            return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved by ``seconds``; nothing to wait for still gives others a turn."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        with self._changed:
            heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), loop, woken))
            self._changed.notify_all()
        try:
            await woken
        finally:
            with self._changed:
                self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[3] is not woken]
                heapq.heapify(self._sleepers)
                self._changed.notify_all()

    def advance(self, seconds: float) -> None:
        """Jump ahead and wake everybody who is due by then, the earliest first."""
        with self._changed:
            self._move_to(self._now + seconds)

    async def pass_time(self, seconds: float) -> None:
        """Walk ahead, stopping at every sleeper's time, also at those that are set on the way."""
        end = self.now() + seconds
        await self._let_run()
        while True:
            with self._changed:
                due = self._sleepers[0][0] if self._sleepers else end
                self._move_to(min(due, end))
            await self._let_run()
            if due >= end:
                return

    def sleeping(self) -> int:
        """How many sleep now."""
        with self._changed:
            return len(self._sleepers)

    def wait_for_sleepers(self, count: int = 1, timeout: float = 10) -> None:
        """Block the calling thread until ``count`` sleep, put there by another thread's loop; TimeoutError if not."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._sleepers) >= count, timeout):
                message = f"{len(self._sleepers)} of {count} sleepers after {timeout} s"
                raise TimeoutError(message)

    def _move_to(self, now: float) -> None:
        self._now = max(self._now, now)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _due, _order, loop, woken = heapq.heappop(self._sleepers)
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, woken)

    @staticmethod
    async def _let_run() -> None:
        for _ in range(YIELDS):
            await asyncio.sleep(0)


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
