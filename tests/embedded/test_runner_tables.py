"""Runs are claimed once, changed by their owner only, and found newest first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aml_magics.embedded import run_tables
from aml_magics.engine.database import Database
from aml_magics.model.errors import NotFound
from aml_magics.model.resources import DataPath, Run, RunStatus, Step, StepStatus


@pytest.fixture
def database():
    database = Database(":memory:")
    database.migrate(run_tables.COMPONENT, run_tables.MIGRATIONS)
    yield database
    database.close()


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def run(run_id: str, created: float = 0, **fields) -> Run:
    return Run(**{"id": run_id, "experiment_name": "E", "pipeline_id": "p", "created": moment(created)} | fields)


def insert(database: Database, one: Run, *names: str, **fields) -> bool:
    with database.transaction() as connection:
        return run_tables.insert_run(connection, one, [(f"n-{name}", name) for name in names], **fields)


def claim(database: Database, owner: str, now: float = 10) -> str | None:
    with database.transaction() as connection:
        return run_tables.claim_next(connection, owner, now)


def update(
    database: Database, owner: str, run_id: str, name: str, status: StepStatus, now: float = 20, **fields
) -> bool:
    with database.transaction() as connection:
        step = Step(id=f"n-{name}", run_id=run_id, name=name, status=status, **fields)
        return run_tables.update_step(connection, owner, step, now=now)


def statuses(database: Database, run_id: str) -> list[str]:
    return [step.status.value for step in run_tables.steps_of(database, run_id)]


def test_a_run_comes_back_as_it_was_put_in(database):
    one = run(
        "r",
        123.25,
        schedule_id="s",
        description="d",
        source="HTTP",
        parameters={"i": 1, "f": 1.0, "b": True, "t": "x'\"é"},
        data_paths={"d": DataPath("store", "a/b")},
        continue_on_step_failure=True,
    )
    assert insert(database, one, "b", "a", tags={"k": "v"}, properties={"p": "q"}, parent_run_id="up")
    found = run_tables.get_run(database, "r")
    assert found == one
    assert [type(value) for value in found.parameters.values()] == [int, float, bool, str]
    record = run_tables.get_record(database, "r")
    assert (record.run, record.tags, record.properties, record.parent_run_id) == (one, {"k": "v"}, {"p": "q"}, "up")
    assert (record.owner, record.cancel_requested) == (None, False)
    steps = run_tables.steps_of(database, "r")
    assert steps == [Step(id="n-b", run_id="r", name="b"), Step(id="n-a", run_id="r", name="a")]


def test_a_run_that_is_there_already_is_left_as_it_is(database):
    assert insert(database, run("r"), "a")
    assert not insert(database, run("r", 5, description="other"), "a", "b")
    assert run_tables.get_run(database, "r").description == ""
    assert statuses(database, "r") == ["NotStarted"]


def test_a_run_is_dated(database):
    with pytest.raises(ValueError, match="no creation time"):
        insert(database, Run(id="r", experiment_name="E", pipeline_id="p"))


def test_runs_are_found_newest_first_by_all_that_is_given(database):
    for number in range(6):
        insert(
            database,
            run(f"r{number}", number // 2, schedule_id=f"s{number % 2}", pipeline_id=f"p{number % 3}"),
            parent_run_id="r0" if number == 5 else None,
        )

    def found(**fields):
        return [one.id for one in run_tables.find_runs(database, **fields)]

    assert found() == ["r5", "r4", "r3", "r2", "r1", "r0"]
    assert found(limit=2) == ["r5", "r4"]
    assert found(schedule_id="s1") == ["r5", "r3", "r1"]
    assert found(pipeline_id="p0") == ["r3", "r0"]
    assert found(pipeline_id="p0", schedule_id="s1") == ["r3"]
    assert found(experiment_name="E", limit=1) == ["r5"]
    assert found(experiment_name="other") == []
    assert found(parent_run_id="r0") == ["r5"]
    assert run_tables.last_run_of_schedule(database, "s0").id == "r4"
    assert run_tables.last_run_of_schedule(database, "s9") is None
    assert run_tables.get_run(database, "nope") is None
    assert run_tables.get_record(database, "nope") is None
    assert run_tables.steps_of(database, "nope") == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM runs WHERE schedule_id = 's' ORDER BY created DESC, rowid DESC LIMIT 1",
        "SELECT * FROM runs WHERE pipeline_id = 'p' ORDER BY created DESC, rowid DESC LIMIT 1",
        "SELECT * FROM runs WHERE experiment = 'e' ORDER BY created DESC, rowid DESC LIMIT 1",
        "SELECT * FROM runs WHERE parent_run_id = 'r' ORDER BY created DESC, rowid DESC LIMIT 1",
        "SELECT 1 FROM runs WHERE status = 'NotStarted' AND owner IS NULL LIMIT 1",
        "SELECT id FROM runs WHERE status = 'NotStarted' AND owner IS NULL ORDER BY created, rowid LIMIT 1",
        "SELECT id FROM runs WHERE owner = 'o' AND cancel_requested = 1 AND status = 'Running'",
    ],
)
def test_no_question_asked_often_reads_the_whole_table(database, query):
    plan = " ".join(row["detail"] for row in database.rows(f"EXPLAIN QUERY PLAN {query}"))
    assert "USING" in plan
    assert "INDEX" in plan
    assert "TEMP B-TREE" not in plan


def test_tags_and_properties_are_replaced(database):
    insert(database, run("r"), tags={"a": "1"}, properties={"p": "1"})
    with database.transaction() as connection:
        run_tables.set_notes(connection, "r", {"b": "2"}, {"q": "2"})
    record = run_tables.get_record(database, "r")
    assert (record.tags, record.properties) == ({"b": "2"}, {"q": "2"})


def test_the_oldest_run_that_waits_is_claimed_and_each_once(database):
    for run_id, created in (("late", 2), ("early", 1), ("later", 3)):
        insert(database, run(run_id, created), "a")
    assert run_tables.runs_waiting(database)
    assert [claim(database, owner) for owner in ("x", "y", "x", "y")] == ["early", "late", "later", None]
    assert not run_tables.runs_waiting(database)
    early = run_tables.get_record(database, "early")
    assert (early.owner, early.run.status, early.run.started) == ("x", RunStatus.RUNNING, moment(10))


def test_a_step_is_stamped_when_it_starts_and_when_it_ends(database):
    insert(database, run("r"), "a")
    claim(database, "me")
    assert update(database, "me", "r", "a", StepStatus.QUEUED, 20)
    (step,) = run_tables.steps_of(database, "r")
    assert (step.started, step.ended) == (None, None)
    assert update(database, "me", "r", "a", StepStatus.RUNNING, 21)
    assert update(database, "me", "r", "a", StepStatus.FAILED, 25, detail="why", exit_code=3)
    (step,) = run_tables.steps_of(database, "r")
    assert (step.started, step.ended, step.detail, step.exit_code) == (moment(21), moment(25), "why", 3)


def test_only_the_owner_of_a_running_run_can_change_it(database):
    insert(database, run("r"), "a")
    assert not update(database, "me", "r", "a", StepStatus.RUNNING)
    claim(database, "me")
    assert not update(database, "other", "r", "a", StepStatus.RUNNING)
    with database.transaction() as connection:
        assert not run_tables.end_run(connection, "other", "r", RunStatus.FAILED, "", now=30)
        assert run_tables.end_run(connection, "me", "r", RunStatus.FINISHED, "", now=30)
        assert not run_tables.end_run(connection, "me", "r", RunStatus.FAILED, "", now=31)
    assert not update(database, "me", "r", "a", StepStatus.RUNNING)
    assert run_tables.get_run(database, "r").status is RunStatus.FINISHED


def test_a_request_to_cancel_ends_what_nobody_has_claimed_and_flags_the_rest(database):
    insert(database, run("waits"), "a", "b")
    insert(database, run("runs", -1), "a", "b")
    claim(database, "me")
    update(database, "me", "runs", "a", StepStatus.RUNNING)
    with database.transaction() as connection:
        assert run_tables.request_cancel(connection, "waits", 40) == []
        assert run_tables.request_cancel(connection, "runs", 40) == ["a"]
        with pytest.raises(NotFound):
            run_tables.request_cancel(connection, "nope", 40)
    assert run_tables.get_run(database, "waits").status is RunStatus.CANCELED
    assert statuses(database, "waits") == ["Canceled", "Canceled"]
    assert run_tables.get_run(database, "runs").status is RunStatus.RUNNING
    assert run_tables.runs_to_cancel(database, "me") == ["runs"]
    assert run_tables.runs_to_cancel(database, "other") == []
    before = run_tables.get_record(database, "waits")
    with database.transaction() as connection:
        assert run_tables.request_cancel(connection, "waits", 50) == []
    assert run_tables.get_record(database, "waits") == before


def take_over(database: Database, owner: str) -> list[tuple[str, str]]:
    with database.transaction() as connection:
        return run_tables.take_over(connection, owner, "interrupted", 50)


def test_what_a_dead_owner_was_running_fails_and_what_it_had_not_begun_can_be_claimed(database):
    names = ["begun", "untouched", "canceled", "given_up", "others"]
    for run_id in names:
        insert(database, run(run_id), "a", "b", "c")
    assert [claim(database, owner) for owner in ["dead"] * 4 + ["alive"]] == names
    for run_id, owner in (("begun", "dead"), ("canceled", "dead"), ("others", "alive")):
        update(database, owner, run_id, "a", StepStatus.FINISHED)
        update(database, owner, run_id, "b", StepStatus.RUNNING)
        update(database, owner, run_id, "c", StepStatus.QUEUED)
    update(database, "dead", "untouched", "a", StepStatus.QUEUED)
    with database.transaction() as connection:
        run_tables.request_cancel(connection, "canceled", 45)
        run_tables.request_cancel(connection, "given_up", 45)
    assert take_over(database, "dead") == [("begun", "b"), ("canceled", "b")]

    begun = run_tables.get_record(database, "begun")
    assert (begun.run.status, begun.run.status_detail, begun.run.ended) == (RunStatus.FAILED, "interrupted", moment(50))
    assert begun.owner is None
    assert statuses(database, "begun") == ["Finished", "Failed", "Bypassed"]
    assert run_tables.steps_of(database, "begun")[1].detail == "interrupted"
    assert statuses(database, "canceled") == ["Finished", "Canceled", "Canceled"]
    assert run_tables.get_run(database, "canceled").status is RunStatus.CANCELED
    assert statuses(database, "given_up") == ["Canceled"] * 3
    assert statuses(database, "others") == ["Finished", "Running", "Queued"]
    untouched = run_tables.get_record(database, "untouched")
    assert (untouched.run.status, untouched.run.started, untouched.owner) == (RunStatus.NOT_STARTED, None, None)
    assert statuses(database, "untouched") == ["NotStarted"] * 3
    assert claim(database, "alive") == "untouched"
    assert take_over(database, "dead") == []
    assert claim(database, "alive") is None


def test_a_claimed_run_that_cannot_be_run_is_refused_with_the_reason(database):
    insert(database, run("r"), "a")
    claim(database, "me")
    with database.transaction() as connection:
        run_tables.refuse(connection, "other", "r", "no", now=30)
        run_tables.refuse(connection, "me", "r", "why", now=30)
    found = run_tables.get_run(database, "r")
    assert (found.status, found.status_detail) == (RunStatus.FAILED, "why")
    assert statuses(database, "r") == ["Bypassed"]
