"""The check of the lock files, which ``make check`` runs, sees what is wrong with them."""

from __future__ import annotations

import shutil

import pytest

from tests.support import locks


@pytest.fixture
def copy(tmp_path):
    for path in (locks.ROOT / "pyproject.toml", *locks.ROOT.glob("requirements*.lock")):
        shutil.copy(path, tmp_path)
    return tmp_path


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_dependency_that_no_lock_pins_is_named(copy):
    edit(copy / "pyproject.toml", '"httpx>=0.28"', '"httpx>=0.28", "left-pad>=1"')
    assert "requirements.lock does not pin left-pad" in locks.problems(copy)


def test_a_pin_that_is_too_old_is_named(copy):
    edit(copy / "pyproject.toml", '"httpx>=0.28"', '"httpx>=99"')
    assert any("httpx==" in problem and ">=99" in problem for problem in locks.problems(copy))


def test_a_package_that_a_dependency_needs_must_be_pinned_too(copy):
    pin = next(line for line in (copy / "requirements.lock").read_text().splitlines() if line.startswith("httpcore=="))
    edit(copy / "requirements.lock", pin + "\n", "")
    assert "requirements.lock does not pin httpcore" in locks.problems(copy)


def test_a_pin_that_nothing_needs_is_named(copy):
    with (copy / "requirements.lock").open("a") as file:
        file.write("left-pad==1.0\n")
    assert "requirements.lock pins left-pad, which nothing needs" in locks.problems(copy)


@pytest.mark.parametrize("line", ["httpx>=1", "other @ file:///x", "--pre", "httpx == 1"])
def test_a_line_that_is_no_pin_is_refused(copy, line):
    with (copy / "requirements.lock").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match="not a pin"):
        locks.problems(copy)
