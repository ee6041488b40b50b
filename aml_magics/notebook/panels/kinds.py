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


@dataclass(frozen=True)
class Kind:
    """``see`` asks the workspace (the client, how many of the newest), ``frame`` makes the data; ``key`` is its column.

    ``change`` does what a button of ``actions`` says (the client, the action, the key), ``open`` says what there is of
    one row. ``named`` is what a row is called, unlike any other, where it is not seen as a whole; its first cell unless
    given. ``limit`` is what is asked for unless somebody says otherwise; on Azure each run costs a question.
    ``has_timeline``: what is seen is drawn over time, too.
    """

    name: str
    noun: str
    columns: Sequence[Column]
    see: Callable[[WorkspaceClient, int], Awaitable[Seen]]
    frame: Callable[[Seen, Viewer], pd.DataFrame]
    actions: Sequence[Action] = ()
    change: Callable[[WorkspaceClient, str, str], Awaitable[None]] | None = None
    open: Callable[[WorkspaceClient, Viewer, str], Awaitable[Opened]] | None = None
    named: Callable[[Mapping[Any, Any]], str] | None = None
    key: str = "id"
    height: int = 14
    limit: int = 0
    has_timeline: bool = False

    def limit_of(self, *, is_embedded: bool) -> int:
        """How many of the newest are asked for."""
        return self.limit if is_embedded else min(self.limit, _MOST_ON_AZURE)


_NEWEST = 500
_MOST_ON_AZURE = 25
_ON_OFF = (columns.DISABLE, columns.ENABLE)
# fmt: off
_KINDS = (
    Kind("overview", "kind", columns.OVERVIEW, see_everything, frames.overview,
         key="what", height=4, limit=_NEWEST, has_timeline=True),
    Kind("pipelines", "pipeline", columns.PIPELINES, see_pipelines, frames.pipelines,
         actions=_ON_OFF, change=change_pipeline, open=open_pipeline),
    Kind("schedules", "schedule", columns.SCHEDULES, see_schedules, frames.schedules,
         actions=_ON_OFF, change=change_schedule, open=open_schedule),
    Kind("runs", "run", columns.RUNS, see_runs, frames.runs,
         actions=(columns.CANCEL,), change=change_run, open=open_run, named=columns.run_named,
         limit=_NEWEST),
    Kind("datastores", "datastore", columns.DATASTORES, see_datastores, frames.datastores,
         key="name", open=open_datastore, height=6),
)
# fmt: on
KINDS = {kind.name: kind for kind in _KINDS}
