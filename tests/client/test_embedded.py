"""The whole way: facade, loop thread, client, and the real embedded app with its database, engine and processes."""

from __future__ import annotations

import doctest
import inspect
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from aml_magics.background import Background
from aml_magics.client.collections import Datastores, Experiments
from aml_magics.client.pipelines import Pipelines
from aml_magics.client.runs import NotFinished, Runs
from aml_magics.client.schedules import Schedules
from aml_magics.client.workspace import Workspace, open_embedded
from aml_magics.embedded.workspace import EmbeddedWorkspace
from aml_magics.model.errors import Conflict, InvalidInput, NotFound
from aml_magics.model.resources import DataPath, Host, RunStatus, Status, StepStatus
from aml_magics.model.triggers import Cron, DatastoreChange

STEP = """
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float)
print("rate", parser.parse_args().learning_rate)
"""


@pytest.fixture
def ws(tmp_path):
    background = Background()

    async def start():
        made = EmbeddedWorkspace(tmp_path)
        await made.start()
        return made

    embedded = background.call(start())

    def close():
        background.call(embedded.stop(), timeout=20)
        background.stop()

    with open_embedded(
        embedded.app, background.call, location=str(tmp_path), spawn=background.spawn, close=close
    ) as opened:
        yield opened


@pytest.fixture
def train(ws):
    return ws.pipelines.publish(source=STEP, name="train", parameters={"learning_rate": 0.1})


def test_a_published_pipeline_is_what_was_published(ws, train):
    found = ws.pipelines.get("train")
    assert found == train
    assert [(one.name, one.default) for one in found.parameters] == [("learning_rate", 0.1)]
    assert (found.steps, found.status) == (("train",), Status.ACTIVE)
    assert found.endpoint.endswith(f"/PipelineRuns/PipelineSubmit/{found.id}")


def test_a_submitted_run_runs_and_its_log_is_read(ws, train):
    run = ws.pipelines.submit("train", experiment_name="MyExperiment", parameters={"learning_rate": 0.5})
    ended = ws.runs.wait(run.id, timeout=60)
    assert ended.status is RunStatus.FINISHED, ws.runs.logs(run.id)
    assert ended.parameters == {"learning_rate": 0.5}
    assert ws.runs.logs(run.id) == "rate 0.5\n"
    (step,) = ws.runs.steps(run.id)
    assert (step.name, step.status, step.exit_code) == ("train", StepStatus.FINISHED, 0)
    assert [one.name for one in ws.experiments.list()] == ["MyExperiment"]
    assert ws.runs.get(run.id[:8]) == ended
    assert ws.runs.list() == ws.runs.list(pipeline="train") == ws.runs.list(experiment="MyExperiment") == [ended]


def test_a_run_that_fails_is_waited_for_like_any_other(ws):
    ws.pipelines.publish(source="raise SystemExit(3)", name="broken")
    ended = ws.runs.wait(ws.pipelines.submit("broken").id, timeout=60)
    assert ended.status is RunStatus.FAILED
    assert ws.runs.steps(ended)[0].exit_code == 3


SLOW = """
import pathlib, time
print("begun", flush=True)
while not pathlib.Path({go!r}).exists():
    time.sleep(0.02)
print("ended", flush=True)
"""


def test_following_gives_text_while_the_run_goes_on(ws, tmp_path):
    go = tmp_path / "go"
    ws.pipelines.publish(source=SLOW.format(go=str(go)), name="slow")
    run = ws.pipelines.submit("slow")
    pieces = ws.runs.follow(run.id)
    assert next(pieces) == "begun\n"
    assert not ws.runs.get(run.id).status.is_final
    go.touch()
    assert "".join(pieces) == "ended\n"
    assert ws.runs.wait(run.id, timeout=60).status is RunStatus.FINISHED


def test_waiting_gives_up_and_cancelling_ends_the_run(ws, tmp_path):
    ws.pipelines.publish(source=SLOW.format(go=str(tmp_path / "never")), name="slow")
    run = ws.pipelines.submit("slow")
    with pytest.raises(NotFinished):
        ws.runs.wait(run.id, timeout=0.3)
    ws.runs.cancel(run.id)
    assert ws.runs.wait(run.id, timeout=60).status is RunStatus.CANCELED


def test_a_pipeline_in_yaml_has_steps_that_pass_folders_on(ws, tmp_path):
    (tmp_path / "pipeline.yml").write_text(
        "display_name: two\n"
        "jobs:\n"
        "  second:\n"
        "    command: cat ${{inputs.data}}/x.txt\n"
        "    inputs: {data: '${{parent.jobs.first.outputs.out}}'}\n"
        "  first:\n"
        "    command: python src.py ${{outputs.out}}\n"
        "    code: ./src\n"
        "    outputs: {out: {type: uri_folder}}\n"
    )
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "src.py").write_text(
        "import sys, pathlib; pathlib.Path(sys.argv[1], 'x.txt').write_text('passed on')"
    )
    two = ws.pipelines.publish(file=tmp_path / "pipeline.yml")
    run = ws.runs.wait(ws.pipelines.submit(two).id, timeout=60)
    assert run.status is RunStatus.FINISHED, ws.runs.logs(run)
    assert [step.name for step in ws.runs.steps(run)] == ["second", "first"]
    assert ws.runs.logs(run, step="second") == "passed on"
    assert ws.runs.logs(run) == "--- second ---\npassed on\n"


def test_the_schedules_of_the_article(ws, train):
    recurring = ws.schedules.create(
        name="MyRecurringSchedule",
        description="Based on time",
        pipeline=train.id,
        experiment_name="MyExperiment",
        frequency="Minute",
        interval=15,
        start_time="2999-01-01T00:00:00",
    )
    reading = ws.pipelines.publish(source="1", name="read", data_paths=["input_data"])
    reactive = ws.schedules.create(
        name="MyReactiveSchedule",
        description="Based on input file change.",
        pipeline=reading,
        experiment_name="MyExperiment",
        datastore=ws.datastores.get("workspaceblobstore").name,
        data_path_parameter_name="input_data",
    )
    assert ws.schedules.list() == [reactive, recurring]
    assert ws.schedules.get(recurring.id) == recurring
    assert (recurring.host, reactive.trigger.per) == (Host.KERNEL, "file")
    with pytest.raises(Conflict, match="MyRecurringSchedule"):
        ws.pipelines.disable("train")
    changes = ws.schedules.disable("MyRecurringSchedule", "MyReactiveSchedule")
    assert [change.in_words() for change in changes] == [
        "MyRecurringSchedule: Active -> Disabled",
        "MyReactiveSchedule: Active -> Disabled",
    ]
    assert ws.schedules.list() == []
    assert ws.pipelines.disable("train")[0].value.status is Status.DISABLED
    assert [one.status for one in ws.schedules.list(active_only=False)] == [Status.DISABLED] * 2


@pytest.mark.parametrize(
    "options",
    [
        {
            "frequency": "Week",
            "interval": 2,
            "week_days": ["Monday"],
            "time_of_day": "06:30",
            "time_zone": "Europe/Lisbon",
        },
        {
            "cron": "*/7 * * * 1-5",
            "time_zone": "America/Sao_Paulo",
            "start_time": "2999-01-01T00:00:00",
            "missed": "once",
        },
        {"every": "5 seconds", "start_time": "2999-01-01T00:00:00", "pipeline_parameters": {"learning_rate": 0.25}},
        {
            "datastore": "workspaceblobstore",
            "polling_interval": "30s",
            "recursive": True,
            "settle": "2s",
            "per": "batch",
        },
        {
            "datastore": "workspaceblobstore",
            "recursive": True,
            "pattern": "2026/*.csv",
            "min_size": "10 KB",
            "on": "modified",
            "per": "file",
            "max_runs_per_poll": 5,
        },
        {"datastore": "workspaceblobstore", "on": ["removed", "added"]},
        {"datastore": "workspaceblobstore", "append_only": True},
        {"every": "day", "start_time": "2999-01-01T00:00:00", "continue_on_step_failure": True, "description": "é\n2"},
    ],
)
def test_every_schedule_is_known_again_and_makes_no_duplicate(ws, train, options):
    first = ws.schedules.create("s", pipeline="train", **options)
    assert ws.schedules.plan("s", pipeline="train", **options).action == "unchanged"
    assert ws.schedules.create("s", pipeline="train", **options) == first
    assert ws.schedules.list(active_only=False) == [first]


def test_a_plan_is_what_is_made(ws, train):
    plan = ws.schedules.plan("s", pipeline="train", cron="0 6 * * *", status="Disabled")
    assert ws.schedules.list(active_only=False) == []
    made = ws.schedules.create("s", pipeline="train", cron="0 6 * * *", status="Disabled")
    assert replace(made, id="", created=None, modified=None) == plan.schedule
    assert made.status is Status.DISABLED


def test_replacing_leaves_one_active(ws, train):
    old = ws.schedules.create("s", pipeline="train", cron="0 6 * * *")
    with pytest.raises(Conflict, match=r"expression: 0 6 \* \* \* -> 0 7 \* \* \*"):
        ws.schedules.create("s", pipeline="train", cron="0 7 * * *")
    new = ws.schedules.create("s", pipeline="train", cron="0 7 * * *", if_exists="replace")
    assert ws.schedules.list() == [new]
    assert ws.schedules.get(old.id).status is Status.DISABLED
    assert ws.schedules.get("s").trigger == Cron(expression="0 7 * * *")


def test_a_file_that_arrives_starts_a_run_with_that_file(ws):
    ws.pipelines.publish(
        source="import os; print(open(os.environ['AZUREML_DATAREFERENCE_input_data']).read())",
        name="read",
        data_paths=["input_data"],
    )
    schedule = ws.schedules.create(
        "watch",
        pipeline="read",
        datastore="workspaceblobstore",
        path_on_datastore="incoming",
        polling_interval="0.2s",
        settle="0s",
        data_path_parameter_name="input_data",
    )
    assert isinstance(schedule.trigger, DatastoreChange)
    ws.datastores.upload("workspaceblobstore", b"the content", "incoming/day1.csv")
    run = eventually(lambda: ws.schedules.last_run("watch"))
    assert run.data_paths == {"input_data": DataPath("workspaceblobstore", "incoming/day1.csv")}
    assert run.schedule_id == schedule.id
    assert ws.runs.wait(run, timeout=60).status is RunStatus.FINISHED, ws.runs.logs(run)
    assert ws.runs.logs(run) == "the content\n"
    history = ws.schedules.history("watch")
    assert [(fire.reason, fire.objects, fire.run_id) for fire in history.fires] == [
        ("added", ("incoming/day1.csv",), run.id)
    ]
    assert "fired 1 time" in history.in_words()
    assert ws.schedules.runs("watch") == [ws.runs.get(run)]


def eventually(look, seconds=20):
    """What ``look`` gives as soon as it gives something. The engine keeps real time here."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not come"
    return found


def test_objects_go_up_and_come_down(ws, tmp_path):
    where = ws.datastores.upload("workspaceblobstore", b"\x00\xff", "a/b c/ü.bin")
    assert [(one.name, one.size) for one in ws.datastores.ls("workspaceblobstore", recursive=True)] == [
        ("a/b c/ü.bin", 2)
    ]
    assert ws.datastores.ls("workspaceblobstore") == []
    assert ws.datastores.download(where.datastore, where.path, tmp_path) == b"\x00\xff"
    assert (tmp_path / "ü.bin").read_bytes() == b"\x00\xff"
    for wrong in ("../x", "/../x", "a/../../x"):
        with pytest.raises(InvalidInput):
            ws.datastores.upload("workspaceblobstore", b"x", wrong)
    with pytest.raises(NotFound):
        ws.datastores.download("workspaceblobstore", "nothing")


def test_the_status_tells_about_the_engine_and_cannot_be_changed(ws, train):
    status = ws.status()
    assert status["counts"]["pipelines"] == 1
    with pytest.raises(TypeError):
        status["counts"] = {}


def test_many_schedules_are_listed_and_found(ws, train):
    for number in range(30):
        ws.schedules.create(f"s{number}", pipeline="train", cron="0 6 1 1 *")
    assert [one.name for one in ws.schedules.list()] == [f"s{number}" for number in reversed(range(30))]
    assert ws.schedules.get("s7").name == "s7"


def examples():
    """Every example in the docstrings of the facade, a method's examples together."""
    for owner in (Workspace, Experiments, Datastores, Pipelines, Schedules, Runs):
        documented = [(owner.__name__, owner), *inspect.getmembers(owner, inspect.isfunction)]
        for name, thing in documented:
            sources = [one.source for one in doctest.DocTestParser().get_examples(inspect.getdoc(thing) or "")]
            if sources and not name.startswith("_"):
                yield pytest.param(sources, id=f"{owner.__name__}.{name}")


@pytest.mark.parametrize("sources", list(examples()))
def test_every_example_in_the_documentation_runs(ws, tmp_path, monkeypatch, sources):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "day1.csv").write_text("1,2")
    in_use = ("MyRecurringSchedule", "MyReactiveSchedule", "nightly")
    is_about_schedules = any(name in source for source in sources for name in in_use)
    default = {"input_data": "workspaceblobstore/day1.csv"}
    ws.pipelines.publish(source="print(1)", name="train", parameters={"learning_rate": 0.1}, data_paths=default)
    ws.experiments.create("MyExperiment")
    if is_about_schedules and not any(".create(" in source or ".plan(" in source for source in sources):
        for name in in_use:
            ws.schedules.create(name, pipeline="train", cron="0 6 1 1 *")
    run = ws.pipelines.submit("train")
    names = {"ws": ws, "run": run, "Path": Path, "print": lambda *_words, **_options: None}
    names["aml_magics"] = SimpleNamespace(connect=lambda: ws)
    for source in sources:
        exec(compile(source, "example", "single"), names)


def test_there_are_examples_to_run():
    assert len(list(examples())) > 10


def test_publishing_the_same_again_makes_no_second_pipeline_and_something_else_does(ws):
    first = ws.pipelines.publish(source="print(1)", name="train", parameters={"rate": 0.1})
    again = ws.pipelines.publish(source="print(1)", name="train", parameters={"rate": 0.1})
    assert again == first
    others = [
        ws.pipelines.publish(source="print(2)", name="train", parameters={"rate": 0.1}),
        ws.pipelines.publish(source="print(1)", name="train", parameters={"rate": 0.2}),
        ws.pipelines.publish(source="print(1)", name="train", parameters={"rate": 0.1}, description="new"),
        ws.pipelines.publish(source="print(1)", name="train", parameters={"rate": 0.1}),  # the name means the newest
    ]
    assert len({first.id, *(one.id for one in others)}) == 5
    ws.pipelines.disable(others[-1].id)
    assert ws.pipelines.publish(source="print(1)", name="train", parameters={"rate": 0.1}).status == "Active"
