"""Checking the triggers of a workflow for some time: each check is kept, with the reason why it fired or did not.

A Recurrence fires at its times, at once when it has no start. The blob trigger lists the direct children of its folder
at each interval and compares names and ETags with the last look; what is there at the first look is not news, unless it
is told to be. Files beyond ``maxFileCount`` wait for the next look. With ``splitOn`` each file is a run, and the
conditions are asked of each; without it, one run has them all. When the time is over nothing new starts, and what runs
is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.errors import AmlError
from aml_magics.workflows.language import evaluate
from aml_magics.workflows.logic_app.blobs import BlobTrigger, blob_trigger, is_blob_trigger, properties
from aml_magics.workflows.logic_app.conditions import holds
from aml_magics.workflows.logic_app.definition import Trigger
from aml_magics.workflows.logic_app.records import Status, TriggerCheck, Watched, WorkflowRun
from aml_magics.workflows.logic_app.recurrences import due_times, interval_of
from aml_magics.workflows.logic_app.running import Runner
from aml_magics.workflows.logic_app.scope import TriggerScope
from aml_magics.workflows.places import Place, place_for
from aml_magics.workflows.workspace import MlWorkspace, one_error

__all__ = ["Options", "places", "run_triggers"]

_ENOUGH = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How long the triggers may fire (seconds), and what is other than the definition says.

    ``interval`` (seconds) replaces that of the checks; ``existing``: what is there already is news; ``once``: stop
    after the first check that fired.
    """

    seconds: float
    interval: float | None = None
    existing: bool = False
    once: bool = False
    datastore: str = ""


async def places(runner: Runner, workspace: MlWorkspace, datastore: str = "") -> dict[str, tuple[BlobTrigger, Place]]:
    """What each blob trigger watches, and where that is. Raises ``InvalidInput`` for a place that is not there."""
    found: dict[str, tuple[BlobTrigger, Place]] = {}
    for trigger in runner.workflow.triggers:
        if is_blob_trigger(trigger):
            watched = blob_trigger(trigger, TriggerScope(runner.workflow, runner.begin(trigger.name), runner.now))
            place = await place_for(
                workspace,
                watched.container,
                account=watched.account,
                what=f"trigger {trigger.name!r}",
                wanted=datastore,
                noted=runner.workflow.datastore,
            )
            found[trigger.name] = (watched, place)
    return found


async def run_triggers(
    runner: Runner, workspace: MlWorkspace, options: Options, watched: Watched | None = None
) -> Watched:
    """Let all triggers fire, and wait for what they started. ``watched`` is filled as it goes.

    Raises ``InvalidInput`` for a place that cannot be watched, and what the first look at it raises.
    """
    watched = Watched() if watched is None else watched
    found = await places(runner, workspace, options.datastore)
    over = asyncio.Event()
    with one_error():
        async with asyncio.TaskGroup() as group:
            checking = [_Checking(runner, one, options, group, watched, over) for one in runner.workflow.triggers]
            looks = [
                _Looking(one, workspace, *found[one.trigger.name]) for one in checking if one.trigger.name in found
            ]
            for one in looks:
                await one.begin()
                group.create_task(one.go_on())
            for each in checking:
                if each.trigger.name not in found:
                    group.create_task(each.on_times())
    return watched


class _Checking:
    """One trigger while it is checked: its conditions, its runs, its history."""

    def __init__(
        self,
        runner: Runner,
        trigger: Trigger,
        options: Options,
        group: asyncio.TaskGroup,
        watched: Watched,
        over: asyncio.Event,
    ) -> None:
        self.runner = runner
        self.trigger = trigger
        self.options = options
        self.watched = watched
        self.end = runner.clock.now() + options.seconds
        self._group = group
        self._over = over
        self._turns = asyncio.Semaphore(trigger.runs or _ENOUGH)
        self._unended: list[WorkflowRun] = []

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    async def on_times(self) -> None:
        """A Recurrence."""
        for due in due_times(self.trigger, self.runner.now(), self.options.interval):
            if due > self.end:
                self.watched.next_due = datetime.fromtimestamp(due, UTC)
                return
            await self.rest(due - self.runner.clock.now())
            if self.is_over:
                return
            reason = self.reason_to_wait()
            if reason:
                self.note(Status.SKIPPED, reason)
            else:
                self.decide([None], 0, "its time has come", scheduled=datetime.fromtimestamp(due, UTC))

    async def rest(self, seconds: float) -> None:
        """Sleep, unless another trigger ends it all."""
        sleeping = asyncio.ensure_future(self.runner.clock.sleep(max(0.0, seconds)))
        stopping = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()

    def reason_to_wait(self) -> str:
        """Why the trigger is not checked now, or nothing."""
        self._unended = [one for one in self._unended if one.ended is None]
        if self.trigger.is_single and self._unended:
            return "not checked: a run is under way (SingleInstance)"
        waiting = [one for one in self._unended if one.started is None]
        if self.trigger.waiting is not None and len(waiting) >= self.trigger.waiting:
            return f"not checked: {len(waiting)} runs wait already (maximumWaitingRuns)"
        return ""

    def split(self, bodies: list[dict[str, Any]], what: str) -> None:
        """One run for all that was found, or as splitOn says."""
        items: Any = [bodies]
        if self.trigger.split_on:
            try:
                items = evaluate(self.trigger.split_on, self._scope(bodies))
            except AmlError as error:
                self.note(Status.FAILED, f"{what}; splitOn: {error}", found=len(bodies))
                return
        if isinstance(items, list):
            self.decide(items, len(bodies), what)
        else:
            self.note(Status.FAILED, f"{what}; splitOn {self.trigger.split_on} is no array", found=len(bodies))

    def decide(self, bodies: Sequence[Any], found: int, what: str, scheduled: datetime | None = None) -> None:
        """Start a run for each of these that meets the conditions, and note the check."""
        reasons: dict[str, int] = {}
        runs = []
        for body in bodies:
            if reason := self._unmet(body):
                reasons[reason] = reasons.get(reason, 0) + 1
            else:
                runs.append(self._start(body, scheduled))
        why = [f"{count} {reason}" if len(bodies) > 1 else reason for reason, count in reasons.items()]
        failed = any("cannot be asked" in reason for reason in reasons)
        status = Status.SUCCEEDED if runs else Status.FAILED if failed else Status.SKIPPED
        self.note(status, "; ".join([what, *why]), found=found, runs=tuple(one.id for one in runs))
        if runs and self.options.once:
            self._over.set()

    def _unmet(self, body: Any) -> str:  # noqa: ANN401 - any JSON
        """The condition that does not hold, or nothing."""
        scope = self._scope(body)
        for condition in self.trigger.conditions:
            try:
                if not holds(condition, scope):
                    return f"did not meet {condition}"
            except AmlError as error:
                return f"cannot be asked {condition}: {error}"
        return ""

    def _scope(self, body: Any) -> TriggerScope:  # noqa: ANN401 - any JSON
        return TriggerScope(self.runner.workflow, self.runner.begin(self.trigger.name, body), self.runner.now)

    def _start(self, body: Any, scheduled: datetime | None) -> WorkflowRun:  # noqa: ANN401 - any JSON
        run = self.runner.begin(self.trigger.name, body, scheduled)
        self.watched.runs.append(run)
        self._unended.append(run)
        self._group.create_task(self._in_turn(run))
        return run

    async def _in_turn(self, run: WorkflowRun) -> None:
        try:
            async with self._turns:
                await self.runner.carry_out(run)
        except asyncio.CancelledError:
            run.status = run.status or Status.CANCELLED
            raise

    def note(self, status: Status, why: str, *, found: int = 0, runs: tuple[str, ...] = ()) -> None:
        at = self.runner.now()
        self.watched.checks.append(
            TriggerCheck(at=at, trigger=self.trigger.name, status=status, why=why, found=found, runs=runs)
        )


class _Looking:
    """A blob trigger: what it has seen, and what is new at each look."""

    def __init__(self, checking: _Checking, workspace: MlWorkspace, watched: BlobTrigger, place: Place) -> None:
        self._checking = checking
        self._workspace = workspace
        self._watched = watched
        self._place = place
        self._seen: Mapping[str, str] = {}

    async def begin(self) -> None:
        """The first look."""
        name = self._checking.trigger.name
        self._checking.watched.places[name] = "/".join(filter(None, (self._place.datastore, self._watched.folder)))
        if self._checking.options.existing:
            await self._look()
            return
        self._seen = {one.name: one.etag for one in await self._listing()}
        count = len(self._seen)
        there = f"{count:,} file{' is' if count == 1 else 's are'} there" if count else "nothing is there"
        self._checking.note(Status.SKIPPED, f"the first look: {there}{', no news' if count else ''}")

    async def go_on(self) -> None:
        """All further looks, the last one at the end."""
        checking = self._checking
        interval = checking.options.interval or interval_of(checking.trigger)
        while checking.runner.clock.now() < checking.end and not checking.is_over:
            await checking.rest(min(interval, checking.end - checking.runner.clock.now()))
            if not checking.is_over:
                await self._look()

    async def _look(self) -> None:
        checking = self._checking
        if reason := checking.reason_to_wait():
            checking.note(Status.SKIPPED, reason)
            return
        try:
            there = await self._listing()
        except AmlError as error:
            checking.note(Status.FAILED, f"the look failed: {error}")
            return
        new = [one for one in there if self._seen.get(one.name) != one.etag]
        new.sort(key=lambda one: (one.modified, one.name))
        taken, later = new[: self._watched.most], new[self._watched.most :]
        waiting = {one.name: self._seen.get(one.name, "") for one in later}
        self._seen = {one.name: waiting.get(one.name, one.etag) for one in there}
        if not taken:
            checking.note(Status.SKIPPED, "nothing new or changed")
            return
        more = f", {len(later):,} more at the next look (maxFileCount)" if later else ""
        what = f"{len(taken):,} file{'' if len(taken) == 1 else 's'} new or changed{more}"
        checking.split([properties(self._watched, one) for one in taken], what)

    async def _listing(self) -> list[ObjectInfo]:
        return await self._workspace.objects(self._place.datastore, self._watched.folder)
