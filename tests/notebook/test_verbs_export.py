"""``%aml export``: files beside the notebook, from a schedule or from a cell, and what they say of it."""

from __future__ import annotations

import json

import pytest

from aml_magics.export.definitions import read_definition
from aml_magics.export.logic_app import BLOB_TRIGGER
from aml_magics.model.errors import Conflict, InvalidInput
from tests.notebook.helpers import REACTIVE, RECURRING, on_an_endpoint, shown

FILES = {"template.json", "parameters.json", "roles.json", "README.md"}


@pytest.fixture
def reactive(aml, train):
    return aml("schedule create MyReactiveSchedule", REACTIVE)


def test_a_schedule_becomes_a_logic_app_in_a_folder_beside_the_notebook(aml, reactive, folder):
    before = aml.digest()
    view = aml("export logic-app MyReactiveSchedule")
    assert {one.name for one in (folder / "MyReactiveSchedule-logic-app").iterdir()} == FILES
    found = read_definition("MyReactiveSchedule-logic-app", here=True)
    body = found.definition["actions"]["Run_pipeline"]["inputs"]["body"]
    assert body["ExperimentName"] == "MyExperiment"
    assert list(body["DataPathAssignments"]) == ["input_data"]
    assert found.definition["triggers"][BLOB_TRIGGER]["recurrence"] == {"frequency": "Minute", "interval": 5}
    assert aml.digest() == before  # the schedule itself is not touched
    for words in (
        "Exported MyReactiveSchedule as a Logic App",
        "pipeline train",
        "Disabled",
        "Sub-folders are not seen",
        "Not known here",
        "pipelineEndpoint",
        "%aml logic-app run MyReactiveSchedule-logic-app",
        "%aml logic-app deploy MyReactiveSchedule-logic-app --dry-run",
    ):
        assert words in shown(view)
    assert view.kind == "logic-app"


def test_a_schedule_becomes_a_data_factory_pipeline(aml, reactive, folder):
    view = aml("export data-factory MyReactiveSchedule --factory mine --to out/factory")
    found = read_definition(folder / "out" / "factory", here=True)
    assert (found.factory, found.name) == ("mine", "MyReactiveSchedule")
    assert found.triggers["MyReactiveSchedule_trigger"]["type"] == "BlobEventsTrigger"
    assert "Stopped" in repr(view)
    line = "data-factory run out/factory --trigger MyReactiveSchedule_trigger"  # without an event there is no file
    assert f"%aml {line}\n" in repr(view)
    assert aml(f"{line} --dry-run")


def test_what_the_line_and_the_cell_say_counts_instead_of_the_schedules_own(aml, reactive, train):
    aml("pipeline publish 'clean data'", "print(1)")
    line = "export logic-app MyReactiveSchedule --concurrency 1 --parameter learning_rate=2 --only-after 'clean data'"
    view = aml(line, "pattern: '*.csv'\nwindow: 08:00-18:00\nwindow_days: Monday\nwindow_time_zone: Europe/Lisbon\n")
    assert "08:00-18:00 on Monday, GMT Standard Time; after a success of clean data; 1 run at a time" in repr(view)
    definition = read_definition("MyReactiveSchedule-logic-app", here=True).definition
    trigger = definition["triggers"][BLOB_TRIGGER]
    assert [one["expression"].partition("(")[0] for one in trigger["conditions"]] == ["@endsWith", "@and", "@contains"]
    assert "GMT Standard Time" in trigger["conditions"][1]["expression"]
    asked = definition["actions"]["Runs_of_clean_data"]["inputs"]["uri"]
    other = aml("pipeline show 'clean data'")
    assert asked == other.endpoint.replace("PipelineSubmit", "Pipeline")
    run = definition["actions"]["If_it_succeeded"]["actions"]["Run_pipeline"]["inputs"]["body"]
    assert run["ParameterAssignments"] == {"learning_rate": "2.0"}
    assert aml("schedule show MyReactiveSchedule").trigger.pattern is None


def test_a_time_schedule_may_be_given_other_times(aml, train):
    aml("schedule create MyRecurringSchedule", RECURRING)
    aml("export logic-app MyRecurringSchedule --every day --time-of-day 06:30 --time-zone Europe/Lisbon")
    found = read_definition("MyRecurringSchedule-logic-app", here=True).definition["triggers"]["Recurrence"]
    assert found["recurrence"]["schedule"] == {"hours": [6], "minutes": [30]}


def test_a_cell_with_a_pipeline_says_it_whole(aml, train):
    view = aml("export logic-app Another", REACTIVE.replace("path_on_datastore: incoming", "folders: [a, b/c]"))
    found = read_definition("Another-logic-app", here=True)
    assert found.folders == ("a", "b/c")
    assert len(found.definition["triggers"]) == 2
    assert "a, b/c" in repr(view)
    assert "stays active" not in repr(view)
    assert aml("schedule list --all").empty


def test_a_batch_endpoint_needs_no_pipeline_of_v1(aml):
    cell = "batch_endpoint: scores\nevery: day\ntime_of_day: 02:00\npipeline_parameters: {rate: 0.5}\n"
    view = aml("export data-factory Nightly", f"{cell}factory: mine\n")
    read = read_definition("Nightly-data-factory")
    found = read.pipelines["Nightly"]
    assert read.factory == "mine"
    assert [one["name"] for one in found["activities"]] == ["Start_job", "Wait_for_job", "If_it_failed"]
    assert found["parameters"]["rate"] == {"type": "String", "defaultValue": "0.5"}
    assert "batch endpoint scores" in repr(view)


def test_a_pipeline_endpoint_is_exported_with_its_version(aml, train):
    on_an_endpoint(aml, "stable", train.id, "OnEndpoint")
    with pytest.raises(InvalidInput, match=r"no version '7'\. Known: 0"):
        aml("export data-factory OnEndpoint --endpoint-version 7")
    aml("export data-factory OnEndpoint --endpoint-version 0")
    activity = read_definition("OnEndpoint-data-factory", here=True).pipelines["OnEndpoint"]["activities"][0]
    endpoint = aml.shell._aml_magics_session.workspace.pipelines.endpoints()[0]
    assert activity["typeProperties"]["mlPipelineEndpointId"] == endpoint.id
    assert activity["typeProperties"]["version"] == "0"
    view = aml("export logic-app Other --pipeline-endpoint stable --every hour")
    definition = read_definition("Other-logic-app", here=True).definition
    assert definition["actions"]["Run_pipeline"]["inputs"]["uri"] == endpoint.endpoint
    assert "pipeline endpoint stable" in repr(view)


def test_print_shows_the_template_and_writes_nothing(aml, reactive, folder):
    text = aml("export logic-app MyReactiveSchedule --print")
    assert json.loads(text)["metadata"]["amlMagics"]["schedule"] == "MyReactiveSchedule"
    assert any("Nothing was written" in note for note in text.notes)
    assert not (folder / "MyReactiveSchedule-logic-app").exists()


def test_a_folder_that_is_there_is_overwritten_by_force_alone(aml, reactive, folder):
    aml("export logic-app MyReactiveSchedule")
    there = folder / "MyReactiveSchedule-logic-app"
    (there / "mine.txt").write_text("mine")
    (there / "template.json").write_text("{}")
    with pytest.raises(Conflict, match=r"is there already\. Overwrite its files with --force"):
        aml("export logic-app MyReactiveSchedule")
    assert (there / "template.json").read_text() == "{}"
    aml("export logic-app MyReactiveSchedule --force")
    assert json.loads((there / "template.json").read_text())["resources"]
    assert (there / "mine.txt").read_text() == "mine"
    (folder / "empty").mkdir()
    aml("export logic-app MyReactiveSchedule --to empty")
    assert {one.name for one in (folder / "empty").iterdir()} == FILES


def test_a_place_that_cannot_be_written_is_one_line_and_leaves_nothing(aml, reactive, folder):
    (folder / "file").write_text("x")
    for place in ("file", "file/below"):
        with pytest.raises(InvalidInput, match="--to"):
            aml(f"export logic-app MyReactiveSchedule --to {place}")
    assert (folder / "file").read_text() == "x"
    assert not [one for one in folder.iterdir() if one.name.startswith(".MyReactive")]


def test_a_disabled_pipeline_is_a_warning(aml, reactive, train):
    aml("schedule disable MyReactiveSchedule")
    aml("pipeline disable train")
    view = aml("export logic-app MyReactiveSchedule")
    assert any("the pipeline 'train' is disabled" in note for note in view.notes)
    assert any("The schedule itself is disabled" in note for note in view.notes)


def test_tab_offers_schedules_pipelines_and_keys(aml, reactive):
    assert "MyReactiveSchedule" in aml.offers("export logic-app ")
    assert aml.offers("export logic-app X --only-after tr") == ["train"]
    assert aml.offers("export ") == ["logic-app", "data-factory"]
    assert "--batch-endpoint" in aml.offers("export data-factory X --b")
    assert aml.offers("export logic-app X --window-days mon") == ["Monday"]


def test_the_result_can_be_kept_and_says_what_differs(aml, reactive):
    aml("export logic-app MyReactiveSchedule -o exported")
    exported = aml.shell.user_ns["exported"]
    assert set(exported.files()) == FILES
    assert len(exported.commands) == 4
    assert any("stays active" in one for one in exported.differences)
