"""``ScheduleForm``: what ``%aml schedule new`` gives. It asks, shows what would happen, and makes the schedule.

Handlers of inputs may run on the main thread, on a subshell's, or late, and an exception in one of them appears
nowhere. So a handler only notes that something has changed or hands work to the loop thread; whatever fails is told in
the form's own strip. The preview is worked out on the loop thread a moment after the last change, by the model alone:
the workspace is asked when the form opens, and when the button is pressed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from aml_magics.client.schedule_plan import Request, carry_out, make_plan
from aml_magics.model.errors import AmlError
from aml_magics.notebook.commands.schedule_request import request_from
from aml_magics.notebook.form.fields import values_of
from aml_magics.notebook.form.judge import Verdict, judge
from aml_magics.notebook.form.widgets import Choices, Inputs
from aml_magics.notebook.present import moment, printable

if TYPE_CHECKING:
    from aml_magics.client.schedule_plan import SchedulePlan
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.client.workspace import Workspace
    from aml_magics.model.resources import Schedule

__all__ = ["ScheduleForm", "Workings"]

_PAUSE = 0.25  # seconds without a change before the preview is worked out
_DID = {
    "create": "Made the schedule {name}.",
    "replace": "Replaced the schedule {name}.",
    "unchanged": "Nothing to do: {name} is there and the same.",
    "skip": "Kept {name} as it was.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workings:
    """What a form touches outside itself; tests put their own clock and sleep here."""

    now: Callable[[], datetime]
    zone: tzinfo
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    made: Callable[[Schedule], None] = lambda _schedule: None


class ScheduleForm:
    """``cell`` is the magic that does what the form would do, ``made`` the schedule that it made last.

    ``values`` are those of the cell's body. The form shows itself at the end of a cell.
    """

    def __init__(self, workspace: Workspace, choices: Choices, workings: Workings) -> None:
        self._workspace = workspace
        self._workings = workings
        self._lock = threading.Lock()
        self._turn = 0
        self._is_busy = False
        self.made: Schedule | None = None
        self.inputs = Inputs(choices, on_change=self._changed, on_create=self._pressed)
        self.verdict = judge(self.values, workings.now())
        self.inputs.show(self.verdict, self._lines(self.verdict))

    @property
    def values(self) -> dict[str, object]:
        return values_of(self.inputs.raw, self.inputs.trigger)

    @property
    def cell(self) -> str:
        return judge(self.values, self._workings.now()).cell

    def add_notes(self, notes: Iterable[str]) -> None:
        """Say something before anything is made."""
        self.inputs.say(" ".join(notes))

    def close(self) -> None:
        """Take the form away; the schedules that it made stay."""
        with self._lock:
            self._turn += 1
        self.inputs.close()

    def __repr__(self) -> str:
        return f"<A form for a schedule: {self.verdict.trigger or 'no trigger yet'}>"

    def _ipython_display_(self) -> None:
        self.inputs.display(self.verdict.cell)

    def _changed(self) -> None:
        """Work the preview out when nothing more has changed for a moment."""
        with self._lock:
            self._turn += 1
            turn = self._turn
        try:
            self._workspace.spawn(lambda _client: self._judge_soon(turn))
        except AmlError as error:  # the workspace is closed: the form still teaches
            self._judge()
            self.inputs.fail(str(error))

    async def _judge_soon(self, turn: int) -> None:
        await self._workings.sleep(_PAUSE)
        if turn == self._turn:
            self._judge()

    def _judge(self) -> None:
        self.verdict = judge(self.values, self._workings.now())
        self.inputs.show(self.verdict, self._lines(self.verdict))

    def _lines(self, verdict: Verdict) -> list[tuple[str, ...]]:
        """Each fire in the display zone, and on the schedule's own clock."""
        return [(moment(fire.at.astimezone(self._workings.zone)), moment(fire.at)) for fire in verdict.fires]

    def _pressed(self) -> None:
        """Hand the work over. A second press while the first is under way is none: nothing is made twice."""
        with self._lock:
            if self._is_busy:
                return
            self._is_busy = True
        self.inputs.pend("pending: making the schedule")
        try:
            values = self.values
            self._workspace.spawn(lambda client: self._create(client, values))
        except AmlError as error:
            self._settle(error)

    async def _create(self, client: WorkspaceClient, values: Mapping[str, object]) -> None:
        try:
            plan, made = await _carried_out(client, Request(**request_from({}, values).creation()))
        except asyncio.CancelledError:
            self._settle(AmlError("the workspace was closed meanwhile", hint="%aml schedule list says what is there."))
            raise
        except Exception as error:  # noqa: BLE001 - nobody else would ever see it
            self._settle(error)
        else:
            self.made = made
            self._settle(None, _DID[plan.action].format(name=printable(made.name)))
            self._workings.made(made)

    def _settle(self, error: Exception | None, said: str = "") -> None:
        with self._lock:
            self._is_busy = False
        with suppress(Exception):  # the form may be closed by now
            self.inputs.settle(said)
            if error is not None:
                self.inputs.fail(str(error) if isinstance(error, AmlError) else f"{type(error).__name__}: {error}")


async def _carried_out(client: WorkspaceClient, request: Request) -> tuple[SchedulePlan, Schedule]:
    plan = await make_plan(client, request)
    return plan, await carry_out(client, plan)
