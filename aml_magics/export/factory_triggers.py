"""The trigger of a Data Factory pipeline: by events of a storage account, by a schedule, or by windows that tumble."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.export.arm import Parameters, concat
from aml_magics.export.blobs import name_conditions
from aml_magics.export.conditions import all_of, of_time
from aml_magics.export.times import recurrence_of
from aml_magics.model.errors import InvalidInput
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.resources import Missed
from aml_magics.model.triggers import DatastoreChange

if TYPE_CHECKING:
    from aml_magics.export.source import Source
    from aml_magics.wire.casing import Json

__all__ = ["factory_triggers", "guard_of"]

_EVENTS = {
    "Microsoft.Storage.BlobCreated": {"added", "modified"},
    "Microsoft.Storage.BlobDeleted": {"removed"},
}
_SHORTEST_WINDOW = 15  # minutes
_TUMBLING = {"Minute": 1, "Hour": 60}
_FOLDER, _NAME = "pipeline().parameters.folderPath", "pipeline().parameters.fileName"


def factory_triggers(source: Source, name: str, parameters: Parameters, now: datetime) -> dict[str, Json]:
    """The ``properties`` of each trigger by its name. InvalidInput for what none of the kinds can do."""
    trigger = source.schedule.trigger
    if not isinstance(trigger, DatastoreChange):
        return {f"{name}_trigger": _by_time(source, trigger, name, now)}
    if source.datastore is None:
        raise InvalidInput(f"datastore: {trigger.datastore!r} is not known", hint="Name one of the workspace.")
    folders = source.folders
    names = [f"{name}_trigger{number if len(folders) > 1 else ''}" for number in range(1, len(folders) + 1)]
    return {
        one: _by_events(source, trigger, folder, name, parameters) for one, folder in zip(names, folders, strict=True)
    }


def guard_of(source: Source, parameters: Parameters) -> str:
    """The condition on the run that a trigger cannot ask, ``@...``; empty when there is none."""
    window = source.conditions.window
    found = of_time(window) if window else []
    trigger = source.schedule.trigger
    if isinstance(trigger, DatastoreChange):
        if trigger.pattern and not _is_path_filter(trigger.pattern):
            found += name_conditions(trigger.pattern, _NAME)
        if not trigger.recursive:
            return _in_folders(source, parameters, found)
    return all_of(found) if found else ""


def _in_folders(source: Source, parameters: Parameters, others: list[str]) -> str:
    """An event comes for files in sub-folders too."""
    container = _container(source, parameters)
    parts: list[str] = ["@and(" if others else "@", "contains(createArray('", container]
    for number, folder in enumerate(source.folders):
        if number:
            parts += ["', '", container]
        parts.append(f"/{_quoted(folder)}" if folder else "")
    parts.append(f"'), {_FOLDER})")
    if others:
        parts.append(f", {', '.join(others)})")
    return _joined(parts)


def _joined(parts: list[str]) -> str:
    """Plain text when no part of it is a parameter."""
    return concat(*parts) if any(part.startswith("[parameters(") for part in parts) else "".join(parts)


def _container(source: Source, parameters: Parameters) -> str:
    if source.container:
        return source.container
    return parameters.need("containerName", "The container of the datastore.", embedded=source.change().datastore)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _is_path_filter(pattern: str) -> bool:
    """Whether the beginning and the end of the path say the same as the pattern."""
    return not set("?[]/") & set(pattern) and pattern.count("*") == 1


def _by_events(source: Source, trigger: DatastoreChange, folder: str, name: str, parameters: Parameters) -> Json:
    account = parameters.need(
        "storageAccountName",
        "The storage account of the datastore.",
        value=source.account,
        embedded=(source.datastore.account or source.datastore.name) if source.datastore else "",
    )
    group = parameters.need(
        "storageResourceGroup", "The resource group of the storage account.", default=source.place.resource_group
    )
    subscription = parameters.need(
        "subscriptionId", "The subscription of the workspace.", value=source.place.subscription
    )
    scope = concat("/subscriptions/", subscription, "/resourceGroups/", group,
                   "/providers/Microsoft.Storage/storageAccounts/", account)  # fmt: skip
    first, _, last = (
        (trigger.pattern or "*").partition("*") if _is_path_filter(trigger.pattern or "*") else ("", "", "")
    )
    begin = ["/", _container(source, parameters), "/blobs/", f"{folder}/" if folder else "", first]
    filters: Json = {"blobPathBeginsWith": _joined(begin)}
    if last:
        filters["blobPathEndsWith"] = last
    return {
        "type": "BlobEventsTrigger",
        "runtimeState": "Stopped",
        "typeProperties": filters
        | {
            "ignoreEmptyBlobs": trigger.min_size > 0,
            "scope": scope,
            "events": [event for event, kinds in _EVENTS.items() if kinds & set(trigger.on)],
        },
        "pipelines": [
            _started(name, {"folderPath": "@triggerBody().folderPath", "fileName": "@triggerBody().fileName"})
        ],
    }


def _started(name: str, parameters: Json) -> Json:
    found: Json = {"pipelineReference": {"referenceName": name, "type": "PipelineReference"}}
    return found | ({"parameters": parameters} if parameters else {})


def _by_time(source: Source, trigger: object, name: str, now: datetime) -> Json:
    recurrence = recurrence_of(trigger, "data-factory", now)  # type: ignore[arg-type]
    if source.schedule.missed is Missed.ALL and _can_tumble(trigger):
        return {
            "type": "TumblingWindowTrigger",
            "runtimeState": "Stopped",
            "typeProperties": {
                "frequency": recurrence["frequency"],
                "interval": recurrence["interval"],
                "startTime": recurrence["startTime"],
                "delay": "00:00:00",
                "maxConcurrency": source.conditions.concurrency or 1,
                "retryPolicy": {"count": 0, "intervalInSeconds": 30},
            },
            "pipeline": _started(name, {}),
        }
    return {
        "type": "ScheduleTrigger",
        "runtimeState": "Stopped",
        "typeProperties": {"recurrence": recurrence},
        "pipelines": [_started(name, {})],
    }


def _can_tumble(trigger: object) -> bool:
    """A window is at least 15 minutes long, of minutes or hours, in UTC."""
    if not isinstance(trigger, Recurrence) or trigger.frequency not in _TUMBLING:
        return False
    return trigger.interval * _TUMBLING[trigger.frequency] >= _SHORTEST_WINDOW and trigger.time_zone == "UTC"
