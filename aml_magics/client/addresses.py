"""What an address says about the way there: whether it leaves this machine, and whether others can read along."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["LOCAL", "is_overheard"]

LOCAL = ("127.0.0.1", "localhost", "::1")


def is_overheard(url: str) -> bool:
    """Whether what goes there leaves this machine in the clear."""
    parts = urlsplit(url)
    return parts.scheme != "https" and parts.hostname not in LOCAL
