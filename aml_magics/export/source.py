"""What is exported: a schedule with everything that Azure must be told about it, and the finished export.

A ``Source`` is a schedule and the facts around it that a template needs: where the workspace is, where the data is,
what the pipeline's address is. What is not known (a workspace that is embedded has no subscription) is empty, and
becomes a parameter of the template without a value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import DataPath, Datastore, Schedule
from aml_magics.model.triggers import DatastoreChange
from aml_magics.wire.casing import Json

__all__ = ["AZURE", "Conditions", "Export", "Place", "Source", "Window", "text_of"]

AZURE = "https://management.azure.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a workspace is on Azure. ``manager`` is the URL of the cloud's resource manager, without a last ``/``."""

    subscription: str = ""
    resource_group: str = ""
    workspace: str = ""
    region: str = ""
    manager: str = AZURE

    @property
    def audience(self) -> str:
        """Whom a token for the resource manager is made out to; the ``/`` at the end belongs to it."""
        return f"{self.manager}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From ``begin`` until before ``end`` (minutes of the day, over midnight when ``end`` is not later) on ``days``.

    ``time_zone`` is a Windows name; ``days`` are English, none means all of them.
    """

    begin: int = 0
    end: int = 24 * 60
    days: tuple[str, ...] = ()
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What schedules of v1 cannot ask for.

    ``folders`` are watched instead of the trigger's own. ``after`` names a pipeline whose newest run must have
    succeeded, ``after_runs`` is where its runs are listed. ``concurrency`` is how many runs of the workflow there may
    be at a time.
    """

    folders: tuple[str, ...] = ()
    window: Window | None = None
    after: str = ""
    after_runs: str = ""
    concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """``url`` is where a submission to ``target`` (a name) is POSTed; ``datastore`` is set for a change trigger.

    ``is_embedded`` says that the addresses and names are those of a workspace embedded in a kernel: good for running
    the definition there, no values for Azure. ``factory`` and what follows it are for Data Factory.
    """

    schedule: Schedule
    url: str
    place: Place = field(default_factory=Place)
    datastore: Datastore | None = None
    is_embedded: bool = False
    conditions: Conditions = field(default_factory=Conditions)
    target: str = ""
    factory: str = ""
    endpoint_version: str = ""
    batch_endpoint: str = ""

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of the datastore that are watched; ``""`` is the container's root."""
        trigger = self.schedule.trigger
        own = (trigger.path_on_datastore,) if isinstance(trigger, DatastoreChange) else ()
        return self.conditions.folders or own

    @property
    def fixed_paths(self) -> Mapping[str, DataPath]:
        """The data paths that no change fills in."""
        trigger = self.schedule.trigger
        filled = trigger.data_path_parameter_name if isinstance(trigger, DatastoreChange) else None
        return {name: path for name, path in self.schedule.data_paths.items() if name != filled}

    @property
    def account(self) -> str:
        """The storage account on Azure; empty when it is not known, or when it is an emulator's."""
        found = self.datastore.account if self.datastore else None
        url = (self.datastore.url or "") if self.datastore else ""
        return "" if not found or url.startswith("http://") else found

    @property
    def container(self) -> str:
        """The container; empty for a datastore that is a folder of a machine."""
        return (self.datastore.container or "") if self.datastore else ""

    def change(self) -> DatastoreChange:
        """The trigger of a change schedule. InvalidInput for a schedule by time."""
        trigger = self.schedule.trigger
        if not isinstance(trigger, DatastoreChange):
            message = f"{self.schedule.name!r} does not watch a datastore"
            raise InvalidInput(message, hint="Add datastore: workspaceblobstore.")
        return trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A folder's worth of files. ``differences`` has a text for each thing that is lost or other than in the schedule.

    ``unknown`` are the template's parameters that have no value yet; ``commands`` are pairs of what for, and the line.
    """

    kind: str
    name: str
    template: Json
    parameters: Json
    roles: Json
    differences: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    readme: str = ""

    def files(self) -> dict[str, str]:
        """The texts of the files by their names."""
        return {
            "template.json": text_of(self.template),
            "parameters.json": text_of(self.parameters),
            "roles.json": text_of(self.roles),
            "README.md": self.readme,
        }


def text_of(value: object) -> str:
    """JSON for people: two spaces, letters as they are, a line break at the end."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
