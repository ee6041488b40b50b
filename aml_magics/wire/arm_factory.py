"""Data factories as the resource manager writes them: pipelines, triggers, their runs, and the queries for those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aml_magics.model.hosted import Check, Factory, FactoryPipeline, HostedRun, HostedTrigger, Work
from aml_magics.model.resources import Host, Status
from aml_magics.model.secret import redacted
from aml_magics.wire.arm_errors import reasons
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.hosted_words import ml_run_id, recurrence_in_words, starts_in
from aml_magics.wire.moments import instant_from, instant_to

__all__ = [
    "FACTORY",
    "activity_from",
    "factory_from",
    "pipeline_from",
    "pipeline_run_from",
    "query_to",
    "trigger_from",
    "trigger_run_from",
]

FACTORY = "2018-06-01"
"""The api-version."""


def factory_from(answer: Json) -> Factory:
    """A data factory. Raises ``InvalidInput``."""
    body = Body(answer, "factory")
    return Factory(id=body.required("id"), name=body.required("name"), location=body.text("location"))


def pipeline_from(answer: Json, factory: str) -> FactoryPipeline:
    """A pipeline. Raises ``InvalidInput``."""
    body = Body(answer, "pipeline")
    properties = Body(body.mapping("properties"), "pipeline.properties")
    parameters = {name: Body(one, f"pipeline.{name}") for name, one in properties.mapping("parameters").items()}
    return FactoryPipeline(
        id=body.required("id"),
        name=body.required("name"),
        factory=factory,
        description=properties.text("description"),
        activities=tuple(f"{one.text('name')} ({one.text('type')})" for one in properties.bodies("activities")),
        parameters={name: one.text("type", "string") for name, one in parameters.items()},
        defaults={name: one.get("defaultValue") for name, one in parameters.items() if "defaultValue" in one},
        starts=tuple(starts_in(properties.values("activities"))),
    )


def trigger_from(answer: Json, factory: str) -> HostedTrigger:
    """A trigger; what its pipelines start is not known from it. Raises ``InvalidInput``."""
    body = Body(answer, "trigger")
    properties = Body(body.mapping("properties"), "trigger.properties")
    started = [*properties.bodies("pipelines"), *([one] if (one := properties.body("pipeline")) else [])]
    names = [Body(one.mapping("pipelineReference"), "trigger.pipeline").text("referenceName") for one in started]
    return HostedTrigger(
        id=body.required("id"),
        name=body.required("name"),
        host=Host.DATA_FACTORY,
        owner=factory,
        status=Status.ACTIVE if properties.text("runtimeState") == "Started" else Status.DISABLED,
        trigger=_in_words(properties.text("type"), properties.mapping("typeProperties")),
        pipelines=tuple(name for name in names if name),
    )


def query_to(
    since: datetime,
    until: datetime,
    *,
    filters: Sequence[tuple[str, str]],
    newest_by: str = "",
    token: str | None = None,
) -> Json:
    """The body of a query for runs: ``filters`` are pairs of an operand and the value that it must have."""
    query: Json = {"lastUpdatedAfter": instant_to(since), "lastUpdatedBefore": instant_to(until)}
    if filters:
        query["filters"] = [{"operand": name, "operator": "Equals", "values": [value]} for name, value in filters]
    if newest_by:
        query["orderBy"] = [{"orderBy": newest_by, "order": "DESC"}]
    if token:
        query["continuationToken"] = token
    return query


def pipeline_run_from(answer: Json) -> HostedRun:
    """One run of a pipeline. Raises ``InvalidInput``."""
    body = Body(answer, "run")
    by = Body(body.mapping("invokedBy"), "run.invokedBy")
    return HostedRun(
        id=body.required("runId"),
        name=body.text("pipelineName"),
        status=body.text("status"),
        trigger=by.text("name") or by.text("invokedByType"),
        started=instant_from(body.text("runStart"), "runStart"),
        ended=instant_from(body.text("runEnd"), "runEnd"),
        error=_one_line(body.text("message")),
    )


def activity_from(answer: Json) -> Work:
    """One activity of a run. Raises ``InvalidInput``."""
    body = Body(answer, "activity")
    is_ml = body.text("activityType") == "AzureMLExecutePipeline"
    return Work(
        name=body.text("activityName"),
        kind=body.text("activityType"),
        status=body.text("status"),
        started=instant_from(body.text("activityRunStart"), "activityRunStart"),
        ended=instant_from(body.text("activityRunEnd"), "activityRunEnd"),
        error=_error_of(body.get("error")),
        ml_run_id=ml_run_id(body.get("output")) if is_ml else "",
    )


def trigger_run_from(answer: Json) -> Check:
    """One time that a trigger fired or failed to. Raises ``InvalidInput``."""
    body = Body(answer, "triggerRun")
    started = body.mapping("triggeredPipelines")
    run = next(iter(started.values()), "")
    return Check(
        at=instant_from(body.text("triggerRunTimestamp"), "triggerRunTimestamp"),
        trigger=body.text("triggerName"),
        status=body.text("status"),
        fired=body.text("status") == "Succeeded",
        reason=_one_line(body.text("message")),
        run_id=str(run) if isinstance(run, str) else "",
    )


def _one_line(text: str) -> str:
    return redacted(" ".join(text.split()))


def _error_of(error: object) -> str:
    """An activity's error: one that did not fail has an object without a message."""
    if not isinstance(error, Mapping) or not error.get("message"):
        return ""
    return "; ".join(reasons({"code": error.get("errorCode"), "message": error.get("message")}))


def _in_words(kind: str, properties: Mapping[str, Any]) -> str:
    recurrence = properties.get("recurrence")
    if isinstance(recurrence, Mapping):
        return recurrence_in_words(recurrence) or kind
    if kind == "TumblingWindowTrigger":
        return f"windows, {recurrence_in_words(properties)}"
    if kind == "BlobEventsTrigger":
        names = [str(event).rpartition(".Blob")[2].lower() for event in properties.get("events") or ()]
        where = properties.get("blobPathBeginsWith") or ""
        last = properties.get("blobPathEndsWith")
        return f"blobs {' or '.join(names)} in {where}" + (f"*{last}" if last else "")
    return kind
