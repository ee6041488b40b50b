"""Submitting over the protocol, and runs and steps as both services tell them."""

from __future__ import annotations

import json

import pytest

from aml_magics.model.graph import PipelineDefinition, StepDefinition
from aml_magics.model.resources import Run, RunStatus, StepStatus
from aml_magics.wire import v1
from tests.embedded.app_bed import NEEDY, TRAIN, on_a_workspace

TWO = PipelineDefinition(
    name="two",
    steps=(StepDefinition(name="fails", command="echo sorry; exit 3"), StepDefinition(name="never", command="true")),
)


def test_a_submitted_run_gets_the_given_values_over_the_defaults(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish()
        paths = {"input_data": {"DataStoreName": "workspaceblobstore", "RelativePath": "/x.csv"}}
        answer = await bed.submit(pipeline_id, ParameterAssignments={"epochs": "5"}, DataPathAssignments=paths)
        run = v1.run_from(answer.body, parameters=TRAIN.parameters)
        assert run.parameters == {"learning_rate": 0.1, "epochs": 5, "verbose": True}
        assert {name: str(path) for name, path in run.data_paths.items()} == {"input_data": "workspaceblobstore/x.csv"}
        done = await bed.finished(run.id)
        assert done["Status"]["StatusCode"] == "Finished"

    on_a_workspace(tmp_path, play)


def test_a_run_is_readable_in_both_services_before_its_submit_is_answered(tmp_path):
    async def play(bed):
        run_id = (await bed.submit(await bed.publish())).body["Id"]
        experiment = (await bed.history("GET", "/experiments/MyExperiment")).body["experimentId"]
        prefixes = ("", "/experiments/MyExperiment", f"/experimentids/{experiment}")
        answers = [(await bed.history("GET", f"{prefix}/runs/{run_id}")) for prefix in prefixes]
        assert [answer.status for answer in answers] == [200, 200, 200]
        assert answers[0].body["experimentId"] == experiment
        await bed.finished(run_id)

    on_a_workspace(tmp_path, play)


def test_a_logic_apps_body_in_any_case_is_a_submission(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish()
        body = {
            "dataPathAssignments": {"input_data": {"dataStoreName": "workspaceblobstore", "RELATIVEPATH": "new.csv"}},
            "experimentname": "MyRestPipeline",
            "ParameterAssignments": {"epochs": 5, "verbose": False},
            "ParentRunId": (await bed.submit(pipeline_id)).body["Id"],
        }
        answer = await bed.pipelines("POST", f"/PipelineRuns/PipelineSubmit/{pipeline_id}", body)
        run = v1.run_from(answer.body, parameters=TRAIN.parameters)
        assert (run.experiment_name, run.source) == ("MyRestPipeline", "HTTP")
        assert (run.parameters["epochs"], run.parameters["verbose"]) == (5, False)
        children = (await bed.history("GET", f"/runs/{body['ParentRunId']}/children")).body["value"]
        assert run.id in [child["runId"] for child in children]
        await bed.finished(run.id)

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"ParameterAssignments": {"learning_rat": "1"}}, 400, "Did you mean 'learning_rate'?"),
        ({"ParameterAssignments": {"epochs": "1.5"}}, 400, "takes a whole number (its default is 3), got '1.5'"),
        ({"ParameterAssignments": {"epochs": [1]}}, 400, "expected text, got an array"),
        ({"ExperimentName": ""}, 400, "no experiment is named"),
        ({"ExperimentName": "a/b"}, 400, "cannot be an experiment's name"),
        ({"DataPathAssignments": {"other": {"DataStoreName": "workspaceblobstore"}}}, 400, "no data path 'other'"),
        ({"DataPathAssignments": {"input_data": {"DataStoreName": "none"}}}, 404, "there is no datastore 'none'"),
        ({"DataSetDefinitionValueAssignments": {"d": {"SavedDataSetReference": {}}}}, 400, "datasets are not known"),
        ({"ParentRunId": "none"}, 404, "there is no parent run 'none'"),
    ],
)
def test_a_submission_that_does_not_fit_the_pipeline_is_refused_and_leaves_nothing(tmp_path, fields, status, reason):
    async def play(bed):
        pipeline_id = await bed.publish()
        answer = await bed.submit(pipeline_id, **fields)
        assert (answer.status, reason in answer.message) == (status, True), answer
        assert (await bed.pipelines("GET", f"/PipelineRuns/Pipeline/{pipeline_id}")).body == []
        assert (await bed.history("POST", "/experiments:query", {})).body["value"] == []

    on_a_workspace(tmp_path, play)


def test_a_missing_data_path_and_a_disabled_pipeline_are_refused(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish(NEEDY)
        answer = await bed.submit(pipeline_id)
        assert "pipeline 'needy' needs a data path for 'input_data'" in answer.message
        await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", "Disabled")
        answer = await bed.submit(pipeline_id)
        assert (answer.status, answer.code) == (400, "PipelineDisabled")
        assert (await bed.submit("none")).status == 404

    on_a_workspace(tmp_path, play)


def test_an_empty_pipelines_run_is_finished_at_once(tmp_path):
    async def play(bed):
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "empty"})).body["Id"]
        run = v1.run_from((await bed.submit(pipeline_id)).body)
        assert run.status is RunStatus.FINISHED
        assert run.created == run.started == run.ended
        assert (await bed.history("GET", f"/runs/{run.id}/children")).body["value"] == []

    on_a_workspace(tmp_path, play)


def test_the_steps_of_a_run_are_its_children_with_their_status_and_exit_code(tmp_path):
    async def play(bed):
        run_id = (await bed.submit(await bed.publish(TWO))).body["Id"]
        await bed.finished(run_id)
        children = (await bed.history("GET", f"/experiments/MyExperiment/runs/{run_id}/children")).body["value"]
        steps = {step.name: step for step in map(v1.step_from, children)}
        assert (steps["fails"].status, steps["fails"].exit_code) == (StepStatus.FAILED, 3)
        assert all(step.run_id == run_id for step in steps.values())
        whole = (await bed.history("GET", f"/runs/{run_id}")).body
        assert (whole["status"], whole["error"]["error"]["code"]) == ("Failed", "UserError")
        one = (await bed.history("GET", f"/runs/{children[0]['runId']}")).body
        assert one == children[0]
        assert (await bed.history("GET", f"/runs/{run_id}_none")).status == 404

    on_a_workspace(tmp_path, play)


def test_status_and_log_of_a_step_are_asked_for_by_its_node(tmp_path):
    async def play(bed):
        run_id = (await bed.submit(await bed.publish(TWO))).body["Id"]
        await bed.finished(run_id)
        base = f"/PipelineRuns/{run_id}/Graph"
        assert (await bed.pipelines("POST", f"{base}/Node/StatusCode", ["fails"])).body == "Failed"
        status = (await bed.pipelines("POST", f"{base}/Node/Status", ["fails"])).body
        assert (status["StatusCode"], status["RunId"]) == ("Failed", f"{run_id}_fails")
        codes = (await bed.pipelines("POST", f"{base}/AllNodes/StatusCode")).body
        statuses = (await bed.pipelines("POST", f"{base}/AllNodes/Status")).body
        assert codes == {name: item["StatusCode"] for name, item in statuses.items()}
        for log in ("STDOUT", "JobLog"):
            assert (await bed.pipelines("POST", f"{base}/Shareable/{log}", ["fails"])).body == "sorry\n"
        assert "one log" in (await bed.pipelines("POST", f"{base}/Shareable/STDERR", ["fails"])).body
        assert (await bed.pipelines("POST", f"/PipelineRuns/{run_id}/Outputs", ["fails"])).body == {}
        wrong = await bed.pipelines("POST", f"{base}/Node/StatusCode", ["fail"])
        assert (wrong.status, "Did you mean 'fails'?" in wrong.message) == (404, True)
        assert (await bed.pipelines("POST", f"{base}/Node/StatusCode", {"a": 1})).status == 400

    on_a_workspace(tmp_path, play)


def test_the_log_of_a_step_can_be_downloaded_from_where_run_history_says(tmp_path):
    async def play(bed):
        run_id = (await bed.submit(await bed.publish(TWO))).body["Id"]
        await bed.finished(run_id)
        prefix = f"/artifact/v2.0{v1.EMBEDDED_SCOPE}/artifacts/prefix/contentinfo/ExperimentRun"
        listed = (await bed.ask("GET", f"{prefix}/dcid.{run_id}_fails/user_logs")).body
        assert [item["path"] for item in listed["value"]] == ["user_logs/std_log.txt"]
        assert (await bed.client.get(listed["value"][0]["contentUri"])).text == "sorry\n"
        for nothing in (f"dcid.{run_id}/user_logs", f"dcid.{run_id}_fails/system_logs"):
            assert (await bed.ask("GET", f"{prefix}/{nothing}")).body == {"value": [], "continuationToken": None}
        details = (await bed.history("GET", f"/runs/{run_id}_fails/details")).body
        assert (details["status"], list(details["logFiles"])) == ("Failed", ["azureml-logs/70_driver_log.txt"])
        assert (await bed.client.get(details["logFiles"]["azureml-logs/70_driver_log.txt"])).text == "sorry\n"
        assert (await bed.history("GET", f"/runs/{run_id}/details")).body["logFiles"] == {}

    on_a_workspace(tmp_path, play)


def test_the_files_of_a_run_are_listed_and_found(tmp_path):
    async def play(bed):
        run_id = (await bed.submit(await bed.publish(TWO))).body["Id"]
        await bed.finished(run_id)
        artifacts = f"/artifact/v2.0{v1.EMBEDDED_SCOPE}/artifacts"
        listed = (await bed.ask("GET", f"{artifacts}/ExperimentRun/dcid.{run_id}_fails")).body["value"]
        assert [item["path"] for item in listed] == ["user_logs/std_log.txt"]
        assert (await bed.ask("GET", f"{artifacts}/ExperimentRun/dcid.{run_id}")).body["value"] == []
        one = f"{artifacts}/contentinfo/ExperimentRun/dcid.{run_id}_fails"
        found = (await bed.ask("GET", f"{one}/user_logs/std_log.txt")).body
        assert (await bed.client.get(found["contentUri"])).text == "sorry\n"
        assert (await bed.ask("GET", f"{one}/user_logs/other.txt")).status == 404

    on_a_workspace(tmp_path, play)


def test_a_step_that_has_not_written_has_an_empty_log(tmp_path):
    async def play(bed):
        run_id = (await bed.submit(await bed.publish(TWO))).body["Id"]
        await bed.finished(run_id)
        base = f"/PipelineRuns/{run_id}/Graph/Shareable/STDOUT"
        never = (await bed.pipelines("POST", f"/PipelineRuns/{run_id}/Graph/Node/StatusCode", ["never"])).body
        log = await bed.pipelines("POST", base, ["never"])
        assert (log.status, log.body) == (200, "")
        assert never in ("Bypassed", "Finished")

    on_a_workspace(tmp_path, play)


def test_a_run_can_be_cancelled_and_cancelling_it_again_changes_nothing(tmp_path):
    sleeper = PipelineDefinition(name="sleeper", steps=(StepDefinition(name="sleep", command="sleep 60"),))

    async def play(bed):
        run_id = (await bed.submit(await bed.publish(sleeper))).body["Id"]

        async def runs():
            return (
                await bed.pipelines("POST", f"/PipelineRuns/{run_id}/Graph/Node/StatusCode", ["sleep"])
            ).body == "Running"

        await bed.until(runs)
        assert (await bed.pipelines("DELETE", f"/PipelineRuns/{run_id}/Execution")).status == 200
        done = await bed.finished(run_id)
        assert done["Status"]["StatusCode"] == "Canceled"
        assert (await bed.pipelines("DELETE", f"/PipelineRuns/{run_id}/Execution")).status == 200
        assert (await bed.pipelines("GET", f"/PipelineRuns/{run_id}")).body == done
        assert (await bed.pipelines("DELETE", "/PipelineRuns/none/Execution")).status == 404

    on_a_workspace(tmp_path, play)


def test_runs_are_listed_newest_first_by_pipeline_by_experiment_and_all(tmp_path, clock):
    async def play(bed):
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "empty"})).body["Id"]
        ids = []
        for experiment in ("a", "b", "a"):
            ids.append((await bed.submit(pipeline_id, ExperimentName=experiment)).body["Id"])
            clock.advance(1)
        of_pipeline = (await bed.pipelines("GET", f"/PipelineRuns/Pipeline/{pipeline_id}")).body
        newest = (await bed.extras("GET", "/runs", params={"limit": "2"})).body
        of_a = (await bed.history("POST", "/experiments/a/runs:query", {"filter": "(ParentRunId eq null)"})).body
        assert [run["Id"] for run in of_pipeline] == ids[::-1]
        assert [run["Id"] for run in newest] == [ids[2], ids[1]]
        assert [run["runId"] for run in of_a["value"]] == [ids[2], ids[0]]
        assert [run["runNumber"] for run in of_a["value"]] == [2, 1]
        first = await bed.history("POST", "/experiments/a/runs:query", {"top": 1})
        rest = {"top": 1, "continuationToken": first.body["continuationToken"]}
        second = await bed.history("POST", "/experiments/a/runs:query", rest)
        assert [page.body["value"][0]["runId"] for page in (first, second)] == [ids[2], ids[0]]
        assert (await bed.extras("GET", "/runs", params={"limit": "0"})).status == 400

    on_a_workspace(tmp_path, play, clock=clock)


def test_tags_are_added_to_a_run_and_found_by_a_filter(tmp_path):
    async def play(bed):
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "empty"})).body["Id"]
        tagged = (await bed.submit(pipeline_id, tags={"owner": "me"})).body["Id"]
        await bed.submit(pipeline_id)
        answer = await bed.history("PATCH", f"/runs/{tagged}", {"runId": tagged, "tags": {"stage": "two"}})
        assert answer.body["tags"] == {"owner": "me", "stage": "two"}
        query = {"filter": '(ParentRunId eq null) and (Tags/stage eq "two")'}
        found = (await bed.history("POST", "/experiments/MyExperiment/runs:query", query)).body["value"]
        assert [run["runId"] for run in found] == [tagged]
        assert (await bed.history("PATCH", "/runs/none", {"tags": {}})).status == 404

    on_a_workspace(tmp_path, play)


def test_a_tag_without_a_value_is_kept_and_found(tmp_path):
    async def play(bed):
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "empty"})).body["Id"]
        run_id = (await bed.submit(pipeline_id)).body["Id"]
        await bed.submit(pipeline_id)
        answer = await bed.history("PATCH", f"/runs/{run_id}", {"tags": {"passing": None, "team": "a"}})
        assert answer.body["tags"] == {"passing": "", "team": "a"}
        query = {"filter": "((Tags/passing ne null or Tags/passing eq null) and (ParentRunId eq null))"}
        found = await bed.history("POST", "/experiments/MyExperiment/runs:query", query)
        assert [run["runId"] for run in found.body["value"]] == [run_id]
        experiment = (await bed.history("GET", "/experiments/MyExperiment")).body["experimentId"]
        await bed.history("PATCH", f"/experimentids/{experiment}", {"tags": {"kept": None}})
        assert (await bed.history("GET", "/experiments/MyExperiment")).body["tags"] == {"kept": ""}

    on_a_workspace(tmp_path, play)


def test_properties_are_added_to_a_run_once_and_found_by_a_filter(tmp_path):
    async def play(bed):
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "empty"})).body["Id"]
        run = (await bed.submit(pipeline_id, tags={"owner": "me"})).body["Id"]
        await bed.submit(pipeline_id)
        for value in ("first", "second"):
            body = {"properties": {"model": value, "azureml.pipelineid": "another"}}
            answer = (await bed.history("PATCH", f"/runs/{run}", body)).body
        assert (answer["properties"]["model"], answer["tags"]) == ("first", {"owner": "me"})
        assert answer["properties"]["azureml.pipelineid"] == pipeline_id
        query = {"filter": '(ParentRunId eq null) and (Properties/model eq "first")'}
        found = (await bed.history("POST", "/experiments/MyExperiment/runs:query", query)).body["value"]
        assert [one["runId"] for one in found] == [run]

    on_a_workspace(tmp_path, play)


def test_tags_of_a_run_are_removed_by_their_names_and_the_others_stay(tmp_path):
    async def play(bed):
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "empty"})).body["Id"]
        run_id = (await bed.submit(pipeline_id, tags={"owner": "me", "stage": "two"})).body["Id"]
        path = f"/experiments/MyExperiment/runs/{run_id}"
        await bed.history("PATCH", path, {"properties": {"kept": "yes"}})
        answer = await bed.history("DELETE", f"{path}/tags", ["stage", "never"])
        assert (answer.status, answer.body["tags"]) == (200, {"owner": "me"})
        after = (await bed.history("GET", path)).body
        assert (after["tags"], after["properties"]["kept"]) == ({"owner": "me"}, "yes")
        assert (await bed.history("DELETE", "/runs/none/tags", ["a"])).status == 404
        assert (await bed.history("DELETE", f"{path}/tags", {"tags": "owner"})).status == 400

    on_a_workspace(tmp_path, play)


def test_properties_are_added_to_a_run_beside_those_that_say_what_it_is(tmp_path):
    async def play(bed):
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "empty"})).body["Id"]
        run_id = (await bed.submit(pipeline_id)).body["Id"]
        for properties in ({"one": "1"}, {"two": "2", "azureml.pipelineid": "another"}):
            await bed.history("PATCH", f"/runs/{run_id}", {"properties": properties})
        found = (await bed.history("GET", f"/runs/{run_id}")).body["properties"]
        assert (found["one"], found["two"], found["azureml.pipelineid"]) == ("1", "2", pipeline_id)

    on_a_workspace(tmp_path, play)


def test_run_history_tells_what_a_run_was_given(tmp_path):
    async def play(bed):
        answer = await bed.submit(await bed.publish(), ParameterAssignments={"epochs": "9"}, Description="why")
        history = (await bed.history("GET", f"/runs/{answer.body['Id']}")).body
        assert json.loads(history["properties"]["azureml.parameters"])["epochs"] == "9"
        read = v1.run_history_from(history, "MyExperiment")
        assert isinstance(read, Run)
        assert (read.id, read.description, read.source) == (answer.body["Id"], "why", "HTTP")
        await bed.finished(read.id)

    on_a_workspace(tmp_path, play)
