"""What the actions that have no others inside do. Each handler returns the action's outputs.

An Http action posts to the workspace what the Logic App would post, with the workspace's own identity in place of the
managed one. It is sent once: no policy of retries is followed here. As in Azure the audience must be the resource
manager's to the last slash, or the answer is 401.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aml_magics.model.errors import AmlError, InvalidInput, ServiceError
from aml_magics.workflows.language import evaluate
from aml_magics.workflows.language.convert import as_text
from aml_magics.workflows.language.kinds import kind_of
from aml_magics.workflows.logic_app.conditions import holds
from aml_magics.workflows.logic_app.records import ActionFailed, Status

if TYPE_CHECKING:
    from aml_magics.workflows.logic_app.running import Doing

__all__ = ["HANDLERS"]

Json = Any
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000}
_KINDS: Mapping[str, tuple[tuple[type, ...], Json]] = {
    "boolean": ((bool,), False),
    "integer": ((int,), 0),
    "float": ((int, float), 0.0),
    "string": ((str,), ""),
    "object": ((dict,), None),
    "array": ((list,), []),
}


async def _http(doing: Doing) -> Json:
    inputs = {key: doing.value(value) for key, value in doing.action.inputs.items() if key != "retryPolicy"}
    method, url = str(inputs["method"]).upper(), str(inputs["uri"])
    if queries := inputs.get("queries"):
        url += f"{'&' if '?' in url else '?'}{urlencode({key: as_text(value) for key, value in queries.items()})}"
    doing.inputs = {"method": method, "uri": url} | {key: inputs[key] for key in ("body",) if key in inputs}
    _check_audience(inputs.get("authentication") or {}, doing.runner.audience)
    try:
        answer = await _sent(doing, method, url, inputs.get("body"))
    except ServiceError as error:
        outputs = {"statusCode": error.status, "body": {"error": {"code": error.code, "message": error.message}}}
        raise ActionFailed(str(error), code=error.code or str(error.status), outputs=outputs) from error
    except AmlError as error:
        raise ActionFailed(str(error), code="BadRequest") from error
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": answer}


def _check_audience(authentication: Mapping[str, Json], wanted: str) -> None:
    found = authentication.get("audience", wanted)
    if authentication and found != wanted:
        message = f"401 Unauthorized: the audience is {found!r} and must be {wanted!r}, with the slash at its end"
        outputs = {"statusCode": 401, "body": {"error": {"code": "InvalidAuthenticationTokenAudience"}}}
        raise ActionFailed(message, code="Unauthorized", outputs=outputs)


async def _sent(doing: Doing, method: str, url: str, body: Json) -> Json:
    """The answer. Cancelling waits for it: what was started must be known."""
    sending = asyncio.ensure_future(doing.runner.web.send(method, url, body))
    try:
        answer = await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.wait({sending})
        raise
    if method == "POST" and isinstance(answer, Mapping) and isinstance(answer.get("Id"), str):
        doing.ml_runs.append(answer["Id"])
    return answer


async def _compose(doing: Doing) -> Json:
    doing.inputs = doing.value(doing.action.inputs)
    return doing.inputs


async def _query(doing: Doing) -> Json:
    items = _array(doing, "from")
    doing.inputs = {"from": items}
    passes = [doing.frame.inner(doing.where, doing.action.name, item, index) for index, item in enumerate(items)]
    return {"body": [item for item, one in zip(items, passes, strict=True) if holds(doing.action.inputs["where"], one)]}


async def _select(doing: Doing) -> Json:
    items = _array(doing, "from")
    doing.inputs = {"from": items}
    wanted = doing.action.inputs["select"]
    passes = [doing.frame.inner(doing.where, doing.action.name, item, index) for index, item in enumerate(items)]
    return {"body": [evaluate(wanted, one) for one in passes]}


async def _join(doing: Doing) -> Json:
    items = _array(doing, "from")
    doing.inputs = {"from": items, "joinWith": doing.value(doing.action.inputs.get("joinWith", ""))}
    return {"body": str(doing.inputs["joinWith"]).join(map(as_text, items))}


async def _wait(doing: Doing) -> Json:
    doing.inputs = doing.value(doing.action.inputs)
    seconds = _seconds_to_wait(doing)
    await doing.runner.clock.sleep(max(0.0, seconds))
    return None


def _seconds_to_wait(doing: Doing) -> float:
    interval, until = doing.inputs.get("interval"), doing.inputs.get("until")
    if isinstance(interval, Mapping) and str(interval.get("unit")).casefold() in _UNITS:
        count = interval.get("count")
        if isinstance(count, int | float) and not isinstance(count, bool):
            return count * _UNITS[str(interval["unit"]).casefold()]
    if isinstance(until, Mapping):
        try:
            return datetime.fromisoformat(str(until.get("timestamp"))).timestamp() - doing.runner.clock.now()
        except ValueError:
            pass
    raise InvalidInput("a Wait needs an interval or an instant", hint='{"interval": {"count": 5, "unit": "Second"}}.')


async def _initialize_variable(doing: Doing) -> Json:
    doing.inputs = doing.value(doing.action.inputs)
    for one in doing.inputs["variables"]:
        kinds, empty = _kind(one.get("type"))
        doing.frame.run.variables[one["name"]] = _of_kind(one["name"], one.get("value", empty), kinds, one["type"])
    return None


async def _set_variable(doing: Doing) -> Json:
    doing.inputs = doing.value(doing.action.inputs)
    return _changed(doing, lambda _old, value: value)


async def _increment(doing: Doing) -> Json:
    doing.inputs = {"value": 1} | doing.value(doing.action.inputs)
    return _changed(doing, lambda old, value: old + value, (int, float))


async def _decrement(doing: Doing) -> Json:
    doing.inputs = {"value": 1} | doing.value(doing.action.inputs)
    return _changed(doing, lambda old, value: old - value, (int, float))


async def _append_to_array(doing: Doing) -> Json:
    doing.inputs = doing.value(doing.action.inputs)
    return _changed(doing, lambda old, value: [*old, value], (list,))


async def _append_to_string(doing: Doing) -> Json:
    doing.inputs = doing.value(doing.action.inputs)
    return _changed(doing, lambda old, value: old + as_text(value), (str,))


def _changed(doing: Doing, change: Callable[[Json, Json], Json], kinds: tuple[type, ...] = ()) -> Json:
    variables, name = doing.frame.run.variables, doing.inputs["name"]
    if name not in variables:
        raise InvalidInput(f"the variable {name!r} is not initialized yet", hint="Run after its InitializeVariable.")
    old, value = variables[name], doing.inputs.get("value")
    if kinds and (not isinstance(old, kinds) or isinstance(old, bool)):
        raise InvalidInput(f"the variable {name!r} is {kind_of(old)}", hint="Initialize it with another type.")
    if kinds == (int, float) and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise InvalidInput(f"the value for {name!r} is {kind_of(value)}, not a number")
    known = next((kind for kind in ((bool,), (int, float), (str,), (list,), (dict,)) if isinstance(old, kind)), None)
    made = change(old, value)
    variables[name] = made if known is None else _of_kind(name, made, known, f"as {kind_of(old)}")
    return {"body": {"name": name, "value": variables[name]}}


def _kind(name: Json) -> tuple[tuple[type, ...], Json]:
    if str(name).casefold() not in _KINDS:
        raise InvalidInput(f"a variable cannot be of the type {name!r}", hint=f"Known: {', '.join(_KINDS)}.")
    return _KINDS[str(name).casefold()]


def _of_kind(name: str, value: Json, kinds: tuple[type, ...], wanted: str) -> Json:
    is_truth = isinstance(value, bool)
    if value is None or (isinstance(value, kinds) and is_truth == (bool in kinds)):
        return value
    raise InvalidInput(f"the variable {name!r} is declared {wanted}, and the value is {kind_of(value)}")


async def _terminate(doing: Doing) -> Json:
    from aml_magics.workflows.logic_app.running import Terminated  # noqa: PLC0415 - the runner imports the handlers

    doing.inputs = doing.value(doing.action.inputs)
    known = {"Succeeded": Status.SUCCEEDED, "Failed": Status.FAILED, "Cancelled": Status.CANCELLED}
    status = doing.inputs.get("runStatus")
    if status not in known:
        raise InvalidInput(f"a run cannot end as {status!r}", hint=f"Known: {', '.join(known)}.")
    error = doing.inputs.get("runError") or {}
    raise Terminated(known[status], str(error.get("code", "")), str(error.get("message", "")))


def _array(doing: Doing, key: str) -> list[Json]:
    value = doing.value(doing.action.inputs[key])
    if isinstance(value, list):
        return value
    raise InvalidInput(f"{key!r} must be an array, and is {kind_of(value)}")


HANDLERS: Mapping[str, Callable[[Doing], Awaitable[Json]]] = {
    "AppendToArrayVariable": _append_to_array,
    "AppendToStringVariable": _append_to_string,
    "Compose": _compose,
    "DecrementVariable": _decrement,
    "Http": _http,
    "IncrementVariable": _increment,
    "InitializeVariable": _initialize_variable,
    "Join": _join,
    "Query": _query,
    "Select": _select,
    "SetVariable": _set_variable,
    "Terminate": _terminate,
    "Wait": _wait,
}
