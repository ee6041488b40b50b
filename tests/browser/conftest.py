"""One JupyterLab and one page for all browser tests, on a copy of the notebooks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.lab import Lab

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="package")
def lab_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copyfile(notebook, folder / notebook.name)
    return folder


@pytest.fixture(scope="package")
def page(lab_folder):
    with Lab(lab_folder) as lab, lab.browser() as page:
        yield page
