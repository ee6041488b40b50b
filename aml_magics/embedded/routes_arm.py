"""Azure Resource Manager around a served workspace, and the list of clouds that Microsoft's SDK reads first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aml_magics.embedded.routes import SCOPE, route
from aml_magics.wire.arm import clouds_to, permissions_to, subscriptions_to
from aml_magics.wire.v1 import workspace_to

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["routes"]

_GROUP = SCOPE.rpartition("/")[0]  # .../workspaces


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """Below the root: ``/metadata/endpoints``, ``/subscriptions``, the group's workspaces, the caller's permissions."""

    async def clouds(call: Call) -> object:
        return clouds_to(call.base)

    async def subscriptions(_call: Call) -> object:
        return subscriptions_to()

    async def workspaces(call: Call) -> object:
        scope = f"{call.group}/{workspace.name}"
        store = workspace.store
        only = workspace_to(scope, workspace_id=store.workspace_id, base=call.base, created=store.created)
        return {"value": [only]}

    async def permissions(_call: Call) -> object:
        return permissions_to()

    add = partial(route, workspace=workspace, service="other")
    return [
        add("/metadata/endpoints", "GET", clouds),
        add("/subscriptions", "GET", subscriptions),
        add(_GROUP, "GET", workspaces),
        add(f"{SCOPE}/providers/Microsoft.Authorization/permissions", "GET", permissions),
    ]
