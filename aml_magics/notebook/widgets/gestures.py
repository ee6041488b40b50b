"""What a person does in the browser, turned into changes of the table's state and calls of the panel's handlers.

A message may come in any thread, late, or twice. It is a plain dict from the page and is read as such: a key that is
not there does nothing, an action is carried out only while its button is there and it is not under way. Handlers are
called without the lock. An action shows as pending until the future that its handler returned is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from aml_magics.model.secret import redacted
from aml_magics.notebook.present import printable
from aml_magics.notebook.widgets.state import State

__all__ = ["Gestures", "Handlers", "Tell", "in_one_line"]

Message = Mapping[str, Any]


class Tell(Protocol):
    def __call__(self, question: object = None, *always: str, whole: bool = False) -> None: ...


@dataclass(frozen=True)
class Handlers:
    """What the panel does. ``open`` is None when rows do not open."""

    action: Callable[[str, str], Future[Any] | None] | None
    open: Callable[[str], object] | None
    shut: Callable[[], object] | None


class Gestures:
    """The table's ear. ``tell`` is called with the lock held."""

    def __init__(self, state: State, lock: threading.RLock, tell: Tell, handlers: Handlers) -> None:
        self._state, self._lock, self._tell, self._handlers = state, lock, tell, handlers
        self._known: dict[str, Callable[[Message], None]] = {
            "rows": self._move,
            "all": self._repeat,
            "sort": self._sort,
            "filter": self._filter,
            "pick": self._pick,
            "open": self._open,
            "close": self._shut,
            "act": self._act,
            "dismiss": self._dismiss,
        }

    def receive(self, message: Message) -> None:
        """Never raises: what goes wrong is shown in the error strip, since it would show nowhere else."""
        gesture = self._known.get(str(message.get("do")))
        try:
            if gesture is not None:
                gesture(message)
        except Exception as error:  # noqa: BLE001 - see above
            self._say(error)

    def _move(self, message: Message) -> None:
        with self._lock:
            self._state.look_at(int(message["start"]), int(message["length"]))
            self._tell(message.get("q"), "start")

    def _repeat(self, message: Message) -> None:
        with self._lock:
            self._tell(message.get("q"), whole=True)

    def _sort(self, message: Message) -> None:
        """Ascending, descending, and back to the order of the frame."""
        with self._lock:
            rows = self._state.rows
            column = self._state.columns[int(message["column"])].name
            ascending = rows.sort != (column, True)
            rows.sort_by(None if rows.sort == (column, False) else (column, ascending))
            self._state.start = 0
            self._tell(message.get("q"))

    def _filter(self, message: Message) -> None:
        with self._lock:
            self._state.rows.filter_by(str(message["text"]))
            self._state.start = 0
            self._tell(message.get("q"))

    def _pick(self, message: Message) -> None:
        with self._lock:
            self._state.pick(str(message.get("key", "")), message.get("how"))
            self._tell(message.get("q"), "picked")

    def _open(self, message: Message) -> None:
        key = str(message["key"])
        with self._lock:
            opens = self._handlers.open is not None and self._state.rows.has(key)
            if opens:
                self._state.open(key)
            self._tell(message.get("q"), "detail")
        if opens and self._handlers.open is not None:
            self._handlers.open(key)

    def _shut(self, message: Message) -> None:
        with self._lock:
            self._state.show(None)
            self._tell(message.get("q"))
        if self._handlers.shut is not None:
            self._handlers.shut()

    def _act(self, message: Message) -> None:
        key, action = str(message["key"]), str(message["action"])
        with self._lock:
            wanted = self._state.offers(key, action)
            if wanted:
                self._state.busy[key, action] = False
            self._tell(message.get("q"), "busy")  # the browser shows it as pending already: say what is true
        if wanted:
            self._carry_out(key, action)

    def _carry_out(self, key: str, action: str) -> None:
        future: Future[Any] | None = None
        try:
            future = self._handlers.action(action, key) if self._handlers.action is not None else None
        finally:
            if future is None:
                self._end(key, action)
        if future is not None:
            future.add_done_callback(lambda done: self._end(key, action, done))

    def _end(self, key: str, action: str, future: Future[Any] | None = None) -> None:
        with self._lock:
            if not self._state.busy.get((key, action), True):
                del self._state.busy[key, action]
            if future is not None and not future.cancelled() and (error := future.exception()) is not None:
                self._state.error = in_one_line(error)
            self._tell()

    def _dismiss(self, message: Message) -> None:
        with self._lock:
            self._state.error = ""
            self._tell(message.get("q"))

    def _say(self, error: Exception) -> None:
        with self._lock:
            self._state.error = in_one_line(error)
            self._tell()


def in_one_line(error: str | BaseException) -> str:
    """As the error strip shows it: without secrets, without line breaks."""
    text = error if isinstance(error, str) else str(error) or type(error).__name__
    return printable(" ".join(redacted(text).split()))
