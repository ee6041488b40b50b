"""The parts of an HTTP message: values of a query, the body as bytes, what an error's body says."""

from __future__ import annotations

import json
from typing import Any

from aml_magics.model.errors import InvalidInput

__all__ = ["NO_BODY", "encoded", "error_body", "query_text"]

NO_BODY: Any = object()


def encoded(body: object) -> bytes:
    """JSON in UTF-8; nothing for no body. Text may hold half a character that no encoding has: a person's mistake."""
    try:
        return b"" if body is NO_BODY else json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = f"the text {error.object[max(0, error.start - 20) : error.end + 20]!r} holds a broken character"
        raise InvalidInput(message, hint="Write it again.") from None


def query_text(value: str | int | bool) -> str:
    """A value of a query as it is written."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def error_body(content: bytes, content_type: str) -> object:
    """The JSON of an error's body; its text when it is plain text; nothing for a page of HTML."""
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace") if content_type.startswith("text/plain") else None
