"""What running a Logic App leaves to look at: each check of a trigger, each run, each action of a run.

``ActionRun`` is what the portal's run history shows; an action whose ``runtimeConfiguration`` asks for secure inputs or
outputs is masked there, while expressions still see them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from aml_magics.model.errors import AmlError
from aml_magics.model.secret import Secret, redacted

__all__ = ["ActionFailed", "ActionRun", "Status", "Terminated", "TriggerCheck", "Watched", "WorkflowRun", "masked"]


class Status(StrEnum):
    """How an action or a run ended. The first four are those that ``runAfter`` may name."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"


class ActionFailed(AmlError):
    """An action did not succeed. ``code`` is Azure's word for it, ``outputs`` what is known all the same."""

    def __init__(self, message: str, *, code: str = "ActionFailed", outputs: Any = None) -> None:  # noqa: ANN401 - JSON
        super().__init__(message)
        self.code = code
        self.outputs = outputs


class Terminated(Exception):
    """A Terminate action was reached: the run ends now."""

    def __init__(self, status: Status, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRun:
    """One action that ended. ``where`` leads to it: ``For_each[2]/Run_pipeline``.

    ``ml_run`` is the id of the run of Azure ML that it started, ``data_paths`` what it gave to it
    (``datastore/path`` by parameter).
    """

    name: str
    type: str
    where: str
    status: Status
    started: datetime
    ended: datetime
    inputs: Any = None
    outputs: Any = None
    code: str = ""
    message: str = ""
    attempts: int = 1
    ml_run: str = ""
    data_paths: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class WorkflowRun:
    """One run. ``status`` is None while it runs or waits; ``actions`` grows in the order in which they end."""

    id: str
    trigger: str
    body: Any
    fired: datetime
    scheduled: datetime
    started: datetime | None = None
    ended: datetime | None = None
    status: Status | None = None
    code: str = ""
    message: str = ""
    actions: list[ActionRun] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def ml_runs(self) -> tuple[str, ...]:
        return tuple(one.ml_run for one in self.actions if one.ml_run)

    @property
    def data_paths(self) -> tuple[str, ...]:
        return tuple(path for one in self.actions for path in one.data_paths.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerCheck:
    """One time that a trigger was asked, whether it fired or not, and ``why``.

    ``status`` is Azure's word in the trigger's history: Succeeded, Skipped or Failed. ``found`` counts what was new,
    ``runs`` are the ids of those started.
    """

    at: datetime
    trigger: str
    status: Status
    why: str
    found: int = 0
    runs: tuple[str, ...] = ()

    @property
    def fired(self) -> bool:
        return bool(self.runs)


@dataclass(slots=True)
class Watched:
    """What came of running a Logic App. ``places`` says for each trigger on blobs what is looked at.

    ``next_due`` is the first time of a Recurrence that lies beyond the end.
    """

    runs: list[WorkflowRun] = field(default_factory=list)
    checks: list[TriggerCheck] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    next_due: datetime | None = None


def masked(value: Any, secrets: Sequence[Secret]) -> Any:  # noqa: ANN401 - any JSON
    """The value without these secrets, wherever they stand in it."""
    if not secrets:
        return value
    if isinstance(value, str):
        return redacted(value, *secrets)
    if isinstance(value, Mapping):
        return {key: masked(item, secrets) for key, item in value.items()}
    return [masked(item, secrets) for item in value] if isinstance(value, list) else value
