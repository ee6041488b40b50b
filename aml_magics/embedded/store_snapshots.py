"""Snapshots: the source directories of the steps that Microsoft's SDK has published.

A content is kept once, under the hash that the SDK knows it by, and a snapshot is a list of paths and hashes. Nothing
is ever removed: the SDK remembers the last snapshot that it made, and sends only what has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import CODE_LIMIT
from aml_magics.wire.moments import instant_to
from aml_magics.wire.v1_snapshots import file_hash

if TYPE_CHECKING:
    from aml_magics.engine.database import Database

__all__ = ["Snapshots", "require_small"]


class Snapshots:
    """The snapshots of one workspace."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def missing(self, files: Mapping[str, str]) -> dict[str, str]:
        """Those of ``files`` (path -> hash) whose content is not here."""
        return {path: known for path, known in files.items() if not self._has(known)}

    def add(self, snapshot_id: str, files: Mapping[str, str], contents: Mapping[str, bytes]) -> None:
        """A snapshot of ``files`` (path -> hash); ``contents`` has those that were missing.

        Raises ``InvalidInput``, and keeps nothing, for a content that is not the one that was meant, and for more than
        a step's code may be.
        """
        for path, content in contents.items():
            if file_hash(path, content) != files.get(path):
                message = f"snapshot: the content of {path!r} is not the one in its tree"
                raise InvalidInput(message, hint="Publish again: the file may have changed meanwhile.")
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO snapshot_files (hash, content) VALUES (?, ?)",
                [(files[path], content) for path, content in contents.items()],
            )
            connection.execute(
                "INSERT OR REPLACE INTO snapshots (id, files, created) VALUES (?, ?, ?)",
                (snapshot_id, json.dumps(dict(files)), instant_to(self._now())),
            )
            require_small(self._size(known) for known in files.values())

    def files(self, snapshot_id: str) -> dict[str, bytes] | None:
        """Path -> content; ``None`` for an unknown snapshot."""
        row = self._database.row("SELECT files FROM snapshots WHERE id = ?", (snapshot_id,))
        if row is None:
            return None
        return {path: self._content(known) for path, known in json.loads(row["files"]).items()}

    def _has(self, known: str) -> bool:
        return self._database.row("SELECT 1 FROM snapshot_files WHERE hash = ?", (known,)) is not None

    def _size(self, known: str) -> int:
        row = self._database.row("SELECT length(content) AS size FROM snapshot_files WHERE hash = ?", (known,))
        return 0 if row is None else int(row["size"])

    def _content(self, known: str) -> bytes:
        row = self._database.row("SELECT content FROM snapshot_files WHERE hash = ?", (known,))
        return b"" if row is None else bytes(row["content"])


def require_small(sizes: Iterable[int]) -> None:
    """Raises ``InvalidInput`` when the files, of so many bytes each, are more than a step's code may be."""
    size = sum(sizes)
    if size > CODE_LIMIT:
        message = f"snapshot: the source_directory is {size / 2**20:.1f} MiB; the limit is {CODE_LIMIT // 2**20} MiB"
        raise InvalidInput(message, hint="Leave data out with a .amlignore file, and put it on a datastore.")
