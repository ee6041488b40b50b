"""The errors of the resource manager: the reasons are deep inside, the outer message only says that there are some.

``{"error": {"code", "message", "details": [...]}}``, with details in details; some providers put a whole error into the
text of a message again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from aml_magics.model.secret import redacted

__all__ = ["reasons", "told_in_full"]

_DEEPEST = 6
_MOST = 3


def reasons(error: object) -> list[str]:
    """The innermost messages of an error object, each once; those without a message by their codes. No secrets."""
    return [redacted(text) for text in dict.fromkeys(_innermost(error, 0))]


def told_in_full(answer: object) -> str:
    """The reasons of an answer in one text, the first few; empty when it is no error of the resource manager."""
    error = answer.get("error") if isinstance(answer, Mapping) else None
    found = reasons(error) if isinstance(error, Mapping) else []
    more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return "; ".join([*found[:_MOST], *more])


def _innermost(error: object, depth: int) -> Iterator[str]:
    if not isinstance(error, Mapping) or depth > _DEEPEST:
        return
    details = error.get("details")
    inner = [one for one in details if isinstance(one, Mapping)] if isinstance(details, list) else []
    message = " ".join(str(error.get("message") or "").split())
    nested = _as_error(message)
    if nested is not None:
        inner = [*inner, nested]
    found = [text for one in inner for text in _innermost(one, depth + 1)]
    if found:
        yield from found
    elif message or error.get("code"):
        yield message or str(error["code"])


def _as_error(message: str) -> Mapping[str, object] | None:
    """The error that a message is, when it is JSON itself."""
    if not message.startswith("{"):
        return None
    try:
        found = json.loads(message)
    except ValueError:
        return None
    inner = found.get("error", found) if isinstance(found, dict) else None
    return inner if isinstance(inner, Mapping) else None
