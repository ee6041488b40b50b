"""Where access tokens come from, and the one place where a token becomes a header.

A token is a ``Secret`` everywhere; ``Bearer`` reveals it inside the expression that sets the header, so that no
variable of a frame holds it. Real sources that speak to Azure are in ``identity.py``.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

import httpx

from aml_magics.model.errors import NotConnected
from aml_magics.model.secret import Secret

__all__ = ["Bearer", "FixedToken", "TokenSource"]


class TokenSource(Protocol):
    """Asked before each request; it renews what has expired. ``advice``: what to do when a token is refused."""

    @property
    def advice(self) -> str: ...

    async def token(self) -> Secret:
        """A token that is good now. Raises ``NotConnected`` when nobody is signed in."""
        ...

    async def renewed(self, refused: Secret, challenge: str) -> bool:
        """Whether there is another token than the one that was just refused. ``challenge``: ``WWW-Authenticate``."""
        ...

    async def close(self) -> None: ...


class FixedToken:
    """A token that a person gave. There is no other one."""

    def __init__(self, token: Secret, *, advice: str) -> None:
        self._token = token
        self.advice = advice

    async def token(self) -> Secret:
        return self._token

    async def renewed(self, _refused: Secret, _challenge: str) -> bool:
        return False

    async def close(self) -> None:
        """Nothing is open."""


class Bearer(httpx.Auth):
    """Puts a token on a request. Raises ``NotConnected`` for what cannot be one."""

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
