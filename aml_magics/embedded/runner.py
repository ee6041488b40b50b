"""The runner executes the runs of one workspace: it claims them, walks their graphs, and records how they go.

Who owns it: the workspace makes one on its loop thread, ``start``s it, ``wake``s it when runs were added and ``stop``s
it. Everything here happens on that thread; only the steps themselves run elsewhere, on the executor. All that is known
about a run is in the database before and after each step, so a killed kernel leaves a state that another one can read.

One task (``_serve``) does all the writing. It looks at what has ended, at whose end was asked for, and at what can
start; then it sleeps until somebody wakes it, a second at most. Each step under way has a task of its own, which puts
the result on a list and wakes the first one. A run is claimed only when a step of it can start at once: thousands of
runs that wait cost one row each and nothing else.

Several kernels may run on one file. A claim is one UPDATE, so a run has one owner; an owner that is given up for dead
loses its runs to ``adopt``, and should it come back, every change it tries finds no row.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aml_magics.embedded import progress, run_tables
from aml_magics.embedded.code import materialise
from aml_magics.embedded.command import Find, local_places, step_spec
from aml_magics.embedded.step import INTERRUPTED, StepResult, request_cancel, run_step, step_folder, was_started
from aml_magics.engine.clock import Alarm, Clock, SystemClock
from aml_magics.engine.tasks import Tasks
from aml_magics.engine.threads import DaemonThreadPool
from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.graph import PipelineDefinition, StepDefinition, order
from aml_magics.model.resources import Run, RunStatus, Step, StepStatus

if TYPE_CHECKING:
    from aml_magics.engine.database import Database

__all__ = ["Runner"]

LOOK_AGAIN = 1.0  # seconds until the database is looked at without being woken
CLAIMS_A_TURN = 20  # runs that cannot start are over at once: the loop gets a turn now and then
STOP_SECONDS = 8.0  # a step has its grace to end, and SIGKILL after it

_Key = tuple[str, str]  # run id, step name


@dataclass(eq=False)
class _ActiveRun:
    """A run that this runner has claimed. ``statuses`` are those in the database."""

    run: Run
    definition: PipelineDefinition
    needs: Mapping[str, frozenset[str]]
    nodes: Mapping[str, str]
    statuses: dict[str, StepStatus]
    canceling: bool = False
    failures: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _Busy:
    """A step under way."""

    task: asyncio.Task[None]
    future: Future[StepResult] | None = None


class Runner:
    """Runs the steps of claimed runs, ``parallel_steps`` at a time over all of them.

    ``definition`` loads that of a pipeline id; ``resolve`` gives the local path of a data path, perhaps in the run's
    folder. Both are called on the loop thread; an ``AmlError`` is the reason why the run or the step failed.
    ``executor`` is any ``concurrent.futures.Executor`` whose workers see the same files; it is not shut down here.
    Without one, steps are waited for in daemon threads.
    """

    def __init__(
        self,
        database: Database,
        runs_folder: Path,
        executor: Executor | None = None,
        *,
        owner: str,
        definition: Callable[[str], PipelineDefinition],
        resolve: Find,
        code_folder: Path | None = None,
        parallel_steps: int = 4,
        clock: Clock | None = None,
        python: str = sys.executable,
    ) -> None:
        if parallel_steps < 1:
            raise InvalidInput(f"parallel_steps is {parallel_steps}", hint="At least one step must be able to run.")
        self.owner = owner
        self.parallel_steps = parallel_steps
        self.trouble = ""  # the last unexpected error, for the workspace's status
        self._database = database
        self._runs_folder = runs_folder
        self._code_folder = code_folder or runs_folder.parent / "code"
        self._definition = definition
        self._resolve = resolve
        self._python = python
        self._clock = clock or SystemClock()
        self._files = DaemonThreadPool(1, "aml-code")
        self._own_pools = [self._files]
        if executor is None:
            executor = own = DaemonThreadPool(parallel_steps, "aml-step")
            self._own_pools.append(own)
        self._executor = executor
        self._alarm = Alarm(self._clock)
        self._tasks = Tasks(self._clock, self._note_trouble)
        self._active: dict[str, _ActiveRun] = {}
        self._busy: dict[_Key, _Busy] = {}
        self._ended: list[tuple[_Key, StepResult]] = []
        self._stopping = False

    @property
    def running_steps(self) -> int:
        """How many steps are under way here."""
        return len(self._busy)

    def start(self) -> None:
        """Begin to serve, on the running loop."""
        self._tasks.spawn("runner", self._serve)

    def wake(self) -> None:
        """Runs were added or changed: look at once."""
        self._alarm.ring()

    async def cancel(self, run_id: str) -> None:
        """Ask for the end of a run, whoever owns it; nothing happens to one that has ended. Raises ``NotFound``.

        What has not started never will; a step that is running gets SIGTERM within about a tenth of a second.
        """
        with self._database.transaction() as connection:
            running = run_tables.request_cancel(connection, run_id, self._clock.now())
        self._ask_to_end((run_id, name) for name in running)
        self.wake()

    def adopt(self, dead_owner: str) -> None:
        """Another kernel on this file is gone: end what it was running, take what it had not begun."""
        with self._database.transaction() as connection:
            running = run_tables.take_over(connection, dead_owner, INTERRUPTED, self._clock.now())
        self._ask_to_end(running)  # it may only have been suspended: then its steps are still there
        self.wake()

    async def stop(self) -> None:
        """End the steps under way and everything of ours; twice is fine.

        What was running is recorded as interrupted before it is ended, so it is true also when this is cut short.
        """
        if self._stopping:
            return
        self._stopping = True
        await self._tasks.stop()
        try:
            await self._await_ended()
            self._record()
            with self._database.transaction() as connection:
                run_tables.take_over(connection, self.owner, INTERRUPTED, self._clock.now())
        finally:
            self._active.clear()
            try:
                await self._end_all()
            finally:
                for pool in self._own_pools:
                    pool.shutdown(wait=not self._busy, cancel_futures=True)

    async def _serve(self) -> None:
        while True:
            self._turn()
            await asyncio.sleep(0)  # a wake-up that is there already does not wait
            await self._alarm.wait(LOOK_AGAIN)

    def _turn(self) -> None:
        self._record()
        self._cancel_wanted()
        for _ in range(CLAIMS_A_TURN):
            free = self.parallel_steps - len(self._busy)
            if free <= 0 or not (self._start_ready(free) or self._claim()):
                return
        self._alarm.ring()

    def _record(self) -> None:
        """Write the results that have come in. One that cannot be written stays, and is tried again."""
        while self._ended:
            key, result = self._ended[0]
            active = self._active.get(key[0])
            if active is not None:
                self._advance(active, results={key[1]: result})
            del self._ended[0], self._busy[key]

    def _cancel_wanted(self) -> None:
        if not self._active:
            return
        for run_id in run_tables.runs_to_cancel(self._database, self.owner):
            active = self._active.get(run_id)
            if active is None:
                continue
            self._advance(active, canceling=True)
            for name, status in active.statuses.items():
                if status is StepStatus.RUNNING:
                    self._end_step((run_id, name))

    def _start_ready(self, free: int) -> bool:
        """Start steps of the first run that has some; False when none has."""
        for active in self._active.values():
            names = progress.ready(self._settled(active, active.statuses, canceling=active.canceling))[:free]
            if names:
                if self._advance(active, starting=names):
                    for name in names:
                        self._begin(active, name)
                return True
        return False

    def _claim(self) -> bool:
        """Take the next run that waits; False when there is none."""
        if not run_tables.runs_waiting(self._database):
            return False
        with self._database.transaction() as connection:
            run_id = run_tables.claim_next(connection, self.owner, self._clock.now())
        if run_id is None:  # another kernel was faster
            return False
        try:
            self._active[run_id] = self._load(run_id)
        except Exception as error:  # noqa: BLE001 - this run cannot be run, the next one may
            with self._database.transaction() as connection:
                run_tables.refuse(connection, self.owner, run_id, _reason(error), now=self._clock.now())
        return True

    def _load(self, run_id: str) -> _ActiveRun:
        run = run_tables.get_run(self._database, run_id)
        if run is None:
            raise InvalidInput("the run is gone from the database")
        definition = self._definition(run.pipeline_id)
        nodes = {step.name: step.id for step in run_tables.steps_of(self._database, run_id)}
        if set(nodes) != {step.name for step in definition.steps}:
            raise InvalidInput("the steps of the run are not those of its pipeline")
        return _ActiveRun(
            run=run,
            definition=definition,
            needs=order(definition.steps),
            nodes=nodes,
            statuses=dict.fromkeys(nodes, StepStatus.NOT_STARTED),
        )

    @staticmethod
    def _settled(active: _ActiveRun, statuses: Mapping[str, StepStatus], *, canceling: bool) -> dict[str, StepStatus]:
        keep_going = active.run.continue_on_step_failure
        return progress.settled(active.needs, statuses, keep_going=keep_going, canceling=canceling)

    def _advance(
        self,
        active: _ActiveRun,
        *,
        results: Mapping[str, StepResult] | None = None,
        starting: Sequence[str] = (),
        canceling: bool = False,
    ) -> bool:
        """Write what changes in a run, its end too, in one transaction. False when the run is not ours any more."""
        results = results or {}
        statuses = active.statuses | {name: result.status for name, result in results.items()}
        canceling = canceling or active.canceling or StepStatus.CANCELED in statuses.values()
        after = self._settled(active, statuses, canceling=canceling) | dict.fromkeys(starting, StepStatus.RUNNING)
        changed = [name for name, status in after.items() if status is not active.statuses[name]]
        outcome = progress.outcome(after, canceling=canceling)
        failures = [f"step {name}: {result.detail}" for name, result in results.items() if _is_failed(result)]
        detail = next(iter(active.failures + failures), "") if outcome is RunStatus.FAILED else ""
        now = self._clock.now()
        is_ours = True
        if changed or outcome is not None:
            with self._database.transaction() as connection:
                for name in changed:
                    step = _step(active, name, after[name], results.get(name))
                    is_ours = run_tables.update_step(connection, self.owner, step, now=now) and is_ours
                if outcome is not None:
                    is_ours = run_tables.end_run(connection, self.owner, active.run.id, outcome, detail, now=now)
        active.statuses, active.canceling = after, canceling
        active.failures += failures
        if outcome is not None or not is_ours:
            del self._active[active.run.id]
        if not is_ours:
            self._end_steps_of(active.run.id)
        return is_ours

    def _begin(self, active: _ActiveRun, name: str) -> None:
        key = (active.run.id, name)
        task = asyncio.get_running_loop().create_task(
            self._execute(active, name), name=f"aml-step-{name}", context=Context()
        )
        self._busy[key] = _Busy(task)

    async def _execute(self, active: _ActiveRun, name: str) -> None:
        key = (active.run.id, name)
        try:
            step = next(step for step in active.definition.steps if step.name == name)
            code = await self._code_of(step)
            folder = self._runs_folder / active.run.id
            places = await local_places(active.run, active.definition, step, run_folder=folder, find=self._resolve)
            spec = step_spec(
                active.run,
                active.definition,
                step,
                runs_folder=self._runs_folder,
                code=code,
                python=self._python,
                resolve=places.__getitem__,
            )
            self._busy[key].future = future = self._executor.submit(run_step, spec)
            result = await _result(future)
        except Exception as error:  # noqa: BLE001 - whatever it is, the step has failed of it
            result = StepResult(StepStatus.FAILED, detail=_reason(error))
        self._ended.append((key, result))
        self._alarm.ring()

    async def _code_of(self, step: StepDefinition) -> str:
        if not step.code:
            return ""
        return str(await asyncio.wrap_future(self._files.submit(materialise, step.code, self._code_folder)))

    def _end_step(self, key: _Key) -> None:
        """End a step under way here; the result comes as that of any other step."""
        folder = step_folder(self._runs_folder, *key)
        with suppress(OSError):  # a full disk must not keep the other runs from being served: it is tried again
            request_cancel(folder)
        busy = self._busy.get(key)
        if busy is not None and busy.future is not None and not was_started(folder):
            busy.future.cancel()  # it waits for a worker: it need not wait any longer

    def _ask_to_end(self, keys: Iterable[_Key]) -> None:
        """End steps that any kernel may run. The database knows already: a folder out of reach is no reason to fail."""
        for key in keys:
            with suppress(OSError):
                request_cancel(step_folder(self._runs_folder, *key))

    def _end_steps_of(self, run_id: str) -> None:
        for key in self._busy:
            if key[0] == run_id:
                self._end_step(key)

    async def _await_ended(self) -> None:
        """Let the tasks of steps that are over come to their end: what they have to say is true."""
        over = [busy.task for busy in self._busy.values() if busy.future is not None and busy.future.done()]
        if over:
            await asyncio.wait(over)

    async def _end_all(self) -> None:
        for key in self._busy:
            self._end_step(key)
        left = {busy.task for busy in self._busy.values()}
        if left:
            _done, left = await asyncio.wait(left, timeout=STOP_SECONDS)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        self._busy = {key: busy for key, busy in self._busy.items() if busy.task in left}

    def _note_trouble(self, _name: str, error: Exception) -> None:
        self.trouble = _reason(error)


async def _result(future: Future[StepResult]) -> StepResult:
    """Wait for an executor's future, whatever becomes of it."""
    waiting = asyncio.wrap_future(future)
    try:
        await asyncio.wait([waiting])
    except asyncio.CancelledError:
        waiting.cancel()
        raise
    if waiting.cancelled():
        return StepResult(StepStatus.CANCELED, detail="canceled before it started")
    error = waiting.exception()
    if error is not None:
        return StepResult(StepStatus.FAILED, detail=f"the worker that ran it was lost ({_reason(error)})")
    return waiting.result()


def _step(active: _ActiveRun, name: str, status: StepStatus, result: StepResult | None) -> Step:
    detail = "not started: another step failed" if status is StepStatus.BYPASSED else ""
    return Step(
        id=active.nodes[name],
        run_id=active.run.id,
        name=name,
        status=status,
        detail=result.detail if result else detail,
        exit_code=result.exit_code if result else None,
    )


def _is_failed(result: StepResult) -> bool:
    return result.status is StepStatus.FAILED


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, AmlError) else f"{type(error).__name__}: {error}"
