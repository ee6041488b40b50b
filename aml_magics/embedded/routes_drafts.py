"""Pipeline drafts in the pipelines service: ``/pipelines/v1.0{S}/PipelineDrafts``, their graphs, and their ends.

A draft is cloned with a GET, as the SDK has it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aml_magics.embedded.routes import as_json, pipeline_with_url, route, submission_of
from aml_magics.wire.casing import Body

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.store_drafts import Draft, Drafts
    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["routes"]


class _Drafts:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace

    async def create_graph(self, call: Call) -> object:
        return self._drafts.create_graph(await call.fields())

    async def graph(self, call: Call) -> object:
        return self._drafts.graph(call.path("id"))

    async def update_graph(self, call: Call) -> object:
        return self._drafts.update_graph(call.path("id"), await call.fields())

    async def delete_graph(self, call: Call) -> object:
        self._drafts.delete_graph(call.path("id"))
        return as_json({})

    async def list(self, call: Call) -> object:
        """The body is a filter by tags, or nothing."""
        return self._drafts.all(Body({"tags": await call.fields()}, "filter").texts("tags"))

    async def get(self, call: Call) -> object:
        return self._drafts.entity(call.path("id"))

    async def create(self, call: Call) -> object:
        return self._drafts.create(await call.fields())

    async def update(self, call: Call) -> object:
        return self._drafts.update(call.path("id"), await call.fields())

    async def delete(self, call: Call) -> object:
        self._drafts.delete(call.path("id"))
        return as_json({})

    async def clone(self, call: Call) -> object:
        return self._drafts.clone(call.path("id"))

    async def clone_pipeline(self, call: Call) -> object:
        return self._drafts.clone_pipeline(call.path("id"))

    async def clone_run(self, call: Call) -> object:
        return self._drafts.clone_run(call.path("id"))

    async def publish(self, call: Call) -> object:
        return pipeline_with_url(self._drafts.publish(await self._sent(call)), call)

    async def submit(self, call: Call) -> object:
        draft = await self._sent(call)
        submission, tags = submission_of(draft.submission, call)
        run = self._workspace.submit_draft(draft, submission, tags=tags)
        return self._workspace.store.runs.entity(run)

    @property
    def _drafts(self) -> Drafts:
        return self._workspace.store.drafts

    async def _sent(self, call: Call) -> Draft:
        """The body is the draft's entity, perhaps with changes that nobody saved."""
        fields = await call.fields()
        return self._drafts.changed(Body(fields, "pipeline draft").text("Id"), fields)


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below the service's prefix."""
    here = _Drafts(workspace)
    add = partial(route, workspace=workspace, service="pipelines")
    return [
        add("/GraphDrafts", "POST", here.create_graph),
        add("/GraphDrafts/{id}", "GET", here.graph),
        add("/GraphDrafts/{id}", "PUT", here.update_graph),
        add("/GraphDrafts/{id}", "DELETE", here.delete_graph),
        add("/PipelineDrafts", "POST", here.list),
        add("/PipelineDrafts/Create", "POST", here.create),
        add("/PipelineDrafts/{id}", "GET", here.get),
        add("/PipelineDrafts/{id}", "PUT", here.update),
        add("/PipelineDrafts/{id}", "DELETE", here.delete),
        add("/PipelineDrafts/Clone/{id}", "GET", here.clone),
        add("/PipelineDrafts/ClonePublished/{id}", "GET", here.clone_pipeline),
        add("/PipelineDrafts/ClonePipelineRun/{id}", "GET", here.clone_run),
        add("/Pipelines/PipelineDraftCreate", "POST", here.publish),
        add("/PipelineRuns/PipelineDraftSubmit", "POST", here.submit),
    ]
