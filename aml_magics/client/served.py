"""The way to a workspace that a colleague serves at a URL with ``%aml serve``.

It speaks the protocol of Azure's, and answers more; its resource says that it is one of ours. The token is sent to the
address that the person wrote and to no other: where discovery names another one (a proxy stands in between), the
address that has just answered is the one that works.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aml_magics.client.discovery import discover
from aml_magics.client.services import ARM
from aml_magics.client.tokens import FixedToken
from aml_magics.model.errors import AmlError, InvalidInput, NotConnected, NotFound, ServiceError
from aml_magics.model.secret import TOKEN_VARIABLE, Secret
from aml_magics.wire.arm import Resource, Services, resource_from
from aml_magics.wire.v1 import EMBEDDED_KIND, EMBEDDED_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aml_magics.client.reaching import Reach
    from aml_magics.client.transport import Transport

__all__ = ["ServedWay", "token_given"]

_WHERE = f"It is in the file that %aml serve names (.aml/served/token); give it with --token, or in {TOKEN_VARIABLE}."
_VERSION = {"api-version": "2022-05-01"}


class ServedWay:
    """From a URL and a token to the transport of the workspace's services."""

    def __init__(self, url: str, token: Secret | None, reach: Reach) -> None:
        self.url = _checked(url)
        self._reach = reach
        self._has_token = token is not None
        self.tokens = FixedToken(token, advice=f"The token is wrong. {_WHERE}") if token is not None else None

    async def resource(self) -> Resource:
        """The workspace's resource. Raises ``NotConnected`` for a wrong token, ``ServiceError``, ``InvalidInput``."""
        transport = self._reach.transport(self.url, scope=EMBEDDED_SCOPE, tokens=self.tokens)
        try:
            resource = resource_from(await transport.json("GET", ARM, "", query=_VERSION))
        except (ServiceError, NotFound, InvalidInput) as error:
            told = self._refused(error, transport.host)
            if told is error:
                raise
            raise told from error
        finally:
            await transport.close()
        if resource.kind != EMBEDDED_KIND:
            raise _no_workspace(transport.host)
        return resource

    async def services(self, resource: Resource) -> Services:
        """Where its services are: at the address that was given, if discovery does not know the way better."""
        try:
            found = await discover(resource, self._reach)
        except (ServiceError, NotFound, InvalidInput):
            return Services(self.url, self.url)
        here = urlsplit(self.url)[:2]
        return (
            found if {urlsplit(found.api)[:2], urlsplit(found.history)[:2]} == {here} else Services(self.url, self.url)
        )

    async def transport(self, resource: Resource, services: Services) -> Transport:
        """The way to the services."""
        return self._reach.transport(
            services.api, scope=resource.scope or EMBEDDED_SCOPE, history=services.history, tokens=self.tokens
        )

    async def close(self, *, leaves_credential: bool = False) -> None:
        """Nothing is open."""

    def _refused(self, error: AmlError, host: str) -> AmlError:
        status = error.status if isinstance(error, ServiceError) else 0
        if status == 401:
            what = "refuses this token" if self._has_token else "wants a token"
            return NotConnected(f"connect: the workspace at {host} {what}", hint=_WHERE)
        if status == 0 and "broke the connection off" in error.message:
            error.hint = "Is it http or https there? %aml serve prints the address."
        is_other = isinstance(error, (NotFound, InvalidInput)) or status in (200, 403, 405)
        return _no_workspace(host) if is_other else error


def token_given(token: Secret | str | None, environment: Mapping[str, str] = os.environ) -> Secret | None:
    """The token as a ``Secret``; without one, that of the environment."""
    if isinstance(token, Secret):
        return token
    given = token if token is not None else environment.get(TOKEN_VARIABLE)
    if given is not None and not isinstance(given, str):
        message = "connect: the token is no text"
        raise InvalidInput(message, hint=_WHERE)
    return Secret(given.strip()) if given and given.strip() else None


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # half of an IPv6 address, or a port that there is not
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        message = "connect: that is no address of a workspace"
        raise InvalidInput(message, hint="%aml serve prints it: http://127.0.0.1:8765, say; the token goes to --token.")
    return url.rstrip("/")


def _no_workspace(host: str) -> InvalidInput:
    message = f"connect: no workspace of aml_magics answers at {host}"
    return InvalidInput(message, hint="%aml serve prints the address; a workspace on Azure is named by --config.")
