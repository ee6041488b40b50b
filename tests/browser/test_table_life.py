"""The life of a live table in JupyterLab: the page is loaded again, the kernel goes, the notebook is opened anew."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.table_page import TablePage


@pytest.fixture
def table(page):
    """A table of 50 schedules in a kernel that this test may end."""
    with page.opened("table.ipynb"):
        table = TablePage(page)
        table.show()
        yield table


def test_a_page_that_is_loaded_again_shows_the_present_and_goes_on(table):
    table.page.python("bed.change(t, 'id-0', host='elsewhere'); t.filter = '0000'")
    expect(table.status).to_have_text("10 of 50 schedules")
    table.page.save()
    table.page.reload()
    expect(table.row("schedule-00000")).to_contain_text("elsewhere")
    expect(table.status).to_have_text("10 of 50 schedules")
    table.page.python("bed.change(t, 'id-0', host='anywhere')")
    expect(table.row("schedule-00000")).to_contain_text("anywhere")


def test_a_table_whose_kernel_is_gone_says_so(table):
    table.page.restart_kernel()
    expect(table.status).to_contain_text("no kernel")


def test_a_notebook_that_is_opened_anew_shows_the_snapshot_and_no_error(table):
    snapshot = table.raw.locator(".aml-static")
    table.page.save()
    table.page.shut_kernels_down()
    table.page.reload()
    expect(snapshot).to_be_visible()
    expect(snapshot).to_contain_text("25 of 50 schedules, as of 20")
    expect(table.raw.get_by_text("model not found")).to_be_hidden()
    table.picture("table-snapshot")
