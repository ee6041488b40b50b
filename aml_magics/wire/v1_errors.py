"""Errors as the services write them, both ways.

=================  ======  ==================================  ==================
ours               status  pipelines service                   the other services
=================  ======  ==================================  ==================
``InvalidInput``   400     ``BadArgument``                     ``UserError``
``Conflict``       400     its own, else ``AlreadyExists``     ``UserError``
``NotFound``       404     ``NotFound``                        ``NotFound``
``Unauthorized``   401     ``Unauthorized``                    ``Unauthorized``
``StorageFailed``  500     ``StorageFailed``                   ``StorageFailed``
anything else      500     ``InternalError``                   ``InternalError``
=================  ======  ==================================  ==================

Never 409, 429 or 5xx for a refusal that is expected: Microsoft's client waits and repeats those. ``Message`` is the one
line for a person; an error of the pipelines service must be ``PascalCase``, or the SDK shows none of it, and one of the
other services must have ``details``, or the SDK fails while it writes the error out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound, ServiceError

if TYPE_CHECKING:
    from aml_magics.wire.casing import Json

__all__ = [
    "EndpointDisabled",
    "EndpointInUse",
    "PipelineDisabled",
    "PipelineInUse",
    "StorageFailed",
    "Unauthorized",
    "error_from",
    "error_to",
]

Service = Literal["pipelines", "other"]


class PipelineInUse(Conflict):
    """A pipeline cannot be disabled: active schedules use it."""

    code = "PipelineInUse"


class PipelineDisabled(Conflict):
    """Nothing can be submitted to a pipeline that is not active, nor scheduled on it."""

    code = "PipelineDisabled"


class EndpointInUse(Conflict):
    """A pipeline endpoint cannot be disabled: active schedules use it."""

    code = "PipelineEndpointInUse"


class EndpointDisabled(Conflict):
    """Nothing can be submitted to a pipeline endpoint that is not active, nor scheduled on it."""

    code = "PipelineEndpointDisabled"


class Unauthorized(ServiceError):
    """The access token is missing, wrong or expired."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, status=401, code="Unauthorized", hint=hint)


class StorageFailed(ServiceError):
    """The storage of a datastore gave no answer, or failed: the workspace did not, and nothing has changed in it."""

    CODE = "StorageFailed"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, status=500, code=self.CODE, hint=hint)


_LONGEST = 2000
_INPUT_CODES = ("UserError", "BadArgument")
_CONFLICTS: dict[str, type[Conflict]] = {
    "PipelineInUse": PipelineInUse,
    "PipelineDisabled": PipelineDisabled,
    "PipelineEndpointInUse": EndpointInUse,
    "PipelineEndpointDisabled": EndpointDisabled,
    "AlreadyExists": Conflict,
}


def error_to(error: Exception, *, service: Service = "pipelines") -> tuple[int, Json]:
    """The HTTP status and the body. An exception that is none of ours is told by its kind and its text, on one line."""
    status, code = _status_and_code(error)
    message = str(error) if isinstance(error, AmlError) else f"the workspace failed: {type(error).__name__}: {error}"
    message = " ".join(message.split())[:_LONGEST]
    if service == "pipelines":
        return status, {"Error": {"Code": code, "Message": message}, "Correlation": {}}
    # Without a list of details the SDK's own exception cannot be printed.
    told: Json = {"code": code, "message": message, "details": []}
    if status == 400:
        # The one code the SDK turns into an exception of its own; the precise one is inside.
        told |= {"code": "UserError", "innerError": {"code": code}}
    return status, {"error": told}


def error_from(status: int, answer: object, *, what: str = "") -> AmlError:
    """The error of an answer with ``status`` >= 400; ``answer`` is its JSON, text or ``None``, ``what`` the call."""
    code, message = _code_and_message(answer)
    message = message or (f"{what}: the service answered {status}" if what else f"the service answered {status}")
    if status == 404:
        return NotFound(message)
    if status == 401:
        return Unauthorized(message)
    if status < 500:
        if code in _CONFLICTS:
            return _CONFLICTS[code](message)
        if code in _INPUT_CODES:
            return InvalidInput(message)
    elif code == StorageFailed.CODE:
        return StorageFailed(message)
    return ServiceError(message, status=status, code=code)


def _status_and_code(error: Exception) -> tuple[int, str]:
    if isinstance(error, NotFound):
        return 404, "NotFound"
    if isinstance(error, Unauthorized | StorageFailed):
        return error.status, error.code
    if isinstance(error, Conflict):
        return 400, getattr(error, "code", "AlreadyExists")
    if isinstance(error, InvalidInput):
        return 400, "BadArgument"
    return 500, "InternalError"


def _code_and_message(answer: object) -> tuple[str, str]:
    if isinstance(answer, str):
        return "", " ".join(answer.split())[:500]
    names = {str(name).casefold(): item for name, item in answer.items()} if isinstance(answer, Mapping) else {}
    error: Any = names.get("error")
    if not isinstance(error, Mapping):
        return "", ""
    fields = {str(name).casefold(): item for name, item in error.items()}
    code = str(fields.get("code") or "")
    inner = fields.get("innererror")
    if code == "UserError" and isinstance(inner, Mapping):
        deeper = str({str(name).casefold(): item for name, item in inner.items()}.get("code") or "")
        code = deeper if deeper in _CONFLICTS else code
    return code, " ".join(str(fields.get("message") or "").split())
