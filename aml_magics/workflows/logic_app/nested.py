"""What the actions with others inside do.

As Azure documents them: a Foreach runs all its passes, twenty at a time unless it is told otherwise, and fails when one
of them did; an Until goes on until its expression holds or a limit is reached, whatever becomes of single passes; the
branch of an If or a Switch that is not taken is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aml_magics.workflows.language import evaluate
from aml_magics.workflows.logic_app.conditions import holds
from aml_magics.workflows.logic_app.records import ActionFailed, Status
from aml_magics.workflows.logic_app.values import seconds_of

if TYPE_CHECKING:
    from aml_magics.workflows.logic_app.running import Doing

__all__ = ["HANDLERS"]

_AT_ONCE = 20
_LONGEST_LOOP = 100_000


async def _scope(doing: Doing) -> None:
    await _branch(doing, "actions")


async def _if(doing: Doing) -> dict[str, Any]:
    is_true = holds(doing.action.written["expression"], doing.frame)
    doing.inputs = {"expressionResult": is_true}
    await _branch(doing, "actions" if is_true else "else")
    return {"expressionResult": is_true}


async def _switch(doing: Doing) -> None:
    wanted = evaluate(doing.action.written["expression"], doing.frame)
    doing.inputs = {"expression": wanted}
    cases = doing.action.written["cases"]
    await _branch(
        doing, next((f"cases.{name}" for name, one in cases.items() if one and one.get("case") == wanted), "default")
    )


async def _branch(doing: Doing, taken: str) -> None:
    frame = doing.frame.inside(doing.where)
    for name, actions in doing.action.branches.items():
        if name != taken:
            doing.inner += doing.runner.skip(actions, frame)
    failed = await doing.runner.run_level(doing.action.branches.get(taken, ()), frame, doing.inner)
    if failed:
        raise ActionFailed(f"an action inside failed: {failed}")


async def _foreach(doing: Doing) -> None:
    items = evaluate(doing.action.written["foreach"], doing.frame)
    doing.inputs = items
    if not isinstance(items, list):
        raise ActionFailed(f"'foreach' is not an array: {items!r}", code="ExpressionEvaluationFailed")
    if len(items) > _LONGEST_LOOP:
        raise ActionFailed(f"'foreach' has {len(items):,} items: at most {_LONGEST_LOOP:,}", code="TooManyItems")
    turns = asyncio.Semaphore(_at_once(doing))
    failed: dict[int, str] = {}

    async def one_pass(number: int, item: Any) -> None:  # noqa: ANN401 - any JSON
        async with turns:
            where = f"{doing.where}[{number}]"
            frame = doing.frame.in_pass(doing.action.name, where, number, item=item)
            if reason := await doing.runner.run_level(doing.action.branches["actions"], frame, doing.inner):
                failed[number] = reason

    async with asyncio.TaskGroup() as group:
        for number, item in enumerate(items):
            group.create_task(one_pass(number, item))
    if failed:
        number = min(failed)
        raise ActionFailed(f"{len(failed)} of {len(items)} passes failed; [{number}]: {failed[number]}")


def _at_once(doing: Doing) -> int:
    if doing.action.setting("operationOptions") == "Sequential":
        return 1
    return int(doing.action.setting("runtimeConfiguration", "concurrency", "repetitions") or _AT_ONCE)


async def _until(doing: Doing) -> dict[str, Any]:
    most = int(doing.action.setting("limit", "count") or 60)
    end = doing.runner.clock.now() + seconds_of("limit.timeout", doing.action.setting("limit", "timeout") or "PT1H")
    expression = doing.action.written["expression"]
    frame, count, is_over = doing.frame, 0, False
    while not is_over and count < most and doing.runner.clock.now() < end:
        frame = doing.frame.in_pass(doing.action.name, f"{doing.where}[{count}]", count)
        doing.inner.clear()
        await doing.runner.run_level(doing.action.branches["actions"], frame, doing.inner)
        count += 1
        is_over = holds(expression, frame)
    doing.inputs = {"iterationCount": count}
    if not is_over and doing.runner.clock.now() >= end:
        raise ActionFailed(f"its time was over after {count} passes", code=Status.TIMED_OUT.value)
    return {"iterationCount": count, "isOver": is_over}


HANDLERS: Mapping[str, Callable[[Doing], Awaitable[Any]]] = {
    "Scope": _scope,
    "If": _if,
    "Switch": _switch,
    "Foreach": _foreach,
    "Until": _until,
}
