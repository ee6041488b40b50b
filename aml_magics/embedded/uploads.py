"""Files on their way: what Microsoft's SDK has been told where to upload, and has uploaded, before it says what for.

They are kept in memory, because nothing is lost when they are: a snapshot whose files are not there is refused, and the
SDK sends them again. What is too large to be code is not kept, only remembered, so that the refusal can say so. An
upload carries no token of the workspace; it is allowed by the signature in its address, which was made for it alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from aml_magics.model.errors import NotFound
from aml_magics.model.graph import CODE_LIMIT
from aml_magics.model.secret import Secret

__all__ = ["Uploads"]

_MOST_FILES = 10_000
_MOST_BYTES = 4 * CODE_LIMIT


@dataclass(slots=True)
class _Upload:
    signature: Secret
    content: bytes | None = None
    size: int = 0


class Uploads:
    """The uploads of one workspace. The oldest are forgotten when there are too many."""

    def __init__(self) -> None:
        self._uploads: dict[str, _Upload] = {}

    def expect(self) -> tuple[str, str]:
        """A new one: its name, and the signature that it must come with."""
        name, signature = secrets.token_hex(16), secrets.token_urlsafe(32)
        self._uploads[name] = _Upload(Secret(signature))
        self._forget_oldest()
        return name, signature

    def allows(self, name: str, signature: str) -> bool:
        """Whether an upload under that name was announced with that signature."""
        upload = self._uploads.get(name)
        return upload is not None and upload.signature.matches(signature)

    def receive(self, name: str, signature: str, content: bytes | None, size: int) -> None:
        """Keep ``content``, or add up only its ``size`` when it is ``None``: what is too large comes in pieces.

        Raises ``NotFound`` when it is not allowed.
        """
        upload = self._allowed(name, signature)
        upload.content = content
        upload.size = size if content is not None else upload.size + size
        self._forget_oldest()

    def size(self, name: str, signature: str) -> int:
        """Bytes that have arrived. Raises ``NotFound`` when they are not the caller's."""
        return self._allowed(name, signature).size

    def take(self, name: str) -> tuple[bytes | None, int]:
        """The content and the size of what was received under that name, once; (``None``, 0) for nothing."""
        upload = self._uploads.pop(name, None)
        return (None, 0) if upload is None else (upload.content, upload.size)

    def _allowed(self, name: str, signature: str) -> _Upload:
        if not self.allows(name, signature):
            message = "no upload was announced at that address"
            raise NotFound(message, hint="Ask for an address with getblob first.")
        return self._uploads[name]

    def _forget_oldest(self) -> None:
        kept = sum(len(upload.content or b"") for upload in self._uploads.values())
        while len(self._uploads) > 1 and (len(self._uploads) > _MOST_FILES or kept > _MOST_BYTES):
            oldest = self._uploads.pop(next(iter(self._uploads)))
            kept -= len(oldest.content or b"")
