"""A workspace at an address: for notebooks of others, and for Microsoft's SDK v1 as if it were Azure.

::

    root/.aml/served/token          the access token; it stays the same from one time to the next
    root/.aml/served/token-PORT     one that somebody chose, while it is served there: two kernels that serve one folder
                                    must not take each other's away
    root/.aml/served/config.json    what Workspace.from_config() reads
    root/.aml/served/sdk.env        the environment that points the SDK here without a line of Python (TLS only)
    root/.aml/served/ca.pem, ...    the certificate (TLS only); bundle.pem is that and the usual authorities

The folder is its owner's alone. A ``Serving`` lives on the event loop of its workspace.
"""

from __future__ import annotations

import json
import shlex
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from aml_magics.embedded.certificates import make_certificate
from aml_magics.embedded.guard import Guard
from aml_magics.embedded.server import EVERYWHERE, LOOPBACK, Server, is_local
from aml_magics.embedded.tokens import checked_token, kept_token, write_private
from aml_magics.model.errors import InvalidInput
from aml_magics.wire.arm import CLOUD, SUBSCRIPTION
from aml_magics.wire.v1 import EMBEDDED_SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aml_magics.embedded.workspace import EmbeddedWorkspace
    from aml_magics.model.secret import Secret

__all__ = ["Served", "Serving"]

_GROUP, _NAME = EMBEDDED_SCOPE.split("/")[4], EMBEDDED_SCOPE.rpartition("/")[2]
_KEPT = "token"


@dataclass(frozen=True, slots=True)
class Served:
    """Where a workspace is served, and how others get there. ``stop`` ends it; ``token.reveal()`` is the token."""

    url: str
    token: Secret
    workspace_id: str
    folder: Path
    token_file: Path
    is_local: bool
    ca: Path | None = None
    stop: Callable[[], object] = field(default=lambda: None, repr=False, compare=False)

    @property
    def join(self) -> str:
        """The magic that opens this workspace in another notebook, without the token."""
        if self.ca is None:
            return f"%aml connect {self.url}"
        ca = _shown(self.ca)
        return f"%aml connect {self.url} --ca " + (ca if ca == shlex.quote(ca) else f'"{ca}"')

    @property
    def sdk_lines(self) -> str:
        """Four lines of Python after which ``ws`` is this workspace for ``azureml-core``."""
        token = f"lambda _: open({_shown(self.token_file)!r}).read().strip()"
        arguments = (
            f"{SUBSCRIPTION!r}, {_GROUP!r}, {_NAME!r}, "
            f"auth=TokenAuthentication({token}, cloud='AzureCloud'), "
            f"_disable_service_check=True, _workspace_id={self.workspace_id!r}"
        )
        return (
            "from azureml.core import Workspace\n"
            "from azureml.core.authentication import TokenAuthentication\n"
            f"ws = Workspace({arguments})\n"
            f"ws._discovery_url_internal = {f'{self.url}/discovery'!r}"
        )

    @property
    def sdk_environment(self) -> str:
        """What a shell runs first, so that ``Workspace.from_config`` finds this workspace. Empty without TLS."""
        if self.ca is None:
            return ""
        then = f"Workspace.from_config({_shown(self.folder)!r})"
        return f"set -a; . {shlex.quote(_shown(self.folder / 'sdk.env'))}; set +a   # and then {then}"


class Serving:
    """One workspace on a port. Raises ``InvalidInput`` from ``start`` for an address, token or folder that will not do.

    ``token`` is one that somebody chose, for this time; without it the kept one, or a new one, is used.
    """

    def __init__(
        self,
        workspace: EmbeddedWorkspace,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        token: Secret | None = None,
        tls: bool = False,
    ) -> None:
        if not 0 <= port <= 65535:
            message = f"serve: {port} is no port"
            raise InvalidInput(message, hint="Give a number from 1 to 65535, or leave it out for one that is free.")
        if not host.strip():  # to a socket it means every address of this machine
            message = "serve: the host is empty"
            raise InvalidInput(message, hint="Leave it out for this machine alone; 0.0.0.0 lets others in.")
        self._workspace = workspace
        self._folder = workspace.root / ".aml" / "served"
        self._host = host
        self._is_local = is_local(host)
        self._tls = make_certificate(self._folder, _names(host)) if tls else None
        self._is_chosen = token is not None
        self._chosen: Path | None = None  # the file of a token that somebody chose, while it is there
        self._token = self._settled(token)
        self._guard = Guard(workspace.app, self._token, workspace.signed_paths)
        self._server = Server(self._guard, host=host, port=port, tls=self._tls)

    async def start(self) -> Served:
        """Answer, and say where."""
        await self._server.start()
        try:
            self._write_files()
        except BaseException:
            await self.stop()
            raise
        return Served(
            url=self._server.url,
            token=self._token,
            workspace_id=self._workspace.store.workspace_id,
            folder=self._folder,
            token_file=self._chosen or self._folder / _KEPT,
            is_local=self._is_local,
            ca=self._tls.ca if self._tls else None,
        )

    def is_what(self, asked: Mapping[str, object]) -> bool:
        """Whether it is served in the way that is asked for: some or all of the options, by their names."""
        served = {"host": self._host, "port": self._server.port, "token": self._token, "tls": self._tls is not None}
        return all(served[name] == value for name, value in asked.items())

    async def stop(self) -> None:
        """Answer nothing more. Stopping twice is harmless."""
        chosen, self._chosen = self._chosen, None
        if chosen is not None:
            with suppress(OSError):  # before the port is free: whoever is next on it has a file of the same name
                chosen.unlink()
        await self._server.stop()

    def _settled(self, token: Secret | None) -> Secret:
        if token is None:
            return kept_token(self._folder / _KEPT)
        return checked_token(token.reveal(), is_local=self._is_local)

    def _write_files(self) -> None:
        if self._is_chosen:
            self._chosen = self._folder / f"token-{self._server.port}"
            write_private(self._chosen, self._token.reveal() + "\n")
        config = {"subscription_id": SUBSCRIPTION, "resource_group": _GROUP, "workspace_name": _NAME}
        write_private(self._folder / "config.json", json.dumps(config, indent=1) + "\n")
        if self._tls is not None:
            bundle = self._folder / "bundle.pem"
            write_private(bundle, Path(certifi.where()).read_text("utf-8") + self._tls.ca.read_text())
            write_private(self._folder / "sdk.env", self._environment(bundle))

    def _environment(self, bundle: Path) -> str:
        url = self._server.url
        variables = {
            "ARM_CLOUD_METADATA_URL": f"{url}/metadata/endpoints",
            "AZUREML_CURRENT_CLOUD": CLOUD,
            "MSI_ENDPOINT": f"{url}{self._guard.identity_path}",
            "REQUESTS_CA_BUNDLE": str(bundle),
            "SSL_CERT_FILE": str(bundle),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())


def _names(host: str) -> list[str]:
    """The names by which others may reach a host that is bound to everything."""
    names = ["localhost", LOOPBACK, "::1"]
    if host in EVERYWHERE:
        return [*names, socket.gethostname()]
    return list(dict.fromkeys([*names, host]))


def _shown(path: Path) -> str:
    """As seen from the current folder where it lies in it: what is shown may be saved, or sent to others."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # somebody has deleted it
        return path.as_posix()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()
