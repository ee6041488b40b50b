"""The rules of a run in progress hold for every graph, whatever its steps do."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.embedded.progress import outcome, ready, settled
from aml_magics.model.resources import RunStatus, StepStatus

NOT_STARTED, QUEUED, RUNNING, FAILED, FINISHED, CANCELED, BYPASSED = (
    StepStatus.NOT_STARTED,
    StepStatus.QUEUED,
    StepStatus.RUNNING,
    StepStatus.FAILED,
    StepStatus.FINISHED,
    StepStatus.CANCELED,
    StepStatus.BYPASSED,
)
CHAIN = {"a": frozenset(), "b": frozenset({"a"}), "c": frozenset({"b"}), "free": frozenset()}


def settle(*statuses: StepStatus, keep_going: bool = False, canceling: bool = False) -> list[StepStatus]:
    return list(
        settled(CHAIN, dict(zip(CHAIN, statuses, strict=True)), keep_going=keep_going, canceling=canceling).values()
    )


def test_a_step_can_start_when_all_it_needs_is_finished():
    start = settled(CHAIN, dict.fromkeys(CHAIN, NOT_STARTED), keep_going=False, canceling=False)
    assert ready(start) == ["a", "free"]
    assert settle(FINISHED, NOT_STARTED, NOT_STARTED, RUNNING) == [FINISHED, QUEUED, NOT_STARTED, RUNNING]


def test_after_a_failure_nothing_new_starts():
    assert settle(FAILED, NOT_STARTED, NOT_STARTED, QUEUED) == [FAILED, BYPASSED, BYPASSED, BYPASSED]


def test_with_keep_going_only_what_needs_the_failed_step_is_bypassed():
    after = settle(FAILED, NOT_STARTED, NOT_STARTED, NOT_STARTED, keep_going=True)
    assert after == [FAILED, BYPASSED, BYPASSED, QUEUED]


def test_canceling_goes_before_everything_else():
    assert settle(FAILED, NOT_STARTED, NOT_STARTED, RUNNING, canceling=True) == [FAILED, CANCELED, CANCELED, RUNNING]


def test_a_run_ends_as_its_steps_did():
    def ended(*statuses, canceling=False):
        return outcome(dict(enumerate(statuses)), canceling=canceling)

    assert ended(FINISHED, RUNNING) is None
    assert ended(FINISHED, QUEUED) is None
    assert ended(FINISHED, FINISHED) is RunStatus.FINISHED
    assert ended(FINISHED, FINISHED, canceling=True) is RunStatus.FINISHED  # it was over before the request
    assert ended(FAILED, BYPASSED) is RunStatus.FAILED
    assert ended(FAILED, CANCELED, canceling=True) is RunStatus.CANCELED
    assert ended(FINISHED, CANCELED) is RunStatus.CANCELED


@st.composite
def needs(draw) -> dict[str, frozenset[str]]:
    names = [f"s{number}" for number in range(draw(st.integers(1, 7)))]
    return {
        name: frozenset(draw(st.sets(st.sampled_from(names[:at] or [name])) if at else st.just(())))
        for at, name in enumerate(names)
    }


@settings(max_examples=200, deadline=None)
@given(needs(), st.booleans(), st.data())
def test_every_run_ends_and_no_step_starts_that_should_not(graph, keep_going, data):
    statuses = dict.fromkeys(graph, NOT_STARTED)
    canceling = False
    started: list[str] = []
    for _ in range(10 * len(graph)):
        canceling = canceling or data.draw(st.integers(0, 9)) == 0
        statuses = settled(graph, statuses, keep_going=keep_going, canceling=canceling)
        if outcome(statuses, canceling=canceling) is not None:
            break
        waiting, running = ready(statuses), [name for name, one in statuses.items() if one is RUNNING]
        assert waiting or running
        name = data.draw(st.sampled_from(waiting + running))
        if name in waiting:
            assert not canceling
            assert all(statuses[other] is FINISHED for other in graph[name])
            assert keep_going or FAILED not in statuses.values()
            started.append(name)
            statuses[name] = RUNNING
        else:
            statuses[name] = data.draw(st.sampled_from([FINISHED, FAILED]))
    assert outcome(statuses, canceling=canceling) is not None
    assert len(started) == len(set(started))
    assert {name for name, one in statuses.items() if one in (FINISHED, FAILED)} == set(started)
    if keep_going and not canceling:
        broken = {name for name, one in statuses.items() if one is not FINISHED}
        assert all(statuses[name] is FAILED or graph[name] & broken for name in broken)
