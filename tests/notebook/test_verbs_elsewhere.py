"""``%aml`` on a workspace somewhere else: connecting to it, the doctor, and what Azure cannot do, said in one line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from aml_magics.client import discovery
from aml_magics.client.addresses import is_overheard
from aml_magics.model.errors import AmlError
from aml_magics.model.secret import Secret
from aml_magics.notebook.frames import Table
from aml_magics.notebook.grammar import Noun
from aml_magics.notebook.nouns import TREE
from aml_magics.session import session_of
from tests.client.test_azure import Interactive
from tests.client.test_served import TOKEN, serving
from tests.support.azure_bed import AzureBed, azure_bed
from tests.support.azure_stand_in import ACCOUNT

CONNECT = "connect --config {config} --cloud {cloud} --ca {ca} --credential {credential}"


@pytest.fixture
def bed(aml, tmp_path_factory, monkeypatch) -> Iterator[AzureBed]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    discovery._IN_THIS_PROCESS.clear()
    with azure_bed(tmp_path_factory.mktemp("azure")) as made:
        made.ours.pipelines.publish(source="print('ran')", name="train", parameters={"learning_rate": 0.1})
        made.ours.pipelines.publish(source="1", name="read", data_paths=["input_data"])
        made.stand_in.beside.add_factory("etl")
        yield made
        session_of(aml.shell).close()  # before the server goes


@pytest.fixture
def variables(bed, folder):
    return {
        "config": bed.write_config(folder),
        "cloud": bed.stand_in.base,
        "ca": bed.ca,
        "credential": bed.credential,
    }


@pytest.fixture
def azure(aml, bed, variables):
    """The magic, connected to the stand-in."""
    aml(CONNECT, **variables)
    return aml


def test_connecting_says_where_and_what_is_there_and_fills_completion(aml, bed, variables):
    view = aml(CONNECT, **variables)
    text = repr(view)
    for fact in ("Connected to the workspace 'embedded'", "resource group", "group", "westeurope", "StandIn"):
        assert fact in text
    assert "active pipelines  2" in text
    assert view.value.is_embedded is False
    assert sorted(aml.offers("pipeline show ")) == ["read", "train"]
    assert view.notes == ()


def test_connecting_is_possible_without_the_right_to_see_pipelines(aml, bed, variables):
    with bed.stand_in.telling("/Pipelines$", 403):
        view = aml(CONNECT, **variables)
    assert "active schedules  0" in repr(view)
    assert any("endpoints/pipelines/read" in note for note in view.notes)


def test_leaving_for_another_workspace_says_what_that_means(azure, folder, variables):
    (folder / "mine").mkdir()
    assert any("connection to https://portal" in note for note in azure("connect mine").notes)
    assert any("do not fire until" in note for note in azure(CONNECT, **variables).notes)


def test_status_tells_what_there_is_to_tell(azure):
    text = repr(azure("status"))
    assert "westeurope" in text
    assert "%aml doctor" in text


def test_the_whole_life_of_a_schedule(azure):
    body = "pipeline: train\nfrequency: Day\nstart_time: 2999-01-01T00:00:00\n"
    assert "s" in repr(azure("schedule create s", body))
    assert list(azure("schedule list")["name"]) == ["s"]
    azure("schedule disable s")
    assert len(azure("schedule list")) == 0
    assert "s" in repr(azure("schedule show s"))


def test_a_run_is_submitted_waited_for_and_read(azure):
    run = azure("pipeline submit train --parameter learning_rate=0.5")
    assert azure(f"run wait {run.id}").status == "Finished"
    assert "ran" in str(azure(f"run logs {run.id}"))
    assert list(azure("run list")["id"]) == [run.id]
    assert "train" in repr(azure(f"run show {run.id}"))


FACTORY = """{"name": "factory", "activities": [{"name": "Run", "type": "AzureMLExecutePipeline",
    "typeProperties": {"mlPipelineEndpointId": "none", "experimentName": "E"}}]}"""

# every verb: its line, and a word of the refusal when Azure cannot do it
LINES = {
    ("status",): ("status", ""),
    ("doctor",): ("doctor", ""),
    ("connect",): ("connect", ""),
    ("experiment", "list"): ("experiment list", ""),
    ("experiment", "show"): ("experiment show MyExperiment", ""),
    ("experiment", "create"): ("experiment create Other", ""),
    ("datastore", "list"): ("datastore list", ""),
    ("datastore", "show"): ("datastore show workspaceblobstore", ""),
    ("datastore", "ls"): ("datastore ls", "listing the objects of a datastore works on an embedded workspace only"),
    ("datastore", "register"): ("datastore register public --account acc --container data --skip-validation", ""),
    ("datastore", "unregister"): ("datastore unregister public", ""),
    ("datastore", "set-default"): ("datastore set-default workspaceblobstore", ""),
    ("datastore", "download"): ("datastore download x.txt", "a datastore works on an embedded workspace only"),
    ("datastore", "watch"): (
        "datastore watch workspaceblobstore incoming --dry-run",
        "works on an embedded workspace only",
    ),
    ("datastore", "upload"): ("datastore upload x.txt", "writing to a datastore works on an embedded workspace only"),
    ("pipeline", "list"): ("pipeline list --all", ""),
    ("pipeline", "show"): ("pipeline show train", ""),
    ("pipeline", "publish"): ("pipeline publish --file x.py new", "publishing steps with their code works on an"),
    ("pipeline", "submit"): ("pipeline submit train --dry-run", ""),
    ("pipeline", "disable"): ("pipeline disable read", ""),
    ("pipeline", "enable"): ("pipeline enable read", ""),
    ("pipeline", "endpoint"): ("pipeline endpoint train", ""),
    ("schedule", "list"): ("schedule list --all", ""),
    ("schedule", "show"): ("schedule show s", ""),
    ("schedule", "create"): ("schedule create t --pipeline train --every hour --start-time 2999-01-01T00:00:00", ""),
    ("schedule", "preview"): ("schedule preview s", ""),
    ("schedule", "new"): ("schedule new", ""),
    ("schedule", "timeline"): ("schedule timeline --days 7", ""),
    ("schedule", "history"): ("schedule history s", "the history of a schedule works on an embedded workspace only"),
    ("schedule", "runs"): ("schedule runs s", ""),
    ("schedule", "disable"): ("schedule disable s", ""),
    ("schedule", "enable"): ("schedule enable s", ""),
    ("export", "logic-app"): ("export logic-app s --force", ""),
    ("export", "data-factory"): ("export data-factory s --force", ""),
    ("logic-app", "deploy"): ("logic-app deploy s", ""),
    ("logic-app", "list"): ("logic-app list", ""),
    ("logic-app", "show"): ("logic-app show s", ""),
    ("logic-app", "history"): ("logic-app history s", ""),
    ("logic-app", "runs"): ("logic-app runs s", ""),
    ("logic-app", "trigger"): ("logic-app trigger s", "The workflow 's' is disabled"),
    ("logic-app", "enable"): ("logic-app enable s", ""),
    ("logic-app", "disable"): ("logic-app disable s", ""),
    ("data-factory", "deploy"): ("data-factory deploy s --parameter factoryName=etl", ""),
    ("data-factory", "list"): ("data-factory list", ""),
    ("data-factory", "show"): ("data-factory show s", ""),
    ("data-factory", "history"): ("data-factory history s", ""),
    ("data-factory", "runs"): ("data-factory runs s", ""),
    ("data-factory", "trigger"): ("data-factory trigger s", ""),
    ("data-factory", "start"): ("data-factory start s", ""),
    ("data-factory", "stop"): ("data-factory stop s", ""),
    ("run", "list"): ("run list", ""),
    ("run", "show"): ("run show {run}", ""),
    ("run", "wait"): ("run wait {run}", ""),
    ("run", "logs"): ("run logs {run}", ""),
    ("run", "cancel"): ("run cancel {run}", ""),
    ("logic-app", "run"): ("logic-app run s --dry-run", ""),
    ("data-factory", "run"): ("data-factory run factory.json", "The pipeline 'factory' failed: Run: "),
    ("panel", "overview"): ("panel", ""),
    ("panel", "pipelines"): ("panel pipelines", ""),
    ("panel", "schedules"): ("panel schedules", ""),
    ("panel", "runs"): ("panel runs --limit 10", ""),
    ("panel", "datastores"): ("panel datastores", ""),
}
PATHS = [
    path
    for one in TREE
    for path in ([(one.name, verb.name) for verb in one.verbs] if isinstance(one, Noun) else [(one.name,)])
    if path[0] != "serve"
]


def test_every_verb_gives_a_result_or_one_clear_line(azure, folder):
    (folder / "x.txt").write_text("x")
    (folder / "x.py").write_text("print(1)")
    (folder / "factory.json").write_text(FACTORY)
    run = azure("pipeline submit train --experiment MyExperiment")
    azure("run wait {run}", run=run)
    azure("schedule create s --pipeline train --every day --start-time 2999-01-01T00:00:00")
    for path in PATHS:
        line, refusal = LINES[path]
        if not refusal:
            assert repr(azure(line)), line
            continue
        with pytest.raises(AmlError, match=refusal) as caught:
            azure(line)
        assert caught.value.hint, line
        assert "\n" not in str(caught.value)


WEATHER = {
    "too many requests": {"status": 429, "headers": {"retry-after": "1"}},
    "an error": {"status": 500, "body": {"Error": {"Code": "InternalError", "Message": "out\nof order"}}},
    "a gateway's page": {"status": 502, "body": b"<html>\n</html>", "headers": {"content-type": "text/html"}},
    "overloaded": {"status": 503, "headers": {"retry-after": "Fri, 27 Nov 2026 06:00:00 GMT"}},
    "a refused token": {"status": 401},
    "no right": {"status": 403, "body": {"Error": {"Code": "Forbidden", "Message": "no"}}},
    "a login page": {"status": 200, "body": b"<html>\n</html>", "headers": {"content-type": "text/html"}},
    "broken JSON": {"status": 200, "body": b'{"value": ['},
    "other JSON": {"status": 200, "body": {"unheard": ["of"]}},
    "a list of anything": {"status": 200, "body": [1, None, {"Id": []}]},
    "half a body": {"status": 200, "body": b"[1", "headers": {"content-length": "100"}},
    "nothing": {"status": 204},
}


@pytest.mark.parametrize("weather", WEATHER)
def test_in_any_weather_every_verb_ends_in_one_line_or_in_success(azure, bed, folder, monkeypatch, weather):
    async def no_time(_seconds):
        pass

    (folder / "x.txt").write_text("x")
    (folder / "x.py").write_text("print(1)")
    (folder / "factory.json").write_text(FACTORY)
    run = azure("pipeline submit train --experiment MyExperiment")
    azure("run wait {run}", run=run)
    monkeypatch.setattr(session_of(azure.shell).workspace._connection.client.transport, "_sleep", no_time)
    submits = len(bed.stand_in.asked("POST .*/PipelineSubmit/"))
    with bed.stand_in.telling("/westeurope/", **WEATHER[weather]):
        for path in PATHS:
            line = LINES[path][0].removesuffix(" --dry-run").replace("run wait {run}", "run wait {run} --timeout 0.1")
            try:
                shown = repr(azure(line))
            except AmlError as error:
                shown = str(error)
                lines = shown.splitlines()
                if len(lines) != 1 or not error.hint:
                    pytest.fail(f"{line}: {lines} / {error.hint!r}")
            if any(secret in shown for secret in bed.stand_in.secrets):
                pytest.fail(f"{line} shows a token")
    most = 2 if weather == "a refused token" else 1  # a refused one was not carried out
    assert len(bed.stand_in.asked("POST .*/PipelineSubmit/")) - submits <= most


def test_answers_in_camel_case_are_understood_by_every_verb(azure, bed, folder):
    bed.stand_in.writes_camel_case = True
    test_every_verb_gives_a_result_or_one_clear_line(azure, folder)


def test_the_doctor_makes_a_table(azure):
    table = azure("doctor")
    assert isinstance(table, Table)
    assert list(table.columns) == ["check", "result", "found", "what to do"]
    found = table.set_index("check")
    assert found.loc["identity", "found"].startswith(f"Credential as {ACCOUNT}")
    assert set(table["result"]) <= {"ok", "warning"}
    assert "Doctor:" in repr(table)


def test_the_doctor_looks_at_a_workspace_that_is_not_open(aml, bed, variables):
    bed.stand_in.permissions = []
    table = aml(CONNECT.replace("connect", "doctor"), **variables)
    problems = table[table["result"] == "problem"]
    assert len(problems) > 5
    assert problems["what to do"].str.contains("AzureML Data Scientist").all()
    assert f"{len(problems)} problems" in repr(table)
    assert "No workspace is open" in repr(aml("status"))


def test_the_doctor_opens_nothing_by_itself(aml, folder):
    assert "none is open" in repr(aml("doctor"))
    assert not (folder / ".aml").exists()


def test_a_served_workspace_is_joined_and_a_typed_token_is_worth_a_note(aml, folder, monkeypatch):
    monkeypatch.delenv("AML_MAGICS_TOKEN", raising=False)
    (folder / "theirs").mkdir()
    with serving(folder / "theirs") as (url, _guarded):
        typed = aml(f"connect {url} --token {TOKEN}")
        assert any("a saved notebook holds it" in note for note in typed.notes)
        assert typed.value.is_embedded
        assert "runs              0" in repr(typed)
        for value in (TOKEN, Secret(TOKEN)):
            quiet = aml(f"connect {url} --token {{TOKEN}}", TOKEN=value)
            assert quiet.value is typed.value
            assert quiet.notes == ()
        assert TOKEN not in repr(typed) + typed._repr_html_() + repr(aml("status")) + repr(aml("doctor"))
        assert len(aml("pipeline list")) == 0
        aml("pipeline publish p", "print(1)")
        assert aml("pipeline endpoint p").notes == ()
        session_of(aml.shell).close()


@pytest.mark.parametrize(
    ("location", "overheard"),
    [
        ("http://192.0.2.7:8765", True),
        ("https://192.0.2.7:8765", False),
        ("http://127.0.0.1:8765", False),
        ("http://[::1]:8765", False),
        ("http://127.0.0.1.far.example:8765", True),
        ("HTTP://LOCALHOST", False),
    ],
)
def test_a_connection_that_others_can_read_is_told_from_one_that_they_cannot(location, overheard):
    assert is_overheard(location) is overheard


def test_what_a_person_has_to_do_to_sign_in_is_printed_by_the_cell(aml, bed, variables, monkeypatch, capsys):
    monkeypatch.setattr(Interactive, "stand_in", bed.stand_in)
    monkeypatch.setattr("azure.identity.DeviceCodeCredential", Interactive)
    aml(CONNECT.replace("--credential {credential}", "--sign-in device"), **variables)
    assert "enter the code ABC123" in capsys.readouterr().out


def test_a_secret_stays_one_on_the_line_and_in_what_is_refused(aml):
    for line in ("connect . --token {TOKEN}", "connect --token {TOKEN}", "connect ftp://x --token {TOKEN}"):
        with pytest.raises(AmlError) as caught:
            aml(line, TOKEN=Secret("hidden-away"))
        assert "hidden-away" not in str(caught.value)


def test_completion_offers_clouds_and_ways_to_sign_in(aml):
    assert aml.offers("connect --cloud ") == ["AzureCloud", "AzureChinaCloud", "AzureUSGovernment"]
    assert aml.offers("connect --sign-in ") == ["auto", "device", "browser"]
    assert "--token" in aml.offers("connect --")


def test_an_export_from_azure_knows_where_everything_is(azure, bed, folder):
    azure("schedule create s --pipeline train --every day --start-time 2999-01-01T00:00:00")
    view = azure("export logic-app s")
    assert view.unknown == ()
    values = json.loads((folder / "s-logic-app" / "parameters.json").read_text())["parameters"]
    assert values["pipelineEndpoint"]["value"] == azure("pipeline show train").endpoint
    factory = azure("export data-factory s --factory mine").parameters["parameters"]
    place = azure("status").value.about
    assert factory["subscriptionId"]["value"] == place["subscription"]
    assert factory["resourceGroupName"]["value"] == place["resource group"]
    assert factory["workspaceName"]["value"] == "embedded"
