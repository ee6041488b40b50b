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
_IN_CSS = re.compile(r"\s*([{};,>])\s*|(?<=:)\s+")
_QUOTED_WORD = re.compile(r'="(\w+)"]')
_PIECES = re.compile(r"\n?(?:const|let)\b ?|[\[{(](?:(?:const|let)\b ?)?|[\]})]|\n|[^\[\]{}()\n]")


def squeezed_js(text: str) -> str:
    """JavaScript of our own, shorter."""
    parts = _QUOTED.split(_without_comments(text))
    parts[::2] = [_LINE_ENDS.sub("", _AROUND.sub(r"\1", part)) for part in parts[::2]]
    return "".join(_joined(parts))


def squeezed_css(text: str) -> str:
    """CSS of our own, shorter."""
    short = _IN_CSS.sub(r"\1", _without_comments(text)).replace(";}", "}")
    return _QUOTED_WORD.sub(r"=\1]", short)


def _without_comments(text: str) -> str:
    lines = (re.sub(r"\s+// .*", "", line.strip()) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _joined(parts: list[str]) -> Iterator[str]:
    """``const a = 1`` and on the next line ``const b = 2``: one declaration; ``let`` likewise."""
    declares = [""]  # for each open bracket: the word with which its present statement declares, if it does
    for place, part in enumerate(parts):
        if place % 2:
            yield part
            continue
        for match in _PIECES.finditer(part):
            piece = match[0]
            word = piece.strip("\n[{( ")
            if word in {"const", "let"} and piece[0] == "\n" and declares[-1] == word:
                yield ","
                continue
            if piece[0] in "[{(":
                declares.append(word)
            elif piece[0] in "]})":
                declares.pop()
            elif piece[0] == "\n" or word in {"const", "let"}:
                declares[-1] = word
            yield piece
