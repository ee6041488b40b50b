"""Runs of graphs that nobody published: ``Experiment.submit(Pipeline(...))`` of Microsoft's SDK.

The SDK first makes a run with its graph and then submits it. Between the two it is a row of ``graph_runs``, which no
runner sees; its graph is kept as a pipeline that is in no list. The run has the id that was promised.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aml_magics.embedded.store_checks import settled_data_paths, settled_parameters
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.resources import Run
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.moments import instant_to
from aml_magics.wire.v1 import run_to, submission_from

if TYPE_CHECKING:
    from aml_magics.embedded.store_pipelines import Pipelines
    from aml_magics.embedded.store_runs import Runs
    from aml_magics.engine.database import Database

__all__ = ["GraphRuns"]


class GraphRuns:
    """The runs of one workspace that were made of a graph."""

    def __init__(self, database: Database, pipelines: Pipelines, runs: Runs, now: Callable[[], datetime]) -> None:
        self._database = database
        self._pipelines = pipelines
        self._runs = runs
        self._now = now

    def create(self, request: Mapping[str, Any], experiment: str) -> Json:
        """POST ``/PipelineRuns/Unsubmitted/CreationInfoWithGraph``: the PipelineRunEntity of what can be submitted.

        Raises ``InvalidInput`` for a graph that cannot be run here, and for parameters that do not fit it.
        """
        body = Body(request, "run")
        info = body.mapping("CreationInfo")
        if Body(info, "run.CreationInfo").mapping("DataSetDefinitionValueAssignments"):
            message = "submission: datasets are not known to this workspace"
            raise InvalidInput(message, hint="Give a data path instead.")
        given = {**info, "ExperimentName": experiment, "ContinueRunOnStepFailure": _keeps_going(info)}
        submission = submission_from(given)
        prepared = self._pipelines.prepare(
            {
                "Name": submission.description or experiment,
                "Graph": body.mapping("Graph"),
                "GraphInterface": body.mapping("GraphInterface"),
                "ContinueRunOnStepFailure": _keeps_going(info),
            }
        )
        run = Run(id=str(uuid.uuid4()), experiment_name=experiment, pipeline_id=prepared.id, created=self._now())
        with self._database.transaction() as connection:
            self._pipelines.add(connection, prepared, listed=False)
            connection.execute(
                "INSERT INTO graph_runs (id, pipeline_id, request, created) VALUES (?, ?, ?, ?)",
                (run.id, prepared.id, json.dumps(given), instant_to(run.created)),
            )
            pipeline = self._pipelines.get(prepared.id)
            settled_parameters(pipeline, submission.parameters, "submission")
            settled_data_paths(pipeline, submission.data_paths, "submission")
        return run_to(run, graph_id=pipeline.graph_id, total_steps=len(pipeline.steps)) | {"IsSubmitted": False}

    def submit(self, run_id: str, parent_run_id: str | None) -> Run:
        """POST ``/PipelineRuns/Submit/{id}``. A run that was submitted before is the same run. Raises ``NotFound``."""
        row = self._database.row("SELECT pipeline_id, request FROM graph_runs WHERE id = ?", (run_id,))
        if row is None:
            message = f"there is no run {run_id!r} to submit"
            raise NotFound(message)
        request = json.loads(row["request"])
        submission = replace(submission_from(request), parent_run_id=parent_run_id)
        tags = Body(request, "run.CreationInfo").texts("tags")
        self._runs.submit(row["pipeline_id"], submission, tags, run_id=run_id)
        return self._runs.get(run_id)


def _keeps_going(info: Mapping[str, Any]) -> bool:
    """The SDK has two words for it."""
    body = Body(info, "run.CreationInfo")
    return bool(body.boolean("ContinueExperimentOnNodeFailure") or body.boolean("ContinueRunOnStepFailure"))
