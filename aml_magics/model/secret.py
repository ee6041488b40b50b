"""Secrets that cannot be shown by mistake, and texts from elsewhere with the secrets in them struck out.

A token, a key, a SAS or a connection string travels as a ``Secret``: its text comes out of ``reveal`` and nowhere
else, so no ``repr``, DataFrame, log line, traceback (``%xmode Verbose`` shows the values of variables) or pickle holds
it. ``reveal`` is called where bytes leave the process, and its result is not kept in a variable that outlives the call.

``redacted`` is for texts that others wrote, the messages of services above all: they quote what they were sent.
"""

from __future__ import annotations

import hmac
import re
from typing import NoReturn

__all__ = ["MASK", "TOKEN_VARIABLE", "Secret", "redacted"]

MASK = "***"
TOKEN_VARIABLE = "AML_MAGICS_TOKEN"  # noqa: S105 - the name of the variable that may hold a served workspace's token


class Secret:
    """A text that is not shown.

    >>> key = Secret("c2VjcmV0")
    >>> key
    Secret('***')
    >>> f"{key}"
    '***'
    >>> key.reveal()
    'c2VjcmV0'
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def matches(self, text: str) -> bool:
        """Whether ``text`` is the secret; the time that this takes does not tell how much of it is right."""
        return hmac.compare_digest(self._text.encode(), text.encode("utf-8", "surrogatepass"))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        message = "a secret is not pickled: what is written to a file or sent to a worker can be read there"
        raise TypeError(message)


_NAMES = ("client_secret", "access_token", "refresh_token", "account_?key", "sas_?token", "client_assertion")
# Each keeps what names the secret (group 1) and loses the secret.
_SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(\bbearer\s+)[\w.~+/=-]{8,}",
        r"()\beyJ[\w-]{5,}\.[\w-]{2,}(?:\.[\w-]*)?",  # a JSON web token
        r"([?&;]sig=)[^&\s'\"<>]+",  # a SAS
        r"(\b(?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)\s*=\s*)[^;\s'\"]+",
        rf"(\b(?:{'|'.join(_NAMES)})[\"']?\s*[=:]\s*[\"']?)[^&;,\s'\"}}]+",
        r"(\w://[^\s/:@]*:)[^\s/@]+(?=@)",  # a password in a URL
        r"()(?<![\w+/])[A-Za-z0-9+/]{86}==",  # 64 bytes in base64: a storage account's key
    )
)


def redacted(text: str, *known: Secret) -> str:
    """``text`` without the ``known`` secrets, and without those that can be told by their form.

    >>> redacted("https://a.blob.example/c?sv=2026&sig=abc%3D was refused")
    'https://a.blob.example/c?sv=2026&sig=*** was refused'
    """
    for secret in known:
        if secret:
            text = text.replace(secret.reveal(), MASK)
    for pattern in _SECRETS:
        text = pattern.sub(rf"\1{MASK}", text)
    return text
