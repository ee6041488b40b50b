"""What ``export`` makes of schedules runs here: the trigger is taken, the pipeline gets what the schedule says."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from aml_magics.export.definitions import read_definition
from aml_magics.export.source import Conditions, Window
from aml_magics.model.triggers import Recurrence
from aml_magics.workflows.logic_app.checks import check_workflow
from aml_magics.workflows.logic_app.definition import read_workflow
from aml_magics.workflows.logic_app.records import Watched
from aml_magics.workflows.logic_app.running import Runner
from aml_magics.workflows.logic_app.triggers import Options, run_triggers
from tests.support import exports


@pytest.fixture
def fired(bed, tmp_path):
    """``fired(source, "in/a.csv")`` puts a file after the first look; the bodies that were posted then."""
    bed.stores.known = [exports.FOLDER]
    bed.web.refusal = lambda url: "" if url.startswith(("http://aml-magics.invalid/", "https://west")) else "elsewhere"

    def fire(source, *files, **options):
        read = read_definition(exports.written(exports.logic_app(source), tmp_path / "x-logic-app"), here=True)
        workflow = read_workflow(read)
        check_workflow(workflow, bed.web)
        watched = Watched()

        async def go():
            runner = Runner(workflow, bed.clock, web=bed.web)
            task = asyncio.ensure_future(
                run_triggers(runner, bed.stores, Options(seconds=1200, once=True, **options), watched)
            )
            await bed.clock.pass_time(1)
            for file in files:
                bed.stores.put(file, size=9)
            await bed.until_done(task)

        asyncio.run(go())
        assert [run.message for run in watched.runs] == [""] * len(watched.runs)
        return [body for method, _url, body in bed.web.sent if method == "POST"]

    return fire


@pytest.mark.parametrize(
    ("options", "file", "path"),
    [
        ({}, "a b.csv", "a b.csv"),
        ({"path_on_datastore": "in coming"}, "in coming/dáy 1.csv", "in coming/dáy 1.csv"),
        ({"path_on_datastore": "in"}, "in/deep/a.csv", None),
        ({"path_on_datastore": "in", "pattern": "*.csv"}, "in/a.txt", None),
        ({"path_on_datastore": "in", "pattern": "*sales*"}, "in/a sales.csv", "in/a sales.csv"),
        ({"path_on_datastore": "in", "min_size": 10}, "in/a.csv", None),
        ({"path_on_datastore": "in", "per": "batch"}, "in/a.csv", "in"),
        ({"path_on_datastore": "in", "per": "batch", "pattern": "*.csv"}, "in/a.txt", None),
    ],
)
def test_an_exported_change_schedule_gives_the_file_to_the_pipeline(fired, options, file, path):
    posted = fired(exports.embedded(exports.change(datastore=exports.FOLDER.name, **options)), file)
    paths = [body["DataPathAssignments"]["input_datapath"]["RelativePath"] for body in posted]
    assert paths == ([path] if path is not None else [])


def test_the_body_is_the_articles(fired):
    (body,) = fired(exports.embedded(), "a.csv")
    assert body == {
        "DataPathAssignments": {"input_datapath": {"DataStoreName": exports.FOLDER.name, "RelativePath": "a.csv"}},
        "ExperimentName": "MyRestPipeline",
        "ParameterAssignments": {"input_string": "sample_string3"},
        "RunSource": "SDK",
    }


def test_an_exported_recurrence_fires(fired):
    (body,) = fired(exports.embedded(Recurrence(frequency="Minute", interval=15, start_time=datetime(2026, 1, 1))))
    assert body["ExperimentName"] == "MyRestPipeline"


def test_several_folders_are_watched_and_a_window_of_hours_is_asked(fired):
    trigger = exports.change(datastore=exports.FOLDER.name)
    conditions = Conditions(folders=("in", "late"), window=Window(begin=8 * 60, end=10 * 60, days=(), time_zone="UTC"))
    (body,) = fired(exports.embedded(trigger, conditions=conditions), "late/a.csv")
    assert body["DataPathAssignments"]["input_datapath"]["RelativePath"] == "late/a.csv"
    closed = Conditions(folders=("in",), window=Window(begin=10 * 60, end=12 * 60, days=(), time_zone="UTC"))
    assert fired(exports.embedded(trigger, conditions=closed), "in/b.csv") == [body]
