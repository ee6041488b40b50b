"""A schedule as a Logic App: a trigger, an HTTP action that starts the published pipeline, and conditions around it.

::

    blob trigger (one a folder) -> [Files_that_count] -> [Runs_of_X] -> [If] Run_pipeline      a change schedule
    recurrence                                         -> [Runs_of_X] -> [If] Run_pipeline      a time schedule

With one run per file the trigger splits what a poll finds (``splitOn``) and its conditions are asked of each file; with
one run per batch there is no ``splitOn``, the trigger's body is a list, and a filter (a ``Query`` action) asks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aml_magics.export import blobs
from aml_magics.export.arm import Parameters, concat, escaped, parameter, template
from aml_magics.export.conditions import all_of, of_blob, of_time
from aml_magics.export.names import activity_name, workflow_name
from aml_magics.export.notes import logic_app_differences
from aml_magics.export.readme import logic_app_readme
from aml_magics.export.roles import logic_app_roles
from aml_magics.export.source import Export
from aml_magics.export.submitting import literal, submission
from aml_magics.export.times import recurrence_of
from aml_magics.model.errors import InvalidInput
from aml_magics.model.triggers import DatastoreChange

if TYPE_CHECKING:
    from aml_magics.export.source import Source
    from aml_magics.wire.casing import Json

__all__ = ["BLOB_TRIGGER", "RUN_PIPELINE", "export_logic_app"]

BLOB_TRIGGER = "When_a_blob_is_added_or_modified_(properties_only)_(V2)"
RUN_PIPELINE = "Run_pipeline"
_LANGUAGE = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"
_WORKFLOWS = "2019-05-01"
_CONNECTIONS = "2018-07-01-preview"  # the one that a connection by managed identity is documented with
_MOST_FOLDERS = 10  # triggers of one workflow
_MOST_FILES = 100  # of one poll
_MOST_RUNS = 100  # at a time
_UNITS = (("Day", timedelta(days=1)), ("Hour", timedelta(hours=1)), ("Minute", timedelta(minutes=1)))


def export_logic_app(source: Source, now: datetime) -> Export:
    """The Logic App of a schedule. InvalidInput for what a Logic App cannot do, with what to do instead."""
    _check(source)
    name = workflow_name(source.schedule.name)
    parameters = Parameters()
    definition = _definition(source, parameters, now)
    resources = [_workflow(source, definition)]
    if isinstance(source.schedule.trigger, DatastoreChange):
        resources.insert(0, _connection(parameters))
    about: Json = {"kind": "logic-app", "schedule": source.schedule.name}
    if source.datastore:
        about |= {"datastore": source.datastore.name, "folders": list(source.folders)}
    parameters.need("workflowName", "The Logic App's name.", default=name)
    parameters.need("location", "The region of the Logic App.", default="[resourceGroup().location]")
    roles, unknown_roles = logic_app_roles(source, name)
    differences = logic_app_differences(source, name)
    commands, readme = logic_app_readme(source, name, parameters, differences, unknown_roles)
    return Export(
        kind="logic-app",
        name=name,
        template=template(parameters, resources, outputs=_outputs(), about=about),
        parameters=parameters.file(),
        roles=roles,
        differences=differences,
        unknown=parameters.unknown,
        commands=commands,
        readme=readme,
    )


def _check(source: Source) -> None:
    trigger, concurrency = source.schedule.trigger, source.conditions.concurrency
    if concurrency is not None and not 1 <= concurrency <= _MOST_RUNS:
        raise InvalidInput(f"concurrency {concurrency} is out of range", hint=f"A Logic App takes 1 to {_MOST_RUNS}.")
    if not isinstance(trigger, DatastoreChange):
        if source.conditions.folders:
            raise InvalidInput("folders go with a datastore", hint="Add datastore: workspaceblobstore.")
        return
    if trigger.on == ("removed",):
        message = "a Logic App's blob trigger does not see what is removed"
        raise InvalidInput(message, hint="Export it as data-factory: its events know BlobDeleted.")
    if len(source.folders) > _MOST_FOLDERS:
        message = f"{len(source.folders)} folders are too many for one Logic App"
        raise InvalidInput(message, hint=f"At most {_MOST_FOLDERS}: make several of it.")


def _workflow(source: Source, definition: Json) -> Json:
    resource: Json = {
        "type": "Microsoft.Logic/workflows",
        "apiVersion": _WORKFLOWS,
        "name": parameter("workflowName"),
        "location": parameter("location"),
        "identity": {"type": "SystemAssigned"},
        "properties": {"state": "Disabled", "definition": definition},
    }
    if source.datastore:
        resource["dependsOn"] = [_connection_id()]
        resource["properties"]["parameters"] = {"$connections": {"value": {"azureblob": _connection_value()}}}
    return resource


def _connection(parameters: Parameters) -> Json:
    parameters.need("connectionName", "The name of the connection to the storage account.", default="azureblob")
    return {
        "type": "Microsoft.Web/connections",
        "apiVersion": _CONNECTIONS,
        "name": parameter("connectionName"),
        "location": parameter("location"),
        "kind": "V1",
        "properties": {
            "displayName": parameter("connectionName"),
            "api": {"id": _managed_api()},
            "parameterValueSet": {"name": "managedIdentityAuth", "values": {}},
        },
    }


def _connection_value() -> Json:
    return {
        "id": _managed_api(),
        "connectionId": _connection_id(),
        "connectionName": parameter("connectionName"),
        "connectionProperties": {"authentication": {"type": "ManagedServiceIdentity"}},
    }


def _connection_id() -> str:
    return "[resourceId('Microsoft.Web/connections', parameters('connectionName'))]"


def _managed_api() -> str:
    return "[subscriptionResourceId('Microsoft.Web/locations/managedApis', parameters('location'), 'azureblob')]"


def _outputs() -> Json:
    identity = "reference(resourceId('Microsoft.Logic/workflows', parameters('workflowName')), '2019-05-01', 'full')"
    return {"principalId": {"type": "string", "value": f"[{identity}.identity.principalId]"}}


def _definition(source: Source, parameters: Parameters, now: datetime) -> Json:
    is_change = source.datastore is not None
    return {
        "$schema": _LANGUAGE,
        "contentVersion": "1.0.0.0",
        "parameters": {"$connections": {"type": "Object", "defaultValue": {}}} if is_change else {},
        "triggers": _blob_triggers(source, parameters) if is_change else _recurrence_trigger(source, now),
        "actions": _actions(source, parameters),
        "outputs": {},
    }


def _recurrence_trigger(source: Source, now: datetime) -> Json:
    trigger = source.schedule.trigger
    if isinstance(trigger, DatastoreChange):
        raise InvalidInput(f"datastore: {trigger.datastore!r} is not known", hint="Name one of the workspace.")
    found: Json = {
        "type": "Recurrence",
        "recurrence": recurrence_of(trigger, "logic-app", now, source.schedule.created),
    }
    return {"Recurrence": found | _limits(source, [])}


def _blob_triggers(source: Source, parameters: Parameters) -> Json:
    account = parameters.need(
        "storageAccountName",
        "The storage account of the datastore.",
        value=source.account,
        embedded=(source.datastore.account or source.datastore.name) if source.datastore else "",
    )
    names = [f"{BLOB_TRIGGER}_{number}" if number > 1 else BLOB_TRIGGER for number in range(1, len(source.folders) + 1)]
    return {
        name: _blob_trigger(source, folder, account, parameters)
        for name, folder in zip(names, source.folders, strict=True)
    }


def _blob_trigger(source: Source, folder: str, account: str, parameters: Parameters) -> Json:
    trigger = source.change()
    found: Json = {"type": "ApiConnection", "recurrence": _polling(trigger.polling_interval)}
    if trigger.per == "file":
        found["splitOn"] = "@triggerBody()"
    if source.container:
        id_ = blobs.folder_id(source.container, folder)
        found["metadata"] = {id_: blobs.watched(source.container, folder)}
    else:
        container = parameters.need("containerName", "The container of the datastore.", embedded=trigger.datastore)
        id_ = blobs.folder_id_of(container, folder)
    most = trigger.max_runs_per_poll or (_MOST_FILES if trigger.per == "batch" else 10)
    found["inputs"] = {
        "host": {"connection": {"name": "@parameters('$connections')['azureblob']['connectionId']"}},
        "method": "get",
        "path": concat(
            "/v2/datasets/@{encodeURIComponent(encodeURIComponent('", account, "'))}/triggers/batch/onupdatedfile"
        ),
        "queries": {
            "folderId": id_,
            "maxFileCount": min(most, _MOST_FILES),
            "checkBothCreatedAndModifiedDateTime": False,
        },
    }
    of_each = of_blob(trigger, "triggerBody()") if trigger.per == "file" else []
    return found | _limits(source, of_each)


def _limits(source: Source, conditions: list[str]) -> Json:
    """Conditions of a trigger, and how many runs there may be at a time."""
    window = source.conditions.window
    every = conditions + (of_time(window) if window else [])
    found: Json = {}
    if every:
        found["conditions"] = [{"expression": f"@{one}"} for one in every]
    if source.conditions.concurrency is not None:
        found["runtimeConfiguration"] = {"concurrency": {"runs": source.conditions.concurrency}}
    return found


def _polling(interval: timedelta) -> Json:
    for unit, length in _UNITS:
        if interval >= length and not interval % length:
            return {"frequency": unit, "interval": interval // length}
    return {"frequency": "Second", "interval": max(1, round(interval.total_seconds()))}


def _actions(source: Source, parameters: Parameters) -> Json:
    """From the inside out: the HTTP action, in an If for each condition that only an action can ask."""
    run = {RUN_PIPELINE: _run_pipeline(source, parameters)}
    after = source.conditions.after
    if after:
        run = _after_success(source, after, run)
    trigger = source.schedule.trigger
    if isinstance(trigger, DatastoreChange) and trigger.per == "batch":
        of_each = of_blob(trigger, "item()")
        if of_each:
            run = _of_batch(all_of(of_each), run)
    return run


def _of_batch(condition: str, actions: Json) -> Json:
    counted = "Files_that_count"
    return {
        counted: {"type": "Query", "inputs": {"from": "@triggerBody()", "where": condition}, "runAfter": {}},
        "If_some_count": {
            "type": "If",
            "expression": f"@greater(length(body('{counted}')), 0)",
            "actions": actions,
            "runAfter": {counted: ["Succeeded"]},
        },
    }


def _after_success(source: Source, after: str, actions: Json) -> Json:
    asked = f"Runs_of_{activity_name(after)}"
    newest = f"last(sort(body('{asked}'), 'CreatedDate'))"
    return {
        asked: {
            "type": "Http",
            "inputs": {"method": "GET", "uri": parameter("runsOfOther"), "authentication": _identity(source)},
            "runAfter": {},
        },
        "If_it_succeeded": {
            "type": "If",
            "expression": f"@equals({newest}?['Status']?['StatusCode'], 'Finished')",
            "actions": actions,
            "runAfter": {asked: ["Succeeded"]},
        },
    }


def _run_pipeline(source: Source, parameters: Parameters) -> Json:
    known = "" if source.is_embedded else source.url
    endpoint = parameters.need(
        "pipelineEndpoint",
        "The REST endpoint of the published pipeline: published_pipeline.endpoint.",
        value=known,
        embedded=source.url,
    )
    if source.conditions.after:
        runs = source.conditions.after_runs
        parameters.need(
            "runsOfOther",
            f"Where the runs of {source.conditions.after!r} are listed: .../PipelineRuns/Pipeline/ID.",
            value="" if source.is_embedded else runs,
            embedded=runs,
        )
    return {
        "type": "Http",
        "inputs": {
            "method": "POST",
            "uri": endpoint,
            "headers": {"Content-Type": "application/json"},
            "body": escaped(submission(source, _filled(source))),
            "authentication": _identity(source),
        },
        "runAfter": {},
    }


def _identity(source: Source) -> Json:
    """Without an audience Azure would take the same one, but only by luck: it must match to the last ``/``."""
    return {"type": "ManagedServiceIdentity", "audience": source.place.audience}


def _filled(source: Source) -> dict[str, Json]:
    """The data path that the trigger fills in: the file, or the folder when one run takes several files."""
    trigger = source.schedule.trigger
    if not isinstance(trigger, DatastoreChange) or not trigger.data_path_parameter_name:
        return {}
    if trigger.per == "file":
        path = blobs.relative_path(in_folder=any(source.folders))
    elif len(source.folders) == 1:
        path = literal(source.folders[0])
    else:
        path = blobs.folder_of_first()
    place = {"DataStoreName": trigger.datastore, "RelativePath": path}
    return {trigger.data_path_parameter_name: place}
