"""The first notebook in JupyterLab, as a stranger runs it: open, Run All, read; and the Tab key."""

from __future__ import annotations

from nbformat import v4, write

FIRST = "01-first-schedule.ipynb"
PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def test_the_first_notebook_runs_in_jupyterlab_and_shows_its_tables(page, tmp_path):
    with page.opened(FIRST):
        page.run_all(timeout=180)
        shown = page.outputs()
        page.raw.locator(".jp-Notebook table").last.scroll_into_view_if_needed()
        page.screenshot(tmp_path / "first-notebook.png")
    assert [cell["text"] for cell in shown if cell["errors"]] == []
    tables = [cell["text"] for cell in shown if cell["tables"]]
    for word in ("train", "MyExperiment", "MyRecurringSchedule", "MyReactiveSchedule", "monday.csv"):
        assert any(word in text for text in tables), f"no table shows {word}"
    assert page.outside_requests() == []


def test_tab_offers_the_nouns_of_the_magic_in_a_cell(page, lab_folder):
    write(v4.new_notebook(cells=[v4.new_code_cell("%load_ext aml_magics")], metadata=PYTHON), lab_folder / "tab.ipynb")
    with page.opened("tab.ipynb"):
        page.run_all()
        offered = page.complete("%aml ")
    assert {"connect", "datastore", "experiment", "pipeline", "run", "schedule", "status"} <= set(offered)
    assert "import" not in offered
