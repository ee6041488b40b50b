"""``%aml logic-app`` and ``%aml data-factory`` as a cell sees them, and both under ``%aml schedule``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aml_magics.client import discovery
from aml_magics.client.logic_apps import LogicApps
from aml_magics.model.errors import AmlError, InvalidInput, NotFound
from aml_magics.notebook.nouns.data_factory import DATA_FACTORIES
from aml_magics.notebook.nouns.logic_app import LOGIC_APPS
from aml_magics.session import session_of
from tests.notebook.helpers import shown
from tests.support import exports
from tests.support.arm_stand_in import ML_RUN, ArmStandIn
from tests.support.azure_bed import AzureBed, azure_bed

CONNECT = "connect --config {config} --cloud {cloud} --ca {ca} --credential {credential}"
NAME = "MyReactiveSchedule"


@pytest.fixture
def bed(aml, tmp_path_factory, monkeypatch) -> Iterator[AzureBed]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    discovery._IN_THIS_PROCESS.clear()
    with azure_bed(tmp_path_factory.mktemp("azure")) as made:
        made.ours.pipelines.publish(source="print('ran')", name="train")
        yield made
        session_of(aml.shell).close()  # before the server goes
        assert made.stand_in.beside.violations == []


@pytest.fixture
def beside(bed) -> ArmStandIn:
    bed.stand_in.beside.add_factory("etl")
    return bed.stand_in.beside


@pytest.fixture
def azure(aml, bed, folder, beside):
    """The magic, connected to the stand-in, in a folder with an export of each kind."""
    exports.written(exports.logic_app(), folder / f"{NAME}-logic-app")
    exports.written(exports.data_factory(), folder / f"{NAME}-data-factory")
    names = {"cloud": bed.stand_in.base, "ca": bed.ca, "credential": bed.credential}
    aml(CONNECT, config=bed.write_config(folder), **names)
    return aml


def test_the_life_of_a_logic_app(azure, beside):
    planned = azure(f"logic-app deploy {NAME} --dry-run")
    assert list(planned["change"]) == ["Create", "Create"]
    assert "nothing was changed" in repr(planned)
    assert beside.created.total() == 0
    made = azure(f"logic-app deploy {NAME}")
    assert "Made the Logic App" in repr(made)
    assert "--roles" in repr(made)
    assert f"%aml logic-app enable {NAME}" in repr(made)
    assert made.status == "Disabled"
    assert list(azure("logic-app list")["name"]) == [NAME]
    assert azure.offers("logic-app history ") == [NAME]
    dry = azure(f"logic-app enable {NAME} --dry-run")
    assert "Would be active" in repr(dry)
    assert beside.switched == []
    assert f"To undo: %aml logic-app disable {NAME}" in repr(azure(f"logic-app enable {NAME}"))
    assert "Would let" in repr(azure(f"logic-app trigger {NAME} --dry-run"))
    assert beside.fired.total() == 0
    assert "08584" in repr(azure(f"logic-app trigger {NAME}"))
    beside.histories[NAME] = [
        {"properties": {"startTime": "2026-11-27T06:25:00Z", "status": "Skipped", "fired": False}},
        {
            "properties": {
                "startTime": "2026-11-27T06:20:00Z",
                "status": "Succeeded",
                "fired": True,
                "run": {"name": "A"},
            }
        },
    ]
    beside.add_action("A", "Run_pipeline", "Succeeded", {"statusCode": 200, "body": {"Id": ML_RUN}})
    beside.runs[NAME] = [{"name": "A", "properties": {"status": "Succeeded", "startTime": "2026-11-27T06:20:00Z"}}]
    history = azure(f"logic-app history {NAME}")
    assert list(history["fired"]) == [False, True]
    assert history["ml_run"][1] == ML_RUN
    assert "Of 2 checks 1 fired. The last time it did not fire: it looked and found nothing" in repr(history)
    runs = azure(f"logic-app runs {NAME}")
    assert list(runs["status"]) == ["Succeeded"]
    assert str(runs["started"].dtype) == "datetime64[us, UTC]"
    assert list(azure(f"logic-app runs {NAME} --run A")["ml_run"]) == [ML_RUN]
    assert "Last runs" in repr(azure(f"logic-app show {NAME}"))
    assert list(azure("logic-app disable", NAME)["was"]) == ["Active"]


def test_the_life_of_a_data_factory_pipeline(azure, beside):
    assert len(azure(f"data-factory deploy {NAME} --dry-run")) == 3
    assert beside.created.total() == 0
    made = azure(f"data-factory deploy {NAME}")
    assert f"%aml data-factory start {NAME}" in repr(made)
    assert list(made.triggers["status"]) == ["Disabled"]
    assert "Would be active" in repr(azure(f"data-factory start {NAME} --dry-run"))
    assert list(azure(f"data-factory start {NAME}")["name"]) == [f"{NAME}_trigger"]
    again = azure(f"data-factory deploy {NAME} --factory etl")
    assert "Changed the pipeline" in repr(again)
    assert "is stopped for the change" in repr(again)
    assert list(again.triggers["status"]) == ["Active"]
    assert azure.offers("data-factory stop MyReactiveSchedule_") == [f"{NAME}_trigger"]
    assert azure.offers("data-factory list --factory ") == ["etl"]
    values = "--parameter folderPath=c/in --parameter fileName=007"
    assert "Would start" in repr(azure(f"data-factory trigger {NAME} {values} --dry-run"))
    assert beside.fired.total() == 0
    started = azure(f"data-factory trigger {NAME} {values}")
    assert "--run run-1" in repr(started)
    beside.trigger_runs = [
        {"triggerName": f"{NAME}_trigger", "triggerRunTimestamp": "2026-11-27T06:20:00Z", "status": "Failed",
         "message": "the cap is reached"}
    ]  # fmt: skip
    beside.pipeline_runs = [{"runId": "run-1", "pipelineName": NAME, "status": "Succeeded"}]
    beside.activity_runs["run-1"] = [{"activityName": "a", "activityType": "Wait", "status": "Succeeded"}]
    assert "it did not fire: the cap is reached" in repr(azure(f"data-factory history {NAME}"))
    assert list(azure(f"data-factory runs {NAME}")["id"]) == ["run-1"]
    assert list(azure(f"data-factory runs {NAME} --run run-1")["kind"]) == ["Wait"]
    assert "If_it_counts" in repr(azure(f"data-factory show {NAME}"))
    assert list(azure("data-factory list")["factory"]) == ["etl"]
    assert list(azure(f"data-factory stop {NAME}")["was"]) == ["Active"]


def test_both_hosts_are_schedules_too(azure, beside, bed):
    azure("schedule create own --pipeline train --every day --start-time 2999-01-01T00:00:00")
    azure(f"logic-app deploy {NAME} --enable")
    azure(f"data-factory deploy {NAME}")
    table = azure("schedule list")
    assert dict(zip(table["name"], table["host"], strict=True)) == {"own": "service-v1", NAME: "logic-app"}
    assert table["next_fire"].notna().all()
    assert "1 disabled" in repr(table)
    everything = azure("schedule list --all").set_index("name")
    assert everything.loc[f"{NAME}_trigger", "host"] == "data-factory"
    assert everything.loc[f"{NAME}_trigger", "status"] == "Disabled"
    assert azure("schedule list --all --pipeline train")["name"].tolist() == ["own"]
    assert "Logic App" in repr(azure(f"schedule show {NAME}"))
    assert "Pipeline" in repr(azure(f"schedule show {NAME}_trigger"))
    assert "no check" in repr(azure(f"schedule history {NAME}"))
    assert "no check" in repr(azure(f"schedule history {NAME}_trigger"))
    assert len(azure(f"schedule runs {NAME}")) == 0
    changed = azure(f"schedule disable own {NAME}")
    assert list(changed["was"]) == ["Active", "Active"]
    azure(f"schedule enable {NAME}_trigger")
    assert beside.switched == [f"enable {NAME}", f"disable {NAME}", f"start {NAME}_trigger"]
    with pytest.raises(NotFound, match="no schedule 'nothing'"):
        azure(f"schedule disable {NAME}_trigger nothing")
    assert beside.switched[-1] == f"start {NAME}_trigger"


def test_what_cannot_be_told_or_listed_is_said_and_hides_nothing(azure, bed, shell):
    azure(f"schedule create {NAME} --pipeline train --every day --start-time 2999-01-01T00:00:00")
    with pytest.raises(InvalidInput, match="embedded workspace only"):
        azure(f"schedule history {NAME}")
    azure(f"logic-app deploy {NAME} --resource-group other")
    assert list(azure("schedule list --all")["host"]) == ["service-v1"]
    shell.run_line_magic("config", "AmlMagics.resource_groups = ['other']")
    assert list(azure("schedule list --all")["host"]) == ["service-v1", "logic-app"]
    assert "This is the logic-app of that name" in repr(azure(f"schedule history {NAME}"))
    with bed.stand_in.telling("GET .*/Microsoft.(Logic|DataFactory)/", 403):
        table = azure("schedule list --all")
    assert list(table["host"]) == ["service-v1"]
    assert sum("not all shown" in note for note in table.notes) == 1


def interrupted(*_args, **_options):
    raise KeyboardInterrupt


def test_an_interrupt_says_that_it_goes_on_and_names_of_others_are_text(azure, beside, monkeypatch):
    azure(f"logic-app deploy {NAME}")
    beside.histories[NAME] = [{"properties": {"status": "<img src=x>", "error": {"message": "<b>no</b>"}}}]
    html = shown(azure(f"logic-app history {NAME}"))
    assert "&lt;img src=x&gt;" in html
    assert "&lt;b&gt;no" in html
    monkeypatch.setattr(LogicApps, "deploy", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        azure(f"logic-app deploy {NAME}")
    (line,) = caught.value._render_traceback_()
    assert "goes on on Azure" in line
    assert f"%aml logic-app deploy {NAME}" in line


LINES = {
    "deploy": "deploy x",
    "list": "list",
    "show": "show x",
    "history": "history x",
    "runs": "runs x",
    "trigger": "trigger x",
    "enable": "enable x",
    "disable": "disable x",
    "start": "start x",
    "stop": "stop x",
}


@pytest.mark.parametrize("noun", [LOGIC_APPS, DATA_FACTORIES], ids=["logic-app", "data-factory"])
def test_where_there_is_no_azure_every_verb_says_so_in_one_line_and_opens_nothing(aml, folder, noun):
    def refusals() -> Iterator[str]:
        for verb in noun.verbs:
            if verb.name != "run":
                with pytest.raises(AmlError) as caught:
                    aml(f"{noun.name} {LINES[verb.name]}")
                yield str(caught.value)

    for line in refusals():
        assert "none is open" in line
    assert not (folder / ".aml").exists()
    aml("connect")
    for line in refusals():
        assert "the one that is open is not there" in line
        assert "%aml connect --config config.json" in line
        assert f"%aml {noun.name} run NAME" in line
        assert "\n" not in line
