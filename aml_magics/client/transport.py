"""The one module that speaks HTTP: one request in, one answer or one ``AmlError`` out.

A ``Transport`` owns one ``httpx.AsyncClient`` and lives on the loop that uses it; whoever made it closes it. The
embedded workspace is an ASGI app in the same process, so a call to it goes through the same code and no socket.

What is guaranteed: a question (GET, or ``is_question=True``) is asked again as ``services.py`` says, everything
else is sent once. Two failures are known to have changed nothing, so that any call may follow them once: a token that
was refused (when there is another one), and base URLs that cannot be reached (when they were remembered and have
moved). Redirects are not followed, so a token never travels to another host. A token is asked for before each
attempt, is sent as a header, and appears in no ``repr``, no message and no frame of a traceback; messages name the host
and the path inside the workspace, never the whole URL. Every exception of httpx becomes an ``AmlError`` of one line.
An answer that only trickles ends after ``patience`` seconds.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from aml_magics.client.addresses import LOCAL
from aml_magics.client.dates import instant_in, pause_in
from aml_magics.client.failures import no_answer, not_json, refusal, went_wrong, without_frames
from aml_magics.client.messages import NO_BODY, encoded, error_body, query_text
from aml_magics.client.ranges import Part, part_of, range_header
from aml_magics.client.services import JSON, Service, pause_before_retry
from aml_magics.client.trust import authorities
from aml_magics.model.errors import AmlError, InvalidInput, NotConnected, ServiceError

if TYPE_CHECKING:
    from aml_magics.client.tokens import TokenSource
    from aml_magics.model.secret import Secret
    from aml_magics.wire.arm import Services

__all__ = ["Answer", "Network", "Query", "Sleep", "Transport"]

Sleep = Callable[[float], Awaitable[None]]
Network = httpx.AsyncBaseTransport
Elsewhere = Callable[[], Awaitable["Services | None"]]
Query = Mapping[str, str | int | bool | None]
"""``None`` is left out; booleans are written ``true`` and ``false``."""

_ACCEPT = "application/json, text/plain, */*"
_BYTES = "application/octet-stream"
_TIMEOUT = 30.0
_PATIENCE = 120.0
_IN_PROCESS = "http://embedded"

# Nothing reached the service.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
# The connection failed or broke off, a kept-alive one that the other side had closed above all: worth asking again.
_BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError)


class Answer(NamedTuple):
    """An answer of success: ``headers`` without regard to case, ``body`` its JSON or ``None``."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def asked_pause(self) -> float | None:
        """The seconds that the service asks to wait before the next question (``Retry-After``)."""
        return pause_in(self.headers.get("retry-after", ""))


class _Call(NamedTuple):
    """One call, whatever the number of attempts. ``name`` is for messages: ``GET /Pipelines/abc``."""

    method: str
    service: Service
    path: str
    query: Query
    content: bytes
    content_type: str
    is_question: bool
    since: int = 0  # the first byte of the answer that is wanted

    @property
    def name(self) -> str:
        return f"{self.method} {self.path or self.service.name}"

    @property
    def is_bulk(self) -> bool:
        """Whether it moves data, which takes as long as it takes."""
        return self.content_type == _BYTES or self.path.endswith("/content")


class _Failure(NamedTuple):
    """One attempt that failed. ``status`` 0: the connection broke off; ``None``: asking again would not help.

    ``changed_nothing`` says that the next attempt differs from this one, and that this one was not carried out.
    """

    error: AmlError
    status: int | None
    asked_pause: float | None = None
    changed_nothing: bool = False


class Transport:
    """Requests to one workspace.

    ``scope`` is the workspace's path, ``/subscriptions/.../workspaces/{name}``. ``api`` and ``history`` are base
    URLs (``history`` falls back to ``api``); ``elsewhere`` tells where they are now when these cannot be reached.
    ``tokens`` gives access tokens and belongs to whoever made it. ``network`` replaces the network: any
    ``httpx.AsyncBaseTransport``; ``verify`` are the certificates to trust. ``timeout`` is in seconds and counts for
    each silence, ``patience`` for each attempt; ``sleep`` waits between attempts. Raises ``InvalidInput`` when a base
    URL is none.

    >>> Transport(scope="/subscriptions/s/resourceGroups/g/.../workspaces/w", api="https://region.api.azureml.ms")
    <Transport region.api.azureml.ms>
    """

    def __init__(
        self,
        *,
        scope: str,
        api: str,
        history: str | None = None,
        tokens: TokenSource | None = None,
        network: Network | None = None,
        verify: ssl.SSLContext | None = None,
        elsewhere: Elsewhere | None = None,
        timeout: float = _TIMEOUT,
        patience: float = _PATIENCE,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        address = _address(api)
        self._move(api, history or api)
        self._elsewhere = elsewhere
        self._scope = scope.rstrip("/")
        self._tokens = tokens
        self._timeout = timeout
        self._patience = patience
        self._sleep = sleep
        self._date: tuple[str, float] | None = None
        self._is_in_process = isinstance(network, httpx.ASGITransport)  # asked again, it would answer the same
        self._client = httpx.AsyncClient(
            transport=network,
            verify=verify or authorities(address.scheme),
            timeout=timeout,
            trust_env=address.host not in LOCAL,  # a proxy has no business between a kernel and its own machine
            follow_redirects=False,
        )

    @classmethod
    def for_app(cls, app: Callable[..., Awaitable[None]], *, scope: str, sleep: Sleep = asyncio.sleep) -> Transport:
        """A transport to an ASGI app in this process: the embedded workspace. What the app raises, surfaces here."""
        return cls(scope=scope, api=_IN_PROCESS, network=httpx.ASGITransport(app=app), sleep=sleep)

    def __repr__(self) -> str:
        return f"<Transport {self.host}>"

    def path_before(self, service: Service) -> str:
        """The path in the base URL, in front of the service's own."""
        return httpx.URL(self._bases[service.side]).path.rstrip("/")

    @property
    def scope(self) -> str:
        """The workspace's path."""
        return self._scope

    async def close(self) -> None:
        await self._client.aclose()

    async def json(
        self,
        method: str,
        service: Service,
        path: str,
        *,
        query: Query | None = None,
        body: object = NO_BODY,
        is_question: bool = False,
    ) -> Any:  # noqa: ANN401 - JSON is whatever came; wire/ turns it into values
        """Send ``body`` as JSON and return the answer's JSON; ``None`` for an answer without a body (204).

        ``is_question`` marks a POST that changes nothing. Raises ``NotFound``, ``InvalidInput``, ``Conflict`` or
        ``ServiceError``.
        """
        return (await self.exchange(method, service, path, query=query, body=body, is_question=is_question)).body

    async def exchange(
        self,
        method: str,
        service: Service,
        path: str,
        *,
        query: Query | None = None,
        body: object = NO_BODY,
        is_question: bool = False,
    ) -> Answer:
        """As ``json``, with the status and the headers: for what goes on after its answer. Raises as ``json``."""
        content = encoded(body)
        call = _Call(
            method, service, path, query or {}, content, service.body_type(path), is_question or method == "GET"
        )
        answer = await self._carry_out(call)
        return Answer(answer.status_code, answer.headers, self._read(call, answer))

    def _read(self, call: _Call, answer: httpx.Response) -> Any:  # noqa: ANN401 - as json
        if not answer.content.strip():
            return None
        content_type = answer.headers.get("content-type", "")
        if "json" not in content_type:
            raise not_json(self.host, answer.status_code, content_type, call=call.name, is_question=call.is_question)
        try:
            return json.loads(answer.content)
        except ValueError:
            raise not_json(
                self.host, answer.status_code, "broken JSON", call=call.name, is_question=call.is_question
            ) from None

    async def part(self, method: str, service: Service, path: str, *, body: object = NO_BODY, since: int = 0) -> Part:
        """The calls that answer with raw text, the logs of a step: they change nothing, so they may be repeated.

        What begins at the byte ``since`` is asked for; a service that does not know how to answer that gives all.
        """
        content = encoded(body)
        call = _Call(method, service, path, {}, content, service.body_type(path), is_question=True, since=since)
        answer = await self._carry_out(call)
        return part_of(answer.status_code, answer.headers, answer.content)

    async def download(self, service: Service, path: str, *, query: Query) -> bytes:
        """The bytes that a GET answers with."""
        return (await self._carry_out(_Call("GET", service, path, query, b"", JSON, is_question=True))).content

    async def upload(self, service: Service, path: str, content: bytes, *, query: Query) -> None:
        """PUT ``content`` as it is."""
        await self._carry_out(_Call("PUT", service, path, query, content, _BYTES, is_question=False))

    async def _carry_out(self, call: _Call) -> httpx.Response:
        attempt = 0
        has_turned = False
        while True:
            attempt += 1
            outcome = await self._attempt(call)
            if isinstance(outcome, httpx.Response):
                return outcome
            if outcome.changed_nothing and not has_turned:
                has_turned = True
                attempt -= 1
                continue
            pause = None
            if call.is_question and outcome.status is not None and not self._is_in_process:
                pause = pause_before_retry(call.service, outcome.status, attempt, outcome.asked_pause)
            if pause is None:
                raise outcome.error
            await self._sleep(pause)

    async def _attempt(self, call: _Call) -> httpx.Response | _Failure:
        bearer = _Bearer(await self._tokens.token()) if self._tokens is not None else None
        request = self._request(call)
        try:
            async with self._patiently(call):
                answer = await self._client.send(request, auth=bearer)
        except httpx.HTTPError as error:
            return await self._no_answer(call, error)
        except TimeoutError:
            how = f"has not answered in full within {self._patience:g} s"
            return _Failure(self._failure(call, how, was_sent=True), None)
        except AmlError:
            raise
        except Exception as error:
            if not self._is_in_process:
                raise without_frames(error) from None
            raise went_wrong(call.name, error) from error
        self._note_clock(answer)
        return answer if answer.is_success else await self._refused(call, answer, bearer)

    def _request(self, call: _Call) -> httpx.Request:
        scope = self._scope if call.service.is_scoped else ""
        url = f"{self._bases[call.service.side]}{call.service.prefix}{scope}{call.path}"
        headers = {"Content-Type": call.content_type, "Accept": _ACCEPT, **range_header(call.since)}
        query = {name: query_text(value) for name, value in call.query.items() if value is not None}
        try:
            return self._client.build_request(
                call.method, url, params=query or None, content=call.content, headers=headers
            )
        except (httpx.InvalidURL, UnicodeEncodeError):
            message = f"{call.method} {call.path[:60]}...: no address can be so long, or look like this"
            raise InvalidInput(message, hint="Check the names and ids.") from None

    def _patiently(self, call: _Call) -> AbstractAsyncContextManager[object]:
        return nullcontext() if self._is_in_process or call.is_bulk else asyncio.timeout(self._patience)

    async def _refused(self, call: _Call, answer: httpx.Response, bearer: _Bearer | None) -> _Failure:
        pause = pause_in(answer.headers.get("retry-after", ""))
        error = refusal(
            self.host,
            answer.status_code,
            error_body(answer.content, answer.headers.get("content-type", "")),
            call=call.name,
            is_question=call.is_question,
            needs=(call.method, call.service.name, call.path),
            asked_pause=pause,
            sent=bearer.secret if bearer is not None else None,
        )
        has_another = False
        if answer.status_code == 401 and bearer is not None and self._tokens is not None:
            error.hint = self._tokens.advice
            challenge = answer.headers.get("www-authenticate", "")
            has_another = await self._tokens.renewed(bearer.secret, challenge)
        return _Failure(error, answer.status_code, pause, changed_nothing=has_another)

    async def _no_answer(self, call: _Call, error: httpx.HTTPError) -> _Failure:
        was_sent = not isinstance(error, _UNSENT)
        how, is_worth_it = _told(error, self._timeout)
        failure = self._failure(call, how, was_sent=was_sent)
        failure.__cause__ = without_frames(error)
        has_moved = not was_sent and await self._has_moved()
        return _Failure(failure, 0 if is_worth_it else None, changed_nothing=has_moved)

    def _failure(self, call: _Call, how: str, *, was_sent: bool) -> ServiceError:
        return no_answer(self.host, how, call=call.name, was_sent=was_sent, is_question=call.is_question)

    async def _has_moved(self) -> bool:
        """Whether the base URLs are others than they were thought to be. Asked once."""
        ask, self._elsewhere = self._elsewhere, None
        services = await ask() if ask is not None else None
        if services is None:
            return False
        before = dict(self._bases)
        self._move(services.api, services.history)
        return self._bases != before

    def _move(self, api: str, history: str) -> None:
        self.host = _address(api).netloc.decode()
        _address(history)
        self._bases = {"api": api.rstrip("/"), "history": history.rstrip("/")}

    def _note_clock(self, answer: httpx.Response) -> None:
        date = answer.headers.get("date")
        if date:
            self._date = (date, time.time())

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the other end's, as its last answer told."""
        at = instant_in(self._date[0]) if self._date else None
        return None if at is None or self._date is None else self._date[1] - at.timestamp()


class _Bearer(httpx.Auth):
    """Puts a token on a request, in one expression: no variable of a frame holds it.

    Raises ``NotConnected`` for what cannot be a token.
    """

    def __init__(self, token: Secret) -> None:
        # httpx would quote a header that cannot be one in its error message.
        if not token or not _can_be_a_header(token):
            message = "the source of access tokens gave something that cannot be one"
            raise NotConnected(message, hint="Sign in again.")
        self.secret = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx's own protocol."""
        request.headers["Authorization"] = f"Bearer {self.secret.reveal()}"
        yield request


def _told(error: httpx.HTTPError, timeout: float) -> tuple[str, bool]:
    """What became of a request that has no answer, and whether it is worth asking again."""
    if "WRONG_VERSION_NUMBER" in str(error):  # what OpenSSL says to an answer in the clear
        return "does not speak https", False
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "shows a certificate that is not trusted here", False
    is_worth_it = isinstance(error, _BROKEN)
    if isinstance(error, _UNSENT):
        return "cannot be reached", is_worth_it
    if isinstance(error, httpx.TimeoutException):
        return f"did not answer within {timeout:g} s", is_worth_it
    return "broke the connection off before its answer was complete", is_worth_it


def _can_be_a_header(token: Secret) -> bool:
    return token.reveal().isascii() and token.reveal().isprintable() and " " not in token.reveal()


def _address(base: str) -> httpx.URL:
    """A base URL. What is none is not quoted in the message: it may carry a password."""
    try:
        url = httpx.URL(base)
        is_good = url.scheme in ("http", "https") and bool(url.host) and 0 <= (url.port or 0) <= 65535
    except (httpx.InvalidURL, TypeError, UnicodeError):  # the last for a name that is no international one
        is_good = False
    if not is_good:
        message = "the workspace's address is no http or https URL"
        raise InvalidInput(message, hint="It looks like https://region.api.azureml.ms.") from None
    return url
