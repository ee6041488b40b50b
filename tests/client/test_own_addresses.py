"""What others wrote, sent to this workspace and nowhere else: bodies as they are, URLs that are its own."""

from __future__ import annotations

import pytest

from aml_magics.client.own_addresses import OwnAddresses
from aml_magics.client.transport import Transport
from aml_magics.model.errors import InvalidInput, NotFound
from tests.client.conftest import client_of
from tests.client.service import SCOPE

BODY = {"ExperimentName": "E", "ParameterAssignments": {"x": "1"}, "dataPathAssignments": {}}
SUBMIT = f"/pipelines/v1.0{SCOPE}/PipelineRuns/PipelineSubmit"


@pytest.fixture
def client(service, waits):
    return client_of(service, waits)


@pytest.fixture
def own(client):
    return OwnAddresses(client.transport)


def test_a_body_is_submitted_as_it_is_written(service, client, runner):
    pipeline = service.add_pipeline("a")
    run = runner.run(client.submit_as_written(BODY, pipeline_id=pipeline.id))
    assert service.runs[run.id].pipeline_id == pipeline.id
    assert service.bodies(f"/PipelineSubmit/{pipeline.id}") == [BODY]


@pytest.mark.parametrize(
    ("version", "path", "query"), [("", "/Id/e%2F1", {}), ("2", "/Id/e%2F1/2", {"pipelineVersion": "2"})]
)
def test_a_body_is_submitted_to_an_endpoint_or_to_one_version_of_it(service, client, runner, version, path, query):
    with pytest.raises(NotFound):
        runner.run(client.submit_as_written(BODY, endpoint_id="e/1", version=version))
    (request,) = service.requests
    assert request.url.raw_path.decode().partition("?")[0].endswith(f"/PipelineRuns/PipelineEndpointSubmit{path}")
    assert dict(request.url.params) == query


@pytest.mark.parametrize("host", ["https://w.example", "http://embedded", "https://westeurope.api.azureml.ms:443"])
def test_an_address_of_the_workspace_is_sent_over_its_own_connection_whatever_its_host(service, own, runner, host):
    pipeline = service.add_pipeline("a")
    url = f"{host}{SUBMIT}/{pipeline.id}?parentRunId=p"
    assert own.refusal(url) == ""
    answer = runner.run(own.send("POST", url, BODY))
    assert answer["PipelineId"] == pipeline.id
    assert str(service.requests[-1].url) == f"https://w.example{SUBMIT}/{pipeline.id}?parentRunId=p"


def test_the_path_of_the_base_url_belongs_to_an_address():
    own = OwnAddresses(Transport(scope=SCOPE, api="https://w.example/region/api/"))
    assert own.refusal(f"https://w.example/region/api{SUBMIT}/1") == ""
    assert own.refusal(f"https://w.example/other/api{SUBMIT}/1") == "its address is not one of this workspace"


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/",
        f"https://w.example{SUBMIT.replace('/workspaces/', '/workspaces/x')}/1",
        f"https://w.example/before{SUBMIT}/1",
        f"https://w.example/other/v1.0{SCOPE}/x",
        f"file://{SUBMIT}/1",
        "",
    ],
)
def test_nothing_is_sent_to_any_other_address(service, own, runner, url):
    assert own.refusal(url) == "its address is not one of this workspace"
    with pytest.raises(InvalidInput, match="not one of this workspace"):
        runner.run(own.send("POST", url, {}))
    assert service.requests == []


def test_a_method_that_is_none_is_refused(service, own, runner):
    with pytest.raises(InvalidInput, match="'FETCH' is no method"):
        runner.run(own.send("FETCH", f"https://w.example{SUBMIT}/1", {}))
    assert service.requests == []


def test_a_question_has_no_body(service, own, runner):
    assert runner.run(own.send("GET", f"https://w.example/pipelines/v1.0{SCOPE}/Pipelines?activeOnly=true", None)) == []
    assert service.requests[0].content == b""
