"""Publishing and submitting scripts with Microsoft's own SDK v1, unmodified.

``drive_publishing.py BASE SCOPE WORKSPACE_ID ROOT SOURCES``: SOURCES is an empty folder, in which the source
directories of the steps are made. Each check prints a line. (The class behind ``PythonScriptStep`` is used: the public
one is the same with a docstring, and comes in a package that needs half of the SDK.)
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from audit import check, outside
from azureml.core import Datastore, Experiment, Workspace
from azureml.core.compute import ComputeTarget
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import ActivityFailedException
from azureml.pipeline.core import (
    Pipeline,
    PipelineData,
    PipelineParameter,
    PipelineRun,
    PublishedPipeline,
)
from azureml.pipeline.core._python_script_step_base import _PythonScriptStepBase as PythonScriptStep
from azureml.pipeline.core.schedule import Schedule
from sdk_bed import Bare, connect, refused, wait

ROOT, SOURCES = map(Path, sys.argv[4:6])
EXPERIMENT = "Scripts"
TELL = """
import os, pathlib, sys
from helpers.words import GREETING

print(GREETING, sys.argv[1:])
for name in ("AML_PARAMETER_rate", "AZUREML_DATAREFERENCE_fixed", "COLOUR"):
    print(name, os.environ.get(name))
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
for flag in ("--fixed", "--data"):
    if flag in arguments:
        print(flag, "holds", pathlib.Path(arguments[flag]).read_text().strip())
if "--out" in arguments:
    pathlib.Path(arguments["--out"], "model.txt").write_text("a model")
if "--model" in arguments:
    print("got", pathlib.Path(arguments["--model"], "model.txt").read_text())
"""


def source(name: str, files: dict[str, str]) -> str:
    folder = SOURCES / name
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return str(folder)


def script_step(name: str, folder: str, **more) -> PythonScriptStep:
    return PythonScriptStep("tell.py", name=name, source_directory=folder, compute_target="local", **more)


def log_of(run: PipelineRun, step: str) -> str:
    return run.find_step_run(step)[0].get_stdout_log()


def finished(run: PipelineRun) -> bool:
    return run.wait_for_completion(show_output=False) == "Finished"


def publish_and_run(ws: Workspace, folder: str) -> PublishedPipeline:
    store = ws.get_default_datastore()
    rate = PipelineParameter("rate", 0.1)
    data = (PipelineParameter("input_data", DataPath(store, "incoming/first.txt")), DataPathComputeBinding("mount"))
    fixed = DataReference(store, data_reference_name="fixed", path_on_datastore="fixed.txt")
    model = PipelineData("model", datastore=store)
    configuration = RunConfiguration()
    configuration.environment_variables = {"COLOUR": "red"}
    first = script_step(
        "make a model",
        folder,
        arguments=["--rate", rate, "--fixed", fixed, "--data", data, "--out", model, "--odd", "it's $HOME ${{x}}"],
        inputs=[fixed, data],
        outputs=[model],
        runconfig=configuration,
    )
    second = script_step("use.it", folder, arguments=["--model", model], inputs=[model])
    published = Pipeline(ws, steps=[second, first]).publish("scripts", description="two steps", version="1.0")
    check("a pipeline of scripts is published", PublishedPipeline.get(ws, published.id).version == "1.0")
    check("its steps have their names", sorted(published.get_step_names()) == ["make a model", "use.it"])
    check("its graph can be drawn", len(published.get_graph().nodes) == 4)

    changed = {"rate": 0.7, "input_data": DataPath(store, "incoming/second.txt")}
    run = published.submit(ws, EXPERIMENT, pipeline_parameters=changed)
    check("its run finishes", finished(run))
    log = log_of(run, "make a model")
    check("the script really ran, with what lay beside it", log.startswith("hello from beside ["))
    check("a parameter is an argument and a variable", "'--rate', '0.7'" in log and "AML_PARAMETER_rate 0.7" in log)
    check("a data reference is a path", "--fixed holds fixed content" in log)
    check("and a variable", "AZUREML_DATAREFERENCE_fixed " + str(ROOT / "workspaceblobstore" / "fixed.txt") in log)
    check("a data path is the one of the run", "--data holds second" in log)
    check("a variable of the run configuration is there", "COLOUR red" in log)
    check("text is what it was", '"it\'s $HOME ${{x}}"' in log)
    check("what one step made the other got", "got a model" in log_of(run, "use.it"))
    check("with no parameters it has its defaults", "--data holds first" in log_of_another(published, ws))
    return published


def log_of_another(published: PublishedPipeline, ws: Workspace) -> str:
    run = published.submit(ws, EXPERIMENT)
    check("it runs again", finished(run))
    return log_of(run, "make a model")


def run_a_command(ws: Workspace, folder: str) -> None:
    """As a ``CommandStep`` hands its words on."""
    rate = PipelineParameter("rate", 2)
    words = ["-c", "import sys; print('said', sys.argv[1:])", rate, "$AML_PARAMETER_rate"]
    step = PythonScriptStep(
        command="python", name="say", arguments=words, source_directory=folder, compute_target=("local", "AmlCompute")
    )
    run = Experiment(ws, EXPERIMENT).submit(Pipeline(ws, steps=[step]))
    check("a command runs", finished(run))
    check("with its words", log_of(run, "say") == "said ['2', '2']\n")


def look_at_a_run(ws: Workspace) -> None:
    packages = RunConfiguration(conda_dependencies=CondaDependencies.create(conda_packages=["numpy"]))
    slow = source("slow", {"tell.py": "import time\nprint('one line')\ntime.sleep(3)\n"})
    step = script_step("slow", slow, runconfig=packages)
    run = Pipeline(ws, steps=[step]).submit(EXPERIMENT)
    wait("its step appears", lambda: run.find_step_run("slow"))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        word = run.wait_for_completion(show_output=True)
    check("waiting prints what the script prints", "one line" in printed.getvalue() and word == "Finished")
    check("and that its environment is not made", "its environment is not made (numpy)" in printed.getvalue())
    (child,) = run.find_step_run("slow")
    check("the step has details", child.get_details()["status"] == "Completed")
    logs = child.get_details_with_logs()["logFiles"]
    check(
        "with its log", [logs.get(name) for name in ("user_logs/std_log.txt", "STDOUT", "JOBLOG")] == 3 * ["one line\n"]
    )
    check("its files are listed", child.get_file_names() == ["user_logs/std_log.txt"])
    child.download_file("user_logs/std_log.txt", str(SOURCES / "log.txt"))
    check("and downloaded", (SOURCES / "log.txt").read_text() == "one line\n")
    check("its outputs can be asked for", child.get_outputs() == {})
    check("the run has details", run.get_details()["status"] == "Completed" and run.get_file_names() == [])

    failing = script_step("fails", source("fails", {"tell.py": "raise SystemExit('no such luck')\n"}))
    broken = Experiment(ws, EXPERIMENT).submit(Pipeline(ws, steps=[failing]))
    try:
        broken.wait_for_completion(show_output=False)
    except ActivityFailedException as error:
        check("a script that fails says why", "no such luck" in str(error))
    else:
        check("waiting for it is told that it failed", kept=False)
    check("its status is Failed", broken.get_status() == "Failed")
    check("so is its step's", broken.find_step_run("fails")[0].get_status() == "Failed")


def cancel_a_run(ws: Workspace) -> None:
    endless = source("endless", {"tell.py": "import time\nprint('begun', flush=True)\ntime.sleep(600)\n"})
    run = Experiment(ws, EXPERIMENT).submit(Pipeline(ws, steps=[script_step("endless", endless)]))
    wait("its script is running", lambda: log_of(run, "endless") == "begun\n")
    check("its run is running", run.get_status() == "Running")
    (child,) = run.get_steps()
    check("so is its step", child.get_status() == "Running")
    run.cancel()
    wait("a run that is running can be cancelled", lambda: run.get_status() == "Canceled")
    check("so is its step then", child.get_status() == "Canceled")
    check("run history says so too", run.get_details()["status"] == "Canceled")
    check("waiting for it ends", run.wait_for_completion(show_output=False, raise_on_error=False) == "Canceled")


def submit_what_is_not_published(ws: Workspace, folder: str) -> None:
    before = {one.id for one in PublishedPipeline.list(ws, active_only=False)}
    rate = PipelineParameter("rate", 1)
    pipeline = Pipeline(ws, steps=[script_step("only", folder, arguments=["--rate", rate])])
    run = Experiment(ws, "Unpublished").submit(pipeline, pipeline_parameters={"rate": 5}, tags={"quality": "good"})
    check("an experiment submits a pipeline", finished(run))
    check("its parameter came through", "'--rate', '5'" in log_of(run, "only"))
    check("its tags are kept", run.get_tags() == {"quality": "good"})
    check("it is found by its id", PipelineRun.get(ws, run.id).experiment.name == "Unpublished")
    check(
        "it is among the runs of its experiment", [r.id for r in Experiment(ws, "Unpublished").get_runs()] == [run.id]
    )
    check("nothing was published by it", {one.id for one in PublishedPipeline.list(ws, active_only=False)} == before)
    check("its graph can be drawn", [node.name for node in run.get_graph().nodes] == ["only"])
    again = run.publish_pipeline("from a run", "published later", "2.0")
    check("its pipeline can be published", again.id in {one.id for one in PublishedPipeline.list(ws)})
    later = again.submit(ws, EXPERIMENT, pipeline_parameters={"rate": 6})
    check("and run", finished(later) and "'--rate', '6'" in log_of(later, "only"))


def change_the_source(ws: Workspace) -> None:
    folder = source("changing", {"tell.py": "print('the first')\n", "same.txt": "the same"})
    first = Pipeline(ws, steps=[script_step("change", folder)]).publish("changing")
    source("changing", {"tell.py": "print('the second', open('same.txt').read())\n"})
    second = Pipeline(ws, steps=[script_step("change", folder)]).publish("changing")
    runs = [published.submit(ws, EXPERIMENT) for published in (first, second)]
    check("both run", finished(runs[0]) and finished(runs[1]))
    logs = [log_of(run, "change") for run in runs]
    check("each with the source that it was published with", logs == ["the first\n", "the second the same\n"])


def react(ws: Workspace, published: PublishedPipeline) -> None:
    reactive = Schedule.create(
        ws,
        name="reactive",
        pipeline_id=published.id,
        experiment_name=EXPERIMENT,
        datastore=Datastore(ws, "workspaceblobstore"),
        data_path_parameter_name="input_data",
        path_on_datastore="watched",
        polling_interval=1,
    )
    (ROOT / "workspaceblobstore" / "watched" / "new.txt").write_text("brand new")
    wait("a new file starts the pipeline", lambda: reactive.get_last_pipeline_run() is not None)
    run = reactive.get_last_pipeline_run()
    check("its run finishes", finished(run))
    check("its script read the new file", "--data holds brand new" in log_of(run, "make a model"))
    reactive.disable()


class DatabricksStep(Bare):
    """As the SDK's own one publishes itself, which needs a compute that is not here."""

    service = "databrickscloud"


def what_cannot_run(ws: Workspace, folder: str) -> None:
    bare = Pipeline(ws, steps=[Bare("bare", [], [])]).publish("bare")
    run = bare.submit(ws, EXPERIMENT)
    wait("a step without a script comes to its end", lambda: run.get_status() == "Failed")
    check("and says why", "carries nothing that can be run here" in str(run.find_step_run("bare")[0].get_details()))

    several = RunConfiguration()
    several.node_count = 4
    many = Pipeline(ws, steps=[script_step("many", folder, runconfig=several)])
    refused(
        "several nodes are refused", "step 'many': its run configuration asks for 4 nodes", lambda: many.publish("x")
    )
    image = RunConfiguration()
    image.environment.docker.base_image = "example/own:1"
    own = Pipeline(ws, steps=[script_step("own", folder, runconfig=image)])
    refused("an own image is refused", "its environment is the image 'example/own:1'", lambda: own.publish("x"))
    bricks = DatabricksStep("bricks", [], [])
    refused(
        "another service is refused by name",
        "step 'bricks': DatabricksStep runs on Databricks",
        lambda: Experiment(ws, EXPERIMENT).submit(Pipeline(ws, steps=[bricks])),
    )


def main() -> None:
    store = ROOT / "workspaceblobstore"
    (store / "watched").mkdir()
    (store / "incoming").mkdir()
    (store / "fixed.txt").write_text("fixed content")
    for name in ("first", "second"):
        (store / "incoming" / f"{name}.txt").write_text(name)
    ws = connect()
    check("this machine is a compute", list(ws.compute_targets) == ["local"])
    check("it is found by its name", ComputeTarget(ws, "local").provisioning_state == "Succeeded")
    helpers = {"helpers/__init__.py": "", "helpers/words.py": "GREETING = 'hello from beside'\n"}
    folder = source("first", {"tell.py": TELL, **helpers})
    published = publish_and_run(ws, folder)
    react(ws, published)
    run_a_command(ws, folder)
    look_at_a_run(ws)
    cancel_a_run(ws)
    submit_what_is_not_published(ws, folder)
    change_the_source(ws)
    what_cannot_run(ws, folder)
    check(f"nothing looked beyond this machine {outside}", not outside)
    print("publishing works")


main()
