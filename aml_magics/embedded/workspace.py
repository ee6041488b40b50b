"""``EmbeddedWorkspace``: a whole workspace in one folder and one event loop.

::

    root/workspaceblobstore/         the default datastore, a folder
    root/.aml/workspace.db           everything else that must survive, shared by all kernels on the folder
    root/.aml/runs/, root/.aml/code/ what steps write, and their code

It owns the database, the engine (which fires), the runner (which executes) and the ASGI app (which answers), and is the
engine's host: a fire becomes a run in the same transaction that records it. Construct, start and use it on one thread:
the database connection belongs to that thread. Kill -9 at any moment is a correct way to stop it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aml_magics.embedded.app import make_app
from aml_magics.embedded.containers import storage_errors
from aml_magics.embedded.local_copy import local_copy
from aml_magics.embedded.logs import LogPart, part_of
from aml_magics.embedded.runner import Runner
from aml_magics.embedded.signed_paths import SignedPaths
from aml_magics.embedded.step import LOG, step_folder
from aml_magics.embedded.store import Store
from aml_magics.embedded.store_schedules import Prepared, Superseded
from aml_magics.embedded.uploads import Uploads
from aml_magics.engine.clock import SystemClock
from aml_magics.engine.database import Database
from aml_magics.engine.engine import Engine
from aml_magics.engine.threads import DaemonThreadPool
from aml_magics.model.errors import InvalidInput, NotFound, ServiceError
from aml_magics.model.glance import Glance
from aml_magics.model.history import instant_text
from aml_magics.model.triggers import DatastoreChange
from aml_magics.wire.v1 import health_to, history_to

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from aml_magics.datastores.base import ObjectStore
    from aml_magics.embedded.store_drafts import Draft
    from aml_magics.engine.clock import Clock
    from aml_magics.engine.host import Watch
    from aml_magics.model.resources import DataPath, Fire, Run, Schedule, Submission
    from aml_magics.wire.casing import Json

__all__ = ["EmbeddedWorkspace"]

T = TypeVar("T")

_FILE_THREADS = 4
_TRIES = 5
_FAILURES_KEPT = 20
_SYSTEM_CLOCK = SystemClock()


class EmbeddedWorkspace:
    """The workspace whose files are in ``root``, a folder that exists.

    ``executor`` runs the steps (daemon threads of its own by default), ``parallel_steps`` at a time. ``app`` answers
    once ``start`` has returned. Raises ``InvalidInput`` from ``start`` when the folder or the database file cannot be
    used.
    """

    store: Store
    engine: Engine
    runner: Runner

    def __init__(
        self,
        root: Path,
        *,
        name: str = "embedded",
        clock: Clock = _SYSTEM_CLOCK,
        executor: Executor | None = None,
        parallel_steps: int = 4,
    ) -> None:
        self.root = root.resolve()
        self.name = name
        self.uploads = Uploads()
        self.signed_paths = SignedPaths()
        self.app: Starlette = make_app(self)
        self._clock = clock
        self._executor = executor
        self._parallel_steps = parallel_steps
        self._failures: deque[str] = deque(maxlen=_FAILURES_KEPT)
        self._database: Database | None = None
        self._files = DaemonThreadPool(_FILE_THREADS, "aml-files")
        self._engine: Engine | None = None
        self._runner: Runner | None = None

    def __repr__(self) -> str:
        return f"<EmbeddedWorkspace {self.root.as_posix()}>"

    async def start(self) -> None:
        """Open or make the files, then fire and execute until ``stop``. A workspace is started once.

        Raises ``InvalidInput`` in one line when ``root`` is not a folder to write to, or the database is not one of
        ours.
        """
        if self._database is not None:
            message = "an embedded workspace can be started once"
            raise RuntimeError(message)
        own = _own_folder(self.root)
        _require_ours(own / "workspace.db")
        try:
            await self._start(own)
        except sqlite3.OperationalError as error:
            await self.stop()
            message = f"the workspace in {self.root.as_posix()!r} cannot be opened now: {error}"
            raise InvalidInput(message, hint="Another program may hold its database: try again.") from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop firing, end the running steps, close the files. Stopping twice, or after a failed start, is harmless."""
        if self._database is None:
            return
        async with AsyncExitStack() as last_first:  # each is done also when the one before it fails or is cancelled
            last_first.callback(self._database.close)
            if self._engine is not None:
                last_first.callback(self.store.datastores.close)
            last_first.callback(self._files.shutdown, wait=False, cancel_futures=True)
            if self._engine is not None:  # only when nothing of ours runs any more: nobody looks after it then
                last_first.callback(self._engine.leave)
            if self._runner is not None:
                last_first.push_async_callback(self._runner.stop)
            if self._engine is not None:
                last_first.push_async_callback(self._engine.stop)
            self._engine = self._runner = None

    def require_running(self) -> None:
        """Raises ``ServiceError`` before ``start`` has returned and after ``stop`` was called."""
        if self._runner is None:
            message = "the workspace is not running"
            raise ServiceError(message, code="NotRunning", hint="Open it again.")

    # what the routes call

    def submit_pipeline(self, pipeline_id: str, submission: Submission, *, tags: Mapping[str, str]) -> Run:
        """A new run, which is readable at once and begins as soon as the runner has a place for it."""
        run = self.store.runs.submit(pipeline_id, submission, tags)
        self.runner.wake()
        return run

    def submit_draft(self, draft: Draft, submission: Submission, *, tags: Mapping[str, str]) -> Run:
        """As ``submit_pipeline``, of a draft that nobody has published."""
        run = self.store.drafts.submit(draft, submission, tags)
        self.runner.wake()
        return run

    def submit_graph_run(self, run_id: str, parent_run_id: str | None) -> Run:
        """A run that was made of a graph, submitted."""
        run = self.store.graph_runs.submit(run_id, parent_run_id)
        self.runner.wake()
        return run

    async def create_schedule(self, request: Mapping[str, Any]) -> Json:
        """From a ScheduleCreationInfo. A change schedule is born knowing what lies at its place."""
        return await self._write(lambda: self.store.schedules.prepare_create(request))

    async def update_schedule(self, schedule_id: str, request: Mapping[str, Any]) -> Json:
        """The fields of ``request`` over what is stored. Enabling a change schedule makes it begin from now."""
        return await self._write(lambda: self.store.schedules.prepare_update(schedule_id, request))

    def history(self, schedule: Schedule, limit: int) -> Json:
        """What a schedule has done, and what it is looking for."""
        condition = schedule.trigger.condition if isinstance(schedule.trigger, DatastoreChange) else ""
        return history_to(replace(self.engine.history(schedule.id, limit), condition=condition))

    def status(self) -> Json:
        """How the workspace is."""
        return {
            "name": self.name,
            "root": self.root.as_posix(),
            "workspaceId": self.store.workspace_id,
            "owner": self.engine.owner,
            "counts": self.store.counts(),
            "failures": list(reversed(self._failures)),
            "unreadable": list(self.store.schedules.unreadable.values()),
            "engine": health_to(self.engine.health()),
            "runner": {"parallelSteps": self.runner.parallel_steps, "trouble": self.runner.trouble},
        }

    def glance(self) -> Glance:
        """Whether anything was written since the last glance, and how the engine is."""
        return Glance(version=self.store.version, health=self.engine.health())

    def note_failure(self, what: str, error: Exception) -> None:
        """Keep what failed and where, for ``status``: the caller was told no more than the kind of the error."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        at = instant_text(datetime.fromtimestamp(self._clock.now(), UTC))
        self._failures.append(" ".join(f"{at}, {what}: {type(error).__name__}: {error}{place}".split()))

    async def step_log(self, run_id: str, step: str, *, since: int = 0) -> LogPart:
        """What a step has written so far from the byte ``since`` on, or the end of that when it is much.

        All of it when it is shorter than ``since``. Raises ``NotFound``.
        """
        known = next((found for found in self.store.runs.steps(run_id) if found.id == step), None)
        if known is None:
            message = f"run {run_id} has no step {step!r}"
            raise NotFound(message)
        path = step_folder(self._runs_folder, run_id, known.name) / LOG
        return await self.in_thread(lambda: part_of(path, since))

    async def in_thread(self, call: Callable[[], T]) -> T:
        """The result of a call that reads or writes files, made in a daemon thread."""
        return await asyncio.wrap_future(self._files.submit(call))

    # the engine's host

    def watches(self) -> list[Watch]:
        """All active schedules."""
        return self.store.schedules.watches()

    def submit(self, db: sqlite3.Connection, fire: Fire) -> str | None:
        """The run of a fire, made in the engine's transaction; ``None`` when its schedule is not active any more."""
        schedule = self.store.schedules.active(db, fire.schedule_id)
        return None if schedule is None else self.store.runs.submit_fire(db, schedule, fire)

    def submitted(self, run_ids: Sequence[str]) -> None:
        """Runs were committed: execute them."""
        if run_ids and self._runner is not None:
            self._runner.wake()

    def object_store(self, datastore: str) -> ObjectStore:
        """What lies in a datastore."""
        return self.store.datastores.object_store(datastore)

    def owners(self) -> list[str]:
        """The kernels that are running something."""
        rows = self._database.rows("SELECT DISTINCT owner FROM runs WHERE owner IS NOT NULL") if self._database else []
        return [row["owner"] for row in rows]

    def owner_died(self, owner: str) -> None:
        """Another kernel on this folder is gone."""
        if self._runner is not None:
            self._runner.adopt(owner)

    # behind them

    @property
    def _runs_folder(self) -> Path:
        return self.root / ".aml" / "runs"

    async def _start(self, own: Path) -> None:
        self._database = database = Database(own / "workspace.db")
        self.store = Store(database, self.root, self._clock)
        self.store.datastores.ensure_default()
        self.engine = self._engine = Engine(database, self, clock=self._clock)
        self.runner = self._runner = Runner(
            database,
            self._runs_folder,
            self._executor,
            owner=self.engine.owner,
            definition=self.store.pipelines.definition,
            resolve=self._local_path,
            code_folder=own / "code",
            parallel_steps=self._parallel_steps,
            clock=self._clock,
        )
        await self.engine.start()
        self.runner.start()

    async def _write(self, prepare: Callable[[], Prepared]) -> Json:
        """Write what ``prepare`` gives; prepare it anew when somebody else was faster."""
        for _ in range(_TRIES - 1):
            try:
                return await self._write_once(prepare())
            except Superseded:
                continue
        return await self._write_once(prepare())

    async def _write_once(self, prepared: Prepared) -> Json:
        schedules, trigger = self.store.schedules, prepared.schedule.trigger
        if prepared.joins and isinstance(trigger, DatastoreChange):
            with storage_errors(trigger.datastore):
                await self.engine.join(trigger, lambda connection: schedules.write(connection, prepared))
        else:
            with self.store.transaction() as connection:
                schedules.write(connection, prepared)
        self.engine.refresh()
        return prepared.entity

    async def _local_path(self, place: DataPath, folder: Path) -> str:
        """Where a step of a run finds a place: a folder datastore's own file, or a copy below ``folder``."""
        store = self.store.datastores.object_store(place.datastore)
        path = store.local_path(place.path)
        return str(path or await self.in_thread(lambda: local_copy(store, place, folder)))


def _own_folder(root: Path) -> Path:
    """``root/.aml``, made when it is not there."""
    own = root / ".aml"
    try:
        own.mkdir(exist_ok=True)
    except OSError as error:
        message = f"the workspace cannot be kept in {root.as_posix()!r}: {(error.strerror or 'no access').lower()}"
        raise InvalidInput(message, hint="Choose a folder that you can write to.") from error
    if not os.access(own, os.W_OK | os.X_OK):
        message = f"the workspace cannot be kept in {own.as_posix()!r}: it is not writable"
        raise InvalidInput(message, hint="Choose a folder that you can write to.")
    return own


def _require_ours(path: Path) -> None:
    """Raises ``InvalidInput`` for a file that is there and was not made by this package; it is not touched."""
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        finally:
            connection.close()
    except sqlite3.Error as error:
        message = f"{path.as_posix()!r} cannot be opened as a workspace's database: {error}"
        raise InvalidInput(message, hint="Move the file away, or choose another folder.") from error
    if tables and "migrations" not in tables:
        message = f"{path.as_posix()!r} is a database of something else"
        raise InvalidInput(message, hint="Move the file away, or choose another folder.")
