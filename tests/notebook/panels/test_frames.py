"""What each panel's frame holds, for every state of what it shows: values in, DataFrame out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from aml_magics.model.glance import Glance, LastFire, PastRun, Recent
from aml_magics.model.history import Health
from aml_magics.model.resources import (
    DataPath,
    Datastore,
    Outcome,
    Parameter,
    Pipeline,
    Run,
    RunStatus,
    Schedule,
    Status,
    Step,
    StepStatus,
)
from aml_magics.model.triggers import DatastoreChange, Recurrence
from aml_magics.notebook.panels import frames
from aml_magics.notebook.panels.columns import PIPELINES, RUNS, SCHEDULES, duration
from aml_magics.notebook.panels.frames import Viewer
from aml_magics.notebook.panels.seen import Seen

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VIEWER = Viewer(ZoneInfo("Europe/Lisbon"), NOW)
NIGHTLY = Recurrence(
    frequency="Day",
    time_zone="E. South America Standard Time",
    hours=(6,),
    minutes=(30,),
    start_time=datetime(2026, 1, 1),
)
INCOMING = DatastoreChange(datastore="data", path_on_datastore="in")


def pipeline(**given):
    return Pipeline(**{"id": "p1", "name": "train", "created": NOW, **given})


def schedule(**given):
    return Schedule(
        **{
            "id": "s1",
            "name": "nightly",
            "trigger": NIGHTLY,
            "pipeline_id": "p1",
            "experiment_name": "E",
            "created": NOW,
            **given,
        }
    )


def run(**given):
    return Run(**{"id": "r1", "experiment_name": "E", "pipeline_id": "p1", "created": NOW, **given})


def fire(**given):
    return LastFire(**{"decided": NOW, "reason": "clock", "outcome": Outcome.SUBMITTED, **given})


def cell(columns, frame, name):
    column = next(one for one in columns if one.name == name)
    return column.cell(frame[name].iloc[0])


def test_a_pipeline_shows_its_parameters_last_runs_and_schedules():
    past = (
        PastRun(id="c", status=RunStatus.RUNNING, created=NOW),
        PastRun(id="b", status=RunStatus.FAILED, created=NOW - timedelta(hours=1), seconds=2.0),
        PastRun(id="a", status=RunStatus.FINISHED, created=NOW - timedelta(hours=2), seconds=0.0),
    )
    seen = Seen(
        pipelines=[pipeline(parameters=(Parameter("rate", 0.1),), steps=("one", "two"), version="3")],
        recent=Recent(runs={"p1": past}),
    )
    frame = frames.pipelines(seen, VIEWER)
    row = frame.iloc[0]
    assert (row["name"], row["version"], row["parameters"], row["steps"]) == ("train", "3", "rate=0.1", 2)
    assert (row["last_run"], row["last_result"]) == (pd.Timestamp(NOW), "Running")
    assert row["recent_runs"] == (0.001, -2.0, None)
    shown = cell(PIPELINES, frame, "recent_runs")
    assert (shown.text, len(shown.spark)) == ("1 of 3 finished, 1 failed", 3)


def test_a_pipeline_without_runs_has_empty_cells():
    frame = frames.pipelines(Seen(pipelines=[pipeline()]), VIEWER)
    assert frame["recent_runs"].to_list() == [()]
    assert cell(PIPELINES, frame, "recent_runs").text == ""
    assert frame[["last_run", "last_result", "schedules", "version"]].isna().all(axis=None)


def test_a_schedule_fires_next_on_the_viewers_clock_and_on_its_own():
    frame = frames.schedules(Seen(schedules=[schedule()], names={"p1": "train"}), VIEWER)
    row = frame.iloc[0]
    assert str(frame["next_fire"].dtype) == "datetime64[us, Europe/Lisbon]"
    assert row["next_fire"] == pd.Timestamp("2026-03-02T09:30:00Z")
    assert row["next_fire_in_zone"] == "2026-03-02 06:30:00-03:00 E. South America Standard Time"
    assert (row["pipeline"], row["host"], row["trigger"]) == ("train", "kernel", NIGHTLY.in_words())


@pytest.mark.parametrize("given", [{"status": Status.DISABLED}, {"trigger": INCOMING}])
def test_a_schedule_that_is_disabled_or_waits_for_files_has_no_next_fire(given):
    frame = frames.schedules(Seen(schedules=[schedule(**given)]), VIEWER)
    assert frame[["next_fire", "next_fire_in_zone"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("last", "word", "icon"),
    [
        (fire(run_status=RunStatus.FINISHED), "Finished", "ok"),
        (fire(run_status=RunStatus.FAILED), "Failed", "bad"),
        (fire(run_status=RunStatus.RUNNING), "Running", "run"),
        (fire(run_status=RunStatus.NOT_STARTED), "NotStarted", "wait"),
        (fire(run_status=RunStatus.CANCELED), "Canceled", "off"),
        (fire(run_status=None), "Submitted", ""),
        (fire(outcome=Outcome.MISSED, detail="no kernel"), "Missed", "warn"),
        (fire(outcome=Outcome.REFUSED, detail="disabled"), "Refused", "bad"),
    ],
)
def test_what_became_of_the_last_fire_is_a_word_with_an_icon(last, word, icon):
    frame = frames.schedules(Seen(schedules=[schedule()], recent=Recent(fires={"s1": last})), VIEWER)
    shown = cell(SCHEDULES, frame, "outcome")
    assert (shown.text, shown.icon) == (word, icon)
    assert (frame["why"].iloc[0] if last.detail else "") == last.detail


@pytest.mark.parametrize("status", RunStatus)
def test_a_run_in_every_state_has_its_word_and_icon(status):
    frame = frames.runs(Seen(runs=[run(status=status)]), VIEWER)
    shown = cell(RUNS, frame, "status")
    assert shown.text == status.value
    assert shown.icon


def test_a_run_shows_its_steps_along_its_time():
    started = NOW - timedelta(seconds=10)
    one = run(
        status=RunStatus.RUNNING, started=started, schedule_id="s1", data_paths={"d": DataPath("store", "in/a.csv")}
    )
    steps = (
        Step(
            id="1", run_id="r1", name="a", status=StepStatus.FINISHED, started=started, ended=NOW - timedelta(seconds=5)
        ),
        Step(id="2", run_id="r1", name="b", status=StepStatus.RUNNING, started=NOW - timedelta(seconds=5)),
        Step(id="3", run_id="r1", name="c"),
    )
    seen = Seen(runs=[one], names={"s1": "nightly"}, recent=Recent(steps={"r1": steps}))
    frame = frames.runs(seen, VIEWER)
    row = frame.iloc[0]
    assert (row["schedule"], row["data_path"], row["seconds"]) == ("nightly", "d=store/in/a.csv", 10.0)
    assert row["steps"] == (("a", "Finished", 0.0, 0.5), ("b", "Running", 0.5, 0.5), ("c", "NotStarted", 1.0, 0.0))
    shown = cell(RUNS, frame, "steps")
    assert shown.text == "1 Finished, 1 Running, 1 NotStarted"
    assert shown.bars == ((0.0, 0.5, "ok"), (0.5, 0.5, "run"))
    assert seen.is_moving


def test_a_run_that_has_not_begun_has_no_time_and_no_line():
    frame = frames.runs(Seen(runs=[run()], recent=Recent(steps={"r1": (Step(id="1", run_id="r1", name="a"),)})), VIEWER)
    assert frame[["started", "seconds", "steps"]].isna().all(axis=None)


def test_a_datastore_says_who_watches_it_and_what_is_wrong_with_it():
    watching = schedule(name="reactive", trigger=INCOMING)
    asleep = schedule(name="old", trigger=INCOMING, status=Status.DISABLED)
    health = Health(poll_errors=("data/in: the account is locked", "database/x: no"))
    seen = Seen(
        datastores=[
            Datastore(name="data", folder="/d", is_default=True),
            Datastore(name="other", account="a", container="c"),
        ],
        schedules=[watching, asleep],
        glance=Glance(version="1", health=health),
    )
    frame = frames.datastores(seen, VIEWER)
    assert frame["watched_by"].fillna("").to_list() == ["reactive", ""]
    assert frame["trouble"].fillna("").to_list() == ["data/in: the account is locked", ""]
    assert frame["place"].to_list() == ["/d", "a/c"]
    assert frame["default"].fillna("").to_list() == ["default", ""]


def test_the_overview_counts_and_says_what_goes_wrong():
    seen = Seen(
        pipelines=[pipeline(), pipeline(id="p2", status=Status.DISABLED)],
        schedules=[schedule()],
        runs=[
            run(status=RunStatus.RUNNING),
            run(id="r2", status=RunStatus.FAILED, ended=NOW - timedelta(hours=1)),
            run(id="r3", status=RunStatus.FAILED, ended=NOW - timedelta(hours=25)),
        ],
        datastores=[Datastore(name="data", folder="/d")],
        recent=Recent(
            fires={"s1": fire(outcome=Outcome.MISSED)},
            runs={"p1": (PastRun(id="r2", status=RunStatus.FAILED, created=NOW),)},
        ),
    )
    frame = frames.overview(seen, VIEWER).set_index("what")
    assert frame["there"].to_dict() == {
        "schedules": "1 active",
        "pipelines": "1 active, 1 disabled",
        "runs": "the newest 3",
        "datastores": "1",
    }
    assert frame.loc["schedules", "now"] == "the last fire of 1 went wrong; next is nightly"
    assert frame.loc["pipelines", "now"] == "the last run of 1 failed"
    assert frame.loc["runs", "now"] == "1 failed in 24 hours; 1 running"


@pytest.mark.parametrize("make", [frames.pipelines, frames.schedules, frames.runs, frames.datastores])
def test_an_empty_workspace_has_all_columns_in_their_types(make):
    frame = make(Seen(), VIEWER)
    assert len(frame) == 0
    assert frame.columns.is_unique
    assert type(frame) is pd.DataFrame


def test_an_empty_workspace_has_an_overview():
    frame = frames.overview(Seen(), VIEWER)
    assert frame["there"].to_list() == ["0 active", "0 active", "none", "0"]
    assert frame[["now", "last", "next"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (185, "3 min 05 s"), (7380, "2 h 03 min")]
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text
