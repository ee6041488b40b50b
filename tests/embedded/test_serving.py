"""A served workspace answers whoever has the token and nobody else, on the address that was asked for."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import ssl
import stat
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from aml_magics.embedded.guard import Guard
from aml_magics.embedded.server import Server, _Protocol
from aml_magics.embedded.serving import Serving
from aml_magics.embedded.tokens import kept_token, make_token
from aml_magics.model.errors import InvalidInput
from aml_magics.model.secret import Secret
from aml_magics.notebook.words import split
from aml_magics.wire.v1 import EMBEDDED_SCOPE
from tests.embedded.app_bed import TRAIN, on_a_workspace
from tests.support.loopback import listen_on_loopback
from tests.support.planted import planted

TOKEN = planted("guard-token")
PIPELINES = f"/pipelines/v1.0{EMBEDDED_SCOPE}"
HISTORY = f"/history/v1.0{EMBEDDED_SCOPE}"


@asynccontextmanager
async def guarded(bed):
    """A client of the app behind its guard, without a token."""
    guard = Guard(bed.workspace.app, Secret(TOKEN), bed.workspace.signed_paths)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=guard), base_url="http://embedded") as client:
        yield guard, client


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def behind_the_guard(tmp_path, play):
    async def main(bed):
        async with guarded(bed) as (guard, client):
            await play(bed, guard, client)

    on_a_workspace(tmp_path, main)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("another-token"),
        bearer(""),
        bearer(TOKEN[:-1]),
        bearer(TOKEN + "x"),
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": f"token={TOKEN}"},
    ],
)
def test_without_the_right_token_everything_is_a_401_and_nothing_happens(tmp_path, headers):
    async def play(bed, _guard, client):
        for method, path in [
            ("GET", f"{PIPELINES}/Pipelines"),
            ("POST", f"{PIPELINES}/Pipelines/Create"),
            ("POST", f"{HISTORY}/experiments/Sneaked"),
            ("GET", f"/aml-magics/v1.0{EMBEDDED_SCOPE}/status"),
            ("GET", EMBEDDED_SCOPE),
            ("GET", "/subscriptions"),
            ("GET", "/no/such/place"),
            ("GET", "/discovery/"),
            ("GET", "//discovery"),
        ]:
            answer = await client.request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            error = answer.json().get("Error") or answer.json()["error"]
            assert "access token is missing or wrong" in (error.get("Message") or error.get("message"))
        assert bed.workspace.store.counts()["experiments"] == 0

    behind_the_guard(tmp_path, play)


def test_with_the_token_the_workspace_answers(tmp_path):
    async def play(bed, _guard, client):
        await bed.publish(TRAIN)
        answer = await client.get(f"{PIPELINES}/Pipelines", headers=bearer())
        assert [found["Name"] for found in answer.json()] == ["train"]
        assert (await client.get(EMBEDDED_SCOPE, headers={"authorization": f"bearer  {TOKEN}"})).status_code == 200

    behind_the_guard(tmp_path, play)


def test_the_query_is_no_place_for_the_token(tmp_path):
    async def play(_bed, _guard, client):
        for query in (f"token={TOKEN}", f"access_token={TOKEN}", f"sig={TOKEN}", "sig=", ""):
            assert (await client.get(f"{PIPELINES}/Pipelines?{query}")).status_code == 401

    behind_the_guard(tmp_path, play)


def test_addresses_are_told_without_a_token_and_they_tell_nothing_else(tmp_path):
    async def play(_bed, _guard, client):
        discovery = (await client.get("/discovery")).json()
        assert set(discovery.values()) == {"http://embedded"}
        (cloud,) = (await client.get("/metadata/endpoints")).json()
        assert cloud["resourceManager"] == "http://embedded"
        assert TOKEN not in json.dumps([discovery, cloud])

    behind_the_guard(tmp_path, play)


def test_a_log_is_fetched_from_its_address_without_a_token_and_nothing_else_is(tmp_path):
    async def play(bed, _guard, client):
        pipeline = await bed.publish(TRAIN)
        run = (await bed.submit(pipeline)).body["Id"]
        await bed.finished(run)
        path = f"/artifact/v2.0{EMBEDDED_SCOPE}/artifacts/prefix/contentinfo/ExperimentRun/dcid.{run}_echo/user_logs"
        (log,) = (await client.get(path, headers=bearer())).json()["value"]
        address = log["contentUri"]
        assert (await client.get(address)).text == "0.1\n"
        assert TOKEN not in address
        where = urlsplit(address)
        other = where.path.replace("/echo/", "/other/")
        assert (await client.get(f"{other}?{where.query}")).status_code == 401
        assert (await client.get(f"{PIPELINES}/Pipelines?{where.query}")).status_code == 401
        assert (await client.post(address)).status_code == 401
        assert (await client.get(where.path)).status_code == 401

    behind_the_guard(tmp_path, play)


def test_an_identity_gets_the_token_where_only_its_owner_knows_and_nowhere_else(tmp_path):
    async def play(_bed, guard, client):
        answer = await client.post(guard.identity_path, data={"resource": "x"}, headers={"Metadata": "true"})
        assert answer.json()["access_token"] == TOKEN
        assert int(answer.json()["expires_on"]) > 0
        for path in ("/msi/token/", "/msi/token/guess", "/msi/token", guard.identity_path + "x"):
            assert (await client.post(path)).status_code == 401

    behind_the_guard(tmp_path, play)


def test_the_resource_manager_is_there_for_who_has_the_token(tmp_path):
    async def play(bed, _guard, client):
        subscriptions = (await client.get("/subscriptions", headers=bearer())).json()["value"]
        assert [one["subscriptionId"] for one in subscriptions] == [EMBEDDED_SCOPE.split("/")[2]]
        group = EMBEDDED_SCOPE.rpartition("/")[0]
        (workspace,) = (await client.get(group, headers=bearer())).json()["value"]
        assert workspace["id"] == EMBEDDED_SCOPE
        assert workspace["properties"]["workspaceId"] == bed.workspace.store.workspace_id
        path = f"{EMBEDDED_SCOPE}/providers/Microsoft.Authorization/permissions"
        assert (await client.get(path, headers=bearer())).json()["value"][0]["actions"] == ["*"]

    behind_the_guard(tmp_path, play)


# on a port


def serving(tmp_path, play, **options):
    async def main(bed):
        serving = Serving(bed.workspace, **options)
        served = await serving.start()
        try:
            await play(served, bed)
        finally:
            await serving.stop()
            await serving.stop()
        with pytest.raises(httpx.ConnectError):
            async with httpx.AsyncClient(trust_env=False, verify=False) as client:
                await client.get(f"http://127.0.0.1:{urlsplit(served.url).port}/discovery")

    on_a_workspace(tmp_path, main)


async def ask(served, path, **options):
    context = ssl.create_default_context(cafile=str(served.ca)) if served.ca else False
    async with httpx.AsyncClient(trust_env=False, verify=context) as client:
        return await client.get(served.url + path, headers=bearer(served.token.reveal()), **options)


@pytest.mark.parametrize("tls", [False, True])
def test_it_is_served_on_loopback_until_it_is_stopped(tmp_path, tls):
    async def play(served, bed):
        address = urlsplit(served.url)
        assert (address.scheme, address.hostname) == ("https" if tls else "http", "127.0.0.1")
        assert served.is_local
        answer = await ask(served, f"{PIPELINES}/Pipelines")
        assert (answer.status_code, answer.json()) == (200, [])
        assert served.workspace_id == bed.workspace.store.workspace_id
        discovery = await ask(served, "/discovery")
        assert discovery.json()["api"] == served.url

    serving(tmp_path, play, tls=tls)


def test_a_certificate_that_is_not_trusted_is_not_accepted(tmp_path):
    async def play(served, _bed):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
            async with httpx.AsyncClient(trust_env=False) as client:
                await client.get(f"{served.url}/discovery")

    serving(tmp_path, play, tls=True)


def test_a_port_that_is_taken_is_told_at_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        async def main(bed):
            with pytest.raises(InvalidInput, match=f"127.0.0.1:{port} cannot be served on: address already in use"):
                await Serving(bed.workspace, port=port).start()

        on_a_workspace(tmp_path, main)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 65536}, "65536 is no port"),
        ({"port": -1}, "-1 is no port"),
        ({"host": ""}, "the host is empty"),
        ({"token": Secret("two words")}, "holds blanks"),
        ({"token": Secret("naïve-token-text")}, "HTTP header"),
        ({"host": "0.0.0.0", "token": Secret("short")}, "too easily guessed"),
        ({"host": "no such host", "tls": True}, "no such host"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_written(tmp_path, options, words):
    async def main(bed):
        with pytest.raises(InvalidInput, match=words) as caught:
            await Serving(bed.workspace, **options).start()
        assert not (tmp_path / ".aml" / "served" / "token").exists()
        assert "naïve" not in str(caught.value)

    on_a_workspace(tmp_path, main)


def test_a_short_token_does_among_friends_on_this_machine(tmp_path):
    async def play(served, _bed):
        assert (await ask(served, f"{PIPELINES}/Pipelines")).status_code == 200
        assert served.token.matches("short")

    serving(tmp_path, play, token=Secret("short"))


def test_it_says_when_others_can_reach_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Server, "_listener", listen_on_loopback)

    async def play(served, _bed):
        assert not served.is_local
        assert "0.0.0.0" not in served.url

    serving(tmp_path, play, host="0.0.0.0")


def test_the_token_stays_the_same_and_only_its_owner_can_read_it(tmp_path):
    tokens = []

    async def play(served, bed):
        tokens.append(served.token)
        assert served.token_file.read_text().strip() == served.token.reveal()
        assert stat.S_IMODE(served.folder.stat().st_mode) == 0o700
        for name in ("token", "config.json", "sdk.env", "key.pem"):
            assert stat.S_IMODE((served.folder / name).stat().st_mode) == 0o600
        database = b"".join(path.read_bytes() for path in (bed.workspace.root / ".aml").glob("workspace.db*"))
        assert served.token.reveal().encode() not in database
        assert served.token.reveal() not in repr(served)

    serving(tmp_path, play, tls=True)
    serving(tmp_path, play, tls=True)
    assert tokens[0] == tokens[1]


def test_two_who_serve_one_folder_do_not_take_each_others_token_away(tmp_path):
    async def play(first, bed):
        kept = Serving(bed.workspace)
        other = Serving(bed.workspace, token=Secret("another-token-of-the-second"))
        second, third = await other.start(), await kept.start()
        for served in (first, second, third):
            assert served.token_file.read_text().strip() == served.token.reveal()
            assert str(served.token_file) in served.sdk_lines
            assert stat.S_IMODE(served.token_file.stat().st_mode) == 0o600
            assert (await ask(served, f"{PIPELINES}/Pipelines")).status_code == 200
        await other.stop()
        await kept.stop()
        assert [served.token_file.exists() for served in (first, second, third)] == [True, False, True]

    serving(tmp_path, play, token=Secret("the-token-of-the-first"))
    assert sorted(path.name for path in (tmp_path / ".aml" / "served").glob("token*")) == ["token"]


def test_who_finds_the_port_taken_leaves_the_token_of_who_has_it(tmp_path):
    async def play(served, bed):
        late = Serving(bed.workspace, port=urlsplit(served.url).port, token=Secret("the-token-of-the-late"))
        with pytest.raises(InvalidInput, match="already in use"):
            await late.start()
        await late.stop()
        assert served.token_file.read_text().strip() == "the-token-of-the-first"

    serving(tmp_path, play, token=Secret("the-token-of-the-first"))


@pytest.mark.parametrize("name", ["my project", "Ada's work", "a $HOME"])
def test_whatever_the_folder_is_called_what_is_printed_can_be_pasted(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()

    async def play(served, _bed):
        shell = f"{served.sdk_environment}\n"
        script = shell + 'printf "%s\\n" "$REQUESTS_CA_BUNDLE" "$SSL_CERT_FILE" "$MSI_ENDPOINT"'
        process = await asyncio.create_subprocess_exec("sh", "-ec", script, stdout=asyncio.subprocess.PIPE)
        printed = (await process.communicate())[0].decode().splitlines()
        assert printed[:2] == [str(served.folder / "bundle.pem")] * 2
        assert printed[2].startswith(served.url)
        *_, option, ca = split(served.join).words
        assert (option.text, ca.text) == ("--ca", str(served.ca))

    serving(folder, play, tls=True)


def test_what_is_printed_stays_whole_when_the_current_folder_is_gone(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "workspace").mkdir()

    async def play(served, _bed):
        monkeypatch.chdir(tmp_path / "here")
        (tmp_path / "here").rmdir()
        assert str(served.token_file) in served.sdk_lines
        monkeypatch.chdir(tmp_path)

    serving(tmp_path / "workspace", play)


def test_a_token_has_what_microsofts_sdk_looks_into_it_for(tmp_path):
    head, body, signature = make_token().reveal().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims["exp"] > claims["iat"] + 365 * 24 * 3600
    assert claims["tid"]
    assert head
    assert len(signature) == 43
    assert make_token() != make_token()


@pytest.mark.parametrize("content", ["", "short", "two words and more\n", "\x00" * 40])
def test_a_token_file_that_is_spoilt_is_written_anew(tmp_path, content):
    path = tmp_path / "token"
    path.write_text(content)
    token = kept_token(path)
    assert path.read_text().strip() == token.reveal()
    assert len(token.reveal()) > 40


def test_an_answer_is_sent_at_once_and_not_after_an_acknowledgement(tmp_path):
    async def main(bed):
        server = Server(bed.workspace.app)
        await server.start()
        _reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        connections = server._server.server_state.connections
        async with asyncio.timeout(20):
            while not connections:  # noqa: ASYNC110 - uvicorn does not say when one is there
                await asyncio.sleep(0.005)
        (connection,) = connections
        at_once = connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        await writer.wait_closed()
        await server.stop()
        assert at_once

    on_a_workspace(tmp_path, main)


HALF = b"GET /discovery HTTP/1.1\r\nHost: x\r\nAuthor"


@pytest.mark.parametrize(("whole", "half"), [(0, b""), (0, HALF), (2, HALF)])
def test_half_a_request_is_not_waited_for(tmp_path, monkeypatch, whole, half):
    monkeypatch.setattr(_Protocol, "patience", 0.3)

    async def play(served, _bed):
        address = urlsplit(served.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for _ in range(whole):
            writer.write(b"GET /discovery HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
        writer.write(half)
        async with asyncio.timeout(4):  # uvicorn itself gives up an idle connection after five seconds
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    serving(tmp_path, play)


def test_half_a_request_holds_nobody_up(tmp_path):
    async def play(served, _bed):
        address = urlsplit(served.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"GET /subscriptions HTTP/1.1\r\nHost: x\r\nAuthor")
        await writer.drain()
        assert (await ask(served, f"{PIPELINES}/Pipelines")).status_code == 200
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""

    serving(tmp_path, play)
