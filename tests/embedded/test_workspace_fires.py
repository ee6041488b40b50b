"""The workspace as the engine's host: what fires, what does not, and the runs that fires become."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aml_magics.model.errors import AmlError
from aml_magics.model.resources import DataPath, Fire, Status
from aml_magics.model.triggers import Recurrence
from aml_magics.wire import v1
from tests.embedded.app_bed import ECHO, INCOMING, NEEDY, TRAIN, on_a_workspace, opened

EVERY_MINUTE = Recurrence(frequency="Minute")
QUICK = {"Name": "empty", "GraphInterface": v1.interface_to(TRAIN.parameters, TRAIN.data_paths)}


async def quick(bed):
    """A pipeline with parameters and no steps: its runs end at once, so tests on a standing clock need not wait."""
    return (await bed.pipelines("POST", "/Pipelines/Create", QUICK)).body["Id"]


async def fired_for(bed, schedule_id):
    """The paths of the runs that a schedule has started, once there is one; newest first."""
    await bed.until(lambda: bed.runs_of(schedule_id))
    return [run["DataPathAssignments"]["input_data"]["RelativePath"] for run in await bed.runs_of(schedule_id)]


def fire_of(schedule_id, key="key-1", objects=()):
    return Fire(key=key, schedule_id=schedule_id, reason="clock", decided=datetime.now(UTC), objects=objects)


def submit(bed, fire):
    with bed.workspace._database.transaction() as connection:
        return bed.workspace.submit(connection, fire)


def test_a_schedule_without_a_start_fires_at_once_and_then_on_time(tmp_path, clock):
    async def play(bed):
        made = (await bed.create(EVERY_MINUTE, pipeline_id=await quick(bed))).body
        await clock.pass_time(1)
        assert len(await bed.runs_of(made["Id"])) == 1
        await clock.pass_time(120)
        assert len(await bed.runs_of(made["Id"])) == 3

    on_a_workspace(tmp_path, play, clock=clock)


def test_the_run_of_a_fire_has_the_fires_key_and_what_the_schedule_gives(tmp_path, clock):
    async def play(bed):
        given = {
            "pipeline_parameters": {"epochs": 9},
            "data_paths": {"input_data": DataPath("workspaceblobstore", "mine")},
            "description": "nightly",
            "continue_on_step_failure": True,
        }
        made = (await bed.create(EVERY_MINUTE, pipeline_id=await quick(bed), **given)).body
        await clock.pass_time(1)
        history = v1.history_from((await bed.extras("GET", f"/schedules/{made['Id']}/history")).body)
        run = v1.run_from((await bed.runs_of(made["Id"]))[0], parameters=TRAIN.parameters)
        assert [fire.run_id for fire in history.fires] == [run.id] == [history.fires[0].key]
        assert (run.source, run.schedule_id, run.experiment_name) == ("Schedule", made["Id"], "MyExperiment")
        assert run.parameters == {"learning_rate": 0.1, "epochs": 9, "verbose": True}
        assert run.data_paths == given["data_paths"]
        assert (run.description, run.continue_on_step_failure) == ("nightly", True)
        last = (await bed.pipelines("GET", f"/PipelineRuns/Schedule/{made['Id']}/Last")).body
        assert last["Id"] == run.id

    on_a_workspace(tmp_path, play, clock=clock)


def test_a_schedule_that_has_not_fired_has_no_last_run(tmp_path):
    async def play(bed):
        made = (await bed.create(INCOMING)).body
        answer = await bed.pipelines("GET", f"/PipelineRuns/Schedule/{made['Id']}/Last")
        assert (answer.status, answer.body) == (204, "")
        assert await bed.runs_of(made["Id"]) == []

    on_a_workspace(tmp_path, play)


def test_a_schedule_that_is_disabled_at_birth_never_fires(tmp_path, clock):
    async def play(bed):
        made = (await bed.create(EVERY_MINUTE, pipeline_id=await quick(bed), status=Status.DISABLED)).body
        await clock.pass_time(300)
        assert await bed.runs_of(made["Id"]) == []
        assert await bed.schedules() == []

    on_a_workspace(tmp_path, play, clock=clock)


def test_disabling_stops_a_schedule_at_once_and_enabling_starts_it_again(tmp_path, clock):
    async def play(bed):
        made = (await bed.create(EVERY_MINUTE, pipeline_id=await quick(bed))).body
        await clock.pass_time(61)
        before = len(await bed.runs_of(made["Id"]))
        await bed.disable(made["Id"])
        await clock.pass_time(600)
        assert len(await bed.runs_of(made["Id"])) == before == 2
        await bed.enable(made["Id"])
        await clock.pass_time(60)
        assert len(await bed.runs_of(made["Id"])) == 3

    on_a_workspace(tmp_path, play, clock=clock)


def test_a_fire_of_a_schedule_that_is_not_active_any_more_is_dropped(tmp_path):
    async def play(bed):
        made = (await bed.create(INCOMING)).body
        await bed.disable(made["Id"])
        assert submit(bed, fire_of(made["Id"])) is None
        assert submit(bed, fire_of("none")) is None
        assert await bed.runs_of(made["Id"]) == []

    on_a_workspace(tmp_path, play)


def test_the_same_fire_makes_one_run(tmp_path):
    async def play(bed):
        made = (await bed.create(INCOMING, pipeline_id=await quick(bed))).body
        assert submit(bed, fire_of(made["Id"])) == submit(bed, fire_of(made["Id"])) == "key-1"
        assert len(await bed.runs_of(made["Id"])) == 1

    on_a_workspace(tmp_path, play)


def test_a_fire_whose_transaction_is_undone_leaves_no_run_and_no_experiment(tmp_path):
    async def play(bed):
        made = (await bed.create(INCOMING, pipeline_id=await quick(bed))).body

        def fails():
            with bed.workspace._database.transaction() as connection:
                bed.workspace.submit(connection, fire_of(made["Id"]))
                raise KeyError("somebody else failed")

        with pytest.raises(KeyError):
            fails()
        assert await bed.runs_of(made["Id"]) == []
        assert (await bed.history("GET", "/experiments/MyExperiment")).status == 404

    on_a_workspace(tmp_path, play)


def test_a_fire_that_the_pipeline_cannot_take_is_refused_with_the_reason(tmp_path):
    async def play(bed):
        pipeline_id = await quick(bed)
        made = (await bed.create(INCOMING, pipeline_id=pipeline_id)).body
        with bed.workspace._database.transaction() as connection:  # as an older version, or a hand, might leave it
            connection.execute("UPDATE pipelines SET status = 'Disabled', revision = 2 WHERE id = ?", (pipeline_id,))
        with pytest.raises(AmlError, match="pipeline 'empty' is Disabled"):
            submit(bed, fire_of(made["Id"]))

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    ("per", "objects", "path"),
    [
        ("file", ("incoming/a.csv",), "incoming/a.csv"),
        ("batch", ("incoming/a.csv", "incoming/b.csv"), "incoming"),
        ("batch", ("incoming/a.csv",), "incoming"),
    ],
)
def test_the_data_path_of_a_change_is_the_changed_object_or_the_folder_of_a_batch(tmp_path, per, objects, path):
    async def play(bed):
        trigger = replace(INCOMING, data_path_parameter_name="input_data", per=per)
        made = (await bed.create(trigger, pipeline_id=await bed.publish(NEEDY))).body
        run_id = submit(bed, fire_of(made["Id"], objects=objects))
        run = v1.run_from((await bed.pipelines("GET", f"/PipelineRuns/{run_id}")).body)
        assert run.data_paths == {"input_data": DataPath("workspaceblobstore", path)}

    on_a_workspace(tmp_path, play)


def test_a_change_schedule_fires_for_what_comes_and_not_for_what_was_there(tmp_path):
    async def play(bed):
        bed.drop("incoming/old.csv")
        trigger = replace(INCOMING, data_path_parameter_name="input_data", per="file", settle=timedelta(0))
        made = (await bed.create(trigger, pipeline_id=await bed.publish())).body
        bed.drop("incoming/new.csv")
        assert await fired_for(bed, made["Id"]) == ["incoming/new.csv"]
        (run,) = await bed.runs_of(made["Id"])
        assert (await bed.finished(run["Id"]))["Status"]["StatusCode"] == "Finished"

    on_a_workspace(tmp_path, play)


def test_a_removed_file_starts_a_run_with_the_path_where_it_was(tmp_path):
    async def play(bed):
        bed.drop("incoming/kept.csv")
        bed.drop("incoming/old.csv")
        trigger = replace(INCOMING, data_path_parameter_name="input_data", per="file", on="removed")
        made = (await bed.create(trigger, pipeline_id=await quick(bed))).body
        (bed.folder / "incoming/old.csv").unlink()
        assert await fired_for(bed, made["Id"]) == ["incoming/old.csv"]
        told = v1.history_from((await bed.extras("GET", f"/schedules/{made['Id']}/history")).body)
        assert [fire.reason for fire in told.fires] == ["removed"]
        assert told.condition == "on: removed"

    on_a_workspace(tmp_path, play)


def test_a_change_schedule_that_asks_for_another_kind_of_change_begins_from_then(tmp_path):
    async def play(bed):
        bed.drop("incoming/old.csv")
        trigger = replace(INCOMING, data_path_parameter_name="input_data", per="file", settle=timedelta(0))
        made = (await bed.create(trigger, pipeline_id=await quick(bed))).body
        changed = {"AmlMagics": {**made["AmlMagics"], "On": ["removed"]}}
        moved = await bed.pipelines("PUT", f"/Schedules/{made['Id']}", changed)
        assert v1.schedule_from(moved.body).trigger.on == ("removed",)
        (bed.folder / "incoming/old.csv").unlink()
        assert await fired_for(bed, made["Id"]) == ["incoming/old.csv"]

    on_a_workspace(tmp_path, play)


def test_a_change_schedule_that_is_enabled_again_begins_from_then(tmp_path):
    async def play(bed):
        trigger = replace(INCOMING, data_path_parameter_name="input_data", per="file", settle=timedelta(0))
        made = (await bed.create(trigger, pipeline_id=await quick(bed))).body
        await bed.disable(made["Id"])
        bed.drop("incoming/meanwhile.csv")
        assert (await bed.enable(made["Id"])).body["EntityStatus"] == "Active"
        bed.drop("incoming/after.csv")
        assert await fired_for(bed, made["Id"]) == ["incoming/after.csv"]

    on_a_workspace(tmp_path, play)


def test_a_change_schedule_that_is_pointed_elsewhere_does_not_fire_for_what_is_there(tmp_path):
    async def play(bed):
        bed.drop("other/old.csv")
        trigger = replace(INCOMING, data_path_parameter_name="input_data", per="file", settle=timedelta(0))
        made = (await bed.create(trigger, pipeline_id=await quick(bed))).body
        info = {**made["DataStoreTriggerInfo"], "PathOnDataStore": "other"}
        moved = await bed.pipelines("PUT", f"/Schedules/{made['Id']}", {"DataStoreTriggerInfo": info})
        assert v1.schedule_from(moved.body).trigger.path_on_datastore == "other"
        bed.drop("other/new.csv")
        assert await fired_for(bed, made["Id"]) == ["other/new.csv"]

    on_a_workspace(tmp_path, play)


def test_an_update_that_another_one_overtakes_is_prepared_again(tmp_path, monkeypatch):
    async def play(bed):
        made = (await bed.create(INCOMING, pipeline_id=await quick(bed))).body
        await bed.disable(made["Id"])
        engine, join = bed.workspace.engine, bed.workspace.engine.join
        calls = []

        async def slow_join(change, commit):
            calls.append(change)
            if len(calls) == 1:  # while this one looks at its place, another client renames the schedule
                await bed.pipelines("PUT", f"/Schedules/{made['Id']}", {"Name": "renamed"})
            await join(change, commit)

        monkeypatch.setattr(engine, "join", slow_join)
        answer = await bed.enable(made["Id"])
        assert (answer.body["Name"], answer.body["EntityStatus"]) == ("renamed", "Active")
        assert len(calls) == 2

    on_a_workspace(tmp_path, play)


def test_a_pipeline_that_is_disabled_while_a_schedule_is_created_refuses_the_schedule(tmp_path, monkeypatch):
    async def play(bed):
        pipeline_id = await quick(bed)
        engine, join = bed.workspace.engine, bed.workspace.engine.join

        async def slow_join(change, commit):
            await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", "Disabled")
            await join(change, commit)

        monkeypatch.setattr(engine, "join", slow_join)
        answer = await bed.create(INCOMING, pipeline_id=pipeline_id)
        assert (answer.status, answer.code) == (400, "PipelineDisabled")
        assert await bed.schedules() == []

    on_a_workspace(tmp_path, play)


def test_only_active_schedules_are_watched_and_each_is_read_once_for_each_change(tmp_path):
    async def play(bed):
        first = (await bed.create(INCOMING, name="first")).body
        second = (await bed.create(EVERY_MINUTE, name="second", pipeline_id=first["PipelineId"])).body
        watches = {watch.name: watch for watch in bed.workspace.watches()}
        assert set(watches) == {"first", "second"}
        assert watches["first"].trigger == INCOMING
        assert {watch.name: watch for watch in bed.workspace.watches()}["first"] is watches["first"]
        await bed.disable(second["Id"])
        await bed.pipelines("PUT", f"/Schedules/{first['Id']}", {"Name": "renamed"})
        assert [watch.name for watch in bed.workspace.watches()] == ["renamed"]

    on_a_workspace(tmp_path, play)


def test_two_workspaces_on_one_folder_see_each_others_schedules_and_fire_once(tmp_path, clock):
    async def main():
        async with opened(tmp_path, clock=clock) as one, opened(tmp_path, clock=clock) as two:
            pipeline_id = await quick(one)
            made = (await one.create(EVERY_MINUTE, pipeline_id=pipeline_id)).body
            await clock.pass_time(121)
            assert await two.schedules() == ["MySchedule"]
            assert len(await two.runs_of(made["Id"])) == 3
            await two.disable(made["Id"])
            await clock.pass_time(300)
            assert len(await one.runs_of(made["Id"])) == 3

    asyncio.run(main())


def test_a_pipeline_with_steps_runs_when_its_schedule_fires(tmp_path):
    async def play(bed):
        pipeline_id = await bed.publish(replace(TRAIN, steps=(ECHO,)))
        made = (await bed.create(EVERY_MINUTE, pipeline_id=pipeline_id)).body
        run = (await bed.until(lambda: bed.runs_of(made["Id"])))[0]
        assert (await bed.finished(run["Id"]))["Status"]["StatusCode"] == "Finished"
        log = await bed.pipelines("POST", f"/PipelineRuns/{run['Id']}/Graph/Shareable/STDOUT", ["echo"])
        assert log.body == "0.1\n"

    on_a_workspace(tmp_path, play)


def test_a_schedule_that_cannot_be_read_any_more_is_told_and_does_not_keep_the_others_from_firing(tmp_path, clock):
    async def play(bed):
        odd = (await bed.create(EVERY_MINUTE, name="odd", pipeline_id=await quick(bed))).body
        with bed.workspace._database.transaction() as connection:
            connection.execute(
                "UPDATE schedules SET entity = replace(entity, 'Minute', 'Fortnight'), revision = 2 WHERE id = ?",
                (odd["Id"],),
            )
        good = (await bed.create(EVERY_MINUTE, name="good", pipeline_id=await quick(bed))).body
        await clock.pass_time(61)
        assert len(await bed.runs_of(good["Id"])) == 2
        status = (await bed.extras("GET", "/status")).body
        assert "schedule 'odd'" in status["unreadable"][0]
        assert "Fortnight" in status["unreadable"][0]

    on_a_workspace(tmp_path, play, clock=clock)
