"""One JupyterLab and one page for all browser tests, on a copy of the notebooks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbformat import v4, write

from tests.browser.table_page import CELL, TablePage
from tests.support import table_bed
from tests.support.lab import Lab

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture(scope="package")
def lab_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copyfile(notebook, folder / notebook.name)
    shutil.copyfile(table_bed.__file__, folder / "table_bed.py")
    write(v4.new_notebook(cells=[v4.new_code_cell(CELL)], metadata=PYTHON), folder / "table.ipynb")
    return folder


@pytest.fixture(scope="package")
def page(lab_folder):
    with Lab(lab_folder) as lab, lab.browser() as page:
        yield page


@pytest.fixture(scope="module")
def table_notebook(page):
    with page.opened("table.ipynb"):
        yield TablePage(page)


@pytest.fixture
def table(table_notebook):
    """The page with a table of 50 schedules; ``table.show(rows=3)`` makes another one."""
    table_notebook.show()
    return table_notebook
