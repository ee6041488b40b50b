"""Finding the folder of which a snapshot was made, when its files could not be sent.

Microsoft's SDK uploads files over https only. When the workspace is served without, it still gets the tree of the
source directory with a hash of every file. Beside the notebook, below the workspace's own root, that directory usually
is; and what is found there is taken only when every file has exactly the hash that was sent.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from aml_magics.model.graph import CODE_LIMIT
from aml_magics.wire.v1_snapshots import file_hash

__all__ = ["find_source"]

_MOST_FOLDERS = 20_000


def find_source(root: Path, files: Mapping[str, str]) -> dict[str, bytes] | None:
    """The contents of ``files`` (path -> hash) in the first folder below ``root`` that has all; ``None`` when none has.

    Reads files: call it in a thread. The workspace's own folder ``root/.aml`` is not looked at.
    """
    tops = {path.partition("/")[0] for path in files}
    for folder, folders, names in islice(os.walk(root), _MOST_FOLDERS):
        if tops <= {*folders, *names} and (found := _contents(Path(folder), files)) is not None:
            return found
        folders[:] = sorted(name for name in folders if name != ".aml")
    return None


def _contents(folder: Path, files: Mapping[str, str]) -> dict[str, bytes] | None:
    found = {}
    for path, wanted in files.items():
        place = folder / path
        try:
            if not place.is_file() or place.stat().st_size > CODE_LIMIT:
                return None
            content = place.read_bytes()
        except OSError:
            return None
        if file_hash(path, content) != wanted:
            return None
        found[path] = content
    return found
