"""What happened lately, as ``camelCase`` JSON of our own routes: a glance, last fires, past runs, steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aml_magics.model.glance import Glance, LastFire, PastRun, Recent
from aml_magics.model.resources import Outcome, RunStatus, Step, StepStatus
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.moments import instant_from, instant_to
from aml_magics.wire.v1_engine import health_from, health_to

__all__ = ["glance_from", "glance_to", "recent_from", "recent_to"]

_UNKNOWN = datetime.fromtimestamp(0, UTC)


def glance_to(glance: Glance) -> Json:
    """A glance at a workspace."""
    return {"version": glance.version, "engine": health_to(glance.health)}


def glance_from(answer: Mapping[str, Any]) -> Glance:
    """A glance as ``glance_to`` wrote it."""
    body = Body(answer, "glance")
    return Glance(version=body.text("version"), health=health_from(body.mapping("engine")))


def recent_to(recent: Recent) -> Json:
    """What happened lately. Keys are ids."""
    return {
        "fires": {schedule: _fire_to(fire) for schedule, fire in recent.fires.items()},
        "runs": {pipeline: [_run_to(run) for run in runs] for pipeline, runs in recent.runs.items()},
        "steps": {run: [_step_to(step) for step in steps] for run, steps in recent.steps.items()},
    }


def recent_from(answer: Mapping[str, Any]) -> Recent:
    """What happened lately, as ``recent_to`` wrote it."""
    body = Body(answer, "recent")
    return Recent(
        fires={schedule: _fire_from(fire) for schedule, fire in body.mapping("fires").items()},
        runs={pipeline: tuple(map(_run_from, runs)) for pipeline, runs in body.mapping("runs").items()},
        steps={run: tuple(_step_from(run, step) for step in steps) for run, steps in body.mapping("steps").items()},
    )


def _fire_to(fire: LastFire) -> Json:
    return {
        "decided": instant_to(fire.decided),
        "reason": fire.reason,
        "outcome": fire.outcome.value,
        "detail": fire.detail,
        "runId": fire.run_id,
        "runStatus": fire.run_status,
    }


def _fire_from(answer: Mapping[str, Any]) -> LastFire:
    body = Body(answer, "recent.fires")
    status = body.optional_text("runStatus")
    return LastFire(
        decided=instant_from(body.optional_text("decided")) or _UNKNOWN,
        reason=body.text("reason"),
        outcome=Outcome(body.text("outcome", Outcome.SUBMITTED.value)),
        detail=body.text("detail"),
        run_id=body.optional_text("runId"),
        run_status=None if status is None else RunStatus(status),
    )


def _run_to(run: PastRun) -> Json:
    return {"id": run.id, "status": run.status.value, "created": instant_to(run.created), "seconds": run.seconds}


def _run_from(answer: Mapping[str, Any]) -> PastRun:
    body = Body(answer, "recent.runs")
    return PastRun(
        id=body.required("id"),
        status=RunStatus(body.text("status")),
        created=instant_from(body.optional_text("created")) or _UNKNOWN,
        seconds=body.number("seconds"),
    )


def _step_to(step: Step) -> Json:
    return {
        "id": step.id,
        "name": step.name,
        "status": step.status.value,
        "detail": step.detail,
        "exitCode": step.exit_code,
        "started": instant_to(step.started),
        "ended": instant_to(step.ended),
    }


def _step_from(run_id: str, answer: Mapping[str, Any]) -> Step:
    body = Body(answer, "recent.steps")
    return Step(
        id=body.text("id"),
        run_id=run_id,
        name=body.text("name"),
        status=StepStatus(body.text("status")),
        detail=body.text("detail"),
        exit_code=body.integer("exitCode"),
        started=instant_from(body.optional_text("started")),
        ended=instant_from(body.optional_text("ended")),
    )
