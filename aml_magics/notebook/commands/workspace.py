"""``%aml connect`` and ``%aml status``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aml_magics.notebook.present import cell
from aml_magics.notebook.views import View

if TYPE_CHECKING:
    from aml_magics.client.workspace import Workspace
    from aml_magics.notebook.call import Call

__all__ = ["connect", "status"]

_TOLD_ALREADY = ("name", "root")


def connect(call: Call) -> View:
    """Open the workspace embedded in a folder; the value is the ``Workspace``."""
    options = {name: call.get(name) for name in ("executor", "parallel_steps") if name in call.arguments}
    workspace = call.around.session.connect(call.get("folder"), **options)
    call.around.known.clear()
    call.remember("pipeline", [one.name for one in workspace.pipelines.list()])
    call.remember("schedule", [one.name for one in workspace.schedules.list()])
    call.remember("datastore", [one.name for one in workspace.datastores.list()])
    return _view(workspace, "Connected")


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
