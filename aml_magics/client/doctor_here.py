"""What ``%aml doctor`` sees of this machine without asking anybody: versions of software, and proxies."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from aml_magics.model.secret import redacted

__all__ = ["Finding", "Result", "look_at_proxies", "look_at_software"]

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_NEEDED = ("ipython", "pandas", "httpx", "azure-identity")


class Result(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of ``%aml doctor``."""

    check: str
    result: Result
    found: str
    advice: str = ""


def look_at_software() -> Iterator[Finding]:
    """The kernel, the widgets and the packages that everything stands on."""
    yield Finding("python", Result.OK, python_version())
    yield _kernel(_version("ipykernel"))
    for name in _NEEDED:
        found = _version(name)
        missing = Finding(name, Result.PROBLEM, "not installed", f"pip install {name}")
        yield Finding(name, Result.OK, found) if found else missing
    yield Finding("ipywidgets", Result.OK, _version("ipywidgets") or "not installed, and not needed")


def _kernel(found: str) -> Finding:
    if not found:
        return Finding("ipykernel", Result.WARNING, "not installed", "A notebook needs it; a script does not.")
    if re.match(r"7\.0(\.|$|[a-z])", found):
        advice = "7.0 loses the output of background work: pip install 'ipykernel!=7.0.*'"
        return Finding("ipykernel", Result.PROBLEM, found, advice)
    return Finding("ipykernel", Result.OK, found)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def look_at_proxies(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Proxies are set where one is needed, and forgotten where none is."""
    given = {name: environment.get(name) or environment.get(name.lower()) for name in _PROXIES}
    found = [f"{name}={redacted(value)}" for name, value in given.items() if value]
    if not found:
        yield Finding("proxy", Result.OK, "none is set")
        return
    passed = environment.get("NO_PROXY") or environment.get("no_proxy")
    found.append(f"NO_PROXY={passed}" if passed else "no NO_PROXY")
    yield Finding("proxy", Result.OK, ", ".join(found), "Calls to Azure go through it; calls to this machine do not.")
