"""A schedule as a Logic App: the article's workflow, right where people go wrong, and conditions beyond v1."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from aml_magics.export.definitions import definition_from
from aml_magics.export.logic_app import BLOB_TRIGGER
from aml_magics.export.source import Conditions, Place, Source, Window
from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import DataPath, Missed, Status
from aml_magics.wire.v1 import submission_from
from tests.support.exports import EVERY_QUARTER, URL, WORKDAYS, change, embedded, logic_app, on_azure


def definition(source: Source | None = None) -> dict[str, Any]:
    export = logic_app(source)
    known = {"parameters": export.parameters["parameters"], "values": {"location": "westeurope"}}
    return definition_from(export.template, here=True, **known).definition


def trigger(source: Source | None = None, name: str = BLOB_TRIGGER) -> dict[str, Any]:
    return definition(source)["triggers"][name]


def run(source: Source | None = None) -> dict[str, Any]:
    return definition(source)["actions"]["Run_pipeline"]["inputs"]


def test_the_body_is_the_articles():
    assert run()["body"] == {
        "DataPathAssignments": {
            "input_datapath": {"DataStoreName": "workspaceblobstore", "RelativePath": "@{triggerBody()?['Name']}"}
        },
        "ExperimentName": "MyRestPipeline",
        "ParameterAssignments": {"input_string": "sample_string3"},
        "RunSource": "SDK",
    }


def test_the_body_is_one_that_the_workspace_takes():
    sent = submission_from(run(on_azure(changes={"continue_on_step_failure": True}))["body"])
    assert (sent.experiment_name, sent.source, sent.continue_on_step_failure) == ("MyRestPipeline", "SDK", True)
    assert sent.data_paths["input_datapath"].datastore == "workspaceblobstore"


def test_it_posts_to_the_published_pipeline_by_its_own_identity_with_the_audience_spelled_out():
    asked = run()
    assert (asked["method"], asked["uri"]) == ("POST", URL)
    assert asked["authentication"] == {
        "type": "ManagedServiceIdentity",
        "audience": "https://management.azure.com/",
    }
    china = Place(manager="https://management.chinacloudapi.cn")
    assert run(on_azure(place=china))["authentication"]["audience"] == "https://management.chinacloudapi.cn/"


def test_it_is_disabled_and_has_an_identity_of_its_own():
    workflow = next(one for one in logic_app().template["resources"] if one["type"] == "Microsoft.Logic/workflows")
    assert workflow["properties"]["state"] == "Disabled"
    assert workflow["identity"] == {"type": "SystemAssigned"}
    assert workflow["apiVersion"] == "2019-05-01"


def test_the_connection_is_by_managed_identity_on_both_of_its_sides():
    connection, workflow = logic_app().template["resources"]
    assert connection["properties"]["parameterValueSet"] == {"name": "managedIdentityAuth", "values": {}}
    value = workflow["properties"]["parameters"]["$connections"]["value"]["azureblob"]
    assert value["connectionProperties"] == {"authentication": {"type": "ManagedServiceIdentity"}}
    assert workflow["dependsOn"] == [value["connectionId"]]


@pytest.mark.parametrize(
    ("folder", "decoded", "shown"),
    [
        ("", "%2fmy-container", "/my-container"),
        ("incoming", "%2fmy-container%2fincoming", "/my-container/incoming"),
        ("in/new files", "%2fmy-container%2fin%2fnew%20files", "/my-container/in/new files"),
        ("café", "%2fmy-container%2fcaf%c3%a9", "/my-container/café"),
    ],
)
def test_the_folder_id_is_base64_of_the_encoded_path_and_the_designer_is_told_its_name(folder, decoded, shown):
    found = trigger(on_azure(change(path_on_datastore=folder)))
    id_ = found["inputs"]["queries"]["folderId"]
    assert base64.b64decode(id_).decode() == decoded
    assert found["metadata"] == {id_: shown}


def test_in_a_folder_the_data_path_is_the_path_without_the_container_and_the_name_only_at_the_root():
    in_folder = run(on_azure(change(path_on_datastore="incoming")))["body"]["DataPathAssignments"]["input_datapath"]
    assert in_folder["RelativePath"] == "@{join(skip(split(triggerBody()?['Path'], '/'), 2), '/')}"
    both = on_azure(conditions=Conditions(folders=("", "late")))
    assert "Path" in run(both)["body"]["DataPathAssignments"]["input_datapath"]["RelativePath"]


def test_one_run_per_file_splits_what_a_poll_finds_and_one_per_batch_does_not():
    assert trigger()["splitOn"] == "@triggerBody()"
    batch = on_azure(change(per="batch", path_on_datastore="incoming"))
    assert "splitOn" not in trigger(batch)
    assert trigger(batch)["inputs"]["queries"]["maxFileCount"] == 100
    assert run(batch)["body"]["DataPathAssignments"]["input_datapath"]["RelativePath"] == "incoming"


def test_the_trigger_is_the_one_of_version_two_on_the_account():
    found = trigger()["inputs"]
    assert found["path"].startswith(
        "/v2/datasets/@{encodeURIComponent(encodeURIComponent('mystorage'))}/triggers/batch/"
    )
    assert (found["method"], found["queries"]["checkBothCreatedAndModifiedDateTime"]) == ("get", False)


@pytest.mark.parametrize(
    ("interval", "recurrence"),
    [
        (timedelta(minutes=5), {"frequency": "Minute", "interval": 5}),
        (timedelta(hours=2), {"frequency": "Hour", "interval": 2}),
        (timedelta(days=1), {"frequency": "Day", "interval": 1}),
        (timedelta(seconds=90), {"frequency": "Second", "interval": 90}),
        (timedelta(milliseconds=200), {"frequency": "Second", "interval": 1}),
    ],
)
def test_the_polling_interval_is_the_recurrence(interval, recurrence):
    assert trigger(on_azure(change(polling_interval=interval)))["recurrence"] == recurrence


def test_several_folders_are_a_trigger_each():
    found = definition(on_azure(conditions=Conditions(folders=("a", "b/c"))))["triggers"]
    assert list(found) == [BLOB_TRIGGER, f"{BLOB_TRIGGER}_2"]
    assert [next(iter(one["metadata"].values())) for one in found.values()] == ["/my-container/a", "/my-container/b/c"]


def test_pattern_size_window_and_concurrency_are_asked_by_the_trigger_of_each_file():
    window = Window(begin=8 * 60, end=18 * 60 + 30, days=("Monday", "Sunday"), time_zone="W. Europe Standard Time")
    found = trigger(
        on_azure(change(pattern="sales-*.csv", min_size=1024), conditions=Conditions(window=window, concurrency=3))
    )
    local = "convertFromUtc(utcNow(), 'W. Europe Standard Time'"
    assert [one["expression"] for one in found["conditions"]] == [
        "@startsWith(triggerBody()?['Name'], 'sales-')",
        "@endsWith(triggerBody()?['Name'], '.csv')",
        "@greaterOrEquals(length(triggerBody()?['Name']), 10)",
        "@greaterOrEquals(triggerBody()?['Size'], 1024)",
        f"@and(greaterOrEquals(int({local}, 'HHmm')), 800), less(int({local}, 'HHmm')), 1830))",
        f"@contains(createArray(1, 0), dayOfWeek({local})))",
    ]
    assert found["runtimeConfiguration"] == {"concurrency": {"runs": 3}}


def test_a_window_over_midnight_is_before_or_after_it():
    found = trigger(on_azure(conditions=Conditions(window=Window(begin=22 * 60, end=6 * 60))))
    assert found["conditions"][0]["expression"].startswith("@or(greaterOrEquals(")


@pytest.mark.parametrize(
    ("pattern", "condition"),
    [
        ("*.csv", "endsWith(item()?['Name'], '.csv')"),
        ("**.csv", "endsWith(item()?['Name'], '.csv')"),
        ("a.csv", "equals(item()?['Name'], 'a.csv')"),
        ("*it's*", "contains(item()?['Name'], 'it''s')"),
    ],
)
def test_a_batch_is_filtered_by_an_action_and_run_when_something_is_left(pattern, condition):
    actions = definition(on_azure(change(per="batch", pattern=pattern)))["actions"]
    assert actions["Files_that_count"]["inputs"] == {"from": "@triggerBody()", "where": f"@{condition}"}
    branch = actions["If_some_count"]
    assert branch["expression"] == "@greater(length(body('Files_that_count')), 0)"
    assert branch["runAfter"] == {"Files_that_count": ["Succeeded"]}
    assert list(branch["actions"]) == ["Run_pipeline"]


@pytest.mark.parametrize("pattern", ["a*b*c", "[ab]*", "?.csv"])
def test_a_pattern_that_workflows_cannot_say_is_refused_with_some_that_they_can(pattern):
    with pytest.raises(
        InvalidInput, match=r"cannot be said in the language of workflows\. Write one such as '\*\.csv'"
    ):
        logic_app(on_azure(change(pattern=pattern)))


def test_only_after_another_asks_for_its_newest_run_first():
    after = Conditions(after="clean data", after_runs="https://x/PipelineRuns/Pipeline/p2")
    actions = definition(on_azure(conditions=after))["actions"]
    asked = actions["Runs_of_clean_data"]["inputs"]
    assert (asked["method"], asked["uri"]) == ("GET", "https://x/PipelineRuns/Pipeline/p2")
    assert asked["authentication"]["audience"] == "https://management.azure.com/"
    branch = actions["If_it_succeeded"]
    assert branch["runAfter"] == {"Runs_of_clean_data": ["Succeeded"]}
    newest = "last(sort(body('Runs_of_clean_data'), 'CreatedDate'))"
    assert branch["expression"] == f"@equals({newest}?['Status']?['StatusCode'], 'Finished')"


def test_values_are_text_that_is_never_taken_for_an_expression():
    values = {"a": "@triggerBody()", "b": "x@{1}", "c": 0.5, "d": True, "e": "[parameters('location')]", "f": "@{1}"}
    body = run(on_azure(changes={"pipeline_parameters": values, "data_paths": {"other": DataPath("d", "@x")}}))["body"]
    assert body["ParameterAssignments"] == {
        "a": "@@triggerBody()", "b": "x@@{1}", "c": "0.5", "d": "True", "e": "[parameters('location')]", "f": "@@{1}",
    }  # fmt: skip
    assert body["DataPathAssignments"]["other"] == {"DataStoreName": "d", "RelativePath": "@@x"}


def test_a_time_schedule_is_a_recurrence_without_a_connection():
    export = logic_app(on_azure(WORKDAYS))
    assert [one["type"] for one in export.template["resources"]] == ["Microsoft.Logic/workflows"]
    found = trigger(on_azure(WORKDAYS), "Recurrence")
    assert found == {
        "type": "Recurrence",
        "recurrence": {
            "frequency": "Week",
            "interval": 1,
            "startTime": "2026-11-27T18:45:00",
            "timeZone": "GMT Standard Time",
            "schedule": {
                "hours": [6],
                "minutes": [30],
                "weekDays": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
            },
        },
    }


def test_what_is_not_known_is_a_parameter_without_a_value_and_said_in_the_commands():
    export = logic_app(embedded())
    assert set(export.unknown) == {"pipelineEndpoint", "storageAccountName", "containerName"}
    assert export.parameters["parameters"] == {}
    deploy = next(line for _, line in export.commands if "template.json" in line)
    assert all(f"{name}=..." in deploy for name in export.unknown)


def test_the_readme_has_four_commands_and_what_differs():
    export = logic_app()
    assert len(export.commands) == 4
    for words in ("az login", "--template-file template.json", "--template-file roles.json", "/enable?api-version"):
        assert words in export.readme
    assert all(one in export.readme for one in export.differences)


def test_the_roles_are_on_the_workspace_and_on_the_storage_account_in_their_own_groups():
    roles = logic_app().roles["resources"]
    assert [one["comments"] for one in roles] == [
        "AzureML Data Scientist on the workspace",
        "Storage Blob Data Reader on the storage",
    ]
    assert [one["resourceGroup"] for one in roles] == [
        "[parameters('workspaceResourceGroup')]",
        "[parameters('storageResourceGroup')]",
    ]
    assert len(logic_app(on_azure(WORKDAYS)).roles["resources"]) == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (on_azure(change(recursive=True)), "recursive"),
        (on_azure(change()), "Sub-folders are not seen"),
        (on_azure(change(on=("added",))), "on: added"),
        (on_azure(change(on=("added", "removed"))), "never for removed"),
        (on_azure(change(settle=timedelta(seconds=9))), "settle"),
        (on_azure(change(append_only=True)), "append_only"),
        (on_azure(change(per="batch")), "at most 100"),
        (on_azure(change(max_runs_per_poll=500)), "becomes 100"),
        (on_azure(change(pattern="*.csv")), "capital and small letters"),
        (on_azure(change(polling_interval=timedelta(seconds=1.5))), "whole seconds"),
        (on_azure(EVERY_QUARTER, changes={"missed": Missed.ONCE}), "missed: once"),
        (on_azure(changes={"name": "My schedule!"}), "called My-schedule"),
        (on_azure(changes={"description": "for all"}), "for all"),
        (on_azure(changes={"status": Status.DISABLED}), "disabled"),
        (on_azure(conditions=Conditions(window=Window(days=("Monday",)))), "outside the window"),
        (on_azure(conditions=Conditions(concurrency=1)), "cannot be taken off"),
    ],
)
def test_what_cannot_be_carried_over_is_said(source, words):
    assert any(words in one for one in logic_app(source).differences)


def test_a_schedule_that_is_not_there_yet_is_not_said_to_stay_active():
    assert not any("stays active" in one for one in logic_app(on_azure(changes={"id": ""})).differences)
    assert any("stays active" in one for one in logic_app().differences)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (on_azure(change(on=("removed",))), "does not see what is removed.*data-factory"),
        (on_azure(conditions=Conditions(concurrency=101)), "concurrency 101.*1 to 100"),
        (on_azure(conditions=Conditions(folders=tuple("abcdefghijk"))), "11 folders"),
        (on_azure(WORKDAYS, conditions=Conditions(folders=("a",))), "folders go with a datastore"),
        (on_azure(changes={"name": "!!!"}), "no letter that Azure takes"),
    ],
)
def test_what_a_logic_app_cannot_do_is_refused_in_one_line(source, words):
    with pytest.raises(InvalidInput, match=words):
        logic_app(source)
