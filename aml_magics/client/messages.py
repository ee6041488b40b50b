"""The parts of an HTTP message: the address, the token, the body as bytes, and what an error's body says."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import httpx

from aml_magics.model.errors import InvalidInput, NotConnected

if TYPE_CHECKING:
    from aml_magics.model.secret import Secret

__all__ = ["NO_BODY", "Bearer", "address_of", "encoded", "error_body", "query_text"]

NO_BODY: Any = object()


class Bearer(httpx.Auth):
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


def _can_be_a_header(token: Secret) -> bool:
    return token.reveal().isascii() and token.reveal().isprintable() and " " not in token.reveal()


def address_of(base: str) -> httpx.URL:
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


def encoded(body: object) -> bytes:
    """JSON in UTF-8; nothing for no body. Text may hold half a character that no encoding has: a person's mistake."""
    try:
        return b"" if body is NO_BODY else json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = f"the text {error.object[max(0, error.start - 20) : error.end + 20]!r} holds a broken character"
        raise InvalidInput(message, hint="Write it again.") from None


def query_text(value: str | int | bool) -> str:
    """A value of a query as it is written."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def error_body(answer: httpx.Response) -> object:
    """The JSON of an error's body; its text when it is plain text; nothing for a page of HTML."""
    content_type = answer.headers.get("content-type", "")
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.content.decode("utf-8", "replace") if content_type.startswith("text/plain") else None
