"""Panels in JupyterLab: what happens in the workspace is seen while cells run, and a click does what it says."""

from __future__ import annotations

import pytest
from nbformat import v4, write
from playwright.sync_api import expect

from tests.browser.conftest import PYTHON

SET_UP = """\
%load_ext aml_magics
import threading, time
from aml_magics import connect
ws = connect()
ws.pipelines.publish(source="print('scored')", name="score")
ws.pipelines.publish(source='''
import pathlib, time
print("begun", flush=True)
while not pathlib.Path({go!r}).exists():
    time.sleep(0.05)
print("done")
''', name="train")
for name in ("nightly", "weekly"):
    ws.schedules.create(name, pipeline="score", every="day", start_time="2090-01-01T00:00:00")
run = ws.pipelines.submit("train")
"""
CELLS = ("%aml panel schedules", "%aml panel pipelines", "%aml panel runs")

COUNT = """\
import dataclasses
async def counted(client, action, key):
    told.append(action)
    await act(client, action, key)
panel.kind = dataclasses.replace(panel.kind, change=counted)
"""
# When the row says that it is under way and when it says that it is done, in milliseconds after the click.
CLICK_TWICE = """button => new Promise(done => {
    const row = button.closest('[role=row]'), clicked = performance.now()
    let pending = 0
    const look = () => {
        if (!pending && row.querySelector('[aria-disabled=true]')) pending = performance.now() - clicked
        if (row.innerText.includes('Disabled')) done([pending, performance.now() - clicked])
    }
    const changes = { subtree: true, childList: true, characterData: true, attributes: true }
    new MutationObserver(look).observe(row.parentElement, changes)
    button.click()
    button.click()
})"""


@pytest.fixture(scope="module")
def notebook(page, lab_folder):
    """A notebook with three panels, open; ``go`` is the file for which the run waits."""
    folder = lab_folder / "panels"
    folder.mkdir()
    sources = (SET_UP.format(go=str(folder / "go")), *CELLS)
    write(v4.new_notebook(cells=[v4.new_code_cell(one) for one in sources], metadata=PYTHON), folder / "panels.ipynb")
    with page.opened("panels/panels.ipynb"):
        page.run_all()
        yield page
        page.python("ws.close()")


def panel(page, label):
    return page.raw.locator(".aml-table").filter(has=page.raw.get_by_role("grid", name=label))


def row(page, label, text):
    return panel(page, label).locator(".body [role=row]").filter(has_text=text)


def test_every_panel_is_drawn_and_asks_nobody_outside(notebook):
    expect(row(notebook, "Schedules", "nightly")).to_contain_text("2090-01-01")
    expect(row(notebook, "Pipelines", "score")).to_contain_text("nightly")
    expect(row(notebook, "Runs", "train")).to_contain_text("Running")
    assert notebook.outside_requests() == []


def test_a_new_schedule_appears_while_a_cell_sleeps(notebook):
    make = "ws.schedules.create('monthly', pipeline='score', every='month', start_time='2090-01-01T00:00:00')"
    notebook.python(f"threading.Timer(0.5, lambda: {make}).start()")
    notebook.begin("time.sleep(20)")
    expect(row(notebook, "Schedules", "monthly")).to_be_visible(timeout=10_000)
    notebook.raw.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")


def test_a_click_disables_a_schedule(notebook):
    row(notebook, "Schedules", "weekly").get_by_role("button", name="Disable weekly").click()
    expect(row(notebook, "Schedules", "weekly")).to_contain_text("Disabled")
    expect(row(notebook, "Schedules", "weekly").get_by_role("button", name="Enable weekly")).to_be_visible()
    assert "Disabled" in notebook.python("print(ws.schedules.get('weekly').status)")


def test_a_click_while_a_cell_blocks_is_pending_at_once_and_done_once(notebook):
    make = "ws.schedules.create('yearly', pipeline='score', cron='0 0 1 1 *')"
    notebook.python(f"made, told = {make}, []; panel = ws.panel('schedules'); act = panel.kind.change")
    notebook.python(COUNT)
    button = row(notebook, "Schedules", "yearly").get_by_role("button", name="Disable yearly")
    expect(button).to_be_visible()
    notebook.begin("time.sleep(20)")
    notebook.raw.wait_for_timeout(300)
    pending, done = button.evaluate(CLICK_TWICE)
    notebook.raw.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    assert 0 < pending < 100  # milliseconds
    assert done < 1000
    assert notebook.python("print(told)").strip() == "['disable']"


def test_a_refusal_names_the_schedules_in_the_panels_own_strip(notebook):
    row(notebook, "Pipelines", "score").get_by_role("button", name="Disable score").click()
    expect(panel(notebook, "Pipelines")).to_contain_text("is used by active schedules: monthly, nightly")


def test_an_opened_run_shows_its_log_while_it_grows(notebook, lab_folder):
    row(notebook, "Runs", "train").locator("button").first.click()
    expect(panel(notebook, "Runs")).to_contain_text("begun")
    (lab_folder / "panels" / "go").touch()
    expect(panel(notebook, "Runs")).to_contain_text("done")
    expect(row(notebook, "Runs", "train")).to_contain_text("Finished")


def test_a_closed_workspace_is_said_in_all_of_its_panels(notebook):
    notebook.python("ws.close()")
    for label in ("Schedules", "Pipelines", "Runs"):
        expect(panel(notebook, label)).to_contain_text("the workspace was closed; this is as of")
