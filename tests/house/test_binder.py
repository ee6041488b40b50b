"""Binder builds what we run: the files in ``binder/`` make an environment in which the first notebook works.

The steps are those of repo2docker: a new environment, ``pip install -r binder/requirements.txt`` from the root of a
copy of the repository, then ``binder/postBuild``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.support import notebooks
from tests.support.kernels import private_environment

pytestmark = pytest.mark.timeout(900)  # it installs a hundred packages

FIRST = Path("notebooks") / "01-first-schedule.ipynb"
NOT_IN_A_CLONE = shutil.ignore_patterns(
    ".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis", ".aml", "workspaceblobstore", ".ipynb_checkpoints"
)


class Image:
    """The built environment: run a command in it, as a visitor's session would."""

    def __init__(self, clone: Path, prefix: Path, private: Path) -> None:
        self.clone = clone
        self.prefix = prefix
        self._environment = private_environment(private)
        self._environment["PATH"] = f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self._environment["PIP_NO_COMPILE"] = "0"  # pip's way to say: do not compile; most is never imported
        self._environment.pop("VIRTUAL_ENV", None)
        self._environment.pop("PYTHONPATH", None)

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.clone,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def image(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("binder")
    shutil.copytree(root, folder / "clone", ignore=NOT_IN_A_CLONE)
    built = Image(folder / "clone", folder / "environment", folder / "private")
    built.run(sys.executable, "-m", "venv", built.prefix)
    built.run("pip", "install", "--disable-pip-version-check", "-r", "binder/requirements.txt")
    built.run("binder/postBuild")
    yield built
    shutil.rmtree(built.prefix)  # twenty thousand files of others, which nobody need search for secrets of ours


def test_the_first_notebook_runs_in_the_environment_that_binder_builds(image):
    image.run("jupyter", "execute", "--inplace", FIRST)
    executed = nbformat.read(image.clone / FIRST, as_version=4)
    assert notebooks.errors(executed) == []
    assert notebooks.stderr(executed) == ""
    assert notebooks.outputs(executed) != []


def test_the_package_there_is_the_one_of_this_repository(image, root):
    installed = image.run("python", "-P", "-c", "import aml_magics; print(aml_magics.__version__, aml_magics.__file__)")
    version, file = installed.split(maxsplit=1)
    assert f'__version__ = "{version}"' in (root / "aml_magics" / "__init__.py").read_text()
    assert file.startswith(str(image.prefix))


def test_jupyterlab_there_has_our_settings(image):
    application = re.search(r"Application directory:\s+(\S+)", image.run("jupyter", "lab", "path"))
    settings = json.loads((Path(application[1]) / "settings" / "overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_binder_asks_for_a_python_that_the_package_supports(root):
    asked = (root / "binder" / "runtime.txt").read_text().strip()
    lowest = re.search(r'requires-python = ">=(.+?)"', (root / "pyproject.toml").read_text())
    assert asked == f"python-{lowest[1]}"
