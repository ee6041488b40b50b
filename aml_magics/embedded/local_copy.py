"""What lies at a place of a datastore, copied to this machine for the steps of a run.

One copy a run and place, ``<runs>/<run id>/.data/<digest of the place>/<last part of its path>``, made beside it and
renamed when it is whole: steps that begin side by side, or after a kernel was killed in the middle, see all of it or
make it anew. A place that is an object becomes a file, any other one a folder with the objects below it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.object_names import file_parts

if TYPE_CHECKING:
    from aml_magics.datastores.base import ObjectStore
    from aml_magics.model.resources import DataPath

__all__ = ["local_copy"]

_FOLDER = ".data"  # no step has a name like this: a step's folder lies beside it


def local_copy(store: ObjectStore, place: DataPath, run_folder: Path) -> Path:
    """The path of the copy, made now unless it is there. It blocks for as long as the network takes.

    Raises ``NotFound`` when nothing lies at the place, ``InvalidInput`` when a name there cannot be a file's.
    """
    path = place.path.strip("/")
    name = path.rpartition("/")[2] or place.datastore
    folder = run_folder / _FOLDER
    final = folder / hashlib.sha256(str(place).encode()).hexdigest()[:16]
    if not final.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder))
        try:
            _copy(store, place, path, making / name)
            _rename(making, final)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return final / name


def _copy(store: ObjectStore, place: DataPath, path: str, to: Path) -> None:
    content = _object(store, path)
    if content is not None:
        _write(place, to, content)
    elif not _copy_folder(store, place, path, to):
        message = f"nothing lies at {place}"
        raise NotFound(message, hint="It may have been removed since the run was submitted.")


def _object(store: ObjectStore, path: str) -> bytes | None:
    try:
        return store.read(path) if path else None
    except NotFound:
        return None


def _copy_folder(store: ObjectStore, place: DataPath, path: str, to: Path) -> bool:
    """Whether there was anything."""
    found = False
    for info in store.list(path, recursive=True):
        inside = file_parts(info.name.removeprefix(f"{path}/" if path else ""))
        _write(place, to.joinpath(*inside), store.read(info.name))
        found = True
    return found


def _write(place: DataPath, path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        message = f"{place}: it cannot be copied to {path.as_posix()!r}: {reason}"
        raise InvalidInput(message, hint="Make room, or give the run another place.") from error


def _rename(made: Path, final: Path) -> None:
    try:
        made.rename(final)
    except OSError:
        if not final.is_dir():  # another step of the run was faster: its copy is as good
            raise
