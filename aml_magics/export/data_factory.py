"""A schedule as a Data Factory pipeline with its trigger, and the linked service to the workspace.

::

    a change schedule    BlobEventsTrigger (one a folder)   -> [If] Run_pipeline
    a time schedule      ScheduleTrigger                    -> [If] Run_pipeline
    ... with missed: all TumblingWindowTrigger, where it can say the times
    with batch_endpoint                                     -> Start_job -> Wait_for_job -> If_it_failed

An event trigger tells apart the beginning and the end of a path alone; what else a schedule asks of a file, an
``IfCondition`` around the run asks. Parameters of the pipeline are parameters of the Data Factory pipeline too, so that
it can be started by hand with other values.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.export.arm import Parameters, concat, escaped, parameter, template
from aml_magics.export.batch_job import batch_activities
from aml_magics.export.factory_triggers import factory_triggers, guard_of, has_conditions
from aml_magics.export.names import factory_name
from aml_magics.export.notes import data_factory_differences
from aml_magics.export.readme import data_factory_readme
from aml_magics.export.roles import data_factory_roles
from aml_magics.export.source import Export
from aml_magics.export.submitting import assignments, data_path, literal
from aml_magics.model.errors import InvalidInput
from aml_magics.model.triggers import DatastoreChange
from aml_magics.wire.values import parameter_text

if TYPE_CHECKING:
    from aml_magics.export.source import Source
    from aml_magics.wire.casing import Json

__all__ = ["RUN_PIPELINE", "export_data_factory"]

RUN_PIPELINE = "Run_pipeline"
_VERSION = "2018-06-01"
_PROVIDER = "Microsoft.DataFactory/factories"
_MOST_RUNS = 50
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_OWN = ("folderPath", "fileName")
_ITS_FOLDER = "@join(skip(split(pipeline().parameters.folderPath, '/'), 1), '/')"
_FILE = "@join(skip(split(concat(pipeline().parameters.folderPath, '/', pipeline().parameters.fileName), '/'), 1), '/')"


def export_data_factory(source: Source, now: datetime) -> Export:
    """The Data Factory pipeline of a schedule. InvalidInput for what Data Factory cannot do, with what to do."""
    _check(source)
    name = factory_name(source.schedule.name)
    parameters = Parameters()
    parameters.need("factoryName", "The data factory, which is there already.", value=source.factory)
    linked = _service_name(source)
    if source.batch_endpoint:
        services: list[Json] = []
    else:
        services = [_part("linkedservices", linked, _linked_service(source, parameters), [])]
    pipeline = _pipeline(source, parameters)
    triggers = factory_triggers(source, name, parameters, now)
    resources = [
        *services,
        _part("pipelines", name, pipeline, [_id("linkedservices", linked)] if services else []),
        *(_part("triggers", one, properties, [_id("pipelines", name)]) for one, properties in triggers.items()),
    ]
    about: Json = {"kind": "data-factory", "schedule": source.schedule.name}
    if source.datastore:
        about |= {"datastore": source.datastore.name, "folders": list(source.folders)}
    roles, unknown_roles = data_factory_roles(source)
    kind = next(iter(triggers.values()))["type"]
    differences = data_factory_differences(source, name, kind)
    commands, readme = data_factory_readme(source, name, parameters, differences, unknown_roles, list(triggers))
    return Export(
        kind="data-factory",
        name=name,
        template=template(parameters, resources, about=about),
        parameters=parameters.file(),
        roles=roles,
        differences=differences,
        unknown=parameters.unknown,
        commands=commands,
        readme=readme,
    )


def _check(source: Source) -> None:
    concurrency = source.conditions.concurrency
    if concurrency is not None and not 1 <= concurrency <= _MOST_RUNS:
        raise InvalidInput(f"concurrency {concurrency} is out of range", hint=f"Data Factory takes 1 to {_MOST_RUNS}.")
    if source.conditions.after:
        message = "only_after is for a Logic App"
        raise InvalidInput(message, hint="In Data Factory put both pipelines into one, the second with dependsOn.")
    if source.conditions.folders and not source.datastore:
        raise InvalidInput("folders go with a datastore", hint="Add datastore: workspaceblobstore.")
    if source.batch_endpoint and has_conditions(source):
        message = "a job of a batch endpoint cannot wait for conditions: Data Factory has no loop inside an If"
        raise InvalidInput(message, hint="Leave window out, and take a pattern such as '*.csv'.")


def _part(kind: str, name: str, properties: Json, depends_on: list[str]) -> Json:
    return {
        "type": f"{_PROVIDER}/{kind}",
        "apiVersion": _VERSION,
        "name": concat(parameter("factoryName"), f"/{name}"),
        "dependsOn": depends_on,
        "properties": properties,
    }


def _id(kind: str, name: str) -> str:
    return f"[resourceId('{_PROVIDER}/{kind}', parameters('factoryName'), '{name}')]"


def _service_name(source: Source) -> str:
    """With the workspace in it: an export from another one must not redirect the pipelines that are there."""
    return factory_name(f"AzureMLService {source.place.workspace}")


def _linked_service(source: Source, parameters: Parameters) -> Json:
    place = source.place
    return {
        "type": "AzureMLService",
        "description": "The workspace, by the data factory's own identity.",
        "typeProperties": {
            "subscriptionId": parameters.need(
                "subscriptionId", "The subscription of the workspace.", value=place.subscription
            ),
            "resourceGroupName": parameters.need(
                "resourceGroupName", "The resource group of the workspace.", value=place.resource_group
            ),
            "mlWorkspaceName": parameters.need("workspaceName", "The workspace.", value=place.workspace),
            "authentication": "MSI",
        },
    }


def _pipeline(source: Source, parameters: Parameters) -> Json:
    schedule = source.schedule
    if source.batch_endpoint:
        activities, variables = batch_activities(source, parameters, _values(source), _data_paths(source))
    else:
        run, variables = _run_pipeline(source, parameters), {}
        guard = guard_of(source, parameters)
        activities = [_if(guard, [run])] if guard else [run]
    pipeline: Json = {"activities": activities, "parameters": _parameters(source)}
    if schedule.description:
        pipeline = {"description": escaped(schedule.description)} | pipeline
    if variables:
        pipeline["variables"] = variables
    if source.conditions.concurrency is not None:
        pipeline["concurrency"] = source.conditions.concurrency
    return pipeline | {"annotations": ["aml_magics"]}


def _parameters(source: Source) -> Json:
    """Of the Data Factory pipeline: those of the ML pipeline, and what an event fills in.

    A default is never evaluated: its ``@`` is not doubled, or the ML pipeline would get two.
    """
    found: Json = {}
    if isinstance(source.schedule.trigger, DatastoreChange):
        found = {name: {"type": "String"} for name in _OWN}
    for name, value in source.schedule.pipeline_parameters.items():
        if _is_passed_on(name):
            found[name] = {"type": "String", "defaultValue": escaped(parameter_text(value))}
    return found


def _values(source: Source) -> dict[str, str]:
    return {
        name: f"@pipeline().parameters.{name}" if _is_passed_on(name) else escaped(text)
        for name, text in assignments(source).items()
    }


def _is_passed_on(name: str) -> bool:
    return bool(_IDENTIFIER.fullmatch(name)) and name not in _OWN


def _data_paths(source: Source) -> dict[str, Json]:
    found = {name: escaped(data_path(path)) for name, path in source.fixed_paths.items()}
    trigger = source.schedule.trigger
    if isinstance(trigger, DatastoreChange) and trigger.data_path_parameter_name:
        path = _FILE if trigger.per == "file" else _folder(source)
        found[trigger.data_path_parameter_name] = {"DataStoreName": trigger.datastore, "RelativePath": path}
    return found


def _folder(source: Source) -> str:
    """What a run gets that is for a whole folder: that folder, or the one of several in which the event was."""
    return escaped(literal(source.folders[0])) if len(source.folders) == 1 else _ITS_FOLDER


def _run_pipeline(source: Source, parameters: Parameters) -> Json:
    schedule = source.schedule
    settings = _target(source, parameters) | {"experimentName": escaped(literal(schedule.experiment_name))}
    settings["mlPipelineParameters"] = _values(source)
    settings["dataPathAssignments"] = _data_paths(source)
    if schedule.continue_on_step_failure is not None:
        settings["continueOnStepFailure"] = schedule.continue_on_step_failure
    return {
        "name": RUN_PIPELINE,
        "type": "AzureMLExecutePipeline",
        "dependsOn": [],
        "policy": {"timeout": "7.00:00:00", "retry": 0, "retryIntervalInSeconds": 30},
        "linkedServiceName": {"referenceName": _service_name(source), "type": "LinkedServiceReference"},
        "typeProperties": settings,
    }


def _target(source: Source, parameters: Parameters) -> Json:
    """A published pipeline, or a pipeline endpoint with the version that is to run: without one, its default."""
    endpoint = source.schedule.endpoint_id
    id_ = endpoint or source.schedule.pipeline_id
    name, key = ("pipelineEndpointId", "mlPipelineEndpointId") if endpoint else ("pipelineId", "mlPipelineId")
    about = "The id of the pipeline endpoint." if endpoint else "The id of the published pipeline."
    value = "" if source.is_embedded else id_
    found: Json = {key: parameters.need(name, about, value=value, embedded=id_)}
    if endpoint and source.endpoint_version:
        found["version"] = source.endpoint_version
    return found


def _if(guard: str, activities: list[Json]) -> Json:
    return {
        "name": "If_it_counts",
        "type": "IfCondition",
        "dependsOn": [],
        "typeProperties": {
            "expression": {"value": guard, "type": "Expression"},
            "ifTrueActivities": activities,
            "ifFalseActivities": [],
        },
    }
