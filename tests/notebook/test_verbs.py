"""Each verb against a real embedded workspace: what it returns, what it shows, what it changed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pandas as pd
import pytest

from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound
from aml_magics.model.resources import RunStatus
from aml_magics.notebook import extension
from aml_magics.notebook.frames import Table
from aml_magics.notebook.views import Text, View
from tests.notebook.helpers import FAILS, TRAIN, shown

RECURRING = """\
pipeline: train
experiment_name: MyExperiment
frequency: Minute
interval: 15
start_time: 2030-01-01T06:00:00
description: Based on time
"""
REACTIVE = """\
pipeline: train
experiment_name: MyExperiment
datastore: workspaceblobstore
path_on_datastore: incoming
polling_interval: 5
data_path_parameter_name: input_data
"""
HTML_NAME = '<img src=x onerror="alert(1)">'


@pytest.fixture
def train(aml):
    """A workspace with the pipeline ``train``."""
    return aml(
        "pipeline publish train --parameter learning_rate=0.1 --data-path input_data=workspaceblobstore/in", TRAIN
    )


def test_the_first_verb_opens_the_workspace_of_the_folder_and_says_so_once(aml, folder):
    first, second = aml("pipeline list"), aml("pipeline list")
    assert f"Opened the workspace embedded in this kernel, in {folder}" in repr(first)
    assert "Opened" in first._repr_html_()
    assert "Opened" not in repr(second)
    assert (folder / ".aml" / "workspace.db").exists()


@pytest.mark.parametrize("line", ["", "--help", "status", "schedule --help", "schedule preview --every '15 minutes'"])
def test_what_needs_no_workspace_opens_none(aml, folder, line):
    aml(line)
    assert not any(folder.iterdir())


def test_connect_opens_a_folder_and_its_value_is_the_workspace(aml, folder):
    (folder / "project").mkdir()
    view = aml("connect project --parallel-steps 2")
    assert view.value.location == str(folder / "project")
    assert view.schedules.list() == []
    assert "workspaceblobstore" in aml.offers("datastore show ")
    assert "No workspace is open" not in shown(aml("status"))
    assert str(folder / "project") in shown(aml("status"))


def test_connect_takes_an_executor_from_a_variable(aml):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        view = aml("connect --executor {pool}", pool=pool)
        assert view.name
        aml("connect")


def test_a_python_cell_becomes_a_pipeline_with_typed_parameters(aml):
    view = aml(
        "pipeline publish train --parameter a=3 --parameter b=0.5 --parameter c=true --parameter d='3' "
        "--parameter e=007 --data-path input_data --description 'what it does' --version 1.10 "
        "--continue-on-step-failure",
        "x = {1: '{braces}'}\nprint(x)\n",
    )
    made = view.value
    assert {one.name: one.default for one in made.parameters} == {"a": 3, "b": 0.5, "c": True, "d": "3", "e": "007"}
    assert [type(one.default) for one in made.parameters] == [int, float, bool, str, str]
    assert (made.description, made.version, made.continue_on_step_failure) == ("what it does", "1.10", True)
    assert [one.name for one in made.data_paths] == ["input_data"]
    assert isinstance(view.parameters, pd.DataFrame)


def test_a_python_cell_runs_with_its_parameters_and_its_braces(aml, train):
    run = aml("pipeline submit train --experiment MyExperiment --parameter learning_rate=0.25")
    assert isinstance(run, View)
    ended = aml("run wait {run} --timeout 60", run=run)
    assert ended.status is RunStatus.FINISHED
    assert list(ended.steps["exit_code"]) == [0]
    text = aml("run logs {run}", run=run)
    assert isinstance(text, str)
    assert "training with 0.25" in text
    assert "{braces}" in text


def test_a_yaml_cell_and_a_yaml_file_are_pipelines_and_are_not_expanded(aml, folder):
    (folder / "src").mkdir()
    (folder / "src" / "fit.py").write_text("print('fit')")
    body = (
        "type: pipeline\ninputs: {rate: 0.1}\njobs:\n  fit:\n    type: command\n    code: src\n"
        "    command: python fit.py ${{inputs.rate}}\n    inputs:\n      rate: ${{parent.inputs.rate}}\n"
    )
    from_cell = aml("pipeline publish graph --parameter rate=0.2", body).value
    (folder / "graph.yml").write_text(body)
    from_file = aml("pipeline publish graph --file graph.yml --version 2").value
    assert from_cell.steps == from_file.steps == ("fit",)
    assert from_cell.parameters[0].default == 0.2
    assert from_file.version == "2"


def test_python_that_names_a_variable_jobs_is_python(aml):
    assert aml("pipeline publish later", "jobs: list = []\n").value.steps


def test_a_python_file_is_published_too(aml, folder):
    (folder / "score.py").write_text("print('score')")
    assert aml("pipeline publish --file score.py").value.name == "score"


def test_a_schedule_by_time_shows_its_next_five_fires_in_its_own_zone(aml, train):
    view = aml("schedule create MyRecurringSchedule", RECURRING + "time_zone: E. South America Standard Time\n")
    assert len(view.next_fires) == 5
    assert view.next_fires["fire_in_zone"][0] == "2030-01-01 06:00:00-03:00 E. South America Standard Time"
    assert str(view.next_fires["fire"].dtype) == "datetime64[us, UTC]"
    assert view.next_fires["fire"][0] == pd.Timestamp("2030-01-01T09:00:00Z")
    assert view.next_fires["fire"].diff()[1:].eq(timedelta(minutes=15)).all()
    for text in (repr(view), view._repr_html_()):
        assert "every 15 minutes" in text
        assert "Made the schedule MyRecurringSchedule" in text
    assert view.value.description == "Based on time"


def test_a_schedule_by_options_is_the_same_as_one_by_body(aml, train):
    aml(
        "schedule create A --pipeline train --experiment MyExperiment --every '15 minutes' "
        "--start-time 2030-01-01T06:00:00 --description 'Based on time'"
    )
    aml("schedule create B", RECURRING)
    a, b = aml("schedule show A").value, aml("schedule show B").value
    assert a.trigger == b.trigger
    assert (a.pipeline_id, a.experiment_name, a.description) == (b.pipeline_id, b.experiment_name, b.description)


def test_a_schedule_by_change_says_what_it_watches(aml, train):
    view = aml("schedule create MyReactiveSchedule", REACTIVE)
    assert view.trigger.polling_interval == timedelta(minutes=5)
    assert "workspaceblobstore/incoming" in repr(view)
    assert "every 300 s" in repr(view)
    assert "do not fire" in repr(view)


def test_a_body_takes_variables_as_they_are(aml, train):
    view = aml(
        "schedule create {name}",
        "pipeline: {train}\nexperiment: {experiment}\nevery: day\nhours: {hours}\nstart_time: {start}\n"
        "description: made for {experiment}\npipeline_parameters: {values}\n",
        name="Nightly",
        train=train,
        experiment="MyExperiment",
        hours=[6, 18],
        start=datetime(2030, 1, 1),
        values={"learning_rate": 0.5},
    )
    assert view.name == "Nightly"
    assert view.trigger.hours == (6, 18)
    assert view.trigger.start_time == datetime(2030, 1, 1)
    assert view.description == "made for MyExperiment"
    assert view.pipeline_parameters == {"learning_rate": 0.5}


def test_running_a_cell_again_makes_no_duplicate_and_a_change_is_a_conflict(aml, train):
    first = aml("schedule create X", RECURRING)
    again = aml("schedule create X", RECURRING)
    assert first.id == again.id
    assert "Unchanged" in repr(again)
    with pytest.raises(Conflict, match="interval: 15 -> 30"):
        aml("schedule create X", RECURRING.replace("15", "30"))
    kept = aml("schedule create X --if-exists skip", RECURRING.replace("15", "30"))
    assert kept.id == first.id
    replaced = aml("schedule create X --if-exists replace", RECURRING.replace("15", "30"))
    assert replaced.id != first.id
    assert "15 -> 30" in repr(replaced)
    assert len(aml("schedule list")) == 1


def test_a_schedule_can_be_made_disabled(aml, train):
    view = aml("schedule create X --status disabled", RECURRING)
    assert view.status == "Disabled"
    assert "does not fire" in repr(view)
    assert "next_fires" not in view.sections


def test_the_sdks_nested_recurrence_is_understood(aml, train):
    view = aml(
        "schedule create X",
        "pipeline: train\nexperiment_name: E\nrecurrence:\n  frequency: Week\n  interval: 1\n  start_time:\n"
        "  hours: [6]\n  minutes: [30]\n  week_days: [Monday]\n  time_zone: UTC\n",
    )
    assert view.trigger.in_words() == "06:30 on Monday every week"


def test_warnings_are_shown_with_what_was_made(aml, train):
    view = aml("schedule create X", RECURRING.replace("Minute", "Month").replace("2030-01-01", "2030-01-31"))
    assert "Warning: day 31" in repr(view)
    assert "Warning: day 31" in view._repr_html_()


def test_a_schedule_list_is_a_dataframe_that_says_what_it_leaves_out(aml, train):
    aml("schedule create A", RECURRING)
    aml("schedule create B --status Disabled", RECURRING)
    active, everything = aml("schedule list"), aml("schedule list --all")
    assert isinstance(active, pd.DataFrame)
    assert list(active["name"]) == ["A"]
    assert sorted(everything["name"]) == ["A", "B"]
    assert "1 disabled schedule left out; --all shows them" in repr(active)
    assert "left out" not in repr(everything)
    by_name = everything.set_index("name")
    assert by_name.loc["A", "next_fire"] == pd.Timestamp("2030-01-01T06:00:00Z")
    assert by_name.loc["A", "next_fire_in_zone"] == "2030-01-01 06:00:00+00:00 UTC"
    assert by_name["next_fire"].isna()["B"]
    assert set(everything["pipeline"]) == {"train"}


def test_lists_keep_their_columns_when_they_are_empty(aml):
    for noun in ("experiment", "pipeline", "schedule", "run"):
        empty = aml(f"{noun} list")
        assert len(empty) == 0
        assert "id" in empty.columns
    assert str(aml("run list")["created"].dtype) == "datetime64[us, UTC]"


def test_the_display_zone_and_the_limit_are_settings(aml, train):
    for index in range(4):
        aml(f"schedule create S{index}", RECURRING)
    magics = aml.shell.magics_manager.registry["AmlMagics"]
    magics.displaylimit = 3
    magics.timezone = "America/Sao_Paulo"
    table = aml("schedule list")
    assert len(table) == 4
    assert "3 of 4 shown" in repr(table)
    assert "2030-01-01 03:00:00-03:00" in repr(table)
    assert "2030-01-01 06:00:00+00:00 UTC" in repr(table)
    assert "-03:00" in repr(aml("pipeline show train"))


@pytest.mark.parametrize("body", ["A\n# B\n\n  C  # why not\n", '"A"\nC', "{both}", "{both[0]}\n{one.id}"])
def test_names_are_disabled_and_enabled_one_a_line(aml, train, body):
    for name in "ABC":
        aml(f"schedule create {name}", RECURRING)
    done = aml("schedule disable", body, both=["A", "C"], one=aml("schedule show C"))
    assert list(done["name"]) == ["A", "C"]
    assert list(done["was"]) == ["Active", "Active"]
    assert list(aml("schedule list")["name"]) == ["B"]
    assert "%aml schedule enable A C" in repr(done)
    aml("schedule enable A C")
    assert len(aml("schedule list")) == 3
    again = aml("schedule enable A")
    assert "1 had this status already" in repr(again)


def test_one_unknown_name_among_many_changes_nothing(aml, train):
    aml("schedule create A", RECURRING)
    with pytest.raises(NotFound, match="'Nope'"):
        aml("schedule disable A Nope")
    assert list(aml("schedule list")["name"]) == ["A"]


def test_a_pipeline_in_use_is_not_disabled_and_the_error_names_the_schedule(aml, train):
    aml("schedule create A", RECURRING)
    with pytest.raises(Conflict, match="A"):
        aml("pipeline disable train")
    aml("schedule disable A")
    assert list(aml("pipeline disable train")["status"]) == ["Disabled"]
    assert len(aml("pipeline list")) == 0
    assert "1 disabled pipeline left out" in repr(aml("pipeline list"))
    assert len(aml("pipeline list --all")) == 1
    aml("pipeline enable", "train\n")
    assert len(aml("pipeline list")) == 1


@pytest.mark.parametrize(
    ("line", "body", "said"),
    [
        ("schedule create New --dry-run", RECURRING, "Would make the schedule New"),
        ("schedule create A --dry-run", RECURRING, "Would change nothing"),
        ("schedule create A --dry-run --if-exists replace", REACTIVE, "Would replace the schedule A"),
        ("schedule disable A --dry-run", None, "Would be disabled"),
        ("schedule enable A --dry-run", None, "had this status already"),
        ("pipeline publish other --dry-run", TRAIN, "Would publish"),
        ("pipeline submit train --dry-run --parameter learning_rate=1", None, "learning_rate=1.0"),
        ("pipeline enable train --dry-run", None, "Would be active"),
        ("experiment create Other --dry-run", None, "Would make the experiment Other"),
        ("datastore upload --path x.txt --dry-run", "text", "Would be put"),
        ("schedule preview A", None, "2030-01-01 06:15"),
        ("schedule preview", "every: 2 hours\n", "every 2 hours"),
    ],
)
def test_a_dry_run_shows_the_plan_and_changes_nothing(aml, train, line, body, said):
    aml("schedule create A", RECURRING)
    before = aml.digest()
    assert said in shown(aml(line, body))
    assert aml.digest() == before


def test_a_preview_needs_no_schedule(aml):
    table = aml("schedule preview -n 3 --cron '0 6 * * 1-5' --time-zone Europe/Lisbon")
    assert len(table) == 3
    assert table["fire_in_zone"].str.contains("06:00:00").all()
    assert table["fire_in_zone"].str.endswith("Europe/Lisbon").all()
    fires = aml(
        "schedule preview X", "name: Y\npipeline: nothing\nevery: day\ntime_of_day: 06:30\n".replace("name: Y\n", "")
    )
    assert len(fires) == 5


def test_a_preview_labels_the_day_on_which_the_clock_changes(aml):
    table = aml(
        "schedule preview -n 3",
        "every: day\ntime_of_day: 02:30\ntime_zone: Europe/Lisbon\nstart_time: 2030-03-30T00:00:00\n".replace(
            "02", "01"
        ),
    )
    assert table["note"].str.contains("does not exist").any()


def test_what_a_changed_file_starts_is_told_by_history_runs_and_logs(aml, train):
    aml("schedule create X", REACTIVE.replace("polling_interval: 5", "polling_interval: 1s") + "settle: 0s\n")
    aml("datastore upload --path incoming/day1.csv", "id,value\n1,2\n")
    run = aml.until(lambda: aml("schedule runs X"), lambda runs: len(runs) == 1)
    assert run["data_paths"][0] == "input_data=workspaceblobstore/incoming/day1.csv"
    aml("run wait X --timeout 60")
    history = aml("schedule history X")
    assert list(history.fires["objects"]) == ["incoming/day1.csv"]
    assert "fired 1 time" in repr(history)
    assert len(history.polls) > 0
    assert list(aml("schedule show X").runs["status"]) == ["Finished"]
    assert list(aml("datastore ls workspaceblobstore incoming")["name"]) == ["incoming/day1.csv"]


def test_a_failed_run_is_an_error_unless_it_is_asked_for(aml):
    aml("pipeline publish broken", FAILS)
    aml("pipeline submit broken")
    with pytest.raises(AmlError, match=r"step 'broken'.*run logs") as caught:
        aml("run wait broken --timeout 60")
    assert caught.value.run.status is RunStatus.FAILED
    assert "\n" not in str(caught.value)
    assert aml("run wait broken --no-raise").status is RunStatus.FAILED
    assert "no such luck" in aml("run logs broken --step broken")


def test_following_writes_the_log_as_it_comes_and_returns_the_run(aml, train, capsys):
    aml("pipeline submit train")
    run = aml("run logs train --follow")
    assert "training with 0.1" in capsys.readouterr().out
    assert run.status is RunStatus.FINISHED


def test_waiting_has_a_limit_and_a_run_can_be_cancelled(aml):
    aml("pipeline publish slow", "import time\ntime.sleep(600)\n")
    run = aml("pipeline submit slow")
    with pytest.raises(TimeoutError) as caught:
        aml("run wait slow --timeout 0.2s")
    assert isinstance(caught.value, AmlError)
    plan = aml("run cancel {run} --dry-run", run=run)
    assert "Would cancel" in repr(plan)
    aml(f"run cancel {run.id[:8]}")
    ended = aml("run wait {run} --timeout 60", run=run)
    assert ended.status is RunStatus.CANCELED
    assert "ended already" in repr(aml("run cancel {run}", run=run))


def test_a_run_goes_by_its_id_the_beginning_of_it_or_the_name_of_what_started_it(aml, train):
    first = aml("pipeline submit train")
    aml("run wait {first} --timeout 60", first=first)
    newest = aml("pipeline submit train")
    aml("run wait {newest} --timeout 60", newest=newest)
    assert aml(f"run show {first.id}").id == first.id
    assert aml(f"run show {first.id[:13]}").id == first.id
    assert aml("run show train").id == newest.id
    assert list(aml("run list --limit 1")["id"]) == [newest.id]
    assert "--limit takes more" in repr(aml("run list --limit 1"))
    assert len(aml("run list --pipeline train --experiment train")) == 2


def test_the_views_drill_down(aml, train):
    aml("schedule create A", RECURRING)
    aml("pipeline submit train --experiment MyExperiment")
    aml("run wait train --timeout 60")
    pipeline = aml("pipeline show train")
    assert list(pipeline.sections) == ["parameters", "schedules", "runs"]
    assert all(isinstance(section, Table) for section in pipeline.sections.values())
    assert list(pipeline.schedules["name"]) == ["A"]
    assert list(pipeline.runs["status"]) == ["Finished"]
    assert list(aml("schedule show A").sections) == ["next_fires", "runs"]
    assert list(aml("run show train").steps["name"]) == ["train"]
    assert len(aml("experiment show MyExperiment").runs) == 1
    assert aml("datastore show workspaceblobstore").value.is_default


def test_an_endpoint_is_a_str(aml, train):
    url = aml("pipeline endpoint train")
    assert isinstance(url, Text)
    assert url.startswith("http")
    assert train.id in url


def test_files_and_folders_and_text_go_onto_a_datastore(aml, folder):
    (folder / "day1.csv").write_text("1")
    (folder / "more" / "deep").mkdir(parents=True)
    (folder / "more" / "a.csv").write_text("2")
    (folder / "more" / "deep" / "b.csv").write_text("3")
    aml("datastore upload day1.csv")
    aml("datastore upload day1.csv --path incoming/")
    aml("datastore upload more --path incoming/more")
    aml("datastore upload {data} --path bytes.bin", data=b"\0\1")
    aml("datastore upload --path text.txt --datastore workspaceblobstore", "braces {stay} and ${{this}} too ü\n")
    names = list(aml("datastore ls --recursive")["name"])
    assert names == [
        "bytes.bin",
        "day1.csv",
        "incoming/day1.csv",
        "incoming/more/a.csv",
        "incoming/more/deep/b.csv",
        "text.txt",
    ]
    text = (folder / "workspaceblobstore" / "text.txt").read_text(encoding="utf-8")
    assert text == "braces {stay} and ${{this}} too ü\n"


def test_experiments_are_made_once(aml):
    first, again = aml("experiment create MyExperiment"), aml("experiment create MyExperiment")
    assert first.id == again.id
    assert list(aml("experiment list")["name"]) == ["MyExperiment"]
    assert "already" in repr(aml("experiment create MyExperiment --dry-run"))


def test_the_result_can_be_kept_by_an_option_and_hidden_by_a_semicolon(aml, train):
    assert aml("schedule create A -o made;", RECURRING) is None
    assert aml.shell.user_ns["made"].name == "A"
    aml("schedule list -o df")
    assert isinstance(aml.shell.user_ns["df"], pd.DataFrame)


def test_names_made_of_html_and_emoji_are_shown_as_they_are_and_escaped(aml, train):
    described = "--description '🚀 it{{s}} $HOME'"
    aml(f"schedule create '{HTML_NAME}' {described}", RECURRING.replace("description", "#"))
    for view in (aml("schedule list"), aml("schedule show {name}", name=HTML_NAME), aml("pipeline show train")):
        assert "<img" not in view._repr_html_()
        assert "&lt;img" in view._repr_html_()
        assert HTML_NAME in repr(view)
    assert aml("schedule show {name}", name=HTML_NAME).description == "🚀 it{s} $HOME"


def test_answers_fill_what_tab_offers(aml, train):
    assert "train" in aml.offers("pipeline show ")
    aml("schedule create A", RECURRING)
    assert "A" in aml.offers("schedule disable ")
    run = aml("pipeline submit train")
    assert run.id in aml.offers("run wait ")
    assert "train" in aml.offers("experiment show ")
    aml("run wait {run}", run=run)


def test_every_return_value_shows_itself_as_text_and_html(aml, train):
    aml("schedule create A", RECURRING)
    aml("pipeline submit train")
    aml("run wait train --timeout 60")
    lines = """status|experiment list|experiment show train|datastore list|datastore show workspaceblobstore
        datastore ls|pipeline list|pipeline show train|schedule list|schedule show A|schedule runs A|schedule preview A
        schedule history A|run list|run show train|run wait train"""
    for line in re.split(r"[|\n]", lines):
        value = aml(line.strip())
        assert repr(value).strip()
        assert value._repr_html_().startswith("<")
        assert not re.search(r"object at 0x|NaT|&lt;NA", repr(value) + value._repr_html_())


def test_unloading_closes_the_workspace(aml, train):
    extension.unload(aml.shell)
    extension.load(aml.shell)
    assert "No workspace is open" in shown(aml("status"))
    assert list(aml("pipeline list")["name"]) == ["train"]


def test_an_unknown_command_before_the_first_connection_opens_nothing(aml, folder):
    with pytest.raises(InvalidInput):
        aml("schedule create")
    assert not any(folder.iterdir())
