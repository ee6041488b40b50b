"""Datastores: named places where objects lie.

A *folder* is this workspace's own kind: it answers as ``AzureBlob``, the only kind that Microsoft's SDK lets a change
schedule watch. Folders inside the workspace's root are kept relative to it, so that the root can be moved. The key
or SAS of a container is in ``credentials``, because the database is a plain file that people copy. What has been opened
stays open, with its connections, until the registration changes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aml_magics.datastores.folder import Folder
from aml_magics.embedded.containers import open_container
from aml_magics.embedded.credentials import Credentials
from aml_magics.model.errors import Conflict, InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import Datastore
from aml_magics.model.storage import BlobAccess, CredentialKind, account_url
from aml_magics.wire.moments import instant_to

if TYPE_CHECKING:
    from aml_magics.datastores.base import ObjectStore
    from aml_magics.datastores.blob import BlobContainer
    from aml_magics.engine.database import Database
    from aml_magics.model.storage import Registration

__all__ = ["DEFAULT_DATASTORE", "Datastores"]

DEFAULT_DATASTORE = "workspaceblobstore"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_PLACE = ("type", "folder", "account", "container", "url")
_COLUMNS = (*_PLACE, "credential", "secret")
_Way = tuple[object, ...]  # the columns of a row that say where a container is and how one gets in


class Datastores:
    """The datastores of the workspace whose files are under ``root``."""

    def __init__(self, database: Database, root: Path, now: Callable[[], datetime]) -> None:
        self._database = database
        self._root = root
        self._now = now
        self._credentials = Credentials(root / ".aml" / "credentials.json")
        self._folders: dict[Path, Folder] = {}
        self._containers: dict[_Way, BlobContainer] = {}

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

    def check(self, registration: Registration, *, overwrite: bool = False) -> None:
        """Raises what ``register`` would raise, before anybody asks Azure whether the container is there."""
        self._folder_of(registration)
        with self._database.transaction(durable=False) as connection:
            self._require_free(connection, registration, overwrite=overwrite)

    def register(self, registration: Registration, *, overwrite: bool = False) -> Datastore:
        """Register a folder (relative to the workspace's root) or a blob container.

        Raises ``Conflict`` with the words that the SDK looks for when the name is taken, or when active schedules watch
        what would move; ``InvalidInput`` for the rest.
        """
        name, access = registration.name, registration.access
        folder = self._folder_of(registration)
        with self._database.transaction() as connection:
            self._require_free(connection, registration, overwrite=overwrite)
            secret = self._credentials.add(access.secret) if access and access.secret else None
            values = (name, "AzureBlob", folder, *_way_of(access), secret, instant_to(self._now()))
            connection.execute(
                f"INSERT INTO datastores (name, {', '.join(_COLUMNS)}, created)"
                f" VALUES ({', '.join('?' * len(values))}) ON CONFLICT (name) DO UPDATE SET "
                + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS),
                values,
            )
        self._forget_unused()
        return self.get(name)

    def unregister(self, name: str) -> None:
        """Forget a datastore; what lies in it stays. Raises ``Conflict`` while an active schedule watches it."""
        if self.get(name).is_default:
            message = f"datastore {name!r} is the default one"
            raise Conflict(message, hint="Make another one the default first.")
        with self._database.transaction() as connection:
            _refuse_while_watched(connection, name)
            connection.execute("DELETE FROM datastores WHERE name = ?", (name,))
        self._forget_unused()

    def object_store(self, name: str) -> ObjectStore:
        """What lies in a datastore. Raises ``NotFound`` when its folder or its credential is gone."""
        datastore = self.get(name)
        return self._container(name) if datastore.folder is None else self._folder(name, Path(datastore.folder))

    def close(self) -> None:
        """Close the connections to containers."""
        while self._containers:
            self._containers.popitem()[1].close()

    def _folder(self, name: str, folder: Path) -> Folder:
        if not folder.is_dir():
            message = f"datastore {name!r}: its folder {folder.as_posix()!r} is gone"
            raise NotFound(message, hint="Create the folder again, or register the datastore elsewhere.")
        if folder not in self._folders:
            self._folders[folder] = Folder(folder)
        return self._folders[folder]

    def _container(self, name: str) -> BlobContainer:
        way = self._way(name)
        if way not in self._containers:
            account, container, url, kind, secret = way
            try:
                access = BlobAccess(
                    account=str(account),
                    container=str(container),
                    url=str(url or account_url(str(account))),
                    kind=CredentialKind(str(kind)),
                    secret=self._credentials.get(str(secret)) if secret else None,
                )
            except NotFound as error:
                raise NotFound(f"datastore {name!r}: {error.message}", hint=error.hint) from None
            self._containers[way] = open_container(access)
        return self._containers[way]

    def _way(self, name: str) -> _Way:
        row = self._database.row(
            "SELECT account, container, url, credential, secret FROM datastores WHERE name = ?", (name,)
        )
        return tuple(row or ())

    def _forget_unused(self) -> None:
        """Secrets that no datastore names any more, and the connections that were opened with them."""
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT account, container, url, credential, secret FROM datastores").fetchall()
            self._credentials.keep_only({row["secret"] for row in rows})
        ways = {tuple(row) for row in rows}
        for way in self._containers.keys() - ways:
            self._containers.pop(way).close()

    def _folder_of(self, registration: Registration) -> str | None:
        if not _NAME.fullmatch(registration.name):
            message = f"datastore: {registration.name!r} cannot be a datastore's name"
            raise InvalidInput(message, hint="1 to 255 letters, digits, _ and -.")
        return None if registration.folder is None else self._checked_folder(registration.name, registration.folder)

    def _require_free(self, connection: sqlite3.Connection, registration: Registration, *, overwrite: bool) -> None:
        name = registration.name
        sql = f"SELECT {', '.join(_PLACE)} FROM datastores WHERE name = ?"
        row = connection.execute(sql, (name,)).fetchone()
        if row is None:
            return
        if not overwrite:
            # The SDK recognises a duplicate by these words, and by a 400.
            message = f"Another datastore with the same name already exists: {name}"
            raise Conflict(message, hint="Choose another name, or overwrite it.")
        place = ("AzureBlob", self._folder_of(registration), *_way_of(registration.access)[:3])
        if tuple(row) != place:
            _refuse_while_watched(connection, name)

    def _value(self, row: sqlite3.Row) -> Datastore:
        folder = row["folder"]
        return Datastore(
            name=row["name"],
            type=row["type"],
            folder=None if folder is None else str(self._root / folder),
            account=row["account"],
            container=row["container"],
            url=row["url"] or (account_url(row["account"]) if row["account"] else None),
            credential=CredentialKind(row["credential"]),
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


def _way_of(access: BlobAccess | None) -> tuple[str | None, ...]:
    """Account, container, URL, kind of credential."""
    if access is None:
        return None, None, None, CredentialKind.NONE.value
    return access.account, access.container, access.url, access.kind.value


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
