"""What definitions of Logic Apps and Data Factory pipelines say, as far as it can be told: what they start, when."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["ml_address", "ml_run_id", "recurrence_in_words", "started_id", "starts_in"]

_ADDRESS = re.compile(r"/Pipeline(?:Endpoint)?Submit/|\.inference\.ml\.azure\.[a-z]+/jobs", re.IGNORECASE)
_IDS = ("mlPipelineId", "mlPipelineEndpointId")
_RUN_IDS = ("Id", "id", "RunId", "runId", "mlRunId")
_UNITS = ("second", "minute", "hour", "day", "week", "month", "year")


def ml_address(uri: object) -> bool:
    """Whether something of a workspace is started there: a published pipeline, a pipeline endpoint, a batch job."""
    return isinstance(uri, str) and _ADDRESS.search(uri) is not None


def starts_in(definition: object) -> Iterator[str]:
    """The addresses and ids of what is started, anywhere in a definition."""
    if isinstance(definition, Mapping):
        for name, value in definition.items():
            if name in ("uri", "url") and ml_address(value):
                yield str(value)
            elif name in _IDS and isinstance(value, str):
                yield value
            else:
                yield from starts_in(value)
    elif isinstance(definition, list):
        for one in definition:
            yield from starts_in(one)


def started_id(start: str) -> str:
    """What an address or an id starts: the id of a pipeline or of a pipeline endpoint, the host of a batch endpoint."""
    if start.endswith("/jobs"):
        return start.partition("://")[2].partition("/")[0]
    return start.partition("?")[0].rpartition("/")[2]


def ml_run_id(answer: object) -> str:
    """The id of the run that a submission answered with; empty when it does not say."""
    if not isinstance(answer, Mapping):
        return ""
    return next((str(answer[name]) for name in _RUN_IDS if isinstance(answer.get(name), str)), "")


def recurrence_in_words(recurrence: Mapping[str, Any]) -> str:
    """``every 5 minutes``, ``every day at 06:30 (Romance Standard Time)``."""
    unit, count = str(recurrence.get("frequency", "")).lower(), recurrence.get("interval", 1)
    if unit not in _UNITS:
        return ""
    text = f"every {unit}" if count == 1 else f"every {count} {unit}s"
    schedule = recurrence.get("schedule")
    if isinstance(schedule, Mapping):
        text += _at(schedule)
    zone = recurrence.get("timeZone")
    return f"{text} ({zone})" if zone and zone != "UTC" else text


def _at(schedule: Mapping[str, Any]) -> str:
    days = ", ".join(str(day) for day in schedule.get("weekDays") or schedule.get("monthDays") or ())
    hours, minutes = schedule.get("hours") or (), schedule.get("minutes") or (0,)
    times = ", ".join(f"{int(hour):02}:{int(minute):02}" for hour in hours for minute in minutes)
    return (f" on {days}" if days else "") + (f" at {times}" if times else "")
