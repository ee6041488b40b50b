"""An ASGI application on a port, by uvicorn, on the event loop that is running.

It binds in ``start``, so a port that is taken is an error of the call and not a line in a log; nothing is logged,
printed or installed as a signal handler. The loop is the one on which the workspace lives: requests are answered
between its other work, and a cell that computes does not hold them up.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from aml_magics.model.errors import InvalidInput, ServiceError

if TYPE_CHECKING:
    from aml_magics.embedded.certificates import CertificateFiles

__all__ = ["EVERYWHERE", "LOOPBACK", "Server", "is_local"]

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
_STOP_SECONDS = 1.0
_BACKLOG = 256
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[MutableMapping[str, Any]], Awaitable[None]]],
    Awaitable[None],
]


class _Protocol(H11Protocol):
    """uvicorn's own, but a connection on which no whole request comes is closed after ``patience`` seconds.

    Whoever sends half of one and waits needs no token, and many of them would use up this process's open files.
    """

    patience = 30.0
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_a_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect_a_request(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:  # one is being answered
            self._forget()
        elif self._watch is None:
            self._watch = self.loop.call_later(self.patience, self.transport.close)

    def _forget(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


class Server:
    """One application at ``host`` and ``port``, 0 for any that is free until ``start`` has found one. Start it once."""

    def __init__(self, app: App, *, host: str = LOOPBACK, port: int = 0, tls: CertificateFiles | None = None) -> None:
        self._app = app
        self._host = host
        self.port = port
        self._tls = tls
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end: an address that other machines can use, if they can at all."""
        shown = socket.gethostname() if self._host in EVERYWHERE else self._host
        shown = f"[{shown}]" if ":" in shown else shown
        return f"{'https' if self._tls else 'http'}://{shown}:{self.port}"

    async def start(self) -> None:
        """Bind and answer. Raises ``InvalidInput`` when the address cannot be used."""
        listener = self._listener()
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            log_config=None,
            log_level=logging.CRITICAL + 1,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            ssl_certfile=self._tls.certificate if self._tls else None,
            ssl_keyfile=self._tls.key if self._tls else None,
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve([listener]))
        while not self._server.started:
            if self._serving.done():
                listener.close()
                message = f"serve: {self.url} does not answer"
                raise ServiceError(message, hint="%tb shows why.") from self._serving.exception()
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Answer nothing more; what is under way gets a second. Stopping twice is harmless."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        done, _ = await asyncio.wait([self._serving], timeout=2 * _STOP_SECONDS)
        if not done:
            self._serving.cancel()
        self._server = self._serving = None

    def _listener(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # asyncio sends at once (TCP_NODELAY) only on sockets that say they are TCP. On others each answer waits 40 ms
        # for the caller's acknowledgement of its head.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self.port))
            listener.listen(_BACKLOG)
        except (OSError, OverflowError, UnicodeError) as error:
            listener.close()
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            message = f"serve: {self._host}:{self.port} cannot be served on: {reason}"
            raise InvalidInput(
                message, hint="Choose another port, or leave it out for one that is free; or another host."
            ) from error
        return listener


def is_local(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
