"""When an activity runs, and what a pipeline's result is: Data Factory's rules about ``dependsOn``, pure.

An activity waits until all that it depends on has ended. It runs when each of them ended in one of the conditions that
it names for it (``Completed`` is Succeeded or Failed, not Skipped); otherwise it is skipped, and so is what needs it.

The pipeline succeeded when everything that counts has (``workflows.outcome``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from aml_magics.workflows.data_factory.definition import Activity, Dependency
from aml_magics.workflows.outcome import those_that_count

__all__ = ["Status", "cycle", "failed_that_count", "in_order", "may_run"]


class Status(StrEnum):
    """How an activity or a pipeline ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"


def may_run(dependencies: Iterable[Dependency], ended: Mapping[str, Status]) -> bool:
    """Whether an activity runs, now that all it depends on has ended; otherwise it is skipped."""
    return all(_meets(ended[one.activity], one.conditions) for one in dependencies)


def _meets(status: Status, conditions: Iterable[str]) -> bool:
    is_completed = status in (Status.SUCCEEDED, Status.FAILED)
    return any(is_completed if condition == "Completed" else condition == status.value for condition in conditions)


def failed_that_count(activities: Sequence[Activity], ended: Mapping[str, Status]) -> list[str]:
    """The activities because of which the whole failed, in order; none when it succeeded."""
    waits = {one.name: [dependency.activity for dependency in one.depends_on] for one in activities}
    skipped = [name for name, status in ended.items() if status is Status.SKIPPED]
    return [name for name in those_that_count(waits, skipped) if ended[name] is Status.FAILED]


def in_order(activities: Sequence[Activity]) -> list[Activity]:
    """Each after all that it depends on. There must be no cycle."""
    done: dict[str, Activity] = {}
    waiting = list(activities)
    while waiting:
        ready = [one for one in waiting if all(dependency.activity in done for dependency in one.depends_on)]
        done |= {one.name: one for one in ready}
        waiting = [one for one in waiting if one.name not in done]
        if not ready:
            break
    return list(done.values())


def cycle(activities: Sequence[Activity]) -> list[str]:
    """The names along a circle of dependencies, the first again at the end; empty when there is none."""
    ordered = {one.name for one in in_order(activities)}
    left = {one.name: [each.activity for each in one.depends_on] for one in activities if one.name not in ordered}
    path: list[str] = []
    name = next(iter(left), "")
    while name and name not in path:
        path.append(name)
        name = next(each for each in left[name] if each in left)
    return [*path[path.index(name) :], name][::-1] if name else []
