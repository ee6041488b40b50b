"""A workspace's REST service in memory: what the client talks to when no embedded workspace is needed.

It answers the protocol as Azure would (``is_azure=True``: nothing of ours in its answers) or as ours, keeps every
request, and can be told to fail. Answers are made by ``wire``, so they are what the other end really writes.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from aml_magics.model.resources import (
    DataPathParameter,
    Datastore,
    Experiment,
    Parameter,
    Pipeline,
    PipelineEndpoint,
    Run,
    RunStatus,
    Schedule,
    Status,
    Step,
)
from aml_magics.model.triggers import Recurrence
from aml_magics.wire.v1 import (
    datastore_to,
    endpoint_to,
    experiment_to,
    interface_to,
    pipeline_to,
    run_history_to,
    run_to,
    schedule_creation_from,
    schedule_to,
    step_to,
)

SCOPE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

Answer = tuple[int, Any]


def error(code: str, message: str, status: int = 400) -> Answer:
    return status, {"Error": {"Code": code, "Message": message}, "Correlation": {}}


class Service:
    """State, and the requests that came. ``intercept`` may answer a request instead, or raise."""

    def __init__(self, *, is_azure: bool = False) -> None:
        self.is_azure = is_azure
        self.requests: list[httpx.Request] = []
        self.intercept: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None
        self.experiments: dict[str, Experiment] = {}
        self.datastores = {"workspaceblobstore": Datastore(name="workspaceblobstore", is_default=True)}
        self.pipelines: dict[str, Pipeline] = {}
        self.modules: list[dict[str, Any]] = []
        self.endpoints: dict[str, PipelineEndpoint] = {}
        self.schedules: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, Run] = {}
        self.steps: dict[str, list[Step]] = {}
        self.logs: dict[tuple[str, str], bytes] = {}
        self.knows_parts = False
        self._now = START

    # what tests put into it

    def tick(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def add_pipeline(self, name: str = "train", **fields: Any) -> Pipeline:
        defaults: dict[str, Any] = {
            "parameters": (Parameter("learning_rate", 0.1), Parameter("epochs", 3)),
            "data_paths": (),
            "steps": ("prepare", "fit"),
        }
        pipeline_id = str(uuid.uuid4())
        made = Pipeline(
            **{"id": pipeline_id, "name": name, "graph_id": f"g-{pipeline_id}", "created": self.tick()}
            | defaults
            | fields
        )
        self.pipelines[made.id] = made
        return made

    def add_data_pipeline(self, name: str = "score") -> Pipeline:
        return self.add_pipeline(name, data_paths=(DataPathParameter("input_data"),))

    def add_endpoint(self, name: str, *pipelines: Pipeline, **fields: Any) -> PipelineEndpoint:
        """The last pipeline is the default version."""
        versions = {str(number): pipeline.id for number, pipeline in enumerate(pipelines)}
        fixed: dict[str, Any] = {"id": str(uuid.uuid4()), "name": name, "versions": versions, "created": self.tick()}
        made = PipelineEndpoint(**fixed | {"default_version": str(len(pipelines) - 1)} | fields)
        self.endpoints[made.id] = made
        return made

    def add_schedule(self, name: str, endpoint: PipelineEndpoint) -> Schedule:
        """Every 15 minutes, of what is the endpoint's default version."""
        made = Schedule(
            id=str(uuid.uuid4()),
            name=name,
            trigger=Recurrence(frequency="Minute", interval=15),
            pipeline_id="",
            endpoint_id=endpoint.id,
            experiment_name="exp",
            created=self.tick(),
        )
        self.schedules[made.id] = schedule_to(made)
        return made

    def add_run(self, pipeline: Pipeline, **fields: Any) -> Run:
        made = Run(
            **{
                "id": str(uuid.uuid4()),
                "experiment_name": "exp",
                "pipeline_id": pipeline.id,
                "created": self.tick(),
                "parameters": {"learning_rate": 0.1},
            }
            | fields
        )
        self.add_experiment(made.experiment_name)
        self.runs[made.id] = made
        return made

    def add_experiment(self, name: str) -> Experiment:
        return self.experiments.setdefault(name, Experiment(id=f"e-{name}", name=name, created=self.tick()))

    # what tests look at

    def calls(self, *methods: str) -> list[str]:
        """``METHOD /path/after/the/workspace`` of the requests so far."""
        return [
            f"{request.method} {request.url.path.partition(SCOPE)[2]}"
            for request in self.requests
            if not methods or request.method in methods
        ]

    def changes(self) -> list[str]:
        """The requests that change something."""
        return [call for call in self.calls("POST", "PUT", "DELETE") if not call.endswith(":query")]

    def bodies(self, path_end: str) -> list[Any]:
        return [json.loads(request.content) for request in self.requests if request.url.path.endswith(path_end)]

    # the service

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.intercept(request)
        if answer is not None:
            return answer
        path = request.url.path.partition(SCOPE)[2]
        for method, pattern, handler in self._routes():
            match = re.fullmatch(pattern, path)
            if match and request.method == method:
                status, content = handler(request, *match.groups())
                return _response(status, content)
        return _response(*error("NotFound", f"{request.method} {path} is not here", 404))

    def _routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        runs = "/PipelineRuns"
        return [
            (
                "POST",
                "/experiments:query",
                lambda _r: (200, {"value": [experiment_to(e) for e in self.experiments.values()]}),
            ),
            ("GET", "/experiments/([^/]+)", lambda _r, name: self._one(self.experiments, name, experiment_to)),
            ("POST", "/experiments/([^/]+)", lambda _r, name: (200, experiment_to(self.add_experiment(name)))),
            ("POST", "/experiments/([^/]+)/runs:query", self._query_runs),
            ("GET", "/experiments/[^/]+/runs/([^/]+)/children", self._children),
            ("GET", "/datastores", lambda _r: (200, {"value": [self._datastore(d) for d in self.datastores.values()]})),
            ("GET", "/default", lambda _r: (200, self._datastore(self.datastores["workspaceblobstore"]))),
            ("GET", "/datastores/([^/]+)", lambda _r, name: self._one(self.datastores, name, self._datastore)),
            ("POST", "/Modules", self._module),
            ("POST", "/Pipelines/Create", self._publish),
            ("GET", "/Pipelines", self._pipelines),
            ("GET", "/Pipelines/([^/]+)", lambda _r, key: self._one(self.pipelines, key, self._pipeline)),
            ("PUT", "/Pipelines/([^/]+)/status", self._pipeline_status),
            ("GET", "/Graphs/g-([^/]+)/Interface", lambda _r, key: self._one(self.pipelines, key, _interface)),
            ("GET", "/PipelineEndpoints", self._list_endpoints),
            ("POST", f"{runs}/PipelineSubmit/([^/]+)", self._submit),
            (
                "GET",
                f"{runs}/Pipeline/([^/]+)",
                lambda _r, key: (200, [run_to(r) for r in self.runs.values() if r.pipeline_id == key]),
            ),
            (
                "GET",
                f"{runs}/Schedule/([^/]+)",
                lambda _r, key: (200, [run_to(r) for r in self.runs.values() if r.schedule_id == key]),
            ),
            ("GET", f"{runs}/Schedule/([^/]+)/Last", self._last),
            ("GET", f"{runs}/([^/]+)", lambda _r, key: self._one(self.runs, key, run_to)),
            ("DELETE", f"{runs}/([^/]+)/Execution", self._cancel),
            ("POST", f"{runs}/([^/]+)/Graph/Shareable/STDOUT", self._log),
            ("POST", "/Schedules/Create", self._create_schedule),
            ("GET", "/Schedules", self._list_schedules),
            ("GET", "/Schedules/([^/]+)", lambda _r, key: self._one(self.schedules, key, dict)),
            ("PUT", "/Schedules/([^/]+)", self._update_schedule),
            (
                "GET",
                "/runs",
                lambda _r: (
                    200,
                    [run_to(r) for r in sorted(self.runs.values(), key=lambda r: r.created, reverse=True)],
                ),
            ),
        ]

    @staticmethod
    def _one(kept: dict[str, Any], key: str, write: Callable[[Any], Any]) -> Answer:
        return (200, write(kept[key])) if key in kept else error("NotFound", f"there is no {key!r}", 404)

    def _datastore(self, datastore: Datastore) -> Any:
        answer = datastore_to(datastore)
        return {k: v for k, v in answer.items() if not (self.is_azure and k == "amlMagics")}

    def _pipeline(self, pipeline: Pipeline) -> Any:
        answer = pipeline_to(pipeline)
        return {k: v for k, v in answer.items() if not (self.is_azure and k == "AmlMagics")}

    def _pipelines(self, request: httpx.Request) -> Answer:
        wanted = self.pipelines.values()
        if request.url.params["activeOnly"] == "true":
            wanted = [p for p in wanted if p.status is Status.ACTIVE]
        return 200, [self._pipeline(pipeline) for pipeline in wanted]

    def _list_endpoints(self, request: httpx.Request) -> Answer:
        active_only = request.url.params["activeOnly"] == "true"
        wanted = [e for e in self.endpoints.values() if not active_only or e.status is Status.ACTIVE]
        return 200, [endpoint_to(endpoint) for endpoint in wanted]

    def _pipeline_status(self, request: httpx.Request, key: str) -> Answer:
        users = [s["Name"] for s in self.schedules.values() if s["PipelineId"] == key and s["EntityStatus"] == "Active"]
        word = json.loads(request.content)
        if word == "Disabled" and users:
            return error("PipelineInUse", f"active schedules use it: {', '.join(users)}")
        self.pipelines[key] = replace(self.pipelines[key], status=Status(word))
        return 200, {}

    def _module(self, request: httpx.Request) -> Answer:
        self.modules.append(json.loads(request.content))
        return 200, {"Id": f"m{len(self.modules)}"}

    def _publish(self, request: httpx.Request) -> Answer:
        body = json.loads(request.content)
        made = self.add_pipeline(body["Name"], parameters=(), steps=())
        return 200, self._pipeline(made)

    def _submit(self, request: httpx.Request, key: str) -> Answer:
        body = json.loads(request.content)
        run = self.add_run(
            self.pipelines[key], experiment_name=body["ExperimentName"], parameters=body["ParameterAssignments"]
        )
        return 200, run_to(run)

    def _query_runs(self, request: httpx.Request, name: str) -> Answer:
        top = json.loads(request.content).get("top", 500)
        found = sorted(
            (r for r in self.runs.values() if r.experiment_name == name), key=lambda r: r.created, reverse=True
        )
        return 200, {
            "value": [run_history_to(run, experiment_id=f"e-{name}") for run in found[:top]],
            "continuationToken": None,
        }

    def _children(self, _request: httpx.Request, key: str) -> Answer:
        steps = [step_to(step, experiment_id="e") for step in self.steps.get(key, [])]
        return 200, {"value": steps[::-1], "continuationToken": None}

    def _last(self, _request: httpx.Request, key: str) -> Answer:
        found = [run for run in self.runs.values() if run.schedule_id == key]
        return (200, run_to(found[-1])) if found else (204, None)

    def _cancel(self, _request: httpx.Request, key: str) -> Answer:
        self.runs[key] = replace(self.runs[key], status=RunStatus.CANCELED)
        return 200, {}

    def _log(self, request: httpx.Request, key: str) -> Answer:
        (step,) = json.loads(request.content)
        text = self.logs.get((key, step), b"")
        begin = int(request.headers.get("range", "bytes=0-")[6:-1])
        return (206, (begin, text)) if self.knows_parts and 0 < begin < len(text) else (200, text)

    def _create_schedule(self, request: httpx.Request) -> Answer:
        made = replace(schedule_creation_from(json.loads(request.content)), id=str(uuid.uuid4()), created=self.tick())
        entity = schedule_to(made)
        if self.is_azure:
            entity.pop("AmlMagics", None)
        self.schedules[made.id] = entity
        return 200, entity

    def _newest_first(self) -> list[dict[str, Any]]:
        return list(self.schedules.values())[::-1]

    def _list_schedules(self, request: httpx.Request) -> Answer:
        active_only = request.url.params["activeOnly"] == "true"
        return 200, [s for s in self._newest_first() if not active_only or s["EntityStatus"] == "Active"]

    def _update_schedule(self, request: httpx.Request, key: str) -> Answer:
        self.schedules[key] = self.schedules[key] | json.loads(request.content)
        return 200, self.schedules[key]


def _interface(pipeline: Pipeline) -> Any:
    return interface_to(pipeline.parameters, pipeline.data_paths)


def _response(status: int, content: Any) -> httpx.Response:
    if content is None:
        return httpx.Response(status)
    if status == 206:
        begin, text = content
        place = f"bytes {begin}-{len(text) - 1}/{len(text)}"
        return httpx.Response(status, content=text[begin:], headers={"content-range": place})
    if isinstance(content, bytes):
        return httpx.Response(status, content=content, headers={"content-type": "text/plain; charset=utf-8"})
    return httpx.Response(status, json=content)
