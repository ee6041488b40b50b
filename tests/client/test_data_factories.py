"""Data factories on Azure: what is started is stopped, edited and started again, and every run tells what it did."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from aml_magics.client.arm import StillGoing
from aml_magics.model.errors import Conflict, InvalidInput, NotFound, ServiceError
from aml_magics.model.resources import Status
from tests.client.test_logic_apps import PUT, line
from tests.support import exports
from tests.support.arm_bed import ArmBed
from tests.support.arm_stand_in import ML_RUN

NAME = "MyReactiveSchedule"
TRIGGER = f"{NAME}_trigger"


@pytest.fixture
def bed() -> Iterator[ArmBed]:
    made = ArmBed()
    made.stand_in.add_factory("etl")
    yield made
    assert made.stand_in.violations == []


@pytest.fixture
def folder(tmp_path):
    return exports.written(exports.data_factory(), tmp_path / f"{NAME}-data-factory")


@pytest.fixture
def started(bed, folder):
    bed.data_factories.deploy(str(folder), start=True)
    bed.wire.asked.clear()
    bed.stand_in.switched.clear()
    return bed


def test_a_new_one_is_made_once_in_the_only_factory_and_left_stopped(bed, folder):
    made = bed.data_factories.deploy(str(folder))
    assert (made.pipeline.name, made.pipeline.factory, dict(made.was)) == (NAME, "etl", {})
    assert [(one.name, one.status) for one in made.triggers] == [(TRIGGER, Status.DISABLED)]
    assert made.triggers[0].trigger == "blobs created in /my-container/blobs/"
    assert made.pipeline.starts == (exports.PIPELINE,)
    assert set(bed.stand_in.created.values()) == {1}
    assert bed.stand_in.switched == []


def test_start_and_roles_come_after_the_deployment(bed, folder):
    made = bed.data_factories.deploy(str(folder), start=True, roles=True)
    assert [one.status for one in made.triggers] == [Status.ACTIVE]
    assert [call.rpartition("/")[2] for call in bed.changes] == [
        f"data-factory-{NAME}",
        f"data-factory-{NAME}-roles",
        "start",
    ]


def test_a_plan_changes_nothing_and_stops_nothing(started, folder):
    assert {one.change for one in started.data_factories.plan(str(folder))} <= {"NoChange", "Modify"}
    assert started.changes == []
    assert started.stand_in.switched == []


def test_a_started_trigger_is_stopped_changed_and_started_again(started, folder):
    told: list[str] = []
    made = started.data_factories.deploy(str(folder), tell=told.append)
    assert [one.status for one in made.triggers] == [Status.ACTIVE]
    assert started.stand_in.switched == [f"stop {TRIGGER}", f"start {TRIGGER}"]
    assert "is stopped for the change" in told[0]


def test_it_is_started_again_also_when_the_deployment_fails(started, folder):
    started.stand_in.refused_resources[f"etl/{NAME}"] = {"code": "BadRequest", "message": "no such linked service"}
    with pytest.raises(ServiceError) as caught:
        started.data_factories.deploy(str(folder))
    assert "pipelines 'etl/MyReactiveSchedule': no such linked service" in line(caught.value)
    assert started.stand_in.switched == [f"stop {TRIGGER}", f"start {TRIGGER}"]


def test_one_that_cannot_be_started_again_is_named(started, folder):
    started.stand_in.refused_resources[f"etl/{NAME}"] = {"code": "BadRequest", "message": "no such linked service"}
    started.tell(f"POST .*/{TRIGGER}/start$", 500, times=-1)
    with pytest.raises(ServiceError) as caught:
        started.data_factories.deploy(str(folder))
    assert f"The trigger {TRIGGER!r} is stopped: start it again" in line(caught.value)
    assert "no such linked service" in str(caught.value)


def test_one_that_is_stopped_when_the_watch_ends_is_named(started, folder):
    started.stand_in.looks = 0
    started.tell(r"GET .*/operations/op\d+$", httpx.Response(200, json={"status": "Running"}), times=-1)
    with pytest.raises(StillGoing) as caught:
        started.data_factories.deploy(str(folder), timeout=10)
    assert TRIGGER in line(caught.value)
    assert started.stand_in.switched == [f"stop {TRIGGER}"]


def test_a_trigger_that_somebody_starts_meanwhile_fails_with_the_reason(bed, folder):
    bed.data_factories.deploy(str(folder))
    (trigger,) = bed.stand_in.of_kind("Microsoft.DataFactory/factories/triggers")

    def start(call: str) -> None:
        if call.startswith("PUT"):
            trigger["properties"]["runtimeState"] = "Started"

    bed.wire.hooks.append(start)
    with pytest.raises(ServiceError, match="needs to be disabled first"):
        bed.data_factories.deploy(str(folder))


def test_a_lost_answer_makes_nothing_twice(bed, folder):
    bed.tell(PUT, httpx.ReadTimeout("slow"), after=True)
    bed.data_factories.deploy(str(folder))
    assert bed.asked(PUT) == 1
    assert set(bed.stand_in.created.values()) == {1}


def test_a_conflict_leaves_the_trigger_as_it_was(started, folder):
    started.tell(PUT, 409, code="DeploymentActive")
    with pytest.raises(Conflict):
        started.data_factories.deploy(str(folder))
    assert started.stand_in.switched == [f"stop {TRIGGER}", f"start {TRIGGER}"]


def test_which_factory_is_asked_for_by_name_when_there_are_several_or_none(bed, folder):
    bed.stand_in.add_factory("other-one")
    with pytest.raises(InvalidInput, match=r"2 data factories.*--factory: etl, other-one"):
        bed.data_factories.deploy(str(folder))
    with pytest.raises(NotFound, match=r"no data factory 'elt'.*'etl'"):
        bed.data_factories.deploy(str(folder), factory="elt")
    with pytest.raises(InvalidInput, match="az datafactory create"):
        bed.data_factories.deploy(str(folder), resource_group="other")
    assert bed.data_factories.deploy(str(folder), factory="etl").pipeline.factory == "etl"
    assert bed.data_factories.list()[0].owner == "etl"


def test_switching_goes_by_the_trigger_or_by_its_pipeline(started):
    (off,) = started.data_factories.stop(NAME)
    assert (off.value.name, off.was, off.value.status) == (TRIGGER, Status.ACTIVE, Status.DISABLED)
    (again,) = started.data_factories.stop(TRIGGER)
    assert not again.changed
    with pytest.raises(NotFound, match=f"'{NAME}'"):
        started.data_factories.start("MyReactiveSchedul")
    assert started.stand_in.switched == [f"stop {TRIGGER}"]


def test_a_throttled_start_is_tried_again_since_twice_is_the_same(bed, folder):
    bed.data_factories.deploy(str(folder))
    bed.tell("POST .*/start$", 429, times=1, retry_after="7")
    (on,) = bed.data_factories.start(NAME)
    assert on.value.status is Status.ACTIVE
    assert 7.0 in bed.pauses
    assert bed.stand_in.switched == [f"start {TRIGGER}"]


def test_a_start_that_fails_is_one_line(bed, folder):
    bed.data_factories.deploy(str(folder))
    operation = {"status": "Failed", "error": {"code": "x", "message": "no right to subscribe\nto events"}}
    headers = {"azure-asyncoperation": "https://elsewhere.example/subscriptions/x/operations/9?api-version=1"}
    bed.tell("POST .*/start$", httpx.Response(202, headers=headers))
    bed.tell("GET .*/operations/9", httpx.Response(200, json=operation))
    with pytest.raises(ServiceError) as caught:
        bed.data_factories.start(NAME)
    assert "no right to subscribe to events" in line(caught.value)


def test_a_pipeline_is_started_once_with_its_parameters(started):
    fire = started.data_factories.fire
    given = {"folderPath": "c/in", "fileName": "a.csv"}
    assert fire(NAME, parameters=given) == "run-1"
    with pytest.raises(InvalidInput, match="needs fileName"):
        fire(NAME, parameters={"folderPath": "x"})
    with pytest.raises(InvalidInput, match=r"no parameter 'filename'.*'fileName'"):
        fire(NAME, parameters={**given, "filename": "x"})
    started.tell("POST .*/createRun$", httpx.ReadError("gone"), after=True)
    with pytest.raises(ServiceError, match="may have been carried out"):
        fire(NAME, parameters=given)
    started.tell("POST .*/createRun$", 429, times=-1, retry_after="1")
    with pytest.raises(ServiceError, match="in 1 s"):
        fire(NAME, parameters=given)
    assert started.stand_in.fired[NAME] == 2
    assert started.asked("POST .*/createRun$") == 3


def run(number: int, **more: object) -> dict[str, object]:
    return {
        "runId": f"r{number}",
        "pipelineName": NAME,
        "status": "Failed",
        "runStart": "2026-11-27T06:30:00.1234567Z",
        "runEnd": "2026-11-27T06:30:09Z",
        "invokedBy": {"name": TRIGGER, "invokedByType": "BlobEventsTrigger"},
        "message": "Activity Run_pipeline failed:\n403",
    } | more


@pytest.fixture
def watched(started):
    started.stand_in.page_size = 2
    started.stand_in.pipeline_runs = [run(number) for number in range(5)] + [run(9, pipelineName="other")]
    started.stand_in.trigger_runs = [
        {"triggerName": TRIGGER, "triggerRunTimestamp": f"2026-11-27T06:{30 - number}:00Z", **more}
        for number, more in enumerate(
            (
                {"status": "Succeeded", "triggeredPipelines": {NAME: "r0"}},
                {"status": "Failed", "message": "the concurrent-run cap is reached"},
                {"status": "Succeeded", "triggeredPipelines": {NAME: "r1"}},
            )
        )
    ]
    ml = {"activityName": "Run_pipeline", "activityType": "AzureMLExecutePipeline", "status": "Succeeded"}
    failed = {"activityName": "If_it_counts", "activityType": "IfCondition", "status": "Failed"}
    started.stand_in.activity_runs = {
        "r0": [{**ml, "output": {"Id": ML_RUN}, "error": {"message": ""}}],
        "r1": [{**failed, "error": {"errorCode": "403", "message": "no right to\nsubmit"}}],
    }
    return started


def test_runs_come_newest_first_and_page_by_page(watched):
    runs = watched.data_factories.runs(NAME, limit=3)
    assert [one.id for one in runs] == ["r0", "r1", "r2"]
    assert (runs[0].status, runs[0].trigger) == ("Failed", TRIGGER)
    assert runs[0].error == "Activity Run_pipeline failed: 403"
    assert len(watched.data_factories.runs(TRIGGER)) == 5


def test_the_activities_of_a_run_say_what_failed_and_what_was_started(watched):
    (work,) = watched.data_factories.work("r1")
    assert (work.name, work.kind, work.status, work.error) == (
        "If_it_counts",
        "IfCondition",
        "Failed",
        "no right to submit",
    )
    (work,) = watched.data_factories.work("r0")
    assert (work.ml_run_id, work.error) == (ML_RUN, "")
    with pytest.raises(NotFound, match="no run 'r7'"):
        watched.data_factories.work("r7")


def test_the_history_of_a_pipeline_is_that_of_its_triggers(watched):
    checks = watched.data_factories.history(NAME)
    assert [one.fired for one in checks] == [True, False, True]
    assert [one.ml_run_id for one in checks] == [ML_RUN, "", ""]
    assert checks[1].reason == "the concurrent-run cap is reached"
    assert [one.run_id for one in watched.data_factories.history(TRIGGER, limit=1)] == ["r0"]


def test_a_pipeline_and_its_triggers_go_by_either_name(watched):
    for name in (NAME, TRIGGER):
        pipeline, triggers = watched.data_factories.get(name)
        assert (pipeline.name, [one.name for one in triggers]) == (NAME, [TRIGGER])
    with pytest.raises(NotFound, match="no pipeline and no trigger 'x'"):
        watched.data_factories.get("x")
