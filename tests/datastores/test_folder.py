"""A local folder as a datastore: what it lists, what it refuses, and that nobody sees half of anything."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aml_magics.datastores import Folder, ObjectInfo
from aml_magics.datastores.folder import TEMPORARY_PREFIX, _has_leases
from aml_magics.model.errors import InvalidInput, NotFound


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "store")


def names(folder: Folder, path: str = "", *, recursive: bool = False) -> list[str]:
    return sorted(info.name for info in folder.list(path, recursive=recursive))


def test_a_folder_that_is_not_there_is_empty(folder):
    assert names(folder) == []
    assert names(folder, "in", recursive=True) == []
    assert not folder.root.exists()


def test_what_was_written_is_read_and_listed(folder):
    written = folder.write("in/a.csv", b"1,2\n")
    assert folder.read("in/a.csv") == b"1,2\n"
    (listed,) = folder.list("in")
    assert listed == written
    assert isinstance(listed, ObjectInfo)
    assert (listed.name, listed.size) == ("in/a.csv", 4)
    assert listed.modified == pytest.approx((folder.root / "in/a.csv").stat().st_mtime)


def test_direct_children_only_unless_recursive(folder):
    for name in ("top", "in/a", "in/sub/b", "in/sub/deep/c", "inner/d"):
        folder.write(name, b"")
    assert names(folder) == ["top"]
    assert names(folder, "in") == ["in/a"]
    assert names(folder, "in", recursive=True) == ["in/a", "in/sub/b", "in/sub/deep/c"]
    assert names(folder, recursive=True) == ["in/a", "in/sub/b", "in/sub/deep/c", "inner/d", "top"]


def test_a_path_that_is_a_file_holds_that_one_object(folder):
    folder.write("in/a", b"x")
    assert names(folder, "in/a") == ["in/a"]


def test_the_etag_changes_with_time_and_size_and_not_with_the_copy(folder):
    def etag() -> str:
        return next(iter(folder.list("in"))).etag

    folder.write("in/a", b"one")
    path = folder.root / "in/a"
    status = path.stat()
    first = etag()
    assert etag() == first
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    later = etag()
    folder.write("in/a", b"one")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert etag() == first  # another inode: a folder that was copied or restored holds the same versions
    path.write_bytes(b"longer")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len({first, later, etag()}) == 3


@pytest.mark.parametrize(
    "name", ["../a", "in/../../a", "/etc/passwd", "in//a", "in/", "./a", "..", ".", "a\0b", "\udcff"]
)
def test_a_name_that_is_not_plain_and_relative_is_refused(folder, name):
    for call in (folder.read, folder.local_path, folder.is_being_written, lambda name: list(folder.list(name))):
        with pytest.raises(InvalidInput):
            call(name)
    with pytest.raises(InvalidInput):
        folder.write(name, b"")


def test_an_object_needs_a_name_and_a_temporary_one_is_refused(folder):
    for name in ("", f"in/{TEMPORARY_PREFIX}x"):
        with pytest.raises(InvalidInput):
            folder.write(name, b"")


def test_a_link_that_leads_out_is_no_object_and_no_way_out(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    folder.write("in/a", b"")
    (folder.root / "in/file").symlink_to(outside / "secret")
    (folder.root / "in/folder").symlink_to(outside)
    assert names(folder, recursive=True) == ["in/a"]
    for name in ("in/file", "in/folder/secret"):
        with pytest.raises(InvalidInput, match="leads out"):
            folder.read(name)
        with pytest.raises(InvalidInput, match="leads out"):
            folder.write(name, b"overwritten")
    with pytest.raises(InvalidInput, match="leads out"):
        names(folder, "in/folder")
    assert (outside / "secret").read_text() == "secret"
    assert sorted(outside.iterdir()) == [outside / "secret"]


def test_a_link_that_stays_inside_is_an_object_and_a_circle_ends(folder):
    folder.write("real/a", b"x")
    (folder.root / "in").mkdir()
    (folder.root / "in/a").symlink_to(folder.root / "real/a")
    (folder.root / "in/circle").symlink_to(folder.root)
    (folder.root / "in/dangling").symlink_to(folder.root / "nowhere")
    (folder.root / "in/itself").symlink_to(folder.root / "in/itself")
    assert names(folder, recursive=True) == ["in/a", "real/a"]
    assert folder.read("in/a") == b"x"


def test_a_root_that_is_itself_a_link_works(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    folder = Folder(tmp_path / "link")
    folder.write("in/a", b"x")
    assert names(folder, "in") == ["in/a"]
    assert folder.read("in/a") == b"x"


def test_only_regular_files_with_unicode_names_are_objects(folder):
    folder.write("in/a", b"")
    os.mkfifo(folder.root / "in/pipe")
    (folder.root / os.fsdecode(b"in/\xff")).write_bytes(b"")
    assert names(folder, "in") == ["in/a"]
    assert folder.is_being_written("in/pipe") is False


def test_odd_but_legal_names_come_back_as_they_are(folder):
    odd = ["a b", "ümlaut", "new\nline", "a|b", "a'b\"c", "-rf", "100%", ".hidden", "back\\slash"]
    for name in odd:
        folder.write(f"in/{name}", name.encode())
    assert names(folder, "in") == sorted(f"in/{name}" for name in odd)
    assert folder.read("in/new\nline") == b"new\nline"


def test_an_unfinished_upload_is_not_listed_and_a_failed_one_leaves_nothing(folder):
    folder.write("in/a", b"old")
    (folder.root / "in" / f"{TEMPORARY_PREFIX}0123").write_bytes(b"half")
    assert names(folder, recursive=True) == ["in/a"]
    (folder.root / "in/taken").mkdir()
    before = sorted((folder.root / "in").iterdir())
    with pytest.raises(InvalidInput, match="same name"):
        folder.write("in/taken", b"x")
    with pytest.raises(InvalidInput, match="same name"):
        folder.write("in/a/b", b"x")
    assert sorted((folder.root / "in").iterdir()) == before


def test_a_reader_never_sees_part_of_a_write(folder):
    sizes, over = set(), threading.Event()
    folder.write("a", b"x" * 100)

    def read() -> None:
        while not over.is_set():
            sizes.add(len(folder.read("a")))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        folder.write("a", b"x" * (100 if number % 2 else 1_000_000))
    over.set()
    reader.join()
    assert sizes <= {100, 1_000_000}


def test_a_new_object_has_the_permissions_of_any_new_file(folder):
    folder.write("a", b"")
    (folder.root / "b").touch()
    assert (folder.root / "a").stat().st_mode == (folder.root / "b").stat().st_mode


def test_what_is_not_there_is_not_found_and_not_being_written(folder):
    folder.write("in/a", b"")
    for name in ("b", "in", "in/a/b"):
        with pytest.raises(NotFound):
            folder.read(name)
    assert folder.is_being_written("b") is False


def test_local_path_is_where_an_object_or_a_path_lies(folder):
    assert folder.local_path("in/a") == folder.root / "in" / "a"
    assert folder.local_path("") == folder.root


def test_a_listing_survives_files_that_go_while_it_looks(folder):
    for number in range(500):
        folder.write(f"in/{number}", b"")

    def remove() -> None:
        for number in range(500):
            (folder.root / f"in/{number}").unlink()

    remover = threading.Thread(target=remove)
    remover.start()
    while remover.is_alive():
        names(folder, recursive=True)
    remover.join()
    assert names(folder) == []


# --- open for writing: real files, real processes ---------------------------------------------------------------------


def test_a_file_that_this_process_has_open_for_writing_is_being_written(folder):
    folder.write("a", b"")
    with (folder.root / "a").open("ab"):
        assert folder.is_being_written("a")
    assert not folder.is_being_written("a")
    with (folder.root / "a").open("rb"):
        assert not folder.is_being_written("a")


WRITER = """
import sys
with open(sys.argv[1], "a") as file:
    print("open", flush=True)
    sys.stdin.readline()
print("closed", flush=True)
sys.stdin.readline()
"""


def test_a_file_that_another_process_has_open_for_writing_is_being_written(folder):
    folder.write("a", b"")
    command = [sys.executable, "-c", WRITER, str(folder.root / "a")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "open\n"
        assert folder.is_being_written("a")
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "closed\n"
        assert not folder.is_being_written("a")
        writer.stdin.write("\n")


ASKER = """
import sys, time
from pathlib import Path
from aml_magics.datastores import Folder
folder = Folder(Path(sys.argv[1]))
print("asking", flush=True)
until = time.monotonic() + 1.0
while time.monotonic() < until:
    folder.is_being_written("a")
print("survived", flush=True)
"""


def test_somebody_who_opens_the_file_while_we_ask_is_served_and_does_not_kill_us(folder):
    folder.write("a", b"")
    command = [sys.executable, "-c", ASKER, str(folder.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout.readline() == "asking\n"
        while asker.poll() is None:
            (folder.root / "a").open("ab").close()
        assert asker.stdout.read() == "survived\n"
    assert asker.returncode == 0


def test_the_folder_of_a_workspace_is_neither_listed_nor_touched(folder):
    folder.write("a", b"")
    own = folder.root / "sub" / ".aml"
    own.mkdir(parents=True)
    (own / "workspace.db").write_text("a database")
    assert names(folder, recursive=True) == ["a"]
    for call in (folder.read, folder.local_path, lambda name: folder.write(name, b"")):
        with pytest.raises(InvalidInput, match="a workspace's own"):
            call("sub/.aml/workspace.db")


def test_one_entry_that_may_not_be_looked_at_does_not_hide_the_others(folder, monkeypatch):
    folder.write("in/a", b"")
    folder.write("in/closed/b", b"")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names(folder, "in", recursive=True) == ["in/a"]
    with pytest.raises(PermissionError):
        names(folder, "in/closed")


def test_a_network_folder_is_not_believed_when_it_says_that_somebody_writes(folder, monkeypatch):
    folder.write("a", b"")
    with (folder.root / "a").open("ab"):
        assert folder.is_being_written("a") == _has_leases(folder.root.stat().st_dev)
        monkeypatch.setattr("aml_magics.datastores.folder._LOCAL_SYSTEMS", set())
        _has_leases.cache_clear()
        assert not folder.is_being_written("a")
    _has_leases.cache_clear()
