"""The JSON itself, name by name, as Microsoft's SDK sends and reads it (facts: azureml-pipeline-core 1.62)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import Literal, PipelineDefinition, PipelineInput, StepDefinition, StepOutput
from aml_magics.model.resources import (
    DataPath,
    DataPathParameter,
    Host,
    Parameter,
    Pipeline,
    Run,
    RunStatus,
    Schedule,
    Status,
    Step,
    StepStatus,
    Submission,
)
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence
from aml_magics.wire import v1
from aml_magics.wire.casing import Body, merge
from aml_magics.wire.moments import instant_from, instant_to, wall_from, wall_to
from aml_magics.wire.values import parameter_value, typed

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


def schedule(trigger, **fields):
    return Schedule(
        **{"id": "s", "name": "n", "trigger": trigger, "pipeline_id": "p", "experiment_name": "e", **fields}
    )


def test_a_recurrence_is_created_as_the_sdk_creates_it():
    trigger = Recurrence(
        frequency="Week",
        interval=2,
        start_time=datetime(2019, 5, 20, 16),
        time_zone="Pacific Standard Time",
        week_days=("Monday", "Friday"),
        hours=(18,),
        minutes=(30,),
    )
    body = v1.schedule_creation_to(schedule(trigger, description="d", pipeline_parameters={"a": 1.5}))

    assert body == {
        "Name": "n",
        "PipelineId": "p",
        "PipelineSubmissionInfo": {
            "ExperimentName": "e",
            "Description": "d",
            "ParameterAssignments": {"a": "1.5"},
            "DataPathAssignments": {},
            "DataSetDefinitionValueAssignments": {},
        },
        "ScheduleType": "0",
        "Recurrence": {
            "Frequency": "Week",
            "Interval": 2,
            "StartTime": "2019-05-20T16:00:00",
            "TimeZone": "Pacific Standard Time",
            "Schedule": {"Hours": [18], "Minutes": [30], "WeekDays": ["Monday", "Friday"]},
        },
    }


def test_a_change_is_created_as_the_sdk_creates_it():
    trigger = DatastoreChange(datastore="w", path_on_datastore="a/b", data_path_parameter_name="input_data")
    body = v1.schedule_creation_to(schedule(trigger, data_paths={"other": DataPath("w", "x")}))

    assert body["ScheduleType"] == "1"
    assert body["DataStoreTriggerInfo"] == {
        "DataStoreName": "w",
        "PollingInterval": 5,
        "DataPathParameterName": "input_data",
        "PathOnDataStore": "a/b",
    }
    paths = body["PipelineSubmissionInfo"]["DataPathAssignments"]
    assert paths == {"other": {"DataStoreName": "w", "RelativePath": "x"}}
    assert not {"Recurrence", "AmlMagics"} & body.keys()


@pytest.mark.parametrize(
    ("trigger", "additions"),
    [
        (Recurrence(frequency="Hour"), None),
        (Recurrence(frequency="Hour", time_zone="Europe/Lisbon"), {"TimeZone": "Europe/Lisbon"}),
        (
            Cron(expression="0 6 * * 1-5", time_zone="Europe/Lisbon", start_time=datetime(2026, 1, 1)),
            {"Cron": {"Expression": "0 6 * * 1-5", "StartTime": "2026-01-01T00:00:00", "TimeZone": "Europe/Lisbon"}},
        ),
        (DatastoreChange(datastore="w", polling_interval=timedelta(seconds=5)), {"PollingSeconds": 5.0}),
        (DatastoreChange(datastore="w", settle=timedelta(seconds=2)), {"SettleSeconds": 2.0}),
        (DatastoreChange(datastore="w", recursive=True), {"Recursive": True}),
        (DatastoreChange(datastore="w", per="file"), {"Per": "file"}),
        (DatastoreChange(datastore="w", pattern="*.csv"), {"Pattern": "*.csv"}),
        (DatastoreChange(datastore="w", min_size=1024), {"MinSize": 1024}),
        (DatastoreChange(datastore="w", on=("added", "modified")), None),
        (DatastoreChange(datastore="w", on=("removed", "added")), {"On": ["added", "removed"]}),
        (DatastoreChange(datastore="w", append_only=True), {"AppendOnly": True}),
        (
            DatastoreChange(datastore="w", per="file", max_runs_per_poll=5),
            {"Per": "file", "MaxRunsPerPoll": 5},
        ),
    ],
)
def test_our_additions_are_one_object_with_only_what_v1_cannot_say(trigger, additions):
    assert v1.schedule_creation_to(schedule(trigger)).get("AmlMagics") == additions


def test_a_service_that_does_not_know_our_words_refuses_them_and_does_nothing_else_instead():
    """A cron or a second must not become some other recurrence where ``AmlMagics`` is passed over."""
    for trigger, word in ((Cron(expression="* * * * *"), "Cron"), (Recurrence(frequency="Second"), "Second")):
        assert v1.schedule_creation_to(schedule(trigger))["Recurrence"]["Frequency"] == word


def test_a_polling_interval_shows_as_whole_minutes_at_least_one():
    for seconds, minutes in ((5, 1), (60, 1), (61, 2), (300, 5)):
        trigger = DatastoreChange(datastore="w", polling_interval=timedelta(seconds=seconds))
        assert v1.schedule_to(schedule(trigger))["DataStoreTriggerInfo"]["PollingInterval"] == minutes


def test_numbers_stand_for_words_where_the_service_sends_numbers():
    entity = {
        "Id": "s",
        "ScheduleType": "0",
        "EntityStatus": "2",
        "Recurrence": {"Frequency": "1", "Interval": "2", "Schedule": {"WeekDays": [0, "4"], "Hours": ["6"]}},
    }
    read = v1.schedule_from(entity)

    assert (read.status, read.host) == (Status.DISABLED, Host.SERVICE_V1)
    assert read.trigger == Recurrence(frequency="Week", interval=2, week_days=("Monday", "Friday"), hours=(6,))
    assert v1.run_from({"Id": "r", "Status": {"StatusCode": "3"}}).status is RunStatus.FINISHED


def test_a_submission_sends_empty_objects_and_no_null():
    assert v1.submission_to(Submission(experiment_name="e")) == {
        "ExperimentName": "e",
        "Description": "",
        "RunSource": "SDK",
        "RunType": "SDK",
        "ParameterAssignments": {},
        "DataPathAssignments": {},
        "DataSetDefinitionValueAssignments": {},
    }


def test_data_factorys_spelling_of_a_submission_is_read():
    read = v1.submission_from(
        {"experimentName": "e", "continueOnStepFailure": True, "ParentRunId": "r", "parameterAssignments": {"a": 1}}
    )
    assert (read.continue_on_step_failure, read.parent_run_id, read.parameters) == (True, "r", {"a": "1"})
    assert v1.submission_from({}, parent_run_id="q").parent_run_id == "q"


def test_a_pipeline_entity_has_what_the_sdk_requires_in_pascal_case_but_for_tags():
    pipeline = Pipeline(
        id="p",
        name="train",
        parameters=(Parameter("rate", 0.5), Parameter("flag", default=True)),
        data_paths=(DataPathParameter("input", DataPath("w", "a/b")), DataPathParameter("needed")),
        endpoint="http://here/submit",
        graph_id="g",
        created=AT,
    )
    entity = v1.pipeline_to(pipeline)

    assert entity["ParameterAssignments"] == {"rate": "0.5", "flag": "True", "input": "w/a/b", "needed": ""}
    assert (entity["Url"], entity["GraphId"], entity["EntityStatus"]) == ("http://here/submit", "g", "Active")
    assert entity["CreatedDate"] == "2026-03-02T09:00:00.123456Z"
    assert [name for name in entity if not name[0].isupper()] == ["tags"]


def test_an_interface_types_parameters_as_the_service_does():
    parameters = [Parameter("a", 1), Parameter("b", 1.5), Parameter("c", default=True), Parameter("d", "x")]
    interface = v1.interface_to(parameters, [DataPathParameter("p"), DataPathParameter("q", DataPath("w", "x"))])

    assert [item["Type"] for item in interface["Parameters"]] == ["Int", "Double", "Bool", "String"]
    assert [item["DefaultValue"] for item in interface["Parameters"]] == ["1", "1.5", "True", "x"]
    assert interface["DataPathParameters"] == [
        {"Name": "p", "IsOptional": False, "DataTypeId": "AnyFile"},
        {
            "Name": "q",
            "DefaultValue": {"DataStoreName": "w", "RelativePath": "x"},
            "IsOptional": True,
            "DataTypeId": "AnyFile",
        },
    ]


def test_a_run_in_run_history_has_what_the_sdk_requires_and_its_words():
    run = Run(id="r", experiment_name="e", pipeline_id="p", status=RunStatus.FINISHED, schedule_id="s", created=AT)
    answer = v1.run_history_to(run, experiment_id="x")

    required = {"runId": "r", "runNumber": 1, "rootRunId": "r", "experimentId": "x", "tags": {}}
    assert {name: answer[name] for name in required} == required
    assert (answer["status"], answer["runType"]) == ("Completed", "azureml.PipelineRun")
    assert answer["properties"]["azureml.scheduleid"] == "s"
    assert all(isinstance(value, str) for value in answer["properties"].values())


def test_a_step_in_run_history_names_its_node_and_its_run_in_tags():
    step = Step(id="fit", run_id="r", name="fit", status=StepStatus.BYPASSED, detail="prepare failed")
    answer = v1.step_to(step, experiment_id="x")

    assert (answer["runId"], answer["parentRunId"], answer["name"]) == ("r_fit", "r", "fit")
    assert answer["tags"] == {"azureml.nodeid": "fit", "azureml.pipeline": "r"}
    assert (answer["status"], answer["runType"]) == ("Canceled", "azureml.StepRun")


def test_a_step_of_azures_is_read_from_what_azure_says():
    read = v1.step_from(
        {
            "runId": "abc",
            "parentRunId": "r",
            "name": "fit",
            "status": "Failed",
            "tags": {"azureml.nodeid": "1f2e"},
            "error": {"error": {"message": "out of memory"}},
            "startTimeUtc": "2026-03-02T09:00:00.1234567+00:00",
        }
    )
    assert (read.id, read.run_id, read.status, read.detail) == ("1f2e", "r", StepStatus.FAILED, "out of memory")
    assert read.started == AT
    for word, status in {
        "Preparing": "Queued",
        "Finalizing": "Running",
        "Completed": "Finished",
        "?": "NotStarted",
    }.items():
        assert v1.step_from({"runId": "a", "status": word}).status == status


def test_a_graph_can_be_drawn_by_the_sdk():
    first = StepDefinition(name="prepare", command="true", outputs=("data",))
    second = StepDefinition(
        name="fit",
        command="true",
        inputs={"data": StepOutput("prepare", "data"), "rate": PipelineInput("rate"), "seed": Literal(7)},
    )
    definition = PipelineDefinition(name="train", parameters=(Parameter("rate", 0.1),), steps=(first, second))
    graph = v1.pipeline_creation_to(definition, {"prepare": "m1", "fit": "m2"})["Graph"]

    assert [(node["Id"], node["ModuleId"]) for node in graph["ModuleNodes"]] == [("prepare", "m1"), ("fit", "m2")]
    assert graph["ModuleNodes"][1]["ModuleParameters"] == [
        {"Name": "rate", "Value": "rate", "ValueType": "1"},
        {"Name": "seed", "Value": "7", "ValueType": "0"},
    ]
    assert graph["Edges"] == [
        {
            "SourceOutputPort": {"NodeId": "prepare", "PortName": "data"},
            "DestinationInputPort": {"NodeId": "fit", "PortName": "data"},
        }
    ]
    interface = v1.module_interface_to(v1.module_creation_to(second)["StructuredInterface"])
    assert [port["Name"] for port in interface["Ports"]["Inputs"]] == ["data"]
    assert [parameter["Name"] for parameter in interface["Parameters"]] == ["rate", "seed"]


def test_the_hash_of_a_module_tells_steps_apart_by_everything_they_do():
    steps = [
        StepDefinition(name="a", command="true"),
        StepDefinition(name="b", command="true"),
        StepDefinition(name="a", command="false"),
        StepDefinition(name="a", command="true", code={"x.py": b"1"}),
        StepDefinition(name="a", command="true", inputs={"x": Literal(1)}),
        StepDefinition(name="a", command="true", timeout=5),
    ]
    hashes = [v1.module_creation_to(step)["IdentifierHash"] for step in steps]

    assert len(set(hashes)) == len(steps)
    assert v1.module_creation_to(steps[0])["IdentifierHash"] == hashes[0]


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({}, "carries no command"),
        ({"aml_magics.step": "{"}, "are not JSON"),
        ({"aml_magics.step": '{"command": "a", "inputs": {"x": {}}}'}, "bound to nothing"),
        ({"aml_magics.step": '{"command": "a"}', "aml_magics.code": '{"a.py": "%%%"}'}, "not base64"),
    ],
)
def test_a_module_that_cannot_be_read_is_refused_with_the_reason(properties, reason):
    with pytest.raises(InvalidInput, match=reason):
        v1.module_creation_from({"Name": "s", "Properties": properties})


def test_instants_have_a_z_and_are_read_with_six_or_seven_digits_or_an_offset():
    assert instant_to(AT) == "2026-03-02T09:00:00.123456Z"
    for text in ("2026-03-02T09:00:00.123456Z", "2026-03-02T09:00:00.1234567Z", "2026-03-02T11:00:00.123456+02:00"):
        assert instant_from(text) == AT
    assert instant_from(None) is None
    with pytest.raises(InvalidInput, match="no ISO 8601"):
        instant_from("yesterday")


def test_a_wall_clock_time_has_no_offset():
    assert wall_to(datetime(2019, 5, 20, 16)) == "2019-05-20T16:00:00"
    assert wall_from("2019-05-20T16:00:00") == datetime(2019, 5, 20, 16)
    with pytest.raises(InvalidInput, match="has an offset"):
        wall_from("2019-05-20T16:00:00+01:00")


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("5", 3, 5),
        ("5", 0.5, 5.0),
        ("true", True, True),
        ("0", True, False),
        (" 5 ", 3, 5),
        ("5", "x", "5"),
        ("1e3", 1.0, 1e3),
    ],
)
def test_text_takes_the_type_of_the_default(text, default, value):
    read = parameter_value(text, default)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "default"), [("1.5", 3), ("x", 0.5), ("1_0", 3), ("1_0", 0.5), ("yes", True), ("9" * 400, 1)]
)
def test_text_that_does_not_fit_the_type_is_refused_or_left_as_it_is(text, default):
    with pytest.raises(InvalidInput, match="parameter 'p' takes"):
        parameter_value(text, default, "p")
    assert typed({"p": text}, [Parameter("p", default)]) == {"p": text}


def test_a_body_is_read_without_regard_to_case_and_null_is_absent():
    body = Body({"NAME": "n", "Count": "3", "flag": "True", "gone": None, "Map": {"Key": 1}}, "thing")

    assert (body.text("name"), body.integer("COUNT"), body.boolean("Flag")) == ("n", 3, True)
    assert body.texts("map") == {"Key": "1"}
    assert "gone" not in body
    assert body.text("missing", "default") == "default"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda body: body.text("list"), "thing.list: expected text, got an array"),
        (lambda body: body.integer("text"), "thing.text: expected a whole number, got 'words'"),
        (lambda body: body.integer("true"), "thing.true: expected a whole number, got True"),
        (lambda body: body.integer("half"), "thing.half: expected a whole number, got 0.5"),
        (lambda body: body.number("text"), "thing.text: expected a number, got 'words'"),
        (lambda body: body.boolean("half"), "thing.half: expected true or false, got 0.5"),
        (lambda body: body.values("text"), "thing.text: expected an array, got 'words'"),
        (lambda body: body.body("list"), "thing.list: expected a JSON object, got an array"),
        (lambda body: body.mapping("list"), "thing.list: expected a JSON object, got an array"),
        (lambda body: body.texts("deep"), "thing.deep.a: expected text, got an object"),
        (lambda body: body.bodies("list"), r"thing.list\[0\]: expected a JSON object, got 1"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_place(call, reason):
    body = Body({"list": [1], "text": "words", "true": True, "half": 0.5, "deep": {"a": {}}}, "thing")
    with pytest.raises(InvalidInput, match=reason):
        call(body)


def test_a_merge_keeps_what_is_not_sent_and_clears_what_is_sent_as_null():
    stored = {"Name": "a", "Etag": "1", "Kept": {"x": 1}}

    assert merge(stored, {"name": "b", "ETAG": None, "New": 2}) == {"Name": "b", "Kept": {"x": 1}, "New": 2}
    assert stored == {"Name": "a", "Etag": "1", "Kept": {"x": 1}}
