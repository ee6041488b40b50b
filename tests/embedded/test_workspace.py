"""Opening, closing and reopening a workspace: its folder, its file, and what is refused."""

from __future__ import annotations

import asyncio
import os
import sqlite3

import pytest

from aml_magics.embedded import store_schema
from aml_magics.embedded.store_datastores import Datastores
from aml_magics.embedded.workspace import EmbeddedWorkspace
from aml_magics.model.errors import InvalidInput
from tests.embedded.app_bed import on_a_workspace


def start(root, **options):
    """Start and stop; the error of the start, if any."""

    async def main():
        workspace = EmbeddedWorkspace(root, **options)
        try:
            await workspace.start()
        finally:
            await workspace.stop()

    asyncio.run(main())


def refusal(root):
    with pytest.raises(InvalidInput) as refused:
        start(root)
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_everything_is_there_again_after_a_restart(tmp_path):
    async def fill(bed):
        made = (await bed.create()).body
        await bed.history("POST", "/experiments/Kept")
        return made, bed.workspace.store.workspace_id

    async def look(bed):
        entity = (await bed.pipelines("GET", f"/Schedules/{made['Id']}")).body
        assert entity == made
        assert (await bed.history("GET", "/experiments/Kept")).status == 200
        assert bed.workspace.store.workspace_id == identity

    made, identity = on_a_workspace(tmp_path, fill)
    on_a_workspace(tmp_path, look)


def test_the_datastores_in_a_workspaces_folder_follow_it_when_it_is_moved(tmp_path):
    async def fill(bed):
        for name in ("workspaceblobstore", "mine"):
            await bed.datastores("POST", "/datastores", {"name": name, "amlMagics": {"folder": name}})
            (bed.workspace.root / name / "a.csv").write_text("x")

    async def look(bed):
        for name in ("workspaceblobstore", "mine"):
            listed = await bed.extras("GET", f"/datastores/{name}/objects")
            assert [item["name"] for item in listed.body["value"]] == ["a.csv"]

    (tmp_path / "before" / "mine").mkdir(parents=True)
    on_a_workspace(tmp_path / "before", fill)
    (tmp_path / "before").rename(tmp_path / "after")
    on_a_workspace(tmp_path / "after", look)


def test_a_default_datastore_that_was_chosen_stays_after_a_restart(tmp_path):
    (tmp_path / "mine").mkdir()

    async def choose(bed):
        await bed.datastores("POST", "/datastores", {"name": "mine", "amlMagics": {"folder": "mine"}})
        await bed.datastores("PUT", "/default/mine")

    async def look(bed):
        assert (await bed.datastores("GET", "/default")).body["name"] == "mine"

    on_a_workspace(tmp_path, choose)
    on_a_workspace(tmp_path, look)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert "no such file or directory" in refusal(tmp_path / "none")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "cannot be kept in" in refusal(tmp_path / "file")
    (tmp_path / ".aml").write_text("x")
    assert "cannot be kept in" in refusal(tmp_path)


def test_a_folder_that_is_not_writable_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # a superuser may write anywhere
    assert "not writable. Choose a folder that you can write to." in refusal(tmp_path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / ".aml" / "workspace.db"
    path.parent.mkdir()
    path.write_text("my shopping list " * 100)
    line = refusal(tmp_path)
    assert "cannot be opened as a workspace's database" in line
    assert "Move the file away" in line
    assert path.read_text().startswith("my shopping list")


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path):
    path = tmp_path / ".aml" / "workspace.db"
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (name TEXT)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert "is a database of something else" in refusal(tmp_path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_the_database(tmp_path):
    (tmp_path / ".aml").mkdir()
    (tmp_path / ".aml" / "workspace.db").touch()
    start(tmp_path)
    assert (tmp_path / ".aml" / "workspace.db").stat().st_size > 0


def test_a_file_that_a_newer_version_wrote_is_refused_and_both_versions_are_named(tmp_path):
    start(tmp_path)
    connection = sqlite3.connect(tmp_path / ".aml" / "workspace.db")
    connection.execute("UPDATE migrations SET version = 99 WHERE component = 'workspace'")
    connection.commit()
    connection.close()
    with pytest.raises(Exception, match=rf"99 .* {len(store_schema.STEPS)}\b"):
        start(tmp_path)


def test_a_workspace_can_be_stopped_twice_and_started_once(tmp_path):
    async def main():
        workspace = EmbeddedWorkspace(tmp_path)
        await workspace.stop()
        await workspace.start()
        with pytest.raises(RuntimeError, match="started once"):
            await workspace.start()
        await workspace.stop()
        await workspace.stop()

    asyncio.run(main())


def test_a_workspace_that_is_not_running_says_so(tmp_path):
    async def play(bed):
        await bed.workspace.stop()
        answer = await bed.pipelines("GET", "/Pipelines")
        assert (answer.status, answer.message) == (500, "the workspace is not running. Open it again.")

    on_a_workspace(tmp_path, play)


def test_a_start_that_fails_in_the_middle_leaves_nothing_running(tmp_path, monkeypatch):
    def broken(_self):
        raise OSError("the disk is full")

    monkeypatch.setattr(Datastores, "ensure_default", broken)

    workspace = EmbeddedWorkspace(tmp_path)
    with pytest.raises(OSError, match="the disk is full"):
        asyncio.run(workspace.start())
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        workspace.store.counts()


def test_the_name_of_a_workspace_is_its_own(tmp_path):
    start(tmp_path, name="lab")
    assert repr(EmbeddedWorkspace(tmp_path)) == f"<EmbeddedWorkspace {tmp_path.as_posix()}>"


def test_a_file_where_the_default_datastore_should_be_is_named(tmp_path):
    (tmp_path / "workspaceblobstore").write_text("not a folder")

    async def start():
        workspace = EmbeddedWorkspace(tmp_path)
        with pytest.raises(InvalidInput, match=r"the default datastore cannot be kept in .*workspaceblobstore"):
            await workspace.start()

    asyncio.run(start())
