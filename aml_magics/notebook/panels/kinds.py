"""The panels that there are, each put together from its parts: a new one is an entry here and its functions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aml_magics.notebook.panels import columns, frames
from aml_magics.notebook.panels.actions import change_pipeline, change_run, change_schedule
from aml_magics.notebook.panels.details import Opened, open_datastore, open_pipeline, open_run, open_schedule
from aml_magics.notebook.panels.seen import (
    Seen,
    see_datastores,
    see_everything,
    see_pipelines,
    see_runs,
    see_schedules,
)

if TYPE_CHECKING:
    import pandas as pd

    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.notebook.panels.frames import Viewer
    from aml_magics.notebook.widgets.cells import Action, Column

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """``see`` asks the workspace (the client, how many of the newest), ``frame`` makes the data; ``key`` is its column.

    ``change`` does what a button says (the client, the action, the key), ``open`` says what there is of one row.
    ``named`` is what a row is called, unlike any other, where it is not seen as a whole; its first cell unless given.
    ``limit`` is what is asked for unless somebody says otherwise; on Azure each run costs a question.
    """

    name: str
    noun: str
    key: str
    columns: Sequence[Column]
    see: Callable[[WorkspaceClient, int], Awaitable[Seen]]
    frame: Callable[[Seen, Viewer], pd.DataFrame]
    actions: Sequence[Action] = ()
    change: Callable[[WorkspaceClient, str, str], Awaitable[None]] | None = None
    open: Callable[[WorkspaceClient, Viewer, str], Awaitable[Opened]] | None = None
    named: Callable[[Mapping[Any, Any]], str] | None = None
    height: int = 14
    limit: int = 0
    limit_on_azure: int = 0


_KINDS = (
    Kind(
        name="overview",
        noun="kind",
        key="what",
        columns=columns.OVERVIEW,
        see=see_everything,
        frame=frames.overview,
        height=4,
        limit=500,
        limit_on_azure=25,
    ),
    Kind(
        name="pipelines",
        noun="pipeline",
        key="id",
        columns=columns.PIPELINES,
        see=see_pipelines,
        frame=frames.pipelines,
        actions=(columns.DISABLE, columns.ENABLE),
        change=change_pipeline,
        open=open_pipeline,
    ),
    Kind(
        name="schedules",
        noun="schedule",
        key="id",
        columns=columns.SCHEDULES,
        see=see_schedules,
        frame=frames.schedules,
        actions=(columns.DISABLE, columns.ENABLE),
        change=change_schedule,
        open=open_schedule,
    ),
    Kind(
        name="runs",
        noun="run",
        key="id",
        columns=columns.RUNS,
        see=see_runs,
        frame=frames.runs,
        actions=(columns.CANCEL,),
        change=change_run,
        named=columns.run_named,
        open=open_run,
        limit=500,
        limit_on_azure=25,
    ),
    Kind(
        name="datastores",
        noun="datastore",
        key="name",
        columns=columns.DATASTORES,
        see=see_datastores,
        frame=frames.datastores,
        open=open_datastore,
        height=6,
    ),
)
KINDS = {kind.name: kind for kind in _KINDS}
