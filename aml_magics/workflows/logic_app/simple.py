"""What the actions that have no others inside do. Each handler returns the action's outputs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aml_magics.model.errors import InvalidInput
from aml_magics.workflows.language import evaluate
from aml_magics.workflows.language.convert import as_text
from aml_magics.workflows.logic_app.conditions import holds
from aml_magics.workflows.logic_app.records import ActionFailed, Status, Terminated
from aml_magics.workflows.logic_app.sending import http

if TYPE_CHECKING:
    from aml_magics.workflows.logic_app.running import Doing

__all__ = ["HANDLERS", "UNITS", "VARIABLE_TYPES"]

UNITS = {"Second": 1, "Minute": 60, "Hour": 3_600, "Day": 86_400, "Week": 604_800}
VARIABLE_TYPES: Mapping[str, tuple[tuple[type, ...], Any]] = {
    "string": ((str,), ""),
    "boolean": ((bool,), False),
    "integer": ((int,), 0),
    "float": ((int, float), 0.0),
    "array": ((list,), []),
    "object": ((dict,), {}),
}


async def _compose(doing: Doing) -> Any:  # noqa: ANN401 - any JSON
    return doing.evaluated()


async def _wait(doing: Doing) -> None:
    inputs = doing.evaluated()
    if "until" in inputs:
        until = datetime.fromisoformat(str(inputs["until"]["timestamp"]))
        at = until.replace(tzinfo=until.tzinfo or UTC).timestamp()
        await doing.runner.clock.sleep(max(0.0, at - doing.runner.clock.now()))
        return
    interval = inputs["interval"]
    await doing.runner.clock.sleep(_number("interval.count", interval["count"]) * UNITS[interval["unit"]])


async def _initialize(doing: Doing) -> None:
    for one in doing.evaluated()["variables"]:
        kinds, nothing = VARIABLE_TYPES[str(one["type"]).casefold()]
        value = one.get("value", nothing)
        doing.frame.run.variables[one["name"]] = _of_kind(one["name"], value, kinds)


async def _set(doing: Doing) -> dict[str, Any]:
    inputs = doing.evaluated()
    return _kept(doing, inputs["name"], inputs["value"])


async def _increment(doing: Doing) -> dict[str, Any]:
    inputs = doing.evaluated()
    step = _number("value", inputs.get("value", 1))
    old = _number(inputs["name"], doing.frame.run.variables[inputs["name"]])
    return _kept(doing, inputs["name"], old - step if doing.action.type == "DecrementVariable" else old + step)


async def _append_to_array(doing: Doing) -> dict[str, Any]:
    inputs = doing.evaluated()
    return _kept(doing, inputs["name"], [*doing.frame.run.variables[inputs["name"]], inputs["value"]])


async def _append_to_text(doing: Doing) -> dict[str, Any]:
    inputs = doing.evaluated()
    return _kept(doing, inputs["name"], f"{doing.frame.run.variables[inputs['name']]}{as_text(inputs['value'])}")


async def _terminate(doing: Doing) -> None:
    inputs = doing.evaluated()
    error = inputs.get("runError") or {}
    raise Terminated(Status(inputs["runStatus"]), str(error.get("code", "Terminated")), str(error.get("message", "")))


async def _query(doing: Doing) -> dict[str, Any]:
    """The items for which ``where`` holds."""
    items = _items(doing)
    where = doing.action.inputs["where"]
    return {"body": [one for one in items if holds(where, doing.frame.with_item(one))]}


async def _select(doing: Doing) -> dict[str, Any]:
    """What ``select`` makes of each item."""
    items = _items(doing)
    made = doing.action.inputs["select"]
    return {"body": [evaluate(made, doing.frame.with_item(one)) for one in items]}


async def _join(doing: Doing) -> dict[str, Any]:
    items = _items(doing)
    return {"body": as_text(evaluate(doing.action.inputs["joinWith"], doing.frame)).join(map(as_text, items))}


def _items(doing: Doing) -> list[Any]:
    doing.inputs = evaluate(doing.action.inputs["from"], doing.frame)
    if isinstance(doing.inputs, list):
        return doing.inputs
    raise ActionFailed(f"'from' is not an array: {doing.inputs!r}", code="BadRequest")


def _kept(doing: Doing, name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    kinds = doing.runner.variable_kinds[name]
    doing.frame.run.variables[name] = _of_kind(name, value, kinds)
    return {"body": {"name": name, "value": value}}


def _of_kind(name: str, value: Any, kinds: tuple[type, ...]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool)):
        return value
    wanted = next(word for word, (types, _) in VARIABLE_TYPES.items() if types == kinds)
    raise InvalidInput(f"the variable {name!r} is of the type {wanted}, and {value!r} is not")


def _number(what: str, value: Any) -> float:  # noqa: ANN401 - any JSON
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise InvalidInput(f"{what} is {value!r}, not a number", hint="int('3') makes one of text.")


HANDLERS: Mapping[str, Callable[[Doing], Awaitable[Any]]] = {
    "Http": http,
    "Compose": _compose,
    "Wait": _wait,
    "InitializeVariable": _initialize,
    "SetVariable": _set,
    "IncrementVariable": _increment,
    "DecrementVariable": _increment,
    "AppendToArrayVariable": _append_to_array,
    "AppendToStringVariable": _append_to_text,
    "Terminate": _terminate,
    "Query": _query,
    "Select": _select,
    "Join": _join,
}
