"""Addresses that carry their own permission: a path and a signature in its query, ``?sig=...``.

Microsoft's SDK uploads files and downloads logs with no token, from addresses that it was given by a call with one: on
Azure these are SAS addresses of a storage account. Whoever guards the app on a port lets a request pass without a token
when ``allows`` says so. The key lives as long as the workspace object: an address of an earlier one is worth nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

__all__ = ["SignedPaths"]


class SignedPaths:
    """Signs paths of one served workspace."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def sign(self, path: str) -> str:
        """The signature of a path, as hexadecimal text; the path is the one of the URL, from its first slash."""
        return hmac.new(self._key, path.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()

    def allows(self, path: str, signature: str) -> bool:
        """Whether it is that path's signature; the time that this takes does not tell how much of it is right."""
        return hmac.compare_digest(self.sign(path).encode(), signature.encode(errors="surrogatepass"))
