"""Snapshots of source directories: ``/content/v1.0|v2.0{S}/snapshots``, and where their files are uploaded to.

The way of a script, from Microsoft's SDK::

    GET  .../snapshots/latest/metadata      what it need not send again; here: nothing that it does not know itself
    POST .../snapshots/getblob              where to upload each file
    PUT, HEAD /snapshot-files/{name}?sig=   the files, over https only, without a token: the signature allows it
    POST .../snapshots/{id}                 the tree: a hash for each file

When the workspace is served without TLS there is nowhere to upload to; then the folder of the tree is looked for
beside the notebook (``source_folder``). A snapshot is either complete and right or refused.
"""

from __future__ import annotations

from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Mount

from aml_magics.embedded.routes import SCOPE, route
from aml_magics.embedded.source_folder import find_source
from aml_magics.embedded.store_snapshots import require_small
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.graph import CODE_LIMIT
from aml_magics.wire.casing import Body
from aml_magics.wire.v1_snapshots import blob_url, file_nodes_to, no_snapshot, snapshot_files_from, uploaded_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.routing import BaseRoute

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["routes"]

_UPLOAD = "/snapshot-files/{name}"


class _Content:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace
        self._uploads = workspace.uploads

    async def latest(self, _call: Call) -> object:
        return no_snapshot()

    async def where_to_upload(self, call: Call) -> object:
        paths = [str(path) for path in Body(await call.fields(), "snapshot").values("FileNames")]
        if not call.base.startswith("https://"):
            return file_nodes_to([])
        return file_nodes_to((path, self._upload_url(call)) for path in paths)

    async def create(self, call: Call) -> object:
        request = await call.fields()
        snapshots = self._workspace.store.snapshots
        files = snapshot_files_from(request)
        contents = self._uploaded(request, files)
        missing = snapshots.missing({path: known for path, known in files.items() if path not in contents})
        if missing:
            contents = await self._found(files, missing)
        snapshots.add(call.path("id"), files, contents)
        return {"id": call.path("id")}

    def _uploaded(self, request: Mapping[str, object], files: Mapping[str, str]) -> dict[str, bytes]:
        taken = {path: self._uploads.take(name) for path, name in uploaded_from(request)}
        require_small(size for _content, size in taken.values())
        return {path: content for path, (content, _size) in taken.items() if content is not None and path in files}

    async def _found(self, files: Mapping[str, str], missing: Mapping[str, str]) -> dict[str, bytes]:
        """The contents of all files, from the folder that the snapshot was made of."""
        root = self._workspace.root
        found = await self._workspace.in_thread(lambda: find_source(root, files))
        if found is None:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            message = f"snapshot: the content of {min(missing)!r}{more} has not arrived"
            hint = f"Serve the workspace over TLS, or keep the source_directory below {root.as_posix()!r}."
            raise InvalidInput(message, hint=hint)
        return found

    def _upload_url(self, call: Call) -> str:
        path = _UPLOAD.format(name=self._uploads.expect())
        return blob_url(call.base, path, self._workspace.signed_paths.sign(path))

    # what a blob would do

    async def receive(self, call: Call) -> object:
        name = self._allowed_name(call)
        if call.query("comp") or call.length > CODE_LIMIT:  # in blocks, which is what the SDK does above 64 MiB
            self._uploads.receive(name, None, await call.discard())
        else:
            content = await call.body()
            self._uploads.receive(name, content, len(content))
        return self._blob(0, status=201)

    async def properties(self, call: Call) -> object:
        return self._blob(self._uploads.size(self._allowed_name(call)))

    def _allowed_name(self, call: Call) -> str:
        """There is no token: the signature of the address is what allows it."""
        name = call.path("name")
        if not self._workspace.signed_paths.allows(_UPLOAD.format(name=name), call.query("sig")):
            message = "no file is expected at that address"
            raise NotFound(message, hint="Ask for an address with getblob first.")
        return name

    def _blob(self, size: int, status: int = 200) -> Response:
        dated = formatdate(self._workspace.store.now().timestamp(), usegmt=True)
        headers = {"content-length": str(size), "last-modified": dated, "etag": '"1"', "x-ms-blob-type": "BlockBlob"}
        return Response(status_code=status, headers=headers)


def routes(workspace: EmbeddedWorkspace) -> list[BaseRoute]:
    """The routes of the content service, in both of its versions, and of the uploads."""
    here = _Content(workspace)
    add = partial(route, workspace=workspace, service="other")
    versions = [
        Mount(
            f"/content/{version}{SCOPE}",
            routes=[
                add("/snapshots/latest/metadata", "GET", here.latest),
                add("/snapshots/getblob", "POST", here.where_to_upload),
                add("/snapshots/{id}", "POST", here.create),
            ],
        )
        for version in ("v1.0", "v2.0")
    ]
    uploads = [
        add(_UPLOAD, "PUT", here.receive),
        add(_UPLOAD, "HEAD", here.properties),
    ]
    return [*versions, *uploads]
