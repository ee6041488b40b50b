"""What a definition must be for every part of it to run here: checked whole, before anything runs.

Data Factory checks the same when a pipeline is published; beyond that, what only Azure can do (a Copy, a Databricks
notebook) is refused by its name here, rather than skipped. The first thing that is wrong is told, except that all the
activities that cannot run are told together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.words import listed
from aml_magics.workflows.data_factory.control import MOST_AT_ONCE
from aml_magics.workflows.data_factory.definition import Activity, Factory, Pipeline
from aml_magics.workflows.data_factory.dependencies import cycle
from aml_magics.workflows.data_factory.leaves import Web
from aml_magics.workflows.data_factory.references import Known, check_expressions
from aml_magics.workflows.data_factory.values import PARAMETER_TYPES, VARIABLE_TYPES, of_type

__all__ = ["check"]

_MOST_CASES = 25
_LOOPS = ("ForEach", "Until")
_CHOICES = ("IfCondition", "Switch")
# For each type what its typeProperties must have, and what they may.
_PROPERTIES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "AzureMLExecutePipeline": (
        (),
        (
            "mlPipelineId",
            "mlPipelineEndpointId",
            "version",
            "experimentName",
            "mlPipelineParameters",
            "dataPathAssignments",
            "mlParentRunId",
            "continueOnStepFailure",
        ),
    ),
    "SetVariable": (("variableName", "value"), ()),
    "AppendVariable": (("variableName", "value"), ()),
    "Wait": (("waitTimeInSeconds",), ()),
    "IfCondition": (("expression",), ("ifTrueActivities", "ifFalseActivities")),
    "ForEach": (("items", "activities"), ("isSequential", "batchCount")),
    "Switch": (("on",), ("cases", "defaultActivities")),
    "Until": (("expression", "activities"), ("timeout",)),
    "Filter": (("items", "condition"), ()),
    "Fail": (("message", "errorCode"), ()),
    "ExecutePipeline": (("pipeline",), ("waitOnCompletion", "parameters")),
    "WebActivity": (("url", "method"), ("headers", "body", "authentication")),  # the workspace has a sign-in of its own
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a pipeline: what its activities may refer to, and what is around them."""

    pipeline: Pipeline
    known: Known
    around: tuple[str, ...] = ()  # the types of the activities around, the outermost first

    def inside(self, activity: Activity, before: frozenset[str]) -> _Place:
        known = replace(
            self.known,
            activities=self.known.activities | before,
            has_item=self.known.has_item or activity.type == "ForEach",
        )
        return replace(self, known=known, around=(*self.around, activity.type))


def check(factory: Factory, name: str, web: Web) -> None:
    """Check a pipeline, and those that it executes. Raises ``InvalidInput``."""
    reached = _reached(factory, name, ())
    for pipeline in reached:
        _check_types(pipeline, web)
    for pipeline in reached:
        _check_declared(pipeline)
        known = Known(frozenset(), frozenset(pipeline.variables), frozenset(pipeline.parameters))
        _check_names(pipeline)
        _check_level(pipeline.activities, _Place(pipeline, known))


def _reached(factory: Factory, name: str, path: tuple[str, ...]) -> list[Pipeline]:
    """The pipeline and all that it executes. Raises for one that is not there, and for a circle."""
    if name in path:
        circle = " -> ".join((*path[path.index(name) :], name))
        raise InvalidInput(f"pipelines execute each other in a circle: {circle}", hint="Data Factory refuses that too.")
    pipeline = factory.pipeline(name)
    found = {pipeline.name: pipeline}
    for activity in pipeline.all_activities():
        if activity.type == "ExecutePipeline":
            for each in _reached(factory, _referenced(pipeline, activity), (*path, name)):
                found[each.name] = each
    return list(found.values())


def _referenced(pipeline: Pipeline, activity: Activity) -> str:
    reference = activity.properties.get("pipeline")
    name = reference.get("referenceName") if isinstance(reference, Mapping) else None
    if not isinstance(name, str):
        hint = 'Write "pipeline": {"referenceName": "NAME", "type": "PipelineReference"}.'
        raise InvalidInput(f"{_at(pipeline, activity)} names no pipeline", hint=hint)
    return name


def _check_types(pipeline: Pipeline, web: Web) -> None:
    strange = [one for one in pipeline.all_activities() if one.type not in _PROPERTIES and not one.inactive_as]
    if strange:
        named = listed([f"{one.name!r} ({one.type})" for one in strange])
        known = did_you_mean(strange[0].type, _PROPERTIES)
        hint = known if known.startswith("Did") else f"These do: {', '.join(sorted(_PROPERTIES))}."
        message = f"pipeline {pipeline.name!r}: what does not run here: {named}; nothing was run"
        raise InvalidInput(message, hint=hint)
    for one in pipeline.all_activities():
        url = one.properties.get("url")
        is_known = one.type == "WebActivity" and isinstance(url, str) and "@" not in url
        reason = web.refusal(str(url)) if is_known and not one.inactive_as else ""
        if reason:
            hint = 'Deactivate it to go on without it: "state": "Inactive".'
            raise InvalidInput(f"{_at(pipeline, one)} (WebActivity) does not run here: {reason}", hint=hint)


def _check_declared(pipeline: Pipeline) -> None:
    for what, declared, types in (
        ("parameter", pipeline.parameters, PARAMETER_TYPES),
        ("variable", pipeline.variables, VARIABLE_TYPES),
    ):
        for name, one in declared.items():
            where = f"pipeline {pipeline.name!r}, {what} {name!r}"
            if one.type.casefold() not in {known.casefold() for known in types}:
                raise InvalidInput(f"{where}: {one.type!r} is no type", hint=did_you_mean(one.type, types))
            if one.has_default:
                of_type(one, one.default, where)


def _check_names(pipeline: Pipeline) -> None:
    names = [one.name for one in pipeline.all_activities()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        message = f"pipeline {pipeline.name!r} has two activities called {twice!r}"
        raise InvalidInput(message, hint="Names are unique in a pipeline, inner activities included.")


def _check_level(activities: Sequence[Activity], place: _Place) -> None:
    """Activities that know each other: of a pipeline, or of one branch."""
    names = [one.name for one in activities]
    for one in activities:
        for dependency in one.depends_on:
            if dependency.activity not in names:
                message = f"{_at(place.pipeline, one)} depends on {dependency.activity!r}, which is not beside it"
                raise InvalidInput(message, hint=did_you_mean(dependency.activity, set(names) - {one.name}))
    circle = cycle(activities)
    if circle:
        message = f"pipeline {place.pipeline.name!r}: activities wait for each other: {' -> '.join(circle)}"
        raise InvalidInput(message, hint="Take one of these out of dependsOn.")
    for one in activities:
        _check_activity(one, place, _before(one, activities))


def _before(activity: Activity, activities: Iterable[Activity]) -> frozenset[str]:
    """All that an activity depends on, however far back."""
    by_name = {one.name: one for one in activities}
    found: set[str] = set()
    left = [activity]
    while left:
        for dependency in left.pop().depends_on:
            if dependency.activity not in found:
                found.add(dependency.activity)
                left.append(by_name[dependency.activity])
    return frozenset(found)


def _check_activity(activity: Activity, place: _Place, before: frozenset[str]) -> None:
    if activity.inactive_as:
        return
    where = _at(place.pipeline, activity)
    required, optional = _PROPERTIES[activity.type]
    for name in required:
        if name not in activity.properties:
            raise InvalidInput(f"{where} ({activity.type}) has no {name}", hint="Add it to its typeProperties.")
    for name in activity.properties:
        if name not in (*required, *optional):
            message = f"{where} ({activity.type}): {name!r} is nothing that runs here"
            raise InvalidInput(message, hint=did_you_mean(name, (*required, *optional)))
    _check_nesting(activity, place.around, where)
    _CHECKS.get(activity.type, _nothing)(activity, place.pipeline, where)
    check_expressions(_own_values(activity), _known_to(activity, place, before), where)
    for branch in activity.branches.values():
        _check_level(branch, place.inside(activity, before))


def _known_to(activity: Activity, place: _Place, before: frozenset[str]) -> Known:
    """What the activity's own expressions may name. An Until asks after each pass, so it sees what is inside."""
    known = place.known
    inside = frozenset(one.name for branch in activity.branches.values() for one in branch)
    is_setting = activity.type == "SetVariable"
    return replace(
        known,
        activities=known.activities | before | (inside if activity.type == "Until" else frozenset()),
        has_item=known.has_item or activity.type == "Filter",
        being_set=activity.properties["variableName"] if is_setting else "",
    )


def _own_values(activity: Activity) -> dict[str, Any]:
    """What the activity itself evaluates: not what is inside."""
    inner = {"activities", "ifTrueActivities", "ifFalseActivities", "defaultActivities", "cases"}
    own = {name: value for name, value in activity.properties.items() if name not in inner}
    return own | {"policy.timeout": activity.policy.timeout, "policy.retry": activity.policy.retry}


def _check_nesting(activity: Activity, around: Sequence[str], where: str) -> None:
    is_wrong = (activity.type in _LOOPS and around) or (
        activity.type in _CHOICES and any(one in _CHOICES for one in around)
    )
    if is_wrong:
        message = f"{where}: Data Factory takes no {activity.type} inside of {around[-1]}"
        raise InvalidInput(message, hint="Put it into a pipeline of its own, and start that with ExecutePipeline.")


def _check_ml(activity: Activity, _pipeline: Pipeline, where: str) -> None:
    given = [name for name in ("mlPipelineId", "mlPipelineEndpointId") if activity.properties.get(name)]
    if len(given) != 1:
        message = f"{where} needs one of mlPipelineId and mlPipelineEndpointId, and has {len(given)}"
        raise InvalidInput(message, hint="%aml pipeline list shows the ids.")
    if not activity.properties.get("experimentName"):
        hint = "Add experimentName: the pipelines service starts no run without one."
        raise InvalidInput(f"{where} names no experiment", hint=hint)
    for name in ("mlPipelineParameters", "dataPathAssignments"):
        value = activity.properties.get(name, {})
        if not isinstance(value, Mapping) and not (isinstance(value, str) and value.startswith("@")):
            raise InvalidInput(f"{where}: {name} is an object", hint="Write a value for each name.")


def _check_variable(activity: Activity, pipeline: Pipeline, where: str) -> None:
    name = activity.properties["variableName"]
    if not isinstance(name, str) or name not in pipeline.variables:
        hint = did_you_mean(str(name), pipeline.variables) or 'Declare it below "variables".'
        raise InvalidInput(f"{where}: there is no variable {name!r}", hint=hint)
    declared = pipeline.variables[name]
    if activity.type == "AppendVariable" and declared.type.casefold() != "array":
        message = f"{where}: the variable {name!r} is declared as {declared.type}"
        raise InvalidInput(message, hint="AppendVariable goes with an Array.")


def _check_loop(activity: Activity, _pipeline: Pipeline, where: str) -> None:
    if not activity.branches["activities"]:
        raise InvalidInput(f"{where} has no activities inside", hint='Write them below "activities".')
    count = activity.properties.get("batchCount", 1)
    if isinstance(count, int) and not 1 <= count <= MOST_AT_ONCE:
        raise InvalidInput(f"{where}: batchCount {count} is out of range", hint=f"It takes 1 to {MOST_AT_ONCE}.")


def _check_switch(activity: Activity, _pipeline: Pipeline, where: str) -> None:
    cases = activity.properties.get("cases") or []
    if len(cases) > _MOST_CASES:
        raise InvalidInput(f"{where} has {len(cases)} cases", hint=f"Data Factory takes {_MOST_CASES}.")


def _check_web(activity: Activity, _pipeline: Pipeline, where: str) -> None:
    headers = activity.properties.get("headers") or {}
    for name in headers if isinstance(headers, Mapping) else ("headers",):
        if str(name).casefold() != "content-type":
            message = f"{where}: the header {name!r} is nothing that is sent from here"
            raise InvalidInput(message, hint="Content-Type may stand there; the workspace has a sign-in of its own.")


def _nothing(activity: Activity, pipeline: Pipeline, where: str) -> None:
    del activity, pipeline, where


_CHECKS = {
    "AzureMLExecutePipeline": _check_ml,
    "SetVariable": _check_variable,
    "AppendVariable": _check_variable,
    "ForEach": _check_loop,
    "Until": _check_loop,
    "Switch": _check_switch,
    "WebActivity": _check_web,
}


def _at(pipeline: Pipeline, activity: Activity) -> str:
    return f"pipeline {pipeline.name!r}, activity {activity.name!r}"
