"""A kernel to be killed: an engine over a real folder and a real clock, until its input is closed.

Run as ``python -m tests.engine.killable FILE FOLDER``; says "ready" when it has started.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aml_magics.datastores import Folder
from aml_magics.engine.database import Database
from aml_magics.engine.engine import Engine
from aml_magics.engine.host import Watch
from aml_magics.model.resources import Missed
from tests.engine.fakes import TableHost, change, every

BORN = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = {"polling_interval": timedelta(seconds=0.5), "settle": timedelta(seconds=0.03)}
EVERY_SECOND = every(1, start_time=BORN.replace(tzinfo=None))
REGISTRY = {
    watch.id: watch
    for watch in (
        Watch(id="file", name="file", trigger=change(**QUICK), created=BORN),
        Watch(id="batch", name="batch", trigger=change(per="batch", **QUICK), created=BORN),
        Watch(id="ticks", name="ticks", trigger=EVERY_SECOND, created=BORN, missed=Missed.ALL),
    )
}


def host_over(path: Path, folder: Path) -> TableHost:
    return TableHost(Database(path), dict(REGISTRY), {"data": Folder(folder)})


async def live(path: Path, folder: Path) -> None:
    host = host_over(path, folder)
    engine = Engine(host.database, host)
    await engine.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    await engine.stop()
    host.database.close()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), Path(sys.argv[2])))
