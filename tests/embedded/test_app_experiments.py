"""Experiments over the protocol."""

from __future__ import annotations

import pytest

from tests.embedded.app_bed import on_a_workspace


def names(answer):
    return [item["name"] for item in answer.body["value"]]


def test_an_experiment_is_created_once_and_found_by_name_and_by_id(tmp_path):
    async def play(bed):
        first = await bed.history("POST", "/experiments/MyExperiment")
        again = await bed.history("POST", "/experiments/MyExperiment")
        assert first.status == again.status == 200
        assert first.body["experimentId"] == again.body["experimentId"]
        assert (await bed.history("GET", "/experiments/MyExperiment")).body == first.body
        by_id = await bed.history("GET", f"/experimentids/{first.body['experimentId']}")
        assert by_id.body == first.body

    on_a_workspace(tmp_path, play)


def test_an_unknown_experiment_is_not_found_and_the_nearest_name_is_told(tmp_path):
    async def play(bed):
        await bed.history("POST", "/experiments/MyExperiment")
        answer = await bed.history("GET", "/experiments/MyExperimnt")
        assert (answer.status, answer.code) == (404, "NotFound")
        assert answer.message == "there is no experiment 'MyExperimnt'. Did you mean 'MyExperiment'?"
        assert (await bed.history("GET", "/experimentids/none")).status == 404

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize("name", ["-first", "with space", "ä", "x" * 256])
def test_a_name_that_azure_would_not_take_is_refused(tmp_path, name):
    async def play(bed):
        answer = await bed.history("POST", f"/experiments/{name}")
        assert (answer.status, answer.code) == (400, "UserError")
        assert "cannot be an experiment's name" in answer.message
        assert names(await bed.history("POST", "/experiments:query", {})) == []

    on_a_workspace(tmp_path, play)


def test_the_list_can_be_filtered_and_comes_in_pages(tmp_path):
    async def play(bed):
        for name in ("a", "b", "c"):
            await bed.history("POST", f"/experiments/{name}")
        one = await bed.history("POST", "/experiments:query", {"viewType": "All", "filter": "(name eq b)"})
        assert names(one) == ["b"]
        first = await bed.history("POST", "/experiments:query", {"top": 2})
        assert names(first) == ["a", "b"]
        token = first.body["continuationToken"]
        last = await bed.history("POST", "/experiments:query", {"top": 2, "continuationToken": token})
        assert (names(last), last.body["continuationToken"]) == (["c"], None)
        wrong = await bed.history("POST", "/experiments:query", {"continuationToken": "mine"})
        assert wrong.status == 400

    on_a_workspace(tmp_path, play)


def test_an_archived_experiment_is_hidden_unless_it_is_asked_for(tmp_path):
    async def play(bed):
        kept = (await bed.history("POST", "/experiments/kept")).body
        gone = (await bed.history("POST", "/experiments/gone")).body
        await bed.history("PATCH", f"/experimentids/{gone['experimentId']}", {"archive": True})
        views = {}
        for view in ("Default", "ActiveOnly", "ArchivedOnly", "All"):
            views[view] = names(await bed.history("POST", "/experiments:query", {"viewType": view}))
        assert views == {"Default": ["kept"], "ActiveOnly": ["kept"], "ArchivedOnly": ["gone"], "All": ["gone", "kept"]}
        await bed.history("PATCH", f"/experimentids/{gone['experimentId']}", {"archive": False})
        assert names(await bed.history("POST", "/experiments:query", {})) == ["gone", "kept"]
        assert kept["archivedTime"] is None
        assert (await bed.history("POST", "/experiments:query", {"viewType": "Some"})).status == 400

    on_a_workspace(tmp_path, play)


def test_tags_and_description_of_an_experiment_are_kept_and_can_be_searched(tmp_path):
    async def play(bed):
        made = (await bed.history("POST", "/experiments/tagged")).body
        path = f"/experimentids/{made['experimentId']}"
        await bed.history("PATCH", path, {"tags": {"team": "one"}, "description": "what for"})
        await bed.history("PATCH", path, {"tags": {"stage": "two"}})
        found = await bed.history("POST", "/experiments:query", {"filter": "(Tags/team eq one)"})
        assert found.body["value"][0]["tags"] == {"team": "one", "stage": "two"}
        assert found.body["value"][0]["description"] == "what for"
        assert (await bed.history("POST", f"{path}/tags:delete", {"tags": ["team"]})).status == 200
        assert (await bed.history("GET", path)).body["tags"] == {"stage": "two"}
        assert (await bed.history("GET", path)).body["tags"] == {"stage": "two"}
        assert (await bed.history("POST", f"{path}/tags:delete", {"tags": "team"})).status == 400

    on_a_workspace(tmp_path, play)


def test_an_experiment_without_runs_can_be_deleted_and_no_other(tmp_path):
    async def play(bed):
        empty = (await bed.history("POST", "/experiments/empty")).body["experimentId"]
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "idle"})).body["Id"]
        await bed.submit(pipeline_id)
        used = (await bed.history("GET", "/experiments/MyExperiment")).body["experimentId"]
        assert (await bed.history("DELETE", f"/experimentids/{empty}")).status == 200
        assert (await bed.history("DELETE", f"/experimentids/{empty}")).status == 404
        refused = await bed.history("DELETE", f"/experimentids/{used}")
        assert (refused.status, "has runs" in refused.body["error"]["message"]) == (400, True)
        names = [one["name"] for one in (await bed.history("POST", "/experiments:query", {})).body["value"]]
        assert names == ["MyExperiment"]

    on_a_workspace(tmp_path, play)


def test_tags_of_an_experiment_are_removed_by_their_names_and_the_others_stay(tmp_path):
    async def play(bed):
        made = (await bed.history("POST", "/experiments/tagged")).body
        path = f"/experimentids/{made['experimentId']}"
        await bed.history("PATCH", path, {"tags": {"team": "one", "stage": "two"}})
        assert (await bed.history("POST", f"{path}/tags:delete", {"tags": ["stage", "never"]})).status == 200
        assert (await bed.history("GET", "/experiments/tagged")).body["tags"] == {"team": "one"}
        assert (await bed.history("POST", "/experimentids/none/tags:delete", {"tags": []})).status == 404

    on_a_workspace(tmp_path, play)


def test_an_empty_experiment_can_be_deleted_and_one_with_runs_cannot(tmp_path):
    async def play(bed):
        pipeline_id = (await bed.pipelines("POST", "/Pipelines/Create", {"Name": "empty"})).body["Id"]
        await bed.submit(pipeline_id)
        used = (await bed.history("GET", "/experiments/MyExperiment")).body["experimentId"]
        unused = (await bed.history("POST", "/experiments/unused")).body["experimentId"]
        assert (await bed.history("DELETE", f"/experimentids/{unused}")).status == 200
        assert (await bed.history("DELETE", f"/experimentids/{unused}")).status == 404
        refused = await bed.history("DELETE", f"/experimentids/{used}")
        assert (refused.status, "'MyExperiment' has runs" in refused.message) == (400, True)
        assert names(await bed.history("POST", "/experiments:query", {"viewType": "All"})) == ["MyExperiment"]

    on_a_workspace(tmp_path, play)
