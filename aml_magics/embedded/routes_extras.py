"""What v1 has no calls for: ``/aml-magics/v1.0{S}``. Answers are ``camelCase``.

Why a schedule did not fire, how the engine does, and the objects of a datastore, whose Azure twin is the storage
account itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response

from aml_magics.embedded.containers import storage_errors
from aml_magics.embedded.logs import answer, first_byte
from aml_magics.embedded.routes import route
from aml_magics.model.errors import InvalidInput
from aml_magics.wire.v1 import glance_to, outlook_to, recent_to

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.datastores.base import ObjectInfo, ObjectStore
    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace
    from aml_magics.wire.casing import Json

__all__ = ["routes"]

T = TypeVar("T")


class _Extras:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace

    async def status(self, _call: Call) -> object:
        return self._workspace.status()

    async def glance(self, _call: Call) -> object:
        return glance_to(self._workspace.glance())

    async def recent(self, call: Call) -> object:
        """What happened last to everything; ``runs``: with the steps of that many of the newest."""
        runs = call.count("runs", 1) if call.query("runs") else 0
        return recent_to(self._workspace.store.recent(runs=runs))

    async def history(self, call: Call) -> object:
        schedule = self._workspace.store.schedules.get(call.path("id"))
        return self._workspace.history(schedule, call.count("limit", 50))

    async def runs(self, call: Call) -> object:
        """The newest runs of all experiments, newest first: v1 only tells them one experiment at a time."""
        runs = self._workspace.store.runs
        return runs.entities(runs.newest(call.count("limit", 100, most=10_000)))

    async def log(self, call: Call) -> object:
        since = first_byte(call.header("range"))
        return answer(await self._workspace.step_log(call.path("run"), call.path("step"), since=since), since)

    async def objects(self, call: Call) -> object:
        path, recursive = call.query("path"), call.flag("recursive")
        found = await self._ask(call, lambda store: list(store.list(path, recursive=recursive)))
        return {"value": [_object_to(info) for info in found], "continuationToken": None}

    async def outlook(self, call: Call) -> object:
        """What would fire now at a path."""
        name = call.path("name")
        self._workspace.store.datastores.get(name)
        with storage_errors(name):
            found = await self._workspace.engine.outlook(name, call.query("path"))
        return {"value": [outlook_to(one) for one in found]}

    async def read_object(self, call: Call) -> object:
        name = _object_name(call)
        content = await self._ask(call, lambda store: store.read(name))
        return Response(content, media_type="application/octet-stream")

    async def write_object(self, call: Call) -> object:
        name, content = _object_name(call), await call.body()
        return _object_to(await self._ask(call, lambda store: store.write(name, content)))

    async def _ask(self, call: Call, question: Callable[[ObjectStore], T]) -> T:
        name = call.path("name")
        store = self._workspace.store.datastores.object_store(name)
        with storage_errors(name):
            return await self._workspace.in_thread(lambda: question(store))


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below our own prefix."""
    here = _Extras(workspace)
    add = partial(route, workspace=workspace, service="other")
    return [
        add("/status", "GET", here.status),
        add("/glance", "GET", here.glance),
        add("/recent", "GET", here.recent),
        add("/schedules/{id}/history", "GET", here.history),
        add("/runs", "GET", here.runs),
        add("/runs/{run}/steps/{step}/log", "GET", here.log),
        add("/datastores/{name}/objects", "GET", here.objects),
        add("/datastores/{name}/objects", "PUT", here.write_object),
        add("/datastores/{name}/outlook", "GET", here.outlook),
        add("/datastores/{name}/objects/content", "GET", here.read_object),
    ]


def _object_name(call: Call) -> str:
    name = call.query("name")
    if not name:
        message = "the query names no object"
        raise InvalidInput(message, hint="Add ?name=path/of/the/object.")
    return name


def _object_to(info: ObjectInfo) -> Json:
    return {"name": info.name, "etag": info.etag, "size": info.size, "modified": info.modified}
