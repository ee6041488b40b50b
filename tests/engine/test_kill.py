"""kill -9 at any moment: two kernels on one file are killed again and again; nothing is lost, nothing fires twice."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from aml_magics.datastores import Folder
from aml_magics.engine.engine import Engine
from aml_magics.engine.schema import SCHEMA
from tests.engine.fakes import TableHost, until
from tests.engine.killable import end_kernel, give_birth, host_over, start_kernel, wait_for


@contextmanager
def storm(folder: Path, chance: random.Random):
    """Files come in from a thread, some at once and some in two parts, until the block is left. Yields their names."""
    names, over = [], threading.Event()

    def blow() -> None:
        while not over.wait(chance.random() * 0.02):
            name = f"{len(names):05}"
            with (folder / "in" / name).open("w") as file:
                file.write("first part")
                if chance.random() < 0.1:
                    file.flush()
                    over.wait(0.1)
                    file.write("second part")
            names.append(f"in/{name}")

    thread = threading.Thread(target=blow)
    thread.start()
    try:
        yield names
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("seed", [1, 2])
def test_kernels_that_are_killed_in_a_storm_of_files_lose_nothing_and_double_nothing(tmp_path, seed):
    chance = random.Random(seed)
    path, folder = tmp_path / "w.db", tmp_path / "data"
    (folder / "in").mkdir(parents=True)

    asyncio.run(give_birth(path, Folder(folder), ("file", "batch")))
    kernels = [start_kernel(path, folder) for _ in range(2)]
    with storm(folder, chance) as names:
        for _ in range(8):
            victim = chance.randrange(2)
            if chance.random() < 0.5:
                wait_for(kernels[victim], "ready")
            threading.Event().wait(chance.random() * 0.5)  # killed while it starts, looks, writes or waits
            end_kernel(kernels[victim])
            kernels[victim] = start_kernel(path, folder)
    for kernel in kernels:
        end_kernel(kernel)

    def fired(host: TableHost, schedule_id: str) -> Counter[str]:
        rows = host.database.rows("SELECT objects FROM runs WHERE schedule_id = ?", (schedule_id,))
        return Counter(name for row in rows for name in row["objects"].split("|"))

    async def finish() -> None:
        host = host_over(path, Folder(folder))
        engine = Engine(host.database, host)
        await engine.start()
        await until(lambda: len(fired(host, "file")) >= len(names) and len(fired(host, "batch")) >= len(names))
        await until(lambda: not host.database.rows("SELECT * FROM pending"))
        assert engine.health().errors == ()
        assert host.database.row("PRAGMA integrity_check")[0] == "ok"
        assert len(host.database.rows("SELECT * FROM owners")) == 1
        await engine.stop()
        assert len(names) > 50
        assert fired(host, "file") == fired(host, "batch") == Counter(names)
        host.database.close()

    asyncio.run(finish())


def test_kernels_that_are_killed_while_time_passes_fire_every_second_once(tmp_path):
    chance = random.Random(3)
    path, folder = tmp_path / "w.db", tmp_path / "data"
    host = host_over(path, Folder(folder))
    host.database.migrate("engine", SCHEMA)
    with host.database.transaction() as db:
        db.execute("INSERT INTO schedules VALUES ('ticks', 1)")
        db.execute("INSERT INTO cursors (schedule_id, at) VALUES ('ticks', ?)", (time.time(),))
    kernels = [start_kernel(path, folder) for _ in range(2)]
    for _ in range(8):
        victim = chance.randrange(2)
        if chance.random() < 0.7:
            wait_for(kernels[victim], "ready")
        threading.Event().wait(chance.random() * 0.8)
        end_kernel(kernels[victim])
        kernels[victim] = start_kernel(path, folder)
    for kernel in kernels:
        wait_for(kernel, "ready")
        end_kernel(kernel)
    due = [row["due"] for row in host.database.rows("SELECT due FROM runs ORDER BY due")]
    host.database.close()
    assert len(due) >= 2
    assert due == [due[0] + number for number in range(len(due))]
