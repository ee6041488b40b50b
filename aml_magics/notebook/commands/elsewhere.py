"""The options by which a workspace elsewhere is named, as ``Session.connect`` takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aml_magics.notebook.nouns.workspace import ELSEWHERE
from aml_magics.notebook.values import GivenSecret

if TYPE_CHECKING:
    from aml_magics.notebook.call import Call

__all__ = ["elsewhere"]

_TYPED = "The token stands in this cell, so a saved notebook holds it: use --token {TOKEN}, or AML_MAGICS_TOKEN."


def elsewhere(call: Call) -> dict[str, Any]:
    """Those that were given. A token that was typed is worth a note."""
    given = {option.key: call.get(option.key) for option in ELSEWHERE if option.key in call.arguments}
    token = given.get("token")
    if isinstance(token, GivenSecret):
        given["token"] = token.secret
        if token.is_typed:
            call.notes.append(_TYPED)
    return given
