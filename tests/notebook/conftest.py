"""A real shell, and a real workspace embedded in a folder of its own, for the tests of the magics."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from aml_magics.notebook import extension
from tests.notebook.helpers import TRAIN, Magic, prepare


@pytest.fixture(scope="module", autouse=True)
def only_new_objects_are_searched():
    """Set aside what outlives a module: the shell collects garbage three times a test, each time through everything."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def one_shell(tmp_path_factory, started_once):
    """IPython has one shell a process; this one writes no history and nothing into the home folder."""
    home = tmp_path_factory.mktemp("ipython")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.ipython_dir = str(home)
    before = os.environ.get("IPYTHONDIR")
    os.environ["IPYTHONDIR"] = str(home)
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()
    if before is None:
        del os.environ["IPYTHONDIR"]
    else:
        os.environ["IPYTHONDIR"] = before


@pytest.fixture
def shell(one_shell):
    """The shell with nothing of ours in it, before and after."""
    one_shell.reset(new_session=False)
    yield one_shell
    extension.unload(one_shell)
    one_shell.reset(new_session=False)
    one_shell.config.pop("AmlMagics", None)  # what %config set outlives the extension, and must not outlive the test
    gc.collect()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder of a test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def aml(shell, folder) -> Magic:
    """``aml("schedule list")`` as a line, ``aml("schedule create X", "body")`` as a cell, in an empty folder."""
    extension.load(shell)
    return Magic(shell)


@pytest.fixture
def train(aml):
    """A workspace with the pipeline ``train``."""
    return aml(
        "pipeline publish train --parameter learning_rate=0.1 --data-path input_data=workspaceblobstore/in", TRAIN
    )


@pytest.fixture(scope="module")
def workspace(one_shell, tmp_path_factory):
    """The workspace that ``mistakes.py`` describes, the same for all mistakes: none of them may change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("mistakes"))
        one_shell.reset(new_session=False)
        extension.load(one_shell)
        aml = Magic(one_shell)
        try:
            prepare(aml)
            yield aml
        finally:
            extension.unload(one_shell)
            one_shell.reset(new_session=False)
            gc.collect()
