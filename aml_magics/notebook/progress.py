"""Progress of long work: one line of text below the cell, once it has taken a second, with the time that it has taken.

The line is written by the thread that runs the cell and by no other, in the pauses of its own waiting
(``background.beating``) and between two steps. What is quick shows nothing. The last thing it says is how it ended, so
a saved notebook and a run without a person read as they should. Where a line cannot be replaced, in a terminal, there
is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aml_magics.background import beating
from aml_magics.notebook.present import printable

__all__ = ["Progress", "Show", "notebook_line"]

Show = Callable[[str], None]
_PATIENCE = 1.0  # seconds without a word, and between two words


class Progress:
    """``with Progress("Uploading", notebook_line) as progress: ... progress.step(3, 12, "files")``.

    ``line`` is called when there is something to show, and gives what shows a text in place of the former one.
    """

    def __init__(
        self, words: str, line: Callable[[], Show], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._words = printable(words)
        self._line = line
        self._monotonic = monotonic
        self._began = monotonic()
        self._said = self._began
        self._steps = ""
        self._show: Show | None = None
        self._waiting = beating(self.beat)

    def __enter__(self) -> Self:
        self._waiting.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._waiting.__exit__(kind, error, traceback)
        if self._show is not None:
            self._show(f"{self._text()}{'done' if error is None else 'stopped'} after {self._elapsed()}")

    def step(self, done: int, total: int, noun: str) -> None:
        """So many of so many are done."""
        self._steps = f"{done:,} of {total:,} {noun}, " if total > 1 else ""
        self.beat()

    def under_way(self, what: str) -> None:
        """What is going on, from any thread: shown with the next word."""
        self._steps = f"{printable(what)}, " if what else ""

    def beat(self) -> None:
        """Say how long it has taken, if it is time to."""
        now = self._monotonic()
        if now - self._said < _PATIENCE:
            return
        self._said = now
        if self._show is None:
            self._show = self._line()
        self._show(f"{self._text()}{self._elapsed()} …")

    def _text(self) -> str:
        return f"{self._words}: {self._steps}"

    def _elapsed(self) -> str:
        """``4 s``, ``2 min 5 s``, ``1 h 2 min``."""
        minutes, seconds = divmod(int(self._monotonic() - self._began), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return f"{hours} h {minutes} min"
        return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def notebook_line() -> Show:
    """A line of the cell's output, each text in place of the former; nothing where there is no notebook."""
    from IPython.core.getipython import get_ipython  # noqa: PLC0415 - only for work that takes long
    from IPython.display import DisplayHandle  # noqa: PLC0415 - as above

    if not hasattr(get_ipython(), "kernel"):
        return lambda _text: None
    handle = DisplayHandle()  # type: ignore[no-untyped-call]
    is_new = True

    def show(text: str) -> None:
        nonlocal is_new
        put = handle.display if is_new else handle.update
        is_new = False
        put({"text/plain": text}, raw=True)  # type: ignore[no-untyped-call]

    return show
