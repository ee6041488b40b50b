"""The logs of steps: all of it, or from a byte on. Azure's protocol for logs has no such thing; HTTP has ranges.

A reader who follows a log asks for what comes after what he has (``Range: bytes=100-``) and is answered with that part
(206). Who asks for no range, as Microsoft's SDK does, gets all of it, or the end of a very long one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from starlette.responses import Response

__all__ = ["LogPart", "answer", "first_byte", "part_of"]

_LARGEST = 10 * 2**20  # bytes that one answer carries
_PLAIN = "text/plain; charset=utf-8"


class LogPart(NamedTuple):
    """``content`` begins at the byte ``begin`` of a log that has ``size`` of them."""

    begin: int
    content: bytes
    size: int


def part_of(path: Path, since: int) -> LogPart:
    """What a log has from the byte ``since`` on, or the end of that when it is much.

    All of it when it is shorter than ``since``; empty when nothing was written yet.
    """
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            begin = log.seek(max(since if since < size else 0, size - _LARGEST))
            return LogPart(begin, log.read(size - begin), size)
    except FileNotFoundError:
        return LogPart(0, b"", 0)


def first_byte(header: str) -> int:
    """The byte from which on a ``Range`` asks for; 0 for all of it, and for ranges of other kinds."""
    found = re.fullmatch(r"bytes=([0-9]{1,15})-", header)
    return int(found[1]) if found else 0


def answer(part: LogPart, since: int) -> Response:
    """The part as it was asked for."""
    if not since or part.begin < since:
        return Response(part.content.decode(errors="replace"), media_type=_PLAIN)
    place = f"bytes {part.begin}-{part.begin + len(part.content) - 1}/{part.size}"
    return Response(part.content, status_code=206, headers={"Content-Range": place}, media_type=_PLAIN)
