"""Runs and steps in the v1 dialect: the pipelines service's PipelineRunEntity and TaskStatus, run history's RunDto.

One run is visible in both services under one id, with other words for its status: ``Finished`` here is ``Completed``
there. A step is a run in run history only; it names its node and its pipeline run in *tags*, which is where the SDK
looks. Run history has no word for a step that never started because of another's failure, so the precise status, the
exit code and the detail travel in the step's properties (``aml_magics.*``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from aml_magics.model.resources import Parameter, Run, RunStatus, Step, StepStatus
from aml_magics.wire.casing import Body, Json, without_nulls
from aml_magics.wire.moments import instant_from, instant_to
from aml_magics.wire.v1_resources import data_paths_from, data_paths_to
from aml_magics.wire.values import parameter_text, typed

__all__ = [
    "STEP_RUN_SEPARATOR",
    "run_from",
    "run_history_from",
    "run_history_to",
    "run_to",
    "step_from",
    "step_run_id",
    "step_to",
    "task_status_to",
]

STEP_RUN_SEPARATOR = "_"
_RUN_CODES = {"0": "NotStarted", "1": "Running", "2": "Failed", "3": "Finished", "4": "Canceled"}
_HISTORY_WORDS = {"Finished": "Completed", "Bypassed": "Canceled"}
_STEP_WORDS = {
    "Completed": StepStatus.FINISHED,
    "Preparing": StepStatus.QUEUED,
    "Provisioning": StepStatus.QUEUED,
    "Starting": StepStatus.QUEUED,
    "Finalizing": StepStatus.RUNNING,
    "CancelRequested": StepStatus.RUNNING,
    "NotResponding": StepStatus.RUNNING,
}


def run_to(run: Run, *, graph_id: str = "", total_steps: int | None = None) -> Json:
    """PipelineRunEntity. ``DataPathAssignments``, ``Status.StartTime`` and ``ContinueRunOnStepFailure`` are ours."""
    return without_nulls(
        {
            "Id": run.id,
            "RunHistoryExperimentName": run.experiment_name,
            "Status": without_nulls(
                {
                    "StatusCode": run.status.value,
                    "StatusDetail": run.status_detail,
                    "CreationTime": instant_to(run.created),
                    "StartTime": instant_to(run.started),
                    "EndTime": instant_to(run.ended),
                }
            ),
            "Description": run.description,
            "GraphId": graph_id,
            "PipelineId": run.pipeline_id,
            "ScheduleId": run.schedule_id,
            "RunSource": run.source,
            "RunType": run.source,
            "ParameterAssignments": _assignments_to(run),
            "DataPathAssignments": data_paths_to(run.data_paths),
            "DataSetDefinitionValueAssignments": {},
            "ContinueRunOnStepFailure": run.continue_on_step_failure,
            "TotalRunSteps": total_steps,
            "IsSubmitted": True,
            "HasErrors": run.status is RunStatus.FAILED,
            "HasWarnings": False,
            "UploadState": "Completed",
            "tags": {},
            "Properties": {},
            "EntityStatus": "Active",
            "CreatedDate": instant_to(run.created),
            "LastModifiedDate": instant_to(run.ended or run.started or run.created),
        }
    )


def run_from(answer: Mapping[str, Any], *, parameters: Iterable[Parameter] = ()) -> Run:
    """A run from a PipelineRunEntity; ``parameters`` are its pipeline's and type the values, text otherwise."""
    body = Body(answer, "run")
    status = body.body("Status") or Body({}, "run.Status")
    paths = data_paths_from(body)
    return Run(
        id=body.required("Id"),
        experiment_name=body.text("RunHistoryExperimentName"),
        pipeline_id=body.text("PipelineId"),
        status=_run_status(status.text("StatusCode")),
        status_detail=status.text("StatusDetail"),
        schedule_id=body.optional_text("ScheduleId"),
        description=body.text("Description"),
        source=body.optional_text("RunSource") or body.text("RunType", "SDK"),
        parameters=typed(_without(body.texts("ParameterAssignments"), paths), parameters),
        data_paths=paths,
        continue_on_step_failure=bool(body.boolean("ContinueRunOnStepFailure")),
        created=instant_from(status.optional_text("CreationTime") or body.optional_text("CreatedDate")),
        started=instant_from(status.optional_text("StartTime")),
        ended=instant_from(status.optional_text("EndTime")),
    )


def run_history_to(run: Run, *, experiment_id: str, number: int = 1, pipeline_name: str = "") -> Json:
    """RunDto of a pipeline run. ``number`` counts the runs of an experiment."""
    properties = {
        "azureml.runsource": "azureml.PipelineRun",
        "azureml.parameters": json.dumps({name: parameter_text(value) for name, value in run.parameters.items()}),
        "azureml.pipelineid": run.pipeline_id,
        "runSource": run.source,
        "runType": run.source,
        "aml_magics.detail": run.status_detail,
    }
    if run.schedule_id:
        properties["azureml.scheduleid"] = run.schedule_id
    return _history(
        run.id,
        root=run.id,
        parent=None,
        name=pipeline_name or None,
        status=run.status.value,
        times=(run.created, run.started, run.ended),
        detail=run.status_detail,
        run_type="azureml.PipelineRun",
        description=run.description,
        number=number,
        experiment_id=experiment_id,
        properties=properties,
        tags={},
    )


def run_history_from(answer: Mapping[str, Any], experiment_name: str) -> Run:
    """A pipeline run from run history's RunDto, which does not name its experiment; parameters stay text."""
    body = Body(answer, "run")
    properties = body.texts("properties")
    given = json.loads(properties.get("azureml.parameters") or "{}")
    return Run(
        id=body.required("runId"),
        experiment_name=experiment_name,
        pipeline_id=properties.get("azureml.pipelineid", ""),
        status=_history_run_status(body.text("status")),
        status_detail=_detail_of(body),
        schedule_id=properties.get("azureml.scheduleid"),
        description=body.text("description"),
        source=properties.get("runSource", "SDK"),
        parameters=Body({"parameters": given}).texts("parameters"),
        created=instant_from(body.optional_text("createdUtc")),
        started=instant_from(body.optional_text("startTimeUtc")),
        ended=instant_from(body.optional_text("endTimeUtc")),
    )


def step_run_id(run_id: str, node_id: str) -> str:
    """The id of a step in run history. Run ids are UUIDs, so the first separator ends the run's own id."""
    return f"{run_id}{STEP_RUN_SEPARATOR}{node_id}"


def step_to(step: Step, *, experiment_id: str, number: int = 1, created: datetime | None = None) -> Json:
    """RunDto of a step; ``created`` is its run's."""
    properties = {
        "azureml.runsource": "azureml.StepRun",
        "StepType": "PythonScriptStep",
        "ContentSnapshotId": "",
        "azureml.moduleName": step.name,
        "azureml.nodeid": step.id,
        "azureml.pipelinerunid": step.run_id,
        "aml_magics.status": step.status.value,
        "aml_magics.detail": step.detail,
    }
    if step.exit_code is not None:
        properties["aml_magics.exit_code"] = str(step.exit_code)
    return _history(
        step_run_id(step.run_id, step.id),
        root=step.run_id,
        parent=step.run_id,
        name=step.name,
        status=step.status.value,
        times=(created, step.started, step.ended),
        detail=step.detail,
        run_type="azureml.StepRun",
        description="",
        number=number,
        experiment_id=experiment_id,
        properties=properties,
        tags={"azureml.nodeid": step.id, "azureml.pipeline": step.run_id},
    )


def step_from(answer: Mapping[str, Any]) -> Step:
    """A step from its RunDto, ours or Azure's."""
    body = Body(answer, "step")
    properties, tags = body.texts("properties"), body.texts("tags")
    exit_code = properties.get("aml_magics.exit_code")
    return Step(
        id=tags.get("azureml.nodeid") or body.required("runId"),
        run_id=tags.get("azureml.pipeline") or body.text("parentRunId"),
        name=body.text("name"),
        status=_step_status(properties.get("aml_magics.status") or body.text("status")),
        detail=_detail_of(body),
        exit_code=None if exit_code is None else int(exit_code),
        started=instant_from(body.optional_text("startTimeUtc")),
        ended=instant_from(body.optional_text("endTimeUtc")),
    )


def task_status_to(step: Step) -> Json:
    """TaskStatus: a step as the pipelines service tells it."""
    return without_nulls(
        {
            "StatusCode": step.status.value,
            "StatusDetail": step.detail,
            "StartTime": instant_to(step.started),
            "EndTime": instant_to(step.ended),
            "RunId": step_run_id(step.run_id, step.id),
            "HasWarnings": False,
        }
    )


def _assignments_to(run: Run) -> dict[str, str]:
    """The SDK draws the graph of a run with them, and so they have *all* parameters: a data path as its text."""
    values = {name: parameter_text(value) for name, value in run.parameters.items()}
    return values | {name: str(path) for name, path in run.data_paths.items()}


def _without(assignments: Mapping[str, str], paths: Mapping[str, object]) -> dict[str, str]:
    return {name: text for name, text in assignments.items() if name not in paths}


def _history(
    run_id: str,
    *,
    root: str,
    parent: str | None,
    name: str | None,
    status: str,
    times: tuple[datetime | None, datetime | None, datetime | None],
    detail: str,
    run_type: str,
    description: str,
    number: int,
    experiment_id: str,
    properties: Mapping[str, str],
    tags: Mapping[str, str],
) -> Json:
    created, started, ended = map(instant_to, times)
    failed = status == StepStatus.FAILED.value
    return {
        "runId": run_id,
        "runNumber": number,
        "rootRunId": root,
        "parentRunId": parent,
        "experimentId": experiment_id,
        "name": name,
        "displayName": name,
        "description": description,
        "status": _HISTORY_WORDS.get(status, status),
        "runType": run_type,
        "createdUtc": created,
        "startTimeUtc": started,
        "endTimeUtc": ended,
        "dataContainerId": f"dcid.{run_id}",
        "createdBy": {"userName": "local"},  # without it the SDK warns at every look
        "hidden": False,
        "target": "local",
        "properties": dict(properties),
        "tags": dict(tags),
        "error": {"error": {"code": "UserError", "message": detail or "failed"}} if failed else None,
    }


def _detail_of(body: Body) -> str:
    """Ours where it is there, else the message of the error that run history tells."""
    properties = body.texts("properties")
    if "aml_magics.detail" in properties:
        return properties["aml_magics.detail"]
    error = body.body("error")
    inner = error.body("error") if error else None
    return inner.text("message") if inner else ""


def _run_status(word: str) -> RunStatus:
    word = _RUN_CODES.get(word, word)
    return RunStatus(word) if word in set(RunStatus) else RunStatus.NOT_STARTED


def _history_run_status(word: str) -> RunStatus:
    """Run history's many words, as the five of the pipelines service."""
    if word == "Completed":
        return RunStatus.FINISHED
    if word in set(RunStatus):
        return RunStatus(word)
    return RunStatus.NOT_STARTED if word in ("", "Queued", "Unapproved") else RunStatus.RUNNING


def _step_status(word: str) -> StepStatus:
    if word in set(StepStatus):
        return StepStatus(word)
    return _STEP_WORDS.get(word, StepStatus.NOT_STARTED)
