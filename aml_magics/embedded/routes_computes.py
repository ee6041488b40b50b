"""The computes of the workspace: ``/rp/workspaces{S}/computes``. There is one, ``local``: this machine.

It answers as an ``AmlCompute``, because that is a kind that the SDK lets a step of a pipeline run on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aml_magics.embedded.routes import route
from aml_magics.model.errors import NotFound, did_you_mean
from aml_magics.wire.v1 import compute_to

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["LOCAL", "routes"]

LOCAL = "local"


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below the service's prefix."""

    def described(call: Call) -> object:
        return compute_to(LOCAL, call.scope, created=workspace.store.created)

    async def every(call: Call) -> object:
        return {"value": [described(call)]}

    async def one(call: Call) -> object:
        if call.path("name") != LOCAL:
            message = f"there is no compute {call.path('name')!r}"
            raise NotFound(message, hint=did_you_mean(call.path("name"), [LOCAL]))
        return described(call)

    add = partial(route, workspace=workspace, service="other")
    return [add("/computes", "GET", every), add("/computes/{name}", "GET", one)]
