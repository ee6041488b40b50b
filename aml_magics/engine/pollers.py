"""The change schedules of an engine: one poller for each place that at least one of them watches, with its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from aml_magics.engine.host import Watch
from aml_magics.engine.looks import Place
from aml_magics.engine.poller import Commit, Members, Poller, Tools
from aml_magics.engine.preview import outlooks
from aml_magics.engine.tasks import Tasks
from aml_magics.model.outlook import Outlook
from aml_magics.model.triggers import DatastoreChange

__all__ = ["Pollers", "members_by_place"]


def members_by_place(watches: Iterable[Watch]) -> dict[Place, dict[str, DatastoreChange]]:
    """The change schedules among ``watches``, by place and id."""
    places: dict[Place, dict[str, DatastoreChange]] = {}
    for watch in watches:
        if isinstance(watch.trigger, DatastoreChange):
            places.setdefault(Place.of(watch.trigger), {})[watch.id] = watch.trigger
    return places


class Pollers:
    """Made by the engine, which also stops the tasks."""

    def __init__(self, tools: Tools, tasks: Tasks) -> None:
        self._tools = tools
        self._tasks = tasks
        self._pollers: dict[Place, Poller] = {}
        self._running: dict[Place, list[asyncio.Task[None]]] = {}
        self._schedules: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, schedule_id: str) -> bool:
        return schedule_id in self._schedules

    @property
    def schedules(self) -> int:
        return len(self._schedules)

    @property
    def last_look(self) -> float | None:
        """When the newest look at a place ended; ``None`` before the first."""
        return max(
            (poller.last_look for poller in self._pollers.values() if poller.last_look is not None), default=None
        )

    @property
    def errors(self) -> tuple[str, ...]:
        """Why places cannot be looked at now."""
        return tuple(f"{poller.place}: {poller.error}" for poller in self._pollers.values() if poller.error)

    @property
    def wakeup_errors(self) -> tuple[str, ...]:
        """Why places are looked at by their polling interval only, where that is not why they cannot be looked at."""
        troubles = [(poller.place, poller.wakeup_error, poller.error) for poller in self._pollers.values()]
        return tuple(f"{place}: {why}" for place, why, error in troubles if why and why != error)

    def open(self, watches: Iterable[Watch]) -> bool:
        """Load the snapshots of places that are new. True when there were any: read the schedules again for ``sync``.

        A schedule may be born elsewhere at any time. Whoever takes a snapshot must read the schedules after it, so as
        to know everybody for whom the next change is news.
        """
        fresh = members_by_place(watches).keys() - self._pollers.keys()
        for place in fresh:
            self._pollers[place] = Poller(place, self._tools)
        return bool(fresh)

    def sync(self, watches: Sequence[Watch]) -> bool:
        """These are the active schedules now. True when others were before."""
        places = members_by_place(watches)
        known, self._schedules = self._schedules, self._note_cursors(watches)
        for place in self._running.keys() - places.keys():
            for task in self._running.pop(place):
                task.cancel()
        for place in [place for place, poller in self._pollers.items() if place not in places and not poller.busy]:
            del self._pollers[place]
        for place, members in places.items():
            if place in self._pollers:
                self._run(place, members)
        return not known.keys() <= self._schedules.keys()

    async def join(self, place: Place, commit: Commit) -> None:
        """Look at a place and call ``commit`` in the look's transaction."""
        poller = self._pollers.get(place)
        if poller is None:
            poller = self._pollers[place] = Poller(place, self._tools)
        await poller.look(due=self._tools.clock.now(), commit=commit)

    async def outlook(self, datastore: str, path: str, names: Mapping[str, str]) -> list[Outlook]:
        """What the next looks at a path would mean for the schedules there, whose ``names`` are by id."""
        found = []
        for place in [place for place in self._running if (place.datastore, place.path) == (datastore, path)]:
            scan, snapshot = await self._pollers[place].peek()
            if snapshot.generation:  # until somebody has looked, nothing is news
                found += outlooks(scan, snapshot.waiting, self._tools.members(place), names)
        return found

    async def first_looks(self) -> None:
        """Until every place was looked at once."""
        for poller in [self._pollers[place] for place in self._running]:
            await poller.looked.wait()

    def _run(self, place: Place, members: Members) -> None:
        poller = self._pollers[place]
        poller.watch_for(members)
        if place not in self._running:
            run = self._tasks.spawn(f"look-{place}", poller.run)
            follow = self._tasks.spawn(f"follow-{place}", poller.follow)
            self._running[place] = [run, follow]

    def _note_cursors(self, watches: Sequence[Watch]) -> dict[str, Place]:
        """For the history: who is looked for where, and since when."""
        now = self._tools.clock.now()
        current = {watch.id: Place.of(watch.trigger) for watch in watches if isinstance(watch.trigger, DatastoreChange)}
        fresh = [
            (watch.id, self._pollers[place].id, min(watch.created.timestamp(), now))
            for watch in watches
            if (place := current[watch.id]) in self._pollers and self._schedules.get(watch.id) != place
        ]
        if fresh:
            self._tools.ledger.look_for(fresh, now)
        return current
