"""The outline of a timeline: everything that one drawing says, as plain values, and the words beside the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from aml_magics.model.resources import Run, RunStatus, Schedule
from aml_magics.model.words import listed
from aml_magics.notebook.timeline.axis import day_label
from aml_magics.notebook.timeline.drawing import timeline_svg
from aml_magics.notebook.timeline.rows import Collision, Row, collisions, rows_of
from aml_magics.notebook.timeline.texts import clock, cut

__all__ = ["Outline", "outline_of"]

_NAMED = 3  # collisions that are named; the rest is counted
_LONG = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a timeline is made of: its rows, the instants it spans, the minutes in which several schedules fire.

    ``left_out`` is the number of schedules, which fire later, for which there was no room; ``runs_from`` is set when
    older runs of the same time were not asked for.
    """

    now: datetime
    past: timedelta
    coming: timedelta
    rows: Sequence[Row]
    collisions: Sequence[Collision] = field(default_factory=tuple)
    left_out: int = 0
    runs_from: datetime | None = None

    @property
    def ran(self) -> str:
        """``3 Finished, 1 Failed``; the words of the service, in its order."""
        statuses = [run.status for row in self.rows for run in row.ran]
        counted = [(status, statuses.count(status)) for status in RunStatus]
        return ", ".join(f"{number:,} {status.value}" for status, number in counted if number)

    @property
    def waiting(self) -> str:
        """The schedules that no clock fires."""
        return listed([row.name for row in self.rows if row.waits_for])

    def together(self, zone: tzinfo) -> str:
        """In one sentence which schedules fire in the same minute; empty when none do."""
        found = [
            f"{_in_short(one.at.astimezone(zone))} {listed([cut(name, _LONG) for name in one.names])}"
            for one in self.collisions[:_NAMED]
        ]
        more = len(self.collisions) - len(found)
        return f"At once: {'; '.join(found)}{f'; and {more:,} more times' if more else ''}." if found else ""

    def notes(self, zone: tzinfo) -> list[str]:
        """What is not shown."""
        found = [f"{self.left_out:,} more schedules, which fire later, are left out."] if self.left_out else []
        if self.runs_from is not None:
            found.append(f"Of the runs, those since {clock(self.runs_from, zone)} are shown.")
        return found

    def svg(self, zone: tzinfo, *, width: int = 1000) -> str:
        """The drawing, at most ``width`` pixels wide."""
        return timeline_svg(self.rows, now=self.now, past=self.past, coming=self.coming, zone=zone, width=width)


def outline_of(
    schedules: Sequence[Schedule],
    runs: Sequence[Run],
    *,
    now: datetime,
    past: timedelta,
    coming: timedelta,
    limit: int,
) -> Outline:
    """What ran in ``past`` and fires in ``coming``. ``limit`` is how many runs, the newest, were asked for."""
    rows, left_out = rows_of(schedules, runs, now=now, past=past, coming=coming)
    oldest = min((run.created for run in runs if run.created), default=now)
    return Outline(
        now=now,
        past=past,
        coming=coming,
        rows=rows,
        collisions=collisions(rows),
        left_out=left_out,
        runs_from=oldest if len(runs) >= limit and oldest > now - past else None,
    )


def _in_short(at: datetime) -> str:
    """``Sat 28 Nov 06:00``."""
    return f"{day_label(at)} {at:%H:%M}"
