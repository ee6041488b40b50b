"""The rules of the workflow definition language, after its documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aml_magics.export.checking import Problem, check_graph, check_keys, check_recurrence, named_in, require
from aml_magics.model.errors import did_you_mean
from aml_magics.wire.casing import Json

__all__ = ["ACTION_TYPES", "STATUSES", "TRIGGER_TYPES", "workflow_problems"]

STATUSES = ("Succeeded", "Failed", "Skipped", "TimedOut")
TRIGGER_TYPES = (
    "ApiConnection", "ApiConnectionNotification", "ApiConnectionWebhook", "ApiManagement", "Batch", "Function", "Http",
    "HttpWebhook", "Recurrence", "Request", "SlidingWindow", "Workflow",
)  # fmt: skip
ACTION_TYPES = (
    "ApiConnection", "ApiConnectionWebhook", "ApiManagement", "AppendToArrayVariable", "AppendToStringVariable",
    "Compose", "DecrementVariable", "Expression", "Foreach", "Function", "Http", "HttpWebhook", "If",
    "IncrementVariable", "InitializeVariable", "JavaScriptCode", "Join", "ParseJson", "Query", "Response", "Scope",
    "Select", "SendToBatch", "SetVariable", "Switch", "Table", "Terminate", "Until", "Wait", "Workflow",
)  # fmt: skip
_TOP = ("$schema", "contentVersion", "parameters", "triggers", "actions", "outputs", "staticResults", "description")
_SHARED = (
    "type", "kind", "inputs", "runtimeConfiguration", "operationOptions", "metadata", "description", "correlation",
    "trackedProperties",
)  # fmt: skip
_TRIGGER = (*_SHARED, "recurrence", "evaluatedRecurrence", "conditions", "splitOn", "splitOnConfiguration")
_ACTION = (
    *_SHARED, "runAfter", "actions", "else", "cases", "default", "expression", "foreach", "limit", "schema",
)  # fmt: skip
_NEEDED = {
    "If": ("expression", "actions"),
    "Foreach": ("foreach", "actions"),
    "Until": ("expression", "actions", "limit"),
    "Switch": ("expression", "cases"),
    "Scope": ("actions",),
}
_NEEDED_INPUTS = {
    "Http": ("method", "uri"),
    "Query": ("from", "where"),
    "Select": ("from", "select"),
    "ApiConnection": ("host", "method", "path"),
    "Terminate": ("runStatus",),
}
_METHODS = ("GET", "PUT", "PATCH", "POST", "DELETE", "HEAD", "OPTIONS")
_AUTHENTICATIONS = ("ActiveDirectoryOAuth", "Basic", "ClientCertificate", "ManagedServiceIdentity", "Raw")
_FREQUENCIES = ("Second", "Minute", "Hour", "Day", "Week", "Month", "Year")
_TIMES = ("Day", "Week", "Month")
_MOST_TRIGGERS = 10
_MOST_RUNS = 100
_BLOB_POLL = "/triggers/batch/onupdatedfile"


def workflow_problems(definition: Json, *, has_connections: bool = False) -> Iterator[Problem]:
    """What is wrong with a workflow. With ``has_connections`` the connection that a trigger names must be declared."""
    yield from check_keys("definition", definition, _TOP, ("$schema", "contentVersion", "triggers", "actions"))
    triggers, actions = _objects(definition, "triggers"), _objects(definition, "actions")
    if len(triggers) > _MOST_TRIGGERS:
        yield Problem("triggers", f"are {len(triggers)}; a workflow has at most {_MOST_TRIGGERS}")
    for name, trigger in triggers.items():
        yield from _trigger(f"triggers.{name}", trigger)
    seen: dict[str, str] = {}
    yield from _actions("actions", actions, seen)
    yield from _names(definition, seen, has_connections=has_connections)


def _objects(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _trigger(where: str, trigger: object) -> Iterator[Problem]:
    yield from check_keys(where, trigger, _TRIGGER, ("type",))
    if not isinstance(trigger, Mapping):
        return
    kind = trigger.get("type")
    if kind not in TRIGGER_TYPES:
        yield Problem(where, f"is of an unknown type {kind!r}. {did_you_mean(str(kind), TRIGGER_TYPES)}")
    if kind in ("Recurrence", "ApiConnection", "SlidingWindow") or "recurrence" in trigger:
        yield from check_recurrence(f"{where}.recurrence", trigger.get("recurrence"), _FREQUENCIES, with_times=_TIMES)
    split = trigger.get("splitOn")
    if split is not None and not (isinstance(split, str) and split.startswith("@")):
        yield Problem(f"{where}.splitOn", f"is {split!r}: an expression such as '@triggerBody()'")
    yield from _conditions(f"{where}.conditions", trigger.get("conditions", []))
    yield from _concurrency(where, trigger)
    yield from _inputs(where, str(kind), trigger)
    inputs = _objects(trigger, "inputs")
    if str(inputs.get("path", "")).endswith(_BLOB_POLL):
        yield from require(f"{where}.inputs.queries", _objects(inputs, "queries"), ("folderId",))


def _conditions(where: str, conditions: object) -> Iterator[Problem]:
    if not isinstance(conditions, list):
        yield Problem(where, "is not a list")
        return
    for number, one in enumerate(conditions):
        yield from check_keys(f"{where}[{number}]", one, ("expression", "dependsOn"), ())
        expression = one.get("expression") if isinstance(one, Mapping) else None
        if not isinstance(expression, str) or not expression.startswith("@"):
            yield Problem(f"{where}[{number}].expression", f"is {expression!r}: an expression begins with @")


def _concurrency(where: str, value: Mapping[str, Any]) -> Iterator[Problem]:
    concurrency = _objects(_objects(value, "runtimeConfiguration"), "concurrency")
    for name in ("runs", "repetitions"):
        most = concurrency.get(name)
        if most is not None and (type(most) is not int or not 1 <= most <= _MOST_RUNS):
            yield Problem(f"{where}.runtimeConfiguration.concurrency.{name}", f"is {most!r}: 1 to {_MOST_RUNS}")


def _inputs(where: str, kind: str, value: Mapping[str, Any]) -> Iterator[Problem]:
    needed = _NEEDED_INPUTS.get(kind, ())
    inputs = value.get("inputs", {})
    if not needed:
        return
    if not isinstance(inputs, Mapping):
        yield Problem(f"{where}.inputs", "is not an object")
        return
    yield from require(f"{where}.inputs", inputs, needed)
    method = inputs.get("method")
    if isinstance(method, str) and not method.startswith("@") and method.upper() not in _METHODS:
        yield Problem(f"{where}.inputs.method", f"is {method!r}. {did_you_mean(method, _METHODS)}")
    authentication = inputs.get("authentication")
    if isinstance(authentication, Mapping) and authentication.get("type") not in _AUTHENTICATIONS:
        hint = did_you_mean(str(authentication.get("type")), _AUTHENTICATIONS)
        yield Problem(f"{where}.inputs.authentication", f"is of an unknown type {authentication.get('type')!r}. {hint}")
    host = inputs.get("host")
    if kind == "ApiConnection" and isinstance(host, Mapping):
        yield from require(f"{where}.inputs.host.connection", _objects(host, "connection"), ("name",))


def _actions(where: str, actions: Mapping[str, Any], seen: dict[str, str]) -> Iterator[Problem]:
    """One level of actions, and those inside them; names are one room over all levels."""
    waits: dict[str, Mapping[str, Any]] = {}
    for name, action in actions.items():
        if name in seen:
            yield Problem(f"{where}.{name}", f"is there twice, in {seen[name]} too")
        seen[name] = where
        waits[name] = _objects(action, "runAfter") if isinstance(action, Mapping) else {}
        yield from _action(f"{where}.{name}", action, seen)
    yield from check_graph(where, waits, STATUSES)


def _action(where: str, action: object, seen: dict[str, str]) -> Iterator[Problem]:
    yield from check_keys(where, action, _ACTION, ("type",))
    if not isinstance(action, Mapping):
        return
    kind = str(action.get("type"))
    if kind not in ACTION_TYPES:
        yield Problem(where, f"is of an unknown type {kind!r}. {did_you_mean(kind, ACTION_TYPES)}")
    if "runAfter" in action and not isinstance(action["runAfter"], Mapping):
        yield Problem(f"{where}.runAfter", "is not an object")
    for name in _NEEDED.get(kind, ()):
        if action.get(name) is None:
            yield Problem(where, f"has no {name!r}")
    yield from _inputs(where, kind, action)
    yield from _concurrency(where, action)
    for path, inner in _inside(where, action):
        yield from _actions(path, inner, seen)


def _inside(where: str, action: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The levels of actions in an action."""
    yield f"{where}.actions", _objects(action, "actions")
    for name in ("else", "default"):
        yield f"{where}.{name}.actions", _objects(_objects(action, name), "actions")
    for name, case in _objects(action, "cases").items():
        yield f"{where}.cases.{name}.actions", _objects(case, "actions") if isinstance(case, Mapping) else {}


def _names(definition: Json, actions: Mapping[str, str], *, has_connections: bool) -> Iterator[Problem]:
    """Actions and parameters that expressions name."""
    for name in sorted(named_in(definition, "body", "outputs", "actions", "result", "actionBody", "actionOutputs")):
        if name not in actions:
            yield Problem(
                "definition", f"asks for the action {name!r}, which is not there. {did_you_mean(name, actions)}"
            )
    declared = _objects(definition, "parameters")
    for name in sorted(named_in(definition, "parameters")):
        if name not in declared and (name != "$connections" or has_connections):
            hint = did_you_mean(name, declared)
            yield Problem("definition", f"asks for the parameter {name!r}, which is not declared. {hint}")
