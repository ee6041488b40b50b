"""``dependsOn`` and the result of a pipeline, as a table: what each activity's end does to the others."""

from __future__ import annotations

import pytest

from aml_magics.workflows.data_factory.definition import Activity, Dependency
from aml_magics.workflows.data_factory.dependencies import Status, cycle, failed_that_count, in_order, may_run

ENDS = (Status.SUCCEEDED, Status.FAILED, Status.SKIPPED)


def activity(name: str, *needs: str) -> Activity:
    """``activity("B", "A:Failed")`` needs a failed A; several conditions stand with a bar: ``A:Failed|Skipped``."""
    pairs = [need.partition(":") for need in needs]
    return Activity(
        name=name,
        type="Wait",
        properties={},
        depends_on=tuple(Dependency(on, tuple((how or "Succeeded").split("|"))) for on, _, how in pairs),
    )


@pytest.mark.parametrize(
    ("condition", "runs_after"),
    [
        ("Succeeded", {Status.SUCCEEDED}),
        ("Failed", {Status.FAILED}),
        ("Skipped", {Status.SKIPPED}),
        ("Completed", {Status.SUCCEEDED, Status.FAILED}),
        ("Failed|Skipped", {Status.FAILED, Status.SKIPPED}),
        ("Completed|Skipped", set(ENDS)),
    ],
)
def test_an_activity_runs_after_the_ends_that_its_condition_names(condition, runs_after):
    needs = activity("B", f"A:{condition}").depends_on
    assert {end for end in ENDS if may_run(needs, {"A": end})} == runs_after


def test_an_activity_that_needs_several_runs_only_when_all_conditions_are_met():
    needs = activity("C", "A:Succeeded", "B:Failed").depends_on
    met = [(a, b) for a in ENDS for b in ENDS if may_run(needs, {"A": a, "B": b})]
    assert met == [(Status.SUCCEEDED, Status.FAILED)]


def play(activities, failing):
    """How every activity ends, when those of ``failing`` fail if they run."""
    ended = {}
    for one in in_order(activities):
        runs = may_run(one.depends_on, ended)
        ended[one.name] = (Status.FAILED if one.name in failing else Status.SUCCEEDED) if runs else Status.SKIPPED
    return ended


TRY_CATCH = [activity("Work"), activity("Catch", "Work:Failed")]
IF_ELSE = [*TRY_CATCH, activity("Next", "Work")]
IF_SKIP_ELSE = [*IF_ELSE, activity("Dummy", "Next:Skipped")]
CLEAN_UP = [activity("Work"), activity("CleanUp", "Work:Completed")]
CHAIN = [activity("A"), activity("B", "A"), activity("C", "B")]
HANDLER_AT_THE_END = [*CHAIN, activity("Handler", "C:Failed|Skipped")]
SHARED_HANDLER = [activity("A"), activity("B", "A"), activity("Handler", "A:Failed", "B:Failed")]
SIDE_BY_SIDE = [activity("A"), activity("B"), activity("Both", "A", "B")]


@pytest.mark.parametrize(
    ("pipeline", "failing", "because_of"),
    [
        (TRY_CATCH, "", []),
        (TRY_CATCH, "Work", []),
        (TRY_CATCH, "Work Catch", ["Catch"]),
        (IF_ELSE, "", []),
        (IF_ELSE, "Work", ["Work"]),
        (IF_ELSE, "Next", ["Next"]),
        (IF_SKIP_ELSE, "", []),
        (IF_SKIP_ELSE, "Work", []),
        (IF_SKIP_ELSE, "Next", ["Next"]),
        (IF_SKIP_ELSE, "Work Dummy", ["Dummy"]),
        (CLEAN_UP, "Work", []),
        (CLEAN_UP, "CleanUp", ["CleanUp"]),
        (CHAIN, "A", ["A"]),
        (CHAIN, "B", ["B"]),
        (HANDLER_AT_THE_END, "A", []),
        (HANDLER_AT_THE_END, "C", []),
        (HANDLER_AT_THE_END, "A Handler", ["Handler"]),
        (SHARED_HANDLER, "A", ["A"]),
        (SHARED_HANDLER, "B", ["B"]),
        (SIDE_BY_SIDE, "A", ["A"]),
        (SIDE_BY_SIDE, "A B", ["A", "B"]),
        ([], "", []),
    ],
)
def test_a_pipeline_fails_because_of_its_leaves_or_of_what_skipped_ones_needed(pipeline, failing, because_of):
    assert failed_that_count(pipeline, play(pipeline, failing.split())) == because_of


def test_activities_come_after_what_they_need_and_otherwise_as_they_are_written():
    written = [activity("C", "A", "B"), activity("B", "A"), activity("D"), activity("A")]
    assert [one.name for one in in_order(written)] == ["D", "A", "B", "C"]


@pytest.mark.parametrize(
    ("pipeline", "circle"),
    [
        (SIDE_BY_SIDE, []),
        ([activity("A", "A")], ["A", "A"]),
        ([activity("A", "C"), activity("B", "A"), activity("C", "B"), activity("D", "A")], ["A", "B", "C", "A"]),
    ],
)
def test_a_circle_is_told_by_the_names_along_it(pipeline, circle):
    assert cycle(pipeline) == circle
