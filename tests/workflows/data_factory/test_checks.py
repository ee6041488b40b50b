"""Mistakes in a definition, told before anything runs: what is wrong, where, and what would be right."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.workflows.data_factory.reading import factory_from_json, factory_from_text
from aml_magics.workflows.data_factory.references import Known, check_expressions
from tests.workflows.data_factory.bed import activity, expression

STRING, ARRAY = {"type": "String"}, {"type": "Array"}
COPY = activity("Copy files", "Copy", source={}, sink={})


def train(name="Train", after=(), **rest):
    return activity(name, "AzureMLExecutePipeline", after, **({"mlPipelineId": "p", "experimentName": "E"} | rest))


def put(value, variable="v", after=()):
    return activity("Set", "SetVariable", after, variableName=variable, value=value)


def loop(*inner, items="@createArray(1)", **rest):
    return activity("Loop", "ForEach", items=expression(items), activities=list(inner), **rest)


def branch(*inner, name="If", kind="@true"):
    return activity(name, "IfCondition", expression=expression(kind), ifTrueActivities=list(inner))


def execute(name):
    return activity("Start", "ExecutePipeline", pipeline={"referenceName": name})


MISTAKES = {
    # what does not run here
    "an activity of another kind": ([train(), COPY], "'Copy files' (Copy)", "nothing was run"),
    "one inside": ([branch(COPY)], "'Copy files' (Copy)", "These do"),
    "several at once": ([COPY, activity("X", "DatabricksNotebook")], "'Copy files' (Copy) and 'X' (Databricks", "run"),
    "a misspelt kind": ([activity("A", "AzureMLExecutePipelin")], "AzureMLExecutePipelin", "'AzureMLExecutePipeline'"),
    "a web address elsewhere": (
        [activity("Post", "WebActivity", url="https://elsewhere.example/x", method="POST")],
        "activity 'Post' (WebActivity)",
        '"state": "Inactive"',
    ),
    "a property that does nothing here": ([train(mlPiplineId="q")], "'mlPiplineId'", "'mlPipelineId'"),
    "a header": (
        [activity("Post", "WebActivity", url="https://own/", method="GET", headers={"X-Key": 1, "content-type": 2})],
        "the header 'X-Key'",
        "Content-Type",
    ),
    # names and dependencies
    "two of a name": ([activity("A"), branch(activity("A"))], "two activities called 'A'", "unique"),
    "an unknown one in dependsOn": ([activity("Train"), activity("B", "Wait", "Trian")], "'Trian'", "'Train'"),
    "one inside another": ([branch(activity("In")), activity("B", "Wait", "In")], "'In', which is not", "Known: If"),
    "a circle": (
        [activity("A", "Wait", "C"), activity("B", "Wait", "A"), activity("C", "Wait", "B")],
        "A -> B -> C -> A",
        "dependsOn",
    ),
    "a circle inside": ([branch(activity("A", "Wait", "B"), activity("B", "Wait", "A"))], "A -> B -> A", "dependsOn"),
    "itself": ([activity("A", "Wait", "A")], "A -> A", "dependsOn"),
    "an unknown condition": ([activity("A"), activity("B", "Wait", "A:Success")], "'Success'", "'Succeeded'"),
    # what an activity needs
    "no ML pipeline": ([activity("Train", "AzureMLExecutePipeline", experimentName="E")], "mlPipelineId", "has 0"),
    "two ML pipelines": ([train(mlPipelineEndpointId="e")], "mlPipelineEndpointId", "has 2"),
    "no experiment": ([train(experimentName="")], "names no experiment", "experimentName"),
    "no time to wait": ([activity("A", "Wait", seconds=1)], "no waitTimeInSeconds", "typeProperties"),
    "an empty loop": ([loop()], "no activities inside", "activities"),
    "too much at once": ([loop(activity("A"), batchCount=51)], "batchCount 51", "1 to 50"),
    "a loop in a loop": ([loop(activity("L2", "Until", expression=expression("@true"), activities=[activity("A")]))],
                         "no Until inside of ForEach", "ExecutePipeline"),
    "an if in an if": ([branch(branch(activity("A"), name="Inner"))], "no IfCondition inside of If", "ExecutePipeline"),
    "a loop in an if": ([branch(loop(activity("A")))], "no ForEach inside of If", "ExecutePipeline"),
    "an unknown variable": ([put("x", "w")], "no variable 'w'", "Known: v"),
    "appending to text": ([activity("A", "AppendVariable", variableName="v", value=1)], "declared as String", "Array"),
    "an unknown pipeline": ([execute("nobody")], "no pipeline 'nobody'", "main"),
    "executing itself": ([execute("main")], "main -> main", "circle"),
    # expressions
    "broken": ([put("@concat('a'")], "activity 'Set', value", "column"),
    "broken, inside": ([branch(put("@{length(}"))], "activity 'Set', value", "column"),
    "in a condition": ([branch(activity("A"), kind="@equals(1")], "activity 'If', expression", "column"),
    "an unknown function": ([put("@concatenate('a')")], "concatenate", "'concat'"),
    "an unknown parameter": ([put("@pipeline().parameters.dya")], "dya", "'day'"),
    "an unknown variable inside": ([put("@variables('w')")], "'w'", "Known: v"),
    "an unknown activity": ([train(), put("@activity('Tran').output", after="Train")], "'Tran'", "'Train'"),
    "one that need not have run": ([train(), put("@activity('Train').output")], "'Train'", "dependsOn"),
    "setting from itself": ([put("@concat(variables('v'), 'x')")], "no variable 'v' from itself", "second variable"),
    "global parameters": ([put("@pipeline().globalParameters.x")], "no 'globalParameters'", "activity 'Set', value"),
    "an item outside of a loop": ([put("@item()")], "item()", "ForEach"),
    "a trigger in a pipeline": ([put("@triggerBody().fileName")], "triggerBody", "parameters"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place_before_anything_runs(bed, mistake):
    activities, what, way_out = MISTAKES[mistake]
    with pytest.raises(InvalidInput) as caught:
        bed.run(*activities, variables={"v": STRING}, parameters={"day": STRING | {"defaultValue": "1"}})
    told = str(caught.value)
    assert what in told
    assert way_out in told
    assert bed.workspace.posted == []


@pytest.mark.parametrize(
    ("declared", "what"),
    [({"type": "Text"}, "'Text' is no type"), ({"type": "Int", "defaultValue": "five"}, "declared as Int")],
)
def test_a_parameter_that_cannot_be_is_told(bed, declared, what):
    with pytest.raises(InvalidInput, match=what):
        bed.check(activity("A"), parameters={"p": declared})


def test_what_the_ancestors_around_did_may_be_looked_at(bed):
    inside = put("@activity('Train').output.runId")
    bed.check(train(), branch(inside) | {"dependsOn": [{"activity": "Train"}]}, variables={"v": STRING})


def test_an_activity_beside_a_branch_is_not_before_what_is_in_it(bed):
    with pytest.raises(InvalidInput, match="'Train'"):
        bed.check(train(), branch(put("@activity('Train').output.runId")), variables={"v": STRING})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"activities": [}', "p.json is no JSON: .* line 1 column 17"),
        ("[]", "p.json: expected a JSON object"),
        ('{"name": "p"}', "pipeline 'p' has no activities"),
        ('{"activities": [{"type": "Wait"}]}', r"activities\[0\].name: it is missing"),
        ('{"activities": {"a": 1}}', "activities: expected an array"),
        (
            '{"activities": [{"name": "A", "type": "Wait", "dependsOn": "B"}]}',
            "activity 'A'.dependsOn: expected an array",
        ),
    ],
)
def test_what_is_no_pipeline_is_told(text, what):
    with pytest.raises(InvalidInput, match=what):
        factory_from_text(text, "p.json")


def test_a_pipeline_without_the_properties_around_is_read_too():
    assert factory_from_json({"name": "p", "activities": [activity("A")]}, "x").pipeline().activities[0].name == "A"


def test_a_chain_of_properties_that_is_longer_than_the_stack_is_read():
    chain = "pipeline().parameters" + ".x" * 3000
    known = Known(frozenset(), frozenset(), frozenset({"x"}))
    check_expressions({"value": f"@{chain}"}, known, "activity 'A'")
    with pytest.raises(InvalidInput, match="no parameter 'y'"):
        check_expressions({"value": f"@{chain.replace('.x', '.y', 1)}"}, known, "activity 'A'")
