"""Code is written once, whole or not at all, under a name that says what is in it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aml_magics.embedded.code import code_digest, materialise

CODE = {"train.py": b"print(1)", "lib/é.py": "é".encode(), "run.sh": b"#!/bin/sh\n"}


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_name_depends_on_every_byte_and_not_on_the_order():
    digests = [
        code_digest(CODE),
        code_digest({**CODE, "train.py": b"print(2)"}),
        code_digest({**CODE, "other.py": b""}),
        code_digest({"a": b"bc"}),
        code_digest({"ab": b"c"}),
        code_digest({"a": b"", "b": b""}),
    ]
    assert len(set(digests)) == len(digests)
    assert code_digest(dict(reversed(CODE.items()))) == digests[0]
    assert len(digests[0]) == 64


def test_all_files_are_there_and_programs_can_be_started(tmp_path):
    target = materialise(CODE, tmp_path / "code")
    assert target == tmp_path / "code" / code_digest(CODE)
    assert files(target) == CODE
    assert os.access(target / "run.sh", os.X_OK)
    assert not os.access(target / "train.py", os.X_OK)


def test_what_is_there_is_not_written_again(tmp_path):
    target = materialise(CODE, tmp_path)
    before = (target / "train.py").stat()
    assert materialise(CODE, tmp_path) == target
    assert (target / "train.py").stat() == before
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_many_writers_at_once_leave_one_whole_folder(tmp_path):
    code = {f"{number}.py": bytes(2000) for number in range(30)}
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: files(materialise(code, tmp_path)), range(16)))
    assert seen == [code] * 16  # whoever is given the folder finds it whole
    assert [path.name for path in tmp_path.iterdir()] == [code_digest(code)]


@pytest.mark.parametrize(("owner", "call"), [(os, "fsync"), (Path, "rename")])
def test_a_failure_in_the_middle_leaves_nothing(tmp_path, monkeypatch, owner, call):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(owner, call, full)
    with pytest.raises(OSError, match="No space left"):
        materialise(CODE, tmp_path)
    assert list(tmp_path.iterdir()) == []
