"""Names that Azure takes, made of names that people gave."""

from __future__ import annotations

import re

from aml_magics.model.errors import InvalidInput

__all__ = ["activity_name", "factory_name", "workflow_name"]

_MOST_OF_A_WORKFLOW = 43
_MOST_OF_A_FACTORY_PART = 140


def workflow_name(name: str) -> str:
    """Letters, digits and ``-._()``, at most 43. InvalidInput when nothing is left."""
    return _made_of(name, r"[^A-Za-z0-9._()-]+", "-", _MOST_OF_A_WORKFLOW)


def factory_name(name: str) -> str:
    """Of a pipeline or a trigger of Data Factory: letters, digits and ``_``. InvalidInput when nothing is left."""
    return _made_of(name, r"[^A-Za-z0-9_]+", "_", _MOST_OF_A_FACTORY_PART)


def activity_name(name: str) -> str:
    """An action's or activity's name: it stands in expressions, so it has no blanks and no quotes."""
    return re.sub(r"[^\w]+", "_", name).strip("_")[:60]


def _made_of(name: str, others: str, instead: str, most: int) -> str:
    found = re.sub(others, instead, name).strip(f"{instead}.")[:most].strip(instead)
    if not found:
        raise InvalidInput(f"{name!r} has no letter that Azure takes for a name", hint="Name it in a cell of its own.")
    return found
