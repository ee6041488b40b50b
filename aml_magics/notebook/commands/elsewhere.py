"""The options by which a workspace elsewhere is named, as ``Session.connect`` takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aml_magics.notebook.nouns.workspace import ELSEWHERE

if TYPE_CHECKING:
    from aml_magics.model.secret import Secret
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.values import GivenSecret

__all__ = ["elsewhere", "secret_of"]

_TYPED = "The token stands in this cell, so a saved notebook holds it: use --token {TOKEN}, or AML_MAGICS_TOKEN."


def elsewhere(call: Call) -> dict[str, Any]:
    """Those that were given."""
    return {
        option.key: secret_of(call, option.key) if option.is_secret else call.get(option.key)
        for option in ELSEWHERE
        if option.key in call.arguments
    }


def secret_of(call: Call, key: str) -> Secret:
    """The secret that an option holds. One that was typed is worth a note."""
    given: GivenSecret = call.get(key)
    if given.is_typed:
        call.notes.append(_TYPED)
    return given.secret
