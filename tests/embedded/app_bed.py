"""A started workspace and the four dialects of its app, for tests that are plain functions around ``asyncio.run``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from aml_magics.embedded.workspace import EmbeddedWorkspace
from aml_magics.model.graph import PipelineDefinition, PipelineInput, StepDefinition
from aml_magics.model.resources import DataPath, DataPathParameter, Parameter, Schedule
from aml_magics.model.triggers import DatastoreChange, Recurrence
from aml_magics.wire import v1

ECHO = StepDefinition(name="echo", command="echo ${{inputs.rate}}", inputs={"rate": PipelineInput("learning_rate")})
TRAIN = PipelineDefinition(
    name="train",
    description="trains",
    version="1",
    parameters=(Parameter("learning_rate", 0.1), Parameter("epochs", 3), Parameter("verbose", default=True)),
    data_paths=(DataPathParameter("input_data", DataPath("workspaceblobstore", "given")),),
    steps=(ECHO,),
)
NEEDY = PipelineDefinition(
    name="needy", data_paths=(DataPathParameter("input_data"),), steps=(StepDefinition(name="see", command="true"),)
)
EVERY_HOUR = Recurrence(frequency="Hour")
INCOMING = DatastoreChange(
    datastore="workspaceblobstore", path_on_datastore="incoming", polling_interval=timedelta(minutes=1)
)


class Answer(NamedTuple):
    status: int
    body: Any

    @property
    def message(self) -> str:
        """The one line of an error, whichever service wrote it."""
        error = self.body.get("Error") or self.body["error"]
        return error.get("Message") or error["message"]

    @property
    def code(self) -> str:
        error = self.body.get("Error") or self.body["error"]
        return error.get("Code") or error["code"]


class Bed:
    def __init__(self, workspace: EmbeddedWorkspace, client: httpx.AsyncClient) -> None:
        self.workspace = workspace
        self.client = client
        self.folder = workspace.root / "workspaceblobstore"

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        if body is not None:
            options["json"] = body
        answer = await self.client.request(method, path, **options)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return Answer(answer.status_code, answer.json() if is_json else answer.text)

    async def pipelines(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.ask(method, f"/pipelines/v1.0{v1.EMBEDDED_SCOPE}{path}", body, **options)

    async def history(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.ask(method, f"/history/v1.0{v1.EMBEDDED_SCOPE}{path}", body, **options)

    async def datastores(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.ask(method, f"/datastore/v1.0{v1.EMBEDDED_SCOPE}{path}", body, **options)

    async def extras(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.ask(method, f"/aml-magics/v1.0{v1.EMBEDDED_SCOPE}{path}", body, **options)

    async def publish(self, definition: PipelineDefinition = TRAIN) -> str:
        """The id of the published pipeline."""
        ids = {}
        for step in definition.steps:
            ids[step.name] = (await self.pipelines("POST", "/Modules", v1.module_creation_to(step))).body["Id"]
        answer = await self.pipelines("POST", "/Pipelines/Create", v1.pipeline_creation_to(definition, ids))
        assert answer.status == 200, answer
        return answer.body["Id"]

    async def submit(self, pipeline_id: str, **fields: Any) -> Answer:
        body = {"ExperimentName": "MyExperiment", **fields}
        return await self.pipelines("POST", f"/PipelineRuns/PipelineSubmit/{pipeline_id}", body)

    async def create(self, trigger: Any = EVERY_HOUR, **fields: Any) -> Answer:
        """A schedule from a trigger; ``fields`` are those of ``Schedule``."""
        if "pipeline_id" not in fields:
            fields["pipeline_id"] = await self.publish()
        defaults = {"id": "", "name": "MySchedule", "experiment_name": "MyExperiment", "trigger": trigger}
        body = v1.schedule_creation_to(Schedule(**defaults | fields))
        return await self.pipelines("POST", "/Schedules/Create", body)

    async def schedules(self) -> list[str]:
        """The names of the active schedules."""
        answer = await self.pipelines("GET", "/Schedules", params={"activeOnly": "true"})
        return [entity["Name"] for entity in answer.body]

    async def runs_of(self, schedule_id: str) -> list[Any]:
        """PipelineRunEntities, newest first."""
        return (await self.pipelines("GET", f"/PipelineRuns/Schedule/{schedule_id}")).body

    async def disable(self, schedule_id: str) -> Answer:
        return await self.pipelines("PUT", f"/Schedules/{schedule_id}", {"EntityStatus": "Disabled"})

    async def enable(self, schedule_id: str) -> Answer:
        return await self.pipelines("PUT", f"/Schedules/{schedule_id}", {"EntityStatus": "Active"})

    async def until(self, happened: Any, seconds: float = 20) -> Any:
        """Ask until the answer is true; bounded."""
        async with asyncio.timeout(seconds):
            while not (answer := await happened()):  # noqa: ASYNC110 - the workspace's answer is what is waited for
                await asyncio.sleep(0.01)
        return answer

    async def finished(self, run_id: str) -> Any:
        """The run, once it has ended."""

        async def ended() -> Any:
            run = (await self.pipelines("GET", f"/PipelineRuns/{run_id}")).body
            return run if run["Status"]["StatusCode"] not in ("NotStarted", "Running") else None

        return await self.until(ended)

    def drop(self, name: str, content: str = "x") -> None:
        """Put a file on the default datastore."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@asynccontextmanager
async def opened(root: Path, **options: Any) -> AsyncIterator[Bed]:
    """A workspace on ``root``, started, and stopped at the end."""
    workspace = EmbeddedWorkspace(root, **options)
    await workspace.start()
    try:
        transport = httpx.ASGITransport(app=workspace.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://embedded") as client:
            yield Bed(workspace, client)
    finally:
        await workspace.stop()


def on_a_workspace(root: Path, play: Any, **options: Any) -> Any:
    """Run ``await play(bed)`` on a fresh loop."""

    async def main() -> Any:
        async with opened(root, **options) as bed:
            return await play(bed)

    return asyncio.run(main())
