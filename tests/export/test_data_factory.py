"""A schedule as a Data Factory pipeline: activity, linked service, the trigger it needs, v2 by Web activities."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from aml_magics.export.definitions import DataFactoryDefinition, definition_from
from aml_magics.export.source import Conditions, Source, Window
from aml_magics.model.errors import InvalidInput
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.resources import DataPath, Missed
from tests.support.exports import (
    CONTAINER,
    EVERY_QUARTER,
    NOW,
    PIPELINE,
    WORKDAYS,
    change,
    data_factory,
    embedded,
    on_azure,
)

FILE = "@join(skip(split(concat(pipeline().parameters.folderPath, '/', pipeline().parameters.fileName), '/'), 1), '/')"


def read(source: Source | None = None) -> DataFactoryDefinition:
    export = data_factory(source)
    found = definition_from(
        export.template, parameters=export.parameters["parameters"], values={"factoryName": "f"}, here=True
    )
    assert isinstance(found, DataFactoryDefinition)
    return found


def pipeline(source: Source | None = None) -> dict[str, Any]:
    return next(iter(read(source).pipelines.values()))


def trigger(source: Source | None = None) -> dict[str, Any]:
    (found,) = read(source).triggers.values()
    return found


def activity(source: Source | None = None) -> dict[str, Any]:
    """The one that runs the pipeline, within its condition if it has one."""
    first = pipeline(source)["activities"][0]
    return first["typeProperties"]["ifTrueActivities"][0] if first["type"] == "IfCondition" else first


def guard(source: Source) -> str:
    first = pipeline(source)["activities"][0]
    return first["typeProperties"]["expression"]["value"] if first["type"] == "IfCondition" else ""


def test_the_activity_has_the_pipeline_its_parameters_and_data_paths():
    found = activity(on_azure(changes={"continue_on_step_failure": False, "data_paths": {"o": DataPath("d", "x/y")}}))
    assert found["type"] == "AzureMLExecutePipeline"
    assert found["typeProperties"] == {
        "mlPipelineId": PIPELINE,
        "experimentName": "MyRestPipeline",
        "mlPipelineParameters": {"input_string": "@pipeline().parameters.input_string"},
        "dataPathAssignments": {
            "o": {"DataStoreName": "d", "RelativePath": "x/y"},
            "input_datapath": {"DataStoreName": "workspaceblobstore", "RelativePath": FILE},
        },
        "continueOnStepFailure": False,
    }
    assert found["policy"]["retry"] == 0  # a run that was started twice runs twice


def test_parameters_of_the_pipeline_can_be_given_by_hand_and_keep_their_values_otherwise():
    values = {"rate": 0.5, "a name": "x", "fileName": "mine", "at": "@x"}
    source = on_azure(WORKDAYS, changes={"pipeline_parameters": values})
    assert pipeline(source)["parameters"] == {
        "rate": {"type": "String", "defaultValue": "0.5"},
        "at": {"type": "String", "defaultValue": "@x"},
    }
    assert activity(source)["typeProperties"]["mlPipelineParameters"] == {
        "rate": "@pipeline().parameters.rate",
        "a name": "x",
        "fileName": "mine",
        "at": "@pipeline().parameters.at",
    }


def test_a_pipeline_endpoint_goes_by_its_id_and_a_version():
    source = on_azure(changes={"pipeline_id": "", "endpoint_id": "e1"}, endpoint_version="3")
    found = activity(source)["typeProperties"]
    assert (found["mlPipelineEndpointId"], found["version"]) == ("e1", "3")
    assert "mlPipelineId" not in found


def test_the_linked_service_is_by_the_factorys_own_identity():
    (service,) = read().linked_services.values()
    assert service["typeProperties"] == {
        "subscriptionId": "11111111-2222-3333-4444-555555555555",
        "resourceGroupName": "ml",
        "mlWorkspaceName": "ws",
        "authentication": "MSI",
    }


def test_files_start_it_by_events_and_the_path_is_handed_over():
    found = trigger(on_azure(change(path_on_datastore="in/new")))
    assert (found["type"], found["runtimeState"]) == ("BlobEventsTrigger", "Stopped")
    assert found["typeProperties"] == {
        "blobPathBeginsWith": "/my-container/blobs/in/new/",
        "ignoreEmptyBlobs": False,
        "scope": (
            "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/ml"
            "/providers/Microsoft.Storage/storageAccounts/mystorage"
        ),
        "events": ["Microsoft.Storage.BlobCreated"],
    }
    assert found["pipelines"][0]["parameters"] == {
        "folderPath": "@triggerBody().folderPath",
        "fileName": "@triggerBody().fileName",
    }


@pytest.mark.parametrize(
    ("on", "events"),
    [
        (("removed",), ["Microsoft.Storage.BlobDeleted"]),
        (("added", "removed"), ["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"]),
    ],
)
def test_kinds_of_change_are_events(on, events):
    assert trigger(on_azure(change(on=on)))["typeProperties"]["events"] == events


def test_sub_folders_are_asked_away_unless_they_are_wanted():
    assert guard(on_azure(change(path_on_datastore="in"))) == (
        "@contains(createArray('my-container/in'), pipeline().parameters.folderPath)"
    )
    assert guard(on_azure(change(path_on_datastore="in", recursive=True))) == ""
    assert guard(embedded()) == "@contains(createArray('localstore'), pipeline().parameters.folderPath)"


@pytest.mark.parametrize(
    ("pattern", "recursive", "begin", "end", "asked"),
    [
        ("*.csv", False, "", ".csv", ""),
        ("sales-*", False, "sales-", None, ""),
        ("sales-*", True, "", None, "startsWith"),
        ("sales-*.csv", False, "sales-", ".csv", "length"),
        ("*sales*", True, "", None, "contains"),
        ("a.csv", True, "", None, "equals"),
    ],
)
def test_a_pattern_is_the_ends_of_the_path_and_what_they_do_not_say_is_asked(pattern, recursive, begin, end, asked):
    source = on_azure(change(path_on_datastore="in", pattern=pattern, recursive=recursive))
    found = trigger(source)["typeProperties"]
    assert found["blobPathBeginsWith"] == f"/my-container/blobs/in/{begin}"
    assert found.get("blobPathEndsWith") == end
    assert (f"{asked}(" in guard(source)) if asked else ("fileName" not in guard(source))


def test_folders_have_a_trigger_each_but_not_those_within_another():
    source = on_azure(conditions=Conditions(folders=("a", "a/b", "c")))
    begins = [one["typeProperties"]["blobPathBeginsWith"] for one in read(source).triggers.values()]
    assert begins == ["/my-container/blobs/a/", "/my-container/blobs/c/"]
    assert guard(source) == (
        "@contains(createArray('my-container/a', 'my-container/a/b', 'my-container/c'), "
        "pipeline().parameters.folderPath)"
    )
    assert len(read(on_azure(conditions=Conditions(folders=("", "a")))).triggers) == 1


def test_one_run_for_a_folder_gets_the_folder_that_the_event_was_in():
    def path(source):
        return activity(source)["typeProperties"]["dataPathAssignments"]["input_datapath"]["RelativePath"]

    assert path(on_azure(change(per="batch", path_on_datastore="a"))) == "a"
    several = on_azure(change(per="batch"), conditions=Conditions(folders=("a", "b")))
    assert path(several) == "@join(skip(split(pipeline().parameters.folderPath, '/'), 1), '/')"


def test_a_window_is_asked_before_the_run():
    source = on_azure(WORKDAYS, conditions=Conditions(window=Window(begin=0, end=12 * 60), concurrency=4))
    assert guard(source).startswith("@and(greaterOrEquals(int(convertFromUtc(utcNow(), 'UTC', 'HHmm')), 0), less(")
    assert pipeline(source)["concurrency"] == 4


def test_times_start_it_by_a_schedule():
    found = trigger(on_azure(WORKDAYS))
    assert (found["type"], found["runtimeState"]) == ("ScheduleTrigger", "Stopped")
    assert found["typeProperties"]["recurrence"]["schedule"]["weekDays"][0] == "Monday"
    assert found["typeProperties"]["recurrence"]["startTime"] == f"{NOW:%Y-%m-%dT%H:%M:%S}"


def test_missed_all_is_windows_that_tumble_where_these_can_say_the_times():
    found = trigger(on_azure(EVERY_QUARTER, changes={"missed": Missed.ALL}))
    assert found["type"] == "TumblingWindowTrigger"
    assert found["pipeline"]["pipelineReference"]["referenceName"] == "MyReactiveSchedule"
    assert (found["typeProperties"]["frequency"], found["typeProperties"]["interval"]) == ("Minute", 15)
    for other in (
        Recurrence(frequency="Minute", interval=5),
        Recurrence(frequency="Hour", time_zone="Europe/Lisbon"),
        Recurrence(frequency="Day"),
    ):
        source = on_azure(other, changes={"missed": Missed.ALL})
        assert trigger(source)["type"] == "ScheduleTrigger"
        assert any("missed: all" in one for one in data_factory(source).differences)


def test_a_batch_endpoint_is_started_watched_and_its_failure_fails_the_pipeline():
    source = on_azure(
        change(recursive=True), batch_endpoint="scores", changes={"data_paths": {"o": DataPath("d", "x")}}
    )
    start, wait, verdict = pipeline(source)["activities"]
    assert start["typeProperties"]["url"] == "https://scores.westeurope.inference.ml.azure.com/jobs"
    assert start["typeProperties"]["authentication"] == {"type": "MSI", "resource": "https://ml.azure.com"}
    assert start["typeProperties"]["body"]["properties"]["InputData"] == {
        "input_string": {"JobInputType": "Literal", "Value": "@pipeline().parameters.input_string"},
        "o": {"JobInputType": "UriFolder", "Uri": "azureml://datastores/d/paths/x"},
        "input_datapath": {
            "JobInputType": "UriFile",
            "Uri": f"@concat('azureml://datastores/workspaceblobstore/paths/', {FILE[1:]})",
        },
    }
    assert start["policy"]["retry"] == 0  # a job that was started twice runs twice
    look = wait["typeProperties"]["activities"][1]["typeProperties"]
    assert look["authentication"]["resource"] == "https://management.azure.com/"
    assert look["url"].endswith(
        "/jobs/', last(split(activity('Start_job').output.id, '/')), '?api-version=2025-12-01')"
    )
    assert verdict["typeProperties"]["ifTrueActivities"][0]["type"] == "Fail"
    assert read(source).linked_services == {}


def test_what_is_known_of_the_factory_is_filled_in():
    export = data_factory(on_azure(factory="mine"))
    assert export.unknown == ()
    assert export.parameters["parameters"]["factoryName"] == {"value": "mine"}
    assert "/factories/mine/triggers/MyReactiveSchedule_trigger/start" in export.readme
    assert len(export.commands) == 4


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (on_azure(change()), "polling_interval"),
        (on_azure(change()), "sub-folders too; their pipeline runs end at once"),
        (on_azure(change(recursive=True)), "Sub-folders are seen"),
        (on_azure(batch_endpoint="b"), "Files in sub-folders start a job too"),
        (on_azure(change(per="batch")), "one run for each file"),
        (on_azure(change(on=("added",))), "BlobCreated"),
        (on_azure(change(min_size=10)), "min_size: 10"),
        (on_azure(change(settle=timedelta(seconds=9))), "settle"),
        (on_azure(change(append_only=True)), "append_only"),
        (on_azure(change(max_runs_per_poll=5)), "max_runs_per_poll"),
        (on_azure(change(pattern="*.csv")), "capital and small letters"),
        (on_azure(EVERY_QUARTER, changes={"missed": Missed.ONCE}), "missed: once"),
        (on_azure(EVERY_QUARTER, changes={"missed": Missed.ALL}), "TumblingWindowTrigger"),
        (on_azure(EVERY_QUARTER), "wants a start"),
        (on_azure(Recurrence(frequency="Hour", time_zone="Europe/Lisbon")), "summer time only at Day or coarser"),
        (on_azure(changes={"name": "my schedule"}), "called my_schedule"),
        (
            on_azure(batch_endpoint="b", changes={"continue_on_step_failure": True}),
            "continue_on_step_failure",
        ),
    ],
)
def test_what_cannot_be_carried_over_is_said(source, words):
    assert any(words in one for one in data_factory(source).differences)


def test_summer_time_is_no_matter_where_there_is_none_or_at_a_day():
    for other in (
        EVERY_QUARTER,
        Recurrence(frequency="Hour", time_zone="Asia/Tokyo"),
        Recurrence(frequency="Day", time_zone="Europe/Lisbon"),
    ):
        assert not any("summer" in one for one in data_factory(on_azure(other)).differences)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (on_azure(conditions=Conditions(concurrency=51)), "concurrency 51.*1 to 50"),
        (on_azure(conditions=Conditions(after="clean")), "only_after is for a Logic App.*dependsOn"),
        (on_azure(WORKDAYS, conditions=Conditions(folders=("a",))), "folders go with a datastore"),
        (on_azure(change(pattern="a?")), "cannot be said"),
        (on_azure(change(pattern="*x*"), batch_endpoint="b"), "cannot wait for conditions"),
        (on_azure(WORKDAYS, batch_endpoint="b", conditions=Conditions(window=Window(end=60))), "cannot wait for"),
    ],
)
def test_what_data_factory_cannot_do_is_refused_in_one_line(source, words):
    with pytest.raises(InvalidInput, match=words):
        data_factory(source)


def test_the_account_of_an_emulator_is_no_value_for_azure():
    from dataclasses import replace

    store = replace(CONTAINER, account="devstoreaccount1", url="http://127.0.0.1:10000/devstoreaccount1")
    export = data_factory(on_azure(datastore=store))
    assert "storageAccountName" in export.unknown
