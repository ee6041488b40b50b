"""Deployments of the resource manager, the one dialect in which a template is checked, tried and carried out.

One way of an ARM template: ``validate`` (is it right?), ``whatIf`` (what would it change?), ``PUT`` (do it), and the
operations of a deployment, which say what failed in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aml_magics.model.hosted import PlannedChange
from aml_magics.model.secret import redacted
from aml_magics.wire.arm_errors import reasons
from aml_magics.wire.casing import Body, Json

__all__ = ["DEPLOYMENTS", "Deployment", "changes_from", "deployment_from", "deployment_to", "failed_operations_from"]

DEPLOYMENTS = "2022-09-01"
"""The api-version."""

_ENDED = ("Succeeded", "Failed", "Canceled")
_QUIET = ("properties.provisioningState",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """``state`` is the resource manager's word: Accepted, Running, Succeeded, Failed, Canceled, ...

    ``correlation`` tells two deployments of one name apart.
    """

    name: str
    state: str
    correlation: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        return self.state in _ENDED


def deployment_to(template: Json, parameters: Mapping[str, Any]) -> Json:
    """The body of a deployment: what is in the resource group and not in the template stays."""
    values = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"mode": "Incremental", "template": template, "parameters": values}}


def deployment_from(answer: Json) -> Deployment:
    """A deployment as it is now. Raises ``InvalidInput``."""
    body = Body(answer, "deployment")
    properties = Body(body.mapping("properties"), "deployment.properties")
    outputs = properties.mapping("outputs")
    return Deployment(
        name=body.text("name"),
        state=properties.text("provisioningState"),
        correlation=properties.text("correlationId"),
        outputs={name: one.get("value") for name, one in outputs.items() if isinstance(one, Mapping)},
        error=tuple(reasons(properties.get("error"))),
    )


def failed_operations_from(answer: list[Any]) -> list[str]:
    """``connections/azureblob: why`` for each operation that failed. Raises ``InvalidInput``."""
    found = []
    for item in answer:
        properties = Body(Body(item, "operation").mapping("properties"), "operation.properties")
        if properties.text("provisioningState") != "Failed":
            continue
        target = Body(properties.mapping("targetResource"), "operation.targetResource")
        message = properties.get("statusMessage")
        error = message.get("error", message) if isinstance(message, Mapping) else {"message": message}
        kind = target.text("resourceType").rpartition("/")[2]
        why = "; ".join(reasons(error)) or properties.text("statusCode") or "no reason is given"
        found.append(f"{kind} {target.text('resourceName')!r}: {why}" if kind else why)
    return found


def changes_from(answer: Json) -> list[PlannedChange]:
    """What a deployment would do, as ``whatIf`` answers. Raises ``InvalidInput``."""
    body = Body(answer, "whatIf")
    properties = Body(body.mapping("properties"), "whatIf.properties")
    return [_change_from(one) for one in properties.bodies("changes")]


def _change_from(body: Body) -> PlannedChange:
    id_ = body.required("resourceId")
    provider, *parts = id_.rpartition("/providers/")[2].split("/")
    kinds, names = parts[::2], parts[1::2]
    return PlannedChange(
        name="/".join(names),
        kind="/".join([provider, *kinds]),
        change=body.text("changeType"),
        differences=tuple(_differences(body.values("delta"), "")),
        id=id_,
    )


def _differences(delta: list[Any], above: str) -> Iterator[str]:
    """``properties.state: 'Enabled' -> 'Disabled'``, of the innermost differences."""
    for item in delta:
        body = Body(item, "whatIf.delta")
        path = f"{above}.{body.text('path')}" if above else body.text("path")
        children = body.values("children")
        if children:
            yield from _differences(children, path)
        elif path not in _QUIET and body.text("propertyChangeType") != "NoEffect":
            yield f"{path}: {_short(body.get('before'))} -> {_short(body.get('after'))}"


def _short(value: object) -> str:
    text = "nothing" if value is None else redacted(repr(value))
    return text if len(text) <= 40 else f"{text[:37]}..."
