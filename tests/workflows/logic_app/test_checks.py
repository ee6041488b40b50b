"""What cannot run is refused by name, with the place, before anything runs."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import InvalidInput
from tests.workflows.logic_app.bed import RECURRENCE, compose, http, on_blobs, seconds, waits


def loop(**actions):
    return {"type": "Foreach", "foreach": "@createArray(1)", "actions": actions}


def until(**actions):
    return {"type": "Until", "expression": "@true", "limit": {"count": 1}, "actions": actions}


def declared(name="n", kind="integer"):
    return {"type": "InitializeVariable", "inputs": {"variables": [{"name": name, "type": kind}]}}


def setting(name="n", value=1, *after):
    return {"type": "SetVariable", "inputs": {"name": name, "value": value}, "runAfter": waits(*after)}


RESPONSE = {"type": "Response", "inputs": {"statusCode": 200}}
FUNCTION = {"type": "Function", "inputs": {"function": {"id": "x"}}}


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (
            {"A": RESPONSE, "L": loop(B=FUNCTION)},
            r"of its actions, 'A' \(Response\) and 'B' \(Function\) cannot run here; nothing was run.*Http",
        ),
        ({"A": compose("@concat('a'")}, r"action 'A', inputs: .*is missing.*column"),
        ({"A": compose("@triggerBdy()")}, r"there is no function triggerBdy\(\) here, at column 1.*'triggerBody'"),
        ({"A": compose("@xpath('a', 'b')")}, r"xpath\(\) cannot be run here"),
        (
            {"A": compose(1), "B": compose("@outputs('A')")},
            r"'B', inputs: the action 'A' need not have run before.*runAfter",
        ),
        (
            {"L": loop(I=compose(1)), "B": compose("@outputs('I')", "L")},
            r"the action 'I' need not have run before this one",
        ),
        ({"A": compose("@item()")}, r"item\(\) stands outside of a Foreach"),
        ({"L": loop(I=compose("@items('M')"))}, r"outside of a loop 'M', at column 1.*Known: L"),
        ({"A": compose("@variables('n')")}, r"there is no variable 'n'"),
        ({"D": declared(), "A": setting("m", 1, "D")}, r"action 'A': there is no variable 'm'. Known: n"),
        ({"D": declared(kind="number")}, r"'number' is no type of a variable"),
        ({"L": loop(D=declared())}, r"variables are initialized outside of Foreach"),
        ({"U": until(T={"type": "Terminate", "inputs": {"runStatus": "Failed"}})}, r"no Terminate inside of Until"),
        ({"T": {"type": "Terminate", "inputs": {"runStatus": "Done"}}}, r"does not end as 'Done'"),
        (
            {"W": {"type": "Wait", "inputs": {"interval": {"count": 1, "unit": "Sec"}}}},
            r"the unit 'Sec' is none.*'Second'",
        ),
        ({"W": {"type": "Wait", "inputs": {}}}, r"does not say how long"),
        ({"W": {"type": "Wait"}}, r"\(Wait\) has no inputs"),
        ({"A": seconds(1, limit={"timeout": "5 minutes"})}, r"limit.timeout '5 minutes' is no length of time.*PT30S"),
        ({"I": {"type": "If", "expression": {"equal": [1, 1]}, "actions": {}}}, r"'equal' compares nothing.*'equals'"),
        ({"I": {"type": "If", "expression": {"equals": [1]}, "actions": {}}}, r"equals takes an array of two values"),
        ({"I": {"type": "If", "expression": "true", "actions": {}}}, r"'true' is no condition"),
        ({"I": {"type": "If", "expression": {"and": [], "or": []}, "actions": {}}}, r"is no condition"),
        ({"Q": {"type": "Query", "inputs": {"from": [], "where": {"is": [1, 2]}}}}, r"'is' compares nothing"),
        ({"A": http(uri="https://example.com/x")}, r"nothing is sent from here to https://example.com/x"),
        ({"A": http(headers={"Authorization": "x"})}, r"the header 'Authorization' is nothing that is sent"),
        (
            {"A": http(authentication={"type": "Basic", "username": "u"})},
            r"authentication of the type Basic does not run",
        ),
        ({"A": http(retryPolicy={"type": "linear"})}, r"retryPolicy .*'linear'.* is none.*exponential"),
        ({"A": http(retryPolicy={"type": "fixed", "interval": "20s"})}, r"interval '20s' is no length of time"),
        ({"A": http(cookie="x")}, r"'cookie' is nothing that runs here"),
        ({"A": compose(1, operationOptions="Fast")}, r"the operation option 'Fast' does not run here"),
        ({"A": compose(1, runtimeConfiguration={"staticResult": {"name": "x"}})}, r"static results do not run here"),
        ({"A": compose(1, "B")}, r"runs after 'B', which is not beside it"),
        ({"A": compose(1, "B"), "B": compose(1, "A")}, r"waits in a circle"),
        ({"A": {"type": "Computer", "inputs": 1}}, r"unknown type 'Computer'. Did you mean 'Compose'"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_an_action_that_cannot_run_is_refused(bed, actions, message):
    with pytest.raises(InvalidInput, match=message) as raised:
        bed.checked(actions)
    assert "\n" not in str(raised.value)
    assert bed.web.sent == []


def changed(**queries):
    trigger = on_blobs()
    trigger["Blob"]["inputs"]["queries"] |= queries
    return trigger


def polling(path):
    trigger = on_blobs()
    trigger["Blob"]["inputs"]["path"] = path
    return trigger


@pytest.mark.parametrize(
    ("triggers", "message"),
    [
        ({}, r"app has no trigger: nothing could start it"),
        ({"M": {"type": "Request"}}, r"of its triggers, 'M' \(Request\) cannot run here; nothing was run.*Recurrence"),
        (
            polling("/datasets/default/triggers/onnewemail"),
            r"'Blob' \(ApiConnection /datasets/default/triggers/onnewemail\)",
        ),
        (on_blobs(conditions=[{"expression": "@equals(1, 1"}]), r"trigger 'Blob', conditions: .*is missing"),
        (on_blobs(conditions=[{"expression": "@equals(outputs('A'), 1)"}]), r"there is no function outputs\(\) here"),
        (on_blobs(splitOn="@items()"), r"trigger 'Blob', splitOn: there is no function items\(\)"),
        (on_blobs(operationOptions="Once"), r"the operation option 'Once' does not run here"),
        ({"R": RECURRENCE["Every"] | {"splitOn": "@triggerBody()"}}, r"a Recurrence has nothing to split"),
        (
            {"R": {"type": "Recurrence", "recurrence": {"frequency": "Fortnight", "interval": 1}}},
            r"frequency 'Fortnight'",
        ),
        (
            {"R": {"type": "Recurrence", "recurrence": {"frequency": "Day", "interval": 1, "count": 3}}},
            r"count does not run",
        ),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_trigger_that_cannot_run_is_refused(bed, triggers, message):
    with pytest.raises(InvalidInput, match=message):
        bed.checked({"A": compose(1)}, triggers)


@pytest.mark.parametrize(
    ("triggers", "message"),
    [
        (changed(folderId="???"), r"folderId '\?\?\?' names no folder.*%2fcontainer"),
        (changed(maxFileCount=500), r"maxFileCount 500 is out of range.*1 to 100"),
        (changed(inferContentType=True), r"'inferContentType' is no query of this trigger"),
        (polling("/v3/datasets/x/triggers/batch/onupdatedfile"), r"'/v3/datasets/x.*' is no poll for blobs"),
    ],
    ids=str,
)
def test_a_blob_trigger_that_names_no_place_is_refused_before_it_looks(bed, triggers, message):
    with pytest.raises(InvalidInput, match=message):
        bed.watch({"A": compose(1)}, triggers)
    assert bed.stores.asked == []


def test_a_parameter_without_a_value_is_refused(bed):
    with pytest.raises(InvalidInput, match=r"the workflow's parameter 'p' has no value"):
        bed.checked({"A": compose(1)}, parameters={"p": {"type": "String"}})
    with pytest.raises(
        InvalidInput, match=r"a value is missing for the template's \[parameters\('x'\)\].*parameters.json"
    ):
        bed.checked({"A": compose("[parameters('x')]")})


def test_what_ran_inside_a_scope_an_if_or_a_switch_may_be_named_after_it(bed):
    scope = {"type": "Scope", "actions": {"I": {"type": "If", "expression": "@true", "actions": {"In": compose(1)}}}}
    bed.checked({"S": scope, "A": compose("@outputs('In')", "S"), "B": compose("@outputs('In')", "A")})
