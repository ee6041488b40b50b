"""What stands before the app when it is served on a port: nobody gets past without the token.

::

    Authorization: Bearer <token>      every request, as Azure has it
    ?sig=<signature>                   GET, HEAD and PUT of one address that an answer held (a log, an upload): the SDK
                                       sends no header there, as with a storage account (``signed_paths``)
    /msi/token/<pass>                  gives the token to whoever knows the pass: SDK v1's "managed identity"
    /discovery, /metadata/endpoints    ask nothing and tell nothing but addresses: the SDK asks them without a token

Everything else is a 401 in the dialect of the service that was asked, before the app has seen it. Comparisons take the
same time whatever is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from aml_magics.embedded.routes import as_json, refused
from aml_magics.wire.arm import identity_token_to
from aml_magics.wire.v1_errors import Unauthorized

if TYPE_CHECKING:
    from aml_magics.embedded.signed_paths import SignedPaths
    from aml_magics.model.secret import Secret

__all__ = ["Guard"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_OPEN = ("/discovery", "/metadata/endpoints")
_IDENTITY = "/msi/token/"
_SIGNED_METHODS = ("GET", "HEAD", "PUT")
_HOUR = 3600


class Guard:
    """An ASGI application that hands on to ``app`` what carries ``token``, or a signature that ``signed`` allows."""

    def __init__(self, app: App, token: Secret, signed: SignedPaths) -> None:
        self._app = app
        self._token = token
        self._signed = signed

    @property
    def identity_path(self) -> str:
        """Where the token is given away: a path that follows from the token and does not tell it."""
        digest = hmac.digest(self._token.reveal().encode(), b"identity", hashlib.sha256)
        return _IDENTITY + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # nothing here speaks websocket
            return
        path = scope["path"]
        if path.startswith(_IDENTITY):
            answer = self._identity(path)
        elif path in _OPEN or self._has_token(scope) or self._is_signed(scope):
            answer = self._app
        else:
            answer = self._refusal(path)
        await answer(scope, receive, send)

    def _has_token(self, scope: Scope) -> bool:
        kind, _, token = _header(scope, b"authorization").partition(" ")
        return kind.casefold() == "bearer" and self._token.matches(token.strip())

    def _is_signed(self, scope: Scope) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("sig", [""])[0]
        return scope["method"] in _SIGNED_METHODS and self._signed.allows(scope["path"], given)

    def _identity(self, path: str) -> App:
        if not hmac.compare_digest(path.encode("utf-8", "surrogatepass"), self.identity_path.encode()):
            return self._refusal(path)
        answer = identity_token_to(self._token.reveal(), resource="", expires=int(time.time()) + 24 * _HOUR)
        return as_json(answer)

    @staticmethod
    def _refusal(path: str) -> App:
        message = "the access token is missing or wrong"
        error = Unauthorized(message, hint="Whoever serves this workspace has it: it is sent as a bearer token.")
        answer = refused(error, "pipelines" if path.startswith("/pipelines/") else "other")
        answer.headers["WWW-Authenticate"] = 'Bearer realm="aml_magics"'
        return answer


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
