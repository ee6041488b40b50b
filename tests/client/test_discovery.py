"""What discovery remembers: for a day, per workspace, in a file that may be broken and never holds a secret."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from aml_magics.client import discovery
from aml_magics.client.discovery import Discoveries, cache_file, discover
from aml_magics.client.reaching import Reach
from aml_magics.model.errors import ServiceError
from aml_magics.wire.arm import Resource, Services

HERE = Resource("/subscriptions/s/w", "w", "id", "https://discovery.example/x", "region")
THERE = Resource("/subscriptions/s/w2", "w2", "id2", "https://discovery.example/x", "region")
SERVICES = Services("https://api.example", "https://history.example")


class Clock:
    now = 1_000_000.0


@pytest.fixture
def file(tmp_path):
    Clock.now = 1_000_000.0
    yield tmp_path / "cache" / "aml_magics" / "discovery.json"
    discovery._IN_THIS_PROCESS.clear()


def fresh(file):
    """As another process sees it: only the file is common."""
    discovery._IN_THIS_PROCESS.clear()
    return Discoveries(file, now=lambda: Clock.now)


def test_another_process_knows_it_too(file):
    fresh(file).put(HERE, SERVICES)
    assert fresh(file).get(HERE) == SERVICES


def test_workspaces_are_told_apart_also_when_they_share_a_discovery_url(file):
    fresh(file).put(HERE, SERVICES)
    assert fresh(file).get(THERE) is None
    assert fresh(file).get(Resource(HERE.scope, "w", "made anew", HERE.discovery_url)) is None


@pytest.mark.parametrize("look", [lambda known, file: known, lambda _known, file: fresh(file)])
@pytest.mark.parametrize(("passed", "is_known"), [(86_399.0, True), (86_401.0, False), (-10.0, False)])
def test_it_is_remembered_for_a_day(file, look, passed, is_known):
    known = fresh(file)
    known.put(HERE, SERVICES)
    Clock.now += passed
    assert (look(known, file).get(HERE) is not None) is is_known


def test_a_new_answer_replaces_the_old_one_here_and_in_the_file(file):
    known = fresh(file)
    known.put(THERE, SERVICES)
    known.put(HERE, SERVICES)
    known.put(HERE, Services("https://moved.example", "https://moved.example"))
    assert known.get(HERE).api == fresh(file).get(HERE).api == "https://moved.example"
    assert fresh(file).get(THERE) == SERVICES


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"x": 1}',
        "\x00\xff",
        '{"/subscriptions/s/w/id|https://discovery.example/x": {"at": 1000000, "api": 5}}',
    ],
)
def test_a_broken_file_is_as_good_as_none_and_is_written_anew(file, content):
    file.parent.mkdir(parents=True)
    file.write_text(content)
    known = fresh(file)
    assert known.get(HERE) is None
    known.put(HERE, SERVICES)
    assert fresh(file).get(HERE) == SERVICES


def test_a_file_that_cannot_be_written_does_not_matter(tmp_path):
    (tmp_path / "taken").write_text("a file where a folder belongs")
    known = Discoveries(tmp_path / "taken" / "discovery.json", now=lambda: Clock.now)
    known.put(HERE, SERVICES)
    assert known.get(HERE) == SERVICES
    discovery._IN_THIS_PROCESS.clear()


def test_the_file_holds_addresses_and_nothing_else_and_does_not_grow(file):
    known = fresh(file)
    for number in range(210):
        known.put(Resource(f"/{number}", "w", "id", "https://d.example"), SERVICES)
    entries = json.loads(file.read_text())
    assert len(entries) == 200
    assert all(set(entry) == {"at", "api", "history"} for entry in entries.values())
    assert "/209/id|https://d.example" in entries
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.stat().st_mode & 0o077 == 0


def test_it_lies_where_this_platform_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_file() == tmp_path / "aml_magics" / "discovery.json"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_file() == tmp_path / ".cache" / "aml_magics" / "discovery.json"

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert cache_file() is None


def ask(answer):
    requests = []

    async def network(request):
        requests.append(request)
        return httpx.Response(200, json=answer)

    found = asyncio.run(discover(HERE, Reach(network=httpx.MockTransport(network))))
    return found, requests


def test_discovery_is_asked_without_a_token():
    found, (request,) = ask({"api": "https://a", "history": "https://h", "studio": "https://s"})
    assert found == Services("https://a", "https://h")
    assert str(request.url) == HERE.discovery_url
    assert "authorization" not in request.headers


@pytest.mark.parametrize("answer", [{}, [], {"api": "https://a"}, {"api": "", "history": "x"}])
def test_an_answer_without_the_services_is_one_line(answer):
    with pytest.raises(ServiceError, match="about discovery cannot be read"):
        ask(answer)
