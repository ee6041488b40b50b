"""Panels on a real workspace in this process: what they ask, do, open and follow, and how they end."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from datetime import UTC, datetime, timedelta

import pytest

from aml_magics.client.workspace import Workspace
from aml_magics.engine.clock import SystemClock
from aml_magics.model.errors import InvalidInput, NotConnected, ServiceError
from aml_magics.model.resources import RunStatus, Schedule, Status
from aml_magics.model.triggers import Recurrence
from aml_magics.notebook.panels.kinds import KINDS
from aml_magics.notebook.panels.live import Pace
from aml_magics.notebook.panels.panel import Panel
from aml_magics.session import Session
from tests.client.test_served import TOKEN, serving
from tests.notebook.helpers import HTML_NAME
from tests.notebook.panels.conftest import Calls, column, gesture, key_of, until

LATER = "2090-01-01T00:00:00"
WAITS = """\
import pathlib, time
print("begun", flush=True)
while not pathlib.Path({go!r}).exists():
    time.sleep(0.02)
print("done")
"""
SELDOM = Pace(60.0, glances=True)
NAMES = ["overview", "pipelines", "schedules", "runs", "datastores"]


@pytest.fixture
def train(ws):
    return ws.pipelines.publish(source="print('trained')", name="train", parameters={"rate": 0.1})


def nightly(ws, name="nightly"):
    return ws.schedules.create(name, pipeline="train", every="day", start_time=LATER)


def many_schedules(ws, train, count):
    trigger = Recurrence(frequency="Day", start_time=nightly(ws, "first").trigger.start_time)

    async def make(client):
        for number in range(count - 1):
            one = Schedule(id="", name=f"s{number}", trigger=trigger, pipeline_id=train.id, experiment_name="E")
            await client.create_schedule(one)

    ws.ask(make)


def test_300_schedules_take_no_more_questions_than_3(ws, train, monkeypatch):
    def asked() -> dict[str, int]:
        counts = {}
        for name in NAMES:
            with monkeypatch.context() as patch:
                calls = Calls(ws, patch)
                Panel(ws, KINDS[name], zone=UTC, clock=SystemClock(), limit=100, pace=SELDOM).close()
                counts[name] = calls.count
        return counts

    many_schedules(ws, train, 3)
    ws.runs.wait(ws.pipelines.submit("train").id, timeout=30)
    few = asked()
    many_schedules(ws, train, 300)
    assert asked() == few
    assert max(few.values()) <= 5


def test_a_panel_that_has_nothing_new_asks_for_a_glance_alone(ws, train, monkeypatch):
    nightly(ws)
    panel = ws.panel("schedules")
    panel.refresh()
    calls = Calls(ws, monkeypatch)
    until(lambda: calls.by_path()["/glance"] > 2)
    assert calls.count == 0
    assert column(panel, "name") == ["nightly"]


def test_what_happens_in_the_workspace_appears_by_itself(ws, train):
    panel, pipelines = ws.panel("schedules"), ws.panel("pipelines")
    nightly(ws)
    until(lambda: column(panel, "name") == ["nightly"])
    until(lambda: column(pipelines, "schedules") == ["nightly"])
    run = ws.pipelines.submit("train")
    until(lambda: column(pipelines, "last_result") == ["Finished"])
    assert ws.panel("runs").frame["id"].to_list() == [run.id]


def test_the_overviews_timeline_shows_what_is_new_and_other_panels_have_none(ws, train):
    overview = ws.panel()
    nightly(ws)
    ws.pipelines.submit("train")
    until(lambda: [row.name for row in overview.timeline.snapshot.long.rows] == ["nightly", "(no schedule)"])
    assert overview.below[0].timeline is None


def test_now_moves_in_the_timeline_without_a_question(ws, train, monkeypatch):
    monkeypatch.setattr("aml_magics.notebook.timeline.live._STALE", timedelta(0))
    monkeypatch.setattr("aml_magics.notebook.panels.panel._TICK", 0.1)
    overview = ws.panel()
    overview.refresh()
    calls, before = Calls(ws, monkeypatch), overview.timeline.snapshot.now
    until(lambda: overview.timeline.snapshot.now > before)
    assert calls.by_path().keys() == {"/glance"}


def test_what_another_kernel_writes_appears_too(ws, train, tmp_path):
    panel = ws.panel("schedules")
    other = Session()
    try:
        nightly(other.connect(tmp_path))
        until(lambda: len(panel.frame) == 1)
    finally:
        other.close()


def test_a_schedule_is_disabled_and_enabled_by_its_button(ws, train):
    made = nightly(ws)
    panel = ws.panel("schedules")
    for action, status in (("disable", Status.DISABLED), ("enable", Status.ACTIVE)):
        panel.act(action, made.id).result(10)
        assert ws.schedules.get(made.id).status is status
        assert column(panel, "status") == [status.value]
    gesture(panel, "act", key=made.id, action="disable")
    until(lambda: column(panel, "status") == ["Disabled"])
    assert panel.table.error == ""


def test_a_button_returns_at_once_and_shows_that_it_is_pending(ws, train):
    made = nightly(ws)
    panel = ws.panel("schedules")
    gate = threading.Event()

    async def hold(_client):
        gate.wait(10)  # the loop thread is busy

    ws.spawn(hold)
    begun = time.monotonic()
    gesture(panel, "act", key=made.id, action="disable")
    gesture(panel, "act", key=made.id, action="disable")
    assert time.monotonic() - begun < 1
    assert panel.table.picture()["busy"] == [[made.id, "disable"]]
    gate.set()
    until(lambda: panel.table.picture()["busy"] == [])
    assert column(panel, "status") == ["Disabled"]


def test_a_pipeline_that_schedules_use_is_refused_by_name(ws, train):
    nightly(ws)
    panel = ws.panel("pipelines")
    gesture(panel, "act", key=train.id, action="disable")
    until(lambda: panel.table.error)
    assert "used by active schedules: nightly" in panel.table.error
    assert "Disable them first" in panel.table.error
    assert ws.pipelines.get(train.id).status is Status.ACTIVE
    ws.schedules.disable("nightly")
    panel.act("disable", train.id).result(10)
    assert column(panel, "status") == ["Disabled"]
    panel.act("enable", train.id).result(10)
    assert column(panel, "status") == ["Active"]


def test_a_run_is_cancelled_and_one_that_has_ended_says_so(ws, tmp_path):
    ws.pipelines.publish(source=WAITS.format(go=str(tmp_path / "go")), name="long")
    run = ws.pipelines.submit("long")
    panel = ws.panel("runs")
    gesture(panel, "act", key=run.id, action="cancel")
    until(lambda: column(panel, "status") == ["Canceled"])
    assert ws.runs.get(run.id).status is RunStatus.CANCELED
    with pytest.raises(Exception, match="has ended already: it is Canceled"):
        panel.act("cancel", run.id).result(10)


def test_an_open_run_shows_its_log_while_it_grows_and_its_end(ws, tmp_path):
    go = tmp_path / "go"
    ws.pipelines.publish(source=WAITS.format(go=str(go)), name="long")
    run = ws.pipelines.submit("long")
    panel = ws.panel("runs")
    gesture(panel, "open", key=run.id)
    until(lambda: panel.table.log == "begun\n")
    assert dict(panel.table.detail.fields)["status"] == "Running"
    go.touch()
    until(lambda: panel.table.log == "begun\ndone\n")
    until(lambda: dict(panel.table.detail.fields)["status"] == "Finished")
    assert panel.table.log == "begun\ndone\n"
    assert [table.title for table in panel.table.detail.tables] == ["Steps"]


def test_the_log_of_a_row_that_was_left_is_followed_no_more(ws, tmp_path, train):
    ws.pipelines.publish(source=WAITS.format(go=str(tmp_path / "go")), name="long")
    long, short = ws.pipelines.submit("long"), ws.pipelines.submit("train")
    ws.runs.wait(short.id, timeout=30)
    panel = ws.panel("runs")
    gesture(panel, "open", key=long.id)
    until(lambda: panel.table.log == "begun\n")
    followed = panel._row
    gesture(panel, "open", key=short.id)
    until(lambda: panel.table.log == "trained\n")
    assert followed.cancelled()
    (tmp_path / "go").touch()
    ws.runs.wait(long.id, timeout=30)
    assert panel.table.log == "trained\n"
    gesture(panel, "close")
    until(lambda: panel._row is None)
    assert panel.table.detail is None


def test_an_open_pipeline_shows_what_it_has_and_the_log_of_its_newest_run(ws, train):
    nightly(ws)
    ws.runs.wait(ws.pipelines.submit("train").id, timeout=30)
    panel = ws.panel("pipelines")
    gesture(panel, "open", key=train.id)
    until(lambda: panel.table.log == "trained\n")
    detail = panel.table.detail
    assert dict(detail.fields)["endpoint"] == train.endpoint
    assert "endpoint" in detail.copy
    assert [table.title for table in detail.tables] == ["Parameters", "Schedules", "Last runs", "Steps"]
    again = ws.pipelines.submit("train")
    until(lambda: again.id in str(panel.table.detail.tables[2].rows))
    until(lambda: panel.table.log == "trained\n")


def test_an_open_schedule_says_what_it_saw_and_why_it_did_not_fire(ws, train, tmp_path):
    incoming = tmp_path / "workspaceblobstore" / "incoming"
    incoming.mkdir(parents=True)
    made = ws.schedules.create(
        "reactive",
        pipeline="train",
        datastore="workspaceblobstore",
        path_on_datastore="incoming",
        polling_interval="1s",
        pattern="*.csv",
    )
    panel = ws.panel("schedules")
    gesture(panel, "open", key=made.id)
    until(lambda: panel.table.detail.fields)
    (incoming / "a.txt").write_text("x")
    until(lambda: "none matched *.csv" in dict(panel.table.detail.fields)["history"])
    (incoming / "a.csv").write_text("x")
    until(lambda: "Fires" in [table.title for table in panel.table.detail.tables])
    until(lambda: column(panel, "outcome") == ["Finished"])


def test_a_row_that_cannot_be_read_says_why_in_the_strip(ws, train):
    panel = ws.panel("pipelines")
    panel.table._state.opened = "00000000-0000-0000-0000-000000000000"  # as if it had been there a moment ago
    panel.open(panel.table.opened)
    until(lambda: panel.table.error)
    assert "00000000" in panel.table.error


def test_an_open_datastore_says_who_watches_it(ws, train):
    ws.schedules.create("reactive", pipeline="train", datastore="workspaceblobstore", path_on_datastore="in")
    panel = ws.panel("datastores")
    gesture(panel, "open", key="workspaceblobstore")
    until(lambda: panel.table.detail.tables)
    assert panel.table.detail.tables[0].rows[0][0] == "reactive"


@pytest.mark.parametrize("name", NAMES)
def test_a_closed_workspace_is_said_and_nothing_goes_on(tmp_path, name):
    session = Session()
    panel = session.connect(tmp_path).panel(name)
    session.close()
    assert panel.table.footer.startswith("the workspace was closed; this is as of ")
    assert panel.table.error == ""
    assert panel._life.cancelled()
    assert not [thread for thread in threading.enumerate() if "aml-panel" in thread.name and thread.is_alive()]
    assert len(panel.frame) >= 0
    with pytest.raises(NotConnected):
        panel.refresh()


def test_a_workspace_that_another_one_replaces_is_closed_for_its_panels(tmp_path):
    session = Session()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    try:
        former = session.connect(tmp_path / "a").panel("schedules")
        present = session.connect(tmp_path / "b").panel("schedules")
        assert former is not present
        assert former.table.footer.startswith("the workspace was closed")
        assert present.table.footer.startswith("as of ")
        made = present.kind.key
        gesture(former, "act", key=made, action="disable")
        assert former.is_closed
    finally:
        session.close()


def test_a_button_of_a_closed_workspace_says_so(tmp_path):
    session = Session()
    ws = session.connect(tmp_path)
    ws.pipelines.publish(source="1", name="train")
    panel = ws.panel("pipelines")
    session.close()
    gesture(panel, "act", key=key_of(panel, name="train"), action="disable")
    assert "closed" in panel.table.error
    assert panel.table.picture()["busy"] == []


def test_a_panel_that_is_closed_leaves_no_task_and_no_thread(ws, train):
    run = ws.pipelines.submit("train")
    panel = ws.panel("runs")
    gesture(panel, "open", key=run.id)
    until(lambda: panel.table.log)
    row = panel._row
    panel.close()
    panel.close()
    until(lambda: panel._life.done() and row.done())
    until(lambda: not ws._connection.started)
    assert not panel.table.footer.startswith("the workspace was closed")
    assert ws.panel("runs") is not panel


def test_a_panel_that_nobody_holds_goes_and_its_task_with_it(ws, train):
    panel = Panel(ws, KINDS["schedules"], zone=UTC, clock=SystemClock(), limit=0, pace=Pace(0.05, glances=True))
    until(lambda: len(ws._connection.started) == 1)
    gone = weakref.ref(panel)
    del panel
    gc.collect()
    until(lambda: gc.collect() >= 0 and gone() is None)
    until(lambda: not ws._connection.started)


def test_the_same_panel_is_given_again_as_of_now(ws, train):
    panel = ws.panel("schedules")
    nightly(ws)
    assert ws.panel("schedules") is panel
    assert column(panel, "name") == ["nightly"]
    assert ws.panel("runs", limit=5) is not ws.panel("runs")


def test_a_panel_is_sorted_filtered_and_selected_from_python(ws, train):
    for name in ("alpha", "beta", "gamma"):
        nightly(ws, name)
    panel = ws.panel("schedules")
    panel.sort = ("name", False)
    assert column(panel, "name") == ["gamma", "beta", "alpha"]
    panel.filter = "bet"
    assert column(panel, "name") == ["beta"]
    gesture(panel, "pick", key=key_of(panel, name="beta"), how="only")
    assert panel.selected["name"].to_list() == ["beta"]
    assert (panel.sort, panel.filter) == (("name", False), "bet")


@pytest.mark.parametrize(
    ("name", "options", "hint"),
    [
        ("schedulez", {}, "'schedules'"),
        ("schedules", {"limit": 3}, "Leave it out"),
        ("runs", {"limit": 0}, "1 or more"),
    ],
)
def test_what_is_no_panel_is_refused_with_a_way_out(ws, name, options, hint):
    with pytest.raises(InvalidInput) as caught:
        ws.panel(name, **options)
    assert hint in caught.value.hint


def test_a_workspace_without_a_thread_for_it_has_no_panels(ws):
    bare = Workspace(ws._connection.client, ws._connection.call, name="bare", location="here")
    with pytest.raises(InvalidInput, match="no thread of its own"):
        bare.panel("schedules")


def test_a_failure_is_said_once_and_taken_back_when_it_is_over(ws, train, monkeypatch):
    panel = ws.panel("schedules")
    kind = panel.kind

    async def broken(_client, _limit):
        raise OSError("no route to the workspace")

    monkeypatch.setattr(panel, "kind", weakref.proxy(kind))  # any stand-in with the same parts
    monkeypatch.setattr(panel, "_see", lambda client: broken(client, 0))
    nightly(ws)
    until(lambda: "no route" in panel.table.error and "could not be renewed" in panel.table.footer)
    monkeypatch.undo()
    panel.refresh()
    assert panel.table.error == ""
    assert column(panel, "name") == ["nightly"]


def test_a_served_workspace_has_live_panels_too(tmp_path):
    session = Session()
    with serving(tmp_path) as (url, _guarded):
        ws = session.connect(url, token=TOKEN)
        try:
            ws.pipelines.publish(source="print('trained')", name="train")
            panel = ws.panel("schedules")
            assert "engine ok" in panel.table.footer
            nightly(ws)
            until(lambda: len(panel.frame) == 1)
            panel.act("disable", panel.frame["id"].iloc[0]).result(10)
            assert column(panel, "status") == ["Disabled"]
        finally:
            session.close()


def test_hostile_names_stay_text(ws):
    ws.pipelines.publish(source="print('<b>log</b>')", name=HTML_NAME)
    for name in ("تجربة 🧪", "x" * 300, HTML_NAME):
        ws.schedules.create(name, pipeline=HTML_NAME, experiment_name="E", every="day", start_time=LATER)
    for panel in map(ws.panel, NAMES):
        snapshot = panel.table.snapshot()
        html = snapshot.html(datetime.now(UTC))
        assert "<img src=x" not in html
        assert "onerror" not in html or "&lt;img" in html
        assert snapshot.text(datetime.now(UTC)).startswith(panel.kind.name.capitalize())
    panel = ws.panel("schedules")
    gesture(panel, "open", key=key_of(panel, name=HTML_NAME))
    until(lambda: panel.table.detail.fields)
    assert panel.table.detail.title == f"Schedule {HTML_NAME}"


def test_an_open_row_survives_a_service_that_fails_and_says_so_meanwhile(ws, train, monkeypatch):
    monkeypatch.setattr("aml_magics.notebook.panels.open_row.AFTER_FAILURE", 0.05)
    run = ws.pipelines.submit("train")
    ws.runs.wait(run.id, timeout=30)
    panel = ws.panel("runs")
    gate = threading.Event()
    find_out = panel._find_out

    async def down(client, key):
        if not gate.is_set():
            raise ServiceError("down for a moment", status=503)
        return await find_out(client, key)

    monkeypatch.setattr(panel, "_find_out", down)
    gesture(panel, "open", key=run.id)
    until(lambda: "down for a moment" in panel.table.error)
    gate.set()
    until(lambda: "trained" in (panel.table.log or ""))
    until(lambda: panel.table.error == "")
