"""The trigger of a Data Factory pipeline: by events of a storage account, by a schedule, or by windows that tumble."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.export.arm import Parameters, concat
from aml_magics.export.blobs import name_conditions
from aml_magics.export.conditions import all_of, of_time
from aml_magics.export.times import recurrence_of
from aml_magics.model.cron import Cron
from aml_magics.model.errors import InvalidInput
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.resources import Missed
from aml_magics.model.triggers import DatastoreChange

if TYPE_CHECKING:
    from aml_magics.export.source import Source
    from aml_magics.wire.casing import Json

__all__ = ["factory_triggers", "guard_of", "has_conditions"]

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
    folders = _outermost(source.folders)
    names = [f"{name}_trigger{number if len(folders) > 1 else ''}" for number in range(1, len(folders) + 1)]
    return {
        one: _by_events(source, trigger, folder, name, parameters) for one, folder in zip(names, folders, strict=True)
    }


def _outermost(folders: tuple[str, ...]) -> list[str]:
    """An event in a folder is one of the folders above it too: two triggers would start two runs."""
    return [one for one in folders if not any(one != other and f"{one}/".startswith(f"{other}/" if other else "")
                                              for other in folders)]  # fmt: skip


def guard_of(source: Source, parameters: Parameters) -> str:
    """The condition on the run that a trigger cannot ask, ``@...``; empty when there is none."""
    found, trigger = _conditions(source), source.schedule.trigger
    if isinstance(trigger, DatastoreChange) and not trigger.recursive:
        return _in_folders(source, parameters, found)
    return all_of(found) if found else ""


def has_conditions(source: Source) -> bool:
    """Whether something besides the folder is to be asked before a run."""
    return bool(_conditions(source))


def _conditions(source: Source) -> list[str]:
    window = source.conditions.window
    found = of_time(window) if window else []
    trigger = source.schedule.trigger
    if isinstance(trigger, DatastoreChange) and trigger.pattern and not _says_all(trigger, *_ends(trigger)):
        found += name_conditions(trigger.pattern, _NAME)
    return found


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


def _ends(trigger: DatastoreChange) -> tuple[str, str]:
    """How a path begins after its folder, and how it ends, as far as the pattern says so."""
    pattern = trigger.pattern or "*"
    if set("?[]/") & set(pattern) or pattern.count("*") != 1:
        return "", ""
    first, _, last = pattern.partition("*")
    return "" if trigger.recursive else first, last


def _says_all(trigger: DatastoreChange, first: str, last: str) -> bool:
    """Whether these alone are the pattern: together they would match a name in which they overlap."""
    return trigger.pattern == f"{first}*{last}" and not (first and last)


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
    first, last = _ends(trigger)
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


def _by_time(source: Source, trigger: Recurrence | Cron, name: str, now: datetime) -> Json:
    recurrence = recurrence_of(trigger, "data-factory", now, source.schedule.created)
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


def _can_tumble(trigger: Recurrence | Cron) -> bool:
    """A window is at least 15 minutes long, of minutes or hours, in UTC."""
    if not isinstance(trigger, Recurrence) or trigger.frequency not in _TUMBLING:
        return False
    return trigger.interval * _TUMBLING[trigger.frequency] >= _SHORTEST_WINDOW and trigger.time_zone == "UTC"
