"""What the activities with others inside do, and those that look at collections or start another pipeline.

As Data Factory documents them: a ForEach runs all its passes, whatever becomes of some, and fails at the end when one
did; an Until is not stopped by a failure inside and fails when its last pass did; If and Switch fail with the branch
that ran. Whether a branch failed is judged by the rules for a pipeline (``dependencies``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aml_magics.model.errors import InvalidInput
from aml_magics.workflows.data_factory.dependencies import Status
from aml_magics.workflows.data_factory.records import ActivityFailed
from aml_magics.workflows.data_factory.values import as_bool, as_text, resolve, seconds_of
from aml_magics.workflows.workspace import LateError, within

if TYPE_CHECKING:
    from aml_magics.workflows.data_factory.running import Doing

__all__ = ["HANDLERS", "MOST_AT_ONCE"]

MOST_AT_ONCE = 50
_AT_ONCE = 20  # passes of a ForEach, unless batchCount says otherwise
_LONGEST = "7.00:00:00"  # of an Until, unless timeout says otherwise


def _inner_failed(reasons: str) -> ActivityFailed:
    return ActivityFailed(f"an inner activity failed: {reasons}", code="ActionFailed")


async def _branch(doing: Doing, name: str) -> None:
    inner = doing.activity.branches.get(name, ())
    failed = await doing.runner.run_all(inner, doing.frame.inner(doing.where))
    if failed:
        raise _inner_failed(failed)


async def _if(doing: Doing) -> dict[str, Any]:
    is_true = doing.truth("expression")
    doing.input = {"expression": is_true}
    await _branch(doing, "ifTrueActivities" if is_true else "ifFalseActivities")
    return {}


async def _switch(doing: Doing) -> dict[str, Any]:
    wanted = doing.text("on")
    doing.input = {"on": wanted}
    case = f"case {wanted}"
    await _branch(doing, case if case in doing.activity.branches else "defaultActivities")
    return {}


async def _for_each(doing: Doing) -> dict[str, Any]:
    items = _items(doing)
    at_once = 1 if doing.truth("isSequential") else int(doing.number("batchCount", _AT_ONCE))
    turns = asyncio.Semaphore(at_once)

    async def one(index: int, item: Any) -> str:  # noqa: ANN401 - any JSON
        async with turns:
            frame = doing.frame.inner(f"{doing.where}[{index}]", item=item)
            failed = await doing.runner.run_all(doing.activity.branches["activities"], frame)
            return f"pass {index}: {failed}" if failed else ""

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(index, item)) for index, item in enumerate(items)]
    failed = "; ".join(filter(None, (task.result() for task in tasks)))
    if failed:
        raise _inner_failed(failed)
    return {"itemsCount": len(items)}


async def _until(doing: Doing) -> dict[str, Any]:
    limit = seconds_of("timeout", doing.value("timeout", _LONGEST))
    try:
        passes = await within(doing.runner.clock, limit, _passes(doing))
    except LateError:
        message = f"its expression did not become true within its timeout of {limit:g} s"
        raise ActivityFailed(message, code="Timeout") from None
    return {"iterations": passes}


async def _passes(doing: Doing) -> int:
    count = 0
    while True:
        frame = doing.frame.inner(f"{doing.where}[{count}]")
        failed = await doing.runner.run_all(doing.activity.branches["activities"], frame)
        count += 1
        if as_bool("expression", resolve(doing.activity.properties["expression"], frame)):
            break
        await doing.runner.clock.sleep(0)  # a loop without a Wait leaves others their turn
    if failed:
        raise _inner_failed(failed)
    return count


async def _filter(doing: Doing) -> dict[str, Any]:
    items = _items(doing)
    condition = doing.activity.properties["condition"]
    kept = [
        item
        for item in items
        if as_bool("condition", resolve(condition, doing.frame.inner(doing.frame.where, item=item)))
    ]
    return {"ItemsCount": len(items), "FilteredItemsCount": len(kept), "Value": kept}


def _items(doing: Doing) -> list[Any]:
    items = doing.value("items")
    if not isinstance(items, list):
        raise InvalidInput(f"items is an array, not {type(items).__name__}", hint="Write @variables('LIST').")
    return items


async def _execute_pipeline(doing: Doing) -> dict[str, Any]:
    runner = doing.runner
    name = as_text("referenceName", doing.activity.properties["pipeline"]["referenceName"])
    given = doing.mapping("parameters")
    doing.input = {"pipeline": name, "parameters": given}
    run = runner.begin(runner.factory.pipeline(name), given, doing.frame.run.fired, doing.frame.run)
    output = {"pipelineName": name, "pipelineRunId": run.id}
    if not doing.truth("waitOnCompletion", default=True):
        runner.carry_out_apart(run)
        return output
    await runner.carry_out(run)
    if run.status is not Status.SUCCEEDED:
        raise ActivityFailed(f"the pipeline {name!r} failed: {run.message}", code="OperationFailed", output=output)
    return output


HANDLERS: Mapping[str, Callable[[Doing], Awaitable[Any]]] = {
    "IfCondition": _if,
    "Switch": _switch,
    "ForEach": _for_each,
    "Until": _until,
    "Filter": _filter,
    "ExecutePipeline": _execute_pipeline,
}
