"""A kernel to be killed: an engine over a real datastore and a real clock, until its input is closed.

Run as ``python -m tests.engine.killable FILE PLACE [MARK NUMBER]``. ``PLACE`` is a folder, or the URL of a container on
the emulator. It prints a *mark*, a line, at the moments that matter: "ready" when it has started; "looking" and
"listed" before and after a listing, and "page" with each page of a container in hand; "writing", "written" and
"committed" around each transaction, and "firing" when a run was made in one. With a mark and a number it comes to a
halt at that one, to be killed exactly there: whatever it holds, it holds.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from aml_magics.datastores import BlobContainer, Folder, ObjectStore
from aml_magics.engine.database import Database
from aml_magics.engine.engine import Engine
from aml_magics.engine.host import Watch
from aml_magics.model.resources import Missed
from aml_magics.model.secret import Secret
from tests.engine.fakes import TableHost, change, every
from tests.support.azurite import KEY

BORN = datetime(2026, 1, 1, tzinfo=UTC)
INTERVAL, SETTLE = 0.5, 0.03  # seconds
QUICK = {"polling_interval": timedelta(seconds=INTERVAL), "settle": timedelta(seconds=SETTLE)}
EVERY_SECOND = every(1, start_time=BORN.replace(tzinfo=None))
REGISTRY = {
    watch.id: watch
    for watch in (
        Watch(id="file", name="file", trigger=change(**QUICK), created=BORN),
        Watch(id="batch", name="batch", trigger=change(per="batch", **QUICK), created=BORN),
        Watch(id="gone", name="gone", trigger=change(on=("removed",), **QUICK), created=BORN),
        Watch(id="ticks", name="ticks", trigger=EVERY_SECOND, created=BORN, missed=Missed.ALL),
    )
}
MANY = {
    f"many-{number}": Watch(id=f"many-{number}", name="many", trigger=EVERY_SECOND, created=BORN, missed=Missed.ALL)
    for number in range(600)
}
REGISTRY |= MANY
MARKS = ("ready", "looking", "page", "listed", "writing", "firing", "written", "committed")
HALTED = "halted"
PAGE_SIZE = 25  # so that a look takes several
ROOT = Path(__file__).resolve().parents[2]


def start_kernel(path: Path, place: Path | str, *halt: object) -> subprocess.Popen:
    """Such a kernel in a process of its own; ``halt`` is a mark and a number."""
    command = [sys.executable, "-m", "tests.engine.killable", str(path), str(place), *map(str, halt)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def end_kernel(kernel: subprocess.Popen) -> None:
    """kill -9."""
    kernel.kill()
    kernel.communicate()


def wait_for(kernel: subprocess.Popen, mark: str) -> None:
    """Until it has printed that mark."""
    while (line := kernel.stdout.readline().decode().strip()) != mark:
        assert line, f"the kernel ended before it said {mark!r}"


class Marks:
    """Prints marks, and comes to a halt at the ``number``th ``mark``."""

    def __init__(self, mark: str = "", number: str = "1") -> None:
        self._mark = mark
        self._left = int(number)

    def __call__(self, mark: str) -> None:
        os.write(1, f"{mark}\n".encode())  # one call, one line: threads do not mix theirs
        if mark == self._mark:
            self._left -= 1
            if not self._left:
                os.write(1, f"{HALTED}\n".encode())
                threading.Event().wait()


def marked(store: ObjectStore, mark: Marks) -> ObjectStore:
    """That datastore, with marks around its listings."""
    name = "pages" if hasattr(store, "pages") else "list"  # the one is made of the other
    ask = getattr(store, name)

    def listing(*args: object, **options: object) -> Iterator[object]:
        mark("looking")
        for part in ask(*args, **options):
            if name == "pages":
                mark("page")
            yield part
        mark("listed")

    setattr(store, name, listing)
    return store


class MarkedDatabase(Database):
    """A database whose transactions are marked, but for the first, which makes the tables."""

    mark = staticmethod(lambda _mark: None)

    @contextmanager
    def transaction(self, **how: bool):
        with super().transaction(**how) as db:
            self.mark("writing")
            yield db
            self.mark("written")
        self.mark("committed")


def store_at(place: Path | str) -> ObjectStore:
    """A folder, or a container on the emulator by its URL."""
    if not str(place).startswith("http:"):
        return Folder(Path(place))
    account, _, container = str(place).rpartition("/")
    return BlobContainer.open(account, container, Secret(KEY), page_size=PAGE_SIZE)


def host_over(path: Path, store: ObjectStore) -> TableHost:
    return TableHost(MarkedDatabase(path), dict(REGISTRY), {"data": store})


def write_active(name: str, db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO schedules VALUES (?, 1)", (name,))


async def give_birth(path: Path, store: ObjectStore, schedules: Sequence[str]) -> None:
    """Make the file, with these schedules: what is there now is not news to them."""
    host = host_over(path, store)
    engine = Engine(host.database, host)
    for name in schedules:
        await engine.join(REGISTRY[name].trigger, partial(write_active, name))
    await engine.stop()
    host.database.close()


async def live(path: Path, place: str, mark: Marks) -> None:
    host = host_over(path, marked(store_at(place), mark))
    host.database.mark = mark
    host.on_submit = lambda _db, _fire: mark("firing")
    engine = Engine(host.database, host)
    await engine.start()
    mark("ready")
    await asyncio.to_thread(sys.stdin.readline)
    await engine.stop()
    host.database.close()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2], Marks(*sys.argv[3:])))
