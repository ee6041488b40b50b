"""Joining a workspace that somebody serves at a URL, with a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import aml_magics
from aml_magics.background import Background
from aml_magics.client.doctor import Result
from aml_magics.client.served import token_given
from aml_magics.embedded.workspace import EmbeddedWorkspace
from aml_magics.model.errors import InvalidInput, NotConnected, ServiceError
from aml_magics.model.resources import RunStatus
from aml_magics.model.secret import Secret
from aml_magics.session import Session
from tests.support.https import make_certificate, served

TOKEN = "the-right-token-of-the-teacher"


class Guarded:
    """The app behind a check of the token, as ``%aml serve`` puts it on a port; discovery is open."""

    def __init__(self, app) -> None:
        self._app = app
        self.seen: list[tuple[str, str]] = []
        self.discovery: object = None

    async def __call__(self, scope, receive, send) -> None:
        headers = dict(scope["headers"])
        token = headers.get(b"authorization", b"").decode()
        self.seen.append((scope["path"], token))
        if scope["path"] == "/discovery":
            if self.discovery is not None:
                await answer(send, 200, self.discovery)
                return
        elif token != f"Bearer {TOKEN}":
            await answer(send, 401, {"error": {"code": "Unauthorized", "message": "no"}})
            return
        await self._app(scope, receive, send)


async def answer(send, status, body) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@contextmanager
def serving(folder, tls=None) -> Iterator[tuple[str, Guarded]]:
    background = Background("aml-served")

    async def start() -> EmbeddedWorkspace:
        made = EmbeddedWorkspace(folder)
        await made.start()
        return made

    embedded = background.call(start())
    try:
        guarded = Guarded(embedded.app)
        with served(guarded, background, tls) as address:
            yield address, guarded
    finally:
        background.call(embedded.stop(), timeout=20)
        background.stop()


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[tuple[str, Guarded]]:
    monkeypatch.delenv("AML_MAGICS_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path) as made:
        yield made


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    yield made
    made.close()


def test_everything_that_ours_can_do_works_from_another_process(place, session):
    url, _guarded = place
    ws = session.connect(url, token=TOKEN)
    assert (ws.is_embedded, ws.is_here, ws.location, ws.name) == (True, False, url, "embedded")
    ws.pipelines.publish(source="print('hello')", name="p")
    run = ws.runs.wait(ws.pipelines.submit("p"), timeout=60)
    assert (run.status, ws.runs.logs(run)) == (RunStatus.FINISHED, "hello\n")
    ws.datastores.upload("workspaceblobstore", b"x", "a.txt")
    assert [one.name for one in ws.datastores.ls("workspaceblobstore")] == ["a.txt"]
    assert ws.status()["counts"]["runs"] == 1


def test_https_where_http_is_spoken_says_so_at_once(place, session):
    url, guarded = place
    with pytest.raises(ServiceError, match="does not speak https") as caught:
        session.connect(url.replace("http://", "https://"), token=TOKEN)
    assert "http://" in caught.value.hint
    assert guarded.seen == []


def test_two_people_see_the_same_workspace(place):
    url, _guarded = place
    with aml_magics.connect(url, token=TOKEN) as one, aml_magics.connect(url, token=Secret(TOKEN)) as other:
        made = one.pipelines.publish(source="1", name="p")
        assert other.pipelines.get("p") == made


def test_the_token_goes_to_the_workspace_and_not_to_discovery(place, session):
    url, guarded = place
    session.connect(url, token=TOKEN).pipelines.list()
    assert [path for path, token in guarded.seen if not token] == ["/discovery"]
    assert len(guarded.seen) == 3


@pytest.mark.parametrize("far", ["http://far.example:1", "https://far.example"])
def test_the_token_goes_to_no_other_address_whatever_discovery_says(place, session, far):
    url, guarded = place
    guarded.discovery = {"api": far, "history": url}
    ws = session.connect(url, token=TOKEN)
    assert ws.pipelines.list() == []
    assert ws.experiments.list() == []


def test_over_tls_with_a_certificate_of_its_own(tmp_path, session):
    tls = make_certificate(tmp_path)
    with serving(tmp_path, tls) as (url, _guarded):
        assert url.startswith("https://")
        assert session.connect(url, token=TOKEN, ca=str(tls[0])).pipelines.list() == []
        with pytest.raises(ServiceError, match=r"not trusted.*--ca FILE"):
            session.connect(url, token=TOKEN)
        session.close()


@pytest.mark.parametrize(("token", "what"), [("wrong", "refuses this token"), (None, "wants a token")])
def test_a_wrong_or_missing_token_says_where_to_get_the_right_one(place, session, token, what):
    url, _guarded = place
    with pytest.raises(NotConnected, match=rf"{what}\. It is in .*AML_MAGICS_TOKEN"):
        session.connect(url, token=token)
    assert not session.is_connected


def test_the_token_may_come_from_the_environment(place, session, monkeypatch):
    url, _guarded = place
    monkeypatch.setenv("AML_MAGICS_TOKEN", f" {TOKEN}\n")
    assert session.connect(url).pipelines.list() == []
    with pytest.raises(NotConnected):
        session.connect(url, token="what is given counts more".replace(" ", "-"))


def test_a_token_that_is_no_longer_good_says_so(place, session, monkeypatch):
    url, _guarded = place
    ws = session.connect(url, token=TOKEN)
    monkeypatch.setattr("tests.client.test_served.TOKEN", "another")
    with pytest.raises(ServiceError, match=r"token is wrong\. It is in the file that %aml serve names"):
        ws.pipelines.list()


def test_the_doctor_asks_a_workspace_that_cannot_be_had_once_and_not_again_for_each_check(place, session, monkeypatch):
    url, guarded = place
    session.connect(url, token=TOKEN)
    monkeypatch.setitem(globals(), "TOKEN", "another one")
    guarded.seen.clear()
    assert [one.check for one in session.examine() if one.result is Result.PROBLEM] == ["address"]
    assert len(guarded.seen) == 1


def test_something_else_that_answers_there_is_no_workspace(tmp_path, session):
    background = Background("other")
    bodies = [(404, {}), (200, {"properties": {"discoveryUrl": "x"}}), (200, [1]), (405, {}), (200, {"id": "x"})]

    async def other(_scope, _receive, send) -> None:
        await answer(send, *bodies[0])

    try:
        with served(other, background) as url:
            while bodies:
                with pytest.raises(InvalidInput, match=r"no workspace of aml_magics answers at 127\.0\.0\.1"):
                    session.connect(url, token=TOKEN)
                bodies.pop(0)
    finally:
        background.stop()


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "http://", "http://user:secret@x", "http://x/?token=secret", "http://[x", "x://y", "http://x:65536"],
)
def test_what_is_no_address_is_refused_without_quoting_it(session, url):
    with pytest.raises(InvalidInput, match="no address of a workspace") as caught:
        session.connect(url)
    assert "secret" not in str(caught.value)


def test_an_address_without_its_scheme_is_looked_for_as_a_folder_and_says_what_a_url_is(session):
    with pytest.raises(InvalidInput, match=r"no folder .*8765'\. A URL begins with http://"):
        session.connect("127.0.0.1:8765")


def test_a_certificate_in_a_home_folder_that_there_is_not_is_one_line(session):
    with pytest.raises(InvalidInput, match="cannot be used: there is no such home folder"):
        session.connect("https://127.0.0.1:9", ca="~nobody-of-that-name/ca.pem", token=TOKEN)


def test_the_same_address_again_is_the_same_workspace(place, session):
    url, _guarded = place
    ws = session.connect(url, token=TOKEN)
    assert session.connect(url, token=TOKEN) is ws
    assert TOKEN not in repr(session._opened.destination) + repr(vars(session._opened))


def test_a_token_is_a_secret_at_once():
    assert token_given("abc", {}) == Secret("abc")
    assert token_given(None, {}) is None
    assert token_given(None, {"AML_MAGICS_TOKEN": "  "}) is None
    with pytest.raises(InvalidInput, match="no text"):
        token_given(5, {})
