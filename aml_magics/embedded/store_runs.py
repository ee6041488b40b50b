"""Runs as the protocol shows them, over ``run_tables``: how one is made of a submission or a fire, and how it is told.

Ids of runs are UUIDs; the id of a step in run history is its run's, ``_`` and its node's. A submission may name a
parent run: it is filed under that one in run history, beside the parent's own steps.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aml_magics.embedded import run_tables
from aml_magics.embedded.store_checks import settled_data_paths, settled_parameters
from aml_magics.model.errors import NotFound
from aml_magics.model.resources import DataPath, Fire, Run, RunStatus, Schedule
from aml_magics.model.triggers import DatastoreChange
from aml_magics.wire.moments import instant_to
from aml_magics.wire.v1 import run_history_to, run_to, step_to

if TYPE_CHECKING:
    from aml_magics.embedded.store_datastores import Datastores
    from aml_magics.embedded.store_endpoints import Endpoints
    from aml_magics.embedded.store_experiments import Experiments
    from aml_magics.embedded.store_pipelines import Pipelines
    from aml_magics.engine.database import Database
    from aml_magics.model.resources import Pipeline, Step, Submission
    from aml_magics.wire.casing import Json

__all__ = ["Runs"]

_SOURCE = "Schedule"


class Runs:
    """The runs of one workspace."""

    def __init__(
        self,
        database: Database,
        *,
        experiments: Experiments,
        pipelines: Pipelines,
        endpoints: Endpoints,
        datastores: Datastores,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._experiments = experiments
        self._pipelines = pipelines
        self._endpoints = endpoints
        self._datastores = datastores
        self._now = now

    # making

    def submit(
        self, pipeline_id: str, submission: Submission, tags: Mapping[str, str], *, run_id: str | None = None
    ) -> Run:
        """A new run, readable at once; ``run_id`` is the id that was promised for it.

        Raises an ``AmlError`` for whatever is wrong with the submission.
        """
        with self._database.transaction() as connection:
            return self.add(connection, pipeline_id, submission, tags, run_id=run_id)

    def add(
        self,
        connection: sqlite3.Connection,
        pipeline_id: str,
        submission: Submission,
        tags: Mapping[str, str],
        *,
        run_id: str | None = None,
    ) -> Run:
        """``submit`` in the caller's transaction."""
        pipeline = self._pipelines.active(pipeline_id, "submission")
        parent = submission.parent_run_id
        if parent is not None and run_tables.get_run(self._database, parent) is None:
            message = f"submission: there is no parent run {parent!r}"
            raise NotFound(message)
        for path in submission.data_paths.values():
            self._datastores.get(path.datastore)
        continue_on = submission.continue_on_step_failure
        run = Run(
            id=run_id or str(uuid.uuid4()),
            experiment_name=submission.experiment_name,
            pipeline_id=pipeline.id,
            schedule_id=submission.schedule_id,
            description=submission.description,
            source=submission.source,
            parameters=settled_parameters(pipeline, submission.parameters, "submission"),
            data_paths=settled_data_paths(pipeline, submission.data_paths, "submission"),
            continue_on_step_failure=pipeline.continue_on_step_failure if continue_on is None else continue_on,
            created=self._now(),
        )
        return self._insert(connection, run, pipeline, tags=tags, parent=parent)

    def submit_fire(self, connection: sqlite3.Connection, schedule: Schedule, fire: Fire) -> str:
        """The run of a fire, in the engine's own transaction. Its id is the fire's key: a fire has one run, ever.

        Of a pipeline endpoint it runs the version that is the default at this moment. Raises an ``AmlError`` when the
        pipeline or what the schedule gives it does not fit any more.
        """
        what = f"schedule {schedule.name!r}"
        pipeline = self._endpoints.started_by(schedule, what)
        data_paths = dict(schedule.data_paths) | _changed_place(schedule, fire)
        continue_on = schedule.continue_on_step_failure
        run = Run(
            id=fire.key,
            experiment_name=schedule.experiment_name,
            pipeline_id=pipeline.id,
            schedule_id=schedule.id,
            description=schedule.description,
            source=_SOURCE,
            parameters=settled_parameters(pipeline, schedule.pipeline_parameters, what),
            data_paths=settled_data_paths(pipeline, data_paths, what),
            continue_on_step_failure=pipeline.continue_on_step_failure if continue_on is None else continue_on,
            created=self._now(),
        )
        return self._insert(connection, run, pipeline).id

    def add_notes(self, run_id: str, tags: Mapping[str, str], properties: Mapping[str, str]) -> None:
        """Add tags, and properties: a tag may be given another value, a property may not.

        Raises ``NotFound``, also for a step: a step has the tags that the SDK finds it by and no others.
        """
        with self._database.transaction() as connection:
            record = self._record(run_id)
            run_tables.set_notes(connection, run_id, {**record.tags, **tags}, {**properties, **record.properties})

    def remove_tags(self, run_id: str, names: Iterable[str]) -> None:
        """Names that are no tags of it are passed over. Raises ``NotFound``, as ``add_notes``."""
        gone = set(names)
        with self._database.transaction() as connection:
            record = self._record(run_id)
            left = {name: value for name, value in record.tags.items() if name not in gone}
            run_tables.set_notes(connection, run_id, left, record.properties)

    # as the pipelines service tells them

    def get(self, run_id: str) -> Run:
        """Raises ``NotFound``."""
        return self._record(run_id).run

    def entity(self, run: Run) -> Json:
        """PipelineRunEntity."""
        return self.entities([run])[0]

    def entities(self, runs: Iterable[Run]) -> list[Json]:
        """PipelineRunEntities; each pipeline is looked up once."""
        shapes: dict[str, tuple[str, int]] = {}
        found = []
        for run in runs:
            if run.pipeline_id not in shapes:
                pipeline = self._pipelines.get(run.pipeline_id)
                shapes[run.pipeline_id] = (pipeline.graph_id, len(pipeline.steps))
            graph_id, steps = shapes[run.pipeline_id]
            found.append(run_to(run, graph_id=graph_id, total_steps=steps))
        return found

    def of_pipeline(self, pipeline_id: str, limit: int | None = None) -> list[Run]:
        return run_tables.find_runs(self._database, pipeline_id=pipeline_id, limit=limit)

    def of_schedule(self, schedule_id: str, limit: int | None = None) -> list[Run]:
        return run_tables.find_runs(self._database, schedule_id=schedule_id, limit=limit)

    def views(self, pipelines: Iterable[Json]) -> list[Json]:
        """PipelineViewEntities of PipelineEntities: each with its newest run and the number of its runs."""
        # Of the columns beside max(), SQLite takes those of the row that has it.
        sql = (
            "SELECT pipeline_id, id, status, count(*) AS number, max(created) AS created FROM runs GROUP BY pipeline_id"
        )
        newest = {row["pipeline_id"]: row for row in self._database.rows(sql)}
        return [_view(pipeline, newest.get(pipeline["Id"])) for pipeline in pipelines]

    def last_of_schedule(self, schedule_id: str) -> Run | None:
        return run_tables.last_run_of_schedule(self._database, schedule_id)

    def newest(self, limit: int) -> list[Run]:
        return run_tables.find_runs(self._database, limit=limit)

    def steps(self, run_id: str) -> list[Step]:
        """In the order they were written. Raises ``NotFound`` for the run."""
        self._record(run_id)
        return run_tables.steps_of(self._database, run_id)

    # as run history tells them

    def history(self, run_id: str) -> Json:
        """RunDto of a run or a step. Raises ``NotFound``."""
        if (record := run_tables.get_record(self._database, run_id)) is not None:
            return self._history(record.run, record)
        parent_id = run_id.partition("_")[0]
        for child in self._step_histories(parent_id):
            if child["runId"] == run_id:
                return child
        message = f"there is no run {run_id!r}"
        raise NotFound(message)

    def warnings(self, history: Json) -> list[str]:
        """What is to be said about a run or a step, given as its RunDto: what its steps asked for and do not get."""
        parent, node_id = history["parentRunId"], history["tags"].get("azureml.nodeid")
        run = self.get(history["runId"] if node_id is None else parent)
        nodes = self._pipelines.nodes(run.pipeline_id)
        return [f"step {one.title!r}: {one.note}" for one in nodes if one.note and node_id in (None, one.id)]

    def children(self, run_id: str) -> list[Json]:
        """RunDtos of the steps of a run, and of runs that were submitted under it. A step has none."""
        record = run_tables.get_record(self._database, run_id)
        if record is None:
            self.history(run_id)
            return []
        below = run_tables.find_runs(self._database, parent_run_id=run_id)
        # The newest first, which is the order that the SDK asks for; the client turns it round again.
        steps = list(reversed(self._step_histories(run_id)))
        return [self._history(child, self._record(child.id)) for child in below] + steps

    def history_of(self, experiment: Json, *, with_steps: bool) -> Iterator[Json]:
        """RunDtos of the runs of an experiment, newest first, each followed by its steps."""
        runs = run_tables.find_runs(self._database, experiment_name=experiment["name"])
        for position, run in enumerate(runs):
            yield self._history(run, self._record(run.id), number=len(runs) - position)
            if with_steps:
                yield from self._step_histories(run.id)

    # behind them

    def _insert(
        self,
        connection: sqlite3.Connection,
        run: Run,
        pipeline: Pipeline,
        *,
        tags: Mapping[str, str] | None = None,
        parent: str | None = None,
    ) -> Run:
        self._experiments.ensure(connection, run.experiment_name)
        if not pipeline.steps:  # there is nothing to wait for
            run = replace(run, status=RunStatus.FINISHED, started=run.created, ended=run.created)
        steps = [(node.id, node.name) for node in self._pipelines.nodes(pipeline.id)]
        # A run that is there already was made of the same fire, whose key is its id.
        run_tables.insert_run(connection, run, steps, tags=tags, parent_run_id=parent)
        return run

    def _record(self, run_id: str) -> run_tables.RunRecord:
        record = run_tables.get_record(self._database, run_id)
        if record is None:
            message = f"there is no run {run_id!r}"
            raise NotFound(message)
        return record

    def _history(self, run: Run, record: run_tables.RunRecord, *, number: int | None = None) -> Json:
        experiment_id = self._experiments.get(run.experiment_name)["experimentId"]
        name = self._pipelines.get(run.pipeline_id).name
        answer = run_history_to(run, experiment_id=experiment_id, number=number or 1, pipeline_name=name)
        answer |= {"tags": dict(record.tags), "properties": {**record.properties, **answer["properties"]}}
        if record.parent_run_id is not None:
            answer |= {"parentRunId": record.parent_run_id, "rootRunId": record.parent_run_id}
        return answer

    def _step_histories(self, run_id: str) -> list[Json]:
        run = run_tables.get_run(self._database, run_id)
        if run is None:
            return []
        experiment_id = self._experiments.get(run.experiment_name)["experimentId"]
        titles = {node.name: node.title for node in self._pipelines.nodes(run.pipeline_id)}
        return [
            step_to(
                replace(step, name=titles.get(step.name, step.name)),
                experiment_id=experiment_id,
                number=position,
                created=run.created,
            )
            for position, step in enumerate(run_tables.steps_of(self._database, run_id), 1)
        ]


def _view(pipeline: Json, newest: sqlite3.Row | None) -> Json:
    view: Json = {"PipelineEntity": pipeline, "TotalRuns": 0}
    if newest is not None:
        created = datetime.fromtimestamp(newest["created"], UTC)
        last = {"Id": newest["id"], "CreatedTime": instant_to(created), "Status": newest["status"]}
        view |= {"TotalRuns": newest["number"]} | {f"LastRun{name}": value for name, value in last.items()}
    return view


def _changed_place(schedule: Schedule, fire: Fire) -> dict[str, DataPath]:
    """What a change sets the data path parameter to: the object, or the watched path when one run takes several.

    Of a removed object it is the path where it was: a run that is to clean up after it needs the name.
    """
    trigger = schedule.trigger
    if not isinstance(trigger, DatastoreChange) or trigger.data_path_parameter_name is None:
        return {}
    one = trigger.per == "file" and len(fire.objects) == 1
    path = fire.objects[0] if one else trigger.path_on_datastore
    return {trigger.data_path_parameter_name: DataPath(trigger.datastore, path)}
