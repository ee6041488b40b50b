"""Data sources: the fixed places on datastores that a graph of Microsoft's SDK takes data from (``DataReference``)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.wire.casing import Body
from aml_magics.wire.v1 import data_source_place, data_source_to

if TYPE_CHECKING:
    from aml_magics.embedded.store_datastores import Datastores
    from aml_magics.engine.database import Database
    from aml_magics.model.resources import DataPath
    from aml_magics.wire.casing import Json

__all__ = ["DataSources"]

_OF_DATABASES = ("SqlTableName", "SqlQuery", "SqlStoredProcedureName")


class DataSources:
    """The data sources of one workspace."""

    def __init__(self, database: Database, datastores: Datastores, now: Callable[[], datetime]) -> None:
        self._database = database
        self._datastores = datastores
        self._now = now

    def create(self, request: Mapping[str, Any]) -> Json:
        """POST ``/DataSources``: the DataSourceEntity; one with the same content hash is handed back as it is.

        Raises ``NotFound`` for an unknown datastore, ``InvalidInput`` for what is not a place on one.
        """
        body = Body(request, "data source")
        if any(name in body for name in _OF_DATABASES):
            message = f"data source {body.text('Name')!r}: it is a table of a database"
            raise InvalidInput(message, hint="This workspace reads folders and files: give it a path on a datastore.")
        known = self.by_hash(body.text("IdentifierHash"))
        if known is not None:
            return known
        self._datastores.get(body.text("DataStoreName"))
        entity = data_source_to(body, id=str(uuid.uuid4()), now=self._now())
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO data_sources (id, hash, entity) VALUES (?, ?, ?)",
                (entity["Id"], entity["IdentifierHash"], json.dumps(entity)),
            )
        return entity

    def by_hash(self, content_hash: str) -> Json | None:
        row = self._database.row("SELECT entity FROM data_sources WHERE hash = ? AND hash <> ''", (content_hash,))
        return None if row is None else dict(json.loads(row["entity"]))

    def entity(self, data_source_id: str) -> Json:
        """Raises ``NotFound``."""
        row = self._database.row("SELECT entity FROM data_sources WHERE id = ?", (data_source_id,))
        if row is None:
            message = f"there is no data source {data_source_id!r}"
            raise NotFound(message)
        return dict(json.loads(row["entity"]))

    def place(self, data_source_id: str) -> DataPath | None:
        """Where it is; ``None`` for an unknown one."""
        try:
            return data_source_place(self.entity(data_source_id))
        except NotFound:
            return None
