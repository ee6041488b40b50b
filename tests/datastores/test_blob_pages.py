"""Pages of a listing: what is asked for again, what ends the listing, and that no part of one passes for the whole."""

from __future__ import annotations

import socket
import ssl
import threading
from types import SimpleNamespace

import pytest
from azure.core.exceptions import ClientAuthenticationError

from aml_magics.datastores import BlobContainer
from aml_magics.datastores.blob_pages import BlobPages
from aml_magics.model.errors import InvalidInput, NotFound, ServiceError
from aml_magics.model.secret import Secret
from tests.support.azurite import KEY
from tests.support.https import make_certificate
from tests.support.listing import arrow_page, xml_page, xml_record
from tests.support.planted import planted

ONE, TWO = xml_record("a", "0x1"), xml_record("b", "0x2")


def answer(body: bytes, status: str = "200 OK", **headers: object) -> bytes:
    lines = {"Content_Type": "application/xml", "Content_Length": len(body), **headers}
    text = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{text}\r\n".encode() + body


def refused(status: str, code: str = "", **headers: object) -> bytes:
    return answer(f"<Error><Code>{code}</Code><Message>Not now.\nId:1</Message></Error>".encode(), status, **headers)


class Service:
    """Answers each request with the next of ``script``; ``None`` closes the connection instead."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.script: list[bytes | None] = []
        self.requests: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}/account"
        self._tls = tls
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                connection.settimeout(10)
                while self._answered(connection):
                    pass

    def _answered(self, connection: socket.socket) -> bool:
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(65536)
            if not more:
                return False
            request += more
        self.requests.append(request.decode())
        reply = self.script.pop(0)
        if reply is None:
            return False
        connection.sendall(reply)
        # What was cut short in the script ends with its connection, as it would in the world.
        head, _, body = reply.partition(b"\r\n\r\n")
        return b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"


@pytest.fixture
def bed():
    service, sleeps = Service(), []
    store = BlobContainer.open(service.url, "c", Secret(KEY), sleep=sleeps.append)
    bed = SimpleNamespace(service=service, sleeps=sleeps, store=store)
    bed.names = lambda: [info.name for info in store.list(recursive=True)]
    yield bed
    store.close()
    service.close()
    assert service.script == []


def test_pages_follow_one_another_on_one_connection(bed):
    bed.service.script = [answer(xml_page([ONE], "more & more")), answer(xml_page([TWO]))]
    assert bed.names() == ["a", "b"]
    assert "marker=more%20%26%20more" in bed.service.requests[1]
    assert (bed.service.connections, bed.sleeps) == (1, [])


def test_a_connection_that_was_dropped_is_made_anew_at_once(bed):
    bed.service.script = [answer(xml_page([ONE])), None, answer(xml_page([TWO]))]
    assert (bed.names(), bed.names()) == (["a"], ["b"])
    assert bed.sleeps in ([], [0.0])


@pytest.mark.parametrize("status", ["429 Slow", "500 Oops", "503 Busy"])
def test_what_is_refused_for_now_is_asked_for_again(bed, status):
    refusals = [refused(status), refused(status, Retry_After=3), refused(status, Retry_After=600)]
    bed.service.script = [answer(xml_page([ONE], "2")), *refusals, answer(xml_page([TWO]))]
    assert bed.names() == ["a", "b"]
    assert bed.sleeps == [0.0, 3.0, 10.0]


CUT = answer(xml_page([ONE]))[:-30]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(xml_page([ONE])), xml_page([ONE]))
SHORT = xml_page([ONE])[:-30]


@pytest.mark.parametrize("cut", [None, CUT, CHUNKED, answer(SHORT)], ids=["reset", "cut", "no last chunk", "no end"])
def test_an_answer_that_is_cut_short_is_asked_for_again(bed, cut):
    bed.service.script = [cut, cut, answer(xml_page([TWO]))]
    assert bed.names() == ["b"]
    assert bed.sleeps == [0.0, 0.5]


@pytest.mark.parametrize("reply", [None, CUT, answer(SHORT), refused("503 Busy", "ServerBusy")])
def test_what_does_not_pass_fails_the_listing_in_one_line(bed, reply):
    bed.service.script = [answer(xml_page([ONE], "2")), *[reply] * 5]
    with pytest.raises(ServiceError, match=r"^cannot list the objects in http://127.0.0.1:\d+/account/c: ") as caught:
        bed.names()
    assert "\n" not in str(caught.value)
    assert bed.sleeps == [0.0, 0.5, 1.0, 2.0]


WHOLE = xml_page([ONE])
MALFORMED = {
    "no NextMarker": WHOLE.replace(b"<NextMarker />", b""),
    "2 NextMarkers": WHOLE.replace(b"<NextMarker />", b"<NextMarker />" * 2),
    "more than one NextMarker": WHOLE.replace(b"<Blobs>", b"<NextMarker>b</NextMarker><Blobs>"),
    "no list of blobs": WHOLE.replace(b"Blobs>", b"Others>"),
    "not XML": WHOLE.replace(b"<Etag>", b"<Etags>"),
    "lacks its ETag": WHOLE.replace(b"Etag>", b"Mark>"),
    "makes no sense": WHOLE.replace(b" Nov ", b" Nie "),
}


@pytest.mark.parametrize("wrong", MALFORMED)
def test_a_page_that_makes_no_sense_ends_the_listing(bed, wrong):
    bed.service.script = [answer(MALFORMED[wrong])]
    with pytest.raises(ServiceError, match=wrong):
        bed.names()
    assert bed.sleeps == []


def test_markers_that_go_round_end_the_listing(bed):
    bed.service.script = [answer(xml_page([ONE], marker)) for marker in ("x", "y", "x")]
    with pytest.raises(ServiceError, match="the same NextMarker again"):
        bed.names()


def test_an_empty_page_in_the_middle_is_not_the_end(bed):
    bed.service.script = [answer(page) for page in (xml_page([], "1"), xml_page([ONE], "2"), xml_page([]))]
    assert bed.names() == ["a"]


def test_the_version_steps_down_once_and_stays(bed):
    unknown = refused("400 Bad", "InvalidHeaderValue")
    bed.service.script = [unknown, answer(xml_page([ONE], "2")), answer(xml_page([TWO])), answer(xml_page([]))]
    assert (bed.names(), bed.names()) == (["a", "b"], [])
    versions = [r.lower().partition("x-ms-version: ")[2][:10] for r in bed.service.requests]
    assert versions[0] > versions[1] == versions[2] == versions[3]
    assert bed.sleeps == []


def test_a_listing_is_not_misled_by_another_that_steps_down_meanwhile(bed, monkeypatch):
    unknown = refused("400 Bad", "InvalidHeaderValue")
    bed.service.script = [*[unknown] * 3, answer(xml_page([ONE])), answer(xml_page([TWO]))]
    exchange = BlobPages._exchange

    def exchange_while_another_lists(pages, request):
        reply = exchange(pages, request)
        monkeypatch.setattr(BlobPages, "_exchange", exchange)
        assert bed.names() == ["a"]
        return reply

    monkeypatch.setattr(BlobPages, "_exchange", exchange_while_another_lists)
    assert bed.names() == ["b"]


def test_a_container_that_goes_is_not_found_and_not_asked_again(bed):
    bed.service.script = [answer(xml_page([ONE], "2")), refused("404 Gone", "ContainerNotFound")]
    with pytest.raises(NotFound, match="there is no container"):
        bed.names()


def test_what_the_service_says_is_shown_without_secrets():
    service, secret = Service(), planted("signature")
    service.script = [answer(f"<Error><Code>X</Code><Message>?sig={secret} bad</Message></Error>".encode(), "403 No")]
    store = BlobContainer.open(service.url, "c", Secret(f"sv=2024-08-04&sig={secret}"))
    try:
        with pytest.raises(ServiceError, match=r"403 X, \?sig=\*\*\* bad") as caught:
            list(store.list())
    finally:
        store.close()
        service.close()
    assert secret not in str(caught.value)
    assert f"sig={secret}" in service.requests[0]


class Tokens:
    """A token credential: what it was asked for, and a token a call."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def get_token(self, *scopes: str, **options: object) -> object:
        from azure.core.credentials import AccessToken

        self.asked.append((scopes, options.get("tenant_id")))
        return AccessToken(planted(f"token-{len(self.asked)}"), 4102444800)


def test_a_token_is_never_sent_without_encryption():
    service = Service()
    store = BlobContainer.open(service.url, "c", Tokens())
    try:
        with pytest.raises(InvalidInput, match="only supported with HTTPS"):
            list(store.list())
    finally:
        store.close()
        service.close()
    assert service.requests == []


@pytest.fixture
def encrypted(tmp_path, monkeypatch):
    """A service with a certificate of its own, and a datastore that is opened with tokens."""
    certificate, key = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    service, tokens = Service(context), Tokens()
    store = BlobContainer.open(service.url, "c", tokens)
    yield SimpleNamespace(service=service, tokens=tokens, store=store)
    store.close()
    service.close()


def test_a_token_is_asked_for_once_and_sent_with_each_request(encrypted):
    encrypted.service.script = [answer(xml_page([ONE], "2")), answer(xml_page([TWO]))]
    assert [info.name for info in encrypted.store.list()] == ["a", "b"]
    assert encrypted.tokens.asked == [(("https://storage.azure.com/.default",), None)]
    assert all(f"Bearer {planted('token-1')}" in request for request in encrypted.service.requests)


def test_a_service_of_another_tenant_is_given_that_tenant_s_token(encrypted):
    challenge = "Bearer authorization_uri=https://login.invalid/other-tenant/oauth2 resource_id=https://storage.invalid"
    encrypted.service.script = [refused("401 No", WWW_Authenticate=challenge), answer(xml_page([ONE]))]
    assert [info.name for info in encrypted.store.list()] == ["a"]
    assert encrypted.tokens.asked[1] == (("https://storage.invalid/.default",), "other-tenant")
    assert f"Bearer {planted('token-2')}" in encrypted.service.requests[1]


def test_a_credential_that_fails_is_one_line(encrypted, monkeypatch):
    def fail(*_: str, **__: object) -> None:
        raise ClientAuthenticationError(message=f"not you\nBearer {planted('token-x')}")

    monkeypatch.setattr(encrypted.tokens, "get_token", fail)
    with pytest.raises(ServiceError, match=r"^cannot list the objects in https://.*/account/c: .*not you") as caught:
        list(encrypted.store.list())
    assert planted("token-x") not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_listing_begins_where_it_is_told_to_if_the_service_knows_how(bed):
    too_new = refused("400 Bad", "InvalidHeaderValue")
    bed.service.script = [answer(xml_page([TWO])), too_new, too_new, answer(xml_page([ONE, TWO]))]
    pages = list(bed.store.pages("", recursive=True, start_from="b & c"))
    assert (len(pages), bed.store.starts_anywhere) == (1, True)
    assert "startFrom=b%20%26%20c" in bed.service.requests[0]
    assert len(list(bed.store.pages("", recursive=True, start_from="b"))) == 1
    assert bed.store.starts_anywhere is False


def in_arrow(body: bytes) -> bytes:
    return answer(body, Content_Type="application/vnd.apache.arrow.stream")


def test_arrow_is_asked_for_and_read_where_it_comes(bed):
    bed.service.script = [in_arrow(arrow_page([ONE], "2")), answer(xml_page([TWO]))]
    assert bed.names() == ["a", "b"]
    assert all("Accept: application/vnd.apache.arrow.stream,application/xml" in r for r in bed.service.requests)
    assert "marker=2" in bed.service.requests[1]


def test_an_arrow_page_that_is_not_understood_is_asked_for_as_xml_from_then_on(bed):
    odd = in_arrow(arrow_page([TWO], None))
    bed.service.script = [in_arrow(arrow_page([ONE], "2")), odd, answer(xml_page([TWO])), answer(xml_page([]))]
    assert (bed.names(), bed.names()) == (["a", "b"], [])
    assert ["arrow" in request for request in bed.service.requests] == [True, True, False, False]
