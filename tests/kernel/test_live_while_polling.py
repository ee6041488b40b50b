"""While a kernel watches 20,000 blobs, and the service is slow or refuses: cells, clocks and the main loop live on.

Nothing here is a measurement (those are in ``tests/benchmarks/liveness.py``): a look at the container is held open by
the service, and what must go on meanwhile is waited for while it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.listing_server import ACCOUNT, CONTAINER, FOLDER, ListingServer, control
from tests.support.kernels import PATIENCE, Kernel

BLOBS = 20_000
SET_UP = """
import asyncio, time, aml_magics
ws = aml_magics.connect()
made = ws.pipelines.publish(name="nothing", source="pass")
made = ws.datastores.register("blobs", account={account!r}, container={container!r}, endpoint={url!r})
made = ws.schedules.create(
    "blobs", pipeline="nothing", datastore="blobs", path_on_datastore={path!r}, polling_interval="1s", settle="0s",
    per="file",
)
made = ws.schedules.create("ticks", pipeline="nothing", every="1 second", missed="skip")

turns = 0
async def turn():
    global turns
    while True:
        turns += 1
        await asyncio.sleep(0.01)
turning = asyncio.create_task(turn())

def wait_for(condition):
    "Block this cell until it is true."
    until = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)

def more_ticks(number):
    "A condition: so many more fires of the clock than now."
    before = ws.schedules.history("ticks").submitted
    return lambda: ws.schedules.history("ticks").submitted >= before + number
"""
A_TURN = "before = turns\nwhile turns < before + 5: await asyncio.sleep(0.01)\nprint('turned')"


@contextmanager
def watching(folder: Path) -> Iterator[tuple[Kernel, ListingServer]]:
    """A kernel that looks at a container every second, and has looked at it."""
    with ListingServer(BLOBS) as server, Kernel(folder) as kernel:
        kernel.run(SET_UP.format(account=ACCOUNT, container=CONTAINER, url=server.url, path=FOLDER.strip("/")))
        kernel.run("wait_for(lambda: ws.schedules.history('blobs').looks >= 2)")
        yield kernel, server
        kernel.run("turning.cancel()\nws.close()")


def test_while_a_look_is_held_open_cells_answer_and_clocks_fire(tmp_path):
    with watching(tmp_path) as (kernel, server):
        control(server.address, "hold", held=True)
        wait_until_it_waits(server)
        requests = server.state()["requests"]

        assert kernel.run("print(sum(range(1_000_000)))").stdout == "499999500000\n"
        assert kernel.run(A_TURN).stdout == "turned\n"
        kernel.run("wait_for(more_ticks(2))")  # the cell blocks the main loop all the while
        kernel.run("enough = more_ticks(2)\nwhile not enough():\n    for _ in range(100_000): pass")
        names = "print(sorted(schedule.name for schedule in ws.schedules.list()))"
        assert kernel.run(names).stdout == "['blobs', 'ticks']\n"
        interrupt(kernel, "while True: pass")
        interrupt(kernel, "wait_for(lambda: False)")
        assert kernel.run(A_TURN).stdout == "turned\n"
        assert fires_of_blobs(kernel) == []
        # It was one look, which is still under way, and nobody has begun another one.
        assert (server.state()["waiting"], server.state()["requests"]) == (1, requests)

        new = control(server.address, "tail", count=1)
        control(server.address, "hold", held=False)
        assert fires_after_more_looks(kernel) == [new]


def test_while_the_service_refuses_cells_answer_and_clocks_fire_and_what_was_new_fires_afterwards(tmp_path):
    with watching(tmp_path) as (kernel, server):
        control(server.address, "busy", busy=True)
        new = control(server.address, "tail", count=3)
        kernel.run("ticks = more_ticks(3)\nwait_for(lambda: ws.schedules.history('blobs').failed)\nwait_for(ticks)")
        assert kernel.run(A_TURN).stdout == "turned\n"
        interrupt(kernel, "while True: pass")
        assert kernel.run("print(ws.schedules.history('blobs').polls[0].error)").stdout.count("503 ServerBusy") == 1
        assert fires_of_blobs(kernel) == []

        control(server.address, "busy", busy=False)
        assert fires_after_more_looks(kernel) == [[name] for name in reversed(new)]


def wait_until_it_waits(server: ListingServer) -> None:
    deadline = time.monotonic() + PATIENCE
    while not server.state()["waiting"]:
        assert time.monotonic() < deadline, "nobody looks"
        time.sleep(0.02)


def interrupt(kernel: Kernel, code: str) -> None:
    """Run a cell that does not end, and interrupt it."""
    cell = kernel.start(f"print('begun', flush=True)\n{code}")
    kernel.wait_for(lambda message: message.parent == cell.request and message.kind == "stream")
    kernel.interrupt()
    assert cell.wait().error.name == "KeyboardInterrupt"


def fires_of_blobs(kernel: Kernel) -> list[list[str]]:
    """The objects of each run for blobs, newest first."""
    told = "import json\nprint(json.dumps([fire.objects for fire in ws.schedules.history('blobs').fires]))"
    return json.loads(kernel.run(told).stdout)


def fires_after_more_looks(kernel: Kernel) -> list[list[str]]:
    """The same when the container was looked at three times more."""
    kernel.run("good = lambda seen: seen.looks - seen.failed\nbefore = good(ws.schedules.history('blobs'))")
    kernel.run("wait_for(lambda: good(ws.schedules.history('blobs')) >= before + 3)")
    return fires_of_blobs(kernel)
