"""A blob container on a service that fails when told to, below whatever speaks HTTP through urllib3.

``BlobService`` is a dictionary of blobs that answers List Blobs: real bytes of HTTP in, real bytes out. ``attached``
puts it where urllib3 would open a connection, so that our listing and azure-storage-blob run unmodified on it, without
a thread or a port, and a test knows what was asked when. Each request takes the next of ``faults``, if there is one.
``before_page`` is called before each page is made: it may change blobs, or the container, within a listing.

A fault is *passing* when asking again is right, and *fatal* when it ends a listing at once.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import socket
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import NamedTuple
from unittest import mock
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.support.listing import xml_page, xml_record

__all__ = ["FATAL", "ODD_NAMES", "PASSING", "URL", "BlobService"]

URL = "http://127.0.0.1:9/account"  # nobody listens there
START = 1_780_000_000
ODD_NAMES = (
    "a&b",
    "a<b>c",
    "amp&amp;",
    "ctl\x01",
    "per%20cent",
    "100%",
    "q\"'",
    "sp ace",
    "ü/é",
    "𝔘",
    "uff\uffff",
    "no\ufffe/x",
)
STUB = "<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>"
ECHOED = (("Prefix", "prefix"), ("Marker", "marker"), ("MaxResults", "maxresults"), ("Delimiter", "delimiter"))


class Blob(NamedTuple):
    """``kind``: "", file, directory (of a hierarchical namespace) or stub (of the older Hadoop drivers)."""

    etag: str
    size: int
    modified: float
    kind: str

    @property
    def is_object(self) -> bool:
        return self.kind not in ("directory", "stub")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes over the wire. ``ending``: the connection stays open (""), is closed, or is reset."""

    content: bytes
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A page that was asked for, and the fault that came instead of it, if one did."""

    marker: str
    fault: str


class BlobService:
    """One container. ``blobs`` may be changed directly; ``put`` gives each write an ETag of its own."""

    def __init__(self, page_size: int = 5000) -> None:
        self.blobs: dict[str, Blob] = {}
        self.page_size = page_size
        self.exists = True
        self.faults: deque[str] = deque()
        self.before_page: Callable[[], object] = lambda: None
        self.requests: list[Request] = []
        self.connections = 0
        self._writes = itertools.count(1)

    def put(self, name: str, size: int = 3, *, kind: str = "") -> str:
        """Write a blob. Returns its new ETag."""
        number = next(self._writes)
        etag = f"0x8DE{number:012X}"
        self.blobs[name] = Blob(etag, size, START + number // 4, kind)  # several writes a second
        return etag

    def objects(self) -> dict[str, str]:
        """ETags by name, of all that a datastore shows."""
        return {name: blob.etag for name, blob in self.blobs.items() if blob.is_object and not name.endswith("/")}

    def delete_container(self) -> None:
        self.blobs.clear()
        self.exists = False

    @contextlib.contextmanager
    def attached(self) -> Iterator[BlobService]:
        """Every connection that urllib3 opens inside is one to this service."""

        def connect(*_: object, **__: object) -> Wire:
            self.connections += 1
            return Wire(self)

        with mock.patch("urllib3.util.connection.create_connection", connect):
            yield self

    def answer(self, request: bytes) -> Reply:
        """The answer to one request of HTTP."""
        target = request.split(b" ", 2)[1].decode()
        query = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
        if query.get("comp") != "list":
            return _reply("400 Bad", _error("UnsupportedHttpVerb"))
        self.before_page()
        fault = self._next_fault(query)
        self.requests.append(Request(query.get("marker", ""), fault if self.exists else "deleted"))
        if not self.exists:
            return _reply("404 Not Found", _error("ContainerNotFound"), x_ms_error_code="ContainerNotFound")
        page = self._page(query)
        return FAULTS[fault](page, query) if fault else _reply("200 OK", page)

    def _next_fault(self, query: dict[str, str]) -> str:
        fault = self.faults.popleft() if self.faults else ""
        return "" if fault == SAME_AGAIN and not query.get("marker") else fault  # there is none that could come again

    def _page(self, query: dict[str, str]) -> bytes:
        size = min(int(query.get("maxresults") or self.page_size), self.page_size)
        marker = query.get("marker", "")
        begin = (unquote(marker[2:-1]) or query.get("startFrom", "")).encode()
        entries = [entry for entry in self._entries(query) if entry[0].encode() >= begin]
        following = f"2!{quote(entries[size][0])}&" if size < len(entries) else ""
        asked = "".join(f"<{key}>{escape(query[word])}</{key}>" for key, word in ECHOED if query.get(word))
        return xml_page([_element(*entry) for entry in entries[:size]], following, asked=asked)

    def _entries(self, query: dict[str, str]) -> list[tuple[str, Blob | None]]:
        """Blobs, and virtual directories without one, in the order of their names."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        entries: dict[str, Blob | None] = {}
        for name, blob in self.blobs.items():
            if not name.startswith(prefix):
                continue
            inside, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            entries[prefix + inside + delimiter if found else name] = None if found else blob
        return sorted(entries.items(), key=lambda entry: entry[0].encode())


class Wire(socket.socket):
    """The client's end of a connection to a service that answers while the request is sent."""

    def __init__(self, service: BlobService) -> None:
        ours, self._theirs = socket.socketpair()
        super().__init__(ours.family, ours.type, ours.proto, ours.detach())
        self._service = service
        self._asked = b""
        self._reply = Reply(b"", "close")

    def sendall(self, data, flags: int = 0) -> None:
        self._asked += bytes(data)
        if self._asked.endswith(b"\r\n\r\n"):  # a listing has no body
            self._reply, self._asked = self._service.answer(self._asked), b""

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        reply, self._reply = self._reply, Reply(b"", "close")
        if reply.ending:
            self._theirs.close()  # so that nobody asks again here
        return io.BufferedReader(_Received(reply))

    def close(self) -> None:
        self._theirs.close()
        super().close()


class _Received(io.RawIOBase):
    def __init__(self, reply: Reply) -> None:
        self._content = io.BytesIO(reply.content)
        self._ending = reply.ending

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        size = self._content.readinto(buffer)
        if not size and len(buffer) and self._ending == "reset":
            raise ConnectionResetError("the connection was reset")
        return size


def _element(name: str, blob: Blob | None) -> bytes:
    if blob is None:
        record = xml_record(name, "")
        return b"<BlobPrefix>%b</Name></BlobPrefix>" % record[len(b"<Blob>") : record.index(b"</Name>")]
    resource = blob.kind if blob.kind in ("file", "directory") else ""
    metadata = "" if blob.is_object else STUB  # the service gives it to real directories too
    return xml_record(name, blob.etag, size=blob.size, modified=blob.modified, kind=resource, metadata=metadata)


def _error(code: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>No.</Message></Error>'.encode()


def _reply(status: str, body: bytes, *, length: int | None = None, ending: str = "", **headers: str) -> Reply:
    lines = {
        "Content-Type": "application/xml",
        "Content-Length": str(len(body) if length is None else length),
        "Date": formatdate(START, usegmt=True),
        "x-ms-version": "2026-02-06",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return Reply(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body, ending)


# --- faults: from the page that should have come, and what was asked -------------------------------------------------

Fault = Callable[[bytes, dict[str, str]], Reply]
SAME_AGAIN = "the same NextMarker again"


def _refused(status: str, code: str, **headers: str) -> Fault:
    return lambda _page, _query: _reply(status, _error(code), x_ms_error_code=code, **headers)


def _with_marker(page: bytes, element: str) -> Reply:
    begin = page.index(b"<NextMarker")
    return _reply("200 OK", page[:begin] + element.encode() + b"</EnumerationResults>")


def _same_again(page: bytes, query: dict[str, str]) -> Reply:
    return _with_marker(page, f"<NextMarker>{escape(query['marker'])}</NextMarker>")


PASSING: dict[str, Fault] = {
    "429": _refused("429 Too Many Requests", "TooManyRequests"),
    "500": _refused("500 Internal Server Error", "InternalError"),
    "503 with Retry-After": _refused("503 Server Busy", "ServerBusy", Retry_After="3"),
    "dropped": lambda _page, _query: Reply(b"", "close"),
    "reset": lambda _page, _query: Reply(b"", "reset"),
    "reset in the page": lambda page, _: _reply("200 OK", page[: len(page) // 2], length=len(page), ending="reset"),
    "closed in the page": lambda page, _: _reply("200 OK", page[: len(page) // 3], length=len(page), ending="close"),
    "cut between records": lambda page, _: _reply("200 OK", page[: page.rfind(b"</Blob") + 7]),
    "cut in a record": lambda page, _: _reply("200 OK", page[: len(page) * 2 // 3]),
    "empty": lambda _page, _query: _reply("200 OK", b""),
}
FATAL: dict[str, Fault] = {
    "two NextMarkers": lambda page, _: _with_marker(page, "<NextMarker>a</NextMarker><NextMarker>b</NextMarker>"),
    "no NextMarker": lambda page, _: _with_marker(page, ""),
    SAME_AGAIN: _same_again,
    "403": _refused("403 Forbidden", "AuthenticationFailed"),
}
FAULTS = PASSING | FATAL
