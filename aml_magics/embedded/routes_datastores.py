"""The datastore service: ``/datastore/v1.0{S}``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aml_magics.embedded.containers import check_container
from aml_magics.embedded.routes import as_json, route
from aml_magics.wire.casing import Body
from aml_magics.wire.v1 import datastore_from, datastore_to, registration_from, registration_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["routes"]


class _Datastores:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace

    async def list(self, _call: Call) -> object:
        found = self._workspace.store.datastores.all()
        return {"value": [datastore_to(datastore) for datastore in found], "continuationToken": None}

    async def get(self, call: Call) -> object:
        return datastore_to(self._workspace.store.datastores.get(call.path("name")))

    async def register(self, call: Call) -> object:
        return await self._register(call, await call.fields(), overwrite=False)

    async def overwrite(self, call: Call) -> object:
        body = Body(await call.fields(), "datastore")
        given = {name: body.get(name) for name in ("dataStoreType", "azureStorageSection", "amlMagics")}
        return await self._register(call, {"name": call.path("name"), **given}, overwrite=True)

    async def _register(self, call: Call, fields: Mapping[str, Any], *, overwrite: bool) -> object:
        """A container is looked at first, so that a wrong key is told where it was given."""
        workspace, registration = self._workspace, registration_from(fields)
        is_plan = call.flag("dryRun")
        create, skip = call.flag("createIfNotExists") and not is_plan, call.flag("skipValidation")
        workspace.store.datastores.check(registration, overwrite=overwrite)
        access = registration.access
        if access is not None and not skip:
            await workspace.in_thread(lambda: check_container(registration.name, access, create=create))
        if is_plan:
            return datastore_to(datastore_from(registration_to(registration)))
        return datastore_to(workspace.store.datastores.register(registration, overwrite=overwrite))

    async def unregister(self, call: Call) -> object:
        self._workspace.store.datastores.unregister(call.path("name"))
        return as_json({})

    async def default(self, _call: Call) -> object:
        return datastore_to(self._workspace.store.datastores.default())

    async def set_default(self, call: Call) -> object:
        return datastore_to(self._workspace.store.datastores.set_default(call.path("name")))


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below the service's prefix."""
    here = _Datastores(workspace)
    add = partial(route, workspace=workspace, service="other")
    return [
        add("/datastores", "GET", here.list),
        add("/datastores", "POST", here.register),
        add("/datastores/{name}", "GET", here.get),
        add("/datastores/{name}", "PUT", here.overwrite),
        add("/datastores/{name}", "DELETE", here.unregister),
        add("/default", "GET", here.default),
        add("/default/{name}", "PUT", here.set_default),
    ]
