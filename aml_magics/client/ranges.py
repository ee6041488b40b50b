"""Parts of a long text: how HTTP asks for what comes from a byte on, and how it says that an answer is that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Part", "part_of", "range_header"]


class Part(NamedTuple):
    """Bytes of a longer text; ``begin`` is the place of the first one in it."""

    begin: int
    content: bytes


def range_header(since: int) -> dict[str, str]:
    """The header that asks for what begins at a byte; none for all of it."""
    return {"Range": f"bytes={since}-"} if since else {}


def part_of(status: int, headers: Mapping[str, str], content: bytes) -> Part:
    """What an answer holds; all of it unless it says that it is a part, for a service may know no parts."""
    found = re.match(r"bytes (\d+)-", headers.get("content-range", "")) if status == 206 else None
    return Part(int(found[1]) if found else 0, content)
