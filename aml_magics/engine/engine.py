"""The engine: turns the triggers of a host's active schedules into fires.

It owns a timekeeper (time), the pollers (change), the ledger (what was decided), the beat (which kernels live), the
tasks that these run in and the threads for listings. Every kernel on a file runs all of it, without a leader: the
database decides who was first. All methods belong to the thread of the event loop. An engine is started once and
stopped once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from aml_magics.engine.clock import Alarm, Clock, SystemClock
from aml_magics.engine.database import Database
from aml_magics.engine.host import Host, Watch
from aml_magics.engine.ledger import Claims, Ledger
from aml_magics.engine.looks import Place
from aml_magics.engine.owners import BEAT_SECONDS, Owners, this_process
from aml_magics.engine.poller import Commit, Members, Tools
from aml_magics.engine.pollers import Pollers, members_by_place
from aml_magics.engine.records import read_history
from aml_magics.engine.schema import SCHEMA
from aml_magics.engine.tasks import Tasks
from aml_magics.engine.threads import DaemonThreadPool
from aml_magics.engine.timekeeper import Timekeeper
from aml_magics.model.history import Health, History, instant_text
from aml_magics.model.outlook import Outlook
from aml_magics.model.triggers import DatastoreChange

__all__ = ["Engine"]

LISTING_THREADS = 64  # of which one datastore has ``LOOKS_AT_ONCE``
FIRST_LOOKS_SECONDS = 1.0  # how long a start waits for the first looks
STOP_SECONDS = 1.0  # how long a stop waits for a listing that is under way
ERRORS_KEPT = 20
SYNC_DUTY = 0.05  # how much of the time may go into reading the schedules because other kernels write
_SYSTEM_CLOCK = SystemClock()


class Engine:
    """Fires into ``host``; what it decides is in ``database``, whose ``engine`` tables it makes.

    Listings run in ``executor``, by default in daemon threads of its own.
    """

    def __init__(
        self, database: Database, host: Host, *, clock: Clock = _SYSTEM_CLOCK, executor: Executor | None = None
    ) -> None:
        database.migrate("engine", SCHEMA)
        self.owner = this_process()
        self._database = database
        self._host = host
        self._clock = clock
        self._own_threads = DaemonThreadPool(LISTING_THREADS, "aml-list")
        self._errors: deque[str] = deque(maxlen=ERRORS_KEPT)
        self._started: float | None = None
        self._stopped = False
        self._tasks = Tasks(clock, self._report)
        self._ledger = Ledger(database, host, self._report)
        self._timekeeper = Timekeeper(self._ledger, clock, self._claimed, self._tasks.spawn)
        self._owners = Owners(database, clock, self.owner)
        self._stale = Alarm(clock)
        self._changed_elsewhere = False  # another kernel wrote something since the schedules were read
        self._beats_to_rest = 0  # before they are read again because of that
        tools = Tools(
            database=database,
            host=host,
            ledger=self._ledger,
            clock=clock,
            executor=self._own_threads if executor is None else executor,
            members=self._members,
            claimed=self._claimed,
            report=self._report,
        )
        self._pollers = Pollers(tools, self._tasks)

    async def start(self) -> None:
        """Read the schedules, record what was missed, look at all places, and go on until ``stop``.

        Returns when every place was looked at once, or after a second.
        """
        if self._started is not None:
            raise RuntimeError("an engine can be started once")
        self._started = self._clock.now()
        try:
            self._beat()
            self._sync(starting=True)
            self._fire_missed()
            self._tasks.spawn("time", self._timekeeper.run)
            self._tasks.spawn("beat", self._keep_beating)
            self._tasks.spawn("sync", self._keep_in_sync)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._pollers.first_looks(), FIRST_LOOKS_SECONDS)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all tasks, threads and watchers. What is under way is left to the next start, or to another kernel.

        The kernel still counts as alive until it says otherwise (``leave``), or its beat is missed.
        """
        if self._stopped:
            return
        self._stopped = True
        await self._tasks.stop()
        self._own_threads.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + STOP_SECONDS
        while self._own_threads.threads and time.monotonic() < deadline:  # noqa: ASYNC110 - threads ring no event
            await asyncio.sleep(0.001)

    def leave(self) -> None:
        """Say that this kernel is gone: after ``stop``, when all its work is put down. Nobody looks after it then."""
        if self._started is not None:
            self._guarded("leave", self._owners.leave)

    def refresh(self) -> None:
        """The host's schedules have changed: read them again, soon, and once for many calls."""
        self._stale.ring()

    async def join(self, change: DatastoreChange, commit: Commit) -> None:
        """Look at a place and bring a schedule to life in the same transaction: what is there now is not news to it.

        ``commit(connection)`` writes the schedule as active; after a rollback it may be called again. Whatever is new
        for other schedules is news to them as ever. Raises what the datastore or ``commit`` raises, and nothing has
        then happened.
        """
        await self._pollers.join(Place.of(change), commit)
        if self._is_running and not self._guarded("sync", self._sync):
            self.refresh()  # the schedule is there all the same

    def history(self, schedule_id: str, limit: int = 50) -> History:
        """What a schedule has done and what was seen for it. One that nobody knows has an empty history."""
        active = schedule_id in self._timekeeper or schedule_id in self._pollers
        next_due = self._timekeeper.next_due(schedule_id)
        return read_history(self._database, schedule_id, limit, active=active, next_due=next_due)

    async def outlook(self, datastore: str, path: str) -> list[Outlook]:
        """What would fire now at a path, for the active schedules there. Nothing is recorded, and nothing fires.

        Raises what the datastore raises.
        """
        return await self._pollers.outlook(datastore, path, {watch.id: watch.name for watch in self._host.watches()})

    def health(self) -> Health:
        """How the engine is."""
        p50, p99 = self._timekeeper.lateness(0.5), self._timekeeper.lateness(0.99)
        return Health(
            started=None if self._started is None else datetime.fromtimestamp(self._started, UTC),
            schedules=len(self._timekeeper) + self._pollers.schedules,
            locations=len(self._pollers),
            owners=self._owners.alive,
            lateness_p50_ms=None if p50 is None else p50 * 1000,
            lateness_p99_ms=None if p99 is None else p99 * 1000,
            last_look=None if (looked := self._pollers.last_look) is None else datetime.fromtimestamp(looked, UTC),
            poll_errors=self._pollers.errors,
            wakeup_errors=self._pollers.wakeup_errors,
            errors=tuple(reversed(self._errors)),
        )

    @property
    def _is_running(self) -> bool:
        return self._started is not None and not self._stopped

    def _sync(self, *, starting: bool = False) -> None:
        begun = time.monotonic()
        timed, changes = self._watches()
        if self._pollers.open(changes):
            timed, changes = self._watches()
        gone = [self._timekeeper.sync(timed, starting=starting), self._pollers.sync(changes)]
        if starting or any(gone):
            self._ledger.pause([*timed, *changes], self._clock.now())
        self._beats_to_rest = int((time.monotonic() - begun) / SYNC_DUTY / BEAT_SECONDS)

    def _watches(self) -> tuple[list[Watch], list[Watch]]:
        """The active schedules that time fires, and those that changes fire."""
        timed: list[Watch] = []
        changes: list[Watch] = []
        for watch in self._host.watches():
            (changes if isinstance(watch.trigger, DatastoreChange) else timed).append(watch)
        return timed, changes

    async def _keep_in_sync(self) -> None:
        while True:
            if await self._stale.wait(BEAT_SECONDS):
                try:
                    self._sync()
                except BaseException:
                    self._stale.ring()
                    raise

    async def _keep_beating(self) -> None:
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            self._beat()
            self._changed_elsewhere |= self._database.changed_elsewhere()
            self._beats_to_rest -= 1
            if self._changed_elsewhere and self._beats_to_rest < 0:
                self._changed_elsewhere = False
                self.refresh()

    def _beat(self) -> None:
        dead = self._owners.beat()
        for owner in [*dead, *self._owners.strays(self._host.owners())]:
            if self._guarded(f"take over from {owner}", partial(self._host.owner_died, owner)):
                self._owners.forget(owner)

    def _fire_missed(self) -> None:
        # When this fails, the time task tries again.
        self._guarded("fire what was missed", self._timekeeper.fire_due)

    def _members(self, place: Place) -> Members:
        return members_by_place(self._host.watches()).get(place, {})

    def _claimed(self, claims: Claims) -> None:
        if claims.inactive:
            self.refresh()
        if claims.run_ids:
            self._guarded("submitted", partial(self._host.submitted, claims.run_ids))

    def _guarded(self, what: str, action: Callable[[], object]) -> bool:
        """Do it; when it fails, keep the reason and say so."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - one part that fails must not stop the others
            self._report(what, error)
            return False
        return True

    def _report(self, what: str, error: Exception) -> None:
        at = instant_text(datetime.fromtimestamp(self._clock.now(), UTC))
        self._errors.append(f"{at}, {what}: {type(error).__name__}: {error}")
