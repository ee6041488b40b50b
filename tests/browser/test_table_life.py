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


COST = (
    '{"comms": len(get_ipython().kernel.comm_manager.comms),'
    ' "bytes": gc.collect() * 0 + tracemalloc.get_traced_memory()[0]}'
)
UPDATE = """\
data = bed.frame(50).copy()
for n in range({begin}, {end}):
    data.loc[0, "host"] = f"host-{{n}}"
    t.update(data, footer=f"change {{n}}")
"""


def cost(table):
    """Comms, bytes in the kernel and nodes in the page, garbage aside."""
    session = table.raw.context.new_cdp_session(table.raw)
    session.send("HeapProfiler.collectGarbage")
    found = session.send("Memory.getDOMCounters")["nodes"]
    session.detach()
    return {**table.python(COST), "nodes": found}


def test_200_updates_leave_no_comm_no_memory_and_no_node_behind(table):
    table.page.python("import gc, tracemalloc; tracemalloc.start()")
    costs = []
    for begin, end in ((0, 20), (20, 220)):
        table.page.python(UPDATE.format(begin=begin, end=end))
        expect(table.row("schedule-00000")).to_contain_text(f"host-{end - 1}")
        expect(table.root.locator("footer")).to_have_text(f"change {end - 1}")
        costs.append(cost(table))
    table.page.python("tracemalloc.stop()")
    before, after = costs
    assert after["comms"] == before["comms"]
    assert after["bytes"] - before["bytes"] < 500_000
    assert after["nodes"] - before["nodes"] < 100


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
