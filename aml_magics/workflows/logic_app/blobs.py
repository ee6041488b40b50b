"""The trigger "When a blob is added or modified (properties only)": what it watches, and the properties of a blob.

The connector names a folder by an id, base64 of its path with ``%2f`` for each ``/``, and sees its direct children
only.
"""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from aml_magics.datastores.base import ObjectInfo
from aml_magics.export.blobs import folder_id
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.workflows.language import Scope, evaluate
from aml_magics.workflows.logic_app.definition import Trigger

__all__ = ["BlobTrigger", "blob_trigger", "is_blob_trigger", "properties"]

_OPERATION = re.compile(
    r"(?:/v2/datasets/(?P<dataset>[^/]+)|/datasets/default)/triggers/batch/onupdatedfile", re.IGNORECASE
)
_QUERIES = ("folderId", "maxFileCount", "checkBothCreatedAndModifiedDateTime")
_SETTINGS = "AccountNameFromSettings"
_MOST_FILES = 100


@dataclass(frozen=True, slots=True)
class BlobTrigger:
    """``account`` is empty when the connection says it; ``folder`` is relative to the container, empty for its root."""

    account: str
    container: str
    folder: str
    most: int

    def __str__(self) -> str:
        return "/".join(filter(None, (self.account, self.container, self.folder)))


def is_blob_trigger(trigger: Trigger) -> bool:
    """Whether its path is that operation's, with the expressions in it as they stand."""
    return str(trigger.inputs.get("path", "")).casefold().endswith("/triggers/batch/onupdatedfile")


def blob_trigger(trigger: Trigger, scope: Scope) -> BlobTrigger:
    """What it watches. Raises ``InvalidInput`` for what is none of this operation."""
    where = f"trigger {trigger.name!r}"
    path = str(evaluate(trigger.inputs["path"], scope))
    operation = _OPERATION.fullmatch(path)
    if operation is None:
        message = f"{where}: {path!r} is no poll for blobs that runs here"
        raise InvalidInput(message, hint="The path of the one that does ends in /triggers/batch/onupdatedfile.")
    queries = evaluate(trigger.inputs.get("queries") or {}, scope)
    for name in queries:
        if name not in _QUERIES:
            raise InvalidInput(f"{where}: {name!r} is no query of this trigger", hint=did_you_mean(name, _QUERIES))
    container, _, folder = _folder(queries.get("folderId"), where).partition("/")
    return BlobTrigger(_account(operation["dataset"] or ""), container, folder, _most(queries, where))


def _account(dataset: str) -> str:
    """The account's name, of a name or of a blob endpoint; the path has it encoded twice."""
    found = unquote(unquote(dataset))
    return "" if found == _SETTINGS else found.partition("://")[2].partition(".")[0] or found


def _most(queries: Mapping[str, Any], where: str) -> int:
    most = queries.get("maxFileCount", 10)
    if isinstance(most, str) and most.isdecimal():
        most = int(most)
    if isinstance(most, int) and 1 <= most <= _MOST_FILES:
        return most
    raise InvalidInput(f"{where}: maxFileCount {most!r} is out of range", hint=f"It takes 1 to {_MOST_FILES}.")


def _folder(id_: object, where: str) -> str:
    """``container/folder`` of an id, or of the path itself."""
    text = str(id_ or "")
    if not text.startswith("/"):
        try:
            text = unquote(base64.b64decode(text, validate=True).decode())
        except ValueError:
            text = ""
    folder = (text if text.startswith("/") else unquote(text)).strip("/")
    if not folder:
        hint = "It is base64 of %2fcontainer%2ffolder, or /container/folder."
        raise InvalidInput(f"{where}: folderId {id_!r} names no folder", hint=hint)
    return folder


def properties(watched: BlobTrigger, found: ObjectInfo) -> dict[str, Any]:
    """What the trigger says of a blob."""
    name = found.name.rpartition("/")[2]
    id_ = folder_id(watched.container, found.name)
    return {
        "Id": id_,
        "Name": name,
        "DisplayName": name,
        "Path": f"/{watched.container}/{found.name}",
        "LastModified": datetime.fromtimestamp(found.modified, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Size": found.size,
        "MediaType": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "IsFolder": False,
        "ETag": f'"{found.etag}"',
        "FileLocator": id_,
    }
