"""``%aml logic-app run``: exported schedules and hand-written workflows against the embedded workspace and Azurite."""

from __future__ import annotations

import json
import signal
import threading
import uuid

import pytest

from aml_magics.model.errors import AmlError, InvalidInput, NotFound
from aml_magics.model.resources import DataPath
from aml_magics.notebook.commands.logic_app_run import LogicAppRunFailed
from tests.notebook.helpers import shown
from tests.workflows.logic_app.bed import IDENTITY, compose, folder_id, on_blobs, seconds

READS = """\
import os
path = os.environ["AZUREML_DATAREFERENCE_input"]
print(os.path.basename(path), open(path).read())
"""
SCHEMA = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"
RECURRENCE = {"R": {"type": "Recurrence", "recurrence": {"frequency": "Day", "interval": 1}}}


def cell(actions, triggers=None) -> str:
    written = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "triggers": RECURRENCE if triggers is None else triggers}
    return json.dumps({"definition": {**written, "actions": actions}})


def watching(name, container, folder="", **more):
    """The cell of a change schedule: it fills in the data path ``input``."""
    keys = {
        "pipeline": "reads",
        "experiment_name": "FromLogicApp",
        "datastore": container,
        "data_path_parameter_name": "input",
        "status": "Disabled",
        **({"path_on_datastore": folder} if folder else {}),
        **more,
    }
    return f"schedule create {name}", json.dumps(keys)


@pytest.fixture
def reads(aml):
    return aml("pipeline publish reads --data-path input", READS)


@pytest.fixture
def blobs(aml, azurite, reads):
    """A container of the emulator, which is a datastore called ``blobs``."""
    container = f"c{uuid.uuid4().hex}"
    aml(f"datastore register blobs --azurite --endpoint {azurite.url} --container {container} --create")
    with azurite.client(container) as client:
        yield client


@pytest.mark.parametrize(
    ("inside", "name"),
    [("", "a.csv"), ("in", "plain.csv"), ("dados de março", "relatório final 1.csv")],
)
def test_a_file_that_comes_fires_the_pipeline_with_its_data_path(aml, blobs, inside, name):
    aml(*watching("Arrivals", "blobs", inside))
    place = f"{inside}/" if inside else ""
    blobs.upload_blob(f"{place}old.csv", b"old")
    later = threading.Timer(0.6, lambda: [blobs.upload_blob(place + each, b"new") for each in ("deep/x.csv", name)])
    later.start()
    view = aml("logic-app run Arrivals --for 20s --interval 0.3 --once")
    later.join()
    (run,) = view.value.runs
    assert (run.body["Name"], run.body["Path"]) == (name, f"/{blobs.container_name}/{place}{name}")
    (ml_run,) = run.ml_runs
    assert aml(f"run wait {ml_run} --timeout 60").value.data_paths == {"input": DataPath("blobs", place + name)}
    assert aml(f"run logs {ml_run}") == f"{name} new\n"
    table = view.sections["runs_table"]
    assert table[["fired_by", "data_path", "status", "ml_run"]].values.tolist() == [
        [run.body["Path"], f"blobs/{place}{name}", "Succeeded", ml_run]
    ]
    assert view.value.checks[0].why == "the first look: 1 file is there, no news"
    assert "The schedule was exported for this run" in repr(view)
    assert ml_run in aml.offers("run show ")


@pytest.mark.parametrize(("per", "count"), [("file", 10), ("batch", 1)])
def test_ten_files_at_once_are_ten_runs_or_one(aml, blobs, per, count):
    aml(*watching("Arrivals", "blobs", "in", per=per, min_size=2))
    aml("export logic-app Arrivals")
    for number in range(10):
        blobs.upload_blob(f"in/{number}.csv", b"new")
    blobs.upload_blob("in/tiny.csv", b"1")
    view = aml("logic-app run Arrivals --existing --once --for 9s --interval 1")
    assert [run.status for run in view.value.runs] == ["Succeeded"] * count
    paths = [f"blobs/in/{number}.csv" for number in range(10)] if per == "file" else ["blobs/in"]
    assert sorted(view.sections["runs_table"]["data_path"]) == paths
    workspace = aml.shell._aml_magics_session.workspace
    assert sorted(str(run.data_paths["input"].path) for run in workspace.runs.list()) == [one[6:] for one in paths]
    if per == "batch":
        (files,) = [one.outputs["body"] for one in view.value.runs[0].actions if one.type == "Query"]
        assert (len(files), len(view.value.runs[0].body)) == (10, 11)


def test_a_folder_datastore_is_watched_too_and_a_condition_keeps_a_file_out(aml, reads):
    aml(*watching("Arrivals", "workspaceblobstore", "in", pattern="*.csv"))
    aml("datastore upload --path in/a.csv", "hello")
    aml("datastore upload --path in/notes.txt", "hello")
    view = aml("logic-app run Arrivals --existing --once")
    assert view.sections["runs_table"]["data_path"].tolist() == ["workspaceblobstore/in/a.csv"]
    (check,) = [one for one in view.value.checks if one.fired]
    assert check.why == "2 files new or changed; 1 did not meet @endsWith(triggerBody()?['Name'], '.csv')"
    assert check.why in repr(view)


def test_a_workflow_in_a_cell_runs_with_its_conditions_loops_and_waits(aml):
    loop = {"type": "Foreach", "foreach": "@range(0, 3)", "actions": {"Twice": compose("@mul(item(), 2)")}}
    actions = {
        "Loop": loop,
        "Rest": seconds(0.2, "Loop"),
        "Bad": compose("@int('x')", "Rest"),
        "Mended": compose("@actions('Bad').error.message", "Bad:Failed"),
    }
    view = aml("logic-app run --once", cell(actions))
    assert view.sections["actions_table"][["action", "status"]].values.tolist()[-3:] == [
        ["Rest", "Succeeded"], ["Bad", "Failed"], ["Mended", "Succeeded"],
    ]  # fmt: skip
    assert "is no whole number" in shown(view)


def test_a_wrong_audience_is_a_401_and_a_failed_run_is_an_error_that_holds_everything(aml):
    made = aml("pipeline publish says", "print(1)")
    inputs = {"method": "POST", "uri": made.endpoint, "body": {"ExperimentName": "E"}}
    inputs["authentication"] = IDENTITY | {"audience": "https://management.azure.com"}
    actions = {"Go": {"type": "Http", "inputs": inputs}}
    with pytest.raises(LogicAppRunFailed, match=r"1 of 1 runs of 'the cell' failed: Go: 401 Unauthorized") as raised:
        aml("logic-app run --once", cell(actions))
    assert raised.value.watched.runs[0].actions[0].outputs["statusCode"] == 401
    view = aml("logic-app run --once --no-raise", cell(actions))
    assert view.sections["runs_table"]["status"].tolist() == ["Failed"]
    inputs["authentication"] = IDENTITY
    assert len(aml("logic-app run --once", cell(actions)).value.runs[0].ml_runs) == 1


def test_a_dry_run_says_what_would_run_and_where_it_would_look(aml, reads):
    aml(*watching("Arrivals", "workspaceblobstore", "in"))
    before = aml.digest()
    view = aml("logic-app run Arrivals --dry-run")
    assert view.plan["action"].tolist() == ["Run_pipeline"]
    assert "blobs of the datastore workspaceblobstore" in repr(view)
    assert aml.digest() == before


def test_interrupting_stops_everything(aml):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    later = threading.Timer(0.7, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))
    later.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            aml("logic-app run", cell({"Long": seconds(600)}))
    finally:
        later.join()
        signal.signal(signal.SIGINT, before)
    assert len(aml("logic-app run --once", cell({"A": compose(1)})).value.runs) == 1


def test_nothing_fires_and_the_checks_say_why(aml, reads):
    aml(*watching("Arrivals", "workspaceblobstore", "in"))
    aml("datastore upload --path in/a.csv", "hello")
    view = aml("logic-app run Arrivals --for 0.6 --interval 0.2")
    assert view.sections["runs_table"].empty
    checks = view.sections["checks_table"]
    assert checks["why"].tolist() == ["the first look: 1 file is there, no news", "nothing new or changed"]
    assert checks["checks"].tolist()[1] >= 2


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("logic-app run Arivals", NotFound, r"no file, no export and no schedule called 'Arivals'.*'Arrivals'"),
        ("logic-app run Arrivals.json", InvalidInput, r"There is no file 'Arrivals.json'"),
        ("logic-app run Arrivals --datastore blops", InvalidInput, r"no datastore 'blops'"),
    ],
)
def test_mistakes_with_what_is_there(aml, reads, line, kind, message):
    aml(*watching("Arrivals", "workspaceblobstore", "in"))
    before = aml.digest()
    with pytest.raises(kind, match=message):
        aml(line)
    assert aml.digest() == before


def test_a_container_that_no_datastore_is_in_is_refused(aml):
    trigger = on_blobs(f"/{'b' * 8}/in")
    assert folder_id(f"/{'b' * 8}/in") == trigger["Blob"]["inputs"]["queries"]["folderId"]
    with pytest.raises(AmlError, match=r"watches the container 'bbbbbbbb' of acct, and no datastore is in it"):
        aml("logic-app run", cell({"A": compose(1)}, trigger))
