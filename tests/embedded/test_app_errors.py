"""Every refusal is one line in the dialect of the service that was asked; nothing of the inside goes out."""

from __future__ import annotations

import json

import pytest

from aml_magics.embedded.routes import BODY_LIMIT
from aml_magics.wire import v1
from tests.embedded.app_bed import on_a_workspace


def test_a_path_that_is_none_of_ours_is_not_found_in_the_dialect_of_its_service(tmp_path):
    async def play(bed):
        pipelines = await bed.pipelines("GET", "/Nowhere")
        history = await bed.history("GET", "/nowhere")
        assert (pipelines.status, pipelines.body["Error"]["Code"]) == (404, "NotFound")
        assert (history.status, history.body["error"]["code"]) == (404, "NotFound")
        assert pipelines.message == "GET /pipelines/v1.0 ... embedded/Nowhere: this workspace does not answer there"
        wrong_method = await bed.pipelines("DELETE", "/Schedules")
        assert (wrong_method.status, wrong_method.code) == (404, "NotFound")
        assert (await bed.ask("GET", "/favicon.ico")).status == 404

    on_a_workspace(tmp_path, play)


def test_another_workspaces_name_is_not_found_and_ours_is_told(tmp_path):
    async def play(bed):
        scope = v1.scope_of("other", subscription="any", resource_group="any")
        for path in (scope, f"/history/v1.0{scope}/experiments/a", f"/pipelines/v1.0{scope}/Pipelines"):
            answer = await bed.ask("GET", path)
            assert answer.status == 404
            assert answer.message == "there is no workspace 'other' here. This one is called 'embedded'."

    on_a_workspace(tmp_path, play)


def test_the_subscription_and_the_group_may_be_any_and_the_name_in_any_case(tmp_path):
    async def play(bed):
        scope = v1.scope_of("Lab", subscription="mine", resource_group="theirs")
        resource = (await bed.ask("GET", scope)).body
        assert (resource["id"], resource["name"]) == (scope, "Lab")
        assert (await bed.ask("GET", f"/pipelines/v1.0{scope}/Pipelines")).body == []

    on_a_workspace(tmp_path, play, name="lab")


def test_discovery_names_all_six_services_at_the_address_that_was_asked(tmp_path):
    async def play(bed):
        answer = await bed.client.get("http://127.0.0.1:8888/discovery")
        names = {"api", "experimentation", "history", "hyperdrive", "modelmanagement", "studio"}
        assert answer.json() == dict.fromkeys(names, "http://127.0.0.1:8888")
        resource = await bed.client.get(f"http://127.0.0.1:8888{v1.EMBEDDED_SCOPE}")
        assert resource.json()["properties"]["discoveryUrl"] == "http://127.0.0.1:8888/discovery"

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe", b"[1, 2", b"[]", b'"text"', b"3", b'{"Name": "\\ud800"}', b"[" * 100_000]
)
def test_a_body_that_is_no_json_object_is_refused(tmp_path, content):
    async def play(bed):
        for path in ("/Schedules/Create", "/Pipelines/Create", "/Modules", "/PipelineRuns/PipelineSubmit/x"):
            answer = await bed.pipelines("POST", path, content=content)
            assert (answer.status, answer.code) == (400, "BadArgument")
            assert "the request's body is not" in answer.message

    on_a_workspace(tmp_path, play)


def test_a_request_that_is_too_large_is_refused(tmp_path):
    async def play(bed):
        answer = await bed.pipelines("POST", "/Modules", content=b" " * (BODY_LIMIT + 1))
        assert (answer.status, answer.message) == (400, "the request is larger than 64 MiB. Put data on a datastore.")

    on_a_workspace(tmp_path, play)


def test_a_body_needs_no_content_type_of_json(tmp_path):
    async def play(bed):
        headers = {"content-type": "application/json-patch+json; charset=utf-8"}
        body = json.dumps({"Name": "empty"})
        answer = await bed.pipelines("POST", "/Pipelines/Create", content=body, headers=headers)
        assert answer.status == 200

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize("service", ["pipelines", "extras"])
def test_an_unexpected_failure_is_one_line_without_a_traceback(tmp_path, monkeypatch, service):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError("the moon\nis full")

    async def play(bed):
        store = bed.workspace.store
        monkeypatch.setattr(store.pipelines, "all", broken)
        monkeypatch.setattr(store.runs, "newest", broken)
        answer = await (bed.pipelines("GET", "/Pipelines") if service == "pipelines" else bed.extras("GET", "/runs"))
        assert (answer.status, answer.code) == (500, "InternalError")
        assert answer.message == "the workspace failed: ZeroDivisionError: the moon is full"
        assert "Traceback" not in str(answer.body)
        assert ".py" not in str(answer.body)
        kept = (await bed.extras("GET", "/status")).body["failures"]
        assert len(kept) == 1
        assert "ZeroDivisionError: the moon is full, test_app_errors.py:" in kept[0]

    on_a_workspace(tmp_path, play)


def test_the_status_tells_how_the_workspace_is(tmp_path):
    async def play(bed):
        await bed.create()
        answer = (await bed.extras("GET", "/status")).body
        assert answer["name"] == "embedded"
        assert answer["counts"]["activeSchedules"] == answer["counts"]["schedules"] == 1
        assert v1.health_from(answer["engine"]).owners == 1
        assert answer["runner"]["parallelSteps"] == 4

    on_a_workspace(tmp_path, play)
