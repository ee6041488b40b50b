"""A workflow as values, read from an export or from a bare definition.

What the definition must be in itself has been checked by then (``export.check``); what cannot run here is the business
of ``checks``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aml_magics.export.arm import is_expression
from aml_magics.export.check import check_definition
from aml_magics.export.definitions import LogicAppDefinition
from aml_magics.model.errors import InvalidInput
from aml_magics.model.secret import Secret
from aml_magics.model.words import listed

__all__ = ["LOOPS", "Action", "Trigger", "Workflow", "as_object", "read_workflow"]

LOOPS = ("Foreach", "Until")
_SECURE = ("securestring", "secureobject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """``written`` is its JSON; ``branches`` are the actions inside it, by the name of their place."""

    name: str
    type: str
    written: Mapping[str, Any]
    run_after: Mapping[str, Sequence[str]]
    branches: Mapping[str, tuple[Action, ...]]

    @property
    def inputs(self) -> Any:  # noqa: ANN401 - any JSON
        return self.written.get("inputs")

    def setting(self, *names: str) -> Any:  # noqa: ANN401 - any JSON
        """What stands below these keys of the action, or nothing."""
        return _below(self.written, names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """``runs`` is how many may run at a time (None: any number), ``waiting`` how many may wait beyond those."""

    name: str
    type: str
    written: Mapping[str, Any]
    runs: int | None = None
    waiting: int | None = None

    @property
    def inputs(self) -> Mapping[str, Any]:
        found = self.written.get("inputs")
        return found if isinstance(found, Mapping) else {}

    @property
    def recurrence(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.written.get("recurrence") or {}
        return found

    @property
    def split_on(self) -> str:
        return str(self.written.get("splitOn") or "")

    @property
    def conditions(self) -> list[str]:
        return [one["expression"] for one in self.written.get("conditions") or ()]

    @property
    def is_single(self) -> bool:
        return "SingleInstance" in str(self.written.get("operationOptions") or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """``parameters`` have their values, ``datastore`` is the one that the export noted down."""

    name: str
    triggers: tuple[Trigger, ...]
    actions: tuple[Action, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    datastore: str = ""

    def all_actions(self) -> Iterator[Action]:
        """At any depth, those around before those inside."""
        left = list(self.actions)[::-1]
        while left:
            action = left.pop()
            yield action
            left += [inner for branch in action.branches.values() for inner in branch][::-1]


def read_workflow(found: LogicAppDefinition) -> Workflow:
    """Raises ``InvalidInput`` for a definition that Azure would not take, and for values that nobody has given."""
    check_definition(found)
    written = found.definition
    _refuse_unfilled(found)
    parameters, secrets = _parameters(found)
    if not written["triggers"]:
        message = f"{found.name} has no trigger: nothing could start it"
        raise InvalidInput(message, hint="Add one below triggers, such as a Recurrence.")
    return Workflow(
        name=found.name,
        triggers=tuple(_trigger(name, one) for name, one in written["triggers"].items()),
        actions=_actions(written["actions"]),
        parameters=parameters,
        outputs=written.get("outputs") or {},
        secrets=secrets,
        datastore=found.datastore,
    )


def _refuse_unfilled(found: LogicAppDefinition) -> None:
    left = next(_unfilled(found.definition), "")
    if left:
        names = listed(found.missing) or left
        message = f"{found.name}: a value is missing for the template's {names}"
        raise InvalidInput(message, hint="Write it into parameters.json, beside the template.")


def _unfilled(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _unfilled(item)
    elif isinstance(value, list):
        for item in value:
            yield from _unfilled(item)
    elif isinstance(value, str) and is_expression(value):
        yield value


def _parameters(found: LogicAppDefinition) -> tuple[dict[str, Any], tuple[Secret, ...]]:
    given = _given(found)
    values: dict[str, Any] = {"$connections": found.connections}
    secrets: list[Secret] = []
    for name, one in (found.definition.get("parameters") or {}).items():
        if name == "$connections":
            continue
        if name not in given and "defaultValue" not in one:
            message = f"{found.name}: the workflow's parameter {name!r} has no value"
            raise InvalidInput(message, hint="Give it a defaultValue in the definition.")
        values[name] = given.get(name, one.get("defaultValue"))
        if str(one.get("type", "")).casefold() in _SECURE and isinstance(values[name], str) and values[name]:
            secrets.append(Secret(values[name]))
    return values, tuple(secrets)


def _given(found: LogicAppDefinition) -> dict[str, Any]:
    """The values beside the definition, in the template's resource."""
    workflow = next((one for one in found.resources if one.get("type") == "Microsoft.Logic/workflows"), {})
    given = _below(workflow, ("properties", "parameters")) or {}
    return {name: one["value"] for name, one in given.items() if isinstance(one, Mapping) and "value" in one}


def _trigger(name: str, written: Mapping[str, Any]) -> Trigger:
    as_object(written.get("runtimeConfiguration"), f"trigger {name!r}: runtimeConfiguration")
    runs = _below(written, ("runtimeConfiguration", "concurrency", "runs"))
    waiting = _below(written, ("runtimeConfiguration", "concurrency", "maximumWaitingRuns"))
    if runs is not None and waiting is None:
        waiting = 10 + runs  # what Azure takes
    return Trigger(name=name, type=written["type"], written=written, runs=runs, waiting=waiting)


def _actions(written: object, where: str = "actions") -> tuple[Action, ...]:
    return tuple(
        Action(
            name=name,
            type=one["type"],
            written=one,
            run_after=one.get("runAfter") or {},
            branches=_branches(one, f"action {name!r}"),
        )
        for name, one in as_object(written, where).items()
    )


def _branches(written: Mapping[str, Any], where: str) -> dict[str, tuple[Action, ...]]:
    levels: dict[str, object] = {"actions": written} if "actions" in written else {}
    levels |= {name: written[name] for name in ("else", "default") if name in written}
    levels |= {f"cases.{name}": case for name, case in as_object(written.get("cases"), f"{where}: cases").items()}
    return {
        name: _actions(as_object(level, f"{where}: {name}").get("actions"), f"{where}: the actions in {name}")
        for name, level in levels.items()
    }


def as_object(value: object, what: str) -> Mapping[str, Any]:
    """The object itself; empty for nothing. Raises ``InvalidInput`` for anything else."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise InvalidInput(f"{what} is {value!r}, not an object", hint="Write it as {...}.")


def _below(value: Any, names: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
