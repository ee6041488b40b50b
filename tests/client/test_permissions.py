"""A 403 names the permission that is missing and the role that has it."""

import asyncio

import httpx
import pytest

from aml_magics.client.permissions import NEEDED, action_for, role_with
from aml_magics.client.services import ARM, DATASTORES, HISTORY, PIPELINES
from aml_magics.client.transport import Transport
from aml_magics.model.errors import ServiceError
from aml_magics.wire.arm import Permission, is_allowed

ML = "Microsoft.MachineLearningServices/workspaces"


@pytest.mark.parametrize(
    ("method", "service", "path", "action"),
    [
        ("GET", ARM, "", "read"),
        ("GET", PIPELINES, "/Pipelines", "endpoints/pipelines/read"),
        ("GET", PIPELINES, "/Schedules", "endpoints/pipelines/read"),
        ("POST", PIPELINES, "/Schedules/Create", "endpoints/pipelines/write"),
        ("PUT", PIPELINES, "/Pipelines/x/status", "endpoints/pipelines/write"),
        ("POST", PIPELINES, "/PipelineRuns/PipelineSubmit/x", "experiments/runs/submit/action"),
        ("GET", PIPELINES, "/PipelineRuns/x", "experiments/runs/read"),
        ("DELETE", PIPELINES, "/PipelineRuns/x/Execution", "experiments/runs/write"),
        ("POST", PIPELINES, "/PipelineRuns/x/Graph/Shareable/STDOUT", "metadata/artifacts/read"),
        ("GET", PIPELINES, "/Graphs/x/Interface", "endpoints/pipelines/read"),
        ("POST", HISTORY, "/experiments:query", "experiments/read"),
        ("GET", HISTORY, "/experiments/x", "experiments/read"),
        ("POST", HISTORY, "/experiments/x", "experiments/write"),
        ("POST", HISTORY, "/experiments/x/runs:query", "experiments/runs/read"),
        ("GET", HISTORY, "/experiments/x/runs/y/children", "experiments/runs/read"),
        ("GET", DATASTORES, "/datastores", "datastores/read"),
    ],
)
def test_every_call_of_the_client_has_its_permission(method, service, path, action):
    assert action_for(method, service.name, path) == f"{ML}/{action}"
    assert f"{ML}/{action}" in [need.action for need in NEEDED]


def refused_with(body, method="GET", service=PIPELINES, path="/Pipelines"):
    async def answer(_request):
        return httpx.Response(403, json=body)

    async def go():
        transport = Transport(scope="/s", api="https://x.example", network=httpx.MockTransport(answer))
        await transport.json(method, service, path)

    with pytest.raises(ServiceError) as caught:
        asyncio.run(go())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_refusal_names_the_permission_the_role_and_the_hour():
    line = refused_with(
        {"Error": {"Code": "Forbidden", "Message": "no"}}, "POST", path="/PipelineRuns/PipelineSubmit/x"
    )
    assert f"{ML}/experiments/runs/submit/action" in line
    assert "'AzureML Data Scientist' has it (so may a custom role)" in line
    assert "up to an hour" in line


def test_the_action_that_azure_names_counts_more_than_the_table():
    message = (
        "The client 'ada' with object id '1' does not have authorization to perform action "
        f"'{ML}/write' over scope '/subscriptions/s' or the scope is invalid."
    )
    line = refused_with({"error": {"code": "AuthorizationFailed", "message": message}}, service=ARM, path="")
    assert f"The missing permission is {ML}/write: the role 'Contributor' has it" in line


def test_a_call_that_is_not_in_the_table_points_to_the_doctor():
    assert "%aml doctor" in refused_with({}, "POST", ARM, "/unheard/of")


@pytest.mark.parametrize(
    ("action", "role"),
    [
        (f"{ML}/endpoints/pipelines/read", "AzureML Data Scientist"),
        (f"{ML}/delete", "Contributor"),
        (f"{ML}/computes/write", "Contributor"),
        (f"{ML}/listKeys/action", "Contributor"),
        ("Microsoft.Authorization/permissions/read", "Reader"),
        ("Microsoft.Storage/storageAccounts/write", "Contributor"),
    ],
)
def test_the_least_role_that_has_an_action_is_named(action, role):
    assert role_with(action) == role


@pytest.mark.parametrize(
    ("actions", "not_actions", "allowed"),
    [
        (["*"], [], True),
        (["*/read"], [], True),
        ([f"{ML.upper()}/*/READ"], [], True),
        ([f"{ML}/endpoints/*"], [], True),
        ([f"{ML}/read"], [], False),
        ([f"{ML}/*/write"], [], False),
        (["*"], [f"{ML}/endpoints/*"], False),
        ([], [], False),
        ([f"{ML}/endpoints/pipelines/rea"], [], False),
        ([f"{ML}/endpoints.pipelines/read"], [], False),
    ],
)
def test_patterns_match_as_azure_matches_them(actions, not_actions, allowed):
    permissions = [Permission(tuple(actions), tuple(not_actions))]
    assert is_allowed(f"{ML}/endpoints/pipelines/read", permissions) is allowed


def test_what_one_role_takes_out_another_may_give():
    nothing = Permission(("*",), ("*",))
    assert not is_allowed(f"{ML}/read", [nothing])
    assert is_allowed(f"{ML}/read", [nothing, Permission(("*/read",))])
