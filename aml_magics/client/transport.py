"""The one module that speaks HTTP: one request in, one answer or one ``AmlError`` out.

A ``Transport`` owns one ``httpx.AsyncClient`` and lives on the loop that uses it; whoever made it closes it. The
embedded workspace is an ASGI app in the same process, so a call to it goes through the same code and no socket.

What is guaranteed: a question (GET, or ``is_question=True``) is asked again as ``services.py`` says, everything
else is sent once. Redirects are not followed, so a token never travels to another host. A token is asked for before
each attempt, is sent as a header, and appears in no ``repr`` and in no message; messages name the host and the path
inside the workspace, never the whole URL. Every exception of httpx becomes an ``AmlError`` of one line.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import httpx

from aml_magics.client.failures import no_answer, not_json, refusal, went_wrong
from aml_magics.client.services import JSON, Service, pause_before_retry
from aml_magics.model.errors import AmlError, InvalidInput, NotConnected, ServiceError

__all__ = ["Query", "Sleep", "Token", "Transport"]

Sleep = Callable[[float], Awaitable[None]]
Token = Callable[[], Awaitable[str]]
Query = Mapping[str, str | int | bool | None]
"""``None`` is left out; booleans are written ``true`` and ``false``."""

_NO_BODY: Any = object()
_BYTES = "application/octet-stream"
_TIMEOUT = 30.0
_LOCAL = ("127.0.0.1", "localhost", "::1")
_IN_PROCESS = "http://embedded"

# Nothing reached the service.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
# The connection failed or broke off, a kept-alive one that the other side had closed above all: worth asking again.
_BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError)


class _Call(NamedTuple):
    """One call, whatever the number of attempts. ``name`` is for messages: ``GET /Pipelines/abc``."""

    method: str
    service: Service
    path: str
    query: Query
    content: bytes
    content_type: str
    is_question: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


class _Failure(NamedTuple):
    """One attempt that failed. ``status`` 0: the connection broke off; ``None``: asking again would not help."""

    error: AmlError
    status: int | None
    asked_pause: float | None = None


class Transport:
    """Requests to one workspace.

    ``scope`` is the workspace's path, ``/subscriptions/.../workspaces/{name}``. ``api`` and ``history`` are base
    URLs (``history`` falls back to ``api``). ``token`` gives the access token. ``network`` replaces the network:
    any ``httpx.AsyncBaseTransport``. ``timeout`` is in seconds and counts for each attempt; ``sleep`` waits between
    attempts. Raises ``InvalidInput`` when a base URL is none.

    >>> Transport(scope="/subscriptions/s/resourceGroups/g/.../workspaces/w", api="https://region.api.azureml.ms")
    <Transport region.api.azureml.ms>
    """

    def __init__(
        self,
        *,
        scope: str,
        api: str,
        history: str | None = None,
        token: Token | None = None,
        network: httpx.AsyncBaseTransport | None = None,
        timeout: float = _TIMEOUT,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        address = _address(api)
        _address(history or api)
        self.host = address.netloc.decode()
        self._bases = {"api": api.rstrip("/"), "history": (history or api).rstrip("/")}
        self._scope = scope.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._sleep = sleep
        self._is_in_process = isinstance(network, httpx.ASGITransport)  # asked again, it would answer the same
        self._client = httpx.AsyncClient(
            transport=network,
            timeout=timeout,
            trust_env=address.host not in _LOCAL,  # a proxy has no business between a kernel and its own machine
            follow_redirects=False,
        )

    @classmethod
    def for_app(cls, app: Callable[..., Awaitable[None]], *, scope: str, sleep: Sleep = asyncio.sleep) -> Transport:
        """A transport to an ASGI app in this process: the embedded workspace. What the app raises, surfaces here."""
        return cls(scope=scope, api=_IN_PROCESS, network=httpx.ASGITransport(app=app), sleep=sleep)

    def __repr__(self) -> str:
        return f"<Transport {self.host}>"

    async def close(self) -> None:
        await self._client.aclose()

    async def json(
        self,
        method: str,
        service: Service,
        path: str,
        *,
        query: Query | None = None,
        body: object = _NO_BODY,
        is_question: bool = False,
    ) -> Any:  # noqa: ANN401 - JSON is whatever came; wire/ turns it into values
        """Send ``body`` as JSON and return the answer's JSON; ``None`` for an answer without a body (204).

        ``is_question`` marks a POST that changes nothing. Raises ``NotFound``, ``InvalidInput``, ``Conflict`` or
        ``ServiceError``.
        """
        content = _encoded(body)
        call = _Call(
            method, service, path, query or {}, content, service.body_type(path), is_question or method == "GET"
        )
        answer = await self._carry_out(call)
        if not answer.content.strip():
            return None
        content_type = answer.headers.get("content-type", "")
        if "json" not in content_type:
            raise not_json(self.host, answer.status_code, content_type, call=call.name)
        try:
            return json.loads(answer.content)
        except ValueError:
            raise not_json(self.host, answer.status_code, "broken JSON", call=call.name) from None

    async def text(self, method: str, service: Service, path: str, *, body: object = _NO_BODY) -> str:
        """The calls that answer with raw text, the logs of a step: they change nothing, so they may be repeated."""
        content = _encoded(body)
        call = _Call(method, service, path, {}, content, service.body_type(path), is_question=True)
        return (await self._carry_out(call)).content.decode("utf-8", "replace")

    async def download(self, service: Service, path: str, *, query: Query) -> bytes:
        """The bytes that a GET answers with."""
        return (await self._carry_out(_Call("GET", service, path, query, b"", JSON, is_question=True))).content

    async def upload(self, service: Service, path: str, content: bytes, *, query: Query) -> None:
        """PUT ``content`` as it is."""
        await self._carry_out(_Call("PUT", service, path, query, content, _BYTES, is_question=False))

    async def _carry_out(self, call: _Call) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            outcome = await self._attempt(call)
            if isinstance(outcome, httpx.Response):
                return outcome
            pause = None
            if call.is_question and outcome.status is not None and not self._is_in_process:
                pause = pause_before_retry(call.service, outcome.status, attempt, outcome.asked_pause)
            if pause is None:
                raise outcome.error
            await self._sleep(pause)

    async def _attempt(self, call: _Call) -> httpx.Response | _Failure:
        url = f"{self._bases[call.service.side]}{call.service.prefix}{self._scope}{call.path}"
        headers = await self._headers(call.content_type)
        query = {name: _query_text(value) for name, value in call.query.items() if value is not None}
        try:
            request = self._client.build_request(
                call.method, url, params=query or None, content=call.content, headers=headers
            )
        except (httpx.InvalidURL, UnicodeEncodeError):
            message = f"{call.method} {call.path[:60]}...: no address can be so long, or look like this"
            raise InvalidInput(message, hint="Check the names and ids.") from None
        try:
            answer = await self._client.send(request)
        except httpx.HTTPError as error:
            return _Failure(self._no_answer(call, error), 0 if isinstance(error, _BROKEN) else None)
        except AmlError:
            raise
        except Exception as error:
            if not self._is_in_process:
                raise
            raise went_wrong(call.name, error) from error
        if answer.is_success:
            return answer
        failure = refusal(self.host, answer.status_code, _error_body(answer), call=call.name)
        return _Failure(failure, answer.status_code, _seconds(answer.headers.get("retry-after", "")))

    def _no_answer(self, call: _Call, error: httpx.HTTPError) -> ServiceError:
        if isinstance(error, _UNSENT):
            how = "cannot be reached"
        elif isinstance(error, httpx.TimeoutException):
            how = f"did not answer within {self._timeout:g} s"
        else:
            how = "broke the connection off before its answer was complete"
        failure = no_answer(
            self.host, how, call=call.name, was_sent=not isinstance(error, _UNSENT), is_question=call.is_question
        )
        failure.__cause__ = error
        return failure

    async def _headers(self, content_type: str) -> dict[str, str]:
        headers = {"Content-Type": content_type, "Accept": "application/json, text/plain, */*"}
        if self._token is not None:
            token = await self._token()
            # httpx would quote a header that cannot be one in its error message.
            if not token or not token.isascii() or not token.isprintable() or " " in token:
                message = "the source of access tokens gave something that cannot be one"
                raise NotConnected(message, hint="Sign in again.")
            headers["Authorization"] = f"Bearer {token}"
        return headers


def _address(base: str) -> httpx.URL:
    """A base URL. What is none is not quoted in the message: it may carry a password."""
    try:
        url = httpx.URL(base)
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        message = "the workspace's address is no http or https URL"
        raise InvalidInput(message, hint="It looks like https://region.api.azureml.ms.") from None
    return url


def _encoded(body: object) -> bytes:
    """JSON in UTF-8; nothing for no body. Text may hold half a character that no encoding has: a person's mistake."""
    try:
        return b"" if body is _NO_BODY else json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = f"the text {error.object[max(0, error.start - 20) : error.end + 20]!r} holds a broken character"
        raise InvalidInput(message, hint="Write it again.") from None


def _query_text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _error_body(answer: httpx.Response) -> object:
    """The JSON of an error's body; its text when it is plain text; nothing for a page of HTML."""
    content_type = answer.headers.get("content-type", "")
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.content.decode("utf-8", "replace") if content_type.startswith("text/plain") else None


def _seconds(text: str) -> float | None:
    """``Retry-After`` in seconds; its other form, a date, is not used by these services."""
    return float(text) if text.isascii() and text.isdigit() else None
