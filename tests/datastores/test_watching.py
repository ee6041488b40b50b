"""Wake-ups for a folder: soon, also for folders that come, go and come again, and nothing is left behind."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
import time

import pytest

from aml_magics.datastores import Folder
from aml_magics.datastores.folder import TEMPORARY_PREFIX
from tests.datastores.conftest import watching_threads

SOON = 5.0  # on a machine that is busy with other things; measured: 0.03


class Listener:
    """Counts the wake-ups of one path."""

    def __init__(self, folder: Folder, path: str = "in", *, recursive: bool = False) -> None:
        self.count = 0
        self._changed = asyncio.Condition()
        self._task = asyncio.create_task(self._listen(folder, path, recursive=recursive))

    async def _listen(self, folder: Folder, path: str, *, recursive: bool) -> None:
        async for _ in folder.changes(path, recursive=recursive):
            self.count += 1
            async with self._changed:
                self._changed.notify_all()

    async def __aenter__(self):
        await self.more_than(0)  # the watching has begun
        await self.quiet()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def more_than(self, count: int) -> None:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: self.count > count), SOON)

    async def quiet(self) -> int:
        """Wait until nothing has come for a while; how many there were until then."""
        while True:
            before = self.count
            await asyncio.sleep(0.2)
            if self.count == before:
                return before


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("aml-watch")]


def test_a_file_that_is_added_changed_or_removed_wakes(tmp_path):
    async def scenario():
        folder = Folder(tmp_path)
        folder.write("in/old", b"")
        async with Listener(folder) as listener:
            for act in (
                lambda: folder.write("in/new", b"x"),
                lambda: (tmp_path / "in/old").write_text("changed"),
                (tmp_path / "in/old").unlink,
            ):
                before = await listener.quiet()
                act()
                await listener.more_than(before)

    asyncio.run(scenario())


def test_a_wake_up_comes_within_tens_of_milliseconds(tmp_path):
    async def scenario():
        folder = Folder(tmp_path)
        (tmp_path / "in").mkdir()
        fastest = SOON
        async with Listener(folder) as listener:
            for number in range(10):
                before = await listener.quiet()
                begun = time.perf_counter()
                (tmp_path / f"in/{number}").touch()
                await listener.more_than(before)
                fastest = min(fastest, time.perf_counter() - begun)
        assert fastest < 0.1

    asyncio.run(scenario())


def test_subfolders_wake_only_when_recursive(tmp_path):
    async def scenario():
        folder = Folder(tmp_path)
        (tmp_path / "in/sub").mkdir(parents=True)
        async with Listener(folder) as flat, Listener(folder, recursive=True) as deep:
            before_flat, before_deep = await flat.quiet(), await deep.quiet()
            (tmp_path / "in/sub/a").write_text("x")
            await deep.more_than(before_deep)
            assert await flat.quiet() == before_flat

    asyncio.run(scenario())


def test_a_folder_that_comes_into_being_later_wakes_and_is_watched_from_then_on(tmp_path):
    async def scenario():
        folder = Folder(tmp_path / "store")
        async with Listener(folder, "deep/in") as listener:
            assert not folder.root.exists()
            before = await listener.quiet()
            (tmp_path / "store/deep/in").mkdir(parents=True)
            await listener.more_than(before)
            before = await listener.quiet()
            (tmp_path / "store/deep/in/a").write_text("x")
            await listener.more_than(before)

    asyncio.run(scenario())


def test_a_folder_that_is_removed_and_made_again_is_watched_again(tmp_path):
    async def scenario():
        folder = Folder(tmp_path)
        (tmp_path / "in").mkdir()
        async with Listener(folder) as listener:
            for _ in range(3):
                before = await listener.quiet()
                shutil.rmtree(tmp_path / "in")
                (tmp_path / "in").mkdir()
                await listener.more_than(before)
                before = await listener.quiet()
                (tmp_path / "in/a").write_text("x")
                await listener.more_than(before)

    asyncio.run(scenario())


def test_a_folder_whose_parent_is_exchanged_is_watched_where_the_name_leads_now(tmp_path):
    async def scenario():
        folder = Folder(tmp_path / "store")
        (tmp_path / "store/in").mkdir(parents=True)
        (tmp_path / "next/in").mkdir(parents=True)
        async with Listener(folder) as listener:
            before = await listener.quiet()
            (tmp_path / "store").rename(tmp_path / "before")
            (tmp_path / "next").rename(tmp_path / "store")
            await listener.more_than(before)
            before = await listener.quiet()
            (tmp_path / "store/in/a").write_text("x")
            await listener.more_than(before)

    asyncio.run(scenario())


def test_unfinished_uploads_do_not_wake(tmp_path):
    async def scenario():
        folder = Folder(tmp_path)
        (tmp_path / "in").mkdir()
        async with Listener(folder) as listener:
            before = await listener.quiet()
            (tmp_path / "in" / f"{TEMPORARY_PREFIX}1").write_text("half")
            assert await listener.quiet() == before

    asyncio.run(scenario())


def test_when_the_listening_ends_no_thread_is_left(tmp_path):
    async def scenario():
        folder = Folder(tmp_path)
        (tmp_path / "in").mkdir()
        before = watching_threads()
        async with Listener(folder), Listener(folder, recursive=True), Listener(folder, "missing"):
            assert len(watchers()) == 3
            assert watching_threads() == before + 3
        assert watchers() == []
        deadline = time.monotonic() + SOON
        while watching_threads() > before and time.monotonic() < deadline:  # noqa: ASYNC110 - not Python's threads
            await asyncio.sleep(0.01)
        assert watching_threads() == before

    asyncio.run(scenario())


def test_when_the_loop_is_closed_under_it_the_thread_ends(tmp_path):
    folder = Folder(tmp_path)
    (tmp_path / "in").mkdir()
    loop = asyncio.new_event_loop()
    changes = folder.changes("in", recursive=False)
    loop.run_until_complete(anext(changes))
    (thread,) = watchers()
    loop.close()
    (tmp_path / "in/a").write_text("x")
    thread.join(SOON)
    assert not thread.is_alive()
    del changes


def test_a_watch_that_the_system_refuses_raises(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object):
        raise OSError("no watches left")

    async def scenario():
        with pytest.raises(OSError, match="no watches left"):
            async for _ in Folder(tmp_path).changes("", recursive=False):
                pass

    monkeypatch.setattr("watchfiles.watch", refuse)
    asyncio.run(scenario())
    assert watchers() == []


EXIT = """
import asyncio, sys
from pathlib import Path
from aml_magics.datastores import Folder
async def main():
    changes = Folder(Path(sys.argv[1])).changes("", recursive=False)
    await anext(changes)
    global kept
    kept = changes
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
print("ending", flush=True)
"""


def test_a_process_that_ends_without_stopping_ends_cleanly_and_at_once(tmp_path):
    for _ in range(5):
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", EXIT, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "ending\n", "")
        assert time.monotonic() - begun < 10


def test_nothing_is_logged_for_a_change(tmp_path, caplog):
    async def scenario():
        folder = Folder(tmp_path)
        (tmp_path / "in").mkdir()
        async with Listener(folder) as listener:
            before = await listener.quiet()
            (tmp_path / "in/a").write_text("x")
            await listener.more_than(before)

    with caplog.at_level("INFO"):
        asyncio.run(scenario())
    assert [record for record in caplog.records if record.name.startswith("watchfiles")] == []
