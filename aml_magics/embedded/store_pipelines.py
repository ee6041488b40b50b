"""Published pipelines, with the modules (steps) and graphs behind them.

A module is kept as the entity that it is answered as; what its step does is in its properties (``wire.v1_graph``) or,
when Microsoft's SDK made it, in its graph's node and its snapshot (``wire.v1_sdk_graph``). A pipeline never changes but
for its status: publishing again makes another one, as on Azure.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aml_magics.embedded.store_checks import names_shown
from aml_magics.embedded.store_memory import Remembered
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.graph import PipelineDefinition
from aml_magics.model.resources import Pipeline, Status
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.moments import instant_from, instant_to
from aml_magics.wire.v1 import (
    PipelineDisabled,
    PipelineInUse,
    graph_steps,
    interface_from,
    interface_to,
    module_creation_from,
    module_interface_to,
    pipeline_creation_from,
    pipeline_to,
)

if TYPE_CHECKING:
    from aml_magics.embedded.store_data_sources import DataSources
    from aml_magics.embedded.store_snapshots import Snapshots
    from aml_magics.engine.database import Database
    from aml_magics.model.resources import DataPath
    from aml_magics.wire.v1 import GraphStep

__all__ = ["Node", "Pipelines", "PreparedPipeline"]

_SMALL = 2**18  # bytes of code up to which a definition is kept in memory
_EXTRAS = ("tags", "Properties", "EnableNotification")  # kept and handed back as they came
_NODE_ARRAYS = ("ModuleParameters", "ModuleMetadataParameters", "ModuleInputSettings", "ModuleOutputSettings")


@dataclass(frozen=True, slots=True)
class Node:
    """A step in its pipeline's graph: our ``name`` for it, its author's ``title``, and what to warn of in ``note``."""

    id: str
    name: str
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class PreparedPipeline:
    """A pipeline that may be written: the columns of its row, and those of its graph."""

    id: str
    columns: Mapping[str, object]
    graph: tuple[str, str, str]


class Pipelines:
    """The published pipelines of one workspace."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], snapshots: Snapshots, sources: DataSources
    ) -> None:
        self._database = database
        self._now = now
        self._source = _Source(database, snapshots, sources)
        self._read: Remembered[Pipeline] = Remembered()
        self._nodes: Remembered[tuple[Node, ...]] = Remembered()
        self._definitions: Remembered[PipelineDefinition] = Remembered()  # what is published never changes

    # modules and graphs

    def create_module(self, request: Mapping[str, Any]) -> Json:
        """POST ``/Modules``: the ModuleEntity. A module with the same content hash is handed back as it is."""
        body = Body(request, "module")
        if body.text("Name") == "":
            message = "module: it has no name"
            raise InvalidInput(message, hint="A step needs a name.")
        properties = body.texts("Properties")
        if "aml_magics.step" in properties:
            module_creation_from(request)  # a mistake is told now, not when the pipeline runs
        known = self.module_by_hash(body.text("IdentifierHash"))
        if known is not None:
            return known
        structured = body.mapping("StructuredInterface")
        module_interface_to(structured)
        entity = {
            "Id": str(uuid.uuid4()),
            "Name": body.text("Name"),
            "Description": body.text("Description"),
            "IsDeterministic": bool(body.boolean("IsDeterministic")),
            "ModuleExecutionType": body.text("ModuleExecutionType", "escloud"),
            "IdentifierHash": body.text("IdentifierHash"),
            "StepType": body.optional_text("StepType"),
            "ModuleType": body.optional_text("ModuleType"),
            "StorageId": body.optional_text("StorageId"),
            "Runconfig": body.optional_text("Runconfig"),
            "CloudSettings": body.optional_text("CloudSettings"),
            "StructuredInterface": structured,
            "Properties": properties,
            "tags": body.texts("KvTags"),
            "UploadState": "Completed",
            "EntityStatus": "Active",
            "CreatedDate": instant_to(self._now()),
            "LastModifiedDate": instant_to(self._now()),
        }
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO modules (id, hash, entity) VALUES (?, ?, ?)",
                (entity["Id"], entity["IdentifierHash"], json.dumps(entity)),
            )
        return entity

    def module_by_hash(self, content_hash: str) -> Json | None:
        row = self._database.row("SELECT entity FROM modules WHERE hash = ? AND hash <> ''", (content_hash,))
        return None if row is None else dict(json.loads(row["entity"]))

    def module(self, module_id: str) -> Json:
        """GET ``/Modules/{id}``: the entity and the interface derived from it."""
        entity = self._module_entity(module_id)
        return {"Data": entity, "Interface": module_interface_to(entity["StructuredInterface"])}

    def graph(self, graph_id: str) -> Json:
        """GET ``/Graphs/{id}``."""
        return self._graph_row(graph_id, "graph") | {"Id": graph_id, "EntityStatus": "Active"}

    def interface(self, graph_id: str) -> Json:
        """GET ``/Graphs/{id}/Interface``."""
        return self._graph_row(graph_id, "interface")

    # pipelines

    def all(self, *, active_only: bool = False) -> list[Json]:
        """Newest first: PipelineEntities without their URL, which depends on who asks."""
        where = "WHERE p.listed" + (" AND p.status = 'Active'" if active_only else "")
        return [_entity(row) for row in self._database.rows(f"{_SELECT} {where} ORDER BY p.created DESC, p.id")]

    def entity(self, pipeline_id: str) -> Json:
        """The PipelineEntity, without its URL."""
        return _entity(self._row(pipeline_id))

    def get(self, pipeline_id: str) -> Pipeline:
        """The pipeline as a value. Raises ``NotFound``."""
        row = self._row(pipeline_id)
        return self._read.get((pipeline_id, row["revision"]), lambda: _value(row))

    def nodes(self, pipeline_id: str) -> tuple[Node, ...]:
        """The steps in the order of the graph. Raises ``NotFound``."""
        return self._nodes.get((pipeline_id, 0), lambda: _read_nodes(self._row(pipeline_id)))

    def active(self, pipeline_id: str, what: str) -> Pipeline:
        """A pipeline that may be run: ``PipelineDisabled`` says that ``what`` needs it active."""
        pipeline = self.get(pipeline_id)
        if pipeline.status is not Status.ACTIVE:
            message = f"{what}: pipeline {pipeline.name!r} is {pipeline.status.value}"
            raise PipelineDisabled(message, hint="Enable it first, or publish it again.")
        return pipeline

    def definition(self, pipeline_id: str) -> PipelineDefinition:
        """What a run of the pipeline does. Raises ``InvalidInput`` for a pipeline without steps: it does nothing."""
        return self._definitions.get((pipeline_id, 0), lambda: self._read_definition(pipeline_id), keep=_is_small)

    def publish(self, request: Mapping[str, Any]) -> Json:
        """POST ``/Pipelines/Create``: the new PipelineEntity, without its URL. Raises as ``prepare``."""
        prepared = self.prepare(request)
        with self._database.transaction() as connection:
            self.add(connection, prepared)
        return self.entity(prepared.id)

    def prepare(self, request: Mapping[str, Any]) -> PreparedPipeline:
        """The pipeline of a POST ``/Pipelines/Create``, checked and not yet written.

        A graph without steps is allowed: Microsoft's SDK publishes ``Pipeline(ws, steps=[])``. Raises ``InvalidInput``
        for steps that this workspace cannot run.
        """
        body = Body(request, "pipeline")
        graph = body.body("Graph") or Body({}, "pipeline.Graph")
        steps = self._checked_steps(request, graph)
        parameters, data_paths = interface_from(body.mapping("GraphInterface"), "pipeline.GraphInterface")
        if not body.text("Name").strip():
            message = "pipeline: it has no name"
            raise InvalidInput(message, hint="A published pipeline needs one.")
        pipeline_id, graph_id, now = str(uuid.uuid4()), str(uuid.uuid4()), instant_to(self._now())
        stored_graph = {
            "ModuleNodes": [_node(node) for node in graph.values("ModuleNodes")],
            "DatasetNodes": graph.values("DatasetNodes"),
            "Edges": graph.values("Edges"),
        }
        extras = {name: body.get(name) for name in _EXTRAS if name in body}
        nodes = [[one.node_id, one.step.name, one.note] for one in steps]
        columns = {
            "id": pipeline_id,
            "name": body.text("Name"),
            "description": body.text("Description"),
            "version": body.text("Version"),
            "status": Status.ACTIVE.value,
            "graph_id": graph_id,
            "steps": json.dumps([one.title for one in steps]),
            "nodes": json.dumps(nodes),
            "continue_on_step_failure": bool(body.boolean("ContinueRunOnStepFailure")),
            "extras": json.dumps(extras),
            "created": now,
            "modified": now,
        }
        interface = interface_to(parameters, data_paths)
        return PreparedPipeline(pipeline_id, columns, (graph_id, json.dumps(stored_graph), json.dumps(interface)))

    def add(self, connection: sqlite3.Connection, prepared: PreparedPipeline, *, listed: bool = True) -> None:
        """Write it, in the caller's transaction. One that is not ``listed`` is found by its id alone."""
        columns = {**prepared.columns, "listed": listed}
        connection.execute("INSERT INTO graphs (id, graph, interface) VALUES (?, ?, ?)", prepared.graph)
        connection.execute(
            f"INSERT INTO pipelines ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            tuple(columns.values()),
        )

    def set_status(self, pipeline_id: str, status: Status) -> None:
        """Enable or disable. Raises ``PipelineInUse`` naming the active schedules that would lose their pipeline."""
        name = self.get(pipeline_id).name
        with self._database.transaction() as connection:
            if status is not Status.ACTIVE:
                users = connection.execute(_USERS, {"id": pipeline_id}).fetchall()
                if users:
                    raise _in_use(name, [_user(row) for row in users])
            connection.execute(
                "UPDATE pipelines SET status = ?, modified = ?, revision = revision + 1 WHERE id = ?",
                (status.value, instant_to(self._now()), pipeline_id),
            )

    # behind them

    def _read_definition(self, pipeline_id: str) -> PipelineDefinition:
        pipeline = self.get(pipeline_id)
        graph = Body(self.graph(pipeline.graph_id), f"pipeline {pipeline.name!r}")
        return PipelineDefinition(
            name=pipeline.name,
            description=pipeline.description,
            version=pipeline.version,
            parameters=pipeline.parameters,
            data_paths=pipeline.data_paths,
            steps=tuple(one.step for one in graph_steps(graph, self._source)),
            continue_on_step_failure=pipeline.continue_on_step_failure,
        )

    def _checked_steps(self, request: Mapping[str, Any], graph: Body) -> tuple[GraphStep, ...]:
        """The steps, once the whole definition has been checked."""
        steps = graph_steps(graph, self._source)
        if steps or graph.values("DatasetNodes"):
            pipeline_creation_from(request, [one.step for one in steps])
        return steps

    def _module_entity(self, module_id: str) -> Json:
        entity = self._source.module(module_id)
        if entity is None:
            message = f"there is no module {module_id!r}"
            raise NotFound(message)
        return entity

    def _graph_row(self, graph_id: str, column: str) -> Json:
        row = self._database.row("SELECT graph, interface FROM graphs WHERE id = ?", (graph_id,))
        if row is None:
            message = f"there is no graph {graph_id!r}"
            raise NotFound(message)
        found: Json = json.loads(row[column])
        return found

    def _row(self, pipeline_id: str) -> sqlite3.Row:
        row = self._database.row(f"{_SELECT} WHERE p.id = ?", (pipeline_id,))
        if row is None:
            message = f"there is no pipeline with the id {pipeline_id!r}"
            raise NotFound(message, hint="The list of pipelines shows the ids.")
        return row


class _Source:
    """What the ids in a graph stand for (``GraphSource``)."""

    def __init__(self, database: Database, snapshots: Snapshots, sources: DataSources) -> None:
        self._database = database
        self._snapshots = snapshots
        self._sources = sources

    def module(self, module_id: str) -> Json | None:
        row = self._database.row("SELECT entity FROM modules WHERE id = ?", (module_id,))
        return None if row is None else dict(json.loads(row["entity"]))

    def place(self, data_source_id: str) -> DataPath | None:
        return self._sources.place(data_source_id)

    def code(self, snapshot_id: str) -> Mapping[str, bytes] | None:
        return self._snapshots.files(snapshot_id)


_SELECT = "SELECT p.*, g.interface FROM pipelines p JOIN graphs g ON g.id = p.graph_id"
# The active schedules that would start it: on itself, and on an endpoint of which it is the default version.
_USERS = """
    SELECT s.name, e.name AS endpoint FROM schedules s LEFT JOIN endpoints e ON e.id = s.endpoint_id
    WHERE s.status = 'Active'
    AND (s.pipeline_id = :id OR s.endpoint_id IN (SELECT id FROM endpoints WHERE default_pipeline_id = :id))
    ORDER BY s.name
"""


def _value(row: sqlite3.Row) -> Pipeline:
    parameters, data_paths = interface_from(json.loads(row["interface"]))
    return Pipeline(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        version=row["version"],
        status=Status(row["status"]),
        parameters=parameters,
        data_paths=data_paths,
        steps=tuple(json.loads(row["steps"])),
        continue_on_step_failure=bool(row["continue_on_step_failure"]),
        graph_id=row["graph_id"],
        created=instant_from(row["created"]),
        modified=instant_from(row["modified"]),
    )


def _entity(row: sqlite3.Row) -> Json:
    extras: Json = json.loads(row["extras"])
    return pipeline_to(_value(row)) | extras | {"Etag": f'"{row["revision"]}"'}


def _node(node: Mapping[str, Any]) -> Json:
    """A graph node with the arrays that the SDK walks without asking whether they are there."""
    body = Body(node, "pipeline.Graph.ModuleNodes")
    stored: Json = {"Id": body.text("Id"), "ModuleId": body.text("ModuleId")}
    stored |= {name: body.values(name) for name in _NODE_ARRAYS}
    return stored | {name: body.get(name) for name in ("Runconfig", "CloudSettings", "ModuleType") if name in body}


def _read_nodes(row: sqlite3.Row) -> tuple[Node, ...]:
    titles = json.loads(row["steps"])
    nodes = json.loads(row["nodes"]) or [(title, title, "") for title in titles]
    return tuple(Node(node_id, name, title, note) for (node_id, name, note), title in zip(nodes, titles, strict=True))


def _is_small(definition: PipelineDefinition) -> bool:
    return sum(len(data) for step in definition.steps for data in step.code.values()) <= _SMALL


def _user(row: sqlite3.Row) -> str:
    name = str(row["name"])
    return name if row["endpoint"] is None else f"{name} (on pipeline endpoint {row['endpoint']!r})"


def _in_use(pipeline: str, schedules: list[str]) -> PipelineInUse:
    message = f"pipeline {pipeline!r} is used by active schedules: {names_shown(schedules)}"
    return PipelineInUse(message, hint="Disable them first.")
