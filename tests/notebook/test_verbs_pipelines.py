"""Pipelines and runs against a real embedded workspace: what each verb returns, shows and changes."""

from __future__ import annotations

import pandas as pd
import pytest

from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.resources import RunStatus
from aml_magics.notebook.frames import Table
from aml_magics.notebook.views import Text, View
from aml_magics.notebook.words import spelled
from tests.notebook.helpers import FAILS, REACTIVE, RECURRING, TRAIN, shown


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


@pytest.mark.parametrize(
    ("body", "is_yaml"),
    [
        ("type: pipeline\njobs: {}\n", True),
        ("jobs: {}\n", True),
        ("jobs: {a: {type: command}}\n", True),
        ("type: pipeline\n", True),
        ("jobs: {a: 1, a: 2}\n", True),
        ("jobs: list\n", False),
        ("jobs: dict[str, int]\n", False),
        ("jobs: {}\nprint(1)\n", False),
        ("jobs: dict = {}\n", False),
    ],
)
def test_yaml_that_compiles_as_python_is_yaml_unless_it_has_a_statement(aml, body, is_yaml):
    if is_yaml:
        with pytest.raises(InvalidInput):
            aml("pipeline publish p", body)
        assert len(aml("pipeline list")) == 0
    else:
        assert len(aml("pipeline publish p", body).value.steps) == 1


def test_steps_are_listed_and_not_chained(aml):
    body = "jobs:\n  a: {type: command, command: ls}\n  b: {type: command, command: ls}\n"
    for view in (aml("pipeline publish two", body), aml("pipeline show two")):
        assert "a, b" in repr(view)
        assert "->" not in repr(view)


def test_help_states_what_holds_when_nothing_is_said(aml):
    text = " ".join(aml("schedule create --help").split())
    for said in ("default skip", "default file with a data path parameter, else batch", "default 0.5 s"):
        assert said in text
    text = " ".join(aml("pipeline publish --help").split())
    assert "After a failed step, pipeline YAML goes on with the steps that do not need it, a Python cell stops." in text


def test_a_python_file_is_published_too(aml, folder):
    (folder / "score.py").write_text("print('score')")
    assert aml("pipeline publish --file score.py").value.name == "score"


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


@pytest.mark.parametrize("name", ["train", "two-steps", "my pipe", 'it"s {x}', "Müller's"])
def test_what_publish_says_runs_the_pipeline_when_it_is_typed(aml, name):
    published = aml(f"pipeline publish {spelled(name)} --data-path data", "print(1)")
    (line,) = (note.partition("%aml ")[2] for note in published.notes if note.startswith("Run it: "))
    line = line.replace("DATASTORE/PATH", "workspaceblobstore/in").replace("--experiment NAME", "--experiment E")
    assert aml("run list")["pipeline"].tolist() == []
    assert aml(line).pipeline_id == published.id


@pytest.mark.parametrize("name", ["two-steps", "my pipe", 'it"s {x}', "<b>'a' \"b\"</b>"])
def test_what_undoes_a_change_does_so_when_it_is_typed(aml, name):
    aml(f"pipeline publish {spelled(name)}", "print(1)")
    done = aml(f"pipeline disable {spelled(name)}")
    undone = aml(done.notes[-1].partition("To undo: %aml ")[2])
    assert list(undone["name"]) == [name]
    assert list(undone["status"]) == ["Active"]


def test_what_undoes_a_change_of_many_publications_means_the_same_ones(aml):
    for number in range(3):
        aml("pipeline publish train", f"print({number})")
    oldest = aml("pipeline list")["id"].tolist()[-1]
    aml(f"pipeline disable {oldest}")
    for verb, count in (("disable", 2), ("enable", 1)):
        before = aml("pipeline list --all")["status"].tolist()
        done = aml(f"pipeline {verb} train")
        assert len(done) == count
        aml(done.notes[-1].partition("To undo: %aml ")[2])
        assert aml("pipeline list --all")["status"].tolist() == before
        aml(f"pipeline {verb} train")


def test_a_log_with_nothing_in_it_says_so(aml):
    aml("pipeline publish silent", "pass")
    aml("pipeline submit silent")
    aml("run wait silent")
    text = aml("run logs silent")
    assert text == ""
    assert text.notes == ("Nothing has been written; the run is Finished.",)
