"""The form and the timeline in JupyterLab: by keyboard only, in light and dark, narrow, and without a kernel."""

from __future__ import annotations

import pytest
from nbformat import v4, write

from tests.browser.table_page import TablePage

PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
MADE = "Made the schedule Nightly."
DARK = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
SET_UP = [
    "import os, tempfile; os.chdir(tempfile.mkdtemp())\n%load_ext aml_magics",
    "%%aml pipeline publish train --parameter learning_rate=0.1 --data-path input_data=workspaceblobstore/in\nprint(1)",
]


@pytest.fixture
def opened(page, lab_folder):
    """A notebook of these cells, run to its end; the window has its usual size again afterwards."""
    contexts = []

    def open_(name, *cells):
        made = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in [*SET_UP, *cells]], metadata=PYTHON)
        write(made, lab_folder / name)
        context = page.opened(name)
        context.__enter__()
        contexts.append(context)
        page.run_all()
        return page.raw

    yield open_
    page.raw.evaluate(DARK, "JupyterLab Light")
    page.raw.set_viewport_size({"width": 1280, "height": 1000})
    for context in contexts:
        context.__exit__(None, None, None)


def cells(raw):
    return raw.locator(".jp-Notebook .jp-Cell").count()


def test_the_form_makes_a_schedule_by_keyboard_only_and_no_shortcut_fires_inside(page, opened, tmp_path):
    raw = opened("form.ipynb", "%aml schedule new")
    form, keys = raw.locator(".aml-form"), raw.keyboard
    form.locator(".aml-cell pre").wait_for()
    before = cells(raw)
    form.get_by_label("Name", exact=True).focus()
    keys.type("Nightly")
    keys.press("Tab")
    keys.type("train")
    form.get_by_label("learning_rate").wait_for()
    for key in ("Tab", "Tab", "Tab", "Tab"):  # experiment, parameter, data path, the kind of trigger
        keys.press(key)
    keys.type("cron")
    form.get_by_label("Cron", exact=True).wait_for()
    keys.press("Tab")
    keys.type("0 6 * * *")
    form.get_by_text("Fires: cron 0 6 * * *").wait_for()
    more = form.get_by_role("button", name="More options")
    more.focus()
    for key in ("b", "d", "d", "x"):
        keys.press(key)
    assert cells(raw) == before
    keys.press("Space")
    form.get_by_label("Description").wait_for()
    cell = form.locator(".aml-cell pre").inner_text()
    assert cell == "%%aml schedule create Nightly\npipeline: train\ncron: 0 6 * * *\n"
    form.get_by_role("button", name="Create schedule").focus()
    keys.press("Enter")
    form.get_by_text(MADE).wait_for()
    page.screenshot(tmp_path / "form-light.png")
    assert TablePage(page).findings(".aml-form") == []
    for unlabelled in form.locator("input, select").all():
        assert unlabelled.evaluate("one => one.labels.length") == 1
    assert page.outside_requests() == []


def test_a_press_while_a_cell_runs_is_pending_at_once_and_makes_one(page, opened):
    raw = opened("busy.ipynb", "%aml schedule new Nightly --pipeline train")
    form = raw.locator(".aml-form")
    form.get_by_label("Trigger").select_option("cron")
    form.get_by_label("Cron", exact=True).fill("0 6 * * *")
    form.get_by_text("Fires: cron 0 6 * * *").wait_for()
    raw.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({ code: 'import time; time.sleep(3)' }); }"
    )
    button = form.locator(".aml-create")
    shown = button.evaluate("one => { one.click(); return [one.textContent, one.disabled]; }")
    assert shown == ["Creating …", True]
    form.get_by_text(MADE).wait_for()
    assert button.inner_text() == "Create schedule"
    assert button.is_enabled()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_form_and_timeline_hold_at_500_pixels_in_both_themes(page, opened, tmp_path, theme):
    raw = opened(
        "narrow.ipynb",
        "%aml schedule create six --pipeline train --cron '0 */6 * * *' ;",
        "%aml schedule create noon --pipeline train --cron '0 12 * * *' ;",
        "%aml schedule timeline",
        "%aml schedule new Nightly --pipeline train",
    )
    raw.evaluate(DARK, theme)
    raw.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
    raw.set_viewport_size({"width": 860, "height": 1400})  # of which the notebook's output has less than 500
    form = raw.locator(".aml-form")
    form.get_by_label("Frequency").select_option("Week")
    form.get_by_text("Fires: every week").wait_for()
    output = raw.locator(".jp-OutputArea-output:has(.aml-form)")
    assert output.evaluate("one => one.clientWidth") <= 500
    assert form.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    picture = raw.locator(".jp-OutputArea-output img")
    box = picture.bounding_box()
    assert box["width"] <= 500
    assert box["height"] == pytest.approx(picture.evaluate("one => one.naturalHeight"), abs=1)  # never scaled
    assert picture.get_attribute("alt").startswith("Timeline of the last and the next 24 hours")
    picture.scroll_into_view_if_needed()
    page.screenshot(tmp_path / f"narrow-{theme.split()[-1].lower()}.png")


def test_reopened_without_a_kernel_a_text_stands_where_the_form_was(page, opened, lab_folder):
    raw = opened("again.ipynb", "%aml schedule new")
    raw.locator(".aml-form").wait_for()
    assert not raw.locator(".aml-form-static").is_visible()
    page.save()
    raw.goto(raw.url.partition("?")[0] + "?reset")
    raw.locator(".aml-form-static").wait_for()
    assert "Run this cell to open it" in raw.locator(".aml-form-static").inner_text()
    assert not raw.get_by_text("Error displaying widget").is_visible()
