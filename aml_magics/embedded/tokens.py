"""The access token of a served workspace: made once, kept in a file that only its owner can read.

It has the form of a JSON web token, because Microsoft's SDK looks into it for a tenant and an expiry (it checks no
signature). Here it is one long random text: the guard compares it as a whole. It never is in the workspace's database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path

from aml_magics.model.errors import InvalidInput
from aml_magics.model.secret import Secret
from aml_magics.wire.arm import SUBSCRIPTION

__all__ = ["checked_token", "kept_token", "make_token", "write_private"]

_YEARS = 10 * 365 * 24 * 3600
_SHORTEST = 16  # characters of a token that somebody chose


def make_token() -> Secret:
    """A new token: 256 random bits, signed with themselves, good for ten years."""
    now = int(time.time())
    claims = {"iss": "aml_magics", "tid": SUBSCRIPTION, "oid": SUBSCRIPTION, "iat": now, "exp": now + _YEARS}
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims | {'jti': secrets.token_urlsafe(32)})}"
    signature = hmac.digest(secrets.token_bytes(32), head.encode(), hashlib.sha256)
    return Secret(f"{head}.{_base64(signature)}")


def kept_token(path: Path) -> Secret:
    """The token in the file, or a new one that is written there: who has joined stays joined after a restart."""
    try:
        known = path.read_text().strip()
    except (OSError, ValueError):
        known = ""
    if len(known) >= _SHORTEST and _fits_a_header(known):
        return Secret(known)
    token = make_token()
    write_private(path, token.reveal() + "\n")
    return token


def checked_token(text: str, *, is_local: bool) -> Secret:
    """A token that somebody chose. Raises ``InvalidInput`` for one that no header can carry, or that can be guessed."""
    if not _fits_a_header(text):
        message = "serve: the token is empty, or holds blanks or characters that no HTTP header can carry"
        raise InvalidInput(message, hint="Use letters, digits and punctuation, or leave it out for a random one.")
    if not is_local and len(text) < _SHORTEST:
        message = f"serve: a token of {len(text)} characters is too easily guessed from other machines"
        raise InvalidInput(message, hint=f"Give {_SHORTEST} or more, or leave it out for a random one.")
    return Secret(text)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises ``InvalidInput`` when it cannot be."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        unfinished.replace(path)
    except OSError as error:
        message = f"{path.as_posix()!r} cannot be written: {(error.strerror or 'no access').lower()}"
        raise InvalidInput(message, hint="The workspace's folder must be one that you can write to.") from error


def _fits_a_header(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _part(fields: dict[str, object]) -> str:
    return _base64(json.dumps(fields, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
