"""The browser's files as they are sent with every table: the same code without what only its readers need.

There is no build step. Comments, indents and the blanks around operators go, declarations in a row become one; names
stay, so an error in the browser's console can still be read. The files keep to what this understands: no semicolons at
the ends of lines, no regular expressions, no template within a template, comments on lines of their own or after two
words of blank and ``//``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["squeezed_css", "squeezed_js"]

_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*"|`[^`]*`)')
_AROUND = re.compile(r" *([=<>!+*/%?:;,{}()&|\[\]-]+) *")
_LINE_ENDS = re.compile(r"(?<=[,{(\[=>?:&|+])\n|\n(?=[})\]?:&|+.])")
_IN_CSS = re.compile(r"\s*([{};,])\s*|(?<=:)\s+")


def squeezed_js(text: str) -> str:
    """JavaScript of our own, shorter."""
    parts = _QUOTED.split(_without_comments(text))
    parts[::2] = [_LINE_ENDS.sub("", _AROUND.sub(r"\1", part)) for part in parts[::2]]
    return "".join(_joined(parts))


def squeezed_css(text: str) -> str:
    """CSS of our own, shorter."""
    return _IN_CSS.sub(r"\1", _without_comments(text)).replace(";}", "}")


def _without_comments(text: str) -> str:
    lines = (re.sub(r"\s+// .*", "", line.strip()) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _joined(parts: list[str]) -> Iterator[str]:
    """``const a = 1`` and on the next line ``const b = 2``: one declaration."""
    declares = [parts[0].startswith("const ")]  # for each open bracket: is its present statement a declaration?
    for place, part in enumerate(parts):
        if place % 2:
            yield part
            continue
        for match in re.finditer(r"\n?const |[\[{(](?:const )?|[\]})]|\n|[^\[\]{}()\n]", part):
            piece = match[0]
            if piece == "\nconst " and declares[-1]:
                yield ","
                continue
            if piece[0] in "[{(":
                declares.append(piece.endswith("const "))
            elif piece[0] in "]})":
                declares.pop()
            elif piece[0] == "\n":
                declares[-1] = piece == "\nconst "
            yield piece
