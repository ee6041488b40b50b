"""Experiments, published pipelines and submissions in the v1 dialect.

Experiments are ``camelCase``, pipelines and submissions ``PascalCase``. What the service has no word for travels in one
extra object that Azure's own SDK passes over: ``AmlMagics`` on a pipeline (its graph interface and step names, which on
Azure take one more call per pipeline).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.resources import (
    DataPath,
    DataPathParameter,
    Experiment,
    Parameter,
    Pipeline,
    Status,
    Submission,
)
from aml_magics.wire.casing import Body, Json, without_nulls
from aml_magics.wire.moments import instant_from, instant_to
from aml_magics.wire.values import parameter_from, parameter_text, parameter_to, typed

__all__ = [
    "DIGEST",
    "data_paths_from",
    "data_paths_to",
    "defaults_to",
    "experiment_from",
    "experiment_to",
    "interface_from",
    "interface_to",
    "pipeline_from",
    "pipeline_to",
    "status_from",
    "submission_from",
    "submission_to",
]

DIGEST = "aml_magics.digest"  # the key, in a pipeline's Properties, of the digest of its definition

_STATUS_CODES = {"0": Status.ACTIVE, "1": Status.DEPRECATED, "2": Status.DISABLED}


def status_from(text: str | None) -> Status:
    """An ``EntityStatus``, by name or number; absent is active. Raises ``InvalidInput`` for any other word."""
    if not text:
        return Status.ACTIVE
    try:
        return _STATUS_CODES.get(text) or Status(text.capitalize())
    except ValueError:
        message = f"status: {text!r} is no status"
        raise InvalidInput(message, hint=did_you_mean(text, Status)) from None


def experiment_to(experiment: Experiment) -> Json:
    """ExperimentDto."""
    return {
        "experimentId": experiment.id,
        "name": experiment.name,
        "description": experiment.description,
        "createdUtc": instant_to(experiment.created),
        "archivedTime": None,
        "tags": {},
    }


def experiment_from(answer: Mapping[str, Any]) -> Experiment:
    """An experiment from an ExperimentDto."""
    body = Body(answer, "experiment")
    return Experiment(
        id=body.text("experimentId"),
        name=body.required("name"),
        description=body.text("description"),
        created=instant_from(body.optional_text("createdUtc")),
    )


def data_paths_to(data_paths: Mapping[str, DataPath]) -> Json:
    """DataPathAssignments."""
    return {name: _data_path_to(path) for name, path in data_paths.items()}


def data_paths_from(body: Body, name: str = "DataPathAssignments") -> dict[str, DataPath]:
    """DataPathAssignments; a leading or trailing slash of a path is dropped, because paths are relative."""
    return {key: _data_path_from(Body(item, f"{body.what}.{name}.{key}")) for key, item in body.mapping(name).items()}


def _data_path_to(path: DataPath) -> Json:
    return {"DataStoreName": path.datastore, "RelativePath": path.path}


def _data_path_from(body: Body) -> DataPath:
    return DataPath(body.text("DataStoreName"), body.text("RelativePath").strip("/"))


def interface_to(parameters: Iterable[Parameter], data_paths: Iterable[DataPathParameter]) -> Json:
    """GraphInterface: what a submission may set."""
    return {
        "Parameters": [parameter_to(parameter) for parameter in parameters],
        "DataPathParameters": [
            without_nulls(
                {
                    "Name": path.name,
                    "DefaultValue": _data_path_to(path.default) if path.default else None,
                    "IsOptional": path.default is not None,
                    "DataTypeId": "AnyFile",
                }
            )
            for path in data_paths
        ],
        "DataPathParameterList": [],
        "MetadataParameters": [],
    }


def interface_from(
    interface: Mapping[str, Any], what: str = "GraphInterface"
) -> tuple[tuple[Parameter, ...], tuple[DataPathParameter, ...]]:
    """The parameters and the data path parameters of a GraphInterface, in their order."""
    body = Body(interface, what)
    parameters = tuple(
        parameter_from(item.text("Name"), item.text("DefaultValue"), item.text("Type", "String"))
        for item in body.bodies("Parameters")
    )
    data_paths = []
    for item in body.bodies("DataPathParameters"):
        default = item.body("DefaultValue")
        data_paths.append(DataPathParameter(item.text("Name"), _data_path_from(default) if default else None))
    return parameters, tuple(data_paths)


def defaults_to(parameters: Iterable[Parameter], data_paths: Iterable[DataPathParameter]) -> Json:
    """ParameterAssignments for drawing a graph: *all* of its parameters as text, a data path as ``datastore/path``."""
    defaults = {parameter.name: parameter_text(parameter.default) for parameter in parameters}
    return defaults | {path.name: str(path.default or "") for path in data_paths}


def pipeline_to(pipeline: Pipeline) -> Json:
    """PipelineEntity."""
    return {
        "Id": pipeline.id,
        "Name": pipeline.name,
        "Description": pipeline.description,
        "Version": pipeline.version,
        "GraphId": pipeline.graph_id,
        "TotalRunSteps": len(pipeline.steps),
        "ParameterAssignments": defaults_to(pipeline.parameters, pipeline.data_paths),
        "DataSetDefinitionValueAssignments": {},
        "Url": pipeline.endpoint,
        "EntityStatus": pipeline.status.value,
        "ContinueRunOnStepFailure": pipeline.continue_on_step_failure,
        "EnableNotification": False,
        "Properties": {DIGEST: pipeline.digest} if pipeline.digest else {},
        "tags": {},
        "CreatedDate": instant_to(pipeline.created),
        "LastModifiedDate": instant_to(pipeline.modified),
        "AmlMagics": {
            "Interface": interface_to(pipeline.parameters, pipeline.data_paths),
            "Steps": list(pipeline.steps),
        },
    }


def pipeline_from(
    answer: Mapping[str, Any], *, interface: Mapping[str, Any] | None = None, steps: Sequence[str] = ()
) -> Pipeline:
    """A pipeline from a PipelineEntity.

    ``interface`` (of ``/Graphs/{id}/Interface``) and ``steps`` are for Azure, whose entity has neither: without the
    interface every parameter is text, and a data path looks like a parameter ``datastore/path``.
    """
    body = Body(answer, "pipeline")
    ours = body.body("AmlMagics")
    if interface is None and ours is not None:
        interface = ours.mapping("Interface")
    if interface is None:
        parameters = tuple(Parameter(name, text) for name, text in body.texts("ParameterAssignments").items())
        data_paths: tuple[DataPathParameter, ...] = ()
    else:
        parameters, data_paths = interface_from(interface)
    return Pipeline(
        id=body.required("Id"),
        name=body.text("Name"),
        description=body.text("Description"),
        version=body.text("Version"),
        status=status_from(body.optional_text("EntityStatus")),
        parameters=parameters,
        data_paths=data_paths,
        steps=tuple(steps) or tuple(map(str, ours.values("Steps") if ours else ())),
        endpoint=body.text("Url"),
        continue_on_step_failure=bool(body.boolean("ContinueRunOnStepFailure")),
        graph_id=body.text("GraphId"),
        digest=body.texts("Properties").get(DIGEST, ""),
        created=instant_from(body.optional_text("CreatedDate")),
        modified=instant_from(body.optional_text("LastModifiedDate")),
    )


def submission_to(submission: Submission) -> Json:
    """PipelineSubmissionInfo, as the SDK sends it: empty objects are sent, null fields are not."""
    return without_nulls(
        {
            "ExperimentName": submission.experiment_name,
            "Description": submission.description,
            "RunSource": submission.source,
            "RunType": submission.source,
            "ParameterAssignments": {name: parameter_text(value) for name, value in submission.parameters.items()},
            "DataPathAssignments": data_paths_to(submission.data_paths),
            "DataSetDefinitionValueAssignments": {},
            "ContinueRunOnStepFailure": submission.continue_on_step_failure,
            "ParentRunId": submission.parent_run_id,
            "ScheduleId": submission.schedule_id,
        }
    )


def submission_from(
    request: Mapping[str, Any] | Body, *, parameters: Iterable[Parameter] = (), parent_run_id: str | None = None
) -> Submission:
    """A submission from a PipelineSubmissionInfo, a Logic App's hand-written body or Data Factory's.

    Values take the types of ``parameters`` where they fit, else they stay text. ``parent_run_id`` is the query's, which
    counts when the body has none.
    """
    body = request if isinstance(request, Body) else Body(request, "PipelineSubmissionInfo")
    return Submission(
        experiment_name=body.text("ExperimentName"),
        description=body.text("Description"),
        source=body.optional_text("RunSource") or body.optional_text("RunType") or "HTTP",
        parameters=typed(body.texts("ParameterAssignments"), parameters),
        data_paths=data_paths_from(body),
        continue_on_step_failure=body.boolean("ContinueRunOnStepFailure")
        if "ContinueRunOnStepFailure" in body
        else body.boolean("ContinueOnStepFailure"),  # Data Factory's spelling
        parent_run_id=body.optional_text("ParentRunId") or parent_run_id,
        schedule_id=body.optional_text("ScheduleId"),
    )
