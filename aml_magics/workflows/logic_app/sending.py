"""The HTTP action: what it sends goes to the workspace, signed in as Azure would ask it to be, and tried again as Azure
does.

A published pipeline takes a token for the resource manager. The identity of a Logic App gets it for the audience that
the action names, which must be right to the last ``/``; any other, or no authentication at all, is answered with 401
there, so it is here. What cannot be in a kernel, such as a client certificate, is refused before anything runs.

Without a ``retryPolicy`` Azure tries four times more when the answer is 408, 429 or 5xx, after 7.5, 15, 30 and 45
seconds; ``{"type": "none"}`` turns that off. When no answer comes, Azure tries again too; here that is left to a
person, unless it was a question only: the run may have been started.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotConnected, NotFound, ServiceError
from aml_magics.model.secret import redacted
from aml_magics.workflows.logic_app.records import ActionFailed
from aml_magics.workflows.logic_app.values import seconds_of

if TYPE_CHECKING:
    from aml_magics.workflows.logic_app.running import Doing

__all__ = ["RETRY_TYPES", "Web", "http", "refused_sign_in", "retry_pauses"]

ARM = "https://management.azure.com/"
RETRY_TYPES = ("none", "fixed", "exponential")
_DEFAULT = {
    "type": "exponential",
    "count": 4,
    "interval": "PT7.5S",
    "minimumInterval": "PT5S",
    "maximumInterval": "PT45S",
}
_MOST_RETRIES = 90
_STATUS: Mapping[type[AmlError], int] = {NotFound: 404, Conflict: 409, NotConnected: 401, InvalidInput: 400}


class Web(Protocol):
    """Where HTTP actions may send to: the workspace itself."""

    def refusal(self, url: str) -> str:
        """Why nothing is sent there, or nothing."""

    async def send(self, method: str, url: str, body: object) -> Any:  # noqa: ANN401 - any JSON
        """The answer's JSON. Raises an ``AmlError`` for what may not or cannot be sent."""


def refused_sign_in(authentication: object, audience: str) -> str:
    """Why the workspace would answer this ``authentication`` with 401, or nothing."""
    if not isinstance(authentication, Mapping):
        return "the action sends no token: it has no authentication"
    asked = authentication.get("audience", ARM)
    if asked != audience:
        return f"the token is for {asked!r}, and the workspace takes those for {audience!r}, to the last character"
    return ""


def retry_pauses(policy: object) -> Iterator[float]:
    """Seconds to wait before each further attempt. Raises ``InvalidInput`` for a policy that is none."""
    settings = {**_DEFAULT} if policy is None else policy
    if not isinstance(settings, Mapping) or settings.get("type") not in RETRY_TYPES:
        raise InvalidInput(f"retryPolicy {policy!r} is none", hint=f"Its type is one of {', '.join(RETRY_TYPES)}.")
    if settings["type"] == "none":
        return
    count, pause = settings.get("count", 4), seconds_of("interval", settings.get("interval", "PT7.5S"))
    least = seconds_of("minimumInterval", settings.get("minimumInterval", "PT5S"))
    most = seconds_of("maximumInterval", settings.get("maximumInterval", "P1D"))
    if type(count) is not int or not 1 <= count <= _MOST_RETRIES:
        raise InvalidInput(f"retryPolicy: count {count!r} is out of range", hint=f"It takes 1 to {_MOST_RETRIES}.")
    for number in range(count):
        yield pause if settings["type"] == "fixed" else min(max(pause * 2**number, least), most)


async def http(doing: Doing) -> dict[str, Any]:
    """Send, and again while that is worth it. The outputs have statusCode, headers and body, also of a failure."""
    inputs = doing.evaluated()
    method, url = str(inputs["method"]).upper(), _with_queries(str(inputs["uri"]), inputs.get("queries"))
    why_not = doing.runner.web.refusal(url)
    if why_not:
        raise ActionFailed(f"nothing is sent to {redacted(url)}: {why_not}", code="NotSent")
    body = _as_json(inputs.get("body"))
    problem = refused_sign_in(inputs.get("authentication"), doing.runner.audience)
    if problem:
        raise _failed(401, problem, "Unauthorized")
    pauses = retry_pauses(inputs.get("retryPolicy"))
    while True:
        doing.attempts += 1
        try:
            answer = await _sent(doing, method, url, body)
        except AmlError as error:
            status = _status(error)
            pause = next(pauses, None) if _is_worth_it(status, method) else None
            if pause is None:
                raise _failed(status, str(error), getattr(error, "code", "") or type(error).__name__) from None
            await doing.runner.clock.sleep(pause)
        else:
            return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": answer}


async def _sent(doing: Doing, method: str, url: str, body: object) -> object:
    """The answer. Cancelling waits for it: a run that was started must be known."""
    sending = asyncio.ensure_future(doing.runner.web.send(method, url, body))
    try:
        answer = await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.wait({sending})
        if not sending.cancelled() and sending.exception() is None:
            doing.submitted(body, sending.result())
        raise
    doing.submitted(body, answer)
    return answer


def _is_worth_it(status: int, method: str) -> bool:
    return status in (408, 429) or status >= 500 or (status == 0 and method == "GET")


def _status(error: AmlError) -> int:
    """The status of the answer; 0 when none came."""
    if isinstance(error, ServiceError):
        return error.status
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)


def _failed(status: int, message: str, code: str) -> ActionFailed:
    told = redacted(message)
    outputs = {"statusCode": status, "body": {"error": {"code": code, "message": told}}} if status else None
    return ActionFailed(f"{status} {code}: {told}" if status else told, code=code, outputs=outputs)


def _with_queries(url: str, queries: object) -> str:
    if not isinstance(queries, Mapping) or not queries:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({name: str(value) for name, value in queries.items()})}"


def _as_json(body: object) -> object:
    """A body that is text is sent as it is, which must be JSON: the workspace takes nothing else."""
    try:
        return json.loads(body) if isinstance(body, str) else body
    except ValueError:
        raise ActionFailed("the body is text that is no JSON", code="BadRequest") from None
