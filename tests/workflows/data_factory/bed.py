"""A workspace in memory and a clock that stands still, for pipelines that need neither processes nor time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.errors import NotFound
from aml_magics.model.resources import Datastore, Run, RunStatus
from aml_magics.workflows.data_factory.checks import check
from aml_magics.workflows.data_factory.reading import factory_from_json
from aml_magics.workflows.data_factory.records import PipelineRun
from aml_magics.workflows.data_factory.running import Runner
from tests.support.clock import FakeClock

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class PassingClock(FakeClock):
    def until_next(self) -> float:
        """Seconds until somebody wakes."""
        return max(0.0, min((sleeper[0] for sleeper in self._sleepers), default=self.now()) - self.now())


class FakeWorkspace:
    """Runs end after ``takes`` looks, as ``ends`` says for their bodies; what was posted and cancelled is kept."""

    is_embedded = True

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self.takes = 2
        self.ends: Callable[[Mapping[str, Any]], RunStatus] = lambda _body: RunStatus.FINISHED
        self.stores = [Datastore(name="workspaceblobstore", container="data", account="a", is_default=True)]
        self.files: dict[str, ObjectInfo] = {}
        self._looks: dict[str, int] = {}

    async def submit_as_written(self, body, *, pipeline_id="", endpoint_id="", version=""):
        if pipeline_id == "gone":
            raise NotFound("there is no pipeline 'gone'")
        target = {"pipeline_id": pipeline_id, "endpoint_id": endpoint_id, "version": version}
        self.posted.append({key: value for key, value in target.items() if value} | dict(body))
        return self._run(f"run-{len(self.posted)}", RunStatus.NOT_STARTED)

    async def run(self, run_id):
        self._looks[run_id] = self._looks.get(run_id, 0) + 1
        is_over = self._looks[run_id] >= self.takes
        body = self.posted[int(run_id.removeprefix("run-")) - 1]
        return self._run(run_id, self.ends(body) if is_over else RunStatus.RUNNING)

    async def cancel_run(self, run_id):
        self.cancelled.append(run_id)

    async def datastores(self):
        return self.stores

    async def objects(self, datastore, path="", *, recursive=False):
        assert recursive
        return [one for name, one in self.files.items() if not path or name.startswith(f"{path}/")]

    def put(self, name: str, size: int = 1, etag: str = "1") -> None:
        self.files[name] = ObjectInfo(name, etag, size, 0.0)

    @staticmethod
    def _run(run_id: str, status: RunStatus) -> Run:
        detail = "step 'train' ended with exit code 1" if status is RunStatus.FAILED else ""
        return Run(id=run_id, experiment_name="E", pipeline_id="p", status=status, status_detail=detail)


class FakeWeb:
    """Takes what goes to ``https://own/``."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, object]] = []

    def refusal(self, url):
        return "" if url.startswith("https://own/") else "its address is not one of this workspace"

    async def send(self, method, url, body):
        self.sent.append((method, url, body))
        return {"Id": "x"}


class Bed:
    """``bed.run(activity(...), ...)`` checks and runs a pipeline of these activities."""

    def __init__(self) -> None:
        self.workspace = FakeWorkspace()
        self.web = FakeWeb()
        self.clock = PassingClock(START)
        self.told: list[str] = []

    def factory(self, *activities, parameters=None, variables=None, others=(), **properties):
        pipeline = {"name": "main", "properties": {"activities": list(activities), **properties}}
        pipeline["properties"] |= {"parameters": parameters or {}, "variables": variables or {}}
        return factory_from_json({"pipelines": [pipeline, *others]}, "test.json")

    def check(self, *activities, **properties) -> None:
        check(self.factory(*activities, **properties), "main", self.web)

    def runner(self, factory) -> Runner:
        return Runner(factory, self.workspace, self.clock, web=self.web, tell=self.told.append)

    def run(self, *activities, given=None, hours: float = 24, **properties) -> PipelineRun:
        factory = self.factory(*activities, **properties)
        check(factory, "main", self.web)

        async def go() -> PipelineRun:
            task = asyncio.ensure_future(self.runner(factory).run("main", given or {}))
            await self.until_done(task, hours * 3600)
            return task.result()

        return asyncio.run(go())

    async def until_done(self, task: asyncio.Future[Any], seconds: float) -> None:
        """Let time pass until the task has ended."""
        end = self.clock.now() + seconds
        while not task.done():
            assert self.clock.now() < end, "it takes longer than it should"
            await self.clock.pass_time(self.clock.until_next())


def activity(name: str, kind: str = "Wait", after: Any = (), /, **rest: Any) -> dict[str, Any]:
    """``activity("B", "Wait", "A:Failed", waitTimeInSeconds=1)``; ``policy=`` and the like go beside typeProperties."""
    beside = {key: rest.pop(key) for key in ("policy", "state", "onInactiveMarkAs", "userProperties") if key in rest}
    needs = [after] if isinstance(after, str) else after
    pairs = [need.partition(":") for need in needs]
    depends_on = [{"activity": on, "dependencyConditions": [how or "Succeeded"]} for on, _, how in pairs]
    if kind == "Wait" and not rest:
        rest = {"waitTimeInSeconds": 1}
    return {"name": name, "type": kind, "dependsOn": depends_on, "typeProperties": rest, **beside}


def expression(text: str) -> dict[str, str]:
    return {"value": text, "type": "Expression"}


def statuses(run: PipelineRun) -> dict[str, str]:
    """The status of each activity by the way to it."""
    return {one.where: one.status.value for one in run.activities}
