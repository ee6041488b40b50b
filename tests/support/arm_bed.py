"""The stand-in of the resource manager without sockets: the client's own calls, answered in this process.

Time is what is slept. ``tells`` are answers to give instead of carrying a request out, or after it: the faults of a
network and of a service.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from aml_magics.client.arm import Manager, Where
from aml_magics.client.connection import Connection
from aml_magics.client.data_factories import DataFactories
from aml_magics.client.logic_apps import LogicApps
from aml_magics.client.transport import Transport
from aml_magics.model.secret import Secret
from tests.support.arm_stand_in import ArmStandIn, Request, objections
from tests.support.azure_stand_in import GROUP, REGION, SUBSCRIPTION

BASE = "https://management.stand-in.example"
TOKEN = "a-token-of-the-stand-in"
T = TypeVar("T")


@dataclass
class Tell:
    """``answer`` to requests that fit, ``times`` times (-1: for ever), instead of or ``after`` carrying them out."""

    pattern: str
    answer: httpx.Response | Exception
    times: int = 1
    after: bool = False


@dataclass
class Wire(httpx.AsyncBaseTransport):
    stand_in: ArmStandIn
    tells: list[Tell] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    hooks: list[Callable[[str], None]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = f"{request.method} {request.url.path}"
        self.asked.append(call)
        for hook in self.hooks:
            hook(call)
        has_token = request.headers.get("authorization") == f"Bearer {TOKEN}"
        if not has_token and "/outputs/" not in call:
            return httpx.Response(401, json={"error": {"code": "NoToken", "message": "no token"}})
        assert request.url.host == httpx.URL(BASE).host, "a request went to another host"
        tell = next((one for one in self.tells if one.times and re.search(one.pattern, call)), None)
        if tell is not None:
            tell.times -= 1
        if tell is None or tell.after:
            answer = self._carried_out(request, has_token)
        if tell is None:
            return answer
        if isinstance(tell.answer, Exception):
            raise tell.answer
        return tell.answer

    def _carried_out(self, request: httpx.Request, has_token: bool) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        asked = Request(request.method, request.url.path, dict(request.url.params), body)
        if not self.stand_in.serves(asked.path):
            return httpx.Response(404, json={"error": {"code": "NotFound", "message": "it is not here"}})
        status, content, headers = self.stand_in.answer(asked, has_token=has_token)
        return httpx.Response(status, headers=headers, **({} if content is None else {"json": content}))


class Tokens:
    """A source of the one token."""

    advice = "Sign in."

    async def token(self) -> Secret:
        return Secret(TOKEN)

    async def renewed(self, refused: Secret, challenge: str) -> bool:
        return False


class ArmBed:
    """``pauses`` are what was slept; the clock moves by them and by nothing else."""

    def __init__(self, check: Callable[[dict[str, Any]], list[str]] = objections) -> None:
        self.stand_in = ArmStandIn(SUBSCRIPTION, {GROUP: REGION, "other": REGION}, check, base=BASE)
        self.wire = Wire(self.stand_in)
        self.now = 0.0
        self.pauses: list[float] = []
        self.on_sleep: Callable[[], Awaitable[None]] | None = None
        self.connection = Connection(None, self.call, "https://portal.stand-in.example")  # type: ignore[arg-type]
        self.logic_apps = LogicApps(self.connection, self.manager())
        self.data_factories = DataFactories(self.connection, self.manager())

    def manager(self) -> Manager:
        transport = self._transport(Tokens())

        async def ask(url: str) -> Any:
            link = Transport(scope="", api=url, network=self.wire, sleep=self.sleep)
            from aml_magics.client.services import LINK

            return await link.json("GET", LINK, "")

        where = Where(SUBSCRIPTION, GROUP)
        return Manager(transport, where, ask, sleep=self.sleep, monotonic=lambda: self.now)

    def _transport(self, tokens: Tokens) -> Transport:
        return Transport(scope="/not/used", api=BASE, network=self.wire, tokens=tokens, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)
        if self.on_sleep is not None:
            await self.on_sleep()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(coroutine)

    def tell(self, pattern: str, answer: httpx.Response | Exception | int, *, times: int = 1, after: bool = False,
             code: str = "Broken", message: str = "it is broken", **headers: str) -> Tell:  # fmt: skip
        if isinstance(answer, int):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = httpx.Response(answer, json={"error": {"code": code, "message": message}}, headers=named)
        told = Tell(pattern, answer, times, after)
        self.wire.tells.append(told)
        return told

    def asked(self, pattern: str) -> int:
        return sum(1 for call in self.wire.asked if re.search(pattern, call))

    @property
    def changes(self) -> list[str]:
        """The requests that may change something."""
        questions = r"/(validate|whatIf|query\w+)$"
        return [call for call in self.wire.asked if not call.startswith("GET") and not re.search(questions, call)]
