"""How a call that failed reads: one line, the host instead of the URL, and what to do now.

``wire`` knows the errors that the services write. Here is the rest: answers that are no service's error (a proxy's
page, a redirect, a refused token), and connections that gave no answer at all. Nothing in these messages comes from
a request's headers, so no token can be in one; what a service quotes back is struck out.
"""

from __future__ import annotations

from aml_magics.client.permissions import lacking
from aml_magics.client.services import MANAGER
from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound, ServiceError
from aml_magics.model.secret import Secret, redacted
from aml_magics.wire.arm_errors import told_in_full
from aml_magics.wire.v1_errors import StorageFailed, error_from

__all__ = ["no_answer", "not_json", "refusal", "went_wrong", "without_frames"]

_LONGEST = 600  # characters of a foreign message

_INPUT_CODES = ("UserError", "BadArgument", "InvalidArgument", "ArgumentInvalid", "ValidationError")
_TAKEN = "another datastore with the same name already exists"  # the datastore service says it in words only
_PERHAPS = "It may have been carried out all the same: look at the list before you do it again."
_REFUSED = "It was refused as it is, and nothing has changed."
_NOT_THERE = "Check the name, the resource group and the subscription."
_IN_THE_WAY = "Nothing has changed: try again when what is in the way has ended."
_HINTS = {
    401: "The access token is missing or has expired: sign in again.",
    429: "The workspace asks to slow down: try again in a minute.",
    **dict.fromkeys((500, 502, 504), "The workspace itself failed: try again in a minute."),
    503: "The workspace is overloaded or starting: try again in a minute.",
}


def refusal(
    host: str,
    status: int,
    answer: object,
    *,
    call: str,
    is_question: bool = True,
    needs: tuple[str, str, str] = ("", "", ""),
    asked_pause: float | None = None,
    sent: Secret | None = None,
) -> AmlError:
    """The error of an answer outside 200-299, whose JSON, or text, or nothing ``answer`` is.

    ``needs`` is the method, the service's name and the path, by which a missing permission is named. ``sent`` is the
    token that went with the call: some services quote it.
    """
    if status < 400:
        message = f"{host} sends {call} on to another address"
        return ServiceError(message, status=status, hint="Check the workspace's address.")
    error = error_from(status, answer, what=call)
    deeper = told_in_full(answer) if needs[1] == MANAGER.name else ""
    text = _shortened(deeper or error.message, *([sent] if sent else []))
    if isinstance(error, StorageFailed) or not isinstance(error, ServiceError):  # it has its way out in it
        if isinstance(error, InvalidInput) and _TAKEN in text.casefold():
            return Conflict(text)
        error.message = text
        if isinstance(error, NotFound) and needs[1] == MANAGER.name:
            error.hint = _NOT_THERE
        return error
    if status == 409:
        return Conflict(text, hint=_IN_THE_WAY if needs[1] == MANAGER.name else "")
    if error.code in _INPUT_CODES and status < 500:
        return InvalidInput(text)
    hint = lacking(text, *needs) if status == 403 else _way_out(status, asked_pause, is_question)
    failed = ServiceError(text, status=status, code=error.code, hint=hint)
    failed.asked_pause = asked_pause
    return failed


def _way_out(status: int, asked_pause: float | None, is_question: bool) -> str:
    if status in (429, 503) and asked_pause:
        return f"The workspace asks to wait: try again in {asked_pause:.0f} s."
    if status >= 500 and not is_question:
        return _PERHAPS
    return _HINTS.get(status) or ("Try again in a minute." if status >= 500 else _REFUSED)


def not_json(host: str, status: int, found: str, *, call: str, is_question: bool = True) -> ServiceError:
    """A 200 that is no answer of the service: a login page, a proxy. ``found`` says what came instead of JSON."""
    message = f"{host} answered {call} with {found or 'something untyped'} where JSON belongs"
    hint = "Check the address, and whether a proxy or a login page is in between." if is_question else _PERHAPS
    return ServiceError(message, status=status, hint=hint)


def no_answer(host: str, how: str, *, call: str, was_sent: bool, is_question: bool) -> ServiceError:
    """No answer came. ``how`` reads after the host: ``cannot be reached``, ``did not answer within 30 s``."""
    message = f"{host} {how} ({call})"
    if was_sent and not is_question:
        hint = _PERHAPS
    elif was_sent:
        hint = "Try again."
    elif "certificate" in how:
        hint = "Give the file of the authority that signed it with --ca FILE, if you trust it."
    elif "https" in how:
        hint = "The address may begin with http:// there; if a proxy is set (HTTPS_PROXY), look at its address too."
    else:
        hint = "Check the address and the network, and the proxy if there is one (HTTPS_PROXY, NO_PROXY)."
    return ServiceError(message, hint=hint)


def went_wrong(call: str, error: Exception) -> ServiceError:
    """The workspace's own code, in this process, raised: a defect of this package, not of what was asked."""
    detail = _shortened(str(error))
    message = f"the embedded workspace failed at {call}: {type(error).__name__}{f': {detail}' if detail else ''}"
    return ServiceError(message, status=500, code="InternalError", hint="%tb shows where; please report it.")


def without_frames(error: BaseException) -> BaseException:
    """The exception and what led to it, without the frames: those of the HTTP library hold the headers, and a token."""
    left: list[BaseException | None] = [error]
    while left:
        link = left.pop()
        if link is not None and link.__traceback__ is not None:
            link.__traceback__ = None
            left += [link.__cause__, link.__context__]
    return error


def _shortened(text: str, *known: Secret) -> str:
    line = redacted(" ".join(text.split()), *known)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
