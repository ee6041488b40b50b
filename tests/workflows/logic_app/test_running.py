"""Actions of a Logic App: in which order, with which of the four results, and what they see of each other."""

from __future__ import annotations

import pytest

from aml_magics.model.secret import MASK
from tests.workflows.logic_app.bed import compose, fails, http, outputs, seconds, statuses, waits

BLOB = {"Name": "a b.csv", "Path": "/box/in/a b.csv", "Size": 3}


@pytest.mark.parametrize(
    ("actions", "found", "result"),
    [
        ({"A": compose(1), "B": compose(2, "A")}, "A Succeeded, B Succeeded", "Succeeded"),
        ({"A": fails(), "B": compose(2, "A")}, "A Failed, B Skipped", "Failed"),
        ({"A": fails(), "B": compose(2, "A:Failed")}, "A Failed, B Succeeded", "Succeeded"),
        ({"A": compose(1), "B": compose(2, "A:Failed")}, "A Succeeded, B Skipped", "Succeeded"),
        (
            {"A": fails(), "B": compose(2, "A"), "C": compose(3, "A:Failed")},
            "A Failed, B Skipped, C Succeeded",
            "Failed",
        ),
        (
            {"A": fails(), "B": compose(2, "A"), "C": compose(3, "B:Skipped")},
            "A Failed, B Skipped, C Succeeded",
            "Succeeded",
        ),
        (
            {"A": seconds(9, limit={"timeout": "PT5S"}), "B": compose(2, "A:TimedOut"), "C": compose(3, "A:Failed")},
            "A TimedOut, B Succeeded, C Skipped",
            "Failed",
        ),
        ({"A": compose(1), "B": fails(), "C": compose(3, "A", "B:Failed")}, "A Succeeded, B Failed, C Succeeded", None),
        ({"C": compose(3, "B"), "B": compose(2, "A"), "A": compose(1)}, "A Succeeded, B Succeeded, C Succeeded", None),
        ({}, "", "Succeeded"),
    ],
)
def test_an_action_runs_when_what_it_runs_after_ended_as_it_must(bed, actions, found, result):
    run = bed.run(actions)
    assert ", ".join(f"{name} {status}" for name, status in sorted(statuses(run).items())) == found
    assert run.status == (result or "Succeeded")


def test_actions_that_do_not_wait_for_each_other_run_at_once(bed):
    run = bed.run({"A": seconds(30), "B": seconds(20), "C": seconds(10, "A", "B")})
    assert (run.ended - run.started).total_seconds() == 40


def test_what_an_action_did_is_known_to_those_after_it(bed):
    actions = {
        "Made": compose({"n": 2, "s": "x"}),
        "Bad": fails(),
        "All": compose(
            [
                "@outputs('Made')?['n']",
                "@actions('Bad').status",
                "@actions('Bad').error.code",
                "@body('Made')",
                "@{workflow().name} @{triggerBody()?['Name']} @{trigger().name}",
                "@triggerOutputs()?['body/Name']",
                "@triggerOutputs()['body']['Size']",
                "@parameters('p')",
            ],
            "Made",
            "Bad:Failed",
        ),
    }
    run = bed.run(actions, BLOB, parameters={"p": {"type": "String", "defaultValue": "P"}})
    code = "InvalidTemplate"
    assert outputs(run, "All") == [2, "Failed", code, None, "app a b.csv Every", "a b.csv", 3, "P"]


def test_the_http_action_posts_what_azure_would_and_its_run_is_known(bed):
    after = compose("@body('Go')?['Id']", "Go")
    run = bed.run({"Go": http(headers={"Content-Type": "application/json"}, queries={"q": "a b"}), "Id": after}, BLOB)
    ((method, url, body),) = bed.web.sent
    assert (method, url) == ("POST", "https://own/PipelineSubmit/p?q=a+b")
    assert body["DataPathAssignments"] == {"input": {"DataStoreName": "blobs", "RelativePath": "a b.csv"}}
    assert run.ml_runs == ("ml-1",)
    assert run.data_paths == ("blobs/a b.csv",)
    assert outputs(run, "Id") == "ml-1"
    assert outputs(run, "Go")["statusCode"] == 200


def test_if_takes_one_branch_and_skips_the_other(bed):
    both = {"actions": {"Yes": compose("yes")}, "else": {"actions": {"No": compose("no")}}}
    condition = {"and": [{"greater": ["@triggerBody()?['Size']", 2]}, {"not": {"equals": ["@null", "x"]}}]}
    run = bed.run(
        {"If": {"type": "If", "expression": condition, **both}, "After": compose("@outputs('Yes')", "If")}, BLOB
    )
    assert statuses(run) == {"If": "Succeeded", "If/Yes": "Succeeded", "If/No": "Skipped", "After": "Succeeded"}
    assert outputs(run, "After") == "yes"
    run = bed.run({"If": {"type": "If", "expression": "@equals(triggerBody()?['Name'], 'x')", **both}}, BLOB)
    assert statuses(run) == {"If": "Succeeded", "If/Yes": "Skipped", "If/No": "Succeeded"}


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ({"or": [{"equals": [1, 2]}, {"startsWith": ["@triggerBody()['Name']", "A"]}]}, True),
        ({"endsWith": ["@triggerBody()['Name']", ".CSV"]}, True),
        ({"contains": ["@createArray(1, 2)", 3]}, False),
        ({"empty": ["@json('[]')"]}, True),
        ({"and": []}, True),
        ({"lessOrEquals": [3, "@triggerBody()?['Size']"]}, True),
        ("@not(equals(1, 1))", False),
    ],
)
def test_conditions_of_the_designer(bed, condition, is_met):
    run = bed.run({"If": {"type": "If", "expression": condition, "actions": {"Yes": compose(1)}}}, BLOB)
    assert statuses(run)["If/Yes"] == ("Succeeded" if is_met else "Skipped")


def test_a_condition_that_is_neither_true_nor_false_fails_its_action(bed):
    run = bed.run({"If": {"type": "If", "expression": "@triggerBody()?['Name']", "actions": {}}}, BLOB)
    assert run.status == "Failed"
    assert "is 'a b.csv', not true or false" in run.message


@pytest.mark.parametrize(("wanted", "ran"), [("@triggerBody()['Size']", "Three"), ("@'3'", "Text"), ("@4", "Other")])
def test_switch_takes_the_case_that_is_equal_kind_and_value(bed, wanted, ran):
    cases = {"a": {"case": 3, "actions": {"Three": compose(3)}}, "b": {"case": "3", "actions": {"Text": compose("3")}}}
    switch = {"type": "Switch", "expression": wanted, "cases": cases, "default": {"actions": {"Other": compose(0)}}}
    run = bed.run({"S": switch}, BLOB)
    assert [name for name, status in statuses(run).items() if status == "Succeeded"] == [f"S/{ran}", "S"]


def test_foreach_runs_its_passes_at_once_with_their_own_items_and_outputs(bed):
    inner = {
        "Rest": seconds("@item()"),
        "Made": compose("@{items('Loop')}-@{outputs('Twice')}", "Twice"),
        "Twice": compose("@mul(items('Loop'), 2)", "Rest"),
    }
    run = bed.run({"Loop": {"type": "Foreach", "foreach": "@createArray(3, 1, 2)", "actions": inner}})
    assert [outputs(run, f"Loop[{at}]/Made") for at in range(3)] == ["3-6", "1-2", "2-4"]
    assert (run.ended - run.started).total_seconds() == 3


@pytest.mark.parametrize(
    ("settings", "took"),
    [
        ({"operationOptions": "Sequential"}, 6),
        ({"runtimeConfiguration": {"concurrency": {"repetitions": 2}}}, 3),
        ({}, 1),
    ],
)
def test_foreach_runs_so_many_passes_at_a_time(bed, settings, took):
    loop = {"type": "Foreach", "foreach": "@range(0, 6)", "actions": {"Rest": seconds(1)}, **settings}
    run = bed.run({"Loop": loop})
    assert (run.ended - run.started).total_seconds() == took


def test_a_failed_pass_fails_the_foreach_after_all_have_run_and_result_tells_them(bed):
    inner = {"Part": compose("@div(6, items('Loop'))")}
    results = compose("@result('Loop')", "Loop:Failed")
    run = bed.run({"Loop": {"type": "Foreach", "foreach": "@createArray(1, 0, 2)", "actions": inner}, "R": results})
    loop = next(one for one in run.actions if one.name == "Loop")
    assert loop.message.startswith("1 of 3 passes failed; [1]: Part: div(): argument 2 must not be 0")
    assert [one["status"] for one in outputs(run, "R")] == ["Succeeded", "Failed", "Succeeded"]
    assert run.status == "Succeeded"


def test_a_scope_catches_and_result_names_what_failed(bed):
    scope = {"type": "Scope", "actions": {"Good": compose(1), "Bad": fails("Good")}}
    where = {"type": "Query", "inputs": {"from": "@result('Try')", "where": "@equals(item()['status'], 'Failed')"}}
    names = {"type": "Select", "inputs": {"from": "@body('Which')", "select": "@item()['name']"}}
    joined = {"type": "Join", "inputs": {"from": "@body('Names')", "joinWith": ", "}}
    actions = {
        "Try": scope,
        "Which": where | {"runAfter": waits("Try:Failed")},
        "Names": names | {"runAfter": waits("Which")},
        "Joined": joined | {"runAfter": waits("Names")},
    }
    run = bed.run(actions)
    assert outputs(run, "Joined") == {"body": "Bad"}
    assert run.status == "Succeeded"


def test_until_goes_on_until_its_expression_holds_or_its_limit_is_reached(bed):
    start = {"type": "InitializeVariable", "inputs": {"variables": [{"name": "n", "type": "integer", "value": 1}]}}
    more = {"type": "IncrementVariable", "inputs": {"name": "n", "value": 2}, "runAfter": {}}

    def loop(expression, **limit):
        return {
            "type": "Until", "expression": expression, "limit": limit or {"count": 60, "timeout": "PT1H"},
            "actions": {"More": more, "Rest": seconds(60, "More")}, "runAfter": waits("Start"),
        }  # fmt: skip

    run = bed.run({"Start": start, "Loop": loop("@greaterOrEquals(variables('n'), 6)")})
    assert (run.variables, run.status) == ({"n": 7}, "Succeeded")
    run = bed.run({"Start": start, "Loop": loop("@greater(iterationIndexes('Loop'), 0)")})
    assert run.variables == {"n": 5}
    run = bed.run({"Start": start, "Loop": loop("@equals(actions('More').status, 'x')", count=4)})
    assert (run.variables, run.status) == ({"n": 9}, "Succeeded")
    run = bed.run({"Start": start, "Loop": loop("@false", timeout="PT2M30S")})
    assert (run.variables, statuses(run)["Loop"]) == ({"n": 7}, "TimedOut")


def test_an_item_is_that_of_the_foreach_also_in_an_until_inside(bed):
    until = {"type": "Until", "expression": "@true", "limit": {"count": 1}, "actions": {"It": compose("@item()")}}
    run = bed.run({"Loop": {"type": "Foreach", "foreach": "@createArray('a')", "actions": {"U": until}}})
    assert outputs(run, "Loop[0]/U[0]/It") == "a"


def test_variables_keep_their_type(bed):
    declared = [
        {"name": "words", "type": "array"},
        {"name": "text", "type": "String", "value": "a"},
        {"name": "n", "type": "float", "value": 1.5},
    ]
    actions = {
        "Start": {"type": "InitializeVariable", "inputs": {"variables": declared}},
        "A": {"type": "AppendToArrayVariable", "inputs": {"name": "words", "value": "x"}, "runAfter": waits("Start")},
        "B": {"type": "AppendToStringVariable", "inputs": {"name": "text", "value": 1}, "runAfter": waits("A")},
        "C": {"type": "DecrementVariable", "inputs": {"name": "n"}, "runAfter": waits("B")},
        "D": {
            "type": "SetVariable",
            "inputs": {"name": "text", "value": "@variables('words')[0]"},
            "runAfter": waits("C"),
        },
        "E": {"type": "SetVariable", "inputs": {"name": "n", "value": "three"}, "runAfter": waits("D")},
    }
    run = bed.run(actions)
    assert run.variables == {"words": ["x"], "text": "x", "n": 0.5}
    assert run.message == "E: the variable 'n' is of the type float, and 'three' is not"


@pytest.mark.parametrize("how", ["Succeeded", "Failed", "Cancelled"])
def test_terminate_ends_the_run_at_once_with_its_result(bed, how):
    inputs = {"runStatus": how, "runError": {"code": "Stop", "message": "enough of @{triggerBody()?['Name']}"}}
    inside = {"type": "Scope", "actions": {"End": {"type": "Terminate", "inputs": inputs}}}
    run = bed.run({"Long": seconds(99), "In": inside, "Never": compose(1, "Long")}, BLOB)
    assert (run.status, run.code, run.message) == (how, "Stop", "enough of a b.csv")
    assert (run.ended - run.started).total_seconds() == 0
    assert statuses(run)["Long"] == "Cancelled"


def test_a_wait_until_an_instant(bed):
    run = bed.run({"W": {"type": "Wait", "inputs": {"until": {"timestamp": "@addMinutes(utcNow(), 5)"}}}})
    assert (run.ended - run.started).total_seconds() == 300


def test_outputs_of_the_workflow_and_values_beside_the_definition(bed):
    resource = {"type": "Microsoft.Logic/workflows", "properties": {"parameters": {"p": {"value": "given"}}}}
    run = bed.run(
        {"A": compose("@parameters('p')")},
        resources=[resource],
        parameters={"p": {"type": "String", "defaultValue": "default"}},
        outputs={"a": {"type": "String", "value": "@outputs('A')"}},
    )
    assert run.outputs == {"a": "given"}


def test_secrets_are_not_shown_and_still_used(bed):
    parameters = {"key": {"type": "SecureString", "defaultValue": "pl4nted-k3y"}}
    secure = {"runtimeConfiguration": {"secureData": {"properties": ["inputs", "outputs"]}}}
    actions = {
        "Open": compose("key=@{parameters('key')}"),
        "Hidden": compose("plain", **secure),
        "Bad": compose("@int(parameters('key'))", "Open"),
        "Used": compose("@outputs('Hidden')", "Hidden"),
    }
    run = bed.run(actions, parameters=parameters)
    assert "pl4nted-k3y" not in repr(run)
    assert outputs(run, "Hidden") == MASK
    assert outputs(run, "Used") == "plain"
