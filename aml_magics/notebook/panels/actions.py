"""What the buttons of a row do. They raise what the workspace refuses, with the reason and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.client.pipelines import check_unused
from aml_magics.model.errors import Conflict
from aml_magics.model.resources import Status

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient

__all__ = ["change_pipeline", "change_run", "change_schedule"]

_STATUS = {"disable": Status.DISABLED, "enable": Status.ACTIVE}


async def change_schedule(client: WorkspaceClient, action: str, schedule_id: str) -> None:
    """Disable or enable a schedule; runs that it started go on."""
    await client.set_schedule_status(schedule_id, _STATUS[action])


async def change_pipeline(client: WorkspaceClient, action: str, pipeline_id: str) -> None:
    """Disable or enable one publication. Raises ``Conflict`` that names the active schedules on it."""
    status = _STATUS[action]
    if status is Status.DISABLED:
        await check_unused(client, [await client.pipeline(pipeline_id)])
    await client.set_pipeline_status(pipeline_id, status)


async def change_run(client: WorkspaceClient, _action: str, run_id: str) -> None:
    """Ask for the end of a run. Raises ``Conflict`` when it has ended by itself meanwhile."""
    run = await client.run(run_id)
    if run.status.is_final:
        message = f"the run {run_id[:8]} has ended already: it is {run.status.value}"
        raise Conflict(message, hint="There is nothing left to cancel.")
    await client.cancel_run(run_id)
