"""What ``Background`` promises: one thread, nothing leaks, interrupts cancel, stopping is bounded."""

import asyncio
import atexit
import concurrent.futures
import contextvars
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from aml_magics.background import Background, Stopped, beating

PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("PLACE", default="nowhere")


@pytest.fixture
def background() -> Iterator[Background]:
    before = set(threading.enumerate())
    made = Background()
    yield made
    made.stop()
    assert set(threading.enumerate()) == before


async def _give(value: object) -> object:
    return value


class Waiter:
    """A coroutine that waits until it is cancelled, and events to follow it from another thread."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cancelled = threading.Event()

    async def wait(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def test_a_call_returns_what_the_coroutine_returns(background: Background) -> None:
    assert background.call(_give(42)) == 42


def test_a_call_raises_what_the_coroutine_raises(background: Background) -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        background.call(fail())
    assert background.failures == ()


def test_all_work_runs_on_one_daemon_thread(background: Background) -> None:
    async def where() -> threading.Thread:
        return threading.current_thread()

    first, second = background.call(where()), background.spawn(where()).result(5)
    assert first is second
    assert first.daemon
    assert first is not threading.current_thread()


def test_a_call_on_the_loop_thread_is_refused_instead_of_waiting_for_itself(background: Background) -> None:
    async def nested() -> object:
        return background.call(_give(1))

    with pytest.raises(RuntimeError, match="wait for itself"):
        background.call(nested())


def test_spawn_works_from_the_loop_thread(background: Background) -> None:
    async def nested() -> object:
        return await asyncio.wrap_future(background.spawn(_give("inner")))

    assert background.call(nested()) == "inner"


@pytest.mark.parametrize("how", ["spawn", "call"])
def test_work_starts_from_an_empty_context(background: Background, how: str) -> None:
    async def look() -> str:
        return PLACE.get()

    token = PLACE.set("cell 7")
    try:
        found = background.spawn(look()).result(5) if how == "spawn" else background.call(look())
    finally:
        PLACE.reset(token)
    assert found == "nowhere"


def test_a_timeout_cancels_the_coroutine(background: Background) -> None:
    waiter = Waiter()
    with pytest.raises(TimeoutError):
        background.call(waiter.wait(), timeout=0.05)
    assert waiter.cancelled.wait(5)


def test_an_interrupt_cancels_the_coroutine_and_goes_on(background: Background) -> None:
    waiter = Waiter()

    def interrupt() -> None:
        waiter.started.wait(10)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # what Kernel > Interrupt does

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        background.call(waiter.wait())
    helper.join(10)
    assert waiter.cancelled.wait(5)
    assert background.call(_give("still turning")) == "still turning"


def test_an_interrupt_that_comes_while_the_coroutine_is_handed_over_cancels_it_too(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiter = Waiter()
    hand_over = background._submit

    def interrupted(coroutine: Coroutine[Any, Any, None]) -> None:
        hand_over(coroutine)
        assert waiter.started.wait(5)
        raise KeyboardInterrupt

    monkeypatch.setattr(background, "_submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        background.call(waiter.wait())
    assert waiter.cancelled.wait(5)


def test_an_interrupt_that_comes_before_the_coroutine_has_begun_keeps_it_from_beginning(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiter, free = Waiter(), threading.Event()
    hand_over = background._submit

    async def block() -> None:
        free.wait(5)

    def interrupted(coroutine: Coroutine[Any, Any, None]) -> None:
        background.spawn(block())
        hand_over(coroutine)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(background, "_submit", interrupted)
        patch.setattr(background, "spawn", hand_over)
        with pytest.raises(KeyboardInterrupt):
            background.call(waiter.wait())
    free.set()
    for _ in range(3):
        background.call(_give(None))
    assert not waiter.started.is_set()


def test_cancelling_a_spawned_future_cancels_its_task(background: Background) -> None:
    waiter = Waiter()
    future = background.spawn(waiter.wait())
    assert waiter.started.wait(5)
    future.cancel()
    assert waiter.cancelled.wait(5)
    assert background.failures == ()


def test_what_a_spawned_task_died_of_is_kept(background: Background) -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        background.spawn(fail()).result(5)
    background.call(_give(None))
    assert [str(error) for error in background.failures] == ["gone"]


def test_what_a_loop_callback_died_of_is_kept_and_not_printed(
    background: Background, capfd: pytest.CaptureFixture[str]
) -> None:
    async def schedule() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)

    background.call(schedule())
    background.call(_give(None))
    assert [type(error) for error in background.failures] == [ZeroDivisionError]
    assert capfd.readouterr() == ("", "")


def test_kept_failures_are_bounded(background: Background) -> None:
    async def fail(number: int) -> None:
        raise ValueError(number)

    concurrent.futures.wait([background.spawn(fail(number)) for number in range(200)])
    background.call(_give(None))
    assert len(background.failures) == 20


def test_stopping_cancels_every_task_and_ends_the_thread() -> None:
    background = Background()
    waiters = [Waiter() for _ in range(3)]
    for waiter in waiters:
        background.spawn(waiter.wait())
    assert all(waiter.started.wait(5) for waiter in waiters)
    background.stop()
    assert all(waiter.cancelled.is_set() for waiter in waiters)
    assert not background.running
    assert not [thread for thread in threading.enumerate() if thread is background._thread]


def test_stopping_twice_or_from_several_threads_is_harmless() -> None:
    background = Background()
    helpers = [threading.Thread(target=background.stop) for _ in range(5)]
    for helper in helpers:
        helper.start()
    for helper in helpers:
        helper.join(5)
    background.stop()
    assert not background.running


def test_stopping_from_the_loop_thread_does_not_wait_for_itself() -> None:
    background = Background()

    async def end() -> None:
        background.stop()

    background.spawn(end())
    background._thread.join(5)
    assert not background._thread.is_alive()


def test_stop_is_bounded_when_a_task_will_not_go() -> None:
    background = Background()
    release, started = threading.Event(), threading.Event()

    async def stubborn() -> None:
        started.set()
        while not release.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    background.spawn(stubborn())
    assert started.wait(5)
    before = time.monotonic()
    background.stop(timeout=0.2)
    background._thread.join(5)
    assert time.monotonic() - before < 2
    assert not background._thread.is_alive()
    release.set()


def test_a_stopped_background_refuses_work_and_says_so() -> None:
    background = Background()
    background.stop()
    for handing_over in (background.call, background.spawn):
        with pytest.raises(Stopped, match="stopped"):
            handing_over(_give(1))


def test_a_call_that_is_waiting_when_the_loop_stops_ends_with_a_reason() -> None:
    background = Background()
    waiter = Waiter()
    outcome: list[BaseException] = []

    def wait() -> None:
        try:
            background.call(waiter.wait())
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            outcome.append(error)

    caller = threading.Thread(target=wait)
    caller.start()
    assert waiter.started.wait(5)
    background.stop()
    caller.join(5)
    assert [type(error) for error in outcome] == [Stopped]


def test_stop_takes_its_atexit_hook_away(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[object] = []
    monkeypatch.setattr(atexit, "register", hooks.append)
    monkeypatch.setattr(atexit, "unregister", lambda hook: hooks.remove(hook) if hook in hooks else None)
    background = Background()
    assert hooks == [background.stop]
    background.stop()
    background.stop()
    assert hooks == []


def test_a_process_that_never_stops_it_still_ends_at_once_and_cancels_its_tasks() -> None:
    script = """
import asyncio, threading
from aml_magics.background import Background
started = threading.Event()
async def work():
    started.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("clean-up ran", flush=True)
        raise
background = Background()
background.spawn(work())
started.wait(10)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "clean-up ran\n", "")


def test_a_forked_child_is_told_instead_of_waiting_for_ever() -> None:
    script = """
import asyncio, os, sys, warnings
from aml_magics.background import Background, Stopped, beating
warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is the very thing under test
background = Background()
child = os.fork()
if child == 0:
    try:
        background.call(asyncio.sleep(0))
    except Stopped as error:
        background.stop()
        os._exit(7 if "fork" in str(error) else 1)
    os._exit(2)
_, status = os.waitpid(child, 0)
alive = background.call(asyncio.sleep(0, "alive"))
background.stop()
sys.exit(os.waitstatus_to_exitcode(status) if alive == "alive" else 3)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (7, "")


def test_nothing_is_left_open_after_stop() -> None:
    Background().stop()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        Background().stop()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_the_repr_says_whether_it_runs() -> None:
    background = Background("engine")
    assert repr(background) == "<Background 'engine': running>"
    background.stop()
    assert repr(background) == "<Background 'engine': stopped>"


def test_who_waits_is_called_in_between_on_the_waiting_thread_and_only_in_the_block(background: Background) -> None:
    threads = []
    with beating(lambda: threads.append(threading.current_thread())):
        assert background.call(asyncio.sleep(0.7, "done")) == "done"
        assert background.call(_give("quick")) == "quick"
    assert background.call(asyncio.sleep(0.4, "quiet")) == "quiet"
    assert set(threads) == {threading.current_thread()}
    assert 1 <= len(threads) <= 3


def test_what_a_beat_raises_ends_the_wait_and_cancels_the_work(background: Background) -> None:
    waiter = Waiter()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), beating(interrupt):
        background.call(waiter.wait())
    assert waiter.cancelled.wait(10)


def test_a_wait_with_a_beat_keeps_its_limit_and_passes_on_the_works_own_time_out(background: Background) -> None:
    waiter = Waiter()
    with pytest.raises(TimeoutError), beating(lambda: None):
        background.call(waiter.wait(), timeout=0.3)
    assert waiter.cancelled.wait(10)

    async def late() -> None:
        await asyncio.sleep(0.3)
        message = "its own"
        raise TimeoutError(message)

    with pytest.raises(TimeoutError, match="its own"), beating(lambda: None):
        background.call(late())
