"""When a Recurrence trigger fires, as Azure documents it: at once, unless it has a startTime."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from aml_magics.model.cron import Cron
from aml_magics.model.errors import InvalidInput
from aml_magics.model.recurrence import Recurrence
from aml_magics.workflows.data_factory import definition as of_factory
from aml_magics.workflows.data_factory.trigger_types import schedule
from aml_magics.workflows.logic_app.definition import Trigger

__all__ = ["due_times", "interval_of", "recurrence_of"]

_UNITS = {"Second": 1, "Minute": 60, "Hour": 3_600, "Day": 86_400, "Week": 604_800, "Month": 2_592_000}


def recurrence_of(trigger: Trigger) -> tuple[Recurrence | Cron, datetime | None]:
    """The times, and when they end. Raises ``InvalidInput`` for a recurrence that does not run here."""
    written = trigger.recurrence
    if written.get("frequency") == "Second" and not (set(written) - {"frequency", "interval"}):
        return Recurrence(frequency="Second", interval=written["interval"]), None
    if "count" in written:
        raise InvalidInput(f"trigger {trigger.name!r}: count does not run here", hint="Use endTime, or --for.")
    # The recurrence of a Data Factory's schedule is the same object, read the same way.
    same = of_factory.Trigger(name=trigger.name, type=trigger.type, properties={"recurrence": written}, pipelines=())
    return schedule(same)


def interval_of(trigger: Trigger) -> float:
    """Seconds between two checks of a trigger that polls. Raises ``InvalidInput``."""
    frequency = trigger.recurrence["frequency"]
    if frequency not in _UNITS:
        raise InvalidInput(f"trigger {trigger.name!r}: no poll runs here every {frequency}", hint="Use --interval.")
    return float(_UNITS[frequency] * trigger.recurrence["interval"])


def due_times(trigger: Trigger, begin: datetime, every: float | None) -> Iterator[float]:
    """POSIX seconds of each fire from ``begin`` on; ``every`` so many seconds in place of its own times."""
    if every is not None:
        number = 0
        while True:
            yield (begin + timedelta(seconds=every * number)).timestamp()
            number += 1
    recurrence, end = recurrence_of(trigger)
    if recurrence.start_time is None:
        yield begin.timestamp()
    table = recurrence.timetable(begin)
    due = table.next_after(begin.timestamp())
    while due is not None and (end is None or datetime.fromtimestamp(due, UTC) <= end):
        yield due
        due = table.next_after(due)
