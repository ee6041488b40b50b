"""Pipeline drafts: a graph that may still change, with what a run of it would get, before it is published.

A draft is kept as the entity that is answered. Its ParameterAssignments tell *all* parameters of the graph, because the
SDK draws the graph with them; what somebody has really given is kept beside, so that a value which was only told as a
default, and comes back with the rest of the entity, is not taken for a choice.

A draft may be anything while it is written; it is checked as a pipeline when it is published or submitted. Its values
become the defaults of that pipeline. The pipeline of a submitted draft is not listed.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aml_magics.embedded.store_checks import settled_data_paths, settled_parameters
from aml_magics.embedded.store_experiments import is_experiment_name
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.resources import Pipeline
from aml_magics.wire.casing import Body, Json, merge, without_nulls
from aml_magics.wire.moments import instant_to
from aml_magics.wire.v1 import (
    data_paths_from,
    data_paths_to,
    defaults_to,
    interface_from,
    interface_to,
)
from aml_magics.wire.values import parameter_text

if TYPE_CHECKING:
    from aml_magics.embedded.store_pipelines import Pipelines
    from aml_magics.embedded.store_runs import Runs
    from aml_magics.engine.database import Database
    from aml_magics.model.resources import Run, Submission

__all__ = ["Draft", "Drafts"]

_SUBMISSION, _VALUES = "PipelineSubmissionInfo", "ParameterAssignments"
_GRAPH = ("ModuleNodes", "DatasetNodes", "Edges")
_NODE_ARRAYS = ("ModuleParameters", "ModuleMetadataParameters", "ModuleInputSettings", "ModuleOutputSettings")
_DRAFT_FIELDS = (
    "Name",
    "Description",
    "GraphDraftId",
    "ParentPipelineId",
    "ParentPipelineRunId",
    "ParentStepRunIds",
    "ParentPipelineDraftId",
    "LastSubmittedPipelineRunId",
    "CreatedDate",
)
_SUBMISSION_FIELDS = (
    "ExperimentName",
    "Description",
    "RunSource",
    "RunType",
    "DataPathAssignments",
    "DataSetDefinitionValueAssignments",
    "ContinueRunOnStepFailure",
    "EnableNotification",
    "tags",
    "Properties",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """``entity`` is the PipelineDraftEntity, ``given`` the values in it that somebody chose."""

    entity: Json
    given: Mapping[str, str]

    @property
    def id(self) -> str:
        return str(self.entity["Id"])

    @property
    def submission(self) -> Json:
        """PipelineSubmissionInfo with nothing in it that was not chosen."""
        submission: Json = self.entity[_SUBMISSION]
        return submission | {_VALUES: dict(self.given)}


class Drafts:
    """The pipeline drafts of one workspace, and their graphs."""

    def __init__(self, database: Database, pipelines: Pipelines, runs: Runs, now: Callable[[], datetime]) -> None:
        self._database = database
        self._pipelines = pipelines
        self._runs = runs
        self._now = now

    # graphs

    def create_graph(self, request: Mapping[str, Any]) -> Json:
        """POST ``/GraphDrafts``: the GraphDraftEntity."""
        with self._database.transaction() as connection:
            return self._write_graph(connection, str(uuid.uuid4()), merge(request, {"CreatedDate": None}))

    def graph(self, graph_id: str) -> Json:
        """Raises ``NotFound``."""
        entity: Json = json.loads(self._row("graph_drafts", "graph draft", graph_id)["entity"])
        return entity

    def update_graph(self, graph_id: str, request: Mapping[str, Any]) -> Json:
        """PUT ``/GraphDrafts/{id}``: the fields of ``request`` over what is stored."""
        with self._database.transaction() as connection:
            row = self._row("graph_drafts", "graph draft", graph_id)
            merged = merge(json.loads(row["entity"]), request)
            return self._write_graph(connection, graph_id, merged, row["revision"] + 1)

    def delete_graph(self, graph_id: str) -> None:
        """Raises ``NotFound``. The SDK deletes the graph of a draft first, then the draft."""
        self._delete("graph_drafts", "graph draft", graph_id)

    # drafts

    def all(self, tags: Mapping[str, str]) -> list[Json]:
        """PipelineDraftEntities that have all of these tags, newest first."""
        rows = self._database.rows("SELECT entity FROM pipeline_drafts ORDER BY created DESC, id")
        entities = [json.loads(row["entity"]) for row in rows]
        return [entity for entity in entities if tags.items() <= entity["tags"].items()]

    def entity(self, draft_id: str) -> Json:
        """The PipelineDraftEntity. Raises ``NotFound``."""
        return self._draft(draft_id).entity

    def create(self, request: Mapping[str, Any]) -> Json:
        """POST ``/PipelineDrafts/Create``: the new entity. Raises ``NotFound`` for a graph draft that is not there."""
        submission = Body(request, "pipeline draft").body(_SUBMISSION)
        given = {} if submission is None else submission.texts(_VALUES)
        with self._database.transaction() as connection:
            return self._write(connection, str(uuid.uuid4()), merge(request, {"CreatedDate": None}), given)

    def update(self, draft_id: str, request: Mapping[str, Any]) -> Json:
        """PUT ``/PipelineDrafts/{id}``: the fields of ``request`` over what is stored."""
        with self._database.transaction() as connection:
            draft = self.changed(draft_id, request)
            revision = self._row("pipeline_drafts", "pipeline draft", draft_id)["revision"] + 1
            return self._write(connection, draft_id, draft.entity, draft.given, revision)

    def delete(self, draft_id: str) -> None:
        """Raises ``NotFound``."""
        self._delete("pipeline_drafts", "pipeline draft", draft_id)

    def changed(self, draft_id: str, request: Mapping[str, Any]) -> Draft:
        """What the draft would be with the fields of ``request`` over it; nothing is written."""
        before = self._draft(draft_id)
        entity = merge(before.entity, request)
        sent = Body(request, "pipeline draft").mapping(_SUBMISSION)
        entity[_SUBMISSION] = merge(before.entity[_SUBMISSION], sent)
        told = before.entity[_SUBMISSION][_VALUES]
        values = Body(entity[_SUBMISSION], "pipeline draft").texts(_VALUES)
        given = {name: text for name, text in values.items() if name in before.given or told.get(name) != text}
        return Draft(entity | {"Id": draft_id}, given)

    # drafts of what there is

    def clone(self, draft_id: str) -> Json:
        """A draft like another one, with a graph of its own."""
        draft = self._draft(draft_id)
        graph = self.graph(draft.entity["GraphDraftId"])
        left_out = ("LastSubmittedPipelineRunId", "CreatedDate", "ParentPipelineId", "ParentPipelineRunId")
        entity = {name: value for name, value in draft.entity.items() if name not in left_out}
        return self._create_with(graph, entity | {"ParentPipelineDraftId": draft_id}, draft.given)

    def clone_pipeline(self, pipeline_id: str) -> Json:
        """A draft of a published pipeline; its experiment is called as the pipeline, where that can be."""
        pipeline = self._pipelines.get(pipeline_id)
        submission = {
            "ExperimentName": pipeline.name if is_experiment_name(pipeline.name) else None,
            "ContinueRunOnStepFailure": pipeline.continue_on_step_failure,
        }
        return self._create_of(pipeline, submission, {}, {"ParentPipelineId": pipeline_id})

    def clone_run(self, run_id: str) -> Json:
        """A draft of what a run did: its graph, its experiment, and the values that it had."""
        run = self._runs.get(run_id)
        submission = {
            "ExperimentName": run.experiment_name,
            "DataPathAssignments": data_paths_to(run.data_paths),
            "ContinueRunOnStepFailure": run.continue_on_step_failure,
        }
        given = {name: parameter_text(value) for name, value in run.parameters.items()}
        parents = {"ParentPipelineId": run.pipeline_id, "ParentPipelineRunId": run_id}
        return self._create_of(self._pipelines.get(run.pipeline_id), submission, given, parents)

    # what becomes of them

    def publish(self, draft: Draft) -> Json:
        """The PipelineEntity of a new published pipeline, without its URL. Raises what publishing it raises."""
        return self._pipelines.publish(self._creation(draft))

    def submit(self, draft: Draft, submission: Submission, tags: Mapping[str, str]) -> Run:
        """A run of the draft as it is. Raises what publishing it and submitting that raise; then nothing was made."""
        prepared = self._pipelines.prepare(self._creation(draft))
        with self._database.transaction() as connection:
            self._pipelines.add(connection, prepared, listed=False)
            run = self._runs.add(connection, prepared.id, submission, tags)
            noted = self._draft(draft.id).entity | {"LastSubmittedPipelineRunId": run.id}
            connection.execute("UPDATE pipeline_drafts SET entity = ? WHERE id = ?", (json.dumps(noted), draft.id))
        return run

    # behind them

    def _row(self, table: str, kind: str, key: str) -> sqlite3.Row:
        row = self._database.row(f"SELECT * FROM {table} WHERE id = ?", (key,))
        if row is None:
            message = f"there is no {kind} with the id {key!r}"
            raise NotFound(message)
        return row

    def _delete(self, table: str, kind: str, key: str) -> None:
        with self._database.transaction() as connection:
            self._row(table, kind, key)
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (key,))

    def _draft(self, draft_id: str) -> Draft:
        row = self._row("pipeline_drafts", "pipeline draft", draft_id)
        return Draft(json.loads(row["entity"]), json.loads(row["given"]))

    def _write_graph(
        self, connection: sqlite3.Connection, graph_id: str, sent: Mapping[str, Any], revision: int = 1
    ) -> Json:
        body, now = Body(sent, "graph draft"), instant_to(self._now())
        parameters, data_paths = interface_from(body.mapping("EntityInterface"), "graph draft.EntityInterface")
        entity = {
            "Id": graph_id,
            "ModuleNodes": [_node(node) for node in body.values("ModuleNodes")],
            "DatasetNodes": body.values("DatasetNodes"),
            "Edges": body.values("Edges"),
            "EntityInterface": interface_to(parameters, data_paths),
            "CreatedDate": body.optional_text("CreatedDate") or now,
            "LastModifiedDate": now,
            "Etag": f'"{revision}"',
        }
        connection.execute(
            "INSERT OR REPLACE INTO graph_drafts (id, revision, entity) VALUES (?, ?, ?)",
            (graph_id, revision, json.dumps(entity)),
        )
        return entity

    def _write(
        self,
        connection: sqlite3.Connection,
        draft_id: str,
        sent: Mapping[str, Any],
        given: Mapping[str, str],
        revision: int = 1,
    ) -> Json:
        """Store what was sent in our own spelling, with all values of its graph told."""
        body, now = Body(sent, "pipeline draft"), instant_to(self._now())
        if not body.text("Name").strip():
            message = "pipeline draft: it has no name"
            raise InvalidInput(message, hint="Give it one.")
        parameters, data_paths = interface_from(self.graph(body.text("GraphDraftId"))["EntityInterface"])
        submission = body.body(_SUBMISSION) or Body({}, f"{body.what}.{_SUBMISSION}")
        paths = {name: str(path) for name, path in data_paths_from(submission).items()}
        values = defaults_to(parameters, data_paths) | dict(given) | paths
        entity: Json = {"CreatedDate": now} | _spelled(body, _DRAFT_FIELDS)
        entity |= {
            "Id": draft_id,
            _SUBMISSION: _spelled(submission, _SUBMISSION_FIELDS) | {_VALUES: values},
            "tags": body.texts("tags"),
            "Properties": body.texts("Properties"),
            "LastModifiedDate": now,
            "Etag": f'"{revision}"',
        }
        connection.execute(
            "INSERT OR REPLACE INTO pipeline_drafts (id, created, revision, given, entity) VALUES (?, ?, ?, ?, ?)",
            (draft_id, entity["CreatedDate"], revision, json.dumps(given), json.dumps(entity)),
        )
        return entity

    def _create_of(self, pipeline: Pipeline, submission: Json, given: Mapping[str, str], parents: Json) -> Json:
        graph = self._pipelines.graph(pipeline.graph_id)
        graph["EntityInterface"] = self._pipelines.interface(pipeline.graph_id)
        submission = {"Description": pipeline.description, **submission}
        draft = {"Name": pipeline.name, "Description": pipeline.description, _SUBMISSION: submission, **parents}
        return self._create_with(graph, draft, given)

    def _create_with(self, graph: Json, draft: Json, given: Mapping[str, str]) -> Json:
        with self._database.transaction() as connection:
            copy = self._write_graph(connection, str(uuid.uuid4()), {**graph, "CreatedDate": None})
            return self._write(connection, str(uuid.uuid4()), draft | {"GraphDraftId": copy["Id"]}, given)

    def _creation(self, draft: Draft) -> Json:
        """The body of POST ``/Pipelines/Create`` for the draft, its values the defaults."""
        body = Body(draft.entity, "pipeline draft")
        graph = self.graph(body.text("GraphDraftId"))
        parameters, data_paths = interface_from(graph["EntityInterface"])
        shape = Pipeline(id="", name=body.text("Name"), parameters=parameters, data_paths=data_paths)
        what = f"pipeline draft {shape.name!r}"
        submission = Body(draft.submission, f"{body.what}.{_SUBMISSION}")
        values = settled_parameters(shape, draft.given, what)
        later = [path.name for path in data_paths]
        paths = settled_data_paths(shape, data_paths_from(submission), what, later=later)
        return {
            "Name": shape.name,
            "Description": body.text("Description"),
            "Graph": {name: graph[name] for name in _GRAPH},
            "GraphInterface": interface_to(
                [replace(one, default=values[one.name]) for one in parameters],
                [replace(one, default=paths.get(one.name)) for one in data_paths],
            ),
            "ContinueRunOnStepFailure": submission.boolean("ContinueRunOnStepFailure"),
            "Properties": body.texts("Properties"),
            "tags": body.texts("tags"),
        }


def _spelled(body: Body, names: tuple[str, ...]) -> Json:
    """These fields, written as the service writes them."""
    return without_nulls({name: body.get(name) for name in names})


def _node(node: object) -> Json:
    """A graph node with the arrays that the SDK walks without asking whether they are there."""
    fields = Body({"node": node}, "graph draft.ModuleNodes").mapping("node")
    return {name: [] for name in _NODE_ARRAYS} | fields
