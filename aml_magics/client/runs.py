"""Runs of a workspace, synchronously: list, look, wait, read the logs, cancel."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aml_magics.client.connection import Collection
from aml_magics.client.finding import find_publications, find_run, find_schedule
from aml_magics.client.following import Follower, read_logs
from aml_magics.client.names import pick_by_name
from aml_magics.model.errors import AmlError, Conflict, InvalidInput
from aml_magics.model.resources import Status

if TYPE_CHECKING:
    from aml_magics.model.resources import Pipeline, Run, Schedule, Step

__all__ = ["NotFinished", "Runs"]

_FIRST_PAUSE = 0.1  # seconds; a step of an embedded workspace often takes less than one
_GROWTH = 1.5


class NotFinished(AmlError, TimeoutError):
    """A run that was waited for has not ended in time; it goes on. ``run`` is its last known state, if there is one."""

    def __init__(self, message: str, *, run: Run | None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.run = run


class Runs(Collection):
    """``workspace.runs``: what was started, by hand, by a schedule or by somebody else.

    A run is named by its id or by the beginning of it, four characters or more, that no other run's id has.
    """

    def list(
        self,
        *,
        pipeline: str | Pipeline | None = None,
        schedule: str | Schedule | None = None,
        experiment: str | None = None,
        limit: int | None = 100,
    ) -> builtins.list[Run]:
        """Runs, newest first, the newest ``limit`` of them; filters that are given must all fit.

        ``limit=None`` is all of a pipeline, a schedule or an experiment, and 10,000 of a whole workspace.

        Raises ``NotFound`` for a pipeline, schedule or experiment that is not there.

        >>> [run.status for run in ws.runs.list(schedule="nightly", limit=10)]
        """
        if limit is not None and limit < 1:
            message = f"limit: {limit} is no number of runs"
            raise InvalidInput(message, hint="Give 1 or more, or None for all of them.")
        return self._connection.run(self._list(pipeline, schedule, experiment, limit))

    def get(self, run: str | Run) -> Run:
        """One run as it is now. Raises ``NotFound``, and ``InvalidInput`` when several ids begin so."""
        return self._connection.run(find_run(self._client, run))

    def steps(self, run: str | Run) -> builtins.list[Step]:
        """The steps of a run with their states, in the order in which the pipeline was written."""
        return self._connection.run(self._steps(run))

    def logs(self, run: str | Run, *, step: str | None = None) -> str:
        """What a step has written so far, standard output and error together; of all steps when none is named.

        Several steps come one after the other, each below a line ``--- name ---``. Raises ``NotFound`` with the nearest
        name for a step that is not there.
        """
        return self._connection.run(self._logs(run, step))

    def follow(self, run: str | Run, *, step: str | None = None) -> Iterator[str]:
        """The text that the steps write, piece by piece as it comes, until the run has ended.

        Ends with the run; interrupting it leaves the run alone. When the pipeline has several steps, a line
        ``--- name ---`` says whose text follows. Raises as ``logs``.

        >>> for text in ws.runs.follow(run.id):
        ...     print(text, end="")
        """
        follower = self._connection.run(self._follower(run, step))
        return self._pieces(follower)

    def wait(self, run: str | Run, timeout: float | None = None) -> Run:
        """Wait until a run has ended, however it ended, and return it. ``timeout`` is in seconds.

        The workspace is asked every 0.1 seconds at first, then less often. An interrupt ends the waiting, not the run.
        Raises ``NotFinished`` (an ``AmlError`` and a ``TimeoutError``) when time is up.

        >>> ws.runs.wait(run.id, timeout=60).status
        """
        return self._connection.run(self._wait(run, timeout))

    def wait_for_schedule(self, schedule: str | Schedule, timeout: float | None = None) -> Run:
        """Wait until the newest run that a schedule started has ended; its first run when it has started none yet.

        ``timeout`` is in seconds and counts for both. Raises ``NotFound`` for the schedule, ``Conflict`` for one that
        is not active and has no runs, ``NotFinished`` when time is up; its ``run`` is ``None`` when nothing has fired.

        >>> ws.schedules.create("hourly", pipeline="train", every="hour")
        >>> ws.runs.wait_for_schedule("hourly", timeout=60).status
        """
        return self._connection.run(self._wait_for_schedule(schedule, timeout))

    def cancel(self, run: str | Run) -> Run:
        """Ask for the end of a run and return it as it is then; one that has ended already stays as it is.

        Its steps are ended soon after: ``wait`` for it to see ``Canceled``.
        """
        return self._connection.run(self._cancel(run))

    async def _list(
        self,
        pipeline: str | Pipeline | None,
        schedule: str | Schedule | None,
        experiment: str | None,
        limit: int | None,
    ) -> builtins.list[Run]:
        client = self._client
        publications = None if pipeline is None else [one.id for one in await find_publications(client, pipeline)]
        schedule_id = None if schedule is None else (await find_schedule(client, schedule)).id
        if experiment is not None:
            pick_by_name("experiment", experiment, [found.name for found in await client.experiments()])
        few = None if experiment else limit  # what is filtered here must not be cut there
        if schedule_id is not None:
            found = await client.runs_of_schedule(schedule_id, limit=few if pipeline is None else None)
        elif publications is not None:
            found = [run for one in publications for run in await client.runs_of_pipeline(one, limit=few)]
        else:
            found = await client.newest_runs(experiment, limit=limit)
        fitting = [
            run
            for run in found
            if (publications is None or run.pipeline_id in publications)
            and (experiment is None or run.experiment_name == experiment)
        ]
        fitting.sort(key=lambda run: run.created.timestamp() if run.created else 0.0, reverse=True)
        return fitting[:limit]

    async def _steps(self, wanted: str | Run) -> builtins.list[Step]:
        return await self._client.steps(await find_run(self._client, wanted))

    async def _logs(self, wanted: str | Run, step: str | None) -> str:
        return await read_logs(self._client, await find_run(self._client, wanted), step)

    async def _follower(self, wanted: str | Run, step: str | None) -> Follower:
        run = await find_run(self._client, wanted)
        follower = Follower(self._client, run, step)
        await follower.check()
        return follower

    def _pieces(self, follower: Follower) -> Iterator[str]:
        while (text := self._connection.run(self._next_piece(follower))) is not None:
            yield text

    async def _next_piece(self, follower: Follower) -> str | None:
        """The next text, as soon as there is some; ``None`` when the run has ended and all of it was given."""
        pause = _FIRST_PAUSE
        while True:
            text = await follower.look()
            if text or follower.has_ended:
                return text or None
            await self._connection.sleep(pause)
            pause = self._longer(pause)

    async def _wait_for_schedule(self, wanted: str | Schedule, patience: float | None) -> Run:
        schedule = await find_schedule(self._client, wanted)
        began = self._connection.monotonic()
        pause = _FIRST_PAUSE
        while (run := await self._client.last_run_of_schedule(schedule.id)) is None:
            if schedule.status is not Status.ACTIVE:
                raise _will_not_fire(schedule)
            pause = await self._rest(pause, began, patience, _not_fired(schedule, patience))
        return await self._until_final(run, began, patience)

    async def _wait(self, wanted: str | Run, patience: float | None) -> Run:
        run = await find_run(self._client, wanted)
        return await self._until_final(run, self._connection.monotonic(), patience)

    async def _until_final(self, run: Run, began: float, patience: float | None) -> Run:
        pause = _FIRST_PAUSE
        while not run.status.is_final:
            pause = await self._rest(pause, began, patience, _not_finished(run, patience))
            run = await self._client.run(run.id)
        return run

    async def _rest(self, pause: float, began: float, patience: float | None, late: NotFinished) -> float:
        """Sleep before the next question and return the pause after it; raise ``late`` when patience has run out."""
        if patience is not None:
            left = began + patience - self._connection.monotonic()
            if left <= 0:
                raise late
            pause = min(pause, left)
        await self._connection.sleep(pause)
        return self._longer(pause)

    def _longer(self, pause: float) -> float:
        return min(pause * _GROWTH, 0.5 if self._client.is_embedded else 5.0)

    async def _cancel(self, wanted: str | Run) -> Run:
        run = await find_run(self._client, wanted)
        if run.status.is_final:
            return run
        await self._client.cancel_run(run.id)
        return await self._client.run(run.id)


def _not_finished(run: Run, patience: float | None) -> NotFinished:
    message = f"the run {run.id} has not ended after {patience or 0:g} s: it is {run.status.value}"
    return NotFinished(message, run=run, hint=f"It goes on: wait again, or end it with %aml run cancel {run.id[:8]}.")


def _will_not_fire(schedule: Schedule) -> Conflict:
    message = f"the schedule {schedule.name!r} is {schedule.status.value} and has started no run"
    return Conflict(message, hint=f"%aml schedule enable {schedule.name} lets it fire.")


def _not_fired(schedule: Schedule, patience: float | None) -> NotFinished:
    message = f"the schedule {schedule.name!r} has started no run after {patience or 0:g} s"
    return NotFinished(message, run=None, hint=f"%aml schedule history {schedule.name} says why.")
