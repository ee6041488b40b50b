"""Where a workspace is: its path under a base URL, its ARM resource, its discovery answer, its computes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.wire.moments import instant_to

if TYPE_CHECKING:
    from aml_magics.wire.casing import Json

__all__ = [
    "EMBEDDED_KIND",
    "EMBEDDED_SCOPE",
    "SERVICES",
    "compute_to",
    "discovery_to",
    "scope_of",
    "workspace_to",
]

SERVICES = ("api", "experimentation", "history", "hyperdrive", "modelmanagement", "studio")
"""The six names that discovery must give; the SDK raises a ``KeyError`` without one of them."""


def scope_of(name: str, *, subscription: str, resource_group: str) -> str:
    """The path that all calls about a workspace share."""
    return (
        f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{name}"
    )


EMBEDDED_SCOPE = scope_of("embedded", subscription="00000000-0000-0000-0000-000000000000", resource_group="embedded")
"""The path of a workspace embedded in a kernel, unless it was given another name."""


EMBEDDED_KIND = "aml_magics"
"""The ``kind`` of such a workspace's resource, by which a client knows that it can ask for more than Azure answers."""


def discovery_to(base: str) -> Json:
    """Every service at one base URL."""
    return dict.fromkeys(SERVICES, base.rstrip("/"))


def workspace_to(scope: str, *, workspace_id: str, base: str, created: datetime | None) -> Json:
    """The ARM resource of a workspace: what ``Workspace.get`` and ``Workspace.from_config`` read."""
    name = scope.rsplit("/", 1)[-1]
    return {
        "id": scope,
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "kind": EMBEDDED_KIND,
        "location": "local",
        "tags": {},
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {"type": "None"},
        "properties": {
            "workspaceId": workspace_id,
            "discoveryUrl": f"{base.rstrip('/')}/discovery",
            "friendlyName": name,
            "description": "A workspace embedded in a Jupyter kernel",
            "creationTime": instant_to(created),
            "provisioningState": "Succeeded",
            "hbiWorkspace": False,
            "storageAccount": "",
            "keyVault": "",
            "applicationInsights": "",
        },
    }


def compute_to(name: str, scope: str, *, created: datetime | None) -> Json:
    """A compute, as the SDK's ``AmlCompute`` reads it: one node that is always there."""
    scale = {"minNodeCount": 1, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}
    nodes = {"vmSize": "local", "vmPriority": "Dedicated", "scaleSettings": scale, "subnet": None}
    return {
        "id": f"{scope}/computes/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": "local",
        "tags": {},
        "properties": {
            "computeType": "AmlCompute",
            "computeLocation": "local",
            "description": "The machine that this workspace is on",
            "resourceId": None,
            "provisioningState": "Succeeded",
            "provisioningErrors": None,
            "isAttachedCompute": False,
            "createdOn": instant_to(created),
            "modifiedOn": instant_to(created),
            "properties": nodes | {"allocationState": "Steady", "currentNodeCount": 1, "targetNodeCount": 1},
        },
    }
