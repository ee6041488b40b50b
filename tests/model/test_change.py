"""DatastoreChange: its defaults, its words, and what Azure's v1 service cannot do of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aml_magics.model.change import DatastoreChange
from aml_magics.model.errors import InvalidInput


def test_a_run_for_each_file_is_the_default_when_a_parameter_takes_the_file_and_a_run_for_all_otherwise():
    assert DatastoreChange(datastore="blobs", data_path_parameter_name="input_data").per == "file"
    assert DatastoreChange(datastore="blobs").per == "batch"
    assert DatastoreChange(datastore="blobs", per="file").per == "file"
    assert DatastoreChange(datastore="blobs", data_path_parameter_name="input_data", per="batch").per == "batch"


@pytest.mark.parametrize("path", ["incoming/images", "/incoming/images/", " incoming/images ", "incoming/images/"])
def test_a_path_is_kept_without_slashes_at_its_ends(path):
    assert DatastoreChange(datastore="blobs", path_on_datastore=path).path_on_datastore == "incoming/images"


@pytest.mark.parametrize("path", ["", "/", " "])
def test_no_path_is_the_whole_datastore(path):
    trigger = DatastoreChange(datastore="blobs", path_on_datastore=path)
    assert trigger.path_on_datastore == ""
    assert trigger.in_words() == "files added or modified in blobs"


def test_it_says_itself_in_words():
    trigger = DatastoreChange(datastore="workspaceblobstore", path_on_datastore="incoming")
    assert trigger.in_words() == "files added or modified in workspaceblobstore/incoming"
    deep = DatastoreChange(datastore="workspaceblobstore", path_on_datastore="incoming", recursive=True)
    assert deep.in_words() == "files added or modified in workspaceblobstore/incoming and its subfolders"


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, ()),
        ({"polling_interval": timedelta(minutes=1), "data_path_parameter_name": "x"}, ()),
        ({"polling_interval": timedelta(seconds=5)}, ("polling_interval under a minute",)),
        ({"polling_interval": timedelta(seconds=90)}, ("polling_interval not in whole minutes",)),
        ({"recursive": True, "settle": timedelta(seconds=2)}, ("recursive", "settle")),
        ({"per": "batch"}, ()),
        ({"per": "batch", "data_path_parameter_name": "x"}, ("per: batch",)),
    ],
)
def test_what_azure_does_not_have_is_listed(fields, needs):
    assert DatastoreChange(datastore="blobs", **fields).needs_kernel() == needs


@pytest.mark.parametrize(
    ("fields", "says", "fix"),
    [
        ({"datastore": ""}, "datastore ''", "workspaceblobstore"),
        ({"datastore": None}, "datastore None", "workspaceblobstore"),
        ({"path_on_datastore": "../secrets"}, "'../secrets' is not a plain path", "Write 'secrets'."),
        ({"path_on_datastore": "a//b"}, "'a//b' is not a plain path", "Write 'a/b'."),
        ({"path_on_datastore": "a\\b"}, "has a backslash", "Write 'a/b'."),
        ({"path_on_datastore": 5}, "path_on_datastore 5 is not text", "Write a folder"),
        ({"polling_interval": timedelta(0)}, "polling_interval is 0 seconds", "above zero"),
        ({"polling_interval": timedelta(minutes=-1)}, "polling_interval is -60 seconds", "above zero"),
        ({"polling_interval": 5}, "polling_interval 5 is not a length of time", "timedelta"),
        ({"polling_interval": timedelta(days=1000)}, "polling_interval is 1000 days", "At most 365 days."),
        ({"settle": timedelta(seconds=-1)}, "settle is -1 seconds", "0s or more"),
        ({"data_path_parameter_name": " "}, "data_path_parameter_name ' '", "or leave it out"),
        ({"recursive": "yes"}, "recursive 'yes' is not true or false", "recursive: true"),
        ({"per": "files"}, "per 'files' is not known", "Did you mean 'file'?"),
    ],
)
def test_a_mistake_is_named_with_its_fix(fields, says, fix):
    with pytest.raises(InvalidInput) as caught:
        DatastoreChange(**{"datastore": "blobs", **fields})
    assert says in caught.value.message
    assert fix in caught.value.hint
