"""Panels outside JupyterLab: they are drawn, live, and do what a click says."""

from __future__ import annotations

from nbformat import v4, write
from playwright.sync_api import expect

from tests.browser.conftest import PYTHON
from tests.support.lab import Lab

SET_UP = """\
%load_ext aml_magics
from aml_magics import connect
ws = connect()
ws.pipelines.publish(source="print('scored')", name="score")
for name in ("nightly", "weekly"):
    ws.schedules.create(name, pipeline="score", every="day", start_time="2090-01-01T00:00:00")
"""


def save(folder, *more):
    sources = (SET_UP, "%aml panel schedules", *more)
    write(v4.new_notebook(cells=[v4.new_code_cell(one) for one in sources], metadata=PYTHON), folder / "panel.ipynb")


def row(page, text):
    return page.locator(".aml-table .body [role=row]").filter(has_text=text)


def test_a_panel_in_notebook_7_is_drawn_and_live_and_a_click_disables(tmp_path):
    save(tmp_path)
    with Lab(tmp_path, "notebook") as lab, lab.browser() as page, page.opened("panel.ipynb"):
        page.run_all()
        expect(row(page.raw, "nightly")).to_contain_text("2090-01-01")
        expect(page.raw.locator(".aml-static")).to_be_hidden()
        page.python("ws.schedules.create('monthly', pipeline='score', every='month', start_time='2090-01-01')")
        expect(row(page.raw, "monthly")).to_be_visible()
        row(page.raw, "weekly").get_by_role("button", name="Disable weekly").click()
        expect(row(page.raw, "weekly")).to_contain_text("Disabled")
        assert "Disabled" in page.python("print(ws.schedules.get('weekly').status)")
        assert page.outside_requests() == []
        page.python("ws.close()")
