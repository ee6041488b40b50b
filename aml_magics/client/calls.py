"""What the calls of a workspace share: following pages, asking side by side, and reading answers into values."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from aml_magics.model.errors import AmlError, InvalidInput, ServiceError

if TYPE_CHECKING:
    from aml_magics.wire.casing import Json

__all__ = ["read", "read_all", "read_object", "segment", "side_by_side", "values_of_pages"]

T = TypeVar("T")
S = TypeVar("S")

_ODD = "Check the address, and whether a proxy is in between; look at the list before you repeat a change."
_A_TURN = 100  # items read before others get their turn: about ten milliseconds
_AT_ONCE = 8  # requests in flight for one question


def segment(name: str) -> str:
    """A name or an id as one segment of a path. Raises ``InvalidInput`` for half a character: nothing encodes it."""
    try:
        return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")
    except UnicodeEncodeError:
        message = f"the name {name!r} holds a broken character"
        raise InvalidInput(message, hint="Write it again.") from None


def read(what: str, reader: Callable[[Any], T], answer: object) -> T:
    """``reader(answer)``; an answer that it cannot read is a ``ServiceError``, for no person wrote it."""
    try:
        return reader(answer)
    except ValueError as error:
        reason = error.message if isinstance(error, AmlError) else str(error)
        message = f"the workspace's answer about {what} cannot be read: {reason}"
        raise ServiceError(message, status=200, hint=_ODD) from error


def read_object(what: str, answer: object) -> Json:
    """The answer itself when it is a JSON object; any other is a ``ServiceError``."""
    if not isinstance(answer, dict):
        message = f"the workspace's answer about {what} is no JSON object"
        raise ServiceError(message, status=200, hint=_ODD)
    return answer


async def read_all(what: str, reader: Callable[[Any], T], answer: object) -> list[T]:
    """As ``read`` for an array; an item that cannot be read is named by its own name or id.

    Ten thousand items take a second to read, and the engine may live on the same loop: it gets its turns in between.
    """
    if not isinstance(answer, list):
        message = f"the workspace's answer about {what}s is no list"
        raise ServiceError(message, status=200, hint=_ODD)
    found = []
    for index, item in enumerate(answer, start=1):
        found.append(read(_named(what, item), reader, item))
        if index % _A_TURN == 0:
            await asyncio.sleep(0)
    return found


async def values_of_pages(
    page: Callable[[str | None], Awaitable[Any]], *, enough: int | None = None, next_page: str = "continuationToken"
) -> list[Any]:
    """The items of all pages ``{"value": [...], "continuationToken": ...}``; ``page`` is asked with each token.

    The last page has no token, or one that came before. ``enough`` ends it early. ``next_page`` is the token's field.
    """
    items: list[Any] = []
    token: str | None = None
    seen: set[str] = set()
    while True:
        answer = await page(token)
        values = answer.get("value") if isinstance(answer, Mapping) else None
        if not isinstance(values, list):
            message = "the workspace's answer is no page of a list"
            raise ServiceError(message, status=200, hint=_ODD)
        items += values
        token = answer.get(next_page)
        if not isinstance(token, str) or not token or token in seen or (enough is not None and len(items) >= enough):
            return items if enough is None else items[:enough]
        seen.add(token)


async def side_by_side(call: Callable[[S], Awaitable[T]], arguments: Iterable[S]) -> list[T]:
    """``call`` for each argument, a few at a time; answers in the order of the arguments.

    The first failure cancels what is still under way and is raised as it is.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(argument: S) -> T:
        async with gate:
            return await call(argument)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(argument)) for argument in arguments]
    except BaseExceptionGroup as group_of_failures:
        raise group_of_failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _named(what: str, item: object) -> str:
    names = item if isinstance(item, Mapping) else {}
    name = next((names[key] for key in ("Name", "name", "Id", "runId") if isinstance(names.get(key), str)), None)
    return what if name is None else f"{what} {name!r}"
