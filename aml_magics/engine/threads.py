"""Threads that never hold up the exit of the interpreter.

The threads of ``concurrent.futures.ThreadPoolExecutor`` are joined when Python exits: one listing that hangs on a dead
network share would hang the kernel's shutdown until it is killed, and with it every other clean-up. These are daemon
threads. They start when there is work and end after a while without any.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple, ParamSpec, TypeVar

__all__ = ["DaemonThreadPool"]

P = ParamSpec("P")
T = TypeVar("T")


class _Job(NamedTuple):
    future: Future[Any]
    call: Callable[[], Any]

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call()
        except BaseException as error:  # noqa: BLE001 - whoever holds the future decides
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class DaemonThreadPool(Executor):
    """At most ``max_workers`` daemon threads; one that was idle for ``idle_seconds`` ends."""

    def __init__(self, max_workers: int, name: str, *, idle_seconds: float = 10.0) -> None:
        if max_workers < 1:
            raise ValueError(f"max_workers must be at least 1, not {max_workers}")
        self._max_workers = max_workers
        self._name = name
        self._idle_seconds = idle_seconds
        self._jobs: deque[_Job] = deque()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._started = 0
        self._closed = False
        self._changed = threading.Condition()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn(*args, **kwargs)`` in a thread. RuntimeError after ``shutdown``."""
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError(f"the thread pool {self._name!r} was shut down")
            self._jobs.append(_Job(future, lambda: fn(*args, **kwargs)))
            if len(self._jobs) > self._idle and len(self._threads) < self._max_workers:
                self._start_thread()
            else:
                self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; finish what was submitted, or cancel what has not begun."""
        with self._changed:
            self._closed = True
            dropped = list(self._jobs) if cancel_futures else []
            if cancel_futures:
                self._jobs.clear()
            self._changed.notify_all()
            threads = list(self._threads)
        for job in dropped:
            job.future.cancel()
        if wait:
            for thread in threads:
                if thread is not threading.current_thread():
                    thread.join()

    @property
    def threads(self) -> int:
        """How many threads there are now."""
        return len(self._threads)

    def _start_thread(self) -> None:
        self._started += 1
        thread = threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads: those that are there do the work, or nobody can
            self._threads.discard(thread)
            if not self._threads:
                self._jobs.pop()
                raise

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            job.run()
            del job  # or it would keep its result alive while this thread is idle

    def _next_job(self) -> _Job | None:
        """The next job, or ``None`` when this thread is to end; it is then no longer one of the pool's."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._jobs or self._closed, self._idle_seconds)
            self._idle -= 1
            if self._jobs:
                return self._jobs.popleft()
            self._threads.discard(threading.current_thread())
            return None
