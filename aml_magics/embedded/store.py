"""The embedded workspace's data: one object for each kind of thing, over one database.

The database belongs to the thread of the event loop, and so does everything here; calls are short and do not wait.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aml_magics.embedded import run_tables, store_recent, store_schema
from aml_magics.embedded.store_data_sources import DataSources
from aml_magics.embedded.store_datastores import Datastores
from aml_magics.embedded.store_drafts import Drafts
from aml_magics.embedded.store_endpoints import Endpoints
from aml_magics.embedded.store_experiments import Experiments
from aml_magics.embedded.store_graph_runs import GraphRuns
from aml_magics.embedded.store_pipelines import Pipelines
from aml_magics.embedded.store_runs import Runs
from aml_magics.embedded.store_schedules import Schedules
from aml_magics.embedded.store_snapshots import Snapshots
from aml_magics.wire.moments import instant_from, instant_to

if TYPE_CHECKING:
    from aml_magics.engine.clock import Clock
    from aml_magics.engine.database import Database
    from aml_magics.model.glance import Recent

__all__ = ["Store"]


class Store:
    """What a workspace holds. ``root`` is where its datastores' folders are; ``clock`` dates what is made."""

    def __init__(self, database: Database, root: Path, clock: Clock) -> None:
        self._clock = clock
        database.migrate(store_schema.COMPONENT, store_schema.STEPS)
        database.migrate(run_tables.COMPONENT, run_tables.MIGRATIONS)
        self._database = database
        self.workspace_id, self.created = self._identity()
        self.experiments = Experiments(database, self.now)
        self.datastores = Datastores(database, root, self.now)
        self.snapshots = Snapshots(database, self.now)
        self.sources = DataSources(database, self.datastores, self.now)
        self.pipelines = Pipelines(database, self.now, self.snapshots, self.sources)
        self.endpoints = Endpoints(database, self.pipelines, self.now)
        self.schedules = Schedules(database, self.endpoints, self.datastores, self.now)
        self.runs = Runs(
            database,
            experiments=self.experiments,
            pipelines=self.pipelines,
            endpoints=self.endpoints,
            datastores=self.datastores,
            now=self.now,
        )
        self.drafts = Drafts(database, self.pipelines, self.runs, self.now)
        self.graph_runs = GraphRuns(database, self.pipelines, self.runs, self.now)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """One durable transaction over everything that the workspace holds."""
        return self._database.transaction()

    def now(self) -> datetime:
        """The clock's time, aware, in UTC."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    @property
    def version(self) -> str:
        """Another text after anything was written, by any kernel."""
        return self._database.version

    def recent(self, *, runs: int) -> Recent:
        """What happened last to every schedule and pipeline, and the steps of the newest ``runs``."""
        return store_recent.recent(self._database, runs=runs)

    def counts(self) -> dict[str, int]:
        """How many there are of each kind of thing; schedules and pipelines that are active besides."""
        counts = {}
        listed = "(SELECT * FROM pipelines WHERE listed)"
        tables = {"experiments": "experiments", "datastores": "datastores", "pipelines": listed}
        tables |= {"schedules": "schedules", "runs": "runs"}
        for name, table in tables.items():
            row = self._database.row(f"SELECT count(*) AS number FROM {table}")
            counts[name] = 0 if row is None else int(row["number"])
        for name in ("pipelines", "schedules"):
            row = self._database.row(f"SELECT count(*) AS number FROM {tables[name]} WHERE status = 'Active'")
            counts[f"active{name.capitalize()}"] = 0 if row is None else int(row["number"])
        return counts

    def _identity(self) -> tuple[str, datetime]:
        """The workspace's own id and birth, the same for every kernel that opens the file."""
        with self._database.transaction() as connection:
            row = connection.execute("SELECT id, created FROM workspace").fetchone()
            if row is None:
                connection.execute(
                    "INSERT INTO workspace (id, created) VALUES (?, ?)", (str(uuid.uuid4()), instant_to(self.now()))
                )
                row = connection.execute("SELECT id, created FROM workspace").fetchone()
        return row["id"], instant_from(row["created"]) or self.now()
