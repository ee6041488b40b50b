"""What the tests of the engine share: a host over real tables, a datastore in memory, and an engine around both.

``Bench`` is one kernel: a database file, a host, an engine on the fake clock. Several on one file are several kernels.
Its listings run inline, so that a test that walks the clock knows when everything has been done.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path

from aml_magics.datastores import ObjectInfo, ObjectStore
from aml_magics.datastores.blob_xml import Page, as_record, page_of
from aml_magics.engine.database import Database
from aml_magics.engine.engine import Engine
from aml_magics.engine.host import Watch
from aml_magics.model.errors import NotFound
from aml_magics.model.resources import Fire, Missed, Poll
from aml_magics.model.triggers import DatastoreChange, Recurrence, Trigger
from tests.support.clock import FakeClock

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TABLES = (
    """
    CREATE TABLE schedules (id TEXT PRIMARY KEY, active INTEGER NOT NULL);
    CREATE TABLE runs (id TEXT PRIMARY KEY, schedule_id TEXT NOT NULL, due REAL, objects TEXT NOT NULL);
    """,
)


class WallClock:
    """A fake clock whose wall time a test can also set: sleepers go by the time that passes, as an event loop's do."""

    def __init__(self) -> None:
        self._passing = FakeClock(START)
        self._offset = 0.0
        self.sleep = self._passing.sleep
        self.advance = self._passing.advance
        self.pass_time = self._passing.pass_time
        self.sleeping = self._passing.sleeping

    def now(self) -> float:
        return self._passing.now() + self._offset

    def step(self, seconds: float) -> None:
        """Set the clock ahead or back; also what a suspended machine finds when it resumes."""
        self._offset += seconds


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait, in real time, for what other threads and processes do; TimeoutError when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - files and processes ring no event
            await asyncio.sleep(0.005)


class InlineExecutor(Executor):
    """Does the work at once, in the thread that hands it over."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


class MemoryStore:
    """A datastore that a test fills. ``before_listing`` and ``after_listing`` run around each listing."""

    def __init__(self) -> None:
        self.objects: dict[str, ObjectInfo] = {}
        self.writing: set[str] = set()
        self.listings = 0
        self.failure: Exception | None = None
        self.before_listing: Callable[[], None] = lambda: None
        self.after_listing: Callable[[], None] = lambda: None
        self._version = 0
        self._listeners: list[asyncio.Event] = []

    def put(self, name: str, size: int = 1) -> None:
        """Add or change an object, without a wake-up."""
        self._version += 1
        self.objects[name] = ObjectInfo(name, f"v{self._version}", size, START.timestamp())

    def poke(self) -> None:
        """Tell everybody who listens that something changed."""
        for listener in self._listeners:
            listener.set()

    def list(self, path: str = "", *, recursive: bool = False) -> Iterator[ObjectInfo]:
        prefix = f"{path}/" if path else ""
        with self._listing():
            for info in list(self.objects.values()):
                rest = info.name.removeprefix(prefix)
                if info.name.startswith(prefix) and (recursive or "/" not in rest):
                    yield info

    def read(self, name: str) -> bytes:
        return b"x" * self.objects[name].size

    def write(self, name: str, data: bytes) -> ObjectInfo:
        self.put(name, len(data))
        return self.objects[name]

    def local_path(self, name: str) -> Path | None:
        return None

    def is_being_written(self, name: str) -> bool:
        return name in self.writing

    async def changes(self, path: str, *, recursive: bool) -> AsyncIterator[None]:
        woken = asyncio.Event()
        self._listeners.append(woken)
        try:
            while True:
                await woken.wait()
                woken.clear()
                yield
        finally:
            self._listeners.remove(woken)

    @contextmanager
    def _listing(self) -> Iterator[None]:
        self.listings += 1
        self.before_listing()
        if self.failure is not None:
            raise self.failure
        yield
        self.after_listing()

    @property
    def listeners(self) -> int:
        return len(self._listeners)


class PagedMemoryStore(MemoryStore):
    """One that lists in pages of ``page_size`` records, as a container of blobs does."""

    page_size = 7

    def pages(self, path: str, *, recursive: bool) -> Iterator[Page]:
        found = sorted(self.list(path, recursive=recursive))
        modified = formatdate(START.timestamp(), usegmt=True).encode()
        for start in range(0, max(len(found), 1), self.page_size):
            chosen = found[start : start + self.page_size]
            records = [as_record(info.name, info.etag, info.size, modified) for info in chosen]
            yield page_of(records, "more" if start + self.page_size < len(found) else "")


class TableHost:
    """Schedules and runs in the engine's own file. ``registry`` stands for what the rows would say of each schedule."""

    def __init__(self, database: Database, registry: dict[str, Watch], stores: dict[str, ObjectStore]) -> None:
        database.migrate("test", TABLES)
        self.database = database
        self.registry = registry
        self.stores = stores
        self.woken: list[str] = []
        self.dead: list[str] = []
        self.at_work: list[str] = []
        self.on_submit: Callable[[sqlite3.Connection, Fire], None] = lambda _db, _fire: None

    def watches(self) -> list[Watch]:
        rows = self.database.rows("SELECT id FROM schedules WHERE active ORDER BY rowid")
        return [self.registry[row["id"]] for row in rows]

    def submit(self, db: sqlite3.Connection, fire: Fire) -> str | None:
        row = db.execute("SELECT active FROM schedules WHERE id = ?", (fire.schedule_id,)).fetchone()
        if row is None or not row["active"]:
            return None
        due = fire.due.timestamp() if fire.due else None
        db.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", (fire.key, fire.schedule_id, due, "|".join(fire.objects)))
        self.on_submit(db, fire)
        return fire.key

    def submitted(self, run_ids: Sequence[str]) -> None:
        self.woken.extend(run_ids)

    def object_store(self, datastore: str) -> ObjectStore:
        try:
            return self.stores[datastore]
        except KeyError:
            raise NotFound(f"no datastore {datastore!r}") from None

    def owners(self) -> list[str]:
        return list(self.at_work)

    def owner_died(self, owner: str) -> None:
        self.dead.append(owner)


class Bench:
    """One kernel. Benches with the same ``path``, ``clock``, ``registry`` and ``store`` are kernels on one file."""

    def __init__(
        self,
        path: Path | str = ":memory:",
        clock: WallClock | None = None,
        registry: dict[str, Watch] | None = None,
        store: MemoryStore | None = None,
    ) -> None:
        self.path = path
        self.clock = clock or WallClock()
        self.registry = {} if registry is None else registry
        self.store = store or MemoryStore()
        self.database = Database(path)
        self.host = TableHost(self.database, self.registry, {"data": self.store})
        self.engine = Engine(self.database, self.host, clock=self.clock, executor=InlineExecutor())

    @classmethod
    def around(cls, database: Database, host: TableHost) -> Bench:
        """A bench over these, whose engine the test makes itself."""
        bench = cls.__new__(cls)
        bench.path, bench.clock, bench.database, bench.host = database.path, WallClock(), database, host
        bench.registry = host.registry
        return bench

    async def __aenter__(self):
        await self.engine.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.stop()
        self.engine.leave()
        self.database.close()

    def another(self) -> Bench:
        """Another kernel on the same file."""
        return Bench(self.path, self.clock, self.registry, self.store)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def write_schedule(
        self,
        trigger: Trigger,
        schedule_id: str = "s",
        *,
        missed: Missed = Missed.SKIP,
        active: bool = True,
        created: datetime | None = None,
    ) -> Watch:
        """Write a schedule into the tables, as it is after its creation."""
        watch = Watch(id=schedule_id, name=schedule_id, trigger=trigger, created=created or self.now, missed=missed)
        self.registry[schedule_id] = watch
        with self.database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?)", (schedule_id, active))
        return watch

    def set_active(self, schedule_id: str, active: bool) -> None:
        with self.database.transaction() as db:
            db.execute("UPDATE schedules SET active = ? WHERE id = ?", (active, schedule_id))

    async def join(self, change: DatastoreChange, schedule_id: str = "s") -> None:
        """Create a change schedule, or enable it again."""
        self.registry[schedule_id] = Watch(id=schedule_id, name=schedule_id, trigger=change, created=self.now)
        await self.engine.join(
            change, lambda db: db.execute("INSERT OR REPLACE INTO schedules VALUES (?, 1)", (schedule_id,)).close()
        )

    @property
    def runs(self) -> list[sqlite3.Row]:
        return self.database.rows("SELECT * FROM runs ORDER BY rowid")

    @property
    def dues(self) -> list[float]:
        """The instants of all runs, in seconds after the start of the test."""
        return [row["due"] - START.timestamp() for row in self.runs]

    @property
    def fired(self) -> list[str]:
        """The objects of all runs, in the order in which they were made."""
        return [row["objects"] for row in self.runs]

    def fires(self, schedule_id: str = "s") -> list[Fire]:
        """Oldest first."""
        return list(reversed(self.engine.history(schedule_id, 5000).fires))

    def polls(self, schedule_id: str = "s") -> list[Poll]:
        """Oldest first."""
        return list(reversed(self.engine.history(schedule_id, 5000).polls))


def off_for(bench: Bench, seconds: float) -> Bench:
    """The next kernel on that file, started after a while without any."""
    bench.clock.advance(seconds)
    return bench.another()


def refuse(error: Exception, only: str = "s") -> Callable[[sqlite3.Connection, Fire], None]:
    """For ``TableHost.on_submit``: raise when that schedule fires, with its run half written."""

    def on_submit(_db: sqlite3.Connection, fire: Fire) -> None:
        if fire.schedule_id == only:
            raise error

    return on_submit


def at(seconds: float) -> datetime:
    """An instant, by seconds from the start of the test."""
    return START + timedelta(seconds=seconds)


def every(seconds: int, **others: object) -> Recurrence:
    return Recurrence(frequency="Second", interval=seconds, **others)


def change(path: str = "in", **others: object) -> DatastoreChange:
    """A change trigger that looks once a minute and settles in half a second, unless told otherwise."""
    options = {"polling_interval": timedelta(minutes=1), "per": "file", **others}
    return DatastoreChange(datastore="data", path_on_datastore=path, **options)
