"""A bed for Logic Apps: a workspace in memory, a clock that stands still, and definitions in a few words."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import quote

from aml_magics.datastores.base import ObjectInfo
from aml_magics.export.definitions import LogicAppDefinition
from aml_magics.model.errors import AmlError
from aml_magics.model.resources import Datastore
from aml_magics.workflows.logic_app.checks import check_workflow
from aml_magics.workflows.logic_app.definition import Workflow, read_workflow
from aml_magics.workflows.logic_app.records import Watched, WorkflowRun
from aml_magics.workflows.logic_app.running import Runner
from aml_magics.workflows.logic_app.triggers import Options, run_triggers
from tests.workflows.data_factory.bed import START, PassingClock

MINE = "https://own/PipelineSubmit/p"
IDENTITY = {"type": "ManagedServiceIdentity", "audience": "https://management.azure.com/"}
RECURRENCE = {"Every": {"type": "Recurrence", "recurrence": {"frequency": "Hour", "interval": 1}}}


class Web:
    """Takes what goes to ``https://own/``; ``fails`` are raised first, one a call."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self.fails: list[AmlError] = []

    def refusal(self, url):
        return "" if url.startswith("https://own/") else "its address is not one of this workspace"

    async def send(self, method, url, body):
        self.sent.append((method, url, body))
        if self.fails:
            raise self.fails.pop(0)
        return {"Id": f"ml-{len(self.sent)}"}


class Stores:
    """One container, ``box`` of the account ``acct``. ``put`` makes or changes a file."""

    def __init__(self) -> None:
        self.known = [
            Datastore(name="other", account="elsewhere", container="box"),
            Datastore(name="blobs", account="acct", container="box"),
            Datastore(name="local", folder="/data"),
        ]
        self.files: dict[str, ObjectInfo] = {}
        self.asked: list[tuple[str, str]] = []
        self.fails: list[AmlError] = []

    def put(self, name: str, etag: str = "1", size: int = 1, modified: float = 0.0) -> None:
        self.files[name] = ObjectInfo(name, etag, size, modified)

    async def datastores(self):
        return self.known

    async def objects(self, datastore, path="", *, recursive=False):
        assert not recursive, "the connector does not see sub-folders"
        self.asked.append((datastore, path))
        if self.fails:
            raise self.fails.pop(0)
        return [one for one in self.files.values() if one.name.rpartition("/")[0] == path]


class Bed:
    def __init__(self) -> None:
        self.web = Web()
        self.stores = Stores()
        self.clock = PassingClock(START)

    def workflow(self, actions, triggers=None, *, connections=None, resources=(), **definition) -> Workflow:
        written = {
            "$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/"
            "workflowdefinition.json#",
            "contentVersion": "1.0.0.0",
            "triggers": RECURRENCE if triggers is None else triggers,
            "actions": actions,
            **definition,
        }
        found = LogicAppDefinition(
            name="app", definition=written, connections=connections or {}, resources=tuple(resources)
        )
        return read_workflow(found)

    def checked(self, actions, triggers=None, **definition) -> Workflow:
        workflow = self.workflow(actions, triggers, **definition)
        check_workflow(workflow, self.web)
        return workflow

    def run(self, actions, body: Any = None, **definition) -> WorkflowRun:
        """Check and run it once, as if its trigger had brought ``body``."""
        runner = Runner(self.checked(actions, **definition), self.clock, web=self.web)

        async def go() -> WorkflowRun:
            run = runner.begin("Every", body)
            await self.until_done(asyncio.ensure_future(runner.carry_out(run)))
            return run

        return asyncio.run(go())

    def watch(self, actions, triggers, events=(), *, seconds: float = 60, **options) -> Watched:
        """Let the triggers fire. ``events`` are pairs of a time in seconds and what is called then."""
        runner = Runner(self.checked(actions, triggers), self.clock, web=self.web)
        watched = Watched()

        async def go() -> None:
            task = asyncio.ensure_future(
                run_triggers(runner, self.stores, Options(seconds=seconds, **options), watched)
            )
            for at, event in events:
                await self.clock.pass_time(START.timestamp() + at - self.clock.now())
                event()
            await self.until_done(task)

        asyncio.run(go())
        return watched

    async def until_done(self, task: asyncio.Future[Any], hours: float = 48) -> None:
        end = self.clock.now() + hours * 3600
        while not task.done():
            assert self.clock.now() < end, "it takes longer than it should"
            await self.clock.pass_time(self.clock.until_next())
        task.result()


def folder_id(path: str) -> str:
    """``/box/in`` as the connector writes it."""
    return base64.b64encode(quote(path, safe="").replace("%2F", "%2f").encode()).decode()


def on_blobs(folder: str = "/box/in", *, account: str = "acct", most: int = 10, **rest: Any) -> dict[str, Any]:
    """The trigger on blobs added or modified, with a run for each file unless ``splitOn=None``."""
    trigger = {
        "type": "ApiConnection",
        "recurrence": {"frequency": "Second", "interval": 10},
        "splitOn": "@triggerBody()",
        "inputs": {
            "host": {"connection": {"name": "@parameters('$connections')['azureblob']['connectionId']"}},
            "method": "get",
            "path": f"/v2/datasets/@{{encodeURIComponent(encodeURIComponent('{account}'))}}"
            "/triggers/batch/onupdatedfile",
            "queries": {"folderId": folder_id(folder), "maxFileCount": most},
        },
        **rest,
    }
    return {"Blob": {key: value for key, value in trigger.items() if value is not None}}


def http(path: str = "@{triggerBody()?['Name']}", **inputs: Any) -> dict[str, Any]:
    """The action that posts to the published pipeline."""
    body = {"ExperimentName": "E", "DataPathAssignments": {"input": {"DataStoreName": "blobs", "RelativePath": path}}}
    settings = {"method": "POST", "uri": MINE, "body": body, "authentication": IDENTITY} | inputs
    return {"type": "Http", "inputs": {key: value for key, value in settings.items() if value is not None}}


def compose(value: Any, *after: str, **rest: Any) -> dict[str, Any]:
    """``compose(1, "A", "B:Failed,TimedOut")`` runs after A and a failed or late B."""
    return {"type": "Compose", "inputs": value, "runAfter": waits(*after), **rest}


def waits(*after: str) -> dict[str, list[str]]:
    pairs = [one.partition(":") for one in after]
    return {name: (results or "Succeeded").split(",") for name, _, results in pairs}


def fails(*after: str) -> dict[str, Any]:
    """An action that fails."""
    return compose("@div(1, 0)", *after)


def seconds(count: float, *after: str, **rest: Any) -> dict[str, Any]:
    return {
        "type": "Wait", "inputs": {"interval": {"count": count, "unit": "Second"}}, "runAfter": waits(*after), **rest
    }  # fmt: skip


def statuses(run: WorkflowRun) -> dict[str, str]:
    return {one.where: one.status.value for one in run.actions}


def outputs(run: WorkflowRun, where: str) -> Any:
    return next(one.outputs for one in run.actions if one.where == where)
