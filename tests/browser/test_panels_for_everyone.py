"""Panels in JupyterLab for whoever has no mouse, no eyes for colours, a narrow window or things with strange names."""

from __future__ import annotations

import pytest
from nbformat import v4, write
from playwright.sync_api import expect

from tests.browser.conftest import PYTHON
from tests.browser.table_page import TablePage

NAMES = ("<img src=x onerror=alert(1)>", "تقرير يومي", "n" * 255, "🚀 by night 🌙")
SET_UP = f"""\
%load_ext aml_magics
from aml_magics import connect
ws = connect()
for name in {NAMES!r}:
    ws.pipelines.publish(source="print('scored')", name=name)
    ws.schedules.create(name, pipeline=name, every="day", start_time="2090-01-01T00:00:00", experiment_name="E")
ws.pipelines.publish(source="print('scored')", name="score")
for name in ("nightly", "weekly"):
    ws.schedules.create(name, pipeline="score", every="day", start_time="2090-01-01T00:00:00", experiment_name="E")
for name in ("score", {NAMES[0]!r}):
    ws.runs.wait(ws.pipelines.submit(name, experiment_name="E").id, timeout=60)
"""
LABELS = ("Schedules", "Pipelines", "Runs", "Datastores", "Overview")
# What is laid out wrongly: rows that are no row high, cells that lie over others, things that stick out of their table.
CROOKED = """tables => tables.flatMap(table => {
    const found = [], edge = table.getBoundingClientRect(), name = table.ariaLabel
    const within = box => box.left >= edge.left - 1 && box.right <= edge.right + 1
    for (const row of table.querySelectorAll('.grid .row')) {
        if (row.offsetHeight !== 28) found.push(`${name}: a row is ${row.offsetHeight} high`)
        const boxes = [...row.children].filter(box => getComputedStyle(box).position !== 'sticky')
        const [first, ...others] = boxes.map(box => box.getBoundingClientRect())
        others.reduce((before, box) => {
            if (box.left < before.right - 1) found.push(`${name}: cells overlap`)
            return box
        }, first)
    }
    for (const one of table.querySelectorAll('.acts button, .bar > *, section button, footer'))
        if (!within(one.getBoundingClientRect())) found.push(`${name}: out of sight: ${one.outerHTML.slice(0, 99)}`)
    for (const box of table.querySelectorAll('.acts'))
        if (box.scrollWidth > box.clientWidth + 1) found.push(`${name}: buttons wider than their place`)
    for (const term of table.querySelectorAll('dt, .bar [role=status]'))
        if (term.offsetHeight > 40) found.push(`${name}: “${term.innerText}” is squeezed`)
    return found
})"""

# What of a timeline cannot be read: text that is small, that lies over other text, that is cut but for an ellipsis.
UNREADABLE = """timeline => {
    const found = [], edge = timeline.getBoundingClientRect()
    const texts = [...timeline.querySelectorAll('text, .label, p, button, footer, strong')].map(one => {
        const box = one.getBoundingClientRect()
        return { words: one.textContent, box, size: parseFloat(getComputedStyle(one).fontSize) }
    }).filter(({ box }) => box.width && box.height)
    texts.forEach(({ words, box, size }, index) => {
        if (size < 11) found.push(`${words} is ${size} pixels high`)
        if (box.left < edge.left || box.right > edge.right || box.bottom > edge.bottom) found.push(`${words} is cut`)
        for (const other of texts.slice(index + 1)) {
            const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left)
            const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top)
            if (across > 1 && down > 2) found.push(`${words} and ${other.words} overlap`)
        }
    })
    return texts.length > 20 ? found : ['there is too little text']
}"""


@pytest.fixture(scope="module")
def notebook(page, lab_folder):
    """A notebook with every panel, open."""
    folder = lab_folder / "everyone"
    folder.mkdir()
    sources = (SET_UP, *(f"%aml panel {label.lower()}" for label in LABELS))
    write(v4.new_notebook(cells=[v4.new_code_cell(one) for one in sources], metadata=PYTHON), folder / "every.ipynb")
    with page.opened("everyone/every.ipynb"):
        page.run_all()
        assert [cell["text"] for cell in page.outputs() if cell["errors"]] == []
        yield TablePage(page)
        page.python("ws.close()")


@pytest.fixture
def narrow(notebook):
    """The same without the list of files; the window has its old size afterwards."""
    toggle, size = "window.jupyterapp.commands.execute('application:toggle-left-area')", notebook.raw.viewport_size
    notebook.raw.evaluate(f"() => {toggle}")
    yield notebook
    notebook.raw.set_viewport_size(size)
    notebook.raw.evaluate(f"() => {toggle}")


def panel(notebook, label):
    return notebook.raw.locator(".aml-table").filter(has=notebook.raw.get_by_role("grid", name=label)).first


def row(notebook, label, text):
    return panel(notebook, label).locator(".body [role=row]").filter(has_text=text)


def go_to_cell(notebook, number):
    """As somebody who reads on with the arrow keys: the cell is current, in command mode."""
    script = "at => { const { content } = window.jupyterapp.shell.currentWidget; content.mode = 'command';"
    notebook.raw.evaluate(f"{script} content.activeCellIndex = at; content.activate() }}", number)


def tab_into(notebook, selector, backwards=False):
    for _press in range(30):
        notebook.press("Shift+Tab" if backwards else "Tab")
        if notebook.raw.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    message = f"30 times Tab, and {selector} does not have the focus: {notebook.focused()}"
    raise AssertionError(message)


def outlined(notebook):
    return notebook.raw.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_schedule_is_disabled_with_the_keyboard_alone(notebook):
    before = notebook.cells()
    go_to_cell(notebook, 1)
    tab_into(notebook, "[role=grid][aria-label=Schedules] *")
    assert outlined(notebook)
    notebook.press("Home")
    for _step in range(6):
        if "weekly" in notebook.focused():
            break
        notebook.press("ArrowDown")
    expect(row(notebook, "Schedules", "weekly")).to_be_focused()
    assert outlined(notebook)
    notebook.press("b", "d", "d", "ArrowRight", "ArrowRight")
    assert notebook.focused() == "Disable weekly"
    assert outlined(notebook)
    notebook.press("b", "d", "d", "Enter")
    expect(row(notebook, "Schedules", "weekly")).to_contain_text("Disabled")
    notebook.until("ws.schedules.get('weekly').status", "Disabled")
    assert notebook.focused() == "Enable weekly"
    assert notebook.cells() == before


def test_the_focus_stays_where_it_was_after_a_live_update(notebook):
    row(notebook, "Schedules", "nightly").focus()
    notebook.press("ArrowRight", "ArrowRight")
    assert notebook.focused() == "Disable nightly"
    notebook.page.python(
        "ws.schedules.create('an early one', pipeline='score', every='month', start_time='2090-01-01')"
    )
    expect(row(notebook, "Schedules", "an early one")).to_be_visible()
    assert notebook.focused() == "Disable nightly"
    assert outlined(notebook)
    notebook.page.python("ws.schedules.disable('nightly')")
    expect(row(notebook, "Schedules", "nightly")).to_contain_text("Disabled")
    assert notebook.focused() == "Enable nightly"


def test_a_run_is_opened_and_closed_with_the_keyboard_alone(notebook):
    before = notebook.cells()
    go_to_cell(notebook, 3)
    tab_into(notebook, "[role=grid][aria-label=Runs] *")
    notebook.press("Home")
    if "Status" in notebook.focused():
        notebook.press("ArrowDown")
    notebook.press("Enter")
    runs = panel(notebook, "Runs")
    expect(runs.get_by_role("log")).to_contain_text("scored")
    tab_into(notebook, ".aml-table [role=log]")
    assert outlined(notebook)
    notebook.press("b", "d", "d")
    tab_into(notebook, "section .quiet", backwards=True)
    notebook.press("Escape")
    expect(runs.locator("section")).to_have_count(0)
    assert notebook.raw.evaluate("document.activeElement.matches('[aria-label=Runs] .row')")
    assert notebook.cells() == before


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_serious_in_any_panel(notebook, theme):
    notebook.page.theme(f"JupyterLab {theme}")
    try:
        white = "getComputedStyle(document.querySelector('.aml-table')).backgroundColor === 'rgb(255, 255, 255)'"
        notebook.raw.wait_for_function(white if theme == "Light" else f"!({white})")
        assert notebook.findings() == []
        assert notebook.findings(".aml-timeline") == []
        for label in LABELS:
            panel(notebook, label).scroll_into_view_if_needed()
            notebook.picture(f"panel-{label.lower()}-{theme.lower()}")
    finally:
        notebook.page.theme("JupyterLab Light")


@pytest.mark.parametrize("width", [1000, 500])
def test_nothing_overlaps_and_every_button_is_in_reach_in_a_narrow_window(narrow, width):
    narrow.raw.set_viewport_size({"width": width, "height": 1000})
    row(narrow, "Pipelines", NAMES[0]).get_by_role("button", name="Details").click()
    expect(panel(narrow, "Pipelines").locator("section")).to_contain_text("PipelineSubmit")
    narrow.raw.wait_for_function("width => document.querySelector('.aml-table').offsetWidth < width", arg=width)
    assert narrow.raw.locator(".aml-table").evaluate_all(CROOKED) == []
    for label in LABELS:
        panel(narrow, label).scroll_into_view_if_needed()
        narrow.picture(f"panel-{label.lower()}-{width}")
    panel(narrow, "Pipelines").get_by_role("button", name="Close the details").click()


@pytest.mark.parametrize("width", [1000, 500])
def test_all_text_of_the_timeline_can_be_read_in_a_narrow_window(narrow, width):
    narrow.raw.set_viewport_size({"width": width, "height": 1000})
    narrow.raw.wait_for_function("width => document.querySelector('.aml-timeline').offsetWidth < width", arg=width)
    shown = narrow.raw.locator(".aml-timeline")
    for length in ("7 days", "24 hours"):
        shown.get_by_role("button", name=length).click()
        expect(shown.get_by_role("button", name=length)).to_have_attribute("aria-pressed", "true")
        assert shown.evaluate(UNREADABLE) == []
        narrow.picture(f"timeline-{length.partition(' ')[0]}-{width}")


def test_the_timeline_is_switched_with_the_keyboard_and_shows_a_new_schedule(notebook):
    before = notebook.cells()
    shown = notebook.raw.locator(".aml-timeline")
    shown.get_by_role("button", name="24 hours").focus()
    notebook.press("Tab", "b", "d", "d", "Enter")
    expect(shown.get_by_role("button", name="7 days")).to_have_attribute("aria-pressed", "true")
    notebook.page.python("ws.schedules.create('hourly', pipeline='score', cron='0 * * * *', experiment_name='E')")
    expect(shown.get_by_role("img", name="hourly")).to_be_visible()
    expect(shown.get_by_role("button", name="7 days")).to_be_focused()
    assert notebook.cells() == before


def test_strange_names_are_text_in_every_panel(notebook):
    for label in ("Schedules", "Pipelines"):
        for name in NAMES:
            expect(row(notebook, label, name)).to_be_visible()
    assert notebook.raw.locator(".aml-table img, .aml-timeline img").count() == 0
    assert "alert" not in notebook.page.dialogs
