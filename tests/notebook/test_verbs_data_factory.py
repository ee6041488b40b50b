"""``%aml data-factory run``: exported and hand-written pipelines against the embedded workspace and Azurite."""

from __future__ import annotations

import json
import signal
import threading
import uuid

import pytest

from aml_magics.model.errors import AmlError
from aml_magics.model.resources import DataPath, RunStatus
from aml_magics.model.secret import Secret
from aml_magics.notebook.commands.data_factory_run import FactoryRunFailed
from tests.notebook.helpers import shown
from tests.workflows.data_factory.bed import activity, expression

READS = """\
import os, sys
print("rate", os.environ["AML_PARAMETER_rate"], "text", open(os.environ["AZUREML_DATAREFERENCE_input"]).read())
sys.exit(int(os.environ["AML_PARAMETER_code"]))
"""
SLEEPS = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"
PARAMETERS = {
    "file": {"type": "String", "defaultValue": "day 1.csv"},
    "code": {"type": "Int", "defaultValue": 0},
    "key": {"type": "SecureString", "defaultValue": "none"},
}


def pipeline(ml_pipeline, datastore="workspaceblobstore"):
    """Two activities around the run: one makes the path of its data, the other keeps its id."""
    place = {"DataStoreName": datastore, "RelativePath": "@variables('path')"}
    train = activity(
        "Train",
        "AzureMLExecutePipeline",
        "Where",
        mlPipelineId=ml_pipeline.id,
        experimentName="FromFactory",
        mlPipelineParameters={"rate": "0.25", "code": expression("@string(pipeline().parameters.code)")},
        dataPathAssignments={"input": place},
    )
    where = activity("Where", "SetVariable", variableName="path", value="in/@{pipeline().parameters.file}")
    kept = activity("Keep", "SetVariable", "Train", variableName="kept", value="@activity('Train').output.runId")
    catch = activity(
        "Catch", "SetVariable", "Train:Failed", variableName="kept", value="@activity('Train').error.message"
    )
    variables = {"path": {"type": "String"}, "kept": {"type": "String"}}
    properties = {"activities": [where, train, kept, catch], "variables": variables, "parameters": PARAMETERS}
    return {"name": "around", "properties": properties}


def watching(pipeline, begins):
    """The same with a trigger on new files there."""
    started = {"pipelineReference": {"referenceName": "around"}, "parameters": {"file": "@triggerBody().fileName"}}
    properties = {"events": ["Microsoft.Storage.BlobCreated"], "blobPathBeginsWith": begins}
    trigger = {"type": "BlobEventsTrigger", "typeProperties": properties, "pipelines": [started]}
    return {"pipelines": [pipeline], "triggers": [{"name": "files", "properties": trigger}]}


@pytest.fixture
def reads(aml):
    """A pipeline that prints what it got, and a file for it to read."""
    made = aml("pipeline publish reads --parameter rate=1.5 --parameter code=0 --data-path input", READS)
    aml("datastore upload --path 'in/day 1.csv'", "hello")
    return made


def test_a_pipeline_around_an_ml_run_passes_its_data_path_and_its_parameter(aml, reads, folder):
    (folder / "around.json").write_text(json.dumps(pipeline(reads)))
    view = aml("data-factory run around.json --parameter key={KEY}", KEY=Secret("pl4nted-k3y"))
    (ml_run,) = view.value.ml_runs
    assert view.value.variables == {"path": "in/day 1.csv", "kept": ml_run}
    assert aml(f"run logs {ml_run}") == "rate 0.25 text hello\n"
    run = aml(f"run show {ml_run}").value
    assert run.data_paths == {"input": DataPath("workspaceblobstore", "in/day 1.csv")}
    assert run.experiment_name == "FromFactory"
    table = view.sections["activities"]
    assert table["status"].tolist() == ["Succeeded", "Succeeded", "Succeeded", "Skipped"]
    assert table["ml_run"].tolist()[1] == ml_run
    assert ml_run in aml.offers("run show ")
    assert "pl4nted-k3y" not in shown(view)


def test_a_failed_ml_run_takes_the_failure_path_and_is_an_error_that_holds_the_run(aml, reads):
    cell = json.dumps(pipeline(reads))
    with pytest.raises(
        FactoryRunFailed, match=r"'around' failed: Train: its run ended as Failed: .*exit code 3.*run logs"
    ) as caught:
        aml("data-factory run --parameter code=3", cell)
    assert "exit code 3" in caught.value.run.variables["kept"]
    view = aml("data-factory run --parameter code=3 --no-raise", cell)
    assert view.sections["activities"]["status"].tolist() == ["Succeeded", "Failed", "Skipped", "Succeeded"]


def test_an_exported_folder_is_run_by_the_name_that_was_exported(aml, reads, folder):
    resources = [{"type": "Microsoft.DataFactory/factories/pipelines", "apiVersion": "2018-06-01"}]
    made = pipeline(reads)
    made["properties"]["activities"][1]["typeProperties"]["mlPipelineId"] = "[parameters('pipelineId')]"
    resources[0] |= {"name": "[concat(parameters('factoryName'), '/around')]", "properties": made["properties"]}
    about = {"pipelineId": {"type": "string"}, "factoryName": {"type": "string"}}
    (folder / "night-data-factory").mkdir()
    template = folder / "night-data-factory" / "template.json"
    template.write_text(json.dumps({"parameters": about, "resources": resources}))
    with pytest.raises(AmlError, match="the parameter 'pipelineId' of the template has no value"):
        aml("data-factory run night")
    values = {"parameters": {"pipelineId": {"value": reads.id}}}
    template.with_name("parameters.json").write_text(json.dumps(values))
    assert len(aml("data-factory run night").value.ml_runs) == 1


def test_a_file_put_into_azurite_fires_the_trigger_with_its_name(aml, azurite, reads, folder):
    container = f"c{uuid.uuid4().hex}"
    aml(f"datastore register blobs --azurite --endpoint {azurite.url} --container {container} --create")
    aml("datastore upload --path in/old.csv --datastore blobs", "old")
    definition = watching(pipeline(reads, "blobs"), f"/{container}/blobs/in/")
    (folder / "files.json").write_text(json.dumps(definition))
    with azurite.client(container) as client:
        later = threading.Timer(0.7, client.upload_blob, ("in/dáy 2.csv", b"new"))
        later.start()
        view = aml("data-factory run files.json --trigger files --for 2")
        later.join()
    (run,) = view.value.runs
    assert run.parameters["file"] == "dáy 2.csv"
    assert aml(f"run logs {run.ml_runs[0]}") == "rate 0.25 text new\n"
    assert view.sections["runs"]["fired_by"].tolist() == [f"{container}/in/dáy 2.csv"]
    assert "watched  blobs/in" in repr(view)


def test_interrupting_cancels_the_ml_run_that_is_waited_for(aml, folder):
    made = aml("pipeline publish sleeps", SLEEPS)
    train = activity("Train", "AzureMLExecutePipeline", mlPipelineId=made.id, experimentName="E")
    cell = json.dumps({"name": "p", "properties": {"activities": [train]}})
    workspace = aml.shell._aml_magics_session.workspace

    def interrupt():
        aml.until(lambda: [run.status for run in workspace.runs.list()], lambda found: RunStatus.RUNNING in found)
        if not is_over.is_set():
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    is_over = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    waiting = threading.Thread(target=interrupt)
    try:
        waiting.start()
        with pytest.raises(KeyboardInterrupt):
            aml("data-factory run", cell)
    finally:
        is_over.set()
        waiting.join()
        signal.signal(signal.SIGINT, before)
    (run,) = aml.until(workspace.runs.list, lambda found: found[0].status.is_final)
    assert run.status is RunStatus.CANCELED


def test_a_dry_run_shows_the_activities_in_their_order_and_runs_none(aml, reads):
    before = aml.digest()
    view = aml("data-factory run --dry-run", json.dumps(pipeline(reads)))
    assert view.plan[["activity", "after"]].values.tolist()[1] == ["Train", "Where Succeeded"]
    assert aml.digest() == before


def test_what_cannot_run_here_is_refused_and_nothing_has_run(aml, reads):
    made = pipeline(reads)
    made["properties"]["activities"].append(activity("Move", "Copy", "Train"))
    before = aml.digest()
    with pytest.raises(AmlError, match=r"'Move' \(Copy\); nothing was run"):
        aml("data-factory run", json.dumps(made))
    assert aml.digest() == before
