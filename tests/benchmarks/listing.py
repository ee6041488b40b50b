"""What it costs to look at a container of blobs: our poll beside what people do today, on one service in one run.

    python -m tests.benchmarks.listing [COUNT ...]    # 10000 100000 1000000 unless told otherwise

The service is ``listing_server``; each contestant has a process of its own, which lists the container: first,
unchanged, with 1 % of the blobs rewritten anywhere (and all those with odd names), and with 1 % new ones at the end.
The names it says are new or changed are compared with those that the service wrote: "wrong" counts those it missed and
those it made up, in the last three. CPU is that of the contestant's process alone, user and system. The slow ones run
up to a size that ends within minutes; no figure is extrapolated. Prints tables; asserts nothing.

Ours is what a poller of the engine does to look (``scan_place``), and its table of pages. The floor only reads.
"""

from __future__ import annotations

import gc
import http.client
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from aml_magics.datastores import BlobContainer
from aml_magics.engine.database import Database
from aml_magics.engine.looks import Place, Scan, Snapshot, scan_place
from aml_magics.engine.places import PlaceStore
from aml_magics.engine.schema import SCHEMA
from aml_magics.model.secret import Secret
from tests.benchmarks.listing_server import ACCOUNT, CONTAINER, ListingServer, control
from tests.support.azurite import KEY

SIZES = (10_000, 100_000, 1_000_000)
SLOW, MEDIUM = 20_000, 200_000
QUIET_POLLS = 3
LATENCY = 0.05
STEPS = ("first", "unchanged", "random", "tail")


class Versions(ABC):
    """What a loop by hand remembers: a dictionary from name to ETag."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.known: dict[str, str] = {}

    def poll(self) -> set[str]:
        found = dict(self.listed())
        changed = {name for name, etag in found.items() if self.known.get(name) != etag}
        self.known = found
        return changed

    @abstractmethod
    def listed(self) -> Iterable[tuple[str, str]]:
        """Names and ETags, as a library gives them."""

    def snapshot(self) -> int:
        """Bytes on disk: it forgets."""
        return 0


class Library(Versions):
    """azure-storage-blob's own listing."""

    def __init__(self, url: str, **options: str) -> None:
        from azure.storage.blob import ContainerClient

        super().__init__(url)
        self._options = options
        self._client = ContainerClient(url, CONTAINER, credential=KEY)

    def listed(self) -> Iterator[tuple[str, str]]:
        return ((blob.name, blob.etag) for blob in self._client.list_blobs(**self._options))


class LibraryArrow(Library):
    def __init__(self, url: str) -> None:
        super().__init__(url, response_format="arrow")


class Adlfs(Versions):
    def __init__(self, url: str) -> None:
        import adlfs

        super().__init__(url)
        parts = (f"AccountName={ACCOUNT}", f"AccountKey={KEY}", f"BlobEndpoint={url}", "DefaultEndpointsProtocol=http")
        self._files = adlfs.AzureBlobFileSystem(account_name=ACCOUNT, connection_string=";".join(parts))

    def listed(self) -> Iterator[tuple[str, str]]:
        found = self._files.find(CONTAINER, detail=True)
        return ((name.partition("/")[2], info["etag"]) for name, info in found.items())


class Obstore(Versions):
    def __init__(self, url: str) -> None:
        from obstore.store import AzureStore

        super().__init__(url)
        options = {"account_name": ACCOUNT, "account_key": KEY, "endpoint": url}
        self._store = AzureStore(CONTAINER, **options, client_options={"allow_http": True})

    def listed(self) -> Iterator[tuple[str, str]]:
        return ((blob["path"], blob["e_tag"]) for part in self._store.list(chunk_size=5000) for blob in part)


class Floor:
    """The bytes off the socket into one buffer, looked at for where they go on alone. It knows nothing of changes."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(place.hostname, place.port)
        self._path = f"{place.path}/{CONTAINER}?restype=container&comp=list"
        self._buffer = memoryview(bytearray(4_000_000))

    def poll(self) -> None:
        marker = ""
        while marker is not None:
            self._connection.request("GET", f"{self._path}&marker={quote(marker)}")
            answer = self._connection.getresponse()
            length = 0
            while size := answer.readinto(self._buffer[length:]):
                length += size
            found = re.search(rb"<NextMarker>([^<]+)<", self._buffer[max(length - 500, 0) : length])
            marker = found[1].decode() if found else None

    @staticmethod
    def snapshot() -> int:
        return 0


class Ours:
    """A look of the engine's poller at a ``BlobContainer``."""

    place = Place("data", "", recursive=True)

    def __init__(self, url: str) -> None:
        self.store = BlobContainer.open(url, CONTAINER, Secret(KEY))
        self.known = Snapshot()
        self.last: Scan | None = None

    def poll(self) -> set[str]:
        self.last = scan_place(self.store, self.place, self.known, 0.0)
        self.known.follow(self.known.generation + 1, self.last, {})
        return {info.name for info in (*self.last.added, *self.last.modified)}

    def snapshot(self) -> int:
        return sum(len(key) + len(content) for key, content in self.known.pages.rows)


CONTESTANTS: dict[str, tuple[Callable[[str], Any], int]] = {
    "list_blobs + dict": (Library, SLOW),
    "adlfs find + dict": (Adlfs, SLOW),
    "list_blobs, Arrow + dict": (LibraryArrow, MEDIUM),
    "obstore + dict": (Obstore, 10**9),
    "ours": (Ours, 10**9),
    "ours, Arrow offered": (Ours, 10**9),
    "floor, XML": (Floor, 10**9),
}


# --- measurements, each in a process of its own ----------------------------------------------------------------------


def resident(what: str = "VmRSS") -> float:
    """Megabytes of this process now, or at most (``VmHWM``)."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1e3


def poll_four_times(url: str, name: str, count: int) -> dict[str, Any]:
    """The row of one contestant."""
    contestant = CONTESTANTS[name][0](url)
    truth: set[str] | None = None
    results: dict[str, Any] = {}
    address = url.rpartition("/")[0]
    warm_up(name)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    memory, before = resident(), control(address, "state")
    for step in STEPS:
        if step in ("random", "tail"):
            truth = set(control(address, step, count=count // 100))
        polls = [one_poll(contestant) for _ in range(QUIET_POLLS if step == "unchanged" and count > SLOW else 1)]
        names = polls[-1][0]
        results[step] = {"cpu": statistics.median(p[1] for p in polls), "wall": statistics.median(p[2] for p in polls)}
        if names is not None and step != "first":
            results[step]["wrong"] = len(names ^ (truth or set()))
        if isinstance(contestant, Ours):
            results[step]["rows"] = len(contestant.last.sweep.put) + len(contestant.last.sweep.drop)
    results["blobs"] = before["blobs"]
    after = control(address, "state")
    results["in_arrow"] = after["arrow"] - before["arrow"] == after["requests"] - before["requests"]
    results["memory"] = resident("VmHWM") - memory
    results["snapshot"] = contestant.snapshot()
    return results


def warm_up(name: str) -> None:
    """Load what a first poll loads, on a container of its own, so that the figures are those of polling."""
    with ListingServer(10) as small:
        control(small.address, "arrow", offered="Arrow" in name)
        contestant = CONTESTANTS[name][0](small.url)
        contestant.poll()
        contestant.poll()
        if isinstance(contestant, Ours):
            contestant.store.close()


def one_poll(contestant: Any) -> tuple[set[str] | None, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    names = contestant.poll()
    return names, time.process_time() - cpu, time.perf_counter() - wall


def kept(url: str, _name: str, _count: int) -> dict[str, Any]:
    """The snapshot in the engine's database: written in one durable transaction, loaded anew. Wall seconds."""
    ours = Ours(url)
    ours.poll()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "engine.db")
        database = Database(file)
        database.migrate("engine", SCHEMA)
        places = PlaceStore(database, ours.place)
        empty = places.load()
        began = time.perf_counter()
        with database.transaction() as db:
            places.write(db, empty, ours.last, {})
        stored = time.perf_counter() - began
        database.close()
        database = Database(file)
        began = time.perf_counter()
        loaded = PlaceStore(database, ours.place).load()
        took = time.perf_counter() - began
        database.close()
        size = file.stat().st_size
    return {"stored": stored, "loaded": took, "size": size, "same": loaded.pages == ours.known.pages}


def latency(url: str, _name: str, _count: int) -> dict[str, Any]:
    """An unchanged poll of a service that takes its time: page after page in XML, then in ranges. Wall seconds."""
    ours, address = Ours(url), url.rpartition("/")[0]
    ours.poll()
    chain = slowly(ours, address)
    control(address, "arrow", offered=True)
    for _ in range(3):  # until all pages are those of ranges
        ours.poll()
    ranges = slowly(ours, address)
    same = ours.last.objects == control(address, "state")["blobs"] and ours.last.is_empty
    return {"chain": chain[2], "ranges": ranges[2], "cpu": ranges[1], "same": same}


def slowly(ours: Ours, address: str) -> tuple[set[str], float, float]:
    control(address, "delay", seconds=LATENCY)
    polled = one_poll(ours)
    control(address, "delay", seconds=0)
    return polled


MEASUREMENTS = {measure.__name__: measure for measure in (poll_four_times, kept, latency)}


def measured(what: str, url: str, name: str, count: int) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.listing", "--measure", what, url, name, str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


# --- tables ----------------------------------------------------------------------------------------------------------


def table(count: int) -> dict[str, dict[str, Any]]:
    """Measure and print the rows of one size."""
    heads = ("first", "unchanged", "1 % random", "1 % tail", "wall, unchanged", "peak MB", "snapshot MB", "wrong")
    print(f"\n{count:,} blobs: CPU us a blob; wall s" + f"\n{'':<26}" + "".join(f"{head:>17}" for head in heads))
    rows: dict[str, dict[str, Any]] = {}
    with ListingServer(count) as server:
        for name, (_, most) in CONTESTANTS.items():
            if count > most:
                continue
            control(server.address, "arrow", offered="Arrow" in name)
            if "Arrow" in name:
                render_arrow(server.url)
            rows[name] = measured("poll_four_times", server.url, name, count)
            print(f"{name:<26}" + "".join(f"{cell:>17}" for cell in cells(rows[name])), flush=True)
    if not rows["ours, Arrow offered"]["in_arrow"]:
        del rows["ours, Arrow offered"]
        print("(ours read XML, though Arrow was offered)")
    return rows


def cells(row: dict[str, Any]) -> list[str]:
    """A row as it is printed."""
    cpu = [f"{row[step]['cpu'] / row['blobs'] * 1e6:.2f}" for step in STEPS]
    wrong = [row[step].get("wrong") for step in STEPS[1:]]
    exactness = "-" if None in wrong else " + ".join(str(number) for number in wrong)
    snapshot = f"{row['snapshot'] / 1e6:.1f}" if row["snapshot"] else "-"
    return [*cpu, f"{row['unchanged']['wall']:.3f}", f"{row['memory']:.0f}", snapshot, exactness]


def render_arrow(url: str) -> None:
    """Have the service render its pages of Arrow before anybody is timed."""
    contestant = Ours(url)
    contestant.poll()
    contestant.store.close()


def goals(count: int, rows: dict[str, dict[str, Any]], slow: dict[str, dict[str, Any]]) -> None:
    """Print what this run says of the goals. ``slow``: the rows of the size at which all contestants ran."""
    ours = rows["ours"]

    def us(row: dict[str, Any], step: str) -> float:
        return row[step]["cpu"] / row["blobs"] * 1e6

    def line(goal: str, wanted: str, got: str) -> None:
        print(f"{goal:<46}{wanted:<46}{got}")

    def times(step: str, other: dict[str, Any] | None, mine: dict[str, Any] = ours) -> str:
        return f"{us(other, step) / us(mine, step):.0f} x" if other else "-"

    library, size = slow.get("list_blobs + dict"), slow["ours"]["blobs"]
    print(f"\nGoals, ours at {count:,} blobs (list_blobs at {size:,}, the most it ran at)")
    for goal, step, wanted in (
        ("G1 unchanged poll", "unchanged", "0.7 us; 15 x obstore; 400 x list_blobs"),
        ("G2 1 % at random", "random", "2.5 us; 5 x obstore; 150 x list_blobs"),
        ("G2 first listing", "first", "3.5 us"),
    ):
        got = f"{us(ours, step):.2f} us; {times(step, rows['obstore + dict'])}; {times(step, library)}"
        line(goal, wanted, got)
    arrow = rows.get("ours, Arrow offered")
    if arrow:
        got = f"{us(arrow, 'unchanged'):.2f} us; {times('unchanged', rows['obstore + dict'], arrow)}"
        line("G3 Arrow offered, unchanged poll", "0.3 us; 35 x obstore", got)
    else:
        line("G3 Arrow offered, unchanged poll", "0.3 us", "not measured: ours read XML")
    line("G4 memory added, peak", "80 MB at 1,000,000", f"{ours['memory']:.0f} MB")
    line("G6 wrong names in three polls", "0", str(sum(ours[step]["wrong"] for step in STEPS[1:])))
    with ListingServer(count) as server:
        store = measured("kept", server.url, "ours", count)
        stored = (
            f"{store['loaded']:.3f} s, {store['stored']:.3f} s, {store['size'] / 1e6:.0f} MB; the same: {store['same']}"
        )
        line("G7 rows that an unchanged poll writes", "1, that of the poll", f"{ours['unchanged']['rows'] + 1}")
        line("G7 snapshot loaded, stored (wall), on disk", "0.1 s, 0.2 s at 1,000,000", stored)
        took = measured("latency", server.url, "ours", count)
    exact = f"{took['chain']:.1f} s in a chain (XML); exact: {took['same']}"
    got = f"{took['ranges']:.2f} s ({took['cpu']:.2f} s CPU); {exact}"
    line(f"G5 unchanged, {LATENCY * 1e3:.0f} ms a page, ranges (Arrow)", "1.5 s at 1,000,000; 11 s in a chain", got)


def main() -> None:
    """Measure and print."""
    sizes = [int(word.replace("_", "")) for word in sys.argv[1:]] or list(SIZES)
    slow: dict[str, dict[str, Any]] = {}
    for count in sizes:
        rows = table(count)
        slow = rows if count <= SLOW or not slow else slow
    goals(sizes[-1], rows, slow)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        what, url, name, count = sys.argv[2:]
        sys.stdout.write(json.dumps(MEASUREMENTS[what](url, name, int(count))))
    else:
        main()
