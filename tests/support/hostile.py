"""A bad network on loopback: a proxy before a served workspace that spoils the answers it is told to spoil.

It hands each request on and counts it, so a test can tell what was carried out from what was answered. A fault may come
before the request is handed on (nothing was carried out) or after (it was, and the answer is lost). Answers are whole:
one request a connection, which is then closed.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["FAULTS", "Hostile", "Request"]


@dataclass(frozen=True)
class Request:
    """What came: ``path`` without its query."""

    method: str
    path: str
    content: bytes


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes


def _status(status: int, **headers: str) -> Callable[[Answer], Answer]:
    body = json.dumps({"error": {"code": "Trouble", "message": f"this is a {status}"}}).encode()
    return lambda _answer: Answer(status, {"content-type": "application/json", **headers}, body)


def _with_content(content: bytes, content_type: str = "application/json") -> Callable[[Answer], Answer]:
    return lambda answer: Answer(answer.status, {**answer.headers, "content-type": content_type}, content)


def _camel(value: object) -> object:
    """``PascalCase`` names as ``camelCase`` ones: what a service of another dialect would answer."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _camel(item) for name, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value


def _in_camel_case(answer: Answer) -> Answer:
    if "json" not in answer.headers.get("content-type", ""):
        return answer
    return Answer(answer.status, answer.headers, json.dumps(_camel(json.loads(answer.content))).encode())


SPOILT: dict[str, Callable[[Answer], Answer]] = {
    "429": _status(429),
    "429 for a second": _status(429, **{"retry-after": "1"}),
    "429 for an hour": _status(429, **{"retry-after": "3600"}),
    "500": _status(500),
    "503": _status(503),
    "401": _status(401),
    "302": _status(302, location="https://login.invalid/"),
    "a login page": _with_content(b"<html><title>Sign in</title></html>", "text/html"),
    "no JSON": _with_content(b'{"Id": "x", '),
    "another JSON": _with_content(b'{"surprise": [1, 2, {"Id": 3}]}'),
    "a number": _with_content(b"42"),
    "a list of lists": _with_content(b"[[], [[]]]"),
    "null": _with_content(b"null"),
    "nothing": _with_content(b""),
    "binary": _with_content(bytes(range(256))),
    "camelCase": _in_camel_case,
}
BROKEN = ("reset", "half a body", "closed at once", "slow bytes")
FAULTS = (*SPOILT, *BROKEN)


@dataclass
class Hostile:
    """The proxy. ``fault`` is one of ``FAULTS`` or ``""``; it spoils the requests for which ``spoils`` is true.

    ``first``: how many of them (then all is well again); ``before``: nothing of them is handed on.
    """

    upstream: tuple[str, int]
    fault: str = ""
    spoils: Callable[[Request], bool] = lambda _request: True
    first: int = 1_000_000
    before: bool = False
    pace: float = 0.05
    asked: list[Request] = field(default_factory=list)
    handed_on: Counter[str] = field(default_factory=Counter)
    was_asked: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Hostile:  # noqa: PYI034 - nobody inherits from it
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._enough = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._enough.set)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def be(self, fault: str, **how: object) -> None:
        """Behave like this from now on."""
        self.fault, self.first, self.before = fault, 1_000_000, False
        self.spoils = lambda _request: True
        for name, value in how.items():
            setattr(self, name, value)
        self.asked.clear()
        self.handed_on.clear()
        self.was_asked.clear()

    async def _serve(self) -> None:
        tasks: set[asyncio.Task[None]] = set()

        def come_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._answer(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(come_in, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._enough.wait()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            content = await reader.readexactly(_length(head))
            request = _request(head, content)
            self.asked.append(request)
            self.was_asked.set()
            fault = self._fault_of(request)
            if fault and self.before:
                answer = Answer(200, {"content-type": "application/json"}, b"{}")
            else:
                answer = await self._hand_on(request, head + content)
            await self._send(writer, answer, fault)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _fault_of(self, request: Request) -> str:
        if not self.fault or self.first <= 0 or not self.spoils(request):
            return ""
        self.first -= 1
        return self.fault

    async def _hand_on(self, request: Request, message: bytes) -> Answer:
        self.handed_on[f"{request.method} {request.path.rpartition('/workspaces/')[2]}"] += 1
        reader, writer = await asyncio.open_connection(*self.upstream)
        try:
            writer.write(message.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            head = await reader.readuntil(b"\r\n\r\n")
            content = await reader.read()
        finally:
            writer.close()
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        for name in ("content-length", "connection", "transfer-encoding"):
            headers.pop(name, None)
        return Answer(int(lines[0].split()[1]), headers, content)

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer, fault: str) -> None:
        if fault == "closed at once":
            return
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return
        if fault in SPOILT:
            answer = SPOILT[fault](answer)
        headers = {**answer.headers, "content-length": str(len(answer.content)), "connection": "close"}
        lines = [f"HTTP/1.1 {answer.status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        if fault == "half a body":
            writer.write(answer.content[: len(answer.content) // 2])
        elif fault == "slow bytes":
            for byte in answer.content:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(self.pace)
        else:
            writer.write(answer.content)
        await writer.drain()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _request(head: bytes, content: bytes) -> Request:
    method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    return Request(method, target.partition("?")[0], content)
