"""Blob datastores of the embedded workspace, against Azurite: registering, credentials, what steps get of them."""

from __future__ import annotations

import asyncio
import stat
import uuid
from datetime import timedelta
from typing import ClassVar

import pytest

from aml_magics.client.failures import refusal
from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import PipelineDefinition, PipelineInput, StepDefinition
from aml_magics.model.resources import DataPath, DataPathParameter
from aml_magics.model.secret import Secret
from aml_magics.model.storage import CredentialKind, Registration, account_url, blob_access
from aml_magics.model.triggers import DatastoreChange
from aml_magics.wire.v1 import StorageFailed, data_paths_to, registration_to
from tests.embedded.app_bed import on_a_workspace, opened
from tests.support.azurite import KEY

WRONG_KEY = "pl4ntedWrongKey00000"
SHOW = StepDefinition(name="show", command="cat ${{inputs.data}}", inputs={"data": PipelineInput("input_data")})
SHOWING = PipelineDefinition(name="show", data_paths=(DataPathParameter("input_data"),), steps=(SHOW,))


def registration(azurite, name="blobs", *, container, key=None):
    secret = Secret(key or KEY)
    access = blob_access(
        account=None, container=container, url=azurite.url, kind=CredentialKind.ACCOUNT_KEY, secret=secret
    )
    return registration_to(Registration(name=name, access=access))


def new_name():
    """Of a container that nobody has made yet."""
    return f"c{uuid.uuid4().hex}"


async def register(bed, azurite, name="blobs", **options):
    container = new_name()
    body = registration(azurite, name, container=container, **options)
    answer = await bed.datastores("POST", "/datastores?createIfNotExists=true", body)
    assert answer.status == 200, answer
    return body


async def put(bed, name, content, store="blobs"):
    answer = await bed.extras("PUT", f"/datastores/{store}/objects", params={"name": name}, content=content)
    assert answer.status == 200, answer


def secrets_of(folder):
    return (folder / ".aml" / "credentials.json").read_text()


def test_what_is_written_to_a_container_is_listed_and_read(tmp_path, azurite):
    async def play(bed):
        await register(bed, azurite)
        await put(bed, "in/a & b.csv", b"\x00\xff")
        path = "/datastores/blobs/objects"
        inside = (await bed.extras("GET", path, params={"path": "in"})).body["value"]
        assert [(one["name"], one["size"]) for one in inside] == [("in/a & b.csv", 2)]
        assert (await bed.extras("GET", path)).body["value"] == []
        assert (await bed.extras("GET", path, params={"recursive": "true"})).body["value"] == inside
        missing = await bed.extras("GET", f"{path}/content", params={"name": "in/none"})
        assert missing.status == 404

    on_a_workspace(tmp_path, play)


def test_an_answer_tells_the_kind_of_the_credential_and_never_the_key(tmp_path, azurite):
    async def play(bed):
        await register(bed, azurite)
        answer = (await bed.datastores("GET", "/datastores/blobs?includeSecret=true")).body
        assert answer["azureStorageSection"]["credentialType"] == "AccountKey"
        assert answer["amlMagics"]["url"] == azurite.url
        listed = await bed.datastores("GET", "/datastores?includeSecret=true")
        assert KEY not in str(answer) + str(listed)

    on_a_workspace(tmp_path, play)


def test_a_registration_survives_a_restart(tmp_path, azurite):
    async def scenario():
        async with opened(tmp_path) as bed:
            await register(bed, azurite)
            await put(bed, "a", b"1")
        async with opened(tmp_path) as bed:
            found = (await bed.extras("GET", "/datastores/blobs/objects")).body["value"]
            assert [one["name"] for one in found] == ["a"]

    asyncio.run(scenario())
    assert stat.S_IMODE((tmp_path / ".aml" / "credentials.json").stat().st_mode) == 0o600


def test_a_wrong_key_or_a_missing_container_is_refused_and_nothing_is_registered(tmp_path, azurite):
    async def play(bed):
        good = await register(bed, azurite, "there")
        container = good["azureStorageSection"]["containerName"]
        wrong = registration(azurite, container=container, key=WRONG_KEY)
        missing = registration(azurite, container="nowhere")
        for body, word in ((wrong, "blobs"), (missing, "nowhere")):
            answer = await bed.datastores("POST", "/datastores", body)
            assert answer.status == 400, answer
            assert word in answer.message
            assert "pl4nted" not in answer.message
        assert (await bed.datastores("GET", "/datastores/blobs")).status == 404
        assert "pl4nted" not in secrets_of(tmp_path)

    on_a_workspace(tmp_path, play)


def test_a_shared_access_signature_gets_in_as_far_as_it_allows(tmp_path, azurite):
    async def play(bed):
        made = await register(bed, azurite, "made")
        container = made["azureStorageSection"]["containerName"]
        await put(bed, "a", b"1", store="made")
        body = registration(azurite, "reading", container=container)
        signature = f"?{azurite.sas(container, 'rl')}"
        body["azureStorageSection"] |= {"credentialType": "Sas", "credential": signature}
        answer = await bed.datastores("POST", "/datastores", body)
        assert (answer.status, answer.body["azureStorageSection"]["isSas"]) == (200, True)
        found = (await bed.extras("GET", "/datastores/reading/objects")).body["value"]
        assert [one["name"] for one in found] == ["a"]
        refused = await bed.extras("PUT", "/datastores/reading/objects", params={"name": "b"}, content=b"2")
        assert refused.status == 400
        assert "sig=" not in str(answer) + refused.message

    on_a_workspace(tmp_path, play)


def test_validation_can_be_skipped(tmp_path, azurite):
    async def play(bed):
        answer = await bed.datastores(
            "POST", "/datastores?skipValidation=true", registration(azurite, container="nowhere")
        )
        assert answer.status == 200
        assert (await bed.extras("GET", "/datastores/blobs/objects")).status == 404

    on_a_workspace(tmp_path, play)


def test_a_dry_run_looks_and_registers_nothing(tmp_path, azurite):
    async def play(bed):
        good = await register(bed, azurite, "there")
        container = good["azureStorageSection"]["containerName"]
        answer = await bed.datastores("POST", "/datastores?dryRun=true", registration(azurite, container=container))
        assert (answer.status, answer.body["name"]) == (200, "blobs")
        wrong = registration(azurite, container=container, key=WRONG_KEY)
        assert (await bed.datastores("POST", "/datastores?dryRun=true", wrong)).status == 400
        planned = registration(azurite, container="not-made")
        await bed.datastores("POST", "/datastores?dryRun=true&createIfNotExists=true", planned)
        assert (await bed.datastores("POST", "/datastores", planned)).status == 400
        assert (await bed.datastores("GET", "/datastores/blobs")).status == 404

    on_a_workspace(tmp_path, play)


def test_a_key_goes_when_its_datastore_is_replaced_or_forgotten(tmp_path, azurite):
    async def play(bed):
        body = await register(bed, azurite)
        other = body | {"azureStorageSection": body["azureStorageSection"] | {"credential": WRONG_KEY}}
        await bed.datastores("PUT", "/datastores/blobs?skipValidation=true", other)
        assert KEY not in secrets_of(tmp_path)
        assert WRONG_KEY in secrets_of(tmp_path)
        assert (
            await bed.extras("GET", "/datastores/blobs/objects")
        ).status == 400  # the new key is the one that counts
        await bed.datastores("DELETE", "/datastores/blobs")
        assert WRONG_KEY not in secrets_of(tmp_path)

    on_a_workspace(tmp_path, play)


def test_a_lost_credentials_file_is_told_with_the_way_out(tmp_path, azurite):
    async def scenario():
        async with opened(tmp_path) as bed:
            await register(bed, azurite)
        (tmp_path / ".aml" / "credentials.json").unlink()
        async with opened(tmp_path) as bed:
            answer = await bed.extras("GET", "/datastores/blobs/objects")
            assert answer.status == 404
            assert "--overwrite" in answer.message

    asyncio.run(scenario())


def test_a_step_gets_a_file_of_the_blob_and_a_folder_of_what_lies_below_a_path(tmp_path, azurite):
    async def play(bed):
        await register(bed, azurite)
        await put(bed, "in/day1.csv", b"one\n")
        await put(bed, "in/deep/day2.csv", b"two\n")
        pipeline = await bed.publish(SHOWING)
        listing = StepDefinition(
            name="show",
            command="cd ${{inputs.data}}; find . -type f | sort",
            inputs={"data": PipelineInput("input_data")},
        )
        folders = PipelineDefinition(name="folders", data_paths=SHOWING.data_paths, steps=(listing,))
        for id_, path, shown in (
            (pipeline, "in/day1.csv", "one"),
            (await bed.publish(folders), "in", "./day1.csv\n./deep/day2.csv"),
        ):
            place = data_paths_to({"input_data": DataPath("blobs", path)})
            run = (await bed.submit(id_, DataPathAssignments=place)).body
            ended = await bed.finished(run["Id"])
            log = next((tmp_path / ".aml" / "runs" / run["Id"] / "show").glob("std_log.txt")).read_text()
            assert (ended["Status"]["StatusCode"], log.strip()) == ("Finished", shown)

    on_a_workspace(tmp_path, play)


def test_a_step_whose_blob_is_gone_fails_with_the_reason(tmp_path, azurite):
    async def play(bed):
        await register(bed, azurite)
        place = data_paths_to({"input_data": DataPath("blobs", "in/none.csv")})
        run = (await bed.submit(await bed.publish(SHOWING), DataPathAssignments=place)).body
        ended = await bed.finished(run["Id"])
        assert "nothing lies at blobs/in/none.csv" in ended["Status"]["StatusDetail"]

    on_a_workspace(tmp_path, play)


def test_a_fire_on_a_new_blob_runs_with_the_file(tmp_path, azurite):
    async def play(bed):
        await register(bed, azurite)
        trigger = DatastoreChange(
            datastore="blobs",
            path_on_datastore="in",
            polling_interval=timedelta(seconds=1),
            data_path_parameter_name="input_data",
        )
        pipeline = await bed.publish(SHOWING)
        schedule = (await bed.create(trigger, pipeline_id=pipeline)).body
        await put(bed, "in/new.csv", b"new\n")
        run = (await bed.until(lambda: bed.runs_of(schedule["Id"])))[0]
        ended = await bed.finished(run["Id"])
        log = (tmp_path / ".aml" / "runs" / run["Id"] / "show" / "std_log.txt").read_text()
        assert (ended["Status"]["StatusCode"], log) == ("Finished", "new\n")

    on_a_workspace(tmp_path, play)


def unreachable(azurite):
    """The registration of a container that nobody answers for."""
    body = registration(azurite, container="gone")
    body["amlMagics"] |= {"url": "http://127.0.0.1:9/devstoreaccount1"}
    return body


def refused(azurite):
    """The registration of a container whose key is a wrong one."""
    return registration(azurite, container="gone", key=WRONG_KEY)


@pytest.mark.parametrize(
    ("body", "kind", "status", "way_out"),
    [(unreachable, StorageFailed, 500, "try again"), (refused, InvalidInput, 400, "expired")],
)
def test_a_schedule_on_a_container_that_cannot_be_listed_is_not_made_and_the_storage_is_named(
    body, kind, status, way_out, tmp_path, azurite
):
    trigger = DatastoreChange(datastore="blobs", data_path_parameter_name="input_data")

    async def play(bed):
        await bed.datastores("POST", "/datastores?skipValidation=true", body(azurite))
        pipeline = await bed.publish(SHOWING)
        answer = await bed.create(trigger, pipeline_id=pipeline)
        told = refusal("embedded", answer.status, answer.body, call="POST Schedules/Create", is_question=False)
        assert (answer.status, type(told)) == (status, kind)
        assert str(told).startswith("datastore 'blobs': cannot list the objects in http://127.0.0.1:")
        assert way_out in str(told)
        assert "workspace" not in str(told)
        assert "may have been carried out" not in str(told)
        assert bed.workspace.store.schedules.list_text() == "[]"

    on_a_workspace(tmp_path, play)


def test_the_database_holds_no_secret(tmp_path, azurite):
    on_a_workspace(tmp_path, lambda bed: register(bed, azurite))
    files = list((tmp_path / ".aml").glob("workspace.db*"))
    assert any(azurite.url.encode() in file.read_bytes() for file in files)
    assert not any(KEY.encode() in file.read_bytes() for file in files)


class Signed:
    """In the place of ``DefaultAzureCredential``: nobody is signed in; what it was made with is kept."""

    made: ClassVar[list[dict[str, str]]] = []

    def __init__(self, **options):
        self.made.append(options)

    def get_token(self, *_scopes, **_options):
        raise RuntimeError("Attempted credentials:\n\tAzureCliCredential: Azure CLI not found on path")


@pytest.mark.parametrize(
    ("suffix", "authority"),
    [("core.windows.net", {}), ("core.chinacloudapi.cn", {"authority": "login.chinacloudapi.cn"})],
)
def test_a_datastore_by_identity_says_in_one_line_when_nobody_is_signed_in(tmp_path, monkeypatch, suffix, authority):
    monkeypatch.setattr("azure.identity.DefaultAzureCredential", Signed)
    Signed.made.clear()
    url = account_url("mine", suffix=suffix)
    access = blob_access(account="mine", container="data", url=url, kind=CredentialKind.IDENTITY)
    body = registration_to(Registration(name="blobs", access=access))

    async def play(bed):
        refused = await bed.datastores("POST", "/datastores", body)
        assert refused.status == 400
        assert "nobody is signed in to Azure here (tried: Azure CLI)" in refused.message
        await bed.datastores("POST", "/datastores?skipValidation=true", body)
        listed = await bed.extras("GET", "/datastores/blobs/objects")
        assert (listed.status, "az login" in listed.message) == (400, True)

    on_a_workspace(tmp_path, play)
    assert Signed.made == [authority, authority]
