"""Panels, the timeline and the form outside JupyterLab: they are drawn, live, and do what a click says."""

from __future__ import annotations

import pytest
from nbformat import v4, write
from playwright.sync_api import expect

from tests.browser.conftest import PYTHON
from tests.browser.table_page import TablePage

SET_UP = """\
%load_ext aml_magics
from aml_magics import connect
ws = connect()
ws.pipelines.publish(source="print('scored')", name="score")
for name in ("nightly", "weekly"):
    ws.schedules.create(name, pipeline="score", every="day", start_time="2090-01-01T00:00:00")
"""
MORE = "create('monthly', pipeline='score', every='month', start_time='2090-01-01T00:00:00')"
LATER = f"import threading; threading.Timer(2, lambda: ws.schedules.{MORE}).start()"


@pytest.fixture
def save(lab_folder):
    """Make a notebook with a panel, in a folder of its own; its path."""

    def saved(folder, *more):
        (lab_folder / folder).mkdir()
        cells = [v4.new_code_cell(one) for one in (SET_UP, "%aml panel", "%aml schedule new", *more)]
        write(v4.new_notebook(cells=cells, metadata=PYTHON), lab_folder / folder / "panel.ipynb")
        return f"{folder}/panel.ipynb"

    return saved


def row(page, text):
    schedules = page.raw.locator(".aml-table").filter(has=page.raw.get_by_role("grid", name="Schedules"))
    return schedules.locator(".body [role=row]").filter(has_text=text)


def expect_what_is_live_and_no_snapshot(page):
    expect(row(page, "nightly")).to_contain_text("2090-01-01")
    expect(page.raw.get_by_role("region", name="Timeline").locator("svg.aml-tl").first).to_contain_text("weekly")
    expect(page.raw.locator(".aml-form").get_by_label("Name", exact=True)).to_be_visible()
    snapshots = page.raw.locator(".aml-static, .aml-timeline-static, .aml-form-static")
    expect(snapshots.locator("visible=true")).to_have_count(0)


def disable(page, name):
    row(page, name).get_by_role("button", name=f"Disable {name}").click()
    expect(row(page, name)).to_contain_text("Disabled")
    expect(row(page, name).get_by_role("button", name=f"Enable {name}")).to_be_visible()


def test_a_panel_in_notebook_7_is_drawn_and_live_and_a_click_disables(page, save):
    before = len(page.outside_requests())
    with page.opened(save("seven"), below="notebooks"):
        page.run_all()
        expect_what_is_live_and_no_snapshot(page)
        page.python(f"ws.schedules.{MORE}")
        expect(row(page, "monthly")).to_be_visible()
        disable(page, "weekly")
        assert "Disabled" in page.python("print(ws.schedules.get('weekly').status)")
        assert len(page.outside_requests()) == before
        page.raw.locator(".aml-table").first.scroll_into_view_if_needed()
        TablePage(page).picture("panel-notebook-7")
        page.python("ws.close()")


def test_a_panel_in_voila_is_drawn_and_live_and_a_click_disables(page, save):
    asked = len(page.requests)
    page.raw.goto(f"{page.address}/voila/render/{save('voila', LATER)}")
    expect(row(page, "nightly")).to_be_visible(timeout=20_000)
    expect_what_is_live_and_no_snapshot(page)
    expect(row(page, "monthly")).to_be_visible()
    disable(page, "weekly")
    TablePage(page).picture("panel-voila")
    page.raw.goto("about:blank")  # Voila ends its kernel with its page
    del page.requests[asked:]  # its template asks for fonts outside
