"""Files on their way: what Microsoft's SDK has been told where to upload, and has uploaded, before it says what for.

They are kept in memory, because nothing is lost when they are: a snapshot whose files are not there is refused, and the
SDK sends them again. What is too large to be code is not kept, only remembered, so that the refusal can say so.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from aml_magics.model.errors import NotFound
from aml_magics.model.graph import CODE_LIMIT

__all__ = ["Uploads"]

_MOST_FILES = 10_000
_MOST_BYTES = 4 * CODE_LIMIT


@dataclass(slots=True)
class _Upload:
    content: bytes | None = None
    size: int = 0


class Uploads:
    """The uploads of one workspace. The oldest are forgotten when there are too many."""

    def __init__(self) -> None:
        self._uploads: dict[str, _Upload] = {}

    def expect(self) -> str:
        """The name under which one file may come."""
        name = secrets.token_hex(16)
        self._uploads[name] = _Upload()
        self._forget_oldest()
        return name

    def receive(self, name: str, content: bytes | None, size: int) -> None:
        """Keep ``content``, or add up only its ``size`` when it is ``None``: what is too large comes in pieces.

        Raises ``NotFound`` for a name that is not expected.
        """
        upload = self._expected(name)
        upload.content = content
        upload.size = size if content is not None else upload.size + size
        self._forget_oldest()

    def size(self, name: str) -> int:
        """Bytes that have arrived. Raises ``NotFound`` for a name that is not expected."""
        return self._expected(name).size

    def take(self, name: str) -> tuple[bytes | None, int]:
        """The content and the size of what was received under that name, once; (``None``, 0) for nothing."""
        upload = self._uploads.pop(name, None)
        return (None, 0) if upload is None else (upload.content, upload.size)

    def _expected(self, name: str) -> _Upload:
        if name not in self._uploads:
            message = "no file is expected at that address"
            raise NotFound(message, hint="Ask for an address with getblob first.")
        return self._uploads[name]

    def _forget_oldest(self) -> None:
        kept = sum(len(upload.content or b"") for upload in self._uploads.values())
        while len(self._uploads) > 1 and (len(self._uploads) > _MOST_FILES or kept > _MOST_BYTES):
            oldest = self._uploads.pop(next(iter(self._uploads)))
            kept -= len(oldest.content or b"")
