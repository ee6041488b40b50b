"""What an expression of Data Factory sees: ``pipeline()``, ``activity('a')``, ``variables('v')``, ``item()``; in a
trigger ``trigger()`` and ``triggerBody()``.

A ``Frame`` is one place of a pipeline that runs. Each pass of a loop has a frame of its own, so that the same inner
activity of two passes at once does not mix them up; variables belong to the run and are shared, as in Data Factory.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aml_magics.model.secret import Secret
from aml_magics.workflows.data_factory.dependencies import Status
from aml_magics.workflows.data_factory.records import Fired, PipelineRun
from aml_magics.workflows.language import dates
from aml_magics.workflows.language.kinds import Refusal

__all__ = ["IN_PIPELINES", "IN_TRIGGERS", "PIPELINE_FACTS", "Ended", "Frame", "TriggerScope", "stamp"]

IN_PIPELINES = ("pipeline", "activity", "variables", "item")
IN_TRIGGERS = ("trigger", "triggerBody")
PIPELINE_FACTS = (
    "DataFactory",
    "Pipeline",
    "RunId",
    "GroupId",
    "TriggerType",
    "TriggerName",
    "TriggerId",
    "TriggerTime",
    "TriggeredByPipelineName",
    "TriggeredByPipelineRunId",
    "parameters",
)
_NO_ITEM = object()


@dataclass(frozen=True, slots=True)
class Ended:
    """What expressions may know of an activity that ended: nothing is masked."""

    status: Status
    facts: Mapping[str, Any] = field(default_factory=dict)


def stamp(at: datetime | None) -> str:
    """An instant as Data Factory writes it: UTC, with seven digits and a Z; nothing for none."""
    return "" if at is None else dates.stamp(at.astimezone(UTC))


class Frame:
    """One place of a run. ``where`` leads to it."""

    def __init__(
        self,
        run: PipelineRun,
        factory: str,
        now: Callable[[], datetime],
        *,
        where: str = "",
        ended: ChainMap[str, Ended] | None = None,
        item: Any = _NO_ITEM,  # noqa: ANN401 - any JSON
    ) -> None:
        self.run = run
        self.factory = factory
        self._now = now
        self.where = where
        self.ended: ChainMap[str, Ended] = ChainMap() if ended is None else ended
        self._item = item

    def inner(self, where: str, **item: Any) -> Frame:  # noqa: ANN401 - any JSON
        """A frame inside this one; ``item=`` is that of a pass."""
        given = item or {"item": self._item}
        return Frame(self.run, self.factory, self._now, where=where, ended=self.ended.new_child(), **given)

    def lookup(self, function: str) -> Callable[..., Any] | None:
        """The host's function of that name, in any case."""
        known: dict[str, Callable[..., Any]] = {
            "pipeline": self._pipeline,
            "activity": self._activity,
            "variables": self._variable,
            "item": self._item_now,
            **dates.clock_functions(self._now),
        }
        return known.get(function.casefold())

    def _pipeline(self) -> dict[str, Any]:
        run = self.run
        return {
            "DataFactory": self.factory,
            "Pipeline": run.pipeline,
            "RunId": run.id,
            "GroupId": run.first.id,
            "TriggerType": run.fired.type,
            "TriggerName": run.fired.name,
            "TriggerId": run.fired.name,
            "TriggerTime": stamp(run.fired.at),
            "TriggeredByPipelineName": run.parent.pipeline if run.parent else None,
            "TriggeredByPipelineRunId": run.parent.id if run.parent else None,
            "parameters": {
                name: one.reveal() if isinstance(one, Secret) else one for name, one in run.parameters.items()
            },
        }

    def _activity(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        if name in self.ended:
            return self.ended[name].facts
        raise Refusal(f"{name!r} has not run before this activity")

    def _variable(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        if name in self.run.variables:
            return self.run.variables[name]
        raise Refusal(f"there is no variable {name!r}")

    def _item_now(self) -> Any:  # noqa: ANN401 - any JSON
        if self._item is _NO_ITEM:
            raise Refusal("it stands outside of a ForEach or Filter")
        return self._item


class TriggerScope:
    """What the parameters of a trigger see."""

    def __init__(self, fired: Fired, now: Callable[[], datetime]) -> None:
        self._fired = fired
        self._now = now

    def lookup(self, function: str) -> Callable[..., Any] | None:
        """The host's function of that name, in any case."""
        known: dict[str, Callable[..., Any]] = {
            "trigger": self._trigger,
            "triggerbody": self._body,
            **dates.clock_functions(self._now),
        }
        return known.get(function.casefold())

    def _trigger(self) -> dict[str, Any]:
        fired = self._fired
        outputs = dict(fired.outputs) | ({"body": dict(fired.body)} if fired.body else {})
        return {"scheduledTime": stamp(fired.scheduled), "startTime": stamp(fired.at), "outputs": outputs}

    def _body(self) -> dict[str, Any]:
        return dict(self._fired.body)
