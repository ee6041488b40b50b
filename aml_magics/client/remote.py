"""A workspace that is somewhere else: on Azure, or served by a colleague at a URL.

``Destination`` is what a person asked for, as a value: asking for the same again gives what is open. ``Remote`` is one
open workspace with its own loop thread, transports and credential, and the end of all of them.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from aml_magics.background import Background
from aml_magics.client.azure import AzureWay
from aml_magics.client.clouds import find_cloud
from aml_magics.client.config_file import Place, find_config, read_config
from aml_magics.client.identity import Identity, check_credential
from aml_magics.client.reaching import Reach, trusting
from aml_magics.client.served import ServedWay, token_given
from aml_magics.client.sign_in import WAYS, Tell, make_credential
from aml_magics.client.v1 import WorkspaceClient
from aml_magics.client.workspace import Workspace
from aml_magics.model.errors import InvalidInput, did_you_mean

if TYPE_CHECKING:
    from aml_magics.client.connection import Call
    from aml_magics.model.secret import Secret
    from aml_magics.wire.arm import Resource

__all__ = ["Destination", "Remote", "Way", "asked_for", "make_way"]

_CLOSE_SECONDS = 2.0  # a notebook server kills a kernel that takes longer than about 2.5 s to go
_NAMES = ("subscription", "resource_group", "workspace")
_AZURE = ("config", *_NAMES, "cloud", "sign_in", "credential")
Way = AzureWay | ServedWay


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where to go and as whom: a ``url`` with its ``token``, or a ``place`` on Azure (from the file ``config``)."""

    url: str = ""
    token: Secret | None = None
    place: Place | None = None
    config: Path | None = None
    cloud: str | None = None
    sign_in: str | None = None
    credential: object = None
    ca: str | Path | None = None


def asked_for(target: object, elsewhere: Mapping[str, Any]) -> Destination:
    """The destination of ``connect(target, **elsewhere)``; what is ``None`` was not given.

    Raises ``InvalidInput`` for what does not belong together, ``NotFound`` when there is no config.json.
    """
    given = {name: value for name, value in elsewhere.items() if value is not None}
    of_azure = [name for name in _AZURE if name in given]
    if target is not None:
        if "://" not in str(target):
            message = f"connect: {_spelled(next(iter(given)))} does not belong to a folder of this machine"
            raise InvalidInput(message, hint="Leave the folder out for a workspace on Azure, or name a URL.")
        if of_azure:
            message = f"connect: {_spelled(of_azure[0])} is for Azure, and a URL is a workspace that aml_magics serves"
            raise InvalidInput(message, hint="Give one or the other.")
        return Destination(url=str(target), token=token_given(given.get("token")), ca=given.get("ca"))
    if "token" in given:
        message = "connect: a token goes with the URL of a workspace that aml_magics serves"
        raise InvalidInput(message, hint="Write %aml connect URL --token {TOKEN}.")
    return _on_azure(given)


def _on_azure(given: Mapping[str, Any]) -> Destination:
    _check_way(given)
    config = None
    names = [name for name in _NAMES if name in given]
    if not names:
        config = find_config(given.get("config", "."))
        place = read_config(config)
    elif "config" in given:
        message = f"connect: config and {_spelled(names[0])} both say which workspace"
        raise InvalidInput(message, hint="Give config, or the three names.")
    else:
        missing = [name for name in _NAMES if not str(given.get(name, "")).strip()]
        if missing:
            message = f"connect: {_spelled(names[0])} also needs {' and '.join(map(_spelled, missing))}"
            raise InvalidInput(message, hint="Give the three names, or config.")
        place = Place(*(str(given[name]).strip() for name in _NAMES))
    return Destination(
        place=place,
        config=config,
        cloud=given.get("cloud"),
        sign_in=given.get("sign_in"),
        credential=given.get("credential"),
        ca=given.get("ca"),
    )


def _check_way(given: Mapping[str, Any]) -> None:
    way = given.get("sign_in")
    if way is not None and way not in WAYS:
        message = f"sign_in: {way!r} is no way to sign in"
        raise InvalidInput(message, hint=did_you_mean(str(way), WAYS))
    if "credential" in given:
        check_credential(given["credential"])
        if way is not None:
            message = "connect: credential and sign_in both say who signs in"
            raise InvalidInput(message, hint="Give one of them.")


def make_way(destination: Destination, call: Call, tell: Tell, reach: Reach | None = None) -> Way:
    """The way there; a person who has to sign in does so now, on this thread, as ``tell`` says.

    Raises ``InvalidInput``, ``NotConnected``, ``ServiceError``.
    """
    reach = reach or Reach(verify=trusting(destination.ca))
    if destination.place is None:
        return ServedWay(destination.url, destination.token, reach)
    cloud = call(find_cloud(destination.cloud, reach, dict(os.environ)))
    credential = destination.credential or make_credential(destination.sign_in, cloud, tell)
    return AzureWay(destination.place, cloud, Identity(credential, cloud), reach)


class Remote:
    """One open workspace somewhere else. Raises what ``make_way`` and its steps raise; nothing is left open then."""

    root: ClassVar[None] = None  # it has no folder here
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, destination: Destination, tell: Tell, reach: Reach | None = None) -> None:
        self.destination = destination
        self.is_closed = False
        self.way: Way | None = None
        self._client: WorkspaceClient | None = None
        self._leave: Callable[[], Awaitable[None]] | None = None  # what the client needs before its end
        self._leaves_credential = False
        self._background = Background()
        atexit.register(self.close)
        try:
            self.way = make_way(destination, self._background.call, tell, reach)
            self.workspace = self._opened(self.way, self._background.call(self._arrive(self.way)))
            self._leave = self.workspace.leave
        except BaseException:
            self.leave_credential()
            self.close()
            raise

    def leave_credential(self) -> None:
        """Do not close a credential that a person made: it is still needed."""
        self._leaves_credential = self.destination.credential is not None

    def close(self) -> None:
        """Close the connections and the credential, stop the loop thread. Bounded in time; twice is harmless."""
        atexit.unregister(self.close)
        if self.is_closed:
            return
        self.is_closed = True
        try:
            if self._background.running:
                with suppress(TimeoutError):
                    self._background.call(self._shut(), timeout=_CLOSE_SECONDS)
        finally:
            self._background.stop()

    async def _arrive(self, way: Way) -> Resource:
        resource = await way.resource()
        transport = await way.transport(resource, await way.services(resource))
        self._client = WorkspaceClient(transport, is_embedded=isinstance(way, ServedWay))
        self._leave = self._client.close
        return resource

    def _opened(self, way: Way, resource: Resource) -> Workspace:
        assert self._client is not None  # noqa: S101 - for the type checker: _arrive made it
        name = resource.name or "workspace"
        if isinstance(way, ServedWay):
            return Workspace(
                self._client,
                self._background.call,
                name=name,
                location=way.url,
                spawn=self._background.spawn,
                close=self.close,
            )
        return Workspace(
            self._client,
            self._background.call,
            name=name,
            location=f"{way.cloud.portal or way.cloud.arm}/#@/resource{way.place.scope}",
            about=_about(way, resource),
            manager=way.manager(),
            spawn=self._background.spawn,
            close=self.close,
        )

    async def _shut(self) -> None:
        if self._leave is not None:
            await self._leave()
        if self.way is not None:
            await self.way.close(leaves_credential=self._leaves_credential)


def _about(way: AzureWay, resource: Resource) -> dict[str, str]:
    return {
        "subscription": way.place.subscription,
        "resource group": way.place.resource_group,
        "region": resource.region,
        "cloud": way.cloud.name,
        "signed in by": way.identity.name,
    }


def _spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"
