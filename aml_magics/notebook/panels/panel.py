"""``Panel``: a live table of what a workspace holds or does, the same from Python and from the browser.

Who does what: the panel belongs to whoever holds it, and its workspace only remembers it weakly. What it shows is made
on the workspace's loop thread (the questions) and on a thread of its own (the DataFrame and the messages to the
browser), so neither a cell that runs nor a large table holds anything up. Handlers of the table run in any thread and
only hand work over. What goes wrong appears in the table's error strip.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from importlib.util import find_spec
from typing import TYPE_CHECKING

from IPython.display import display

from aml_magics.engine.threads import DaemonThreadPool
from aml_magics.notebook.panels.frames import Viewer
from aml_magics.notebook.panels.live import Pace, footer, keep_fresh, pace_of
from aml_magics.notebook.panels.open_row import OpenRow
from aml_magics.notebook.panels.trouble import Trouble
from aml_magics.notebook.present import html_lines, printable
from aml_magics.notebook.timeline.live import Timeline
from aml_magics.notebook.timeline.snapshot import snapshot_of
from aml_magics.notebook.widgets.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.client.workspace import Workspace
    from aml_magics.engine.clock import Clock
    from aml_magics.model.glance import Glance
    from aml_magics.notebook.panels.details import Opened
    from aml_magics.notebook.panels.kinds import Kind
    from aml_magics.notebook.panels.seen import Seen
    from aml_magics.notebook.timeline.snapshot import Snapshot

__all__ = ["Panel"]

_TICK = 5.0  # seconds after which the footer is said anew when nothing else is
_MOVING = 2.0  # seconds after which the time so far of a run that goes on is said anew
_WORKER_IDLE = 2.0
_CLOSED = "the workspace was closed"
_MISSING = "The live table needs anywidget: pip install anywidget, then restart the kernel."


class Panel:
    """``frame`` is the data shown, ``selected`` what is selected of it; ``sort`` and ``filter`` can be set.

    ``limit`` is how many of the newest things are asked for, ``below`` are panels that are displayed after it. Raises
    what the workspace raises when it is asked for the first time; nothing is left behind then.
    """

    def __init__(
        self,
        workspace: Workspace,
        kind: Kind,
        *,
        zone: tzinfo,
        clock: Clock,
        limit: int,
        below: Sequence[Panel] = (),
        pace: Pace | None = None,
    ) -> None:
        self.zone = zone
        self.kind = kind
        self.below = tuple(below)
        self.notes: tuple[str, ...] = ()
        self.is_closed = False
        self._workspace = workspace
        self._clock = clock
        self._limit = limit
        self._pace = pace or pace_of(workspace)
        self._handing = threading.Lock()
        self._row: Future[None] | None = None
        self._seen: Seen = workspace.ask(self._see)
        self._as_of = self._said = self._renewed = clock.now()
        self.table = self._make_table()
        self._trouble = Trouble(self.table)
        self.timeline = Timeline(self._over_time(self._seen)) if kind.has_timeline else None
        self._renewing = asyncio.Lock()
        self._worker = DaemonThreadPool(1, f"aml-panel-{kind.name}", idle_seconds=_WORKER_IDLE)
        find, pace = weakref.ref(self), self._pace  # nothing that lives on may hold the panel
        self._life = workspace.spawn(lambda client: keep_fresh(find, client, clock, pace))

    def __repr__(self) -> str:
        return f"<Panel {self.kind.name}: {self.table!r}>"

    # What it shows

    @property
    def frame(self) -> pd.DataFrame:
        """The data shown: filtered, and in the order shown."""
        return self.table.frame

    @property
    def selected(self) -> pd.DataFrame:
        """The selected rows."""
        return self.table.selected

    @property
    def sort(self) -> tuple[str, bool] | None:
        """(column, ascending). Settable."""
        return self.table.sort

    @sort.setter
    def sort(self, sort: tuple[str, bool] | None) -> None:
        self.table.sort = sort

    @property
    def filter(self) -> str:
        """Words that must all occur in a row for it to be shown. Settable."""
        return self.table.filter

    @filter.setter  # noqa: A003 - it is the property
    def filter(self, text: str) -> None:
        self.table.filter = text

    def refresh(self) -> None:
        """Look now, and wait for it. Raises what the workspace raises."""
        self._workspace.ask(self.renew)

    def add_notes(self, notes: Iterable[str]) -> None:
        """Say more above the table when it is displayed."""
        self.notes = (*self.notes, *notes)

    def close(self) -> None:
        """Look no more, and take the live table away; the data stays readable. Twice is harmless."""
        self.is_closed = True  # the table calls this too, when it is the one that was closed
        self._life.cancel()
        self._end_row()
        self._worker.shutdown(wait=False)
        self.table.close()
        if self.timeline is not None:
            self.timeline.close()

    def _ipython_display_(self) -> None:
        notes = (*self.notes, *(() if find_spec("anywidget") else (_MISSING,)))
        if notes:
            text = "\n".join(map(printable, notes))
            display({"text/html": html_lines(notes), "text/plain": text}, raw=True)  # type: ignore[no-untyped-call]
            self.notes = ()
        self.table._ipython_display_()
        if self.timeline is not None:
            self.timeline._ipython_display_()
        for panel in self.below:
            panel._ipython_display_()

    # What a person does: from any thread

    def act(self, action: str, key: str) -> Future[None]:
        """Start what a button says; the future is done when the table shows it. Raises ``NotConnected``."""
        return self._workspace.spawn(lambda client: self._change(client, action, key))

    def open(self, key: str) -> None:
        """Find out about a row and show it below, for as long as it is open."""
        self._end_row()
        with self._handing:
            self._row = self._workspace.spawn(lambda client: self._stay_with(client, key))

    def shut(self) -> None:
        """The row was closed."""
        self._end_row()

    # What keeps it fresh: on the loop thread

    def wants(self, glance: Glance | None) -> bool:
        """Whether there is anything new."""
        if glance is None or self._seen.glance is None or glance.version != self._seen.glance.version:
            return True
        return self._seen.is_moving and self._clock.now() - self._renewed >= _MOVING

    async def renew(self, client: WorkspaceClient) -> None:
        """Look and show it; whoever comes meanwhile waits for a look of his own."""
        async with self._renewing:
            seen = await self._see(client)
            self._as_of = self._said = self._renewed = self._clock.now()
            await asyncio.wrap_future(self._worker.submit(self._show, seen))
            self._seen = seen
        self._trouble.is_over()

    def tick(self, glance: Glance | None) -> None:
        """Nothing is new, and that is as of now."""
        now = self._clock.now()
        self._as_of = now
        if now - self._said >= _TICK:
            self._said = now
            self.table.footer = footer(now, now, glance.health if glance else None, self.zone)
            if self.timeline is not None and self.timeline.is_stale(self._viewer().now):
                self._worker.submit(self._draw, self._seen)

    def fail(self, error: Exception) -> None:
        """What is shown could not be renewed."""
        self._trouble.say(error)
        self.table.footer = f"{footer(self._as_of, self._as_of, None, self.zone)}; it could not be renewed since"

    def leave(self) -> None:
        """The workspace is gone: say so, and look alive no more."""
        self.is_closed = True
        self._worker.shutdown(wait=False, cancel_futures=True)
        with suppress(Exception):  # the kernel may be going, too
            if self.timeline is not None:
                self.timeline.leave(_CLOSED)
            self.table.footer = f"{_CLOSED}; this is {footer(self._as_of, self._as_of, None, self.zone)}"

    # Behind them

    async def _see(self, client: WorkspaceClient) -> Seen:
        return await self.kind.see(client, self._limit)

    def _make_table(self) -> Table:
        kind = self.kind
        return Table(
            kind.frame(self._seen, self._viewer()),
            columns=kind.columns,
            key=kind.key,
            actions=kind.actions,
            on_action=self.act if kind.change else None,
            on_open=self.open if kind.open else None,
            on_shut=self.shut,
            on_close=self.close,
            named=kind.named,
            label=kind.name.capitalize(),
            noun=kind.noun,
            height=kind.height,
            empty=f"no {kind.noun}s",
            footer=self._footer(self._seen),
        )

    def _show(self, seen: Seen) -> None:
        self.table.update(self.kind.frame(seen, self._viewer()), footer=self._footer(seen))
        self._draw(seen)

    def _draw(self, seen: Seen) -> None:
        if self.timeline is not None:
            self.timeline.update(self._over_time(seen))

    def _over_time(self, seen: Seen) -> Snapshot:
        viewer = self._viewer()
        return snapshot_of(seen.schedules, seen.runs, limit=self._limit, now=viewer.now, zone=viewer.zone)

    def _footer(self, seen: Seen) -> str:
        return footer(self._as_of, self._as_of, seen.glance.health if seen.glance else None, self.zone)

    def _viewer(self) -> Viewer:
        return Viewer(self.zone, datetime.fromtimestamp(self._clock.now(), UTC))

    async def _change(self, client: WorkspaceClient, action: str, key: str) -> None:
        if self.kind.change is not None:
            await self.kind.change(client, action, key)
            await self.renew(client)

    def _end_row(self) -> None:
        with self._handing:
            row, self._row = self._row, None
        if row is not None:
            row.cancel()

    async def _stay_with(self, client: WorkspaceClient, key: str) -> None:
        try:
            await OpenRow(self.table, key, self._find_out, pace=self._pace).stay(client, self._clock)
        except Exception as error:  # noqa: BLE001 - nobody else would say it
            self.table.error = error

    async def _find_out(self, client: WorkspaceClient, key: str) -> Opened:
        if self.kind.open is None:
            raise RuntimeError("rows of this panel do not open")
        return await self.kind.open(client, self._viewer(), key)
