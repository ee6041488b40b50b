"""What ``export`` is asked for: a schedule that is there, changed by what the cell says, or one that the cell says.

With a ``pipeline`` (or a ``pipeline_endpoint``) the cell says everything, with the keys of ``schedule create``. Without
one it is the schedule of that name, and what is given counts instead of its own. A pipeline that is disabled is no
hindrance: the export can be made, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aml_magics.client.clouds import KNOWN
from aml_magics.client.fitting import (
    fit_data_path_parameter,
    fit_data_paths,
    fit_parameters,
    plain_value,
    split_data_paths,
)
from aml_magics.client.names import check_experiment_name, pick
from aml_magics.export.source import AZURE, Conditions, Place, Source, Window
from aml_magics.model.errors import InvalidInput, NotFound, did_you_mean
from aml_magics.model.parsing import CHANGE_KEYS, trigger_from
from aml_magics.model.readers import read_list, read_time_of_day
from aml_magics.model.resources import Missed, Pipeline, PipelineEndpoint, Schedule, Status
from aml_magics.model.triggers import DatastoreChange, Trigger
from aml_magics.model.words import WEEK_DAYS, meant_week_day
from aml_magics.model.zones import to_windows
from aml_magics.notebook import values
from aml_magics.notebook.commands.schedule_request import ScheduleRequest, request_from
from aml_magics.notebook.commands.shared import data_paths_of

if TYPE_CHECKING:
    from aml_magics.client.workspace import Workspace
    from aml_magics.notebook.call import Call

__all__ = ["source_of"]

_LINE_ONLY = ("to", "force", "print")
_OWN = ("folders", "window", "window_days", "window_time_zone", "concurrency", "pipeline_endpoint")
_OF_ONE = {
    "only_after": ("logic-app", "In Data Factory put both pipelines into one, the second with dependsOn."),
    "factory": ("data-factory", "Leave it out: a Logic App stands alone."),
    "endpoint_version": ("data-factory", "Leave it out: a Logic App starts the default version."),
    "batch_endpoint": ("data-factory", "Export it as data-factory, or name a pipeline."),
}
_DAY = 24 * 60


def source_of(call: Call, kind: str) -> Source:
    """What is to be exported. InvalidInput, NotFound for what is wrong with it; notes for what is worth knowing."""
    line = {key: value for key, value in call.arguments.items() if key not in _LINE_ONLY}
    request = request_from(line, call.yaml_body(), others=(*_OWN, *_OF_ONE))
    if "if_exists" in request.options:
        raise InvalidInput("if_exists is for schedule create", hint="Here it is --force: the folder is overwritten.")
    for key in request.others:
        if key in _OF_ONE and _OF_ONE[key][0] != kind:
            raise InvalidInput(f"{key} is for export {_OF_ONE[key][0]} alone", hint=_OF_ONE[key][1])
    workspace = call.workspace
    with call.progress("Looking up the schedule"):
        schedule, pipeline, endpoint = _schedule(call, request)
        source = _around(workspace, schedule, pipeline, endpoint)
        return replace(
            source,
            conditions=_conditions(workspace, request.others),
            endpoint_version=_version(request.others, endpoint),
            batch_endpoint=_text(request.others, "batch_endpoint"),
            factory=_text(request.others, "factory"),
        )


def _schedule(call: Call, request: ScheduleRequest) -> tuple[Schedule, Pipeline, PipelineEndpoint | None]:
    workspace = call.workspace
    name = request.options.get("name")
    if not isinstance(name, str) or not name.strip():
        message = "There is no name to export"
        raise InvalidInput(message, hint=f"Write {call.command} NAME, the name of a schedule.")
    endpoint = _endpoint(workspace, request.others)
    wanted = request.options.get("pipeline")
    if endpoint is None and wanted is None and request.others.get("batch_endpoint") and request.trigger_words:
        return _of_batch_endpoint(name.strip(), request)
    if endpoint is None and wanted is None:
        found = workspace.schedules.get(name)
        call.remember("schedule", [found.name])
        return _changed(call, found, request)
    if endpoint is not None and wanted is not None:
        raise InvalidInput("pipeline says the same as pipeline_endpoint", hint="Keep one of them.")
    pipeline = workspace.pipelines.get(endpoint.pipeline_id if endpoint else str(wanted))
    _warn_of_disabled(call, pipeline)
    new = Schedule(
        id="",
        name=name.strip(),
        trigger=_with_folder(request).trigger(),
        pipeline_id="" if endpoint else pipeline.id,
        endpoint_id=endpoint.id if endpoint else "",
        experiment_name=pipeline.name,
    )
    return _with(workspace, new, pipeline, request), pipeline, endpoint


def _of_batch_endpoint(name: str, request: ScheduleRequest) -> tuple[Schedule, Pipeline, None]:
    """What starts jobs of v2 alone: no pipeline of this workspace says what the parameters are."""
    pipeline = Pipeline(id="", name=name)
    schedule = Schedule(
        id="",
        name=name,
        trigger=_with_folder(request).trigger(),
        pipeline_id="",
        experiment_name=str(request.options.get("experiment_name", "")),
        description=str(request.options.get("description", "")),
        pipeline_parameters={key: plain_value(key, value) for key, value in request.parameters.items()},
        data_paths=data_paths_of(request.data_paths),
        missed=Missed(str(request.options.get("missed", "skip"))),
    )
    return schedule, pipeline, None


def _changed(
    call: Call, found: Schedule, request: ScheduleRequest
) -> tuple[Schedule, Pipeline, PipelineEndpoint | None]:
    """A schedule that is there, with what the cell says instead."""
    workspace = call.workspace
    endpoint = None
    if found.endpoint_id:
        endpoint = pick("pipeline endpoint", found.endpoint_id, workspace.pipelines.endpoints(active_only=False))
    pipeline = workspace.pipelines.get(endpoint.pipeline_id if endpoint else found.pipeline_id)
    _warn_of_disabled(call, pipeline)
    if request.trigger_words:
        found = replace(found, trigger=_changed_trigger(found.trigger, _with_folder(request)))
    return _with(workspace, found, pipeline, request), pipeline, endpoint


def _with_folder(request: ScheduleRequest) -> ScheduleRequest:
    if "folders" in request.others and "path_on_datastore" in request.trigger_words:
        raise InvalidInput("folders says the same as path_on_datastore", hint="Keep one of them.")
    return request


def _changed_trigger(old: Trigger, request: ScheduleRequest) -> Trigger:
    """The keys of a change trigger change it; those of a time trigger say it anew."""
    words = request.trigger_words
    if not isinstance(old, DatastoreChange) or not words.keys() <= CHANGE_KEYS:
        return request.trigger()
    new = trigger_from({"datastore": old.datastore, "recursive": old.recursive} | dict(words))
    return replace(old, **{key: getattr(new, key) for key in words})


def _warn_of_disabled(call: Call, pipeline: Pipeline) -> None:
    if pipeline.status is not Status.ACTIVE:
        status = pipeline.status.value.lower()
        call.notes.append(
            f"Warning: the pipeline {pipeline.name!r} is {status}: nothing can start it until it is enabled."
        )


def _with(workspace: Workspace, schedule: Schedule, pipeline: Pipeline, request: ScheduleRequest) -> Schedule:
    """The schedule with the options of the request, fitted to its pipeline as ``create`` does."""
    given = request.options
    parameters, paths = split_data_paths(request.parameters, data_paths_of(request.data_paths))
    stores = [store.name for store in workspace.datastores.list()] if paths else None
    trigger = schedule.trigger
    filled = trigger.data_path_parameter_name if isinstance(trigger, DatastoreChange) else None
    fit_data_path_parameter(pipeline, filled)
    changes: dict[str, Any] = {
        "pipeline_parameters": {**schedule.pipeline_parameters, **fit_parameters(pipeline, parameters)},
        "data_paths": {
            **schedule.data_paths,
            **fit_data_paths(pipeline, paths, stores, filled_by_trigger=filled),
        },
        "experiment_name": check_experiment_name(str(given.get("experiment_name", schedule.experiment_name))),
    }
    changes |= {key: given[key] for key in ("description", "continue_on_step_failure") if key in given}
    if "missed" in given:
        changes["missed"] = Missed(str(given["missed"]))
    if "status" in given:
        changes["status"] = Status(str(given["status"]))
    return replace(schedule, **changes)


def _around(workspace: Workspace, schedule: Schedule, pipeline: Pipeline, endpoint: PipelineEndpoint | None) -> Source:
    """The schedule with the facts around it."""
    trigger = schedule.trigger
    store = None
    if isinstance(trigger, DatastoreChange):
        stores = {one.name: one for one in workspace.datastores.list()}
        store = stores.get(trigger.datastore)
        if store is None:
            message = f"datastore: there is no datastore {trigger.datastore!r}"
            raise NotFound(message, hint=did_you_mean(trigger.datastore, stores))
    return Source(
        schedule=schedule,
        url=endpoint.endpoint if endpoint else pipeline.endpoint,
        target=f"pipeline endpoint {endpoint.name}" if endpoint else f"pipeline {pipeline.name}",
        place=_place(workspace),
        datastore=store,
        is_embedded=workspace.is_embedded,
    )


def _place(workspace: Workspace) -> Place:
    if workspace.is_embedded:
        return Place()
    about = workspace.about
    cloud = KNOWN.get(about.get("cloud", ""))
    return Place(
        subscription=about.get("subscription", ""),
        resource_group=about.get("resource group", ""),
        workspace=workspace.name,
        region=about.get("region", ""),
        manager=cloud.arm if cloud else AZURE,
    )


def _endpoint(workspace: Workspace, others: Mapping[str, object]) -> PipelineEndpoint | None:
    name = _text(others, "pipeline_endpoint", values.reference)
    return pick("pipeline endpoint", name, workspace.pipelines.endpoints(active_only=False)) if name else None


def _version(others: Mapping[str, object], endpoint: PipelineEndpoint | None) -> str:
    if "endpoint_version" not in others:
        return ""
    version = str(others["endpoint_version"])
    if endpoint is None:
        message = "endpoint_version goes with a pipeline endpoint"
        raise InvalidInput(message, hint="Add pipeline_endpoint: NAME; a published pipeline has no versions.")
    if version not in endpoint.versions:
        message = f"the pipeline endpoint {endpoint.name!r} has no version {version!r}"
        raise InvalidInput(message, hint=did_you_mean(version, endpoint.versions))
    return version


def _conditions(workspace: Workspace, others: Mapping[str, object]) -> Conditions:
    after = _text(others, "only_after", values.reference)
    before = workspace.pipelines.get(after) if after else None
    concurrency = others.get("concurrency")
    return Conditions(
        folders=_folders(others),
        window=_window(others),
        after=before.name if before else "",
        after_runs=before.endpoint.replace("/PipelineSubmit/", "/Pipeline/") if before else "",
        concurrency=values.whole_number("concurrency", concurrency) if concurrency is not None else None,
    )


def _folders(others: Mapping[str, object]) -> tuple[str, ...]:
    """The folders, each checked as one that a schedule may have; ``/`` is the root."""
    given = _several(others, "folders")
    folders = [DatastoreChange(datastore="any", path_on_datastore=one).path_on_datastore for one in given]
    if len(set(folders)) < len(folders):
        raise InvalidInput("folders: one is there twice", hint="Name each folder once.")
    return tuple(folders)


def _window(others: Mapping[str, object]) -> Window | None:
    text, days = _text(others, "window"), _several(others, "window_days")
    if not text and not days:
        if "window_time_zone" in others:
            raise InvalidInput("window_time_zone without a window", hint="Add window: 08:00-18:00, or window_days.")
        return None
    begin, end = _hours(text) if text else (0, _DAY)
    for day in days:
        if day not in WEEK_DAYS:
            meant = meant_week_day(day)
            hint = f"Write {meant!r}." if meant else did_you_mean(day, WEEK_DAYS)
            raise InvalidInput(f"window_days {day!r} is not an English week day", hint=hint)
    zone = to_windows(_text(others, "window_time_zone") or "UTC")
    return Window(begin=begin, end=end, days=tuple(day for day in WEEK_DAYS if day in days), time_zone=zone)


def _hours(text: str) -> tuple[int, int]:
    hint = "Write two times of day, as in window: 08:00-18:00."
    first, dash, last = text.partition("-")
    if not dash:
        raise InvalidInput(f"window {text!r} is not a span of the day", hint=hint)
    try:
        (from_hour, from_minute), (to_hour, to_minute) = read_time_of_day(first.strip()), read_time_of_day(last.strip())
    except InvalidInput:
        raise InvalidInput(f"window {text!r} is not a span of the day", hint=hint) from None
    begin, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute or _DAY
    if begin == end:
        raise InvalidInput(f"window {text!r} begins when it ends", hint=hint)
    return begin, end


def _text(others: Mapping[str, object], key: str, read: Callable[[str, object], str] = values.text) -> str:
    return read(key, others[key]).strip() if others.get(key) is not None else ""


def _several(others: Mapping[str, object], key: str) -> tuple[str, ...]:
    found = read_list(others[key]) if others.get(key) is not None else ()
    return tuple(values.text(key, one).strip() for one in found) if isinstance(found, tuple) else ()
