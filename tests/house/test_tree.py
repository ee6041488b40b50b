"""The repository keeps its own rules: what lies where, what modules look like, what no committed file may say."""

from __future__ import annotations

import ast
import os
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"aml_magics", "binder", "notebooks", "tests"}
FILES = {"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml"}
LOCKS = {"requirements.lock", "requirements-test.lock", "requirements-sdk.lock"}
MADE = {"__pycache__", ".ipynb_checkpoints", ".aml", "workspaceblobstore"}
LONGEST = 400
ELSEWHERE = ("tests/sdk/drive_", "tests/sdk/sdk_bed")  # these run in the environment of Microsoft's SDK


def committed() -> list[Path]:
    """The files that are, or are about to be, in the repository."""
    top = [path for path in ROOT.iterdir() if path.is_file()]
    below = [path for name in (*FOLDERS, ".ci") for path in (ROOT / name).rglob("*") if path.is_file()]
    return sorted(path for path in [*top, *below] if not MADE & set(path.relative_to(ROOT).parts))


def modules(*folders: str) -> list[Path]:
    paths = [path for path in committed() if path.suffix == ".py"]
    return [path for path in paths if path.relative_to(ROOT).parts[0] in (folders or FOLDERS)]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def words_of(path: Path) -> set[str]:
    """The dotted names that a module calls or refers to: ``print``, ``pytest.mark.skip``."""
    tree = ast.parse(path.read_text())
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)}


def test_the_top_level_holds_only_what_is_allowed():
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - {"build", "dist"}
    assert found - FOLDERS - FILES - LOCKS == set()
    assert (FOLDERS | FILES | LOCKS) - found == set()


def test_every_room_of_the_package_has_its_folder_of_tests():
    rooms = {path.parent.name for path in (ROOT / "aml_magics").glob("*/__init__.py")}
    tested = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert rooms - tested == set()


def test_a_module_says_what_it_is_for_and_is_short_enough_to_read():
    own = [path for path in modules("aml_magics", "notebooks", "tests") if not path.name.startswith("test_")]
    texts = {name(path): path.read_text() for path in own}
    assert [path for path, text in texts.items() if len(text.splitlines()) >= LONGEST] == []
    assert [path for path, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))] == []


def test_the_package_never_prints():
    assert [name(path) for path in modules("aml_magics") if "print" in words_of(path)] == []


def test_no_test_is_skipped_or_expected_to_fail():
    refused = {"pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail", "pytest.skip", "pytest.importorskip"}
    found = {name(path): sorted(refused & words_of(path)) for path in modules("tests")}
    assert {path: words for path, words in found.items() if words} == {}


def test_no_committed_file_names_a_registry_or_a_path_of_this_machine():
    hosts = ("pypi" + ".org", "python" + "hosted", "npm" + "js", "deb.debian" + ".org")
    options = ("--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "trusted" + "-host")
    places = [f"{ROOT}/", f"{sys.prefix}/", f"{Path.home()}/"]
    words = [*hosts, *options, *(place for place in places if place.count("/") > 1)]
    found = {name(path): [word for word in words if word.encode() in path.read_bytes()] for path in committed()}
    assert {path: words for path, words in found.items() if words} == {}


def test_no_committed_file_is_left_unfinished():
    unfinished = re.compile(rb"\b(TO" + rb"DO|FIX" + rb"ME|XX" + rb"X)\b")
    assert [name(path) for path in committed() if unfinished.search(path.read_bytes())] == []


def test_every_dependency_has_a_lower_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    declared = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    declared += [text for group in (*extras, *project["tool"]["locks"].values()) for text in group]
    bounds = {text: {one.operator for one in Requirement(text).specifier} for text in declared}
    assert [text for text, operators in bounds.items() if ">=" not in operators] == []


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module or "")
    return {module.partition(".")[0] for module in found} - set(sys.stdlib_module_names) - FOLDERS


def declared(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    return {canonicalize_name(Requirement(text).name) for text in texts}


@pytest.mark.parametrize(
    ("folder", "extras"), [("aml_magics", ()), ("notebooks", ("lab",)), ("tests", ("lab", "test"))], ids=str
)
def test_whatever_is_imported_is_a_declared_dependency(folder, extras):
    known = declared(*extras)
    distributions = packages_distributions()
    paths = [path for path in modules(folder) if not name(path).startswith(ELSEWHERE)]
    names = {
        module: {canonicalize_name(one) for one in distributions.get(module, [module])}
        for path in paths
        for module in imported(path)
    }
    assert {module for module, owners in names.items() if not owners & known} == set()


def test_no_declared_dependency_is_left_unused():
    programs = {"import-linter", "ipykernel", "jupyterlab", "mypy", "notebook", "pytest-timeout", "ruff", "voila"}
    programs |= {"ipydatagrid", "itables"}  # the cells of a benchmark import them
    data = {"pandas-stubs", "types-pyyaml", "tzdata"}
    data |= {"aiohttp"}  # what azure-identity's asynchronous credentials send with
    owners = packages_distributions()
    used = {owner for path in modules() for module in imported(path) for owner in owners.get(module, [])}
    assert declared("lab", "test") - {canonicalize_name(owner) for owner in used} - programs - data == set()


def test_the_commands_that_the_documents_name_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / "README.md").read_text() + (ROOT / ".ci" / "run").read_text()
    named = set(re.findall(r"(?:^|`|exec )make ([a-z-]+)", text, re.MULTILINE))
    assert {"demo", "test"} <= named
    assert named - targets == set()


def test_the_notebooks_that_the_documents_name_exist():
    named = set(
        re.findall(r"notebooks/[\w-]+\.ipynb", (ROOT / "README.md").read_text() + (ROOT / "Makefile").read_text())
    )
    assert "notebooks/01-first-schedule.ipynb" in named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("program", [".ci/run", "binder/postBuild"])
def test_a_program_that_others_start_may_be_started(program):
    assert os.access(ROOT / program, os.X_OK)
    assert (ROOT / program).read_text().startswith("#!")
