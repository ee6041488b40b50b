"""A Data Factory pipeline and its triggers as values, read from Data Factory's JSON.

``{"name", "properties": {"parameters", "variables", "activities"}}``, with ``properties`` around or without. Only the
form is read here: names, kinds, lists where lists belong. Whether it can run is ``checks``' business. Values that may
hold expressions stay as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.wire.casing import Body

__all__ = [
    "Activity",
    "Declared",
    "Dependency",
    "Factory",
    "Pipeline",
    "Policy",
    "Trigger",
    "TriggeredPipeline",
    "read_factory",
    "read_pipeline",
    "read_trigger",
]

_CONDITIONS = ("Succeeded", "Failed", "Skipped", "Completed")
_MARKS = ("Succeeded", "Failed", "Skipped")
_BRANCHES = {
    "IfCondition": ("ifTrueActivities", "ifFalseActivities"),
    "ForEach": ("activities",),
    "Until": ("activities",),
    "Switch": ("defaultActivities",),
}


@dataclass(frozen=True, slots=True)
class Dependency:
    """An activity runs when ``activity`` ended in one of the ``conditions``."""

    activity: str
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``timeout`` and ``retry`` may be expressions; the interval is in seconds."""

    timeout: Any = "0.12:00:00"
    retry: Any = 0
    retry_interval: float = 30.0
    secure_input: bool = False
    secure_output: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """``branches`` are the inner activities of one that has some, by the name of the branch (``case red``).

    ``inactive_as`` is the status that a deactivated one is given without running; empty for an active one.
    """

    name: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[Dependency, ...] = ()
    policy: Policy = field(default_factory=Policy)
    user_properties: Mapping[str, Any] = field(default_factory=dict)
    branches: Mapping[str, tuple[Activity, ...]] = field(default_factory=dict)
    inactive_as: str = ""
    linked_service: str = ""

    def with_inner(self) -> Iterator[Activity]:
        """Itself and everything inside."""
        yield self
        for branch in self.branches.values():
            for inner in branch:
                yield from inner.with_inner()


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter or a variable: its type as it is written, and its default, if it has one."""

    type: str
    default: Any = None
    has_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    name: str
    activities: tuple[Activity, ...]
    parameters: Mapping[str, Declared] = field(default_factory=dict)
    variables: Mapping[str, Declared] = field(default_factory=dict)
    concurrency: int | None = None

    def all_activities(self) -> Iterator[Activity]:
        """Those inside others too."""
        for activity in self.activities:
            yield from activity.with_inner()


@dataclass(frozen=True, slots=True)
class TriggeredPipeline:
    """What a trigger starts, and the values (expressions, mostly) of its parameters."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    name: str
    type: str
    properties: Mapping[str, Any]
    pipelines: tuple[TriggeredPipeline, ...]


@dataclass(frozen=True, slots=True)
class Factory:
    """What one file or exported folder holds: pipelines and triggers by name.

    ``datastore`` is the one that an export watches; empty when the definition does not say.
    """

    name: str
    pipelines: Mapping[str, Pipeline]
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    datastore: str = ""

    def pipeline(self, name: str = "") -> Pipeline:
        """The pipeline of that name, or the only one. Raises ``InvalidInput``."""
        if not name and len(self.pipelines) == 1:
            return next(iter(self.pipelines.values()))
        if name in self.pipelines:
            return self.pipelines[name]
        message = (
            f"{self.name} has no pipeline {name!r}" if name else f"{self.name} has {len(self.pipelines)} pipelines"
        )
        raise InvalidInput(message, hint=did_you_mean(name, self.pipelines))

    def trigger(self, name: str) -> Trigger:
        """The trigger of that name. Raises ``InvalidInput`` with the nearest."""
        if name in self.triggers:
            return self.triggers[name]
        hint = did_you_mean(name, self.triggers) or "It has none; leave --trigger out to run the pipeline once."
        raise InvalidInput(f"{self.name} has no trigger {name!r}", hint=hint)


def read_factory(
    name: str, pipelines: Mapping[str, Any], triggers: Mapping[str, Any], *, datastore: str = ""
) -> Factory:
    """Pipelines and triggers by name, each as its JSON. Raises ``InvalidInput`` that names the place."""
    return Factory(
        name,
        {key: read_pipeline(value, key) for key, value in pipelines.items()},
        {key: read_trigger(value, key) for key, value in triggers.items()},
        datastore,
    )


def read_pipeline(value: object, name: str = "") -> Pipeline:
    """One pipeline. Raises ``InvalidInput`` that names the place."""
    outer = Body(value, f"pipeline {name!r}" if name else "pipeline")
    name = name or outer.text("name", "pipeline")
    body = outer.body("properties") or outer
    body.what = f"pipeline {name!r}"
    if "activities" not in body:
        raise InvalidInput(f"{body.what} has no activities", hint='Write "activities": [...] below its properties.')
    return Pipeline(
        name=name,
        activities=_activities(body, "activities", body.what),
        parameters=_declared(body, "parameters"),
        variables=_declared(body, "variables"),
        concurrency=body.integer("concurrency"),
    )


def read_trigger(value: object, name: str = "") -> Trigger:
    """One trigger. Raises ``InvalidInput`` that names the place."""
    outer = Body(value, f"trigger {name!r}" if name else "trigger")
    name = name or outer.required("name")
    body = outer.body("properties") or outer
    body.what = f"trigger {name!r}"
    references = body.bodies("pipelines") + [one for one in [body.body("pipeline")] if one]
    return Trigger(
        name=name,
        type=body.required("type"),
        properties=body.mapping("typeProperties"),
        pipelines=tuple(_triggered(one) for one in references),
    )


def _triggered(body: Body) -> TriggeredPipeline:
    reference = body.body("pipelineReference")
    if reference is None:
        raise InvalidInput(f"{body.what} has no pipelineReference", hint='Write {"referenceName": "NAME"}.')
    return TriggeredPipeline(reference.required("referenceName"), body.mapping("parameters"))


def _declared(body: Body, name: str) -> dict[str, Declared]:
    found = {}
    for key, value in body.mapping(name).items():
        one = Body(value, f"{body.what}, {name[:-1]} {key!r}")
        found[key] = Declared(one.text("type", "String"), one.get("defaultValue"), "defaultValue" in one)
    return found


def _activities(body: Body, name: str, where: str) -> tuple[Activity, ...]:
    """The list of activities under that name."""
    return tuple(_activity(Body(item, f"{where}, {name}[{at}]"), where) for at, item in enumerate(body.values(name)))


def _activity(body: Body, where: str) -> Activity:
    name = body.required("name")
    body.what = f"{where}, activity {name!r}"
    kind = body.required("type")
    properties = body.body("typeProperties") or Body({}, body.what)
    properties.what = body.what
    service = body.body("linkedServiceName")
    return Activity(
        name=name,
        type=kind,
        properties=body.mapping("typeProperties"),
        depends_on=tuple(_dependency(one) for one in body.bodies("dependsOn")),
        policy=_policy(body),
        user_properties={one.required("name"): one.get("value") for one in body.bodies("userProperties")},
        branches=_branches(kind, properties, where),
        inactive_as=_inactive_as(body),
        linked_service=service.text("referenceName") if service else "",
    )


def _dependency(body: Body) -> Dependency:
    conditions = tuple(str(one) for one in body.values("dependencyConditions")) or ("Succeeded",)
    for one in conditions:
        if one not in _CONDITIONS:
            message = f"{body.what}: {one!r} is no dependency condition"
            raise InvalidInput(message, hint=did_you_mean(one, _CONDITIONS))
    return Dependency(body.required("activity"), conditions)


def _policy(body: Body) -> Policy:
    found = body.body("policy")
    if found is None:
        return Policy()
    default = Policy()
    interval = found.number("retryIntervalInSeconds")
    return Policy(
        timeout=found.get("timeout") or default.timeout,
        retry=found.get("retry") or 0,
        retry_interval=default.retry_interval if interval is None else interval,
        secure_input=bool(found.boolean("secureInput")),
        secure_output=bool(found.boolean("secureOutput")),
    )


def _inactive_as(body: Body) -> str:
    if body.text("state", "Active") != "Inactive":
        return ""
    mark = body.text("onInactiveMarkAs", "Succeeded")
    if mark not in _MARKS:
        raise InvalidInput(f"{body.what}: onInactiveMarkAs {mark!r} is no status", hint=did_you_mean(mark, _MARKS))
    return mark


def _branches(kind: str, properties: Body, where: str) -> dict[str, tuple[Activity, ...]]:
    branches = {name: _activities(properties, name, where) for name in _BRANCHES.get(kind, ())}
    if kind == "Switch":
        for case in properties.bodies("cases"):
            branches[f"case {case.text('value')}"] = _activities(case, "activities", where)
    return branches
