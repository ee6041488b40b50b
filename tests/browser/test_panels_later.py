"""A notebook with panels as it is found later: opened again by its author or by somebody else, saved with the state of
its widgets or without, exported. No kernel makes anything of it, and there is no way out to the network.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
from nbconvert import HTMLExporter
from nbformat import v4, write
from playwright.sync_api import expect

from tests.browser.conftest import PYTHON
from tests.support import notebooks

NAME = "<img src=x onerror=alert(1)>"
SET_UP = f"""\
%load_ext aml_magics
from aml_magics import connect
ws = connect()
for name in ("nightly", {NAME!r}):
    ws.pipelines.publish(source="print('scored')", name=name)
    ws.schedules.create(name, pipeline=name, cron="0 2 * * *", experiment_name="E")
done = ws.runs.wait(ws.pipelines.submit("nightly", experiment_name="E").id, timeout=60).status
"""
CELLS = (SET_UP, "%aml panel", "%aml panel pipelines", "%aml panel datastores", "%aml schedule new")
LABELS = ("Overview", "Schedules", "Runs", "Pipelines", "Datastores")
# As the server's contents are written to by JupyterLab itself: cells that are trusted make it sign the notebook.
SAVE = """async ([path, text]) => await window.jupyterapp.serviceManager.contents.save(
    path, { type: 'notebook', format: 'json', content: JSON.parse(text) })"""
# On the kernel that is there, which has seen none of its cells: a new one for each would only take its time. But who
# restores widgets from their saved state does so for a kernel of his own.
OPEN = """async ([path, isShared]) => {
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session
    const where = isShared ? { path, kernel: kernel.model } : { path }
    const panel = await window.jupyterapp.commands.execute('docmanager:open', where)
    await panel.context.ready
    await panel.revealed
}"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook after its run from top to bottom, with the state of its widgets."""
    folder = tmp_path_factory.mktemp("later")
    (folder / "run").mkdir()
    write(v4.new_notebook(cells=[v4.new_code_cell(one) for one in CELLS], metadata=PYTHON), folder / "panels.ipynb")
    with ThreadPoolExecutor(1) as pool:  # Playwright has a loop that runs in this thread
        found = pool.submit(notebooks.execute, folder / "panels.ipynb", folder / "run").result()
    assert notebooks.errors(found) == []
    return found


def version(executed, *, has_state):
    found = deepcopy(executed)
    if not has_state:
        del found.metadata["widgets"]
    return found


@pytest.fixture(scope="module")
def lab(page, lab_folder):
    """JupyterLab with an empty notebook; kernels that it starts for others end with this module."""
    write(v4.new_notebook(metadata=PYTHON), lab_folder / "empty.ipynb")
    with page.opened("empty.ipynb"):
        yield page


@pytest.fixture
def found(lab, lab_folder, executed):
    """Open the notebook as it was saved; what of it is visible. A kernel of its own ends with the test."""
    own = []

    def open_(*, has_state, is_trusted):
        name = f"found-{has_state}-{is_trusted}.ipynb".lower()
        notebook = version(executed, has_state=has_state)
        if is_trusted:
            for cell in notebook.cells:
                cell.metadata["trusted"] = True
            lab.raw.evaluate(SAVE, [name, json.dumps(notebook)])
        else:
            notebook.cells.append(v4.new_markdown_cell("Trust is in the text of a notebook: this one is another."))
            write(notebook, lab_folder / name)
        is_shared = not (has_state and is_trusted)
        lab.raw.evaluate(OPEN, [name, is_shared])
        own[:] = [] if is_shared else [name]
        return lab.raw.locator(".jp-NotebookPanel:visible")

    yield open_
    if own:
        lab.raw.evaluate("async () => await window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def expect_snapshots(shown):
    """Every panel as a table with a caption, the timeline as an image; names are text."""
    for label in LABELS:
        expect(shown.locator("caption", has_text=re.compile(f"^{label} ")).first).to_be_visible()
    picture = shown.locator(".aml-timeline-static img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.naturalWidth") > 0
    expect(shown.locator("details > summary", has_text="7 days")).to_be_visible()
    expect(shown.get_by_text("At once: ").first).to_be_visible()
    expect(shown.get_by_role("cell", name=NAME).first).to_be_visible()
    expect(shown.locator(".aml-table")).to_have_count(0)
    assert shown.locator("img[src=x]").count() == 0


def expect_no_trouble(page, shown):
    expect(shown.get_by_text("Error displaying widget").locator("visible=true")).to_have_count(0)
    expect(shown.get_by_text("model not found").locator("visible=true")).to_have_count(0)
    assert "alert" not in page.dialogs


# First, for the rules of style in a notebook that is trusted are the page's, whatever else is open in it.
@pytest.mark.parametrize("has_state", [False, True])
def test_somebody_else_sees_snapshots_and_what_to_do(lab, found, has_state):
    shown = found(has_state=has_state, is_trusted=False)
    expect_snapshots(shown)
    expect(shown.get_by_text("Run this cell for the live table.").first).to_be_visible()
    expect(shown.get_by_text("Run this cell for the live timeline.")).to_be_visible()
    assert shown.locator("svg.aml-tl").count() == 0
    expect_no_trouble(lab, shown)


def test_its_author_sees_snapshots_where_no_state_was_saved(lab, found):
    shown = found(has_state=False, is_trusted=True)
    expect_snapshots(shown)
    expect(shown.get_by_text("A form that makes a schedule. Run this cell to open it.")).to_be_visible()
    expect_no_trouble(lab, shown)


def test_its_author_sees_live_tables_and_a_timeline_that_switches_where_the_state_was_saved(lab, found):
    shown = found(has_state=True, is_trusted=True)
    for label in LABELS:
        expect(shown.get_by_role("grid", name=label)).to_be_visible()
    expect(shown.get_by_role("grid", name="Schedules")).to_contain_text(NAME)
    timeline = shown.get_by_role("region", name="Timeline")
    timeline.get_by_role("button", name="7 days").click()
    expect(timeline.locator("svg.aml-tl").nth(1)).to_be_visible()
    expect(timeline.locator("svg.aml-tl").nth(0)).to_be_hidden()
    expect(shown.locator(".aml-static, .aml-timeline-static").locator("visible=true")).to_have_count(0)
    expect_no_trouble(lab, shown)


@pytest.mark.parametrize("has_state", [False, True])
def test_an_exported_page_shows_snapshots_without_a_network(lab, executed, tmp_path, has_state):
    exported, _resources = HTMLExporter().from_notebook_node(version(executed, has_state=has_state))
    (tmp_path / "page.html").write_text(exported)
    page = lab.raw.context.browser.new_page()
    try:
        page.goto((tmp_path / "page.html").as_uri())
        expect_snapshots(page.locator("body"))
        expect_no_trouble(lab, page.locator("body"))
    finally:
        page.close()
