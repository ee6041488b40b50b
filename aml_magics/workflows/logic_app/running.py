"""Running a workflow: every action is a task that waits for those that it runs after, so what can run at once does.

``Runner`` runs one workflow, any number of its runs at a time. What an action of each type does is in ``simple`` and
``nested``; here is what all have in common: ``runAfter``, skipping, time limits, the record. Only an ``AmlError`` is a
failed action; cancelling the runner cancels all that is under way. The run of Azure ML that an action started goes on:
a Logic App does not wait for it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.secret import MASK, redacted
from aml_magics.wire.casing import Body
from aml_magics.workflows.language import evaluate
from aml_magics.workflows.logic_app import nested, simple
from aml_magics.workflows.logic_app.definition import Action, Workflow
from aml_magics.workflows.logic_app.records import ActionFailed, ActionRun, Status, Terminated, WorkflowRun, masked
from aml_magics.workflows.logic_app.scope import Ended, Frame, Outputs, stamp
from aml_magics.workflows.logic_app.sending import ARM, Web
from aml_magics.workflows.logic_app.values import seconds_of
from aml_magics.workflows.outcome import those_that_count
from aml_magics.workflows.workspace import Clock, LateError, one_error, within

__all__ = ["HANDLERS", "Doing", "Runner"]

HANDLERS: Mapping[str, Callable[[Doing], Awaitable[Any]]] = {**simple.HANDLERS, **nested.HANDLERS}
_CODES = {Status.SUCCEEDED: "OK", Status.SKIPPED: "ActionSkipped", Status.CANCELLED: "ActionCancelled"}


@dataclass(slots=True)
class Doing:
    """One action that runs now, as its handler sees it. What the handler notes here goes into the record."""

    runner: Runner
    action: Action
    frame: Frame
    inputs: Any = None
    attempts: int = 0
    ml_run: str = ""
    data_paths: dict[str, str] = field(default_factory=dict)
    inner: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def where(self) -> str:
        """The way to the action: ``Loop[2]/Train``."""
        return "/".join(filter(None, (self.frame.where, self.action.name)))

    def evaluated(self) -> Any:  # noqa: ANN401 - any JSON
        """The inputs with every expression in them evaluated."""
        self.inputs = evaluate(self.action.inputs, self.frame)
        return self.inputs

    def submitted(self, body: object, answer: object) -> None:
        """Note the run that a submission has started, and what it was given."""
        if not isinstance(body, Mapping) or not isinstance(answer, Mapping):
            return
        sent = Body(body)
        if "ExperimentName" in sent:
            self.ml_run = Body(answer).text("Id")
        for name, one in sent.mapping("DataPathAssignments").items():
            place = Body(one)
            self.data_paths[name] = f"{place.text('DataStoreName')}/{place.text('RelativePath')}"


class Runner:
    """Runs one workflow. ``audience`` is whose tokens the workspace takes; ``tell`` is told what is under way."""

    def __init__(
        self,
        workflow: Workflow,
        clock: Clock,
        *,
        web: Web,
        audience: str = ARM,
        tell: Callable[[str], object] = lambda _words: None,
    ) -> None:
        self.workflow = workflow
        self.clock = clock
        self.web = web
        self.audience = audience
        self.tell = tell
        self._under_way: dict[str, None] = {}

    @cached_property
    def variable_kinds(self) -> dict[str, tuple[type, ...]]:
        """The Python types of each variable, of a workflow that has been checked."""
        return {
            one["name"]: simple.VARIABLE_TYPES[str(one["type"]).casefold()][0]
            for action in self.workflow.actions
            if action.type == "InitializeVariable"
            for one in action.inputs["variables"]
        }

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def begin(self, trigger: str, body: Any = None, scheduled: datetime | None = None) -> WorkflowRun:  # noqa: ANN401
        """A run that has everything but its actions. ``scheduled`` is the time that a Recurrence meant."""
        now = self.now()
        return WorkflowRun(id=uuid.uuid4().hex, trigger=trigger, body=body, fired=now, scheduled=scheduled or now)

    async def carry_out(self, run: WorkflowRun) -> None:
        """Run the actions, and note the result."""
        run.started = self.now()
        frame = Frame(self.workflow, run, self.now)
        try:
            with one_error():
                failed = await self.run_level(self.workflow.actions, frame, [])
            run.outputs = self._outputs(frame)
            run.status, run.message = (Status.FAILED if failed else Status.SUCCEEDED), failed
            run.code = "ActionFailed" if failed else ""
        except Terminated as end:
            run.status, run.code, run.message = end.status, end.code, end.message
        except asyncio.CancelledError:
            run.status = Status.CANCELLED
            raise
        finally:
            run.ended = self.now()

    def _outputs(self, frame: Frame) -> dict[str, Any]:
        """The workflow's outputs; one that needs what has not run is left out, as Azure does."""
        found = {}
        for name, one in self.workflow.outputs.items():
            try:
                found[name] = masked(evaluate(one.get("value"), frame), self.workflow.secrets)
            except AmlError:
                continue
        return found

    async def run_level(self, actions: Sequence[Action], frame: Frame, inner: list[Mapping[str, Any]]) -> str:
        """Run actions that know each other; what failed among them that counts, in words, or nothing.

        ``inner`` is given the facts of each.
        """
        by_name = {one.name: one for one in actions}
        tasks: dict[str, asyncio.Task[Status]] = {}
        async with asyncio.TaskGroup() as group:
            for name in TopologicalSorter({one.name: one.run_after for one in actions}).static_order():
                before = {other: tasks[other] for other in by_name[name].run_after}
                tasks[name] = group.create_task(self._in_turn(by_name[name], frame, before))
        ended = {name: task.result() for name, task in tasks.items()}
        inner += [frame.ended[one.name].facts for one in actions]
        skipped = [name for name, status in ended.items() if status is Status.SKIPPED]
        counted = those_that_count({one.name: one.run_after for one in actions}, skipped)
        counted = [name for name in counted if ended[name] in (Status.FAILED, Status.TIMED_OUT)]
        return "; ".join(f"{name}: {frame.ended[name].facts['error']['message']}" for name in counted)

    def skip(self, actions: Sequence[Action], frame: Frame) -> list[Mapping[str, Any]]:
        """Note the actions of a branch that is not taken."""
        for one in actions:
            self._note(Doing(self, one, frame), self.now(), Status.SKIPPED, None)
        return [frame.ended[one.name].facts for one in actions]

    async def _in_turn(self, action: Action, frame: Frame, before: Mapping[str, asyncio.Task[Status]]) -> Status:
        ended = {name: await task for name, task in before.items()}
        doing = Doing(self, action, frame)
        if not all(ended[name].value in wanted for name, wanted in action.run_after.items()):
            return self._note(doing, self.now(), Status.SKIPPED, None)
        return await self._do(doing)

    async def _do(self, doing: Doing) -> Status:
        started = self.now()
        self._under_way[doing.where] = None
        self.tell(", ".join(self._under_way))
        try:
            outputs = await self._in_time(doing)
        except AmlError as error:
            is_late = getattr(error, "code", "") == Status.TIMED_OUT.value
            return self._note(doing, started, Status.TIMED_OUT if is_late else Status.FAILED, error)
        except Terminated:
            self._note(doing, started, Status.SUCCEEDED, None)
            raise
        except asyncio.CancelledError:
            self._note(doing, started, Status.CANCELLED, None)
            raise
        finally:
            self._under_way.pop(doing.where, None)
            self.tell(", ".join(self._under_way))
        return self._note(doing, started, Status.SUCCEEDED, outputs)

    async def _in_time(self, doing: Doing) -> Any:  # noqa: ANN401 - any JSON
        handler = HANDLERS[doing.action.type]
        limit = None if doing.action.type == "Until" else doing.action.setting("limit", "timeout")
        if limit is None:
            return await handler(doing)
        try:
            return await within(self.clock, seconds_of("limit.timeout", limit), _awaited(handler(doing)))
        except LateError:
            message = f"it has not ended within its limit of {limit}"
            raise ActionFailed(message, code=Status.TIMED_OUT.value) from None

    def _note(self, doing: Doing, started: datetime, status: Status, result: Any) -> Status:  # noqa: ANN401 - any JSON
        """Keep what became of an action: all of it for expressions, what may be seen for people."""
        action, ended = doing.action, self.now()
        failed = isinstance(result, AmlError)
        outputs = getattr(result, "outputs", None) if failed else result
        code = _code_of(result) if isinstance(result, AmlError) else _CODES.get(status, "")
        message = redacted(str(result), *self.workflow.secrets) if failed else ""
        facts: dict[str, Any] = {
            "name": action.name,
            "status": status.value,
            "code": code,
            "startTime": stamp(started),
            "endTime": stamp(ended),
            "inputs": doing.inputs,
            "outputs": _with_paths(outputs),
        }
        if failed or status is Status.TIMED_OUT:
            facts["error"] = {"code": code, "message": message}
        doing.frame.ended[action.name] = Ended(status, facts, tuple(doing.inner))
        self._record(doing, started, ended, facts, message)
        return status

    def _record(self, doing: Doing, started: datetime, ended: datetime, facts: Mapping[str, Any], message: str) -> None:
        secure = doing.action.setting("runtimeConfiguration", "secureData", "properties") or ()
        shown = {
            name: MASK if name in secure and facts[name] is not None else masked(facts[name], self.workflow.secrets)
            for name in ("inputs", "outputs")
        }
        doing.frame.run.actions.append(
            ActionRun(
                name=doing.action.name,
                type=doing.action.type,
                where=doing.where,
                status=Status(facts["status"]),
                started=started,
                ended=ended,
                code=facts["code"],
                message=message,
                attempts=doing.attempts,
                ml_run=doing.ml_run,
                data_paths=dict(doing.data_paths),
                **shown,
            )
        )


def _code_of(error: AmlError) -> str:
    default = "InvalidTemplate" if isinstance(error, InvalidInput) else "ActionFailed"
    return str(getattr(error, "code", "") or default)


def _with_paths(outputs: Any) -> Any:  # noqa: ANN401 - any JSON
    return Outputs(outputs) if isinstance(outputs, dict) else outputs


async def _awaited(work: Awaitable[Any]) -> Any:  # noqa: ANN401 - any JSON
    return await work
