"""A local folder as a datastore.

* The ETag is made of modification time (ns) and size. Not of the inode: a folder that was moved, copied with its times
  or restored from a backup holds the same versions as before.
* ``.aml`` folders are a workspace's own: they are neither listed nor read nor written.
* A write goes to a temporary name beside its target and is renamed over it; listings leave such names out. What a
  killed process leaves behind stays invisible.
* Only regular files are objects. A symbolic link to a file counts when its target lies inside the folder; links to
  folders are not walked into. A file name that is not Unicode cannot be an object (no datastore of Azure could hold
  it) and is left out.
* Whether a file is being written: Linux grants a read lease on a file only while nobody has it open for writing
  (``fcntl(2)``, F_SETLEASE). The lease is given back at once. Should somebody open the file in that instant, the
  kernel signals the lease holder, by default with SIGIO, which would end this process; so the signal is first set to
  one that is ignored by default. Only local file systems are asked: a network one answers as if somebody wrote when
  its server has merely not lent it the file. Where there are no leases the answer is ``False``.
* What we may not look at is left out, like what is not there: one private file must not hide the others.

The folder need not exist: until it does, the datastore is empty.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import signal
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from aml_magics.datastores.base import ObjectInfo
from aml_magics.datastores.watching import watch_folder
from aml_magics.model.errors import InvalidInput, NotFound

__all__ = ["TEMPORARY_PREFIX", "Folder"]

TEMPORARY_PREFIX = ".aml-upload-"
OWN_FOLDER = ".aml"
_NOT_HERE = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EACCES, errno.EPERM)
_LOCAL_SYSTEMS = {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "ramfs", "tmpfs", "xfs", "zfs"}


class Folder:
    """The files under ``root`` as the objects of a datastore."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()

    def __repr__(self) -> str:
        return f"Folder({str(self.root)!r})"

    def list(self, path: str = "", *, recursive: bool = False) -> Iterator[ObjectInfo]:
        """The files directly under ``path``, or at any depth. A path that is itself a file holds that one object."""
        top = self._inside(path)
        if top.is_file():
            yield _info(path, top.stat())
            return
        waiting = [(str(top), f"{path}/" if path else "")]
        while waiting:
            folder, prefix = waiting.pop()
            for entry in _entries(folder, is_top=folder == str(top)):
                if entry.name == OWN_FOLDER:
                    continue
                name = prefix + entry.name
                if recursive and entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{name}/"))
                elif (found := self._object_status(entry)) is not None:
                    yield _info(name, found)

    def read(self, name: str) -> bytes:
        path = self._object(name)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(f"no object {name!r} in {self.root}") from error

    def write(self, name: str, data: bytes) -> ObjectInfo:
        path = self._object(name)
        temporary = path.with_name(TEMPORARY_PREFIX + secrets.token_hex(8))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                status = os.fstat(file.fileno())
            temporary.replace(path)
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            raise InvalidInput(
                f"cannot write {name!r} in {self.root}: a file and a folder have the same name"
            ) from error
        finally:
            with suppress(OSError):  # the usual case: it is not there any more
                temporary.unlink()
        return _info(name, status)

    def local_path(self, name: str) -> Path:
        return self._inside(name)

    def is_being_written(self, name: str) -> bool:
        return _open_for_writing(self._object(name))

    async def changes(self, path: str, *, recursive: bool) -> AsyncIterator[None]:
        """Yields within about 30 ms of a change under ``path``, also when ``path`` comes into being later."""
        async for _ in watch_folder(self._inside(path), recursive=recursive, ignored_prefix=TEMPORARY_PREFIX):
            yield

    def _object(self, name: str) -> Path:
        if not name:
            raise InvalidInput("an object needs a name")
        return self._inside(name)

    def _inside(self, name: str) -> Path:
        """The place of ``name``; InvalidInput when it is no plain relative name, or a link leads out of the folder."""
        parts = name.split("/") if name else []
        if any(part in ("", ".", "..") or "\0" in part for part in parts) or not _is_unicode(name):
            hint = "Write it relative to the datastore, as in 'incoming/data.csv'."
            raise InvalidInput(f"{name!r} is not the name of an object or a path", hint=hint)
        if OWN_FOLDER in parts:
            raise InvalidInput(f"{name!r} lies in a folder {OWN_FOLDER!r}, which is a workspace's own")
        if parts and parts[-1].startswith(TEMPORARY_PREFIX):
            raise InvalidInput(f"names that begin with {TEMPORARY_PREFIX!r} are for unfinished uploads: {name!r}")
        path = self.root.joinpath(*parts)
        if parts and not self._holds(path):
            raise InvalidInput(f"{name!r} leads out of the datastore's folder {self.root}")
        return path

    def _holds(self, path: str | os.PathLike[str]) -> bool:
        root = os.path.realpath(self.root)
        return os.path.commonpath((root, os.path.realpath(path))) == root

    def _object_status(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        """The status of the file behind an entry, or ``None`` when it is not an object."""
        if entry.name.startswith(TEMPORARY_PREFIX) or not _is_unicode(entry.name):
            return None
        try:
            status = entry.stat()
        except OSError as error:
            if error.errno in _NOT_HERE:  # gone by now, a link to nowhere, or none of our business
                return None
            raise
        if not stat.S_ISREG(status.st_mode) or (entry.is_symlink() and not self._holds(entry.path)):
            return None
        return status


def _entries(folder: str, *, is_top: bool) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return  # missing is empty, also when it goes while we look
    except PermissionError:
        if is_top:
            raise


def _info(name: str, status: os.stat_result) -> ObjectInfo:
    etag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    return ObjectInfo(name, etag, status.st_size, status.st_mtime)


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8 arrive as lone surrogates
        return False
    return True


@cache
def _has_leases(device: int) -> bool:
    """Whether the file system of that device number tells by leases who writes (``proc(5)``, mountinfo)."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    kinds = {line.rpartition(" - ")[2].split(" ")[0] for line in mounts if line.split(" ")[2] == number}
    return bool(kinds) and kinds <= _LOCAL_SYSTEMS


def _open_for_writing(path: Path) -> bool:
    try:
        if not _has_leases(path.stat().st_dev):
            return False
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(descriptor)
    return False
