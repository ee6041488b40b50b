"""Run history: ``/history/v1.0{S}``, and the list of a run's log files in ``/artifact/v2.0{S}``.

Experiments, and every run and step of a run under one kind of id. A step's id begins with its run's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aml_magics.embedded.routes import as_json, route
from aml_magics.embedded.store_experiments import page
from aml_magics.embedded.store_filter import compile_filter
from aml_magics.model.errors import NotFound
from aml_magics.wire.casing import Body

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace
    from aml_magics.wire.casing import Json

__all__ = ["artifact_routes", "routes"]

_LOG = "user_logs/std_log.txt"
_STREAMED_LOG = "azureml-logs/70_driver_log.txt"  # the SDK prints a log while a step runs only under such a name


class _History:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace

    # experiments

    async def experiments(self, call: Call) -> object:
        return self._workspace.store.experiments.query(await call.fields())

    async def experiment(self, call: Call) -> object:
        return self._workspace.store.experiments.get(call.path("name"))

    async def create_experiment(self, call: Call) -> object:
        return self._workspace.store.experiments.create(call.path("name"))

    async def experiment_by_id(self, call: Call) -> object:
        return self._workspace.store.experiments.get_by_id(call.path("experiment"))

    async def modify_experiment(self, call: Call) -> object:
        return self._workspace.store.experiments.modify(call.path("experiment"), await call.fields())

    async def remove_experiment_tags(self, call: Call) -> object:
        names = Body(await call.fields(), "experiment").values("tags")
        self._workspace.store.experiments.remove_tags(call.path("experiment"), map(str, names))
        return {"errors": {}}

    async def delete_experiment(self, call: Call) -> object:
        self._workspace.store.experiments.delete(call.path("experiment"))
        return as_json({})

    # runs

    async def query_runs(self, call: Call) -> object:
        """Newest first, which is the order that the SDK asks for; steps are there unless the filter leaves them out."""
        body = Body(await call.fields(), "query")
        experiment = self._workspace.store.experiments.get(call.path("name"))
        passes = compile_filter(body.optional_text("filter"))
        runs = self._workspace.store.runs
        without_steps = "parentrunid eq null" in " ".join(body.text("filter").casefold().split())
        return page(filter(passes, runs.history_of(experiment, with_steps=not without_steps)), body)

    async def run(self, call: Call) -> object:
        return self._workspace.store.runs.history(call.path("run"))

    async def modify_run(self, call: Call) -> object:
        """PATCH: ``tags`` and ``properties`` are added to those that are there; the rest is not the caller's."""
        body = Body(await call.fields(), "run")
        self._workspace.store.runs.add_notes(call.path("run"), body.tags(), body.texts("properties"))
        return self._workspace.store.runs.history(call.path("run"))

    async def remove_run_tags(self, call: Call) -> object:
        """The body is an array of names."""
        names = Body({"tags": await call.json() or None}, "run").values("tags")
        self._workspace.store.runs.remove_tags(call.path("run"), map(str, names))
        return self._workspace.store.runs.history(call.path("run"))

    async def children(self, call: Call) -> object:
        found = self._workspace.store.runs.children(call.path("run"))
        paging = {"top": call.query("$top") or None, "continuationToken": call.query("$continuationToken") or None}
        return page(found, Body(paging, "query"))

    async def details(self, call: Call) -> object:
        run: Json = self._workspace.store.runs.history(call.path("run"))
        kept = ("runId", "target", "status", "startTimeUtc", "endTimeUtc", "properties", "error")
        url = self._log_url(call, run)
        return {name: run[name] for name in kept} | {
            "inputDatasets": [],
            "outputDatasets": [],
            "logFiles": {_STREAMED_LOG: url} if url else {},
            "warnings": [{"message": line} for line in self._workspace.store.runs.warnings(run)],
        }

    # the log files of a run

    async def artifacts(self, call: Call) -> object:
        """The log of a step, under the beginning of its name."""
        return self._found(call, lambda path: path.startswith(call.path("prefix").strip("/")))

    async def every_artifact(self, call: Call) -> object:
        return self._found(call, lambda _path: True)

    async def artifact(self, call: Call) -> object:
        """Where one file is."""
        found = self._found(call, lambda path: path == call.path("path"))["value"]
        if not found:
            message = f"run {_run_id(call)} has no file {call.path('path')!r}"
            raise NotFound(message)
        return found[0]

    def _found(self, call: Call, wanted: Callable[[str], bool]) -> Json:
        """A step has one log, which the SDK downloads from where this says, with a plain GET."""
        url = self._log_url(call, self._workspace.store.runs.history(_run_id(call)))
        info = {"origin": "ExperimentRun", "container": call.path("container"), "path": _LOG, "contentUri": url}
        return {"value": [info] if url and wanted(_LOG) else [], "continuationToken": None}

    def _log_url(self, call: Call, run: Json) -> str:
        """Empty for a run that is no step. It is downloaded without a token: its signature allows it."""
        step = run["tags"].get("azureml.nodeid") if run["parentRunId"] else None
        if step is None:
            return ""
        path = f"/aml-magics/v1.0{call.scope}/runs/{run['parentRunId']}/steps/{step}/log"
        return f"{call.base}{path}?sig={self._workspace.signed_paths.sign(path)}"


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below run history's prefix: a run is found bare, by its experiment's name and by its id."""
    here = _History(workspace)
    add = partial(route, workspace=workspace, service="other")
    found = [
        add("/experiments:query", "POST", here.experiments),
        add("/experiments/{name}", "GET", here.experiment),
        add("/experiments/{name}", "POST", here.create_experiment),
        add("/experimentids/{experiment}", "GET", here.experiment_by_id),
        add("/experimentids/{experiment}", "PATCH", here.modify_experiment),
        add("/experimentids/{experiment}", "DELETE", here.delete_experiment),
        add("/experimentids/{experiment}/tags:delete", "POST", here.remove_experiment_tags),
        add("/experiments/{name}/runs:query", "POST", here.query_runs),
    ]
    for prefix in ("", "/experiments/{name}", "/experimentids/{experiment}"):
        found += [
            add(f"{prefix}/runs/{{run}}", "GET", here.run),
            add(f"{prefix}/runs/{{run}}", "PATCH", here.modify_run),
            add(f"{prefix}/runs/{{run}}/tags", "DELETE", here.remove_run_tags),
            add(f"{prefix}/runs/{{run}}/children", "GET", here.children),
            add(f"{prefix}/runs/{{run}}/details", "GET", here.details),
        ]
    return found


def artifact_routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below the artifact service's prefix."""
    here = _History(workspace)
    add = partial(route, workspace=workspace, service="other")
    return [
        add("/artifacts/prefix/contentinfo/ExperimentRun/{container}/{prefix:path}", "GET", here.artifacts),
        add("/artifacts/contentinfo/ExperimentRun/{container}/{path:path}", "GET", here.artifact),
        add("/artifacts/ExperimentRun/{container}", "GET", here.every_artifact),
    ]


def _run_id(call: Call) -> str:
    return call.path("container").removeprefix("dcid.")
