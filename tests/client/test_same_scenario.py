"""The same client, the same scenario, twice: embedded in this process, and over TLS the way that leads to Azure.

The second way goes through the resource manager, discovery and the services of a region, with tokens, and gets no
answer that Azure would not give. Publishing is the one thing that a v1 client cannot do there with code of its own, so
the pipelines are published beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import aml_magics
from aml_magics.client.workspace import Workspace
from aml_magics.model.errors import Conflict, InvalidInput, NotFound
from aml_magics.model.resources import DataPath, RunStatus, Status, StepStatus
from tests.support.azure_bed import AzureBed, azure_bed

TRAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float)
parser.add_argument("--epochs", type=int)
print("rate", parser.parse_args().learning_rate)
"""
SLOW = "import time; print('begun', flush=True); time.sleep(600)"


@pytest.fixture
def bed(tmp_path, monkeypatch) -> Iterator[AzureBed]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with azure_bed(tmp_path) as made:
        made.ours.pipelines.publish(source=TRAIN, name="train", parameters={"learning_rate": 0.1, "epochs": 3})
        made.ours.pipelines.publish(
            source="import os; print(open(os.environ['AZUREML_DATAREFERENCE_input_data']).read())",
            name="read",
            data_paths=["input_data"],
        )
        made.ours.pipelines.publish(source=SLOW, name="slow")
        made.ours.datastores.upload("workspaceblobstore", b"the content", "incoming/day1.csv")
        yield made


@pytest.fixture(params=["embedded", "azure"])
def ws(bed, request) -> Iterator[Workspace]:
    if request.param == "embedded":
        yield bed.ours
        return
    with aml_magics.connect(**bed.options) as opened:
        assert not opened.is_embedded
        yield opened


def test_experiments_are_made_listed_and_found(ws):
    made = ws.experiments.create("MyExperiment")
    assert ws.experiments.create("MyExperiment") == made
    assert ws.experiments.list() == [made]
    assert ws.experiments.get("MyExperiment") == made
    with pytest.raises(NotFound, match="MyExperiment"):
        ws.experiments.get("MyExperimen")
    with pytest.raises(InvalidInput, match="cannot be an experiment's name"):
        ws.experiments.create("two words")


def test_datastores_are_listed_and_found(ws):
    (only,) = ws.datastores.list()
    assert (only.name, only.type, ws.datastores.default().name) == ("workspaceblobstore", "AzureBlob", only.name)
    assert ws.datastores.get("workspaceblobstore").name == only.name
    with pytest.raises(NotFound, match="workspaceblobstore"):
        ws.datastores.get("workspaceblobstor")


def test_pipelines_are_listed_found_and_put_out_of_use_and_back(ws):
    assert sorted(one.name for one in ws.pipelines.list()) == ["read", "slow", "train"]
    train = ws.pipelines.get("train")
    assert [(one.name, one.default) for one in train.parameters] == [("learning_rate", 0.1), ("epochs", 3)]
    assert ws.pipelines.get(train.id) == train
    assert [one.name for one in ws.pipelines.get("read").data_paths] == ["input_data"]
    assert [change.in_words() for change in ws.pipelines.disable("train")] == ["train: Active -> Disabled"]
    assert "train" not in [one.name for one in ws.pipelines.list()]
    with pytest.raises((Conflict, InvalidInput)):
        ws.pipelines.submit("train")
    assert ws.pipelines.enable("train")[0].value.status is Status.ACTIVE
    with pytest.raises(NotFound, match="train"):
        ws.pipelines.get("trian")


def test_a_run_is_submitted_waited_for_and_read(ws):
    run = ws.pipelines.submit("train", experiment_name="MyExperiment", parameters={"learning_rate": 0.5})
    ended = ws.runs.wait(run.id, timeout=60)
    assert ended.status is RunStatus.FINISHED, ws.runs.logs(run)
    assert ended.parameters["learning_rate"] == 0.5
    (step,) = ws.runs.steps(run)
    assert (step.name, step.status) == ("train", StepStatus.FINISHED)
    assert ws.runs.logs(run) == ws.runs.logs(run, step="train") == "rate 0.5\n"
    assert ws.runs.get(run.id[:8]) == ended
    assert ws.runs.list() == ws.runs.list(pipeline="train") == ws.runs.list(experiment="MyExperiment") == [ended]
    with pytest.raises(InvalidInput, match="learning_rat"):
        ws.pipelines.submit("train", parameters={"learning_rat": 1})
    assert len(ws.runs.list()) == 1


def test_a_run_gets_its_data(ws):
    run = ws.pipelines.submit("read", data_paths={"input_data": DataPath("workspaceblobstore", "incoming/day1.csv")})
    assert ws.runs.wait(run, timeout=60).status is RunStatus.FINISHED, ws.runs.logs(run)
    assert ws.runs.logs(run) == "the content\n"


def test_a_run_that_is_cancelled_ends(ws):
    run = ws.pipelines.submit("slow")
    assert next(ws.runs.follow(run)) == "begun\n"
    ws.runs.cancel(run)
    assert ws.runs.wait(run, timeout=60).status is RunStatus.CANCELED


def test_both_kinds_of_schedule_are_made_listed_and_switched(ws):
    recurring = ws.schedules.create(
        name="MyRecurringSchedule",
        description="Based on time",
        pipeline="train",
        experiment_name="MyExperiment",
        frequency="Minute",
        interval=15,
        start_time="2999-01-01T00:00:00",
        pipeline_parameters={"learning_rate": 0.25},
    )
    reactive = ws.schedules.create(
        name="MyReactiveSchedule",
        pipeline="read",
        experiment_name="MyExperiment",
        datastore="workspaceblobstore",
        path_on_datastore="incoming",
        polling_interval=60,
        data_path_parameter_name="input_data",
    )
    assert ws.schedules.list() == [reactive, recurring]
    assert ws.schedules.get("MyRecurringSchedule") == recurring
    assert recurring.pipeline_parameters == {"learning_rate": 0.25}
    assert ws.schedules.list(pipeline="read") == [reactive]
    assert ws.schedules.runs("MyRecurringSchedule") == []
    assert ws.schedules.last_run("MyRecurringSchedule") is None
    with pytest.raises(Conflict, match="MyRecurringSchedule"):
        ws.pipelines.disable("train")
    assert [change.in_words() for change in ws.schedules.disable("MyRecurringSchedule", "MyReactiveSchedule")] == [
        "MyRecurringSchedule: Active -> Disabled",
        "MyReactiveSchedule: Active -> Disabled",
    ]
    assert ws.schedules.list() == []
    assert [one.status for one in ws.schedules.list(active_only=False)] == [Status.DISABLED] * 2
    assert ws.schedules.enable("MyRecurringSchedule")[0].value.status is Status.ACTIVE
    assert [one.name for one in ws.schedules.list()] == ["MyRecurringSchedule"]


def test_making_a_schedule_again_gives_the_one_that_is_there(ws):
    options = {"pipeline": "train", "frequency": "Day", "start_time": "2999-01-01T00:00:00"}
    first = ws.schedules.create("s", **options)
    assert ws.schedules.create("s", **options) == first
    with pytest.raises(Conflict, match="frequency: Day -> Week"):
        ws.schedules.create("s", **options | {"frequency": "Week"})
    assert ws.schedules.list() == [first]


def test_a_schedule_that_starts_at_once_starts_a_run(ws):
    made = ws.schedules.create("now", pipeline="train", frequency="Day", experiment_name="MyExperiment")
    run = ws.runs.wait_for_schedule("now", timeout=60)
    assert (run.status, run.schedule_id) == (RunStatus.FINISHED, made.id)
    assert [one.id for one in ws.schedules.runs("now")] == [run.id]
    assert ws.schedules.last_run("now") == run
