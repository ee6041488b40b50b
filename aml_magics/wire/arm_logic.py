"""Logic Apps as the resource manager writes them: workflows, their triggers' histories, their runs.

What is read is another's input: unknown fields are passed over, the definition of somebody else's workflow is looked
into as far as it is understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aml_magics.model.hosted import Check, HostedRun, LogicApp, Work
from aml_magics.model.resources import Status
from aml_magics.model.secret import redacted
from aml_magics.wire.arm_errors import reasons
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.hosted_words import ml_address, ml_run_id, recurrence_in_words, starts_in
from aml_magics.wire.moments import instant_from

__all__ = ["LOGIC", "action_from", "check_from", "logic_app_from", "next_fire_from", "run_from"]

LOGIC = "2019-05-01"
"""The api-version."""

_LONGEST = 200  # characters of an answer that is no error of Azure's
_WHY = {
    "Skipped": "it looked and found nothing that fires it",
    "Throttled": "the service held it back: too many calls",
}


def logic_app_from(answer: Json) -> LogicApp:
    """A workflow. Raises ``InvalidInput``."""
    body = Body(answer, "workflow")
    properties = Body(body.mapping("properties"), "workflow.properties")
    definition = Body(properties.mapping("definition"), "workflow.definition")
    identity = Body(body.mapping("identity"), "workflow.identity")
    triggers = definition.mapping("triggers")
    return LogicApp(
        id=body.required("id"),
        name=body.required("name"),
        status=Status.ACTIVE if properties.text("state") == "Enabled" else Status.DISABLED,
        location=body.text("location"),
        triggers={name: _trigger_in_words(one) for name, one in triggers.items()},
        starts=tuple(starts_in(definition.mapping("actions"))),
        submits=tuple(_submitting(definition.mapping("actions"))),
        principal=identity.text("principalId"),
        created=instant_from(properties.text("createdTime"), "createdTime"),
        changed=instant_from(properties.text("changedTime"), "changedTime"),
    )


def check_from(answer: Json, trigger: str) -> Check:
    """One entry of a trigger's history. Raises ``InvalidInput``."""
    body = Body(answer, "history")
    properties = Body(body.mapping("properties"), "history.properties")
    status, fired = properties.text("status"), bool(properties.boolean("fired"))
    run = Body(properties.mapping("run"), "history.run")
    code = properties.text("code")
    said = "; ".join(reasons(properties.get("error")))
    return Check(
        at=instant_from(properties.text("startTime"), "startTime"),
        trigger=trigger,
        status=status,
        fired=fired,
        code=code,
        reason=said or ("" if fired else _WHY.get(status, f"{status} {code}".strip().lower())),
        run_id=run.text("name"),
    )


def run_from(answer: Json, name: str) -> HostedRun:
    """One run of a workflow. Raises ``InvalidInput``."""
    body = Body(answer, "run")
    properties = Body(body.mapping("properties"), "run.properties")
    return HostedRun(
        id=body.required("name"),
        name=name,
        status=properties.text("status"),
        trigger=Body(properties.mapping("trigger"), "run.trigger").text("name"),
        started=instant_from(properties.text("startTime"), "startTime"),
        ended=instant_from(properties.text("endTime"), "endTime"),
        code=properties.text("code"),
        error="; ".join(reasons(properties.get("error"))),
    )


def action_from(answer: Json, output: object = None) -> Work:
    """One action of a run; ``output`` is what its output link holds, if it was asked. Raises ``InvalidInput``."""
    body = Body(answer, "action")
    properties = Body(body.mapping("properties"), "action.properties")
    said = _said(output) if properties.text("status") == "Failed" else ""
    return Work(
        name=body.required("name"),
        kind="",
        status=properties.text("status"),
        started=instant_from(properties.text("startTime"), "startTime"),
        ended=instant_from(properties.text("endTime"), "endTime"),
        error=said or "; ".join(reasons(properties.get("error"))),
        ml_run_id=ml_run_id(output.get("body")) if isinstance(output, Mapping) else "",
    )


def next_fire_from(answer: Json) -> Any:  # noqa: ANN401 - a datetime or None
    """When a trigger, as it is listed, is due next. Raises ``InvalidInput``."""
    properties = Body(Body(answer, "trigger").mapping("properties"), "trigger.properties")
    return instant_from(properties.text("nextExecutionTime"), "nextExecutionTime")


def _said(output: object) -> str:
    """What the other side of an HTTP action answered: its status and its reasons."""
    if not isinstance(output, Mapping):
        return ""
    body = output.get("body")
    error = body.get("error", body.get("Error")) if isinstance(body, Mapping) else None
    if isinstance(error, Mapping):
        error = {str(name).lower(): value for name, value in error.items()}
    told = "; ".join(reasons(error)) if error else redacted(" ".join(str(body or "").split()))[:_LONGEST]
    return f"{output.get('statusCode', '')} {told}".strip()


def _trigger_in_words(trigger: object) -> str:
    if not isinstance(trigger, Mapping):
        return ""
    recurrence = trigger.get("recurrence")
    every = recurrence_in_words(recurrence) if isinstance(recurrence, Mapping) else ""
    inputs = trigger.get("inputs")
    path = str(inputs.get("path", "")) if isinstance(inputs, Mapping) else ""
    if path.endswith("/onupdatedfile"):
        metadata = trigger.get("metadata")
        places = [str(one) for one in metadata.values()] if isinstance(metadata, Mapping) else []
        return f"changes in {places[0] if places else 'a container'}, looks {every}"
    return every or str(trigger.get("type") or "")


def _submitting(actions: Mapping[str, Any]) -> Iterator[str]:
    """The names of the actions, at any depth, that start something in a workspace."""
    for name, action in actions.items():
        if not isinstance(action, Mapping):
            continue
        inputs = action.get("inputs")
        if isinstance(inputs, Mapping) and ml_address(inputs.get("uri")) and inputs.get("method") == "POST":
            yield name
        for branch in _branches(action):
            yield from _submitting(branch)


def _branches(action: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    others = [action, action.get("else"), action.get("default")]
    cases = action.get("cases")
    others += list(cases.values()) if isinstance(cases, Mapping) else []
    for one in others:
        inner = one.get("actions") if isinstance(one, Mapping) else None
        if isinstance(inner, Mapping):
            yield inner
