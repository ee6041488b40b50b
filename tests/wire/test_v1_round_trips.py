"""What one end writes the other end reads, in any case of the names, through real JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.model.resources import Host, Missed, Parameter, Schedule, Status
from aml_magics.model.triggers import Recurrence
from aml_magics.wire import v1
from tests.wire import v1_values as some

modest = settings(max_examples=60, deadline=None)
PLAIN = {
    "experiment": (some.experiments, v1.experiment_to, v1.experiment_from),
    "datastore": (some.datastores, v1.datastore_to, v1.datastore_from),
    "pipeline": (some.pipelines(), v1.pipeline_to, v1.pipeline_from),
    "pipeline endpoint": (some.endpoints, v1.endpoint_to, v1.endpoint_from),
    "submission": (some.submissions, v1.submission_to, v1.submission_from),
    "schedule": (some.schedules, v1.schedule_to, v1.schedule_from),
    "run": (some.runs, v1.run_to, v1.run_from),
    "fire": (some.fires, v1.fire_to, v1.fire_from),
    "poll": (some.polls, v1.poll_to, v1.poll_from),
    "history": (some.histories, v1.history_to, v1.history_from),
    "health": (some.healths, v1.health_to, v1.health_from),
    "glance": (some.glances, v1.glance_to, v1.glance_from),
    "recent": (some.recents(), v1.recent_to, v1.recent_from),
}


def over_the_wire(body):
    return json.loads(json.dumps(body, allow_nan=False))


def in_other_case(body, change):
    """Every name of a field in another case; keys that are data stay."""
    data = {
        "ParameterAssignments",
        "DataPathAssignments",
        "tags",
        "Properties",
        "properties",
        "DataSetDefinitionValueAssignments",
    }
    if isinstance(body, dict):
        return {
            change(name): (
                {key: in_other_case(item, change) for key, item in value.items()}
                if name in data
                else in_other_case(value, change)
            )
            for name, value in body.items()
        }
    return [in_other_case(item, change) for item in body] if isinstance(body, list) else body


@pytest.mark.parametrize("kind", PLAIN)
def test_a_value_survives_the_way_there_and_back(kind):
    strategy, to, from_ = PLAIN[kind]

    @modest
    @given(strategy)
    def check(value):
        assert from_(over_the_wire(to(value))) == value

    check()


@pytest.mark.parametrize("kind", ["pipeline", "submission", "schedule", "run"])
@pytest.mark.parametrize("change", [str.lower, str.upper], ids=["lower", "upper"])
def test_names_are_read_in_any_case(kind, change):
    strategy, to, from_ = PLAIN[kind]

    @settings(max_examples=30, deadline=None)
    @given(strategy)
    def check(value):
        assert from_(in_other_case(over_the_wire(to(value)), change)) == value

    check()


@modest
@given(some.schedules)
def test_a_schedule_creation_carries_all_but_what_the_service_decides(schedule):
    body = over_the_wire(v1.schedule_creation_to(schedule))

    assert v1.schedule_creation_from(body) == replace(schedule, id="", created=None, modified=None, host=Host.KERNEL)


@modest
@given(some.steps)
def test_a_step_survives_run_history(step):
    assert v1.step_from(over_the_wire(v1.step_to(step, experiment_id="e"))) == step


@modest
@given(some.runs)
def test_run_history_tells_the_same_run_but_for_what_it_has_no_field_for(run):
    answer = over_the_wire(v1.run_history_to(run, experiment_id="e"))

    read = v1.run_history_from(answer, run.experiment_name)

    unknown = {"data_paths": {}, "continue_on_step_failure": False}
    assert read == replace(run, **unknown)


@modest
@given(some.definitions())
def test_a_published_definition_is_read_back_from_its_modules_and_its_graph(definition):
    modules = {step.name: over_the_wire(v1.module_creation_to(step)) for step in definition.steps}
    body = over_the_wire(v1.pipeline_creation_to(definition, {name: f"id of {name}" for name in modules}))

    read = v1.pipeline_creation_from(body, map(v1.module_creation_from, modules.values()))

    assert read == definition


@modest
@given(some.interfaces(), st.data())
def test_parameter_values_are_text_on_the_wire_and_typed_again_by_the_pipelines_parameters(interface, data):
    parameters, _ = interface
    values = {parameter.name: data.draw(_values_like(parameter.default)) for parameter in parameters}
    trigger = Recurrence(frequency="Hour")
    schedule = Schedule(
        id="s", name="n", trigger=trigger, pipeline_id="p", experiment_name="e", pipeline_parameters=values
    )

    body = over_the_wire(v1.schedule_to(schedule))

    sent = body["PipelineSubmissionInfo"]["ParameterAssignments"]
    assert sent == {name: str(value) for name, value in values.items()}
    read = v1.schedule_from(body, parameters=parameters).pipeline_parameters
    assert read == values
    assert [type(value) for value in read.values()] == [type(value) for value in values.values()]


def _values_like(default):
    kinds = {
        bool: st.booleans(),
        int: some.numbers,
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: some.text,
    }
    return kinds[type(default)]


@modest
@given(some.interfaces())
def test_a_graph_interface_keeps_the_types_of_its_parameters(interface):
    read = v1.interface_from(over_the_wire(v1.interface_to(*interface)))

    assert read == interface
    assert [type(p.default) for p in read[0]] == [type(p.default) for p in interface[0]]


@modest
@given(some.triggers)
def test_what_azures_own_service_can_host_is_sent_without_our_additions(trigger):
    schedule = Schedule(id="", name="n", trigger=trigger, pipeline_id="p", experiment_name="e")
    if trigger.needs_kernel():
        with pytest.raises(ValueError, match="Azure's service has no"):
            v1.schedule_creation_to(schedule, for_azure=True)
    elif getattr(trigger, "time_zone", "") == "Antarctica/Troll":
        with pytest.raises(ValueError, match="has no Windows name"):
            v1.schedule_creation_to(schedule, for_azure=True)
    else:
        body = v1.schedule_creation_to(schedule, for_azure=True)
        assert "AmlMagics" not in body
        assert type(v1.schedule_creation_from(body).trigger) is type(trigger)


@pytest.mark.parametrize("change", [{"status": Status.DISABLED}, {"missed": Missed.ALL}])
def test_azure_is_not_sent_what_it_would_pass_over(change):
    trigger = Recurrence(frequency="Hour")
    schedule = Schedule(id="", name="n", trigger=trigger, pipeline_id="p", experiment_name="e")

    with pytest.raises(ValueError, match="Azure's service has no"):
        v1.schedule_creation_to(replace(schedule, **change), for_azure=True)


def test_a_pipeline_of_azure_is_typed_by_the_interface_of_its_graph():
    entity = {"Id": "p", "Name": "train", "ParameterAssignments": {"rate": "0.5", "input": "store/in"}}
    interface = {
        "Parameters": [{"Name": "rate", "DefaultValue": "0.5", "Type": "1"}],
        "DataPathParameters": [{"Name": "input", "DefaultValue": {"DataStoreName": "store", "RelativePath": "in"}}],
    }

    untyped, typed = v1.pipeline_from(entity), v1.pipeline_from(entity, interface=interface, steps=["one"])

    assert untyped.parameters == (Parameter("rate", "0.5"), Parameter("input", "store/in"))
    assert typed.parameters == (Parameter("rate", 0.5),)
    assert [str(path.default) for path in typed.data_paths] == ["store/in"]
    assert typed.steps == ("one",)
