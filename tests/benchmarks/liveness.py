"""What a watched container costs whoever works in the same kernel: is the clock late, and is a cell slower?

A real kernel, and a service of 20,000 blobs in another process. The first table is how late a schedule of every second
fires, while the kernel is idle and while a cell computes in pure Python; a blob changes every two seconds. The second
is how far such a cell gets, beside what it gets done in a kernel that polls nothing: watched by a schedule, and by the
loop that people write with azure-storage-blob, in a thread. There no blob changes, because a run costs more than a
poll. Each round has three polls, and the rounds of the ways take turns, because the machine has other guests.

python -m tests.benchmarks.liveness [SECONDS]    # for each line of the first table
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.latency import FIRES, tell_lateness
from tests.benchmarks.listing_server import ACCOUNT, CONTAINER, FOLDER, ListingServer, control
from tests.support.azurite import KEY
from tests.support.kernels import Kernel

BLOBS, INTERVAL = 20_000, 5
SECONDS = 60.0  # and as many fires, for each line
ROUNDS, ROUND_SECONDS = 3, 3 * INTERVAL
CHANGE_SECONDS = 2.0
SET_UP = """
import aml_magics, threading, time
ws = aml_magics.connect()
made = ws.pipelines.publish(name="nothing", source="pass")
made = ws.datastores.register("blobs", account={account!r}, container={container!r}, endpoint={url!r})
made = ws.schedules.create("blobs", pipeline="nothing", datastore="blobs", path_on_datastore={path!r},
                           polling_interval="{interval}s", per="batch", status="Disabled")

def compute(seconds):
    "What a cell gets done, in rounds of a loop a second; and what other threads take, in seconds of CPU a second."
    rounds, begun, others = 0, time.perf_counter(), time.process_time() - time.thread_time()
    while time.perf_counter() < begun + seconds:
        for _ in range(1000):
            pass
        rounds += 1
    took = time.perf_counter() - begun
    return rounds / took, (time.process_time() - time.thread_time() - others) / took

def watch_by_hand(over):
    from azure.storage.blob import ContainerClient
    known = dict()
    with ContainerClient({url!r}, {container!r}, credential={key!r}) as client:
        while not over.is_set():
            begun = time.monotonic()
            seen = {{blob.name: blob.etag for blob in client.list_blobs(name_starts_with={path!r} + "/")}}
            news = [name for name, etag in seen.items() if known.get(name) != etag]
            known = seen
            over.wait(begun + {interval} - time.monotonic())
"""
BY_HAND = "over = threading.Event()\nthread = threading.Thread(target=watch_by_hand, args=(over,))\nthread.start()"
# What begins and ends each of the ways, and what it is called.
WAYS = {
    "nothing is polled": ("", ""),
    "a schedule polls": ("done = ws.schedules.enable('blobs')", "done = ws.schedules.disable('blobs')"),
    "a thread polls with list_blobs": (BY_HAND, "over.set()\nthread.join()"),
}


def main(seconds: float) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, ListingServer(BLOBS) as server, Kernel(Path(folder)) as kernel:
        place = {"account": ACCOUNT, "container": CONTAINER, "url": server.url, "path": FOLDER.strip("/"), "key": KEY}
        kernel.run(SET_UP.format(**place, interval=INTERVAL))
        with changing(server):
            tell_lateness(lateness(kernel, seconds))
        sys.stdout.write("\n")
        tell_throughput(throughput(kernel))
        kernel.run("ws.close()")


@contextmanager
def changing(server: ListingServer) -> Iterator[None]:
    """A blob changes now and then."""
    over = threading.Event()

    def change() -> None:
        while not over.wait(CHANGE_SECONDS):
            control(server.address, "random", count=1)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def lateness(kernel: Kernel, seconds: float) -> Iterator[tuple[str, list[float]]]:
    """What the kernel does, and the milliseconds from due to decided of each fire meanwhile."""
    number = 0
    for way in ("nothing is polled", "a schedule polls"):
        kernel.run(WAYS[way][0])
        for cell, doing in (("", "idle"), (f"done = compute({seconds})", "a cell computes")):
            number += 1
            name = f"clock {number}"
            kernel.run(f"made = ws.schedules.create({name!r}, pipeline='nothing', every='1 second')")
            if cell:
                kernel.run(cell, timeout=seconds + 60)
            else:
                time.sleep(seconds)
            kernel.run(f"done = ws.schedules.disable({name!r})")
            fires = json.loads(kernel.run(FIRES.format(name=name)).stdout)
            yield f"{doing}, {way}", [(decided - due) * 1000 for decided, due, _ in fires]
        kernel.run(WAYS[way][1])


def throughput(kernel: Kernel) -> dict[str, list[tuple[float, float]]]:
    """What a cell gets done in each round, and what the kernel's other threads take, by way."""
    done: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, (begin, end) in WAYS.items():
            kernel.run(begin)
            done[way].append(json.loads(kernel.run(f"print(list(compute({ROUND_SECONDS})))").stdout))
            kernel.run(end)
    return done


def tell_throughput(done: dict[str, list[tuple[float, float]]]) -> None:
    """A table of medians. ``of idle`` compares neighbouring rounds and is as noisy as the machine; ``others``, the CPU
    that other threads of the kernel take, is not.
    """
    out = sys.stdout.write
    idle = [rate for rate, _ in done["nothing is polled"]]
    out(f"{'thousand turns of a loop a second':<56}{'rounds':>7}{'median':>9}{'of idle':>9}{'others':>9}\n")
    for way, rounds in done.items():
        rates = [rate for rate, _ in rounds]
        share = statistics.median(rate / other for rate, other in zip(rates, idle, strict=True))
        others = statistics.median(taken for _, taken in rounds)
        out(f"{way:<56}{len(rounds):>7}{statistics.median(rates):>9.0f}{share:>9.1%}{others:>9.1%}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
