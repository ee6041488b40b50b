"""Connecting to Azure: the whole way over TLS to a stand-in, and what happens when something on it fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import aml_magics
from aml_magics.client import discovery
from aml_magics.model.errors import InvalidInput, NotConnected, NotFound, ServiceError
from aml_magics.session import Session
from tests.support.azure_bed import AzureBed, azure_bed
from tests.support.azure_stand_in import ACCOUNT, AUDIENCE, GROUP, REGION, SCOPE, SUBSCRIPTION, PlainCredential

SUBMIT = "POST .*/PipelineSubmit/"


@pytest.fixture
def bed(tmp_path, tmp_path_factory, monkeypatch) -> Iterator[AzureBed]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    discovery._IN_THIS_PROCESS.clear()
    with azure_bed(tmp_path_factory.mktemp("azure")) as made:
        made.ours.pipelines.publish(source="print(1)", name="train", parameters={"learning_rate": 0.1})
        yield made


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    yield made
    made.close()


def test_the_way_there_asks_each_part_once_and_shows_the_token_to_those_who_need_it(bed, session):
    ws = session.connect(**bed.options)
    ws.pipelines.list()
    assert [(one.method, one.path, one.has_token) for one in bed.stand_in.requests] == [
        ("GET", "/metadata/endpoints", False),
        ("GET", SCOPE, True),
        ("GET", f"/discovery/{REGION}", False),
        ("GET", f"/{REGION}/api/pipelines/v1.0{SCOPE}/Pipelines", True),
    ]
    assert bed.stand_in.requests[1].query == "api-version=2022-05-01"
    assert bed.credential.scopes == [f"{AUDIENCE}.default"]


def test_the_workspace_says_where_it_is(bed, session):
    ws = session.connect(**bed.options)
    assert not ws.is_embedded
    assert not ws.is_here
    assert ws.location == f"https://portal.stand-in.example/#@/resource{SCOPE}"
    assert dict(ws.about) == {
        "subscription": SUBSCRIPTION,
        "resource group": GROUP,
        "region": REGION,
        "cloud": "StandIn",
        "signed in by": "Credential",
    }


def test_discovery_is_asked_once_a_day_and_not_by_every_kernel(bed):
    for _ in range(2):
        with aml_magics.connect(**bed.options) as ws:
            ws.pipelines.list()
        discovery._IN_THIS_PROCESS.clear()  # as in another process
        bed.credential.closed = 0
    assert len(bed.stand_in.asked("/discovery/")) == 1
    text = discovery.cache_file().read_text()
    assert bed.stand_in.base in text
    assert not any(secret in text for secret in bed.stand_in.secrets)


def test_services_that_have_moved_since_are_found_again_and_nothing_is_sent_twice(bed, session):
    with aml_magics.connect(**bed.options):
        pass
    file = discovery.cache_file()
    file.write_text(file.read_text().replace(f"{bed.stand_in.base}/{REGION}", "https://127.0.0.1:1"))
    discovery._IN_THIS_PROCESS.clear()
    ws = session.connect(**bed.options)
    train = ws.pipelines.get("train")
    ws.runs.wait(ws.pipelines.submit(train), timeout=60)
    assert len(bed.stand_in.asked(SUBMIT)) == 1
    assert len(bed.stand_in.asked("/discovery/")) == 2
    assert "127.0.0.1:1/" not in file.read_text()


def test_config_json_leads_there_from_a_folder_below(bed, session, tmp_path, monkeypatch):
    (tmp_path / ".azureml").mkdir()
    bed.write_config(tmp_path / ".azureml")
    below = tmp_path / "notebooks"
    below.mkdir()
    monkeypatch.chdir(below)
    options = {name: bed.options[name] for name in ("cloud", "ca", "credential")}
    ws = session.connect(config=".", **options)
    assert ws.about["subscription"] == SUBSCRIPTION
    assert session.connect(config=tmp_path, **options) is ws
    assert session.connect(**options) is ws  # who signs in says that Azure is meant


def test_the_environment_of_the_sdk_says_which_cloud(bed, session, monkeypatch):
    monkeypatch.setenv("ARM_CLOUD_METADATA_URL", f"{bed.stand_in.base}/metadata/endpoints?api-version=2019-05-01")
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "StandIn")
    ws = session.connect(**bed.options | {"cloud": None})
    assert ws.about["cloud"] == "StandIn"


def test_the_certificate_must_be_trusted(bed, session):
    with pytest.raises(ServiceError, match=r"certificate that is not trusted.*--ca FILE"):
        session.connect(**bed.options | {"ca": None})
    wrong = bed.folder / "key.pem"
    with pytest.raises(InvalidInput, match="no certificate in PEM form"):
        session.connect(**bed.options | {"ca": wrong})
    with pytest.raises(InvalidInput, match="no such file"):
        session.connect(**bed.options | {"ca": "nowhere.pem"})


def test_a_workspace_that_is_not_there_says_what_to_check(bed, session):
    with pytest.raises(NotFound, match=r"was not found.*which tenant"):
        session.connect(**bed.options | {"workspace": "other"})


def test_a_plain_credential_works_too_and_never_on_the_loop(bed, session):
    plain = PlainCredential(bed.stand_in)
    ws = session.connect(**bed.options | {"credential": plain})
    ws.pipelines.list()
    assert plain.threads == ["aml-magics-sign-in daemon"]
    session.close()
    assert plain.closed == 1


class Interactive(PlainCredential):
    """Stands for a credential of azure-identity that asks a person, with the stand-in as the authority."""

    stand_in = None
    fails = False

    def __init__(self, *, authority, disable_automatic_authentication, prompt_callback) -> None:
        super().__init__(self.stand_in)
        self._prompt = prompt_callback

    def authenticate(self, *, scopes) -> None:
        self._prompt("https://login.stand-in.example/device", "ABC123", datetime(2026, 11, 27, 6, 30, tzinfo=UTC))
        self.threads.append(threading.current_thread().name)
        if self.fails:
            raise RuntimeError("the code was not entered in time")


def test_a_person_signs_in_with_a_code_on_the_calling_thread_and_renewals_are_silent(bed, session, monkeypatch):
    monkeypatch.setattr(Interactive, "stand_in", bed.stand_in)
    monkeypatch.setattr("azure.identity.DeviceCodeCredential", Interactive)
    told = []
    options = bed.options | {"credential": None, "sign_in": "device"}
    ws = session.connect(**options, tell=told.append)
    assert told == [
        "To sign in open https://login.stand-in.example/device and enter the code ABC123 (good until 06:30 UTC).\n"
    ]
    credential = session._opened.way.identity._credential
    assert credential.threads == ["MainThread", "aml-magics-sign-in daemon"]
    assert session.connect(**options, tell=told.append) is ws
    assert len(told) == 1
    monkeypatch.setattr(Interactive, "fails", True)
    with pytest.raises(NotConnected, match="not entered in time"):
        session.connect(**options | {"cloud": f"{bed.stand_in.base}/"}, tell=told.append)
    assert ws.pipelines.list()


def fake_az(folder: Path, said: str, status: int = 0) -> Path:
    """An Azure CLI that says this, whoever asks, and keeps what it was asked."""
    az = folder / "bin" / "az"
    az.parent.mkdir()
    (folder / "said").write_text(said)
    az.write_text(f"#!/bin/sh\necho \"$@\" >> '{folder}/asked'\n/bin/cat '{folder}/said'\nexit {status}\n")
    az.chmod(0o755)
    return az.parent


@pytest.fixture
def developer(monkeypatch, tmp_path) -> None:
    """azure-identity asks tools of developers only: no managed identity is looked for on the network."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")


def test_whoever_is_signed_in_to_the_azure_cli_is_signed_in_here(bed, session, monkeypatch, tmp_path, developer):
    token = bed.stand_in.issue()
    said = {"accessToken": token.token, "expires_on": token.expires_on, "tokenType": "Bearer"}
    monkeypatch.setenv("PATH", str(fake_az(tmp_path, json.dumps(said))))
    ws = session.connect(**bed.options | {"credential": None})
    assert [one.name for one in ws.pipelines.list()] == ["train"]
    assert ws.about["signed in by"] == "Azure CLI"
    (asked,) = (tmp_path / "asked").read_text().splitlines()  # asked once, and kept
    assert f"--resource {AUDIENCE.rstrip('/')}" in asked


def test_nobody_signed_in_anywhere_is_one_line(bed, session, developer):
    with pytest.raises(
        NotConnected, match=r"nobody is signed in to Azure here \(tried: .*Azure CLI.*az login"
    ) as caught:
        session.connect(**bed.options | {"credential": None})
    assert "\n" not in str(caught.value)


def test_a_sign_in_that_has_expired_says_why(bed, session, monkeypatch, tmp_path, developer):
    monkeypatch.setenv("PATH", str(fake_az(tmp_path, "", status=1)))
    (tmp_path / "bin" / "az").write_text(
        "#!/bin/sh\necho 'ERROR: AADSTS70043: The refresh token has expired. Trace ID: x' >&2\nexit 1\n"
    )
    with pytest.raises(NotConnected, match=r"AADSTS70043: The refresh token has expired\. Sign in with 'az login'"):
        session.connect(**bed.options | {"credential": None})


# tokens


def test_a_token_that_ends_in_the_middle_is_renewed_before_a_request_is_refused(bed, session):
    bed.credential.life = 1.0  # less than what a token must still have: asked for before each request
    ws = session.connect(**bed.options)
    for _ in range(3):
        ws.pipelines.list()
    assert len(bed.credential.scopes) == 4
    assert len(bed.stand_in.asked("/Pipelines$")) == 3


def test_a_submit_whose_token_was_revoked_is_repeated_once_and_starts_one_run(bed, session):
    ws = session.connect(**bed.options)
    train = ws.pipelines.get("train")
    with bed.stand_in.telling(SUBMIT, 401, times=1):
        run = ws.pipelines.submit(train)
    assert len(bed.stand_in.asked(SUBMIT)) == 2
    assert len(bed.credential.scopes) == 2
    assert [one.id for one in ws.runs.list()] == [run.id]
    bed.stand_in.revoke_all()
    assert ws.runs.wait(run, timeout=60).id == run.id


def test_an_account_that_stays_refused_is_told_to_sign_in(bed, session):
    ws = session.connect(**bed.options)
    with bed.stand_in.telling("/Pipelines$", 401), pytest.raises(ServiceError, match="az login") as caught:
        ws.pipelines.list()
    assert caught.value.status == 401
    assert len(bed.stand_in.asked("/Pipelines$")) == 2


def test_a_token_for_somebody_else_is_refused(bed, session):
    class Wrong:
        async def get_token(self, *_scopes, **_options):
            return bed.stand_in.issue("https://graph.example/")

    with pytest.raises(ServiceError, match="az login") as caught:
        session.connect(**bed.options | {"credential": Wrong()})
    shown = str(caught.value)
    assert not any(secret in shown for secret in bed.stand_in.secrets)


def test_nobody_signed_in_is_one_line_and_leaves_open_what_is_open(bed, session, tmp_path):
    class Nobody:
        closed = 0

        async def get_token(self, *_scopes, **_options):
            raise RuntimeError("AzureCliCredential: please run 'az login'")

        async def close(self):
            self.closed += 1

    nobody = Nobody()
    ours = session.connect(tmp_path)
    with pytest.raises(NotConnected, match=r"nobody is signed in.*Azure CLI.*--sign-in device"):
        session.connect(**bed.options | {"credential": nobody})
    assert session.connect() is ours
    assert nobody.closed == 0  # it is the caller's, and another try may need it


# what the services answer


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_question_is_asked_again_until_it_is_answered(bed, session, status, monkeypatch):
    ws = session.connect(**bed.options)
    waited = quickly(monkeypatch, ws)
    with bed.stand_in.telling("/Pipelines$", status, times=2, headers={"retry-after": "3"}):
        assert [one.name for one in ws.pipelines.list()] == ["train"]
    assert len(bed.stand_in.asked("/Pipelines$")) == 3
    assert len(waited) == 2
    assert status == 500 or min(waited) >= 3


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("before", [True, False])
def test_a_submit_is_never_repeated_whatever_the_answer(bed, session, status, before, monkeypatch):
    ws = session.connect(**bed.options)
    quickly(monkeypatch, ws)
    train = ws.pipelines.get("train")
    with bed.stand_in.telling(SUBMIT, status, before=before), pytest.raises(ServiceError):
        ws.pipelines.submit(train)
    assert len(bed.stand_in.asked(SUBMIT)) == 1


def test_a_refusal_names_the_permission_and_the_role(bed, session):
    ws = session.connect(**bed.options)
    train = ws.pipelines.get("train")
    with (
        bed.stand_in.telling(SUBMIT, 403, body={"Error": {"Code": "Forbidden", "Message": "no"}}),
        pytest.raises(ServiceError, match=r"experiments/runs/submit/action.*AzureML Data Scientist"),
    ):
        ws.pipelines.submit(train)


def test_an_answer_in_the_wrong_case_or_no_json_is_one_line_or_success(bed, session):
    ws = session.connect(**bed.options)
    with (
        bed.stand_in.telling("/Pipelines$", 200, body=b"<html>sign in</html>", headers={"content-type": "text/html"}),
        pytest.raises(ServiceError, match="where JSON belongs"),
    ):
        ws.pipelines.list()
    pipeline = {"id": "p", "name": "camel", "url": "u", "entityStatus": "Active", "graphId": "g"}
    with bed.stand_in.telling("/Pipelines$", 200, body=[pipeline]):
        assert [one.name for one in ws.pipelines.list()] == ["camel"]


def quickly(monkeypatch, ws):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(ws._connection.client.transport, "_sleep", sleep)
    return waited


def test_an_interrupt_ends_a_call_that_hangs_at_once(bed, session):
    ws = session.connect(**bed.options)
    transport = ws._connection.client.transport
    waiting = threading.Event()

    async def for_ever(_seconds):
        waiting.set()
        await asyncio.Event().wait()

    transport._sleep = for_ever

    def interrupt():
        waiting.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    helper = threading.Thread(target=interrupt)
    helper.start()
    began = time.monotonic()
    try:
        with bed.stand_in.telling("/Pipelines$", 503), pytest.raises(KeyboardInterrupt):
            ws.pipelines.list()
    finally:
        helper.join()
    assert time.monotonic() - began < 1.5


# several workspaces, and the end


def test_the_same_destination_is_the_same_workspace_and_another_one_replaces_it(bed, session, tmp_path):
    ws = session.connect(**bed.options)
    assert session.connect(**bed.options) is ws
    assert session.connect() is ws
    ours = session.connect(tmp_path)
    assert session.workspace is ours
    assert bed.credential.closed == 1
    with pytest.raises(NotConnected):
        ws.pipelines.list()


def test_a_credential_that_the_next_workspace_uses_too_stays_open(bed, session):
    session.connect(**bed.options)
    ws = session.connect(**bed.options | {"cloud": f"{bed.stand_in.base}/"})
    assert bed.credential.closed == 0
    ws.close()
    assert bed.credential.closed == 1
    assert not session.is_connected


def test_two_sessions_are_open_side_by_side(bed, session):
    one = session.connect(**bed.options)
    second = Session()
    other = second.connect(**bed.options | {"credential": PlainCredential(bed.stand_in)})
    assert [each.name for each in one.pipelines.list()] == [each.name for each in other.pipelines.list()]
    second.close()
    assert one.pipelines.list()
    with pytest.raises(NotConnected):
        other.pipelines.list()


@pytest.mark.parametrize(
    "address",
    [
        "http://far.example",
        "http://localhost.far.example",
        "http://127.0.0.1.far.example",
        "http://localhost@far.example",
    ],
)
def test_services_without_encryption_get_no_token(bed, session, address):
    services = {"api": address, "history": "https://far.example"}
    with (
        bed.stand_in.telling("/discovery/", 200, body=services),
        pytest.raises(ServiceError, match="without encryption"),
    ):
        session.connect(**bed.options)


def test_a_resource_manager_without_encryption_gets_no_token(bed, session):
    cloud = bed.stand_in._open("/metadata/endpoints")
    cloud[0]["resourceManager"] = "http://far.example"
    with (
        bed.stand_in.telling("/metadata/", 200, body=cloud),
        pytest.raises(ServiceError, match="the cloud names an address without encryption"),
    ):
        session.connect(**bed.options)
    assert bed.credential.scopes == []


def test_addresses_that_are_remembered_outlive_a_time_without_a_network(bed, session):
    ws = session.connect(**bed.options)
    ws._connection.client.transport._move("https://127.0.0.1:1", "https://127.0.0.1:1")
    with bed.stand_in.telling("/discovery/", 403), pytest.raises(ServiceError, match="cannot be reached"):
        ws.pipelines.submit(ws.pipelines.get("train"))
    assert bed.stand_in.base in discovery.cache_file().read_text()


def test_no_secret_is_in_anything_that_is_shown_or_kept(bed, session, tmp_path):
    ws = session.connect(**bed.options)
    shown = [repr(ws), repr(session), repr(ws._connection), repr(session._opened.destination), repr(dict(ws.about))]
    with bed.stand_in.telling("/Pipelines$", 400, body={"Error": {"Code": "x", "Message": bed.stand_in.secrets[-1]}}):
        with pytest.raises(ServiceError) as caught:
            ws.pipelines.list()
        shown.append(str(caught.value))
    shown += [path.read_text() for path in Path(tmp_path).rglob("*") if path.is_file()]
    text = "\n".join(shown)
    assert ACCOUNT not in text
    assert not any(secret in text for secret in bed.stand_in.secrets)
    assert json.loads(discovery.cache_file().read_text())
