"""Every mistake is one line with a cause and a way out, is raised, and changes nothing in the workspace."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import AmlError
from tests.notebook import mistakes, mistakes_exports

MISTAKES = [*mistakes.MISTAKES, *mistakes_exports.MISTAKES]


def keep(aml):
    """What the shell holds, by name: a mistake stores no result."""
    return {name: id(value) for name, value in aml.shell.user_ns.items() if not name.startswith("_")}


@pytest.mark.parametrize(("cell", "cause", "way_out"), MISTAKES, ids=[repr(cell)[1:60] for cell, _, _ in MISTAKES])
def test_a_mistake_is_one_line_and_changes_nothing(workspace, capsys, cell, cause, way_out):
    before, held = workspace.digest(), keep(workspace)
    result = workspace.shell.run_cell(cell, store_history=False)
    said = capsys.readouterr()
    error = result.error_in_exec
    assert isinstance(error, AmlError)
    line = str(error)
    assert cause in line
    assert way_out in line
    assert ". " in line  # the cause, then what to do
    assert len(line.splitlines()) == 1
    assert len(line) < 600
    assert (said.out + said.err).strip("\n") == f"{type(error).__name__}: {line}"
    assert workspace.digest() == before
    assert keep(workspace) == held


def test_the_table_of_mistakes_is_long_and_has_no_mistake_twice():
    cells = [cell for cell, _, _ in MISTAKES]
    assert len(cells) >= 60
    assert len(cells) == len(set(cells))
