"""``%aml connect`` and ``%aml status``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aml_magics.notebook.present import cell
from aml_magics.notebook.views import View

if TYPE_CHECKING:
    from aml_magics.client.workspace import Workspace
    from aml_magics.notebook.call import Call

__all__ = ["connect", "status"]

_TOLD_ALREADY = ("name", "root")
_COUNTED = {"active pipelines": "activePipelines", "active schedules": "activeSchedules", "runs": "runs"}


def connect(call: Call) -> View:
    """Open the workspace embedded in a folder; the value is the ``Workspace``."""
    options = {name: call.get(name) for name in ("executor", "parallel_steps") if name in call.arguments}
    session = call.around.session
    former = session.workspace if session.is_connected else None
    workspace = session.connect(call.get("folder"), **options)
    call.around.known.clear()
    call.remember("pipeline", [one.name for one in workspace.pipelines.list()])
    call.remember("schedule", [one.name for one in workspace.schedules.list()])
    call.remember("datastore", [one.name for one in workspace.datastores.list()])
    counts = workspace.status()["counts"]
    fields = [
        ("location", _relative(workspace.location)),
        *((what, str(counts[key])) for what, key in _COUNTED.items()),
    ]
    notes = []
    if former is not None and former is not workspace:
        where = _relative(former.location)
        notes.append(f"What was open in {where} is closed: its schedules do not fire until it is opened again.")
    return View(f"Connected to the workspace {workspace.name!r}", value=workspace, fields=fields, notes=notes)


def status(call: Call) -> View:
    """What is open and how it does. Looking opens nothing."""
    session = call.around.session
    if not session.is_connected:
        return View(
            "No workspace is open.", notes=["%aml connect opens the one of the current folder; so does any command."]
        )
    return _view(session.workspace, "Workspace")


def _view(workspace: Workspace, title: str) -> View:
    fields = [("location", workspace.location)]
    for name, value in workspace.status().items():
        if name not in _TOLD_ALREADY:
            fields += _facts(_words(name), value)
    return View(f"{title} {workspace.name}", value=workspace, fields=fields)


def _relative(location: str) -> str:
    """A folder as seen from the current one where it lies in it: a saved notebook need not tell where it was run."""
    folder, here = Path(location), Path.cwd()
    if folder == here:
        return "this folder"
    return folder.relative_to(here).as_posix() if folder.is_relative_to(here) else location


def _facts(name: str, value: object) -> list[tuple[str, str]]:
    """A fact on one line; what is nested gets a line for each part."""
    if isinstance(value, Mapping):
        prefix = "" if name == "counts" else f"{name} "
        return [fact for key, part in value.items() for fact in _facts(prefix + _words(str(key)), part)]
    if isinstance(value, list):
        return [(name, "; ".join(map(str, value)) or "none")]
    return [(name, cell(value))]


def _words(name: str) -> str:
    """``latenessP50Ms`` as ``lateness p50 ms``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
