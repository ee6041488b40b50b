"""Graphs as Microsoft's SDK sends them: published, run as real processes, and submitted without being published."""

from __future__ import annotations

import json
import sqlite3

from aml_magics.embedded import store_schema
from aml_magics.engine.database import Database
from aml_magics.wire import v1
from aml_magics.wire.v1_snapshots import file_hash
from tests.embedded.app_bed import TRAIN, on_a_workspace

SCRIPT = b"import pathlib, sys\nfor path in sys.argv[1:]:\n    print(pathlib.Path(path).name)\n"


def reference(path: str = "given/fixed.txt", **more) -> dict:
    place = {"Name": "fixed", "DataStoreName": "workspaceblobstore", "PathOnDataStore": path}
    return {**place, "IdentifierHash": f"hash of {path}", **more}


def module(name: str, snapshot: str | None, arguments=(), **interface) -> dict:
    structured = {"Arguments": [{"ValueType": kind, "Value": value} for kind, value in arguments], **interface}
    about = {"StepType": "PythonScriptStep", "ModuleExecutionType": "escloud", "StorageId": snapshot}
    return {"Name": name, "IdentifierHash": f"hash of {name}", "StructuredInterface": structured, **about}


def node(name: str, module_id: str) -> dict:
    script = {"Name": "Script", "ValueType": "0", "Value": "tell.py"}
    return {"Id": f"0{name[:3]}", "ModuleId": module_id, "ModuleParameters": [script], "Runconfig": "{}"}


def edge(begin: str, port: str, end: str, to: str) -> dict:
    begins = {"NodeId": begin, "PortName": port}
    return {"SourceOutputPort": begins, "DestinationInputPort": {"NodeId": end, "PortName": to}}


async def graph(bed) -> dict:
    """Of two steps: the first takes a fixed place and a data path, the second the output of the first."""
    known = {"tell.py": file_hash("tell.py", SCRIPT)}
    bed.workspace.store.snapshots.add("snapshot", known, {"tell.py": SCRIPT})
    source = (await bed.pipelines("POST", "/DataSources", reference())).body["Id"]
    first = module(
        "first step",
        "snapshot",
        [("Input", "fixed"), ("Input", "given"), ("Output", "made")],
        Inputs=[{"Name": "fixed"}, {"Name": "given"}],
        Outputs=[{"Name": "made"}],
    )
    second = module("second.py", "snapshot", [("Input", "made")], Inputs=[{"Name": "made"}])
    nodes = [node(one["Name"], (await bed.pipelines("POST", "/Modules", one)).body["Id"]) for one in (second, first)]
    data = [{"Id": "a", "DatasetId": source}, {"Id": "b", "DataPathParameterName": "input_data"}]
    edges = [
        edge("a", "data", "0fir", "fixed"),
        edge("b", "data", "0fir", "given"),
        edge("0fir", "made", "0sec", "made"),
    ]
    return {"ModuleNodes": nodes, "DatasetNodes": data, "Edges": edges}


def interface() -> dict:
    default = {"DataStoreName": "workspaceblobstore", "RelativePath": "given/first.txt"}
    rate = {"Name": "rate", "DefaultValue": "1", "Type": "0"}
    return {"Parameters": [rate], "DataPathParameters": [{"Name": "input_data", "DefaultValue": default}]}


async def published(bed) -> dict:
    body = {"Name": "sdk", "Graph": await graph(bed), "GraphInterface": interface()}
    answer = await bed.pipelines("POST", "/Pipelines/Create", body)
    assert answer.status == 200, answer
    return answer.body


async def unsubmitted(bed, **info) -> dict:
    info = {"Description": "Loose", "RunSource": "SDK", "ParameterAssignments": {}, **info}
    body = {"CreationInfo": info, "Graph": await graph(bed), "GraphInterface": interface()}
    path = "/PipelineRuns/Unsubmitted/CreationInfoWithGraph?experimentName=Loose"
    answer = await bed.pipelines("POST", path, body)
    assert answer.status == 200, answer
    return answer.body


async def log_of(bed, run_id: str, node_id: str) -> str:
    return (await bed.pipelines("POST", f"/PipelineRuns/{run_id}/Graph/Shareable/STDOUT", [node_id])).body


def test_a_graph_of_scripts_runs_and_its_steps_have_their_nodes_and_titles(tmp_path):
    async def play(bed):
        pipeline = await published(bed)
        assert pipeline["AmlMagics"]["Steps"] == ["second.py", "first step"]
        run_id = (await bed.submit(pipeline["Id"])).body["Id"]
        run = await bed.finished(run_id)
        assert run["Status"]["StatusCode"] == "Finished", run
        assert await log_of(bed, run_id, "0fir") == "fixed.txt\nfirst.txt\nmade\n"
        assert await log_of(bed, run_id, "0sec") == "made\n"
        children = (await bed.history("GET", f"/runs/{run_id}/children")).body["value"]
        told = {child["name"]: child["tags"]["azureml.nodeid"] for child in children}
        assert told == {"second.py": "0sec", "first step": "0fir"}

    on_a_workspace(tmp_path, play)


def test_a_data_path_of_the_submission_reaches_the_script(tmp_path):
    async def play(bed):
        place = {"DataStoreName": "workspaceblobstore", "RelativePath": "other/second.txt"}
        pipeline = await published(bed)
        run_id = (await bed.submit(pipeline["Id"], DataPathAssignments={"input_data": place})).body["Id"]
        run = await bed.finished(run_id)
        assert await log_of(bed, run_id, "0fir") == "fixed.txt\nsecond.txt\nmade\n"
        assert run["ParameterAssignments"] == {"rate": "1", "input_data": "workspaceblobstore/other/second.txt"}

    on_a_workspace(tmp_path, play)


def test_a_graph_is_told_with_everything_that_publishing_it_again_needs(tmp_path):
    async def play(bed):
        pipeline = await published(bed)
        told = (await bed.pipelines("GET", f"/Graphs/{pipeline['GraphId']}")).body
        about = (await bed.pipelines("GET", f"/Graphs/{pipeline['GraphId']}/Interface")).body
        assert [one["Runconfig"] for one in told["ModuleNodes"]] == ["{}", "{}"]
        again = await bed.pipelines("POST", "/Pipelines/Create", {"Name": "x", "Graph": told, "GraphInterface": about})
        run_id = (await bed.submit(again.body["Id"])).body["Id"]
        assert (await bed.finished(run_id))["Status"]["StatusCode"] == "Finished"
        assert await log_of(bed, run_id, "0fir") == "fixed.txt\nfirst.txt\nmade\n"

    on_a_workspace(tmp_path, play)


def test_a_run_warns_of_what_its_step_asked_for_and_does_not_get(tmp_path):
    async def play(bed):
        whole = await graph(bed)
        conda = {"condaDependencies": {"dependencies": ["numpy"]}}
        whole["ModuleNodes"][1]["Runconfig"] = json.dumps({"environment": {"python": conda}})
        body = {"Name": "sdk", "Graph": whole, "GraphInterface": interface()}
        pipeline = (await bed.pipelines("POST", "/Pipelines/Create", body)).body
        run_id = (await bed.submit(pipeline["Id"])).body["Id"]
        note = "step 'first step': its environment is not made (numpy): it runs with the packages of this kernel"
        told = {}
        for one in (run_id, f"{run_id}_0fir", f"{run_id}_0sec"):
            told[one] = (await bed.history("GET", f"/runs/{one}/details")).body["warnings"]
        assert list(told.values()) == [[{"message": note}], [{"message": note}], []]
        await bed.finished(run_id)

    on_a_workspace(tmp_path, play)


def test_a_step_without_a_script_is_published_and_fails_at_once_with_a_reason(tmp_path):
    async def play(bed):
        bare = (await bed.pipelines("POST", "/Modules", module("bare", None))).body["Id"]
        body = {"Name": "bare", "Graph": {"ModuleNodes": [{"Id": "0", "ModuleId": bare}]}}
        pipeline = (await bed.pipelines("POST", "/Pipelines/Create", body)).body
        run = await bed.finished((await bed.submit(pipeline["Id"])).body["Id"])
        assert run["Status"]["StatusCode"] == "Failed"
        assert "this step carries nothing that can be run here" in run["Status"]["StatusDetail"]

    on_a_workspace(tmp_path, play)


def test_a_run_of_a_graph_waits_until_it_is_submitted(tmp_path):
    async def play(bed):
        made = await unsubmitted(bed)
        assert (made["IsSubmitted"], made["RunHistoryExperimentName"]) == (False, "Loose")
        bed.workspace.runner.wake()
        assert (await bed.extras("GET", "/runs")).body == []
        await bed.pipelines("POST", f"/PipelineRuns/Submit/{made['Id']}")
        run = await bed.finished(made["Id"])
        assert (run["Id"], run["Status"]["StatusCode"]) == (made["Id"], "Finished")
        assert await log_of(bed, run["Id"], "0sec") == "made\n"

    on_a_workspace(tmp_path, play)


def test_submitting_a_run_of_a_graph_twice_starts_it_once(tmp_path):
    async def play(bed):
        made = await unsubmitted(bed, tags={"a": "b"}, ParameterAssignments={"rate": "7"})
        first = await bed.pipelines("POST", f"/PipelineRuns/Submit/{made['Id']}")
        await bed.finished(made["Id"])
        again = await bed.pipelines("POST", f"/PipelineRuns/Submit/{made['Id']}")
        assert (first.body["Id"], again.body["Id"]) == (made["Id"], made["Id"])
        assert again.body["Status"]["StatusCode"] == "Finished"
        assert again.body["ParameterAssignments"]["rate"] == "7"
        assert len((await bed.extras("GET", "/runs")).body) == 1
        assert (await bed.history("GET", f"/runs/{made['Id']}")).body["tags"] == {"a": "b"}

    on_a_workspace(tmp_path, play)


def test_the_pipeline_of_a_run_of_a_graph_is_in_no_list(tmp_path):
    async def play(bed):
        made = await unsubmitted(bed)
        for active_only in ("true", "false"):
            assert (await bed.pipelines("GET", "/Pipelines", params={"activeOnly": active_only})).body == []
        counts = (await bed.extras("GET", "/status")).body["counts"]
        assert (counts["pipelines"], counts["activePipelines"]) == (0, 0)
        found = await bed.pipelines("GET", f"/Pipelines/{made['PipelineId']}")
        assert (found.status, found.body["Name"]) == (200, "Loose")

    on_a_workspace(tmp_path, play)


def test_a_run_of_a_graph_may_have_a_parent(tmp_path):
    async def play(bed):
        parent = (await bed.submit(await bed.publish(TRAIN))).body["Id"]
        made = await unsubmitted(bed)
        await bed.pipelines("POST", f"/PipelineRuns/Submit/{made['Id']}?parentRunId={parent}")
        await bed.finished(made["Id"])
        children = (await bed.history("GET", f"/runs/{parent}/children")).body["value"]
        assert made["Id"] in [child["runId"] for child in children]

    on_a_workspace(tmp_path, play)


def test_what_does_not_fit_a_graph_is_refused_before_anything_is_kept(tmp_path):
    async def play(bed):
        path = "/PipelineRuns/Unsubmitted/CreationInfoWithGraph?experimentName=Loose"
        body = {"Graph": await graph(bed), "GraphInterface": interface()}
        odd = await bed.pipelines("POST", path, {**body, "CreationInfo": {"ParameterAssignments": {"rat": "1"}}})
        assert (odd.status, "Did you mean 'rate'?" in odd.message) == (400, True)
        dataset = {"CreationInfo": {"DataSetDefinitionValueAssignments": {"x": {}}}}
        assert "datasets are not known" in (await bed.pipelines("POST", path, {**body, **dataset})).message
        assert (await bed.pipelines("POST", "/PipelineRuns/Submit/none")).status == 404
        database = sqlite3.connect(bed.workspace.root / ".aml" / "workspace.db")
        assert database.execute("SELECT count(*) FROM graph_runs, pipelines").fetchone() == (0,)
        database.close()

    on_a_workspace(tmp_path, play)


def test_a_data_source_is_made_once_and_found_by_its_content(tmp_path):
    async def play(bed):
        missing = await bed.pipelines("GET", "/DataSources/Hash/hash of a")
        made = (await bed.pipelines("POST", "/DataSources", reference("a"))).body
        again = (await bed.pipelines("POST", "/DataSources", reference("a"))).body
        assert missing.status == 404
        assert made["Id"] == again["Id"]
        assert (await bed.pipelines("GET", f"/DataSources/{made['Id']}")).body == made
        assert (await bed.pipelines("GET", "/DataSources/Hash/hash of a")).body == made
        place = made["DataLocation"]["DataReference"]["AzureBlobReference"]
        assert place == {"AmlDataStoreName": "workspaceblobstore", "RelativePath": "a"}
        assert (await bed.pipelines("GET", "/DataSources/none")).status == 404

    on_a_workspace(tmp_path, play)


def test_a_data_source_that_is_no_place_on_a_known_datastore_is_refused(tmp_path):
    async def play(bed):
        unknown = await bed.pipelines("POST", "/DataSources", reference(DataStoreName="workspaceblobstor"))
        assert (unknown.status, "Did you mean 'workspaceblobstore'?" in unknown.message) == (404, True)
        table = await bed.pipelines("POST", "/DataSources", reference(SqlTableName="people"))
        assert (table.status, "a table of a database" in table.message) == (400, True)

    on_a_workspace(tmp_path, play)


def test_a_pipeline_that_an_earlier_version_published_still_runs(tmp_path):
    (tmp_path / ".aml").mkdir()
    database = Database(tmp_path / ".aml" / "workspace.db")
    database.migrate(store_schema.COMPONENT, store_schema.STEPS[:1])
    step = v1.module_creation_to(TRAIN.steps[0])
    body = v1.pipeline_creation_to(TRAIN, {"echo": "m"})
    now = "2026-01-01T00:00:00Z"
    with database.transaction() as connection:
        connection.execute("INSERT INTO modules VALUES ('m', 'h', ?)", (json.dumps(step),))
        parts = (json.dumps(body["Graph"]), json.dumps(body["GraphInterface"]))
        connection.execute("INSERT INTO graphs VALUES ('g', ?, ?)", parts)
        connection.execute(
            "INSERT INTO pipelines VALUES ('p', 'old', '', '', 'Active', 'g', '[\"echo\"]', 0, '{}', ?, ?, 1)",
            (now, now),
        )
    database.close()

    async def play(bed):
        run_id = (await bed.submit("p")).body["Id"]
        assert (await bed.finished(run_id))["Status"]["StatusCode"] == "Finished"
        assert await log_of(bed, run_id, "echo") == "0.1\n"

    on_a_workspace(tmp_path, play)
