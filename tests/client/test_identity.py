"""Tokens: asked for once, kept, renewed in time; what credentials say when they fail is one line."""

import asyncio
import base64
import json
import logging
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from aml_magics.client.clouds import KNOWN
from aml_magics.client.identity import Claims, Identity
from aml_magics.client.sign_in import make_credential
from aml_magics.datastores import signing_in
from aml_magics.model.errors import InvalidInput, NotConnected
from aml_magics.model.secret import Secret

CLOUD = KNOWN["AzureCloud"]


class Clock:
    now = 1_000_000.0


class Credential:
    """Gives ``t1``, ``t2``, ... ``fails`` is what it raises instead."""

    def __init__(self, life=3600.0, fails=None):
        self.life, self.fails = life, fails
        self.asked = []
        self.closed = 0

    async def get_token(self, *scopes, **options):
        self.asked.append((scopes, options))
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        return SimpleNamespace(token=f"t{len(self.asked)}", expires_on=Clock.now + self.life)

    async def close(self):
        self.closed += 1


@pytest.fixture(autouse=True)
def at_the_start():
    Clock.now = 1_000_000.0


def identity_of(credential):
    return Identity(credential, CLOUD, now=lambda: Clock.now)


def test_a_token_is_asked_for_once_and_kept():
    credential = Credential()

    async def go():
        identity = identity_of(credential)
        return [await identity.token() for _ in range(3)]

    assert [token.reveal() for token in asyncio.run(go())] == ["t1"] * 3
    assert credential.asked == [(("https://management.azure.com/.default",), {})]


def test_many_at_once_ask_once():
    credential = Credential()

    async def go():
        identity = identity_of(credential)
        return await asyncio.gather(*(identity.token() for _ in range(8)))

    assert len(set(asyncio.run(go()))) == 1
    assert len(credential.asked) == 1


@pytest.mark.parametrize(("passed", "token"), [(3290.0, "t1"), (3310.0, "t2"), (9999.0, "t2")])
def test_a_token_is_renewed_five_minutes_before_its_end(passed, token):
    async def go():
        identity = identity_of(Credential())
        await identity.token()
        Clock.now += passed
        return await identity.token()

    assert asyncio.run(go()).reveal() == token


def test_one_that_cannot_be_renewed_is_used_until_its_end():
    credential = Credential()

    async def go():
        identity = identity_of(credential)
        await identity.token()
        credential.fails = ValueError("down")
        Clock.now += 3400
        assert (await identity.token()).reveal() == "t1"
        Clock.now += 300
        await identity.token()

    with pytest.raises(NotConnected, match="down"):
        asyncio.run(go())


def test_after_a_refusal_another_token_is_asked_for_with_the_claims_of_the_challenge():
    credential = Credential()
    claims = base64.b64encode(b'{"access_token":{}}').decode()

    async def go():
        identity = identity_of(credential)
        refused = await identity.token()
        assert await identity.renewed(refused, f'Bearer error="insufficient_claims", claims="{claims}"')
        assert await identity.renewed(refused, "")  # a second request was refused with the same old token
        return await identity.token()

    assert asyncio.run(go()).reveal() == "t2"
    assert credential.asked[1][1] == {"claims": '{"access_token":{}}', "enable_cae": True}
    assert len(credential.asked) == 2


def test_a_credential_that_gives_the_same_token_again_has_no_other():
    class Same(Credential):
        async def get_token(self, *_scopes, **_options):
            return SimpleNamespace(token="same", expires_on=Clock.now + 3600)

    async def go(credential):
        identity = identity_of(credential)
        refused = await identity.token()
        credential.fails = ValueError("down")
        return await identity.renewed(refused, "")

    assert asyncio.run(go(Same())) is False
    assert asyncio.run(go(Credential())) is False


def test_a_plain_credential_blocks_a_daemon_thread_and_not_the_loop():
    go_on = threading.Event()
    seen = []
    loop = started = None

    class Plain:
        def get_token(self, *_scopes):
            seen.append(threading.current_thread())
            loop.call_soon_threadsafe(started.set)
            go_on.wait(10)
            return SimpleNamespace(token="plain", expires_on=Clock.now + 3600)

    async def go():
        nonlocal loop, started
        loop, started = asyncio.get_running_loop(), asyncio.Event()
        task = asyncio.create_task(identity_of(Plain()).token())
        await started.wait()  # set by the thread, so the loop turns while the credential blocks
        go_on.set()
        return await task

    assert asyncio.run(go()).reveal() == "plain"
    assert seen[0].daemon
    assert seen[0] is not threading.main_thread()


def test_an_interrupt_does_not_wait_for_a_credential_that_hangs():
    go_on = threading.Event()

    class Hanging:
        def get_token(self, *_scopes):
            go_on.wait(30)

    async def go():
        task = asyncio.create_task(identity_of(Hanging()).token())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    try:
        asyncio.run(asyncio.wait_for(go(), 5))
    finally:
        go_on.set()


def jwt(claims):
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims))
        + "."
    )


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (jwt({"upn": "ada@example.org", "tid": "t"}), Claims("ada@example.org", "t")),
        (jwt({"appid": "app"}), Claims("app", "")),
        ("opaque", Claims()),
        ("a.b.c", Claims()),
        (jwt([1]), Claims()),
    ],
)
def test_a_token_tells_whom_it_is_for_if_it_can(text, claims):
    class Telling(Credential):
        async def get_token(self, *_scopes, **_options):
            return SimpleNamespace(token=text, expires_on=Clock.now + 3600)

    assert asyncio.run(identity_of(Telling()).claims()) == claims


CHAIN = """DefaultAzureCredential failed to retrieve a token from the included credentials.
Attempted credentials:
\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Not fully configured.
Visit https://example.org/ to troubleshoot this issue.
\tManagedIdentityCredential: no response from the IMDS endpoint.
\tAzureCliCredential: Azure CLI not found on path
To mitigate this issue, please refer to the troubleshooting guidelines here at https://example.org."""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            CHAIN,
            "nobody is signed in to Azure here (tried: environment variables, managed identity, Azure CLI)",
        ),
        (
            f"{CHAIN}\nAADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1",
            "signing in to Azure failed: AADSTS700082: The refresh token has expired due to inactivity",
        ),
        ("two\nlines", "signing in to Azure failed: OSError: two lines"),
        ("", "signing in to Azure failed: OSError"),
        ("x" * 9999, f"signing in to Azure failed: OSError: {'x' * 300}"),
        ("client_secret=abc123 is wrong", "signing in to Azure failed: OSError: client_secret=*** is wrong"),
    ],
)
def test_what_a_credential_says_is_one_line_with_three_ways_out(said, line):
    with pytest.raises(NotConnected) as caught:
        asyncio.run(identity_of(Credential(fails=OSError(said))).token())
    assert caught.value.message == line
    assert str(caught.value).endswith(
        "Sign in with 'az login', or add --sign-in device or --sign-in browser to %aml connect."
    )


def test_an_answer_that_is_no_token_is_refused_without_showing_it():
    class Odd(Credential):
        async def get_token(self, *_scopes, **_options):
            return "a-bare-secret"

    with pytest.raises(NotConnected) as caught:
        asyncio.run(identity_of(Odd()).token())
    assert "a-bare-secret" not in str(caught.value)


def test_no_repr_shows_a_token():
    async def go():
        identity = identity_of(Credential())
        token = await identity.token()
        return [repr(identity), repr(vars(identity)), repr(token), f"{token}"]

    assert all("t1" not in shown for shown in asyncio.run(go()))


def test_what_has_no_get_token_is_no_credential():
    with pytest.raises(InvalidInput, match="a str is no credential"):
        identity_of("secret")


def test_closing_closes_credentials_of_both_kinds_and_those_without_an_end():
    plain = SimpleNamespace(get_token=lambda *_s: None, closed=0)

    def close():
        plain.closed += 1

    plain.close = close
    ours = Credential()
    for credential in (ours, plain, SimpleNamespace(get_token=lambda *_s: None)):
        asyncio.run(identity_of(credential).close())
    assert (ours.closed, plain.closed) == (1, 1)


# signing in


def test_nothing_is_signed_in_by_itself_and_the_chain_of_azure_identity_is_what_is_asked():
    credential = make_credential(None, KNOWN["AzureChinaCloud"], pytest.fail)
    try:
        assert type(credential).__name__ == "DefaultAzureCredential"
        assert type(credential).__module__.startswith("azure.identity.aio")
        assert asyncio.iscoroutinefunction(credential.get_token)
    finally:
        asyncio.run(credential.close())


class Interactive:
    """Stands for azure-identity's credentials that ask a person."""

    def __init__(self, **options):
        self.options = options
        self.threads = []

    def authenticate(self, *, scopes):
        self.threads.append((threading.current_thread(), scopes))
        prompt = self.options.get("prompt_callback")
        if prompt is not None:
            prompt("https://example.org/device", "ABC123", datetime(2026, 11, 27, 6, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("way", "kind", "words"),
    [
        ("device", "DeviceCodeCredential", ["https://example.org/device", "ABC123", "06:30 UTC"]),
        ("browser", "InteractiveBrowserCredential", ["browser window"]),
    ],
)
def test_a_person_signs_in_on_the_calling_thread_and_is_told_how(monkeypatch, way, kind, words):
    monkeypatch.setattr(f"azure.identity.{kind}", Interactive)
    told = []
    made = make_credential(way, CLOUD, told.append)
    assert made.options["authority"] == "https://login.microsoftonline.com"
    assert made.options["disable_automatic_authentication"] is True  # or it would ask in the middle of another cell
    assert made.threads == [(threading.main_thread(), [CLOUD.scope])]
    assert all(word in "".join(told) for word in words)


def test_a_sign_in_that_fails_is_one_line_with_no_frame_that_holds_anything(monkeypatch):
    class Failing(Interactive):
        def authenticate(self, *, scopes):
            raise RuntimeError("Timed out waiting for user to authenticate")

    monkeypatch.setattr("azure.identity.DeviceCodeCredential", Failing)
    with pytest.raises(NotConnected, match="Timed out waiting") as caught:
        make_credential("device", CLOUD, print)
    assert caught.value.__cause__.__traceback__ is None


def test_azure_identity_says_nothing_on_its_own(capfd):
    make = make_credential(None, CLOUD, pytest.fail)
    logging.getLogger("azure.identity.x").warning("noise")
    asyncio.run(make.close())
    assert capfd.readouterr() == ("", "")
    assert signing_in.QUIET in logging.getLogger("azure.identity").handlers


def test_a_secret_compares_with_secrets_only():
    assert Secret("t1") == Secret("t1") != Secret("t2")
