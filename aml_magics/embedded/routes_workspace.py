"""Where the workspace is: discovery and the ARM resource. Discovery carries no credentials and names no workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.embedded.routes import SCOPE, route
from aml_magics.wire.v1 import discovery_to, workspace_to

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["routes"]


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """GET ``/discovery`` and GET ``{S}``."""

    async def discovery(call: Call) -> object:
        return discovery_to(call.base)

    async def resource(call: Call) -> object:
        store = workspace.store
        return workspace_to(call.scope, workspace_id=store.workspace_id, base=call.base, created=store.created)

    return [
        route("/discovery", "GET", discovery, workspace=workspace, service="other"),
        route(SCOPE, "GET", resource, workspace=workspace, service="other"),
    ]
