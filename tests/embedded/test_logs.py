"""Logs in parts: what a reader who has some of it is answered with."""

from __future__ import annotations

import pytest

from aml_magics.embedded import logs
from aml_magics.embedded.logs import LogPart, answer, first_byte, part_of
from aml_magics.session import Session


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(b"0123456789")
    return path


@pytest.mark.parametrize(
    ("since", "part"),
    [
        (0, LogPart(0, b"0123456789", 10)),
        (4, LogPart(4, b"456789", 10)),
        (9, LogPart(9, b"9", 10)),
        (10, LogPart(0, b"0123456789", 10)),  # nothing begins there: whoever asks has another log in mind
        (99, LogPart(0, b"0123456789", 10)),
    ],
)
def test_a_part_begins_where_it_was_asked_to(log, since, part):
    assert part_of(log, since) == part


def test_of_a_long_log_the_end_is_given(log, monkeypatch):
    monkeypatch.setattr(logs, "_LARGEST", 3)
    assert part_of(log, 0) == part_of(log, 4) == LogPart(7, b"789", 10)


def test_a_log_that_is_not_there_is_empty(tmp_path):
    assert part_of(tmp_path / "none", 5) == LogPart(0, b"", 0)


@pytest.mark.parametrize(
    ("header", "byte"),
    [("", 0), ("bytes=5-", 5), ("bytes=0-", 0), ("bytes=5-9", 0), ("bytes=-5", 0), ("bytes=1-,3-", 0), ("lines=1-", 0)],
)
def test_ranges_of_other_kinds_are_answered_with_all_of_it(header, byte):
    assert first_byte(header) == byte


@pytest.mark.parametrize(("since", "status", "place"), [(0, 200, None), (4, 206, "bytes 4-9/10"), (99, 200, None)])
def test_a_part_says_that_it_is_one(log, since, status, place):
    response = answer(part_of(log, since), since)
    assert (response.status_code, response.headers.get("content-range")) == (status, place)


def test_a_run_that_is_followed_is_read_from_where_the_reader_is(tmp_path, monkeypatch):
    asked = []

    def noted(path, since):
        asked.append(since)
        return part_of(path, since)

    monkeypatch.setattr("aml_magics.embedded.workspace.part_of", noted)
    session = Session()
    try:
        ws = session.connect(tmp_path)
        source = "import time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.3)\n"
        ws.pipelines.publish(source=source, name="slow")
        assert "".join(ws.runs.follow(ws.pipelines.submit("slow"))) == "0\n1\n2\n"
    finally:
        session.close()
    assert asked == sorted(asked)
    assert asked[-1] > 0
