"""When is something due? One heap and one timer for all time schedules.

The heap holds ``(due, id)``. What is taken back or moved stays in the heap and is recognised when it comes up,
because ``_next`` says otherwise (lazy deletion); when such leftovers are the majority, the heap is built anew. A
hundred thousand schedules cost 13 MB and a tenth of a second.

The scheduler knows neither timetables nor the database: whoever is called back puts the next instants in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from aml_magics.engine.clock import Alarm, Clock

__all__ = ["Due", "Scheduler"]

Due = tuple[float, str]


class Scheduler:
    """Calls ``fire(batch, now)`` with everything that is due, in order. ``fire`` may call ``put`` and ``remove``.

    When ``fire`` raises, the batch is due again, and ``run`` raises: whoever runs it decides when to go on.
    """

    def __init__(self, clock: Clock, fire: Callable[[list[Due], float], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._heap: list[Due] = []
        self._next: dict[str, float] = {}
        self._alarm = Alarm(clock)
        self._sleeping_until = float("inf")

    def __len__(self) -> int:
        return len(self._next)

    def due(self, schedule_id: str) -> float | None:
        """When a schedule is due next; ``None`` when it is not here."""
        return self._next.get(schedule_id)

    def put(self, dues: Iterable[Due]) -> None:
        """Add schedules, or move those that are here already."""
        fresh = list(dues)
        heap = self._heap
        self._next.update((schedule_id, due) for due, schedule_id in fresh)
        if len(fresh) * 8 > len(heap):
            heap.extend(fresh)
            heapify(heap)
        else:
            for entry in fresh:
                heappush(heap, entry)
        self._sweep()
        if heap and heap[0][0] < self._sleeping_until:
            self._alarm.ring()

    def remove(self, schedule_ids: Iterable[str]) -> None:
        for schedule_id in schedule_ids:
            self._next.pop(schedule_id, None)
        self._sweep()

    def fire_due(self) -> None:
        """Fire what is due now."""
        now = self._clock.now()
        batch = self._take(now)
        if not batch:
            return
        try:
            self._fire(batch, now)
        except BaseException:
            self.put(entry for entry in batch if entry[1] not in self._next)
            raise

    async def run(self) -> None:
        """Fire what falls due, until cancelled."""
        while True:
            self.fire_due()
            head = self._head()
            delay = head - self._clock.now()
            if delay <= 0.0:
                await asyncio.sleep(0)  # the loop has other guests
                continue
            self._sleeping_until = head
            await self._alarm.wait(delay)

    def _head(self) -> float:
        """The next instant, or infinity."""
        heap = self._heap
        while heap:
            due, schedule_id = heap[0]
            if self._next.get(schedule_id) == due:
                return due
            heappop(heap)
        return float("inf")

    def _take(self, now: float) -> list[Due]:
        heap, waiting = self._heap, self._next
        batch = []
        while heap and heap[0][0] <= now:
            entry = heappop(heap)
            if waiting.get(entry[1]) == entry[0]:
                del waiting[entry[1]]
                batch.append(entry)
        return batch

    def _sweep(self) -> None:
        if len(self._heap) > 2 * len(self._next) + 64:
            self._heap = [(due, schedule_id) for schedule_id, due in self._next.items()]
            heapify(self._heap)
