"""What Microsoft's SDK stumbles over without a word: each trap of the protocol that no other test is named after.

(The rest: ``test_app_pipelines`` the bare JSON string, ``test_app_datastores`` the words of a duplicate,
``test_workspace_fires`` the last run that is not there, ``test_app_runs`` the run that is readable at once.)
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime

from aml_magics.model.triggers import Recurrence
from aml_magics.model.zone_table import TABLE
from aml_magics.wire import v1
from aml_magics.wire.v1_schedules import _ZONES_UNKNOWN_TO_THE_SDK
from tests.embedded.app_bed import INCOMING, on_a_workspace

PASCAL, CAMEL = re.compile(r"[A-Z][A-Za-z]*"), re.compile(r"[a-z][A-Za-z]*")
DATA = {"ParameterAssignments", "DataPathAssignments", "Properties", "properties", "tags"}  # whose keys are data
JSON = {"content-type": "application/json; charset=utf-8"}
PATCH = {"content-type": "application/json-patch+json; charset=utf-8"}
ZONES = sorted({line.split(": ")[0] for line in TABLE.splitlines() if ": " in line} - _ZONES_UNKNOWN_TO_THE_SDK)
LATER = datetime(2040, 5, 20, 16, 0)


async def populated(bed) -> dict[str, str]:
    """The id of one of everything that the pipelines service has."""
    ids = {"pipeline": await bed.publish()}
    entity = (await bed.pipelines("GET", f"/Pipelines/{ids['pipeline']}")).body
    graph = (await bed.pipelines("GET", f"/Graphs/{entity['GraphId']}")).body
    ids |= {"graph": entity["GraphId"], "module": graph["ModuleNodes"][0]["ModuleId"]}
    source = {"Name": "fixed", "DataStoreName": "workspaceblobstore", "PathOnDataStore": "a"}
    ids["source"] = (await bed.pipelines("POST", "/DataSources", source)).body["Id"]
    fields = {"pipeline_id": ids["pipeline"], "pipeline_parameters": {"epochs": 5}}
    zoned = Recurrence(frequency="Week", start_time=LATER, time_zone="Europe/Lisbon", hours=(9,), week_days=("Monday",))
    ids["timed"] = (await bed.create(zoned, **fields)).body["Id"]
    ids["reactive"] = (await bed.create(replace(INCOMING, data_path_parameter_name="input_data"), **fields)).body["Id"]
    endpoint = {"Name": "prod", "PipelineId": ids["pipeline"]}
    ids["endpoint"] = (await bed.pipelines("POST", "/PipelineEndpoints/Create", endpoint)).body["Id"]
    ids["draft"] = (await bed.pipelines("GET", f"/PipelineDrafts/ClonePublished/{ids['pipeline']}")).body["Id"]
    ids["run"] = (await bed.submit(ids["pipeline"])).body["Id"]
    await bed.finished(ids["run"])
    return ids


def of_pipelines(ids: dict[str, str]) -> list[str]:
    """Everything that can be asked for below ``/pipelines`` with a GET."""
    return [
        "/DataTypes",
        f"/Modules/{ids['module']}",
        f"/DataSources/{ids['source']}",
        f"/Graphs/{ids['graph']}",
        f"/Graphs/{ids['graph']}/Interface",
        "/Pipelines",
        "/Pipelines/View",
        f"/Pipelines/{ids['pipeline']}",
        f"/Pipelines/{ids['pipeline']}/View",
        "/Schedules",
        f"/Schedules/{ids['timed']}",
        f"/Schedules/{ids['reactive']}",
        f"/Schedules/Pipeline/{ids['pipeline']}",
        "/PipelineEndpoints",
        f"/PipelineEndpoints/Id/{ids['endpoint']}",
        f"/PipelineEndpoints/{ids['endpoint']}/pipelines",
        f"/PipelineDrafts/{ids['draft']}",
        f"/PipelineRuns/{ids['run']}",
        f"/PipelineRuns/Pipeline/{ids['pipeline']}",
    ]


def of_others(ids: dict[str, str]) -> list[str]:
    """What Microsoft's SDK asks the other services for with a GET, as whole paths."""
    scope, container = v1.EMBEDDED_SCOPE, f"dcid.{ids['run']}_echo"
    history, datastore = f"/history/v1.0{scope}", f"/datastore/v1.0{scope}"
    return [
        f"{history}/experiments/MyExperiment",
        f"{history}/runs/{ids['run']}",
        f"{history}/runs/{ids['run']}/children",
        f"{datastore}/datastores",
        f"{datastore}/datastores/workspaceblobstore",
        f"{datastore}/default",
        f"/artifact/v2.0{scope}/artifacts/prefix/contentinfo/ExperimentRun/{container}/user_logs",
        f"/content/v1.0{scope}/snapshots/latest/metadata",
        f"/rp/workspaces{scope}/computes",
        scope,
    ]


def names(answer: object) -> set[str]:
    """The names of all fields, however deep; not the keys of mappings, which are data."""
    if isinstance(answer, list):
        return set().union(*map(names, answer))
    if not isinstance(answer, dict):
        return set()
    return set(answer).union(*(names(value) for name, value in answer.items() if name not in DATA))


def test_names_are_pascal_case_on_pipelines_but_for_tags_and_camel_case_elsewhere(tmp_path):
    async def play(bed):
        ids = await populated(bed)
        for path in of_pipelines(ids):
            found = names((await bed.pipelines("GET", path)).body)
            assert [name for name in found - {"tags"} if not PASCAL.fullmatch(name)] == [], path
        for path in of_others(ids):
            found = names((await bed.ask("GET", path)).body)
            assert found, path
            assert [name for name in found if not CAMEL.fullmatch(name)] == [], path

    on_a_workspace(tmp_path, play)


def test_tags_are_lower_case_among_pascal_case_wherever_an_entity_has_them(tmp_path):
    async def play(bed):
        ids = await populated(bed)
        for path in (
            f"/Pipelines/{ids['pipeline']}",
            f"/PipelineRuns/{ids['run']}",
            f"/PipelineEndpoints/Id/{ids['endpoint']}",
            f"/PipelineDrafts/{ids['draft']}",
        ):
            entity = (await bed.pipelines("GET", path)).body
            assert "tags" in entity, path
            assert "Tags" not in entity, path

    on_a_workspace(tmp_path, play)


def test_a_get_may_say_that_its_empty_body_is_json(tmp_path):
    async def play(bed):
        ids = await populated(bed)
        for path in of_pipelines(ids):
            assert (await bed.pipelines("GET", path, content=b"", headers=JSON)).status == 200, path
        for path in of_others(ids):
            assert (await bed.ask("GET", path, content=b"", headers=JSON)).status == 200, path
        cancel = await bed.pipelines("DELETE", f"/PipelineRuns/{ids['run']}/Execution", content=b"", headers=JSON)
        assert cancel.status == 200

    on_a_workspace(tmp_path, play)


def test_a_body_that_is_called_a_json_patch_is_read_as_the_json_that_it_is(tmp_path):
    async def play(bed):
        ids = await populated(bed)
        run = (await bed.history("GET", f"/runs/{ids['run']}")).body

        async def sent(ask, method, path, body):
            answer = await ask(method, path, content=json.dumps(body), headers=PATCH)
            assert answer.status == 200, (path, answer)
            return answer.body

        submission = {"ExperimentName": "MyExperiment", "ParameterAssignments": {"epochs": "9"}}
        submitted = await sent(bed.pipelines, "POST", f"/PipelineRuns/PipelineSubmit/{ids['pipeline']}", submission)
        assert submitted["ParameterAssignments"]["epochs"] == "9"
        schedule = await sent(bed.pipelines, "PUT", f"/Schedules/{ids['timed']}", {"EntityStatus": "Disabled"})
        assert schedule["EntityStatus"] == "Disabled"
        node = await sent(bed.pipelines, "POST", f"/PipelineRuns/{ids['run']}/Graph/Node/StatusCode", ["echo"])
        assert node == "Finished"
        tagged = await sent(bed.history, "PATCH", f"/runs/{ids['run']}", {"runId": run["runId"], "tags": {"a": "b"}})
        assert tagged["tags"] == {"a": "b"}
        query = {"filter": '(Tags/a eq "b")'}
        found = await sent(bed.history, "POST", "/experiments/MyExperiment/runs:query", query)
        assert [item["runId"] for item in found["value"]] == [ids["run"]]
        await bed.pipelines("PUT", f"/Schedules/{ids['reactive']}", {"EntityStatus": "Disabled"})
        await sent(bed.pipelines, "PUT", f"/Pipelines/{ids['pipeline']}/status", "Disabled")
        entity = (await bed.pipelines("GET", f"/Pipelines/{ids['pipeline']}")).body
        assert entity["EntityStatus"] == "Disabled"
        await bed.finished(submitted["Id"])

    on_a_workspace(tmp_path, play)


def test_an_expected_refusal_is_a_400_or_a_404_in_every_service(tmp_path):
    async def play(bed):
        ids = await populated(bed)
        pipelines = [
            ("PUT", f"/Pipelines/{ids['pipeline']}/status", "Disabled"),
            ("POST", f"/PipelineRuns/PipelineSubmit/{ids['pipeline']}", {"ExperimentName": "a/b"}),
            ("POST", "/Schedules/Create", {"Name": "none", "ScheduleType": "1"}),
            ("POST", "/PipelineEndpoints/Create", {"Name": "prod", "PipelineId": ids["pipeline"]}),
            ("POST", "/PipelineDrafts/Create", {"Name": "d", "GraphDraftId": "none"}),
            ("POST", f"/PipelineRuns/{ids['run']}/Graph/Node/StatusCode", ["none"]),
            *(("GET", f"/{kind}/none", None) for kind in ("Pipelines", "Schedules", "PipelineRuns", "PipelineDrafts")),
            ("GET", "/PipelineRuns/Schedule/none/Last", None),
            ("GET", "/PipelineEndpoints/Name?Name=none", None),
        ]
        others = [
            (bed.history, "GET", "/experiments/none", None),
            (bed.history, "GET", "/runs/none", None),
            (bed.history, "POST", "/experiments:query", {"filter": "(name"}),
            (bed.datastores, "GET", "/datastores/none", None),
            (bed.datastores, "POST", "/datastores", {"name": "workspaceblobstore", "amlMagics": {"folder": "."}}),
            (bed.datastores, "DELETE", "/datastores/workspaceblobstore", None),
        ]
        for ask, method, path, body in [*((bed.pipelines, *call) for call in pipelines), *others]:
            answer = await ask(method, path, body)
            assert answer.status in (400, 404), (path, answer)
            assert answer.message, path

    on_a_workspace(tmp_path, play)


def test_each_of_the_zones_that_the_sdk_knows_is_handed_back_as_sent(tmp_path):
    assert len(ZONES) == 131

    async def play(bed):
        submission = {"ExperimentName": "MyExperiment"}
        fields = {"Name": "zoned", "PipelineId": await bed.publish(), "PipelineSubmissionInfo": submission}
        for zone in ZONES:
            recurrence = {"Frequency": "Day", "Interval": 1, "StartTime": "2040-05-20T16:00:00", "TimeZone": zone}
            made = (await bed.pipelines("POST", "/Schedules/Create", {**fields, "Recurrence": recurrence})).body
            assert made["Recurrence"] == recurrence
            kept = (await bed.pipelines("GET", f"/Schedules/{made['Id']}")).body
            assert kept["Recurrence"] == recurrence

    on_a_workspace(tmp_path, play)
