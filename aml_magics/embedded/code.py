"""The code of a step as files.

Published code lives in the workspace's database as (path -> content). Before a step runs, its code is written once to
``.aml/code/<sha256>/``, named by what is in it, and every run copies from there into a folder of its own: a step may
write into its current folder without changing what the next run sees.

The folder appears under its name by a rename of a finished and flushed one, so whoever sees it sees all of it, after a
crash too. Two kernels that write the same code at the same time write the same thing; the second one finds it done.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["code_digest", "materialise"]


def code_digest(code: Mapping[str, bytes]) -> str:
    """SHA-256 over paths and contents, as hexadecimal text; the same for the same files in any order."""
    digest = hashlib.sha256()
    for path in sorted(code):
        name = path.encode(errors="surrogateescape")
        digest.update(b"%d %d\n" % (len(name), len(code[path])))
        digest.update(name)
        digest.update(code[path])
    return digest.hexdigest()


def materialise(code: Mapping[str, bytes], folder: Path) -> Path:
    """Write ``code`` to ``folder/<sha256>`` unless it is there, and return that path. Raises ``OSError``."""
    target = folder / code_digest(code)
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    try:
        for path, content in code.items():
            _write(unfinished / path, content)
        unfinished.chmod(0o755)
        unfinished.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if content.startswith(b"#!"):  # only contents are published, and a command may be ./train.sh
        path.chmod(0o755)
