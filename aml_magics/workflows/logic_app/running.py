"""Running a workflow: every action is a task that waits for those it runs after, so what can run at once does.

What an action of each type does is in ``simple`` and ``nested``; here is what all have in common: waiting, skipping,
time limits, the record. Only an ``AmlError`` is a failed action; cancelling the runner cancels everything under way.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from typing import Any

from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.secret import redacted
from aml_magics.workflows.language import evaluate
from aml_magics.workflows.logic_app import nested, simple
from aml_magics.workflows.logic_app.checks import Web
from aml_magics.workflows.logic_app.definition import Action, Workflow
from aml_magics.workflows.logic_app.records import ActionFailed, ActionRun, Status, WorkflowRun
from aml_magics.workflows.logic_app.scope import Frame
from aml_magics.workflows.outcome import those_that_count
from aml_magics.workflows.workspace import Clock, LateError, MlWorkspace, one_error, within

__all__ = ["AUDIENCE", "Doing", "Runner", "Terminated", "seconds_of"]

AUDIENCE = "https://management.azure.com/"  # of the resource manager, which starts published pipelines
Json = Any
_HANDLERS: Mapping[str, Callable[[Doing], Awaitable[Json]]] = {**simple.HANDLERS, **nested.HANDLERS}
_SPAN = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def seconds_of(span: Json) -> float:
    """The seconds of an ISO 8601 duration such as ``PT1H30M``. Raises ``InvalidInput``."""
    found = _SPAN.fullmatch(span) if isinstance(span, str) else None
    if found is None or not any(found.groups()):
        raise InvalidInput(f"{span!r} is no duration", hint="PT1H30M is one, P1D another.")
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds


class Terminated(Exception):
    """A Terminate action ends the run with this result."""

    def __init__(self, status: Status, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(slots=True)
class Doing:
    """One action that runs now, as its handler sees it. What the handler notes here goes into the record."""

    runner: Runner
    action: Action
    frame: Frame
    inputs: Json = None
    ml_runs: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        """The way to the action: ``For_each[2]/Run_pipeline``."""
        return "/".join(filter(None, (self.frame.where, self.action.name)))

    def value(self, value: Json) -> Json:
        """With its expressions evaluated."""
        return evaluate(value, self.frame)


class Runner:
    """Runs one workflow on one workspace. ``tell`` is told what is under way whenever that changes."""

    def __init__(
        self,
        workflow: Workflow,
        workspace: MlWorkspace,
        clock: Clock,
        *,
        web: Web,
        audience: str = AUDIENCE,
        tell: Callable[[str], object] = lambda _words: None,
    ) -> None:
        self.workflow = workflow
        self.workspace = workspace
        self.clock = clock
        self.web = web
        self.audience = audience
        self._tell = tell
        self._running: dict[str, None] = {}

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    async def run(self, trigger: str, outputs: Mapping[str, Json]) -> WorkflowRun:
        """One run, to its end. ``outputs`` are what the trigger brought. One that fails is a result, not an error."""
        run = WorkflowRun(
            id=uuid.uuid4().hex.upper(),
            trigger=trigger,
            body=outputs.get("body"),
            outputs=outputs,
            started=self.now(),
        )
        frame = Frame(run, self.workflow.parameters, self.now, workflow=self.workflow.name)
        try:
            with one_error():
                failed = await self.run_all(self.workflow.actions, frame)
            run.status, run.code, run.message = _result(failed)
        except Terminated as end:
            run.status, run.code, run.message = end.status, end.code, str(end)
        except asyncio.CancelledError:
            run.status = Status.CANCELLED
            raise
        finally:
            run.ended = self.now()
        return run

    async def run_all(self, actions: Sequence[Action], frame: Frame) -> list[ActionRun]:
        """Run actions that know each other; those of them because of which the whole has failed."""
        by_name = {one.name: one for one in actions}
        order = TopologicalSorter({one.name: one.run_after for one in actions}).static_order()
        tasks: dict[str, asyncio.Task[Status]] = {}
        async with asyncio.TaskGroup() as group:
            for name in order:
                before = {other: tasks[other] for other in by_name[name].run_after}
                tasks[name] = group.create_task(self._in_turn(by_name[name], frame, before))
        skipped = [name for name, task in tasks.items() if task.result() is Status.SKIPPED]
        counted = those_that_count({one.name: one.run_after for one in actions}, skipped)
        ended = [frame.ended[name] for name in counted]
        return [one for one in ended if one.status in (Status.FAILED, Status.TIMED_OUT)]

    async def _in_turn(self, action: Action, frame: Frame, before: Mapping[str, asyncio.Task[Status]]) -> Status:
        ended = {name: await task for name, task in before.items()}
        if all(ended[name].value in results for name, results in action.run_after.items()):
            return await self._do(Doing(self, action, frame))
        return self._skip(Doing(self, action, frame))

    def _skip(self, doing: Doing) -> Status:
        now = self.now()
        error = {"code": "ActionSkipped", "message": "what it runs after did not end as it must"}
        return self._note(doing, Status.SKIPPED, now, None, error)

    async def _do(self, doing: Doing) -> Status:
        started = self.now()
        self._running[doing.where] = None
        self._tell(", ".join(self._running))
        try:
            outputs = await self._within_limit(doing)
            return self._note(doing, Status.SUCCEEDED, started, outputs, {})
        except Terminated:
            self._note(doing, Status.SUCCEEDED, started, None, {})
            raise
        except ActionFailed as failure:
            error = {"code": failure.code, "message": str(failure)}
            return self._note(doing, failure.status, started, failure.outputs, error)
        except AmlError as refusal:
            return self._note(doing, Status.FAILED, started, None, {"code": "BadRequest", "message": str(refusal)})
        finally:
            self._running.pop(doing.where, None)
            self._tell(", ".join(self._running))

    async def _within_limit(self, doing: Doing) -> Json:
        handler = _HANDLERS[doing.action.type]
        limit = (doing.action.properties.get("limit") or {}).get("timeout")
        if limit is None or doing.action.type == "Until":  # whose limit ends the loop in good order
            return await handler(doing)
        try:
            return await within(self.clock, seconds_of(doing.value(limit)), _made(handler(doing)))
        except LateError:
            message = f"it did not end within {limit}"
            raise ActionFailed(message, code="ActionTimedOut", status=Status.TIMED_OUT) from None

    def _note(self, doing: Doing, status: Status, started: datetime, outputs: Json, error: Mapping[str, str]) -> Status:
        record = ActionRun(
            name=doing.action.name,
            type=doing.action.type,
            where=doing.where,
            status=status,
            started=started,
            ended=self.now(),
            inputs=doing.inputs,
            outputs=outputs,
            error={key: redacted(value) for key, value in error.items()},
            ml_runs=tuple(doing.ml_runs),
        )
        doing.frame.ended[record.name] = record
        doing.frame.run.actions.append(record)
        return status


async def _made(work: Awaitable[Json]) -> Json:
    return await work


def _result(failed: Sequence[ActionRun]) -> tuple[Status, str, str]:
    """The run's status, code and message."""
    if not failed:
        return Status.SUCCEEDED, "", ""
    message = "; ".join(f"{one.name}: {one.error.get('message', one.status.value)}" for one in failed)
    return failed[0].status, failed[0].error.get("code", ""), message
