"""Reading and writing files and folders of this machine, with errors that a person can use."""

from __future__ import annotations

from pathlib import Path

from aml_magics.model.errors import InvalidInput, did_you_mean

__all__ = ["is_folder", "read_file", "read_folder", "write_file"]

# What no step and no datastore is meant to get. Hidden folders (.git, .aml, .ipynb_checkpoints) are left out too.
_LEFT_OUT = {"__pycache__", "node_modules"}
_MOST = 256 * 2**20  # bytes of one folder: a home folder named by mistake must not fill the memory


def is_folder(path: Path) -> bool:
    """Whether there is a folder of that name; InvalidInput when the name cannot even be looked up."""
    try:
        return path.is_dir()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def read_file(path: Path) -> bytes:
    """The bytes of a file. InvalidInput, with the nearest name in its folder, when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        message = f"There is no file {str(path)!r}"
        raise InvalidInput(message, hint=_nearest(path)) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder and its sub-folders, by their path in it; hidden folders and caches are left out."""
    found: dict[str, bytes] = {}
    size = 0
    try:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if any(part.startswith(".") or part in _LEFT_OUT for part in inside.parts[:-1]) or not path.is_file():
                continue
            size += path.stat().st_size
            if size > _MOST:
                message = f"The folder {str(folder)!r} holds more than {_MOST // 2**20} MiB"
                raise InvalidInput(message, hint="Name a smaller folder.")
            found[inside.as_posix()] = path.read_bytes()
    except OSError as error:
        raise _unreadable(folder, error) from error
    if not found:
        raise InvalidInput(
            f"There are no files in the folder {str(folder)!r}", hint="Put a file into it, or name another."
        )
    return found


def write_file(path: Path, content: bytes) -> None:
    """Make or replace a file, and the folders above it. InvalidInput when that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidInput(
            f"Cannot write {str(path)!r}: {reason}", hint="Name a place that you can write to."
        ) from error


def _nearest(path: Path) -> str:
    try:
        hint = did_you_mean(path.name, [one.name for one in path.parent.iterdir()])
    except OSError:
        return f"There is no folder {str(path.parent)!r} either."
    if hint.startswith("Did"):
        return hint
    try:
        return f"The current folder is {str(Path.cwd())!r}."
    except OSError:
        return "The current folder is gone."


def _unreadable(path: Path, error: OSError | ValueError) -> InvalidInput:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return InvalidInput(f"Cannot read {str(path)!r}: {reason}", hint="Name a file that this kernel can read.")
