"""Panels of a workspace on Azure, which tells less: the stand-in of the tests of the client."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import Conflict
from aml_magics.session import Session
from tests.notebook.panels.conftest import column, gesture, until
from tests.support.azure_bed import azure_bed


@pytest.fixture
def ws(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    session = Session()
    with azure_bed(tmp_path_factory.mktemp("azure")) as bed:
        bed.ours.pipelines.publish(source="print('ran')", name="train")
        try:
            yield session.connect(
                config=bed.write_config(tmp_path_factory.mktemp("config")),
                cloud=bed.stand_in.base,
                ca=bed.ca,
                credential=bed.credential,
            )
        finally:
            session.close()


def test_what_azure_does_not_tell_is_empty_and_the_rest_is_there(ws):
    ws.schedules.create("nightly", pipeline="train", every="day", start_time="2090-01-01T00:00:00")
    panel = ws.panel("schedules")
    assert column(panel, "name") == ["nightly"]
    assert column(panel, "outcome") == [""]
    assert column(panel, "next_fire") != [""]
    assert "engine" not in panel.table.footer


def test_buttons_work_and_refuse_there_too(ws):
    made = ws.schedules.create("nightly", pipeline="train", every="day", start_time="2090-01-01T00:00:00")
    pipelines, schedules = ws.panel("pipelines"), ws.panel("schedules")
    key = pipelines.frame["id"].iloc[0]
    with pytest.raises(Conflict, match="used by active schedules: nightly"):
        pipelines.act("disable", key).result(30)
    schedules.act("disable", made.id).result(30)
    assert column(schedules, "status") == ["Disabled"]
    pipelines.act("disable", key).result(30)
    assert column(pipelines, "status") == ["Disabled"]


def test_an_opened_run_is_followed_to_its_end_and_no_further(ws):
    run = ws.pipelines.submit("train")
    panel = ws.panel("runs")
    gesture(panel, "open", key=run.id)
    until(panel._row.done)
    assert panel.table.log == "ran\n"
    assert dict(panel.table.detail.fields)["status"] == "Finished"
    assert panel.table.error == ""


def test_an_opened_schedule_says_that_its_history_is_not_told(ws):
    made = ws.schedules.create("nightly", pipeline="train", every="day", start_time="2090-01-01T00:00:00")
    panel = ws.panel("schedules")
    gesture(panel, "open", key=made.id)
    until(panel._row.done)
    assert dict(panel.table.detail.fields)["history"].startswith("the service does not tell")
    assert [table.title for table in panel.table.detail.tables] == ["Next fires"]
