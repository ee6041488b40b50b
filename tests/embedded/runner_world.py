"""A runner with its database and pipelines, and nothing else of a workspace around it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from aml_magics.embedded import run_tables
from aml_magics.embedded.runner import Runner
from aml_magics.embedded.step import LOG, step_folder
from aml_magics.engine.database import Database
from aml_magics.model.errors import NotFound
from aml_magics.model.graph import PipelineDefinition, StepDefinition, StepOutput
from aml_magics.model.resources import DataPath, Run, RunStatus, Step, StepStatus

PATIENCE = 100.0  # seconds: a Dask cluster on a busy machine takes its time


def step(name: str, command: str, *needs: str, **fields) -> StepDefinition:
    """A step that takes the output ``out`` of each step it needs."""
    inputs = {f"from_{other}": StepOutput(other, "out") for other in needs}
    return StepDefinition(name=name, command=command, inputs=inputs, outputs=("out",), **fields)


async def on_this_machine(place: DataPath, _folder: Path) -> str:
    """The path of a datastore's place, as a workspace would give it."""
    return f"/data/{place}"


class World:
    """One file, its pipelines, and the runners that tests put on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs_folder = root / ".aml" / "runs"
        self.database = Database(root / ".aml" / "workspace.db")
        self.database.migrate(run_tables.COMPONENT, run_tables.MIGRATIONS)
        self.pipelines: dict[str, PipelineDefinition] = {}

    def __enter__(self) -> World:  # noqa: PYI034 - nobody inherits from it
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def runner(self, owner: str = "me", *, executor=None, parallel_steps: int = 4, database=None, **fields) -> Runner:
        return Runner(
            database or self.database,
            self.runs_folder,
            executor,
            owner=owner,
            definition=self.definition,
            resolve=on_this_machine,
            parallel_steps=parallel_steps,
            **fields,
        )

    def definition(self, pipeline_id: str) -> PipelineDefinition:
        if pipeline_id not in self.pipelines:
            raise NotFound(f"there is no pipeline {pipeline_id!r}")
        return self.pipelines[pipeline_id]

    def add(self, *steps: StepDefinition, **fields) -> str:
        """Publish a pipeline and add a run of it; the run's id."""
        pipeline_id = f"p{len(self.pipelines)}"
        self.pipelines[pipeline_id] = PipelineDefinition(name=pipeline_id, steps=steps)
        return self.add_run(pipeline_id, **fields)

    def add_run(self, pipeline_id: str, **fields) -> str:
        steps = self.pipelines[pipeline_id].steps if pipeline_id in self.pipelines else ()
        run = Run(
            id=fields.pop("id", str(uuid.uuid4())),
            experiment_name="E",
            pipeline_id=pipeline_id,
            created=datetime.fromtimestamp(time.time(), UTC),
            **fields,
        )
        with self.database.transaction() as connection:
            run_tables.insert_run(connection, run, [(f"node-{one.name}", one.name) for one in steps])
        return run.id

    def run(self, run_id: str) -> Run:
        found = run_tables.get_run(self.database, run_id)
        assert found is not None
        return found

    def status(self, run_id: str) -> RunStatus:
        return self.run(run_id).status

    def steps(self, run_id: str) -> dict[str, Step]:
        return {one.name: one for one in run_tables.steps_of(self.database, run_id)}

    def step_statuses(self, run_id: str) -> dict[str, StepStatus]:
        return {name: one.status for name, one in self.steps(run_id).items()}

    def folder(self, run_id: str, name: str) -> Path:
        return step_folder(self.runs_folder, run_id, name)

    def log(self, run_id: str, name: str) -> str:
        return (self.folder(run_id, name) / LOG).read_text()

    def mark(self, name: str) -> Path:
        """A file by which a step and its test tell each other how far they are."""
        return self.root / name

    def pause(self, name: str) -> str:
        """Shell text that says it is there and waits until it may go on."""
        return f"touch {self.root}/{name}.up; while [ ! -e {self.root}/{name}.go ]; do sleep 0.01; done"

    async def is_up(self, name: str) -> None:
        await until((self.root / f"{name}.up").exists, f"step {name} to be up")

    def let_go(self, name: str) -> None:
        (self.root / f"{name}.go").touch()

    async def ended(self, *run_ids: str) -> Mapping[str, Run]:
        await until(
            lambda: all(self.status(one).is_final for one in run_ids), lambda: [self.run(one) for one in run_ids]
        )
        return {one: self.run(one) for one in run_ids}


async def until(condition: Callable[[], object], what: object = "") -> None:
    """Let the loop turn until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what() if callable(what) else what}"
        await asyncio.sleep(0.005)


class serving:  # noqa: N801 - reads as a word in ``async with``
    """Runners that are started, and stopped at the end of the block."""

    def __init__(self, *runners: Runner) -> None:
        self.runners = runners

    async def __aenter__(self) -> Runner:
        for runner in self.runners:
            runner.start()
        return self.runners[0]

    async def __aexit__(self, *_: object) -> None:
        for runner in self.runners:
            await runner.stop()
