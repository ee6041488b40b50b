"""What creating a schedule would do: the schedule as it would be made, and what becomes of those of the same name.

Everything that can be wrong is found here, before anything is sent, so a plan that could be made can be carried out
(unless somebody changes the workspace in between). ``create`` is a plan and its execution; a dry run is the plan
alone.

Running the same cell again must make no duplicate: an active schedule of that name which is the same is left as it
is. "The same" is decided on what the wire can carry, so that a zone which travels under another name is no
difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeVar

from aml_magics.client.finding import find_pipeline
from aml_magics.client.fitting import (
    check_in_use,
    fit_data_path_parameter,
    fit_data_paths,
    fit_parameters,
    split_data_paths,
)
from aml_magics.client.names import check_experiment_name, check_flag, check_text, named
from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import DataPath, Host, Missed, Schedule, Status
from aml_magics.model.triggers import DatastoreChange, Trigger
from aml_magics.wire.v1 import schedule_creation_from, schedule_creation_to

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.model.resources import ParameterValue, Pipeline

__all__ = ["IfExists", "Request", "SchedulePlan", "carry_out", "differences", "make_plan"]

IfExists = Literal["error", "replace", "skip"]
Action = Literal["create", "unchanged", "replace", "skip"]

W = TypeVar("W", bound=StrEnum)

_COMPARED = (
    "pipeline_id",
    "endpoint_id",
    "experiment_name",
    "description",
    "status",
    "pipeline_parameters",
    "data_paths",
    "continue_on_step_failure",
    "missed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What ``schedules.create`` was asked for, before names are looked up."""

    name: str
    pipeline: str | Pipeline
    trigger: Trigger
    experiment_name: str | None = None
    description: str = ""
    pipeline_parameters: Mapping[str, ParameterValue | DataPath] = field(default_factory=dict)
    data_paths: Mapping[str, DataPath | str] = field(default_factory=dict)
    continue_on_step_failure: bool | None = None
    status: str = Status.ACTIVE
    missed: str = Missed.SKIP
    if_exists: IfExists = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePlan:
    """``action`` says what ``create`` would do with ``schedule``.

    ``create``: make it. ``replace``: make it unless it has an id, then disable ``existing``. ``unchanged`` and
    ``skip``: nothing; ``schedule`` is the one that is there, with ``skip`` a different one. ``differences`` has one
    text for each thing that differs from the newest of ``existing``: ``interval: 15 -> 30``.
    """

    action: Action
    schedule: Schedule
    pipeline: Pipeline
    existing: tuple[Schedule, ...] = ()
    differences: tuple[str, ...] = ()


async def make_plan(client: WorkspaceClient, request: Request) -> SchedulePlan:
    """Look everything up and check it. Raises ``NotFound``, ``InvalidInput`` or ``Conflict``; changes nothing."""
    pipeline = await find_pipeline(client, request.pipeline)
    check_in_use(pipeline)
    wanted = await _wanted(client, request, pipeline)
    same_name = await client.read_listed(named(wanted.name, await client.listed_schedules()))
    active = tuple(schedule for schedule in same_name if schedule.status is Status.ACTIVE)
    # Made disabled, it is found again disabled.
    candidates = active or tuple(same_name if wanted.status is Status.DISABLED else ())
    same = [schedule for schedule in candidates if not differences(schedule, wanted, ours=client.is_embedded)]
    if same and (len(active) < 2 or request.if_exists != "replace"):
        return SchedulePlan(action="unchanged", schedule=same[0], pipeline=pipeline, existing=(same[0],))
    if not active:
        return SchedulePlan(action="create", schedule=wanted, pipeline=pipeline)
    if same:  # a replacement that was interrupted: the new one is there, an old one still active
        others = tuple(schedule for schedule in active if schedule.id != same[0].id)
        found = await _told_differences(client, others[0], wanted, pipeline)
        return SchedulePlan(action="replace", schedule=same[0], pipeline=pipeline, existing=others, differences=found)
    found = await _told_differences(client, active[0], wanted, pipeline)
    if request.if_exists == "error":
        message = f"an active schedule {request.name!r} is there and differs: {'; '.join(found)}"
        hint = "Replace it with --if-exists replace (if_exists='replace'), keep it with skip, or take another name."
        raise Conflict(message, hint=hint)
    if request.if_exists == "skip":
        return SchedulePlan(action="skip", schedule=active[0], pipeline=pipeline, existing=active, differences=found)
    return SchedulePlan(action="replace", schedule=wanted, pipeline=pipeline, existing=active, differences=found)


async def carry_out(client: WorkspaceClient, plan: SchedulePlan) -> Schedule:
    """Do what the plan says and return the schedule that counts now.

    A replacement makes the new one first and disables the old one then. The other way round, a failure in between would
    leave none, and nobody sees a schedule that is not there; this way it leaves two, which is an error that names both.
    """
    if plan.action in ("unchanged", "skip"):
        return plan.schedule
    made = plan.schedule if plan.schedule.id else await client.create_schedule(plan.schedule)
    for old in plan.existing:
        try:
            await client.set_schedule_status(old.id, Status.DISABLED)
        except AmlError as error:
            message = (
                f"the new schedule {made.name!r} ({made.id}) is active, but so is still the old one ({old.id}): {error}"
            )
            raise Conflict(message, hint=f"Disable the old one: %aml schedule disable {old.id}") from error
    return made


def differences(old: Schedule, new: Schedule, *, ours: bool = True) -> tuple[str, ...]:
    """What differs, one text for each: ``interval: 15 -> 30``. Ids and dates do not count.

    ``ours``: both are of a workspace of this package, and what v1 has no words for counts too.
    """
    old, new = _as_carried(old, ours=ours), _as_carried(new, ours=ours)
    found = _trigger_differences(old.trigger, new.trigger)
    for name in _COMPARED:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, Mapping):
            keys = sorted(before.keys() | after.keys())
            found += [_difference(f"{name}.{key}", before.get(key), after.get(key)) for key in keys]
        else:
            found.append(_difference(name, before, after))
    return tuple(filter(None, found))


async def _told_differences(
    client: WorkspaceClient, old: Schedule, new: Schedule, pipeline: Pipeline
) -> tuple[str, ...]:
    """``differences``, with the pipelines by name: two ids say nothing to a person who wrote one name twice."""
    found = differences(old, new, ours=client.is_embedded)
    if old.pipeline_id == new.pipeline_id or old.endpoint_id:
        return found
    try:
        before = await client.pipeline(old.pipeline_id)
    except NotFound:
        return found
    if before.name != pipeline.name:
        words = f"pipeline: {before.name} -> {pipeline.name}"
    elif before.created and pipeline.created and before.created > pipeline.created:
        words = f"another publication of pipeline {pipeline.name!r}: {before.id} -> {pipeline.id}"
    else:
        words = f"pipeline {pipeline.name!r} was published again since"
    by_id = _difference("pipeline_id", old.pipeline_id, new.pipeline_id)
    return tuple(words if text == by_id else text for text in found)


async def _wanted(client: WorkspaceClient, request: Request, pipeline: Pipeline) -> Schedule:
    trigger = request.trigger
    filled_by_trigger = None
    values, paths = split_data_paths(request.pipeline_parameters, request.data_paths, called="pipeline_parameters")
    datastores: list[str] | None = None
    if paths or isinstance(trigger, DatastoreChange):
        datastores = [datastore.name for datastore in await client.datastores()]
    if isinstance(trigger, DatastoreChange):
        filled_by_trigger = trigger.data_path_parameter_name
        fit_data_path_parameter(pipeline, filled_by_trigger)
        if datastores is not None and trigger.datastore not in datastores:
            message = f"datastore: there is no datastore {trigger.datastore!r}"
            raise NotFound(message, hint=did_you_mean(trigger.datastore, datastores))
    wanted = Schedule(
        id="",
        name=_checked_name(request.name),
        trigger=trigger,
        pipeline_id=pipeline.id,
        experiment_name=check_experiment_name(request.experiment_name or pipeline.name),
        description=check_text("description", request.description),
        status=_word("status", request.status, Status),
        pipeline_parameters=fit_parameters(pipeline, values),
        data_paths=fit_data_paths(pipeline, paths, datastores, filled_by_trigger=filled_by_trigger),
        continue_on_step_failure=check_flag("continue_on_step_failure", request.continue_on_step_failure),
        missed=_word("missed", request.missed, Missed),
        host=Host.KERNEL if client.is_embedded else Host.SERVICE_V1,
    )
    if wanted.status is Status.DEPRECATED:
        message = "status: a new schedule cannot be Deprecated"
        raise InvalidInput(message, hint="Active or Disabled.")
    schedule_creation_to(wanted, for_azure=not client.is_embedded)  # refuses by name what Azure cannot host
    return wanted


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        message = f"name: {name!r} cannot be a schedule's name"
        raise InvalidInput(message, hint="Give it some text on one line.")
    return name.strip()


def _word(what: str, value: str, kind: type[W]) -> W:
    """The member of an enumeration, its case aside."""
    for member in kind:
        if str(value).casefold() == member.value.casefold():
            return member
    message = f"{what}: {value!r} is not one of its words"
    raise InvalidInput(message, hint=did_you_mean(str(value), [member.value for member in kind]))


def _as_carried(schedule: Schedule, *, ours: bool) -> Schedule:
    """The schedule as the other end reads it; parameter values are text, because that is what they are on the wire."""
    body = schedule_creation_to(schedule)
    if not ours:
        body.pop("AmlMagics", None)
    return replace(schedule_creation_from(body), status=schedule.status)


def _trigger_differences(old: Trigger, new: Trigger) -> list[str]:
    if type(old) is not type(new):
        return [f"trigger: {old.in_words()} -> {new.in_words()}"]
    return [_difference(field.name, getattr(old, field.name), getattr(new, field.name)) for field in fields(old)]


def _difference(name: str, before: object, after: object) -> str:
    return "" if before == after else f"{name}: {_shown(before)} -> {_shown(after)}"


def _shown(value: object) -> str:
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)
