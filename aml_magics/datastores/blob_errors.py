"""What goes wrong with a container, as the one line that a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aml_magics.model.errors import AmlError, NotFound, ServiceError
from aml_magics.model.secret import redacted

__all__ = ["azure_errors", "failure", "refusal"]

_HINTS = {
    401: "Sign in again, or give a key or a SAS.",
    403: "The key or SAS may be wrong or expired, 'Storage Blob Data Contributor' missing, or a firewall in the way.",
    429: "It will work again when there are fewer requests.",
}
_CONNECTION = re.compile(r"^\w+\(host='[^']*', port=\d+\): ")  # what urllib3 says first; ``where`` has it already
_MISSING = ("ContainerNotFound", "ContainerBeingDeleted", "ResourceNotFound")


def refusal(what: str, where: str, status: int, code: str, detail: str = "") -> AmlError:
    """The error for an answer that is one: ``what`` could not be done, ``where`` is the container's address."""
    if status == 404 and code == "BlobNotFound":
        return NotFound(f"cannot {what}: there is no such object in {where}")
    if status == 404 and (code in _MISSING or not code):
        return NotFound(f"cannot {what}: there is no container {where}")
    said = " ".join(filter(None, (str(status), code)))
    line = redacted(detail).strip().splitlines()[:1]
    message = f"cannot {what} in {where}: {said}" + (f", {line[0]}" if line and line[0] else "")
    return ServiceError(message, status=status, code=code, hint=_HINTS.get(status, ""))


def failure(what: str, where: str, error: BaseException) -> AmlError:
    """The error for an answer that never came, or that came in pieces."""
    line = redacted(_CONNECTION.sub("", " ".join(str(error).split())))
    return ServiceError(f"cannot {what} in {where}: {line or type(error).__name__}")


@contextmanager
def azure_errors(what: str, where: str) -> Iterator[None]:
    """Azure's exceptions inside become ours."""
    from azure.core.exceptions import AzureError, HttpResponseError  # noqa: PLC0415 - loads for a third of a second

    try:
        yield
    except AzureError as error:
        if isinstance(error, HttpResponseError) and error.status_code:
            code = getattr(error, "error_code", None)
            text = getattr(code, "value", code)
            raise refusal(what, where, error.status_code, str(text or ""), error.reason or "") from error
        raise failure(what, where, error) from error
