"""The form against a real embedded workspace, driven as a browser drives it: by the values of its inputs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import ipywidgets
import pytest

from aml_magics.model.errors import NotConnected
from aml_magics.notebook.form.form import ScheduleForm, Workings
from aml_magics.notebook.form.judge import judge
from aml_magics.notebook.form.widgets import Choices
from aml_magics.session import session_of
from tests.notebook.helpers import HTML_NAME

NOW = datetime(2026, 11, 27, 15, 40, tzinfo=UTC)


@pytest.fixture
def form(aml, train):
    made = aml("schedule new")
    yield made
    made.close()


def until(is_right, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not is_right() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_right()


def fill(form, **values):
    for key, value in values.items():
        form.inputs.set(key, value)


def preview(form):
    return form.inputs._preview.value


def strip(form):
    return form.inputs._strip.value


def test_it_previews_the_next_five_fires_and_says_what_is_missing(form):
    assert "Still needed: name, pipeline and a trigger." in preview(form)
    assert form.inputs._button.disabled
    fill(form, name="X", pipeline="train", frequency="Day", time_of_day="06:30", time_zone="Europe/Lisbon")
    until(lambda: "06:30 every day, Europe/Lisbon" in preview(form))
    assert preview(form).count("<tr>") == 6
    assert not form.inputs._button.disabled


def test_it_shows_the_warnings_and_the_one_thing_that_is_wrong(form):
    fill(form, name="X", pipeline="train", trigger="cron", cron="*/7 * * * *")
    until(lambda: "is uneven" in preview(form))
    fill(form, cron="61 * * * *")
    until(lambda: "61" in preview(form) and "✗" in preview(form))
    assert form.inputs._button.disabled
    assert preview(form).count("<p") == 1


def test_what_it_makes_is_what_its_cell_says(aml, form):
    fill(form, name='my {odd} "name"', pipeline="train", frequency="Week", interval="2", week_days=("Monday", "Friday"))
    fill(form, time_of_day="06:30", description="a: b #c", learning_rate="0.5", missed="once")
    cell = form.cell
    form.inputs.press()
    until(lambda: "Made the schedule" in strip(form))
    again = aml(*cell.removeprefix("%%aml ").split("\n", 1))
    assert again.value.id == form.made.id
    assert "Unchanged" in repr(again)
    assert form.made.pipeline_parameters == {"learning_rate": 0.5}
    assert form.made.name in aml.offers("schedule show ")[0].replace("{{", "{").replace("}}", "}").replace("\\", "")


def test_a_change_of_data_asks_for_the_pipelines_own_data_paths(form):
    fill(form, name="X", pipeline="train", trigger="change", datastore="workspaceblobstore", path_on_datastore="in")
    fill(form, data_path_parameter_name="input_data")
    until(lambda: "files added or modified in workspaceblobstore/in" in preview(form))
    assert "nobody knows when" in preview(form)
    form.inputs.press()
    until(lambda: form.made is not None)
    assert form.made.trigger.data_path_parameter_name == "input_data"


def test_inputs_that_do_not_count_are_not_shown(form):
    def shown():
        return {key for key, one in form.inputs._inputs.items() if one.layout.display != "none"}

    common = {"name", "pipeline", "experiment_name"}
    assert shown() == common | {"frequency", "interval", "start_time", "time_zone"}
    fill(form, frequency="Week")
    assert shown() >= {"week_days", "time_of_day"}
    fill(form, trigger="change")
    assert {"datastore", "path_on_datastore", "pattern"} <= shown()
    assert not shown() & {"frequency", "cron", "settle"}
    form.inputs._more.value = True
    assert {"settle", "on", "description"} <= shown()


def test_a_refusal_is_one_line_in_the_strip_and_nothing_is_made(aml, form):
    aml("schedule create taken --pipeline train --every day --start-time 2090-01-01")
    fill(form, name="taken", pipeline="train", frequency="Hour")
    form.inputs.press()
    until(lambda: "differs" in strip(form))
    assert "\n" not in strip(form)
    assert 'role="alert"' in strip(form)
    assert form.made is None
    assert len(aml("schedule list --all")) == 1
    assert not form.inputs._button.disabled


def test_pressing_twice_makes_one_and_pending_shows_at_once(aml, form, monkeypatch):
    gate = threading.Event()
    spawn = type(form._workspace).spawn
    started = []

    def slowly(workspace, work):
        started.append(work)

        async def later(client):
            await asyncio.to_thread(gate.wait, 20)
            return await work(client)

        return spawn(workspace, later)

    fill(form, name="once", pipeline="train", trigger="cron", cron="0 6 * * *")
    until(lambda: not form.inputs._button.disabled)
    monkeypatch.setattr(type(form._workspace), "spawn", slowly)
    form.inputs.press()
    assert "pending" in strip(form)
    assert form.inputs._button.disabled
    form.inputs.press()
    gate.set()
    until(lambda: "Made the schedule once." in strip(form))
    assert len(started) == 1
    assert len(aml("schedule list --all")) == 1


def test_a_closed_workspace_still_teaches_and_says_why_nothing_is_made(aml, form):
    session_of(aml.shell)._opened.close()
    fill(form, name="X", pipeline="train", trigger="cron", cron="0 6 * * *")
    assert "cron 0 6 * * *" in preview(form)
    assert "closed" in strip(form)
    form.inputs.press()
    assert "closed" in strip(form)
    assert form.made is None
    with pytest.raises(NotConnected):
        form._workspace.runs.list()


def test_an_error_that_nobody_foresaw_is_told_in_the_strip(form, monkeypatch):
    async def breaks(*_arguments):
        raise ZeroDivisionError(HTML_NAME)

    fill(form, name="X", pipeline="train", trigger="cron", cron="0 6 * * *")
    monkeypatch.setattr("aml_magics.notebook.form.form._carried_out", breaks)
    form.inputs.press()
    until(lambda: "ZeroDivisionError" in strip(form))
    assert HTML_NAME not in strip(form)


def test_the_preview_waits_until_nothing_changes_any_more(aml, train):
    waits: list[asyncio.Future] = []

    async def sleep(_seconds):
        waits.append(asyncio.get_running_loop().create_future())
        await waits[-1]

    workspace = session_of(aml.shell).workspace
    pipelines = workspace.pipelines.list()
    form = ScheduleForm(workspace, Choices(pipelines=pipelines), Workings(now=lambda: NOW, zone=UTC, sleep=sleep))
    form.inputs.set("trigger", "cron")
    for length in range(1, 10):
        form.inputs.set("cron", "0 6 * * *"[:length])
    until(lambda: len(waits) == 10)
    shown = []
    form.inputs.show = lambda verdict, _fires: shown.append(verdict.trigger)
    workspace.ask(lambda _client: wake(waits))
    until(lambda: shown)
    assert shown == ["cron 0 6 * * *"]
    form.close()


async def wake(waits):
    for one in waits:
        one.set_result(None)
    await asyncio.sleep(0)


def test_opening_it_again_closes_the_former_one(aml, train):
    others = len(living())
    first = aml("schedule new")
    before = len(living())
    for _ in range(3):
        last = aml("schedule new")
    assert first.inputs.root.comm is None
    assert last.inputs.root.comm is not None
    assert len(living()) == before
    fill(last, pipeline="train")  # which brings inputs for its parameters
    session_of(aml.shell).close()
    assert last.inputs.root.comm is None
    assert len(living()) == others


def living():
    return ipywidgets.widgets.widget._instances


def test_the_line_says_what_to_begin_with(aml, train):
    form = aml("schedule new Nightly --pipeline train")
    assert form.values == {"name": "Nightly", "pipeline": "train"}
    assert form.cell == "%%aml schedule create Nightly\npipeline: train\n"


def test_it_displays_a_text_for_the_file_and_then_the_form(form, monkeypatch):
    shown = []
    monkeypatch.setattr("aml_magics.notebook.form.widgets.display", lambda bundle, raw: shown.append(bundle))
    form._ipython_display_()
    text, widget = shown
    assert "Run this cell to open it" in text["text/html"]
    assert "%%aml schedule create" in text["text/plain"]
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == form.inputs.root.model_id
    assert len(widget["text/plain"]) < 60
    assert repr(form).startswith("<A form")


def test_a_workspace_that_is_opened_on_the_way_is_told(aml):
    assert "Opened the workspace embedded in this kernel" in strip(aml("schedule new"))


def test_without_anywidget_the_cell_is_a_text_box(aml, train, monkeypatch):
    def is_missing():
        raise ImportError

    monkeypatch.setattr("aml_magics.notebook.form.showing._cell_text", is_missing)
    form = aml("schedule new X --pipeline train")
    assert form.inputs._cell.value == "%%aml schedule create X\npipeline: train\n"
    assert isinstance(form.inputs._cell, ipywidgets.Textarea)


def test_hostile_text_is_text(form):
    fill(form, name=HTML_NAME, pipeline="train", trigger="change", datastore="workspaceblobstore")
    fill(form, path_on_datastore=HTML_NAME.replace("/", ""), pattern=HTML_NAME)
    until(lambda: "&lt;img" in preview(form))
    assert "<img" not in preview(form)
    form.inputs.press()
    until(lambda: form.made is not None)
    assert "<img" not in strip(form)


def test_widgets_are_imported_only_when_the_form_is_asked_for(tmp_path):
    script = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nshell.run_line_magic('load_ext', 'aml_magics')\n"
        "shell.run_line_magic('aml', 'schedule list')\n"
        "shell.run_line_magic('aml', 'schedule new --help')\n"
        "assert 'ipywidgets' not in sys.modules\nshell.run_line_magic('unload_ext', 'aml_magics')\n"
    )
    environment = {"IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path), "PATH": ""}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=environment)


def test_a_verdict_never_raises_whatever_is_written():
    for values in ({"name": 5}, {"interval": []}, {"hours": [99], "frequency": "Day"}, {"on": ["x"], "datastore": ""}):
        assert judge(values, NOW).problem
