"""Which permission a call needs on Azure, and which built-in role has it.

Azure's own answer names the action for some services; for the others there is this table, from what Microsoft lists
for a role that "can run pipelines against a published pipeline endpoint". Nothing is documented for v1 schedules: they
belong to the pipelines service, so its permissions stand in for them. What is beside the workspace (Logic Apps, data
factories, deployments) is named by its path. Pure tables, no I/O.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["NEEDED", "Need", "action_for", "lacking", "role_with"]

_ML = "Microsoft.MachineLearningServices/workspaces"
_NAMED = re.compile(r"perform action '([^']+)'")
# What the role below does not have: the workspace itself, its computes and its keys are its owner's.
_OWNERS = re.compile(
    rf"{re.escape(_ML)}/(write|delete|listKeys/action|computes/.*(write|delete|listKeys/action))", re.IGNORECASE
)
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
# Beside the workspace: the beginning of an action, and the least role; the first that fits counts.
_OTHERS = tuple(
    (re.compile(begins, re.IGNORECASE), role)
    for begins, role in (
        (r"Microsoft\.Logic/.*(/read|/enable/action|/disable/action|/validate/action)$", "Logic App Operator"),
        (r".*/read$", "Reader"),
        (r"Microsoft\.(Logic|Web/connections)/", "Logic App Contributor"),
        (r"Microsoft\.DataFactory/", "Data Factory Contributor"),
        (r"Microsoft\.Authorization/", "Role Based Access Control Administrator"),
        ("", "Contributor"),
    )
)
_HOUR = "a new assignment can take up to an hour"


class Need(NamedTuple):
    """An action and what it is for."""

    action: str
    purpose: str


NEEDED = (
    Need(f"{_ML}/read", "see the workspace"),
    Need(f"{_ML}/experiments/read", "list experiments"),
    Need(f"{_ML}/experiments/write", "create experiments"),
    Need(f"{_ML}/experiments/runs/read", "list runs and read their steps"),
    Need(f"{_ML}/experiments/runs/write", "cancel runs"),
    Need(f"{_ML}/experiments/runs/submit/action", "submit runs"),
    Need(f"{_ML}/endpoints/pipelines/read", "list pipelines and schedules"),
    Need(f"{_ML}/endpoints/pipelines/write", "create and change schedules, disable pipelines"),
    Need(f"{_ML}/modules/read", "read a pipeline's graph"),
    Need(f"{_ML}/datastores/read", "list datastores"),
    Need(f"{_ML}/datastores/write", "register datastores"),
    Need(f"{_ML}/metadata/artifacts/read", "read the logs of steps"),
)

# method, service, the beginning of the path (a regular expression), the action's end; the first that fits counts
_TABLE = tuple(
    (re.compile(method), service, re.compile(path), f"{_ML}/{action}")
    for method, service, path, action in (
        ("GET", "resource-manager", "$", "read"),
        (".*", "pipelines", "/PipelineRuns/(PipelineSubmit|PipelineEndpointSubmit)", "experiments/runs/submit/action"),
        ("DELETE", "pipelines", "/PipelineRuns", "experiments/runs/write"),
        (".*", "pipelines", "/PipelineRuns/[^/]+/Graph/Shareable", "metadata/artifacts/read"),
        (".*", "pipelines", "/PipelineRuns", "experiments/runs/read"),
        ("GET", "pipelines", "/Modules", "modules/read"),
        (".*", "pipelines", "/Modules", "modules/write"),
        ("GET", "pipelines", "", "endpoints/pipelines/read"),
        (".*", "pipelines", "", "endpoints/pipelines/write"),
        (".*", "history", "/experiments:query", "experiments/read"),
        ("GET|POST", "history", "/experiments/[^/]+/runs", "experiments/runs/read"),
        ("GET", "history", "/experiments", "experiments/read"),
        (".*", "history", "/experiments", "experiments/write"),
        (".*", "history", "", "experiments/runs/read"),
        ("GET", "datastores", "", "datastores/read"),
        (".*", "datastores", "", "datastores/write"),
    )
)


def action_for(method: str, service: str, path: str) -> str:
    """The action that a call needs; empty when it is not known. ``service`` is the name of a ``Service``."""
    for methods, known, begins, action in _TABLE:
        if known == service and methods.fullmatch(method) and begins.match(path):
            return action
    return _of_resource(method, path) if service == "resource-manager" else ""


def _of_resource(method: str, path: str) -> str:
    """``Microsoft.Logic/workflows/enable/action`` for a POST on ``.../Microsoft.Logic/workflows/X/enable``."""
    provider, *parts = path.rpartition("/providers/")[2].split("/")
    if not provider.startswith("Microsoft."):
        return f"{_GROUPS}/read" if "/resourceGroups/" in path else ""
    kinds = parts[::2]
    verb = "action" if method == "POST" else "read" if method == "GET" else "write"
    return "/".join([provider, *kinds, verb])


def role_with(action: str) -> str:
    """The built-in role, the least of them, that has an action."""
    if not action.casefold().startswith("microsoft.machinelearningservices/"):
        return next(role for begins, role in _OTHERS if begins.match(action))
    return "Contributor" if _OWNERS.fullmatch(action) else "AzureML Data Scientist"


def lacking(message: str, method: str, service: str, path: str) -> str:
    """What is missing and who has it: a hint for an answer 403. ``message`` is Azure's."""
    named = _NAMED.search(message)
    action = named[1] if named else action_for(method, service, path)
    if not action:
        return "Your account has no right to do this in this workspace: %aml doctor shows what it may do."
    where = "workspace" if action.casefold().startswith(_ML.casefold()) else "resource group"
    is_it = "The missing permission is" if named else "It takes the permission"
    return (
        f"{is_it} {action}: the role {role_with(action)!r} has it (so may a custom role). "
        f"Ask an owner of the {where}; {_HOUR}."
    )
