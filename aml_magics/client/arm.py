"""Azure's resource manager beside the workspace: reading, changing, and following what goes on after the answer.

What changes something is sent once. A refusal to do it now (429) changed nothing and is waited out, for those changes
that are the same when they are done twice; a start of something is not among them.

A long-running change answers 201 or 202 and says where to look: ``Azure-AsyncOperation`` (a JSON with a status) or
``Location`` (202 until it has ended). It goes on whoever watches: a watch that ends early, by its deadline or by an
interrupt, has stopped nothing. Of such an address the path and the query are taken alone, so a token goes to the
resource manager whatever is in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from aml_magics.client.calls import read_object, segment, values_of_pages
from aml_magics.client.services import MANAGER
from aml_magics.model.errors import NotFound, ServiceError
from aml_magics.wire.arm_errors import reasons

if TYPE_CHECKING:
    from aml_magics.client.transport import Answer, Query, Transport

__all__ = ["NO_BODY", "Manager", "StillGoing", "Where", "group_location"]

GROUPS = "2021-04-01"
NO_BODY: Any = object()
_PATIENCE = 900.0  # seconds that a change is followed, and a throttled one is tried
_LOOK = (1.0, 2.0, 4.0)  # seconds between looks when the service names none; then the last
_STUMBLES = 5  # looks in a row that may fail
_ENDED_WELL = ("Succeeded", "Completed")
_ENDED_BADLY = ("Failed", "Canceled", "Cancelled")


class StillGoing(ServiceError):
    """It was not waited for longer: it goes on."""


class Where(NamedTuple):
    """A resource group."""

    subscription: str
    group: str

    @property
    def path(self) -> str:
        return f"/subscriptions/{segment(self.subscription)}/resourceGroups/{segment(self.group)}"

    def provider(self, name: str) -> str:
        """The path of what a provider has there."""
        return f"{self.path}/providers/{name}"


class Manager:
    """The resource manager of a cloud. ``where`` is the workspace's resource group.

    ``ask`` gets what an address holds that needs no token. ``sleep`` and ``monotonic`` are the time of waiting.
    """

    def __init__(
        self,
        transport: Transport,
        where: Where,
        ask: Callable[[str], Awaitable[Any]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self.where = where
        self.ask = ask
        self._sleep = sleep
        self._monotonic = monotonic

    def in_group(self, group: str | None) -> Where:
        """The resource group of that name, in the workspace's subscription; the workspace's own for none."""
        return Where(self.where.subscription, group) if group else self.where

    async def get(self, path: str, version: str, **query: str | int | None) -> Any:  # noqa: ANN401 - JSON
        """What is there. Raises ``NotFound``, ``ServiceError``."""
        return (await self._exchange("GET", path, {"api-version": version} | query)).body

    async def listed(self, path: str, version: str, *, enough: int | None = None, **query: str | int) -> list[Any]:
        """All items, or the first so many, of all pages."""

        async def page(link: str | None) -> Any:  # noqa: ANN401 - JSON
            asked: Query = {"api-version": version} | query | dict(parse_qsl(urlsplit(link or "").query))
            return (await self._exchange("GET", path, asked)).body

        return await values_of_pages(page, enough=enough, next_page="nextLink")

    async def question(self, path: str, version: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """A POST that changes nothing, and what it comes to in the end."""
        answer = await self._exchange("POST", path, {"api-version": version}, body, is_question=True)
        return await self.settled(answer)

    async def start(self, path: str, version: str, body: object = NO_BODY) -> Answer:
        """A POST that starts something: once, whatever becomes of it."""
        return await self._exchange("POST", path, {"api-version": version}, body)

    async def change(self, method: str, path: str, version: str, body: object = NO_BODY) -> Answer:
        """A change that is the same when it is done twice; a refusal to do it now is waited out."""
        deadline = self._monotonic() + _PATIENCE
        while True:
            try:
                return await self._exchange(method, path, {"api-version": version}, body)
            except ServiceError as error:
                pause = error.asked_pause
                if error.status != 429 or pause is None or self._monotonic() + pause > deadline:
                    raise
            await self._sleep(pause)

    async def settled(self, answer: Answer, *, patience: float | None = None) -> Any:  # noqa: ANN401 - JSON
        """What a change comes to: its last answer's JSON. Raises ``ServiceError`` when it fails, ``StillGoing``."""
        deadline = self._monotonic() + (patience if patience is not None else _PATIENCE)
        link = answer.headers.get("azure-asyncoperation")
        if link is None and answer.status != 202:
            return answer.body
        is_status = link is not None
        link = link or answer.headers.get("location")
        if link is None:
            return answer.body
        looks = 0
        while True:
            await self._pause(answer, looks, deadline)
            looks += 1
            answer = await self._look(link, deadline)
            if not is_status:
                if answer.status != 202:
                    return answer.body
                link = answer.headers.get("location", link)
            elif _has_ended(answer.body):
                return answer.body

    async def until(self, look: Callable[[], Awaitable[bool]], *, patience: float | None = None) -> None:
        """Until ``look`` answers true. Raises ``StillGoing``."""
        deadline = self._monotonic() + (patience if patience is not None else _PATIENCE)
        looks = 0
        while not await look():
            await self._wait(_LOOK[min(looks, len(_LOOK) - 1)], deadline)
            looks += 1

    async def _exchange(
        self, method: str, path: str, query: Query, body: object = NO_BODY, *, is_question: bool = False
    ) -> Answer:
        if not path.startswith("/"):  # it would change the host that the token goes to
            message = f"the resource manager names {path[:60]!r} as the address of something"
            raise ServiceError(message, status=200, hint="Check the address, and whether a proxy is in between.")
        given: dict[str, Any] = {} if body is NO_BODY else {"body": body}
        return await self._transport.exchange(method, MANAGER, path, query=query, is_question=is_question, **given)

    async def _pause(self, answer: Answer, looks: int, deadline: float) -> None:
        asked = answer.asked_pause
        await self._wait(asked if asked is not None else _LOOK[min(looks, len(_LOOK) - 1)], deadline)

    async def _wait(self, pause: float, deadline: float) -> None:
        if self._monotonic() + pause > deadline:
            message = "it has not ended yet, and goes on on Azure"
            raise StillGoing(message, hint="Look again later.")
        await self._sleep(pause)

    async def _look(self, link: str, deadline: float) -> Answer:
        """How it is. What fails on the way there has not stopped it."""
        split = urlsplit(link)
        stumbles = 0
        while True:
            try:
                return await self._exchange("GET", split.path, dict(parse_qsl(split.query)))
            except ServiceError as error:
                stumbles += 1
                is_passing = error.status in (0, 408, 429) or error.status >= 500
                pause = error.asked_pause or _LOOK[-1]
                if not is_passing or stumbles >= _STUMBLES or self._monotonic() + pause > deadline:
                    raise
            await self._sleep(pause)


def _has_ended(body: object) -> bool:
    """Whether an operation has ended well. Raises ``ServiceError`` when it has failed."""
    operation = read_object("the operation", body)
    status = str(operation.get("status", ""))
    if status in _ENDED_BADLY:
        error = operation.get("error")
        code = str(error.get("code", "")) if isinstance(error, Mapping) else ""
        message = "; ".join(reasons(error)) or f"it has {status.lower()}"
        raise ServiceError(message, status=200, code=code, hint="Nothing more is done about it.")
    return status in _ENDED_WELL


async def group_location(manager: Manager, where: Where) -> str:
    """The region of a resource group. Raises ``NotFound`` saying what to check."""
    try:
        found = await manager.get(where.path, GROUPS)
    except NotFound as error:
        error.message = f"there is no resource group {where.group!r} in the subscription {where.subscription}"
        error.hint = "Name another with --resource-group, or make it: az group create --name NAME --location REGION."
        raise
    return str(read_object("the resource group", found).get("location", ""))
