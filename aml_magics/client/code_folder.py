"""The code of a step, read from a folder of this machine.

A folder is read as it is meant, not as it happens to be: version control, caches and the workspace's own files stay
behind, and nothing from outside the folder gets in through a link. The limit of 20 MiB is checked by size before
anything is read, so that a data folder named by mistake costs nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from aml_magics.model.errors import InvalidInput, NotFound, did_you_mean
from aml_magics.model.graph import CODE_LIMIT

__all__ = ["LEFT_OUT", "code_reader", "read_code"]

LEFT_OUT = frozenset({".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", ".aml", ".venv", "node_modules"})
"""Folders that are never code."""

_FOREIGN = ("azureml:", "http://", "https://", "git+")


def code_reader(base: Path) -> Callable[[str], Mapping[str, bytes]]:
    """What ``read_pipeline`` takes as ``read_code``: ``code`` values are relative to the folder ``base``."""
    return lambda code: read_code(base, code)


def read_code(base: Path, code: str) -> dict[str, bytes]:
    """The files below ``base/code`` (or that one file): relative ``/`` paths to contents, sorted.

    Raises ``NotFound`` when there is no such folder, ``InvalidInput`` for a link that leads out of it, for a name
    that is no UTF-8, for more than 20 MiB, and for an address on the network.
    """
    if code.startswith(_FOREIGN):
        message = f"code {code!r} is not on this machine"
        raise InvalidInput(message, hint="Name a folder beside the YAML file, for example ./src.")
    place = base / Path(code).expanduser()
    try:
        root = place.resolve(strict=True)
        files = {root.name: root} if root.is_file() else dict(_files(root, place))
        _check_size(place, files)
        contents = {name: file.read_bytes() for name, file in sorted(files.items())}
    except FileNotFoundError:
        message = f"code {code!r}: there is no {place.as_posix()!r}"
        raise NotFound(message, hint=_nearest(place)) from None
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        reason = getattr(error, "strerror", None) or error
        message = f"code {code!r} cannot be read: {reason}"
        raise InvalidInput(message) from None
    if not contents:
        message = f"code {code!r}: the folder holds no files"
        raise InvalidInput(message, hint="Put the step's program into it, or leave code out.")
    return contents


def _files(root: Path, shown: Path) -> Iterator[tuple[str, Path]]:
    for folder, folders, names in os.walk(root, onerror=_raise):
        here = Path(folder)
        for link in [name for name in folders if name not in LEFT_OUT and (here / name).is_symlink()]:
            message = f"{(here / link).relative_to(root).as_posix()!r} in {shown.as_posix()!r} is a link to a folder"
            raise InvalidInput(message, hint="Copy the folder there: a step gets files, not links.")
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            file = here / name
            inside = file.relative_to(root).as_posix()
            _check_name(inside)
            if file.is_symlink() and not file.resolve().is_relative_to(root):
                message = f"{inside!r} in {shown.as_posix()!r} is a link that leads out of the folder"
                raise InvalidInput(message, hint="Copy the file there: a step gets files, not links.")
            if stat.S_ISREG(file.stat().st_mode):  # reading a pipe would wait for ever
                yield inside, file


def _check_name(name: str) -> None:
    if not name.isascii():
        try:
            name.encode()
        except UnicodeEncodeError:
            message = f"the file name {name!r} is no UTF-8"
            raise InvalidInput(message, hint="Rename the file.") from None


def _check_size(place: Path, files: Mapping[str, Path]) -> None:
    sizes = {name: file.stat().st_size for name, file in files.items()}
    if (total := sum(sizes.values())) > CODE_LIMIT:
        largest = max(sizes, key=sizes.__getitem__)
        message = (
            f"the code in {place.as_posix()!r} is {total / 2**20:.1f} MiB, over the limit of {CODE_LIMIT // 2**20} MiB "
            f"a step; the largest file is {largest!r} with {sizes[largest] / 2**20:.1f} MiB"
        )
        raise InvalidInput(message, hint="Leave data out of the code folder: put it on a datastore.")


def _nearest(place: Path) -> str:
    try:
        return did_you_mean(
            place.name, (found.name for found in place.parent.iterdir() if not found.name.startswith("."))
        )
    except OSError:
        return "The folder above it is not there either."


def _raise(error: OSError) -> None:
    raise error
