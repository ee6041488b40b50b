"""A trouble in the error strip of a table: said once for as long as it lasts, and taken back when it is over.

What somebody else has said there meanwhile, the refusal of a button above all, stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aml_magics.notebook.widgets.table import Table

__all__ = ["Trouble"]


class Trouble:
    """Of one table, from one place that looks again and again."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._said = ""

    def say(self, error: Exception) -> None:
        """Show it, unless this or another trouble from here is shown or was dismissed."""
        if not self._said:
            self._table.error = error
            self._said = self._table.error

    def is_over(self) -> None:
        """Take it back."""
        if self._said and self._table.error == self._said:
            self._table.error = ""
        self._said = ""
