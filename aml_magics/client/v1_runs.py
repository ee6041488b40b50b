"""The calls about pipelines and their runs: looking, submitting, ending.

A run is told by two services. The pipelines service has its parameters, data paths and status; run history lists the
runs of an experiment and has the steps. Both know it under one id. Lists take the ids from history and the runs
themselves from the pipelines service, so that a run in a list equals the run itself.

Parameter values are text on the wire. They get their types from the pipeline, which cannot change once it is
published, so what was learnt about a pipeline is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aml_magics.client.calls import read, read_all, read_object, segment, side_by_side, values_of_pages
from aml_magics.client.services import EXTRAS, HISTORY, PIPELINES
from aml_magics.model.errors import NotFound
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.v1 import experiment_from, pipeline_from, run_from, step_from, submission_to

if TYPE_CHECKING:
    from aml_magics.client.ranges import Part
    from aml_magics.client.transport import Query, Transport
    from aml_magics.model.resources import Experiment, Parameter, Pipeline, Run, Step, Submission

__all__ = ["RunCalls", "endpoint_id_of", "field_of", "pipeline_id_of"]

_MOST = 10_000  # runs that the embedded workspace lists at once
_SEARCHED = 10_000  # newest runs (on Azure: of each experiment) among which the beginning of an id is looked up
_PAGE = 500  # items a page of run history may hold
_FEW = 4  # pipelines that are asked about one by one
_PIPELINE_RUN = "azureml.PipelineRun"
_STEP_RUNS = ("azureml.StepRun", "azureml.ReusedStepRun")


class _Published(NamedTuple):
    """What cannot change about a published pipeline."""

    parameters: tuple[Parameter, ...] = ()
    steps: tuple[str, ...] = ()


_NOTHING_KNOWN = _Published()


class RunCalls:
    """``is_embedded``: the other end is a workspace of this package, which answers more than Azure does."""

    def __init__(self, transport: Transport, *, is_embedded: bool) -> None:
        self.transport = transport
        self.is_embedded = is_embedded
        self._published: dict[str, _Published] = {}

    async def pipeline(self, pipeline_id: str) -> Pipeline:
        """One pipeline, with the types of its parameters. Raises ``NotFound``."""
        answer = await self.transport.json("GET", PIPELINES, f"/Pipelines/{segment(pipeline_id)}")
        interface = None
        if not self.is_embedded and (graph := read("pipeline", _graph_id, answer)):
            interface = await self.transport.json("GET", PIPELINES, f"/Graphs/{segment(graph)}/Interface")
        return self._learn(read("pipeline", lambda item: pipeline_from(item, interface=interface), answer))

    async def pipelines(self, *, active_only: bool = True) -> list[Pipeline]:
        """All published pipelines. On Azure a list does not tell the types of parameters: ``pipeline`` does."""
        answer = await self.transport.json("GET", PIPELINES, "/Pipelines", query={"activeOnly": active_only})
        pipelines = await read_all("pipeline", pipeline_from, answer)
        return [self._learn(pipeline) for pipeline in pipelines] if self.is_embedded else pipelines

    async def experiments(self) -> list[Experiment]:
        """All experiments that are not archived."""

        async def page(token: str | None) -> object:
            body = {"viewType": "ActiveOnly"} | ({"continuationToken": token} if token else {})
            return await self.transport.json("POST", HISTORY, "/experiments:query", body=body, is_question=True)

        return await read_all("experiment", experiment_from, await values_of_pages(page))

    async def submit(self, pipeline_id: str, submission: Submission) -> Run:
        """Start a run. Sent once: when no answer comes, the run may have been created all the same."""
        answer = await self.transport.json(
            "POST",
            PIPELINES,
            f"/PipelineRuns/PipelineSubmit/{segment(pipeline_id)}",
            query={"parentRunId": submission.parent_run_id},
            body=submission_to(submission),
        )
        return (await self._runs([answer]))[0]

    async def submit_as_written(
        self, body: Mapping[str, object], *, pipeline_id: str = "", endpoint_id: str = "", version: str = ""
    ) -> Run:
        """Start a run with a body that somebody else wrote, a Data Factory or a Logic App. Sent once, as ``submit``.

        To a pipeline, or to a pipeline endpoint: its default version, unless one is named.
        """
        path = f"/PipelineRuns/PipelineSubmit/{segment(pipeline_id)}"
        if endpoint_id:
            path = f"/PipelineRuns/PipelineEndpointSubmit/Id/{segment(endpoint_id)}"
            path += f"/{segment(version)}" if version else ""
        query: Query = {"pipelineVersion": version or None}
        answer = await self.transport.json("POST", PIPELINES, path, query=query, body=body)
        return (await self._runs([answer]))[0]

    async def run(self, run_id: str) -> Run:
        """One run. Raises ``NotFound``."""
        return (await self._runs([await self._run_entity(run_id)]))[0]

    async def runs_of_pipeline(self, pipeline_id: str, *, limit: int | None = None) -> list[Run]:
        """All runs; an embedded workspace gives the newest ``limit`` of them."""
        return await self._runs_at(f"/PipelineRuns/Pipeline/{segment(pipeline_id)}", limit)

    async def runs_of_schedule(self, schedule_id: str, *, limit: int | None = None) -> list[Run]:
        """As ``runs_of_pipeline``."""
        return await self._runs_at(f"/PipelineRuns/Schedule/{segment(schedule_id)}", limit)

    async def _runs_at(self, path: str, limit: int | None) -> list[Run]:
        query = {"limit": limit if self.is_embedded else None}
        return await self._runs(await self.transport.json("GET", PIPELINES, path, query=query))

    async def last_run_of_schedule(self, schedule_id: str) -> Run | None:
        """The newest run, or ``None`` when there is none yet. Raises ``NotFound`` when there is no such schedule."""
        answer = await self.transport.json("GET", PIPELINES, f"/PipelineRuns/Schedule/{segment(schedule_id)}/Last")
        return None if answer is None else (await self._runs([answer]))[0]

    async def newest_runs(self, experiment: str | None = None, *, limit: int | None = None) -> list[Run]:
        """The newest pipeline runs, of one experiment when it is named, newest first, ``limit`` of them at most."""
        if experiment is None and self.is_embedded:
            return await self._runs(await self._newest_entities(limit))
        names = [found.name for found in await self.experiments()] if experiment is None else [experiment]
        ids = (await self._newest_ids(names, limit))[:limit]
        return await self._runs(await side_by_side(self._run_entity, ids))

    async def newest_run_ids(self) -> list[str]:
        """The ids of the newest runs, among which the beginning of an id is looked up."""
        if self.is_embedded:
            return await read_all("run", _id_of, await self._newest_entities(_SEARCHED))
        return await self._newest_ids([found.name for found in await self.experiments()], _SEARCHED)

    async def cancel_run(self, run_id: str) -> None:
        """Ask the workspace to end a run. Raises ``NotFound``."""
        await self.transport.json("DELETE", PIPELINES, f"/PipelineRuns/{segment(run_id)}/Execution")

    async def steps(self, run: Run) -> list[Step]:
        """The steps of a run, as the pipeline lists them, else in the order in which they started."""
        path = f"/experiments/{segment(run.experiment_name)}/runs/{segment(run.id)}/children"

        async def page(token: str | None) -> object:
            query: Query = {"$orderby": "StartTimeUtc desc", "$top": _PAGE, "$continuationToken": token}
            return await self.transport.json("GET", HISTORY, path, query=query)

        answers = [item for item in await values_of_pages(page) if read("run", _run_type, item) in ("", *_STEP_RUNS)]
        steps = (await read_all("step", step_from, answers))[::-1]
        await self._learn_all([run.pipeline_id])
        names = self._published.get(run.pipeline_id, _NOTHING_KNOWN).steps
        order = {name: index for index, name in enumerate(names)}
        # A run that did not start has no time; a stable sort of the reversed answer keeps the rest in order.
        return sorted(
            steps,
            key=lambda step: (
                order.get(step.name, len(order)),
                step.started.timestamp() if step.started else float("inf"),
            ),
        )

    async def step_log(self, run_id: str, step_id: str, *, since: int = 0) -> Part:
        """What a step has written so far; of that, what comes from the byte ``since`` on, or all where that is not
        known.
        """
        path = f"/PipelineRuns/{segment(run_id)}/Graph/Shareable/STDOUT"
        return await self.transport.part("POST", PIPELINES, path, body=[step_id], since=since)

    async def _run_entity(self, run_id: str) -> Json:
        answer = await self.transport.json("GET", PIPELINES, f"/PipelineRuns/{segment(run_id)}")
        return read_object("run", answer)

    async def _newest_entities(self, limit: int | None) -> list[Json]:
        answer: list[Json] = await self.transport.json(
            "GET", EXTRAS, "/runs", query={"limit": min(limit or _MOST, _MOST)}
        )
        return answer

    async def _newest_ids(self, experiments: Iterable[str], limit: int | None) -> list[str]:
        """The ids of the pipeline runs of these experiments, newest first, ``limit`` of each at most."""

        async def of_one(name: str) -> list[tuple[str, str, str]]:
            async def page(token: str | None) -> object:
                body: Json = {"filter": "(ParentRunId eq null)", "orderby": "CreatedUtc desc"}
                body |= {"top": min(limit or _PAGE, _PAGE)} | ({"continuationToken": token} if token else {})
                path = f"/experiments/{segment(name)}/runs:query"
                return await self.transport.json("POST", HISTORY, path, body=body, is_question=True)

            return [read("run", _created_and_id, item) for item in await values_of_pages(page, enough=limit)]

        found = [run for runs in await side_by_side(of_one, experiments) for run in runs]
        # The dates are ISO 8601, so they sort as text.
        return [run_id for _created, run_id, kind in sorted(found, reverse=True) if kind in ("", _PIPELINE_RUN)]

    async def _runs(self, answers: Sequence[Json]) -> list[Run]:
        """The runs of PipelineRunEntities, their values typed by their pipelines."""
        await self._learn_all(await read_all("run", pipeline_id_of, answers))
        return await read_all(
            "run", lambda item: run_from(item, parameters=self._parameters(pipeline_id_of(item))), answers
        )

    def _parameters(self, pipeline_id: str) -> tuple[Parameter, ...]:
        return self._published.get(pipeline_id, _NOTHING_KNOWN).parameters

    async def _learn_all(self, pipeline_ids: Iterable[str]) -> None:
        """Know the parameters of all these pipelines; one that is gone has none."""
        unknown = {name for name in pipeline_ids if name and name not in self._published}
        if len(unknown) > _FEW and self.is_embedded:  # a list of Azure's would not have the types
            await self.pipelines(active_only=False)
            unknown -= self._published.keys()

        async def learn(pipeline_id: str) -> None:
            try:
                await self.pipeline(pipeline_id)
            except NotFound:  # a run outlives its pipeline
                self._published[pipeline_id] = _NOTHING_KNOWN

        await side_by_side(learn, unknown)

    def _learn(self, pipeline: Pipeline) -> Pipeline:
        self._published[pipeline.id] = _Published(pipeline.parameters, pipeline.steps)
        return pipeline


def pipeline_id_of(answer: object) -> str:
    """The pipeline of a run or a schedule; empty when it names none."""
    return field_of(answer, "PipelineId") if isinstance(answer, Mapping) else ""


def field_of(answer: Mapping[str, object], name: str) -> str:
    """A field of an entity of which there are thousands: as it is named, or as the other services would name it."""
    return str(answer.get(name) or answer.get(name[0].lower() + name[1:]) or "")


def endpoint_id_of(answer: object) -> str:
    """The pipeline endpoint of a schedule; empty when it names none."""
    return field_of(answer, "PipelineEndpointId") if isinstance(answer, Mapping) else ""


def _id_of(answer: Json) -> str:
    return Body(answer, "run").required("Id")


def _graph_id(answer: Json) -> str:
    return Body(answer, "pipeline").text("GraphId")


def _run_type(answer: Json) -> str:
    return Body(answer, "run").text("runType")


def _created_and_id(answer: Json) -> tuple[str, str, str]:
    body = Body(answer, "run")
    return body.text("createdUtc"), body.required("runId"), body.text("runType")
