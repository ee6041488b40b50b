"""Submitting, and pipeline runs as the pipelines service tells them: ``/pipelines/v1.0{S}/PipelineRuns``.

Answers about a step take its node id in an array, ``["train"]``: the path to a node in graphs within graphs, which ours
are not.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import Response

from aml_magics.embedded.logs import answer, first_byte
from aml_magics.embedded.routes import as_json, route, submission_of, text
from aml_magics.model.errors import InvalidInput, NotFound, did_you_mean
from aml_magics.wire.v1 import task_status_to

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace
    from aml_magics.model.resources import Step

__all__ = ["routes"]

_MOST = 1_000_000
_SAME_LOG = "Standard output and error of a step are one log here.\n"


def _limit(call: Call) -> int | None:
    """Our own client asks for the newest few; Microsoft's knows no limit here, and gets all."""
    return call.count("limit", _MOST, most=_MOST) if call.query("limit") else None


class _Runs:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace

    async def submit(self, call: Call) -> object:
        submission, tags = submission_of(await call.fields(), call)
        run = self._workspace.submit_pipeline(call.path("id"), submission, tags=tags)
        return self._workspace.store.runs.entity(run)

    async def create_of_graph(self, call: Call) -> object:
        return self._workspace.store.graph_runs.create(await call.fields(), call.query("experimentName"))

    async def submit_of_graph(self, call: Call) -> object:
        run = self._workspace.submit_graph_run(call.path("id"), call.query("parentRunId") or None)
        return self._workspace.store.runs.entity(run)

    async def get(self, call: Call) -> object:
        runs = self._workspace.store.runs
        return runs.entity(runs.get(call.path("id")))

    async def of_pipeline(self, call: Call) -> object:
        runs = self._workspace.store.runs
        pipeline = self._workspace.store.pipelines.get(call.path("id"))
        return runs.entities(runs.of_pipeline(pipeline.id, _limit(call)))

    async def of_schedule(self, call: Call) -> object:
        runs = self._workspace.store.runs
        self._workspace.store.schedules.entity(call.path("id"))
        return runs.entities(runs.of_schedule(call.path("id"), _limit(call)))

    async def last_of_schedule(self, call: Call) -> object:
        """204 when there is none yet: the SDK takes a 404 for a failure."""
        runs = self._workspace.store.runs
        self._workspace.store.schedules.entity(call.path("id"))
        last = runs.last_of_schedule(call.path("id"))
        return Response(status_code=204) if last is None else runs.entity(last)

    async def cancel(self, call: Call) -> object:
        run = self._workspace.store.runs.get(call.path("id"))
        if not run.status.is_final:
            await self._workspace.runner.cancel(run.id)
        return as_json({})

    async def node_status_code(self, call: Call) -> object:
        return (await self._step(call)).status.value

    async def node_status(self, call: Call) -> object:
        return task_status_to(await self._step(call))

    async def all_status_codes(self, call: Call) -> object:
        return {step.id: step.status.value for step in self._steps(call)}

    async def all_statuses(self, call: Call) -> object:
        return {step.id: task_status_to(step) for step in self._steps(call)}

    async def log(self, call: Call) -> object:
        step = await self._step(call)
        since = first_byte(call.header("range"))
        return answer(await self._workspace.step_log(step.run_id, step.id, since=since), since)

    async def error_log(self, call: Call) -> object:
        await self._step(call)
        return text(_SAME_LOG)

    async def outputs(self, call: Call) -> object:
        """Outputs are folders of the kernel's machine; the SDK could only fetch them from an Azure account."""
        await self._step(call)
        return {}

    def _steps(self, call: Call) -> list[Step]:
        return self._workspace.store.runs.steps(call.path("id"))

    async def _step(self, call: Call) -> Step:
        steps = self._steps(call)
        body = await call.json()
        path = body if isinstance(body, list) else [body]
        if len(path) != 1 or not isinstance(path[0], str):
            message = "node: the body must be an array with one node id"
            raise InvalidInput(message, hint='For example ["train"].')
        for step in steps:
            if step.id == path[0]:
                return step
        message = f"run {call.path('id')} has no step {path[0]!r}"
        raise NotFound(message, hint=did_you_mean(path[0], [step.id for step in steps]))


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below the service's prefix."""
    here = _Runs(workspace)
    add = partial(route, workspace=workspace, service="pipelines")
    return [
        add("/PipelineRuns/PipelineSubmit/{id}", "POST", here.submit),
        add("/PipelineRuns/Unsubmitted/CreationInfoWithGraph", "POST", here.create_of_graph),
        add("/PipelineRuns/Submit/{id}", "POST", here.submit_of_graph),
        add("/PipelineRuns/Pipeline/{id}", "GET", here.of_pipeline),
        add("/PipelineRuns/Schedule/{id}", "GET", here.of_schedule),
        add("/PipelineRuns/Schedule/{id}/Last", "GET", here.last_of_schedule),
        add("/PipelineRuns/{id}", "GET", here.get),
        add("/PipelineRuns/{id}/Execution", "DELETE", here.cancel),
        add("/PipelineRuns/{id}/Graph/Node/StatusCode", "POST", here.node_status_code),
        add("/PipelineRuns/{id}/Graph/Node/Status", "POST", here.node_status),
        add("/PipelineRuns/{id}/Graph/AllNodes/StatusCode", "POST", here.all_status_codes),
        add("/PipelineRuns/{id}/Graph/AllNodes/Status", "POST", here.all_statuses),
        add("/PipelineRuns/{id}/Graph/Shareable/STDOUT", "POST", here.log),
        add("/PipelineRuns/{id}/Graph/Shareable/STDERR", "POST", here.error_log),
        add("/PipelineRuns/{id}/Graph/Shareable/JobLog", "POST", here.log),
        add("/PipelineRuns/{id}/Outputs", "POST", here.outputs),
    ]
