"""``%aml datastore``: registering folders and containers, what lies there, secrets that do not show."""

from __future__ import annotations

import uuid

import pytest

from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound
from aml_magics.model.secret import Secret
from tests.notebook.helpers import TRAIN, shown

KEY = "pl4ntedAccountKey000"
SAS = "?sv=2026-01-01&sr=c&sig=pl4ntedSignature%3D"
STRING = f"DefaultEndpointsProtocol=https;AccountName=mine;AccountKey={KEY};EndpointSuffix=core.chinacloudapi.cn"

WATCH = """\
pipeline: train
experiment_name: E
datastore: blobs
path_on_datastore: in
pattern: "*.csv"
polling_interval: 1 hour
"""


@pytest.fixture
def emulated(aml, azurite):
    """A container of Azurite, registered as ``blobs``."""
    container = f"c{uuid.uuid4().hex}"
    aml(f"datastore register blobs --azurite --endpoint {azurite.url} --container {container} --create")
    return container


def test_a_folder_becomes_the_default_datastore(aml, folder):
    (folder / "results").mkdir()
    made = aml("datastore register results", "folder: results\ndefault: true")
    assert made.value.folder == str(folder / "results")
    assert made.value.is_default
    aml("datastore upload --path a.txt", "text")
    assert (folder / "results" / "a.txt").read_text() == "text"
    assert aml("datastore list")["name"].tolist() == ["results", "workspaceblobstore"]
    aml("datastore set-default workspaceblobstore")
    aml("datastore unregister results")
    assert aml("datastore list")["name"].tolist() == ["workspaceblobstore"]
    assert (folder / "results" / "a.txt").exists()


def test_a_container_is_listed_filled_and_emptied_out(aml, emulated, folder):
    aml("datastore upload --path in/day1.csv --datastore blobs", "one")
    aml("datastore upload --path in/deep/day2.csv --datastore blobs", "two")
    listed = aml("datastore ls blobs in")
    assert list(listed.columns) == ["name", "size", "modified", "etag"]
    assert listed[["name", "size"]].values.tolist() == [["in/day1.csv", 3]]
    aml("datastore download in/day1.csv --datastore blobs")
    assert (folder / "day1.csv").read_text() == "one"
    copied = aml("datastore download in data --datastore blobs")
    assert copied["name"].tolist() == ["data/day1.csv", "data/deep/day2.csv"]
    assert (folder / "data" / "deep" / "day2.csv").read_text() == "two"
    with pytest.raises(Conflict, match="--overwrite"):
        aml("datastore download in/day1.csv --datastore blobs")
    aml("datastore download in/day1.csv --datastore blobs --overwrite")
    (folder / "into").mkdir()
    aml("datastore download in/day1.csv into --datastore blobs")
    assert (folder / "into" / "day1.csv").exists()


def test_a_dry_run_registers_copies_and_forgets_nothing(aml, emulated, folder):
    aml("datastore upload --path a --datastore blobs", "one")
    before = aml.digest()
    plan = aml("datastore register other --account mine --container data --skip-validation --dry-run")
    assert plan.value.url == "https://mine.blob.core.windows.net"
    aml("datastore download a --datastore blobs --dry-run")
    aml("datastore unregister blobs --dry-run")
    aml("datastore set-default blobs --dry-run")
    assert aml.digest() == before
    assert not (folder / "a").exists()
    with pytest.raises(Conflict, match="already exists"):
        aml("datastore register blobs --account mine --container data --skip-validation --dry-run")


@pytest.mark.parametrize(
    ("line", "kind", "url"),
    [
        ("--account mine --account-key {secret}", "account key", "https://mine.blob.core.windows.net"),
        ("--account mine --sas-token {secret}", "SAS", "https://mine.blob.core.windows.net"),
        ("--connection-string {secret}", "account key", "https://mine.blob.core.chinacloudapi.cn"),
    ],
)
def test_no_secret_shows_wherever_it_comes_from(aml, monkeypatch, capsys, line, kind, url):
    secret = {"account-key": KEY, "sas-token": SAS, "connection-string": STRING}[line.split("--")[-1].split()[0]]
    monkeypatch.setenv("SECRET_OF_A_TEST", secret)
    typed = line.replace("{secret}", f"'{secret}'")
    from_environment = line.replace("{secret}", "env:SECRET_OF_A_TEST")
    for given in (line, typed, from_environment):
        made = aml(
            f"datastore register one --container data --skip-validation --overwrite {given}", secret=Secret(secret)
        )
        assert dict(made.fields)["credential"] == kind
        assert made.value.url == url
        text = shown(made) + shown(aml("datastore show one")) + shown(aml("datastore list")) + capsys.readouterr().out
        assert "pl4nted" not in text + repr(made.value)
        assert ("saved notebook holds it" in text) == (given == typed)


def test_a_secret_in_the_body_is_one_too(aml):
    made = aml("datastore register one --skip-validation", f"account: mine\ncontainer: data\naccount_key: {KEY}")
    assert "saved notebook holds it" in shown(made)
    assert KEY not in shown(made)
    made = aml(
        "datastore register two --skip-validation",
        "account: mine\ncontainer: data\naccount-key: '{key}'",
        key=Secret(KEY),
    )
    assert "saved notebook" not in shown(made)


def test_a_refused_secret_is_not_shown(aml, azurite):
    for line in (
        "--account mine --container data --account-key pl4nted!",
        "--account mine --container data --sas-token pl4nted",
        "--container data --connection-string pl4nted",
        f"--account devstoreaccount1 --endpoint {azurite.url} --container data --account-key {KEY}",
        "--account https://mine.example/?sig=pl4nted --container data",
        "--endpoint https://mine.example/data?sig=pl4nted --container data",
    ):
        with pytest.raises(InvalidInput) as refused:
            aml(f"datastore register one {line}")
        assert "pl4nted" not in "".join(refused.value._render_traceback_() + refused.value._render_traceback_())
    assert aml("datastore list")["name"].tolist() == ["workspaceblobstore"]


def test_an_account_that_does_not_answer_is_told_with_the_way_to_register_it_all_the_same(aml):
    with pytest.raises(InvalidInput, match="--skip-validation registers it"):
        aml("datastore register one --azurite --endpoint http://127.0.0.1:1/devstoreaccount1 --container data")
    aml("datastore register one --azurite --container data --skip-validation")
    assert aml("datastore list")["name"].tolist() == ["one", "workspaceblobstore"]


def test_the_same_in_python(aml, azurite):
    aml("connect")
    workspace = aml.shell._aml_magics_session.workspace
    container = f"c{uuid.uuid4().hex}"
    made = workspace.datastores.register(
        "blobs", azurite=True, endpoint=azurite.url, container=container, create_if_not_exists=True
    )
    assert made == workspace.datastores.get("blobs")
    with pytest.raises(Conflict):
        workspace.datastores.register("blobs", account="mine", container="data", skip_validation=True)
    moved = workspace.datastores.register(
        "blobs", account="mine", container="data", account_key=KEY, skip_validation=True, overwrite=True, default=True
    )
    assert (moved.account, moved.is_default) == ("mine", True)
    with pytest.raises(Conflict, match="default"):
        workspace.datastores.unregister("blobs")
    workspace.datastores.set_default("workspaceblobstore")
    assert workspace.datastores.unregister("blobs").name == "blobs"
    with pytest.raises(NotFound):
        workspace.datastores.get("blobs")


def test_a_watched_container_cannot_be_moved_or_forgotten(aml, emulated):
    aml("pipeline publish train --data-path input_data=workspaceblobstore/in", TRAIN.replace("learning_rate", "x"))
    aml("schedule create watch --pipeline train --experiment E --datastore blobs --path-on-datastore in")
    for line in ("unregister blobs", "register blobs --account mine --container data --skip-validation --overwrite"):
        with pytest.raises(AmlError, match="watched by active schedules: watch"):
            aml(f"datastore {line}")
    aml("schedule disable watch")
    aml("datastore unregister blobs")


def test_watching_tells_which_objects_would_fire_and_changes_nothing(aml, emulated):
    aml("pipeline publish train --data-path input_data=blobs/in", "print(1)")
    aml("datastore upload --path in/old.csv --datastore blobs", "old")
    aml("schedule create watch", WATCH)
    aml("datastore upload --path in/new.csv --datastore blobs", "new")
    aml("datastore upload --path in/new.txt --datastore blobs", "new")
    seen = aml("datastore watch blobs in --dry-run")
    assert seen[["name", "fires", "change", "schedule"]].values.tolist() == [
        ["in/new.csv", True, "added", "watch"],
        ["in/new.txt", False, "added", "watch"],
    ]
    assert seen["why"][1] == "its name does not match *.csv"
    again = aml("datastore watch blobs in --dry-run")
    assert again.equals(seen)
    assert len(aml("run list")) == 0


def test_watching_tells_what_a_schedule_would_fire_for_that_is_not_there_yet(aml):
    for name in ("a.csv", "b.txt", "deep/c.csv"):
        aml(f"datastore upload --path in/{name}", "12345")
    seen = aml("datastore watch workspaceblobstore in --dry-run --pattern *.csv")
    assert seen[["name", "fires"]].values.tolist() == [["in/a.csv", True], ["in/b.txt", False]]
    seen = aml("datastore watch workspaceblobstore in --dry-run --recursive --min-size 6")
    assert set(seen["why"]) == {"it is smaller than 6 bytes"}
    assert len(aml("datastore watch workspaceblobstore in --dry-run --since '1 hour'")) == 2
    assert len(aml("datastore watch workspaceblobstore in --dry-run --since 2090-01-01T00:00")) == 0
    nobody = aml("datastore watch workspaceblobstore in --dry-run")
    assert "No active schedule watches this place" in shown(nobody)
