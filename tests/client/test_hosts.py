"""What is beside a workspace as one list: all of it, or as much as can be seen, with one line on the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from aml_magics.client.hosts import Beside, see_beside
from aml_magics.model.resources import Host, Status
from tests.support import exports
from tests.support.arm_bed import ArmBed

NAME = "MyReactiveSchedule"


@pytest.fixture
def bed(tmp_path) -> Iterator[ArmBed]:
    made = ArmBed()
    made.stand_in.add_factory("etl")
    made.logic_apps.deploy(str(exports.written(exports.logic_app(), tmp_path / "l")), enable=True)
    made.data_factories.deploy(str(exports.written(exports.data_factory(), tmp_path / "f")))
    yield made
    assert made.stand_in.violations == []


def see(bed: ArmBed, *groups: str, seconds: float = 5.0) -> Beside:
    return bed.call(see_beside(bed.manager(), groups, seconds))


def test_both_hosts_are_seen_with_what_they_start_and_when(bed):
    seen = see(bed)
    assert seen.problem == ""
    app, trigger = seen.triggers
    assert (app.host, app.name, app.status, app.starts) == (Host.LOGIC_APP, NAME, Status.ACTIVE, (exports.URL,))
    assert app.next_fire is not None
    assert (trigger.host, trigger.name, trigger.owner) == (Host.DATA_FACTORY, f"{NAME}_trigger", "etl")
    assert (trigger.status, trigger.starts) == (Status.DISABLED, (exports.PIPELINE,))


def test_what_starts_nothing_of_a_workspace_is_not_one_of_its_schedules(bed):
    group = bed.stand_in.group()
    definition = {"triggers": {"r": {"type": "Recurrence"}}, "actions": {"mail": {"type": "Http", "inputs": {}}}}
    bed.stand_in.add(
        f"{group}/providers/Microsoft.Logic/workflows/mails",
        type="Microsoft.Logic/workflows",
        properties={"state": "Enabled", "definition": definition},
    )
    part = "Microsoft.DataFactory/factories"
    bed.stand_in.add(
        f"{group}/providers/{part}/etl/pipelines/p", type=f"{part}/pipelines", properties={"activities": []}
    )
    started = {"type": "ScheduleTrigger", "pipelines": [{"pipelineReference": {"referenceName": "p"}}]}
    bed.stand_in.add(f"{group}/providers/{part}/etl/triggers/t", type=f"{part}/triggers", properties=started)
    assert {one.name for one in see(bed).triggers} == {NAME, f"{NAME}_trigger"}


def test_other_groups_are_looked_into_when_they_are_named(bed, tmp_path):
    bed.logic_apps.deploy(str(tmp_path / "l"), resource_group="other")
    assert len(see(bed).triggers) == 2
    assert len(see(bed, "other", "group").triggers) == 3


def test_what_cannot_be_seen_is_one_line_and_the_rest_is_shown(bed):
    bed.tell("GET .*/Microsoft.Logic/workflows$", 403, times=-1, code="AuthorizationFailed", message="no right\nhere")
    seen = see(bed)
    assert [one.host for one in seen.triggers] == [Host.DATA_FACTORY]
    assert "\n" not in seen.problem
    assert "not all shown: no right here" in seen.problem
    assert "Microsoft.Logic/workflows/read: the role 'Logic App Operator'" in seen.problem


def test_nothing_can_be_seen_and_still_nothing_is_raised(bed):
    bed.tell("GET ", 403, times=-1, message="no right")
    seen = see(bed)
    assert seen.triggers == ()
    assert "(and 1 more)" in seen.problem
    bed.wire.tells.clear()
    bed.tell("GET ", httpx.ConnectError("no network"), times=-1)
    assert "cannot be reached" in see(bed).problem


def test_one_that_does_not_answer_costs_a_bounded_time(bed, monkeypatch):
    answer = bed.wire.handle_async_request

    async def hangs(request: httpx.Request) -> httpx.Response:
        if "Microsoft.DataFactory" in request.url.path:
            await asyncio.Event().wait()
        return await answer(request)

    monkeypatch.setattr(bed.wire, "handle_async_request", hangs)
    seen = see(bed, seconds=0.05)
    assert [one.host for one in seen.triggers] == [Host.LOGIC_APP]
    assert "did not tell within 0.05 s what is in 'group'" in seen.problem


def test_a_list_without_definitions_is_completed(bed, monkeypatch):
    (app,) = bed.stand_in.of_kind("Microsoft.Logic/workflows")
    bare = {**app, "properties": {"state": "Enabled"}}
    bed.tell("GET .*/Microsoft.Logic/workflows$", httpx.Response(200, json={"value": [bare]}))
    assert NAME in [one.name for one in see(bed).triggers]
