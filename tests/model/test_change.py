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
    some = DatastoreChange(datastore="blobs", pattern="*.csv", min_size=10_000, on=("modified", "added"))
    assert some.in_words() == "files matching *.csv of at least 10 KB added or modified in blobs"
    gone = DatastoreChange(datastore="blobs", on=("removed", "added", "modified"))
    assert gone.in_words() == "files added, modified or removed in blobs"


@pytest.mark.parametrize(
    ("fields", "condition"),
    [
        ({}, ""),
        ({"on": ("modified", "added")}, ""),
        ({"append_only": True}, ""),
        ({"pattern": "*.csv"}, "*.csv"),
        ({"pattern": "*.csv", "min_size": 1024}, "*.csv, at least 1 KiB"),
        ({"on": ("removed", "added")}, "on: added and removed"),
    ],
)
def test_what_counts_is_said_in_few_words(fields, condition):
    assert DatastoreChange(datastore="blobs", **fields).condition == condition


@pytest.mark.parametrize(
    ("fields", "matching", "others"),
    [
        ({}, ["in/a", "in/b/c"], []),
        ({"pattern": "*.csv"}, ["in/a.csv", "in/.csv"], ["in/a.CSV", "in/a.csv.gz", "in/csv"]),
        ({"pattern": "*.csv", "recursive": True}, ["in/a.csv", "in/b/c.csv"], ["in/b.csv/c"]),
        ({"pattern": "b*", "recursive": True}, ["in/b", "in/x/b1"], ["in/b/x"]),
        (
            {"pattern": "2026/*.csv", "recursive": True},
            ["in/2026/a.csv", "in/2026/1/a.csv"],
            ["in/a.csv", "in/x/2026/a.csv"],
        ),
        ({"pattern": "[ab]?.txt"}, ["in/a1.txt", "in/b2.txt"], ["in/a.txt", "in/c1.txt"]),
        ({"pattern": "in/*", "recursive": True}, ["in/in/a"], ["in/a"]),
    ],
)
def test_a_pattern_is_for_the_last_part_of_a_name_or_with_a_slash_for_all_of_it_below_the_path(
    fields, matching, others
):
    trigger = DatastoreChange(datastore="blobs", path_on_datastore="in", **fields)
    assert [name for name in (*matching, *others) if trigger.matches(name)] == matching


def test_a_pattern_with_a_slash_is_for_all_of_the_name_when_the_whole_datastore_is_watched():
    trigger = DatastoreChange(datastore="blobs", recursive=True, pattern="in/*")
    assert (trigger.matches("in/a"), trigger.matches("a")) == (True, False)


def test_kinds_are_kept_in_their_order_and_default_to_what_a_store_can_see():
    assert DatastoreChange(datastore="blobs").on == ("added", "modified")
    assert DatastoreChange(datastore="blobs", on=["removed", "added", "removed"]).on == ("added", "removed")
    assert DatastoreChange(datastore="blobs", on="removed").on == ("removed",)
    assert DatastoreChange(datastore="blobs", append_only=True).on == ("added",)


def test_a_change_counts_by_its_kind_and_its_size():
    trigger = DatastoreChange(datastore="blobs", min_size=10)
    assert trigger.counts("added", 10)
    assert not trigger.counts("added", 9)
    assert not trigger.counts("removed", 10)


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
        ({"pattern": "*.csv", "min_size": 1}, ("pattern", "min_size")),
        ({"on": ("removed",)}, ("on: removed",)),
        ({"per": "file", "max_runs_per_poll": 2}, ("max_runs_per_poll",)),
        ({"append_only": True}, ("append_only",)),
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
        ({"pattern": ""}, "pattern ''", "pattern: '*.csv'"),
        ({"pattern": 5}, "pattern 5", "pattern: '*.csv'"),
        ({"pattern": "a\\*.csv"}, "has a backslash", "Write 'a/*.csv'."),
        ({"pattern": "a/*.csv"}, "'a/*.csv' is for names in sub-folders", "recursive: true, or write '*.csv'"),
        ({"pattern": "/*.csv", "recursive": True}, "matches no name below", "Write '*.csv'."),
        ({"pattern": "../*", "recursive": True}, "matches no name below", "Write '*'."),
        ({"pattern": "/", "recursive": True}, "matches no name below", "Write '*'."),
        ({"pattern": "*" * 2000}, "pattern has 2000 characters", "At most 1024."),
        ({"min_size": -1}, "min_size -1 is out of range", "It takes 0 to"),
        ({"min_size": 1.5}, "min_size 1.5 is not a whole number", "It takes 0 to"),
        ({"min_size": 10**16}, "min_size 10000000000000000 is out of range", "It takes 0 to"),
        ({"on": ("add",)}, "on 'add' is not known", "Did you mean 'added'?"),
        ({"on": "deleted"}, "on 'deleted' is not known", "removed"),
        ({"on": 5}, "on 5 is not known", "added"),
        ({"on": ("removed",), "min_size": 5}, "min_size does not go together with on: removed", "two schedules"),
        ({"append_only": "yes"}, "append_only 'yes' is not true or false", "append_only: true"),
        ({"append_only": True, "on": ("added", "removed")}, "append_only does not go together", "Leave one"),
        ({"append_only": True, "on": ("modified",)}, "together with on: modified", "Leave one"),
        ({"per": "file", "max_runs_per_poll": 0}, "max_runs_per_poll 0 is out of range", "It takes 1 to"),
        ({"per": "file", "max_runs_per_poll": True}, "max_runs_per_poll True is not a whole number", "It takes 1"),
        ({"max_runs_per_poll": 5}, "max_runs_per_poll does not go together with per: batch", "Write per: file"),
    ],
)
def test_a_mistake_is_named_with_its_fix(fields, says, fix):
    with pytest.raises(InvalidInput) as caught:
        DatastoreChange(**{"datastore": "blobs", **fields})
    assert says in caught.value.message
    assert fix in caught.value.hint


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (1, "1 byte"),
        (1234, "1,234 bytes"),
        (1024, "1 KiB"),
        (128_000, "128 KB"),
        (1_572_864, "1,536 KiB"),
        (10**12, "1 TB"),
        (5 * 2**30, "5 GiB"),
    ],
)
def test_a_size_is_said_without_rounding_it(size, words):
    assert DatastoreChange(datastore="blobs", min_size=size).condition == f"at least {words}"
