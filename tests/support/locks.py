"""The lock files: written by ``make lock``, checked by ``make check``.

Three files pin every package by name and version and nothing else, so that any registry will do:

* ``requirements.lock``: what the package needs to run, JupyterLab, and what builds the package;
* ``requirements-test.lock``: the above, and what the tests need;
* ``requirements-sdk.lock``: the package again, beside Microsoft's SDK v1, which wants other versions of some things.

``write`` resolves them with pip and installs nothing. ``check`` needs no network: it holds the files against
pyproject.toml and, for what the packages require in turn, against the environment it runs in.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
INCLUDE_RUNTIME = "-r requirements.lock"
OLDEST_PYTHON = "3.11.0"  # pins that only a later 3.11 can install would shut Debian 12 out, which has 3.11.2


def requirements(root: Path = ROOT) -> dict[str, list[str]]:
    """What pyproject.toml asks for, by the lock file that answers it."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    package = [
        *project["project"]["dependencies"],
        *project["build-system"]["requires"],
        *project["tool"]["locks"]["build"],
    ]
    return {
        "requirements.lock": [*package, *extras["lab"]],
        "requirements-test.lock": extras["test"],
        "requirements-sdk.lock": [*package, *project["tool"]["locks"]["sdk"]],
    }


def read_lock(path: Path) -> dict[str, str]:
    """The pins of one file, canonical name to version. ValueError names a line that is no pin, or a second one."""
    pins: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#") or line == INCLUDE_RUNTIME:
            continue
        name, equals, version = line.partition("==")
        key = canonicalize_name(name)
        if not equals or not version or " " in line or key in pins:
            message = f"{path.name}: not a pin of its own: {line!r}"
            raise ValueError(message)
        pins[key] = version
    return pins


def resolve(wanted: Iterable[str], constraints: Path | None = None) -> dict[str, str]:
    """Ask pip for all versions that ``wanted`` needs, as into an empty environment of the oldest Python we support."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        oldest = ["--python-version", OLDEST_PYTHON, "--only-binary", ":all:", "--target", folder]
        limits = ["--constraint", str(constraints)] if constraints else []
        arguments = [*command, *oldest, "--report", str(report), *limits, *wanted]
        subprocess.run(arguments, check=True, stdin=subprocess.DEVNULL)
        chosen = json.loads(report.read_text())["install"]
    return {canonicalize_name(item["metadata"]["name"]): item["metadata"]["version"] for item in chosen}


def write(root: Path = ROOT) -> None:
    """Resolve and write all three files."""
    wanted = requirements(root)
    runtime = resolve(wanted["requirements.lock"])
    _write_lock(root / "requirements.lock", runtime)
    everything = resolve(
        [*wanted["requirements.lock"], *wanted["requirements-test.lock"]], constraints=root / "requirements.lock"
    )
    only_test = {name: version for name, version in everything.items() if name not in runtime}
    _write_lock(root / "requirements-test.lock", only_test, INCLUDE_RUNTIME)
    _write_lock(root / "requirements-sdk.lock", resolve(wanted["requirements-sdk.lock"]))


def problems(root: Path = ROOT) -> list[str]:
    """What is not as pyproject.toml and the installed packages ask for; one line each, empty when all is well."""
    wanted = requirements(root)
    runtime = read_lock(root / "requirements.lock")
    test = read_lock(root / "requirements-test.lock")
    sdk = read_lock(root / "requirements-sdk.lock")
    everything = {**runtime, **test}
    return [
        *(f"requirements-test.lock repeats {name}" for name in sorted(runtime.keys() & test.keys())),
        *_unmet(wanted["requirements-sdk.lock"], sdk, "requirements-sdk.lock"),
        *_open_ends(wanted["requirements.lock"], runtime, "requirements.lock"),
        *_open_ends(
            [*wanted["requirements.lock"], *wanted["requirements-test.lock"]], everything, "requirements-test.lock"
        ),
        *_not_installed(everything),
    ]


def _write_lock(path: Path, pins: dict[str, str], *first: str) -> None:
    header = "# Written by 'make lock' from pyproject.toml; do not edit."
    path.write_text("\n".join([header, *first, *(f"{name}=={pins[name]}" for name in sorted(pins))]) + "\n")


def _unmet(wanted: Iterable[str], pins: dict[str, str], where: str) -> list[str]:
    lines = []
    for requirement in map(Requirement, wanted):
        version = pins.get(canonicalize_name(requirement.name))
        if version is None:
            lines.append(f"{where} does not pin {requirement.name}")
        elif not requirement.specifier.contains(version, prereleases=True):
            lines.append(f"{where} pins {requirement.name}=={version}, wanted is {requirement.specifier}")
    return lines


def _open_ends(wanted: Iterable[str], pins: dict[str, str], where: str) -> list[str]:
    """Walk from what is wanted through what the installed packages require: all must be pinned, and nothing else."""
    lines: dict[str, None] = {}
    seen: set[tuple[str, str]] = set()
    queue = [Requirement(text) for text in wanted]
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        lines.update(dict.fromkeys(_unmet([str(requirement)], pins, where)))
        for extra in ("", *sorted(requirement.extras)):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            queue += _requires(name, extra)
    stale = sorted(pins.keys() - {name for name, _extra in seen})
    return [*lines, *(f"{where} pins {name}, which nothing needs" for name in stale)]


def _requires(name: str, extra: str) -> list[Requirement]:
    try:
        texts = distribution(name).requires or []
    except PackageNotFoundError:
        return []  # told by _not_installed
    needed = map(Requirement, texts)
    return [one for one in needed if one.marker is None or one.marker.evaluate({"extra": extra})]


def _not_installed(pins: dict[str, str]) -> list[str]:
    lines = []
    for name, version in pins.items():
        try:
            found = distribution(name).version
        except PackageNotFoundError:
            found = "missing"
        if found != version:
            lines.append(f"{name} is {found} in this environment and {version} in the lock")
    return lines


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    elif found := problems():
        sys.exit("\n".join([*found, "Locks and pyproject.toml disagree: 'make lock' writes the locks anew."]))
