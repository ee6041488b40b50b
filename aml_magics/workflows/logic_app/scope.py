"""What an expression of a workflow sees: ``triggerBody()``, ``parameters('p')``, ``body('action')``, ``items('loop')``.

A ``Frame`` is one place of a run. Each pass of a loop has its own, so that the same inner action of two passes at once
does not mix them up; after a scope, an If or a Switch, what ran inside is known outside too. Variables belong to the
run and are shared, as in Azure.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aml_magics.workflows.language import dates
from aml_magics.workflows.language.kinds import Refusal
from aml_magics.workflows.logic_app.definition import Workflow
from aml_magics.workflows.logic_app.records import Status, WorkflowRun

__all__ = ["IN_ACTIONS", "IN_TRIGGERS", "OF_ACTIONS", "Ended", "Frame", "Outputs", "TriggerScope", "stamp"]

OF_ACTIONS = ("actions", "body", "outputs", "actionBody", "actionOutputs", "result")
IN_TRIGGERS = ("trigger", "triggerBody", "triggerOutputs", "parameters", "workflow")
IN_ACTIONS = (*IN_TRIGGERS, *OF_ACTIONS, "variables", "item", "items", "iterationIndexes")
Lookup = Callable[..., Any]


def stamp(at: datetime | None) -> str | None:
    """An instant as Azure writes it; nothing for none."""
    return None if at is None else dates.stamp(at.astimezone(UTC))


class Outputs(dict[str, Any]):
    """Outputs, of which the designer asks for a part of the body in one step: ``['body/Name']``."""

    def __contains__(self, key: object) -> bool:
        if super().__contains__(key):
            return True
        return isinstance(key, str) and "/" in key and self._part(key) is not None

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        return super().__getitem__(key) if super().__contains__(key) else self._part(key)

    def _part(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        value: Any = dict(self)
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


@dataclass(frozen=True, slots=True)
class Ended:
    """What expressions may know of an action that ended; ``inner`` are the facts of those right inside it."""

    status: Status
    facts: Mapping[str, Any]
    inner: Sequence[Mapping[str, Any]] = ()


class TriggerScope:
    """What the expressions of a trigger see: its conditions, its inputs, and of everything what it brought."""

    def __init__(self, workflow: Workflow, run: WorkflowRun, now: Callable[[], datetime]) -> None:
        self.workflow = workflow
        self.run = run
        self.now = now

    def lookup(self, function: str) -> Lookup | None:
        """The function of that name, in any case."""
        return self._functions().get(function.casefold())

    def _functions(self) -> dict[str, Lookup]:
        return {
            "trigger": self._trigger,
            "triggerbody": lambda: self.run.body,
            "triggeroutputs": self._trigger_outputs,
            "parameters": self._parameter,
            "workflow": self._workflow,
            **dates.clock_functions(self.now),
        }

    def _trigger_outputs(self) -> dict[str, Any]:
        return Outputs() if self.run.body is None else Outputs(body=self.run.body)

    def _trigger(self) -> dict[str, Any]:
        at = stamp(self.run.fired)
        return {
            "name": self.run.trigger,
            "status": Status.SUCCEEDED.value,
            "code": "OK",
            "startTime": at,
            "endTime": at,
            "scheduledTime": stamp(self.run.scheduled),
            "outputs": self._trigger_outputs(),
        }

    def _parameter(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        if name in self.workflow.parameters:
            return self.workflow.parameters[name]
        raise Refusal(f"there is no parameter {name!r}")

    def _workflow(self) -> dict[str, Any]:
        name = self.workflow.name
        run = {"id": f"/workflows/{name}/runs/{self.run.id}", "name": self.run.id, "type": "workflows/runs"}
        return {"id": f"/workflows/{name}", "name": name, "type": "workflows", "run": run}


class Frame(TriggerScope):
    """One place of a run. ``where`` leads to it; ``items`` are those of the loops around, the innermost first."""

    def __init__(
        self,
        workflow: Workflow,
        run: WorkflowRun,
        now: Callable[[], datetime],
        *,
        where: str = "",
        ended: ChainMap[str, Ended] | None = None,
        items: Mapping[str, Any] | None = None,
        passes: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(workflow, run, now)
        self.where = where
        self.ended: ChainMap[str, Ended] = ChainMap() if ended is None else ended
        self.items = items or {}
        self.passes = passes or {}

    def inside(self, where: str) -> Frame:
        """In a scope, an If or a Switch: what ends there is known outside."""
        return Frame(
            self.workflow, self.run, self.now, where=where, ended=self.ended, items=self.items, passes=self.passes
        )

    def in_pass(self, loop: str, where: str, number: int, **item: Any) -> Frame:  # noqa: ANN401 - any JSON
        """In one pass of a loop; ``item=`` is that of a Foreach."""
        items = {loop: item["item"], **self.items} if item else self.items
        passes = {**self.passes, loop: number}
        return Frame(
            self.workflow, self.run, self.now, where=where, ended=self.ended.new_child(), items=items, passes=passes
        )

    def with_item(self, item: Any) -> Frame:  # noqa: ANN401 - any JSON
        """For the expressions of a Query or Select."""
        return self.in_pass("", self.where, 0, item=item)

    def _functions(self) -> dict[str, Lookup]:
        return {
            **super()._functions(),
            "actions": lambda name: self._of(name).facts,
            "outputs": self._outputs,
            "actionoutputs": self._outputs,
            "body": self._body,
            "actionbody": self._body,
            "result": lambda name: list(self._of(name).inner),
            "variables": self._variable,
            "item": self._item,
            "items": self._item_of,
            "iterationindexes": self._pass_of,
        }

    def _of(self, name: str) -> Ended:
        if name in self.ended:
            return self.ended[name]
        raise Refusal(f"the action {name!r} has not run before this one", argument=1)

    def _outputs(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        return self._of(name).facts.get("outputs")

    def _body(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        found = self._outputs(name)
        return found.get("body") if isinstance(found, Mapping) else None

    def _variable(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        if name in self.run.variables:
            return self.run.variables[name]
        raise Refusal(f"the variable {name!r} is not initialized", argument=1)

    def _item(self) -> Any:  # noqa: ANN401 - any JSON
        if self.items:
            return next(iter(self.items.values()))
        raise Refusal("it stands outside of a Foreach, Query or Select")

    def _item_of(self, loop: str) -> Any:  # noqa: ANN401 - any JSON
        if loop in self.items:
            return self.items[loop]
        raise Refusal(f"it stands outside of a Foreach {loop!r}", argument=1)

    def _pass_of(self, loop: str) -> int:
        if loop in self.passes:
            return self.passes[loop]
        raise Refusal(f"it stands outside of an Until {loop!r}", argument=1)
