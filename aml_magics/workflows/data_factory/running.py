"""Running a pipeline: every activity is a task that waits for those it depends on, so what can run at once does.

``Runner`` runs one pipeline of a factory, and what that one executes. What an activity of each type does is in
``leaves`` and ``control``; here is what all have in common: waiting, skipping, retries and time limits, the record.
Only an ``AmlError`` is a failed activity; cancelling the runner cancels everything under way, runs of Azure ML too, and
is over when they have been told.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.secret import MASK, redacted
from aml_magics.workflows.data_factory import control, leaves
from aml_magics.workflows.data_factory.definition import Activity, Factory, Pipeline
from aml_magics.workflows.data_factory.dependencies import Status, failed_that_count, in_order, may_run
from aml_magics.workflows.data_factory.records import MANUAL, ActivityFailed, ActivityRun, Fired, PipelineRun
from aml_magics.workflows.data_factory.scope import Ended, Frame, stamp
from aml_magics.workflows.data_factory.values import (
    as_bool,
    as_mapping,
    as_number,
    as_text,
    filled,
    resolve,
    seconds_of,
)
from aml_magics.workflows.workspace import Clock, LateError, MlWorkspace, one_error, within

__all__ = ["Doing", "Runner"]

Handler = Callable[["Doing"], Awaitable[Any]]
HANDLERS: Mapping[str, Handler] = {**leaves.HANDLERS, **control.HANDLERS}
_WITH_POLICY = ("AzureMLExecutePipeline", "WebActivity")  # the others run once, for as long as it takes


@dataclass(slots=True)
class Doing:
    """One activity that runs now, as its handler sees it. What the handler notes here goes into the record."""

    runner: Runner
    activity: Activity
    frame: Frame
    input: Any = None
    attempts: int = 0
    ml_runs: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        """The way to the activity: ``Loop[2]/Train``."""
        return "/".join(filter(None, (self.frame.where, self.activity.name)))

    def value(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - any JSON
        """A property with its expressions evaluated."""
        return resolve(self.activity.properties.get(name, default), self.frame)

    def text(self, name: str, default: str = "") -> str:
        return as_text(name, self.value(name, default))

    def truth(self, name: str, *, default: bool = False) -> bool:
        return as_bool(name, self.value(name, default))

    def number(self, name: str, default: float) -> float:
        return as_number(name, self.value(name, default))

    def mapping(self, name: str) -> Mapping[str, Any]:
        return as_mapping(name, self.value(name, {}))


class Runner:
    """Runs pipelines of one factory on one workspace. ``tell`` is told what is under way whenever that changes."""

    def __init__(
        self,
        factory: Factory,
        workspace: MlWorkspace,
        clock: Clock,
        *,
        web: leaves.Web,
        tell: Callable[[str], object] = lambda _words: None,
    ) -> None:
        self.factory = factory
        self.workspace = workspace
        self.clock = clock
        self.web = web
        self._tell = tell
        self._groups: dict[str, asyncio.TaskGroup] = {}  # of the runs that nobody inside started, by their ids

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    async def run(self, name: str, parameters: Mapping[str, Any], fired: Fired = MANUAL) -> PipelineRun:
        """Run a pipeline to its end, and the pipelines that it started without waiting for them.

        Raises ``InvalidInput`` for parameters that do not fit. A pipeline that fails is a result, not an error.
        """
        run = self.begin(self.factory.pipeline(name), parameters, fired)
        with one_error():
            async with asyncio.TaskGroup() as group:
                self._groups[run.id] = group
                await self.carry_out(run)
        del self._groups[run.id]
        return run

    def begin(
        self, pipeline: Pipeline, parameters: Mapping[str, Any], fired: Fired, parent: PipelineRun | None = None
    ) -> PipelineRun:
        """A run that has everything but its activities."""
        run = PipelineRun(
            id=str(uuid.uuid4()),
            pipeline=pipeline.name,
            parameters=filled(pipeline, parameters),
            variables={name: one.default for name, one in pipeline.variables.items()},
            fired=fired,
            started=self.now(),
            parent=parent,
        )
        if parent:
            parent.children.append(run)
        return run

    async def carry_out(self, run: PipelineRun) -> None:
        """Run the activities, and note the result."""
        frame = Frame(run, self.factory.name, self.now)
        try:
            failed = await self.run_all(self.factory.pipeline(run.pipeline).activities, frame)
        except asyncio.CancelledError:
            run.status, run.ended = Status.CANCELLED, self.now()
            raise
        run.status = Status.FAILED if failed else Status.SUCCEEDED
        run.message = failed
        run.ended = self.now()

    def carry_out_apart(self, run: PipelineRun) -> None:
        """The same without waiting for it; ``run`` does at its end."""
        self._groups[run.first.id].create_task(self.carry_out(run))

    async def run_all(self, activities: Sequence[Activity], frame: Frame) -> str:
        """Run activities that know each other; what failed among them that counts, in words, or nothing."""
        tasks: dict[str, asyncio.Task[Status]] = {}
        async with asyncio.TaskGroup() as group:
            for one in in_order(activities):
                before = {each.activity: tasks[each.activity] for each in one.depends_on}
                tasks[one.name] = group.create_task(self._in_turn(one, frame, before))
        ended = {name: task.result() for name, task in tasks.items()}
        reasons = [
            f"{name}: {frame.ended[name].facts['error']['message']}" for name in failed_that_count(activities, ended)
        ]
        return "; ".join(reasons)

    async def _in_turn(self, activity: Activity, frame: Frame, before: Mapping[str, asyncio.Task[Status]]) -> Status:
        ended = {name: await task for name, task in before.items()}
        if not may_run(activity.depends_on, ended):
            return self._note(Doing(self, activity, frame), self.now(), Status.SKIPPED, None)
        if activity.inactive_as:
            return self._note(Doing(self, activity, frame), self.now(), Status(activity.inactive_as), None)
        return await self._do(Doing(self, activity, frame))

    async def _do(self, doing: Doing) -> Status:
        started = self.now()
        running = doing.frame.run.running
        running[doing.where] = doing.activity.type
        self._tell(", ".join(running))
        try:
            output = await self._tries(doing)
        except AmlError as error:
            return self._note(doing, started, Status.FAILED, error)
        except asyncio.CancelledError:
            self._note(doing, started, Status.CANCELLED, None)
            raise
        finally:
            running.pop(doing.where, None)
            self._tell(", ".join(running))
        return self._note(doing, started, Status.SUCCEEDED, output)

    async def _tries(self, doing: Doing) -> Any:  # noqa: ANN401 - any JSON
        handler = HANDLERS[doing.activity.type]
        if doing.activity.type not in _WITH_POLICY:
            doing.attempts = 1
            return await handler(doing)
        policy = doing.activity.policy
        limit = seconds_of("timeout", resolve(policy.timeout, doing.frame))
        retries = int(as_number("retry", resolve(policy.retry, doing.frame)))
        while True:
            doing.attempts += 1
            try:
                return await self._in_time(doing, handler, limit)
            except AmlError:
                if doing.attempts > retries:
                    raise
            await self.clock.sleep(policy.retry_interval)

    async def _in_time(self, doing: Doing, handler: Handler, limit: float) -> Any:  # noqa: ANN401 - any JSON
        try:
            return await within(self.clock, limit, _awaited(handler(doing)))
        except LateError:
            message = f"it has not ended within its timeout of {limit:g} s and was cancelled"
            raise ActivityFailed(message, code="Timeout") from None

    def _note(self, doing: Doing, started: datetime, status: Status, result: Any) -> Status:  # noqa: ANN401 - any JSON
        """Keep what became of an activity: all of it for expressions, what may be seen for people."""
        activity, policy, run, ended = doing.activity, doing.activity.policy, doing.frame.run, self.now()
        error = run.masked(_error_of(result, activity.name)) if status is Status.FAILED else {}
        output = getattr(result, "output", None) if isinstance(result, AmlError) else result
        run.activities.append(
            ActivityRun(
                name=activity.name,
                type=activity.type,
                where=doing.where,
                status=status,
                started=started,
                ended=ended,
                input=MASK if policy.secure_input and doing.input is not None else run.masked(doing.input),
                output=MASK if policy.secure_output and output is not None else run.masked(output),
                error=error,
                attempts=doing.attempts,
                ml_runs=tuple(doing.ml_runs),
                user_properties=run.masked(_evaluated(activity.user_properties, doing.frame)),
            )
        )
        doing.frame.ended[activity.name] = Ended(
            status,
            {
                "ActivityName": activity.name,
                "ActivityType": activity.type,
                "PipelineName": run.pipeline,
                "PipelineRunId": run.id,
                "Status": status.value,
                "output": output,
                "error": error or None,
                "ExecutionStartTime": stamp(started),
                "ExecutionEndTime": stamp(ended),
            },
        )
        return status


def _evaluated(values: Mapping[str, Any], frame: Frame) -> Mapping[str, Any]:
    """User properties: they only inform, so one that cannot be evaluated stays as it is written."""
    try:
        resolved: Mapping[str, Any] = resolve(dict(values), frame)
    except InvalidInput:
        return values
    return resolved


def _error_of(error: object, name: str) -> dict[str, str]:
    """The error object that ``activity('a').error`` is. A deactivated activity that counts as failed has no cause."""
    code, message = "Inactive", "it is deactivated, and onInactiveMarkAs says Failed"
    if error is not None:
        code, message = getattr(error, "code", "") or type(error).__name__, redacted(str(error))
    return {"errorCode": code, "message": message, "failureType": "UserError", "target": name}


async def _awaited(work: Awaitable[Any]) -> Any:  # noqa: ANN401 - any JSON
    return await work
