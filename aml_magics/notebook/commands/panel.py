"""``%aml panel``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.panels.panel import Panel

__all__ = ["datastores", "overview", "pipelines", "runs", "schedules"]


def overview(call: Call) -> Panel:
    """How many there are of everything and how they do; below, the schedules and the newest runs."""
    return _opened(call, "overview")


def pipelines(call: Call) -> Panel:
    """Published pipelines with their last runs."""
    panel = _opened(call, "pipelines")
    call.remember("pipeline", panel.frame["name"], all_of_them=True)
    return panel


def schedules(call: Call) -> Panel:
    """Schedules with their last and next fires."""
    panel = _opened(call, "schedules")
    call.remember("schedule", panel.frame["name"], all_of_them=True)
    return panel


def runs(call: Call) -> Panel:
    """The newest runs."""
    panel = _opened(call, "runs", limit=call.get("limit"))
    call.remember("run", reversed(panel.frame["id"].to_list()))
    return panel


def datastores(call: Call) -> Panel:
    """Datastores and who watches them."""
    panel = _opened(call, "datastores")
    call.remember("datastore", panel.frame["name"], all_of_them=True)
    return panel


def _opened(call: Call, name: str, **options: Any) -> Panel:  # noqa: ANN401 - the panel's own
    panel: Panel = call.workspace.panel(name, zone=call.zone, **options)
    return panel
