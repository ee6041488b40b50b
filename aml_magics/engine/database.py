"""One SQLite file, shared by several kernels, used from one thread of each.

WAL with ``synchronous=FULL``: a committed transaction survives ``kill -9`` and a power cut. Statistics, and whatever
can be found again by looking, may be written with ``durable=False``, which spares the flush and survives ``kill -9``
only; commits never overtake each other, so what was durable before stays consistent with what is lost.

Whoever writes takes the write lock first (BEGIN IMMEDIATE): what a transaction reads is then true until its end.
There is one connection, so no code may ``await`` inside a transaction.

Tables belong to components. A component is a list of migration scripts; how many of them a file has seen is in the
table ``migrations``.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from aml_magics.model.errors import Conflict

__all__ = ["BUSY_SECONDS", "Database"]

BUSY_SECONDS = 5.0
_SHORT_TURN = 0.0005  # seconds
Parameters = Sequence[object] | Mapping[str, object]


class Database:
    """Opens or makes the file at ``path``; ":memory:" lives with this object. Raises Conflict when it is not ours."""

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        if self.path != ":memory:":
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=512)
        self._connection.row_factory = sqlite3.Row
        self._in_transaction = False
        self._unremarkable = 0  # changes that are no news
        try:
            _switch_to_wal(self._connection)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS migrations (component TEXT PRIMARY KEY, version INTEGER NOT NULL)"
            )
        except sqlite3.DatabaseError as error:
            self._connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise Conflict(f"{self.path} is not a workspace database ({error})", hint="Move it away.") from error
        self._version = self._data_version()
        self._file = _identity(self.path)

    def migrate(self, component: str, steps: Sequence[str]) -> None:
        """Apply the scripts that this file has not seen yet, all in one transaction.

        Raises Conflict when the file has seen more than there are: it was written by a newer version of this code.
        """
        with self.transaction() as connection:
            row = connection.execute("SELECT version FROM migrations WHERE component = ?", (component,)).fetchone()
            version = int(row["version"]) if row else 0
            if version > len(steps):
                raise Conflict(
                    f"{self.path} holds version {version} of the {component} tables, this code knows {len(steps)}",
                    hint="Update aml_magics, or use another folder.",
                )
            for script in steps[version:]:
                for statement in _statements(script):
                    connection.execute(statement)
            if version < len(steps):
                connection.execute("INSERT OR REPLACE INTO migrations VALUES (?, ?)", (component, len(steps)))

    @contextmanager
    def transaction(self, *, durable: bool = True, news: bool = True) -> Iterator[sqlite3.Connection]:
        """All or nothing. Without ``news`` it does not change the ``version``: a sign of life is nothing to look at.

        Raises sqlite3.OperationalError when another process holds the lock too long.

        Not re-entrant: a transaction inside a transaction is a RuntimeError, because its end would not be the end.
        """
        if self._in_transaction:
            raise RuntimeError("a database transaction was begun inside another one")
        self._check_file()
        with _short_turns():
            before = self._connection.total_changes
            yield from self._transact(durable)
            self._unremarkable += 0 if news else self._connection.total_changes - before

    def _transact(self, durable: bool) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        if not durable:
            connection.execute("PRAGMA synchronous = NORMAL")
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._in_transaction = True
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # some errors of SQLite have rolled back already
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._in_transaction = False
        finally:
            if not durable:
                connection.execute("PRAGMA synchronous = FULL")

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows. ``parameters`` by position or by name."""
        return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row, or ``None``."""
        found: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
        return found

    def changed_elsewhere(self) -> bool:
        """Whether another connection has committed anything since this was last asked (or the file was opened)."""
        version = self._data_version()
        changed = version != self._version
        self._version = version
        return changed

    @property
    def version(self) -> str:
        """Another text after anything was written, here or by another process. It costs microseconds.

        The beat of another kernel counts, too: SQLite does not tell what somebody else has written.
        """
        return f"{self._data_version()}.{self._connection.total_changes - self._unremarkable}"

    def close(self) -> None:
        self._connection.close()

    def _check_file(self) -> None:
        """A file that was deleted while it is open still takes everything, and nobody ever sees it again."""
        if _identity(self.path) != self._file:
            message = f"the workspace's database {self.path} was removed or replaced while it was open"
            raise Conflict(message, hint="Put it back, or restart the kernel to begin anew.")

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


@contextmanager
def _short_turns() -> Iterator[None]:
    """Let no cell hold up a transaction: each of its statements gives the interpreter lock away and waits for it anew.

    Beside a cell that computes, each wait is Python's switch interval, 5 ms, and a fire has some fifteen statements. It
    belongs to the whole process, so it is another one only for these moments, and put back only if it is ours.
    """
    before = sys.getswitchinterval()
    if before <= _SHORT_TURN:
        yield
        return
    sys.setswitchinterval(_SHORT_TURN)
    ours = sys.getswitchinterval()
    try:
        yield
    finally:
        if sys.getswitchinterval() == ours:
            sys.setswitchinterval(before)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - in every transaction: a Path would cost more than the question
    except OSError:
        return None  # ":memory:" too
    return status.st_dev, status.st_ino


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: ``executescript`` would commit the transaction it is called in."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Two processes that make the file together would refuse each other: SQLite does not wait for this lock itself."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
