"""What a run of a Data Factory pipeline leaves to look at: itself, and one record for each activity that ended.

A record shows what Data Factory's monitoring would: an output or an input that the policy calls secure is masked here,
while expressions (``activity('a').output``) still see it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aml_magics.model.errors import AmlError
from aml_magics.model.secret import Secret, redacted
from aml_magics.workflows.data_factory.dependencies import Status

__all__ = ["MANUAL", "ActivityFailed", "ActivityRun", "Fired", "PipelineRun"]


class ActivityFailed(AmlError):
    """An activity did not succeed. ``code`` is its error code, ``output`` what is known all the same."""

    def __init__(self, message: str, *, code: str, output: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.output = dict(output or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRun:
    """One activity that ended. ``where`` leads to it: ``Loop[2]/Train``; ``error`` is empty unless it failed.

    ``ml_runs`` are the ids of the runs of Azure ML that it started, one an attempt.
    """

    name: str
    type: str
    where: str
    status: Status
    started: datetime
    ended: datetime
    input: Any = None
    output: Any = None
    error: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 1
    ml_runs: tuple[str, ...] = ()
    user_properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return (self.ended - self.started).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """Why a pipeline runs: the trigger, its time, what ``trigger()`` and ``triggerBody()`` say there."""

    type: str = "Manual"
    name: str = "Manual"
    scheduled: datetime | None = None
    at: datetime | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


MANUAL = Fired()


@dataclass(slots=True, kw_only=True)
class PipelineRun:
    """One run of a pipeline. ``activities`` grows while it runs, in the order in which they end.

    ``parent`` is the run whose ExecutePipeline activity started it; ``children`` are those that it started.
    """

    id: str
    pipeline: str
    parameters: Mapping[str, Any]
    variables: dict[str, Any]
    fired: Fired
    started: datetime
    status: Status | None = None  # while it runs
    message: str = ""
    ended: datetime | None = None
    activities: list[ActivityRun] = field(default_factory=list)
    running: dict[str, str] = field(default_factory=dict)  # where, and what it does
    parent: PipelineRun | None = None
    children: list[PipelineRun] = field(default_factory=list)

    def masked(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        """The value without the secrets among the parameters, those of the runs that started this one too."""
        secrets = [one for one in self.parameters.values() if isinstance(one, Secret)]
        own = _masked(value, secrets) if secrets else value
        return self.parent.masked(own) if self.parent else own

    @property
    def first(self) -> PipelineRun:
        """The run that started all this: itself, unless another one executes it."""
        return self.parent.first if self.parent else self

    @property
    def ml_runs(self) -> tuple[str, ...]:
        """The ids of all runs of Azure ML that were started on the way, in pipelines that this one ran too."""
        own = [run for activity in self.activities for run in activity.ml_runs]
        return (*own, *(run for child in self.children for run in child.ml_runs))


def _masked(value: Any, secrets: Sequence[Secret]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return redacted(value, *secrets)
    if isinstance(value, Mapping):
        return {key: _masked(item, secrets) for key, item in value.items()}
    return [_masked(item, secrets) for item in value] if isinstance(value, list) else value
