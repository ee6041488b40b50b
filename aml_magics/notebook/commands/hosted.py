"""What the commands of Logic Apps and data factories share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aml_magics.model.errors import InvalidInput
from aml_magics.notebook.values import Given, inferred

if TYPE_CHECKING:
    from aml_magics.client.workspace import Workspace
    from aml_magics.model.hosted import Check
    from aml_magics.notebook.call import Call

__all__ = ["HISTORY", "RUNS", "azure", "in_short", "values", "watching"]

HISTORY = 50
RUNS = 25


def azure(call: Call, noun: str) -> Workspace:
    """The open workspace, when it is on Azure. InvalidInput otherwise: nothing is opened for it."""
    session = call.around.session
    if session.is_connected and session.workspace.is_on_azure:
        return session.workspace
    message = f"{call.command} needs a workspace on Azure, and " + (
        "the one that is open is not there" if session.is_connected else "none is open"
    )
    hint = f"Connect to one: %aml connect --config config.json; or try the export here: %aml {noun} run NAME."
    raise InvalidInput(message, hint=hint)


def values(call: Call, types: dict[str, str] | None = None) -> dict[str, Any]:
    """The ``--parameter NAME=VALUE`` of a line; text unless ``types`` says otherwise. InvalidInput without a value."""
    found: dict[str, Any] = {}
    for name, given in call.get("parameter", {}).items():
        if not isinstance(given, Given):
            raise InvalidInput(f"--parameter {name} has no value", hint=f"Write --parameter {name}=VALUE.")
        is_text = given.is_quoted or (types or {}).get(name, "string").lower() == "string"
        found[name] = given.value if is_text or not isinstance(given.value, str) else inferred(given.value)
    return found


@contextmanager
def watching(call: Call, words: str, again: str) -> Iterator[list[str]]:
    """Around work that goes on on Azure whoever watches: gives the list for what happens, which become notes.

    An interrupt says how to go on.
    """
    told: list[str] = []
    try:
        with call.progress(words):
            yield told
    except KeyboardInterrupt as interrupt:
        happened = f" {' '.join(told)}" if told else ""
        interrupt.args = (f"what was begun goes on on Azure.{happened} To go on watching: {again}",)
        raise


def in_short(checks: Sequence[Check]) -> str:
    """``fired 2 of 50 times; last checked ...: found nothing``: the answer to the question."""
    if not checks:
        return "Azure has no check of it yet; one that is disabled or stopped is not checked."
    fired = sum(one.fired for one in checks)
    last = checks[0]
    said = "it fired" if last.fired else f"it did not fire: {last.reason or last.status}"
    return f"Of {len(checks)} checks {fired} fired. The last time {said}."
