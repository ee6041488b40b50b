"""The role assignments that an export needs, as a template of their own: their scopes are elsewhere than the export.

Workspace and storage account may be in other resource groups, so each assignment is a deployment into its group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.export.arm import Parameters, template

if TYPE_CHECKING:
    from aml_magics.export.source import Source
    from aml_magics.wire.casing import Json

__all__ = ["ROLES", "data_factory_roles", "logic_app_roles"]

_DEPLOYMENTS = "2022-09-01"
_ASSIGNMENTS = "2022-04-01"
ROLES = {
    "AzureML Data Scientist": "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
}


def logic_app_roles(source: Source, name: str) -> tuple[Json, tuple[str, ...]]:
    """``roles.json`` of a Logic App, and the parameters of it that have no value."""
    parameters = Parameters()
    parameters.need("workflowName", "The Logic App, deployed into this resource group.", default=name)
    identity = "reference(resourceId('Microsoft.Logic/workflows', parameters('workflowName')), '2019-05-01', 'full')"
    resources = [_on_workspace(source, parameters, identity)]
    if source.datastore:
        resources.append(_on_storage(source, parameters, identity))
    return template(parameters, resources, about={"kind": "roles"}), parameters.unknown


def data_factory_roles(source: Source) -> tuple[Json, tuple[str, ...]]:
    """As ``logic_app_roles``, of a data factory with a managed identity: it needs the workspace alone."""
    parameters = Parameters()
    parameters.need("factoryName", "The data factory, in this resource group.", default=source.factory)
    identity = (
        "reference(resourceId('Microsoft.DataFactory/factories', parameters('factoryName')), '2018-06-01', 'full')"
    )
    return template(parameters, [_on_workspace(source, parameters, identity)], about={"kind": "roles"}), (
        parameters.unknown
    )


def _on_workspace(source: Source, parameters: Parameters, identity: str) -> Json:
    place = source.place
    parameters.need("workspaceName", "The workspace.", default=place.workspace)
    parameters.need("workspaceResourceGroup", "The resource group of the workspace.", default=place.resource_group)
    scope = "Microsoft.MachineLearningServices/workspaces"
    return _assignment("AzureML Data Scientist", "workspace", scope, identity)


def _on_storage(source: Source, parameters: Parameters, identity: str) -> Json:
    parameters.need("storageAccountName", "The storage account of the datastore.", default=source.account)
    group = source.place.resource_group
    parameters.need("storageResourceGroup", "The resource group of the storage account.", default=group)
    return _assignment("Storage Blob Data Reader", "storage", "Microsoft.Storage/storageAccounts", identity)


def _assignment(role: str, of: str, kind: str, identity: str) -> Json:
    """A deployment into the resource group of what the role is on."""
    name = "workspaceName" if of == "workspace" else "storageAccountName"
    id_ = ROLES[role]
    scope = f"resourceId('{kind}', parameters('target'))"
    inner = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"target": {"type": "string"}, "principalId": {"type": "string"}},
        "resources": [
            {
                "type": "Microsoft.Authorization/roleAssignments",
                "apiVersion": _ASSIGNMENTS,
                "scope": f"[{scope}]",
                "name": f"[guid({scope}, parameters('principalId'), '{id_}')]",
                "properties": {
                    "roleDefinitionId": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{id_}')]",
                    "principalId": "[parameters('principalId')]",
                    "principalType": "ServicePrincipal",
                },
            }
        ],
    }
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": _DEPLOYMENTS,
        "name": f"aml-magics-role-on-{of}",
        "resourceGroup": f"[parameters('{of}ResourceGroup')]",
        "comments": f"{role} on the {of}",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {
                "target": {"value": f"[parameters('{name}')]"},
                "principalId": {"value": f"[{identity}.identity.principalId]"},
            },
            "template": inner,
        },
    }
