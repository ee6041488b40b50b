"""One session holds one open workspace; connecting again never surprises what is running on it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

import aml_magics
from aml_magics.model.errors import InvalidInput, NotConnected
from aml_magics.session import Session, session_of


@pytest.fixture
def session(tmp_path, monkeypatch):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path)
    session = Session()
    yield session
    session.close()


def test_connecting_without_saying_where_gives_what_is_open(session, tmp_path, monkeypatch):
    workspace = session.connect("one", parallel_steps=2)
    assert session.connect() is workspace
    assert session.connect("one") is workspace
    monkeypatch.chdir(tmp_path / "two")
    assert session.connect() is workspace
    assert session.connect(parallel_steps=2) is workspace


def test_another_folder_closes_the_first_one(session):
    first = session.connect("one")
    second = session.connect("two")
    assert second is session.workspace is not first
    assert second.pipelines.list() == []
    with pytest.raises(NotConnected):
        first.pipelines.list()


def test_a_connect_that_fails_leaves_open_what_is_open(session, tmp_path):
    workspace = session.connect("one")
    (tmp_path / "two" / ".aml").mkdir()
    (tmp_path / "two" / ".aml" / "workspace.db").write_text("this is no database")
    for target in ("two", "nowhere", "ftp://127.0.0.1/workspace"):
        with pytest.raises(InvalidInput):
            session.connect(target)
        assert session.connect() is workspace
    assert workspace.pipelines.list() == []


def test_what_cannot_run_steps_is_no_executor(session):
    with pytest.raises(InvalidInput, match="3 is no executor"):
        session.connect("one", executor=3)
    assert not session.is_connected


def test_steps_run_on_the_executor_that_was_handed_in(session):
    with ThreadPoolExecutor(1, thread_name_prefix="handed-in") as executor:
        workspace = session.connect("one", executor=executor)
        workspace.pipelines.publish(source="print('ran')", name="p")
        run = workspace.runs.wait(workspace.pipelines.submit("p"), timeout=60)
        assert (run.status, workspace.runs.logs(run)) == ("Finished", "ran\n")
        assert executor._threads
        session.close()


def test_closing_the_workspace_closes_the_session_and_connecting_opens_it_again(session):
    session.connect("one").close()
    assert not session.is_connected
    with pytest.raises(NotConnected):
        _ = session.workspace
    assert session.connect("one").pipelines.list() == []


def test_a_shell_has_one_session_and_a_script_gets_one_for_each_connect(tmp_path):
    shell = SimpleNamespace()
    assert session_of(shell) is session_of(shell)
    assert session_of(None) is not session_of(None)
    workspace = aml_magics.connect(tmp_path)
    assert "not connected" not in repr(workspace)
    workspace.close()
