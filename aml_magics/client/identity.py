"""Tokens of Azure for one workspace: asked for late, kept until shortly before they expire, renewed in between.

Around any credential of azure-identity, or of anybody else who follows its protocol: ``get_token(scope)``, plain or
``async``. A plain one blocks, so it runs in a daemon thread. Many requests at once ask once. What a credential says
when it fails is long; a person gets one line of it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import inspect
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aml_magics.client.daemon import in_daemon_thread
from aml_magics.client.failures import without_frames
from aml_magics.datastores.signing_in import TRIED, WAYS, not_signed_in
from aml_magics.model.errors import AmlError, InvalidInput, NotConnected
from aml_magics.model.secret import Secret

if TYPE_CHECKING:
    from aml_magics.wire.arm import Cloud

__all__ = ["Claims", "Identity", "check_credential"]

_EARLY = 300.0  # seconds before its end at which a token is renewed, as azure-core does it


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token tells about whom it is for; empty where it does not."""

    account: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    secret: Secret
    expires: float


class Identity:
    """One account in one cloud. It owns its credential: closing it closes that too.

    ``now`` is POSIX time in seconds.
    """

    def __init__(
        self, credential: object, cloud: Cloud, *, name: str = "", now: Callable[[], float] = time.time
    ) -> None:
        self._credential: Any = check_credential(credential)
        self._scope = cloud.scope
        self._name = name
        self._now = now
        self._held: _Held | None = None
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Identity by {self.name}>"

    @property
    def name(self) -> str:
        """What answers: ``Azure CLI``; the name of the credential's class when it is no well-known one."""
        answering = getattr(self._credential, "_successful_credential", None) or self._credential
        kind = type(answering).__name__
        return self._name or TRIED.get(kind, kind)

    @property
    def advice(self) -> str:
        return f"The access token was refused. {WAYS}"

    @property
    def expires(self) -> float | None:
        """POSIX time at which the token that is held ends."""
        return self._held.expires if self._held else None

    async def token(self) -> Secret:
        async with self._turn:
            held = self._held
            if held is None or held.expires - self._now() < _EARLY:
                held = await self._renew(held)
            self._held = held
            return held.secret

    async def renewed(self, refused: Secret, challenge: str) -> bool:
        async with self._turn:
            if self._held is not None and self._held.secret != refused:
                return True  # another request was refused too, and has asked already
            with suppress(NotConnected):
                held = await self._ask(_claims_of(challenge))
                self._held = held
                return held.secret != refused
            return False

    async def claims(self) -> Claims:
        """Whom the token is for. Raises ``NotConnected`` when there is none."""
        return _claims_in(await self.token())

    async def close(self) -> None:
        """Closing twice is harmless."""
        close = getattr(self._credential, "close", None)
        if close is None:
            return
        answer = close()
        if inspect.isawaitable(answer):
            await answer

    async def _renew(self, held: _Held | None) -> _Held:
        try:
            return await self._ask()
        except NotConnected:
            if held is None or held.expires <= self._now():
                raise
            return held  # it is good for some minutes yet

    async def _ask(self, claims: str = "") -> _Held:
        options = {"claims": claims, "enable_cae": True} if claims else {}
        try:
            return _held(await self._get_token(options))
        except (AmlError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - credentials raise what their libraries raise
            raise not_signed_in(error) from without_frames(error)

    async def _get_token(self, options: Mapping[str, Any]) -> object:
        get = self._credential.get_token
        if inspect.iscoroutinefunction(get):
            return await get(self._scope, **options)
        answer = await in_daemon_thread(lambda: get(self._scope, **options), "aml-magics-sign-in")
        return await cast("Awaitable[object]", answer) if inspect.isawaitable(answer) else answer


def check_credential(credential: object) -> object:
    """The credential itself. Raises ``InvalidInput`` for what has no ``get_token``."""
    if callable(getattr(credential, "get_token", None)):
        return credential
    message = f"credential: a {type(credential).__name__} is no credential, it has no get_token"
    raise InvalidInput(message, hint="Give one of azure-identity's, or leave it out.")


def _held(answer: Any) -> _Held:  # noqa: ANN401 - an AccessToken of whatever library
    text, expires = getattr(answer, "token", None), getattr(answer, "expires_on", None)
    if not isinstance(text, str) or not isinstance(expires, int | float):
        message = "the credential gave something that is no access token"
        raise NotConnected(message, hint="get_token returns an AccessToken(token, expires_on).")
    return _Held(Secret(text), float(expires))


def _claims_of(challenge: str) -> str:
    """The claims that an answer 401 asks for, in base64; Azure asks so when access was taken back."""
    found = re.search(r'claims="([^"]+)"', challenge)
    if found is None:
        return ""
    try:
        return base64.b64decode(found[1] + "===").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _claims_in(token: Secret) -> Claims:
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.reveal().split(".")[1] + "==="))
        names = ("upn", "preferred_username", "unique_name", "appid", "oid", "sub")
        account = next((claims[name] for name in names if claims.get(name)), "")
        return Claims(str(account), str(claims.get("tid") or ""))
    except (IndexError, ValueError, AttributeError):
        return Claims()
