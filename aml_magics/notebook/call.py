"""One call of a magic: what a handler gets, and the way from a line to a result.

A handler is a function of a ``Call``: it reads the arguments, calls the workspace facade and returns something worth
looking at. It runs on the main thread; the facade waits for the loop thread, so Kernel > Interrupt works. Everything
that a person got wrong is an AmlError; nothing else is caught.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from aml_magics.model.errors import InvalidInput
from aml_magics.notebook.expand import Namespace, expand, load_body
from aml_magics.notebook.grammar import Invocation, parse
from aml_magics.notebook.help import help_for
from aml_magics.notebook.names import KnownNames
from aml_magics.notebook.nouns import TREE
from aml_magics.notebook.progress import Progress, Show, notebook_line

if TYPE_CHECKING:
    from aml_magics.client.workspace import Workspace
    from aml_magics.session import Session

__all__ = ["Call", "Settings", "Surroundings", "run"]


class Settings(Protocol):
    """The traits that handlers read."""

    displaylimit: int
    timezone: str
    resource_groups: list[str]


def _now() -> datetime:
    return datetime.now(UTC)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a call touches outside itself; tests put their own clock and output here."""

    session: Session
    settings: Settings
    known: KnownNames = field(default_factory=KnownNames)
    now: Callable[[], datetime] = _now
    write: Callable[[str], None] = _write
    line: Callable[[], Show] = notebook_line


class Call:
    """The arguments of one call and everything a handler may use."""

    def __init__(
        self,
        path: tuple[str, ...],
        arguments: Mapping[str, Any],
        body: str | None,
        names: Namespace,
        around: Surroundings,
    ) -> None:
        self.command = " ".join(("%aml", *path))
        self.arguments = arguments
        self.body = body
        self.names = names
        self.around = around
        self.notes: list[str] = []

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - the option's reader decides the type
        return self.arguments.get(key, default)

    @property
    def is_dry_run(self) -> bool:
        return bool(self.get("dry_run"))

    @property
    def workspace(self) -> Workspace:
        """The open workspace. The first command that needs one opens the one of the current folder, and says so."""
        session = self.around.session
        if not session.is_connected:
            workspace = session.connect()
            self.notes.append(f"Opened the workspace embedded in this kernel, in {workspace.location}.")
            return workspace
        return session.workspace

    @property
    def zone(self) -> tzinfo:
        """The zone in which instants are shown."""
        from aml_magics.model.zones import zone  # noqa: PLC0415 - not needed by help and completion

        return zone(self.around.settings.timezone)

    @property
    def limit(self) -> int:
        """How many rows of a table are shown; 0 for all."""
        return self.around.settings.displaylimit

    def progress(self, words: str) -> Progress:
        """A ``with`` block around work that may take long: after a second it says that it goes on."""
        return Progress(words, self.around.line)

    def now(self) -> datetime:
        return self.around.now()

    def remember(self, kind: str, names: Iterable[str], *, all_of_them: bool = False) -> None:
        """Keep names for completion."""
        self.around.known.keep(kind, names, all_of_them=all_of_them)

    def yaml_body(self) -> dict[str, object]:
        """The body as a mapping, expanded; empty when there is none."""
        return load_body(self.body, self.names) if self.body is not None else {}

    def named(self, key: str) -> list[str]:
        """Names from the line and from the body, one a line; each once, in order. InvalidInput when there is none."""
        from aml_magics.notebook.values import references  # noqa: PLC0415 - beside its one use

        found = list(self.get(key, ()))
        for line in (self.body or "").splitlines():
            text = _without_comment(line)
            if text:
                found += references("A name", expand(text, self.names))
        if not found:
            raise InvalidInput(
                f"{self.command} needs a name or an id", hint="Give names on the line, or one a line in the cell."
            )
        return list(dict.fromkeys(found))


def _without_comment(line: str) -> str:
    text = line.strip()
    if text.startswith("#"):
        return ""
    text = text.partition(" # ")[0].rstrip().removesuffix(" #").rstrip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if is_quoted else text


def run(line: str, body: str | None, names: Namespace, around: Surroundings) -> tuple[object, Invocation]:
    """Do what a line (and a cell's body) says; returns the result and what was asked for."""
    asked = parse(line, TREE, names, is_cell=body is not None)
    if asked.wants_help or asked.verb is None:
        return help_for(asked.path, TREE), asked
    if body is not None and not body.strip():
        body = None
    if body is not None and not asked.verb.body:
        command = " ".join(asked.path)
        raise InvalidInput(f"%%aml {command} takes no cell body", hint=f"Write %aml {command} with one percent sign.")
    call = Call(asked.path, asked.arguments or {}, body, names, around)
    module, _, function = asked.verb.handler.partition(":")
    handler = getattr(import_module(f"aml_magics.notebook.commands.{module}"), function)
    result = handler(call)
    if call.notes:
        result.add_notes(call.notes)
    return result, asked
