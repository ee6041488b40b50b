"""What hosts triggers beside the workspace, as frozen values: Logic Apps and the pipelines of data factories.

One vocabulary for both hosts. A ``HostedTrigger`` is what the list of schedules shows of them; a ``Check`` is one look
of a trigger, fired or not, with the reason; a ``HostedRun`` is one run of the Logic App or of the Data Factory
pipeline, which in turn may start a run of the workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aml_magics.model.resources import Host, Status

__all__ = ["Check", "Factory", "FactoryPipeline", "HostedRun", "HostedTrigger", "LogicApp", "PlannedChange", "Work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicApp:
    """A workflow. ``id`` is its path below the resource manager; ``triggers`` are described in words, by name.

    ``principal`` is the object id of its identity, ``starts`` what its actions start: addresses of pipelines.
    """

    id: str
    name: str
    status: Status
    location: str = ""
    triggers: Mapping[str, str] = field(default_factory=dict)
    starts: tuple[str, ...] = ()
    submits: tuple[str, ...] = ()  # the names of the actions that do
    principal: str = ""
    created: datetime | None = None
    changed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """A data factory."""

    id: str
    name: str
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryPipeline:
    """A pipeline of a data factory. ``parameters`` are types by name, ``defaults`` the values of those that have one.

    ``starts`` is what it starts in the workspace: ids of pipelines and addresses.
    """

    id: str
    name: str
    factory: str
    description: str = ""
    activities: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedTrigger:
    """A trigger of a host that is no workspace.

    ``name`` is the Logic App's, or that of a trigger of a data factory; ``owner`` is the Logic App, or the factory.
    ``pipelines`` are those of the data factory, ``starts`` what is started in the workspace in the end.
    """

    id: str
    name: str
    host: Host
    owner: str
    status: Status
    trigger: str = ""
    pipelines: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    next_fire: datetime | None = None
    created: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look of a trigger: ``fired`` or not, and why. ``run_id`` is the host's run, ``ml_run_id`` the workspace's."""

    at: datetime | None
    trigger: str
    status: str
    fired: bool
    code: str = ""
    reason: str = ""
    run_id: str = ""
    ml_run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedRun:
    """One run of a Logic App or of a Data Factory pipeline."""

    id: str
    name: str
    status: str
    trigger: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    code: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One action of a run of a Logic App, or one activity of a run of a Data Factory pipeline.

    ``ml_run_id`` is the run of the workspace that it started, where its output tells.
    """

    name: str
    kind: str
    status: str
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    ml_run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """What a deployment would do to one resource: ``change`` is Create, Modify, NoChange, ..."""

    name: str
    kind: str
    change: str
    differences: tuple[str, ...] = ()
    id: str = ""
