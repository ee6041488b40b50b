"""Pipeline endpoints over the protocol, and schedules on them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from aml_magics.model.errors import AmlError
from aml_magics.model.resources import DataPath, Fire, Parameter, Status
from aml_magics.model.triggers import Recurrence
from aml_magics.wire import v1
from tests.embedded.app_bed import INCOMING, NEEDY, TRAIN, on_a_workspace

EVERY_MINUTE = Recurrence(frequency="Minute")


async def quick(bed, name="train", parameters=TRAIN.parameters, data_paths=TRAIN.data_paths):
    """A pipeline without steps: its runs end at once."""
    body = {"Name": name, "GraphInterface": v1.interface_to(parameters, data_paths)}
    return (await bed.pipelines("POST", "/Pipelines/Create", body)).body["Id"]


async def endpoint(bed, pipeline_id, name="prod", **fields):
    """The entity of a new endpoint."""
    body = {"Name": name, "Description": "in use", "PipelineId": pipeline_id, "Properties": {}, **fields}
    answer = await bed.pipelines("POST", "/PipelineEndpoints/Create", body)
    assert answer.status == 200, answer
    return answer.body


async def put(bed, entity, **changes):
    return await bed.pipelines("PUT", f"/PipelineEndpoints/{entity['Id']}", {**entity, **changes})


def plus(entity, pipeline_id, version):
    return [*entity["PipelineVersionList"], {"Version": version, "PipelineId": pipeline_id}]


async def submit(bed, entity, version=None, **query):
    path = f"/PipelineRuns/PipelineEndpointSubmit/Id/{entity['Id']}" + (f"/{version}" if version else "")
    return await bed.pipelines("POST", path, {"ExperimentName": "MyExperiment"}, params=query)


async def scheduled(bed, entity, trigger=EVERY_MINUTE, **fields):
    return await bed.create(trigger, pipeline_id="", endpoint_id=entity["Id"], **fields)


def fire(bed, schedule, objects=(), then=None):
    """As the engine does it, in a transaction of its own."""
    decided = Fire(key="key-1", schedule_id=schedule["Id"], reason="clock", decided=datetime.now(UTC), objects=objects)
    with bed.workspace._database.transaction() as connection:
        assert bed.workspace.submit(connection, decided) == "key-1"
        if then is not None:
            raise then


def test_a_new_endpoint_has_version_zero_and_is_found_by_id_and_by_name(tmp_path):
    async def play(bed):
        pipeline_id = await quick(bed)
        made = await endpoint(bed, pipeline_id, Properties={"azureml.git.branch": "main"})
        assert (made["DefaultVersion"], made["EntityStatus"], made["Etag"]) == ("0", "Active", '"1"')
        assert made["PipelineVersionList"] == [{"Version": "0", "PipelineId": pipeline_id}]
        assert made["Properties"] == {"azureml.git.branch": "main"}
        assert "PipelineId" not in made
        assert (await bed.pipelines("GET", f"/PipelineEndpoints/Id/{made['Id']}")).body == made
        assert (await bed.pipelines("GET", "/PipelineEndpoints/Name", params={"Name": "prod"})).body == made
        read = v1.endpoint_from(made)
        assert (read.name, read.description, read.pipeline_id) == ("prod", "in use", pipeline_id)

    on_a_workspace(tmp_path, play)


def test_its_url_is_where_its_default_version_is_submitted(tmp_path):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        answer = await bed.client.post(made["Url"], json={"ExperimentName": "MyExperiment"})
        assert answer.json()["PipelineId"] == made["PipelineVersionList"][0]["PipelineId"]

    on_a_workspace(tmp_path, play)


def test_names_in_another_case_are_read_and_answered_as_the_service_writes_them(tmp_path):
    async def play(bed):
        body = {"name": "prod", "pipelineId": await quick(bed), "tags": {"team": "a"}}
        made = (await bed.pipelines("POST", "/PipelineEndpoints/Create", body)).body
        assert made["Name"] == "prod"
        assert made["tags"] == {"team": "a"}
        assert not {"name", "pipelineId"} & made.keys()

    on_a_workspace(tmp_path, play)


def test_an_unknown_endpoint_is_not_found_by_id_or_by_name(tmp_path):
    async def play(bed):
        await endpoint(bed, await quick(bed))
        by_name = await bed.pipelines("GET", "/PipelineEndpoints/Name", params={"Name": "prof"})
        assert (by_name.status, by_name.code) == (404, "NotFound")
        assert "Did you mean 'prod'?" in by_name.message
        for method, path in (
            ("GET", "/PipelineEndpoints/Id/none"),
            ("PUT", "/PipelineEndpoints/none"),
            ("GET", "/PipelineEndpoints/none/pipelines"),
            ("GET", "/Schedules/PipelineEndpoint/none"),
            ("POST", "/PipelineRuns/PipelineEndpointSubmit/Id/none"),
        ):
            answer = await bed.pipelines(method, path, None if method == "GET" else {"ExperimentName": "e"})
            assert (answer.status, answer.code) == (404, "NotFound"), path

    on_a_workspace(tmp_path, play)


def test_endpoints_are_listed_newest_first_active_ones_if_so_asked_and_no_more_than_a_batch(tmp_path, clock):
    async def play(bed):
        made = {}
        for name in ("one", "two", "three"):
            made[name] = await endpoint(bed, await quick(bed), name)
            clock.advance(1)
        await put(bed, made["two"], EntityStatus="Disabled")

        async def names(headers=None, **params):
            answer = await bed.pipelines("GET", "/PipelineEndpoints", params=params, headers=headers)
            return [entity["Name"] for entity in answer.body]

        assert await names(activeOnly="true") == ["three", "one"]
        assert await names(activeOnly="false") == await names() == ["three", "two", "one"]
        assert await names({"BatchSize": "2"}) == ["three", "two"]
        refused = await bed.pipelines("GET", "/PipelineEndpoints", headers={"BatchSize": "many"})
        assert (refused.status, "BatchSize" in refused.message) == (400, True)

    on_a_workspace(tmp_path, play, clock=clock)


def test_the_whole_entity_goes_back_with_a_change_and_what_it_leaves_out_stays(tmp_path):
    async def play(bed):
        first, second = await quick(bed), await quick(bed, "better")
        made = await endpoint(bed, first)
        added = (await put(bed, made, PipelineVersionList=plus(made, second, "1"), DefaultVersion="1")).body
        assert (added["DefaultVersion"], added["Etag"], added["CreatedDate"]) == ("1", '"2"', made["CreatedDate"])
        changes = {"Name": "live", "Description": "renamed", "tags": {"team": "a"}, "Strange": [1]}
        renamed = (await bed.pipelines("PUT", f"/PipelineEndpoints/{made['Id']}", changes)).body
        assert {name: renamed[name] for name in changes} == changes
        assert renamed["PipelineVersionList"] == added["PipelineVersionList"]
        assert (await bed.pipelines("GET", f"/PipelineEndpoints/Id/{made['Id']}")).body == renamed
        path = f"/PipelineEndpoints/{made['Id']}/pipelines"
        assert [one["Name"] for one in (await bed.pipelines("GET", path)).body] == ["train", "better"]
        await bed.pipelines("PUT", f"/Pipelines/{first}/status", "Disabled")
        active = (await bed.pipelines("GET", path, params={"activeOnly": "true"})).body
        assert [one["Url"].rpartition("/")[2] for one in active] == [second]

    on_a_workspace(tmp_path, play)


def test_names_are_unique_among_endpoints_disabled_ones_too(tmp_path):
    async def play(bed):
        pipeline_id = await quick(bed)
        made = await endpoint(bed, pipeline_id)
        await put(bed, made, EntityStatus="Disabled")
        again = await bed.pipelines("POST", "/PipelineEndpoints/Create", {"Name": "prod", "PipelineId": pipeline_id})
        assert (again.status, again.code) == (400, "AlreadyExists")
        other = await endpoint(bed, pipeline_id, "other")
        assert (await put(bed, other, Name="prod")).code == "AlreadyExists"
        assert (await put(bed, other, Name="other")).status == 200
        await put(bed, made, Name="archived")
        assert (await put(bed, other, Name="prod")).status == 200

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"Name": " "}, 400, "cannot be its name"),
        ({"DefaultVersion": "7"}, 400, "default version '7' is none of its versions"),
        ({"EntityStatus": "Sometimes"}, 400, "is no status"),
        ({"PipelineVersionList": []}, 400, "version '0' is pipeline"),
        ({"more": ("one", "none")}, 404, "there is no pipeline with the id 'none'"),
        ({"more": ("1.0", "second")}, 400, "'1.0' cannot be a version"),
        ({"more": ("01", "second")}, 400, "'01' cannot be a version"),
        ({"more": ("0", "second")}, 400, "version '0' is there twice"),
        ({"more": ("1", "first")}, 400, "has two versions"),
    ],
)
def test_a_change_that_makes_no_endpoint_is_refused_in_one_line_and_changes_nothing(tmp_path, changes, status, reason):
    async def play(bed):
        ids = {"first": await quick(bed), "second": await quick(bed), "none": "none"}
        made = await endpoint(bed, ids["first"])
        asked = dict(changes)
        if "more" in asked:
            version, pipeline = asked.pop("more")
            asked["PipelineVersionList"] = plus(made, ids[pipeline], "1" if version == "one" else version)
        answer = await put(bed, made, **asked)
        assert (answer.status, reason in answer.message) == (status, True), answer
        assert "\n" not in answer.message
        assert (await bed.pipelines("GET", f"/PipelineEndpoints/Id/{made['Id']}")).body == made

    on_a_workspace(tmp_path, play)


def test_a_version_that_somebody_else_added_meanwhile_is_not_undone(tmp_path):
    async def play(bed):
        read = await endpoint(bed, await quick(bed))
        await put(bed, read, PipelineVersionList=plus(read, await quick(bed), "1"))
        late = await put(bed, read, PipelineVersionList=plus(read, await quick(bed), "1"))
        assert (late.status, "Read the endpoint again" in late.message) == (400, True)
        assert (await put(bed, read, Description="also late")).status == 400

    on_a_workspace(tmp_path, play)


def test_only_an_active_pipeline_becomes_the_default_version_of_an_active_endpoint(tmp_path):
    async def play(bed):
        stopped = await quick(bed)
        made = await endpoint(bed, await quick(bed))
        await bed.pipelines("PUT", f"/Pipelines/{stopped}/status", "Disabled")
        added = await put(bed, made, PipelineVersionList=plus(made, stopped, "1"))
        assert added.status == 200
        assert (await put(bed, added.body, DefaultVersion="1")).code == "PipelineDisabled"
        new = await bed.pipelines("POST", "/PipelineEndpoints/Create", {"Name": "n", "PipelineId": stopped})
        assert new.code == "PipelineDisabled"

    on_a_workspace(tmp_path, play)


def test_a_submission_starts_the_default_version_or_the_one_that_it_names(tmp_path):
    async def play(bed):
        first, second = await quick(bed), await quick(bed)
        made = await endpoint(bed, first)
        made = (await put(bed, made, PipelineVersionList=plus(made, second, "1"), DefaultVersion="1")).body
        assert (await submit(bed, made)).body["PipelineId"] == second
        assert (await submit(bed, made, "0", pipelineVersion="0")).body["PipelineId"] == first
        assert (await submit(bed, made, pipelineVersion="0")).body["PipelineId"] == first
        parent = (await submit(bed, made)).body["Id"]
        child = (await submit(bed, made, parentRunId=parent)).body["Id"]
        assert (await bed.history("GET", f"/runs/{child}")).body["parentRunId"] == parent
        unknown = await submit(bed, made, "9")
        assert (unknown.status, "has no version '9'. Its versions: 0, 1." in unknown.message) == (404, True)

    on_a_workspace(tmp_path, play)


def test_nothing_is_submitted_to_a_disabled_endpoint_nor_to_a_disabled_version(tmp_path):
    async def play(bed):
        pipeline_id = await quick(bed)
        made = await endpoint(bed, pipeline_id)
        await put(bed, made, EntityStatus="Disabled")
        for answer in (await submit(bed, made), await submit(bed, made, "0")):
            assert (answer.status, answer.code) == (400, "PipelineEndpointDisabled")
            assert "pipeline endpoint 'prod' is Disabled" in answer.message
        assert (await put(bed, made, EntityStatus="Active")).status == 200
        await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", "Disabled")
        assert (await submit(bed, made)).code == "PipelineDisabled"

    on_a_workspace(tmp_path, play)


# schedules on endpoints


def test_a_schedule_on_an_endpoint_is_kept_and_listed_with_it(tmp_path):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        answer = await scheduled(bed, made)
        assert answer.status == 200, answer
        assert answer.body["PipelineEndpointId"] == made["Id"]
        assert "PipelineId" not in answer.body
        assert v1.schedule_from(answer.body).endpoint_id == made["Id"]
        for path in ("/Schedules", f"/Schedules/PipelineEndpoint/{made['Id']}"):
            assert (await bed.pipelines("GET", path)).body == [answer.body]
        other = await endpoint(bed, await quick(bed), "other")
        assert (await bed.pipelines("GET", f"/Schedules/PipelineEndpoint/{other['Id']}")).body == []
        await bed.disable(answer.body["Id"])
        listed = (await bed.pipelines("GET", f"/Schedules/PipelineEndpoint/{made['Id']}")).body
        assert [one["EntityStatus"] for one in listed] == ["Disabled"]

    on_a_workspace(tmp_path, play)


def test_a_fire_starts_what_is_the_default_version_at_that_moment(tmp_path, clock):
    async def play(bed):
        first, second = await quick(bed), await quick(bed)
        made = await endpoint(bed, first)
        schedule = (await scheduled(bed, made, pipeline_parameters={"epochs": 9})).body
        await clock.pass_time(1)
        await put(bed, made, PipelineVersionList=plus(made, second, "1"), DefaultVersion="1")
        await clock.pass_time(60)
        runs = await bed.runs_of(schedule["Id"])
        assert [run["PipelineId"] for run in runs] == [second, first]
        assert {run["ParameterAssignments"]["epochs"] for run in runs} == {"9"}

    on_a_workspace(tmp_path, play, clock=clock)


def test_a_fire_and_its_run_of_an_endpoint_are_one_transaction(tmp_path):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        later = Recurrence(frequency="Day", start_time=datetime(2040, 1, 1))
        schedule = (await scheduled(bed, made, later)).body
        with pytest.raises(RuntimeError, match="killed"):
            fire(bed, schedule, then=RuntimeError("killed"))
        assert await bed.runs_of(schedule["Id"]) == []
        fire(bed, schedule)
        assert [run["Id"] for run in await bed.runs_of(schedule["Id"])] == ["key-1"]

    on_a_workspace(tmp_path, play)


def test_a_fire_whose_values_do_not_fit_the_new_default_version_is_refused_with_the_reason(tmp_path):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        later = Recurrence(frequency="Day", start_time=datetime(2040, 1, 1))
        schedule = (await scheduled(bed, made, later, pipeline_parameters={"epochs": 9})).body
        other = await quick(bed, "other", (Parameter("rate", 1.0),))
        await put(bed, made, PipelineVersionList=plus(made, other, "1"), DefaultVersion="1")
        with pytest.raises(AmlError, match="no parameter 'epochs'"):
            fire(bed, schedule)

    on_a_workspace(tmp_path, play)


def test_a_change_schedule_on_an_endpoint_sets_the_data_path_of_its_default_version(tmp_path):
    async def play(bed):
        made = await endpoint(bed, await quick(bed, "needy", (), NEEDY.data_paths))
        wrong = replace(INCOMING, data_path_parameter_name="input_dat")
        assert "Did you mean 'input_data'?" in (await scheduled(bed, made, wrong)).message
        assert "needs a data path" in (await scheduled(bed, made)).message
        right = replace(INCOMING, data_path_parameter_name="input_data", per="file")
        schedule = (await scheduled(bed, made, right)).body
        fire(bed, schedule, objects=("incoming/a",))
        (run,) = await bed.runs_of(schedule["Id"])
        assert v1.run_from(run).data_paths == {"input_data": DataPath("workspaceblobstore", "incoming/a")}

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"PipelineEndpointId": "none"}, 404, "there is no pipeline endpoint with the id 'none'"),
        ({"PipelineId": "both"}, 400, "it names a pipeline and a pipeline endpoint"),
        ({"PipelineSubmissionInfo": {"ParameterAssignments": {"epoch": "1"}}}, 400, "Did you mean 'epochs'?"),
    ],
)
def test_a_schedule_on_an_endpoint_is_checked_as_one_on_its_default_version(tmp_path, fields, status, reason):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        submission = {"ExperimentName": "MyExperiment", **fields.get("PipelineSubmissionInfo", {})}
        body = {"Name": "n", "PipelineEndpointId": made["Id"], "Recurrence": {"Frequency": "Hour", "Interval": 1}}
        answer = await bed.pipelines(
            "POST", "/Schedules/Create", {**body, **fields, "PipelineSubmissionInfo": submission}
        )
        assert (answer.status, reason in answer.message) == (status, True), answer

    on_a_workspace(tmp_path, play)


def test_an_endpoint_that_active_schedules_use_is_not_disabled_and_they_are_named(tmp_path):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        ids = [(await scheduled(bed, made, name=name)).body["Id"] for name in ("nightly", "hourly")]
        for answer in (await put(bed, made, EntityStatus="Disabled"), await put(bed, made, EntityStatus="Deprecated")):
            assert (answer.status, answer.code) == (400, "PipelineEndpointInUse")
            assert "pipeline endpoint 'prod' is used by active schedules: hourly, nightly" in answer.message
        archived = await put(bed, made, Name="3f2b", EntityStatus="Disabled")
        assert "pipeline endpoint 'prod' is used" in archived.message
        for schedule_id in ids:
            await bed.disable(schedule_id)
        assert (await put(bed, made, EntityStatus="Disabled")).body["EntityStatus"] == "Disabled"
        for answer in (await bed.enable(ids[0]), await scheduled(bed, made, name="late")):
            assert (answer.status, answer.code) == (400, "PipelineEndpointDisabled")

    on_a_workspace(tmp_path, play)


def test_a_pipeline_is_in_use_as_the_default_version_of_an_endpoint_with_an_active_schedule(tmp_path):
    async def play(bed):
        first, second = await quick(bed), await quick(bed)
        made = await endpoint(bed, first)
        made = (await put(bed, made, PipelineVersionList=plus(made, second, "1"))).body
        await scheduled(bed, made, name="nightly")

        async def disable(pipeline_id):
            return await bed.pipelines("PUT", f"/Pipelines/{pipeline_id}/status", "Disabled")

        used = await disable(first)
        assert (used.status, used.code) == (400, "PipelineInUse")
        assert "nightly (on pipeline endpoint 'prod')" in used.message
        assert (await disable(second)).status == 200
        assert (await bed.pipelines("PUT", f"/Pipelines/{second}/status", "Active")).status == 200
        await put(bed, made, DefaultVersion="1")
        assert (await disable(first)).status == 200
        assert (await disable(second)).code == "PipelineInUse"

    on_a_workspace(tmp_path, play)


def test_an_endpoint_that_is_disabled_while_a_schedule_on_it_is_prepared_gets_no_schedule(tmp_path):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        disabled = (await scheduled(bed, made, status=Status.DISABLED)).body
        schedules = bed.workspace.store.schedules
        prepared = schedules.prepare_update(disabled["Id"], {"EntityStatus": "Active"})
        await put(bed, made, EntityStatus="Disabled")
        with bed.workspace.store.transaction() as connection, pytest.raises(v1.EndpointDisabled):
            schedules.write(connection, prepared)
        assert await bed.schedules() == []

    on_a_workspace(tmp_path, play)


def test_a_schedule_moves_between_a_pipeline_and_an_endpoint(tmp_path):
    async def play(bed):
        pipeline_id = await quick(bed)
        made = await endpoint(bed, pipeline_id)
        schedule = (await scheduled(bed, made)).body
        back = v1.schedule_to(replace(v1.schedule_from(schedule), endpoint_id="", pipeline_id=pipeline_id))
        moved = (await bed.pipelines("PUT", f"/Schedules/{schedule['Id']}", back)).body
        assert (moved["PipelineId"], "PipelineEndpointId" in moved) == (pipeline_id, False)
        assert (await bed.pipelines("GET", f"/Schedules/PipelineEndpoint/{made['Id']}")).body == []
        listed = (await bed.pipelines("GET", f"/Schedules/Pipeline/{pipeline_id}")).body
        assert [one["Id"] for one in listed] == [schedule["Id"]]

    on_a_workspace(tmp_path, play)


def test_a_disabled_schedule_on_an_endpoint_does_not_fire(tmp_path, clock):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        schedule = (await scheduled(bed, made, status=Status.DISABLED)).body
        await clock.pass_time(300)
        assert await bed.runs_of(schedule["Id"]) == []

    on_a_workspace(tmp_path, play, clock=clock)


def test_two_who_add_a_version_at_the_same_time_do_not_both_win(tmp_path):
    async def play(bed):
        made = await endpoint(bed, await quick(bed))
        lists = [plus(made, await quick(bed), "1") for _ in range(2)]
        answers = await asyncio.gather(*(put(bed, made, PipelineVersionList=one) for one in lists))
        assert sorted(answer.status for answer in answers) == [200, 400]

    on_a_workspace(tmp_path, play)
