"""Logic Apps on Azure: deployed once whatever happens on the way, switched, and asked why they did not fire."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from aml_magics.background import Background
from aml_magics.client.arm import StillGoing
from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound, ServiceError
from aml_magics.model.resources import Status
from tests.support import exports
from tests.support.arm_bed import ArmBed
from tests.support.arm_stand_in import ML_RUN, PRINCIPAL

NAME = "MyReactiveSchedule"
PUT = r"PUT .*/deployments/"
TRIGGER = "When_a_blob_is_added_or_modified_(properties_only)_(V2)"


@pytest.fixture
def bed() -> Iterator[ArmBed]:
    made = ArmBed()
    yield made
    assert made.stand_in.violations == []


@pytest.fixture
def folder(tmp_path):
    return exports.written(exports.logic_app(), tmp_path / f"{NAME}-logic-app")


@pytest.fixture
def deployed(bed, folder):
    bed.logic_apps.deploy(str(folder), enable=True)
    bed.wire.asked.clear()
    return bed


def line(error: AmlError) -> str:
    """The error as a person sees it: one line with a way out."""
    text = str(error)
    assert "\n" not in text
    assert error.hint, text
    return text


def test_a_new_one_is_checked_made_once_and_left_disabled(bed, folder):
    made = bed.logic_apps.deploy(str(folder))
    assert (made.app.name, made.app.status, made.was) == (NAME, Status.DISABLED, None)
    assert made.app.principal == PRINCIPAL
    assert made.app.triggers == {TRIGGER: "changes in /my-container, looks every 5 minutes"}
    assert made.app.starts == (exports.URL,)
    assert bed.asked("/validate$") == 2  # the template, and the workflow in it
    assert len(bed.changes) == 1
    assert set(bed.stand_in.created.values()) == {1}


def test_enable_comes_after_the_deployment_and_roles_are_a_deployment_of_their_own(bed, folder):
    made = bed.logic_apps.deploy(str(folder), enable=True, roles=True)
    assert made.app.status is Status.ACTIVE
    assert [call.rpartition("/")[2] for call in bed.changes] == [
        f"logic-app-{NAME}",
        f"logic-app-{NAME}-roles",
        "enable",
    ]
    assert bed.stand_in.switched == [f"enable {NAME}"]
    scopes = sorted(one["id"].rpartition("/")[2] for one in bed.stand_in.of_kind("Microsoft.Resources/deployments"))
    assert scopes == ["aml-magics-role-on-storage", "aml-magics-role-on-workspace"]


def test_one_that_is_enabled_stays_so_when_it_is_deployed_again(deployed, folder):
    made = deployed.logic_apps.deploy(str(folder))
    assert (made.was, made.app.status) == (Status.ACTIVE, Status.ACTIVE)
    assert deployed.stand_in.switched == [f"enable {NAME}"]


def test_a_plan_says_what_would_be_made_and_makes_nothing(bed, folder):
    plan = bed.logic_apps.plan(str(folder))
    assert [(one.change, one.kind) for one in plan] == [
        ("Create", "Microsoft.Web/connections"),
        ("Create", "Microsoft.Logic/workflows"),
    ]
    assert bed.changes == []
    assert bed.stand_in.resources == {}


def test_a_plan_of_a_change_names_what_differs_and_switches_nothing_off(deployed, folder):
    text = (folder / "template.json").read_text().replace('"interval": 5', '"interval": 10')
    (folder / "template.json").write_text(text)
    plan = {one.kind: one for one in deployed.logic_apps.plan(str(folder))}
    assert plan["Microsoft.Web/connections"].change == "NoChange"
    changed = plan["Microsoft.Logic/workflows"]
    assert changed.change == "Modify"
    assert any(one.startswith("properties.definition: ") for one in changed.differences)
    assert not any("state" in one for one in changed.differences)
    assert deployed.changes == []


def test_the_folder_goes_by_the_name_of_what_was_exported(bed, folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert bed.logic_apps.plan(NAME)
    assert bed.logic_apps.plan(f"{folder}/template.json")
    with pytest.raises(NotFound, match=r"no export 'Other'.*%aml export logic-app"):
        bed.logic_apps.plan("Other")


def test_an_export_of_the_other_kind_is_told_where_to_go(bed, tmp_path):
    folder = exports.written(exports.data_factory(), tmp_path / "x")
    with pytest.raises(InvalidInput, match="%aml data-factory deploy"):
        bed.logic_apps.plan(str(folder), parameters={"factoryName": "etl"})


def test_values_that_are_missing_or_unknown_are_named_before_azure_is_asked(bed, tmp_path):
    folder = exports.written(exports.logic_app(exports.embedded()), tmp_path / "x")
    with pytest.raises(InvalidInput) as caught:
        bed.logic_apps.deploy(str(folder))
    assert "pipelineEndpoint" in line(caught.value)
    with pytest.raises(InvalidInput, match=r"--parameter pipelineEndpoin: .*'pipelineEndpoint'"):
        bed.logic_apps.deploy(str(folder), parameters={"pipelineEndpoin": "x"})
    assert bed.asked("/deployments/") == 0


def test_what_azure_refuses_is_one_line_with_its_innermost_reason_and_makes_nothing(bed, folder):
    template = json.loads((folder / "template.json").read_text())
    template["resources"][-1]["properties"]["state"] = "Sleeping"
    (folder / "template.json").write_text(json.dumps(template))
    with pytest.raises(InvalidInput) as caught:
        bed.logic_apps.deploy(str(folder))
    assert "Sleeping" in line(caught.value)
    assert bed.changes == []


def test_what_logic_apps_refuse_is_one_line_too(bed, folder):
    template = json.loads((folder / "template.json").read_text())
    del template["resources"][-1]["properties"]["definition"]["$schema"]
    (folder / "template.json").write_text(json.dumps(template))
    with pytest.raises(InvalidInput) as caught:
        bed.logic_apps.deploy(str(folder))
    assert "Logic Apps refuses the definition" in line(caught.value)
    assert bed.changes == []


def test_a_deployment_that_fails_names_the_resource_and_the_reason(bed, folder):
    error = {"code": "Forbidden", "details": [{"code": "x", "message": "the plan allows no connections"}]}
    bed.stand_in.refused_resources["Microsoft.Web/connections"] = error
    with pytest.raises(ServiceError) as caught:
        bed.logic_apps.deploy(str(folder), enable=True)
    assert "connections 'azureblob': the plan allows no connections" in line(caught.value)
    assert bed.stand_in.switched == []


def test_another_deployment_of_the_same_name_is_a_conflict_with_a_way_out(bed, folder):
    active = "Unable to edit or replace deployment 'x': previous deployment is still active."
    bed.tell(PUT, 409, code="DeploymentActive", message=active)
    with pytest.raises(Conflict) as caught:
        bed.logic_apps.deploy(str(folder))
    assert "az deployment group cancel" in line(caught.value)
    assert bed.stand_in.created.total() == 0


def test_one_that_is_under_way_is_waited_for_before_it_is_deployed_again(bed, folder):
    told: list[str] = []
    bed.stand_in.looks = 2
    with pytest.raises(StillGoing, match="Run the same line again"):
        bed.logic_apps.deploy(str(folder), timeout=-1)
    assert bed.asked(PUT) == 1
    bed.logic_apps.deploy(str(folder), tell=told.append)
    assert any("under way" in one for one in told)
    assert set(bed.stand_in.created.values()) == {2}


@pytest.mark.parametrize("fault", ["lost", 500, 503])
def test_a_lost_answer_is_looked_for_and_nothing_is_made_twice(bed, folder, fault):
    answer = httpx.ReadError("gone") if fault == "lost" else fault
    bed.tell(PUT, answer, after=True)
    told: list[str] = []
    made = bed.logic_apps.deploy(str(folder), tell=told.append)
    assert made.app.name == NAME
    assert bed.asked(PUT) == 1
    assert set(bed.stand_in.created.values()) == {1}
    assert any("was lost" in one for one in told)


def test_a_put_that_did_not_arrive_says_so_and_is_not_sent_again(bed, folder):
    bed.tell(PUT, httpx.ReadError("gone"))
    with pytest.raises(ServiceError) as caught:
        bed.logic_apps.deploy(str(folder))
    assert "not begun" in line(caught.value)
    assert bed.asked(PUT) == 1
    assert bed.stand_in.created.total() == 0


def test_an_older_deployment_of_the_same_name_is_not_taken_for_the_lost_one(deployed, folder):
    deployed.tell(PUT, httpx.ReadError("gone"))
    with pytest.raises(ServiceError, match="not begun"):
        deployed.logic_apps.deploy(str(folder))
    deployed.tell(PUT, httpx.ReadError("gone"), after=True)
    assert deployed.logic_apps.deploy(str(folder)).was is Status.ACTIVE
    assert set(deployed.stand_in.created.values()) == {2}


def test_an_interrupt_ends_the_watch_and_the_next_time_finds_the_deployment(bed, folder):
    async def interrupt() -> None:
        if bed.asked(PUT):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()  # until it is cancelled

    background = Background("aml-arm-bed")
    try:
        bed.connection.call = background.call
        bed.stand_in.looks = 3
        bed.on_sleep = interrupt
        with pytest.raises(KeyboardInterrupt):
            bed.logic_apps.deploy(str(folder))
        bed.on_sleep = None
        told: list[str] = []
        assert bed.logic_apps.deploy(str(folder), tell=told.append).app.name == NAME
        assert any("was under way" in one for one in told)
        assert bed.asked(PUT) == 2
    finally:
        background.stop()


def test_whether_it_was_begun_may_be_unknown_and_the_next_time_finds_out(bed, folder):
    bed.tell(PUT, httpx.ReadError("gone"), after=True)
    bed.wire.hooks.append(
        lambda call: bed.tell("GET .*/deployments/", 503, times=9) if call.startswith("PUT") else None
    )
    with pytest.raises(ServiceError) as caught:
        bed.logic_apps.deploy(str(folder))
    assert "cannot be told now" in line(caught.value)
    assert bed.asked(PUT) == 1
    bed.wire.hooks.clear()
    bed.wire.tells.clear()
    assert bed.logic_apps.deploy(str(folder)).app.name == NAME


def test_a_deployment_that_cannot_be_watched_goes_on(bed, folder):
    bed.tell(r"GET .*/operations/op1$", 403, times=-1, message="no right to look")
    with pytest.raises(StillGoing) as caught:
        bed.logic_apps.deploy(str(folder))
    assert "cannot be watched: no right to look. It goes on on Azure" in line(caught.value)


def test_a_put_that_is_throttled_is_sent_again_when_azure_says(bed, folder):
    bed.tell(PUT, 429, times=2, retry_after="40")
    bed.logic_apps.deploy(str(folder))
    assert bed.pauses.count(40.0) == 2
    assert set(bed.stand_in.created.values()) == {1}


def test_a_throttle_without_end_ends_in_one_line(bed, folder):
    bed.tell(PUT, 429, times=-1, retry_after="100")
    with pytest.raises(ServiceError) as caught:
        bed.logic_apps.deploy(str(folder))
    assert "100 s" in line(caught.value)
    assert bed.stand_in.created.total() == 0
    assert bed.now <= 1000


def test_looks_that_fail_on_the_way_do_not_end_the_watch(bed, folder):
    bed.tell(r"GET .*/operations/op1$", 500, times=6)
    assert bed.logic_apps.deploy(str(folder)).app.name == NAME


def test_the_watch_ends_by_its_deadline_and_the_deployment_goes_on(bed, folder):
    bed.stand_in.looks = 0
    bed.tell(r"GET .*/operations/op\d+$", httpx.Response(200, json={"status": "Running"}), times=-1)
    with pytest.raises(StillGoing) as caught:
        bed.logic_apps.deploy(str(folder), timeout=30)
    assert "goes on on Azure" in line(caught.value)
    assert 20 <= bed.now <= 30


def test_no_right_names_the_permission_and_the_role(bed, folder):
    action = "Microsoft.Logic/workflows/write"
    message = f"The client 'ada' does not have authorization to perform action '{action}' over scope '/x'."
    bed.tell(PUT, 403, code="AuthorizationFailed", message=message)
    with pytest.raises(ServiceError) as caught:
        bed.logic_apps.deploy(str(folder))
    assert f"The missing permission is {action}: the role 'Logic App Contributor'" in line(caught.value)


def test_a_group_that_is_not_there_is_named(bed, folder):
    with pytest.raises(NotFound) as caught:
        bed.logic_apps.deploy(str(folder), resource_group="nowhere")
    assert "no resource group 'nowhere'" in line(caught.value)
    bed.logic_apps.deploy(str(folder), resource_group="other")
    assert [one.name for one in bed.logic_apps.list(resource_group="other")] == [NAME]
    assert bed.logic_apps.list() == []


def test_switching_says_what_it_was_and_looks_all_names_up_first(deployed):
    with pytest.raises(NotFound, match=f"'{NAME}'"):
        deployed.logic_apps.disable(NAME, "MyReactiveSchedul")
    assert deployed.changes == []
    (off,) = deployed.logic_apps.disable(NAME)
    assert (off.was, off.value.status, off.changed) == (Status.ACTIVE, Status.DISABLED, True)
    (again,) = deployed.logic_apps.disable(NAME)
    assert not again.changed
    (by_id,) = deployed.logic_apps.disable(again.value.id)
    assert by_id.value.name == NAME
    with pytest.raises(NotFound) as caught:
        deployed.logic_apps.disable(f"{again.value.id}x")
    assert line(caught.value)
    assert deployed.stand_in.switched == [f"enable {NAME}", f"disable {NAME}"]


def check(fired: bool, status: str, minute: int, **more: object) -> dict[str, object]:
    properties = {"startTime": f"2026-11-27T06:{minute:02}:00.1234567Z", "status": status, "fired": fired, **more}
    return {"name": f"h{minute}", "properties": properties}


@pytest.fixture
def watched(deployed):
    """Five checks on two pages: nothing, a fire that ran, nothing, a fire that was refused, and a failure."""
    run = {"name": "0858400A", "type": "Microsoft.Logic/workflows/runs"}
    refused = {"name": "0858400B"}
    deployed.stand_in.page_size = 2
    deployed.stand_in.histories[NAME] = [
        check(False, "Skipped", 25, code="Accepted"),
        check(True, "Succeeded", 20, code="OK", run=run),
        check(False, "Skipped", 15, code="Accepted"),
        check(True, "Succeeded", 10, code="OK", run=refused),
        check(False, "Failed", 5, code="Forbidden", error={"code": "x", "message": "no right to\nlist blobs"}),
    ]
    deployed.stand_in.add_action("0858400A", "Run_pipeline", "Succeeded", {"statusCode": 200, "body": {"Id": ML_RUN}})
    said = {"statusCode": 403, "body": {"error": {"code": "Forbidden", "message": "no right to submit"}}}
    deployed.stand_in.add_action("0858400B", "Run_pipeline", "Failed", said)
    return deployed


def test_the_history_has_every_check_with_the_reason_and_the_run(watched):
    checks = watched.logic_apps.history(NAME)
    assert [one.fired for one in checks] == [False, True, False, True, False]
    assert [one.ml_run_id for one in checks] == ["", ML_RUN, "", "", ""]
    assert checks[0].reason == "it looked and found nothing that fires it"
    assert checks[3].reason == "403 no right to submit"
    assert checks[4].reason == "no right to list blobs"
    assert checks[0].at is not None
    assert checks[0].at.minute == 25
    assert len(watched.logic_apps.history(NAME, limit=3)) == 3
    with pytest.raises(InvalidInput, match="no trigger 'Other'"):
        watched.logic_apps.history(NAME, trigger="Other")


def test_a_history_without_the_outputs_is_a_history_all_the_same(watched):
    watched.tell("/outputs/", 500, times=-1)
    checks = watched.logic_apps.history(NAME)
    assert [one.fired for one in checks] == [False, True, False, True, False]
    assert not any(one.ml_run_id for one in checks)


def test_runs_and_what_happened_in_one(watched):
    watched.stand_in.runs[NAME] = [
        {"name": f"run{n}", "properties": {"status": "Failed", "startTime": "2026-11-27T06:30:00Z",
         "endTime": "2026-11-27T06:30:04Z", "code": "ActionFailed", "error": {"code": "ActionFailed", "message": "one"},
         "trigger": {"name": TRIGGER}}}
        for n in range(5)
    ]  # fmt: skip
    runs = watched.logic_apps.runs(NAME, limit=3)
    assert [one.id for one in runs] == ["run0", "run1", "run2"]
    assert (runs[0].status, runs[0].code, runs[0].error, runs[0].trigger) == ("Failed", "ActionFailed", "one", TRIGGER)
    (action,) = watched.logic_apps.work(NAME, "0858400B")
    assert (action.name, action.status, action.error) == ("Run_pipeline", "Failed", "403 no right to submit")
    (action,) = watched.logic_apps.work(NAME, "0858400A")
    assert action.ml_run_id == ML_RUN
    with pytest.raises(NotFound, match=r"no run 'x'.*%aml logic-app runs"):
        watched.logic_apps.work(NAME, "x")


def test_a_trigger_is_fired_once_whatever_becomes_of_the_answer(deployed):
    assert deployed.logic_apps.fire(NAME) == "08584000000000000001"
    deployed.tell("POST .*/run$", httpx.ReadError("gone"), after=True)
    with pytest.raises(ServiceError) as caught:
        deployed.logic_apps.fire(NAME)
    assert "may have been carried out" in line(caught.value)
    deployed.tell("POST .*/run$", 429, times=-1, retry_after="1")
    with pytest.raises(ServiceError):
        deployed.logic_apps.fire(NAME)
    assert deployed.stand_in.fired.total() == 2
    assert deployed.asked("POST .*/run$") == 3
