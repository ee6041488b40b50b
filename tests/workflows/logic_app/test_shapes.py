"""A definition whose parts are of other kinds than they should be is refused in one line, or runs."""

from __future__ import annotations

import copy
import random

import pytest

from aml_magics.model.errors import AmlError
from tests.workflows.logic_app.bed import Bed, compose, http, on_blobs, seconds, waits

ACTIONS = {
    "Start": {
        "type": "InitializeVariable",
        "inputs": {"variables": [{"name": "n", "type": "integer", "value": 1}, {"name": "l", "type": "array"}]},
    },
    "Set": {"type": "SetVariable", "inputs": {"name": "n", "value": "@length('ab')"}, "runAfter": waits("Start")},
    "More": {"type": "IncrementVariable", "inputs": {"name": "n", "value": 1}, "runAfter": waits("Set")},
    "Go": http(
        headers={"Accept": "x"}, queries={"a": 1}, retryPolicy={"type": "fixed", "count": 1, "interval": "PT1S"}
    ),
    "Rest": seconds(1, limit={"timeout": "PT5S"}),
    "Until": {
        "type": "Until",
        "expression": {"greater": [2, 1]},
        "limit": {"count": 2, "timeout": "PT1M"},
        "actions": {"In": compose("@iterationIndexes('Until')")},
    },
    "Loop": {
        "type": "Foreach",
        "foreach": "@createArray(1, 2)",
        "actions": {"It": compose("@items('Loop')")},
        "runtimeConfiguration": {"concurrency": {"repetitions": 2}},
    },
    "Which": {
        "type": "Switch",
        "expression": "@1",
        "cases": {"one": {"case": 1, "actions": {"One": compose(1)}}},
        "default": {"actions": {"Other": compose(2)}},
    },
    "If": {
        "type": "If",
        "expression": {"and": [{"equals": [1, 1]}]},
        "actions": {"Yes": compose(1)},
        "else": {"actions": {"No": compose(2)}},
    },
    "Query": {"type": "Query", "inputs": {"from": [1, 2], "where": "@greater(item(), 1)"}},
    "Select": {"type": "Select", "inputs": {"from": [1], "select": "@item()"}},
    "Join": {"type": "Join", "inputs": {"from": ["a"], "joinWith": ","}},
    "End": {
        "type": "Terminate",
        "inputs": {"runStatus": "Succeeded", "runError": {"code": "a"}},
        "runAfter": waits("If"),
    },
}
TRIGGERS = on_blobs(
    conditions=[{"expression": "@equals(1, 1)"}],
    runtimeConfiguration={"concurrency": {"runs": 2, "maximumWaitingRuns": 3}},
)
OTHERS = [None, True, 0, -1, 1.5, "", "text", "@item()", "@null", "@createArray()", [], [1], {}, {"a": 1}, [[]], [{}]]


def places(value, path=()):
    """The way to each part of a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def replaced(value, path, new):
    made = copy.deepcopy(value)
    part = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = new
    return made


def mutants(value, count, seed):
    chance = random.Random(seed)
    ways = [path for path in places(value) if path]
    for _ in range(count):
        path, new = chance.choice(ways), chance.choice(OTHERS)
        yield pytest.param(replaced(value, path, new), id=f"{'.'.join(map(str, path))}={new!r}")


def outcome(work):
    said = "ran"
    try:
        work()
    except AmlError as error:
        said = str(error)
    assert "\n" not in said
    return said


def test_it_runs_as_it_is(bed):
    assert outcome(lambda: bed.run(ACTIONS)) == "ran"
    bed.stores.put("in/a.csv")
    assert len(bed.watch(ACTIONS, TRIGGERS, existing=True, once=True).runs) == 1


@pytest.mark.parametrize("seed", range(8))
def test_an_action_of_another_shape_is_refused_in_one_line_or_runs(seed):
    results = [outcome(lambda each=each: Bed().run(each.values[0])) for each in mutants(ACTIONS, 60, seed)]
    assert 5 < results.count("ran") < 55


@pytest.mark.parametrize("seed", range(4))
def test_a_trigger_of_another_shape_is_refused_in_one_line_or_fires(seed):
    def fire(triggers):
        bed = Bed()
        bed.stores.put("in/a.csv")
        bed.watch({"A": compose(1)}, triggers, existing=True, seconds=1)

    results = [outcome(lambda each=each: fire(each.values[0])) for each in mutants(TRIGGERS, 60, seed)]
    assert 5 < results.count("ran") < 55
