"""``%aml doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.notebook import tables
from aml_magics.notebook.commands.elsewhere import elsewhere

if TYPE_CHECKING:
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["doctor"]


def doctor(call: Call) -> Table:
    """What was found, and what to do; a check that fails is a row, not an error."""
    with call.progress("Looking at everything"):
        found = call.around.session.examine(call.get("url"), tell=call.around.write, **elsewhere(call))
    count = {result: sum(one.result == result for one in found) for result in ("problem", "warning")}
    told = [f"{number} {word}{'s' if number != 1 else ''}" for word, number in count.items() if number]
    return tables.findings(call, found, f"Doctor: {' and '.join(told) or 'all is well'}")
