"""Connecting, lists, files, what results are, against a real embedded workspace."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.notebook import extension
from tests.notebook.helpers import RECURRING, shown


def test_the_first_verb_opens_the_workspace_of_the_folder_and_says_so_once(aml, folder):
    first, second = aml("pipeline list"), aml("pipeline list")
    assert f"Opened the workspace embedded in this kernel, in {folder}" in repr(first)
    assert "Opened" in first._repr_html_()
    assert "Opened" not in repr(second)
    assert (folder / ".aml" / "workspace.db").exists()


@pytest.mark.parametrize("line", ["", "--help", "status", "schedule --help", "schedule preview --every '15 minutes'"])
def test_what_needs_no_workspace_opens_none(aml, folder, line):
    aml(line)
    assert not any(folder.iterdir())


def test_connect_opens_a_folder_and_its_value_is_the_workspace(aml, folder):
    (folder / "project").mkdir()
    view = aml("connect project --parallel-steps 2")
    assert view.value.location == str(folder / "project")
    assert view.schedules.list() == []
    assert "workspaceblobstore" in aml.offers("datastore show ")
    assert "No workspace is open" not in shown(aml("status"))
    assert str(folder / "project") in shown(aml("status"))


def test_connect_takes_an_executor_from_a_variable(aml):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        view = aml("connect --executor {pool}", pool=pool)
        assert view.name
        aml("connect")


def test_lists_keep_their_columns_when_they_are_empty(aml):
    for noun in ("experiment", "pipeline", "schedule", "run"):
        empty = aml(f"{noun} list")
        assert len(empty) == 0
        assert "id" in empty.columns
    assert str(aml("run list")["created"].dtype) == "datetime64[us, UTC]"


def test_files_and_folders_and_text_go_onto_a_datastore(aml, folder):
    (folder / "day1.csv").write_text("1")
    (folder / "more" / "deep").mkdir(parents=True)
    (folder / "more" / "a.csv").write_text("2")
    for left_out in (".git", "__pycache__"):
        (folder / "more" / left_out).mkdir()
        (folder / "more" / left_out / "x").write_text("not data")
    (folder / "more" / "deep" / "b.csv").write_text("3")
    aml("datastore upload day1.csv")
    aml("datastore upload day1.csv --path incoming/")
    aml("datastore upload more --path incoming/more")
    aml("datastore upload {data} --path bytes.bin", data=b"\0\1")
    aml("datastore upload --path text.txt --datastore workspaceblobstore", "braces {stay} and ${{this}} too ü\n")
    names = list(aml("datastore ls --recursive")["name"])
    assert names == [
        "bytes.bin",
        "day1.csv",
        "incoming/day1.csv",
        "incoming/more/a.csv",
        "incoming/more/deep/b.csv",
        "text.txt",
    ]
    text = (folder / "workspaceblobstore" / "text.txt").read_text(encoding="utf-8")
    assert text == "braces {stay} and ${{this}} too ü\n"


def test_a_folder_that_holds_only_folders_does_not_look_empty(aml):
    aml("datastore upload --path incoming/day1.csv", "1")
    assert "--recursive looks into sub-folders" in shown(aml("datastore ls"))
    assert "--recursive" not in shown(aml("datastore ls workspaceblobstore incoming"))
    assert "--recursive" not in shown(aml("datastore ls workspaceblobstore nothing --recursive"))


def test_a_missing_file_is_one_line_of_error_in_a_folder_that_is_gone_too(aml, folder, monkeypatch):
    aml("connect")
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    with pytest.raises(InvalidInput, match=r"no file 'day1\.csv'"):
        aml("datastore upload day1.csv")


def test_experiments_are_made_once(aml):
    first, again = aml("experiment create MyExperiment"), aml("experiment create MyExperiment")
    assert first.id == again.id
    assert list(aml("experiment list")["name"]) == ["MyExperiment"]
    assert "already" in repr(aml("experiment create MyExperiment --dry-run"))


def test_the_result_can_be_kept_by_an_option_and_hidden_by_a_semicolon(aml, train):
    assert aml("schedule create A -o made;", RECURRING) is None
    assert aml.shell.user_ns["made"].name == "A"
    aml("schedule list -o df")
    assert isinstance(aml.shell.user_ns["df"], pd.DataFrame)


def test_answers_fill_what_tab_offers(aml, train):
    assert "train" in aml.offers("pipeline show ")
    aml("schedule create A", RECURRING)
    assert "A" in aml.offers("schedule disable ")
    run = aml("pipeline submit train")
    assert run.id in aml.offers("run wait ")
    assert "train" in aml.offers("experiment show ")
    aml("run wait {run}", run=run)


def test_every_return_value_shows_itself_as_text_and_html(aml, train):
    aml("schedule create A", RECURRING)
    aml("pipeline submit train")
    aml("run wait train --timeout 60")
    lines = """status|experiment list|experiment show train|datastore list|datastore show workspaceblobstore
        datastore ls|pipeline list|pipeline show train|schedule list|schedule show A|schedule runs A|schedule preview A
        schedule history A|run list|run show train|run wait train"""
    for line in re.split(r"[|\n]", lines):
        value = aml(line.strip())
        assert repr(value).strip()
        assert value._repr_html_().startswith("<")
        assert not re.search(r"object at 0x|NaT|&lt;NA", repr(value) + value._repr_html_())


def test_unloading_closes_the_workspace(aml, train):
    extension.unload(aml.shell)
    extension.load(aml.shell)
    assert "No workspace is open" in shown(aml("status"))
    assert list(aml("pipeline list")["name"]) == ["train"]


def test_an_unknown_command_before_the_first_connection_opens_nothing(aml, folder):
    with pytest.raises(InvalidInput):
        aml("schedule create")
    assert not any(folder.iterdir())


@pytest.mark.parametrize("line", ["connect", "pipeline list"])
def test_a_current_folder_that_was_deleted_is_one_line(aml, tmp_path, monkeypatch, line):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(InvalidInput, match="current one is gone"):
        aml(line)


def test_what_is_open_is_shown_also_when_the_current_folder_is_gone(aml, folder, tmp_path, monkeypatch):
    aml("connect")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert str(folder) in shown(aml("connect"))
