"""What a resource manager and the discovery of Azure ML answer: clouds, a workspace's resource, permissions.

Read, they are the facts that a client needs on its way to a workspace, as values. Everything that is read is another's
input: a field that is missing or of the wrong kind is refused in one line that names it. Written, they are what a
served workspace says of itself, in the shapes that Microsoft's SDK v1 reads: the list of clouds when it is imported
(``ARM_CLOUD_METADATA_URL``), the list of subscriptions, the token of a managed identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aml_magics.model.errors import InvalidInput
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.v1_workspace import EMBEDDED_SCOPE

__all__ = [
    "CLOUD",
    "SUBSCRIPTION",
    "Cloud",
    "Permission",
    "Resource",
    "Services",
    "clouds_from",
    "clouds_to",
    "identity_token_to",
    "is_allowed",
    "permissions_from",
    "permissions_to",
    "resource_from",
    "services_from",
    "subscriptions_to",
]

CLOUD = "AmlMagics"
"""The name of the cloud that a served workspace is: the value of ``AZUREML_CURRENT_CLOUD``."""

SUBSCRIPTION = EMBEDDED_SCOPE.split("/")[2]
"""The id of the one subscription that there is in it."""


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


# as a served workspace says it of itself

# Addresses that must be there and are never asked: .invalid is reserved (RFC 6761).
_NOWHERE = "https://nowhere.invalid/"
_ADDRESSES = ("portal", "graphAudience", "gallery", "batch", "media", "sqlManagement", "vmImageAliasDoc")
_SUFFIXES = ("storage", "keyVaultDns", "acrLoginServer", "sqlServerHostname", "azureDataLakeStoreFileSystem")


def clouds_to(base: str) -> list[Json]:
    """The list of clouds: this one, whose resource manager is the workspace itself."""
    cloud: Json = dict.fromkeys(_ADDRESSES, _NOWHERE)
    cloud |= {"name": CLOUD, "resourceManager": base.rstrip("/"), "activeDirectoryDataLake": _NOWHERE}
    cloud["authentication"] = {"loginEndpoint": _NOWHERE, "audiences": [f"{base.rstrip('/')}/"], "tenant": "common"}
    cloud["suffixes"] = {name: f"{name.lower()}.invalid" for name in _SUFFIXES}
    cloud["suffixes"]["azureDataLakeAnalyticsCatalogAndJob"] = "datalake.invalid"
    return [cloud]


def subscriptions_to(subscription: str = SUBSCRIPTION) -> Json:
    """GET ``/subscriptions``: the one there is."""
    only = {"subscriptionId": subscription, "displayName": "aml_magics", "state": "Enabled", "tenantId": subscription}
    return {"value": [{"id": f"/subscriptions/{subscription}", **only}]}


def permissions_to() -> Json:
    """GET ``{S}/providers/Microsoft.Authorization/permissions``: whoever has the token may do everything."""
    return {"value": [{"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}]}


def identity_token_to(token: str, *, resource: str, expires: int) -> Json:
    """The answer of a managed identity's token endpoint; ``expires`` is in seconds since 1970."""
    return {"access_token": token, "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
