"""Datastores: named places where objects lie.

A *folder* is this workspace's own kind: it answers as ``AzureBlob``, the only kind that Microsoft's SDK lets a change
schedule watch. Folders inside the workspace's root are kept relative to it, so that the root can be moved. Keys and SAS
tokens that a registration carries are not kept: the database is a plain file.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aml_magics.datastores.folder import Folder
from aml_magics.model.errors import Conflict, InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import Datastore
from aml_magics.wire.casing import Body
from aml_magics.wire.moments import instant_to
from aml_magics.wire.v1 import datastore_from

if TYPE_CHECKING:
    from aml_magics.datastores.base import ObjectStore
    from aml_magics.engine.database import Database

__all__ = ["DEFAULT_DATASTORE", "Datastores"]

DEFAULT_DATASTORE = "workspaceblobstore"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


class Datastores:
    """The datastores of the workspace whose files are under ``root``."""

    def __init__(self, database: Database, root: Path, now: Callable[[], datetime]) -> None:
        self._database = database
        self._root = root
        self._now = now
        self._folders: dict[Path, Folder] = {}

    def ensure_default(self) -> None:
        """Make the folder of the default datastore and register it, unless that has been done."""
        folder = self._root / DEFAULT_DATASTORE
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            message = f"the default datastore cannot be kept in {folder.as_posix()!r}: {_why(error)}"
            raise InvalidInput(message, hint="Move away what is there, or choose another folder.") from error
        with self._database.transaction() as connection:
            has_default = connection.execute("SELECT 1 FROM datastores WHERE is_default").fetchone() is not None
            connection.execute(
                "INSERT INTO datastores (name, type, folder, is_default, created) VALUES (?, 'AzureBlob', ?, ?, ?)"
                " ON CONFLICT (name) DO NOTHING",
                (DEFAULT_DATASTORE, DEFAULT_DATASTORE, not has_default, instant_to(self._now())),
            )

    def all(self) -> list[Datastore]:
        return [self._value(row) for row in self._database.rows("SELECT * FROM datastores ORDER BY name")]

    def get(self, name: str) -> Datastore:
        """Raises ``NotFound`` with the nearest name."""
        row = self._database.row("SELECT * FROM datastores WHERE name = ?", (name,))
        if row is None:
            message = f"there is no datastore {name!r}"
            raise NotFound(message, hint=did_you_mean(name, [known.name for known in self.all()]))
        return self._value(row)

    def default(self) -> Datastore:
        row = self._database.row("SELECT * FROM datastores WHERE is_default")
        if row is None:
            message = "there is no default datastore"
            raise NotFound(message, hint="Name one with PUT default/{name}.")
        return self._value(row)

    def set_default(self, name: str) -> Datastore:
        self.get(name)
        with self._database.transaction() as connection:
            connection.execute("UPDATE datastores SET is_default = (name = ?)", (name,))
        return self.get(name)

    def register(self, request: Mapping[str, Any], *, overwrite: bool = False) -> Datastore:
        """Register a folder (``amlMagics.folder``, relative to the workspace's root) or a blob container.

        Raises ``Conflict`` with the words that the SDK looks for when the name is taken, ``InvalidInput`` for the rest.
        """
        given = datastore_from(Body(request, "datastore").mapping("DataStore") or request)
        if not _NAME.fullmatch(given.name):
            message = f"datastore: {given.name!r} cannot be a datastore's name"
            raise InvalidInput(message, hint="1 to 255 letters, digits, _ and -.")
        if given.folder is None and not (given.type == "AzureBlob" and given.account and given.container):
            message = f"datastore {given.name!r}: it names neither a folder nor a blob container with its account"
            raise InvalidInput(message, hint="This workspace knows folders and AzureBlob.")
        folder = None if given.folder is None else self._checked_folder(given.name, given.folder)
        columns = (given.name, given.type, folder, given.account, given.container, instant_to(self._now()))
        with self._database.transaction() as connection:
            taken = connection.execute("SELECT 1 FROM datastores WHERE name = ?", (given.name,)).fetchone()
            if taken and not overwrite:
                # The SDK recognises a duplicate by these words, and by a 400.
                message = f"Another datastore with the same name already exists: {given.name}"
                raise Conflict(message, hint="Choose another name, or overwrite it.")
            if taken and self._place(connection, given.name) != columns[1:5]:
                _refuse_while_watched(connection, given.name)
            connection.execute(
                "INSERT INTO datastores (name, type, folder, account, container, created) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET type = excluded.type, folder = excluded.folder,"
                " account = excluded.account, container = excluded.container",
                columns,
            )
        return self.get(given.name)

    @staticmethod
    def _place(connection: sqlite3.Connection, name: str) -> tuple[object, ...]:
        sql = "SELECT type, folder, account, container FROM datastores WHERE name = ?"
        return tuple(connection.execute(sql, (name,)).fetchone())

    def unregister(self, name: str) -> None:
        """Forget a datastore; what lies in it stays. Raises ``Conflict`` while an active schedule watches it."""
        if self.get(name).is_default:
            message = f"datastore {name!r} is the default one"
            raise Conflict(message, hint="Make another one the default first.")
        with self._database.transaction() as connection:
            _refuse_while_watched(connection, name)
            connection.execute("DELETE FROM datastores WHERE name = ?", (name,))

    def object_store(self, name: str) -> ObjectStore:
        """What lies in a datastore. Raises ``NotFound``, or ``InvalidInput`` for one that is not a folder."""
        datastore = self.get(name)
        if datastore.folder is None:
            message = f"datastore {name!r} is an Azure container, and this workspace only reads folders"
            raise InvalidInput(message, hint="Register a folder as a datastore instead.")
        folder = Path(datastore.folder)
        if not folder.is_dir():
            message = f"datastore {name!r}: its folder {folder.as_posix()!r} is gone"
            raise NotFound(message, hint="Create the folder again, or register the datastore elsewhere.")
        if folder not in self._folders:
            self._folders[folder] = Folder(folder)
        return self._folders[folder]

    def _value(self, row: sqlite3.Row) -> Datastore:
        folder = row["folder"]
        return Datastore(
            name=row["name"],
            type=row["type"],
            folder=None if folder is None else str(self._root / folder),
            account=row["account"],
            container=row["container"],
            is_default=bool(row["is_default"]),
        )

    def _checked_folder(self, name: str, text: str) -> str:
        folder = (self._root / Path(text).expanduser()).resolve()
        if not folder.is_dir():
            message = f"datastore {name!r}: there is no folder {folder.as_posix()!r}"
            raise InvalidInput(message, hint="Create it first.")
        own = self._root / ".aml"
        if folder == own or own in folder.parents:
            message = f"datastore {name!r}: {folder.as_posix()!r} is the workspace's own folder"
            raise InvalidInput(message, hint="Choose a folder of your own.")
        return folder.relative_to(self._root).as_posix() if folder.is_relative_to(self._root) else folder.as_posix()


def _refuse_while_watched(connection: sqlite3.Connection, name: str) -> None:
    """Raises ``Conflict``: at another place everything would look new to those who watch this one."""
    watching = connection.execute(
        "SELECT name FROM schedules WHERE datastore = ? AND status = 'Active' ORDER BY name", (name,)
    ).fetchall()
    if watching:
        names = ", ".join(row["name"] for row in watching)
        message = f"datastore {name!r} is watched by active schedules: {names}"
        raise Conflict(message, hint="Disable them first.")


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
