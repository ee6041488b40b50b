"""The errors that reach a person, as one line each.

::

    AmlError                  anything this package refuses or fails to do
      InvalidInput            something a person wrote is wrong       (also a ValueError)
      NotFound                no such thing under that name or id     (also a LookupError)
      Conflict                refused because of what is there now
      ServiceError            the workspace answered with an error
      NotConnected            no workspace is open

A message says what is wrong and where; a hint says what to do. Both are plain text: whoever shows them as HTML escapes
them. In IPython an error shows as its one line; ``%tb`` then shows the whole traceback.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["AmlError", "Conflict", "InvalidInput", "NotConnected", "NotFound", "ServiceError", "did_you_mean"]


class AmlError(Exception):
    """Anything this package refuses or fails to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self._shown = False

    def __str__(self) -> str:
        line = f"{self.message.rstrip('.')}. {self.hint}" if self.hint else self.message
        return " ".join(line.split())

    def _render_traceback_(self) -> list[str]:
        # IPython's protocol for an exception that draws itself. It is asked once when the cell fails; a second
        # time means that the user typed %tb and wants everything.
        if not self._shown:
            self._shown = True
            return [f"{type(self).__name__}: {self}"]
        return "".join(traceback.format_exception(self)).splitlines()


class InvalidInput(AmlError, ValueError):
    """Something a person wrote is wrong: the message names it, the hint shows what would be right."""


class NotFound(AmlError, LookupError):
    """No such thing under that name or id."""


class Conflict(AmlError):
    """Refused because of what is there now: a name that is taken, a pipeline that a schedule still uses."""


class NotConnected(AmlError):
    """No workspace is open."""


class ServiceError(AmlError):
    """The workspace answered with an error that is none of the above.

    ``status`` is the HTTP status (0 when no answer came), ``code`` the service's own word for it, ``asked_pause`` the
    seconds that it asks to wait, if it does.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.asked_pause: float | None = None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The hint ``Did you mean 'train'?``, or the known words when nothing is near, or nothing when none are known."""
    words = sorted(set(known))
    lowered = {name.casefold(): name for name in words}
    near = get_close_matches(word.casefold(), lowered, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {lowered[near[0]]!r}?"
    if not words:
        return ""
    more = f" and {len(words) - 12} more" if len(words) > 12 else ""
    return f"Known: {', '.join(words[:12])}{more}."
