"""``workspace.experiments`` and ``workspace.datastores``."""

import json

import httpx
import pytest

from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.errors import Conflict, InvalidInput, NotFound
from aml_magics.model.resources import DataPath, Datastore
from aml_magics.model.secret import Secret


def test_experiments_are_listed_by_name(service, ws):
    for name in ("b", "a"):
        service.add_experiment(name)
    assert [one.name for one in ws.experiments.list()] == ["a", "b"]


def test_an_experiment_is_made_once(service, ws):
    first = ws.experiments.create("MyExperiment")
    assert ws.experiments.create("MyExperiment") == first == ws.experiments.get(first)
    assert service.changes() == ["POST /experiments/MyExperiment"]


def test_a_bad_name_is_refused_before_anything_is_sent(service, ws):
    with pytest.raises(InvalidInput, match="experiment_name"):
        ws.experiments.create("a b")
    assert service.requests == []


@pytest.mark.parametrize("name", ["MyExperimnt", "My Experiment"])
def test_an_unknown_experiment_gets_the_nearest_name(service, ws, name):
    service.add_experiment("MyExperiment")
    with pytest.raises(NotFound, match=r"Did you mean 'MyExperiment'\?"):
        ws.experiments.get(name)


def test_datastores_are_listed_and_the_default_is_known(service, ws):
    service.datastores["archive"] = Datastore(name="archive")
    assert [one.name for one in ws.datastores.list()] == ["archive", "workspaceblobstore"]
    assert ws.datastores.default().name == "workspaceblobstore"
    assert ws.datastores.default().is_default


def test_an_unknown_datastore_gets_the_nearest_name(ws):
    for call in (ws.datastores.get, ws.datastores.ls):
        with pytest.raises(NotFound, match=r"Did you mean 'workspaceblobstore'\?"):
            call("workspaceblobstor")


@pytest.fixture
def objects(service):
    """What was put on the datastore; answers the routes that only our own workspaces have."""
    kept: dict[str, bytes] = {}

    def intercept(request):
        if not request.url.path.startswith("/aml-magics/"):
            return None
        name = request.url.params.get("name", "")
        if request.method == "PUT":
            kept[name] = request.content
            return httpx.Response(200, json={})
        if request.url.path.endswith("/content"):
            return httpx.Response(200, content=kept[name])
        prefix = request.url.params["path"]
        found = [{"name": key, "etag": "1", "size": len(kept[key]), "modified": 1.5} for key in kept]
        return httpx.Response(200, json={"value": [one for one in found if one["name"].startswith(prefix)][::-1]})

    service.intercept = intercept
    return kept


@pytest.mark.parametrize(
    ("path", "name"),
    [("", "day1.csv"), ("incoming/", "incoming/day1.csv"), ("/incoming/", "incoming/day1.csv"), ("x/y.csv", "x/y.csv")],
)
def test_a_file_is_uploaded_under_its_own_name_or_another(ws, objects, tmp_path, path, name):
    (tmp_path / "day1.csv").write_bytes(b"1,2\r\n")
    for local in (tmp_path / "day1.csv", str(tmp_path / "day1.csv")):
        assert ws.datastores.upload("workspaceblobstore", local, path) == DataPath("workspaceblobstore", name)
    assert objects == {name: b"1,2\r\n"}


def test_bytes_need_a_name(ws, objects):
    assert str(ws.datastores.upload("workspaceblobstore", b"x", "in/a.bin")) == "workspaceblobstore/in/a.bin"
    for path in ("", "in/"):
        with pytest.raises(InvalidInput, match="what the object is to be called"):
            ws.datastores.upload("workspaceblobstore", b"x", path)


def test_a_file_that_is_not_there_is_not_uploaded(service, ws, tmp_path):
    with pytest.raises(NotFound, match=r"day1\.csv"):
        ws.datastores.upload("workspaceblobstore", tmp_path / "day1.csv")
    with pytest.raises(InvalidInput, match="cannot be used"):
        ws.datastores.upload("workspaceblobstore", tmp_path)
    assert service.requests == []


def test_objects_are_listed_by_name(ws, objects):
    for name in ("in/b", "in/a"):
        ws.datastores.upload("workspaceblobstore", b"xy", name)
    assert ws.datastores.ls("workspaceblobstore", "/in/") == [
        ObjectInfo("in/a", "1", 2, 1.5),
        ObjectInfo("in/b", "1", 2, 1.5),
    ]


def test_an_object_is_downloaded_as_bytes_into_a_file_or_into_a_folder(ws, objects, tmp_path):
    ws.datastores.upload("workspaceblobstore", b"\x00\xff", "in/a.bin")
    assert ws.datastores.download("workspaceblobstore", "in/a.bin") == b"\x00\xff"
    ws.datastores.download("workspaceblobstore", "in/a.bin", tmp_path)
    ws.datastores.download("workspaceblobstore", "in/a.bin", tmp_path / "b.bin")
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    with pytest.raises(NotFound, match="nowhere"):
        ws.datastores.download("workspaceblobstore", "in/a.bin", tmp_path / "nowhere" / "x")


def test_objects_of_azure_are_refused_by_name(azure_ws):
    with pytest.raises(InvalidInput, match="embedded workspace only"):
        azure_ws.datastores.ls("workspaceblobstore")


@pytest.fixture
def registered(azure):
    """The registrations that Azure was sent; a name that is taken is refused in its words, and PUT replaces it."""
    sent = []

    def intercept(request):
        if request.method not in ("POST", "PUT") or "/datastores" not in request.url.path:
            return None
        body = json.loads(request.content)
        if request.method == "POST" and body["name"] in azure.datastores:
            message = f"Another datastore with the same name already exists: {body['name']}"
            return httpx.Response(400, json={"error": {"code": "UserError", "message": message}})
        sent.append((request.method, dict(request.url.params), body))
        azure.datastores[body["name"]] = Datastore(name=body["name"], account="mine", container="data")
        return httpx.Response(200, json={})

    azure.intercept = intercept
    return sent


def test_a_container_is_registered_on_azure_as_its_own_sdk_does_it(azure_ws, registered):
    key = Secret("pl4ntedAccountKey000")
    made = azure_ws.datastores.register("archive", account="mine", container="data", account_key=key)
    assert (made.name, made.container) == ("archive", "data")
    ((method, query, body),) = registered
    assert method == "POST"
    assert (query["createIfNotExists"], query["skipValidation"]) == ("false", "false")
    assert body == {
        "name": "archive",
        "dataStoreType": "AzureBlob",
        "azureStorageSection": {
            "accountName": "mine",
            "containerName": "data",
            "endpoint": "core.windows.net",
            "protocol": "https",
            "credentialType": "AccountKey",
            "credential": key.reveal(),
            "areWorkspaceManagedIdentitiesAllowed": False,
        },
    }


def test_a_name_that_is_taken_is_replaced_when_that_is_asked_for(azure_ws, registered):
    with pytest.raises(Conflict, match="already exists"):
        azure_ws.datastores.register("workspaceblobstore", account="mine", container="data")
    azure_ws.datastores.register("workspaceblobstore", account="mine", container="data", overwrite=True)
    assert [method for method, _query, _body in registered] == ["PUT"]


def test_azure_is_not_asked_for_what_only_a_workspace_of_ours_can_reach(azure_ws, registered):
    for place in ({"folder": "."}, {"azurite": True, "container": "data"}):
        with pytest.raises(InvalidInput, match="embedded workspace only"):
            azure_ws.datastores.register("here", **place)
    assert registered == []
