"""Names of objects as files of this machine. Others choose the names: none may lead out of the folder copied to."""

from __future__ import annotations

from aml_magics.model.errors import InvalidInput

__all__ = ["file_parts"]


def file_parts(name: str) -> list[str]:
    """The parts of an object's name. Raises ``InvalidInput`` when they cannot be those of a file below a folder.

    >>> file_parts("2026/day 1.csv")
    ['2026', 'day 1.csv']
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        message = f"the object {name!r} cannot be a file of this machine"
        raise InvalidInput(message, hint="Rename it, or take another place.")
    return parts
