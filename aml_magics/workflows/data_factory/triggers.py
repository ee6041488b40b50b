"""Triggers of a Data Factory, run here for some time: each fire starts the pipelines of the trigger.

A ScheduleTrigger fires at its times, a TumblingWindowTrigger once a window (those of the past first, at most
``maxConcurrency`` at once), a BlobEventsTrigger once an event: the storage account is looked at every ``poll`` seconds,
in place of Event Grid, so what happens between two looks to one blob is one event. When the time is over nothing new
starts, and what runs is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aml_magics.model.errors import AmlError, InvalidInput, did_you_mean
from aml_magics.workflows.data_factory.checks import check
from aml_magics.workflows.data_factory.definition import Factory, Trigger, TriggeredPipeline
from aml_magics.workflows.data_factory.dependencies import Status
from aml_magics.workflows.data_factory.leaves import Web
from aml_magics.workflows.data_factory.records import Fired, PipelineRun
from aml_magics.workflows.data_factory.references import check_trigger_expressions
from aml_magics.workflows.data_factory.running import Runner
from aml_magics.workflows.data_factory.scope import TriggerScope, stamp
from aml_magics.workflows.data_factory.trigger_types import (
    Listing,
    TumblingWindows,
    Windowed,
    blob_events,
    schedule,
    tumbling_windows,
)
from aml_magics.workflows.data_factory.values import resolve
from aml_magics.workflows.places import Place, place_for
from aml_magics.workflows.workspace import one_error

__all__ = ["Watched", "check_trigger", "run_trigger"]

_READERS = {"ScheduleTrigger": schedule, "TumblingWindowTrigger": tumbling_windows, "BlobEventsTrigger": blob_events}


@dataclass(slots=True)
class Watched:
    """What came of running a trigger. ``next_due`` is the first time that lay beyond the end.

    ``failures`` says what fired and could not be started, because of values that do not fit, and which looks failed.
    """

    runs: list[PipelineRun] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    next_due: datetime | None = None
    looks: int = 0
    place: str = ""


def check_trigger(factory: Factory, trigger: Trigger, web: Web) -> None:
    """Check a trigger and all that it starts. Raises ``InvalidInput``."""
    if trigger.type not in _READERS:
        message = f"trigger {trigger.name!r} is a {trigger.type}, which does not run here; nothing was run"
        raise InvalidInput(message, hint=f"These do: {', '.join(_READERS)}.")
    if not trigger.pipelines:
        raise InvalidInput(f"trigger {trigger.name!r} starts no pipeline", hint='Name one below "pipelines".')
    _READERS[trigger.type](trigger)
    for one in trigger.pipelines:
        check(factory, one.name, web)
        _check_parameters(factory, trigger, one)


def _check_parameters(factory: Factory, trigger: Trigger, started: TriggeredPipeline) -> None:
    declared = factory.pipeline(started.name).parameters
    where = f"trigger {trigger.name!r}, pipeline {started.name!r}"
    for name in started.parameters:
        if name not in declared:
            raise InvalidInput(f"{where} has no parameter {name!r}", hint=did_you_mean(name, declared))
    for name, one in declared.items():
        if name not in started.parameters and not one.has_default:
            raise InvalidInput(f"{where}: the parameter {name!r} has no value", hint='Give it below "parameters".')
    check_trigger_expressions(started.parameters, where)


async def run_trigger(
    runner: Runner,
    trigger: Trigger,
    seconds: float,
    given: Mapping[str, Any],
    *,
    datastore: str = "",
    poll: float = 1.0,
    watched: Watched | None = None,
) -> Watched:
    """Let a trigger fire for so many seconds, and wait for what it started. ``given`` parameters replace the trigger's.

    ``watched`` is filled as it goes. Raises ``InvalidInput`` for a place that cannot be watched.
    """
    watched = Watched() if watched is None else watched
    with one_error():
        async with asyncio.TaskGroup() as group:
            firing = _Firing(runner, trigger, given, group, watched, runner.clock.now() + seconds)
            if trigger.type == "ScheduleTrigger":
                await firing.on_schedule()
            elif trigger.type == "TumblingWindowTrigger":
                await firing.on_windows()
            else:
                place = await place_for(
                    runner.workspace,
                    blob_events(trigger).container,
                    what=f"trigger {trigger.name!r}",
                    wanted=datastore,
                    noted=runner.factory.datastore,
                )
                await firing.on_events(place, poll)
    return watched


class _Firing:
    """One trigger while it fires. ``end`` is when nothing new starts any more, in POSIX seconds."""

    def __init__(
        self,
        runner: Runner,
        trigger: Trigger,
        given: Mapping[str, Any],
        group: asyncio.TaskGroup,
        watched: Watched,
        end: float,
    ) -> None:
        self._runner = runner
        self._clock = runner.clock
        self._trigger = trigger
        self._given = given
        self._group = group
        self._watched = watched
        self._end = end
        self._turns = {
            one.name: asyncio.Semaphore(runner.factory.pipeline(one.name).concurrency or 1_000_000)
            for one in trigger.pipelines
        }

    async def on_schedule(self) -> None:
        recurrence, last = schedule(self._trigger)
        begin = self._runner.now()
        table = recurrence.timetable(begin)
        due = table.next_after(begin.timestamp())
        while due is not None and (last is None or due <= last.timestamp()) and await self._has_come(due):
            self._fire(self._fired(due))
            due = table.next_after(due)

    async def on_windows(self) -> None:
        windows = tumbling_windows(self._trigger)
        turns = asyncio.Semaphore(windows.at_once)
        for window in windows.windows():
            if not await self._has_come(window.due.timestamp()):
                return
            await turns.acquire()
            if self._clock.now() > self._end:
                self._watched.next_due = window.due
                return
            self._group.create_task(self._in_window(windows, window, turns))

    async def _in_window(self, windows: TumblingWindows, window: Windowed, turns: asyncio.Semaphore) -> None:
        outputs = {"windowStartTime": stamp(window.start), "windowEndTime": stamp(window.end)}
        fired = self._fired(window.due.timestamp(), outputs=outputs)
        try:
            for attempt in range(windows.retries + 1):
                if attempt:
                    await self._clock.sleep(windows.retry_interval)
                run = await self._run(self._trigger.pipelines[0], fired)
                if run is None or run.status is Status.SUCCEEDED:
                    return
        finally:
            turns.release()

    async def on_events(self, place: Place, poll: float) -> None:
        wanted = blob_events(self._trigger)
        self._watched.place = "/".join(filter(None, (place.datastore, wanted.folder)))
        before = await self._listing(place, wanted.folder)
        while self._clock.now() < self._end:
            await self._clock.sleep(min(poll, max(0.0, self._end - self._clock.now())))
            now = await self._next_listing(place, wanted.folder, before)
            for one in wanted.between(place.container, before, now):
                self._fire(self._fired(self._clock.now(), body=one.body))
            before = now

    async def _next_listing(self, place: Place, folder: str, before: Listing) -> Listing:
        """What is there now, or the last that is known: one look that fails ends nothing that runs."""
        try:
            return await self._listing(place, folder)
        except AmlError as error:
            if (told := f"a look at {place.datastore} failed: {error}") not in self._watched.failures:
                self._watched.failures.append(told)
            return before

    async def _listing(self, place: Place, folder: str) -> Listing:
        self._watched.looks += 1
        found = await self._runner.workspace.objects(place.datastore, folder, recursive=True)
        return {one.name: one for one in found}

    async def _has_come(self, due: float) -> bool:
        """Wait for a time; False at once when it lies beyond the end."""
        if due > self._end:
            self._watched.next_due = datetime.fromtimestamp(due, UTC)
            return False
        await self._clock.sleep(max(0.0, due - self._clock.now()))
        return True

    def _fired(self, due: float, **said: Mapping[str, Any]) -> Fired:
        scheduled = datetime.fromtimestamp(due, UTC)
        return Fired(
            type=self._trigger.type, name=self._trigger.name, scheduled=scheduled, at=self._runner.now(), **said
        )

    def _fire(self, fired: Fired) -> None:
        for one in self._trigger.pipelines:
            self._group.create_task(self._run(one, fired))

    async def _run(self, started: TriggeredPipeline, fired: Fired) -> PipelineRun | None:
        async with self._turns[started.name]:
            try:
                parameters = resolve(dict(started.parameters), TriggerScope(fired, self._runner.now)) | self._given
                run = await self._runner.run(started.name, parameters, fired)
            except AmlError as error:
                self._watched.failures.append(f"{started.name}: {error}")
                return None
            self._watched.runs.append(run)
            return run
