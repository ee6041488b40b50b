"""What the notebook tests lean on sees what is wrong with a notebook."""

from __future__ import annotations

import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import v4, write

from tests.support import notebooks


@pytest.fixture
def save(tmp_path):
    def saved(*cells):
        path = tmp_path / "source" / "some.ipynb"
        path.parent.mkdir()
        write(v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells]), path)
        (tmp_path / "run").mkdir()
        return path, tmp_path / "run"

    return saved


def test_a_run_happens_in_its_folder_and_shows_what_a_reader_sees(save):
    source, folder = save("import os, sys\nos.getcwd()", "print('warned', file=sys.stderr)\nopen('made', 'w').close()")
    executed = notebooks.execute(source, folder)
    assert notebooks.text(executed).startswith(repr(str(folder)))
    assert notebooks.stderr(executed) == "warned\n"
    assert notebooks.unreadable(executed) == []
    assert sorted(path.name for path in folder.iterdir()) == ["made", "some.ipynb"]


def test_an_output_with_nothing_but_a_widget_is_unreadable(save):
    bundle = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": ""}
    source, folder = save(f"from IPython.display import display\ndisplay({bundle!r}, raw=True)")
    assert notebooks.unreadable(notebooks.execute(source, folder)) == [bundle]


def test_a_cell_that_fails_stops_the_run_and_stays_in_the_saved_copy(save):
    source, folder = save("1 / 0", "print('never')")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        notebooks.execute(source, folder)
    assert "ZeroDivisionError" in (folder / "some.ipynb").read_text()
