"""The embedded workspace as an ASGI application: Azure ML's v1 protocol over one store.

::

    /discovery, {S}                 routes_workspace      camelCase
    /subscriptions ...              routes_arm            camelCase
    /history/v1.0{S}                routes_history        camelCase
    /artifact/v2.0{S}               routes_history        camelCase
    /content/v1.0|v2.0{S}           routes_content        camelCase
    /datastore/v1.0{S}              routes_datastores     camelCase
    /rp/workspaces{S}               routes_computes       camelCase
    /pipelines/v1.0{S}              routes_pipelines, routes_schedules, routes_runs,
                                    routes_endpoints, routes_drafts                     PascalCase
    /aml-magics/v1.0{S}             routes_extras         camelCase, ours

``{S}`` is ``/subscriptions/.../workspaces/{name}``; only the name must be right. The app holds no state: it is made
before the workspace starts and answers once it has. It checks no credentials: on a port, a ``Guard`` stands before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount

from aml_magics.embedded import (
    routes_arm,
    routes_computes,
    routes_content,
    routes_datastores,
    routes_drafts,
    routes_endpoints,
    routes_extras,
    routes_history,
    routes_pipelines,
    routes_runs,
    routes_schedules,
    routes_workspace,
)
from aml_magics.embedded.routes import SCOPE, refused
from aml_magics.model.errors import NotFound

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["make_app"]


def make_app(workspace: EmbeddedWorkspace) -> Starlette:
    """The application of one workspace."""
    pipelines = [
        *routes_pipelines.routes(workspace),
        *routes_schedules.routes(workspace),
        *routes_endpoints.routes(workspace),
        *routes_drafts.routes(workspace),
        *routes_runs.routes(workspace),
    ]
    return Starlette(
        routes=[
            Mount(f"/pipelines/v1.0{SCOPE}", routes=pipelines),
            Mount(f"/history/v1.0{SCOPE}", routes=routes_history.routes(workspace)),
            *routes_content.routes(workspace),
            Mount(f"/rp/workspaces{SCOPE}", routes=routes_computes.routes(workspace)),
            Mount(f"/datastore/v1.0{SCOPE}", routes=routes_datastores.routes(workspace)),
            Mount(f"/artifact/v2.0{SCOPE}", routes=routes_history.artifact_routes(workspace)),
            Mount(f"/aml-magics/v1.0{SCOPE}", routes=routes_extras.routes(workspace)),
            *routes_workspace.routes(workspace),
            *routes_arm.routes(workspace),
        ],
        exception_handlers={HTTPException: _nowhere},
    )


async def _nowhere(request: Request, _error: Exception) -> Response:
    """A path or a method that is none of ours, told in the dialect of the service that was asked."""
    path = request.url.path
    service = path.partition("/subscriptions/")[0]
    shown = f"{service} ... {path.rsplit('/workspaces/', 1)[-1]}" if "/workspaces/" in path else path
    message = f"{request.method} {shown}: this workspace does not answer there"
    is_pipelines = path.startswith("/pipelines/")
    return refused(NotFound(message), "pipelines" if is_pipelines else "other")
