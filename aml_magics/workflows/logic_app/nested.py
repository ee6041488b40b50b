"""What the actions with others inside do: If, Switch, Scope, Foreach and Until.

As Logic Apps document them: each fails with what counts of its inner actions (``workflows.outcome``); a Foreach runs
all its passes, twenty at once unless told otherwise, and fails at the end when one did; an Until ends when its
condition holds, or its count or time is over, which is no failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aml_magics.model.errors import InvalidInput
from aml_magics.workflows.language.convert import as_text
from aml_magics.workflows.language.kinds import kind_of
from aml_magics.workflows.logic_app.conditions import holds
from aml_magics.workflows.logic_app.records import ActionFailed, ActionRun

if TYPE_CHECKING:
    from aml_magics.workflows.logic_app.running import Doing
    from aml_magics.workflows.logic_app.scope import Frame

__all__ = ["HANDLERS"]

Json = Any
_AT_ONCE = 20
_COUNT, _LONGEST = 60, "PT1H"  # of an Until that says nothing
_MOST_PASSES = 5000


def _check(failed: Sequence[ActionRun]) -> None:
    if failed:
        reasons = "; ".join(f"{one.name}: {one.error.get('message', one.status.value)}" for one in failed)
        raise ActionFailed(f"an inner action failed: {reasons}", code="ActionFailed")


async def _branch(doing: Doing, name: str, frame: Frame | None = None) -> None:
    inner = doing.frame.inner(doing.where) if frame is None else frame
    _check(await doing.runner.run_all(doing.action.branches.get(name, ()), inner))


async def _scope(doing: Doing) -> Json:
    await _branch(doing, "actions")
    return None


async def _if(doing: Doing) -> Json:
    is_true = holds(doing.action.properties["expression"], doing.frame)
    doing.inputs = {"expressionResult": is_true}
    await _branch(doing, "actions" if is_true else "else")
    return None


async def _switch(doing: Doing) -> Json:
    wanted = doing.value(doing.action.properties["expression"])
    doing.inputs = {"expressionResult": wanted}
    case = f"case {as_text(wanted)}"
    await _branch(doing, case if case in doing.action.branches else "default")
    return None


async def _for_each(doing: Doing) -> Json:
    items = doing.value(doing.action.properties["foreach"])
    if not isinstance(items, list):
        raise InvalidInput(f"a Foreach goes over an array, not over {kind_of(items)}", hint="array(...) makes one.")
    doing.inputs = {"iterationsCount": len(items)}
    concurrency = (doing.action.properties.get("runtimeConfiguration") or {}).get("concurrency") or {}
    in_turn = doing.action.properties.get("operationOptions") == "Sequential"
    turns = asyncio.Semaphore(1 if in_turn else concurrency.get("repetitions", _AT_ONCE))

    async def one(index: int, item: Json) -> str:
        frame = doing.frame.inner(f"{doing.where}[{index + 1}]", doing.action.name, item, index)
        async with turns:
            try:
                await _branch(doing, "actions", frame)
            except ActionFailed as failure:
                return f"{index + 1}: {failure}"
        return ""

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(index, item)) for index, item in enumerate(items)]
    failed = [task.result() for task in tasks if task.result()]
    if failed:
        message = f"{len(failed)} of {len(items)} passes failed; {failed[0]}"
        raise ActionFailed(message, code="ActionFailed")
    return None


async def _until(doing: Doing) -> Json:
    from aml_magics.workflows.logic_app.running import seconds_of  # noqa: PLC0415 - the runner imports the handlers

    limit = doing.action.properties.get("limit") or {}
    most = min(int(doing.value(limit.get("count", _COUNT))), _MOST_PASSES)
    end = doing.runner.clock.now() + seconds_of(doing.value(limit.get("timeout", _LONGEST)))
    done = 0
    failed: Sequence[ActionRun] = ()
    while done < most and doing.runner.clock.now() <= end:
        done += 1
        frame = doing.frame.inner(f"{doing.where}[{done}]", doing.action.name, None, done - 1)
        failed = await doing.runner.run_all(doing.action.branches.get("actions", ()), frame)
        if holds(doing.action.properties["expression"], frame):
            break
    doing.inputs = {"iterationsCount": done}
    _check(failed)
    return None


HANDLERS: Mapping[str, Callable[[Doing], Awaitable[Json]]] = {
    "Foreach": _for_each,
    "If": _if,
    "Scope": _scope,
    "Switch": _switch,
    "Until": _until,
}
