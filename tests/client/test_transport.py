"""What ``Transport`` guarantees: where requests go, when they are repeated, how failures read, and no secret shown."""

import asyncio
import traceback
from types import SimpleNamespace

import httpx
import pytest

from aml_magics.client.ranges import Part
from aml_magics.client.services import DATASTORES, EXTRAS, HISTORY, PIPELINES
from aml_magics.client.transport import Transport
from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotConnected, NotFound, ServiceError
from aml_magics.model.secret import Secret
from aml_magics.wire.arm import Services

SCOPE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
SECRET = "eyJhbGciOi-the-secret"


class Wire:
    """A network that gives prepared answers, one after the other, the last one for ever."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def transport(self, **options) -> Transport:
        fixed = {"scope": SCOPE, "api": "https://region.api.example/", "network": httpx.MockTransport(self)}
        return Transport(**fixed | {"sleep": self.sleep} | options)


class Tokens:
    """Gives prepared tokens, the last one for ever; ``renewals`` is how often another one is there."""

    advice = "Sign in again, please."

    def __init__(self, *texts: str, renewals: int = 0) -> None:
        self._texts = list(texts)
        self.renewals = renewals
        self.challenges: list[str] = []

    async def token(self) -> Secret:
        return Secret(self._texts.pop(0) if len(self._texts) > 1 else self._texts[0])

    async def renewed(self, refused: Secret, challenge: str) -> bool:
        self.challenges.append(challenge)
        self.renewals -= 1
        return self.renewals >= 0

    async def close(self) -> None:
        pass


def ask(wire, method="GET", service=PIPELINES, path="/Pipelines", transport=None, **options):
    async def go():
        made = transport or wire.transport()
        try:
            return await made.json(method, service, path, **options)
        finally:
            await made.close()

    return asyncio.run(go())


def ok(content=None):
    return httpx.Response(200, json={} if content is None else content)


def refused(status, code="", message="no", **headers):
    return httpx.Response(status, json={"Error": {"Code": code, "Message": message}}, headers=headers)


def test_each_service_has_its_place_below_its_base_url():
    wire = Wire(ok())
    for service, method in [(PIPELINES, "GET"), (HISTORY, "GET"), (DATASTORES, "GET"), (EXTRAS, "GET")]:
        transport = wire.transport(history="https://region.history.example")
        ask(wire, method, service, "/x", transport=transport)
    assert [str(request.url) for request in wire.requests] == [
        f"https://region.api.example/pipelines/v1.0{SCOPE}/x",
        f"https://region.history.example/history/v1.0{SCOPE}/x",
        f"https://region.history.example/datastore/v1.0{SCOPE}/x",
        f"https://region.api.example/aml-magics/v1.0{SCOPE}/x",
    ]


def test_booleans_in_a_query_are_lower_case_and_none_is_left_out():
    wire = Wire(ok())
    ask(wire, query={"activeOnly": True, "all": False, "token": None, "count": 100})
    assert wire.requests[0].url.query == b"activeOnly=true&all=false&count=100"


def test_content_types_are_those_that_the_service_expects():
    wire = Wire(ok())
    ask(wire)
    ask(wire, "POST", body={"a": "ü"})
    ask(wire, "PUT", body="Disabled")
    ask(wire, "POST", HISTORY, "/experiments/x")
    ask(wire, "POST", HISTORY, "/experiments:query", body={}, is_question=True)
    types = [request.headers["content-type"] for request in wire.requests]
    assert types[1:3] == ["application/json-patch+json; charset=utf-8"] * 2
    assert types[3] == "application/json; charset=utf-8"
    assert types[4] == "application/json-patch+json; charset=utf-8"
    assert [request.content for request in wire.requests] == [b"", '{"a": "ü"}'.encode(), b'"Disabled"', b"", b"{}"]


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_question_is_asked_four_times_and_the_last_answer_counts(status):
    wire = Wire(refused(status, "Busy", "try later"))
    with pytest.raises(ServiceError, match="try later") as caught:
        ask(wire)
    assert (len(wire.requests), len(wire.pauses)) == (4, 3)
    assert (caught.value.status, caught.value.code) == (status, "Busy")


def test_a_question_that_is_answered_at_last_is_answered():
    wire = Wire(refused(500), refused(503), ok([1]))
    assert ask(wire) == [1]
    assert wire.pauses == [0.7, 1.4]


def test_a_connection_that_breaks_off_is_tried_again_for_a_question():
    wire = Wire(httpx.ReadError("reset"), httpx.RemoteProtocolError("gone"), ok([1]))
    assert ask(wire) == [1]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("answer", [refused(500), refused(503), httpx.ReadError("reset")])
def test_what_changes_something_is_sent_once(method, answer):
    wire = Wire(answer)
    with pytest.raises(ServiceError):
        ask(wire, method, path="/PipelineRuns/PipelineSubmit/p")
    assert (len(wire.requests), wire.pauses) == (1, [])


def test_a_post_that_is_a_question_is_repeated():
    wire = Wire(refused(500), ok({"value": []}))
    ask(wire, "POST", HISTORY, "/experiments:query", body={}, is_question=True)
    assert wire.pauses == [2.0]


def test_a_pause_that_the_service_asks_for_is_kept():
    wire = Wire(httpx.Response(429, headers={"retry-after": "5"}), ok({"value": []}))
    ask(wire, service=HISTORY)
    assert wire.pauses == [5.0]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NotFound", NotFound),
        (404, "", NotFound),
        (400, "UserError", InvalidInput),
        (400, "BadArgument", InvalidInput),
        (400, "InvalidArgument", InvalidInput),
        (400, "PipelineInUse", Conflict),
        (400, "PipelineDisabled", Conflict),
        (400, "AlreadyExists", Conflict),
        (409, "Whatever", Conflict),
        (400, "Strange", ServiceError),
        (401, "Unauthorized", ServiceError),
        (403, "Forbidden", ServiceError),
        (429, "TooManyRequests", ServiceError),
        (501, "", ServiceError),
    ],
)
def test_errors_are_mapped_by_status_and_code(status, code, kind):
    with pytest.raises(AmlError, match="the reason") as caught:
        ask(Wire(refused(status, code, "the\n reason")))
    assert isinstance(caught.value, kind)
    assert "\n" not in str(caught.value)


def test_a_datastore_of_that_name_is_a_conflict_though_the_service_calls_it_a_user_error():
    body = {"error": {"code": "UserError", "message": "Another datastore with the same name already exists."}}
    with pytest.raises(Conflict):
        ask(Wire(httpx.Response(400, json=body)), "POST", DATASTORES, "/datastores", body={})


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_says_what_to_do(status):
    with pytest.raises(ServiceError) as caught:
        ask(Wire(httpx.Response(status)))
    assert caught.value.status == status
    assert caught.value.hint


def test_an_endless_foreign_message_is_cut():
    with pytest.raises(InvalidInput) as caught:
        ask(Wire(refused(400, "BadArgument", "x" * 100_000)))
    assert len(str(caught.value)) < 1000


def test_a_page_of_html_is_not_quoted():
    page = httpx.Response(501, html="<html><body>Gateway trouble</body></html>")
    with pytest.raises(ServiceError) as caught:
        ask(Wire(page))
    assert "html" not in str(caught.value)
    assert caught.value.status == 501


def test_a_login_page_instead_of_json_is_an_error_that_says_so():
    with pytest.raises(ServiceError, match="text/html") as caught:
        ask(Wire(httpx.Response(200, html="<form>")))
    assert "region.api.example" in str(caught.value)


def test_broken_json_is_a_service_error():
    answer = httpx.Response(200, content=b'{"value": [', headers={"content-type": "application/json"})
    with pytest.raises(ServiceError, match="broken JSON"):
        ask(Wire(answer))


def test_an_answer_without_a_body_is_none():
    assert ask(Wire(httpx.Response(204))) is None


def test_a_redirect_is_not_followed():
    wire = Wire(httpx.Response(302, headers={"location": "https://evil.example/"}), ok())
    with pytest.raises(ServiceError, match="another address"):
        ask(wire)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in httpx.__all__
        if isinstance(getattr(httpx, name), type) and issubclass(getattr(httpx, name), httpx.TransportError)
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_failure_of_the_network_becomes_one_line_that_names_the_host(name, method):
    wire = Wire(getattr(httpx, name)("secret internals"))
    with pytest.raises(ServiceError, match=r"region\.api\.example") as caught:
        ask(wire, method)
    assert caught.value.status == 0
    assert caught.value.hint
    assert "secret internals" not in str(caught.value)
    assert "subscriptions" not in str(caught.value)


def test_a_host_that_is_not_there_says_what_to_check():
    with pytest.raises(ServiceError, match="cannot be reached") as caught:
        ask(Wire(httpx.ConnectError("refused")), "POST")
    assert "proxy" in caught.value.hint


def test_a_certificate_that_is_not_trusted_is_not_asked_for_again():
    wire = Wire(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed"))
    with pytest.raises(ServiceError, match=r"not trusted here.*--ca FILE"):
        ask(wire)
    assert (len(wire.requests), wire.pauses) == (1, [])


def test_a_lost_answer_to_a_submit_says_that_it_may_have_been_carried_out():
    with pytest.raises(ServiceError, match="broke the connection off") as caught:
        ask(Wire(httpx.ReadError("reset")), "POST")
    assert "may have been carried out" in caught.value.hint


def test_a_timeout_says_how_long_it_waited():
    with pytest.raises(ServiceError, match="within 30 s"):
        ask(Wire(httpx.ReadTimeout("slow")), "POST")


def test_the_token_is_asked_for_each_time_and_sent_as_a_header():
    wire = Wire(refused(500), ok())
    ask(wire, transport=wire.transport(tokens=Tokens("first", "second")))
    assert [request.headers["authorization"] for request in wire.requests] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("answer", [refused(401), refused(500), httpx.ConnectError("x"), httpx.Response(200, text="x")])
def test_no_token_is_in_any_repr_or_error(answer):
    wire = Wire(answer)
    transport = wire.transport(tokens=Tokens(SECRET))
    with pytest.raises(AmlError) as caught:
        ask(wire, transport=transport)
    shown = "".join(traceback.format_exception(caught.value)) + repr(transport) + repr(caught.value)
    assert SECRET not in shown


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_refused_token_is_renewed_once_for_any_call_since_nothing_was_carried_out(method):
    wire = Wire(httpx.Response(401, headers={"www-authenticate": "Bearer x"}), ok([1]))
    tokens = Tokens("old", "new", renewals=1)
    assert ask(wire, method, transport=wire.transport(tokens=tokens)) == [1]
    assert [request.headers["authorization"] for request in wire.requests] == ["Bearer old", "Bearer new"]
    assert (tokens.challenges, wire.pauses) == (["Bearer x"], [])


def test_a_token_that_stays_refused_is_an_error_after_the_second_time():
    wire = Wire(httpx.Response(401))
    tokens = Tokens("old", "new", renewals=99)
    with pytest.raises(ServiceError, match="Sign in again, please") as caught:
        ask(wire, "POST", transport=wire.transport(tokens=tokens))
    assert (caught.value.status, len(wire.requests)) == (401, 2)


def test_where_there_is_no_other_token_a_refusal_is_final():
    wire = Wire(httpx.Response(401))
    with pytest.raises(ServiceError):
        ask(wire, transport=wire.transport(tokens=Tokens("only")))
    assert len(wire.requests) == 1


def test_a_secret_that_a_service_quotes_is_struck_out():
    wire = Wire(refused(400, "BadArgument", f"bad header: Bearer {SECRET}.abc.def and sig=x&sig=abc123def"))
    with pytest.raises(InvalidInput, match="bad header") as caught:
        ask(wire)
    assert SECRET not in str(caught.value)


def frames_of(error):
    """The values of all variables in all frames of an error and of what led to it, as %xmode Verbose shows them."""
    shown = []
    while error is not None:
        for frame, _line in traceback.walk_tb(error.__traceback__):
            shown += [repr(value) for value in frame.f_locals.values()]
        error = error.__cause__ or error.__context__
    return "\n".join(shown)


def test_no_variable_of_a_frame_holds_the_token_when_a_real_connection_fails():
    async def go():
        async def hang_up(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = Transport(scope=SCOPE, api=f"http://127.0.0.1:{port}", tokens=Tokens(SECRET))
        try:
            await transport.json("POST", PIPELINES, "/x")
        except AmlError as error:
            return error
        finally:
            await transport.close()
            server.close()
            await server.wait_closed()

    error = asyncio.run(go())
    assert "broke the connection off" in str(error)
    assert error.__cause__ is not None
    frames = frames_of(error)
    assert "_carry_out" in "".join(traceback.format_exception(error))
    assert SECRET not in frames


@pytest.mark.parametrize("kind", [httpx.WriteError, RuntimeError])
def test_no_variable_of_a_frame_of_the_http_library_stays_that_holds_the_headers(kind):
    class Holding(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            headers = list(request.headers.raw)  # as the library's own frames have them, when sending fails
            assert SECRET in repr(headers)
            try:
                int("broken pipe")
            except ValueError as error:
                raise kind("sending failed") from error

    async def go():
        transport = Transport(scope=SCOPE, api="https://x.example", network=Holding(), tokens=Tokens(SECRET))
        await transport.json("POST", PIPELINES, "/x")

    with pytest.raises((ServiceError, RuntimeError)) as caught:
        asyncio.run(go())
    assert SECRET not in frames_of(caught.value)


def test_a_date_until_which_to_wait_is_understood(monkeypatch):
    monkeypatch.setattr("aml_magics.client.dates.time", SimpleNamespace(time=lambda: 1_445_412_480.0))
    wire = Wire(httpx.Response(503, headers={"retry-after": "Wed, 21 Oct 2015 07:28:05 GMT"}), ok([1]))
    assert ask(wire) == [1]
    assert wire.pauses == [5.0]


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2095 07:28:00 GMT", "600"])
def test_a_person_is_not_kept_waiting_and_is_told_how_long_to_wait(asked):
    wire = Wire(httpx.Response(429, headers={"retry-after": asked}))
    with pytest.raises(ServiceError, match=r"try again in \d+ s"):
        ask(wire, service=HISTORY)
    assert wire.pauses == []


@pytest.mark.parametrize("asked", ["", "soon", "-5", "٣"])
def test_a_pause_that_cannot_be_read_is_the_usual_one(asked):
    wire = Wire(httpx.Response(503, headers=[(b"retry-after", asked.encode())]), ok([1]))
    assert ask(wire) == [1]
    assert wire.pauses == [0.7]


def test_base_urls_that_were_remembered_and_have_moved_are_asked_for_once():
    asked = []

    async def elsewhere():
        asked.append(1)
        return Services("https://new.api.example", "https://new.history.example")

    wire = Wire(httpx.ConnectError("gone"), ok([1]))
    assert ask(wire, "POST", transport=wire.transport(elsewhere=elsewhere)) == [1]
    assert [request.url.host for request in wire.requests] == ["region.api.example", "new.api.example"]
    gone = Wire(httpx.ConnectError("gone"))
    transport = gone.transport(elsewhere=elsewhere)
    with pytest.raises(ServiceError, match=r"new\.api\.example cannot be reached|region\.api\.example cannot"):
        ask(gone, "POST", transport=transport)
    assert (len(gone.requests), len(asked)) == (2, 2)


def test_an_answer_that_only_trickles_has_an_end():
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                yield b" "
                await asyncio.sleep(0.01)

    wire = Wire(httpx.Response(200, stream=Trickle(), headers={"content-type": "application/json"}))
    with pytest.raises(ServiceError, match=r"not answered in full within 0\.1 s"):
        ask(wire, transport=wire.transport(patience=0.1))


def test_the_clocks_of_both_ends_are_compared(monkeypatch):
    monkeypatch.setattr("aml_magics.client.transport.time", SimpleNamespace(time=lambda: 1_445_412_480.0 + 600))
    wire = Wire(httpx.Response(200, json={}, headers={"date": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    transport = wire.transport()
    assert transport.clock_ahead is None
    ask(wire, transport=transport)
    assert transport.clock_ahead == 600.0


@pytest.mark.parametrize("bad", ["", "two words", f"{SECRET}\r\nX-Evil:1", f"{SECRET}\t", "tökén"])
def test_something_that_cannot_be_a_token_is_refused_without_showing_it(bad):
    wire = Wire(ok())
    with pytest.raises(NotConnected) as caught:
        ask(wire, transport=wire.transport(tokens=Tokens(bad)))
    assert wire.requests == []
    assert not bad or bad not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        *("", "region.api.example", "ftp://x", "https://", "http://exa\nmple", 5, None),
        *("http://127.0.0.1:65536", "http://127.0.0.1:-1", "http://127.0.0.1:8x", "http://xn--a", "http://\ud800"),
    ],
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(InvalidInput, match="no http or https URL"):
        Wire(ok()).transport(api=address)


def test_a_password_in_an_address_is_not_shown():
    with pytest.raises(InvalidInput) as caught:
        Wire(ok()).transport(api=f"ftp://user:{SECRET}@host/")
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(Wire(ok()).transport(api=f"https://user:{SECRET}@host/"))


def test_a_name_that_no_address_can_hold_is_refused_before_it_is_sent():
    wire = Wire(ok())
    with pytest.raises(InvalidInput, match="so long"):
        ask(wire, path=f"/Pipelines/{'x' * 100_000}")
    assert wire.requests == []


def test_text_with_half_a_character_is_refused_before_it_is_sent():
    wire = Wire(ok())
    with pytest.raises(InvalidInput, match="broken character"):
        ask(wire, "POST", body={"Name": "bad \udcff name"})
    assert wire.requests == []


def test_logs_are_read_as_they_are_whatever_their_type_says():
    wire = Wire(refused(500), httpx.Response(200, content=b"\xc3\n\xff", headers={"content-type": "text/plain"}))

    async def go() -> Part:
        return await wire.transport().part("POST", PIPELINES, "/log", body=["fit"])

    assert asyncio.run(go()) == Part(0, b"\xc3\n\xff")
    assert wire.requests[-1].content == b'["fit"]'
    assert "range" not in wire.requests[-1].headers


@pytest.mark.parametrize(
    ("status", "headers", "begin"),
    [
        (200, {}, 0),
        (200, {"content-range": "bytes 7-9/10"}, 0),
        (206, {"content-range": "bytes 7-9/10"}, 7),
        (206, {}, 0),
    ],
)
def test_a_part_is_asked_for_and_taken_for_all_unless_it_says_that_it_is_one(status, headers, begin):
    wire = Wire(httpx.Response(status, content=b"abc", headers=headers))

    async def go() -> Part:
        return await wire.transport().part("POST", PIPELINES, "/log", body=["fit"], since=7)

    assert asyncio.run(go()) == Part(begin, b"abc")
    assert wire.requests[-1].headers["range"] == "bytes=7-"


def test_objects_travel_as_they_are():
    wire = Wire(httpx.Response(200, content=b"\x00\xff"))

    async def go() -> bytes:
        transport = wire.transport()
        await transport.upload(EXTRAS, "/o", b"\x01\x02", query={"name": "a b/ü.csv"})
        return await transport.download(EXTRAS, "/o", query={"name": "x"})

    assert asyncio.run(go()) == b"\x00\xff"
    assert wire.requests[0].content == b"\x01\x02"
    assert wire.requests[0].url.params["name"] == "a b/ü.csv"
    assert wire.requests[0].headers["content-type"] == "application/octet-stream"


def app_that(behaviour):
    async def app(scope, receive, send):
        await behaviour(send)

    return Transport.for_app(app, scope=SCOPE)


def test_an_app_in_this_process_is_asked_without_a_socket():
    async def behaviour(send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b"[1]"})

    assert ask(None, transport=app_that(behaviour)) == [1]


def test_what_an_app_in_this_process_raises_is_one_line_with_the_cause_behind_it():
    async def behaviour(send):
        raise KeyError("x")

    with pytest.raises(ServiceError, match=r"GET /Pipelines: KeyError: 'x'") as caught:
        ask(None, transport=app_that(behaviour))
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.status == 500


def test_an_app_in_this_process_is_not_asked_again():
    asked = []

    async def behaviour(send):
        asked.append(1)
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with pytest.raises(ServiceError):
        ask(None, transport=app_that(behaviour))
    assert asked == [1]


def test_cancelling_a_call_cancels_the_app_behind_it():
    seen = []

    async def behaviour(send):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def go():
        transport = app_that(behaviour)
        task = asyncio.create_task(transport.json("GET", PIPELINES, "/x"))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert seen == ["cancelled"]


def test_this_machine_is_never_asked_through_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    local = Transport(scope=SCOPE, api="http://127.0.0.1:8000")
    outside = Transport(scope=SCOPE, api="http://region.api.example")
    assert local._client.trust_env is False
    assert outside._client.trust_env is True


def serve(answers):
    """A real server on this machine that gives raw answers, one a connection; ``None`` closes without one."""
    left = list(answers)

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        answer = left.pop(0)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        writer.close()

    return handle


def over_a_socket(method, answers):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    async def go():
        server = await asyncio.start_server(serve(answers), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = Transport(scope=SCOPE, api=f"http://127.0.0.1:{port}", sleep=sleep)
        try:
            return await transport.json(method, PIPELINES, "/Pipelines")
        finally:
            await transport.close()
            server.close()
            await server.wait_closed()

    try:
        return asyncio.run(go()), pauses
    except AmlError as error:
        return error, pauses


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\nConnection: close\r\n\r\n[1]"
CUT = WHOLE[:-2]


@pytest.mark.parametrize("broken", [None, CUT])
def test_over_a_real_socket_a_question_whose_answer_breaks_off_is_asked_again(broken):
    assert over_a_socket("GET", [broken, WHOLE]) == ([1], [0.7])


@pytest.mark.parametrize("broken", [None, CUT])
def test_over_a_real_socket_a_submit_whose_answer_breaks_off_is_not(broken):
    error, pauses = over_a_socket("POST", [broken, WHOLE])
    assert "broke the connection off" in str(error)
    assert "may have been carried out" in error.hint
    assert pauses == []


def test_a_port_where_nobody_listens_is_one_line():
    async def go():
        server = await asyncio.start_server(serve([]), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        transport = Transport(scope=SCOPE, api=f"http://127.0.0.1:{port}")
        try:
            await transport.json("POST", PIPELINES, "/x")
        finally:
            await transport.close()

    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:\d+ cannot be reached"):
        asyncio.run(go())
