"""config.json is found and read as Microsoft's SDK v1 does it."""

import json

import pytest

from aml_magics.client.config_file import Place, find_config, read_config
from aml_magics.model.errors import InvalidInput, NotFound

NAMES = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}
SCOPE = "/subscriptions/s2/resourceGroups/g2/providers/Microsoft.MachineLearningServices/workspaces/w2"
ORDER = [
    ".azureml/config.json",
    ".azureml/project.json",
    "aml_config/config.json",
    "aml_config/project.json",
    "config.json",
    "project.json",
]


def put(folder, name, content=NAMES):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file


@pytest.fixture
def inner(tmp_path):
    folder = tmp_path / "project" / "notebooks"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_an_earlier_place_far_above_beats_a_later_one_right_here(tmp_path, inner, first):
    above = put(tmp_path, ORDER[first])
    for later in ORDER[first + 1 :]:
        put(inner, later)
    assert find_config(inner) == above


def test_the_nearest_folder_counts_within_one_place(tmp_path, inner):
    put(tmp_path, ".azureml/config.json")
    near = put(inner.parent, ".azureml/config.json")
    assert find_config(inner) == near


def test_a_file_is_itself_whatever_it_is_called(tmp_path):
    file = put(tmp_path, "other.json")
    put(tmp_path, ".azureml/config.json")
    assert find_config(file) == file


def test_a_relative_start_and_a_home_folder_are_understood(inner, monkeypatch):
    file = put(inner.parent, "config.json")
    monkeypatch.chdir(inner)
    assert find_config(".") == file
    monkeypatch.setenv("HOME", str(inner))
    assert find_config("~") == file


def test_nothing_found_says_where_was_looked(inner):
    with pytest.raises(NotFound, match=r"notebooks'; looked for \.azureml/, aml_config/ and plain") as caught:
        find_config(inner)
    assert "portal" in caught.value.hint


def test_a_start_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"no file or folder .*nowhere"):
        find_config(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (NAMES, Place("s", "g", "w")),
        ({"Id": None, "Scope": SCOPE}, Place("s2", "g2", "w2")),
        (NAMES | {"Scope": SCOPE}, Place("s2", "g2", "w2")),
        ({"workspace_name": " w ", "subscription_id": "s", "resource_group": "g", "x": 1}, Place("s", "g", "w")),
    ],
)
def test_both_forms_are_read_and_scope_wins(tmp_path, content, place):
    assert read_config(put(tmp_path, "config.json", content)) == place


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    file = tmp_path / "config.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(NAMES).encode())
    assert read_config(file) == Place("s", "g", "w")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ({"subscription_id": "s"}, "it needs subscription_id, resource_group, workspace_name"),
        (NAMES | {"workspace_name": ""}, "it needs"),
        (NAMES | {"workspace_name": ["w"]}, "workspace_name"),
        ({"Scope": "/subscriptions/s"}, "its Scope is no workspace's"),
        ([1], "expected a JSON object"),
    ],
)
def test_a_file_that_names_no_workspace_says_why(tmp_path, content, cause):
    with pytest.raises(InvalidInput, match=r"config\.json' names no workspace") as caught:
        read_config(put(tmp_path, "config.json", content))
    assert cause in str(caught.value)


def test_a_file_that_is_no_json_says_so(tmp_path):
    file = tmp_path / "config.json"
    file.write_text("{nothing")
    with pytest.raises(InvalidInput, match="cannot be read as JSON"):
        read_config(file)


def test_the_scope_of_a_place_is_the_path_of_its_calls():
    scope = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    assert Place("s", "g", "w").scope == scope


@pytest.mark.parametrize("start", ["x" * 300, "~nobody-of-that-name/config.json"])
def test_a_start_that_cannot_be_looked_up_is_one_line(start):
    with pytest.raises(NotFound, match="cannot be looked up"):
        find_config(start)


def test_a_current_folder_that_is_gone_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(NotFound, match="the current folder is gone"):
        find_config(".")
    monkeypatch.chdir(tmp_path)
