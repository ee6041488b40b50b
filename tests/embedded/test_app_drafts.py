"""Pipeline drafts over the protocol, and the views of pipelines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aml_magics.wire import v1
from tests.embedded.app_bed import ECHO, TRAIN, on_a_workspace

GIVEN = {"ExperimentName": "MyExperiment", "Description": "d", "ParameterAssignments": {"epochs": "9"}}


async def graph_of(bed, definition=TRAIN):
    """The body of a graph draft, its module made."""
    module = (await bed.pipelines("POST", "/Modules", v1.module_creation_to(ECHO))).body["Id"]
    creation = v1.pipeline_creation_to(definition, {"echo": module})
    return {**creation["Graph"], "EntityInterface": creation["GraphInterface"]}


async def draft(bed, submission=GIVEN, **fields):
    """The entity of a new draft."""
    graph = (await bed.pipelines("POST", "/GraphDrafts", await graph_of(bed))).body
    body = {"Name": "idea", "Description": "d", "PipelineSubmissionInfo": submission, "GraphDraftId": graph["Id"]}
    answer = await bed.pipelines("POST", "/PipelineDrafts/Create", {**body, **fields})
    assert answer.status == 200, answer
    return answer.body


async def get(bed, entity):
    return (await bed.pipelines("GET", f"/PipelineDrafts/{entity['Id']}")).body


async def put(bed, entity, **changes):
    return await bed.pipelines("PUT", f"/PipelineDrafts/{entity['Id']}", {**entity, **changes})


async def submit(bed, entity, **query):
    return await bed.pipelines("POST", "/PipelineRuns/PipelineDraftSubmit", entity, params=query)


async def pipelines(bed):
    return (await bed.pipelines("GET", "/Pipelines")).body


def test_a_draft_is_kept_with_its_graph_and_tells_all_values_so_that_the_graph_can_be_drawn(tmp_path):
    async def play(bed):
        made = await draft(bed, tags={"team": "a"})
        assert await get(bed, made) == made
        assert made["PipelineSubmissionInfo"]["ParameterAssignments"] == {
            "learning_rate": "0.1",
            "epochs": "9",
            "verbose": "True",
            "input_data": "workspaceblobstore/given",
        }
        assert made["tags"] == {"team": "a"}
        graph = (await bed.pipelines("GET", f"/GraphDrafts/{made['GraphDraftId']}")).body
        assert [node["Id"] for node in graph["ModuleNodes"]] == ["echo"]
        assert graph["DatasetNodes"] == graph["Edges"] == []
        assert v1.interface_from(graph["EntityInterface"]) == (TRAIN.parameters, TRAIN.data_paths)

    on_a_workspace(tmp_path, play)


def test_a_run_of_a_draft_gets_its_values_and_is_no_published_pipeline(tmp_path):
    async def play(bed):
        place = {"input_data": {"DataStoreName": "workspaceblobstore", "RelativePath": "mine"}}
        made = await draft(bed, {**GIVEN, "DataPathAssignments": place, "ContinueRunOnStepFailure": True})
        answer = await submit(bed, made)
        assert answer.status == 200, answer
        run = v1.run_from(await bed.finished(answer.body["Id"]), parameters=TRAIN.parameters)
        assert run.status == "Finished"
        assert run.parameters == {"learning_rate": 0.1, "epochs": 9, "verbose": True}
        assert str(run.data_paths["input_data"]) == "workspaceblobstore/mine"
        assert (run.experiment_name, run.continue_on_step_failure) == ("MyExperiment", True)
        assert (await get(bed, made))["LastSubmittedPipelineRunId"] == run.id
        assert await pipelines(bed) == []
        assert (await bed.extras("GET", "/status")).body["counts"]["pipelines"] == 0
        child = (await submit(bed, made, parentRunId=run.id)).body["Id"]
        assert (await bed.history("GET", f"/runs/{child}")).body["parentRunId"] == run.id
        await bed.finished(child)

    on_a_workspace(tmp_path, play)


def test_a_draft_is_submitted_as_it_was_sent_also_when_that_was_not_saved(tmp_path):
    async def play(bed):
        made = await draft(bed)
        sent = {**made, "PipelineSubmissionInfo": {**made["PipelineSubmissionInfo"], "ExperimentName": "Other"}}
        run = (await submit(bed, sent)).body
        assert run["RunHistoryExperimentName"] == "Other"
        assert (await get(bed, made))["PipelineSubmissionInfo"]["ExperimentName"] == "MyExperiment"
        await bed.finished(run["Id"])

    on_a_workspace(tmp_path, play)


def test_a_published_draft_has_the_drafts_values_as_its_defaults(tmp_path):
    async def play(bed):
        made = await draft(bed, {**GIVEN, "ContinueRunOnStepFailure": True}, tags={"team": "a"})
        answer = await bed.pipelines("POST", "/Pipelines/PipelineDraftCreate", made)
        assert answer.status == 200, answer
        read = v1.pipeline_from(answer.body)
        assert {one.name: one.default for one in read.parameters} == {
            "learning_rate": 0.1,
            "epochs": 9,
            "verbose": True,
        }
        assert (read.name, read.steps, read.continue_on_step_failure) == ("idea", ("echo",), True)
        assert answer.body["tags"] == {"team": "a"}
        assert await pipelines(bed) == [answer.body]
        run = (await bed.client.post(answer.body["Url"], json={"ExperimentName": "e"})).json()
        assert run["ParameterAssignments"]["epochs"] == "9"
        await bed.finished(run["Id"])

    on_a_workspace(tmp_path, play)


def test_a_value_that_was_only_told_is_not_taken_for_a_choice_when_it_comes_back(tmp_path):
    async def play(bed):
        made = await draft(bed)
        rate, epochs, _ = TRAIN.parameters
        faster = replace(TRAIN, parameters=(replace(rate, default=0.5), epochs))
        graph = await graph_of(bed, faster)
        assert (await bed.pipelines("PUT", f"/GraphDrafts/{made['GraphDraftId']}", graph)).status == 200
        saved = (await put(bed, made, Name="renamed")).body
        assert saved["PipelineSubmissionInfo"]["ParameterAssignments"] == {
            "learning_rate": "0.5",
            "epochs": "9",
            "input_data": "workspaceblobstore/given",
        }
        run = (await submit(bed, saved)).body
        told = {"learning_rate": "0.5", "epochs": "9", "input_data": "workspaceblobstore/given"}
        assert run["ParameterAssignments"] == told
        await bed.finished(run["Id"])

    on_a_workspace(tmp_path, play)


def test_a_draft_is_changed_by_what_is_sent_and_keeps_the_rest(tmp_path):
    async def play(bed):
        made = await draft(bed, tags={"team": "a"})
        path = f"/PipelineDrafts/{made['Id']}"
        body = {"pipelineSubmissionInfo": {"parameterAssignments": {"learning_rate": "0.7"}}, "tags": {"team": "b"}}
        saved = (await bed.pipelines("PUT", path, body)).body
        values = saved["PipelineSubmissionInfo"]["ParameterAssignments"]
        assert (values["learning_rate"], values["epochs"]) == ("0.7", "3")
        assert (saved["Name"], saved["tags"], saved["CreatedDate"]) == ("idea", {"team": "b"}, made["CreatedDate"])
        assert saved["PipelineSubmissionInfo"]["ExperimentName"] == "MyExperiment"
        assert saved["Etag"] != made["Etag"]

    on_a_workspace(tmp_path, play)


def test_drafts_are_listed_newest_first_and_by_their_tags(tmp_path, clock):
    async def play(bed):
        for name, tags in (("one", {"team": "a"}), ("two", {"team": "b"}), ("three", {"team": "a", "x": "1"})):
            await draft(bed, Name=name, tags=tags, CreatedDate="2000-01-01T00:00:00Z")  # from somebody's copy
            clock.advance(1)

        async def names(body=None):
            return [entity["Name"] for entity in (await bed.pipelines("POST", "/PipelineDrafts", body)).body]

        assert await names() == ["three", "two", "one"]
        assert await names({"team": "a"}) == ["three", "one"]
        assert await names({"team": "a", "x": "1"}) == ["three"]
        assert await names({"team": "c"}) == []

    on_a_workspace(tmp_path, play, clock=clock)


def test_a_draft_is_deleted_as_the_sdk_does_it_its_graph_first(tmp_path):
    async def play(bed):
        made = await draft(bed)
        for path in (f"/GraphDrafts/{made['GraphDraftId']}", f"/PipelineDrafts/{made['Id']}"):
            assert (await bed.pipelines("DELETE", path, {})).status == 200
            for method in ("GET", "PUT", "DELETE"):
                answer = await bed.pipelines(method, path, None if method == "GET" else {})
                assert (answer.status, answer.code) == (404, "NotFound")
        assert (await bed.pipelines("POST", "/PipelineDrafts")).body == []

    on_a_workspace(tmp_path, play)


def test_a_draft_of_a_published_pipeline_of_a_run_and_of_a_draft_does_the_same(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish()
        run = (await bed.submit(pipeline_id, ParameterAssignments={"epochs": "5"})).body
        of_pipeline = (await bed.pipelines("GET", f"/PipelineDrafts/ClonePublished/{pipeline_id}")).body
        of_run = (await bed.pipelines("GET", f"/PipelineDrafts/ClonePipelineRun/{run['Id']}")).body
        of_draft = (await bed.pipelines("GET", f"/PipelineDrafts/Clone/{of_run['Id']}")).body
        assert of_pipeline["ParentPipelineId"] == pipeline_id
        assert of_run["ParentPipelineRunId"] == run["Id"]
        assert of_draft["ParentPipelineDraftId"] == of_run["Id"]
        assert len({one["GraphDraftId"] for one in (of_pipeline, of_run, of_draft)}) == 3
        submissions = [one["PipelineSubmissionInfo"] for one in (of_pipeline, of_run, of_draft)]
        assert [one["ExperimentName"] for one in submissions] == ["train", "MyExperiment", "MyExperiment"]
        assert [one["ParameterAssignments"]["epochs"] for one in submissions] == ["3", "5", "5"]
        for made in (of_pipeline, of_run, of_draft):
            answer = await submit(bed, made)
            assert (await bed.finished(answer.body["Id"]))["Status"]["StatusCode"] == "Finished"
        await bed.finished(run["Id"])

    on_a_workspace(tmp_path, play)


def test_the_graph_of_a_clone_is_its_own(tmp_path):
    async def play(bed):
        made = await draft(bed)
        copy = (await bed.pipelines("GET", f"/PipelineDrafts/Clone/{made['Id']}")).body
        await bed.pipelines("PUT", f"/GraphDrafts/{copy['GraphDraftId']}", {"ModuleNodes": []})
        graph = (await bed.pipelines("GET", f"/GraphDrafts/{made['GraphDraftId']}")).body
        assert len(graph["ModuleNodes"]) == 1

    on_a_workspace(tmp_path, play)


REFUSED = [
    ({"ParameterAssignments": {"epoch": "1"}}, "Did you mean 'epochs'?"),
    ({"ParameterAssignments": {"epochs": "many"}}, "takes a whole number"),
    ({"DataPathAssignments": {"inputs": {"DataStoreName": "w", "RelativePath": "a"}}}, "Did you mean 'input_data'?"),
    ({"ExperimentName": "my experiment"}, "cannot be an experiment's name"),
    ({"ExperimentName": None}, "no experiment is named"),
    ({"DataSetDefinitionValueAssignments": {"d": {}}}, "datasets are not known"),
]


@pytest.mark.parametrize(("changes", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_draft_that_cannot_run_is_kept_but_not_submitted_and_nothing_is_half_made(tmp_path, changes, reason):
    async def play(bed):
        made = await draft(bed, {**GIVEN, **changes})
        answer = await submit(bed, made)
        assert (answer.status, reason in answer.message) == (400, True), answer
        assert "\n" not in answer.message
        assert "LastSubmittedPipelineRunId" not in await get(bed, made)
        for table in ("pipelines", "graphs", "runs", "experiments"):
            assert bed.workspace._database.rows(f"SELECT * FROM {table}") == []

    on_a_workspace(tmp_path, play)


def test_a_draft_needs_a_name_and_a_graph_that_is_there(tmp_path):
    async def play(bed):
        made = await draft(bed)
        assert "it has no name" in (await put(bed, made, Name=" ")).message
        answer = await bed.pipelines("POST", "/PipelineDrafts/Create", {"Name": "n", "GraphDraftId": "none"})
        assert (answer.status, answer.message) == (404, "there is no graph draft with the id 'none'")
        bad = await bed.pipelines("POST", "/GraphDrafts", {"ModuleNodes": ["echo"]})
        assert (bad.status, bad.code) == (400, "BadArgument")
        for path in ("Clone", "ClonePublished", "ClonePipelineRun"):
            assert (await bed.pipelines("GET", f"/PipelineDrafts/{path}/none")).status == 404

    on_a_workspace(tmp_path, play)


def test_a_view_of_a_pipeline_tells_its_newest_run_and_how_many_there_are(tmp_path, clock):
    async def play(bed):
        quick = {"Name": "quick", "GraphInterface": v1.interface_to((), ())}
        ids = [(await bed.pipelines("POST", "/Pipelines/Create", quick)).body["Id"] for _ in range(2)]
        await bed.submit(ids[0])
        clock.advance(60)
        last = (await bed.submit(ids[0])).body
        entity = (await bed.pipelines("GET", f"/Pipelines/{ids[0]}")).body
        view = (await bed.pipelines("GET", f"/Pipelines/{ids[0]}/View")).body
        assert view == {
            "PipelineEntity": entity,
            "TotalRuns": 2,
            "LastRunId": last["Id"],
            "LastRunStatus": "Finished",
            "LastRunCreatedTime": last["CreatedDate"],
        }
        views = (await bed.pipelines("GET", "/Pipelines/View", params={"activeOnly": "true"})).body
        assert {one["PipelineEntity"]["Id"]: one["TotalRuns"] for one in views} == {ids[0]: 2, ids[1]: 0}
        await bed.pipelines("PUT", f"/Pipelines/{ids[1]}/status", "Disabled")
        assert len((await bed.pipelines("GET", "/Pipelines/View", params={"activeOnly": "true"})).body) == 1
        assert (await bed.pipelines("GET", "/Pipelines/none/View")).status == 404

    on_a_workspace(tmp_path, play, clock=clock)
