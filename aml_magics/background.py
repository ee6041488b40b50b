"""One daemon thread with its own event loop: where everything asynchronous lives.

A notebook's own loop does not turn while a cell computes or sleeps; a thread's loop does. So the client, the engine and
the embedded workspace live here, and whoever is on another thread hands a coroutine over and waits.

Who owns it: the session makes one per shell and stops it. If nobody does, an ``atexit`` hook does, bounded in time. The
thread is a daemon, because the interpreter joins other threads before it runs ``atexit`` hooks: a non-daemon loop would
never be told to stop.

Every coroutine starts from an empty ``contextvars.Context``. A notebook kernel keeps "the cell that is running" in
context variables, and a task that inherits them prints into that cell for the rest of its life. This holds for ``call``
too: a call may itself start tasks that live on.

Whoever waits in ``call`` may want to show that it does: ``beating`` gives it something to do in between, on the waiting
thread, since only that one may touch the output of the cell that runs.

Nothing here prints or logs. What a spawned task or a loop callback died of is kept in ``failures``, newest last.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextvars
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

__all__ = ["Background", "Stopped", "beating"]

T = TypeVar("T")

_KEPT_FAILURES = 20
_BEAT_SECONDS = 0.25
_BEAT: contextvars.ContextVar[Callable[[], object] | None] = contextvars.ContextVar("beat", default=None)


class Stopped(RuntimeError):
    """The loop is stopped, or belongs to the process before a fork: nothing can be handed over any more."""


@contextmanager
def beating(beat: Callable[[], object]) -> Iterator[None]:
    """Within the block, ``Background.call`` calls ``beat`` four times a second while it waits, on the waiting thread.

    What ``beat`` raises ends the wait, and cancels what is waited for, as an interrupt does.
    """
    former = _BEAT.set(beat)
    try:
        yield
    finally:
        _BEAT.reset(former)


class _Handover(Generic[T]):
    """A coroutine on its way to the loop. An interrupt may come at any moment, also before anybody has its future."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._task: asyncio.Task[Any] | None = None
        self.is_abandoned = False

    async def run(self) -> T:
        self._task = asyncio.current_task()
        if self.is_abandoned:
            self._coroutine.close()
            raise asyncio.CancelledError
        return await self._coroutine

    def cancel(self) -> None:
        """On the loop. A task that has not begun yet finds out by itself."""
        if self._task is not None:
            self._task.cancel()


class Background:
    """A daemon thread that runs an event loop from construction until ``stop``.

    It does not survive a fork: in the child there is no such thread, so ``call`` and ``spawn`` raise ``Stopped`` there
    instead of waiting for ever, and ``stop`` does nothing.

    Example::

        background = Background()
        background.call(asyncio.sleep(0, "done"))   # "done"
        background.stop()
    """

    def __init__(self, name: str = "aml-magics") -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._stopped = False
        self._failures: deque[BaseException] = deque(maxlen=_KEPT_FAILURES)
        self._grace = 1.0
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._keep)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # a platform without threads
            self._loop.close()
            raise
        atexit.register(self.stop)

    def __repr__(self) -> str:
        return f"<Background {self._thread.name!r}: {'running' if self.running else 'stopped'}>"

    @property
    def running(self) -> bool:
        """Whether coroutines can be handed over, from this process."""
        return not self._stopped and self._pid == os.getpid()

    @property
    def failures(self) -> tuple[BaseException, ...]:
        """The last few exceptions that ended a spawned task or a loop callback and that nobody waited for."""
        return tuple(self._failures)

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start a long-lived task and return at once. From any thread, the loop's own included.

        The future answers with the task's result; cancelling it cancels the task. Raises ``Stopped`` when stopped.
        """
        future = self._submit(coroutine)
        future.add_done_callback(self._note_end)
        return future

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine on the loop and wait for its result; what it raises is raised here.

        When the waiting thread is interrupted (``KeyboardInterrupt``) or ``timeout`` seconds pass
        (``TimeoutError``), the coroutine is cancelled and the exception goes on. On the loop's own thread this
        would wait for itself, so it raises ``RuntimeError`` there. Raises ``Stopped`` (a ``RuntimeError``) when the
        loop is stopped, before or during the wait.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            message = "Background.call would wait for itself: this is the loop's own thread, use await"
            raise RuntimeError(message)
        handover = _Handover(coroutine)
        try:
            return _waited_for(self._submit(handover.run()), timeout)
        except Stopped:
            coroutine.close()
            raise
        except concurrent.futures.CancelledError:
            if self._stopped:
                message = "the background loop was stopped during this call"
                raise Stopped(message) from None
            raise
        except BaseException:  # KeyboardInterrupt above all; harmless when the coroutine itself has raised
            handover.is_abandoned = True
            with suppress(RuntimeError):  # the loop is closed: nothing runs on it any more
                self._loop.call_soon_threadsafe(handover.cancel)
            raise

    def stop(self, timeout: float = 1.0) -> None:
        """Cancel all tasks, stop the loop and wait for the thread, ``timeout`` seconds at most. Twice is fine.

        Tasks get half of the time to finish their clean-up; one that does not is left behind with the daemon thread.
        """
        atexit.unregister(self.stop)
        if self._pid != os.getpid():
            return
        with self._lock:
            first = not self._stopped
            self._stopped = True
            self._grace = timeout / 2 if first else self._grace
            if first:
                self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        # The lock orders this against stop(): what is handed over before it is run and cancelled, never forgotten.
        # A forked child must not touch it: another thread may have held it at the fork.
        if self._pid != os.getpid():
            coroutine.close()
            message = "this background loop belongs to the process before the fork: make a new one"
            raise Stopped(message)
        with self._lock:
            if self._stopped:
                coroutine.close()
                message = "the background loop is stopped"
                raise Stopped(message)
            empty = contextvars.Context()
            return empty.run(asyncio.run_coroutine_threadsafe, coroutine, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._wind_up())
        finally:
            self._loop.close()

    async def _wind_up(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=self._grace)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._loop.shutdown_asyncgens(), self._grace)

    def _note_end(self, future: concurrent.futures.Future[Any]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._failures.append(error)

    def _keep(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._failures.append(context.get("exception") or RuntimeError(str(context.get("message"))))


def _waited_for(future: concurrent.futures.Future[T], timeout: float | None) -> T:
    """The result; TimeoutError when it takes longer than ``timeout`` seconds."""
    beat = _BEAT.get()
    if beat is None:
        return future.result(timeout)
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = _BEAT_SECONDS if end is None else min(_BEAT_SECONDS, max(0.0, end - time.monotonic()))
        try:
            return future.result(left)
        except TimeoutError:
            if future.done():  # it is the coroutine's own one, or the end came in this very moment
                return future.result()
            if end is not None and time.monotonic() >= end:
                raise
        beat()
