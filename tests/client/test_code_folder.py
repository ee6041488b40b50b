"""What of a folder becomes the code of a step, and what never does."""

import os

import pytest

from aml_magics.client.code_folder import LEFT_OUT, code_reader, read_code
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.graph import CODE_LIMIT


@pytest.fixture
def src(tmp_path):
    folder = tmp_path / "src"
    (folder / "pkg").mkdir(parents=True)
    (folder / "train.py").write_bytes(b"print(1)\r\n")
    (folder / "pkg" / "m.py").write_bytes(b"\x00\xff")
    return folder


def test_a_folder_is_read_with_relative_names_byte_for_byte(tmp_path, src):
    assert read_code(tmp_path, "./src") == {"pkg/m.py": b"\x00\xff", "train.py": b"print(1)\r\n"}
    assert code_reader(tmp_path)("src") == read_code(tmp_path, "src")


def test_a_single_file_is_code_too(tmp_path, src):
    assert read_code(tmp_path, "src/train.py") == {"train.py": b"print(1)\r\n"}


def test_hidden_files_are_code(tmp_path, src):
    (src / ".env").write_text("A=1")
    assert ".env" in read_code(tmp_path, "src")


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_caches_version_control_and_the_workspace_itself_stay_behind(tmp_path, src, name):
    (src / "pkg" / name).mkdir()
    (src / "pkg" / name / "x").write_text("x")
    assert set(read_code(tmp_path, "src")) == {"pkg/m.py", "train.py"}


def test_a_link_to_a_file_outside_is_refused(tmp_path, src):
    (tmp_path / "secret").write_text("s")
    (src / "link.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidInput, match=r"'link\.txt' in .* leads out of the folder"):
        read_code(tmp_path, "src")


def test_a_link_to_a_folder_is_refused(tmp_path, src):
    (src / "up").symlink_to(tmp_path)
    with pytest.raises(InvalidInput, match=r"'up' in .* link to a folder"):
        read_code(tmp_path, "src")


def test_a_link_inside_the_folder_is_read(tmp_path, src):
    (src / "again.py").symlink_to("train.py")
    assert read_code(tmp_path, "src")["again.py"] == b"print(1)\r\n"


def test_a_folder_that_is_a_link_itself_may_be_named(tmp_path, src):
    (tmp_path / "alias").symlink_to(src)
    assert "train.py" in read_code(tmp_path, "alias")


def test_a_broken_link_is_one_line(tmp_path, src):
    (src / "broken").symlink_to("nowhere")
    with pytest.raises((InvalidInput, NotFound), match="src"):
        read_code(tmp_path, "src")


def test_a_pipe_is_not_waited_for(tmp_path, src):
    os.mkfifo(src / "pipe")
    assert "pipe" not in read_code(tmp_path, "src")


def test_too_much_is_refused_before_it_is_read_and_the_largest_file_is_named(tmp_path, src):
    with (src / "data.bin").open("wb") as file:
        file.truncate(CODE_LIMIT)  # sparse: takes no room
    with pytest.raises(InvalidInput, match=r"over the limit of 20 MiB a step; the largest file is 'data\.bin'"):
        read_code(tmp_path, "src")


def test_a_missing_folder_gets_the_nearest_name(tmp_path, src):
    with pytest.raises(NotFound, match=r"Did you mean 'src'\?"):
        read_code(tmp_path, "srcs")


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="holds no files"):
        read_code(tmp_path, "empty")


@pytest.mark.parametrize("code", ["azureml:code:1", "https://x.example/y.git", "git+ssh://x"])
def test_code_elsewhere_is_refused(tmp_path, code):
    with pytest.raises(InvalidInput, match="not on this machine"):
        read_code(tmp_path, code)


@pytest.mark.parametrize("code", ["a\0b", "x" * 5000])
def test_a_name_that_cannot_be_one_is_one_line(tmp_path, code):
    with pytest.raises(InvalidInput):
        read_code(tmp_path, code)


def test_a_file_name_that_is_no_utf_8_is_refused(tmp_path, src):
    (src / os.fsdecode(b"bad\xff.py")).write_text("x")
    with pytest.raises(InvalidInput, match="no UTF-8"):
        read_code(tmp_path, "src")
