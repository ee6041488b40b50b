"""A workflow read into values: parameters, triggers, and actions with those inside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aml_magics.export.check import check_definition
from aml_magics.export.definitions import LogicAppDefinition
from aml_magics.model.errors import InvalidInput

__all__ = ["Action", "Trigger", "Workflow", "all_actions", "read_workflow"]

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """``concurrency`` is how many of its runs there may be at a time, 0: any number."""

    name: str
    type: str
    recurrence: Mapping[str, Json]
    inputs: Mapping[str, Json]
    conditions: tuple[str, ...] = ()
    split_on: str = ""
    concurrency: int = 0
    metadata: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """``branches`` are the actions inside, by the name of each level: ``actions``, ``else``, ``default``, ``case X``.

    ``run_after`` has for each action before it the results with which it goes on; ``properties`` is all of it.
    """

    name: str
    type: str
    run_after: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, Json]
    branches: Mapping[str, tuple[Action, ...]] = field(default_factory=dict)

    @property
    def inputs(self) -> Json:
        return self.properties.get("inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """``datastore`` is the one that the export noted down, empty for a definition from elsewhere."""

    name: str
    parameters: Mapping[str, Json]
    triggers: tuple[Trigger, ...]
    actions: tuple[Action, ...]
    datastore: str = ""


def read_workflow(found: LogicAppDefinition) -> Workflow:
    """Check the form of it and read it. Raises ``InvalidInput`` that names the place."""
    check_definition(found)
    definition = found.definition
    if not definition["triggers"]:
        raise InvalidInput(f"{found.name} has no trigger", hint="A Logic App starts with one: add it to its triggers.")
    return Workflow(
        name=found.name,
        parameters={"$connections": found.connections or {}, **_defaults(definition, found)},
        triggers=tuple(_trigger(name, one) for name, one in definition["triggers"].items()),
        actions=_actions(definition["actions"]),
        datastore=found.datastore,
    )


def all_actions(actions: Sequence[Action]) -> Iterator[Action]:
    """Those, and all inside them."""
    for one in actions:
        yield one
        for inner in one.branches.values():
            yield from all_actions(inner)


def _defaults(definition: Mapping[str, Json], found: LogicAppDefinition) -> dict[str, Json]:
    declared = definition.get("parameters") or {}
    for name, one in declared.items():
        if name != "$connections" and "defaultValue" not in one:
            hint = 'Write its "defaultValue" into the definition.'
            raise InvalidInput(f"{found.name}: the parameter {name!r} of the workflow has no value", hint=hint)
    return {name: one["defaultValue"] for name, one in declared.items() if name != "$connections"}


def _trigger(name: str, value: Mapping[str, Json]) -> Trigger:
    concurrency = (value.get("runtimeConfiguration") or {}).get("concurrency") or {}
    return Trigger(
        name=name,
        type=value["type"],
        recurrence=value.get("recurrence") or {},
        inputs=value.get("inputs") or {},
        conditions=tuple(one["expression"] for one in value.get("conditions") or ()),
        split_on=value.get("splitOn", ""),
        concurrency=1 if value.get("operationOptions") == "SingleInstance" else concurrency.get("runs", 0),
        metadata=value.get("metadata") or {},
    )


def _actions(values: Mapping[str, Json] | None) -> tuple[Action, ...]:
    return tuple(_action(name, one) for name, one in (values or {}).items())


def _action(name: str, value: Mapping[str, Json]) -> Action:
    branches = {"actions": value.get("actions")}
    branches |= {level: (value.get(level) or {}).get("actions") for level in ("else", "default")}
    branches |= {f"case {one.get('case')}": one.get("actions") for one in (value.get("cases") or {}).values()}
    return Action(
        name=name,
        type=value["type"],
        run_after={other: tuple(results) for other, results in (value.get("runAfter") or {}).items()},
        properties=value,
        branches={level: _actions(inner) for level, inner in branches.items() if inner is not None},
    )
