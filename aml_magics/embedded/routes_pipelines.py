"""Published pipelines and what they are made of, in the pipelines service: ``/pipelines/v1.0{S}``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aml_magics.embedded.routes import as_json, pipeline_with_url, route
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.wire.v1 import status_from

if TYPE_CHECKING:
    from starlette.routing import Route

    from aml_magics.embedded.routes import Call
    from aml_magics.embedded.workspace import EmbeddedWorkspace

__all__ = ["DATA_TYPES", "routes"]

DATA_TYPES = (
    "AnyFile",
    "AnyDirectory",
    "AzureBlobReference",
    "AzureDataLakeReference",
    "AzureFilesReference",
    "AzureSqlDatabaseReference",
    "AzurePostgresDatabaseReference",
    "AzureDataLakeGen2Reference",
    "AzureMLDataset",
    "AzureMySqlDatabaseReference",
    "DBFSReference",
)
"""The eleven that the SDK creates when one is missing, before nearly every call."""


class _Pipelines:
    def __init__(self, workspace: EmbeddedWorkspace) -> None:
        self._workspace = workspace

    async def data_types(self, _call: Call) -> object:
        return [
            {"Id": name, "Name": name, "Description": name, "IsDirectory": name == "AnyDirectory"}
            | {"ParentDataTypeIds": [], "EntityStatus": "Active"}
            for name in DATA_TYPES
        ]

    async def create_module(self, call: Call) -> object:
        return self._workspace.store.pipelines.create_module(await call.fields())

    async def module(self, call: Call) -> object:
        return self._workspace.store.pipelines.module(call.path("id"))

    async def module_by_hash(self, call: Call) -> object:
        found = self._workspace.store.pipelines.module_by_hash(call.path("hash"))
        if found is None:
            message = "there is no module with that content"
            raise NotFound(message)
        return found

    async def create_data_source(self, call: Call) -> object:
        return self._workspace.store.sources.create(await call.fields())

    async def data_source(self, call: Call) -> object:
        return self._workspace.store.sources.entity(call.path("id"))

    async def data_source_by_hash(self, call: Call) -> object:
        found = self._workspace.store.sources.by_hash(call.path("hash"))
        if found is None:
            message = "there is no data source with that content"
            raise NotFound(message)
        return found

    async def graph(self, call: Call) -> object:
        return self._workspace.store.pipelines.graph(call.path("id"))

    async def interface(self, call: Call) -> object:
        return self._workspace.store.pipelines.interface(call.path("id"))

    async def list(self, call: Call) -> object:
        found = self._workspace.store.pipelines.all(active_only=call.flag("activeOnly"))
        return [pipeline_with_url(entity, call) for entity in found]

    async def get(self, call: Call) -> object:
        return pipeline_with_url(self._workspace.store.pipelines.entity(call.path("id")), call)

    async def views(self, call: Call) -> object:
        found = self._workspace.store.pipelines.all(active_only=call.flag("activeOnly"))
        return self._workspace.store.runs.views(pipeline_with_url(entity, call) for entity in found)

    async def view(self, call: Call) -> object:
        entity = pipeline_with_url(self._workspace.store.pipelines.entity(call.path("id")), call)
        return self._workspace.store.runs.views([entity])[0]

    async def publish(self, call: Call) -> object:
        return pipeline_with_url(self._workspace.store.pipelines.publish(await call.fields()), call)

    async def set_status(self, call: Call) -> object:
        word = await call.json()
        if not isinstance(word, str):
            message = "status: the body must be a JSON string"
            raise InvalidInput(message, hint='For example "Disabled".')
        self._workspace.store.pipelines.set_status(call.path("id"), status_from(word))
        return as_json({})


def routes(workspace: EmbeddedWorkspace) -> list[Route]:
    """The routes below the service's prefix."""
    here = _Pipelines(workspace)
    add = partial(route, workspace=workspace, service="pipelines")
    return [
        add("/DataTypes", "GET", here.data_types),
        add("/Modules", "POST", here.create_module),
        add("/Modules/Hash/{hash}", "GET", here.module_by_hash),
        add("/Modules/{id}", "GET", here.module),
        add("/DataSources", "POST", here.create_data_source),
        add("/DataSources/Hash/{hash}", "GET", here.data_source_by_hash),
        add("/DataSources/{id}", "GET", here.data_source),
        add("/Graphs/{id}", "GET", here.graph),
        add("/Graphs/{id}/Interface", "GET", here.interface),
        add("/Pipelines", "GET", here.list),
        add("/Pipelines/Create", "POST", here.publish),
        add("/Pipelines/View", "GET", here.views),
        add("/Pipelines/{id}", "GET", here.get),
        add("/Pipelines/{id}/View", "GET", here.view),
        add("/Pipelines/{id}/status", "PUT", here.set_status),
    ]
