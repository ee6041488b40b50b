"""Blob containers, on Azure's own emulator: every way to open one, every name, and the library's own listing."""

from __future__ import annotations

import random
import re
from datetime import timedelta

import pytest
from azure.storage.blob import ContainerClient, PublicAccess

from aml_magics.datastores import BlobContainer, ObjectInfo
from aml_magics.engine.leaf_walk import sweep
from aml_magics.engine.packing import PackedSnapshot
from aml_magics.model.errors import InvalidInput, NotFound, ServiceError
from aml_magics.model.secret import Secret
from tests.support.azurite import KEY

# What an emulator of today can list; names that XML cannot carry end its listing with status 500.
ODD = (
    "a&b",
    "a<b>c",
    "sp ace",
    "per%20cent",
    "100%",
    "ü/é.csv",
    "𝔘",
    "uff\uff00",
    "amp&amp;",
    "q\"'",
    "plus+",
    "a//b",
    "#?",
)


@pytest.fixture
def client(azurite):
    with azurite.client() as client:
        yield client


@pytest.fixture
def opened(azurite, client):
    """Opens the container as a datastore, and closes it."""
    stores = []

    def open_it(*arguments, **options) -> BlobContainer:
        chosen = arguments or (azurite.url, client.container_name, Secret(KEY))
        stores.append(BlobContainer.open(*chosen, **options))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


def names(store: BlobContainer, path: str = "", *, recursive: bool = False) -> list[str]:
    return [info.name for info in store.list(path, recursive=recursive)]


def put(client: ContainerClient, *names: str, data: bytes = b"x") -> None:
    for name in names:
        client.upload_blob(name, data, overwrite=True)


def test_what_was_written_is_read_and_listed(opened):
    store = opened()
    written = store.write("in/a.csv", b"1,2\n")
    assert store.read("in/a.csv") == b"1,2\n"
    (listed,) = store.list("in")
    assert listed == written
    assert isinstance(listed, ObjectInfo)
    assert (listed.name, listed.size, type(listed.modified)) == ("in/a.csv", 4, float)
    assert not listed.etag.startswith('"')
    again = store.write("in/a.csv", b"3\n")
    assert (list(store.list("in")), again.etag == written.etag) == ([again], False)


@pytest.mark.parametrize("way", ["key", "SAS", "SAS with ?", "connection string", "connection string with SAS"])
def test_it_opens_with(way, azurite, client, opened):
    put(client, "a")
    name, sas = client.container_name, azurite.sas(client.container_name)
    with_sas = f"BlobEndpoint={azurite.url};SharedAccessSignature={sas}"
    store = {
        "key": lambda: opened(azurite.url, name, Secret(KEY)),
        "SAS": lambda: opened(azurite.url + "/", name, Secret(sas)),
        "SAS with ?": lambda: opened(azurite.url, name, Secret(f"?{sas}")),
        "connection string": lambda: opened(Secret(azurite.connection_string), name),
        "connection string with SAS": lambda: opened(Secret(with_sas), name),
    }[way]()
    assert names(store) == ["a"]
    store.write("b", b"2")
    assert store.read("b") == b"2"
    assert repr(store) == f"BlobContainer('{azurite.url}/{name}')"


def test_a_public_container_needs_no_credential(azurite, client, opened):
    put(client, "a")
    client.set_container_access_policy({}, public_access=PublicAccess.CONTAINER)
    store = opened(azurite.url, client.container_name)
    assert (names(store), store.read("a")) == (["a"], b"x")


@pytest.mark.parametrize("listing", ["fast", "sdk"])
@pytest.mark.parametrize("way", ["nothing", "another key", "an old SAS", "a SAS that may not list"])
def test_who_may_not_gets_one_line_without_the_secret(way, listing, azurite, client, opened):
    name = client.container_name
    wrong = {
        "nothing": None,
        "another key": Secret("A" + KEY[1:]),
        "an old SAS": Secret(azurite.sas(name, lasts=timedelta(hours=-1))),
        "a SAS that may not list": Secret(azurite.sas(name, "r")),
    }[way]
    store = opened(azurite.url, name, wrong, listing=listing)
    with pytest.raises(ServiceError, match=f"^cannot list the objects in {azurite.url}/{name}: 403 Auth") as caught:
        names(store)
    assert caught.value.status == 403
    assert "\n" not in str(caught.value)
    assert not wrong or wrong.reveal().rpartition("sig=")[2] not in str(caught.value)


@pytest.mark.parametrize("listing", ["fast", "sdk"])
def test_a_container_that_is_not_there_is_not_found(listing, azurite, opened):
    store = opened(azurite.url, "nowhere", Secret(KEY), listing=listing)
    for call in (lambda: names(store), lambda: store.read("a"), lambda: store.write("a", b"")):
        with pytest.raises(NotFound, match=r"there is no container http://127.0.0.1:.*/nowhere$"):
            call()


def test_an_object_that_is_not_there_is_not_found(opened):
    with pytest.raises(NotFound, match="cannot read 'a': there is no such object"):
        opened().read("a")


def test_no_signature_is_in_a_log_of_any_level(azurite, client, opened, caplog):
    caplog.set_level("DEBUG")
    store = opened(azurite.url, client.container_name, Secret(azurite.sas(client.container_name)))
    store.write("a", b"1")
    assert names(store) == ["a"]
    assert store.read("a") == b"1"
    assert "comp=list" in caplog.text
    assert set(re.findall(r"sig=([^&\s']*)", caplog.text)) <= {"***", "REDACTED"}


def test_a_service_that_is_not_there_is_one_line(opened):
    with pytest.raises(ServiceError, match=r"cannot list the objects in http://127.0.0.1:9/x/c: .*refused") as caught:
        names(opened("http://127.0.0.1:9/x", "c", Secret(KEY)))
    assert "\n" not in str(caught.value)
    assert "HTTPConnection" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ("ftp://x", "c"),
        ("account", "c"),
        ("https://x.invalid/?sv=1&sig=abc", "c"),
        ("https://x.invalid", "c/d"),
        ("https://x.invalid", ""),
        (Secret("nonsense"), "c"),
        (Secret("AccountName=a;AccountKey=b"), "c", Secret("k")),
    ],
)
def test_what_does_not_fit_together_is_refused_at_once(arguments):
    with pytest.raises(InvalidInput) as caught:
        BlobContainer.open(*arguments)
    assert "sig=abc" not in str(caught.value)


def test_a_name_that_is_too_long_is_told_to_be_and_not_shown_whole(opened):
    with pytest.raises(InvalidInput, match=r"has 1025 characters\. .* at most 1024") as caught:
        opened().write("in/" + "x" * 1022, b"")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", ["", "/a", "../a", "a/../b", "a/./b", "a/", "a\0b", "a\ud800", "a" * 1025])
def test_a_name_that_is_none_is_refused(name, opened):
    store = opened()
    for call in (lambda: store.read(name), lambda: store.write(name, b"")):
        with pytest.raises(InvalidInput):
            call()
    if name:
        with pytest.raises(InvalidInput):
            names(store, name)


def test_direct_children_only_unless_recursive(client, opened):
    put(client, "top", "in/a", "in/sub/b", "in/sub/deep/c", "inner/d", "in.csv", "in-b/x")
    store = opened(page_size=2)
    assert names(store) == ["in.csv", "top"]
    assert names(store, "in") == ["in/a"]
    assert names(store, "in", recursive=True) == ["in/a", "in/sub/b", "in/sub/deep/c"]
    assert len(names(store, recursive=True)) == 7
    assert names(store, "nothing", recursive=True) == []


def test_empty_objects_count_and_directory_stubs_and_snapshots_do_not(client, opened):
    put(client, "empty", "dir/a", data=b"")
    client.upload_blob("dir", b"", metadata={"hdi_isfolder": "true"})
    client.upload_blob("told", b"x", metadata={"hdi_isfolder": "false", "blob": "1", "name": "2"})
    client.get_blob_client("empty").create_snapshot()
    put(client, "empty")
    for listing in ("fast", "sdk"):
        assert names(opened(listing=listing), recursive=True) == ["dir/a", "empty", "told"]


def test_odd_names_are_read_written_and_listed(client, opened):
    store = opened(page_size=3)
    for name in ODD:
        store.write(name, name.encode())
    assert sorted(names(store, recursive=True)) == sorted(ODD)
    assert all(store.read(name) == name.encode() for name in ODD)


def test_more_than_a_page_of_the_service_is_listed_whole(client, opened):
    put(client, *(f"{number:04}" for number in range(60)))
    pages = list(opened(page_size=7).pages("", recursive=True))
    assert [bool(page.marker) for page in pages] == [True] * 8 + [False]
    assert names(opened(page_size=7)) == [f"{number:04}" for number in range(60)]


def random_edits(client: ContainerClient, choose: random.Random, known: set[str], count: int) -> None:
    for _ in range(count):
        if known and choose.random() < 0.3:
            name = choose.choice(sorted(known))
            client.delete_blob(name)
            known.discard(name)
        else:
            folder = choose.choice(("", "a/", "a/b/", "a-b/", "ü/"))
            name = f"{folder}{choose.randrange(60)}{choose.choice(('', '', *ODD))}"
            metadata = choose.choice((None, {"blob": "x", "name": "y"}, {"hdi_isfolder": "true"}))
            client.upload_blob(name, b"x" * choose.randrange(3), overwrite=True, metadata=metadata)
            known.add(name)


@pytest.mark.parametrize("seed", range(4))
def test_the_fast_listing_and_the_library_s_are_the_same(seed, client, opened):
    choose, known = random.Random(seed), set[str]()
    fast, sdk = opened(page_size=choose.choice((1, 4, 5000))), opened(listing="sdk", page_size=11)
    for _ in range(4):
        random_edits(client, choose, known, 25)
        for path in ("", "a", "a/b", "ü"):
            for recursive in (True, False):
                assert list(fast.list(path, recursive=recursive)) == list(sdk.list(path, recursive=recursive))
        raw = {blob.name: (blob.etag, blob.size, blob.last_modified.timestamp()) for blob in client.list_blobs()}
        stubs = {blob.name for blob in client.list_blobs(include=["metadata"]) if "hdi_isfolder" in blob.metadata}
        listed = {name: (etag, size, modified) for name, etag, size, modified in fast.list(recursive=True)}
        assert listed == {name: found for name, found in raw.items() if name not in stubs}


@pytest.mark.parametrize("recursive", [True, False])
def test_a_sweep_tells_what_the_container_went_through(recursive, client, opened):
    choose, known, snapshot = random.Random(5), set[str](), PackedSnapshot()
    store, sdk = opened(page_size=5), opened(listing="sdk")
    before: dict[str, str] = {}
    for _ in range(6):
        random_edits(client, choose, known, 12)
        after = {info.name: info.etag for info in sdk.list("a", recursive=recursive)}
        found = sweep(store, "a", recursive, snapshot, list(before))
        assert {info.name for info in found.added} == after.keys() - before.keys()
        assert {i.name for i in found.modified} == {n for n in after.keys() & before.keys() if after[n] != before[n]}
        assert set(found.gone) == before.keys() - after.keys()
        other = sweep(sdk, "a", recursive, found.snapshot)
        assert (other.objects, other.added, other.modified, other.removed) == (len(after), [], [], 0)
        before, snapshot = after, found.snapshot


def test_it_reconnects_after_it_was_closed(client, opened):
    put(client, "a")
    store = opened()
    assert names(store) == ["a"]
    store.close()
    assert (names(store), store.read("a")) == (["a"], b"x")
