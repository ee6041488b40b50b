"""What the triggers of Data Factory say, read into values: a recurrence, tumbling windows, events of blobs.

What a trigger of Azure can do and nothing here does is refused by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.cron import Cron
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.zones import zone
from aml_magics.wire.casing import Body
from aml_magics.workflows.data_factory.definition import Trigger
from aml_magics.workflows.data_factory.values import seconds_of

__all__ = ["BlobEvents", "Events", "TumblingWindows", "Windowed", "blob_events", "schedule", "tumbling_windows"]

CREATED, DELETED = "Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"
_RECURRENCE = ("frequency", "interval", "startTime", "endTime", "timeZone", "schedule")
_WINDOWS = ("frequency", "interval", "startTime", "endTime", "delay", "maxConcurrency", "retryPolicy")
_BLOBS = ("scope", "events", "blobPathBeginsWith", "blobPathEndsWith", "ignoreEmptyBlobs")
_MOST_WINDOWS_AT_ONCE = 50

Listing = Mapping[str, ObjectInfo]


def schedule(trigger: Trigger) -> tuple[Recurrence | Cron, datetime | None]:
    """When a ScheduleTrigger fires, and when it ends. Raises ``InvalidInput``."""
    _only(Body(trigger.properties, _at(trigger)), ("recurrence",))
    body = _part(Body(trigger.properties, _at(trigger)), "recurrence")
    _only(body, _RECURRENCE)
    where = zone(body.text("timeZone", "UTC"))
    start = _moment(body, "startTime", where)
    common: dict[str, Any] = {
        "start_time": start.replace(tzinfo=None) if start else None,
        "time_zone": body.text("timeZone", "UTC"),
    }
    frequency = _frequency(body, ("Minute", "Hour", "Day", "Week", "Month"))
    interval = body.integer("interval") or 1
    times: dict[str, Any] = _times(body, frequency, start)
    end = _moment(body, "endTime", where)
    if frequency == "Month" and times:
        return _monthly(body, interval, times, common), end
    return Recurrence(frequency=frequency, interval=interval, **common, **times), end


def _times(body: Body, frequency: str, start: datetime | None) -> dict[str, tuple[Any, ...]]:
    """Hours and minutes that are not said are those of the start, as Data Factory has it."""
    found = body.body("schedule")
    if found is None:
        return {}
    known = {"hours": "hours", "minutes": "minutes"}
    known |= {"Week": {"weekDays": "week_days"}, "Month": {"monthDays": "days"}}.get(frequency, {})
    _only(found, tuple(known))
    times = {word: tuple(found.values(name)) for name, word in known.items()}
    if not any(times.values()):
        return {}
    if start is not None:
        times["hours"] = times["hours"] or (start.hour,)
        times["minutes"] = times["minutes"] or (start.minute,)
    return times


def _monthly(body: Body, interval: int, times: Mapping[str, tuple[Any, ...]], common: Mapping[str, Any]) -> Cron:
    """Days of each month are what a cron says; it knows no other months than all."""
    start = common["start_time"]
    days = times["days"] or ((start.day,) if start else ())
    if interval != 1 or not days:
        message = f"{body.what}: times of a month run here every month, on days that are named"
        raise InvalidInput(message, hint="Write interval: 1 and monthDays.")
    fields = (",".join(map(str, one)) for one in (times["minutes"] or (0,), times["hours"] or (0,), days))
    return Cron(expression=f"{' '.join(fields)} * *", **common)


@dataclass(frozen=True, slots=True)
class Windowed:
    """One window: it ends where the next begins, and is ready at ``due``."""

    start: datetime
    end: datetime
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TumblingWindows:
    """Windows without gaps from ``start`` on. Those of the past are caught up with, the oldest first."""

    frequency: str
    interval: int
    start: datetime
    end: datetime | None
    delay: timedelta
    at_once: int
    retries: int
    retry_interval: float

    def windows(self) -> Iterator[Windowed]:
        """All of them, in order; without an end they never stop."""
        count, begin = 0, self.start
        while True:
            count += 1
            end = self._border(count)
            if self.end is not None and end > self.end:
                return
            yield Windowed(begin, end, end + self.delay)
            begin = end

    def _border(self, count: int) -> datetime:
        number = count * self.interval
        if self.frequency != "Month":
            return self.start + timedelta(**{f"{self.frequency.lower()}s": number})
        years, month = divmod(self.start.month - 1 + number, 12)
        return self.start.replace(year=self.start.year + years, month=month + 1)


def tumbling_windows(trigger: Trigger) -> TumblingWindows:
    """Raises ``InvalidInput``."""
    body = Body(trigger.properties, _at(trigger))
    _only(body, _WINDOWS)
    start = _moment(body, "startTime", UTC)
    if start is None:
        raise InvalidInput(f"{body.what} has no startTime", hint="Write one such as 2026-12-01T00:00:00Z.")
    frequency = _frequency(body, ("Minute", "Hour", "Month"))
    if frequency == "Month" and start.day > 28:
        raise InvalidInput(f"{body.what} starts on day {start.day}, which not every month has", hint="Take 1 to 28.")
    at_once = body.integer("maxConcurrency") or 1
    if not 1 <= at_once <= _MOST_WINDOWS_AT_ONCE:
        raise InvalidInput(
            f"{body.what}: maxConcurrency {at_once} is out of range", hint=f"It takes 1 to {_MOST_WINDOWS_AT_ONCE}."
        )
    again = body.body("retryPolicy") or Body({})
    return TumblingWindows(
        frequency=frequency,
        interval=_positive(body, "interval"),
        start=start,
        end=_moment(body, "endTime", UTC),
        delay=timedelta(seconds=seconds_of("delay", body.text("delay", "00:00:00"))),
        at_once=at_once,
        retries=again.integer("count") or 0,
        retry_interval=float(again.integer("intervalInSeconds") or 30),
    )


@dataclass(frozen=True, slots=True)
class Events:
    """What happened to one blob. ``body`` is what ``triggerBody()`` says then."""

    event: str
    name: str
    body: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobEvents:
    """Events of blobs whose path, ``/container/blobs/name``, begins and ends as it says. Sub-folders are seen."""

    events: tuple[str, ...]
    begins: str
    ends: str
    ignore_empty: bool

    @property
    def container(self) -> str:
        """The container that it watches; empty when it does not say its whole name."""
        name, slash, _ = self.begins.lstrip("/").partition("/")
        return name if slash else ""

    @property
    def folder(self) -> str:
        """The folder in the container under which everything lies that can match."""
        return self.begins.partition("/blobs/")[2].rpartition("/")[0]

    def between(self, container: str, before: Listing, now: Listing) -> list[Events]:
        """What happened between two listings, in the order of names. An overwritten blob is created again."""
        written = [one for name, one in now.items() if name not in before or before[name].etag != one.etag]
        found = [(CREATED, one.name) for one in written if one.size or not self.ignore_empty]
        found += [(DELETED, name) for name in before if name not in now]
        return [
            Events(event, name, _body(container, name))
            for event, name in sorted(found, key=lambda one: one[1])
            if event in self.events and self._matches(f"/{container}/blobs/{name}")
        ]

    def _matches(self, path: str) -> bool:
        return path.startswith(self.begins) and path.endswith(self.ends)


def _body(container: str, name: str) -> dict[str, str]:
    folder, _, file = name.rpartition("/")
    return {"folderPath": "/".join(filter(None, (container, folder))), "fileName": file}


def blob_events(trigger: Trigger) -> BlobEvents:
    """Raises ``InvalidInput``, also for a path that could never match."""
    body = Body(trigger.properties, _at(trigger))
    _only(body, _BLOBS)
    events = tuple(str(one) for one in body.values("events"))
    for one in events or ("",):
        if one not in (CREATED, DELETED):
            raise InvalidInput(f"{body.what}: {one!r} is no event of blobs", hint=did_you_mean(one, (CREATED, DELETED)))
    begins, ends = body.text("blobPathBeginsWith"), body.text("blobPathEndsWith")
    if not (begins or ends):
        raise InvalidInput(f"{body.what} says neither how paths begin nor how they end", hint="Data Factory needs one.")
    rest = begins.lstrip("/").partition("/")[2]
    if begins and not (begins.startswith("/") and (rest.startswith("blobs/") or "blobs/".startswith(rest))):
        message = f"{body.what}: no blob's path begins with {begins!r}"
        raise InvalidInput(message, hint="Write /CONTAINER/blobs/FOLDER/.")
    return BlobEvents(events=events, begins=begins, ends=ends, ignore_empty=bool(body.boolean("ignoreEmptyBlobs")))


def _at(trigger: Trigger) -> str:
    return f"trigger {trigger.name!r}"


def _part(body: Body, name: str) -> Body:
    found = body.body(name)
    if found is None:
        raise InvalidInput(f"{body.what} has no {name}", hint="Add it to its typeProperties.")
    return found


def _only(body: Body, known: tuple[str, ...]) -> None:
    for name in body.names():
        if name not in known:
            message = f"{body.what}: {name!r} is nothing that runs here"
            raise InvalidInput(message, hint=did_you_mean(name, known))


def _frequency(body: Body, known: tuple[str, ...]) -> str:
    word = body.text("frequency")
    if word not in known:
        raise InvalidInput(f"{body.what}: frequency {word!r} does not run here", hint=did_you_mean(word, known))
    return word


def _positive(body: Body, name: str) -> int:
    number = body.integer(name)
    if number is None or number < 1:
        raise InvalidInput(f"{body.what}: {name} {number} is no number of at least 1", hint="Write for example 15.")
    return number


def _moment(body: Body, name: str, where: tzinfo) -> datetime | None:
    """An instant; without an offset it is the clock of that zone."""
    text = body.text(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"{body.what}: {name} {text!r} is no date and time"
        raise InvalidInput(message, hint="Write one such as 2026-12-01T00:00:00Z.") from None
    return at.replace(tzinfo=where) if at.tzinfo is None else at.astimezone(where)
