"""Time triggers as the recurrences of Logic Apps and of Data Factory.

Both take a frequency, an interval, a start and a schedule of hours, minutes and week days, at which a fire is the cross
product; Data Factory takes days of the month too. A cron is that cross product on all days or on week days. Months, and
day-of-month together with day-of-week, are beyond both, and refused.

* Hours are never given without minutes, nor the other way: each service has its own idea of what is missing.
* Zones travel under their Windows names. A start has no offset where a zone is named.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.words import SUNDAY_FIRST
from aml_magics.model.zones import to_windows, zone

if TYPE_CHECKING:
    from aml_magics.model.triggers import Cron
    from aml_magics.wire.casing import Json

__all__ = ["recurrence_of"]

_ALL_MONTHS = tuple(range(1, 13))
_ALL_DAYS = tuple(range(1, 32))
_SERVICES = {"logic-app": "A Logic App", "data-factory": "Data Factory"}


def recurrence_of(trigger: Recurrence | Cron, host: str, now: datetime, created: datetime | None = None) -> Json:
    """The ``recurrence`` of a trigger of ``host``: ``logic-app`` or ``data-factory``. ``now`` is aware.

    A recurrence without a start goes on from when its schedule was ``created``, which is its first fire; a new one
    begins when the Logic App is enabled, or with Data Factory, which wants a start, now. A cron always has a start:
    without one a Logic App fires at once when it is enabled, whatever its hours. InvalidInput for what the host cannot
    express, with what to do.
    """
    found = _recurrence(trigger, host) if isinstance(trigger, Recurrence) else _cron(trigger, host, now)
    zone_name = to_windows(trigger.time_zone)
    start = found.pop("startsAt", None) or trigger.start_time
    if start is None and created is not None and isinstance(trigger, Recurrence):
        start = _there(created, trigger.time_zone)
    if start is None and (host == "data-factory" or not isinstance(trigger, Recurrence)):
        start = _there(now, trigger.time_zone)
    if start is not None:
        found["startTime"] = f"{start:%Y-%m-%dT%H:%M:%S}{'Z' if zone_name == 'UTC' else ''}"
    found["timeZone"] = zone_name
    if "schedule" in found:
        found["schedule"] = found.pop("schedule")  # last, as the portal shows it
    return found


def _recurrence(trigger: Recurrence, host: str) -> Json:
    if trigger.frequency == "Second" and host == "data-factory":
        raise InvalidInput("Data Factory has no frequency: Second", hint="Take Minute, or export it as a logic-app.")
    found: Json = {"frequency": trigger.frequency, "interval": trigger.interval}
    schedule: Json = {}
    if trigger.hours or trigger.minutes:
        schedule = {"hours": list(trigger.hours or (0,)), "minutes": list(trigger.minutes or (0,))}
    if trigger.week_days:
        schedule["weekDays"] = list(trigger.week_days)
    return found | ({"schedule": schedule} if schedule else {})


def _cron(trigger: Cron, host: str, now: datetime) -> Json:
    fields = trigger.fields
    if fields.months != _ALL_MONTHS:
        raise _beyond(trigger, host, "has months", "Leave the month field *, and look at the date in the pipeline.")
    schedule: Json = {"hours": list(fields.hours), "minutes": list(fields.minutes)}
    every_day, every_week_day = fields.days == _ALL_DAYS, len(fields.weekdays) == len(SUNDAY_FIRST)
    if not every_day and not every_week_day:
        raise _beyond(trigger, host, "has days of the month and of the week", "Make two schedules of it.")
    if every_day:
        if every_week_day:
            return {"frequency": "Day", "interval": 1, "schedule": schedule}
        schedule["weekDays"] = [SUNDAY_FIRST[day] for day in fields.weekdays]
        return {"frequency": "Week", "interval": 1, "schedule": schedule}
    if host == "data-factory":
        return {"frequency": "Month", "interval": 1, "schedule": schedule | {"monthDays": list(fields.days)}}
    if len(fields.days) * len(fields.hours) * len(fields.minutes) > 1:
        hint = "Export it as data-factory, or make a schedule of each day and time."
        raise _beyond(trigger, host, "has several days of the month, or several times on one", hint)
    # A month's day and time are those of the start, and the first of them to come is a start.
    first = trigger.next_fires(now, 1)[0].at
    return {"frequency": "Month", "interval": 1, "startsAt": first.replace(tzinfo=None)}


def _there(instant: datetime, time_zone: str) -> datetime:
    """The wall clock of the zone at an instant, to the second."""
    return instant.astimezone(zone(time_zone)).replace(tzinfo=None, microsecond=0)


def _beyond(trigger: Cron, host: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{_SERVICES[host]} cannot express cron {trigger.expression!r}, which {what}", hint=hint)
