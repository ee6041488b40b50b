"""Pipeline endpoints, schedules on them and pipeline drafts, with Microsoft's own SDK v1, unmodified.

``drive_endpoints.py BASE SCOPE WORKSPACE_ID TRAIN_ID IDLE_ID``. Each check prints a line.
"""

from __future__ import annotations

import sys

from audit import check, outside
from azureml.core import Experiment, Workspace
from azureml.data.datapath import DataPath
from azureml.pipeline.core import (
    Pipeline,
    PipelineDraft,
    PipelineEndpoint,
    PipelineRun,
    PublishedPipeline,
)
from azureml.pipeline.core.schedule import Schedule, ScheduleRecurrence
from sdk_bed import BASE, SCOPE, Bare, connect, refused, wait

TRAIN_ID, IDLE_ID = sys.argv[4:]
EXPERIMENT = "MyExperiment"
FAR = ScheduleRecurrence(frequency="Day", interval=1, start_time="2040-01-01T00:00:00")


def refused_here(promise: str, words: str, call) -> None:
    """The SDK itself must refuse it."""
    try:
        call()
    except ValueError as error:
        check(f"{promise}: {error}", words in str(error))
    else:
        check(promise, kept=False)


def publish_and_find(ws: Workspace, train: PublishedPipeline) -> PipelineEndpoint:
    check("there are no endpoints at first", PipelineEndpoint.list(ws) == [])
    made = PipelineEndpoint.publish(ws, name="prod", description="what is in use", pipeline=train)
    check(
        "an endpoint is published", (made.name, made.description, made.status) == ("prod", "what is in use", "Active")
    )
    check("its first version is 0 and the default", (made.default_version, made.get_default_version()) == ("0", "0"))
    address = f"{BASE}/pipelines/v1.0{SCOPE}/PipelineRuns/PipelineEndpointSubmit/Id/{made.id}"
    check("its endpoint is the submit address", made.endpoint == address)
    check("it is found by its id", PipelineEndpoint.get(ws, id=made.id).name == "prod")
    check("it is found by its name", PipelineEndpoint.get(ws, name="prod").id == made.id)
    check("it is listed", [one.id for one in PipelineEndpoint.list(ws)] == [made.id])
    check("and by the old name", [one.id for one in PipelineEndpoint.get_all(ws)] == [made.id])
    refused("an unknown id is not found", "no pipeline endpoint", lambda: PipelineEndpoint.get(ws, id="none"))
    refused("an unknown name is not found", "Did you mean 'prod'?", lambda: PipelineEndpoint.get(ws, name="prof"))
    refused_here(
        "a name is taken once",
        "already exists",
        lambda: PipelineEndpoint.publish(ws, name="prod", description="", pipeline=train),
    )
    check("it can be printed", "prod" in str(made))
    check("and shown", "prod" in made._repr_html_())
    return made


def versions(ws: Workspace, made: PipelineEndpoint, train: PublishedPipeline, idle: PublishedPipeline) -> None:
    made.add(idle)
    check("a version is added", [one.version for one in made.pipeline_version_list] == ["0", "1"])
    check("the default stays", PipelineEndpoint.get(ws, id=made.id).default_version == "0")
    refused_here("a pipeline is added once", "exists in PipelineEndpoint", lambda: made.add(idle))
    empty = Pipeline(ws, steps=[]).publish(name="empty", description="nothing", version="1")
    made.add_default(empty)
    check("a version is added as the default", (made.default_version, made.get_pipeline().id) == ("2", empty.id))
    check("a version's pipeline is told", made.get_pipeline(version="1").name == "idle")
    refused_here("an unknown version has none", "not found", lambda: made.get_pipeline(version="9"))
    listed = {one.version: one.pipeline.name for one in made.list_versions()}
    check("versions are listed with their pipelines", listed == {"0": "train", "1": "idle", "2": "empty"})
    check("and once more by the old name", len(made.get_all_versions()) == 3)
    made.set_default_version("1")
    check("another default is set by its version", PipelineEndpoint.get(ws, id=made.id).default_version == "1")
    made.set_default(train)
    check("and by its pipeline", PipelineEndpoint.get(ws, id=made.id).default_version == "0")
    refused_here("an unknown version is no default", "does not exist", lambda: made.set_default_version("9"))

    empty.disable()
    check("active pipelines are listed", [one.name for one in made.list_pipelines()] == ["train", "idle"])
    check("and all of them", len(made.list_pipelines(active_only=False)) == 3)
    check("and by the old name", len(made.get_all_pipelines()) == 2)
    refused("a disabled pipeline is no default", "'empty' is Disabled", lambda: made.set_default_version("2"))
    empty.enable()


def names_and_status(ws: Workspace, made: PipelineEndpoint, idle: PublishedPipeline) -> None:
    made.set_name("live")
    check("it is renamed", PipelineEndpoint.get(ws, name="live").id == made.id)
    provider = made._pipeline_endpoint_provider  # the SDK has no public call for it
    provider.update_pipeline_endpoint(made.id, description="new words")
    check("its description is changed", PipelineEndpoint.get(ws, id=made.id).description == "new words")

    made.disable()
    check("it is disabled", PipelineEndpoint.get(ws, id=made.id).status == "Disabled")
    check("and leaves the list", PipelineEndpoint.list(ws) == [])
    check("but not the list of all", [one.name for one in PipelineEndpoint.list(ws, active_only=False)] == ["live"])
    refused_here(
        "nothing is submitted to it by the SDK",
        "must be Active",
        lambda: PipelineEndpoint.get(ws, name="live").submit(EXPERIMENT),
    )
    made._status = "Active"  # as another client that has read it before
    refused("nor by the workspace", "'live' is Disabled", lambda: made.submit(EXPERIMENT))
    made.enable()
    check("it is enabled again", PipelineEndpoint.get(ws, id=made.id).status == "Active")

    other = PipelineEndpoint.publish(ws, name="other", description="", pipeline=idle)
    refused("a name is not taken from another", "already", lambda: other.set_name("live"))
    check("no more are listed than asked for", len(PipelineEndpoint.list(ws, max_results=1)) == 1)
    other.archive()
    check("an archived one gives its name away", "other" not in [e.name for e in PipelineEndpoint.list(ws, False)])
    again = PipelineEndpoint.publish(ws, name="other", description="", pipeline=Pipeline(ws, steps=[]))
    check("so that it can be given again, to a pipeline that is published by the way", again.name == "other")
    refused("it comes back under no taken name", "already", lambda: other.reactivate("other"))
    other.reactivate("second")
    check("but under another", (other.name, PipelineEndpoint.get(ws, name="second").status) == ("second", "Active"))
    made.set_name("prod")


def submit(ws: Workspace, made: PipelineEndpoint) -> None:
    run = made.submit(EXPERIMENT, pipeline_parameters={"learning_rate": 0.7})
    check("a submission is a pipeline run in run history", isinstance(ws.get_run(run.id), PipelineRun))
    check("of the default version", run.wait_for_completion(show_output=True) == "Finished")
    check("with its values", "trained with 0.7" in run.find_step_run("fit")[0].get_stdout_log())
    check("it is among that pipeline's runs", run.id in [r.id for r in PipelineRun.get_pipeline_runs(ws, TRAIN_ID)])
    other = made.submit(EXPERIMENT, pipeline_version="1", parent_run_id=run.id)
    check("a version can be named", other.wait_for_completion(show_output=False) == "Finished")
    check("it is that version's pipeline", other.id in [r.id for r in PipelineRun.get_pipeline_runs(ws, IDLE_ID)])
    check("it is filed under its parent", other.id in [step.id for step in run.get_children()])
    by_experiment = Experiment(ws, "Other").submit(made, pipeline_parameters={"epochs": 5})
    check("an experiment can submit it", by_experiment.wait_for_completion(show_output=False) == "Finished")
    refused(
        "an unknown version is told", "Its versions: 0, 1, 2", lambda: made.submit(EXPERIMENT, pipeline_version="9")
    )
    refused(
        "an unknown parameter is told",
        "Did you mean 'learning_rate'?",
        lambda: made.submit(EXPERIMENT, pipeline_parameters={"learning_rat": 1}),
    )


def schedules(ws: Workspace, made: PipelineEndpoint, train: PublishedPipeline) -> None:
    recurring = Schedule.create_for_pipeline_endpoint(
        ws,
        name="on-endpoint",
        description="of whatever is in use",
        pipeline_endpoint_id=made.id,
        experiment_name=EXPERIMENT,
        recurrence=ScheduleRecurrence(frequency="Minute", interval=15),
        pipeline_parameters={"epochs": 2, "input_data": DataPath(ws.get_default_datastore(), "given")},
        wait_for_provisioning=True,
    )
    check("a schedule on an endpoint is created", (recurring.status, recurring.pipeline_id) == ("Active", None))
    check("it names its endpoint", Schedule.get(ws, recurring.id).pipeline_endpoint_id == made.id)
    check("it can be printed", made.id in str(recurring))
    check("it is among all", [s.id for s in Schedule.list(ws)] == [recurring.id])
    check("and among the endpoint's", [s.id for s in Schedule.list(ws, pipeline_endpoint_id=made.id)] == [recurring.id])
    check("but not among the pipeline's", Schedule.list(ws, pipeline_id=TRAIN_ID) == [])
    wait("it fires at once", lambda: recurring.get_last_pipeline_run() is not None)
    run = recurring.get_last_pipeline_run()
    wait("its run finishes", lambda: run.get_status() == "Finished")
    check("it ran the default version", run.id in [r.id for r in PipelineRun.get_pipeline_runs(ws, TRAIN_ID)])

    refused("its endpoint cannot be disabled", "on-endpoint", made.disable)
    refused("nor archived", "on-endpoint", made.archive)
    refused("nor the default version's pipeline", "on-endpoint (on pipeline endpoint 'prod')", train.disable)
    recurring.update(name="renamed", description="new", recurrence=FAR)
    again = Schedule.get(ws, recurring.id)
    check("it is updated", (again.name, again.description, again.recurrence.frequency) == ("renamed", "new", "Day"))
    check("and stays on its endpoint", again.pipeline_endpoint_id == made.id)
    recurring.disable()
    check("it is disabled", [s.status for s in Schedule.list(ws, pipeline_endpoint_id=made.id)] == ["Disabled"])
    made.disable()
    refused("it is not enabled on a disabled endpoint", "'prod' is Disabled", recurring.enable)
    made.enable()
    recurring.enable(wait_for_provisioning=True)
    check("it is enabled again", Schedule.get(ws, recurring.id).status == "Active")
    recurring.disable()


def drafts(ws: Workspace, train: PublishedPipeline) -> None:
    made = PipelineDraft.create(ws, pipeline=train)
    check("a draft of a published pipeline is made", (made.name, made.parent_pipeline_id) == ("train", TRAIN_ID))
    check("it is found by its id", PipelineDraft.get(ws, id=made.id).name == "train")
    check("its graph can be drawn", {node.name for node in made.get_graph().nodes} == {"fit", "prepare"})
    values = {"learning_rate": 0.25}
    made.update(
        name="idea", description="to be tried", experiment_name="Drafts", tags={"team": "a"}, pipeline_parameters=values
    )
    found = PipelineDraft.get(ws, id=made.id)
    check("it is updated", (found.name, found.description, found.tags) == ("idea", "to be tried", {"team": "a"}))
    check("drafts are listed", [one.id for one in PipelineDraft.list(ws)] == [made.id])
    check("and by their tags", [one.id for one in PipelineDraft.list(ws, tags={"team": "a"})] == [made.id])
    check("and no others", PipelineDraft.list(ws, tags={"team": "b"}) == [])
    check("it can be printed", "idea" in str(found))

    before = {one.id for one in PublishedPipeline.list(ws, active_only=False)}
    run = found.submit_run()
    check("it is submitted", run.wait_for_completion(show_output=False) == "Finished")
    check("with its values", "trained with 0.25" in run.find_step_run("fit")[0].get_stdout_log())
    check("in its experiment", ws.get_run(run.id).experiment.name == "Drafts")
    check("and nothing is published by that", {p.id for p in PublishedPipeline.list(ws, active_only=False)} == before)
    check("it knows its last run", PipelineDraft.get(ws, id=made.id).last_submitted_pipeline_run_id == run.id)
    other = Experiment(ws, "Drafts").submit(found)
    check("an experiment can submit it", other.wait_for_completion(show_output=False) == "Finished")

    published = found.publish()
    check("it is published", PublishedPipeline.get(ws, published.id).name == "idea")
    once_more = published.submit(ws, EXPERIMENT)
    once_more.wait_for_completion(show_output=False)
    check("with its values", "trained with 0.25" in once_more.find_step_run("fit")[0].get_stdout_log())

    of_run = PipelineDraft.create(ws, pipeline=run)
    check("a draft of a run is made", of_run.parent_pipeline_run_id == run.id)
    of_draft = PipelineDraft.create(ws, pipeline=of_run)
    check("a draft of a draft is made", of_draft.parent_pipeline_draft_id == of_run.id)
    again = of_draft.submit_run()
    check("it does the same", again.wait_for_completion(show_output=False) == "Finished")
    check("with the same values", "trained with 0.25" in again.find_step_run("fit")[0].get_stdout_log())
    made.update(pipeline_parameters={"learning_rat": 1})
    refused("an unknown parameter is told", "Did you mean 'learning_rate'?", made.submit_run)
    for draft in (made, of_run, of_draft):
        draft.delete()
    check("drafts are deleted", PipelineDraft.list(ws) == [])
    refused("and not found any more", "no pipeline draft", lambda: PipelineDraft.get(ws, id=made.id))


def draft_of_an_empty_pipeline(ws: Workspace) -> None:
    empty = Pipeline(ws, steps=[])
    made = PipelineDraft.create(
        ws, pipeline=empty, name="nothing", description="d", experiment_name=EXPERIMENT, tags={"a": "b"}
    )
    check("a draft of an empty pipeline is made", (made.name, made.tags) == ("nothing", {"a": "b"}))
    check("its graph is empty", list(made.get_graph().nodes) == [])
    check("it runs", made.submit_run().get_status() == "Finished")
    made.update(pipeline=Pipeline(ws, steps=[Bare("bare", [], [])]), continue_on_step_failure=True)
    check("its graph can be replaced", [node.name for node in made.get_graph().nodes] == ["bare"])
    check("and how its steps may fail", made.publish().continue_on_step_failure is True)


def main() -> None:
    ws = connect()
    train, idle = PublishedPipeline.get(ws, TRAIN_ID), PublishedPipeline.get(ws, IDLE_ID)
    made = publish_and_find(ws, train)
    versions(ws, made, train, idle)
    names_and_status(ws, made, idle)
    submit(ws, made)
    schedules(ws, made, train)
    drafts(ws, train)
    draft_of_an_empty_pipeline(ws)
    check(f"nothing looked beyond this machine {outside}", not outside)
    print("endpoints and drafts work")


if __name__ == "__main__":
    main()
