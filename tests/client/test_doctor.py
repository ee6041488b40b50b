"""The doctor finds what is wrong, says what to do, and never fails itself."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from aml_magics.client import discovery, doctor, doctor_here
from aml_magics.client.doctor import Finding, Result
from aml_magics.client.doctor_here import look_at_proxies, look_at_software
from aml_magics.session import Session
from tests.support.azure_bed import AzureBed, azure_bed
from tests.support.azure_stand_in import ACCOUNT, SCOPE, TENANT


@pytest.fixture
def session(tmp_path, monkeypatch) -> Iterator[Session]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    discovery._IN_THIS_PROCESS.clear()
    made = Session()
    yield made
    made.close()


@pytest.fixture
def bed(tmp_path) -> Iterator[AzureBed]:
    with azure_bed(tmp_path) as made:
        yield made


def rows(findings: list[Finding]) -> dict[str, Finding]:
    return {one.check: one for one in findings}


def troubles(findings: list[Finding]) -> list[str]:
    return [one.check for one in findings if one.result is not Result.OK]


def test_a_workspace_on_azure_that_works_has_every_check_and_no_trouble(bed, session):
    found = session.examine(**bed.options)
    assert troubles(found) == []
    named = rows(found)
    assert named["identity"].found == f"Credential as {ACCOUNT}"
    assert named["token"].found.startswith("until 20")
    assert named["token"].found.endswith(f"tenant {TENANT}")
    assert named["resource manager"].found == "embedded in westeurope"
    assert named["discovery"].found.startswith(f"{bed.stand_in.base}/westeurope/api")
    assert named["permission to submit runs"].found.endswith("experiments/runs/submit/action")
    assert named["pipelines"].found == "0 active"
    assert named["datastore"].found.startswith("workspaceblobstore: local-folder")
    assert " s " in named["clock"].found
    assert not session.is_connected
    assert bed.credential.closed == 0  # it is the caller's


def test_what_is_open_is_looked_at_without_opening_it_again(bed, session):
    session.connect(**bed.options)
    found = session.examine()
    assert troubles(found) == []
    assert rows(found)["config"].found.startswith("group/embedded in ")
    assert session.workspace.pipelines.list() == []


def test_an_embedded_workspace_is_looked_at(session):
    session.connect()
    found = session.examine()
    assert troubles(found) == []
    assert {"engine", "pipelines", "schedules", "datastore"} <= set(rows(found))


def test_the_troubles_of_an_engine_are_told(session):
    ws = session.connect()
    session._opened._embedded.note_failure("GET /x", RuntimeError("broken"))
    assert rows(session.examine())["engine"].result is Result.WARNING
    assert "broken" in rows(session.examine())["engine"].found
    assert ws.pipelines.list() == []


def test_without_a_workspace_it_says_how_to_open_one(session, tmp_path):
    named = rows(session.examine())
    assert "%aml connect" in named["workspace"].advice
    assert named["config"].result is Result.OK
    (tmp_path / "config.json").write_text("{")
    assert rows(session.examine())["config"].result is Result.PROBLEM
    (tmp_path / "config.json").write_text(json.dumps({"Scope": SCOPE}))
    assert rows(session.examine())["config"].advice == "%aml doctor --config . looks at that workspace."


def test_a_missing_permission_is_named_with_its_role(bed, session):
    bed.stand_in.permissions = [{"actions": ["*/read"], "notActions": ["*/datastores/read"]}]
    found = session.examine(**bed.options)
    named = rows(found)
    assert named["permission to see the workspace"].result is Result.OK
    missing = named["permission to submit runs"]
    assert (missing.result, "experiments/runs/submit/action" in missing.found) == (Result.PROBLEM, True)
    assert "AzureML Data Scientist" in missing.advice
    assert named["permission to list datastores"].result is Result.PROBLEM
    assert (named["permissions"].found, "up to an hour" in named["permissions"].advice) == ("6 of 12 are missing", True)
    assert all(len(one.advice) <= 80 and len(one.found) <= 80 for one in found if one.check.startswith("permission"))


def test_the_permissions_of_every_page_count(bed, session):
    actions = [["*/read"], ["*/write"], ["*/action"]]
    bed.stand_in.permissions = [{"actions": one, "notActions": []} for one in actions]
    assert rows(session.examine(**bed.options))["permissions"].found == "all 12 that are needed"
    assert len(bed.stand_in.asked("/permissions$")) == len(actions)


def test_a_token_that_has_expired_already_is_a_warning(bed, session):
    bed.credential.life = -10.0
    found = rows(session.examine(**bed.options))
    assert found["token"].result is Result.WARNING
    assert found["resource manager"].result is Result.PROBLEM


def test_permissions_that_cannot_be_asked_for_are_a_warning_and_the_rest_goes_on(bed, session):
    with bed.stand_in.telling("permissions", 403):
        found = session.examine(**bed.options)
    assert troubles(found) == ["permissions"]
    assert rows(found)["permissions"].result is Result.WARNING
    assert "pipelines" in rows(found)


@pytest.mark.parametrize(
    ("pattern", "check", "left_out"),
    [
        (f"GET {SCOPE}$", "resource manager", ["discovery", "permissions", "pipelines"]),
        ("/discovery/", "discovery", ["permissions", "pipelines"]),
        ("/Pipelines$", "pipelines", []),
        ("/Schedules$", "schedules", []),
        ("/default$", "datastore", []),
    ],
)
def test_what_fails_is_a_row_and_what_hangs_on_it_is_left_out(bed, session, pattern, check, left_out):
    with bed.stand_in.telling(pattern, 403):
        found = session.examine(**bed.options)
    assert troubles(found) == [check]
    assert rows(found)[check].advice
    assert not set(left_out) & set(rows(found))


def test_nobody_signed_in_is_a_row_with_the_ways_to_sign_in(bed, session):
    class Nobody:
        async def get_token(self, *_scopes, **_options):
            raise RuntimeError("AzureCliCredential: not installed")

    found = session.examine(**bed.options | {"credential": Nobody()})
    assert troubles(found) == ["identity"]
    assert "az login" in rows(found)["identity"].advice
    assert "pipelines" not in rows(found)


def test_a_credential_that_breaks_in_its_own_way_is_a_row(bed, session):
    class Odd:
        async def get_token(self, *_scopes, **_options):
            return object()

    assert troubles(session.examine(**bed.options | {"credential": Odd()})) == ["identity"]


def test_a_check_that_breaks_is_a_row_and_the_others_go_on(session, monkeypatch):
    client = session.connect()._connection.client

    async def broken(*_arguments, **_options):
        raise KeyError("surprise")

    monkeypatch.setattr(client, "pipelines", broken)
    found = session.examine()
    assert troubles(found) == ["pipelines"]
    assert "KeyError: 'surprise'" in rows(found)["pipelines"].found
    assert rows(found)["schedules"].result is Result.OK


@pytest.mark.parametrize(
    ("options", "check"),
    [
        ({"config": "nowhere"}, "config"),
        ({"config": ".", "workspace": "w"}, "config"),
        ({"subscription": "s", "resource_group": "g", "workspace": "w", "cloud": "Nocloud"}, "sign-in"),
        ({"subscription": "s", "resource_group": "g", "workspace": "w", "cloud": "x", "ca": "nowhere"}, "sign-in"),
    ],
)
def test_what_cannot_even_be_tried_is_a_row(session, options, check):
    assert troubles(session.examine(**options)) == [check]


def test_a_word_that_is_no_address_is_a_row_and_says_nothing_about_what_is_open(session):
    session.connect()
    found = session.examine("127.0.0.1:8765")
    assert troubles(found) == ["address"]
    assert "'127.0.0.1:8765' is no URL" in rows(found)["address"].found
    assert "workspace" not in rows(found)


def test_an_address_where_nobody_answers_is_a_row(session):
    found = session.examine("http://127.0.0.1:9", token="x")
    assert troubles(found) == ["address"]
    assert "cannot be reached" in rows(found)["address"].found


def test_a_check_that_hangs_is_given_up(bed, session):
    class Hanging:
        async def get_token(self, *_scopes, **_options):
            await asyncio.Event().wait()

    options = bed.options | {"credential": Hanging()}
    found = doctor.examine(None, None, options, print, limit=0.2)
    assert troubles(found) == ["identity"]
    assert rows(found)["identity"].found == "no answer within 0.2 s"


@pytest.mark.parametrize(
    ("ahead", "result"), [(290, Result.OK), (-290, Result.OK), (310, Result.WARNING), (-310, Result.WARNING)]
)
def test_a_clock_that_is_five_minutes_off_is_a_warning(bed, session, monkeypatch, ahead, result):
    monkeypatch.setattr("aml_magics.client.transport.time", SimpleNamespace(time=lambda: time.time() + ahead))
    found = rows(session.examine(**bed.options))["clock"]
    assert found.result is result
    assert ("ahead of" if ahead > 0 else "behind") in found.found


def test_no_token_is_in_what_the_doctor_says(bed, session):
    with bed.stand_in.telling("/Pipelines$", 401):
        found = session.examine(**bed.options)
    said = repr(found)
    assert bed.stand_in.secrets
    assert not any(secret in said for secret in bed.stand_in.secrets)


# this machine


@pytest.mark.parametrize(
    ("versions", "check", "result"),
    [
        ({"ipykernel": "7.0.1"}, "ipykernel", Result.PROBLEM),
        ({"ipykernel": "7.0"}, "ipykernel", Result.PROBLEM),
        ({"ipykernel": "7.0a1"}, "ipykernel", Result.PROBLEM),
        ({"ipykernel": "7.1.0"}, "ipykernel", Result.OK),
        ({"ipykernel": "6.30.1"}, "ipykernel", Result.OK),
        ({}, "ipykernel", Result.WARNING),
        ({}, "ipywidgets", Result.OK),
        ({"ipywidgets": "8.1"}, "ipywidgets", Result.OK),
        ({}, "azure-identity", Result.PROBLEM),
        ({"azure-identity": "1.27"}, "azure-identity", Result.OK),
    ],
)
def test_versions_are_looked_at(monkeypatch, versions, check, result):
    monkeypatch.setattr(doctor_here, "_version", lambda name: versions.get(name, ""))
    found = rows(list(look_at_software()))[check]
    assert found.result is result
    assert result is Result.OK or found.advice


def test_the_packages_of_this_environment_are_found():
    named = rows(list(look_at_software()))
    assert {"python", "ipython", "pandas", "httpx", "azure-identity", "ipykernel", "ipywidgets"} == set(named)
    assert named["httpx"].found[0].isdigit()


def test_proxies_are_told_without_their_passwords():
    (none,) = look_at_proxies({})
    assert none.found == "none is set"
    (found,) = look_at_proxies({"https_proxy": "http://ada:secret@proxy.example:3128", "NO_PROXY": "127.0.0.1"})
    assert "proxy.example:3128" in found.found
    assert "secret" not in found.found
    assert "NO_PROXY=127.0.0.1" in found.found
