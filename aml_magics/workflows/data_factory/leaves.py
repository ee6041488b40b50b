"""What the activities that have no others inside do. Each handler returns the activity's output.

``AzureMLExecutePipeline`` posts to the published pipeline what Data Factory would post, and waits for the run. When it
is cancelled, by a person or by its timeout, it cancels the run, as Data Factory does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import Run, RunStatus
from aml_magics.wire.casing import without_nulls
from aml_magics.workflows.data_factory.records import ActivityFailed
from aml_magics.workflows.data_factory.values import as_bool, as_text, checked

if TYPE_CHECKING:
    from aml_magics.workflows.data_factory.running import Doing

__all__ = ["HANDLERS", "Web"]

_FIRST_PAUSE = 0.1  # seconds between two looks at a run, growing
_GROWTH = 1.5


class Web(Protocol):
    """Where Web activities may send to: the workspace itself."""

    def refusal(self, url: str) -> str:
        """Why nothing is sent there, or nothing."""

    async def send(self, method: str, url: str, body: object) -> Any:  # noqa: ANN401 - any JSON
        """The answer's JSON. Raises an ``AmlError`` for what may not or cannot be sent."""


async def _execute_ml_pipeline(doing: Doing) -> dict[str, Any]:
    target = {
        "pipeline_id": doing.text("mlPipelineId"),
        "endpoint_id": doing.text("mlPipelineEndpointId"),
        "version": doing.text("version"),
    }
    body = _submission(doing)
    doing.input = {key: value for key, value in target.items() if value} | body
    run = await _submitted(doing, body, target)
    doing.ml_runs.append(run.id)
    try:
        run = await _ended(doing, run)
    except asyncio.CancelledError:
        await doing.runner.workspace.cancel_run(run.id)
        raise
    output = {"status": run.status.value, "runId": run.id, "experimentName": run.experiment_name}
    if run.status is RunStatus.FINISHED:
        return output
    reason = f": {run.status_detail}" if run.status_detail else ""
    message = f"its run ended as {run.status.value}{reason}"
    raise ActivityFailed(message, code=f"PipelineRun{run.status.value}", output=output)


def _submission(doing: Doing) -> dict[str, Any]:
    """The body that Data Factory makes of the activity. Parameters travel as text."""
    continues = doing.value("continueOnStepFailure")
    return without_nulls(
        {
            "ExperimentName": doing.text("experimentName") or None,
            "ParameterAssignments": {
                name: _wire_text(value) for name, value in doing.mapping("mlPipelineParameters").items()
            },
            "dataPathAssignments": doing.mapping("dataPathAssignments"),
            "continueOnStepFailure": None if continues is None else as_bool("continueOnStepFailure", continues),
            "ParentRunId": doing.text("mlParentRunId") or None,
        }
    )


def _wire_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def _submitted(doing: Doing, body: Mapping[str, Any], target: Mapping[str, str]) -> Run:
    """Cancelling waits for the answer: a run that was made must be known, or nobody could cancel it."""
    sending = asyncio.ensure_future(doing.runner.workspace.submit_as_written(body, **target))
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.wait({sending})
        if not sending.cancelled() and sending.exception() is None:
            doing.ml_runs.append(sending.result().id)
            await doing.runner.workspace.cancel_run(sending.result().id)
        raise


async def _ended(doing: Doing, run: Run) -> Run:
    pause = _FIRST_PAUSE
    most = 0.5 if doing.runner.workspace.is_embedded else 5.0
    while not run.status.is_final:
        await doing.runner.clock.sleep(pause)
        pause = min(pause * _GROWTH, most)
        run = await doing.runner.workspace.run(run.id)
    return run


async def _set_variable(doing: Doing) -> dict[str, Any]:
    name = as_text("variableName", doing.activity.properties["variableName"])
    declared = doing.runner.factory.pipeline(doing.frame.run.pipeline).variables[name]
    value = checked(declared, doing.value("value"), f"the variable {name!r}")
    doing.frame.run.variables[name] = value
    return {"name": name, "value": value}


async def _append_variable(doing: Doing) -> dict[str, Any]:
    name = as_text("variableName", doing.activity.properties["variableName"])
    value = doing.value("value")
    doing.frame.run.variables[name] = [*(doing.frame.run.variables[name] or []), value]
    return {"name": name, "value": value}


async def _wait(doing: Doing) -> dict[str, Any]:
    seconds = doing.number("waitTimeInSeconds", 1)
    doing.input = {"waitTimeInSeconds": seconds}
    await doing.runner.clock.sleep(seconds)
    return {}


async def _fail(doing: Doing) -> dict[str, Any]:
    raise ActivityFailed(doing.text("message"), code=doing.text("errorCode"))


async def _web(doing: Doing) -> Any:  # noqa: ANN401 - any JSON
    method, url, body = doing.text("method"), doing.text("url"), doing.value("body")
    doing.input = without_nulls({"method": method, "url": url, "body": body})
    answer = await doing.runner.web.send(method, url, _as_json(body))
    return answer if isinstance(answer, dict) else {"Response": answer}


def _as_json(body: object) -> object:
    """A body that is text is JSON already, as a Web activity sends it."""
    try:
        return json.loads(body) if isinstance(body, str) else body
    except ValueError:
        raise InvalidInput("the body is no JSON", hint="The workspace takes JSON alone.") from None


HANDLERS: Mapping[str, Callable[[Doing], Awaitable[Any]]] = {
    "AzureMLExecutePipeline": _execute_ml_pipeline,
    "SetVariable": _set_variable,
    "AppendVariable": _append_variable,
    "Wait": _wait,
    "Fail": _fail,
    "WebActivity": _web,
}
