"""``%load_ext aml_magics`` is silent and nearly free: in a real kernel it imports next to nothing and opens no file."""

from __future__ import annotations

import ast

import pytest

from tests.support.kernels import Kernel

HEAVY = {
    "IPython.testing",
    "anywidget",
    "azure",
    "croniter",
    "httpx",
    "ipywidgets",
    "numpy",
    "pandas",
    "starlette",
    "watchfiles",
}
# An audit hook sees every open() of the process; only the main thread's are the extension's.
WATCH = """
import sys, threading
opened, watching = [], True
def hook(event, arguments, main=threading.main_thread().ident):
    if watching and event == "open" and threading.get_ident() == main:
        opened.append(str(arguments[0]))
sys.addaudithook(hook)
before = set(sys.modules)
"""
TELL = "watching = False\nsorted(set(sys.modules) - before), opened, sys.prefix, sys.base_prefix"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    with Kernel(tmp_path_factory.mktemp("loading")) as kernel:
        kernel.run(WATCH)
        cell = kernel.run("%load_ext aml_magics")
        yield cell, *ast.literal_eval(kernel.run(TELL).text)


def test_it_prints_and_displays_nothing(loaded):
    cell, *_rest = loaded
    assert (cell.stdout, cell.stderr, cell.outputs) == ("", "", [])


def test_it_imports_at_most_five_modules_and_no_heavy_one(loaded):
    _cell, new, *_rest = loaded
    assert "aml_magics" in new
    assert len(new) <= 5, new
    assert HEAVY & {module.partition(".")[0] for module in new} == set()


def test_it_opens_no_file_but_its_own_modules(loaded, root):
    _cell, _new, opened, *homes = loaded
    own = (f"{root / 'aml_magics'}/", *(f"{home}/" for home in homes))
    others = [path for path in opened if not (path.startswith(own) and path.endswith((".py", ".pyc")))]
    assert others == []
