"""What running a Logic App leaves to look at: the checks of its triggers, its runs, and each action that ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from aml_magics.model.errors import AmlError

__all__ = ["ActionFailed", "ActionRun", "Status", "TriggerCheck", "WorkflowRun"]


class Status(StrEnum):
    """How an action or a run ended; the first four are what ``runAfter`` knows."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"


class ActionFailed(AmlError):
    """An action did not succeed. ``outputs`` are what is known all the same."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        outputs: object = None,
        status: Status = Status.FAILED,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.outputs = outputs
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRun:
    """One action that ended. ``where`` leads to it: ``For_each[2]/Run_pipeline``; ``error`` is empty unless it failed.

    ``ml_runs`` are the ids of the runs of Azure ML that it started.
    """

    name: str
    type: str
    where: str
    status: Status
    started: datetime
    ended: datetime
    inputs: Any = None
    outputs: Any = None
    error: Mapping[str, str] = field(default_factory=dict)
    ml_runs: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return (self.ended - self.started).total_seconds()


@dataclass(slots=True, kw_only=True)
class WorkflowRun:
    """One run. ``actions`` grows while it runs, in the order in which they end; ``body`` is what fired it."""

    id: str
    trigger: str
    body: Any
    started: datetime
    outputs: Mapping[str, Any] = field(default_factory=dict)  # of the trigger
    status: Status | None = None  # while it runs
    code: str = ""
    message: str = ""
    ended: datetime | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    actions: list[ActionRun] = field(default_factory=list)

    @property
    def ml_runs(self) -> tuple[str, ...]:
        """The ids of the runs of Azure ML that it started."""
        return tuple(run for action in self.actions for run in action.ml_runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerCheck:
    """One time that a trigger was asked: whether it fired, how many runs that made, and why none.

    ``status`` is Azure's word in the trigger's history: Succeeded, Skipped or Failed.
    """

    trigger: str
    at: datetime
    status: Status
    runs: int = 0
    reason: str = ""

    @property
    def fired(self) -> bool:
        return self.runs > 0
