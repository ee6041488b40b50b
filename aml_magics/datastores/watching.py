"""Wake-ups for a folder, by way of ``watchfiles``.

One daemon thread per watched folder runs ``watchfiles.watch`` and pokes the event loop. It is our own thread rather
than ``awatch`` because that one borrows from a pool of forty, where watchers would starve each other and everything
else.

``watchfiles`` watches inodes, not names: it knows nothing of a folder that is not there yet and keeps looking at one
that was moved away. So while the folder is missing, the nearest folder above it is watched, and a few times a second
the thread compares what it watches with what the name means now, and starts again when they differ. Each start is a
wake-up, because what happened before it went unseen.

The changes themselves are read in the filter that ``watch`` calls for each of them, and none is let through: a change
that is let through is logged at level INFO, which would end in the notebook of anybody who has logging switched on.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles import Change

__all__ = ["watch_folder"]

STEP_MILLISECONDS = (
    20  # how often the thread looks for news: a wake-up comes 1-2 steps late, idle costs 0.3 % of a core
)
RECHECK_SECONDS = 0.5
STOP_SECONDS = 2.0

Identity = tuple[int, int] | None


async def watch_folder(folder: Path, *, recursive: bool, ignored_prefix: str) -> AsyncIterator[None]:
    """Yields when something changed in ``folder``; names that begin with ``ignored_prefix`` do not count.

    Changes that come faster than they are asked for are one. Raises OSError when the system refuses (no watches left).
    """
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    ended: asyncio.Future[None] = loop.create_future()

    def on_loop(action: Callable[[], object]) -> None:
        try:
            loop.call_soon_threadsafe(action)
        except RuntimeError:  # the loop was closed under us: nobody is left to tell
            watcher.stop()

    def run() -> None:
        failure: BaseException | None = None
        try:
            watcher.run()
        except BaseException as error:  # noqa: BLE001 - handed to whoever awaits the changes
            failure = error
        on_loop(lambda: _finish(ended, woken, failure))

    watcher = _Watcher(folder, recursive=recursive, ignored_prefix=ignored_prefix, wake=lambda: on_loop(woken.set))
    thread = threading.Thread(target=run, name=f"aml-watch-{folder.name}", daemon=True)

    def end() -> None:
        watcher.stop()
        thread.join(STOP_SECONDS)

    # Python ends daemon threads in the middle of whatever they do, and compiled code then aborts the process.
    atexit.register(end)
    thread.start()
    try:
        while not ended.done():
            await woken.wait()
            woken.clear()
            if not ended.done():
                yield
        ended.result()
    finally:
        watcher.stop()
        await asyncio.wait((ended,), timeout=STOP_SECONDS)
        if ended.done():
            thread.join(STOP_SECONDS)  # it has nothing left to do
        atexit.unregister(end)


def _finish(ended: asyncio.Future[None], woken: asyncio.Event, failure: BaseException | None) -> None:
    if ended.done():
        return
    if failure is None:
        ended.set_result(None)
    else:
        ended.set_exception(failure)
        ended.exception()  # seen: whoever stops watching does not care any more
    woken.set()


class _Watcher:
    """The thread's side. It is also the ``stop_event`` of ``watch``, which asks ``is_set`` every step."""

    def __init__(self, folder: Path, *, recursive: bool, ignored_prefix: str, wake: Callable[[], object]) -> None:
        self._folder = folder
        self._recursive = recursive
        self._ignored_prefix = ignored_prefix
        self._wake = wake
        self._stopping = threading.Event()
        self._target = folder
        self._identity: Identity = None
        self._started = self._replaced = False
        self._recheck_at = 0.0

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        from watchfiles import watch  # noqa: PLC0415 - loads a compiled module, only where it is used

        while not self._stopping.is_set():
            self._target, self._identity = _nearest(self._folder)
            self._started = self._replaced = False
            try:
                for _ in watch(
                    self._target,
                    watch_filter=self._see,
                    step=STEP_MILLISECONDS,
                    debounce=5 * STEP_MILLISECONDS,
                    rust_timeout=0,
                    stop_event=self,
                    raise_interrupt=False,
                    recursive=self._recursive and self._target == self._folder,
                    ignore_permission_denied=True,
                    debug=False,
                ):
                    pass
            except FileNotFoundError:
                continue  # it went between our look and the watch

    def is_set(self) -> bool:
        if self._stopping.is_set():
            return True
        if not self._started:
            self._started = True
            self._recheck_at = time.monotonic() + RECHECK_SECONDS
            self._wake()
        elif time.monotonic() >= self._recheck_at:
            self._recheck_at = time.monotonic() + RECHECK_SECONDS
            return self._replaced or _nearest(self._folder) != (self._target, self._identity)
        return False

    def _see(self, change: Change, path: str) -> bool:
        del change
        if self._target != self._folder:
            self._recheck_at = 0.0
        elif path == str(self._folder):
            self._replaced = True  # removed, and perhaps made again with the same inode
            self._recheck_at = 0.0
        elif not os.path.basename(path).startswith(self._ignored_prefix):  # noqa: PTH119 - called for every change
            self._wake()
        return False


def _nearest(folder: Path) -> tuple[Path, Identity]:
    """The folder, or the nearest one above it that is there, with what tells it from a later one of the same name."""
    for place in (folder, *folder.parents):
        try:
            status = place.stat()
        except OSError:
            continue
        return place, (status.st_dev, status.st_ino)
    return folder, None
