"""The tables of datastores and of what lies on them, beside those in ``tables``; and what a view says of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from aml_magics.notebook.frames import Columns, Table
from aml_magics.notebook.tables import instant_of, table

if TYPE_CHECKING:
    from aml_magics.model.outlook import Outlook
    from aml_magics.model.resources import Datastore
    from aml_magics.notebook.call import Call

__all__ = ["datastores", "facts_of", "objects", "outlooks", "place_of", "uploads"]

_DATASTORES: Columns = {"name": "string", "type": "string", "default": "boolean", "place": "string"}
_OBJECTS: Columns = {"name": "string", "size": "Int64", "modified": "instant", "etag": "string"}
_OUTLOOKS: Columns = {
    "name": "string",
    "fires": "boolean",
    "why": "string",
    "change": "string",
    "size": "Int64",
    "modified": "instant",
    "schedule": "string",
}
_UPLOADS: Columns = {"name": "string", "size": "Int64"}


def datastores(call: Call, found: Sequence[Datastore]) -> Table:
    """Datastores and where they are."""
    rows = [{"name": one.name, "type": one.type, "default": one.is_default, "place": place_of(one)} for one in found]
    return table(call, _DATASTORES, rows, "Datastores", empty="no datastores")


def place_of(datastore: Datastore) -> str:
    """A local folder, or account and container."""
    return datastore.folder or "/".join(filter(None, (datastore.account, datastore.container)))


def facts_of(datastore: Datastore) -> list[tuple[str, str]]:
    """What there is to say of a datastore: where it is and how the workspace gets in, by kind, not by key."""
    facts = [("type", datastore.type), ("place", place_of(datastore))]
    if datastore.folder is None and datastore.url:
        facts += [("endpoint", datastore.url), ("credential", datastore.credential.in_words)]
    return facts


def objects(call: Call, found: Iterable[object], caption: str) -> Table:
    """Listed objects; their ``modified`` is POSIX seconds."""
    rows = [
        {
            "name": one.name,  # type: ignore[attr-defined]
            "size": one.size,  # type: ignore[attr-defined]
            "modified": instant_of(one.modified),  # type: ignore[attr-defined]
            "etag": one.etag,  # type: ignore[attr-defined]
        }
        for one in found
    ]
    return table(call, _OBJECTS, rows, caption, empty="no objects")


def outlooks(call: Call, found: Iterable[Outlook], caption: str, notes: Iterable[str]) -> Table:
    """What would fire, and what would not."""
    rows = [{**asdict(one), "modified": None if one.modified is None else instant_of(one.modified)} for one in found]
    return table(call, _OUTLOOKS, rows, caption, notes=notes, empty="nothing is new")


def uploads(call: Call, found: Iterable[tuple[str, int]], caption: str) -> Table:
    """Path on the datastore and size in bytes of each object."""
    rows = [{"name": name, "size": size} for name, size in found]
    return table(call, _UPLOADS, rows, caption, empty="no files")
