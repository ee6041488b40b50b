"""One opened row: what there is of it, shown anew whenever something was written, and the log of its run as it grows.

It stays as long as the row is the open one. Where nobody tells that something was written (on Azure), it ends with the
run whose log it follows, or at once when there is none. A service that fails is a trouble that may pass: it is said,
and the row is looked at again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from aml_magics.client.following import Follower
from aml_magics.model.errors import ServiceError
from aml_magics.notebook.panels.live import AFTER_FAILURE
from aml_magics.notebook.panels.trouble import Trouble

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.engine.clock import Clock
    from aml_magics.notebook.panels.details import Opened
    from aml_magics.notebook.panels.live import Pace
    from aml_magics.notebook.widgets.table import Table

__all__ = ["OpenRow"]


class OpenRow:
    """The row ``key`` of ``table``; ``find_out`` asks for what there is of it. All of it is on the loop thread."""

    def __init__(
        self, table: Table, key: str, find_out: Callable[[WorkspaceClient, str], Awaitable[Opened]], *, pace: Pace
    ) -> None:
        self._table = table
        self._key = key
        self._find_out = find_out
        self._pace = pace
        self._version: str | None = None
        self._run_id = ""
        self._follower: Follower | None = None
        self._trouble = Trouble(table)

    async def stay(self, client: WorkspaceClient, clock: Clock) -> None:
        """Until another row is opened, this one is closed, or nothing more can come."""
        while self._table.opened == self._key:
            begun = clock.now()
            try:
                has_more = await self._turn(client)
            except ServiceError as error:
                self._version = None  # what it was to show was not shown
                self._trouble.say(error)
                await clock.sleep(max(self._pace.pause, AFTER_FAILURE))
                continue
            self._trouble.is_over()
            if not has_more:
                return
            await clock.sleep(self._pace.rest(clock.now() - begun))

    async def _turn(self, client: WorkspaceClient) -> bool:
        """Whether there may be more to come."""
        if await self._has_news(client):
            await self._show(client)
        if self._is_following:
            await self._grow(client)
        return self._pace.glances or self._is_following

    @property
    def _is_following(self) -> bool:
        return self._follower is not None and not self._follower.has_ended

    async def _has_news(self, client: WorkspaceClient) -> bool:
        known = self._version
        self._version = (await client.glance()).version if self._pace.glances else ""
        return self._version != known

    async def _show(self, client: WorkspaceClient) -> None:
        opened = await self._find_out(client, self._key)
        log = self._table.log
        if opened.run is not None and opened.run.id != self._run_id:
            self._run_id, self._follower, log = opened.run.id, Follower(client, opened.run, None), ""
        self._table.detail = replace(opened.detail, log=log) if self._follower is not None else opened.detail

    async def _grow(self, client: WorkspaceClient) -> None:
        if self._follower is None:
            return
        if text := await self._follower.look():
            self._table.append_log(text, self._key)
        if self._follower.has_ended and not self._pace.glances:
            await self._show(client)  # how it ended; elsewhere that is news
