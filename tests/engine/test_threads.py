"""Daemon threads that do work and hold nobody up."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import CancelledError, Future, wait

import pytest

from aml_magics.engine.threads import DaemonThreadPool


@pytest.fixture
def pool():
    made = DaemonThreadPool(3, "test")
    yield made
    made.shutdown()
    assert made.threads == 0


def test_work_is_done_and_its_result_or_error_handed_over(pool):
    assert pool.submit(divmod, 7, 2).result(5) == (3, 1)
    assert pool.submit(int, "f", base=16).result(5) == 15
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(5)
    assert list(pool.map(str, range(20))) == [str(number) for number in range(20)]


def test_there_are_never_more_threads_than_allowed_and_no_more_than_needed(pool):
    assert pool.threads == 0
    for _ in range(5):
        pool.submit(int).result(5)
    assert pool.threads == 1
    gate, running = threading.Event(), threading.Semaphore(0)

    def occupy() -> str:
        running.release()
        gate.wait(10)
        return threading.current_thread().name

    futures = [pool.submit(occupy) for _ in range(10)]
    for _ in range(3):
        assert running.acquire(timeout=5)
    assert pool.threads == 3
    assert sum(future.running() for future in futures) == 3
    gate.set()
    assert len({future.result(5) for future in futures}) <= 3


def test_the_threads_are_daemons_with_a_name(pool):
    thread = pool.submit(threading.current_thread).result(5)
    assert thread.daemon
    assert thread.name == "test-1"


def test_an_idle_thread_ends_and_a_new_one_comes_when_there_is_work():
    pool = DaemonThreadPool(2, "test", idle_seconds=0.01)
    thread = pool.submit(threading.current_thread).result(5)
    thread.join(5)
    assert not thread.is_alive()
    assert pool.threads == 0
    assert pool.submit(int).result(5) == 0
    pool.shutdown()


def test_work_that_comes_just_when_a_thread_ends_is_not_forgotten():
    pool = DaemonThreadPool(1, "test", idle_seconds=0.0005)
    for number in range(300):
        assert pool.submit(lambda number=number: number).result(5) == number
        if number % 3 == 0:
            threading.Event().wait(0.0005)
    pool.shutdown()


def test_after_shutdown_no_work_is_taken_and_what_was_taken_is_done():
    pool = DaemonThreadPool(1, "test")
    gate = threading.Event()
    futures = [pool.submit(gate.wait, 10) for _ in range(3)]
    pool.shutdown(wait=False)
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(int)
    gate.set()
    pool.shutdown()
    assert [future.result(0) for future in futures] == [True] * 3


def test_shutdown_can_cancel_what_has_not_begun():
    pool = DaemonThreadPool(1, "test")
    gate, begun = threading.Event(), threading.Event()

    def occupy() -> None:
        begun.set()
        gate.wait(10)

    first, second = pool.submit(occupy), pool.submit(int)
    assert begun.wait(5)
    pool.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(CancelledError):
        second.result(5)
    assert not first.done()
    gate.set()
    pool.shutdown()
    assert first.done()


def test_a_cancelled_future_is_passed_over(pool):
    gate = threading.Event()
    blockers = [pool.submit(gate.wait, 10) for _ in range(3)]
    ran = []
    cancelled = pool.submit(ran.append, 1)
    assert cancelled.cancel()
    gate.set()
    wait(blockers, 5)
    pool.submit(int).result(5)
    assert ran == []


def test_a_shutdown_from_within_does_not_wait_for_itself(pool):
    pool.submit(pool.shutdown).result(5)


def test_a_future_may_be_used_by_many_threads(pool):
    futures: list[Future] = []

    def submit() -> None:
        futures.extend([pool.submit(lambda number=number: number) for number in range(200)])

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(future.result(5) for future in futures) == 4 * sum(range(200))


def test_an_idle_thread_keeps_nothing_alive(pool):
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    future = pool.submit(lambda thing: thing, thing)
    assert future.result(5) is thing
    del thing, future
    deadline = time.monotonic() + 5
    while not pool._idle and time.monotonic() < deadline:
        gc.collect()
    gc.collect()
    assert gone() is None


def test_a_pool_needs_a_thread():
    with pytest.raises(ValueError, match="at least 1"):
        DaemonThreadPool(0, "test")


def test_when_the_system_has_no_more_threads_the_caller_is_told(monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = DaemonThreadPool(2, "test")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            pool.submit(int)
    assert pool.submit(int).result(5) == 0
    pool.shutdown()


HANGS = """
import threading
from aml_magics.engine.threads import DaemonThreadPool
pool = DaemonThreadPool(2, "hangs")
begun = threading.Event()
pool.submit(lambda: begun.set() or threading.Event().wait())
begun.wait()
print("ending", flush=True)
"""


def test_work_that_hangs_does_not_hold_up_the_exit_of_the_interpreter():
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("ending\n", "")
    assert time.monotonic() - begun < 30
