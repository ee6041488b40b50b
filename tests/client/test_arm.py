"""The resource manager beside a workspace: what goes on after its answer is followed, and tokens stay at home."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from aml_magics.client.arm import StillGoing
from aml_magics.client.permissions import action_for, role_with
from aml_magics.model.errors import AmlError, ServiceError
from tests.support.arm_bed import TOKEN, ArmBed

AWAY = "https://elsewhere.example/subscriptions/s/operations/1?api-version=v&k=1"
GROUP = "/subscriptions/s/resourceGroups/g/providers"


@pytest.fixture
def bed() -> ArmBed:
    return ArmBed()


def started(
    bed: ArmBed, status: int, *looks: httpx.Response | Exception, patience: float | None = None, **headers: str
) -> Any:
    """What a change comes to that answers ``status`` with ``headers``, and then ``looks``, one after the other."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    bed.tell("PUT /x$", httpx.Response(status, headers=named, json={"first": True}))
    for look in looks:
        bed.tell("GET /subscriptions/s/operations/", look)
    manager = bed.manager()

    async def go() -> Any:
        return await manager.settled(await manager.change("PUT", "/x", "v", {}), patience=patience)

    return bed.call(go())


def at(status: str, pause: str = "0", **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"status": status, **more}, headers={"retry-after": pause})


def test_an_answer_that_is_all_is_not_followed(bed):
    assert started(bed, 200) == {"first": True}
    assert started(bed, 201) == {"first": True}
    assert bed.pauses == []


def test_an_operation_is_looked_at_as_often_as_it_says(bed):
    found = started(bed, 201, at("Running", "3"), at("Running", "7"), at("Succeeded"), azure_asyncoperation=AWAY)
    assert found["status"] == "Succeeded"
    assert bed.pauses == [1.0, 3.0, 7.0]
    assert bed.asked("GET /subscriptions/s/operations/1") == 3


def test_looks_become_rarer_when_nobody_says(bed):
    waiting = [httpx.Response(200, json={"status": "Running"}) for _ in range(4)]
    started(bed, 202, *waiting, at("Succeeded"), azure_asyncoperation=AWAY)
    assert bed.pauses == [1.0, 2.0, 4.0, 4.0, 4.0]


def test_a_location_is_followed_until_it_answers_something_else_than_202(bed):
    moved = AWAY.replace("operations/1", "operations/2")
    looks = [httpx.Response(202, headers={"location": moved}), httpx.Response(200, json={"done": True})]
    assert started(bed, 202, *looks, location=AWAY) == {"done": True}
    assert [call for call in bed.wire.asked if "operations" in call] == [
        "GET /subscriptions/s/operations/1",
        "GET /subscriptions/s/operations/2",
    ]


def test_an_operation_that_fails_says_why_in_one_line(bed):
    error = {"code": "x", "message": "see inside", "details": [{"code": "y", "message": "no\nquota"}]}
    with pytest.raises(ServiceError) as caught:
        started(bed, 202, at("Failed", error=error), azure_asyncoperation=AWAY)
    assert str(caught.value).startswith("no quota. ")
    with pytest.raises(ServiceError, match="it has canceled"):
        started(bed, 202, at("Canceled"), azure_asyncoperation=AWAY)


def test_looks_that_stumble_are_repeated_but_not_for_ever(bed):
    broken = [httpx.ReadError("gone")] * 3 + [httpx.Response(503), httpx.Response(429, headers={"retry-after": "60"})]
    assert started(bed, 202, *broken, at("Succeeded"), azure_asyncoperation=AWAY)["status"] == "Succeeded"
    with pytest.raises(ServiceError):
        started(bed, 202, *[httpx.Response(500)] * 60, azure_asyncoperation=AWAY)
    assert bed.asked("operations") <= 30


def test_a_look_that_is_refused_ends_the_watch_at_once(bed):
    with pytest.raises(ServiceError):
        started(bed, 202, httpx.Response(403, json={"error": {"message": "no"}}), azure_asyncoperation=AWAY)
    assert bed.asked("operations") == 1


def test_patience_ends(bed):
    with pytest.raises(StillGoing, match="goes on on Azure"):
        started(bed, 202, *[at("Running", "20")] * 9, patience=50, azure_asyncoperation=AWAY)
    assert bed.now <= 50


def test_a_token_never_follows_an_address_from_an_answer(bed):
    manager = bed.manager()
    for path in ("https://evil.example/x", ".evil.example/x", "", "@evil.example"):
        with pytest.raises(ServiceError) as caught:
            bed.call(manager.get(path, "v"))
        assert TOKEN not in str(caught.value)
    assert bed.wire.asked == []  # the wire itself refuses another host


def test_pages_are_read_from_the_same_path_whatever_the_next_link_names(bed):
    link = "https://evil.example/other?api-version=v&%24skiptoken=2"
    bed.tell("GET /list$", httpx.Response(200, json={"value": [1, 2], "nextLink": link}))
    bed.tell("GET /list$", httpx.Response(200, json={"value": [3]}))
    assert bed.call(bed.manager().listed("/list", "v")) == [1, 2, 3]
    assert bed.wire.asked == ["GET /list", "GET /list"]


@pytest.mark.parametrize(
    "body", [None, [], {"value": 1}, {"value": [{}]}, {"value": [{"id": 1, "name": [], "properties": 3}]}, "text"]
)
def test_answers_that_make_no_sense_are_one_line(bed, body):
    bed.tell("GET ", httpx.Response(200, json=body), times=-1)
    for ask in (bed.logic_apps.list, bed.data_factories.list):
        with pytest.raises(AmlError) as caught:
            ask()
        assert "\n" not in str(caught.value)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("method", "path", "action", "role"),
    [
        ("POST", "Microsoft.Logic/workflows/a/enable", "Microsoft.Logic/workflows/enable/action", "Logic App Operator"),
        ("GET", "Microsoft.Logic/workflows", "Microsoft.Logic/workflows/read", "Logic App Operator"),
        (
            "POST",
            "Microsoft.Logic/workflows/a/triggers/t/run",
            "Microsoft.Logic/workflows/triggers/run/action",
            "Logic App Contributor",
        ),
        ("PUT", "Microsoft.Resources/deployments/d", "Microsoft.Resources/deployments/write", "Contributor"),
        (
            "GET",
            "Microsoft.DataFactory/factories/f/triggers",
            "Microsoft.DataFactory/factories/triggers/read",
            "Reader",
        ),
        (
            "POST",
            "Microsoft.DataFactory/factories/f/triggers/t/start",
            "Microsoft.DataFactory/factories/triggers/start/action",
            "Data Factory Contributor",
        ),
    ],
)
def test_a_missing_permission_is_told_from_the_path(method, path, action, role):
    found = action_for(method, "resource-manager", f"{GROUP}/{path}")
    assert found == action
    assert role_with(found) == role
    assert role_with("Microsoft.Authorization/roleAssignments/write") == "Role Based Access Control Administrator"
    assert action_for("GET", "resource-manager", "/subscriptions/s/resourceGroups/g").endswith("resourceGroups/read")
