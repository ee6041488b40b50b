"""Pipeline endpoints in the pipelines service: ``/pipelines/v1.0{S}/PipelineEndpoints``, and submitting to one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aml_magics.embedded.routes import pipeline_with_url, route, submission_of
from aml_magics.model.errors import InvalidInput

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace
    from aml_magics.wire.casing import Json

__all__ = ["routes"]

_SUBMIT = "/PipelineRuns/PipelineEndpointSubmit/Id"


class _Endpoints:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace

    async def list(self, call: Call) -> object:
        found = self._workspace.store.endpoints.all(active_only=call.flag("activeOnly"), limit=_batch_size(call))
        return [_with_url(entity, call) for entity in found]

    async def get(self, call: Call) -> object:
        return _with_url(self._workspace.store.endpoints.entity(call.path("id")), call)

    async def by_name(self, call: Call) -> object:
        return _with_url(self._workspace.store.endpoints.entity_by_name(call.query("Name")), call)

    async def create(self, call: Call) -> object:
        return _with_url(self._workspace.store.endpoints.create(await call.fields()), call)

    async def update(self, call: Call) -> object:
        return _with_url(self._workspace.store.endpoints.update(call.path("id"), await call.fields()), call)

    async def pipelines(self, call: Call) -> object:
        found = self._workspace.store.endpoints.pipelines(call.path("id"), active_only=call.flag("activeOnly"))
        return [pipeline_with_url(entity, call) for entity in found]

    async def submit(self, call: Call) -> object:
        """The default version, unless the query names one."""
        return await self._submit(call, call.query("pipelineVersion") or None)

    async def submit_version(self, call: Call) -> object:
        """The SDK names the version in the path and in the query, both the same."""
        return await self._submit(call, call.path("version"))

    async def _submit(self, call: Call, version: str | None) -> Json:
        submission, tags = submission_of(await call.fields(), call)
        pipeline_id = self._workspace.store.endpoints.pipeline_id(call.path("id"), version, "submission")
        run = self._workspace.submit_pipeline(pipeline_id, submission, tags=tags)
        return self._workspace.store.runs.entity(run)


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below the service's prefix."""
    here = _Endpoints(workspace)
    add = partial(route, workspace=workspace, service="pipelines")
    return [
        add("/PipelineEndpoints", "GET", here.list),
        add("/PipelineEndpoints/Create", "POST", here.create),
        add("/PipelineEndpoints/Name", "GET", here.by_name),
        add("/PipelineEndpoints/Id/{id}", "GET", here.get),
        add("/PipelineEndpoints/{id}", "PUT", here.update),
        add("/PipelineEndpoints/{id}/pipelines", "GET", here.pipelines),
        add(f"{_SUBMIT}/{{id}}", "POST", here.submit),
        add(f"{_SUBMIT}/{{id}}/{{version}}", "POST", here.submit_version),
    ]


def _with_url(entity: Json, call: Call) -> Json:
    """Where a submission to the default version is POSTed, at the address by which the caller knows us."""
    return entity | {"Url": f"{call.base}/pipelines/v1.0{call.scope}{_SUBMIT}/{entity['Id']}"}


def _batch_size(call: Call) -> int | None:
    """How many the caller wants at most: the SDK says it in a header."""
    word = call.header("BatchSize")
    if not word:
        return None
    if not (word.isascii() and word.isdigit() and int(word[:9])):
        message = f"BatchSize: expected a number of pipeline endpoints, got {word!r}"
        raise InvalidInput(message)
    return int(word[:9])
