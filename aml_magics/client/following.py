"""The logs of a run: all that was written so far, or piece by piece while it is written.

Each look asks for what comes after what was given already. A service that knows no parts, as Azure's, gives the whole
log each time, or the end of a very long one; there the place is found again by what was given last. A step that has
ended is not asked for again. A character whose last bytes have not been written yet is held back. One look that fails
is made up for by the next; nothing is lost and nothing given twice.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from aml_magics.model.errors import NotFound, ServiceError, did_you_mean
from aml_magics.model.resources import StepStatus

if TYPE_CHECKING:
    from aml_magics.client.ranges import Part
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.model.resources import Run, Step

__all__ = ["Follower", "read_logs"]

_SILENT = (StepStatus.NOT_STARTED, StepStatus.QUEUED, StepStatus.BYPASSED)  # no process, no log
_REMEMBERED = 1_000  # bytes


async def read_logs(client: WorkspaceClient, run: Run, wanted: str | None) -> str:
    """The log of one step, or of all that have begun. Raises ``NotFound`` for a step that is not there."""
    follower = Follower(client, run, wanted, patient=False)
    await follower.check()
    return await follower.look()


class _Place:
    """Where one reader is in the log of one step: ``given`` bytes were given, the last of them are ``end``."""

    def __init__(self) -> None:
        self.given = 0
        self._end = b""
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def new_text(self, part: Part, *, is_over: bool) -> str:
        """What is new in an answer; ``is_over`` when it is the last one."""
        new = self._after_given(part)
        self.given = part.begin + len(part.content)
        self._end = (self._end + new)[-_REMEMBERED:]
        return self._decoder.decode(new, final=is_over)

    def _after_given(self, part: Part) -> bytes:
        if part.begin or part.content[: self.given].endswith(self._end):
            return part.content[max(0, self.given - part.begin) :]
        # A log too long for one answer comes as its end, which moves on: go on after what was given last.
        found = part.content.find(self._end)
        return part.content if found < 0 else part.content[found + len(self._end) :]


class Follower:
    """Where one reader of one run's logs is. ``wanted`` is the name or the id of a step, ``None`` means all of them.

    A ``patient`` one lets the service fail once in a row.
    """

    def __init__(self, client: WorkspaceClient, run: Run, wanted: str | None, *, patient: bool = True) -> None:
        self._client = client
        self._run = run
        self._wanted = wanted
        self._is_patient = patient
        self._has_failed = False
        self._places: dict[str, _Place] = {}
        self._finished: set[str] = set()
        self._heading: str | None = None
        self.has_ended = False

    async def check(self) -> None:
        """Raises ``NotFound`` with the nearest name when the step is not there."""
        if self._wanted is not None:
            steps = await self._client.steps(self._run)
            if not any(self._is_wanted(step) for step in steps):
                message = f"the run {self._run.id} has no step {self._wanted!r}"
                raise NotFound(message, hint=did_you_mean(self._wanted, [step.name for step in steps]))

    async def look(self) -> str:
        """What is new since the last look. ``has_ended`` says that there will be no more."""
        pieces: list[str] = []
        try:
            await self._gather(pieces)
        except ServiceError:
            if self._has_failed or not self._is_patient:
                raise
            self._has_failed = True
        else:
            self._has_failed = False
        return "".join(pieces)

    async def _gather(self, pieces: list[str]) -> None:
        # Asked first: what a run wrote before it ended is all there when its end is seen.
        run = await self._client.run(self._run.id)
        steps = await self._client.steps(run)
        for step in steps:
            if not self._is_wanted(step) or step.status in _SILENT or step.id in self._finished:
                continue
            new = await self._new_text(step, is_over=run.status.is_final or step.status.is_final)
            pieces.append(self._headed(step, new) if new and len(steps) > 1 and self._wanted is None else new)
        self.has_ended = run.status.is_final

    def _headed(self, step: Step, new: str) -> str:
        """With the name of the step above it where another one spoke last."""
        new = new if new.endswith("\n") else f"{new}\n"
        is_same, self._heading = self._heading == step.id, step.id
        return new if is_same else f"--- {step.name} ---\n{new}"

    async def _new_text(self, step: Step, *, is_over: bool) -> str:
        place = self._places.setdefault(step.id, _Place())
        # From the last byte that is there: what begins after the end of a text is no part of it.
        part = await self._client.step_log(self._run.id, step.id, since=max(0, place.given - 1))
        if is_over:
            self._finished.add(step.id)
        return place.new_text(part, is_over=is_over)

    def _is_wanted(self, step: Step) -> bool:
        return self._wanted is None or self._wanted in (step.name, step.id)
