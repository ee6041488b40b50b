"""Pipelines that run on a fake workspace and a clock that stands still."""

from __future__ import annotations

import asyncio

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import RunStatus
from aml_magics.model.secret import MASK
from aml_magics.workflows.data_factory.dependencies import Status
from tests.workflows.data_factory.bed import START, activity, expression, statuses

TRAIN = {"mlPipelineId": "p", "experimentName": "E"}
FAILS = {"message": "no such luck", "errorCode": "42"}
STRING, ARRAY = {"type": "String"}, {"type": "Array", "defaultValue": []}


def train(name="Train", after=(), **rest):
    return activity(name, "AzureMLExecutePipeline", after, **(TRAIN | rest))


def put(name, value, after=(), variable="v"):
    return activity(name, "SetVariable", after, variableName=variable, value=value)


def test_the_ml_activity_submits_what_data_factory_would(bed):
    values = {"mlPipelineParameters": {"rate": "@string(pipeline().parameters.rate)", "n": 3, "fast": True}}
    place = {"DataStoreName": "store", "RelativePath": "@{pipeline().parameters.folder}/x"}
    more = {"dataPathAssignments": {"input": place}, "continueOnStepFailure": True, "mlParentRunId": "parent"}
    parameters = {"rate": {"type": "Float", "defaultValue": 0.5}, "folder": {"type": "String"}}
    run = bed.run(train(**values, **more), parameters=parameters, given={"folder": "in"})
    assert bed.workspace.posted == [
        {
            "pipeline_id": "p",
            "ExperimentName": "E",
            "ParameterAssignments": {"rate": "0.5", "n": "3", "fast": "true"},
            "dataPathAssignments": {"input": {"DataStoreName": "store", "RelativePath": "in/x"}},
            "continueOnStepFailure": True,
            "ParentRunId": "parent",
        }
    ]
    assert run.activities[0].output == {"runId": "run-1", "status": "Finished", "experimentName": "E"}
    assert run.ml_runs == ("run-1",)
    assert run.status is Status.SUCCEEDED


def test_the_ml_activity_submits_to_a_version_of_an_endpoint(bed):
    bed.run(
        activity("Train", "AzureMLExecutePipeline", mlPipelineEndpointId="e", version="@string(1)", experimentName="E")
    )
    assert bed.workspace.posted == [
        {
            "endpoint_id": "e",
            "version": "1",
            "ExperimentName": "E",
            "ParameterAssignments": {},
            "dataPathAssignments": {},
        }
    ]


def test_the_output_of_one_activity_reaches_the_next(bed):
    run = bed.run(
        train(),
        put("Keep", "@activity('Train').output.runId", "Train"),
        put("Say", "run @{variables('v')} of @{pipeline().Pipeline}", "Keep", variable="w"),
        variables={"v": STRING, "w": STRING},
    )
    assert run.variables == {"v": "run-1", "w": "run run-1 of main"}


def test_expressions_read_the_clock_that_activities_wait_by(bed):
    run = bed.run(activity("Wait", waitTimeInSeconds=3600), put("Now", "@utcNow()", "Wait"), variables={"v": STRING})
    assert run.variables["v"] == "2026-03-02T10:00:00.0000000Z"


def test_a_failed_ml_run_takes_the_failure_path_with_its_error(bed):
    bed.workspace.ends = lambda _body: RunStatus.FAILED
    run = bed.run(
        train(),
        put("Catch", "@activity('Train').error.message", "Train:Failed"),
        put("Next", "went on", "Train"),
        variables={"v": STRING},
    )
    assert statuses(run) == {"Train": "Failed", "Catch": "Succeeded", "Next": "Skipped"}
    assert run.variables["v"] == "its run ended as Failed: step 'train' ended with exit code 1"
    assert run.activities[0].output["runId"] == "run-1"
    assert run.status is Status.FAILED
    assert run.message.startswith("Train: ")


def test_a_pipeline_that_is_not_there_fails_the_activity_alone(bed):
    run = bed.run(train(mlPipelineId="gone"), activity("Catch", "Wait", "Train:Failed"))
    assert statuses(run) == {"Train": "Failed", "Catch": "Succeeded"}
    assert run.status is Status.SUCCEEDED


def test_activities_that_do_not_need_each_other_run_at_the_same_time(bed):
    bed.run(*(activity(name, "Wait", waitTimeInSeconds=60) for name in "ABC"), activity("D", "Wait", ["A", "B", "C"]))
    assert bed.clock.now() - START.timestamp() == 61
    assert "A, B, C" in bed.told


@pytest.mark.parametrize(
    ("failures", "status", "attempts"), [(0, "Succeeded", 1), (2, "Succeeded", 3), (3, "Failed", 3)]
)
def test_an_activity_is_tried_again_as_its_policy_says(bed, failures, status, attempts):
    left = [RunStatus.FAILED] * failures
    bed.workspace.takes = 1
    bed.workspace.ends = lambda _body: left.pop() if left else RunStatus.FINISHED
    begin = bed.clock.now()
    run = bed.run(train(policy={"retry": 2, "retryIntervalInSeconds": 60}))
    (one,) = run.activities
    assert (one.status.value, one.attempts, len(one.ml_runs)) == (status, attempts, attempts)
    assert bed.clock.now() - begin == pytest.approx(60 * (attempts - 1), abs=1)


def test_an_activity_that_takes_longer_than_its_timeout_is_cancelled_with_its_ml_run(bed):
    bed.workspace.takes = 1_000_000
    run = bed.run(train(policy={"timeout": "0.00:01:00"}))
    assert run.activities[0].error["errorCode"] == "Timeout"
    assert bed.workspace.cancelled == ["run-1"]


def test_cancelling_the_pipeline_cancels_the_ml_runs_that_it_waits_for(bed):
    bed.workspace.takes = 1_000_000
    factory = bed.factory(train("A"), train("B"), activity("C", "Wait", "A"))

    async def go():
        task = asyncio.ensure_future(bed.runner(factory).run("main", {}))
        await bed.clock.pass_time(10)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(go())
    assert sorted(bed.workspace.cancelled) == ["run-1", "run-2"]


def test_cancelling_while_a_run_is_being_submitted_cancels_that_run(bed):
    factory = bed.factory(train())
    answer = asyncio.Event
    submit = bed.workspace.submit_as_written

    async def go():
        arrived, may_answer = answer(), answer()

        async def slow(body, **target):
            arrived.set()
            await may_answer.wait()
            return await submit(body, **target)

        bed.workspace.submit_as_written = slow
        task = asyncio.ensure_future(bed.runner(factory).run("main", {}))
        await arrived.wait()
        task.cancel()
        await asyncio.sleep(0)
        may_answer.set()
        await asyncio.wait({task})

    asyncio.run(go())
    assert bed.workspace.cancelled == ["run-1"]


def test_secure_outputs_and_inputs_are_masked_for_people_and_not_for_expressions(bed):
    run = bed.run(
        train(policy={"secureOutput": True, "secureInput": True}),
        put("Keep", "@activity('Train').output.runId", "Train"),
        variables={"v": STRING},
    )
    assert (run.activities[0].input, run.activities[0].output) == (MASK, MASK)
    assert run.variables["v"] == "run-1"


def test_a_secure_parameter_reaches_the_ml_run_and_no_record(bed):
    password = "pl4nted-p4ssword"
    run = bed.run(
        train(mlPipelineParameters={"key": "@pipeline().parameters.key"}),
        parameters={"key": {"type": "SecureString"}},
        given={"key": password},
    )
    assert bed.workspace.posted[0]["ParameterAssignments"] == {"key": password}
    assert password not in repr(run)


def test_a_secure_parameter_stays_one_in_the_pipelines_that_it_is_passed_to(bed):
    stop = activity("Stop", "Fail", message="@pipeline().parameters.key", errorCode="1")
    child = {"name": "child", "properties": {"parameters": {"key": {"type": "SecureString"}}, "activities": [stop]}}
    run = bed.run(
        execute(parameters={"key": "@pipeline().parameters.key"}),
        others=[child],
        parameters={"key": {"type": "SecureString"}},
        given={"key": "pl4nted-p4ssword"},
    )
    assert run.message == f"Start: the pipeline 'child' failed: Stop: {MASK}"
    assert "pl4nted-p4ssword" not in repr(run)


@pytest.mark.parametrize("name", ["mlPipelineParameters", "dataPathAssignments"])
def test_what_turns_out_to_be_no_object_fails_its_activity_alone(bed, name):
    run = bed.run(train(**{name: "@createArray(1)"}))
    assert run.message.startswith(f"Train: {name} is an object, not [1]")


def test_user_properties_are_kept_with_their_expressions_evaluated(bed):
    run = bed.run(
        activity("A", userProperties=[{"name": "by", "value": "@pipeline().Pipeline"}, {"name": "n", "value": 1}])
    )
    assert run.activities[0].user_properties == {"by": "main", "n": 1}


def test_a_deactivated_activity_does_nothing_and_ends_as_it_is_marked(bed):
    run = bed.run(
        activity("Copy", "Copy", state="Inactive", source={}),
        activity("Bad", "Fail", state="Inactive", onInactiveMarkAs="Failed", **FAILS),
        activity("After", "Wait", "Copy"),
        activity("Catch", "Wait", "Bad:Failed"),
    )
    assert statuses(run) == {"Copy": "Succeeded", "Bad": "Failed", "After": "Succeeded", "Catch": "Succeeded"}


def test_a_fail_activity_fails_with_its_own_message_and_code(bed):
    run = bed.run(activity("Stop", "Fail", message="@concat('no ', 'luck')", errorCode="42"))
    assert run.activities[0].error == {
        "errorCode": "42",
        "message": "no luck",
        "failureType": "UserError",
        "target": "Stop",
    }
    assert run.message == "Stop: no luck"


@pytest.mark.parametrize(("flag", "runs"), [("true", "Yes"), ("false", "No")])
def test_an_if_runs_the_branch_that_its_expression_says(bed, flag, runs):
    run = bed.run(
        activity(
            "If",
            "IfCondition",
            expression=expression("@equals(pipeline().parameters.flag, 'true')"),
            ifTrueActivities=[activity("Yes")],
            ifFalseActivities=[activity("No")],
        ),
        parameters={"flag": STRING},
        given={"flag": flag},
    )
    assert statuses(run) == {f"If/{runs}": "Succeeded", "If": "Succeeded"}


def test_an_if_fails_with_its_branch_and_says_why(bed):
    run = bed.run(
        activity(
            "If", "IfCondition", expression=expression("@true"), ifTrueActivities=[activity("Stop", "Fail", **FAILS)]
        ),
        put("Catch", "@activity('If').error.message", "If:Failed"),
        variables={"v": STRING},
    )
    assert run.variables["v"] == "an inner activity failed: Stop: no such luck"


@pytest.mark.parametrize(("on", "where"), [("red", "Switch/Red"), ("blue", "Switch/Other")])
def test_a_switch_runs_the_case_of_its_value_or_the_default(bed, on, where):
    run = bed.run(
        activity(
            "Switch",
            "Switch",
            on=expression(f"@concat('{on}', '')"),
            cases=[
                {"value": "red", "activities": [activity("Red")]},
                {"value": "green", "activities": [activity("Green")]},
            ],
            defaultActivities=[activity("Other")],
        )
    )
    assert statuses(run) == {where: "Succeeded", "Switch": "Succeeded"}


def loop(*inner, items="@createArray('a', 'b', 'c')", name="Loop", after=(), **rest):
    return activity(name, "ForEach", after, items=expression(items), activities=list(inner), **rest)


def test_a_for_each_gives_each_pass_its_item_and_its_own_outputs(bed):
    kept = activity("Keep", "AppendVariable", "Train", variableName="seen", value="@activity('Train').output.runId")
    run = bed.run(
        loop(train(mlPipelineParameters={"file": "@item()"}), kept, isSequential=True),
        variables={"seen": ARRAY},
    )
    assert [one["ParameterAssignments"]["file"] for one in bed.workspace.posted] == ["a", "b", "c"]
    assert run.variables["seen"] == ["run-1", "run-2", "run-3"]
    assert "Loop[2]/Train" in statuses(run)


def test_passes_at_once_do_not_see_each_others_outputs(bed):
    pause = activity("Wait", "Wait", "Train", waitTimeInSeconds="@item()")
    kept = activity("Keep", "AppendVariable", "Wait", variableName="seen", value="@activity('Train').output.runId")
    run = bed.run(loop(train(), pause, kept, items="@createArray(30, 20, 10)"), variables={"seen": ARRAY})
    assert run.variables["seen"] == ["run-3", "run-2", "run-1"]


@pytest.mark.parametrize(("how", "seconds"), [({"isSequential": True}, 300), ({"batchCount": 2}, 200), ({}, 100)])
def test_a_for_each_runs_as_many_passes_at_once_as_it_says(bed, how, seconds):
    begin = bed.clock.now()
    bed.run(loop(activity("Wait", waitTimeInSeconds=100), **how))
    assert bed.clock.now() - begin == seconds


def test_a_for_each_runs_all_its_passes_and_fails_at_the_end(bed):
    inner = activity(
        "If",
        "IfCondition",
        expression=expression("@equals(item(), 'a')"),
        ifTrueActivities=[activity("Stop", "Fail", **FAILS)],
    )
    run = bed.run(loop(inner, isSequential=True))
    assert [statuses(run)[f"Loop[{index}]/If"] for index in range(3)] == ["Failed", "Succeeded", "Succeeded"]
    assert run.message == "Loop: an inner activity failed: pass 0: If: an inner activity failed: Stop: no such luck"


def test_an_until_runs_until_its_expression_is_true(bed):
    run = bed.run(
        activity(
            "Until",
            "Until",
            expression=expression("@equals(length(variables('seen')), 3)"),
            activities=[activity("Wait"), activity("Keep", "AppendVariable", "Wait", variableName="seen", value=1)],
        ),
        variables={"seen": ARRAY},
    )
    assert run.variables["seen"] == [1, 1, 1]


def test_an_until_sees_what_its_last_pass_did(bed):
    bed.workspace.ends = lambda _body: RunStatus.FINISHED if len(bed.workspace.posted) > 2 else RunStatus.FAILED
    run = bed.run(
        activity(
            "Until",
            "Until",
            expression=expression("@equals(activity('Train').Status, 'Succeeded')"),
            activities=[train()],
        )
    )
    assert [run.status, *statuses(run).values()] == [Status.SUCCEEDED, "Failed", "Failed", "Succeeded", "Succeeded"]


def test_an_until_ends_at_its_timeout(bed):
    run = bed.run(
        activity(
            "Until",
            "Until",
            expression=expression("@false"),
            timeout="00:01:00",
            activities=[activity("Wait", waitTimeInSeconds=25)],
        )
    )
    assert run.activities[-1].error["errorCode"] == "Timeout"
    assert statuses(run)["Until[2]/Wait"] == "Cancelled"


def test_a_filter_keeps_what_its_condition_says(bed):
    kept = activity(
        "Filter",
        "Filter",
        items=expression("@createArray('a.csv', 'b.txt')"),
        condition=expression("@endswith(item(), '.csv')"),
    )
    run = bed.run(
        kept,
        loop(
            activity("Keep", "AppendVariable", variableName="seen", value="@item()"),
            items="@activity('Filter').output.Value",
            after="Filter",
        ),
        variables={"seen": ARRAY},
    )
    assert run.activities[0].output == {"ItemsCount": 2, "FilteredItemsCount": 1, "Value": ["a.csv"]}
    assert run.variables["seen"] == ["a.csv"]


CHILD = {
    "name": "child",
    "properties": {
        "parameters": {"n": {"type": "Int"}},
        "activities": [activity("Wait", waitTimeInSeconds="@pipeline().parameters.n")],
    },
}
FAILING_CHILD = {"name": "child", "properties": {"activities": [activity("Stop", "Fail", **FAILS)]}}


def execute(**rest):
    return activity(
        "Start", "ExecutePipeline", pipeline={"referenceName": "child", "type": "PipelineReference"}, **rest
    )


@pytest.mark.parametrize(("waits", "seconds"), [(True, 60), (False, 0)])
def test_a_pipeline_executes_another_and_waits_if_it_is_to(bed, waits, seconds):
    begin = bed.clock.now()
    run = bed.run(execute(parameters={"n": "@add(59, 1)"}, waitOnCompletion=waits), others=[CHILD])
    assert run.activities[0].seconds == seconds
    assert bed.clock.now() - begin == 60
    (child,) = run.children
    assert (child.status, child.parameters, child.first) == (Status.SUCCEEDED, {"n": 60}, run)


def test_a_pipeline_that_another_waits_for_fails_that_activity(bed):
    run = bed.run(execute(), others=[FAILING_CHILD])
    assert run.message == "Start: the pipeline 'child' failed: Stop: no such luck"


def test_a_web_activity_sends_to_the_workspace_itself(bed):
    run = bed.run(activity("Post", "WebActivity", url="https://own/x", method="POST", body={"a": "@concat('b', 'c')"}))
    assert bed.web.sent == [("POST", "https://own/x", {"a": "bc"})]
    assert run.activities[0].output == {"Id": "x"}


@pytest.mark.parametrize(
    ("declared", "given", "value"),
    [
        ("Int", "5", 5),
        ("Float", "0.5", 0.5),
        ("Bool", "True", True),
        ("Array", "[1, 2]", [1, 2]),
        ("Object", '{"a": 1}', {"a": 1}),
        ("String", "5", "5"),
        ("string", 5, "5"),
        ("int", 5, 5),
    ],
)
def test_a_parameter_takes_its_declared_type(bed, declared, given, value):
    assert bed.run(parameters={"p": {"type": declared}}, given={"p": given}).parameters == {"p": value}


@pytest.mark.parametrize(
    ("declared", "value", "word"),
    [
        ("String", "@createArray(1)", "an|text"),
        ("Boolean", "yes", "true or false"),
        ("Integer", "@true", "whole number"),
    ],
)
def test_a_variable_of_another_type_fails_its_activity(bed, declared, value, word):
    run = bed.run(put("Set", value), variables={"v": {"type": declared}})
    assert run.status is Status.FAILED
    assert any(each in run.message for each in word.split("|"))


@pytest.mark.parametrize(
    ("parameters", "given", "message"),
    [
        (
            {"day": STRING, "n": {"type": "Int"}},
            {},
            "needs a value for 'day' and 'n'. Give it with --parameter day=VALUE",
        ),
        ({"n": {"type": "Int"}}, {"n": "five"}, "'n' is declared as Int, which is a whole number, not \"five\""),
        ({"n": {"type": "Int"}}, {"m": "5"}, "no parameter 'm'"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_before_anything_runs(bed, parameters, given, message):
    with pytest.raises(InvalidInput) as caught:
        bed.run(train(), parameters=parameters, given=given)
    assert message in str(caught.value)
    assert bed.workspace.posted == []
