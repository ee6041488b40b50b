"""Where access tokens come from, as a transport sees it.

A token is a ``Secret`` everywhere; ``transport.py`` reveals it where it becomes a header. Sources that speak to Azure
are in ``identity.py``.
"""

from __future__ import annotations

from typing import Protocol

from aml_magics.model.secret import Secret

__all__ = ["FixedToken", "TokenSource"]


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
