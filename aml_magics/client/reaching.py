"""How other machines are reached: which certificates are trusted, and the network itself when a test replaces it.

A ``Reach`` makes the transports of one connection, to the resource manager, to discovery and to the workspace, so that
all of them trust the same and none of them follows a redirect or leaks a token.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aml_magics.client.transport import Transport
from aml_magics.model.errors import InvalidInput

if TYPE_CHECKING:
    from aml_magics.client.services import Service
    from aml_magics.client.tokens import TokenSource
    from aml_magics.client.transport import Network, Query, Sleep

__all__ = ["Reach", "trusting"]


@dataclass(frozen=True, slots=True)
class Reach:
    """The network, the certificates to trust besides the usual ones, and the time that waiting goes by."""

    network: Network | None = None
    verify: ssl.SSLContext | None = None
    sleep: Sleep = asyncio.sleep

    def transport(self, api: str, *, scope: str = "", **options: Any) -> Transport:  # noqa: ANN401 - Transport's own
        """A transport below a base URL; the options are those of ``Transport``."""
        return Transport(api=api, scope=scope, network=self.network, verify=self.verify, sleep=self.sleep, **options)

    async def ask(
        self, url: str, service: Service, *, tokens: TokenSource | None = None, query: Query | None = None
    ) -> Any:  # noqa: ANN401 - JSON is whatever came
        """The JSON that one GET answers with. Raises as ``Transport.json``."""
        transport = self.transport(url, tokens=tokens)
        try:
            return await transport.json("GET", service, "", query=query)
        finally:
            await transport.close()


def trusting(ca: str | Path | None) -> ssl.SSLContext | None:
    """A context that trusts the certificates of this file besides the usual ones; nothing for none.

    Raises ``InvalidInput`` when the file cannot be read or holds no certificate.
    """
    if ca is None:
        return None
    file, context = Path(ca), ssl.create_default_context()
    try:
        file = file.expanduser()
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        reason = "it holds no certificate in PEM form"
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
    except RuntimeError:
        reason = "there is no such home folder"
    else:
        return context
    message = f"ca: the file {file.as_posix()!r} cannot be used: {reason}"
    raise InvalidInput(message, hint="Give the PEM file of the authority that signed the server's certificate.")
