"""Schedules in the pipelines service: ``/pipelines/v1.0{S}/Schedules``. There is no delete, as on Azure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import Response

from aml_magics.embedded.routes import route

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["routes"]


class _Schedules:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace

    async def list(self, call: Call) -> object:
        return _json_text(self._workspace.store.schedules.list_text(active_only=call.flag("activeOnly")))

    async def of_pipeline(self, call: Call) -> object:
        """The disabled ones too: the SDK sends no filter here."""
        pipeline_id = self._workspace.store.pipelines.get(call.path("id")).id
        return _json_text(self._workspace.store.schedules.list_text(pipeline_id=pipeline_id))

    async def of_endpoint(self, call: Call) -> object:
        """As ``of_pipeline``."""
        endpoint_id = self._workspace.store.endpoints.get(call.path("id")).id
        return _json_text(self._workspace.store.schedules.list_text(endpoint_id=endpoint_id))

    async def get(self, call: Call) -> object:
        return self._workspace.store.schedules.entity(call.path("id"))

    async def create(self, call: Call) -> object:
        return await self._workspace.create_schedule(await call.fields())

    async def update(self, call: Call) -> object:
        return await self._workspace.update_schedule(call.path("id"), await call.fields())


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below the service's prefix."""
    here = _Schedules(workspace)
    add = partial(route, workspace=workspace, service="pipelines")
    return [
        add("/Schedules", "GET", here.list),
        add("/Schedules/Create", "POST", here.create),
        add("/Schedules/Pipeline/{id}", "GET", here.of_pipeline),
        add("/Schedules/PipelineEndpoint/{id}", "GET", here.of_endpoint),
        add("/Schedules/{id}", "GET", here.get),
        add("/Schedules/{id}", "PUT", here.update),
    ]


def _json_text(content: str) -> Response:
    return Response(content, media_type="application/json")
