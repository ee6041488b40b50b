"""Copies of what lies on a datastore: whole or not there, and never outside their folder."""

from __future__ import annotations

import pytest

from aml_magics.datastores.base import ObjectInfo
from aml_magics.embedded.local_copy import local_copy
from aml_magics.model.errors import InvalidInput, NotFound, ServiceError
from aml_magics.model.resources import DataPath


class Kept:
    """Objects in memory, read one by one; ``broken`` cannot be read."""

    def __init__(self, *names, broken=""):
        self.names = names
        self.broken = broken
        self.reads = []

    def list(self, path="", *, recursive=False):
        assert recursive
        return (ObjectInfo(name, "1", 1, 0.0) for name in self.names if name.startswith(f"{path}/" if path else ""))

    def read(self, name):
        self.reads.append(name)
        if name == self.broken:
            raise ServiceError("the line broke")
        if name not in self.names:
            raise NotFound(name)
        return name.encode()


def test_an_object_keeps_its_name_and_is_copied_once(tmp_path):
    store = Kept("in/a b.csv")
    path = local_copy(store, DataPath("blobs", "in/a b.csv"), tmp_path)
    assert (path.name, path.read_text()) == ("a b.csv", "in/a b.csv")
    assert local_copy(store, DataPath("blobs", "in/a b.csv"), tmp_path) == path
    assert store.reads == ["in/a b.csv"]


@pytest.mark.parametrize(("place", "name"), [("in", "in"), ("", "blobs")])
def test_a_folder_is_copied_with_what_is_below_it(tmp_path, place, name):
    path = local_copy(Kept("in/a", "in/deep/b"), DataPath("blobs", place), tmp_path)
    assert path.name == name
    top = path if place else path / "in"
    assert sorted(file.relative_to(top).as_posix() for file in top.rglob("*") if file.is_file()) == ["a", "deep/b"]


def test_what_breaks_off_leaves_nothing_and_is_made_anew(tmp_path):
    place = DataPath("blobs", "in")
    with pytest.raises(ServiceError):
        local_copy(Kept("in/a", "in/b", broken="in/b"), place, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert (local_copy(Kept("in/a", "in/b"), place, tmp_path) / "b").exists()


@pytest.mark.parametrize("name", ["in/../../out", "in//x", "in/./x", "in/x\0"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match="cannot be a file"):
        local_copy(Kept(name), DataPath("blobs", "in"), tmp_path / "run")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_object_and_a_folder_of_one_name_cannot_both_be_there(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be copied"):
        local_copy(Kept("in/a", "in/a/b"), DataPath("blobs", "in"), tmp_path)


def test_nothing_at_a_place_is_told(tmp_path):
    with pytest.raises(NotFound, match="nothing lies at blobs/in"):
        local_copy(Kept("other"), DataPath("blobs", "in"), tmp_path)
