"""What happened last to everything, straight from the tables; and a glance, which says that something was written."""

from __future__ import annotations

import pytest

from aml_magics.embedded import run_tables
from aml_magics.embedded.store import Store
from aml_magics.engine.database import Database
from aml_magics.engine.schema import SCHEMA
from aml_magics.model.resources import Outcome, Run, RunStatus
from aml_magics.session import Session
from tests.support.clock import FakeClock


@pytest.fixture
def database():
    made = Database(":memory:")
    made.migrate("engine", SCHEMA)
    yield made
    made.close()


@pytest.fixture
def store(database, tmp_path, clock):
    made = Store(database, tmp_path, clock)
    yield made
    made.datastores.close()


def write(database, sql, *rows):
    with database.transaction() as connection:
        connection.executemany(sql, rows)


def add_pipeline(database, name, listed=1):
    write(database, "INSERT OR IGNORE INTO graphs VALUES ('g', '{}', '{}')", ())
    columns = (
        "id, name, description, version, status, graph_id, steps, continue_on_step_failure, extras, created, modified"
    )
    row = (name, name, "", "", "Active", "g", "[]", 0, "{}", "2026", "2026", listed)
    write(database, f"INSERT INTO pipelines ({columns}, listed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def add_schedule(database, name, pipeline):
    columns = "id, name, status, pipeline_id, created, entity"
    write(
        database,
        f"INSERT INTO schedules ({columns}) VALUES (?, ?, 'Active', ?, '2026', '{{}}')",
        (name, name, pipeline),
    )


def add_fire(database, key, schedule, decided, outcome, run=None, detail=""):
    columns = "key, schedule_id, reason, decided, objects, outcome, run_id, detail"
    row = (key, schedule, "clock", decided, "[]", outcome, run, detail)
    write(database, f"INSERT INTO fires ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def add_run(database, store, name, pipeline, status=RunStatus.FINISHED, **given):
    run = Run(id=name, experiment_name="E", pipeline_id=pipeline, status=status, created=store.now(), **given)
    with database.transaction() as connection:
        run_tables.insert_run(connection, run, [("n1", "one"), ("n2", "two")])


def test_the_last_fire_of_each_schedule_whatever_became_of_it(database, store):
    add_pipeline(database, "p")
    add_run(database, store, "r", "p", RunStatus.FAILED)
    for name in ("ran", "missed", "refused", "silent"):
        add_schedule(database, name, "p")
    add_fire(database, "1", "ran", 1.0, "missed", detail="no kernel")
    add_fire(database, "2", "ran", 2.0, "submitted", "r")
    add_fire(database, "3", "missed", 1.0, "submitted", "r")
    add_fire(database, "4", "missed", 2.0, "missed", detail="no kernel")
    add_fire(database, "5", "refused", 3.0, "refused", detail="disabled")
    add_fire(database, "6", "gone", 4.0, "submitted", "r")
    fires = store.recent(runs=0).fires
    assert set(fires) == {"ran", "missed", "refused"}
    assert (fires["ran"].outcome, fires["ran"].run_id, fires["ran"].run_status) == (Outcome.SUBMITTED, "r", "Failed")
    assert (fires["missed"].outcome, fires["missed"].detail) == (Outcome.MISSED, "no kernel")
    assert (fires["refused"].outcome, fires["refused"].run_status) == (Outcome.REFUSED, None)
    assert fires["refused"].decided.timestamp() == 3.0


def test_the_newest_twenty_runs_of_each_pipeline_newest_first(database, store, clock: FakeClock):
    for name in ("busy", "quiet", "idle"):
        add_pipeline(database, name)
    add_pipeline(database, "unlisted", listed=0)
    for number in range(30):
        clock.advance(1)
        add_run(database, store, f"b{number}", "busy")
    add_run(database, store, "q", "quiet", RunStatus.FAILED, started=store.now(), ended=store.now())
    add_run(database, store, "u", "unlisted")
    runs = store.recent(runs=0).runs
    assert set(runs) == {"busy", "quiet"}
    assert [run.id for run in runs["busy"]] == [f"b{number}" for number in range(29, 9, -1)]
    assert (runs["quiet"][0].status, runs["quiet"][0].seconds) == (RunStatus.FAILED, 0.0)
    assert runs["busy"][0].seconds is None


def test_the_steps_of_the_newest_runs_alone_and_only_when_asked_for(database, store, clock: FakeClock):
    add_pipeline(database, "p")
    for number in range(3):
        clock.advance(1)
        add_run(database, store, f"r{number}", "p")
    assert store.recent(runs=0).steps == {}
    steps = store.recent(runs=2).steps
    assert set(steps) == {"r1", "r2"}
    assert [step.name for step in steps["r2"]] == ["one", "two"]


def test_all_of_it_goes_along_indexes(database, store):
    from aml_magics.embedded.store_recent import _LAST_FIRES, _PAST_RUNS

    for sql, parameters in ((_LAST_FIRES, ()), (_PAST_RUNS, (20,))):
        plan = [row["detail"] for row in database.rows(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        whole = [line for line in plan if line.startswith("SCAN")]
        assert len(whole) == 1  # schedules, or pipelines
        assert not any(table in whole[0] for table in ("fires", "runs"))


def test_the_version_changes_with_every_write_and_with_nothing_else(tmp_path):
    one, other = Session(), Session()
    try:
        ws, theirs = one.connect(tmp_path), other.connect(tmp_path)
        ws.datastores.list()

        def version():
            return ws.ask(lambda client: client.glance()).version

        quiet = version()
        ws.pipelines.list()
        assert version() == quiet
        theirs.experiments.create("Theirs")
        after_theirs = version()
        assert after_theirs != quiet
        ws.experiments.create("Ours")
        assert version() not in (quiet, after_theirs)
    finally:
        one.close()
        other.close()


def test_a_sign_of_life_is_no_news(database):
    write(database, "INSERT INTO owners VALUES (?, ?, ?)", ("us", 1, 0.0))
    version = database.version
    with database.transaction(news=False) as connection:
        connection.execute("INSERT OR REPLACE INTO owners VALUES ('us', 2, 0.0)")
    assert database.version == version
    write(database, "INSERT INTO owners VALUES (?, ?, ?)", ("them", 1, 0.0))
    assert database.version != version


def test_a_glance_tells_when_a_place_was_last_looked_at(tmp_path):
    session = Session()
    try:
        ws = session.connect(tmp_path)
        assert ws.ask(lambda client: client.glance()).health.last_look is None
        ws.pipelines.publish(source="1", name="p")
        made = ws.schedules.create("s", pipeline="p", datastore="workspaceblobstore", path_on_datastore="in")
        assert ws.ask(lambda client: client.glance()).health.last_look >= made.created
    finally:
        session.close()
