"""What ``export`` makes of schedules runs here: each trigger is taken, the ML pipeline gets what the schedule says."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import Missed
from aml_magics.model.triggers import Cron, Recurrence
from aml_magics.workflows.data_factory.reading import factory_from_file
from aml_magics.workflows.data_factory.triggers import check_trigger, run_trigger
from tests.support import exports

DAY = datetime(2026, 1, 1, 6, 30)
TIMES = {
    "every 15 minutes": Recurrence(frequency="Minute", interval=15, start_time=DAY),
    "a day and time": Recurrence(frequency="Week", start_time=DAY, week_days=["Monday"], hours=[6], time_zone="UTC"),
    "a month": Recurrence(frequency="Month", start_time=DAY),
    "a cron": Cron(expression="0,30 6 * * 1-5", time_zone="Europe/Lisbon", start_time=DAY),
    "a cron of a month": Cron(expression="0 6 1,15 * *", start_time=DAY),
}


def read(source, folder):
    """The export of a source, written and read back as ``%aml data-factory run`` does it here."""
    file = exports.written(exports.data_factory(source), folder) / "template.json"
    return factory_from_file(file, file.read_text(), here=True)


@pytest.mark.parametrize("times", TIMES)
def test_an_exported_schedule_is_taken(bed, tmp_path, times):
    factory = read(exports.embedded(TIMES[times]), tmp_path)
    (trigger,) = factory.triggers.values()
    check_trigger(factory, trigger, bed.web)
    posted = asyncio.run(fire(bed, factory, trigger, 40 * 86_400, until=1))
    assert posted["ParameterAssignments"] == {"input_string": "sample_string3"}
    assert posted["pipeline_id"] == exports.PIPELINE
    assert posted["ExperimentName"] == "MyRestPipeline"


async def fire(bed, factory, trigger, seconds, *, until=0, then=lambda: None):
    """Let it fire until so much was posted; the first of it."""
    task = asyncio.ensure_future(run_trigger(bed.runner(factory), trigger, seconds, {}))
    await bed.clock.pass_time(0.5)
    then()
    while not task.done() and len(bed.workspace.posted) < until:
        await bed.clock.pass_time(bed.clock.until_next())
    task.cancel()
    await asyncio.wait({task})
    return bed.workspace.posted[0] if bed.workspace.posted else None


def test_an_exported_schedule_that_misses_nothing_catches_up_by_windows(bed, tmp_path):
    source = exports.embedded(TIMES["every 15 minutes"], changes={"missed": Missed.ALL})
    factory = read(source, tmp_path)
    (trigger,) = factory.triggers.values()
    assert trigger.type == "TumblingWindowTrigger"
    check_trigger(factory, trigger, bed.web)
    assert asyncio.run(fire(bed, factory, trigger, 60, until=1))["pipeline_id"] == exports.PIPELINE


@pytest.mark.parametrize(
    ("options", "file", "path"),
    [
        ({}, "a.csv", "a.csv"),
        ({"path_on_datastore": "in coming"}, "in coming/dáy 1.csv", "in coming/dáy 1.csv"),
        ({"path_on_datastore": "in"}, "in/deep/a.csv", None),
        ({"path_on_datastore": "in", "recursive": True}, "in/deep/a.csv", "in/deep/a.csv"),
        ({"path_on_datastore": "in", "pattern": "*.csv"}, "in/a.txt", None),
        ({"path_on_datastore": "in", "pattern": "*sales*"}, "in/a sales.csv", "in/a sales.csv"),
        ({"path_on_datastore": "in", "pattern": "*sales*"}, "in/b.csv", None),
        ({"path_on_datastore": "in", "per": "batch"}, "in/a.csv", "in"),
    ],
)
def test_an_exported_change_schedule_gives_the_file_to_the_pipeline(bed, tmp_path, options, file, path):
    trigger = exports.change(datastore=exports.FOLDER.name, **options)
    factory = read(exports.embedded(trigger), tmp_path)
    bed.workspace.stores = [exports.FOLDER]
    assert factory.datastore == exports.FOLDER.name
    (trigger,) = factory.triggers.values()
    check_trigger(factory, trigger, bed.web)
    posted = asyncio.run(fire(bed, factory, trigger, 5, until=1, then=lambda: bed.workspace.put(file)))
    assert (posted and posted["dataPathAssignments"]) == (
        path and {"input_datapath": {"DataStoreName": exports.FOLDER.name, "RelativePath": path}}
    )


def test_an_export_for_a_batch_endpoint_is_refused_by_name(bed, tmp_path):
    source = exports.on_azure(batch_endpoint="https://e.westeurope.inference.ml.azure.com/jobs")
    factory = read(source, tmp_path)
    with pytest.raises(InvalidInput, match=r"\(WebActivity\) does not run here: its address is not one of"):
        check_trigger(factory, next(iter(factory.triggers.values())), bed.web)
