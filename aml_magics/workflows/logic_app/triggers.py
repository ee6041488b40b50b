"""Triggers of a Logic App, run here for some time: each check is noted, and each fire starts a run.

A Recurrence fires at its times, at once when it has no start. The blob trigger looks at the direct children of its
folder at each interval; what is there at the first look is not news, unless it is told to be. It takes at most
``maxFileCount`` files at a look and the others at the next. When the time is over nothing new starts, and what runs is
waited for.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.triggers import Cron
from aml_magics.workflows.data_factory.definition import Trigger as ScheduleTrigger
from aml_magics.workflows.data_factory.trigger_types import schedule
from aml_magics.workflows.language import dates, evaluate
from aml_magics.workflows.logic_app.checks import is_blob_trigger
from aml_magics.workflows.logic_app.conditions import holds
from aml_magics.workflows.logic_app.definition import Trigger
from aml_magics.workflows.logic_app.records import Status, TriggerCheck, WorkflowRun
from aml_magics.workflows.logic_app.running import Runner
from aml_magics.workflows.logic_app.scope import TriggerScope
from aml_magics.workflows.places import Place, place_for
from aml_magics.workflows.workspace import one_error

__all__ = ["Options", "Watched", "folder_of", "run_triggers"]

Json = Any
_UNITS = {"Second": 1, "Minute": 60, "Hour": 3600, "Day": 86400, "Week": 604800, "Month": 2592000}
_FILES, _ENOUGH = 10, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How long the triggers may fire (seconds), and what is other than the definition says.

    ``interval`` (seconds) replaces that of the polls; ``existing``: what is there already is news; ``once``: stop after
    the first check that fired.
    """

    seconds: float
    interval: float | None = None
    existing: bool = False
    once: bool = False
    datastore: str = ""


@dataclass(slots=True)
class Watched:
    """What came of running the triggers, as it grows. ``places`` has for each blob trigger what it looked at."""

    runs: list[WorkflowRun] = field(default_factory=list)
    checks: list[TriggerCheck] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    next_due: datetime | None = None


async def run_triggers(runner: Runner, options: Options, watched: Watched | None = None) -> Watched:
    """Let all triggers fire, and wait for what they started. ``watched`` is filled as it goes.

    Raises ``InvalidInput`` for a place that cannot be watched, and what the first look at it raises.
    """
    watched = Watched() if watched is None else watched
    with one_error():
        async with asyncio.TaskGroup() as group:
            over = asyncio.Event()
            firing = [_Firing(runner, one, options, group, watched, over) for one in runner.workflow.triggers]
            for one in firing:
                await one.prepare()
            for one in firing:
                group.create_task(one.fire())
    return watched


def folder_of(trigger: Trigger, scope: TriggerScope) -> tuple[str, str]:
    """The container and the folder that a blob trigger watches, out of its folder id. Raises ``InvalidInput``."""
    written = (trigger.inputs.get("queries") or {}).get("folderId")
    id_ = evaluate(written, scope)
    path = trigger.metadata.get(id_) if isinstance(id_, str) else None
    if path is None:
        try:
            path = id_ if str(id_).startswith("/") else unquote(base64.b64decode(str(id_), validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            path = ""
    container, _, folder = str(path).strip("/").partition("/")
    if not container:
        message = f"trigger {trigger.name!r}: the folderId {written!r} names no container"
        raise InvalidInput(message, hint="It is base64 of %2fCONTAINER%2fFOLDER.")
    return container, folder


class _Firing:
    """One trigger while it fires."""

    def __init__(
        self,
        runner: Runner,
        trigger: Trigger,
        options: Options,
        group: asyncio.TaskGroup,
        watched: Watched,
        over: asyncio.Event,
    ) -> None:
        self._runner = runner
        self._trigger = trigger
        self._options = options
        self._group = group
        self._watched = watched
        self._over = over
        self._end = runner.clock.now() + options.seconds
        self._turns = asyncio.Semaphore(trigger.concurrency or _ENOUGH)
        self._known: dict[str, str] = {}
        self._waiting: dict[str, ObjectInfo] = {}
        self._place = Place("", "")
        self._folder = ""

    async def prepare(self) -> None:
        """Find the place of a blob trigger, and look at it for the first time."""
        if not is_blob_trigger(self._trigger):
            return
        container, self._folder = folder_of(self._trigger, self._scope({}))
        what, options = f"trigger {self._trigger.name!r}", self._options
        noted = self._runner.workflow.datastore
        self._place = await place_for(
            self._runner.workspace, container, what=what, wanted=options.datastore, noted=noted
        )
        self._watched.places[self._trigger.name] = "/".join(filter(None, (self._place.datastore, self._folder)))
        if not options.existing:
            self._known = {one.name: one.etag for one in await self._listing()}

    async def fire(self) -> None:
        if is_blob_trigger(self._trigger):
            await self._poll()
        else:
            await self._recur()

    async def _recur(self) -> None:
        begin = self._runner.now()
        if self._trigger.recurrence.get("startTime") is None and not self._trigger.recurrence.get("schedule"):
            self._check_times(begin)
        table = _recurrence(self._trigger).timetable(begin)
        due = table.next_after(begin.timestamp())
        while due is not None and not self._over.is_set():
            if due > self._end:
                self._watched.next_due = datetime.fromtimestamp(due, UTC)
                return
            await self._rest(due - self._runner.clock.now())
            if not self._over.is_set():
                self._check_times(datetime.fromtimestamp(due, UTC))
            due = table.next_after(due)

    def _check_times(self, due: datetime) -> None:
        self._decide([{"body": None, "scheduledTime": _stamp(due)}], "")

    async def _poll(self) -> None:
        interval = self._options.interval or _interval(self._trigger.recurrence)
        if self._options.existing:
            await self._look()
        while self._runner.clock.now() < self._end and not self._over.is_set():
            await self._rest(min(interval, self._end - self._runner.clock.now()))
            if not self._over.is_set():
                await self._look()

    async def _rest(self, seconds: float) -> None:
        """Sleep, unless another trigger ended it all."""
        sleeping = asyncio.ensure_future(self._runner.clock.sleep(max(0.0, seconds)))
        stopping = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()

    async def _look(self) -> None:
        try:
            found = await self._listing()
        except AmlError as error:
            self._note(Status.FAILED, 0, str(error))
            return
        changed = [one for one in found if self._known.get(one.name) != one.etag]
        self._known = {one.name: one.etag for one in found}
        self._waiting = {name: one for name, one in self._waiting.items() if name in self._known}
        self._waiting |= {one.name: one for one in changed}
        queries = self._trigger.inputs.get("queries") or {}
        most = int(queries.get("maxFileCount", _FILES))
        taken = [self._waiting.pop(name) for name in list(self._waiting)[:most]]
        if not taken:
            self._note(Status.SKIPPED, 0, "nothing was added or modified")
            return
        bodies = [_as_body(one, self._place) for one in taken]
        outputs = [{"body": one} for one in bodies] if self._trigger.split_on else [{"body": bodies}]
        self._decide(outputs, f"{len(self._waiting)} more at the next look" if self._waiting else "")

    def _decide(self, outputs: Sequence[Mapping[str, Json]], left: str) -> None:
        """Start a run for each of these that meets the conditions, and note the check."""
        reasons, started = [], 0
        for one in outputs:
            if reason := self._unmet(one):
                reasons.append(reason)
                continue
            started += 1
            self._group.create_task(self._run(one))
        if started and self._options.once:
            self._over.set()
        reason = "; ".join(filter(None, (*dict.fromkeys(reasons), left)))
        failed = any("cannot be asked" in each for each in reasons)
        status = Status.SUCCEEDED if started else Status.FAILED if failed else Status.SKIPPED
        self._note(status, started, reason)

    def _unmet(self, outputs: Mapping[str, Json]) -> str:
        scope = self._scope(outputs)
        for condition in self._trigger.conditions:
            try:
                if not holds(condition, scope):
                    return f"the condition {condition} did not hold"
            except AmlError as error:
                return f"the condition {condition} cannot be asked: {error}"
        return ""

    def _scope(self, outputs: Mapping[str, Json]) -> TriggerScope:
        return TriggerScope(self._trigger.name, outputs, self._runner.workflow.parameters, self._runner.now)

    async def _run(self, outputs: Mapping[str, Json]) -> None:
        async with self._turns:
            self._watched.runs.append(await self._runner.run(self._trigger.name, outputs))

    async def _listing(self) -> list[ObjectInfo]:
        return await self._runner.workspace.objects(self._place.datastore, self._folder)

    def _note(self, status: Status, runs: int, reason: str) -> None:
        check = TriggerCheck(trigger=self._trigger.name, at=self._runner.now(), status=status, runs=runs, reason=reason)
        self._watched.checks.append(check)


def _recurrence(trigger: Trigger) -> Recurrence | Cron:
    value = dict(trigger.recurrence)
    if value.get("frequency") == "Second":
        return Recurrence(frequency="Second", interval=int(value.get("interval", 1)))
    properties = {"recurrence": value}
    found, _end = schedule(
        ScheduleTrigger(name=trigger.name, type="ScheduleTrigger", properties=properties, pipelines=())
    )
    return found


def _interval(recurrence: Mapping[str, Json]) -> float:
    return float(_UNITS[recurrence["frequency"]] * recurrence["interval"])


def _as_body(info: ObjectInfo, place: Place) -> Json:
    """A blob as the connector tells it."""
    path, name = f"/{place.container}/{info.name}", info.name.rpartition("/")[2]
    id_ = base64.b64encode(path.replace("/", "%2f").encode()).decode()
    return {
        "Id": id_,
        "Name": name,
        "DisplayName": name,
        "Path": path,
        "LastModified": _stamp(datetime.fromtimestamp(info.modified, UTC)),
        "Size": info.size,
        "MediaType": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "IsFolder": False,
        "ETag": f'"{info.etag}"',
        "FileLocator": id_,
    }


def _stamp(at: datetime) -> str:
    return dates.stamp(at.astimezone(UTC))
