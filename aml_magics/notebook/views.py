"""What a verb returns when it is not a table: ``View`` for one thing with its parts, ``Text`` for a line or a page.

A View carries the model's value and hands its attributes through, so ``run = %aml pipeline submit train`` gives
``run.id`` and ``run.status``, and ``{run}`` on a later line means that run. Its sections are DataFrames:
``view.steps``. All of them can say something more below (``add_notes``): a warning, or that a workspace was opened on
the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aml_magics.notebook.present import escape, field_list, html_code, html_fields, html_lines, printable

if TYPE_CHECKING:
    from IPython.lib.pretty import PrettyPrinter

    from aml_magics.notebook.frames import Table

__all__ = ["Text", "View"]

_MOST = 100_000  # characters of a text that are shown


class View:
    """One thing: a title, ``fields`` of name and text, ``code`` to copy, ``sections`` of tables, notes.

    ``value`` is the model's value.
    """

    def __init__(
        self,
        title: str,
        *,
        value: object = None,
        fields: Sequence[tuple[str, str]] = (),
        code: str = "",
        sections: Mapping[str, Table] | None = None,
        notes: Iterable[str] = (),
    ) -> None:
        self.title = title
        self.value = value
        self.fields = tuple((name, text) for name, text in fields if text)
        self.code = code
        self.sections = dict(sections or {})
        self.notes = tuple(notes)

    def add_notes(self, notes: Iterable[str]) -> None:
        """Say more below."""
        self.notes = (*self.notes, *notes)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the value has
        # Private names are not the value's business; before __init__ ran (copy, pickle) there is nothing to ask.
        if name.startswith("_") or "sections" not in self.__dict__:
            raise AttributeError(name)
        if name in self.sections:
            return self.sections[name]
        return getattr(self.value, name)

    def __dir__(self) -> list[str]:
        return sorted(
            {*super().__dir__(), *self.sections, *(name for name in dir(self.value) if not name.startswith("_"))}
        )

    def __repr__(self) -> str:
        parts = [printable(self.title)]
        if self.fields:
            parts.append(field_list(self.fields))
        parts += [f"    {printable(line)}" for line in self.code.splitlines()]
        parts += [repr(table) for table in self.sections.values()]
        parts += [printable(note) for note in self.notes]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{escape(self.title)}</strong></p>"]
        if self.fields:
            parts.append(html_fields(self.fields))
        if self.code:
            parts.append(html_code(self.code))
        parts += [table._repr_html_() for table in self.sections.values()]
        parts.append(html_lines(self.notes))
        return "".join(parts)


class Text(str):
    """Text that shows itself as it is, without quotes, on as many lines as it has. It is a real ``str``.

    Of a very long one only the end is shown, and said so: a page with all of a step's log in it cannot be scrolled.
    """

    __slots__ = ("_notes",)
    _notes: tuple[str, ...]

    def add_notes(self, notes: Iterable[str]) -> None:
        """Say more below; the text itself stays what it is."""
        self._notes = (*getattr(self, "_notes", ()), *notes)

    @property
    def notes(self) -> tuple[str, ...]:
        return getattr(self, "_notes", ())

    def _repr_pretty_(self, printer: PrettyPrinter, _cycle: bool) -> None:
        lines = [printable(line) for line in (*self._shown().splitlines(), *self.notes)]
        for index, line in enumerate(lines):
            if index:
                printer.break_()  # type: ignore[no-untyped-call]
            printer.text(line)  # type: ignore[no-untyped-call]

    def _shown(self) -> str:
        if len(self) <= _MOST:
            return self
        end = self[-_MOST:]
        _, _, whole_lines = end.partition("\n")
        return f"... the end of {len(self):,} characters; the value holds them all\n{whole_lines or end}"
