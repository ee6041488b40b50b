"""What a definition must be for every part of it to run here: checked whole, before anything runs.

That Azure would take it has been checked (``export.check``). Here, what only Azure can do is refused by its name rather
than skipped, every expression is read, and what it calls and names must be there to be looked at. The first thing that
is wrong is told, except that all actions and triggers that cannot run are told together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.words import listed
from aml_magics.workflows.language import ExpressionError, check
from aml_magics.workflows.language.syntax import Call, Expression, Literal, calls
from aml_magics.workflows.language.templates import expressions_in
from aml_magics.workflows.logic_app.blobs import is_blob_trigger
from aml_magics.workflows.logic_app.conditions import check_condition
from aml_magics.workflows.logic_app.definition import LOOPS, Action, Trigger, Workflow, as_object
from aml_magics.workflows.logic_app.recurrences import interval_of, recurrence_of
from aml_magics.workflows.logic_app.running import HANDLERS
from aml_magics.workflows.logic_app.scope import IN_ACTIONS, IN_TRIGGERS, OF_ACTIONS
from aml_magics.workflows.logic_app.sending import Web, retry_pauses
from aml_magics.workflows.logic_app.simple import UNITS, VARIABLE_TYPES
from aml_magics.workflows.logic_app.values import seconds_of

__all__ = ["check_workflow"]

_TRIGGERS = "Recurrence, and ApiConnection for blobs added or modified"
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "Http": ("method", "uri", "headers", "queries", "body", "authentication", "retryPolicy"),
    "Wait": ("interval", "until"),
    "InitializeVariable": ("variables",),
    "SetVariable": ("name", "value"),
    "IncrementVariable": ("name", "value"),
    "DecrementVariable": ("name", "value"),
    "AppendToArrayVariable": ("name", "value"),
    "AppendToStringVariable": ("name", "value"),
    "Terminate": ("runStatus", "runError"),
    "Query": ("from", "where"),
    "Select": ("from", "select"),
    "Join": ("from", "joinWith"),
}
_NEEDED = {
    "SetVariable": ("name", "value"),
    "AppendToArrayVariable": ("name", "value"),
    "AppendToStringVariable": ("name", "value"),
    "IncrementVariable": ("name",),
    "DecrementVariable": ("name",),
    "InitializeVariable": ("variables",),
    "Join": ("from", "joinWith"),
}
_HEADERS = ("content-type", "accept")
_OPTIONS = ("DisableAsyncPattern", "Sequential", "SingleInstance", "DisableAutomaticDecompression")
_ENDS = ("Succeeded", "Failed", "Cancelled")


@dataclass(frozen=True, slots=True)
class _Known:
    """What may be named at some place: actions that ran before it, loops around it, and variables."""

    actions: frozenset[str] = frozenset()
    loops: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()
    has_item: bool = False


def check_workflow(workflow: Workflow, web: Web) -> None:
    """Raises ``InvalidInput`` for the first thing that cannot run here."""
    _check_types(workflow)
    for trigger in workflow.triggers:
        _check_trigger(trigger)
    _check_level(workflow.actions, _Known(variables=frozenset(_variables(workflow))), (), web)


def _check_types(workflow: Workflow) -> None:
    left = [f"{one.name!r} ({one.type})" for one in workflow.all_actions() if one.type not in HANDLERS]
    triggers = [f"{one.name!r} ({_kind(one)})" for one in workflow.triggers if not _runs_here(one)]
    if triggers:
        message = f"{workflow.name}: of its triggers, {listed(triggers)} cannot run here; nothing was run"
        raise InvalidInput(message, hint=f"These can: {_TRIGGERS}.")
    if left:
        message = f"{workflow.name}: of its actions, {listed(left)} cannot run here; nothing was run"
        raise InvalidInput(message, hint=f"These types can: {', '.join(HANDLERS)}.")


def _runs_here(trigger: Trigger) -> bool:
    return trigger.type == "Recurrence" or (trigger.type == "ApiConnection" and is_blob_trigger(trigger))


def _kind(trigger: Trigger) -> str:
    path = trigger.inputs.get("path")
    return f"{trigger.type} {path}" if path else trigger.type


def _check_trigger(trigger: Trigger) -> None:
    where = f"trigger {trigger.name!r}"
    _check_options(trigger.written, where)
    if trigger.type == "Recurrence":
        recurrence_of(trigger)
        if trigger.split_on:
            raise InvalidInput(f"{where}: a Recurrence has nothing to split", hint="Take splitOn out.")
    else:
        interval_of(trigger)
    if trigger.waiting is not None:
        _whole(trigger.waiting, f"{where}: maximumWaitingRuns")
    values: dict[str, Any] = {"splitOn": trigger.split_on, "conditions": trigger.conditions}
    values |= {name: trigger.inputs.get(name) for name in ("path", "queries")}
    for name, value in values.items():
        _check_expressions(value, IN_TRIGGERS, _Known(), f"{where}, {name}")


def _variables(workflow: Workflow) -> Iterator[str]:
    for action in workflow.all_actions():
        if action.type == "InitializeVariable":
            _check_inputs(action, f"action {action.name!r}")
            _check_initialize(action, f"action {action.name!r}")
            yield from (one["name"] for one in action.inputs["variables"])


def _check_level(actions: Sequence[Action], known: _Known, around: tuple[str, ...], web: Web) -> None:
    """Actions that know each other: of the workflow, or of one branch."""
    by_name = {one.name: one for one in actions}
    for one in actions:
        before = {name for each in _before(one, by_name) for name in _seen_outside(by_name[each])}
        here = replace(known, actions=known.actions | before)
        _check_action(one, here, around, web)
        loops = (*known.loops, one.name) if one.type in LOOPS else known.loops
        inside = replace(here, loops=loops, has_item=here.has_item or one.type == "Foreach")
        for branch in one.branches.values():
            _check_level(branch, inside, (*around, one.type), web)


def _before(action: Action, by_name: Mapping[str, Action]) -> set[str]:
    """All that an action runs after, however far back."""
    found: set[str] = set()
    left = [action]
    while left:
        for name in left.pop().run_after:
            if name not in found:
                found.add(name)
                left.append(by_name[name])
    return found


def _seen_outside(action: Action) -> Iterator[str]:
    """The action, and what ran inside it: of a loop there is no telling which pass."""
    yield action.name
    if action.type not in LOOPS:
        for branch in action.branches.values():
            for inner in branch:
                yield from _seen_outside(inner)


def _check_action(action: Action, known: _Known, around: tuple[str, ...], web: Web) -> None:
    where = f"action {action.name!r}"
    _check_options(action.written, where)
    _check_inputs(action, where)
    _check_place(action, around, where)
    if (limit := action.setting("limit", "timeout")) is not None:
        seconds_of(f"{where}: limit.timeout", limit)
    if action.type in ("If", "Until"):
        check_condition(action.written["expression"], where)
    if action.type in _CHECKS:
        _CHECKS[action.type](action, known, where)
    if action.type == "Http":
        _check_http(action, where, web)
    inside = {inner.name for branch in action.branches.values() for inner in branch}
    own = replace(known, actions=known.actions | inside) if action.type == "Until" else known
    if action.type == "Until":
        own = replace(own, loops=(*own.loops, action.name))
    for name in ("inputs", "expression", "foreach"):
        with_item = replace(own, has_item=own.has_item or action.type in ("Query", "Select"))
        _check_expressions(action.written.get(name), IN_ACTIONS, with_item, f"{where}, {name}")


def _check_options(written: Mapping[str, Any], where: str) -> None:
    for option in str(written.get("operationOptions") or "").replace(" ", "").split(","):
        if option and option not in _OPTIONS:
            message = f"{where}: the operation option {option!r} does not run here"
            raise InvalidInput(message, hint=did_you_mean(option, _OPTIONS))
    if "staticResult" in as_object(written.get("runtimeConfiguration"), f"{where}: runtimeConfiguration"):
        raise InvalidInput(f"{where}: static results do not run here", hint="Take them out of runtimeConfiguration.")


def _check_inputs(action: Action, where: str) -> None:
    allowed = _INPUTS.get(action.type)
    if allowed is None:
        return
    if not isinstance(action.inputs, Mapping):
        raise InvalidInput(f"{where} ({action.type}) has no inputs", hint=f"It takes {listed(allowed)}.")
    for name in action.inputs:
        if name not in allowed:
            message = f"{where} ({action.type}): {name!r} is nothing that runs here"
            raise InvalidInput(message, hint=did_you_mean(name, allowed))
    for name in _NEEDED.get(action.type, ()):
        if name not in action.inputs:
            raise InvalidInput(f"{where} ({action.type}) has no {name!r}", hint="Add it to its inputs.")


def _check_place(action: Action, around: tuple[str, ...], where: str) -> None:
    if action.type == "InitializeVariable" and around:
        raise InvalidInput(f"{where}: variables are initialized outside of {around[-1]}", hint="Move it to the top.")
    loop = next((one for one in around if one in LOOPS), "")
    if action.type == "Terminate" and loop:
        raise InvalidInput(
            f"{where}: Azure takes no Terminate inside of {loop}", hint="Set a variable, and ask it after."
        )


def _check_wait(action: Action, _known: _Known, where: str) -> None:
    interval, until = action.inputs.get("interval"), action.inputs.get("until")
    is_good = isinstance(until, Mapping) and "timestamp" in until
    if isinstance(interval, Mapping) and "count" in interval:
        unit = interval.get("unit")
        if not isinstance(unit, str) or unit not in UNITS:
            raise InvalidInput(f"{where}: the unit {unit!r} is none", hint=did_you_mean(str(unit), UNITS))
        is_good = True
    if not is_good:
        raise InvalidInput(f"{where} does not say how long", hint='Write "interval": {"count": 30, "unit": "Second"}.')


def _check_initialize(action: Action, where: str) -> None:
    declared = action.inputs["variables"]
    if not isinstance(declared, list) or not all(_is_declared(one) for one in declared):
        hint = 'It is an array such as [{"name": "count", "type": "integer"}].'
        raise InvalidInput(f"{where}: variables {declared!r} declare none", hint=hint)
    for one in declared:
        if str(one.get("type", "")).casefold() not in VARIABLE_TYPES:
            hint = did_you_mean(str(one.get("type")), VARIABLE_TYPES)
            raise InvalidInput(f"{where}: {one.get('type')!r} is no type of a variable", hint=hint)


def _is_declared(one: object) -> bool:
    return isinstance(one, Mapping) and isinstance(one.get("name"), str)


def _whole(value: object, what: str) -> None:
    if type(value) is not int or value < 1:
        raise InvalidInput(f"{what} is {value!r}, not a whole number from 1", hint="Write for example 10.")


def _check_variable(action: Action, known: _Known, where: str) -> None:
    name = action.inputs["name"]
    if not isinstance(name, str) or name not in known.variables:
        hint = did_you_mean(str(name), known.variables) or "Add an InitializeVariable action."
        raise InvalidInput(f"{where}: there is no variable {name!r}", hint=hint)


def _check_terminate(action: Action, _known: _Known, where: str) -> None:
    status = action.inputs["runStatus"]
    as_object(action.inputs.get("runError"), f"{where}: runError")
    if status not in _ENDS:
        raise InvalidInput(f"{where}: a run does not end as {status!r}", hint=did_you_mean(str(status), _ENDS))


def _check_until(action: Action, _known: _Known, where: str) -> None:
    limit = as_object(action.written.get("limit"), f"{where}: limit")
    if "count" in limit:
        _whole(limit["count"], f"{where}: limit.count")


def _check_where(action: Action, _known: _Known, where: str) -> None:
    check_condition(action.inputs["where"], where)


_CHECKS = {
    "Wait": _check_wait,
    "SetVariable": _check_variable,
    "IncrementVariable": _check_variable,
    "DecrementVariable": _check_variable,
    "AppendToArrayVariable": _check_variable,
    "AppendToStringVariable": _check_variable,
    "Terminate": _check_terminate,
    "Query": _check_where,
    "Until": _check_until,
}


def _check_http(action: Action, where: str, web: Web) -> None:
    url = action.inputs["uri"]
    if isinstance(url, str) and "@" not in url and (why_not := web.refusal(url)):
        message = f"{where}: nothing is sent from here to {url}: {why_not}"
        raise InvalidInput(message, hint="HTTP actions reach the open workspace alone.")
    for name in as_object(action.inputs.get("headers"), f"{where}: headers"):
        if str(name).casefold() not in _HEADERS:
            message = f"{where}: the header {name!r} is nothing that is sent from here"
            raise InvalidInput(message, hint="The sign-in belongs into authentication.")
    authentication = action.inputs.get("authentication")
    kind = authentication.get("type") if isinstance(authentication, Mapping) else None
    if kind not in (None, "ManagedServiceIdentity"):
        message = f"{where}: authentication of the type {kind} does not run here"
        raise InvalidInput(message, hint="ManagedServiceIdentity does.")
    list(retry_pauses(action.inputs.get("retryPolicy")))


def _check_expressions(value: Any, functions: Sequence[str], known: _Known, where: str) -> None:  # noqa: ANN401 - JSON
    try:
        check(value, functions)
        for expression in expressions_in(value):
            for call in calls(expression.root):
                _check_call(expression, call, known)
    except ExpressionError as error:
        raise InvalidInput(f"{where}: {error.message}", hint=error.hint or "Correct it there.") from None


def _check_call(expression: Expression, call: Call, known: _Known) -> None:
    function = call.name.casefold()
    given = call.arguments[0].value if call.arguments and isinstance(call.arguments[0], Literal) else None
    problem = hint = ""
    if function == "item" and not known.has_item:
        problem, hint = "item() stands outside of a Foreach, Query or Select", "It is the item of a pass."
    elif not isinstance(given, str):
        return
    elif function in {name.casefold() for name in OF_ACTIONS} and given not in known.actions:
        problem = f"the action {given!r} need not have run before this one"
        hint = did_you_mean(given, known.actions) or "Name it in runAfter."
    elif function == "variables" and given not in known.variables:
        problem = f"there is no variable {given!r}"
        hint = did_you_mean(given, known.variables) or "Add an InitializeVariable action."
    elif function in ("items", "iterationindexes") and given not in known.loops:
        problem = f"it stands outside of a loop {given!r}"
        hint = did_you_mean(given, known.loops) or "It is the loop around."
    if problem:
        raise ExpressionError.at(call.column, expression.text, problem, hint)
