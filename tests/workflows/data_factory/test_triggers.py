"""Triggers on a clock that stands still and a datastore in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from aml_magics.model.errors import InvalidInput, ServiceError
from aml_magics.model.resources import Datastore, RunStatus
from aml_magics.workflows.data_factory.reading import factory_from_json
from aml_magics.workflows.data_factory.triggers import Watched, check_trigger, run_trigger
from tests.workflows.data_factory.bed import START, activity

WAIT = activity("Wait", waitTimeInSeconds=1)
TRAIN = activity(
    "Train",
    "AzureMLExecutePipeline",
    mlPipelineId="p",
    experimentName="E",
    mlPipelineParameters={"p": "@pipeline().parameters.p"},
)
CREATED, DELETED = "Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"
HOURLY = {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:30:00Z", "timeZone": "UTC"}
MONTHLY = HOURLY | {"frequency": "Month"}
WINDOWS = {"frequency": "Hour", "interval": 1, "startTime": "2026-03-02T06:00:00Z", "maxConcurrency": 1}
IN = {"scope": "/x", "events": [CREATED], "blobPathBeginsWith": "/data/blobs/in/", "ignoreEmptyBlobs": True}


class Firing:
    """One trigger over the pipeline ``main``, which has the parameter ``p``."""

    def __init__(self, bed, kind, properties, value, *, do=WAIT, declared="String", **pipeline):
        self.bed = bed
        started = {"pipelineReference": {"referenceName": "main"}, "parameters": {"p": value}}
        started = {"pipeline": started} if kind == "TumblingWindowTrigger" else {"pipelines": [started]}
        trigger = {"name": "t", "properties": {"type": kind, "typeProperties": properties, **started}}
        main = {"name": "main", "properties": {"activities": [do], "parameters": {"p": {"type": declared}}, **pipeline}}
        self.factory = factory_from_json({"pipelines": [main], "triggers": [trigger]}, "test.json")

    def check(self):
        check_trigger(self.factory, self.factory.trigger("t"), self.bed.web)

    def run(self, seconds, then=None, **options) -> Watched:
        """Let it fire; ``then`` is called before each second."""
        self.check()

        async def go():
            work = run_trigger(self.bed.runner(self.factory), self.factory.trigger("t"), seconds, {}, **options)
            task = asyncio.ensure_future(work)
            second = 0
            while then and not task.done():
                then(second)
                await self.bed.clock.pass_time(1)
                second += 1
            await self.bed.until_done(task, 10**6)
            return task.result()

        return asyncio.run(go())


def values(watched):
    return [run.parameters["p"] for run in sorted(watched.runs, key=lambda one: one.started)]


def test_a_schedule_fires_at_its_times_and_says_which_they_are(bed):
    watched = Firing(bed, "ScheduleTrigger", {"recurrence": HOURLY}, "@trigger().scheduledTime").run(3 * 3600)
    assert values(watched) == [f"2026-03-02T{hour:02}:30:00.0000000Z" for hour in (9, 10, 11)]
    assert watched.next_due == datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
    assert {(run.fired.type, run.fired.name) for run in watched.runs} == {("ScheduleTrigger", "t")}


def test_a_schedule_in_another_zone_keeps_its_wall_clock(bed):
    daily = {
        "frequency": "Day",
        "interval": 1,
        "startTime": "2026-01-01T06:15:00",
        "timeZone": "E. South America Standard Time",
    }
    daily |= {"schedule": {"hours": [6]}}  # the minute is that of the start
    watched = Firing(bed, "ScheduleTrigger", {"recurrence": daily}, "@trigger().scheduledTime").run(3600)
    assert values(watched) == ["2026-03-02T09:15:00.0000000Z"]


def test_a_schedule_by_days_of_the_month_fires_on_those(bed):
    monthly = MONTHLY | {"schedule": {"monthDays": [3, 9], "hours": [6]}}
    watched = Firing(bed, "ScheduleTrigger", {"recurrence": monthly}, "@trigger().scheduledTime").run(10 * 86_400)
    assert [value[:16] for value in values(watched)] == ["2026-03-03T06:30", "2026-03-09T06:30"]


def test_a_schedule_that_does_not_fire_in_that_time_ends_at_once_and_says_when_it_would(bed):
    watched = Firing(bed, "ScheduleTrigger", {"recurrence": HOURLY}, "x").run(60)
    assert (watched.runs, watched.next_due) == ([], datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    assert bed.clock.now() - START.timestamp() <= 1


def test_a_schedule_ends_at_its_end_time(bed):
    recurrence = HOURLY | {"endTime": "2026-03-02T10:00:00Z"}
    assert len(Firing(bed, "ScheduleTrigger", {"recurrence": recurrence}, "x").run(3 * 3600).runs) == 1


def test_windows_of_the_past_come_first_and_one_at_a_time(bed):
    window = "@{trigger().outputs.windowStartTime} {trigger().outputs.windowEndTime}"
    watched = Firing(bed, "TumblingWindowTrigger", WINDOWS, window.replace(" {", " @{")).run(3600)
    pairs = [value.split() for value in values(watched)]
    assert [(begin[11:13], end[11:13]) for begin, end in pairs] == [
        ("06", "07"),
        ("07", "08"),
        ("08", "09"),
        ("09", "10"),
    ]
    assert [run.started - START for run in watched.runs] == [timedelta(seconds=one) for one in (0, 1, 2, 3600)]


def test_as_many_windows_run_at_once_as_the_trigger_says(bed):
    watched = Firing(bed, "TumblingWindowTrigger", WINDOWS | {"maxConcurrency": 2}, "x").run(60)
    assert [(run.started - START).seconds for run in watched.runs] == [0, 0, 1]


def test_a_window_waits_for_its_delay(bed):
    watched = Firing(
        bed, "TumblingWindowTrigger", WINDOWS | {"delay": "00:30:00", "startTime": "2026-03-02T08:00:00Z"}, "x"
    ).run(3600)
    assert [(run.started - START).seconds for run in watched.runs] == [1800]


def test_windows_by_month_end_where_the_next_month_begins(bed):
    monthly = {"frequency": "Month", "interval": 1, "startTime": "2025-12-02T00:00:00Z", "maxConcurrency": 9}
    watched = Firing(bed, "TumblingWindowTrigger", monthly, "@trigger().outputs.windowEndTime").run(60)
    assert [value[:10] for value in values(watched)] == ["2026-01-02", "2026-02-02", "2026-03-02"]


def test_a_window_that_fails_is_tried_again_as_its_policy_says(bed):
    left = [RunStatus.FAILED, RunStatus.FAILED]
    bed.workspace.takes = 1
    bed.workspace.ends = lambda _body: left.pop() if left else RunStatus.FINISHED
    one = WINDOWS | {"startTime": "2026-03-02T08:00:00Z", "retryPolicy": {"count": 2, "intervalInSeconds": 40}}
    watched = Firing(bed, "TumblingWindowTrigger", one, "x", do=TRAIN).run(60)
    assert [run.status.value for run in watched.runs] == ["Failed", "Failed", "Succeeded"]


NAMES = "@concat(triggerBody().folderPath, ' ', triggerBody().fileName)"


def test_a_blob_event_fires_one_run_a_file_with_its_folder_and_name_sub_folders_too(bed):
    bed.workspace.put("in/old.csv")

    def then(second):
        if second == 2:
            bed.workspace.put("in/a b.csv")
            bed.workspace.put("in/deep/é.csv")
            bed.workspace.put("out/c.csv")
            bed.workspace.put("in/empty.csv", size=0)

    watched = Firing(bed, "BlobEventsTrigger", IN, NAMES).run(10, then)
    assert sorted(values(watched)) == ["data/in a b.csv", "data/in/deep é.csv"]
    assert watched.place == "workspaceblobstore/in"


def test_a_blob_that_is_written_again_is_an_event_and_one_that_goes_is_another_kind(bed):
    bed.workspace.put("in/a.csv")

    def then(second):
        if second == 2:
            bed.workspace.put("in/a.csv", etag="2")
        if second == 5:
            del bed.workspace.files["in/a.csv"]

    assert len(Firing(bed, "BlobEventsTrigger", IN, NAMES).run(4, then).runs) == 1
    assert len(Firing(bed, "BlobEventsTrigger", IN | {"events": [DELETED]}, NAMES).run(10, then).runs) == 1


def test_a_file_at_the_root_has_the_container_as_its_folder(bed):
    watched = Firing(bed, "BlobEventsTrigger", IN | {"blobPathBeginsWith": "/data/blobs/"}, NAMES).run(
        5, lambda second: bed.workspace.put("a.csv") if second == 1 else None
    )
    assert values(watched) == ["data a.csv"]


@pytest.mark.parametrize(
    ("begins", "ends", "fires"),
    [
        ("/data/blobs/in/", "", ["in/a.csv", "in/b.txt"]),
        ("/data/blobs/in/a", "", ["in/a.csv"]),
        ("/data/blobs/in", "", ["in/a.csv", "in/b.txt", "inner.csv"]),
        ("/data/", ".csv", ["in/a.csv", "inner.csv"]),
        ("", ".txt", ["in/b.txt"]),
    ],
)
def test_paths_begin_and_end_as_the_trigger_says(bed, begins, ends, fires):
    def then(second):
        if second == 1:
            for name in ("in/a.csv", "in/b.txt", "inner.csv"):
                bed.workspace.put(name)

    properties = IN | {"blobPathBeginsWith": begins, "blobPathEndsWith": ends}
    watched = Firing(bed, "BlobEventsTrigger", properties, "@triggerBody().fileName").run(4, then)
    assert sorted(values(watched)) == [name.rpartition("/")[2] for name in fires]


def test_no_more_runs_at_once_than_the_pipeline_allows(bed):
    def then(second):
        if second == 1:
            for name in "abc":
                bed.workspace.put(f"in/{name}")

    slow = activity("Wait", waitTimeInSeconds=10)
    watched = Firing(bed, "BlobEventsTrigger", IN, NAMES, do=slow, concurrency=1).run(5, then)
    assert [(run.started - START).seconds for run in watched.runs] == [2, 12, 22]


def test_a_folder_stands_for_the_container_when_it_is_named(bed):
    bed.workspace.stores = [Datastore(name="here", folder="/tmp/x", is_default=True)]
    firing = Firing(bed, "BlobEventsTrigger", IN, NAMES)
    with pytest.raises(InvalidInput, match="--datastore here"):
        firing.run(1)
    watched = firing.run(4, lambda second: bed.workspace.put("in/a") if second == 1 else None, datastore="here")
    assert values(watched) == ["data/in a"]


def test_a_datastore_in_another_container_is_refused(bed):
    bed.workspace.stores.append(Datastore(name="other", account="a", container="elsewhere"))
    with pytest.raises(InvalidInput, match="is in 'elsewhere'"):
        Firing(bed, "BlobEventsTrigger", IN, NAMES).run(1, datastore="other")


def test_what_fires_with_values_that_do_not_fit_is_told_and_the_trigger_goes_on(bed):
    firing = Firing(bed, "BlobEventsTrigger", IN, "@triggerBody().fileName", declared="Int")

    def then(second):
        if second == 1:
            bed.workspace.put("in/5")
            bed.workspace.put("in/five")

    watched = firing.run(4, then)
    assert values(watched) == [5]
    assert len(watched.failures) == 1
    assert '"five"' in watched.failures[0]


def test_a_look_that_fails_is_told_once_and_the_next_one_sees_what_came_meanwhile(bed):
    look = bed.workspace.objects

    async def fails(*_args, **_options):
        raise ServiceError("the container does not answer")

    def then(second):
        bed.workspace.objects = fails if second in (2, 3) else look
        if second == 2:
            bed.workspace.put("in/a.csv")

    watched = Firing(bed, "BlobEventsTrigger", IN, NAMES).run(6, then)
    assert values(watched) == ["data/in a.csv"]
    assert watched.failures == ["a look at workspaceblobstore failed: the container does not answer"]


def test_interrupting_a_trigger_cancels_the_ml_runs_of_what_it_started(bed):
    bed.workspace.takes = 10**6
    firing = Firing(bed, "TumblingWindowTrigger", WINDOWS | {"maxConcurrency": 2}, "x", do=TRAIN)

    async def go():
        work = run_trigger(bed.runner(firing.factory), firing.factory.trigger("t"), 60, {})
        task = asyncio.ensure_future(work)
        await bed.clock.pass_time(10)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(go())
    assert sorted(bed.workspace.cancelled) == ["run-1", "run-2"]


MISTAKES = {
    "another kind": ("CustomEventsTrigger", {}, "CustomEventsTrigger, which does not run here"),
    "no recurrence": ("ScheduleTrigger", {}, "has no recurrence"),
    "days of a month": ("ScheduleTrigger", {"recurrence": HOURLY | {"schedule": {"monthDays": [1]}}}, "'monthDays'"),
    "the last day": ("ScheduleTrigger", {"recurrence": MONTHLY | {"schedule": {"monthDays": [-1]}}}, "-1"),
    "every third Friday": (
        "ScheduleTrigger",
        {"recurrence": MONTHLY | {"schedule": {"monthlyOccurrences": [{}]}}},
        "monthlyO",
    ),
    "every other month": (
        "ScheduleTrigger",
        {"recurrence": MONTHLY | {"interval": 2, "schedule": {"hours": [1]}}},
        "every month",
    ),
    "years": ("ScheduleTrigger", {"recurrence": HOURLY | {"frequency": "Year"}}, "'Year' does not run here"),
    "no such zone": ("ScheduleTrigger", {"recurrence": HOURLY | {"timeZone": "Mars"}}, "Mars"),
    "no time": ("ScheduleTrigger", {"recurrence": HOURLY | {"startTime": "today"}}, "'today' is no date"),
    "windows that need others": ("TumblingWindowTrigger", WINDOWS | {"dependsOn": []}, "'dependsOn'"),
    "windows by day": ("TumblingWindowTrigger", WINDOWS | {"frequency": "Day"}, "'Day' does not run here"),
    "too many at once": ("TumblingWindowTrigger", WINDOWS | {"maxConcurrency": 51}, "1 to 50"),
    "no event": ("BlobEventsTrigger", IN | {"events": []}, "no event of blobs"),
    "an unknown event": ("BlobEventsTrigger", IN | {"events": ["BlobCreated"]}, "BlobCreated"),
    "a path without blobs": ("BlobEventsTrigger", IN | {"blobPathBeginsWith": "/data/in/"}, "/CONTAINER/blobs/FOLDER/"),
    "a path without a slash": ("BlobEventsTrigger", IN | {"blobPathBeginsWith": "data/blobs/in"}, "/CONTAINER/blobs"),
    "no path": ("BlobEventsTrigger", IN | {"blobPathBeginsWith": ""}, "neither"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_trigger_that_cannot_run_here_is_refused_by_name(bed, mistake):
    kind, properties, told = MISTAKES[mistake]
    with pytest.raises(InvalidInput) as caught:
        Firing(bed, kind, properties, "x").check()
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("value", "told"),
    [("@concat('a'", "column"), ("@triggerBdy().fileName", "triggerBody"), ("@pipeline().RunId", "pipeline")],
)
def test_a_bad_expression_of_a_trigger_is_told_before_it_fires(bed, value, told):
    with pytest.raises(InvalidInput) as caught:
        Firing(bed, "BlobEventsTrigger", IN, value).check()
    assert told in str(caught.value)


def test_a_parameter_that_the_trigger_leaves_out_is_told_before_it_fires(bed):
    firing = Firing(bed, "BlobEventsTrigger", IN, "x")
    firing.factory.trigger("t").pipelines[0].parameters.clear()
    with pytest.raises(InvalidInput, match="the parameter 'p' has no value"):
        firing.check()
