"""``config.json``: which workspace a folder belongs to, read as Microsoft's SDK v1 reads it.

Two forms: three names, or ``{"Scope": "/subscriptions/..."}``, which wins when both are there. The order of the search
is the SDK's: a place (``.azureml/``, ``aml_config/``, the folder itself), in it a name (``config.json``,
``project.json``), and for each of these six all the way up from the start before the next one is tried. So a
``.azureml/config.json`` far above beats a plain ``config.json`` right here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.wire.casing import Body
from aml_magics.wire.v1 import scope_of

__all__ = ["Place", "find_config", "read_config"]

_FOLDERS = (".azureml", "aml_config", "")
_NAMES = ("config.json", "project.json")
_KEYS = ("subscription_id", "resource_group", "workspace_name")
_PORTAL = "Download config.json from the workspace's page in the portal, or give the three names."


@dataclass(frozen=True, slots=True)
class Place:
    """Which workspace on Azure."""

    subscription: str
    resource_group: str
    workspace: str

    @property
    def scope(self) -> str:
        """The path that all calls about the workspace share."""
        return scope_of(self.workspace, subscription=self.subscription, resource_group=self.resource_group)


def find_config(start: str | Path) -> Path:
    """The file itself, or the one that belongs to the folder ``start``. Raises ``NotFound`` saying where was looked."""
    try:
        path = Path(start).expanduser().absolute()
        return path if path.is_file() else _belonging_to(path)
    except (OSError, RuntimeError) as error:  # too long, not for our eyes, nobody's home
        message = f"config: {str(start)!r} cannot be looked up, or the current folder is gone"
        raise NotFound(message, hint=_PORTAL) from error


def _belonging_to(path: Path) -> Path:
    if not path.is_dir():
        message = f"config: there is no file or folder {path.as_posix()!r}"
        raise NotFound(message, hint=_PORTAL)
    for folder in _FOLDERS:
        for name in _NAMES:
            for above in (path, *path.parents):
                found = above / folder / name
                if found.is_file():
                    return found
    message = (
        f"config: there is no config.json for {path.as_posix()!r}; looked for .azureml/, aml_config/ and plain "
        "config.json and project.json there and in every folder above"
    )
    raise NotFound(message, hint=_PORTAL)


def read_config(file: Path) -> Place:
    """The workspace that a file names. Raises ``InvalidInput`` for one that names none."""
    try:
        body = Body(json.loads(file.read_text("utf-8-sig")), "config")
        scope = body.text("Scope")
        names = _parts(scope) if scope else [body.text(key) for key in _KEYS]
    except (OSError, ValueError) as error:
        reason = error.message if isinstance(error, InvalidInput) else f"it cannot be read as JSON ({error})"
        message = f"config: {file.as_posix()!r} names no workspace: {reason}"
        raise InvalidInput(message, hint=_PORTAL) from None
    if len(names) != 3 or not all(name.strip() for name in names):
        missing = "its Scope is no workspace's" if scope else f"it needs {', '.join(_KEYS)}"
        message = f"config: {file.as_posix()!r} names no workspace: {missing}"
        raise InvalidInput(message, hint=_PORTAL)
    return Place(*(name.strip() for name in names))


def _parts(scope: str) -> list[str]:
    """Pieces 2, 4 and 8 of ``/subscriptions/{2}/resourceGroups/{4}/providers/.../workspaces/{8}``."""
    pieces = scope.split("/")
    return [pieces[2], pieces[4], pieces[8]] if len(pieces) > 8 else []
