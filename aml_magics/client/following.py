"""The logs of a run: all that was written so far, or piece by piece while it is written.

The workspace gives the whole log of a step each time, or the end of a very long one. What was given on already is
remembered by its length and its last characters, and a step that has ended is not asked for again. A character whose
last bytes have not been written yet is held back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.model.errors import NotFound, did_you_mean
from aml_magics.model.resources import StepStatus

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.model.resources import Run, Step

__all__ = ["Follower", "read_logs"]

_SILENT = (StepStatus.NOT_STARTED, StepStatus.QUEUED, StepStatus.BYPASSED)  # no process, no log
_REMEMBERED = 1_000  # characters
_HALF = "\ufffd"  # what a cut character decodes to


async def read_logs(client: WorkspaceClient, run: Run, wanted: str | None) -> str:
    """The log of one step, or of all that have begun. Raises ``NotFound`` for a step that is not there."""
    follower = Follower(client, run, wanted)
    await follower.check()
    return await follower.look()


class Follower:
    """Where one reader of one run's logs is. ``wanted`` is the name or the id of a step, ``None`` means all of them."""

    def __init__(self, client: WorkspaceClient, run: Run, wanted: str | None) -> None:
        self._client = client
        self._run = run
        self._wanted = wanted
        self._given: dict[str, tuple[int, str]] = {}
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
        # Asked first: what a run wrote before it ended is all there when its end is seen.
        run = await self._client.run(self._run.id)
        steps = await self._client.steps(run)
        headed = len(steps) > 1 and self._wanted is None
        pieces = []
        for step in steps:
            if not self._is_wanted(step) or step.status in _SILENT or step.id in self._finished:
                continue
            new = await self._new_text(step, is_over=run.status.is_final or step.status.is_final)
            if new and headed:
                new = new if new.endswith("\n") else f"{new}\n"
                new = new if self._heading == step.id else f"--- {step.name} ---\n{new}"
                self._heading = step.id
            pieces.append(new)
        self.has_ended = run.status.is_final
        return "".join(pieces)

    async def _new_text(self, step: Step, *, is_over: bool) -> str:
        text = await self._client.step_log(self._run.id, step.id)
        if is_over:
            self._finished.add(step.id)
        else:
            text = text.rstrip(_HALF)
        length, end = self._given.get(step.id, (0, ""))
        self._given[step.id] = (len(text), text[-_REMEMBERED:])
        if text[:length].endswith(end):
            return text[length:]
        # A log too long for one answer comes as its end, which moves on: go on after what was given last.
        found = text.find(end)
        return text if found < 0 else text[found + len(end) :]

    def _is_wanted(self, step: Step) -> bool:
        return self._wanted is None or self._wanted in (step.name, step.id)
