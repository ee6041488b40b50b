"""Schedules to export, and their exports: the article's case, and what is around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aml_magics.export.data_factory import export_data_factory
from aml_magics.export.logic_app import export_logic_app
from aml_magics.export.source import Export, Place, Source
from aml_magics.model.resources import Datastore, Schedule
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence, Trigger

NOW = datetime(2026, 11, 27, 18, 45, tzinfo=UTC)
PLACE = Place(
    subscription="11111111-2222-3333-4444-555555555555", resource_group="ml", workspace="ws", region="westeurope"
)
PIPELINE = "0f5d4a3e-6b1c-4a4e-9a55-000000000001"
URL = (
    "https://westeurope.api.azureml.ms/pipelines/v1.0/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups"
    f"/ml/providers/Microsoft.MachineLearningServices/workspaces/ws/PipelineRuns/PipelineSubmit/{PIPELINE}"
)
HERE_URL = f"http://aml-magics.invalid/pipelines/v1.0/PipelineRuns/PipelineSubmit/{PIPELINE}"
CONTAINER = Datastore(
    name="workspaceblobstore",
    account="mystorage",
    container="my-container",
    url="https://mystorage.blob.core.windows.net",
)
FOLDER = Datastore(name="localstore", folder="/data/local")


def schedule(trigger: Trigger, **changes: Any) -> Schedule:
    """The article's, unless something else is said."""
    given = {"pipeline_parameters": {"input_string": "sample_string3"}} | changes
    return Schedule(
        **{
            "id": "schedule-1",
            "name": "MyReactiveSchedule",
            "trigger": trigger,
            "pipeline_id": PIPELINE,
            "experiment_name": "MyRestPipeline",
        }
        | given
    )


def change(**options: Any) -> DatastoreChange:
    """A change trigger on the container's root that fills in the article's data path."""
    return DatastoreChange(
        **{"datastore": CONTAINER.name, "data_path_parameter_name": "input_datapath"} | options,
    )


def on_azure(trigger: Trigger | None = None, *, changes: dict[str, Any] | None = None, **options: Any) -> Source:
    """What is exported from a workspace on Azure; without a trigger the article's case."""
    trigger = trigger or change()
    store = CONTAINER if isinstance(trigger, DatastoreChange) else None
    source = Source(schedule=schedule(trigger, **changes or {}), url=URL, place=PLACE, datastore=store)
    return replace(source, **options)


def embedded(trigger: Trigger | None = None, *, changes: dict[str, Any] | None = None, **options: Any) -> Source:
    """As ``on_azure``, from a workspace in a kernel with a folder for a datastore: it knows nothing of Azure."""
    trigger = trigger or change(datastore=FOLDER.name)
    store = FOLDER if isinstance(trigger, DatastoreChange) else None
    source = Source(schedule=schedule(trigger, **changes or {}), url=HERE_URL, datastore=store, is_embedded=True)
    return replace(source, **options)


def logic_app(source: Source | None = None) -> Export:
    return export_logic_app(source or on_azure(), NOW)


def data_factory(source: Source | None = None) -> Export:
    return export_data_factory(source or on_azure(), NOW)


def written(export: Export, folder: Path) -> Path:
    """The export's files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in export.files().items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


EVERY_QUARTER = Recurrence(frequency="Minute", interval=15)
WORKDAYS = Cron(expression="30 6 * * 1-5", time_zone="Europe/Lisbon")
