"""What an expression of a Logic App sees: the trigger, actions that ended, variables, parameters, the item of a loop.

A ``Frame`` is one place of a run. Each pass of a loop has a frame of its own; variables belong to the run.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aml_magics.model.errors import did_you_mean
from aml_magics.workflows.language import dates
from aml_magics.workflows.language.kinds import Refusal
from aml_magics.workflows.logic_app.records import ActionRun, WorkflowRun

__all__ = ["FUNCTIONS", "IN_TRIGGERS", "Frame", "TriggerScope"]

IN_TRIGGERS = ("trigger", "triggerBody", "triggerOutputs", "parameters")
FUNCTIONS = (
    *IN_TRIGGERS,
    *("actions", "actionBody", "actionOutputs", "body", "outputs", "result", "variables", "item", "items"),
    *("iterationIndexes", "workflow"),
)
Json = Any
Functions = Mapping[str, Callable[..., Json]]


class TriggerScope:
    """What the conditions of a trigger see. ``outputs`` are what it brought: ``{"body": ...}``."""

    def __init__(
        self, name: str, outputs: Mapping[str, Json], parameters: Mapping[str, Json], now: Callable[[], datetime]
    ) -> None:
        self._name = name
        self._outputs = outputs
        self._parameters = parameters
        self._now = now
        self._functions: Functions = {
            "trigger": self._trigger,
            "triggerbody": lambda: self._outputs.get("body"),
            "triggeroutputs": lambda: dict(self._outputs),
            "parameters": self._parameter,
            **dates.clock_functions(now),
        }

    def lookup(self, function: str) -> Callable[..., Json] | None:
        """The function of that name, in any case."""
        return self._functions.get(function.casefold())

    def _trigger(self) -> Json:
        return {"name": self._name, "outputs": dict(self._outputs), "startTime": _stamp(self._now())}

    def _parameter(self, name: str) -> Json:
        if name in self._parameters:
            return self._parameters[name]
        raise Refusal(f"there is no parameter {name!r}", hint=did_you_mean(name, self._parameters))


class Frame(TriggerScope):
    """One place of a run. ``where`` leads to it; ``loops`` has the item and the index of each loop around it."""

    def __init__(
        self,
        run: WorkflowRun,
        parameters: Mapping[str, Json],
        now: Callable[[], datetime],
        *,
        workflow: str = "",
        where: str = "",
        ended: ChainMap[str, ActionRun] | None = None,
        loops: Mapping[str, tuple[Json, int]] | None = None,
    ) -> None:
        super().__init__(run.trigger, run.outputs, parameters, now)
        self.run = run
        self.where = where
        self.ended: ChainMap[str, ActionRun] = ChainMap() if ended is None else ended
        self._workflow = workflow
        self._loops = dict(loops or {})
        self._functions = {
            **self._functions,
            "actions": self._action,
            "body": self._body,
            "actionbody": self._body,
            "outputs": lambda name: self._of(name).outputs,
            "actionoutputs": lambda name: self._of(name).outputs,
            "result": self._result,
            "variables": self._variable,
            "item": self._item,
            "items": lambda name: self._loop(name)[0],
            "iterationindexes": lambda name: self._loop(name)[1],
            "workflow": lambda: {"name": self._workflow, "run": {"name": run.id}},
        }

    def inner(self, where: str, loop: str = "", item: Json = None, index: int = 0) -> Frame:
        """A frame inside this one, of a pass of ``loop`` when one is named."""
        loops = self._loops | ({loop: (item, index)} if loop else {})
        return Frame(
            self.run,
            self._parameters,
            self._now,
            workflow=self._workflow,
            where=where,
            ended=self.ended.new_child(),
            loops=loops,
        )

    def _of(self, name: str) -> ActionRun:
        if name in self.ended:
            return self.ended[name]
        raise Refusal(f"the action {name!r} has not ended before this one", hint="Let it run after that one.")

    def _action(self, name: str) -> Json:
        one = self._of(name)
        return {
            "name": one.name,
            "status": one.status.value,
            "startTime": _stamp(one.started),
            "endTime": _stamp(one.ended),
            "inputs": one.inputs,
            "outputs": one.outputs,
            "code": one.error.get("code"),
            "error": dict(one.error) or None,
        }

    def _body(self, name: str) -> Json:
        outputs = self._of(name).outputs
        return outputs.get("body") if isinstance(outputs, Mapping) else None

    def _result(self, name: str) -> Json:
        self._of(name)
        inside = f"{name}/"
        return [self._plain(one) for one in self.run.actions if one.where.rpartition("/")[0].endswith(inside[:-1])]

    def _plain(self, one: ActionRun) -> Json:
        return {"name": one.name, "status": one.status.value, "inputs": one.inputs, "outputs": one.outputs}

    def _variable(self, name: str) -> Json:
        if name in self.run.variables:
            return self.run.variables[name]
        raise Refusal(f"there is no variable {name!r} yet", hint=did_you_mean(name, self.run.variables))

    def _item(self) -> Json:
        if not self._loops:
            raise Refusal("it stands outside of a loop")
        return self._loops[next(reversed(self._loops))][0]

    def _loop(self, name: str) -> tuple[Json, int]:
        if name in self._loops:
            return self._loops[name]
        raise Refusal(f"it stands outside of the loop {name!r}", hint=did_you_mean(name, self._loops))


def _stamp(at: datetime) -> str:
    return dates.stamp(at.astimezone(UTC))
