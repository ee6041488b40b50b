"""The ``${{ ... }}`` expressions of a pipeline, and how they become words of a shell command.

Four expressions exist (Azure ML v2, "core YAML syntax")::

    ${{parent.inputs.NAME}}               an input of the pipeline        } in the inputs of a step
    ${{parent.jobs.STEP.outputs.NAME}}    an output of another step       }
    ${{inputs.NAME}}                      an input of the step itself     } in the command of a step
    ${{outputs.NAME}}                     an output of the step itself    }

A value is never pasted into a command. ``shell_text`` puts a reference to an environment variable in the expression's
place, quoted for where it stands, and whoever starts the command sets that variable. A value can then hold quotes,
``$``, backticks or new lines and still arrive as exactly one piece of text: the shell does not read it as code. Where a
shell would read the value once more (arithmetic, backticks) or no quoting is right (here-documents), an expression is
refused when the pipeline is published, and the hint names the variable. What the command itself does with the text is
its own affair: one that hands it to another shell (``bash -c "... ${{inputs.x}}"``) has it read as code there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aml_magics.model.errors import InvalidInput

__all__ = [
    "EXPRESSION",
    "NAME",
    "Reference",
    "command_references",
    "input_variable",
    "output_variable",
    "shell_text",
]

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_COMMAND_REFERENCE = re.compile(rf"\s*(inputs|outputs)\.({NAME})\s*")
_OPTIONAL = "$[["

# What changes the meaning of the text that follows, by state. A backslash is plain text inside single quotes.
_IN_SINGLE = re.compile(r"\$\{\{.*?\}\}|'", re.DOTALL)
_ELSEWHERE = re.compile(r"\$\{\{.*?\}\}|\\.|\$\(\(|\$\(|\$\{|\$'|<<|['\"`()}#\n]", re.DOTALL)

_BARE, _SINGLE, _DOUBLE, _GROUP = "bare", "single", "double", "group"
_ARITHMETIC, _BACKTICKS, _EXPANSION = "in $((...)) arithmetic", "in backticks", "in a ${...} expansion"
_ANSI = "in a $'...' string"
_CLOSED_BY = {
    _SINGLE: "'",
    _DOUBLE: '"',
    _GROUP: ")",
    _ARITHMETIC: ")",
    _BACKTICKS: "`",
    _EXPANSION: "}",
    _ANSI: "'",
}
_IN_ANY = {"$(": (_GROUP,), "`": (_BACKTICKS,), "$((": (_ARITHMETIC, _ARITHMETIC), "${": (_EXPANSION,)}
_OPENS: dict[str, dict[str, tuple[str, ...]]] = {
    _BARE: {"'": (_SINGLE,), '"': (_DOUBLE,), "(": (_GROUP,), "$'": (_ANSI,), **_IN_ANY},
    _DOUBLE: _IN_ANY,
    _ARITHMETIC: {"(": (_ARITHMETIC,), **_IN_ANY},
    _EXPANSION: _IN_ANY,
}
_WORD_ENDS = " \t\n;&|()"


@dataclass(frozen=True, slots=True)
class Reference:
    """``${{inputs.name}}`` or ``${{outputs.name}}`` in a command; ``kind`` is ``inputs`` or ``outputs``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"${{{{{self.kind}.{self.name}}}}}"

    @property
    def variable(self) -> str:
        return input_variable(self.name) if self.kind == "inputs" else output_variable(self.name)


def input_variable(name: str) -> str:
    """The environment variable that holds the step input ``name``."""
    return f"AZURE_ML_INPUT_{name}"


def output_variable(name: str) -> str:
    """The environment variable that holds the folder of the step output ``name``."""
    return f"AZURE_ML_OUTPUT_{name}"


def command_references(command: str) -> list[Reference]:
    """The references in a command, in order. Raises ``InvalidInput`` for any other expression."""
    if _OPTIONAL in command:
        message = "$[[...]] is for optional inputs of components, which this workspace does not have"
        raise InvalidInput(message, hint="Write the argument without the $[[ ]] around it.")
    found = [_reference(match[0]) for match in EXPRESSION.finditer(command)]
    rest = EXPRESSION.sub("", command)
    if "${{" in rest:
        raise InvalidInput(f"an expression is not closed: {rest[rest.index('${{') :][:40]!r}", hint="End it with }}.")
    return found


def _reference(text: str) -> Reference:
    match = _COMMAND_REFERENCE.fullmatch(text[3:-2])
    if match is None:
        raise InvalidInput(
            f"a command cannot use {text[:60]}",
            hint="It can use ${{inputs.NAME}} and ${{outputs.NAME}} of its own step.",
        )
    return Reference(match[1], match[2])


def shell_text(command: str) -> str:
    """The command with each reference replaced by its quoted environment variable; raises ``InvalidInput``.

    >>> shell_text("python a.py --x ${{inputs.x}} '${{inputs.x}}'")
    'python a.py --x "${AZURE_ML_INPUT_x}" \\'\\'"${AZURE_ML_INPUT_x}"\\'\\''
    """
    command_references(command)
    return "".join(_Walk(command).pieces())


class _Walk:
    """One pass over a command, which knows at each place how the shell reads it."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.states = [_BARE]
        self.here_document = False
        self.after_here_document = False

    def pieces(self) -> Iterator[str]:
        at = 0
        while (match := self._pattern().search(self.command, at)) is not None:
            yield self.command[at : match.start()]
            at = match.end()
            mark = match[0]
            if mark.startswith("${{"):
                yield self._quoted(_reference(mark))
            elif mark == "#" and self._starts_word(match.start()):
                end = self.command.find("\n", at)
                at = len(self.command) if end < 0 else end
                yield self.command[match.start() : at]
            else:
                self._turn(mark)
                yield mark
        yield self.command[at:]

    def _pattern(self) -> re.Pattern[str]:
        return _IN_SINGLE if self.states[-1] == _SINGLE else _ELSEWHERE

    def _starts_word(self, at: int) -> bool:
        return self._reads_as() == _BARE and (at == 0 or self.command[at - 1] in _WORD_ENDS)

    def _reads_as(self) -> str:
        return _BARE if self.states[-1] == _GROUP else self.states[-1]

    def _turn(self, mark: str) -> None:
        state = self.states[-1]
        if mark == _CLOSED_BY.get(state):
            self.states.pop()
        elif opened := _OPENS.get(self._reads_as(), {}).get(mark):
            self.states += opened
        elif mark == "<<" and self._reads_as() == _BARE:
            self.here_document = True
        elif mark == "\n" and self.here_document:
            self.after_here_document = True

    def _quoted(self, reference: Reference) -> str:
        state = "after a here-document (<<)" if self.after_here_document else self._reads_as()
        quote = _QUOTE.get(state)
        if quote is None:
            message = f"{reference} stands {state}, where the shell would not pass its value on as it is"
            raise InvalidInput(message, hint=f'Use "${reference.variable}" instead: it holds the same value.')
        return quote(f"${{{reference.variable}}}")


_QUOTE: dict[str, Callable[[str], str]] = {
    _BARE: lambda variable: f'"{variable}"',
    _DOUBLE: lambda variable: variable,
    _SINGLE: lambda variable: f"'\"{variable}\"'",
}
