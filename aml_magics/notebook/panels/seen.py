"""What a panel sees of a workspace at one moment, and the questions that it takes: a handful, however much there is.

A workspace of Azure tells nothing of what happened last to each of many things; there those columns are empty, and an
opened row asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from aml_magics.client.finding import started_by
from aml_magics.model.glance import Glance, Recent
from aml_magics.model.resources import Status

if TYPE_CHECKING:
    from aml_magics.client.v1 import ListedSchedule, WorkspaceClient
    from aml_magics.model.resources import Datastore, Pipeline, Run, Schedule

__all__ = ["Seen", "see_datastores", "see_everything", "see_pipelines", "see_runs", "see_schedules"]

T = TypeVar("T", "Pipeline", "Schedule")

_STEPS_OF = 1_000  # newest runs of which the steps are asked for


@dataclass(frozen=True, kw_only=True)
class Seen:
    """``names`` are those of pipelines, pipeline endpoints and schedules by id; ``on`` has the schedules by pipeline.

    ``glance`` is older than all the rest: what changed in between will be seen again.
    """

    pipelines: Sequence[Pipeline] = ()
    schedules: Sequence[Schedule] = ()
    runs: Sequence[Run] = ()
    datastores: Sequence[Datastore] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    on: Mapping[str, Sequence[ListedSchedule]] = field(default_factory=dict)
    recent: Recent = field(default_factory=Recent)
    glance: Glance | None = None

    @property
    def is_moving(self) -> bool:
        """Whether something shown gets older by itself: a run that has not ended."""
        return any(not run.status.is_final for run in self.runs)


async def see_pipelines(client: WorkspaceClient, _limit: int) -> Seen:
    """All pipelines, their schedules at a glance, their last runs."""
    glance = await _glance(client)
    pipelines = await client.pipelines(active_only=False)
    listed = await client.listed_schedules()
    on: dict[str, list[ListedSchedule]] = {}
    for schedule, pipeline_id in await started_by(client, listed):
        if schedule.status is Status.ACTIVE:
            on.setdefault(pipeline_id, []).append(schedule)
    return Seen(glance=glance, pipelines=_newest_first(pipelines), on=on, recent=await _recent(client))


async def see_schedules(client: WorkspaceClient, _limit: int) -> Seen:
    """All schedules, what they start by name, their last fires."""
    glance = await _glance(client)
    schedules = await client.schedules(active_only=False)
    names = {one.id: one.name for one in await client.pipelines(active_only=False)}
    if any(one.endpoint_id for one in schedules):
        names |= {one.id: one.name for one in await client.endpoints(active_only=False)}
    return Seen(glance=glance, schedules=_newest_first(schedules), names=names, recent=await _recent(client))


async def see_runs(client: WorkspaceClient, limit: int) -> Seen:
    """The newest runs with their steps, and by name what they ran and what started them."""
    glance = await _glance(client)
    runs = await client.newest_runs(limit=limit)
    names = {one.id: one.name for one in await client.pipelines(active_only=False)}
    if any(run.schedule_id for run in runs):
        names |= {one.id: one.name for one in await client.listed_schedules()}
    recent = await _recent(client, runs=min(limit, _STEPS_OF))
    return Seen(glance=glance, runs=runs, names=names, recent=recent)


async def see_datastores(client: WorkspaceClient, _limit: int) -> Seen:
    """All datastores, and the schedules that may watch them."""
    glance = await _glance(client)
    datastores = sorted(await client.datastores(), key=lambda one: one.name)
    return Seen(glance=glance, datastores=datastores, schedules=await client.schedules(active_only=True))


async def see_everything(client: WorkspaceClient, limit: int) -> Seen:
    """What the overview counts."""
    glance = await _glance(client)
    return Seen(
        glance=glance,
        pipelines=await client.pipelines(active_only=False),
        schedules=await client.schedules(active_only=False),
        runs=await client.newest_runs(limit=limit),
        datastores=await client.datastores(),
        recent=await _recent(client),
    )


async def _glance(client: WorkspaceClient) -> Glance | None:
    return await client.glance() if client.is_embedded else None


async def _recent(client: WorkspaceClient, runs: int = 0) -> Recent:
    return await client.recent(runs=runs) if client.is_embedded else Recent()


def _newest_first(found: Sequence[T]) -> list[T]:
    return sorted(found, key=lambda one: one.created.timestamp() if one.created else 0.0, reverse=True)
