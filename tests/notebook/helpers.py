"""Calling the magic as a cell does, and looking at what it made."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from aml_magics.client.services import PIPELINES
from aml_magics.notebook.completion import offers

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

TRAIN = """\
import os

shown = "{braces}"
print("training with", os.environ["AML_PARAMETER_learning_rate"], shown)
"""
FAILS = 'raise SystemExit("no such luck")\n'
RECURRING = """\
pipeline: train
experiment_name: MyExperiment
frequency: Minute
interval: 15
start_time: 2030-01-01T06:00:00
description: Based on time
"""
REACTIVE = """\
pipeline: train
experiment_name: MyExperiment
datastore: workspaceblobstore
path_on_datastore: incoming
polling_interval: 5
data_path_parameter_name: input_data
"""
HTML_NAME = '<img src=x onerror="alert(1)">'
T = TypeVar("T")


class Magic:
    """``%aml`` and ``%%aml`` of one shell; errors are raised."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def __call__(self, line: str, body: str | None = None, **variables: Any) -> Any:
        self.shell.user_ns.update(variables)
        if body is None:
            return self.shell.run_line_magic("aml", line)
        return self.shell.run_cell_magic("aml", line, body)

    def offers(self, line: str) -> list[str]:
        """What Tab would offer after ``%aml line``."""
        return offers(line, self.shell.magics_manager.registry["AmlMagics"].known)[1]

    def digest(self) -> dict[str, object]:
        """Everything in the workspace that a verb can change, and nothing that moves by itself."""
        workspace = self.shell._aml_magics_session.workspace
        return {
            "experiments": workspace.experiments.list(),
            "datastores": workspace.datastores.list(),
            "objects": [(one.name, one.etag) for one in workspace.datastores.ls("workspaceblobstore", recursive=True)],
            "pipelines": workspace.pipelines.list(active_only=False),
            "schedules": workspace.schedules.list(active_only=False),
            "runs": [run.id for run in workspace.runs.list(limit=None)],
        }

    def until(self, ask: Callable[[], T], is_right: Callable[[T], bool], seconds: float = 30) -> T:
        """Ask until the answer is right; the last answer when it never is."""
        deadline = time.monotonic() + seconds
        while not is_right(answer := ask()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return answer


def on_an_endpoint(aml: Magic, name: str, pipeline_id: str, schedule: str) -> None:
    """A schedule on a new pipeline endpoint, made over the protocol as Microsoft's SDK makes them."""
    workspace = aml.shell._aml_magics_session.workspace
    transport = workspace.pipelines._client.transport

    async def make() -> None:
        body = {"Name": name, "PipelineId": pipeline_id}
        endpoint = await transport.json("POST", PIPELINES, "/PipelineEndpoints/Create", body=body)
        recurrence = {"Frequency": "Day", "Interval": 1, "StartTime": "2090-01-01T00:00:00"}
        body = {"Name": schedule, "PipelineEndpointId": endpoint["Id"], "Recurrence": recurrence}
        body |= {"PipelineSubmissionInfo": {"ExperimentName": "MyExperiment"}}
        await transport.json("POST", PIPELINES, "/Schedules/Create", body=body)

    workspace.pipelines._connection.run(make())


def shown(value: Any) -> str:
    """What a value shows, as text and as HTML."""
    html = getattr(value, "_repr_html_", str)
    return f"{value!r}\n{html()}"


def prepare(aml: Magic) -> None:
    """Fill a workspace with what ``mistakes.py`` needs."""
    options = "--parameter learning_rate=0.1 --parameter epochs=3 --parameter fast=false --parameter label=a"
    train = aml(f"pipeline publish train {options} --data-path input_data=workspaceblobstore/in", "print('training')")
    aml("pipeline publish old", "print('old')")
    aml("pipeline disable old")
    aml("pipeline publish 'my pipe'", "print('mine')")
    aml("schedule create nightly --pipeline train --experiment MyExperiment --every day --start-time 2090-01-01")
    run = aml("pipeline submit train --experiment MyExperiment")
    aml("run wait {run} --timeout 60", run=run)
    aml.digest()  # starts the threads that look at files: they live as long as the workspace
    aml("schedule list", train=train, number=15, numbers=[1, 2], verb="schedule")
