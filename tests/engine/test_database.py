"""One SQLite file: transactions are all or nothing, migrations happen once, several processes get along."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading

import pytest

from aml_magics.engine.database import Database, _switch_to_wal
from aml_magics.model.errors import Conflict

STEPS = ("CREATE TABLE things (name TEXT PRIMARY KEY); INSERT INTO things VALUES ('a;b');",)
MORE = (*STEPS, "ALTER TABLE things ADD COLUMN size INTEGER; UPDATE things SET size = 1; -- done; really\n")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "w.db"


@pytest.fixture
def database(path):
    opened = Database(path)
    yield opened
    opened.close()


def names(database: Database) -> list[str]:
    return [row["name"] for row in database.rows("SELECT name FROM things ORDER BY name")]


def test_a_file_is_made_with_its_folder_and_keeps_what_was_committed(path):
    first = Database(path)
    first.migrate("things", STEPS)
    with first.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('c')")
    first.close()
    second = Database(path)
    assert names(second) == ["a;b", "c"]
    second.close()


def test_each_migration_is_applied_once_and_later_ones_follow(path):
    for steps in (STEPS, STEPS, MORE, MORE):
        database = Database(path)
        database.migrate("things", steps)
        assert database.row("SELECT version FROM migrations")["version"] == len(steps)
        database.close()


def test_components_count_for_themselves(database):
    database.migrate("things", STEPS)
    database.migrate("others", ("CREATE TABLE others (id INTEGER);",))
    assert database.row("SELECT count(*) FROM migrations")[0] == 2


def test_a_migration_that_fails_leaves_nothing_behind(database):
    with pytest.raises(sqlite3.OperationalError):
        database.migrate("things", (*STEPS, "CREATE TABLE more (id INTEGER); CREATE NONSENSE;"))
    assert database.rows("SELECT name FROM sqlite_master WHERE name IN ('things', 'more')") == []
    database.migrate("things", STEPS)


def test_a_file_of_newer_code_is_refused_with_both_versions(path):
    first = Database(path)
    first.migrate("things", MORE)
    first.close()
    second = Database(path)
    with pytest.raises(Conflict, match="holds version 2 of the things tables, this code knows 1"):
        second.migrate("things", STEPS)
    second.close()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "w.db").write_bytes(b"not a database, but long enough to have a header" * 50)
    with pytest.raises(Conflict, match="is not a workspace database"):
        Database(tmp_path / "w.db")


def test_an_error_in_a_transaction_undoes_it(database):
    database.migrate("things", STEPS)
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.executemany("INSERT INTO things VALUES (?)", [("c",), ("a;b",)])
    assert names(database) == ["a;b"]
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('d')")
    assert names(database) == ["a;b", "d"]


def test_a_transaction_in_a_transaction_is_refused_and_the_outer_one_goes_on(database):
    database.migrate("things", STEPS)
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('c')")
        with pytest.raises(RuntimeError, match="inside another"), database.transaction():
            pass
    assert names(database) == ["a;b", "c"]


def test_commits_are_flushed_unless_they_may_be_lost_in_a_power_cut(database):
    def synchronous() -> int:
        return database.row("PRAGMA synchronous")[0]

    assert database.row("PRAGMA journal_mode")[0] == "wal"
    assert synchronous() == 2
    with database.transaction():
        assert synchronous() == 2
    with database.transaction(durable=False):
        assert synchronous() == 1
    assert synchronous() == 2
    with pytest.raises(KeyError), database.transaction(durable=False):
        raise KeyError
    assert synchronous() == 2


def test_what_others_commit_is_noticed_once_and_our_own_is_not(database, path):
    database.migrate("things", STEPS)
    other = Database(path)
    assert not other.changed_elsewhere()
    assert not database.changed_elsewhere()
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('c')")
    assert not database.changed_elsewhere()
    assert other.changed_elsewhere()
    assert not other.changed_elsewhere()
    other.close()


def test_a_transaction_reads_nothing_older_than_its_beginning(database, path):
    database.migrate("things", STEPS)
    other = Database(path)
    with other.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('c')")
    with database.transaction():
        assert names(database) == ["a;b", "c"]
    other.close()


def test_a_transaction_keeps_others_from_writing_from_its_very_beginning(database, path):
    database.migrate("things", STEPS)
    impatient = sqlite3.connect(path, timeout=0, isolation_level=None)
    with database.transaction() as connection:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            impatient.execute("INSERT INTO things VALUES ('in between')")
        connection.execute("INSERT INTO things VALUES ('c')")
    impatient.execute("INSERT INTO things VALUES ('d')")
    impatient.close()
    assert names(database) == ["a;b", "c", "d"]


def test_the_switch_to_wal_waits_for_others_who_make_the_same_file():
    class Busy:
        asked = 0

        def execute(self, sql: str) -> None:
            self.asked += 1
            if self.asked < 4:
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error

    connection = Busy()
    _switch_to_wal(connection)
    assert connection.asked == 4


def test_a_writer_waits_for_another_one(database, path):
    database.migrate("things", STEPS)
    begun, finish = threading.Event(), threading.Event()

    def hold() -> None:
        other = Database(path)
        with other.transaction() as connection:
            connection.execute("INSERT INTO things VALUES ('first')")
            begun.set()
            finish.wait(0.2)
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(5)
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES ('second')")
    holder.join()
    assert names(database) == ["a;b", "first", "second"]


def test_it_belongs_to_the_thread_that_opened_it(database):
    errors = []

    def use() -> None:
        try:
            database.rows("SELECT 1")
        except sqlite3.ProgrammingError as error:
            errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_a_database_in_memory_works():
    database = Database(":memory:")
    database.migrate("things", STEPS)
    assert names(database) == ["a;b"]
    database.close()


OPENER = """
import sys
from pathlib import Path
from aml_magics.engine.database import Database
sys.stdin.readline()
database = Database(Path(sys.argv[1]))
database.migrate("things", ("CREATE TABLE things (name TEXT);",))
for number in range(50):
    with database.transaction() as connection:
        connection.execute("INSERT INTO things VALUES (?)", (str(number),))
database.close()
"""


def test_processes_that_make_one_file_together_all_succeed(path):
    openers = [
        subprocess.Popen([sys.executable, "-c", OPENER, str(path)], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for opener in openers:
        opener.stdin.write(b"go\n")
        opener.stdin.flush()
    for opener in openers:
        _, error = opener.communicate(timeout=60)
        assert error == b""
    database = Database(path)
    assert database.row("SELECT count(*) FROM things")[0] == 200
    database.close()


def test_a_file_that_is_removed_while_it_is_open_takes_nothing_more(tmp_path):
    path = tmp_path / "workspace.db"
    database = Database(path)
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(Conflict, match="was removed or replaced while it was open"), database.transaction():
        pass
    (tmp_path / "elsewhere.db").rename(path)
    with database.transaction() as connection:
        connection.execute("CREATE TABLE back (id)")
    database.close()


def test_a_transaction_borrows_short_turns_of_the_interpreter_and_gives_them_back(tmp_path):
    before = sys.getswitchinterval()
    database = Database(tmp_path / "w.db")
    try:
        with database.transaction():
            assert sys.getswitchinterval() < before
        assert sys.getswitchinterval() == before
        with pytest.raises(KeyError), database.transaction():
            raise KeyError
        assert sys.getswitchinterval() == before
        with database.transaction():
            sys.setswitchinterval(0.02)  # a cell that sets its own meanwhile keeps it
        assert sys.getswitchinterval() == pytest.approx(0.02)
    finally:
        sys.setswitchinterval(before)
        database.close()
