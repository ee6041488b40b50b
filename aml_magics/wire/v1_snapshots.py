"""Snapshots of a source directory, as Microsoft's SDK sends them to the content service (``camelCase``).

A snapshot is a tree of names in which every file has a hash: SHA-512 over its content, its own name and the word
``File``. So whoever has a tree can tell whether a content is the one that was meant.

The SDK uploads to a *blob*, and takes the address that it is given apart: of ``https://A.B.REST/...`` it keeps the
first and the third piece and uploads to ``https://A.blob.REST/...``. What stands before an ``@`` is no part of a host,
and so ``https://code.blob.upload@127.0.0.1:8443/...`` comes out as it went in and reaches this machine, whatever names
its resolver knows. It always is https; the client trusts what ``REQUESTS_CA_BUNDLE`` names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from aml_magics.model.errors import InvalidInput
from aml_magics.wire.casing import Body, Json

__all__ = ["blob_url", "file_hash", "file_nodes_to", "no_snapshot", "snapshot_files_from", "uploaded_from"]

_NOBODY = "00000000-0000-0000-0000-000000000000"
_DEEPEST = 100  # folders in folders


def no_snapshot() -> Json:
    """What the SDK is told to be the newest snapshot: none, so that it sends every file that it has not sent itself."""
    return {"id": _NOBODY, "root": {}}


def file_hash(path: str, content: bytes) -> str:
    """The hash that a tree has for a file; ``path`` may be relative, only its last part counts."""
    digest = hashlib.sha512(content)
    digest.update(path.rpartition("/")[2].encode())
    digest.update(b"File")
    return digest.hexdigest()


def snapshot_files_from(request: Mapping[str, Any]) -> dict[str, str]:
    """Relative ``/`` path -> hash of every file in the tree of a POST ``/snapshots/{id}``.

    Raises ``InvalidInput`` for a tree with names that could lead out of it, or without an end.
    """
    root = Body(request, "snapshot").body("DirTreeNode")
    if root is None:
        raise InvalidInput("snapshot: it has no DirTreeNode", hint="It is the tree of the source directory.")
    return dict(_files(root, "", 0))


def _files(node: Body, folder: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        raise InvalidInput(f"snapshot: its folders are more than {_DEEPEST} deep", hint="Check source_directory.")
    for child in node.mapping("children").values():
        body = Body(child, "snapshot.DirTreeNode")
        name = body.text("name")
        if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            message = f"snapshot: {name!r} cannot be the name of a file in a source_directory"
            raise InvalidInput(message, hint="Give a folder as source_directory, and plain names to its files.")
        path = f"{folder}{name}"
        if body.text("type") == "File":
            yield path, body.text("hash").casefold()
        else:
            yield from _files(body, f"{path}/", depth + 1)


def blob_url(base: str, path: str, signature: str) -> str:
    """Where the SDK uploads a file so that it arrives at ``path`` (two parts) of ``base``, an https address.

    See above for its odd form.
    """
    return f"https://code.blob.upload@{urlsplit(base).netloc}{path}?sig={signature}"


def file_nodes_to(urls: Iterable[tuple[str, str]]) -> Json:
    """The answer of ``getblob``, of (path, URL). The SDK uploads what is in it, and nothing else."""
    return {"fileNodes": [{"fullName": path, "blobUri": url} for path, url in urls]}


def uploaded_from(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(path, name in its URL) of each file that the SDK says to have uploaded."""
    revisions = Body(request, "snapshot").body("FileRevisionList")
    nodes = revisions.bodies("FileNodes") if revisions else []
    return [(node.text("FullName"), urlsplit(node.text("BlobUri")).path.rpartition("/")[2]) for node in nodes]
