"""What Azure's resource manager and the discovery of Azure ML answer: clouds, a workspace's resource, permissions.

Facts that a client needs on its way to a workspace, as values. Everything that is read is another's input: a field
that is missing or of the wrong kind is refused in one line that names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aml_magics.model.errors import InvalidInput
from aml_magics.wire.casing import Body, Json

__all__ = [
    "Cloud",
    "Permission",
    "Resource",
    "Services",
    "clouds_from",
    "is_allowed",
    "permissions_from",
    "resource_from",
    "services_from",
]


@dataclass(frozen=True, slots=True)
class Cloud:
    """One Azure: where its resource manager is, for whom tokens are made, and who signs people in."""

    name: str
    arm: str
    audience: str
    authority: str
    portal: str = ""

    @property
    def scope(self) -> str:
        """What a token for the resource manager is asked for with."""
        return f"{self.audience.rstrip('/')}/.default"


@dataclass(frozen=True, slots=True)
class Resource:
    """The ARM resource of a workspace. ``kind`` is ``aml_magics`` for one of ours."""

    scope: str
    name: str
    workspace_id: str
    discovery_url: str
    region: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Services:
    """The base URLs of a workspace's services."""

    api: str
    history: str


@dataclass(frozen=True, slots=True)
class Permission:
    """Part of what an account may do somewhere: actions by pattern, less those that are taken out again."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


def clouds_from(answer: object) -> list[Cloud]:
    """The clouds of ``/metadata/endpoints``. Raises ``InvalidInput``."""
    if not isinstance(answer, list) or not answer:
        message = "the metadata of clouds is no list of clouds"
        raise InvalidInput(message)
    return [_cloud_from(item) for item in answer]


def _cloud_from(item: object) -> Cloud:
    body = Body(item, "cloud")
    sign_in = Body(body.get("authentication"), "cloud.authentication")
    audiences = sign_in.get("audiences")
    arm = _required(body, "resourceManager")
    audience = next((one for one in audiences if isinstance(one, str)), arm) if isinstance(audiences, list) else arm
    return Cloud(
        name=_required(body, "name"),
        arm=arm.rstrip("/"),
        audience=audience,
        authority=_required(sign_in, "loginEndpoint"),
        portal=body.text("portal"),
    )


def resource_from(answer: Json) -> Resource:
    """A workspace's resource. Raises ``InvalidInput`` when it does not say where its services are told."""
    body = Body(answer, "workspace")
    properties = Body(body.get("properties"), "workspace.properties")
    return Resource(
        scope=body.text("id"),
        name=body.text("name"),
        workspace_id=properties.text("workspaceId"),
        discovery_url=_required(properties, "discoveryUrl"),
        region=body.text("location"),
        kind=body.text("kind"),
    )


def services_from(answer: object) -> Services:
    """The base URLs that discovery gives; the pipelines hang on ``api``, all else on ``history``."""
    body = Body(answer, "discovery")
    return Services(api=_required(body, "api"), history=_required(body, "history"))


def permissions_from(answer: Json) -> list[Permission]:
    """What the ARM permissions API says about an account at one place."""
    return [_permission_from(Body(item, "permission")) for item in Body(answer, "permissions").values("value")]


def _permission_from(body: Body) -> Permission:
    return Permission(_texts(body.get("actions")), _texts(body.get("notActions")))


def is_allowed(action: str, permissions: Iterable[Permission]) -> bool:
    """Whether one of the permissions has the action and does not take it out again. ``*`` stands for any text."""
    return any(_fits(action, one.actions) and not _fits(action, one.not_actions) for one in permissions)


def _fits(action: str, patterns: Sequence[str]) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE) is not None
        for pattern in patterns
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _required(body: Body, name: str) -> str:
    text = body.text(name)
    if not text:
        message = f"{body.what}.{name} is missing"
        raise InvalidInput(message)
    return text
