"""The live table in JupyterLab: what is seen, what a click and what a key does, what Python sees of it."""

from __future__ import annotations

from playwright.sync_api import expect


def test_the_table_is_drawn_and_its_snapshot_is_hidden(table):
    assert table.shown()[:2] == ["schedule-00000", "schedule-00001"]
    expect(table.status).to_have_text("50 schedules")
    expect(table.row("schedule-00000")).to_contain_text("every 15 minutes")
    expect(table.raw.locator(".aml-static")).to_be_hidden()
    expect(table.root).to_have_count(1)
    table.picture("table-light")
    assert table.page.outside_requests() == []


def test_ten_changes_from_a_thread_are_all_seen_also_while_a_cell_sleeps(table):
    table.watch(".aml-table .grid")
    table.page.python("thread = bed.later(t, [{'host': f'host-{n}'} for n in range(10)], 0.1)")
    table.page.begin("import time; time.sleep(2)")
    expect(table.row("schedule-00000")).to_contain_text("host-9")
    texts = [text for _at, text in table.seen()]
    assert [n for n in range(10) if not any(f"host-{n}" in text for text in texts)] == []


def test_a_heading_sorts_upwards_downwards_and_not_at_all_and_python_sees_it(table):
    table.heading("Name").click()
    table.heading("Name").click()
    expect(table.heading("Name")).to_have_attribute("aria-sort", "descending")
    expect(table.rows.first).to_contain_text("schedule-0")
    table.until("t.sort", ["name", False])
    assert table.python("list(t.frame['name'])[:2]") == ["schedule-00049", "schedule-00048"]
    assert table.shown()[:2] == ["schedule-00049", "schedule-00048"]
    table.heading("Name").click()
    table.until("t.sort", None)


def test_python_sorts_and_filters_and_the_browser_shows_it(table):
    table.page.python("t.sort = ('name', False); t.filter = 'failed kernel'")
    expect(table.status).to_have_text("8 of 50 schedules")
    expect(table.filter).to_have_value("failed kernel")
    expect(table.heading("Name")).to_have_attribute("aria-sort", "descending")
    assert table.shown()[0] == table.python("t.frame['name'].iloc[0]")


def test_what_is_typed_filters_and_python_sees_the_rows_that_are_left(table):
    table.filter.press_sequentially("0001")
    expect(table.status).to_have_text("11 of 50 schedules")
    assert table.python("t.filter") == "0001"
    assert table.python("len(t.frame)") == 11
    table.filter.fill("no such thing")
    expect(table.root).to_contain_text("Nothing matches “no such thing”.")
    assert table.findings() == []


def test_a_selection_is_seen_from_python_and_from_the_browser(table):
    table.row("schedule-00001").click()
    table.row("schedule-00003").click(modifiers=["Shift"])
    expect(table.status).to_have_text("50 schedules, 3 selected")
    assert table.python("list(t.selected['name'])") == ["schedule-00001", "schedule-00002", "schedule-00003"]
    table.page.python("t.select(['id-5'])")
    expect(table.row("schedule-00005")).to_have_attribute("aria-selected", "true")
    expect(table.row("schedule-00001")).to_have_attribute("aria-selected", "false")


def test_everything_works_with_the_keyboard_alone(table):
    table.filter.focus()
    table.press("ArrowDown", "ArrowDown", " ")
    table.until("t.selected_keys", ["id-1"])
    table.press("Enter")
    table.until("bed.done", [["open", "id-1"]])
    table.press("Escape")
    table.until("t.opened", "")
    table.press("ArrowRight", "ArrowRight")
    assert table.focused() == "Disable schedule-00001"
    table.press("Enter")
    table.until("bed.done", [["open", "id-1"], ["disable", "id-1"]])
    table.press("End")
    expect(table.row("schedule-00049")).to_be_focused()
    table.press("PageUp", "Home", "ArrowUp", "Enter")
    table.until("t.sort", ["name", True])


def outline(table):
    """(style, width, colour) around what has the focus."""
    script = """() => {
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement)
        return [outlineStyle, outlineWidth, outlineColor]
    }"""
    return table.raw.evaluate(script)


def test_what_the_keyboard_has_reached_is_outlined_in_the_themes_colour_and_what_was_clicked_is_not(table):
    ours = ["solid", "2px", "rgb(1, 2, 3)"]
    table.raw.evaluate("document.documentElement.style.setProperty('--jp-brand-color1', 'rgb(1, 2, 3)')")
    table.filter.focus()
    table.press("Tab")
    reached = {}
    for key in ("ArrowUp", "ArrowDown", "ArrowRight", "ArrowRight", "Tab", "Shift+Tab"):
        table.press(key)
        if table.raw.evaluate("document.activeElement.closest('.aml-table') !== null"):
            reached[table.focused()] = outline(table)
    assert len(reached) >= 4
    assert {focused: found for focused, found in reached.items() if found != ours} == {}
    table.row("schedule-00003").click()
    assert outline(table)[0] == "none"
    table.raw.evaluate("document.documentElement.style.removeProperty('--jp-brand-color1')")


def test_one_element_of_the_grid_can_be_tabbed_to(table):
    table.filter.focus()
    table.press("Tab", "ArrowDown")
    stops = "grid => [...grid.querySelectorAll('*')].filter(one => one.tabIndex >= 0).length"
    assert table.grid.evaluate(stops) == 1


def test_buttons_of_rows_that_have_one_name_are_told_apart_and_follow_a_new_name(table):
    table.page.python("bed.change(t, 'id-1', name='schedule-00000')")
    expect(table.root.get_by_role("button", name="Disable schedule-00000, id-1", exact=True)).to_be_visible()
    assert table.root.get_by_role("button", name="Details of schedule-00000, id-0").count() == 1
    table.page.python("bed.change(t, 'id-1', name='weekly')")
    expect(table.button("Disable", "weekly")).to_be_visible()
    assert table.root.get_by_role("button", name="Details of schedule-00000", exact=True).count() == 1


# Instants whose text is not whole where it stands, and how high their rows are.
CUT = """rows => rows.flatMap(row => [row.offsetHeight, ...[...row.querySelectorAll('.time span')].filter(
    text => text.scrollWidth > text.clientWidth || text.scrollHeight > 28
        || text.getBoundingClientRect().right > row.querySelector('.acts').getBoundingClientRect().left
).map(text => text.innerText)])"""


def test_instants_are_whole_also_where_there_are_only_400_pixels(table):
    table.show(show=("name", "status", "next"))
    assert set(table.rows.evaluate_all(CUT)) == {28}
    table.root.evaluate("root => { root.style.width = '400px' }")
    assert set(table.rows.evaluate_all(CUT)) == {28}
    table.picture("table-400")


def test_keys_in_the_table_do_nothing_to_the_notebooks_cells(table):
    before = table.cells()
    table.row("schedule-00001").click()
    table.press("b", "a", "d", "d", "x", "m")
    table.button("Disable", "schedule-00001").focus()
    table.press("b", "d", "d")
    assert table.cells() == before
    assert table.page.python("options") == "{}"


def test_focus_and_scroll_stay_while_rows_come_and_go_above(table):
    table.grid.evaluate("grid => { grid.scrollTop = 28 * 20 }")
    table.row("schedule-00025").focus()
    place = table.row("schedule-00025").bounding_box()
    table.page.python("import pandas as pd; d = bed.frame(50); more = bed.frame(53).tail(3)")
    table.page.python("t.update(pd.concat([more, d.drop(index=[0])], ignore_index=True))")
    expect(table.status).to_have_text("52 schedules")
    expect(table.row("schedule-00025")).to_be_focused()
    assert table.row("schedule-00025").bounding_box() == place


def test_the_focus_goes_to_a_neighbour_when_its_row_goes(table):
    table.row("schedule-00002").focus()
    table.page.python("t.update(bed.frame(50).drop(index=[2]))")
    expect(table.status).to_have_text("49 schedules")
    table.press("ArrowDown")
    assert "schedule-0000" in table.focused()


def test_a_click_shows_pending_at_once_and_is_carried_out_once_while_a_cell_blocks(table):
    table.watch(".aml-table .grid")
    table.page.begin("import time; time.sleep(3)")
    table.raw.wait_for_timeout(300)
    button = table.row("schedule-00000").get_by_role("button", name="Disable")
    twice = "button => { const clicked = Date.now(); button.click(); button.click(); return clicked }"
    clicked = button.evaluate(twice)
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("aria-disabled", "false", timeout=2000)
    assert table.seen()[0][0] - clicked < 100
    assert table.raw.evaluate("Date.now()") - clicked < 1500  # the action itself takes 200 ms
    assert table.python("bed.done") == [["disable", "id-0"]]


def test_what_a_handler_raises_is_shown_in_the_table_and_can_be_dismissed(table):
    table.button("Enable", "schedule-00003").click()
    expect(table.root.get_by_role("alert")).to_contain_text("the pipeline 'train' is disabled")
    assert table.findings() == []
    table.root.get_by_role("button", name="Dismiss the error").click()
    expect(table.root.get_by_role("alert")).to_be_hidden()
    assert table.python("t.error") == ""


def test_hostile_names_are_text_and_the_layout_holds(table):
    table.show(rows=50, hostile=True)
    assert table.shown()[0] == "<img src=x onerror=alert(1)>"
    assert "n" * 300 in table.shown()
    assert table.root.locator("img").count() == 0
    assert "alert" not in table.page.dialogs
    heights = set(table.rows.evaluate_all("rows => rows.map(row => row.offsetHeight)"))
    tops = table.rows.evaluate_all("rows => rows.map(row => row.lastChild.getBoundingClientRect().x)")
    assert heights == {28}
    assert len(set(tops)) == 1
    table.picture("table-hostile")


def test_the_dark_theme_is_followed_and_can_be_read(table):
    table.page.python("bed.show_detail(t, 'id-2'); t.select(['id-1']); t.error = 'Not disabled: no answer.'")
    expect(table.root.locator("section")).to_contain_text("Polls and fires")
    assert table.findings() == []
    table.picture("table-detail-light")
    table.page.theme("JupyterLab Dark")
    try:
        dark = "getComputedStyle(document.querySelector('.aml-table')).backgroundColor"
        table.raw.wait_for_function(f"{dark} !== 'rgb(255, 255, 255)'")
        assert table.findings() == []
        table.picture("table-detail-dark")
    finally:
        table.page.theme("JupyterLab Light")


def test_it_can_be_used_where_there_are_only_500_pixels(table):
    table.root.evaluate("root => { root.style.width = '500px' }")
    expect(table.row("schedule-00000")).to_be_visible()
    box = table.button("Disable", "schedule-00000").bounding_box()
    right = table.root.bounding_box()
    assert box["x"] + box["width"] <= right["x"] + 500
    table.button("Disable", "schedule-00000").click()
    table.until("bed.done", [["disable", "id-0"]])
    table.picture("table-500")


def test_the_headings_of_an_empty_table_stand_beside_each_other(table):
    table.show(rows=0)
    expect(table.heading("Name")).to_be_visible()
    tops = table.grid.locator(".head > div").evaluate_all(
        "heads => heads.map(head => head.getBoundingClientRect().top)"
    )
    assert len(tops) > 3
    assert len(set(tops)) == 1


def test_a_hundred_thousand_rows_cost_what_is_in_sight(table):
    table.show(rows=100_000)
    expect(table.status).to_have_text("100,000 schedules")
    assert table.rows.count() < 40
    table.grid.evaluate("grid => { grid.scrollTop = 1e9 }")
    expect(table.row("schedule-99999")).to_be_visible()
    assert table.rows.count() < 40
    table.row("schedule-99999").focus()
    table.press("Home")
    expect(table.row("schedule-00000")).to_be_focused()
    table.filter.fill("00077 kernel")
    expect(table.status).to_contain_text("1 of 100,000 schedules")
    expect(table.status).to_have_text("1 of 100,000 schedules", timeout=30_000)


def test_an_open_row_shows_its_details_and_a_log_that_follows_its_end(table):
    table.row("schedule-00002").get_by_role("button", name="Details").click()
    table.until("bed.done", [["open", "id-2"]])
    table.page.python("bed.show_detail(t, 'id-2')")
    log = table.root.get_by_role("log")
    expect(log).to_contain_text("epoch 39")
    at_end = "log => log.scrollTop + log.clientHeight > log.scrollHeight - 9"
    assert log.evaluate(at_end)
    table.page.python(r"t.append_log('\nepoch 40 <b>done</b>')")
    expect(log).to_contain_text("epoch 40 <b>done</b>")
    assert log.evaluate(at_end)
    log.evaluate("log => { log.scrollTop = 0 }")
    table.page.python(r"t.append_log('\nepoch 41')")
    expect(log).to_contain_text("epoch 41")
    assert log.evaluate("log => log.scrollTop") == 0
    table.root.get_by_role("button", name="Close the details").click()
    expect(table.root.locator("section")).to_have_count(0)
    table.until("t.opened", "")
