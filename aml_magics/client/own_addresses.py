"""Sending to URLs that others wrote, a Web activity or an HTTP action, as long as they are of this workspace.

What is sent goes over the workspace's own transport, so it is signed in, and never to another host than the
workspace's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aml_magics.client.services import DATASTORES, HISTORY, PIPELINES
from aml_magics.model.errors import InvalidInput

if TYPE_CHECKING:
    from aml_magics.client.services import Service
    from aml_magics.client.transport import Transport

__all__ = ["OwnAddresses"]

_SERVICES = (PIPELINES, HISTORY, DATASTORES)
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


class OwnAddresses:
    """The URLs of one workspace."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def refusal(self, url: str) -> str:
        """Why nothing is sent there, or nothing."""
        return "" if self._place(url) else "its address is not one of this workspace"

    async def send(self, method: str, url: str, body: object) -> Any:  # noqa: ANN401 - any JSON
        """The answer's JSON. Raises ``InvalidInput`` for an address elsewhere, and what the workspace refuses."""
        place = self._place(url)
        if place is None or method not in _METHODS:
            message = self.refusal(url) or f"{method!r} is no method"
            raise InvalidInput(message, hint="Only what is sent to the workspace itself runs here.")
        service, path = place
        if body is None:
            return await self._transport.json(method, service, path)
        return await self._transport.json(method, service, path, body=body)

    def _place(self, url: str) -> tuple[Service, str] | None:
        """The service and the path in it, whatever the host; ``None``: it is another workspace's, or none's."""
        parts = urlsplit(url)
        for service in _SERVICES:
            before, found, path = parts.path.partition(f"{service.prefix}{self._transport.scope}/")
            if found and before in ("", self._transport.path_before(service)) and parts.scheme in ("http", "https"):
                return service, f"/{path}" + (f"?{parts.query}" if parts.query else "")
        return None
