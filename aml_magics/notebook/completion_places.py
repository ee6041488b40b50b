"""Where the cursor stands, for completion: in the line of the magic, or in the body of one of its cells.

A body is ours when its verb reads it as YAML or as names. Code and text belong to whoever wrote them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from aml_magics.notebook.grammar import Verb
from aml_magics.notebook.nouns import TREE
from aml_magics.notebook.words import split

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext

__all__ = ["InBody", "InLine", "KeyValue", "key_value", "place_of", "verb_of"]

_MAGIC = re.compile(r"^\s*(?:[\w.,\[\]'\" ]+=\s*)?%{1,2}aml[ \t](?P<line>.*)$")
_CELL = re.compile(r"\s*%%aml[ \t](?P<line>.*)")
_KEY_VALUE = re.compile(r"\s*(?P<key>[\w-]+)\s*:[ \t]+(?P<value>.*)")


class InLine(NamedTuple):
    """``before`` is what stands between ``%aml`` and the cursor."""

    before: str


class InBody(NamedTuple):
    """``before`` is what stands in the body's line before the cursor; ``verb`` is what the cell asks for."""

    verb: Verb
    before: str


class KeyValue(NamedTuple):
    """A begun ``key: value`` line."""

    key: str
    value: str


def place_of(context: CompletionContext) -> InLine | InBody | None:
    """Where the cursor is; ``None`` when that is not ours. A cell's magic is on its first line that is not empty."""
    before = context.text_until_cursor
    above = context.full_text.split("\n")[: context.cursor_line]
    first = next((line for line in above if line.strip()), None)
    found = _MAGIC.match(before)
    is_cell = before.lstrip().startswith("%%")
    if found is not None and not (is_cell and above != [""] * len(above)):
        return InLine(found["line"])
    cell = _CELL.fullmatch(first) if first is not None else None
    verb = verb_of(cell["line"]) if cell is not None else None
    return InBody(verb, before) if verb is not None and verb.body in ("yaml", "names") else None


def verb_of(line: str) -> Verb | None:
    """The verb that a line asks for, if it is one."""
    words = [word.text for word in split(line, partial=True).words]
    first = next((one for one in TREE if words and one.name == words[0]), None)
    if first is None or isinstance(first, Verb):
        return first
    return next((verb for verb in first.verbs if len(words) > 1 and verb.name == words[1]), None)


def key_value(before: str) -> KeyValue | None:
    """The key and the begun value of a line of YAML; ``None`` while the key is being written."""
    found = _KEY_VALUE.fullmatch(before)
    return KeyValue(found["key"].replace("_", "-"), found["value"]) if found is not None else None
