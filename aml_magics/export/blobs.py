"""How a Logic App names what it watches: folder ids, paths, and the conditions on one blob.

* The folder id of the Azure Blob connector is base64 of the path with ``%2f`` for each ``/``, as the designer makes it.
* ``Name`` is the bare name of a file and ``Path`` is ``/container/folder/file``. A data path is relative to the
  container, so in a folder it is ``Path`` without its first part, and ``Name`` alone only at the root.
* ``startsWith`` and ``endsWith`` of the workflow language do not mind case, ``contains`` does.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

from aml_magics.export.arm import concat
from aml_magics.model.errors import InvalidInput

__all__ = ["folder_id", "folder_id_of", "folder_of_first", "name_conditions", "relative_path", "watched"]

_KINDS_OF_SIGNS = re.compile(r"[?\[\]]")


def watched(container: str, folder: str) -> str:
    """``/container/folder``: what the designer shows."""
    return "/".join(["", container, *filter(None, folder.split("/"))])


def folder_id(container: str, folder: str) -> str:
    """The connector's id of a folder.

    >>> folder_id("my-container", "")
    'JTJmbXktY29udGFpbmVy'
    """
    return base64.b64encode(_encoded(watched(container, folder)).encode()).decode()


def folder_id_of(container: str, folder: str) -> str:
    """As ``folder_id``, of a container that is a parameter of the template: the workflow makes the id itself."""
    rest = _encoded(watched("", folder).removeprefix("/")) if folder else ""
    return concat("@base64('%2f", container, f"{rest}')")


def relative_path(*, in_folder: bool) -> str:
    """The data path of the blob that fired, as a text of the workflow language.

    >>> relative_path(in_folder=False)
    "@{triggerBody()?['Name']}"
    """
    if not in_folder:
        return "@{triggerBody()?['Name']}"
    return "@{join(skip(split(triggerBody()?['Path'], '/'), 2), '/')}"


def folder_of_first() -> str:
    """The data path of the folder that a poll looked at, from the first file that it found."""
    parts = "split(first(triggerBody())?['Path'], '/')"
    return f"@{{join(skip(take({parts}, sub(length({parts}), 1)), 2), '/')}}"


def name_conditions(pattern: str, name: str) -> list[str]:
    """Expressions that hold for the names that match. InvalidInput for a pattern that cannot be said so."""
    parts = re.sub(r"\*+", "*", pattern).split("*")
    if _KINDS_OF_SIGNS.search(pattern) or "/" in pattern or len(parts) > 3 or (len(parts) == 3 and any(parts[::2])):
        message = f"pattern {pattern!r} cannot be said in the language of workflows"
        raise InvalidInput(message, hint="Write one such as '*.csv', 'sales-*', 'sales-*.csv' or '*sales*'.")
    quoted = [part.replace("'", "''") for part in parts]
    if len(parts) == 1:
        return [f"equals({name}, '{quoted[0]}')"]
    if len(parts) == 3:
        return [f"contains({name}, '{quoted[1]}')"]
    first, last = quoted
    found = [f"startsWith({name}, '{first}')"] if first else []
    found += [f"endsWith({name}, '{last}')"] if last else []
    if first and last:
        found.append(f"greaterOrEquals(length({name}), {len(parts[0]) + len(parts[1])})")
    return found


def _encoded(path: str) -> str:
    """As the connector encodes it: every ``/`` too, in small letters."""
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), quote(path, safe="-_.!*()"))
