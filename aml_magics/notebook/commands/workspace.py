"""``%aml connect`` and ``%aml status``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aml_magics.client.addresses import is_overheard
from aml_magics.model.errors import ServiceError
from aml_magics.notebook.commands.elsewhere import elsewhere
from aml_magics.notebook.present import cell, path_from_here
from aml_magics.notebook.views import View
from aml_magics.wire.casing import Body
from aml_magics.wire.v1 import health_from

if TYPE_CHECKING:
    from datetime import tzinfo

    from aml_magics.client.workspace import Workspace
    from aml_magics.notebook.call import Call

__all__ = ["connect", "status"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def connect(call: Call) -> View:
    """Open a workspace: embedded in a folder, served at a URL, or on Azure; the value is the ``Workspace``."""
    options = {name: call.get(name) for name in ("executor", "parallel_steps") if name in call.arguments}
    session = call.around.session
    former = session.workspace if session.is_connected else None
    notes: list[str] = []
    with call.progress("Connecting"):
        workspace = session.connect(call.get("folder_or_url"), tell=call.around.write, **elsewhere(call), **options)
        call.around.known.clear()
        counts = {
            "active pipelines": _known(call, "pipeline", workspace.pipelines.list, notes),
            "active schedules": _known(call, "schedule", workspace.schedules.list, notes),
        }
        _known(call, "datastore", workspace.datastores.list, notes)
    if workspace.is_embedded:
        counts["runs"] = str(workspace.status()["counts"].get("runs", ""))
    if former is not None and former is not workspace:
        notes.append(_closed(former))
    if not workspace.is_here and is_overheard(workspace.location):
        notes.append(
            "The token and all data travel unencrypted: on a network that others use too, serve it over https."
        )
    fields = [("location", _where(workspace)), *workspace.about.items(), *counts.items()]
    return View(f"Connected to the workspace {workspace.name!r}", value=workspace, fields=fields, notes=notes)


def _known(call: Call, kind: str, ask: Callable[[], Sequence[_Named]], notes: list[str]) -> str:
    """How many there are; their names are kept for completion. What an account may not see is no reason to stop."""
    try:
        found = ask()
    except ServiceError as error:
        if error.status != 403:
            raise
        notes.append(f"The {kind}s are not shown: {error}")
        return ""
    call.remember(kind, [one.name for one in found])
    return str(len(found))


def _closed(former: Workspace) -> str:
    where = _where(former)
    if not former.is_here:
        return f"The connection to {where} is closed."
    return f"What was open in {where} is closed: its schedules do not fire until it is opened again."


def status(call: Call) -> View:
    """What is open and how it does. Looking opens nothing."""
    session = call.around.session
    if not session.is_connected:
        return View(
            "No workspace is open.", notes=["%aml connect opens the one of the current folder; so does any command."]
        )
    workspace = session.workspace
    served = session.served.url if session.served is not None else ""
    fields = [("location", workspace.location), ("served at", served), *workspace.about.items()]
    notes = []
    if workspace.is_embedded:
        fields += _facts(workspace.status(), call.zone)
    else:
        notes.append("Azure does not tell how its schedules do; %aml doctor looks at what it does tell.")
    return View(f"Workspace {workspace.name}", value=workspace, fields=fields, notes=notes)


def _where(workspace: Workspace) -> str:
    return path_from_here(Path(workspace.location)) if workspace.is_here else workspace.location


def _facts(status: Mapping[str, Any], zone: tzinfo) -> list[tuple[str, str]]:
    """What is there, how punctual it is, and whatever has gone wrong lately."""
    body = Body(status, "status")
    engine, runner = health_from(body.mapping("engine")), Body(body.mapping("runner"), "status.runner")
    p50, p99 = engine.lateness_p50_ms, engine.lateness_p99_ms
    facts = {_words(name): number for name, number in body.mapping("counts").items()}
    facts |= {
        "workspace id": body.text("workspaceId"),
        "open since": engine.started and engine.started.astimezone(zone),
        "kernels on it": engine.owners,
        "lateness of fires": f"{p50:.0f} ms, p99 {p99:.0f} ms" if p50 is not None and p99 is not None else None,
        "steps at a time": runner.integer("parallelSteps"),
    }
    troubles = [*body.values("failures"), *body.values("unreadable"), runner.text("trouble")]
    troubles += [*engine.poll_errors, *engine.wakeup_errors, *engine.errors]
    shown = [(name, cell(fact)) for name, fact in facts.items()]
    return [*shown, ("trouble", "; ".join(str(one) for one in troubles if one) or "none")]


def _words(name: str) -> str:
    """``activePipelines`` as ``active pipelines``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
