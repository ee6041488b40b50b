"""``workspace.runs``: find, wait without hurry, read the logs once, cancel."""

from dataclasses import replace

import httpx
import pytest

from aml_magics.client.runs import NotFinished
from aml_magics.model.errors import AmlError, InvalidInput, NotFound, ServiceError
from aml_magics.model.resources import RunStatus, Step, StepStatus


@pytest.fixture
def pipeline(service):
    return service.add_pipeline("train")


@pytest.fixture
def run(service, pipeline):
    made = service.add_run(pipeline, status=RunStatus.RUNNING)
    service.steps[made.id] = [
        Step(id=name, run_id=made.id, name=name, status=StepStatus.RUNNING) for name in ("prepare", "fit")
    ]
    return made


def change(service, run, **fields):
    service.runs[run.id] = replace(service.runs[run.id], **fields)


def test_a_run_is_found_by_its_id_or_the_beginning_of_it(service, ws, run):
    assert ws.runs.get(run.id) == ws.runs.get(run.id[:8]) == ws.runs.get(run) == run


def test_the_beginning_of_several_ids_lists_them(service, ws, pipeline):
    ids = [f"aaaa{number:04}-0000-4000-8000-000000000000" for number in range(2)]
    for run_id in ids:
        service.add_run(pipeline, id=run_id)
    with pytest.raises(InvalidInput, match="2 runs have an id that begins with 'aaaa'") as caught:
        ws.runs.get("aaaa")
    assert all(run_id in str(caught.value) for run_id in ids)


@pytest.mark.parametrize("wanted", ["zzzz", "abc", "3f2a0000-0000-4000-8000-000000000000"])
def test_a_run_that_is_not_there_says_where_to_look(ws, run, wanted):
    with pytest.raises(NotFound, match=f"there is no run '{wanted}'") as caught:
        ws.runs.get(wanted)
    assert caught.value.hint


def test_on_azure_the_beginning_of_an_id_is_looked_up_in_run_history(azure, azure_ws):
    run = azure.add_run(azure.add_pipeline())
    assert azure_ws.runs.get(run.id[:8]).id == run.id


def test_lists_are_newest_first_filtered_and_limited(service, ws, pipeline):
    other = service.add_pipeline("score")
    runs = [
        service.add_run(one, experiment_name=name)
        for one, name in [(pipeline, "a"), (other, "a"), (pipeline, "b"), (pipeline, "a")]
    ]
    ids = [run.id for run in runs]
    assert [run.id for run in ws.runs.list()] == ids[::-1]
    assert [run.id for run in ws.runs.list(limit=2)] == [ids[3], ids[2]]
    assert [run.id for run in ws.runs.list(pipeline="train")] == [ids[3], ids[2], ids[0]]
    assert [run.id for run in ws.runs.list(experiment="a")] == [ids[3], ids[1], ids[0]]
    assert [run.id for run in ws.runs.list(pipeline="train", experiment="a", limit=1)] == [ids[3]]


def test_the_runs_of_a_schedule_are_those_it_started(service, ws, pipeline):
    schedule = ws.schedules.create("s", pipeline="train", every="hour")
    started = service.add_run(pipeline, schedule_id=schedule.id)
    service.add_run(pipeline)
    assert [run.id for run in ws.runs.list(schedule="s")] == [started.id]
    assert ws.runs.list(schedule="s", experiment="exp", pipeline="train") == [started]


@pytest.mark.parametrize("options", [{"pipeline": "trian"}, {"schedule": "nightly"}, {"experiment": "ex"}])
def test_a_filter_that_names_nothing_is_an_error_and_no_empty_list(ws, run, options):
    with pytest.raises(NotFound):
        ws.runs.list(**options)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_is_none_is_refused(ws, limit):
    with pytest.raises(InvalidInput, match="limit"):
        ws.runs.list(limit=limit)


@pytest.mark.parametrize("status", [RunStatus.FINISHED, RunStatus.FAILED, RunStatus.CANCELED])
def test_waiting_ends_with_the_run_however_it_ends(service, ws, waits, run, status):
    def later(_seconds):
        if len(waits.pauses) == 5:
            change(service, run, status=status)

    waits.then = later
    assert ws.runs.wait(run.id).status is status
    assert len(waits.pauses) == 5


def test_waiting_asks_less_and_less_often(service, ws, waits, run):
    waits.then = lambda _seconds: change(service, run, status=RunStatus.FINISHED) if waits.monotonic() > 20 else None
    ws.runs.wait(run)
    assert waits.pauses[0] == 0.1
    assert waits.pauses == sorted(waits.pauses)
    assert waits.pauses[-1] == 0.5


def test_waiting_on_azure_asks_every_five_seconds_at_most(azure, azure_ws, waits):
    run = azure.add_run(azure.add_pipeline(), status=RunStatus.RUNNING)
    waits.then = lambda _seconds: change(azure, run, status=RunStatus.FINISHED) if waits.monotonic() > 60 else None
    azure_ws.runs.wait(run.id)
    assert waits.pauses[-1] == 5.0


def test_waiting_for_a_run_that_has_ended_does_not_wait(service, ws, waits, run):
    change(service, run, status=RunStatus.FAILED)
    assert ws.runs.wait(run.id, timeout=0).status is RunStatus.FAILED
    assert waits.pauses == []


def test_waiting_is_over_when_time_is_up_and_the_run_goes_on(service, ws, waits, run):
    with pytest.raises(NotFinished, match=r"has not ended after 3 s: it is Running") as caught:
        ws.runs.wait(run.id, timeout=3)
    assert sum(waits.pauses) == pytest.approx(3)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, AmlError)
    assert caught.value.run == run
    assert run.id[:8] in caught.value.hint
    assert service.changes() == []


def test_waiting_for_a_schedule_waits_for_its_first_run_and_for_the_end_of_it(service, ws, waits, pipeline):
    schedule = ws.schedules.create("s", pipeline="train", every="hour")
    fired = []

    def later(_seconds):
        if len(waits.pauses) == 3:
            fired.append(service.add_run(pipeline, schedule_id=schedule.id, status=RunStatus.RUNNING))
        if len(waits.pauses) == 6:
            change(service, fired[0], status=RunStatus.FINISHED)

    waits.then = later
    ended = ws.runs.wait_for_schedule("s", timeout=60)
    assert (ended.id, ended.status) == (fired[0].id, RunStatus.FINISHED)


def test_waiting_for_a_schedule_that_does_not_fire_is_over_when_time_is_up(service, ws, waits, pipeline):
    ws.schedules.create("s", pipeline="train", every="hour")
    with pytest.raises(NotFinished, match="the schedule 's' has started no run after 3 s") as caught:
        ws.runs.wait_for_schedule("s", timeout=3)
    assert sum(waits.pauses) == pytest.approx(3)
    assert caught.value.run is None
    assert "history s" in caught.value.hint


def test_cancel_asks_once_and_gives_the_state_after(service, ws, run):
    assert ws.runs.cancel(run.id[:8]).status is RunStatus.CANCELED
    assert service.changes() == [f"DELETE /PipelineRuns/{run.id}/Execution"]


def test_a_run_that_has_ended_is_not_cancelled(service, ws, run):
    change(service, run, status=RunStatus.FINISHED)
    assert ws.runs.cancel(run).status is RunStatus.FINISHED
    assert service.changes() == []


def test_steps_are_listed(ws, run):
    assert [step.name for step in ws.runs.steps(run.id)] == ["prepare", "fit"]


def test_the_log_of_one_step_is_given_as_it_is(service, ws, run):
    service.logs[run.id, "fit"] = b"no newline at the end"
    assert ws.runs.logs(run.id, step="fit") == "no newline at the end"


def test_the_logs_of_all_steps_follow_each_other_below_their_names(service, ws, run):
    service.logs[run.id, "prepare"] = b"a"
    service.logs[run.id, "fit"] = b"b\n"
    assert ws.runs.logs(run.id) == "--- prepare ---\na\n--- fit ---\nb\n"


def test_the_only_step_of_a_run_needs_no_name_above_its_log(service, ws, run):
    service.steps[run.id] = service.steps[run.id][:1]
    service.logs[run.id, "prepare"] = b"a"
    assert ws.runs.logs(run.id) == "a"


def test_a_step_that_has_not_begun_has_no_log(service, ws, run):
    service.steps[run.id] = [replace(step, status=StepStatus.NOT_STARTED) for step in service.steps[run.id]]
    assert ws.runs.logs(run.id) == ""
    assert not [call for call in service.calls() if "STDOUT" in call]


def test_the_log_of_an_unknown_step_gets_the_nearest_name(ws, run):
    for read in (ws.runs.logs, ws.runs.follow):
        with pytest.raises(NotFound, match=r"Did you mean 'prepare'\?"):
            read(run.id, step="prepar")


def test_following_gives_each_text_once_and_ends_with_the_run(service, ws, waits, run):
    key = (run.id, "fit")
    script = [b"one\n", b"one\n", b"one\ntwo", b"one\ntwo\n"]

    def later(_seconds):
        if script:
            service.logs[key] = script.pop(0)
        else:
            change(service, run, status=RunStatus.FINISHED)

    waits.then = later
    assert list(ws.runs.follow(run.id, step="fit")) == ["one\n", "two", "\n"]


def test_following_all_steps_says_whose_text_comes(service, ws, waits, run):
    texts = [("prepare", b"a\n"), ("fit", b"b\n"), ("fit", b"b\nc\n"), ("prepare", b"a\nd\n")]

    def later(_seconds):
        if texts:
            name, text = texts.pop(0)
            service.logs[run.id, name] = text
        else:
            change(service, run, status=RunStatus.FINISHED)

    waits.then = later
    assert "".join(ws.runs.follow(run.id)) == "--- prepare ---\na\n--- fit ---\nb\nc\n--- prepare ---\nd\n"


def test_following_a_run_that_has_ended_gives_all_of_it_at_once(service, ws, waits, run):
    change(service, run, status=RunStatus.FAILED)
    service.logs[run.id, "fit"] = b"all\n"
    assert list(ws.runs.follow(run.id, step="fit")) == ["all\n"]
    assert waits.pauses == []


def test_following_a_silent_run_gives_nothing(service, ws, run):
    change(service, run, status=RunStatus.CANCELED)
    assert list(ws.runs.follow(run.id)) == []


def test_the_log_of_a_step_that_has_ended_is_not_asked_for_again(service, ws, waits, run):
    service.logs[run.id, "prepare"] = b"a\n"
    service.steps[run.id][0] = replace(service.steps[run.id][0], status=StepStatus.FINISHED)
    waits.then = lambda _seconds: change(service, run, status=RunStatus.FINISHED) if len(waits.pauses) > 9 else None
    assert "".join(ws.runs.follow(run.id)) == "--- prepare ---\na\n"
    asked = [body for body in service.bodies("/STDOUT") if body == ["prepare"]]
    assert len(asked) == 1


def test_half_a_character_is_held_back_until_it_is_whole(service, ws, waits, run):
    whole = "né\n".encode()
    script = [whole[:2], whole]

    def later(_seconds):
        if script:
            service.logs[run.id, "fit"] = script.pop(0)
        else:
            change(service, run, status=RunStatus.FINISHED)

    waits.then = later
    assert list(ws.runs.follow(run.id, step="fit")) == ["n", "é\n"]


def test_a_log_that_comes_as_its_moving_end_is_followed_without_a_gap(service, ws, waits, run):
    lines = [f"line {number:05}\n" for number in range(2_000)]
    reach = iter(range(400, 2_001, 200))

    def later(_seconds):
        end = next(reach, None)
        if end is None:
            change(service, run, status=RunStatus.FINISHED)
        else:
            service.logs[run.id, "fit"] = "".join(lines[max(0, end - 500) : end]).encode()

    waits.then = later
    assert "".join(ws.runs.follow(run.id, step="fit")) == "".join(lines)


@pytest.mark.parametrize("knows_parts", [True, False])
def test_a_log_is_followed_byte_by_byte_whether_the_service_knows_parts_or_not(service, ws, waits, run, knows_parts):
    whole = "naïve 🚀\nend".encode()
    service.knows_parts = knows_parts

    def later(_seconds):
        done = len(service.logs.get((run.id, "fit"), b""))
        service.logs[run.id, "fit"] = whole[: done + 1]
        if done == len(whole):
            change(service, run, status=RunStatus.FINISHED)

    waits.then = later
    assert "".join(ws.runs.follow(run.id, step="fit")) == whole.decode()


def test_what_was_given_is_not_asked_for_again(service, ws, waits, run):
    service.knows_parts = True
    service.logs[run.id, "fit"] = b"a" * 1000

    def later(_seconds):
        if len(waits.pauses) < 5:
            service.logs[run.id, "fit"] += b"b"
        else:
            change(service, run, status=RunStatus.FINISHED)

    waits.then = later
    assert "".join(ws.runs.follow(run.id, step="fit")) == "a" * 1000 + "b" * 4
    asked = [request.headers.get("range") for request in service.requests if "STDOUT" in request.url.path]
    assert asked[:4] == [None, "bytes=999-", "bytes=999-", "bytes=1000-"]


def failing(service, times):
    """Let the service answer that it is down, so many times, where it is asked for a log."""
    left = [times]

    def intercept(request):
        if "STDOUT" not in request.url.path or not left[0]:
            return None
        left[0] -= 1
        return httpx.Response(501, json={"error": {"code": "ServiceError", "message": "down for a moment"}})

    service.intercept = intercept


def test_following_survives_one_failure_and_loses_nothing(service, ws, waits, run):
    service.logs[run.id, "prepare"] = b"a\n"
    service.logs[run.id, "fit"] = b"b\n"
    pieces = ws.runs.follow(run.id)
    failing(service, 1)
    waits.then = lambda _seconds: change(service, run, status=RunStatus.FINISHED)
    assert "".join(pieces) == "--- prepare ---\na\n--- fit ---\nb\n"


def test_following_ends_at_the_second_failure_in_a_row(service, ws, run):
    pieces = ws.runs.follow(run.id)
    failing(service, 2)
    with pytest.raises(ServiceError, match="down for a moment"):
        list(pieces)


def test_logs_that_are_read_once_fail_at_once(service, ws, run):
    failing(service, 1)
    with pytest.raises(ServiceError, match="down for a moment"):
        ws.runs.logs(run.id)
