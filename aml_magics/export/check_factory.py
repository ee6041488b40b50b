"""The rules of Data Factory that its schemas do not have: who waits for whom, who names whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aml_magics.export.arm import is_expression
from aml_magics.export.checking import (
    Problem,
    check_graph,
    check_keys,
    check_recurrence,
    named_in,
    require,
    texts_in,
)
from aml_magics.model.errors import did_you_mean

if TYPE_CHECKING:
    from aml_magics.export.definitions import DataFactoryDefinition

__all__ = ["ACTIVITY_TYPES", "CONDITIONS", "TRIGGER_TYPES", "factory_problems"]

CONDITIONS = ("Succeeded", "Failed", "Skipped", "Completed")
ACTIVITY_TYPES = (
    "AppendVariable", "AzureDataExplorerCommand", "AzureFunctionActivity", "AzureMLBatchExecution",
    "AzureMLExecutePipeline", "AzureMLUpdateResource", "Copy", "Custom", "DataLakeAnalyticsU-SQL", "DatabricksJob",
    "DatabricksNotebook", "DatabricksSparkJar", "DatabricksSparkPython", "Delete", "ExecuteDataFlow", "ExecutePipeline",
    "ExecuteSSISPackage", "ExecuteWranglingDataflow", "Fail", "Filter", "ForEach", "GetMetadata", "HDInsightHive",
    "HDInsightMapReduce", "HDInsightPig", "HDInsightSpark", "HDInsightStreaming", "IfCondition", "Lookup", "Script",
    "SetVariable", "SparkJob", "SqlServerStoredProcedure", "Switch", "SynapseNotebook", "Until", "Validation", "Wait",
    "WebActivity", "WebHook",
)  # fmt: skip
TRIGGER_TYPES = (
    "BlobEventsTrigger", "BlobTrigger", "ChainingTrigger", "CustomEventsTrigger", "RerunTumblingWindowTrigger",
    "ScheduleTrigger", "TumblingWindowTrigger",
)  # fmt: skip
_PIPELINE = (
    "activities", "parameters", "variables", "concurrency", "annotations", "description", "folder", "policy",
    "runDimensions",
)  # fmt: skip
_ACTIVITY = (
    "name", "type", "dependsOn", "typeProperties", "policy", "linkedServiceName", "userProperties", "description",
    "state", "onInactiveMarkAs", "inputs", "outputs",
)  # fmt: skip
_TRIGGER = (
    "type", "typeProperties", "pipelines", "pipeline", "annotations", "description", "runtimeState", "parameters",
)  # fmt: skip
_LISTS = ("activities", "ifTrueActivities", "ifFalseActivities", "defaultActivities")
_FREQUENCIES = ("Minute", "Hour", "Day", "Week", "Month", "Year")
_WINDOWS = ("Minute", "Hour", "Month")
_SHORTEST_WINDOW, _MOST_WINDOWS = 15, 50
_PARAMETER = re.compile(r"pipeline\(\)\.parameters\.(\w+)", re.IGNORECASE)


def factory_problems(found: DataFactoryDefinition) -> Iterator[Problem]:
    """What is wrong with the pipelines and their triggers, and with what one says of the other."""
    services = found.linked_services if found.resources else None
    for name, pipeline in found.pipelines.items():
        yield from _pipeline(f"pipelines.{name}", pipeline, services)
    for name, trigger in found.triggers.items():
        yield from _trigger(f"triggers.{name}", trigger, found.pipelines)


def _objects(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _pipeline(where: str, pipeline: Mapping[str, Any], services: Mapping[str, Any] | None) -> Iterator[Problem]:
    yield from check_keys(where, pipeline, _PIPELINE, ("activities",))
    seen: dict[str, str] = {}
    yield from _activities(f"{where}.activities", pipeline.get("activities"), seen, services)
    for name in sorted(named_in(pipeline, "activity")):
        if name not in seen:
            yield Problem(where, f"asks for the activity {name!r}, which is not there. {did_you_mean(name, seen)}")
    variables = _objects(pipeline, "variables")
    for name in sorted(named_in(pipeline, "variables")):
        if name not in variables:
            yield Problem(
                where, f"asks for the variable {name!r}, which is not declared. {did_you_mean(name, variables)}"
            )
    parameters = _objects(pipeline, "parameters")
    for name in sorted({one for text in texts_in(pipeline) for one in _PARAMETER.findall(text)}):
        if name not in parameters:
            hint = did_you_mean(name, parameters)
            yield Problem(where, f"asks for the parameter {name!r}, which is not declared. {hint}")


def _activities(
    where: str, activities: object, seen: dict[str, str], services: Mapping[str, Any] | None
) -> Iterator[Problem]:
    if not isinstance(activities, list):
        yield Problem(where, "is not a list")
        return
    waits: dict[str, dict[str, Sequence[str]]] = {}
    for number, one in enumerate(activities):
        yield from check_keys(f"{where}[{number}]", one, _ACTIVITY, ("name", "type"))
        if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
            continue
        name = one["name"]
        if name in seen:
            yield Problem(f"{where}.{name}", f"is there twice, in {seen[name]} too")
        seen[name] = where
        waits[name] = {
            str(other.get("activity")): other.get("dependencyConditions", [])
            for other in one.get("dependsOn", ())
            if isinstance(other, Mapping)
        }
        yield from _activity(f"{where}.{name}", one, seen, services)
    yield from check_graph(where, waits, CONDITIONS)


def _activity(
    where: str, activity: Mapping[str, Any], seen: dict[str, str], services: Mapping[str, Any] | None
) -> Iterator[Problem]:
    kind, settings = activity.get("type"), _objects(activity, "typeProperties")
    if kind not in ACTIVITY_TYPES:
        yield Problem(where, f"is of an unknown type {kind!r}. {did_you_mean(str(kind), ACTIVITY_TYPES)}")
    if kind == "AzureMLExecutePipeline":
        yield from _run(where, activity, settings, services)
    if kind in ("IfCondition", "Until"):
        yield from _expression(f"{where}.typeProperties.expression", settings.get("expression"))
    if kind == "WebActivity":
        yield from require(f"{where}.typeProperties", settings, ("method", "url"))
    for name in _LISTS:
        if name in settings:
            yield from _activities(f"{where}.{name}", settings[name], seen, services)
    for number, case in enumerate(settings.get("cases", ())):
        if isinstance(case, Mapping):
            yield from _activities(f"{where}.cases[{number}]", case.get("activities", []), seen, services)


def _run(
    where: str, activity: Mapping[str, Any], settings: Mapping[str, Any], services: Mapping[str, Any] | None
) -> Iterator[Problem]:
    targets = [name for name in ("mlPipelineId", "mlPipelineEndpointId") if settings.get(name)]
    if len(targets) != 1:
        yield Problem(where, "needs one of 'mlPipelineId' and 'mlPipelineEndpointId'")
    if "version" in settings and "mlPipelineEndpointId" not in settings:
        yield Problem(where, "has a 'version' without 'mlPipelineEndpointId': a published pipeline has no versions")
    for name, place in _objects(settings, "dataPathAssignments").items():
        if isinstance(place, Mapping):
            keys = ("DataStoreName", "RelativePath")
            yield from check_keys(f"{where}.dataPathAssignments.{name}", place, keys)
            yield from (
                Problem(f"{where}.dataPathAssignments.{name}", f"has no {key!r}") for key in keys if key not in place
            )
    service = _objects(activity, "linkedServiceName").get("referenceName")
    if not service:
        yield Problem(where, "has no 'linkedServiceName'")
    elif services is not None and service not in services:
        yield Problem(
            where, f"uses the linked service {service!r}, which is not there. {did_you_mean(service, services)}"
        )


def _expression(where: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, Mapping) or value.get("type") != "Expression":
        yield Problem(where, "is not {'value': '@...', 'type': 'Expression'}")
    elif not str(value.get("value", "")).startswith("@") and not is_expression(value.get("value")):
        yield Problem(where, f"is {value.get('value')!r}: an expression begins with @")


def _trigger(where: str, trigger: Mapping[str, Any], pipelines: Mapping[str, Any]) -> Iterator[Problem]:
    yield from check_keys(where, trigger, _TRIGGER, ("type", "typeProperties"))
    kind, settings = trigger.get("type"), _objects(trigger, "typeProperties")
    if kind not in TRIGGER_TYPES:
        yield Problem(where, f"is of an unknown type {kind!r}. {did_you_mean(str(kind), TRIGGER_TYPES)}")
    if kind == "ScheduleTrigger":
        yield from check_recurrence(
            f"{where}.recurrence", settings.get("recurrence"), _FREQUENCIES, with_times=_FREQUENCIES[1:]
        )
        yield from require(f"{where}.recurrence", _objects(settings, "recurrence"), ("startTime",))
    elif kind == "TumblingWindowTrigger":
        yield from _window(where, settings)
    elif kind == "BlobEventsTrigger":
        yield from _events(where, settings)
    yield from _started(where, trigger, pipelines)


def _window(where: str, settings: Mapping[str, Any]) -> Iterator[Problem]:
    yield from require(f"{where}.typeProperties", settings, ("frequency", "interval", "startTime", "maxConcurrency"))
    frequency, interval, most = (settings.get(name) for name in ("frequency", "interval", "maxConcurrency"))
    if frequency not in _WINDOWS:
        yield Problem(where, f"has the frequency {frequency!r}. {did_you_mean(str(frequency), _WINDOWS)}")
    if frequency == "Minute" and isinstance(interval, int) and interval < _SHORTEST_WINDOW:
        yield Problem(where, f"has windows of {interval} minutes; the shortest is {_SHORTEST_WINDOW}")
    if isinstance(most, int) and not 1 <= most <= _MOST_WINDOWS:
        yield Problem(where, f"has the maxConcurrency {most}: 1 to {_MOST_WINDOWS}")


def _events(where: str, settings: Mapping[str, Any]) -> Iterator[Problem]:
    yield from require(f"{where}.typeProperties", settings, ("scope", "events"))
    begin, end = settings.get("blobPathBeginsWith"), settings.get("blobPathEndsWith")
    if not begin and not end:
        yield Problem(where, "has neither 'blobPathBeginsWith' nor 'blobPathEndsWith'")
    if begin and not is_expression(begin) and not re.match(r"/[^/]+/blobs/", str(begin)):
        yield Problem(f"{where}.blobPathBeginsWith", f"is {begin!r}: it begins with /CONTAINER/blobs/")
    if any("*" in str(one) for one in (begin, end)):
        yield Problem(where, "has a * in a path: the beginning and the end are taken as they are")


def _started(where: str, trigger: Mapping[str, Any], pipelines: Mapping[str, Any]) -> Iterator[Problem]:
    """The pipelines that a trigger starts; a tumbling window has one."""
    key = "pipeline" if trigger.get("type") == "TumblingWindowTrigger" else "pipelines"
    found = trigger.get(key)
    if not found:
        yield Problem(where, f"starts no pipeline: {key!r} is missing")
        return
    for one in found if isinstance(found, list) else [found]:
        name = _objects(one, "pipelineReference").get("referenceName") if isinstance(one, Mapping) else None
        if not isinstance(name, str) or name not in pipelines:
            yield Problem(
                where, f"starts the pipeline {name!r}, which is not there. {did_you_mean(str(name), pipelines)}"
            )
            continue
        declared = _objects(pipelines[name], "parameters")
        for parameter in _objects(one, "parameters"):
            if parameter not in declared:
                hint = did_you_mean(parameter, declared)
                yield Problem(where, f"gives the parameter {parameter!r}, which {name} does not have. {hint}")
        missing = [one for one, about in declared.items() if "defaultValue" not in about]
        for parameter in sorted(set(missing) - set(_objects(one, "parameters"))):
            yield Problem(where, f"gives no value for the parameter {parameter!r} of {name}")
