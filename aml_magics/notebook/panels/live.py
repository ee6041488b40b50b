"""When a panel looks again, and what its footer says of that.

A glance is cheap and tells whether anything was written; only then is the whole asked for. However much is written,
two looks are at least ``LEAST`` seconds apart, and no more than ``DUTY`` of the time goes into looking: a table that
takes a second to ask for is renewed every ten. A workspace of Azure has no glance: it is looked at again and again, by
the same rule.

The task that does this holds its panel weakly. It ends with the panel, with ``close``, and with the loop thread of the
workspace, that is when the workspace is closed or another one takes its place: then the panel says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.client.workspace import Workspace
    from aml_magics.engine.clock import Clock
    from aml_magics.model.glance import Glance
    from aml_magics.model.history import Health

__all__ = ["AFTER_FAILURE", "LEAST", "Pace", "Watched", "footer", "keep_fresh", "pace_of"]

LEAST = 0.5
DUTY = 0.1
LONGEST = 60.0  # seconds; a laptop that slept during a look must not rest for days
AFTER_FAILURE = 5.0
_SERVED = 2.0
_AZURE = 5.0


class Watched(Protocol):
    """A panel, as far as this module knows it. All of it is called on the loop thread."""

    @property
    def is_closed(self) -> bool: ...
    def wants(self, glance: Glance | None) -> bool: ...
    async def renew(self, client: WorkspaceClient) -> None: ...
    def tick(self, glance: Glance | None) -> None: ...
    def fail(self, error: Exception) -> None: ...
    def leave(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """``pause`` is the seconds from one glance to the next; ``glances`` whether there is such a thing."""

    pause: float
    glances: bool

    def rest(self, took: float) -> float:
        """The seconds to rest after a look that took so many."""
        return min(max(self.pause, took / DUTY), LONGEST)


def pace_of(workspace: Workspace) -> Pace:
    """How often to look: in this process, over a network, or at a service that many share."""
    if workspace.is_here:
        return Pace(LEAST, glances=True)
    return Pace(_SERVED, glances=True) if workspace.is_embedded else Pace(_AZURE, glances=False)


async def keep_fresh(find: Callable[[], Watched | None], client: WorkspaceClient, clock: Clock, pace: Pace) -> None:
    """Renew the panel when there is something new, until it is gone or closed."""
    try:
        while (panel := find()) is not None and not panel.is_closed:
            rest = await _turn(panel, client, clock, pace)
            del panel  # or this task would keep it alive while it sleeps
            await clock.sleep(rest)
    except asyncio.CancelledError:
        if (panel := find()) is not None and not panel.is_closed:
            panel.leave()
        raise


async def _turn(panel: Watched, client: WorkspaceClient, clock: Clock, pace: Pace) -> float:
    """One glance, and a look if that is worth it; the seconds to rest."""
    begun = clock.now()
    try:
        glance = await client.glance() if pace.glances else None
        if panel.wants(glance):
            await panel.renew(client)
        else:
            panel.tick(glance)
    except Exception as error:  # noqa: BLE001 - whatever it is, the panel says it and looks again later
        panel.fail(error)
        return max(pace.pause, AFTER_FAILURE)
    return pace.rest(clock.now() - begun)


def footer(as_of: float, now: float, health: Health | None, zone: tzinfo) -> str:
    """``as of 12:00:03 UTC; engine ok, last look 2 s ago, late 0.01 s``."""
    parts = [f"as of {_time(as_of, zone)}"]
    if health is not None:
        parts.append(", ".join([_state(health), *_punctuality(health, now)]))
    return "; ".join(parts)


def _time(at: float, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{local:%H:%M:%S} {local.tzname() or ''}".rstrip()


def _state(health: Health) -> str:
    troubles = [*health.poll_errors, *health.wakeup_errors]
    if not troubles:
        return "engine ok"
    more = f" and {len(troubles) - 1} more" if len(troubles) > 1 else ""
    return f"trouble with {troubles[0]}{more}"


def _punctuality(health: Health, now: float) -> list[str]:
    said = []
    if health.last_look is not None:
        said.append(f"last look {max(0, now - health.last_look.timestamp()):.0f} s ago")
    if health.lateness_p50_ms is not None:
        said.append(f"late {health.lateness_p50_ms / 1000:.2f} s")
    return said
