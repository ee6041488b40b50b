"""Schedules in the v1 dialect: ScheduleCreationInfo and PipelineScheduleEntity, both to and from ``Schedule``.

What v1 can say goes where v1 says it. The rest travels in one object, ``AmlMagics``::

    {"Host": "kernel", "Missed": "once", "Status": "Disabled",
     "TimeZone": "Europe/Lisbon",           the name as written, when the wire has its Windows twin
     "Cron": {"Expression": "0 6 * * 1-5", "StartTime": "...", "TimeZone": "Europe/Lisbon"},
     "PollingSeconds": 5.0, "SettleSeconds": 2.0, "Recursive": true, "Per": "batch", "Pattern": "*.csv",
     "MinSize": 1024, "On": ["added", "removed"], "MaxRunsPerPoll": 10, "AppendOnly": true}

only what differs from v1's own meaning. Three rules keep Microsoft's SDK working on the same schedules:

* ``Recurrence.TimeZone`` is one of the Windows names the SDK knows (any other makes it raise, for the whole list).
* A cron expression shows as ``Recurrence`` with ``Frequency: "Cron"``, seconds as ``"Second"``: the SDK prints both,
  and a service that does not know the words refuses them. A frequency it knows would make it do something else.
* A polling interval shows as whole minutes, at least one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.resources import Host, Missed, Parameter, Schedule, Status
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence, Trigger
from aml_magics.model.zones import to_windows
from aml_magics.wire.casing import Body, Json, without_nulls
from aml_magics.wire.moments import instant_from, instant_to, wall_from, wall_to
from aml_magics.wire.v1_resources import data_paths_from, data_paths_to, status_from
from aml_magics.wire.values import parameter_text, typed

__all__ = ["schedule_creation_from", "schedule_creation_to", "schedule_from", "schedule_to", "schedule_trigger_from"]

_FREQUENCIES = {"0": "Month", "1": "Week", "2": "Day", "3": "Hour", "4": "Minute"}
_WEEK_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TYPES = {"0": "Recurrence", "1": "DataStore"}
_CRON = "Cron"
# Windows names of CLDR's table that the enum of azureml-pipeline-core 1.62 lacks.
_ZONES_UNKNOWN_TO_THE_SDK = frozenset(
    (
        "Magallanes Standard Time",
        "Omsk Standard Time",
        "Qyzylorda Standard Time",
        "Sao Tome Standard Time",
        "Saratov Standard Time",
        "South Sudan Standard Time",
        "Sudan Standard Time",
        "UTC+13",
        "Volgograd Standard Time",
        "Yukon Standard Time",
    )
)
_DEFAULT_POLLING = timedelta(minutes=5)
_DEFAULT_SETTLE = DatastoreChange(datastore="any").settle


def schedule_creation_to(schedule: Schedule, *, for_azure: bool = False) -> Json:
    """ScheduleCreationInfo, with the schedule type as the number that the SDK sends.

    ``for_azure`` leaves our own ``AmlMagics`` out, and raises ``InvalidInput`` for a schedule that needs it: Azure
    would pass over the object without a word and do something else.
    """
    if for_azure:
        _refuse_for_azure(schedule)
    body = _shared_to(schedule, for_azure=for_azure)
    body["ScheduleType"] = "1" if isinstance(schedule.trigger, DatastoreChange) else "0"
    body["PipelineSubmissionInfo"] = without_nulls(body["PipelineSubmissionInfo"])
    additions = _additions_to(schedule)
    if schedule.status is not Status.ACTIVE:
        additions["Status"] = schedule.status.value
    if additions and not for_azure:
        body["AmlMagics"] = additions
    return without_nulls(body)


def schedule_creation_from(request: Mapping[str, Any], *, parameters: Iterable[Parameter] = ()) -> Schedule:
    """The schedule of a ScheduleCreationInfo, with ``id=""``. Raises ``InvalidInput`` naming the field that is wrong.

    ``parameters`` are the pipeline's: they type the values, which are text otherwise.
    """
    body = Body(request, "schedule")
    ours = body.body("AmlMagics")
    status = status_from(ours.optional_text("Status") if ours else None)
    return Schedule(id="", status=status, host=Host.KERNEL, **_shared_from(body, parameters))


def schedule_to(schedule: Schedule) -> Json:
    """PipelineScheduleEntity. Sent as a PUT it replaces what is stored: what it must clear is there as ``null``."""
    body = _shared_to(schedule)
    body |= {
        "Id": schedule.id,
        "ScheduleType": "DataStore" if isinstance(schedule.trigger, DatastoreChange) else "Recurrence",
        "EntityStatus": schedule.status.value,
        "ProvisioningStatus": "Completed",
        "CreatedDate": instant_to(schedule.created),
        "LastModifiedDate": instant_to(schedule.modified),
    }
    additions = _additions_to(schedule)
    if schedule.host is not Host.SERVICE_V1:
        additions["Host"] = schedule.host.value
    if additions:
        body["AmlMagics"] = additions
    return body


def schedule_from(answer: Mapping[str, Any], *, parameters: Iterable[Parameter] = ()) -> Schedule:
    """The schedule of a PipelineScheduleEntity; ``parameters`` as in ``schedule_creation_from``.

    An entity without ``AmlMagics.Host`` is one that Azure's own service hosts.
    """
    body = Body(answer, "schedule")
    ours = body.body("AmlMagics")
    return Schedule(
        id=body.required("Id"),
        status=status_from(body.optional_text("EntityStatus")),
        host=Host(ours.text("Host", Host.SERVICE_V1.value)) if ours else Host.SERVICE_V1,
        created=instant_from(body.optional_text("CreatedDate")),
        modified=instant_from(body.optional_text("LastModifiedDate")),
        **_shared_from(body, parameters),
    )


def schedule_trigger_from(answer: Mapping[str, Any]) -> tuple[Trigger, Missed]:
    """What decides when a PipelineScheduleEntity fires, without reading the rest of it."""
    body = Body(answer, "schedule")
    return _trigger_from(body), _missed_from(body.body("AmlMagics"))


def _shared_to(schedule: Schedule, *, for_azure: bool = False) -> Json:
    trigger = schedule.trigger
    return {
        "Name": schedule.name,
        "PipelineId": schedule.pipeline_id or None,
        "PipelineEndpointId": schedule.endpoint_id or None,
        "PipelineSubmissionInfo": {
            "ExperimentName": schedule.experiment_name,
            "Description": schedule.description,
            "ParameterAssignments": {
                name: parameter_text(value) for name, value in schedule.pipeline_parameters.items()
            },
            "DataPathAssignments": data_paths_to(schedule.data_paths),
            "DataSetDefinitionValueAssignments": {},
            "ContinueRunOnStepFailure": schedule.continue_on_step_failure,
        },
        "Recurrence": None if isinstance(trigger, DatastoreChange) else _recurrence_to(trigger, for_azure),
        "DataStoreTriggerInfo": _change_to(trigger) if isinstance(trigger, DatastoreChange) else None,
    }


def _shared_from(body: Body, parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The fields of ``Schedule`` that a creation and an entity have in common."""
    submission = body.body("PipelineSubmissionInfo") or Body({}, "schedule.PipelineSubmissionInfo")
    ours = body.body("AmlMagics")
    return {
        "name": body.text("Name"),
        "trigger": _trigger_from(body),
        "pipeline_id": body.text("PipelineId"),
        "endpoint_id": body.text("PipelineEndpointId"),
        "experiment_name": submission.text("ExperimentName"),
        "description": submission.text("Description"),
        "pipeline_parameters": typed(submission.texts("ParameterAssignments"), parameters),
        "data_paths": data_paths_from(submission),
        "continue_on_step_failure": submission.boolean("ContinueRunOnStepFailure"),
        "missed": _missed_from(ours),
    }


def _recurrence_to(trigger: Recurrence | Cron, for_azure: bool) -> Json:
    zone = to_windows(trigger.time_zone) if for_azure else _sdk_zone(trigger.time_zone)
    if isinstance(trigger, Cron):
        return {"Frequency": _CRON, "Interval": 1, "TimeZone": zone}
    at = {"Hours": list(trigger.hours), "Minutes": list(trigger.minutes), "WeekDays": list(trigger.week_days)}
    at = {name: values for name, values in at.items() if values}
    return without_nulls(
        {
            "Frequency": trigger.frequency,
            "Interval": trigger.interval,
            "StartTime": wall_to(trigger.start_time),
            # The SDK itself leaves the zone out when there is no start time and none was given.
            "TimeZone": zone if trigger.start_time or trigger.time_zone != "UTC" else None,
            "Schedule": at or None,
        }
    )


def _change_to(trigger: DatastoreChange) -> Json:
    return without_nulls(
        {
            "DataStoreName": trigger.datastore,
            "PollingInterval": max(1, math.ceil(trigger.polling_interval / timedelta(minutes=1))),
            "DataPathParameterName": trigger.data_path_parameter_name,
            "PathOnDataStore": trigger.path_on_datastore or None,
        }
    )


def _additions_to(schedule: Schedule) -> Json:
    """What v1 cannot say about this schedule."""
    trigger = schedule.trigger
    additions: Json = {}
    if schedule.missed is not Missed.SKIP:
        additions["Missed"] = schedule.missed.value
    if isinstance(trigger, Cron):
        additions["Cron"] = without_nulls(
            {
                "Expression": trigger.expression,
                "StartTime": wall_to(trigger.start_time),
                "TimeZone": trigger.time_zone,
            }
        )
    elif isinstance(trigger, Recurrence):
        if _sdk_zone(trigger.time_zone) != trigger.time_zone:
            additions["TimeZone"] = trigger.time_zone
    else:
        additions |= _change_additions_to(trigger)
    return additions


def _change_additions_to(trigger: DatastoreChange) -> Json:
    additions: Json = {}
    if trigger.polling_interval % timedelta(minutes=1) or trigger.polling_interval < timedelta(minutes=1):
        additions["PollingSeconds"] = trigger.polling_interval.total_seconds()
    if trigger.settle != _DEFAULT_SETTLE:
        additions["SettleSeconds"] = trigger.settle.total_seconds()
    if trigger.recursive:
        additions["Recursive"] = True
    if trigger.per != trigger.default_per:
        additions["Per"] = trigger.per
    if trigger.pattern is not None:
        additions["Pattern"] = trigger.pattern
    if trigger.min_size:
        additions["MinSize"] = trigger.min_size
    if trigger.on != trigger.default_on:
        additions["On"] = list(trigger.on)
    if trigger.max_runs_per_poll is not None:
        additions["MaxRunsPerPoll"] = trigger.max_runs_per_poll
    if trigger.append_only:
        additions["AppendOnly"] = True
    return additions


def _trigger_from(body: Body) -> Trigger:
    kind = body.text("ScheduleType")
    kind = _TYPES.get(kind, kind)
    ours = body.body("AmlMagics") or Body({}, "schedule.AmlMagics")
    change = body.body("DataStoreTriggerInfo")
    recurrence = body.body("Recurrence")
    if not kind:
        kind = "DataStore" if change is not None else "Recurrence"
    if kind.casefold() == "datastore":
        if change is None or not change.text("DataStoreName"):
            message = "schedule: it has neither a recurrence nor a datastore"
            raise InvalidInput(message, hint="Give it a recurrence (or cron), or the datastore to watch.")
        return _change_from(change, ours)
    if kind.casefold() != "recurrence":
        message = f"schedule.ScheduleType: {kind!r} is no schedule type"
        raise InvalidInput(message, hint="Known: Recurrence, DataStore.")
    cron = ours.body("Cron")
    if cron is not None:
        return _cron_from(cron)
    if recurrence is None:
        message = "schedule: ScheduleType is Recurrence and there is no Recurrence"
        raise InvalidInput(message, hint="Give it a frequency and an interval.")
    return _recurrence_from(recurrence, ours)


def _cron_from(cron: Body) -> Cron:
    return Cron(
        expression=cron.text("Expression"),
        time_zone=cron.text("TimeZone", "UTC"),
        start_time=wall_from(cron.optional_text("StartTime")),
    )


def _recurrence_from(body: Body, ours: Body) -> Recurrence:
    frequency = body.text("Frequency")
    interval = body.integer("Interval")
    at = body.body("Schedule") or Body({}, "Schedule")
    return Recurrence(
        frequency=_FREQUENCIES.get(frequency, frequency),
        interval=1 if interval is None else interval,
        start_time=wall_from(body.optional_text("StartTime")),
        time_zone=ours.optional_text("TimeZone") or body.text("TimeZone", "UTC"),
        hours=_whole_numbers(at, "Hours"),
        minutes=_whole_numbers(at, "Minutes"),
        week_days=tuple(_week_day(str(day)) for day in at.values("WeekDays")),
    )


def _change_from(body: Body, ours: Body) -> DatastoreChange:
    minutes = body.integer("PollingInterval")
    seconds = ours.number("PollingSeconds")
    settle = ours.number("SettleSeconds")
    polling = _DEFAULT_POLLING if minutes is None else _duration("PollingInterval", minutes * 60)
    return DatastoreChange(
        datastore=body.text("DataStoreName"),
        path_on_datastore=body.text("PathOnDataStore").strip("/"),
        polling_interval=polling if seconds is None else _duration("PollingSeconds", seconds),
        data_path_parameter_name=body.optional_text("DataPathParameterName") or None,
        recursive=bool(ours.boolean("Recursive")),
        per=ours.text("Per"),
        settle=_DEFAULT_SETTLE if settle is None else _duration("SettleSeconds", settle),
        pattern=ours.optional_text("Pattern") or None,
        min_size=ours.integer("MinSize") or 0,
        on=tuple(ours.values("On")),
        max_runs_per_poll=ours.integer("MaxRunsPerPoll"),
        append_only=bool(ours.boolean("AppendOnly")),
    )


def _duration(name: str, seconds: float) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        message = f"schedule.{name}: {seconds:g} seconds is too long"
        raise InvalidInput(message) from None


def _whole_numbers(body: Body, name: str) -> tuple[int, ...]:
    numbers = []
    for value in body.values(name):
        number = Body({name: value}, body.what).integer(name)
        numbers.append(0 if number is None else number)
    return tuple(numbers)


def _week_day(text: str) -> str:
    return _WEEK_DAYS[int(text)] if text in ("0", "1", "2", "3", "4", "5", "6") else text


def _missed_from(ours: Body | None) -> Missed:
    word = ours.optional_text("Missed") if ours else None
    if not word:
        return Missed.SKIP
    try:
        return Missed(word.casefold())
    except ValueError:
        message = f"schedule.missed: {word!r} is not one of its words"
        raise InvalidInput(message, hint=did_you_mean(word, Missed)) from None


def _refuse_for_azure(schedule: Schedule) -> None:
    needs = list(schedule.trigger.needs_kernel())
    if schedule.status is not Status.ACTIVE:
        needs.append("status: Disabled at birth")
    if schedule.missed is not Missed.SKIP:
        needs.append(f"missed: {schedule.missed.value}")
    if needs:
        message = f"schedule {schedule.name!r}: Azure's service has no {', '.join(needs)}"
        raise InvalidInput(message, hint="Leave that out, or host the schedule in this kernel.")


def _sdk_zone(name: str) -> str:
    """A Windows name that the SDK knows; ``UTC`` where it knows none (the true name travels beside it)."""
    try:
        windows = to_windows(name)
    except InvalidInput:
        return "UTC"
    return "UTC" if windows in _ZONES_UNKNOWN_TO_THE_SDK else windows
