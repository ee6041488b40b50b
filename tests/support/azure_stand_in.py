"""Azure as a client sees it, in front of an embedded workspace: resource manager, discovery of a region, services.

One ASGI app under one address. The resource manager is at its root, the services of a region below ``/REGION/api`` and
``/REGION/history``, discovery below ``/discovery/REGION``. It checks tokens and their audience, keeps every request,
and can be told to answer something else. What only our own workspaces answer it does not have: neither their paths nor
the extra objects in their answers.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from aml_magics.wire.v1 import scope_of
from tests.support.arm_stand_in import Answer, ArmStandIn, Request, objections

REGION = "westeurope"
WORKSPACE = "embedded"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = "group"
SCOPE = scope_of(WORKSPACE, subscription=SUBSCRIPTION, resource_group=GROUP)
AUDIENCE = "https://management.stand-in.example/"
ACCOUNT = "ada@example.org"
TENANT = "99999999-0000-0000-0000-000000000000"
ALL = {"actions": ["Microsoft.MachineLearningServices/workspaces/*"], "notActions": []}
OURS = ("amlMagics", "AmlMagics")

Asgi = Callable[..., Awaitable[None]]


class AccessToken(NamedTuple):
    """What azure-core calls so."""

    token: str
    expires_on: int


class Seen(NamedTuple):
    method: str
    path: str
    query: str
    has_token: bool


@dataclass
class Told:
    """An answer to give instead, ``times`` times (-1: for ever), to requests whose method and path fit."""

    pattern: str
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = -1
    before: bool = True  # instead of carrying the request out; else after it was carried out


class StandIn:
    """``app`` is the embedded workspace's app; ``now`` is the time by which tokens expire."""

    def __init__(self, app: Asgi, *, now: Callable[[], float]) -> None:
        self._app = app
        self._now = now
        self._tokens: dict[str, tuple[str, float]] = {}
        self.base = "https://stand-in.example"
        self.regions = [REGION]
        self.permissions: list[dict[str, Any]] = [ALL]
        self.requests: list[Seen] = []
        self.told: list[Told] = []
        self.writes_camel_case = False
        self.beside = ArmStandIn(SUBSCRIPTION, {GROUP: REGION, "other": REGION}, objections)

    # what tests say and ask

    def issue(self, audience: str = AUDIENCE, *, life: float = 3600.0) -> AccessToken:
        """A new token that is good for a while."""
        expires = self._now() + life
        claims = {"aud": audience, "exp": expires, "upn": ACCOUNT, "tid": TENANT, "jti": len(self._tokens)}
        text = ".".join(_b64(part) for part in ({"alg": "none"}, claims)) + "."
        self._tokens[text] = (audience, expires)
        return AccessToken(text, int(expires))

    def revoke_all(self) -> None:
        """No token that was issued so far is good any more, whatever it says of itself."""
        self._tokens = dict.fromkeys(self._tokens, ("revoked", 0.0))

    def tell(self, pattern: str, status: int, **options: Any) -> Told:
        told = Told(pattern, status, **options)
        self.told.append(told)
        return told

    @contextmanager
    def telling(self, pattern: str, status: int, **options: Any) -> Iterator[Told]:
        told = self.tell(pattern, status, **options)
        try:
            yield told
        finally:
            self.told.remove(told)

    def asked(self, pattern: str) -> list[Seen]:
        return [seen for seen in self.requests if re.search(pattern, f"{seen.method} {seen.path}")]

    @property
    def secrets(self) -> list[str]:
        return list(self._tokens)

    # the app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path, method = scope["path"], scope["method"]
        token = headers.get("authorization", "")
        self.requests.append(Seen(method, path, scope["query_string"].decode(), bool(token)))
        self.beside.base = self.base
        told = self._told_about(f"{method} {path}")
        if told is not None and told.before:
            await _answer(send, told.status, told.body, told.headers)
            return
        if path.startswith("/outputs/"):
            await _answer(send, *await self._beside(scope, receive, has_token=bool(token)))
            return
        open_answer = self._open(path)
        if open_answer is not None:
            await _answer(send, 200, open_answer)
            return
        refusal = self._refusal(token)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        if self.beside.serves(path):
            answer = await self._beside(scope, receive, has_token=True)
            if told is not None:
                answer = Answer(told.status, told.body, told.headers)
            await _answer(send, *answer)
            return
        answer = self._arm(path, scope["query_string"].decode())
        if answer is not None:
            await _answer(send, *answer)
            return
        await self._service(scope, receive, send, told)

    async def _beside(self, scope: dict[str, Any], receive: Any, *, has_token: bool) -> Answer:
        """What is beside the workspace."""
        content = b""
        more = True
        while more:
            message = await receive()
            content += message.get("body", b"")
            more = message.get("more_body", False)
        query = dict(parse_qsl(scope["query_string"].decode()))
        body = json.loads(content) if content else None
        path = unquote(scope["path"])
        return self.beside.answer(Request(scope["method"], path, query, body), has_token=has_token)

    def _told_about(self, call: str) -> Told | None:
        for told in self.told:
            if told.times != 0 and re.search(told.pattern, call):
                told.times -= 1 if told.times > 0 else 0
                return told
        return None

    def _open(self, path: str) -> Any:
        """What is told without a token."""
        if path == "/metadata/endpoints":
            return [
                {
                    "name": "StandIn",
                    "portal": "https://portal.stand-in.example",
                    "resourceManager": f"{self.base}/",
                    "authentication": {"loginEndpoint": "https://login.stand-in.example/", "audiences": [AUDIENCE]},
                }
            ]
        region = path.removeprefix("/discovery/")
        if region in self.regions:
            names = ("experimentation", "hyperdrive", "modelmanagement", "studio")
            services = dict.fromkeys(names, self.base)
            return services | {key: f"{self.base}/{region}/{key}" for key in ("api", "history")}
        return None

    def _refusal(self, header: str) -> tuple[int, Any] | None:
        audience, expires = self._tokens.get(header.removeprefix("Bearer "), ("", 0.0))
        if audience == AUDIENCE and expires > self._now():
            return None
        return 401, {"error": {"code": "InvalidAuthenticationToken", "message": f"The token is no good: {header}"}}

    def _permissions_page(self, path: str, query: str) -> dict[str, Any]:
        """One permission a page; the address of the next one is not where a token should go."""
        version, *skipped = [value for _name, value in parse_qsl(query)]
        following = int(skipped[0]) + 1 if skipped else 1
        link = f"https://elsewhere.example{path}?api-version={version}&%24skiptoken={following}"
        more = following < len(self.permissions)
        return {"value": self.permissions[following - 1 : following], "nextLink": link if more else None}

    def _arm(self, path: str, query: str) -> tuple[int, Any] | None:
        if path == "/subscriptions":
            return 200, {"value": [{"subscriptionId": SUBSCRIPTION, "state": "Enabled", "tenantId": TENANT}]}
        if path == SCOPE:
            properties = {"workspaceId": "w-1", "discoveryUrl": f"{self.base}/discovery/{REGION}"}
            kind = "Microsoft.MachineLearningServices/workspaces"
            return 200, {
                "id": SCOPE, "name": WORKSPACE, "type": kind, "location": REGION, "kind": "Default",
                "properties": properties,
            }  # fmt: skip
        if path == f"{SCOPE}/providers/Microsoft.Authorization/permissions":
            return 200, self._permissions_page(path, query)
        if path.startswith("/subscriptions/"):
            message = "The Resource 'workspaces/x' under resource group 'group' was not found."
            return 404, {"error": {"code": "ResourceNotFound", "message": message}}
        return None

    async def _service(self, scope: dict[str, Any], receive: Any, send: Any, told: Told | None) -> None:
        found = re.fullmatch(r"/([a-z]+)/(api|history)(/.*)", scope["path"])
        side = {"api": ("/pipelines/",), "history": ("/history/", "/datastore/", "/artifact/")}
        if found is None or found[1] not in self.regions or not found[3].startswith(side[found[2]]):
            await _answer(send, 404, {"error": {"code": "NotFound", "message": f"{scope['path']} is not here"}})
            return
        prefix = f"/{found[1]}/{found[2]}"
        inner = scope | {"root_path": prefix, "raw_path": None}
        inner.pop("raw_path")
        status, headers, content = await _carried_out(self._app, inner, receive)
        if told is not None:
            await _answer(send, told.status, told.body, told.headers)
            return
        if headers.get("content-type", "").startswith("application/json"):
            answer = _without_ours(json.loads(content)) if content else None
            answer = _in_camel_case(answer) if self.writes_camel_case else answer
            content = json.dumps(answer).encode() if content else content
        headers["content-length"] = str(len(content))
        await _send(send, status, headers, content)


class Credential:
    """An asynchronous credential of the stand-in. ``life`` is how long its tokens last, in seconds."""

    def __init__(self, stand_in: StandIn, life: float = 3600.0) -> None:
        self._stand_in = stand_in
        self.life = life
        self.scopes: list[str] = []
        self.closed = 0

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        self.scopes += scopes
        return self._stand_in.issue(scopes[0].removesuffix(".default"), life=self.life)

    async def close(self) -> None:
        self.closed += 1


class PlainCredential:
    """The same, synchronous."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in
        self.threads: list[str] = []
        self.closed = 0

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        import threading

        thread = threading.current_thread()
        self.threads.append(f"{thread.name} {'daemon' if thread.daemon else 'not a daemon'}")
        return self._stand_in.issue(scopes[0].removesuffix(".default"))

    def close(self) -> None:
        self.closed += 1


async def _carried_out(app: Asgi, scope: dict[str, Any], receive: Any) -> tuple[int, dict[str, str], bytes]:
    status, headers, parts = 500, {}, []

    async def keep(message: dict[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return status, headers, b"".join(parts)


def _without_ours(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {key: _without_ours(value) for key, value in answer.items() if key not in OURS}
    return [_without_ours(one) for one in answer] if isinstance(answer, list) else answer


def _in_camel_case(answer: Any) -> Any:
    """Names of fields begin with a small letter; names of parameters, which are data, keep their case."""
    if isinstance(answer, dict):
        return {
            key[:1].lower() + key[1:]: value if key.endswith("Assignments") else _in_camel_case(value)
            for key, value in answer.items()
        }
    return [_in_camel_case(one) for one in answer] if isinstance(answer, list) else answer


async def _answer(send: Any, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"content-type": "application/json"}
    await _send(send, status, kind | {"content-length": str(len(content))} | (headers or {}), content)


async def _send(send: Any, status: int, headers: dict[str, str], content: bytes) -> None:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})


def _b64(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
