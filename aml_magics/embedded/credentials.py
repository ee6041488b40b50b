"""The keys and SAS tokens of datastores: one file beside the database that only its owner can read.

``.aml/credentials.json`` maps random ids to secrets; a datastore's row names its id. So a registration is whole or not
there: the secret is written first, the row that makes it count is committed after it, and what no row names any more is
swept out. All kernels of a workspace share the file; whoever writes it holds the database's write lock, and the file is
replaced as a whole, so that whoever reads it needs no lock.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from pathlib import Path

from aml_magics.embedded.tokens import write_private
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.secret import Secret

__all__ = ["Credentials"]


class Credentials:
    """The secrets in ``file``, which need not exist. Writing needs the database's write lock."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, secret: Secret) -> str:
        """Keep a secret; returns its id. Raises ``InvalidInput`` when the file cannot be written or read."""
        known = self._read()
        id_ = secrets.token_hex(8)
        self._write({**known, id_: secret.reveal()})
        return id_

    def get(self, id_: str) -> Secret:
        """Raises ``NotFound`` for one that is not in the file any more."""
        found = self._read().get(id_)
        if found is None:
            message = f"its credential is not in {self._file.as_posix()!r}"
            raise NotFound(message, hint="Register the datastore again, with --overwrite.")
        return Secret(found)

    def keep_only(self, ids: Collection[str]) -> None:
        """Forget all others."""
        known = self._read()
        kept = {id_: secret for id_, secret in known.items() if id_ in ids}
        if kept != known:
            self._write(kept)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))["secrets"]
            return {str(id_): str(secret) for id_, secret in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, AttributeError, TypeError):
            # What the reader says of it may quote the file.
            message = f"the credentials in {self._file.as_posix()!r} cannot be read"
            hint = "Move the file away, and register the datastores that need a key again."
            raise InvalidInput(message, hint=hint) from None

    def _write(self, known: dict[str, str]) -> None:
        write_private(self._file, json.dumps({"secrets": known}, indent=1) + "\n")
