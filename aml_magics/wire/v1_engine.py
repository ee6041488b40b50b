"""What v1 has no words for: fires, polls, history and health, as ``camelCase`` JSON of our own routes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aml_magics.model.history import Health, History
from aml_magics.model.outlook import Outlook
from aml_magics.model.resources import Fire, Outcome, Poll
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.moments import instant_from, instant_to

__all__ = [
    "fire_from",
    "fire_to",
    "health_from",
    "health_to",
    "history_from",
    "history_to",
    "outlook_from",
    "outlook_to",
    "poll_from",
    "poll_to",
]

_UNKNOWN = datetime.fromtimestamp(0, UTC)
_COUNTS = (
    *("submitted", "missed", "refused"),
    *("looks", "added", "modified", "removed", "matched", "failed", "carried"),
)


def fire_to(fire: Fire) -> Json:
    """A fire of a schedule's history."""
    return {
        "key": fire.key,
        "scheduleId": fire.schedule_id,
        "reason": fire.reason,
        "decided": instant_to(fire.decided),
        "due": instant_to(fire.due),
        "objects": list(fire.objects),
        "outcome": fire.outcome.value,
        "runId": fire.run_id,
        "detail": fire.detail,
    }


def fire_from(answer: Mapping[str, Any]) -> Fire:
    """A fire as ``fire_to`` wrote it."""
    body = Body(answer, "fire")
    return Fire(
        key=body.text("key"),
        schedule_id=body.text("scheduleId"),
        reason=body.text("reason"),
        decided=instant_from(body.optional_text("decided")) or _UNKNOWN,
        due=instant_from(body.optional_text("due")),
        objects=tuple(map(str, body.values("objects"))),
        outcome=Outcome(body.text("outcome", Outcome.SUBMITTED.value)),
        run_id=body.optional_text("runId"),
        detail=body.text("detail"),
    )


def poll_to(poll: Poll) -> Json:
    """Microseconds are whole numbers, so that a duration survives the way there and back."""
    return {
        "at": instant_to(poll.at),
        "tookMicroseconds": poll.took // timedelta(microseconds=1),
        "latenessMicroseconds": poll.lateness // timedelta(microseconds=1),
        "objects": poll.objects,
        "added": poll.added,
        "modified": poll.modified,
        "removed": poll.removed,
        "matched": poll.matched,
        "fired": poll.fired,
        "error": poll.error,
    }


def poll_from(answer: Mapping[str, Any]) -> Poll:
    """A poll as ``poll_to`` wrote it."""
    body = Body(answer, "poll")
    return Poll(
        at=instant_from(body.optional_text("at")) or _UNKNOWN,
        took=timedelta(microseconds=body.integer("tookMicroseconds") or 0),
        lateness=timedelta(microseconds=body.integer("latenessMicroseconds") or 0),
        objects=body.integer("objects") or 0,
        added=body.integer("added") or 0,
        modified=body.integer("modified") or 0,
        removed=body.integer("removed") or 0,
        matched=body.integer("matched") or 0,
        fired=body.integer("fired") or 0,
        error=body.text("error"),
    )


def history_to(history: History) -> Json:
    """A schedule's history; ``inWords`` is for people who read the JSON, in UTC."""
    return {
        "scheduleId": history.schedule_id,
        "inWords": history.in_words(),
        "active": history.active,
        "fires": [fire_to(fire) for fire in history.fires],
        "polls": [poll_to(poll) for poll in history.polls],
        **{name: getattr(history, name) for name in _COUNTS},
        "condition": history.condition,
        "waiting": list(history.waiting),
        "since": instant_to(history.since),
        "nextDue": instant_to(history.next_due),
    }


def history_from(answer: Mapping[str, Any]) -> History:
    """A history as ``history_to`` wrote it."""
    body = Body(answer, "history")
    counts = {name: body.integer(name) or 0 for name in _COUNTS}
    return History(
        schedule_id=body.text("scheduleId"),
        active=bool(body.boolean("active")),
        fires=tuple(map(fire_from, body.values("fires"))),
        polls=tuple(map(poll_from, body.values("polls"))),
        condition=body.text("condition"),
        waiting=tuple(map(str, body.values("waiting"))),
        since=instant_from(body.optional_text("since")),
        next_due=instant_from(body.optional_text("nextDue")),
        **counts,
    )


def outlook_to(outlook: Outlook) -> Json:
    """What the next look would do about one object, for one schedule."""
    return {
        "name": outlook.name,
        "change": outlook.change,
        "fires": outlook.fires,
        "why": outlook.why,
        "size": outlook.size,
        "modified": outlook.modified,
        "schedule": outlook.schedule,
    }


def outlook_from(answer: Mapping[str, Any]) -> Outlook:
    """An outlook as ``outlook_to`` wrote it."""
    body = Body(answer, "outlook")
    return Outlook(
        name=body.text("name"),
        change=body.text("change"),
        fires=bool(body.boolean("fires")),
        why=body.text("why"),
        size=body.integer("size") or 0,
        modified=body.number("modified"),
        schedule=body.text("schedule"),
    )


def health_to(health: Health) -> Json:
    """How an engine is."""
    return {
        "started": instant_to(health.started),
        "schedules": health.schedules,
        "locations": health.locations,
        "owners": health.owners,
        "latenessP50Ms": health.lateness_p50_ms,
        "latenessP99Ms": health.lateness_p99_ms,
        "lastLook": instant_to(health.last_look),
        "pollErrors": list(health.poll_errors),
        "wakeupErrors": list(health.wakeup_errors),
        "errors": list(health.errors),
    }


def health_from(answer: Mapping[str, Any]) -> Health:
    """Health as ``health_to`` wrote it."""
    body = Body(answer, "health")
    return Health(
        started=instant_from(body.optional_text("started")),
        schedules=body.integer("schedules") or 0,
        locations=body.integer("locations") or 0,
        owners=body.integer("owners") or 0,
        lateness_p50_ms=body.number("latenessP50Ms"),
        lateness_p99_ms=body.number("latenessP99Ms"),
        last_look=instant_from(body.optional_text("lastLook")),
        poll_errors=tuple(map(str, body.values("pollErrors"))),
        wakeup_errors=tuple(map(str, body.values("wakeupErrors"))),
        errors=tuple(map(str, body.values("errors"))),
    )
