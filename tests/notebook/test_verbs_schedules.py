"""Schedules against a real embedded workspace: what each verb returns, shows and changes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest

from aml_magics.model.errors import Conflict, NotFound
from tests.notebook.helpers import HTML_NAME, REACTIVE, RECURRING, on_an_endpoint, shown


def test_a_schedule_by_time_shows_its_next_five_fires_in_its_own_zone(aml, train):
    view = aml("schedule create MyRecurringSchedule", RECURRING + "time_zone: E. South America Standard Time\n")
    assert len(view.next_fires) == 5
    assert view.next_fires["fire_in_zone"][0] == "2030-01-01 06:00:00-03:00 E. South America Standard Time"
    assert str(view.next_fires["fire"].dtype) == "datetime64[us, UTC]"
    assert view.next_fires["fire"][0] == pd.Timestamp("2030-01-01T09:00:00Z")
    assert view.next_fires["fire"].diff()[1:].eq(timedelta(minutes=15)).all()
    for text in (repr(view), view._repr_html_()):
        assert "every 15 minutes" in text
        assert "Made the schedule MyRecurringSchedule" in text
    assert view.value.description == "Based on time"


def test_a_schedule_without_a_start_begins_with_the_fire_at_once(aml, train):
    body = "pipeline: train\nexperiment_name: E\nevery: 15 minutes\n"
    planned, made = aml("schedule create X --dry-run", body), aml("schedule create X", body)
    assert made.next_fires["fire"][0] == pd.Timestamp(made.created)
    for view in (planned, made):
        assert view.next_fires["note"][0].startswith("at once")
    later = aml("schedule show X")
    assert later.next_fires["fire"][0] == pd.Timestamp(made.created) + timedelta(minutes=15)
    aml.until(lambda: aml("schedule runs X"), lambda runs: len(runs) == 1 and runs["status"][0] == "Finished")


def test_a_schedule_by_options_is_the_same_as_one_by_body(aml, train):
    aml(
        "schedule create A --pipeline train --experiment MyExperiment --every '15 minutes' "
        "--start-time 2030-01-01T06:00:00 --description 'Based on time'"
    )
    aml("schedule create B", RECURRING)
    a, b = aml("schedule show A").value, aml("schedule show B").value
    assert a.trigger == b.trigger
    assert (a.pipeline_id, a.experiment_name, a.description) == (b.pipeline_id, b.experiment_name, b.description)


def test_a_schedule_by_change_says_what_it_watches(aml, train):
    view = aml("schedule create MyReactiveSchedule", REACTIVE)
    assert view.trigger.polling_interval == timedelta(minutes=5)
    assert "workspaceblobstore/incoming" in repr(view)
    assert "every 5 minutes" in repr(view)
    assert "do not fire" in repr(view)


def test_a_body_takes_variables_as_they_are(aml, train):
    view = aml(
        "schedule create {name}",
        "pipeline: {train}\nexperiment: {experiment}\nevery: day\nhours: {hours}\nstart_time: {start}\n"
        "description: made for {experiment}\npipeline_parameters: {values}\n",
        name="Nightly",
        train=train,
        experiment="MyExperiment",
        hours=[6, 18],
        start=datetime(2030, 1, 1),
        values={"learning_rate": 0.5},
    )
    assert view.name == "Nightly"
    assert view.trigger.hours == (6, 18)
    assert view.trigger.start_time == datetime(2030, 1, 1)
    assert view.description == "made for MyExperiment"
    assert view.pipeline_parameters == {"learning_rate": 0.5}


def test_running_a_cell_again_makes_no_duplicate_and_a_change_is_a_conflict(aml, train):
    first = aml("schedule create X", RECURRING)
    again = aml("schedule create X", RECURRING)
    assert first.id == again.id
    assert "Unchanged" in repr(again)
    with pytest.raises(Conflict, match="interval: 15 -> 30"):
        aml("schedule create X", RECURRING.replace("15", "30"))
    kept = aml("schedule create X --if-exists skip", RECURRING.replace("15", "30"))
    assert kept.id == first.id
    replaced = aml("schedule create X --if-exists replace", RECURRING.replace("15", "30"))
    assert replaced.id != first.id
    assert "15 -> 30" in repr(replaced)
    assert len(aml("schedule list")) == 1


def test_a_schedule_can_be_made_disabled(aml, train):
    view = aml("schedule create X --status disabled", RECURRING)
    assert view.status == "Disabled"
    assert "does not fire" in repr(view)
    assert "next_fires" not in view.sections


def test_the_sdks_nested_recurrence_is_understood(aml, train):
    view = aml(
        "schedule create X",
        "pipeline: train\nexperiment_name: E\nrecurrence:\n  frequency: Week\n  interval: 1\n  start_time:\n"
        "  hours: [6]\n  minutes: [30]\n  week_days: [Monday]\n  time_zone: UTC\n",
    )
    assert view.trigger.in_words() == "06:30 on Monday every week"


def test_warnings_are_shown_with_what_was_made(aml, train):
    view = aml("schedule create X", RECURRING.replace("Minute", "Month").replace("2030-01-01", "2030-01-31"))
    assert "Warning: day 31" in repr(view)
    assert "Warning: day 31" in view._repr_html_()


def test_a_schedule_list_is_a_dataframe_that_says_what_it_leaves_out(aml, train):
    aml("schedule create A", RECURRING)
    aml("schedule create B --status Disabled", RECURRING)
    active, everything = aml("schedule list"), aml("schedule list --all")
    assert isinstance(active, pd.DataFrame)
    assert list(active["name"]) == ["A"]
    assert sorted(everything["name"]) == ["A", "B"]
    assert "1 disabled schedule left out; --all shows them" in repr(active)
    assert "left out" not in repr(everything)
    by_name = everything.set_index("name")
    assert by_name.loc["A", "next_fire"] == pd.Timestamp("2030-01-01T06:00:00Z")
    assert by_name.loc["A", "next_fire_in_zone"] == "2030-01-01 06:00:00+00:00 UTC"
    assert by_name["next_fire"].isna()["B"]
    assert set(everything["pipeline"]) == {"train"}


def test_the_display_zone_and_the_limit_are_settings(aml, train):
    for index in range(4):
        aml(f"schedule create S{index}", RECURRING)
    magics = aml.shell.magics_manager.registry["AmlMagics"]
    magics.displaylimit = 3
    magics.timezone = "America/Sao_Paulo"
    table = aml("schedule list")
    assert len(table) == 4
    assert "3 of 4 shown" in repr(table)
    assert "2030-01-01 03:00:00-03:00" in repr(table)
    assert "2030-01-01 06:00:00+00:00 UTC" in repr(table)
    assert "-03:00" in repr(aml("pipeline show train"))


@pytest.mark.parametrize("body", ["A\n# B\n\n  C  # why not\n", '"A"\nC', "{both}", "{both[0]}\n{one.id}"])
def test_names_are_disabled_and_enabled_one_a_line(aml, train, body):
    for name in "ABC":
        aml(f"schedule create {name}", RECURRING)
    done = aml("schedule disable", body, both=["A", "C"], one=aml("schedule show C"))
    assert list(done["name"]) == ["A", "C"]
    assert list(done["was"]) == ["Active", "Active"]
    assert list(aml("schedule list")["name"]) == ["B"]
    assert "%aml schedule enable A C" in repr(done)
    aml("schedule enable A C")
    assert len(aml("schedule list")) == 3
    again = aml("schedule enable A")
    assert "1 had this status already" in repr(again)


def test_one_unknown_name_among_many_changes_nothing(aml, train):
    aml("schedule create A", RECURRING)
    with pytest.raises(NotFound, match="'Nope'"):
        aml("schedule disable A Nope")
    assert list(aml("schedule list")["name"]) == ["A"]


def test_a_pipeline_in_use_is_not_disabled_and_the_error_names_the_schedule(aml, train):
    aml("schedule create A", RECURRING)
    with pytest.raises(Conflict, match="A"):
        aml("pipeline disable train")
    aml("schedule disable A")
    assert list(aml("pipeline disable train")["status"]) == ["Disabled"]
    assert len(aml("pipeline list")) == 0
    assert "1 disabled pipeline left out" in repr(aml("pipeline list"))
    assert len(aml("pipeline list --all")) == 1
    aml("pipeline enable", "train\n")
    assert len(aml("pipeline list")) == 1


def test_a_preview_needs_no_schedule(aml):
    table = aml("schedule preview -n 3 --cron '0 6 * * 1-5' --time-zone Europe/Lisbon")
    assert len(table) == 3
    assert table["fire_in_zone"].str.contains("06:00:00").all()
    assert table["fire_in_zone"].str.endswith("Europe/Lisbon").all()
    fires = aml(
        "schedule preview X", "name: Y\npipeline: nothing\nevery: day\ntime_of_day: 06:30\n".replace("name: Y\n", "")
    )
    assert len(fires) == 5


def test_a_preview_of_a_cell_with_a_name_says_whose_trigger_it_is(aml):
    table = aml("schedule preview X", "every: day\n")
    assert "the trigger in the cell, whatever the schedule X" in repr(table)


def test_a_preview_knows_the_datastores_of_a_workspace_that_is_open(aml):
    watch = "schedule preview --datastore workspaceblobstor"
    assert "Warning" not in shown(aml(watch))
    aml("experiment list")
    said = "Warning: the workspace has no datastore 'workspaceblobstor'. Did you mean 'workspaceblobstore'?"
    assert said in repr(aml(watch))
    assert "Warning" not in shown(aml(watch + "e"))


def test_a_preview_labels_the_day_on_which_the_clock_changes(aml):
    table = aml(
        "schedule preview -n 3",
        "every: day\ntime_of_day: 02:30\ntime_zone: Europe/Lisbon\nstart_time: 2030-03-30T00:00:00\n".replace(
            "02", "01"
        ),
    )
    assert table["note"].str.contains("does not exist").any()


def test_what_a_changed_file_starts_is_told_by_history_runs_and_logs(aml, train):
    aml("schedule create X", REACTIVE.replace("polling_interval: 5", "polling_interval: 1s") + "settle: 0s\n")
    aml("datastore upload --path incoming/day1.csv", "id,value\n1,2\n")
    run = aml.until(lambda: aml("schedule runs X"), lambda runs: len(runs) == 1)
    assert run["data_paths"][0] == "input_data=workspaceblobstore/incoming/day1.csv"
    aml("run wait X --timeout 60")
    history = aml("schedule history X")
    assert list(history.fires["objects"]) == ["incoming/day1.csv"]
    assert "fired 1 time" in repr(history)
    assert len(history.polls) > 0
    assert list(aml("schedule show X").runs["status"]) == ["Finished"]
    assert list(aml("datastore ls workspaceblobstore incoming")["name"]) == ["incoming/day1.csv"]


def test_a_history_says_what_was_seen_and_that_none_of_it_matched(aml, train):
    options = "polling_interval: 1s\nsettle: 0s\npattern: '*.csv'\nmin_size: 1 KB\n"
    aml("schedule create X", REACTIVE.replace("polling_interval: 5\n", options))
    aml("datastore upload --path incoming/day1.txt", "id,value\n")
    history = aml.until(lambda: aml("schedule history X"), lambda told: told.added == 1)
    assert "saw 1 new file, none matched *.csv, at least 1 KB; has not fired" in repr(history)
    assert list(history.polls.columns[:2]) == ["at", "late"]
    assert (history.polls["added"].max(), history.polls["matched"].max()) == (1, 0)


def test_a_schedule_by_change_says_which_changes_count_and_how_many_at_a_time(aml, train):
    options = "--pattern '*.csv' --min-size 10KB --on added --max-runs-per-poll 1500"
    said = repr(aml(f"schedule create X {options}", REACTIVE))
    assert "files matching *.csv of at least 10 KB added in workspaceblobstore/incoming" in said
    assert "one per file, at most 1,500 a poll" in said
    assert "those that are added from now on do" in said
    assert "files matching *.csv" in repr(aml("schedule list"))
    body = REACTIVE + "pattern: '*.csv'\nmin_size: 10 KB\non: [added]\nmax_runs_per_poll: 1500\n"
    assert "Unchanged" in repr(aml("schedule create X", body))
    with pytest.raises(Conflict, match=r"on: added -> added, modified.*max_runs_per_poll: 1500 -> none"):
        aml("schedule create X", REACTIVE + "pattern: '*.csv'\nmin_size: 10 KB\n")


def test_a_schedule_whose_files_are_only_added_says_so_and_what_that_costs(aml, train):
    said = repr(aml("schedule create X --append-only", REACTIVE))
    assert "only added, each sorts after those that are there" in said
    assert "Warning: append_only: a file whose name sorts before the newest one may never be seen" in said


def test_a_name_of_a_schedule_and_of_a_pipeline_means_the_newest_run_of_both(aml, train):
    aml("pipeline publish other", "print('other')")
    aml("schedule create train --pipeline other --every day")
    started = aml("run wait train --timeout 60")
    assert aml("run show train").id == started.id
    newest = aml("pipeline submit train")
    assert aml("run show train").id == newest.id
    aml("run wait {newest} --timeout 60", newest=newest)


def test_names_made_of_html_and_emoji_are_shown_as_they_are_and_escaped(aml, train):
    described = "--description '🚀 it{{s}} $HOME'"
    aml(f"schedule create '{HTML_NAME}' {described}", RECURRING.replace("description", "#"))
    for view in (aml("schedule list"), aml("schedule show {name}", name=HTML_NAME), aml("pipeline show train")):
        assert "<img" not in view._repr_html_()
        assert "&lt;img" in view._repr_html_()
        assert HTML_NAME in repr(view)
    assert aml("schedule show {name}", name=HTML_NAME).description == "🚀 it{s} $HOME"


@pytest.mark.parametrize("few", [20, 0])
def test_runs_name_the_schedules_that_started_them_and_a_few_do_not_list_all(aml, train, monkeypatch, few):
    aml("schedule create Once", "pipeline: train\nexperiment_name: E\nevery: month")
    aml("run wait Once --timeout 60")
    listed = []
    schedules = aml("connect").schedules
    list_all = type(schedules).list
    monkeypatch.setattr(type(schedules), "list", lambda self, **how: listed.append(how) or list_all(self, **how))
    monkeypatch.setattr("aml_magics.notebook.commands.shared._FEW", few)
    assert list(aml("run list")["schedule"]) == ["Once"]
    assert len(listed) == (0 if few else 1)


def test_a_run_whose_schedule_cannot_be_read_is_still_listed(aml, train, monkeypatch):
    made = aml("schedule create Once", "pipeline: train\nexperiment_name: E\nevery: month")
    aml("run wait Once --timeout 60")

    def gone(*_arguments):
        raise NotFound("there is no such schedule")

    monkeypatch.setattr(type(aml("connect").schedules), "get", gone)
    assert list(aml("run list")["schedule"]) == [made.id]


def test_a_schedule_on_an_endpoint_shows_the_endpoints_name(aml, train):
    on_an_endpoint(aml, "prod", train.value.id, "nightly")
    aml("schedule create MyRecurringSchedule", RECURRING)
    listed = aml("schedule list")
    assert dict(zip(listed["name"], listed["pipeline"], strict=True)) == {
        "nightly": "prod",
        "MyRecurringSchedule": "train",
    }
    assert "pipeline endpoint" in shown(aml("schedule show nightly"))
    assert "prod" in shown(aml("schedule show nightly"))
    with pytest.raises(Conflict, match="differs"):
        aml("schedule create nightly", RECURRING)
    kept = aml("schedule create nightly --if-exists skip", RECURRING)
    assert kept.value.pipeline_id == ""
    assert list(aml("schedule disable nightly")["name"]) == ["nightly"]


def test_a_pipeline_behind_an_endpoint_with_a_schedule_is_not_disabled_also_not_for_show(aml, train):
    on_an_endpoint(aml, "prod", train.value.id, "nightly")
    before = aml.digest()
    for line in ("pipeline disable train", "pipeline disable train --dry-run"):
        with pytest.raises(Conflict, match="pipeline 'train' is used by active schedules: nightly"):
            aml(line)
    assert aml.digest() == before
    aml("schedule disable nightly")
    assert "Would be disabled" in shown(aml("pipeline disable train --dry-run"))
    aml("pipeline disable train")
    with pytest.raises(Conflict, match="'train' is Disabled"):
        aml("schedule enable nightly")
