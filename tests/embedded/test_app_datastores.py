"""Datastores over the protocol, and the objects in them."""

from __future__ import annotations

import stat

import pytest

from aml_magics.wire.v1 import EMBEDDED_SCOPE
from tests.embedded.app_bed import INCOMING, on_a_workspace

KEY = "pl4ntedAccountKey000"  # base64, as a key is
UNSEEN = "/datastores?skipValidation=true"
BLOB = {
    "name": "blobs",
    "dataStoreType": "AzureBlob",
    "azureStorageSection": {
        "accountName": "account",
        "containerName": "container",
        "credentialType": "AccountKey",
        "credential": KEY,
    },
}


def folder(name, path):
    return {"name": name, "amlMagics": {"folder": str(path)}}


def test_a_new_workspace_has_a_folder_as_its_default_datastore(tmp_path):
    async def play(bed):
        default = await bed.datastores("GET", "/default")
        assert default.body == (await bed.datastores("GET", "/datastores/workspaceblobstore")).body
        assert (await bed.datastores("GET", "/datastores")).body["value"] == [default.body]
        assert default.body["amlMagics"] == {"folder": str(tmp_path / "workspaceblobstore"), "isDefault": True}
        assert (tmp_path / "workspaceblobstore").is_dir()

    on_a_workspace(tmp_path, play)


def test_a_folder_answers_as_blob_storage_whose_account_cannot_exist(tmp_path):
    async def play(bed):
        answer = (await bed.datastores("GET", "/default")).body
        assert answer["dataStoreType"] == "AzureBlob"
        section = answer["azureStorageSection"]
        assert (section["accountName"], section["endpoint"]) == ("local-folder", "invalid")

    on_a_workspace(tmp_path, play)


def test_folders_can_be_registered_inside_and_outside_the_workspace(tmp_path):
    inside, outside = tmp_path / "root" / "mine", tmp_path / "elsewhere"
    inside.mkdir(parents=True)
    outside.mkdir()

    async def play(bed):
        for name, path in (("relative", "mine"), ("absolute", outside)):
            assert (await bed.datastores("POST", "/datastores", folder(name, path))).status == 200
        listed = (await bed.datastores("GET", "/datastores")).body["value"]
        found = {item["name"]: item["amlMagics"]["folder"] for item in listed}
        assert found["relative"] == str(inside)
        assert found["absolute"] == str(outside)

    on_a_workspace(tmp_path / "root", play)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (folder("here", "nowhere"), "there is no folder"),
        (folder("own", ".aml"), "is the workspace's own folder"),
        (folder("bad name", "."), "cannot be a datastore's name"),
        ({"name": "empty"}, "neither a folder nor a blob container"),
        ({**BLOB, "dataStoreType": "AzureFile"}, "neither a folder nor a blob container"),
        ({"name": "odd", "amlMagics": 3}, "expected a JSON object, got 3"),
    ],
)
def test_a_registration_that_cannot_work_is_refused_with_the_reason(tmp_path, request_, reason):
    async def play(bed):
        answer = await bed.datastores("POST", "/datastores", request_)
        assert (answer.status, answer.code) == (400, "UserError")
        assert reason in answer.message
        assert len((await bed.datastores("GET", "/datastores")).body["value"]) == 1

    on_a_workspace(tmp_path, play)


def test_a_second_registration_is_refused_with_the_words_that_the_sdk_looks_for_and_put_replaces(tmp_path):
    (tmp_path / "a").mkdir()

    async def play(bed):
        await bed.datastores("POST", UNSEEN, BLOB)
        again = await bed.datastores("POST", UNSEEN, BLOB)
        assert again.status == 400
        assert "Another datastore with the same name already exists" in again.message
        replaced = await bed.datastores("PUT", "/datastores/blobs", {"amlMagics": {"folder": "a"}})
        assert replaced.body["amlMagics"]["folder"] == str(tmp_path / "a")

    on_a_workspace(tmp_path, play)


def test_a_key_that_a_registration_carries_is_in_a_file_of_its_owner_and_not_in_the_database(tmp_path):
    async def play(bed):
        answer = await bed.datastores("POST", UNSEEN, BLOB)
        assert KEY not in str(answer.body)

    on_a_workspace(tmp_path, play)
    kept = b"".join(path.read_bytes() for path in (tmp_path / ".aml").glob("workspace.db*"))
    assert b"container" in kept
    assert KEY.encode() not in kept
    file = tmp_path / ".aml" / "credentials.json"
    assert KEY in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_another_default_can_be_chosen_and_the_default_cannot_be_forgotten(tmp_path):
    async def play(bed):
        await bed.datastores("POST", UNSEEN, BLOB)
        assert (await bed.datastores("DELETE", "/datastores/workspaceblobstore")).status == 400
        await bed.datastores("PUT", "/default/blobs")
        assert (await bed.datastores("GET", "/default")).body["name"] == "blobs"
        assert (await bed.datastores("DELETE", "/datastores/workspaceblobstore")).status == 200
        assert (await bed.datastores("GET", "/datastores/workspaceblobstore")).status == 404
        assert (await bed.datastores("PUT", "/default/none")).status == 404

    on_a_workspace(tmp_path, play)


def test_a_datastore_that_an_active_schedule_watches_cannot_be_forgotten(tmp_path):
    (tmp_path / "watched").mkdir()

    async def play(bed):
        await bed.datastores("POST", "/datastores", folder("watched", "watched"))
        trigger = type(INCOMING)(datastore="watched")
        schedule = (await bed.create(trigger, name="watcher")).body
        refused = await bed.datastores("DELETE", "/datastores/watched")
        assert refused.status == 400
        assert "watcher" in refused.message
        await bed.disable(schedule["Id"])
        assert (await bed.datastores("DELETE", "/datastores/watched")).status == 200
        gone = await bed.enable(schedule["Id"])
        assert (gone.status, gone.code) == (404, "NotFound")

    on_a_workspace(tmp_path, play)


def test_objects_are_written_read_and_listed(tmp_path):
    async def play(bed):
        path = "/datastores/workspaceblobstore/objects"
        written = await bed.extras("PUT", path, params={"name": "in/a b.csv"}, content=b"\x00\xff")
        assert (written.status, written.body["name"], written.body["size"]) == (200, "in/a b.csv", 2)
        read = await bed.client.get(f"/aml-magics/v1.0{EMBEDDED_SCOPE}{path}/content", params={"name": "in/a b.csv"})
        assert read.content == b"\x00\xff"
        top = await bed.extras("GET", path)
        inside = await bed.extras("GET", path, params={"path": "in"})
        everything = await bed.extras("GET", path, params={"recursive": "true"})
        assert top.body["value"] == []
        assert [item["name"] for item in inside.body["value"]] == ["in/a b.csv"]
        assert everything.body["value"] == inside.body["value"] == [written.body]

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    ("method", "path", "params", "status"),
    [
        ("GET", "/datastores/none/objects", {}, 404),
        ("GET", "/datastores/workspaceblobstore/objects", {"path": "../.."}, 400),
        ("GET", "/datastores/workspaceblobstore/objects", {"recursive": "perhaps"}, 400),
        ("GET", "/datastores/workspaceblobstore/objects/content", {"name": "../.aml/workspace.db"}, 400),
        ("GET", "/datastores/workspaceblobstore/objects/content", {"name": "none"}, 404),
        ("GET", "/datastores/workspaceblobstore/objects/content", {}, 400),
        ("PUT", "/datastores/workspaceblobstore/objects", {"name": "../out"}, 400),
    ],
)
def test_objects_outside_a_datastore_cannot_be_reached(tmp_path, method, path, params, status):
    async def play(bed):
        answer = await bed.extras(method, path, params=params)
        assert answer.status == status
        assert answer.message

    on_a_workspace(tmp_path, play)
    assert not (tmp_path / "out").exists()
