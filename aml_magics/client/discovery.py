"""Where the services of a workspace are, remembered: for this process, and in a file for the next ones.

Discovery is one more round trip to another region at the start of every notebook, and its answer hardly ever changes.
The key is the SDK's: the workspace's path, its id and the URL that was asked. A file that cannot be read, or written,
is as good as none; entries older than a day are not used. It holds addresses only. When a remembered address does not
answer, whoever uses it asks again, and ``put`` replaces it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aml_magics.client.calls import read
from aml_magics.client.services import DISCOVERY
from aml_magics.wire.arm import Resource, Services, services_from

if TYPE_CHECKING:
    from aml_magics.client.reaching import Reach

__all__ = ["Discoveries", "cache_file", "discover"]

_DAY = 86_400.0
_MOST = 200  # entries; the oldest go


async def discover(resource: Resource, reach: Reach) -> Services:
    """The services, asked for now. No token is sent: they are not secret."""
    return read("discovery", services_from, await reach.ask(resource.discovery_url, DISCOVERY))


_Entry = dict[str, Any]
_IN_THIS_PROCESS: dict[tuple[Path | None, str], _Entry] = {}


class Discoveries:
    """What was discovered. ``file`` is shared with other processes; ``now`` is POSIX time in seconds."""

    def __init__(self, file: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._file = file or cache_file()
        self._now = now

    def get(self, resource: Resource) -> Services | None:
        """What is remembered about a workspace, if anything."""
        key = _key(resource)
        entry = _IN_THIS_PROCESS.get((self._file, key)) or self._load().get(key)
        return _services(entry) if _is_fresh(entry, self._now()) else None

    def put(self, resource: Resource, services: Services) -> None:
        key = _key(resource)
        entry = {"at": self._now(), "api": services.api, "history": services.history}
        _IN_THIS_PROCESS[self._file, key] = entry
        entries = self._load()
        entries.pop(key, None)  # so that it becomes the newest
        self._save(dict([*entries.items(), (key, entry)][-_MOST:]))

    def _load(self) -> dict[str, object]:
        try:
            found = json.loads(self._file.read_text("utf-8")) if self._file else {}
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _save(self, entries: Mapping[str, object]) -> None:
        if self._file is None:
            return
        # Another process may write at the same time: each writes a whole file, and the last one stays.
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self._file.parent, prefix=".discovery-")
            try:
                with os.fdopen(number, "w", encoding="utf-8") as file:
                    json.dump(entries, file)
                Path(name).replace(self._file)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise


def cache_file() -> Path | None:
    """``aml_magics/discovery.json`` in the folder for caches of this platform; none for a user without a home."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "darwin":
        folder = home / "Library" / "Caches"
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return folder / "aml_magics" / "discovery.json"


def _key(resource: Resource) -> str:
    return f"{resource.scope}/{resource.workspace_id}|{resource.discovery_url}"


def _is_fresh(entry: object, now: float) -> bool:
    at = entry.get("at") if isinstance(entry, dict) else None
    return isinstance(at, int | float) and 0 <= now - at < _DAY


def _services(entry: object) -> Services | None:
    try:
        return services_from(entry)
    except ValueError:
        return None
