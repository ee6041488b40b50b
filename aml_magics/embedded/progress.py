"""The rules of a run in progress, as pure functions of its steps' statuses.

``needs`` maps each step to the steps whose outputs it takes; ``statuses`` maps each step to where it is.

* A step can start when all that it needs is Finished.
* After a failed step, without ``keep_going`` nothing new starts; with it, only what needs the failed step does not.
  What does not start is Bypassed. Steps that are running go on to their end either way.
* When its end was asked for, what has not started is Canceled.
* The run is Failed when any step failed, Canceled when it was cut short, else Finished.
"""

from __future__ import annotations

from collections.abc import Mapping

from aml_magics.model.resources import RunStatus, StepStatus

__all__ = ["outcome", "ready", "settled"]

Needs = Mapping[str, frozenset[str]]
Statuses = Mapping[str, StepStatus]

_WAITING = (StepStatus.NOT_STARTED, StepStatus.QUEUED)
_BROKEN = (StepStatus.FAILED, StepStatus.CANCELED, StepStatus.BYPASSED)


def settled(needs: Needs, statuses: Statuses, *, keep_going: bool, canceling: bool) -> dict[str, StepStatus]:
    """The statuses once everybody who waits has drawn the consequence: Queued, Canceled or Bypassed.

    ``needs`` must be in an order in which the steps can run (``graph.order``).
    """
    after = dict(statuses)
    stopped = not keep_going and any(status in _BROKEN for status in statuses.values())
    for name, needed in needs.items():
        if after[name] not in _WAITING:
            continue
        if canceling:
            after[name] = StepStatus.CANCELED
        elif stopped or any(after[other] in _BROKEN for other in needed):
            after[name] = StepStatus.BYPASSED
        elif all(after[other] is StepStatus.FINISHED for other in needed):
            after[name] = StepStatus.QUEUED
    return after


def ready(statuses: Statuses) -> list[str]:
    """The steps that can start now, of settled statuses."""
    return [name for name, status in statuses.items() if status is StepStatus.QUEUED]


def outcome(statuses: Statuses, *, canceling: bool) -> RunStatus | None:
    """How the run ended, of settled statuses; ``None`` while a step is running or can still start."""
    values = statuses.values()
    if not all(status.is_final for status in values):
        return None
    if all(status is StepStatus.FINISHED for status in values):
        return RunStatus.FINISHED
    if canceling or StepStatus.FAILED not in values:
        return RunStatus.CANCELED
    return RunStatus.FAILED
