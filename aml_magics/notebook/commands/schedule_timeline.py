"""``%aml schedule timeline``: what ran and what will fire, over all schedules, in one picture and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput
from aml_magics.model.words import listed
from aml_magics.notebook.frames import Columns, build
from aml_magics.notebook.present import escape
from aml_magics.notebook.timeline import Collision, Row, as_image, outline_of
from aml_magics.notebook.views import View

if TYPE_CHECKING:
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["TimelineView", "timeline"]

_HOURS = 24
_LONGEST = timedelta(days=31)
_MOST_RUNS = 2000
_SHOWN = 10  # rows of a table below the picture
_MOST_FIRES = 500  # in the table of fires; the picture has all
_FIRES: Columns = {"fire": "instant", "schedule": "string", "trigger": "string"}
_COLLISIONS: Columns = {"minute": "instant", "count": "Int64", "schedules": "string"}


class TimelineView(View):
    """A View with the picture above its tables. ``svg`` is the drawing itself."""

    svg: str = ""
    alt: str = ""

    def _repr_html_(self) -> str:
        title = f"<p><strong>{escape(self.title)}</strong></p>"
        return title + as_image(self.svg, self.alt) + super()._repr_html_().removeprefix(title)


def timeline(call: Call) -> TimelineView:
    """What ran and what fires, as far back as ahead."""
    span, words = _span(call)
    workspace, now = call.workspace, call.now()
    with call.progress("Looking at schedules and runs"):
        schedules = workspace.schedules.list(active_only=False)
        runs = workspace.runs.list(limit=_MOST_RUNS)
    call.remember("schedule", [one.name for one in schedules], all_of_them=True)
    outline = outline_of(schedules, runs, now=now, past=span, coming=span, limit=_MOST_RUNS)
    view = TimelineView(
        f"Timeline of the last and the next {words}",
        value=outline,
        fields=[("ran", outline.ran), ("waiting for a change", outline.waiting)],
        sections={"next_fires": _fires(call, outline.rows), "collisions": _collisions(call, outline.collisions)},
        notes=outline.notes(call.zone),
    )
    view.svg = outline.svg(call.zone)
    view.alt = f"{view.title}: {', '.join(text for _, text in view.fields) or 'nothing'}; the fires are listed below."
    return view


def _span(call: Call) -> tuple[timedelta, str]:
    hours, days = call.get("hours"), call.get("days")
    if hours and days:
        raise InvalidInput("--hours and --days are two lengths of one timeline", hint="Give one of them.")
    number, unit = (days, "day") if days else (hours or _HOURS, "hour")
    if number > _LONGEST.days * (1 if days else 24):
        message = f"--{unit}s {number:,} is more than a timeline can show"
        raise InvalidInput(message, hint=f"It takes at most {_LONGEST.days} days.")
    return timedelta(**{f"{unit}s": number}), unit if number == 1 else f"{number} {unit}s"


def _fires(call: Call, rows: Sequence[Row]) -> Table:
    coming = islice(merge(*([(minute, row.name, row.trigger) for minute in row.minutes] for row in rows)), _MOST_FIRES)
    found = [{"fire": _at(minute), "schedule": name, "trigger": trigger} for minute, name, trigger in coming]
    more = sum(len(row.minutes) for row in rows) - len(found)
    notes = [f"{more:,} more fires come after these."] if more else []
    return _table(call, _FIRES, found, "Next fires, to the minute", "no fires in this time", notes)


def _collisions(call: Call, shared: Sequence[Collision]) -> Table:
    rows = [{"minute": one.at, "count": len(one.names), "schedules": listed(one.names)} for one in shared]
    caption = "Minutes in which several schedules fire"
    return _table(call, _COLLISIONS, rows, caption, "no two schedules fire in the same minute")


def _table(
    call: Call, columns: Columns, rows: Sequence[dict[str, object]], caption: str, empty: str, notes: Iterable[str] = ()
) -> Table:
    limit = min(call.limit or _SHOWN, _SHOWN)
    return build(columns, rows, zone=call.zone, caption=caption, notes=notes, limit=limit, empty=empty)


def _at(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
