"""Finding a panel by name: the one that is there already, or a new one.

A panel that is displayed in two cells is one table in two places. Displaying it anew would leave the former one in the
kernel for ever, since whoever shows widgets cannot know when a cell is gone.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from aml_magics.engine.clock import SystemClock
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.zones import zone as zone_named
from aml_magics.notebook.panels.kinds import KINDS
from aml_magics.notebook.panels.panel import Panel

if TYPE_CHECKING:
    from aml_magics.client.workspace import Workspace
    from aml_magics.engine.clock import Clock

__all__ = ["open_panel"]

_CLOCK = SystemClock()
_BELOW = {"overview": ("schedules", "runs")}


def open_panel(
    workspace: Workspace,
    name: str,
    *,
    panels: MutableMapping[tuple[object, ...], Any],
    zone: tzinfo | None = None,
    limit: int | None = None,
    clock: Clock = _CLOCK,
) -> Panel:
    """The panel of this name, as of now. ``panels`` has those of the workspace that are there.

    Raises ``InvalidInput`` with the nearest name, and what the workspace raises.
    """
    kind = KINDS.get(name)
    if kind is None:
        message = f"there is no panel {name!r}"
        raise InvalidInput(message, hint=did_you_mean(str(name), KINDS))
    if limit is not None and (not kind.limit or limit < 1):
        message = (
            f"limit: the panel of {name} has no limit" if not kind.limit else f"limit: {limit} is no number of runs"
        )
        raise InvalidInput(message, hint="Give 1 or more, for runs." if kind.limit else "Leave it out.")
    many = limit or kind.limit_of(is_embedded=workspace.is_embedded)
    seen_from = zone or _display_zone()
    known: Panel | None = panels.get((name, many))
    if known is not None and not known.is_closed:
        known.zone = seen_from
        known.refresh()
        return known
    below = [open_panel(workspace, one, panels=panels, zone=zone, clock=clock) for one in _BELOW.get(name, ())]
    panel = panels[name, many] = Panel(workspace, kind, zone=seen_from, clock=clock, limit=many, below=below)
    return panel


def _display_zone() -> tzinfo:
    """The zone that ``%config AmlMagics.timezone`` names, where there is such a thing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    magics = shell.magics_manager.registry.get("AmlMagics") if shell is not None else None
    return UTC if magics is None else zone_named(magics.timezone)
