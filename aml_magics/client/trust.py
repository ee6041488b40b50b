"""The certificate authorities that a connection trusts, read once: there are some 150, and each reading takes 50 ms.

They are httpx's own choice: those of certifi, or what ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` name.
"""

from __future__ import annotations

import os
import ssl
from functools import cache

import certifi

__all__ = ["authorities"]


def authorities(scheme: str) -> ssl.SSLContext:
    """Who is trusted on ``https``; on ``http`` nobody, which costs nothing and is never asked."""
    if scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _read(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _read(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file:
        return ssl.create_default_context(cafile=file)
    return ssl.create_default_context(capath=folder) if folder else ssl.create_default_context(cafile=certifi.where())
