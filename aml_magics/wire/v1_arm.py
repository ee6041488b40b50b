"""What Azure Resource Manager says around a workspace, as a served workspace says it of itself.

The shapes are those that Microsoft's SDK v1 reads: the list of clouds when it is imported (``ARM_CLOUD_METADATA_URL``),
the list of subscriptions and of workspaces, the token of a managed identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aml_magics.wire.casing import Json

__all__ = ["CLOUD", "SUBSCRIPTION", "clouds_to", "identity_token_to", "permissions_to", "subscriptions_to"]

CLOUD = "AmlMagics"
"""The name of the cloud that a served workspace is: the value of ``AZUREML_CURRENT_CLOUD``."""

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

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
