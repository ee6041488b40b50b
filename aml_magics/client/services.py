"""The parts of a workspace's REST protocol: where each lives, what it is sent as, and when a question is asked again.

Pure tables, no I/O. Facts from what SDK v1 sends and how it repeats itself: the pipelines and datastore services
get four attempts within about five seconds; run history waits 2, 4 and 8 seconds after a 500, and repeats at once
after an answer that a gateway gave (408, 502, 504). Unlike the SDK we wait for every service that asks to slow down
(429). Only questions are repeated (GET, and the POST ``:query`` of history): a submit whose answer was lost may have
been carried out.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ARM",
    "CLOUDS",
    "DATASTORES",
    "DISCOVERY",
    "EXTRAS",
    "HISTORY",
    "JSON",
    "LINK",
    "LONGEST_PAUSE",
    "MANAGER",
    "PIPELINES",
    "Service",
    "pause_before_retry",
]

JSON = "application/json; charset=utf-8"
_JSON_PATCH = "application/json-patch+json; charset=utf-8"

LONGEST_PAUSE = 10.0
"""Seconds: a service that asks for a longer pause (``Retry-After``) is not waited for, a person is."""

_QUICK = (0.7, 1.4, 2.8)
_PATIENT = (2.0, 4.0, 8.0)
_AT_ONCE = (0.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Service:
    """``side`` names the base URL that it hangs on, ``api`` or ``history``; ``prefix`` is what follows that URL."""

    name: str
    side: str
    prefix: str
    json_patch: bool = False
    is_scoped: bool = True  # whether paths begin at the workspace

    def body_type(self, path: str) -> str:
        """The content type of a POST or PUT body; the pipelines service calls it a JSON patch though it is none."""
        return _JSON_PATCH if self.json_patch or path.endswith(":query") else JSON


PIPELINES = Service("pipelines", "api", "/pipelines/v1.0", json_patch=True)
HISTORY = Service("history", "history", "/history/v1.0")
DATASTORES = Service("datastores", "history", "/datastore/v1.0")
EXTRAS = Service("aml-magics", "api", "/aml-magics/v1.0")
"""Ours: only a workspace that this package hosts answers here."""
ARM = Service("resource-manager", "api", "")
"""Azure's resource manager: the workspace's resource, and what an account may do there."""
MANAGER = Service("resource-manager", "api", "", is_scoped=False)
"""The same for what is beside the workspace: paths begin at ``/subscriptions``."""
LINK = Service("output", "api", "")
"""An address that holds its own key."""
DISCOVERY = Service("discovery", "api", "")
CLOUDS = Service("clouds", "api", "")
"""Where a cloud describes itself."""


def pause_before_retry(service: Service, status: int, attempt: int, asked: float | None = None) -> float | None:
    """Seconds to wait before attempt number ``attempt + 1`` (the first is 1), or ``None``: take the answer as it is.

    ``status`` 0 stands for a connection that broke before the answer was complete. ``asked`` is the pause that the
    service itself asked for, in seconds.
    """
    pauses = _pauses(service, status)
    if attempt > len(pauses):
        return None
    pause = pauses[attempt - 1]
    if asked is None or status not in (429, 503):
        return pause
    return max(pause, asked) if asked <= LONGEST_PAUSE else None


def _pauses(service: Service, status: int) -> tuple[float, ...]:
    if status == 0:
        return _QUICK
    if status == 429:
        return _PATIENT
    if service is not HISTORY:
        return _QUICK if status == 408 or (status >= 500 and status not in (501, 505)) else ()
    if status in (408, 502, 504):
        return _AT_ONCE
    return _PATIENT if status in (500, 503) else ()
