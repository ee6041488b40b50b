"""What ``WorkspaceClient`` asks, and what it makes of the answers, on our workspaces and on Azure's."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from aml_magics.model.errors import InvalidInput, NotFound, ServiceError
from aml_magics.model.graph import PipelineDefinition, PipelineInput, StepDefinition, StepOutput
from aml_magics.model.resources import (
    DataPath,
    DataPathParameter,
    Host,
    Missed,
    Parameter,
    Schedule,
    Status,
    Step,
    StepStatus,
    Submission,
)
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence
from tests.client.conftest import client_of
from tests.client.service import Service


def schedule_of(pipeline, **fields):
    fixed = {"id": "", "name": "nightly", "pipeline_id": pipeline.id, "experiment_name": "exp"}
    return Schedule(**fixed | {"trigger": Recurrence(frequency="Day", interval=1)} | fields)


@pytest.fixture
def client(service, waits):
    return client_of(service, waits)


@pytest.fixture
def azure_client(azure, waits):
    return client_of(azure, waits)


def test_lists_ask_for_active_ones_unless_told_otherwise(service, client, runner):
    service.add_pipeline("a")
    service.add_pipeline("b", status=Status.DISABLED)
    assert [one.name for one in runner.run(client.pipelines())] == ["a"]
    assert [one.name for one in runner.run(client.pipelines(active_only=False))] == ["a", "b"]


def test_no_secret_of_a_datastore_is_asked_for(service, client, runner):
    runner.run(client.datastores())
    assert service.requests[0].url.params["includeSecret"] == "false"


def test_a_pipeline_of_azure_gets_its_types_from_its_graph(azure, azure_client, runner):
    pipeline = azure.add_data_pipeline()
    found = runner.run(azure_client.pipeline(pipeline.id))
    assert found.parameters == pipeline.parameters
    assert found.data_paths == pipeline.data_paths


def test_values_of_runs_get_the_types_of_their_pipelines_parameters(service, client, runner):
    pipeline = service.add_pipeline()
    run = service.add_run(pipeline, parameters={"learning_rate": "0.5", "epochs": "7"})
    assert runner.run(client.run(run.id)).parameters == {"learning_rate": 0.5, "epochs": 7}


def test_what_is_known_of_a_pipeline_is_not_asked_again(service, client, runner):
    run = service.add_run(service.add_pipeline())
    runner.run(client.run(run.id))
    runner.run(client.run(run.id))
    assert len([call for call in service.calls() if "/Pipelines/" in call]) == 1


def test_the_types_of_many_pipelines_are_learnt_in_one_call(service, client, runner):
    for number in range(20):
        service.add_run(service.add_pipeline(f"p{number}"))
    found = runner.run(client.newest_runs())
    assert all(run.parameters == {"learning_rate": 0.1} for run in found)
    assert len(service.requests) == 2


def test_a_run_outlives_its_pipeline(service, client, runner):
    run = service.add_run(service.add_pipeline())
    service.pipelines.clear()
    assert runner.run(client.run(run.id)).parameters == {"learning_rate": "0.1"}


def test_runs_of_azure_come_from_the_history_of_each_experiment_newest_first(azure, azure_client, runner):
    pipeline = azure.add_pipeline()
    runs = [azure.add_run(pipeline, experiment_name=f"exp{number % 3}") for number in range(9)]
    found = runner.run(azure_client.newest_runs(limit=4))
    assert [run.id for run in found] == [run.id for run in runs[:-5:-1]]


def test_a_run_of_azure_that_is_no_pipelines_is_left_out(azure, azure_client, runner):
    run = azure.add_run(azure.add_pipeline())
    other = {"runId": "x", "runType": "azureml.scriptrun", "createdUtc": "2999-01-01T00:00:00Z"}
    ours = {"runId": run.id, "runType": "azureml.PipelineRun", "createdUtc": "2026-01-01T00:00:00Z"}

    def intercept(request):
        is_query = request.url.path.endswith("/runs:query")
        return httpx.Response(200, json={"value": [other, ours]}) if is_query else None

    azure.intercept = intercept
    assert [one.id for one in runner.run(azure_client.newest_runs())] == [run.id]


def test_no_last_run_is_none_and_no_error(service, client, runner):
    made = runner.run(client.create_schedule(schedule_of(service.add_pipeline())))
    assert runner.run(client.last_run_of_schedule(made.id)) is None


def test_a_submit_carries_everything_and_is_sent_once(service, client, runner):
    pipeline = service.add_data_pipeline()
    submission = Submission(
        experiment_name="exp",
        parameters={"learning_rate": 0.5},
        data_paths={"input_data": DataPath("workspaceblobstore", "in/a.csv")},
        continue_on_step_failure=True,
        parent_run_id="parent",
    )
    runner.run(client.submit(pipeline.id, submission))
    (body,) = service.bodies(f"PipelineSubmit/{pipeline.id}")
    assert body["ParameterAssignments"] == {"learning_rate": "0.5"}
    assert body["DataPathAssignments"] == {
        "input_data": {"DataStoreName": "workspaceblobstore", "RelativePath": "in/a.csv"}
    }
    assert body["ContinueRunOnStepFailure"] is True
    assert service.requests[0].url.params["parentRunId"] == "parent"


STEPS = (
    StepDefinition(name="prepare", command="python a.py", code={"a.py": b"1"}, outputs=("out",)),
    StepDefinition(
        name="fit",
        command="python b.py ${{inputs.rate}}",
        code={"b.py": b"2"},
        inputs={"rate": PipelineInput("learning_rate"), "data": StepOutput("prepare", "out")},
    ),
)
DEFINITION = PipelineDefinition(
    name="train",
    parameters=(Parameter("learning_rate", 0.1),),
    data_paths=(DataPathParameter("input_data"),),
    steps=STEPS,
)


def test_publishing_is_a_module_for_each_step_and_then_the_pipeline(service, client, runner):
    made = runner.run(client.create_pipeline(DEFINITION))
    assert service.changes() == ["POST /Modules", "POST /Modules", "POST /Pipelines/Create"]
    assert (made.name, made.parameters, made.data_paths) == ("train", DEFINITION.parameters, DEFINITION.data_paths)
    assert made.steps == ("prepare", "fit")
    nodes = service.bodies("/Pipelines/Create")[0]["Graph"]["ModuleNodes"]
    assert [(node["Id"], node["ModuleId"]) for node in nodes] == [("prepare", "m1"), ("fit", "m2")]


def test_a_schedule_survives_the_way_there_and_back(service, client, runner):
    pipeline = service.add_data_pipeline()
    wanted = schedule_of(
        pipeline,
        trigger=DatastoreChange(datastore="workspaceblobstore", path_on_datastore="in", recursive=True),
        description="why",
        pipeline_parameters={"learning_rate": 0.5},
        data_paths={"input_data": DataPath("workspaceblobstore", "x")},
        continue_on_step_failure=True,
        missed=Missed.ONCE,
        status=Status.DISABLED,
    )
    made = runner.run(client.create_schedule(wanted))
    assert replace(made, id="", created=None, modified=None) == wanted


def test_disabling_sends_the_whole_entity_back_with_one_change(service, client, runner):
    pipeline = service.add_pipeline()
    trigger = Cron(expression="*/15 * * * *", time_zone="Europe/Lisbon")
    made = runner.run(client.create_schedule(schedule_of(pipeline, trigger=trigger)))
    before = dict(service.schedules[made.id])
    disabled = runner.run(client.set_schedule_status(made.id, Status.DISABLED))
    assert disabled == replace(made, status=Status.DISABLED)
    assert service.schedules[made.id] == before | {"EntityStatus": "Disabled"}
    (put,) = [request for request in service.requests if request.method == "PUT"]
    assert b'"AmlMagics"' in put.content


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"trigger": Cron(expression="0 6 * * 1")}, "cron"),
        ({"trigger": Recurrence(frequency="Second", interval=5)}, "Second"),
        ({"trigger": DatastoreChange(datastore="workspaceblobstore", recursive=True)}, "recursive"),
        ({"missed": Missed.ALL}, "missed"),
        ({"status": Status.DISABLED}, "status"),
    ],
)
def test_what_azure_cannot_host_is_refused_by_name_and_not_sent(azure, azure_client, runner, fields, word):
    with pytest.raises(InvalidInput, match=word):
        runner.run(azure_client.create_schedule(schedule_of(azure.add_pipeline(), **fields)))
    assert azure.requests == []


def test_nothing_of_ours_is_sent_to_azure(azure, azure_client, runner):
    made = runner.run(azure_client.create_schedule(schedule_of(azure.add_pipeline())))
    assert made.host is Host.SERVICE_V1
    assert "AmlMagics" not in azure.bodies("/Schedules/Create")[0]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.status(),
        lambda client: client.history("x"),
        lambda client: client.objects("workspaceblobstore"),
        lambda client: client.read_object("workspaceblobstore", "x"),
        lambda client: client.write_object("workspaceblobstore", "x", b""),
        lambda client: client.create_pipeline(DEFINITION),
    ],
)
def test_what_only_our_workspaces_do_is_refused_on_azure_before_it_is_sent(azure, azure_client, runner, call):
    with pytest.raises(InvalidInput, match="embedded workspace only"):
        runner.run(call(azure_client))
    assert azure.requests == []


def provisioning(service, states):
    left = list(states)

    def intercept(request):
        if request.url.path.endswith("/Schedules/Create") or (
            "/Schedules/" in request.url.path and request.method == "GET"
        ):
            word = left.pop(0) if len(left) > 1 else left[0]
            body = {"Id": "x", "Name": "n", "PipelineId": "p", "ScheduleType": "0", "ProvisioningStatus": word}
            return httpx.Response(200, json=body | {"Recurrence": {"Frequency": "Day", "Interval": 1}})
        return None

    service.intercept = intercept


def test_a_schedule_is_waited_for_until_it_is_provisioned(azure, azure_client, runner, waits):
    provisioning(azure, ["Provisioning", "1", "Completed"])
    made = runner.run(azure_client.create_schedule(schedule_of(azure.add_pipeline())))
    assert made.id == "x"
    assert waits.pauses == [1.0, 2.0]


@pytest.mark.parametrize("word", ["Failed", "2"])
def test_a_schedule_that_cannot_be_provisioned_is_an_error(azure, azure_client, runner, word):
    provisioning(azure, ["Provisioning", word])
    with pytest.raises(ServiceError, match=r"could not provision the schedule 'n' \(x\)"):
        runner.run(azure_client.create_schedule(schedule_of(azure.add_pipeline())))


def test_provisioning_is_not_waited_for_for_ever(azure, azure_client, runner, waits):
    provisioning(azure, ["Provisioning"])
    with pytest.raises(ServiceError, match="still provisioning"):
        runner.run(azure_client.create_schedule(schedule_of(azure.add_pipeline())))
    assert 500 < sum(waits.pauses) < 700


def test_steps_come_in_the_order_of_the_pipeline(service, client, runner):
    run = service.add_run(service.add_pipeline(steps=("c", "a", "b")))
    service.steps[run.id] = [Step(id=name, run_id=run.id, name=name) for name in ("a", "b", "c")]
    assert [step.name for step in runner.run(client.steps(run))] == ["c", "a", "b"]


def test_steps_of_an_unknown_pipeline_come_in_the_order_in_which_they_started(azure, azure_client, runner):
    run = azure.add_run(azure.add_pipeline())
    started = {"b": 1, "a": 2}
    azure.steps[run.id] = [
        Step(id=name, run_id=run.id, name=name, started=datetime(2026, 3, 2, tzinfo=UTC).replace(hour=hour))
        for name, hour in started.items()
    ] + [Step(id="z", run_id=run.id, name="z")]
    assert [step.name for step in runner.run(azure_client.steps(run))] == ["b", "a", "z"]


def test_a_child_run_is_no_step(service, client, runner):
    run = service.add_run(service.add_pipeline())
    service.steps[run.id] = [Step(id="fit", run_id=run.id, name="fit", status=StepStatus.FINISHED)]

    def intercept(request):
        if not request.url.path.endswith("/children"):
            return None
        return httpx.Response(
            200,
            json={
                "value": [
                    {"runId": "child", "runType": "azureml.PipelineRun", "name": "child"},
                    {"runId": "s", "runType": "azureml.StepRun", "name": "fit", "tags": {"azureml.nodeid": "fit"}},
                ]
            },
        )

    service.intercept = intercept
    assert [step.name for step in runner.run(client.steps(run))] == ["fit"]


def test_an_answer_that_makes_no_sense_is_a_service_error_that_names_the_thing(service, client, runner):
    made = runner.run(client.create_schedule(schedule_of(service.add_pipeline())))
    service.schedules[made.id]["Recurrence"] = {"Frequency": "Fortnight", "Interval": 1}
    with pytest.raises(ServiceError, match="schedule 'nightly' cannot be read"):
        runner.run(client.schedules())


@pytest.mark.parametrize("name", ["a b", "a/b", "..", "ü", "?x=1#y", "%2e"])
def test_odd_names_stay_one_segment(service, client, runner, name):
    with pytest.raises(NotFound):
        runner.run(client.experiment(name))
    raw = service.requests[0].url.raw_path.decode().partition("?")[0]
    assert raw.split("/")[-2] == "experiments"


def test_the_repr_of_a_client_asks_nothing(service, client):
    assert repr(client) == "<WorkspaceClient w.example>"
    assert service.requests == []


def test_a_service_that_is_azure_answers_without_our_additions():
    assert "AmlMagics" not in Service(is_azure=True)._pipeline(Service().add_pipeline())
