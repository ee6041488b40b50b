"""How each panel's frame looks: which columns, in which words and pictures, with which buttons.

Widths are such that what people look for first fits into a notebook of 1,000 pixels; the rest is a scroll away.
Instants are short, in the viewer's zone, which the footer names; on hover they are whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aml_magics.model.resources import RunStatus, Status, StepStatus
from aml_magics.notebook.present import moment
from aml_magics.notebook.widgets.cells import Action, Cell, Column, Icon, is_missing

__all__ = [
    "CANCEL",
    "DATASTORES",
    "DISABLE",
    "ENABLE",
    "OVERVIEW",
    "PIPELINES",
    "RUNS",
    "SCHEDULES",
    "duration",
    "run_named",
]

_SHORT_ID = 8
_STEP_ICONS: Mapping[str, Icon] = {
    StepStatus.FINISHED: "ok",
    StepStatus.FAILED: "bad",
    StepStatus.RUNNING: "run",
    StepStatus.NOT_STARTED: "wait",
    StepStatus.QUEUED: "wait",
    StepStatus.CANCELED: "off",
    StepStatus.BYPASSED: "off",
}
_OUTCOME_ICONS: Mapping[str, Icon] = {
    "Finished": "ok",
    "Failed": "bad",
    "Running": "run",
    "NotStarted": "wait",
    "Canceled": "off",
    "Missed": "warn",
    "Refused": "bad",
}


def duration(seconds: float) -> str:
    """``4.2 s``, ``3 min 05 s``, ``2 h 03 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _minute(at: datetime) -> Cell:
    return Cell(f"{at:%Y-%m-%d %H:%M}", hint=moment(at))


def _second(at: datetime) -> Cell:
    return Cell(f"{at:%Y-%m-%d %H:%M:%S}", hint=moment(at))


def _on_its_clock(text: str) -> str:
    """``2026-11-23 06:30:00-08:00 Pacific Standard Time`` in short: the zone says the offset."""
    day, clock, *zone = text.split(" ", 2)
    return " ".join([day, clock[:5], *zone])


def _outcome(word: str) -> Cell:
    return Cell(word, icon=_OUTCOME_ICONS.get(word, ""))


def _past(marks: Sequence[float | None]) -> str | Cell:
    """A bar for each of the last runs; in words how many went which way."""
    bad = sum(mark is not None and mark < 0 for mark in marks)
    good = sum(mark is not None and mark > 0 for mark in marks)
    if not marks:
        return ""
    return Cell(f"{good} of {len(marks)} finished" + (f", {bad} failed" if bad else ""), spark=tuple(marks))


def _steps(line: Sequence[tuple[str, str, float, float]]) -> Cell:
    """A bar for each step, from left to right as the run went; in words how many are where."""
    counts = Counter(status for _name, status, _start, _length in line)
    bars = tuple(
        (start, length, _STEP_ICONS.get(status, ""))
        for _name, status, start, length in line
        if status not in (StepStatus.NOT_STARTED, StepStatus.QUEUED, StepStatus.BYPASSED)
    )
    words = ", ".join(f"{number} {status}" for status, number in counts.items())
    hint = ", ".join(f"{name}: {status}" for name, status, _start, _length in line)
    return Cell(words, hint=hint, bars=bars)


def _has(status: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda row: row["status"] == status


def run_named(row: Mapping[str, Any]) -> str:
    """``train, run 3f9c01ab``."""
    run = f"run {row['id'][:_SHORT_ID]}"
    return run if is_missing(row["pipeline"]) else f"{row['pipeline']}, {run}"


DISABLE = Action("disable", "Disable", when=_has(Status.ACTIVE))
ENABLE = Action("enable", "Enable", when=_has(Status.DISABLED))
_FINAL = [status for status in RunStatus if status.is_final]
CANCEL = Action("cancel", "Cancel", when=lambda row: row["status"] not in _FINAL)

PIPELINES = (
    Column("name", width=14, grow=2, hint="description"),
    Column("status", kind="status", width=10),
    Column("last_run", kind="time", width=17, show=_minute),
    Column("last_result", "Result", kind="status", width=10),
    Column("recent_runs", "Last runs", kind="drawing", width=12, show=_past),
    Column("schedules", width=12, grow=2, hint="schedules"),
    Column("parameters", width=14, grow=2, hint="parameters"),
    Column("version", width=7),
    Column("steps", kind="number", width=5),
    Column("id", "Id", width=8),
)
SCHEDULES = (
    Column("name", width=14, grow=2, hint="description"),
    Column("status", kind="status", width=10),
    Column("next_fire", kind="time", width=17, show=_minute),
    Column("trigger", width=17, grow=2, hint="trigger"),
    Column("outcome", "Last outcome", kind="status", width=11, show=_outcome, hint="why"),
    Column("last_fire", kind="time", width=17, show=_minute),
    Column("pipeline", width=8, grow=1),
    Column("next_fire_in_zone", "Next on its clock", width=18, grow=2, show=_on_its_clock, hint="next_fire_in_zone"),
    Column("host", width=7),
)
RUNS = (
    Column("status", kind="status", width=10, hint="detail"),
    Column("pipeline", width=10, grow=1),
    Column("started", kind="time", width=20, show=_second),
    Column("seconds", "Took", kind="number", width=10, show=duration),
    Column("schedule", width=10, grow=1),
    Column("steps", kind="drawing", width=12, show=_steps),
    Column("data_path", width=14, grow=2, hint="data_path"),
    Column("id", "Id", width=8),
)
DATASTORES = (
    Column("name", width=16, grow=1),
    Column("type", width=10),
    Column("watched_by", width=14, grow=2, hint="watched_by"),
    Column("trouble", width=14, grow=2, hint="trouble"),
    Column("default", width=7),
    Column("place", width=20, grow=2, hint="place"),
)
OVERVIEW = (
    Column("what", width=12, show=str.capitalize),
    Column("there", width=17),
    Column("last", kind="time", width=17, show=_minute),
    Column("next", kind="time", width=17, show=_minute),
    Column("now", width=28, grow=3, hint="now"),
)
