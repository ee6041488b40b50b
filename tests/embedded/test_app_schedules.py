"""Schedules over the protocol: what is kept, what is refused. Firing is in ``test_workspace_fires``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from aml_magics.model.resources import DataPath, Missed, Schedule, Status
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence
from aml_magics.wire import v1
from tests.embedded.app_bed import EVERY_HOUR, INCOMING, NEEDY, on_a_workspace

LATER = datetime(2040, 5, 20, 16, 0)
SDK_BODY = {
    "Name": "MyRecurringSchedule",
    "PipelineSubmissionInfo": {
        "ExperimentName": "MyExperiment",
        "Description": "Based on time",
        "ParameterAssignments": {},
        "DataPathAssignments": {},
        "DataSetDefinitionValueAssignments": {},
        "Properties": {"azureml.git.branch": "main"},
    },
    "ScheduleType": "0",
    "Recurrence": {"Frequency": "Minute", "Interval": 15},
}


def test_a_schedule_as_the_sdk_sends_it_is_kept_and_answered(tmp_path):
    async def play(bed):
        made = await bed.pipelines("POST", "/Schedules/Create", {**SDK_BODY, "PipelineId": await bed.publish()})
        assert made.status == 200
        entity = (await bed.pipelines("GET", f"/Schedules/{made.body['Id']}")).body
        assert entity == made.body
        assert entity["EntityStatus"] == "Active"
        assert entity["ProvisioningStatus"] == "Completed"
        assert entity["ScheduleType"] == "Recurrence"
        assert entity["Recurrence"] == {"Frequency": "Minute", "Interval": 15}
        assert entity["PipelineSubmissionInfo"]["Properties"] == {"azureml.git.branch": "main"}
        assert v1.schedule_from(entity).trigger == Recurrence(frequency="Minute", interval=15)

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    "trigger",
    [
        Recurrence(
            frequency="Week",
            interval=2,
            start_time=LATER,
            time_zone="Pacific Standard Time",
            week_days=("Monday",),
            hours=(18,),
            minutes=(30,),
        ),
        Recurrence(frequency="Day", start_time=LATER, time_zone="Europe/Lisbon"),
        Recurrence(frequency="Second", interval=5, start_time=LATER),
        Cron(expression="0 6 * * 1-5", time_zone="America/Sao_Paulo", start_time=LATER),
        INCOMING,
        replace(INCOMING, polling_interval=timedelta(seconds=5), recursive=True, settle=timedelta(seconds=2)),
        replace(INCOMING, pattern="*.csv", min_size=1000, per="file", max_runs_per_poll=3),
        replace(INCOMING, on=("added", "removed")),
        replace(INCOMING, on=(), append_only=True),
    ],
    ids=lambda trigger: type(trigger).__name__,
)
def test_every_trigger_comes_back_as_it_was_given(tmp_path, trigger):
    async def play(bed):
        given = {"missed": Missed.ONCE, "description": "d", "continue_on_step_failure": False}
        made = (await bed.create(trigger, pipeline_parameters={"epochs": 5}, **given)).body
        read = v1.schedule_from(made, parameters=v1.pipeline_from(await published(bed, made)).parameters)
        assert read.trigger == trigger
        assert {name: getattr(read, name) for name in given} == given
        assert read.pipeline_parameters == {"epochs": 5}

    async def published(bed, made):
        return (await bed.pipelines("GET", f"/Pipelines/{made['PipelineId']}")).body

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    ("trigger", "shown"),
    [
        (Cron(expression="0 6 * * 1-5", time_zone="Europe/Lisbon"), ("Cron", "GMT Standard Time")),
        (Recurrence(frequency="Second", start_time=LATER, time_zone="Antarctica/Troll"), ("Second", "UTC")),
        (Recurrence(frequency="Day", start_time=LATER, time_zone="Omsk Standard Time"), ("Day", "UTC")),
    ],
)
def test_microsofts_sdk_is_never_shown_a_zone_that_it_does_not_know(tmp_path, trigger, shown):
    async def play(bed):
        recurrence = (await bed.create(trigger)).body["Recurrence"]
        assert (recurrence["Frequency"], recurrence["TimeZone"]) == shown

    on_a_workspace(tmp_path, play)


def test_schedules_are_listed_by_status_and_by_pipeline(tmp_path, clock):
    async def play(bed):
        one, two = await bed.publish(), await bed.publish()
        first = (await bed.create(name="first", pipeline_id=one)).body
        clock.advance(1)
        await bed.create(name="second", pipeline_id=two)
        await bed.disable(first["Id"])

        async def names(path, **params):
            return [item["Name"] for item in (await bed.pipelines("GET", path, params=params)).body]

        assert await names("/Schedules", activeOnly="true") == ["second"]
        assert await names("/Schedules", activeOnly="false") == ["second", "first"]
        assert await names("/Schedules") == ["second", "first"]
        assert await names(f"/Schedules/Pipeline/{one}") == ["first"]

    on_a_workspace(tmp_path, play, clock=clock)


def test_an_update_changes_what_it_sends_and_keeps_the_rest(tmp_path):
    async def play(bed):
        made = (await bed.create(description="before", pipeline_parameters={"epochs": 5})).body
        body = {"name": "renamed", "pipelineSubmissionInfo": {"description": "after"}, "Strange": {"kept": [1]}}
        updated = (await bed.pipelines("PUT", f"/Schedules/{made['Id']}", body)).body
        read = v1.schedule_from(updated)
        assert (read.name, read.description, read.experiment_name) == ("renamed", "after", "MyExperiment")
        assert read.pipeline_parameters == {"epochs": "5"}
        assert updated["Strange"] == {"kept": [1]}
        assert updated["CreatedDate"] == made["CreatedDate"]
        assert updated["Etag"] != made["Etag"]
        again = (await bed.pipelines("PUT", f"/Schedules/{made['Id']}", {"EntityStatus": "2"})).body
        assert (again["EntityStatus"], again["Strange"]) == ("Disabled", {"kept": [1]})

    on_a_workspace(tmp_path, play)


def test_a_field_that_is_sent_as_null_is_cleared(tmp_path):
    async def play(bed):
        made = (await bed.create(continue_on_step_failure=True)).body
        schedule = replace(v1.schedule_from(made), continue_on_step_failure=None, trigger=INCOMING)
        updated = (await bed.pipelines("PUT", f"/Schedules/{made['Id']}", v1.schedule_to(schedule))).body
        assert "ContinueRunOnStepFailure" not in updated["PipelineSubmissionInfo"]
        assert "Recurrence" not in updated
        assert v1.schedule_from(updated).trigger == INCOMING

    on_a_workspace(tmp_path, play)


def without_ours(entity):
    """An entity as Microsoft's SDK sends it back: the fields that it does not know are lost."""
    return {name: value for name, value in entity.items() if name != "AmlMagics"}


def test_a_client_that_does_not_know_our_additions_does_not_lose_them(tmp_path):
    async def play(bed):
        trigger = Cron(expression="0 6 * * *", time_zone="Europe/Lisbon")
        made = (await bed.create(trigger, missed=Missed.ALL)).body
        body = {**without_ours(made), "EntityStatus": "Disabled", "Name": "renamed"}
        updated = (await bed.pipelines("PUT", f"/Schedules/{made['Id']}", body)).body
        read = v1.schedule_from(updated)
        assert (read.trigger, read.missed, read.status) == (trigger, Missed.ALL, Status.DISABLED)

    on_a_workspace(tmp_path, play)


def test_a_client_that_sends_another_trigger_replaces_the_whole_trigger(tmp_path):
    async def play(bed):
        made = (await bed.create(Cron(expression="0 6 * * *"), missed=Missed.ALL)).body
        body = {**without_ours(made), "Recurrence": {"Frequency": "Day", "Interval": 3}}
        read = v1.schedule_from((await bed.pipelines("PUT", f"/Schedules/{made['Id']}", body)).body)
        assert (read.trigger, read.missed) == (Recurrence(frequency="Day", interval=3), Missed.ALL)

        change = replace(INCOMING, polling_interval=timedelta(seconds=5), recursive=True, pattern="*.csv", on="removed")
        made = (await bed.create(change, name="other")).body
        body = without_ours(made) | {"DataStoreTriggerInfo": {**made["DataStoreTriggerInfo"], "PollingInterval": 7}}
        read = v1.schedule_from((await bed.pipelines("PUT", f"/Schedules/{made['Id']}", body)).body)
        assert read.trigger == replace(INCOMING, polling_interval=timedelta(minutes=7))

    on_a_workspace(tmp_path, play)


REFUSED = [
    ({"name": " "}, 400, "it has no name"),
    ({"pipeline_id": ""}, 400, "it names no pipeline"),
    ({"pipeline_id": "none"}, 404, "there is no pipeline with the id 'none'"),
    ({"experiment_name": ""}, 400, "no experiment is named"),
    ({"experiment_name": "my experiment"}, 400, "cannot be an experiment's name"),
    ({"pipeline_parameters": {"learning_rat": 1.0}}, 400, "Did you mean 'learning_rate'?"),
    ({"pipeline_parameters": {"epochs": "many"}}, 400, "parameter 'epochs' takes a whole number"),
    ({"pipeline_parameters": {"input_data": "a/b"}}, 400, "'input_data' is a data path of it"),
    ({"data_paths": {"inputdata": DataPath("workspaceblobstore", "a")}}, 400, "Did you mean 'input_data'?"),
    ({"data_paths": {"epochs": DataPath("workspaceblobstore", "a")}}, 400, "'epochs' is a parameter of it"),
    ({"data_paths": {"input_data": DataPath("blobstore", "a")}}, 404, "Did you mean 'workspaceblobstore'?"),
    ({"trigger": DatastoreChange(datastore="workspaceblobstor")}, 404, "Did you mean 'workspaceblobstore'?"),
    ({"trigger": replace(INCOMING, data_path_parameter_name="input_dat")}, 400, "Did you mean 'input_data'?"),
    ({"trigger": replace(INCOMING, data_path_parameter_name="epochs")}, 400, "(it is a parameter)"),
]


@pytest.mark.parametrize(("fields", "status", "reason"), REFUSED, ids=[reason for _, _, reason in REFUSED])
def test_a_schedule_whose_every_fire_would_fail_is_refused_with_the_reason(tmp_path, fields, status, reason):
    async def play(bed):
        answer = await bed.create(**{"trigger": EVERY_HOUR, **fields})
        assert (answer.status, reason in answer.message) == (status, True), answer
        assert "\n" not in answer.message
        assert (await bed.pipelines("GET", "/Schedules")).body == []

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"ScheduleType": "1"}, "neither a recurrence nor a datastore"),
        ({"ScheduleType": "0"}, "there is no Recurrence"),
        ({"ScheduleType": "Sometimes"}, "is no schedule type"),
        ({"Recurrence": {"Frequency": "minuto", "Interval": 1}}, "Minute"),
        ({"Recurrence": {"Frequency": "Hour", "Interval": 0}}, "interval"),
        ({"Recurrence": {"Frequency": "Hour", "Interval": "often"}}, "expected a whole number"),
        ({"Recurrence": {"Frequency": "Hour", "Interval": 1, "Schedule": {"Hours": [1]}}}, "hours"),
        ({"Recurrence": {"Frequency": "Day", "Interval": 1, "StartTime": "2026-01-01T00:00:00Z"}}, "has an offset"),
        ({"Recurrence": {"Frequency": "Day", "Interval": 1, "StartTime": "soon"}}, "no ISO 8601"),
        ({"Recurrence": {"Frequency": "Day", "TimeZone": "Moon"}}, "time_zone"),
        ({"Recurrence": []}, "expected a JSON object, got an array"),
        (
            {"ScheduleType": "1", "DataStoreTriggerInfo": {"DataStoreName": "w", "PollingInterval": -1}},
            "polling_interval",
        ),
        ({"ScheduleType": "1", "DataStoreTriggerInfo": {"DataStoreName": "w", "PollingInterval": 10**18}}, "too long"),
        ({"Recurrence": {"Frequency": "Hour"}, "AmlMagics": {"Missed": "perhaps"}}, "is not one of its words"),
        ({"Recurrence": {"Frequency": "Hour"}, "AmlMagics": {"Status": "Off"}}, "is no status"),
    ],
)
def test_a_body_that_makes_no_schedule_is_refused_in_one_line(tmp_path, body, reason):
    async def play(bed):
        answer = await bed.pipelines("POST", "/Schedules/Create", {"Name": "n", **body})
        assert (answer.status, answer.code) == (400, "BadArgument")
        assert reason in answer.message
        assert "\n" not in answer.message

    on_a_workspace(tmp_path, play)


def test_a_schedule_on_a_disabled_pipeline_is_neither_created_nor_enabled_but_can_be_disabled(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish()
        stopped = (await bed.create(name="stopped", pipeline_id=pipeline_id, status=Status.DISABLED)).body
        assert stopped["EntityStatus"] == "Disabled"
        await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", "Disabled")
        for answer in (await bed.create(name="late", pipeline_id=pipeline_id), await bed.enable(stopped["Id"])):
            assert (answer.status, answer.code) == (400, "PipelineDisabled")
            assert "pipeline 'train' is Disabled" in answer.message
        assert (await bed.disable(stopped["Id"])).status == 200

    on_a_workspace(tmp_path, play)


def test_a_data_path_that_every_fire_needs_must_be_given_unless_the_change_gives_it(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish(NEEDY)
        missing = await bed.create(pipeline_id=pipeline_id)
        assert "needs a data path for 'input_data'" in missing.message
        given = {"input_data": DataPath("workspaceblobstore", "a")}
        assert (await bed.create(pipeline_id=pipeline_id, data_paths=given)).status == 200
        by_change = replace(INCOMING, data_path_parameter_name="input_data")
        assert (await bed.create(by_change, pipeline_id=pipeline_id)).status == 200

    on_a_workspace(tmp_path, play)


def test_an_unknown_schedule_is_not_found(tmp_path):
    async def play(bed):
        for method, path in (("GET", ""), ("PUT", "")):
            answer = await bed.pipelines(method, f"/Schedules/none{path}", {} if method == "PUT" else None)
            assert (answer.status, answer.code) == (404, "NotFound")
        for path in ("/PipelineRuns/Schedule/none", "/PipelineRuns/Schedule/none/Last"):
            assert (await bed.pipelines("GET", path)).status == 404
        assert (await bed.extras("GET", "/schedules/none/history")).status == 404

    on_a_workspace(tmp_path, play)


def test_ten_thousand_schedules_are_listed_without_being_read(tmp_path):
    """What is stored is what is answered: listing takes no time per schedule but SQLite's own."""

    async def play(bed):
        made = (await bed.create()).body
        database = bed.workspace._database
        with database.transaction() as connection:
            row = dict(connection.execute("SELECT * FROM schedules").fetchone())
            marks = ", ".join("?" * len(row))
            copies = [tuple({**row, "id": f"copy {number}"}.values()) for number in range(9_999)]
            connection.executemany(f"INSERT INTO schedules ({', '.join(row)}) VALUES ({marks})", copies)
        schedules = bed.workspace.store.schedules
        text = schedules.list_text(active_only=True)
        assert text.count(made["Id"]) == 10_000

    on_a_workspace(tmp_path, play)


def test_a_schedule_value_and_its_entity_are_the_same_thing(tmp_path):
    async def play(bed):
        made = (await bed.create()).body
        schedule = bed.workspace.store.schedules.get(made["Id"])
        assert isinstance(schedule, Schedule)
        assert v1.schedule_from(made) == schedule

    on_a_workspace(tmp_path, play)
