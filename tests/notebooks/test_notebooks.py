"""Every notebook of ours runs from top to bottom and is worth reading afterwards, with and without a kernel."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest

from tests.support import notebooks

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
OURS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_says_nothing_on_the_error_stream(path, tmp_path, request):
    needs_the_sdk = nbformat.read(path, as_version=4).metadata.kernelspec.name == "aml-magics-sdk"
    python = request.getfixturevalue("sdk_python") if needs_the_sdk else sys.executable
    executed = notebooks.execute(path, tmp_path, python=python)
    assert notebooks.errors(executed) == []
    assert notebooks.stderr(executed) == ""
    assert notebooks.outputs(executed) != []
    assert notebooks.unreadable(executed) == []
    assert notebooks.unreadable(nbformat.read(tmp_path / path.name, as_version=4)) == []


def test_the_notebook_of_datastores_watches_a_container_where_the_emulator_is_there(tmp_path, monkeypatch, azurite):
    monkeypatch.setenv("AZURITE_URL", azurite.url)
    executed = notebooks.execute(FOLDER / "02-watch-a-datastore.ipynb", tmp_path)
    assert notebooks.errors(executed) == []
    assert notebooks.stderr(executed) == ""
    assert "devstoreaccount1/landing" in notebooks.text(executed)
    assert "monday.csv: 3 lines" in notebooks.text(executed)
    assert (tmp_path / "copied" / "monday.csv").exists()
    assert not (tmp_path / "landing").exists()


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_a_notebook_in_the_repository_is_valid_and_holds_no_error(path):
    saved = nbformat.read(path, as_version=4)
    nbformat.validate(saved)
    assert notebooks.errors(saved) == []
    assert notebooks.unreadable(saved) == []


def test_the_first_notebook_exists():
    assert (FOLDER / "01-first-schedule.ipynb") in OURS
