"""Source directories: uploaded over https, or found beside the notebook; complete and right, or refused."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from aml_magics.embedded.signed_paths import SignedPaths
from aml_magics.embedded.uploads import Uploads
from aml_magics.model.errors import NotFound
from aml_magics.model.graph import CODE_LIMIT
from aml_magics.wire import v1
from aml_magics.wire.v1_snapshots import file_hash
from tests.embedded.app_bed import on_a_workspace

FILES = {"tell.py": b"print('told')\n", "pkg/__init__.py": b"", "pkg/words.py": b"WORD = 1\n"}
NOWHERE = "/snapshot-files/none"


def tree(files: dict[str, bytes]) -> dict:
    """The tree that the SDK sends."""
    root: dict = {"name": "", "type": "Directory", "hash": "", "children": {}}
    for path, content in files.items():
        *folders, name = path.split("/")
        here = root
        for folder in folders:
            new = {"name": folder, "type": "Directory", "hash": "", "children": {}}
            here = here["children"].setdefault(folder, new)
        known = file_hash(path, content)
        here["children"][name] = {"name": name, "type": "File", "hash": known, "children": {}}
    return root


async def content(bed, method, path, body=None, scheme="https"):
    address = f"{scheme}://embedded/content/v2.0{v1.EMBEDDED_SCOPE}/snapshots/{path}"
    return await bed.ask(method, address, body)


async def upload(bed, files: dict[str, bytes]) -> list[dict]:
    """Upload them as the SDK does; the list of what was uploaded."""
    nodes = (await content(bed, "POST", "getblob", {"FileNames": list(files)})).body["fileNodes"]
    assert [node["fullName"] for node in nodes] == list(files)
    for node in nodes:
        answer = await bed.client.put(plain(node["blobUri"]), content=files[node["fullName"]])
        assert answer.status_code == 201
    return [{"FullName": node["fullName"], "BlobUri": node["blobUri"]} for node in nodes]


def plain(url: str) -> str:
    """The address without what stands before the host."""
    parsed = urlsplit(url)
    return f"https://{parsed.netloc.rpartition('@')[2]}{parsed.path}?{parsed.query}"


def snapshot(files: dict[str, bytes], uploaded: list[dict]) -> dict:
    return {"DirTreeNode": tree(files), "FileRevisionList": {"FileNodes": uploaded}}


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def test_what_is_uploaded_over_https_is_the_snapshot(tmp_path):
    async def play(bed):
        uploaded = await upload(bed, FILES)
        assert (await content(bed, "POST", "one", snapshot(FILES, uploaded))).status == 200
        assert bed.workspace.store.snapshots.files("one") == FILES

    on_a_workspace(tmp_path, play)


def test_an_uploaded_file_tells_its_size(tmp_path):
    async def play(bed):
        (node,) = await upload(bed, {"a.py": b"12345"})
        head = await bed.client.head(plain(node["BlobUri"]))
        assert (head.status_code, head.headers["content-length"]) == (200, "5")
        assert head.headers["x-ms-blob-type"] == "BlockBlob"

    on_a_workspace(tmp_path, play)


def test_an_address_without_its_signature_allows_nothing(tmp_path):
    async def play(bed):
        (node,) = (await content(bed, "POST", "getblob", {"FileNames": ["a.py"]})).body["fileNodes"]
        address = plain(node["blobUri"])
        bare, _, _ = address.partition("?")
        for wrong in (bare, f"{bare}?sig=", f"{bare}?sig=\u00fc", f"{address}0", f"https://embedded{NOWHERE}?sig=x"):
            assert (await bed.client.put(wrong, content=b"x")).status_code == 404
            assert (await bed.client.head(wrong)).status_code == 404
        assert (await bed.client.put(address, content=b"x")).status_code == 201

    on_a_workspace(tmp_path, play)


def test_a_content_that_is_not_the_one_in_the_tree_is_refused_and_not_kept(tmp_path):
    async def play(bed):
        uploaded = await upload(bed, {**FILES, "tell.py": b"something else"})
        answer = await content(bed, "POST", "one", snapshot(FILES, uploaded))
        assert answer.status == 400
        assert "the content of 'tell.py' is not the one in its tree" in answer.message
        snapshots = bed.workspace.store.snapshots
        assert snapshots.files("one") is None
        known = {path: file_hash(path, data) for path, data in FILES.items()}
        assert snapshots.missing(known) == known

    on_a_workspace(tmp_path, play)


def test_only_what_has_changed_needs_to_be_sent(tmp_path):
    async def play(bed):
        await content(bed, "POST", "one", snapshot(FILES, await upload(bed, FILES)))
        changed = {**FILES, "tell.py": b"print('changed')\n"}
        uploaded = await upload(bed, {"tell.py": changed["tell.py"]})
        assert (await content(bed, "POST", "two", snapshot(changed, uploaded))).status == 200
        assert bed.workspace.store.snapshots.files("one") == FILES
        assert bed.workspace.store.snapshots.files("two") == changed

    on_a_workspace(tmp_path, play)


def test_nobody_is_told_of_a_newest_snapshot_so_everything_is_sent_at_first(tmp_path):
    async def play(bed):
        await content(bed, "POST", "one", snapshot(FILES, await upload(bed, FILES)))
        address = f"/content/v1.0{v1.EMBEDDED_SCOPE}/snapshots/latest/metadata"
        assert (await bed.ask("GET", address)).body == {"id": "00000000-0000-0000-0000-000000000000", "root": {}}

    on_a_workspace(tmp_path, play)


def test_over_plain_http_nothing_is_uploaded_and_the_folder_is_found_below_the_workspaces_own(tmp_path):
    write(tmp_path / "elsewhere", {**FILES, "pkg/words.py": b"WORD = 2\n"})
    write(tmp_path / "project" / "src", {**FILES, "notes.txt": b"left out by .amlignore"})

    async def play(bed):
        asked = await content(bed, "POST", "getblob", {"FileNames": list(FILES)}, scheme="http")
        made = await content(bed, "POST", "one", snapshot(FILES, []), scheme="http")
        assert (asked.body, made.status) == ({"fileNodes": []}, 200)
        assert bed.workspace.store.snapshots.files("one") == FILES

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize("almost", [{"tell.py": b"other"}, {"pkg/words.py": b""}])
def test_a_folder_in_which_one_file_differs_is_not_taken(tmp_path, almost):
    write(tmp_path / "src", {**FILES, **almost})

    async def play(bed):
        answer = await content(bed, "POST", "one", snapshot(FILES, []), scheme="http")
        assert answer.status == 400
        assert "the content of 'pkg/__init__.py' and 2 more has not arrived" in answer.message
        assert f"Serve the workspace over TLS, or keep the source_directory below '{tmp_path}'" in answer.message
        assert bed.workspace.store.snapshots.files("one") is None

    on_a_workspace(tmp_path, play)


def test_the_workspaces_own_folder_is_not_searched(tmp_path):
    write(tmp_path / ".aml" / "code" / "src", FILES)

    async def play(bed):
        assert (await content(bed, "POST", "one", snapshot(FILES, []), scheme="http")).status == 400

    on_a_workspace(tmp_path, play)


@pytest.mark.parametrize("name", ["..", "src/../../secret.txt", "/etc/passwd", "a\\b", ""])
def test_a_name_that_leads_out_of_the_source_directory_is_refused(tmp_path, name):
    (tmp_path / "root" / "src").mkdir(parents=True)
    (tmp_path / "secret.txt").write_bytes(b"secret")
    out = tree({"secret.txt": b"secret"})
    out["children"]["secret.txt"]["name"] = name

    async def play(bed):
        answer = await content(bed, "POST", "one", {"DirTreeNode": out}, scheme="http")
        assert (answer.status, "cannot be the name of a file" in answer.message) == (400, True)
        assert bed.workspace.store.snapshots.files("one") is None

    on_a_workspace(tmp_path / "root", play)


def test_more_than_a_step_may_carry_is_refused_with_its_size_and_not_kept(tmp_path):
    large = {"a.bin": b"a" * (CODE_LIMIT // 2 + 1), "b.bin": b"b" * (CODE_LIMIT // 2 + 1)}

    async def play(bed):
        answer = await content(bed, "POST", "one", snapshot(large, await upload(bed, large)))
        assert answer.status == 400
        assert "the source_directory is 20.0 MiB; the limit is 20 MiB" in answer.message
        assert bed.workspace.store.snapshots.files("one") is None

    on_a_workspace(tmp_path, play)


def test_one_file_above_the_limit_is_read_and_dropped_so_that_the_sdk_is_told_why(tmp_path):
    async def play(bed):
        (node,) = await upload(bed, {"a.bin": b"a" * (CODE_LIMIT + 1)})
        answer = await content(bed, "POST", "one", snapshot({"a.bin": b"x"}, [node]))
        assert (answer.status, "the limit is 20 MiB" in answer.message) == (400, True)

    on_a_workspace(tmp_path, play)


def test_a_file_that_comes_in_blocks_is_counted_and_not_kept(tmp_path):
    async def play(bed):
        (node,) = (await content(bed, "POST", "getblob", {"FileNames": ["a.bin"]})).body["fileNodes"]
        address = plain(node["blobUri"])
        for _ in range(3):
            answer = await bed.client.put(f"{address}&comp=block&blockid=x", content=b"a" * (CODE_LIMIT // 2))
            assert answer.status_code == 201
        assert (await bed.client.head(address)).headers["content-length"] == str(CODE_LIMIT // 2 * 3)
        said = {"FullName": "a.bin", "BlobUri": node["blobUri"]}
        assert "30.0 MiB" in (await content(bed, "POST", "one", snapshot({"a.bin": b"x"}, [said]))).message

    on_a_workspace(tmp_path, play)


def test_the_oldest_uploads_are_forgotten_when_they_are_too_large_together():
    uploads = Uploads()
    names = [uploads.expect() for _ in range(6)]
    for name in names:
        uploads.receive(name, b"x" * CODE_LIMIT, CODE_LIMIT)

    assert [uploads.take(name)[1] for name in names] == [0, 0, *[CODE_LIMIT] * 4]


def test_an_upload_is_taken_once_and_only_what_is_expected_is_received():
    uploads = Uploads()
    name = uploads.expect()
    uploads.receive(name, b"x", 1)

    assert [uploads.take(name), uploads.take(name)] == [(b"x", 1), (None, 0)]
    with pytest.raises(NotFound):
        uploads.receive(name, b"x", 1)


def test_a_signature_is_for_one_path_of_one_workspace():
    ours, theirs = SignedPaths(), SignedPaths()
    signature = ours.sign("/a")

    assert ours.allows("/a", signature)
    assert not ours.allows("/b", signature)
    assert not theirs.allows("/a", signature)
    assert not ours.allows("/a", "")


def test_there_is_one_compute_this_machine(tmp_path):
    async def play(bed):
        base = f"/rp/workspaces{v1.EMBEDDED_SCOPE}/computes"
        (found,) = (await bed.ask("GET", base)).body["value"]
        assert (found["name"], found["properties"]["computeType"]) == ("local", "AmlCompute")
        assert (await bed.ask("GET", f"{base}/local")).body == found
        other = await bed.ask("GET", f"{base}/lokal")
        assert (other.status, "Did you mean 'local'?" in other.message) == (404, True)

    on_a_workspace(tmp_path, play)
