"""A List Blobs service of a size of one's choice, in a process of its own, that costs next to nothing to ask.

    python -m tests.benchmarks.listing_server 1000000    # prints its address; ends with its standard input

A container is columns: of each blob only what differs between blobs (number, time, ETag), as text of fixed width.
A page is one buffer that has everything else already, into which 5,000 rows of the columns are copied. Records are as
the service writes them, 732 bytes each; after them come a few with names that need care.

It knows prefix, delimiter, marker, maxresults, ``startFrom`` and ``endBefore``, and answers Arrow where it is accepted.
Credentials are not looked at. ``/control/...`` changes blobs and settings, see ``control``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

import numpy as np

from tests.support.listing import xml_page, xml_record

__all__ = ["ACCOUNT", "CONTAINER", "ListingServer", "control"]

ACCOUNT, CONTAINER = "account", "container"
PAGE = 5000
STEP = 10  # between the numbers of two blobs, so that others fit in between
FOLDER = "landing/sensors/"
NAME = FOLDER + "telemetry-reading-08-{:08}.parquet"
ETAG = "0x{:015X}"
ODD = ("a&b", "a<b>c", "ctl\x01", "per%20cent", "sp ace", "uff\uffff", "ü/é", "𝔘")
ARROW = "application/vnd.apache.arrow.stream"
STARTS_ANYWHERE, SPEAKS_ARROW = "2026-02-06", "2026-10-06"
ECHOED = (("Prefix", "prefix"), ("Marker", "marker"), ("MaxResults", "maxresults"), ("Delimiter", "delimiter"))
EPOCH = 1_780_000_000
BUSY = b"<Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>"
COLUMNS = (8, 29, 17)  # number, time, ETag


class Slice(NamedTuple):
    """Which blobs a reply shows, by index, and where it goes on; ``prefixes`` are virtual directories."""

    chosen: range
    prefixes: list[str]
    following: int | None


class Container:
    """The blobs, in the order of their names."""

    def __init__(self, count: int) -> None:
        self.numbers = np.arange(count, dtype=np.int64) * STEP
        self.texts = self._texts(self.numbers, 1)
        self.odd = dict.fromkeys(sorted((f"odd/{name}" for name in ODD), key=str.encode), 1)
        self.versions = itertools.count(2)
        self.lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.numbers) + len(self.odd)

    def name(self, index: int) -> str:
        if index < len(self.numbers):
            return NAME.format(self.numbers[index])
        return list(self.odd)[index - len(self.numbers)]

    def first_from(self, name: str) -> int:
        """The index of the first blob whose name is not before that one."""
        low, high, wanted = 0, len(self), name.encode()
        while low < high:
            middle = (low + high) // 2
            if self.name(middle).encode() < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def select(self, prefix: str, delimiter: str, start: int, end: int, size: int) -> Slice:
        """At most ``size`` blobs and virtual directories from ``start`` on."""
        end = min(end, self.first_from(prefix + "\U0010ffff") if prefix else len(self))
        start = max(start, self.first_from(prefix))
        if not delimiter:
            stop = min(start + size, end)
            return Slice(range(start, stop), [], stop if stop < end else None)
        return self._select_children(prefix, delimiter, start, end, size)

    def _select_children(self, prefix: str, delimiter: str, start: int, end: int, size: int) -> Slice:
        # The many are children of one folder: whatever holds for the first of them holds for the rest.
        first, prefixes = None, []
        while start < end:
            inside, found, _ = self.name(start).removeprefix(prefix).partition(delimiter)
            if not found:
                first = start if first is None else first
                stop = min(first + size, end, len(self.numbers) if first < len(self.numbers) else end)
                if stop < end and stop - first == size:
                    return Slice(range(first, stop), prefixes, stop)
                start = max(stop, start + 1)
                continue
            prefixes.append(prefix + inside + delimiter)
            start = self.first_from(prefixes[-1] + "\U0010ffff")
        chosen = range(0) if first is None else range(first, min(first + size, end))
        return Slice(chosen, prefixes, None)

    def change(self, indexes: np.ndarray) -> list[str]:
        """Write these again."""
        with self.lock:
            many = indexes[indexes < len(self.numbers)]
            self.texts[many] = self._texts(self.numbers[many], next(self.versions))
            return [self.name(index) for index in many] + self._change_odd(indexes[indexes >= len(self.numbers)])

    def _change_odd(self, indexes: np.ndarray) -> list[str]:
        names = [self.name(index) for index in indexes]
        for name in names:
            self.odd[name] = next(self.versions)
        return names

    def insert(self, indexes: np.ndarray) -> list[str]:
        """A new blob behind each of these, as far as there is none yet."""
        with self.lock:
            numbers = np.setdiff1d(self.numbers[indexes[indexes < len(self.numbers)]] + 5, self.numbers)
            places = np.searchsorted(self.numbers, numbers)
            self.texts = np.insert(self.texts, places, self._texts(numbers, next(self.versions)), axis=0)
            self.numbers = np.insert(self.numbers, places, numbers)
            return [NAME.format(number) for number in numbers]

    def append(self, count: int) -> list[str]:
        """New blobs behind all the others of their folder."""
        with self.lock:
            numbers = self.numbers[-1] + STEP * np.arange(1, count + 1)
            self.texts = np.concatenate([self.texts, self._texts(numbers, next(self.versions))])
            self.numbers = np.concatenate([self.numbers, numbers])
            return [NAME.format(number) for number in numbers]

    @staticmethod
    def _texts(numbers: np.ndarray, version: int) -> np.ndarray:
        texts = np.empty((len(numbers), sum(COLUMNS)), np.uint8)
        for place in range(8):
            texts[:, place] = numbers // 10 ** (7 - place) % 10 + ord("0")
        moment = formatdate(EPOCH + version, usegmt=True)
        # An ETag is the number and the version: no two writes have the same.
        etag = ETAG.format(0x8DE000000000000 + version)
        texts[:, 8:] = np.frombuffer((moment + etag).encode(), np.uint8)
        for place in range(8):
            texts[:, 8 + 29 + 5 + place] = texts[:, place]
        return texts


class XmlPages:
    """Renders replies. Not to be shared by threads."""

    def __init__(self) -> None:
        record = xml_record(NAME.format(0), ETAG.format(0), size=1_048_576, modified=EPOCH)
        moment = formatdate(EPOCH, usegmt=True).encode()
        self.size = len(record)
        created = record.find(moment)
        self.places = (record.find(b"00000000"), record.find(moment, created + 1), record.find(b"0x0"))
        self.head, self.tail = xml_page([b"|"]).replace(b'="c"', f'="{CONTAINER}"'.encode()).split(b"|")
        self.rows = np.tile(np.frombuffer(record, np.uint8), (PAGE, 1))

    def page(self, container: Container, found: Slice, query: dict[str, str]) -> list[bytes | memoryview]:
        following = "" if found.following is None else quote(container.name(found.following))
        many = range(found.chosen.start, min(found.chosen.stop, len(container.numbers)))
        column = 0
        for place, width in zip(self.places, COLUMNS, strict=True):
            texts = container.texts[many.start : many.stop, column : column + width]
            self.rows[: len(texts), place : place + width] = texts
            column += width
        rows = memoryview(self.rows).cast("B")[: max(len(many), 0) * self.size]
        odd = [container.name(index) for index in found.chosen if index >= len(container.numbers)]
        records = [xml_record(name, ETAG.format(container.odd[name]), modified=EPOCH) for name in odd]
        prefixes = [f"<BlobPrefix><Name>{escape(each)}</Name></BlobPrefix>".encode() for each in found.prefixes]
        tail = self.tail.replace(b"<NextMarker />", f"<NextMarker>{escape(following)}</NextMarker>".encode())
        asked = "".join(f"<{key}>{escape(query[word])}</{key}>" for key, word in ECHOED if query.get(word))
        head = self.head.replace(b"<Blobs>", f"{asked}<Blobs>".encode())
        return [head, *prefixes, rows, *records, tail if following else self.tail]


def arrow_page(container: Container, found: Slice) -> list[bytes | memoryview]:
    """The same as a stream of Arrow: its columns are called what the elements of XML are."""
    import pyarrow as pa  # loaded when somebody asks for it

    many = range(found.chosen.start, min(found.chosen.stop, len(container.numbers)))
    odd = [container.name(index) for index in found.chosen if index >= len(container.numbers)]
    texts = container.texts[many.start : many.stop]
    etags = [row.tobytes().decode() for row in np.ascontiguousarray(texts[:, 37:])]
    names = [NAME.format(number) for number in container.numbers[many.start : many.stop]] + odd
    count = len(names)
    moments = pa.array([EPOCH] * count, pa.timestamp("s"))
    columns: dict[str, pa.Array] = {
        "Name": pa.array(names),
        "Creation-Time": moments,
        "Last-Modified": moments,
        "Etag": pa.array(etags + [ETAG.format(container.odd[name]) for name in odd]),
        "Content-Length": pa.array(np.full(count, 1_048_576, np.int64)),
        "Content-Type": pa.array(["application/octet-stream"] * count),
        "Content-MD5": pa.array(["1B2M2Y8AsgTpgAmY7PhCfg=="] * count),
        "BlobType": pa.array(["BlockBlob"] * count),
        "AccessTier": pa.array(["Hot"] * count),
        "AccessTierInferred": pa.array([True] * count),
        "LeaseStatus": pa.array(["unlocked"] * count),
        "LeaseState": pa.array(["available"] * count),
        "ServerEncrypted": pa.array([True] * count),
        "ResourceType": pa.array(["blob"] * count),
    }
    table = pa.RecordBatch.from_pydict(columns)
    following = "" if found.following is None else quote(container.name(found.following))
    schema = table.schema.with_metadata({"NextMarker": following})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(table.replace_schema_metadata(schema.metadata))
    return [sink.getvalue().to_pybytes()]


class Service:
    """Answers on one port of loopback, each connection in a thread of its own."""

    def __init__(self, count: int) -> None:
        self.container = Container(count)
        self.delay = 0.0
        self.offers_arrow = False
        self.is_busy = False
        self.gate = threading.Event()
        self.gate.set()
        self.requests = self.arrow_answers = self.waiting = 0
        self.random = np.random.default_rng(1)
        self.arrow: dict[tuple[object, ...], list[bytes | memoryview]] = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def run(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        pages = XmlPages()
        with connection, contextlib.suppress(ConnectionError):
            for method, target, headers in _requests(connection):
                status, kind, body = self._answer(target, headers, pages)
                size = sum(len(part) for part in body)
                head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n"
                head += "x-ms-version: 2026-10-06\r\n"
                head += f"Last-Modified: {formatdate(EPOCH, usegmt=True)}\r\nETag: 0x1\r\nx-ms-request-id: 1\r\n\r\n"
                connection.sendall(head.encode())
                for part in body if method != "HEAD" else []:
                    connection.sendall(part)

    def _answer(
        self, target: str, headers: dict[str, str], pages: XmlPages
    ) -> tuple[str, str, list[bytes | memoryview]]:
        place = urlsplit(target)
        query = dict(parse_qsl(place.query, keep_blank_values=True))
        if place.path.startswith("/control/"):
            return "200 OK", "application/json", [json.dumps(self._control(place.path[9:], query)).encode()]
        if query.get("comp") != "list":
            return "200 OK", "application/xml", [b""]
        self.requests += 1
        self._wait()
        if self.is_busy:
            return "503 Server Busy", "application/xml", [BUSY]
        version = headers.get("x-ms-version", "")
        with self.container.lock:
            found = self._select(query, version)
            if self.offers_arrow and ARROW in headers.get("accept", "") and version >= SPEAKS_ARROW:
                self.arrow_answers += 1
                return "200 OK", ARROW, self._arrow(found)
            # The buffer is this thread's own, so it may be sent after the lock was left.
            return "200 OK", "application/xml", pages.page(self.container, found, query)

    def _wait(self) -> None:
        self.waiting += 1
        self.gate.wait()
        self.waiting -= 1
        if self.delay:
            time.sleep(self.delay)

    def _select(self, query: dict[str, str], version: str) -> Slice:
        container = self.container
        begin = unquote(query.get("marker", "")) or (query.get("startFrom") if version >= STARTS_ANYWHERE else "") or ""
        until = query.get("endBefore", "") if version >= SPEAKS_ARROW else ""
        end = container.first_from(until) if until else len(container)
        size = min(int(query.get("maxresults") or PAGE), PAGE)
        return container.select(
            query.get("prefix", ""), query.get("delimiter", ""), container.first_from(begin), end, size
        )

    def _arrow(self, found: Slice) -> list[bytes | memoryview]:
        key = (found.chosen, found.following, len(self.container.numbers))
        if key not in self.arrow:
            self.arrow[key] = arrow_page(self.container, found)
        return self.arrow[key]

    def _control(self, what: str, query: dict[str, str]) -> object:
        container, many = self.container, len(self.container.numbers)
        count = int(query.get("count", 0))
        if count:
            self.arrow.clear()
        if what == "random":
            chosen = self.random.choice(many, count, replace=False)
            return container.change(np.concatenate([np.sort(chosen), np.arange(many, len(container))]))
        if what == "insert":
            return container.insert(np.sort(self.random.choice(many, count, replace=False)))
        if what == "tail":
            return container.append(count)
        if what == "delay":
            self.delay = float(query["seconds"])
        if what == "arrow":
            self.offers_arrow = query["offered"] == "True"
        if what == "busy":
            self.is_busy = query["busy"] == "True"
        if what == "hold":
            (self.gate.clear if query["held"] == "True" else self.gate.set)()
        counts = {"requests": self.requests, "arrow": self.arrow_answers, "waiting": self.waiting}
        return {**counts, "blobs": len(container)}


def _requests(connection: socket.socket) -> Iterator[tuple[str, str, dict[str, str]]]:
    waiting = b""
    while True:
        while b"\r\n\r\n" not in waiting:
            more = connection.recv(65536)
            if not more:
                return
            waiting += more
        head, _, waiting = waiting.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        yield method, target, {key.strip().lower(): value.strip() for key, _, value in pairs}


class ListingServer:
    """``with ListingServer(1_000_000) as server``: such a service, in another process."""

    def __init__(self, count: int) -> None:
        self._command = [sys.executable, "-m", "tests.benchmarks.listing_server", str(count)]

    def __enter__(self) -> Self:
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root)
        self.address = self._process.stdout.readline().decode().strip()
        if not self.address:
            self.__exit__()
            raise RuntimeError("the listing server does not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    @property
    def url(self) -> str:
        """The account's."""
        return f"{self.address}/{ACCOUNT}"

    def state(self) -> dict[str, int]:
        """``requests`` for pages since the start, ``arrow`` answers among them, how many are ``waiting``, ``blobs``."""
        return control(self.address, "state")


def control(address: str, what: str, **values: object) -> object:
    """Tell the server at ``address`` something.

    ``random`` rewrites ``count`` blobs anywhere, and those with odd names; ``insert`` and ``tail`` make new ones
    anywhere and behind the others; each returns the names. ``delay``: ``seconds`` before each page. ``arrow``: whether
    it is ``offered``. ``busy``: whether every page is refused. ``hold``: whether pages are ``held`` back; when they are
    not any more, those that wait are sent. Each of these, and ``state``, returns what the server counts.
    """
    query = "&".join(f"{key}={value}" for key, value in values.items())
    with urllib.request.urlopen(f"{address}/control/{what}?{query}") as answer:
        return json.load(answer)


def main() -> None:
    """Serve until standard input ends."""
    service = Service(int(sys.argv[1]))
    threading.Thread(target=service.run, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{service.listener.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
