"""What the engine costs, beside APScheduler 3.11 (AsyncIOScheduler, memory store). Prints one table; asserts nothing.

    python -m tests.benchmarks.engine

Each measurement runs in a process of its own, because memory once used changes the next figure. "scheduler" is the heap
with real timetables and a callback that counts; "engine" is all of it, with a ledger on disk in WAL and FULL mode that
writes a fire, a run and a cursor for each; fired is what is decided on disk. APScheduler writes nothing.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from aml_magics.engine.backlog import decide
from aml_magics.engine.clock import SystemClock
from aml_magics.engine.database import Database
from aml_magics.engine.engine import Engine
from aml_magics.engine.host import Watch
from aml_magics.engine.scheduler import Due, Scheduler
from aml_magics.model.triggers import Recurrence, Timetable

MANY = 100_000
AT_ONCE = 10_000
RATE = 1_000
SECONDS = 5
LATENESS_SECONDS = 8
CLAIMS = 2_000


def rss() -> float:
    """Megabytes of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def quarter_hours(count: int) -> list[tuple[str, datetime]]:
    """Ids, and creation instants spread over the coming quarter of an hour."""
    now = datetime.now(UTC)
    return [(f"schedule-{number:06}", now + timedelta(seconds=number * 900 / count + 1)) for number in range(count)]


def spread(count: int, begin: float) -> list[tuple[str, datetime]]:
    """Ids, and first instants spread evenly over one second."""
    return [(f"s{number:05}", datetime.fromtimestamp(begin + number / count, UTC)) for number in range(count)]


# --- ours: the scheduler alone ---------------------------------------------------------------------------------------


class Entry(Due):
    """What the scheduler keeps of one schedule."""

    __slots__ = ("timetable",)


class Counting:
    """The scheduler with timetables; counts fires and how late they are."""

    def __init__(self, every_seconds: int, schedules: list[tuple[str, datetime]]) -> None:
        self._clock = SystemClock()
        trigger = Recurrence(frequency="Second", interval=every_seconds)
        self.late: list[float] = []
        self.scheduler = Scheduler(self._clock, self._fire)
        self.scheduler.put(self._due(name, trigger.timetable(created)) for name, created in schedules)

    @staticmethod
    def _due(name: str, timetable: Timetable, after: float = 0.0) -> Entry:
        due = Entry(timetable.next_after(after))
        due.name = name
        due.timetable = timetable
        return due

    def _fire(self, batch: list[Entry], now: float) -> None:
        self.scheduler.put([self._due(due.name, due.timetable, float(due)) for due in batch])
        done = self._clock.now()
        self.late += [done - due for due in batch]

    async def run(self) -> None:
        await self.scheduler.run()


# --- ours: the whole engine ------------------------------------------------------------------------------------------


class Whole:
    """An engine over a file, and a host that makes a row of each fire."""

    def __init__(self, every_seconds: int, schedules: list[tuple[str, datetime]], folder: str) -> None:
        self.made: list[float] = []
        self.late: list[float] = []
        trigger = Recurrence(frequency="Second", interval=every_seconds)
        self._watches = [Watch(id=name, name=name, trigger=trigger, created=created) for name, created in schedules]
        self.database = Database(Path(folder) / "w.db")
        self.database.migrate("bench", ("CREATE TABLE runs (id TEXT PRIMARY KEY, schedule_id TEXT, due REAL);",))
        self._dues: list[float] = []

    def start(self) -> Awaitable[None]:
        self.engine = Engine(self.database, self)
        return self.engine.start()

    def watches(self) -> list:
        return self._watches

    def submit(self, db, fire) -> str:
        due = fire.due.timestamp()
        db.execute("INSERT INTO runs VALUES (?, ?, ?)", (fire.key, fire.schedule_id, due))
        self._dues.append(due)
        return fire.key

    def submitted(self, run_ids) -> None:
        now = time.time()
        self.late += [now - due for due in self._dues]
        self._dues.clear()

    def object_store(self, datastore):
        raise LookupError(datastore)

    def owners(self) -> list[str]:
        return []

    def owner_died(self, owner) -> None:
        raise AssertionError(owner)

    async def run(self) -> None:
        await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.engine.stop()
            self.database.close()


# --- APScheduler -----------------------------------------------------------------------------------------------------


class Other:
    """APScheduler with the same schedules."""

    def __init__(self, every_seconds: int, schedules: list[tuple[str, datetime]]) -> None:
        logging.disable(logging.CRITICAL)
        self.late: list[float] = []
        self._begin = {name: created.timestamp() for name, created in schedules}
        self._every = every_seconds
        self.scheduler = AsyncIOScheduler(timezone=UTC)
        for name, created in schedules:
            trigger = IntervalTrigger(seconds=every_seconds, start_date=created, timezone=UTC)
            self.scheduler.add_job(self.fire, trigger, args=(name,), id=name, misfire_grace_time=None, max_instances=99)

    async def fire(self, name: str) -> None:
        now = time.time()
        self.late.append((now - self._begin[name]) % self._every)

    async def run(self) -> None:
        self.scheduler.start()
        try:
            await asyncio.Event().wait()
        finally:
            self.scheduler.shutdown(wait=False)


KINDS = ("scheduler", "engine", "APScheduler")


def made(kind: str, every_seconds: int, schedules: list[tuple[str, datetime]], folder: str) -> Counting | Whole | Other:
    if kind == "scheduler":
        return Counting(every_seconds, schedules)
    return Whole(every_seconds, schedules, folder) if kind == "engine" else Other(every_seconds, schedules)


async def run_for(one: Counting | Whole | Other, seconds: float) -> None:
    task = asyncio.create_task(one.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait([task])


# --- measurements, each in its own process ---------------------------------------------------------------------------


def start(kind: str, folder: str) -> dict[str, float]:
    """Make a hundred thousand schedules and start."""
    schedules = quarter_hours(MANY)
    if kind == "engine":
        one = made(kind, 900, schedules, folder)

        async def measure() -> dict[str, float]:
            memory, begun = rss(), time.perf_counter()
            await one.start()
            took = time.perf_counter() - begun
            added = rss() - memory
            await one.engine.stop()
            one.database.close()
            return {"seconds": took, "megabytes": added}

        return asyncio.run(measure())

    async def measure_other() -> dict[str, float]:
        memory, begun = rss(), time.perf_counter()
        one = made(kind, 900, schedules, folder)
        if isinstance(one, Other):
            one.scheduler.start()
        took = time.perf_counter() - begun
        added = rss() - memory
        if isinstance(one, Other):
            one.scheduler.shutdown(wait=False)
        return {"seconds": took, "megabytes": added}

    return asyncio.run(measure_other())


def steady(kind: str, folder: str) -> dict[str, float]:
    """A thousand fires a second."""
    one = made(kind, 1, spread(RATE, time.time() + 2.0), folder)
    time.sleep(1.0)

    async def measure() -> tuple[float, int]:
        task = asyncio.create_task(one.run())
        await asyncio.sleep(1.5)
        fires, begun = len(one.late), time.process_time()
        await asyncio.sleep(SECONDS)
        used, count = time.process_time() - begun, len(one.late) - fires
        task.cancel()
        await asyncio.wait([task])
        return used, count

    used, count = asyncio.run(measure())
    return {"microseconds": used / count * 1e6, "fires": count, "p50": statistics.median(one.late) * 1e3}


def at_once(kind: str, folder: str) -> dict[str, float]:
    """Ten thousand due at one instant."""
    instant = datetime.fromtimestamp(int(time.time()) + 6, UTC)
    one = made(kind, 900, [(f"s{number:05}", instant) for number in range(AT_ONCE)], folder)
    asyncio.run(run_for(one, instant.timestamp() - time.time() + 4))
    fired = one.engine._timekeeper.lateness(1.0) if isinstance(one, Whole) else max(one.late)
    return {"fired": fired * 1e3, "run": max(one.late) * 1e3, "fires": len(one.late)}


def lateness(kind: str, folder: str, *, busy: bool) -> dict[str, float]:
    """Fifty fires a second, the loop on a thread of its own, the main thread asleep or in pure Python."""
    one = made(kind, 1, spread(50, time.time() + 1), folder) if kind != "engine" else None
    done: list[Counting | Whole | Other] = []

    def work() -> None:
        mine = one or made(kind, 1, spread(50, time.time() + 1), folder)
        asyncio.run(run_for(mine, LATENESS_SECONDS))
        done.append(mine)

    thread = threading.Thread(target=work)
    thread.start()
    if busy:
        until = time.monotonic() + LATENESS_SECONDS
        while time.monotonic() < until:
            sum(number * number for number in range(1000))
    thread.join()
    late = sorted(done[0].late)
    return {"p50": statistics.median(late) * 1e3, "p99": late[int(len(late) * 0.99)] * 1e3, "fires": len(late)}


def idle(kind: str, folder: str) -> dict[str, float]:
    return lateness(kind, folder, busy=False)


def busy(kind: str, folder: str) -> dict[str, float]:
    return lateness(kind, folder, busy=True)


def claim(kind: str, folder: str) -> dict[str, float]:
    """One fire, one run and one cursor in one durable transaction."""
    one = made(kind, 1, spread(1, time.time() - CLAIMS - 5), folder)
    ledger = Engine(one.database, one)._ledger
    watch = one.watches()[0]
    table = watch.trigger.timetable(watch.created)
    due, took, cpu = table.next_after(watch.created.timestamp() - 1), [], []
    after = due - 1
    for _ in range(CLAIMS):
        begun, begun_cpu = time.perf_counter(), time.thread_time()
        decision = decide(watch, table, after, due, due, due)
        ledger.record([decision])
        took.append(time.perf_counter() - begun)
        cpu.append(time.thread_time() - begun_cpu)
        after, due = decision.until, decision.next_due
    one.database.close()
    took.sort()
    cpu.sort()
    middle = len(took) // 2
    return {"cpu": cpu[middle] * 1e3, "p50": took[middle] * 1e3, "p99": took[int(len(took) * 0.99)] * 1e3}


MEASUREMENTS: dict[str, Callable[[str, str], dict[str, float]]] = {
    measure.__name__: measure for measure in (start, steady, at_once, idle, busy, claim)
}


def measured(what: str, kind: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.benchmarks.engine", what, kind, folder]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def table() -> list[tuple[str, str, list[str]]]:
    """(what, goal, a cell for each kind)."""
    rows = []
    starts = [measured("start", kind) for kind in KINDS]
    rows.append((f"{MANY:,} schedules, start (s)", "<= 0.2", [f"{each['seconds']:.2f}" for each in starts]))
    rows.append((f"{MANY:,} schedules, RSS added (MB)", "<= 20", [f"{each['megabytes']:.1f}" for each in starts]))
    cpu = [measured("steady", kind) for kind in KINDS]
    rows.append((f"{RATE:,} fires/s, CPU a fire (us)", "<= 1/3", [f"{each['microseconds']:.0f}" for each in cpu]))
    instant = [measured("at_once", kind) for kind in KINDS]
    cells = [f"{each['fired']:.0f}" for each in instant]
    rows.append((f"{AT_ONCE:,} at one instant, all fired after (ms)", "<= 50", cells))
    rows.append(("the same, and their runs are made", "", ["-", f"{instant[1]['run']:.0f}", "-"]))
    for what, goal in (("idle", "<= 5"), ("busy", "<= 25")):
        late = [measured(what, kind) for kind in KINDS]
        cells = [f"{each['p50']:.1f} / {each['p99']:.1f}" for each in late]
        rows.append((f"lateness p50 / p99, main thread {what} (ms)", goal, cells))
    claims = measured("claim", "engine")
    rows.append(("claim, WAL + FULL, CPU p50 (ms)", "<= 0.3", ["-", f"{claims['cpu']:.2f}", "-"]))
    wall = f"{claims['p50']:.2f} / {claims['p99']:.2f}"
    rows.append(("the same, wall p50 / p99, the disk's flush too", "", ["-", wall, "-"]))
    return rows


def main() -> None:
    """Measure and print."""
    out = sys.stdout.write
    out(f"{'':<46}{'goal':>8}" + "".join(f"{kind:>16}" for kind in KINDS) + "\n")
    for what, goal, cells in table():
        out(f"{what:<46}{goal:>8}" + "".join(f"{cell:>16}" for cell in cells) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(MEASUREMENTS[sys.argv[1]](sys.argv[2], sys.argv[3])))
    else:
        main()
