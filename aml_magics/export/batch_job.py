"""A batch endpoint of Azure ML v2 from Data Factory: Web activities, because its own activity knows v1 alone.

The job is started with a POST to the endpoint, looked at through the resource manager until it has ended, and a job
that did not complete fails the pipeline. The status is kept in a variable: outside a loop nobody sees its activities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.export.arm import Parameters, concat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aml_magics.export.source import Source
    from aml_magics.wire.casing import Json

__all__ = ["batch_activities"]

_AUDIENCE = "https://ml.azure.com"
_JOBS = "2025-12-01"
_SECONDS = 60
_POLICY = {"timeout": "0.00:10:00", "retry": 0, "retryIntervalInSeconds": 30}
_ENDED = "@contains(createArray('Completed', 'Failed', 'Canceled'), variables('status'))"


def batch_activities(
    source: Source, parameters: Parameters, values: Mapping[str, str], paths: Mapping[str, Json]
) -> tuple[list[Json], Json]:
    """The activities, and the variables that they use."""
    wait = {
        "name": "Wait_for_job",
        "type": "Until",
        "dependsOn": _after("Start_job"),
        "typeProperties": {
            "expression": {"value": _ENDED, "type": "Expression"},
            "timeout": "7.00:00:00",
            "activities": [_pause(), _look(source, parameters), _note()],
        },
    }
    return [_start(source, parameters, values, paths), wait, _fail()], {"status": {"type": "String"}}


def _start(source: Source, parameters: Parameters, values: Mapping[str, str], paths: Mapping[str, Json]) -> Json:
    name, region = source.batch_endpoint, source.place.region
    url = parameters.need(
        "batchEndpointUri",
        f"Where jobs of the batch endpoint {name!r} are started: https://{name}.REGION.inference.ml.azure.com/jobs",
        value=f"https://{name}.{region}.inference.ml.azure.com/jobs" if region else "",
    )
    inputs: Json = {key: {"JobInputType": "Literal", "Value": value} for key, value in values.items()}
    inputs |= {key: _uri(path) for key, path in paths.items()}
    return {
        "name": "Start_job",
        "type": "WebActivity",
        "dependsOn": [],
        "policy": _POLICY,  # no retry: a job that was started twice runs twice
        "typeProperties": {
            "method": "POST",
            "url": url,
            "headers": {"Content-Type": "application/json"},
            "body": {"properties": {"InputData": inputs}},
            "authentication": {"type": "MSI", "resource": _AUDIENCE},
        },
    }


def _uri(path: Mapping[str, str]) -> Json:
    base, relative = f"azureml://datastores/{path['DataStoreName']}/paths/", path["RelativePath"]
    if relative.startswith("@") and not relative.startswith("@@"):
        return {"JobInputType": "UriFile", "Uri": f"@concat('{base}', {relative[1:]})"}
    return {"JobInputType": "UriFolder", "Uri": f"{base}{relative}"}


def _pause() -> Json:
    return {"name": "Pause", "type": "Wait", "dependsOn": [], "typeProperties": {"waitTimeInSeconds": _SECONDS}}


def _look(source: Source, parameters: Parameters) -> Json:
    place = source.place
    subscription = parameters.need("subscriptionId", "The subscription of the workspace.", value=place.subscription)
    group = parameters.need("resourceGroupName", "The resource group of the workspace.", value=place.resource_group)
    workspace = parameters.need("workspaceName", "The workspace.", value=place.workspace)
    job = "last(split(activity('Start_job').output.id, '/'))"
    return {
        "name": "Look",
        "type": "WebActivity",
        "dependsOn": _after("Pause"),
        "policy": {**_POLICY, "retry": 3},
        "typeProperties": {
            "method": "GET",
            "url": concat(
                f"@concat('{place.manager}/subscriptions/",
                subscription,
                "/resourceGroups/",
                group,
                "/providers/Microsoft.MachineLearningServices/workspaces/",
                workspace,
                f"/jobs/', {job}, '?api-version={_JOBS}')",
            ),
            "authentication": {"type": "MSI", "resource": place.audience},
        },
    }


def _note() -> Json:
    return {
        "name": "Note_status",
        "type": "SetVariable",
        "dependsOn": _after("Look"),
        "typeProperties": {"variableName": "status", "value": "@activity('Look').output.properties.status"},
    }


def _fail() -> Json:
    message = "@concat('The job ended as ', variables('status'))"
    fail = {
        "name": "Fail",
        "type": "Fail",
        "dependsOn": [],
        "typeProperties": {"message": message, "errorCode": "JobNotCompleted"},
    }
    return {
        "name": "If_it_failed",
        "type": "IfCondition",
        "dependsOn": _after("Wait_for_job"),
        "typeProperties": {
            "expression": {"value": "@not(equals(variables('status'), 'Completed'))", "type": "Expression"},
            "ifTrueActivities": [fail],
            "ifFalseActivities": [],
        },
    }


def _after(name: str) -> list[Json]:
    return [{"activity": name, "dependencyConditions": ["Succeeded"]}]
