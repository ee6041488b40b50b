"""The article, step by step, with Microsoft's own SDK v1, unmodified: run by an interpreter that has it installed.

``drive_with_sdk.py BASE SCOPE WORKSPACE_ID TRAIN_ID IDLE_ID ROOT``. Everything but the connection is the public surface
of ``azureml-core`` and ``azureml-pipeline-core``. Each check prints a line.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import requests
from audit import check, outside
from azureml.core import VERSION, Datastore, Experiment, Workspace
from azureml.data.datapath import DataPath
from azureml.pipeline.core import Pipeline, PipelineRun, PublishedPipeline
from azureml.pipeline.core.schedule import Schedule, ScheduleRecurrence, TimeZone
from sdk_bed import BASE, HEADERS, SCOPE, connect, refused, wait

TRAIN_ID, IDLE_ID, ROOT = sys.argv[4:]
EXPERIMENT = "MyExperiment"


def list_what_there_is(ws: Workspace) -> PublishedPipeline:
    created = Experiment(ws, EXPERIMENT)
    check("an experiment is created and listed", [one.name for one in Experiment.list(ws)] == [EXPERIMENT])
    check("an experiment is found by its id", Experiment.list(ws)[0].id == created.id)

    pipelines = {pipeline.name: pipeline for pipeline in PublishedPipeline.list(ws)}
    check("published pipelines are listed", set(pipelines) == {"train", "idle"})
    pipeline = PublishedPipeline.get(ws, id=TRAIN_ID)
    check("a published pipeline is found by its id", (pipeline.name, pipeline.version) == ("train", "1.0"))
    check(
        "its endpoint is the submit address",
        pipeline.endpoint == f"{BASE}/pipelines/v1.0{SCOPE}/PipelineRuns/PipelineSubmit/{TRAIN_ID}",
    )
    check("its steps are named", sorted(pipeline.get_step_names()) == ["fit", "prepare"])
    params = pipeline.get_graph().params
    check("its graph has all parameters", set(params) == {"learning_rate", "epochs", "input_data"})
    check("it can be printed", "train" in str(pipeline))

    datastore = Datastore(workspace=ws, name="workspaceblobstore")
    check("the default datastore is blob storage to the SDK", datastore.datastore_type == "AzureBlob")
    check("it is the default one", ws.get_default_datastore().name == "workspaceblobstore")
    check("datastores are listed", list(ws.datastores) == ["workspaceblobstore"])
    return pipeline


def other_datastores_and_experiments(ws: Workspace) -> None:
    def register(overwrite: bool, container: str) -> Datastore:
        return Datastore.register_azure_blob_container(
            ws,
            "extra",
            container,
            "account",
            account_key="pl4ntedAccountKey000",
            skip_validation=True,
            endpoint="core.windows.net",
            overwrite=overwrite,
        )

    check("a container can be registered", register(overwrite=False, container="one").container_name == "one")
    check("and overwritten", register(overwrite=True, container="two").container_name == "two")
    ws.set_default_datastore("extra")
    check("another default can be chosen", ws.get_default_datastore().name == "extra")
    ws.set_default_datastore("workspaceblobstore")
    Datastore.get(ws, "extra").unregister()
    check("a datastore can be forgotten", list(ws.datastores) == ["workspaceblobstore"])

    old = Experiment(ws, "old")
    check("an experiment is found by its name", [e.name for e in Experiment.list(ws, experiment_name="old")] == ["old"])
    old.set_tags({"kept": "yes"})
    check("an experiment is found by its tag", [e.name for e in Experiment.list(ws, tags={"kept": "yes"})] == ["old"])
    old.remove_tags(["kept"])
    check("but not once it is removed", list(Experiment.list(ws, tags={"kept": "yes"})) == [])
    old.archive()
    check("an archived experiment leaves the list", [e.name for e in Experiment.list(ws)] == [EXPERIMENT])
    check("it is in its own list", [e.name for e in Experiment.list(ws, view_type="ArchivedOnly")] == ["old"])
    old.reactivate()
    check("it can be brought back", len(Experiment.list(ws)) == 2)
    Experiment.delete(ws, Experiment(ws, "empty").id)
    check("an empty experiment can be deleted", "empty" not in [e.name for e in Experiment.list(ws, view_type="All")])
    refused("a run that is not there is not found", "no-such-run", lambda: ws.get_run("no-such-run"))


def create_schedules(ws: Workspace) -> tuple[Schedule, Schedule]:
    recurring = Schedule.create(
        ws,
        name="MyRecurringSchedule",
        description="Based on time",
        pipeline_id=TRAIN_ID,
        experiment_name=EXPERIMENT,
        recurrence=ScheduleRecurrence(frequency="Minute", interval=15),
        pipeline_parameters={"learning_rate": 0.5, "input_data": DataPath(ws.get_default_datastore(), "given")},
        wait_for_provisioning=True,
    )
    check("a recurring schedule is created active", recurring.status == "Active")
    check("it says what it is", "every 15 Minutes" in str(recurring))

    reactive = Schedule.create(
        ws,
        name="MyReactiveSchedule",
        description="Based on input file change.",
        pipeline_id=TRAIN_ID,
        experiment_name=EXPERIMENT,
        datastore=Datastore(workspace=ws, name="workspaceblobstore"),
        data_path_parameter_name="input_data",
        path_on_datastore="incoming",
        polling_interval=1,
        continue_on_step_failure=True,
    )
    check("a reactive schedule is created active", reactive.status == "Active")
    check("its polling interval stays", reactive.polling_interval == 1)
    check("its data path parameter stays", reactive.data_path_parameter_name == "input_data")
    check("its path stays", reactive.path_on_datastore == "incoming")
    check("continue_on_step_failure stays", reactive.continue_on_step_failure is True)
    check("it says what it is", "Datastore: workspaceblobstore" in str(reactive))
    return recurring, reactive


def full_recurrence(ws: Workspace) -> None:
    recurrence = ScheduleRecurrence(
        frequency="Week",
        interval=2,
        start_time=datetime(2040, 5, 20, 16, 0),
        time_zone=TimeZone.PacificStandardTime,
        week_days=["Monday", "Friday"],
        time_of_day="18:30",
    )
    made = Schedule.create(ws, name="full", pipeline_id=IDLE_ID, experiment_name=EXPERIMENT, recurrence=recurrence)
    back = Schedule.get(ws, made.id).recurrence
    check("a time zone comes back as sent", back.time_zone is TimeZone.PacificStandardTime)
    check("a start time comes back as sent", back.start_time == "2040-05-20T16:00:00")
    check(
        "week days and time of day come back",
        (back.week_days, back.hours, back.minutes) == (["Monday", "Friday"], [18], [30]),
    )
    check("frequency and interval come back", (back.frequency, back.interval) == ("Week", 2))
    start = {"Frequency": "Day", "Interval": 1, "StartTime": "2040-05-20T16:00:00"}
    url = f"{BASE}/pipelines/v1.0{SCOPE}/Schedules/{made.id}"
    changed = []
    for zone in TimeZone:
        requests.put(url, json={"Recurrence": {**start, "TimeZone": zone.value}}, headers=HEADERS, timeout=10)
        if Schedule.get(ws, made.id).recurrence.time_zone is not zone:
            changed.append(zone.value)
    check(f"every time zone of the SDK comes back as sent {changed}", not changed)
    made.update(recurrence=ScheduleRecurrence(frequency="Day", interval=3), name="renamed", description="new")
    again = Schedule.get(ws, made.id)
    check(
        "a recurrence is replaced by an update", (again.recurrence.frequency, again.recurrence.hours) == ("Day", None)
    )
    check("name and description are updated", (again.name, again.description) == ("renamed", "new"))
    made.disable()
    check("it is disabled", Schedule.get(ws, made.id).status == "Disabled")


def list_get_disable_enable(ws: Workspace, recurring: Schedule, reactive: Schedule) -> None:
    both = {recurring.id, reactive.id}
    check("active schedules are listed", {s.id for s in Schedule.list(ws)} == both)
    check("the schedules of a pipeline are listed", {s.id for s in Schedule.list(ws, pipeline_id=TRAIN_ID)} == both)
    found = Schedule.get(ws, recurring.id)
    check("a schedule is found by its id", (found.name, found.description) == ("MyRecurringSchedule", "Based on time"))

    check("but not those of another one", Schedule.list(ws, pipeline_id=IDLE_ID) == [])
    stopped = next(s for s in Schedule.list(ws) if s.id == recurring.id)  # the article's own function
    stopped.disable()
    check("a disabled schedule leaves the list", {s.id for s in Schedule.list(ws)} == {reactive.id})
    everything = {s.id: s.status for s in Schedule.list(ws, active_only=False)}
    check("it is in the list of all", everything.get(recurring.id) == "Disabled")
    check("and in its pipeline's", {s.id for s in Schedule.list(ws, pipeline_id=TRAIN_ID)} == both)
    stopped.enable(wait_for_provisioning=True)
    check("it can be enabled again", Schedule.get(ws, recurring.id).status == "Active")


def react(ws: Workspace, reactive: Schedule) -> None:
    check("a schedule that has not fired has no last run", reactive.get_last_pipeline_run() is None)
    folder = Path(ROOT, "workspaceblobstore", "incoming")
    (folder / "new.csv").write_text("1,2\n")
    wait("a new file starts a run", lambda: reactive.get_last_pipeline_run() is not None)
    run = reactive.get_last_pipeline_run()
    wait("the run finishes", lambda: run.get_status() == "Finished")
    check("the runs of a schedule are listed", [r.id for r in reactive.get_pipeline_runs()] == [run.id])
    note = run.find_step_run("prepare")[0].get_stdout_log()
    check("the data path is the changed file", note.strip().endswith("incoming/new.csv"))


def update_a_reactive_schedule(ws: Workspace) -> None:
    store = Datastore(workspace=ws, name="workspaceblobstore")
    made = Schedule.create(ws, name="moves", pipeline_id=TRAIN_ID, experiment_name=EXPERIMENT, datastore=store)
    check("an untold polling interval is five minutes", Schedule.get(ws, made.id).polling_interval == 5)
    made.update(polling_interval=2, path_on_datastore="other", data_path_parameter_name="input_data")
    back = Schedule.get(ws, made.id)
    check("what it watches is updated", (back.polling_interval, back.path_on_datastore) == (2, "other"))
    check("and what it sets", back.data_path_parameter_name == "input_data")
    check("it still watches its datastore", back.datastore_name == "workspaceblobstore")
    made.update(pipeline_parameters={"epochs": 7}, continue_on_step_failure=True, status="Disabled")
    again = Schedule.get(ws, made.id)
    check("an update can disable", again.status == "Disabled")
    check("and change how a step may fail", again.continue_on_step_failure is True)
    refused(
        "an update is checked as a creation is",
        "Did you mean 'epochs'?",
        lambda: made.update(pipeline_parameters={"epoch": 7}, status="Active"),
    )
    refused("an unknown schedule is not found", "there is no schedule", lambda: Schedule.get(ws, "no-such-schedule"))


def schedules_that_only_a_kernel_hosts(ws: Workspace) -> None:
    def create(**fields):
        body = {"PipelineId": IDLE_ID, "PipelineSubmissionInfo": {"ExperimentName": EXPERIMENT}, **fields}
        answer = requests.post(f"{BASE}/pipelines/v1.0{SCOPE}/Schedules/Create", json=body, headers=HEADERS, timeout=10)
        check(f"{fields['Name']} is created", answer.status_code == 200)
        return Schedule.get(ws, answer.json()["Id"])

    cron = {"Expression": "0 6 * * 1-5", "TimeZone": "Europe/Lisbon"}
    nightly = create(Name="cron", Recurrence={"Frequency": "Cron"}, AmlMagics={"Cron": cron})
    often = create(Name="often", Recurrence={"Frequency": "Second", "Interval": 50, "StartTime": "2040-01-01T00:00:00"})
    start = {"StartTime": "2040-01-01T00:00:00", "TimeZone": "Antarctica/Troll"}
    far = create(Name="far", Recurrence={"Frequency": "Day", "Interval": 1, **start})
    check("they do not spoil the list", {"cron", "often", "far"} <= {s.name for s in Schedule.list(ws)})
    check("they can be printed", "every Cron" in str(nightly) and "every 50 Seconds" in str(often))
    for schedule in (nightly, often, far):
        schedule.disable()
    entity = requests.get(f"{BASE}/pipelines/v1.0{SCOPE}/Schedules/{nightly.id}", headers=HEADERS, timeout=10).json()
    check("disabling one with the SDK keeps its cron", entity["AmlMagics"]["Cron"] == cron)


def stop_the_pipeline(ws: Workspace, pipeline: PublishedPipeline, schedules: list[Schedule]) -> None:
    refused("a scheduled pipeline is not disabled", "MyRecurringSchedule", pipeline.disable)
    for schedule in schedules:
        schedule.disable()
    check("no schedule is active any more", Schedule.list(ws) == [])
    pipeline.disable()
    check("then the pipeline is disabled", PublishedPipeline.get(ws, TRAIN_ID).status == "Disabled")
    check("and leaves the list", [p.name for p in PublishedPipeline.list(ws)] == ["idle"])
    check("but not the list of all", {p.name for p in PublishedPipeline.list(ws, active_only=False)} >= {"train"})
    refused("its schedule cannot be enabled", "'train' is Disabled", schedules[0].enable)
    refused("nor can it be submitted", "'train' is Disabled", lambda: pipeline.submit(ws, EXPERIMENT))
    pipeline.enable()
    check("it can be enabled again", PublishedPipeline.get(ws, TRAIN_ID).status == "Active")


def submit_and_look(ws: Workspace, pipeline: PublishedPipeline) -> None:
    run = pipeline.submit(ws, EXPERIMENT, pipeline_parameters={"learning_rate": 0.7})
    check("a submitted run is a pipeline run in run history", isinstance(ws.get_run(run.id), PipelineRun))
    check("waiting for it ends well", run.wait_for_completion(show_output=False) == "Finished")
    steps = {step.name: step for step in run.get_steps()}
    check("its steps are there", set(steps) == {"prepare", "fit"})
    check("a step has a status", steps["fit"].get_status() == "Finished")
    check("a step has a log", "trained with 0.7" in steps["fit"].get_stdout_log())
    logs = steps["fit"].get_details_with_logs()["logFiles"]
    wanted = ("user_logs/std_log.txt", "STDOUT", "JOBLOG")
    check("a step has details with logs", all("trained with 0.7" in logs.get(name, "") for name in wanted))
    check("a step is found by its name", run.find_step_run("fit")[0].id == steps["fit"].id)
    check("its graph can be drawn", len(run.get_graph().nodes) == 2)
    run.set_tags({"quality": "good"})
    check("tags are kept", PipelineRun(Experiment(ws, EXPERIMENT), run.id).get_tags() == {"quality": "good"})
    run.add_properties({"reviewed": "yes"})
    check("properties are kept", PipelineRun(Experiment(ws, EXPERIMENT), run.id).properties.get("reviewed") == "yes")
    run.tag("passing")
    check("a tag needs no value", [r.id for r in Experiment(ws, EXPERIMENT).get_runs(tags="passing")] == [run.id])
    run.remove_tags(["passing"])
    check("tags are removed", ws.get_run(run.id).get_tags() == {"quality": "good"})
    check("the runs of a pipeline are listed", run.id in [r.id for r in PipelineRun.get_pipeline_runs(ws, TRAIN_ID)])
    of_experiment = [r.id for r in Experiment(ws, EXPERIMENT).get_runs(tags={"quality": "good"})]
    check("runs are found by their tags", of_experiment == [run.id])
    all_types = {r.type for r in Experiment(ws, EXPERIMENT).get_runs(include_children=True)}
    check("children are listed when asked for", all_types == {"azureml.PipelineRun", "azureml.StepRun"})

    by_experiment = Experiment(ws, "Other").submit(pipeline, pipeline_parameters={"epochs": 5})
    check("an experiment can submit it", by_experiment.wait_for_completion(show_output=True) == "Finished")
    check("a run is found by its id", PipelineRun.get(ws, by_experiment.id).experiment.name == "Other")
    check("its experiment was made", "Other" in [one.name for one in Experiment.list(ws)])
    tagged = Experiment(ws, EXPERIMENT).submit(pipeline, tags={"team": "a"}, parent_run_id=run.id)
    check("it can be submitted with tags", ws.get_run(tagged.id).get_tags() == {"team": "a"})
    check("and under a parent run", tagged.id in [child.id for child in run.get_children()])
    check("which is then its parent", ws.get_run(tagged.id).parent.id == run.id)
    tagged.wait_for_completion(show_output=False)
    by_experiment.cancel()
    check("a run that has ended stays as it is", by_experiment.get_status() == "Finished")
    refused(
        "an unknown parameter is refused by name",
        "Did you mean 'learning_rate'?",
        lambda: pipeline.submit(ws, EXPERIMENT, pipeline_parameters={"learning_rat": 1}),
    )


def other_callers(ws: Workspace) -> None:
    body = {
        "DataPathAssignments": {"input_data": {"DataStoreName": "workspaceblobstore", "RelativePath": "blob.csv"}},
        "ExperimentName": "MyRestPipeline",
        "ParameterAssignments": {"epochs": "4"},
        "RunSource": "SDK",
    }
    url = f"{BASE}/pipelines/v1.0{SCOPE}/PipelineRuns/PipelineSubmit/{TRAIN_ID}"
    answer = requests.post(url, json=body, headers=HEADERS, timeout=10)
    check("a Logic App's body is accepted", answer.status_code == 200)
    run = PipelineRun.get(ws, answer.json()["Id"])
    run.wait_for_completion(show_output=False)
    check("its run is filed as it says", run.experiment.name == "MyRestPipeline")
    note = run.find_step_run("prepare")[0].get_stdout_log()
    check("with the blob that it names", note.strip().endswith("workspaceblobstore/blob.csv"))


def publish_an_empty_pipeline(ws: Workspace) -> None:
    published = Pipeline(ws, steps=[]).publish(name="empty", description="nothing", version="7")
    check("an empty pipeline is published", PublishedPipeline.get(ws, published.id).version == "7")
    run = published.submit(ws, EXPERIMENT)
    check("its run finishes at once", run.get_status() == "Finished")
    check("it has no steps", list(run.get_steps()) == [])
    refused("nothing unknown is found", "there is no pipeline", lambda: PublishedPipeline.get(ws, "no-such-pipeline"))


def main() -> None:
    Path(ROOT, "workspaceblobstore", "incoming").mkdir(exist_ok=True)
    print(f"azureml-core {VERSION}")
    ws = connect()
    pipeline = list_what_there_is(ws)
    other_datastores_and_experiments(ws)
    recurring, reactive = create_schedules(ws)
    list_get_disable_enable(ws, recurring, reactive)
    react(ws, reactive)
    full_recurrence(ws)
    update_a_reactive_schedule(ws)
    schedules_that_only_a_kernel_hosts(ws)
    stop_the_pipeline(ws, pipeline, [recurring, reactive])
    submit_and_look(ws, pipeline)
    other_callers(ws)
    publish_an_empty_pipeline(ws)
    check(f"nothing looked beyond this machine {outside}", not outside)
    print("the article works")


if __name__ == "__main__":
    main()
