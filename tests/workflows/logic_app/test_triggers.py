"""Triggers of a Logic App: what fires, what does not, and the reason that the history keeps."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import InvalidInput, ServiceError
from tests.workflows.logic_app.bed import RECURRENCE, compose, http, on_blobs, seconds

NAMES = {"A": compose("@triggerBody()?['Path']")}


def whys(watched):
    return [one.why for one in watched.checks]


def fired_by(watched):
    return [
        run.body["Name"] if isinstance(run.body, dict) else [one["Name"] for one in run.body] for run in watched.runs
    ]


def test_what_is_there_at_the_start_does_not_fire_and_what_comes_does(bed):
    bed.stores.put("in/old.csv")
    events = [
        (15, lambda: bed.stores.put("in/new.csv")),
        (25, lambda: bed.stores.put("in/old.csv", etag="2")),
        (35, lambda: bed.stores.put("in/sub/deeper.csv")),
        (35, lambda: bed.stores.put("elsewhere.csv")),
        (45, lambda: bed.stores.files.pop("in/old.csv")),
    ]
    watched = bed.watch(NAMES, on_blobs(), events)
    assert fired_by(watched) == ["new.csv", "old.csv"]
    nothing, one = "nothing new or changed", "1 file new or changed"
    assert whys(watched) == ["the first look: 1 file is there, no news", nothing, one, one, nothing, nothing, nothing]
    assert [one.status for one in watched.checks] == ["Skipped", "Skipped", "Succeeded", "Succeeded"] + ["Skipped"] * 3
    assert watched.checks[2].runs == (watched.runs[0].id,)
    assert watched.places == {"Blob": "blobs/in"}
    assert set(bed.stores.asked) == {("blobs", "in")}


def test_a_blob_has_the_documented_properties(bed):
    bed.stores.put("in/dáy 1.csv", etag="0x8D", size=12, modified=1_772_442_000)
    (run,) = bed.watch(NAMES, on_blobs(), existing=True, once=True).runs
    assert run.body == {
        "Id": "JTJmYm94JTJmaW4lMmZkJWMzJWExeSUyMDEuY3N2",
        "Name": "dáy 1.csv",
        "DisplayName": "dáy 1.csv",
        "Path": "/box/in/dáy 1.csv",
        "LastModified": "2026-03-02T09:00:00Z",
        "Size": 12,
        "MediaType": "text/csv",
        "IsFolder": False,
        "ETag": '"0x8D"',
        "FileLocator": "JTJmYm94JTJmaW4lMmZkJWMzJWExeSUyMDEuY3N2",
    }


@pytest.mark.parametrize(
    ("folder", "place", "path"),
    [
        ("/box", "blobs", "/box/a.csv"),
        ("/box/in", "blobs/in", "/box/in/a.csv"),
        ("/box/dados de março/2026", "blobs/dados de março/2026", "/box/dados de março/2026/a.csv"),
    ],
)
def test_the_folder_is_read_out_of_its_id(bed, folder, place, path):
    bed.stores.put(path.removeprefix("/box/"))
    watched = bed.watch(NAMES, on_blobs(folder), existing=True, once=True)
    assert watched.places == {"Blob": place}
    assert watched.runs[0].actions[0].outputs == path


def test_a_folder_id_may_also_be_the_path_itself_or_an_expression(bed):
    for written in ("/box/in/", "@base64('%2fbox%2fin')", "JTI1MmZib3glMjUyZmlu"):
        trigger = on_blobs()
        trigger["Blob"]["inputs"]["queries"]["folderId"] = written
        assert bed.watch(NAMES, trigger, seconds=1).places == {"Blob": "blobs/in"}


def test_with_split_on_each_file_is_a_run_and_without_it_one_run_has_them_all(bed):
    for number in range(10):
        bed.stores.put(f"in/{number}.csv", modified=number)
    split = bed.watch({"Go": http()}, on_blobs(), existing=True, once=True)
    assert fired_by(split) == [f"{number}.csv" for number in range(10)]
    assert sorted(path for run in split.runs for path in run.data_paths) == [f"blobs/{n}.csv" for n in range(10)]
    batch = bed.watch({"A": compose("@length(triggerBody())")}, on_blobs(splitOn=None), existing=True, once=True)
    assert fired_by(batch) == [[f"{number}.csv" for number in range(10)]]
    assert batch.runs[0].actions[0].outputs == 10


def test_files_beyond_max_file_count_wait_for_the_next_look_the_oldest_first(bed):
    for number in range(5):
        bed.stores.put(f"in/{number}.csv", modified=-number)
    watched = bed.watch(NAMES, on_blobs(most=2), existing=True)
    assert fired_by(watched) == ["4.csv", "3.csv", "2.csv", "1.csv", "0.csv"]
    assert whys(watched)[:3] == [
        "2 files new or changed, 3 more at the next look (maxFileCount)",
        "2 files new or changed, 1 more at the next look (maxFileCount)",
        "1 file new or changed",
    ]


def test_conditions_are_asked_of_each_file_and_the_check_says_which_did_not_hold(bed):
    conditions = [
        {"expression": "@endsWith(triggerBody()?['Name'], '.csv')"},
        {"expression": "@greater(triggerOutputs()?['body/Size'], 5)"},
    ]
    for name, size in (("big.csv", 9), ("small.csv", 1), ("small2.csv", 2), ("notes.txt", 9)):
        bed.stores.put(f"in/{name}", size=size)
    watched = bed.watch(NAMES, on_blobs(conditions=conditions), existing=True, seconds=1)
    assert fired_by(watched) == ["big.csv"]
    (check, _) = watched.checks
    assert (check.found, check.status, len(check.runs)) == (4, "Succeeded", 1)
    assert "1 did not meet @endsWith(triggerBody()?['Name'], '.csv')" in check.why
    assert "2 did not meet @greater(triggerOutputs()?['body/Size'], 5)" in check.why


def test_a_condition_that_cannot_be_asked_is_a_failed_check(bed):
    bed.stores.put("in/a.csv")
    condition = {"expression": "@greater(triggerBody()?['Nothing'], 5)"}
    (check, _) = bed.watch(NAMES, on_blobs(conditions=[condition]), existing=True, seconds=1).checks
    assert (check.status, check.fired) == ("Failed", False)
    assert "cannot be asked @greater(triggerBody()?['Nothing'], 5): greater(): argument 1 must be a number" in check.why
    assert "and is null, at column 9" in check.why


def test_a_look_that_fails_is_kept_and_ends_nothing(bed):
    def break_it():
        bed.stores.fails.append(ServiceError("the container is busy", status=503))
        bed.stores.put("in/a.csv")

    watched = bed.watch(NAMES, on_blobs(), [(5, break_it)], seconds=25)
    assert whys(watched)[1:3] == ["the look failed: the container is busy", "1 file new or changed"]
    assert [one.status for one in watched.checks][1:3] == ["Failed", "Succeeded"]


def test_once_stops_after_the_first_check_that_fires(bed):
    events = [(15, lambda: bed.stores.put("in/a.csv")), (25, lambda: bed.stores.put("in/b.csv"))]
    watched = bed.watch(NAMES, on_blobs(), events, once=True)
    assert fired_by(watched) == ["a.csv"]
    assert len(watched.checks) == 3


def test_another_interval_can_be_asked_for(bed):
    assert len(bed.watch(NAMES, on_blobs(), seconds=30, interval=1).checks) == 31


def test_so_many_runs_at_a_time_and_so_many_wait(bed):
    limits = {"runtimeConfiguration": {"concurrency": {"runs": 2, "maximumWaitingRuns": 3}}}
    events = [(at, lambda at=at: bed.stores.put(f"in/{at}.csv")) for at in range(5, 75, 10)]
    watched = bed.watch({"Long": seconds(100)}, on_blobs(**limits), events, seconds=100)
    assert [(run.started - watched.runs[0].started).total_seconds() for run in watched.runs] == [0, 10, 100, 110, 200]
    assert "not checked: 3 runs wait already (maximumWaitingRuns)" in whys(watched)
    assert all(run.status == "Succeeded" for run in watched.runs)


def test_a_single_instance_is_not_checked_while_a_run_is_under_way(bed):
    events = [(5, lambda: bed.stores.put("in/a.csv")), (15, lambda: bed.stores.put("in/b.csv"))]
    trigger = on_blobs(operationOptions="SingleInstance")
    watched = bed.watch({"Long": seconds(25)}, trigger, events, seconds=50)
    assert fired_by(watched) == ["a.csv", "b.csv"]
    assert whys(watched).count("not checked: a run is under way (SingleInstance)") >= 2
    assert watched.runs[1].started >= watched.runs[0].ended


def test_a_recurrence_fires_at_once_and_at_its_times(bed):
    watched = bed.watch({"A": compose("@trigger().scheduledTime")}, RECURRENCE, seconds=2 * 3600 + 1)
    assert [run.actions[0].outputs[11:16] for run in watched.runs] == ["09:00", "10:00", "11:00"]
    assert watched.next_due.hour == 12
    assert whys(watched) == ["its time has come"] * 3


@pytest.mark.parametrize(
    ("recurrence", "times"),
    [
        (
            {"frequency": "Minute", "interval": 30, "startTime": "2026-03-02T09:10:00Z"},
            ["09:10", "09:40", "10:10", "10:40"],
        ),
        ({"frequency": "Second", "interval": 1800}, ["09:00", "09:30", "10:00", "10:30", "11:00"]),
        (
            {
                "frequency": "Day",
                "interval": 1,
                "startTime": "2026-03-01T00:00:00",
                "timeZone": "Romance Standard Time",
                "schedule": {"hours": [10, 11], "minutes": [15]},
            },
            ["09:15", "10:15"],
        ),
        (
            {
                "frequency": "Hour",
                "interval": 1,
                "startTime": "2026-03-01T00:00:00Z",
                "endTime": "2026-03-02T10:30:00Z",
            },
            ["10:00"],
        ),
    ],
)
def test_times_of_a_recurrence(bed, recurrence, times):
    trigger = {"R": {"type": "Recurrence", "recurrence": recurrence}}
    watched = bed.watch({"A": compose("@trigger().scheduledTime")}, trigger, seconds=2 * 3600)
    assert [run.actions[0].outputs[11:16] for run in watched.runs] == times


def test_several_triggers_each_fire(bed):
    bed.stores.put("in/a.csv")
    watched = bed.watch({"A": compose("@trigger().name")}, {**RECURRENCE, **on_blobs()}, existing=True, seconds=20)
    assert sorted(run.actions[0].outputs for run in watched.runs) == ["Blob", "Every"]


@pytest.mark.parametrize(
    ("trigger", "options", "message"),
    [
        (
            on_blobs("/nowhere/in"),
            {},
            r"watches the container 'nowhere' of acct, and no datastore is in it.*--datastore",
        ),
        (on_blobs(account="unknown"), {}, r"the container 'box' of unknown"),
        (on_blobs(), {"datastore": "blops"}, r"there is no datastore 'blops'. Did you mean 'blobs'"),
        (on_blobs("/bag"), {"datastore": "blobs"}, r"watches the container 'bag'. The datastore 'blobs' is in 'box'"),
    ],
)
def test_a_place_that_is_not_there_is_refused(bed, trigger, options, message):
    with pytest.raises(InvalidInput, match=message):
        bed.watch(NAMES, trigger, **options)


def test_the_account_decides_between_two_containers_of_one_name_and_a_folder_stands_for_any(bed):
    assert bed.watch(NAMES, on_blobs(account="elsewhere"), seconds=1).places == {"Blob": "other/in"}
    url = "https://acct.blob.core.windows.net"
    assert bed.watch(NAMES, on_blobs(account=url), seconds=1).places == {"Blob": "blobs/in"}
    assert bed.watch(NAMES, on_blobs("/any/x"), seconds=1, datastore="local").places == {"Blob": "local/x"}
