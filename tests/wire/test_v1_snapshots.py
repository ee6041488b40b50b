"""Snapshots on the wire: trees, hashes, and addresses that come out of the SDK's mangling as they went in."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.wire.v1_snapshots import blob_url, file_hash, file_nodes_to, snapshot_files_from, uploaded_from


def file(name: str, known: str) -> dict:
    return {"name": name, "type": "File", "hash": known, "children": {}}


def folder(name: str, *children: dict) -> dict:
    return {"name": name, "type": "Directory", "hash": "X", "children": {child["name"]: child for child in children}}


def test_every_file_of_a_tree_is_read_with_its_path():
    tree = folder("", file("a.py", "AA"), folder("pkg", file("b.py", "bb"), folder("deep", file("c.py", "cc"))))

    assert snapshot_files_from({"DirTreeNode": tree}) == {"a.py": "aa", "pkg/b.py": "bb", "pkg/deep/c.py": "cc"}


def test_a_hash_is_of_the_content_and_the_last_part_of_the_path():
    assert file_hash("pkg/b.py", b"x") == hashlib.sha512(b"xb.pyFile").hexdigest()


def as_the_sdk_reads_it(url: str) -> str:
    """Where azureml-core 1.61 uploads to, given a blob's address."""
    parsed = urlsplit(url)
    account, _, suffix = parsed.netloc.split(".", 2)
    return f"https://{account}.blob.{suffix}{parsed.path}?{parsed.query}"


@pytest.mark.parametrize("host", ["127.0.0.1:8443", "localhost:1", "[::1]:8443", "teacher.example"])
def test_an_upload_arrives_at_the_workspace_whatever_the_sdk_does_to_its_address(host):
    url = urlsplit(as_the_sdk_reads_it(blob_url(f"https://{host}", "/files/one", "abc")))

    assert url.netloc.rpartition("@")[2] == host
    assert (url.scheme, url.path, url.query) == ("https", "/files/one", "sig=abc")


def test_what_was_uploaded_is_known_by_the_address_that_was_given():
    url = blob_url("https://localhost:1", "/files/one", "abc")
    (node,) = file_nodes_to([("pkg/b.py", url)])["fileNodes"]
    said = {"FullName": node["fullName"], "BlobUri": node["blobUri"], "FileSize": 3}

    assert uploaded_from({"FileRevisionList": {"FileNodes": [said]}}) == [("pkg/b.py", "one")]


def test_a_snapshot_without_a_tree_is_refused():
    with pytest.raises(InvalidInput, match="no DirTreeNode"):
        snapshot_files_from({})


def test_a_tree_without_an_end_is_refused():
    tree = folder("x")
    for _ in range(200):
        tree = folder("x", tree)

    with pytest.raises(InvalidInput, match="deep"):
        snapshot_files_from({"DirTreeNode": tree})
