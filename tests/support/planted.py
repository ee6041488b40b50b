"""Secrets that the tests plant, and the search for them in whatever a test run has written.

Every secret that a test gives to the package holds ``MARK``. ``tests/conftest.py`` looks for it, when all tests are
done, in every file below pytest's temporary folder: notebooks as they were saved, logs, databases, answers. Only the
files that exist to hold a secret may have it, and only their owner can read those; and copies of the tests themselves.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["MARK", "found_below", "planted"]

MARK = "pl4nted"
_HOLDERS = re.compile(r"/\.aml/(served/(token(-\d+)?|sdk\.env)|credentials\.json)$")
_LARGEST = 64 * 2**20  # bytes of a file that is looked through


def planted(what: str) -> str:
    """A secret to give to the package: a token, a key, a SAS signature."""
    return f"{MARK}-{what}-f00dfacecafe"


def found_below(folder: Path) -> list[str]:
    """The files that hold a planted secret and should not, or that others can read."""
    return sorted(path.relative_to(folder).as_posix() for path in _files(folder) if _tells(path))


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix != ".py":
            yield path


def _tells(path: Path) -> bool:
    try:
        if path.stat().st_size > _LARGEST or MARK.encode() not in path.read_bytes():
            return False
        is_private = stat.S_IMODE(path.stat().st_mode) == 0o600
    except OSError:  # it goes away while we look
        return False
    return not (is_private and _HOLDERS.search(path.as_posix()))
