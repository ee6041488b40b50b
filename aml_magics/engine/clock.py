"""Time as a parameter: a ``Clock`` tells the wall clock and sleeps; an ``Alarm`` is a sleep that can be cut short.

Deadlines are wall-clock instants, but the sleep of an event loop stands still while the machine is suspended and
knows nothing of a clock that is set. So nobody here sleeps longer than ``RECHECK`` seconds without looking at the
clock again. That is less than the grace after which a fire counts as missed, or a resumed laptop would miss what
falls due just after.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["RECHECK", "Alarm", "Clock", "SystemClock"]

RECHECK = 5.0


class Clock(Protocol):
    def now(self) -> float:
        """The wall clock in POSIX seconds. It may jump, also backwards."""

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Alarm:
    """One task waits on it; anybody else on the loop may ring. A ring while nobody waits ends the next wait at once.

    A ring cancels the sleep, and the waiting task takes that back (``Task.uncancel``), as ``asyncio.timeout`` does. A
    task for the sleep would do as well, but each of a thousand fires a second would pay for one.
    """

    __slots__ = ("_clock", "_rung", "_sleeper")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = False
        self._sleeper: asyncio.Task[object] | None = None

    def ring(self) -> None:
        self._rung = True
        if self._sleeper is not None:
            self._sleeper.cancel()
            self._sleeper = None

    async def wait(self, seconds: float) -> bool:
        """Sleep at most ``min(seconds, RECHECK)``. True when it was rung."""
        if not self._rung:
            self._sleeper = sleeper = asyncio.current_task()
            try:
                await self._clock.sleep(min(max(seconds, 0.0), RECHECK))
            except asyncio.CancelledError:
                if not self._rung or sleeper is None or sleeper.uncancel() > 0:
                    raise  # it was, or was also, somebody who meant it
            finally:
                self._sleeper = None
        rung, self._rung = self._rung, False
        return rung
