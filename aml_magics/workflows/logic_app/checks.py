"""What does not run here is refused by its name, before anything runs; nothing is ever left out in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.words import listed
from aml_magics.workflows.language import ExpressionError, check
from aml_magics.workflows.logic_app.conditions import check_condition
from aml_magics.workflows.logic_app.definition import Action, Trigger, Workflow, all_actions
from aml_magics.workflows.logic_app.scope import FUNCTIONS, IN_TRIGGERS

__all__ = ["ACTIONS", "BLOB_POLL", "TRIGGERS", "Web", "check_workflow", "is_blob_trigger"]

BLOB_POLL = "/triggers/batch/onupdatedfile"
TRIGGERS = ("Recurrence", "ApiConnection")
ACTIONS = (
    *("AppendToArrayVariable", "AppendToStringVariable", "Compose", "DecrementVariable", "Foreach", "Http", "If"),
    *("IncrementVariable", "InitializeVariable", "Join", "Query", "Scope", "Select", "SetVariable", "Switch"),
    *("Terminate", "Until", "Wait"),
)
_HTTP = ("method", "uri", "headers", "body", "queries", "authentication", "retryPolicy")
_QUERIES = ("folderId", "maxFileCount", "checkBothCreatedAndModifiedDateTime")
_OPTIONS = {"Foreach": ("Sequential",), "trigger": ("SingleInstance",)}
_LEFT = re.compile(r"^\[(?!\[).*parameters\('([^']*)'\)")


class Web(Protocol):
    """Where HTTP actions may send to: the workspace itself."""

    def refusal(self, url: str) -> str:
        """Why nothing is sent there, or nothing."""

    async def send(self, method: str, url: str, body: object) -> Any:  # noqa: ANN401 - any JSON
        """The answer's JSON. Raises an ``AmlError`` for what may not or cannot be sent."""


def is_blob_trigger(trigger: Trigger) -> bool:
    """Whether it is the connector's "when a blob is added or modified (properties only)"."""
    return trigger.type == "ApiConnection" and str(trigger.inputs.get("path", "")).endswith(BLOB_POLL)


def check_workflow(workflow: Workflow, web: Web) -> None:
    """Raises ``InvalidInput`` with the name of the first thing that does not run here."""
    for trigger in workflow.triggers:
        _check_trigger(trigger)
    for action in all_actions(workflow.actions):
        _check_action(action, web)
    declared = {
        name for one in all_actions(workflow.actions) if one.type == "InitializeVariable" for name in _names(one)
    }
    for action in all_actions(workflow.actions):
        _check_variable(action, declared)


def _check_trigger(trigger: Trigger) -> None:
    where = f"trigger {trigger.name!r}"
    if trigger.type not in TRIGGERS or (trigger.type == "ApiConnection" and not is_blob_trigger(trigger)):
        what = trigger.type if trigger.type != "ApiConnection" else f"call of {trigger.inputs.get('path')!r}"
        hint = "Recurrence, and the blob trigger 'when a blob is added or modified (properties only)', do."
        raise InvalidInput(f"{where} is a {what}, which does not run here; nothing was run", hint=hint)
    if is_blob_trigger(trigger):
        _only(f"{where}, queries", trigger.inputs.get("queries") or {}, _QUERIES)
    if trigger.split_on and trigger.split_on.replace(" ", "") not in ("@triggerBody()", "@triggerOutputs()?['body']"):
        message = f"{where} splits {trigger.split_on!r}, which does not run here"
        raise InvalidInput(message, hint="splitOn: @triggerBody() does.")
    _check_expressions(where, {"conditions": list(trigger.conditions)}, IN_TRIGGERS)
    needed = {
        "queries": trigger.inputs.get("queries"),
        "recurrence": trigger.recurrence,
    }  # a datastore stands for the account
    _check_expressions(where, needed, IN_TRIGGERS)


def _check_action(action: Action, web: Web) -> None:
    where = f"action {action.name!r}"
    if action.type not in ACTIONS:
        message = f"{where} is a {action.type}, which does not run here; nothing was run"
        raise InvalidInput(message, hint=f"These do: {', '.join(ACTIONS)}.")
    options = action.properties.get("operationOptions")
    if options and options not in _OPTIONS.get(action.type, ()):
        raise InvalidInput(f"{where} has the option {options!r}, which does not run here", hint="Leave it out.")
    runtime = action.properties.get("runtimeConfiguration") or {}
    _only(f"{where}, runtimeConfiguration", runtime, ("concurrency",) if action.type == "Foreach" else ())
    if action.type == "Http":
        _check_http(where, action, web)
    if action.type in ("If", "Until"):
        check_condition(where, action.properties["expression"])
    if action.type == "Query":
        check_condition(where, action.inputs["where"])
    own = {key: value for key, value in action.properties.items() if key not in ("actions", "else", "cases", "default")}
    _check_expressions(where, own, FUNCTIONS)


def _check_http(where: str, action: Action, web: Web) -> None:
    inputs = action.inputs
    _only(f"{where}, inputs", inputs, _HTTP)
    kind = (inputs.get("authentication") or {}).get("type", "ManagedServiceIdentity")
    if kind != "ManagedServiceIdentity":
        hint = "ManagedServiceIdentity does: the open workspace's own identity stands for it."
        raise InvalidInput(f"{where} signs in by {kind}, which does not run here", hint=hint)
    retries = (inputs.get("retryPolicy") or {}).get("type", "none")
    if str(retries).casefold() not in ("none", "default"):
        raise InvalidInput(f"{where} has the retryPolicy {retries!r}, which does not run here", hint="Set it to none.")
    uri = str(inputs["uri"])
    if "@" not in uri and not _LEFT.match(uri) and (refusal := web.refusal(uri)):
        message = f"{where} sends to {uri!r}: {refusal}; nothing was run"
        raise InvalidInput(message, hint="Only what is sent to the workspace itself runs here.")


def _check_expressions(where: str, values: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name, value in values.items():
        _check_filled(where, value)
        try:
            check(value, known)
        except ExpressionError as error:
            raise InvalidInput(f"{where}, {name}: {error.message}", hint=error.hint or "Correct it there.") from None


def _check_filled(where: str, value: object) -> None:
    """That no parameter of the template is still asked for."""
    if isinstance(value, Mapping):
        for one in value.values():
            _check_filled(where, one)
    elif isinstance(value, list):
        for one in value:
            _check_filled(where, one)
    elif isinstance(value, str) and (found := _LEFT.match(value)):
        message = f"{where}: the parameter {found[1]!r} of the template has no value"
        raise InvalidInput(message, hint="Write it into parameters.json, beside the template.")


def _check_variable(action: Action, declared: set[str]) -> None:
    if "Variable" in action.type and action.type != "InitializeVariable":
        name = str((action.inputs or {}).get("name"))
        if name not in declared:
            hint = did_you_mean(name, declared) if declared else "An InitializeVariable action makes one."
            raise InvalidInput(f"action {action.name!r} changes the variable {name!r}, which is not there", hint=hint)


def _names(action: Action) -> list[str]:
    return [str(one.get("name")) for one in (action.inputs or {}).get("variables", ())]


def _only(where: str, found: Mapping[str, Any], known: tuple[str, ...]) -> None:
    others = [name for name in found if name not in known]
    if others:
        hint = f"These do: {', '.join(known)}." if known else "Leave it out."
        raise InvalidInput(f"{where}: {listed([repr(one) for one in others])} does not run here", hint=hint)
