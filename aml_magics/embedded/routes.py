"""What all routes share: a handler takes a ``Call`` and returns what is to be answered, or raises.

A handler is ``async def handler(call) -> answer``: a ``dict``, ``list`` or ``str`` goes out as JSON, a ``Response``
as it is. ``AmlError`` becomes the error body of the service that was asked, with the status that ``wire.v1_errors``
gives it; anything else becomes a 500 that says what kind of exception it was in one line and keeps the traceback to
itself.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from aml_magics.model.errors import AmlError, InvalidInput, NotFound
from aml_magics.wire.casing import Body
from aml_magics.wire.v1 import error_to, submission_from

if TYPE_CHECKING:
    from starlette.requests import Request

    from aml_magics.embedded.workspace import EmbeddedWorkspace
    from aml_magics.model.resources import Submission
    from aml_magics.wire.casing import Json
    from aml_magics.wire.v1_errors import Service

__all__ = [
    "BODY_LIMIT",
    "SCOPE",
    "Call",
    "Handler",
    "as_json",
    "pipeline_with_url",
    "refused",
    "route",
    "submission_of",
    "text",
]

SCOPE = (
    "/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
)
BODY_LIMIT = 64 * 2**20
"""Bytes. A step carries at most 20 MiB of code, which base64 inside JSON makes about 27."""

Handler = Callable[["Call"], Awaitable[object]]
_PLAIN = "text/plain; charset=utf-8"


class Call:
    """One request, as a handler sees it."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def base(self) -> str:
        """The base URL that the caller used, without a slash at the end: answers hold URLs on it."""
        return str(self._request.base_url).rstrip("/")

    @property
    def scope(self) -> str:
        """The workspace's path as the caller wrote it."""
        return SCOPE.format(**self._request.path_params)

    @property
    def group(self) -> str:
        """The path of all workspaces of the resource group, as the caller wrote it."""
        return SCOPE.rpartition("/")[0].format(**self._request.path_params)

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self._request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """A query parameter, its name in any case."""
        wanted = name.casefold()
        return next((value for key, value in self._request.query_params.items() if key.casefold() == wanted), default)

    def header(self, name: str) -> str:
        """A header, empty when it is absent."""
        return str(self._request.headers.get(name, ""))

    def flag(self, name: str) -> bool:
        """A query parameter that is ``true`` or ``false``; absent is false."""
        word = self.query(name, "false").casefold()
        if word not in ("true", "false", "1", "0"):
            message = f"{name}: expected true or false, got {word!r}"
            raise InvalidInput(message)
        return word in ("true", "1")

    def count(self, name: str, default: int, most: int = 1000) -> int:
        """A query parameter that is a number of things, 1 to ``most``."""
        word = self.query(name, str(default))
        if not (word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= most):
            message = f"{name}: expected a number from 1 to {most}, got {word!r}"
            raise InvalidInput(message)
        return int(word)

    @property
    def length(self) -> int:
        """The bytes of the body that the caller announced, 0 when it did not."""
        announced = self._request.headers.get("content-length", "")
        return int(announced) if announced.isascii() and announced.isdigit() else 0

    async def discard(self) -> int:
        """Read the body and keep nothing of it; how many bytes it was."""
        size = 0
        async for chunk in self._request.stream():
            size += len(chunk)
        return size

    async def body(self) -> bytes:
        """The body of the request. Raises ``InvalidInput`` above ``BODY_LIMIT``."""
        chunks, size = [], 0
        async for chunk in self._request.stream():
            size += len(chunk)
            if size > BODY_LIMIT:
                message = f"the request is larger than {BODY_LIMIT // 2**20} MiB"
                raise InvalidInput(message, hint="Put data on a datastore.")
            chunks.append(chunk)
        return b"".join(chunks)

    async def fields(self) -> dict[str, Any]:
        """The body as a JSON object, an empty one when there is no body."""
        found = await self.json()
        if not isinstance(found, dict):
            message = "the request's body is not a JSON object"
            raise InvalidInput(message)
        return found

    async def json(self) -> object:
        """The body as JSON, an empty object when there is none, whatever its content type says."""
        content = await self.body()
        if not content.strip():
            return {}
        try:
            found: object = json.loads(content)
            if b"\\ud" in content or b"\\uD" in content:  # half of a surrogate pair is JSON, but no text
                json.dumps(found, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            message = f"the request's body is not JSON ({error})"
            raise InvalidInput(message) from None
        return found


def route(path: str, method: str, handler: Handler, *, workspace: EmbeddedWorkspace, service: Service) -> Route:
    """A route to ``handler``; the path must name this workspace, which keeps what failed unexpectedly."""

    async def endpoint(request: Request) -> Response:
        try:
            workspace.require_running()
            _require_workspace(request, workspace.name)
            answer = await handler(Call(request))
        except AmlError as error:
            return refused(error, service)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets one line of it
            workspace.note_failure(f"{method} {path}", error)
            return refused(error, service)
        return answer if isinstance(answer, Response) else as_json(answer)

    return Route(path, endpoint, methods=[method], name=f"{method} {path}")


def refused(error: Exception, service: Service) -> Response:
    """The answer that carries an error."""
    status, body = error_to(error, service=service)
    return as_json(body, status=status)


def as_json(answer: object, *, status: int = 200) -> Response:
    """A JSON answer."""
    content = json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(content, status_code=status, media_type="application/json")


def text(content: str) -> Response:
    """A plain text answer: what the SDK expects of logs."""
    return Response(content, media_type=_PLAIN)


def pipeline_with_url(entity: Json, call: Call) -> Json:
    """The endpoint of a pipeline is where a submission is POSTed, at whatever address the caller knows us by."""
    url = f"{call.base}/pipelines/v1.0{call.scope}/PipelineRuns/PipelineSubmit/{entity['Id']}"
    return entity | {"Url": url}


def submission_of(fields: Mapping[str, Any], call: Call) -> tuple[Submission, dict[str, str]]:
    """What a PipelineSubmissionInfo asks for, and the tags of the run. Raises ``InvalidInput`` for a dataset in it."""
    body = Body(fields, "submission")
    if body.mapping("DataSetDefinitionValueAssignments"):
        message = "submission: datasets are not known to this workspace"
        raise InvalidInput(message, hint="Give a data path instead.")
    submission = submission_from(body, parent_run_id=call.query("parentRunId") or None)
    return submission, body.texts("tags")


def _require_workspace(request: Request, workspace: str) -> None:
    asked = request.path_params.get("workspace")
    if asked is not None and asked.casefold() != workspace.casefold():
        message = f"there is no workspace {asked!r} here"
        raise NotFound(message, hint=f"This one is called {workspace!r}.")
