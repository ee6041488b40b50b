"""What somebody who keeps looking at a workspace needs to know again and again, in as few answers as possible.

A ``Glance`` is cheap and says whether a longer look is worth it; ``Recent`` is what happened last to every schedule
and pipeline at once, which would otherwise take a question for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aml_magics.model.history import Health
from aml_magics.model.resources import Outcome, RunStatus, Step

__all__ = ["Glance", "LastFire", "PastRun", "Recent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """``version`` is another text after anything was written, by any kernel; ``health`` is the engine's."""

    version: str
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFire:
    """The newest fire of a schedule; ``run_status`` is that of its run now, ``None`` when it has none."""

    decided: datetime
    reason: str
    outcome: Outcome
    detail: str = ""
    run_id: str | None = None
    run_status: RunStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One of the newest runs of a pipeline; ``seconds`` is how long it took, ``None`` before it has ended."""

    id: str
    status: RunStatus
    created: datetime
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """``fires`` by schedule, ``runs`` by pipeline (newest first), ``steps`` by run; what has none is not there."""

    fires: Mapping[str, LastFire] = field(default_factory=dict)
    runs: Mapping[str, tuple[PastRun, ...]] = field(default_factory=dict)
    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
