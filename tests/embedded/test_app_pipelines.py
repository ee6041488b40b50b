"""Published pipelines over the protocol."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aml_magics.model.graph import PipelineDefinition, StepDefinition
from aml_magics.model.resources import Parameter
from aml_magics.wire import v1
from tests.embedded.app_bed import ECHO, NEEDY, TRAIN, on_a_workspace


def test_all_eleven_data_types_are_there_or_the_sdk_would_create_them_before_every_call(tmp_path):
    async def play(bed):
        answer = await bed.pipelines("GET", "/DataTypes")
        assert len(answer.body) == 11
        assert {"AnyFile", "AnyDirectory", "DBFSReference"} < {item["Id"] for item in answer.body}
        assert [item["Id"] for item in answer.body if item["IsDirectory"]] == ["AnyDirectory"]

    on_a_workspace(tmp_path, play)


def test_a_published_pipeline_is_told_as_it_was_defined(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish()
        entity = (await bed.pipelines("GET", f"/Pipelines/{pipeline_id}")).body
        read = v1.pipeline_from(entity)
        assert (read.name, read.description, read.version) == ("train", "trains", "1")
        assert (read.parameters, read.data_paths, read.steps) == (TRAIN.parameters, TRAIN.data_paths, ("echo",))
        assert entity["TotalRunSteps"] == 1
        assert entity["ParameterAssignments"] == {
            "learning_rate": "0.1",
            "epochs": "3",
            "verbose": "True",
            "input_data": "workspaceblobstore/given",
        }
        graph = (await bed.pipelines("GET", f"/Graphs/{entity['GraphId']}")).body
        interface = (await bed.pipelines("GET", f"/Graphs/{entity['GraphId']}/Interface")).body
        assert v1.interface_from(interface) == (TRAIN.parameters, TRAIN.data_paths)
        module = (await bed.pipelines("GET", f"/Modules/{graph['ModuleNodes'][0]['ModuleId']}")).body
        assert v1.module_creation_from(module["Data"]) == ECHO
        assert [item["Name"] for item in module["Interface"]["Parameters"]] == ["rate"]

    on_a_workspace(tmp_path, play)


def test_the_endpoint_is_at_the_address_by_which_the_workspace_was_asked(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish()
        path = f"/pipelines/v1.0{v1.EMBEDDED_SCOPE}"
        for base in ("http://embedded", "http://127.0.0.1:8888", "https://hub.example"):
            answer = await bed.client.get(f"{base}{path}/Pipelines/{pipeline_id}")
            assert answer.json()["Url"] == f"{base}{path}/PipelineRuns/PipelineSubmit/{pipeline_id}"

    on_a_workspace(tmp_path, play)


def test_pipelines_are_listed_newest_first_without_those_that_are_disabled_if_so_asked(tmp_path, clock):
    async def play(bed):
        ids = []
        for name in ("one", "two", "three"):
            ids.append(await bed.publish(replace(NEEDY, name=name)))
            clock.advance(1)
        await bed.pipelines("PUT", f"/Pipelines/{ids[1]}/status", "Disabled")
        active = (await bed.pipelines("GET", "/Pipelines", params={"activeOnly": "true"})).body
        everything = (await bed.pipelines("GET", "/Pipelines", params={"activeOnly": "false"})).body
        assert [item["Name"] for item in active] == ["three", "one"]
        assert [item["Name"] for item in everything] == ["three", "two", "one"]

    on_a_workspace(tmp_path, play, clock=clock)


@pytest.mark.parametrize(
    ("word", "status"), [("Disabled", "Disabled"), ("2", "Disabled"), ("Deprecated", "Deprecated")]
)
def test_the_status_is_a_bare_json_string_and_every_change_gives_a_new_etag(tmp_path, word, status):
    async def play(bed):
        pipeline_id = await bed.publish()
        before = (await bed.pipelines("GET", f"/Pipelines/{pipeline_id}")).body
        assert (await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", word)).status == 200
        after = (await bed.pipelines("GET", f"/Pipelines/{pipeline_id}")).body
        assert (before["EntityStatus"], after["EntityStatus"]) == ("Active", status)
        assert before["Etag"] != after["Etag"]

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize("body", ["Off", {"status": "Disabled"}, 7])
def test_a_status_that_is_none_is_refused(tmp_path, body):
    async def play(bed):
        pipeline_id = await bed.publish()
        answer = await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", body)
        assert (answer.status, answer.code) == (400, "BadArgument")
        assert (await bed.pipelines("GET", f"/Pipelines/{pipeline_id}")).body["EntityStatus"] == "Active"

    on_a_workspace(tmp_path, play)


def test_a_pipeline_that_active_schedules_use_is_not_disabled_and_they_are_named(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish()
        for name in ("nightly", "hourly"):
            await bed.create(name=name, pipeline_id=pipeline_id)
        answer = await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", "Disabled")
        assert (answer.status, answer.code) == (400, "PipelineInUse")
        expected = "pipeline 'train' is used by active schedules: hourly, nightly. Disable them first."
        assert answer.message == expected
        for entity in (await bed.pipelines("GET", "/Schedules")).body:
            await bed.disable(entity["Id"])
        assert (await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", "Disabled")).status == 200

    on_a_workspace(tmp_path, play)


def test_an_empty_pipeline_can_be_published(tmp_path):
    async def play(bed):
        body = {"Name": "empty", "Graph": {"ModuleNodes": [], "DatasetNodes": [], "Edges": []}, "GraphInterface": {}}
        answer = await bed.pipelines("POST", "/Pipelines/Create", body)
        assert (answer.status, answer.body["TotalRunSteps"]) == (200, 0)

    on_a_workspace(tmp_path, play)


def test_what_a_publisher_sends_and_we_do_not_know_is_handed_back(tmp_path):
    async def play(bed):
        body = {"Name": "empty", "tags": {"a": "b"}, "Properties": {"azureml.git": "x"}, "EnableNotification": True}
        made = (await bed.pipelines("POST", "/Pipelines/Create", body)).body
        read = (await bed.pipelines("GET", f"/Pipelines/{made['Id']}")).body
        assert {name: read[name] for name in body} == body

    on_a_workspace(tmp_path, play)


def test_a_module_with_the_same_content_is_made_once(tmp_path):
    async def play(bed):
        body = v1.module_creation_to(ECHO)
        missing = await bed.pipelines("GET", f"/Modules/Hash/{body['IdentifierHash']}")
        first = await bed.pipelines("POST", "/Modules", body)
        again = await bed.pipelines("POST", "/Modules", body)
        found = await bed.pipelines("GET", f"/Modules/Hash/{body['IdentifierHash']}")
        assert missing.status == 404
        assert first.body["Id"] == again.body["Id"] == found.body["Id"]

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        ({"ModuleNodes": [{"Id": "a", "ModuleId": "none"}]}, "there is no module 'none'"),
        ({"DatasetNodes": [{"Id": "a", "DataPathParameterName": "input"}]}, "has no steps"),
    ],
)
def test_a_graph_that_cannot_be_run_here_is_refused_when_it_is_published(tmp_path, graph, reason):
    async def play(bed):
        answer = await bed.pipelines("POST", "/Pipelines/Create", {"Name": "odd", "Graph": graph})
        assert (answer.status, answer.code) == (400, "BadArgument")
        assert reason in answer.message
        assert (await bed.pipelines("GET", "/Pipelines")).body == []

    on_a_workspace(tmp_path, play)


def test_a_step_of_azures_own_kind_is_accepted_as_a_module_and_refused_in_a_pipeline(tmp_path):
    async def play(bed):
        given = {"Name": "script", "StructuredInterface": {}, "ModuleExecutionType": "databrickscloud"}
        module = await bed.pipelines("POST", "/Modules", given)
        body = {"Name": "foreign", "Graph": {"ModuleNodes": [{"Id": "a", "ModuleId": module.body["Id"]}]}}
        answer = await bed.pipelines("POST", "/Pipelines/Create", body)
        assert answer.status == 400
        assert "step 'script': it runs on Databricks" in answer.message

    on_a_workspace(tmp_path, play)


def test_a_step_that_cannot_work_is_refused_when_its_module_is_created(tmp_path):
    async def play(bed):
        body = v1.module_creation_to(ECHO)
        body["Properties"]["aml_magics.step"] = (
            '{"command": "echo ${{inputs.rat}}", "inputs": {"rate": {"literal": 1}}}'
        )
        answer = await bed.pipelines("POST", "/Modules", body)
        assert answer.status == 400
        assert "Did you mean 'rate'?" in answer.message

    on_a_workspace(tmp_path, play)


def test_code_of_twenty_mebibytes_can_be_published(tmp_path):
    code = {"data.bin": bytes(20 * 2**20)}
    step = StepDefinition(name="big", command="true", code=code)

    async def play(bed):
        pipeline_id = await bed.publish(PipelineDefinition(name="big", steps=(step,)))
        assert bed.workspace.store.pipelines.definition(pipeline_id).steps == (step,)

    on_a_workspace(tmp_path, play)


def test_an_unknown_pipeline_is_not_found(tmp_path):
    async def play(bed):
        for method, path in (("GET", ""), ("PUT", "/status")):
            answer = await bed.pipelines(method, f"/Pipelines/none{path}", "Disabled" if path else None)
            assert (answer.status, answer.code) == (404, "NotFound")
        for path in ("/Graphs/none", "/Graphs/none/Interface", "/Modules/none", "/Schedules/Pipeline/none"):
            assert (await bed.pipelines("GET", path)).status == 404

    on_a_workspace(tmp_path, play)


def test_a_data_path_without_a_default_is_in_the_assignments_all_the_same(tmp_path):
    """The SDK draws a graph only when the assignments name every input of it."""

    async def play(bed):
        pipeline_id = await bed.publish(NEEDY)
        entity = (await bed.pipelines("GET", f"/Pipelines/{pipeline_id}")).body
        assert entity["ParameterAssignments"] == {"input_data": ""}
        assert v1.pipeline_from(entity).data_paths == NEEDY.data_paths

    on_a_workspace(tmp_path, play)


def test_parameters_that_the_sdk_declares_keep_their_types(tmp_path):
    parameters = [
        {"Name": "flag", "DefaultValue": "True", "Type": "0"},
        {"Name": "rate", "DefaultValue": "0.5", "Type": 1},
        {"Name": "many", "DefaultValue": "3", "Type": "0"},
        {"Name": "word", "DefaultValue": "3", "Type": "3"},
    ]

    async def play(bed):
        body = {"Name": "typed", "GraphInterface": {"Parameters": parameters}}
        entity = (await bed.pipelines("POST", "/Pipelines/Create", body)).body
        read = v1.pipeline_from(entity).parameters
        expected = (
            Parameter("flag", default=True),
            Parameter("rate", 0.5),
            Parameter("many", 3),
            Parameter("word", "3"),
        )
        assert read == expected
        assert [type(item.default) for item in read] == [bool, float, int, str]

    on_a_workspace(tmp_path, play)
