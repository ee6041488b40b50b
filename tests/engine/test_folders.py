"""The whole engine over real folders, real clocks and real processes. The short ones; ``test_kill`` has the storms."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from datetime import timedelta

from aml_magics.datastores import Folder
from aml_magics.engine.clock import SystemClock
from aml_magics.engine.database import Database
from aml_magics.engine.engine import Engine
from tests.engine.fakes import Bench, TableHost, change, every, until


@asynccontextmanager
async def real(tmp_path):
    """A bench whose datastore is a folder and whose clock is the machine's."""
    database = Database(tmp_path / "w.db")
    host = TableHost(database, {}, {"data": Folder(tmp_path / "data")})
    bench = Bench.around(database, host)
    bench.clock = SystemClock()
    bench.engine = Engine(database, host)
    await bench.engine.start()
    try:
        yield bench
    finally:
        await bench.engine.stop()
        database.close()


def test_a_dropped_file_is_noticed_long_before_the_polling_interval(tmp_path):
    async def scenario():
        async with real(tmp_path) as bench:
            await bench.join(change(polling_interval=timedelta(hours=1), settle=timedelta(seconds=0.05)))
            (tmp_path / "data/in").mkdir(parents=True)  # it comes later
            for number in range(3):
                begun = time.monotonic()
                (tmp_path / "data/in" / str(number)).write_text("x")
                await until(lambda number=number: len(bench.fired) == number + 1)
                assert time.monotonic() - begun < 5
            assert bench.fired == ["in/0", "in/1", "in/2"]
            assert bench.engine.health().errors == ()

    asyncio.run(scenario())


def test_a_time_schedule_fires_on_time(tmp_path):
    async def scenario():
        async with real(tmp_path) as bench:
            bench.write_schedule(every(1))
            bench.engine.refresh()
            await until(lambda: len(bench.runs) == 3)
            due = [row["due"] for row in bench.runs]
            assert [round(later - due[0]) for later in due] == [0, 1, 2]
            assert bench.engine.health().lateness_p50_ms < 2000

    asyncio.run(scenario())


SLOW_WRITER = """
import sys, time
with open(sys.argv[1], "wb", buffering=0) as file:
    for _ in range(4):
        file.write(b"some lines")
        time.sleep(0.3)
    print("closing", flush=True)
    sys.stdin.readline()
print("closed", flush=True)
"""


def test_a_slow_writer_that_keeps_the_file_open_fires_once_when_it_has_closed_it(tmp_path):
    async def scenario(writer: subprocess.Popen) -> None:
        async with real(tmp_path) as bench:
            await bench.join(change(settle=timedelta(seconds=0.05), polling_interval=timedelta(seconds=0.2)))
            writer.stdin.write(b"begin\n")
            assert await asyncio.to_thread(writer.stdout.readline) == b"closing\n"
            looks = len(bench.polls())
            await until(lambda: len(bench.polls()) > looks + 2)  # several looks while it is held open, unchanged
            assert bench.fired == []
            assert bench.engine.history("s").waiting == ("in/slow",)
            writer.stdin.write(b"end\n")
            await until(lambda: bench.fired)
            assert writer.stdout.readline() == b"closed\n"
            looks = len(bench.polls())
            await until(lambda: len(bench.polls()) > looks + 2)
            assert bench.fired == ["in/slow"]

    (tmp_path / "data/in").mkdir(parents=True)
    waiting = SLOW_WRITER.replace("with open", "sys.stdin.readline()\nwith open", 1)
    command = [sys.executable, "-c", waiting, str(tmp_path / "data/in/slow")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as writer:
        asyncio.run(scenario(writer))


def test_many_files_dropped_together_by_moving_each_fire_once(tmp_path):
    async def scenario():
        (tmp_path / "data/in").mkdir(parents=True)
        (tmp_path / "ready").mkdir()
        async with real(tmp_path) as bench:
            await bench.join(change(settle=timedelta(seconds=0.05)), "s")
            await bench.join(change(settle=timedelta(seconds=0.05), per="batch"), "b")
            for number in range(300):
                (tmp_path / "ready/x").write_text("x")
                (tmp_path / "ready/x").replace(tmp_path / f"data/in/{number:03}")
            names = [f"in/{number:03}" for number in range(300)]
            await until(lambda: len(bench.runs) >= 301)
            await until(lambda: not bench.database.rows("SELECT * FROM pending"))
            by_file = sorted(row["objects"] for row in bench.runs if row["schedule_id"] == "s")
            batched = sorted("|".join(row["objects"] for row in bench.runs if row["schedule_id"] == "b").split("|"))
            assert by_file == batched == names

    asyncio.run(scenario())


def test_a_folder_that_is_emptied_removed_and_filled_again_fires_for_what_is_new(tmp_path):
    async def scenario():
        incoming = tmp_path / "data/in"
        incoming.mkdir(parents=True)
        (incoming / "old").write_text("x")
        async with real(tmp_path) as bench:
            await bench.join(change(settle=timedelta(seconds=0.05)))
            (incoming / "old").unlink()
            incoming.rmdir()
            await until(lambda: not bench.database.rows("SELECT * FROM objects"))
            incoming.mkdir()
            (incoming / "old").write_text("y")
            await until(lambda: bench.fired == ["in/old"])

    asyncio.run(scenario())


def test_what_the_datastore_writes_itself_fires_once_it_is_whole(tmp_path):
    async def scenario():
        async with real(tmp_path) as bench:
            await bench.join(change(settle=timedelta(0)))
            store = bench.host.object_store("data")
            await asyncio.to_thread(store.write, "in/a", b"x" * 1_000_000)
            await until(lambda: bench.fired)
            assert bench.fired == ["in/a"]

    asyncio.run(scenario())
