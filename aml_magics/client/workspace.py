"""The synchronous face of a workspace: what scripts and notebooks hold.

A ``Workspace`` and its collections are thin: each method hands one coroutine to the thread on which the client lives,
and waits. An interrupt (Ctrl-C, Kernel > Interrupt) cancels that coroutine. Showing a workspace asks nothing of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakValueDictionary

from aml_magics.client.collections import Datastores, Experiments
from aml_magics.client.connection import Call, Connection, Spawn
from aml_magics.client.data_factories import DataFactories
from aml_magics.client.hosts import see_beside
from aml_magics.client.logic_apps import LogicApps
from aml_magics.client.pipelines import Pipelines
from aml_magics.client.runs import Runs
from aml_magics.client.schedules import Schedules
from aml_magics.model.errors import InvalidInput, NotConnected
from aml_magics.wire.v1 import EMBEDDED_SCOPE

if TYPE_CHECKING:
    from aml_magics.client.arm import Manager
    from aml_magics.client.hosts import Beside
    from aml_magics.client.v1 import WorkspaceClient

__all__ = ["Workspace", "open_embedded"]

T = TypeVar("T")


class Workspace:
    """One open workspace.

    ``name`` is its own, ``location`` says where it is: the folder of one that is embedded in this process, or a URL.
    ``about`` has what else there is to say of one on Azure: subscription, resource group, region, cloud, identity.
    Get one from ``aml_magics.connect()``.

    >>> ws = aml_magics.connect()
    >>> ws.pipelines.publish(source="print('training')", name="train")
    >>> run = ws.pipelines.submit("train")
    >>> ws.runs.wait(run.id).status
    """

    def __init__(
        self,
        client: WorkspaceClient,
        call: Call,
        *,
        name: str,
        location: str,
        about: Mapping[str, str] | None = None,
        close: Callable[[], object] | None = None,
        spawn: Spawn | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        manager: Manager | None = None,
    ) -> None:
        self.name = name
        self.location = location
        self.about = MappingProxyType(dict(about or {}))
        self._connection = Connection(client, call, location, sleep=sleep, monotonic=monotonic, spawn=spawn)
        self._close = close
        self._manager = manager
        self._panels: WeakValueDictionary[tuple[object, ...], Any] = WeakValueDictionary()
        self.experiments = Experiments(self._connection)
        self.datastores = Datastores(self._connection)
        self.pipelines = Pipelines(self._connection)
        self.schedules = Schedules(self._connection)
        self.runs = Runs(self._connection)

    def __repr__(self) -> str:
        closed = ", closed" if self._connection.is_closed else ""
        return f"<Workspace {self.name!r} at {self.location}{closed}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def is_here(self) -> bool:
        """Whether it is embedded in this process, with its files and running steps."""
        return "://" not in self.location

    @property
    def is_embedded(self) -> bool:
        """Whether this package is at the other end: it hosts triggers, and has files and history to show."""
        return self._connection.client.is_embedded

    @property
    def is_on_azure(self) -> bool:
        """Whether there is a resource manager beside it, and with it Logic Apps and data factories."""
        return self._manager is not None

    @property
    def logic_apps(self) -> LogicApps:
        """The Logic Apps beside it. Raises ``InvalidInput`` for a workspace that is not on Azure."""
        return LogicApps(self._connection, self._beside("Logic Apps", "logic-app"))

    @property
    def data_factories(self) -> DataFactories:
        """The data factories beside it. Raises ``InvalidInput`` for a workspace that is not on Azure."""
        return DataFactories(self._connection, self._beside("data factories", "data-factory"))

    def beside(self, groups: Sequence[str] = (), *, seconds: float = 5.0) -> Future[Beside]:
        """What fires pipelines from beside it, as it is asked for now: Logic Apps and triggers of data factories.

        Those of its own resource group and of ``groups``. It takes ``seconds`` at most, and what could not be seen is
        told in its ``problem``. Raises ``InvalidInput`` for a workspace that is not on Azure.
        """
        manager = self._beside("Logic Apps and data factories", "logic-app")
        return self.spawn(lambda _client: see_beside(manager, groups, seconds))

    def _beside(self, what: str, noun: str) -> Manager:
        if self._manager is None:
            message = f"{what} are on Azure, and this workspace is not"
            hint = f"Connect to one there with %aml connect --config config.json, or try it here: %aml {noun} run NAME."
            raise InvalidInput(message, hint=hint)
        return self._manager

    def status(self) -> Mapping[str, Any]:
        """How the workspace and its engine do: schedules, lateness of fires, the last errors. Read-only.

        Raises ``InvalidInput`` for a workspace of Azure, which does not tell.
        """
        return MappingProxyType(self._connection.run(self._connection.client.status()))

    @property
    def is_closed(self) -> bool:
        return self._connection.is_closed

    def panel(self, name: str = "overview", **options: Any) -> Any:  # noqa: ANN401 - a panel: of a room above this one
        """A live table to show in a notebook: ``overview``, ``pipelines``, ``schedules``, ``runs`` or ``datastores``.

        ``panel.frame`` is the data shown, ``panel.selected`` what is selected in it. The same panel is given as long as
        it is there. ``limit=`` is how many of the newest runs the one of runs has. Raises ``InvalidInput`` with the
        nearest name.

        >>> ws.panel("schedules")
        """
        # The notebook's room lies above: nothing here may import it, so it is found by its name, as an extension is.
        opening = import_module("aml_magics.notebook.panels.opening")
        return opening.open_panel(self, name, panels=self._panels, **options)

    def ask(self, work: Callable[[WorkspaceClient], Coroutine[Any, Any, T]]) -> T:
        """The result of ``work(client)``, which runs where the client lives; an interrupt cancels it.

        For what puts several questions as one. Raises ``NotConnected`` when the workspace is closed.
        """
        return self._connection.run(work(self._connection.client))

    def spawn(self, work: Callable[[WorkspaceClient], Coroutine[Any, Any, T]]) -> Future[T]:
        """Start ``work(client)`` and return at once; cancelling the future cancels it. Raises as ``ask``."""
        return self._connection.start(work)

    async def leave(self) -> None:
        """On the loop thread, for whoever owns it: end what ``spawn`` started, and close the client."""
        await self._connection.leave()

    def close(self) -> None:
        """Close the workspace; everything that asks it afterwards raises ``NotConnected``. Closing twice is harmless.

        What is embedded in this process is stopped: no schedule fires until it is opened again.
        """
        if self._connection.is_closed:
            return
        try:
            with suppress(NotConnected):  # what it ran on is stopped already
                self._connection.run(self._connection.leave())
        finally:
            self._connection.is_closed = True
            if self._close is not None:
                self._close()


def open_embedded(
    app: Callable[..., Awaitable[None]],
    call: Call,
    *,
    location: str,
    name: str = "embedded",
    scope: str = EMBEDDED_SCOPE,
    spawn: Spawn | None = None,
    close: Callable[[], object] | None = None,
) -> Workspace:
    """The workspace behind an ASGI app in this process. ``call`` runs coroutines on the loop on which the app lives.

    ``spawn`` starts some there without waiting for them; without it there are no panels.

    ``close`` is called once, when the workspace is closed, and ends what ``call`` runs on.
    """
    # httpx takes a fifth of a second to import; importing this module does not.
    from aml_magics.client.transport import Transport  # noqa: PLC0415
    from aml_magics.client.v1 import WorkspaceClient  # noqa: PLC0415

    client = WorkspaceClient(Transport.for_app(app, scope=scope), is_embedded=True)
    return Workspace(client, call, name=name, location=location, close=close, spawn=spawn)
