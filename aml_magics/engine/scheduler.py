"""When is something due? One heap and one timer for all time schedules.

The heap holds ``Due`` values: instants that know whose they are. What is taken back or moved stays in the heap and is
recognised when it comes up, because another one, or none, is known under its name by then (lazy deletion); when such
leftovers are the majority, the heap is built anew. Being floats themselves, they are ordered without a line of Python,
and a hundred thousand of them cost 11 MB.

The scheduler knows neither timetables nor the database: whoever is called back puts the next instants in.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterable, Iterator, KeysView
from contextlib import contextmanager
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, TypeVar

from aml_magics.engine.clock import RECHECK, Alarm, Clock

__all__ = ["LONGEST_REST", "SLACK", "Due", "Scheduler", "no_collections"]

SLACK = 0.002  # seconds that one waits for others that follow closely
# Up to so many fires of about the last second nobody waits; each beyond them is that much rest (seconds), up to the
# longest. A thousand a second then share seven wake-ups and transactions, which is most of what they cost.
FEW, REST, LONGEST_REST = 200, 0.000_12, 0.15


@contextmanager
def no_collections() -> Iterator[None]:
    """While many objects are made that all stay: to look for garbage among them takes as long as to make them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Due(float):
    """An instant (POSIX seconds, infinity for never) at which ``name`` is due."""

    __slots__ = ("name",)

    name: str


D = TypeVar("D", bound=Due)


class Scheduler(Generic[D]):
    """Calls ``fire(batch, now)`` with everything that is due, in order of time. ``fire`` puts in what is to come again.

    When ``fire`` raises, the batch is due again, and ``run`` raises: whoever runs it decides when to go on.
    """

    def __init__(
        self,
        clock: Clock,
        fire: Callable[[list[D], float], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._fire = fire
        self._heap: list[D] = []
        self._known: dict[str, D] = {}
        self._alarm = Alarm(clock)
        self._sleeping_until = -inf  # awake
        self._monotonic = monotonic
        self._turned = monotonic()
        self._lately = 0.0  # how many were fired, each counting half as much after every second
        self._rested = self._fired = -inf

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    @property
    def held_up(self) -> float:
        """For how many seconds ``run`` should have had a turn and had none. Not counted while the machine sleeps."""
        return max(0.0, self._monotonic() - self._turned - RECHECK)

    def get(self, name: str) -> D | None:
        """When that one is due next; ``None`` when it is not here."""
        return self._known.get(name)

    def names(self) -> KeysView[str]:
        """Everybody who is here."""
        return self._known.keys()

    def put(self, dues: Iterable[D]) -> None:
        """Add, or move what is here under the same name."""
        known, heap = self._known, self._heap
        fresh = []
        with no_collections():
            for due in dues:
                known[due.name] = due
                if due < inf:
                    fresh.append(due)
        if len(fresh) * 8 > len(heap):
            heap += fresh
            heapify(heap)
        else:
            for due in fresh:
                heappush(heap, due)
        self._sweep()
        if self._heap and self._heap[0] < self._sleeping_until:
            self._alarm.ring()

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._known.pop(name, None)
        self._sweep()

    def fire_due(self) -> None:
        """Fire what is due now."""
        now = self._clock.now()
        batch = self._take(now)
        if not batch:
            return
        known = self._known
        try:
            self._fire(batch, now)
        except BaseException:
            self._rebuild()
            raise
        self._rest(len(batch))
        for due in batch:
            if known.get(due.name) is due:
                del known[due.name]

    async def run(self) -> None:
        """Fire what falls due, until cancelled."""
        while True:
            self.fire_due()
            self._turned = self._monotonic()
            until = self._next_stop()
            now = self._clock.now()
            delay = max(until - now, min(self._rested - now, LONGEST_REST))  # however the clock was set meanwhile
            if delay <= 0.0:
                await asyncio.sleep(0)  # the loop has other guests
                continue
            self._sleeping_until = until
            await self._alarm.wait(delay)
            self._sleeping_until = -inf

    def _next_stop(self) -> float:
        """When to look again: at the next instant, or a little later if another one follows so closely; or never."""
        heap = self._heap
        while heap and self._known.get(heap[0].name) is not heap[0]:
            heappop(heap)
        if not heap:
            return inf
        head, until = heap[0], heap[0] + SLACK
        return until if any(head < due <= until for due in heap[1:3]) else head

    def _rest(self, fired: int) -> None:
        now = self._clock.now()
        self._lately = self._lately * 0.5 ** max(0.0, now - self._fired) + fired
        self._fired, self._rested = now, now + min(REST * max(0.0, self._lately - FEW), LONGEST_REST)

    def _take(self, now: float) -> list[D]:
        """What is due, out of the heap and in order, but still known."""
        heap, known = self._heap, self._known
        batch: list[D] = []
        few = 16 + len(heap) // 8
        while heap and heap[0] <= now:
            if len(batch) == few:  # from here on it is cheaper to take them all out at once
                batch += sorted(due for due in heap if due <= now)
                heap[:] = [due for due in heap if due > now]
                heapify(heap)
                break
            batch.append(heappop(heap))
        return [due for due in batch if known.get(due.name) is due]

    def _sweep(self) -> None:
        if len(self._heap) > 2 * len(self._known) + 64:
            self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [due for due in self._known.values() if due < inf]
        heapify(self._heap)
