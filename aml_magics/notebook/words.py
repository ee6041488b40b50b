r"""The words of a magic's line: shell-like quoting that loses nothing.

The rules, which ``%aml --help`` states in short:

* blanks separate words;
* a quote, single or double, opens at the start of a word or right after ``=``, and what it opens is one word up to
  the same quote, after which a blank or the end must follow. Anywhere else it is text: ``it's`` needs no quotes;
* a backslash is an ordinary character (``C:\data``), but ``\"`` inside double quotes is a quote;
* a ``#`` with a blank before and after starts a comment; ``#1`` and ``a#b`` are text;
* a ``;`` at the end of the line hides the result.

IPython has a decorator for the last one, ``output_can_be_silenced``. It reads the line, and of a cell the *body*, as
Python tokens after the magic has run: a body with one ``[`` or an odd indent raises TokenError when the schedule is
already made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aml_magics.model.errors import InvalidInput

__all__ = ["Line", "Word", "spelled", "split", "without_braces"]

_MARKS = re.compile(r"""^[#'"-]|=['"]|;$""")  # what would not be read as text where it stands

_BRACES = re.compile(r"\$\{\{.*?\}\}|(?P<open>\$?\{)|(?P<close>\}+)")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: ``start`` is where it begins in the line, ``quote_at`` where its quoted part begins in ``text`` (-1:
    none).
    """

    text: str
    start: int = 0
    quote_at: int = -1
    is_open: bool = False  # its quote was never closed (only while a line is being completed)

    @property
    def is_quoted(self) -> bool:
        """Whether all of it stood in quotes: then it is a value, whatever it looks like."""
        return self.quote_at == 0

    def after(self, index: int) -> Word:
        """The rest of the word from an index on, as a word of its own."""
        return Word(self.text[index:], self.start + index, max(self.quote_at - index, -1), self.is_open)


@dataclass(frozen=True, slots=True)
class Line:
    words: tuple[Word, ...]
    is_silent: bool = False  # it ended in a bare ";"


def split(line: str, *, partial: bool = False) -> Line:
    """Split a line into words. ``partial`` is for completion: the last word may be unfinished.

    Raises InvalidInput when a quote is never closed, or when text follows a closing quote.
    """
    words: list[Word] = []
    position = 0
    while (position := _skip_blanks(line, position)) < len(line):
        if _is_comment(line, position):
            break
        word, position = _read_word(line, position, partial)
        words.append(word)
    return _without_semicolon(words) if not partial else Line(tuple(words))


def spelled(text: str, quote: str = "") -> str:
    """The text as a word to write on a line, in ``quote`` or, where it needs some, in quotes that it does not hold."""
    text = without_braces(text)
    has_blank = any(letter.isspace() for letter in text)
    if not (quote or not text or has_blank or _MARKS.search(text)):
        return text
    mark = quote or ("'" if '"' in text and "'" not in text else '"')
    return mark + (text.replace('"', '\\"') if mark == '"' else text) + mark


def without_braces(text: str) -> str:
    """The text with braces doubled, such that ``expand`` reads it as it is: ``{name}`` would be a variable.

    What is Azure's, ``${{name}}``, stays. After another ``${`` a single brace that closes stays single, which is text,
    too: with a second one it would be Azure's.
    """
    waiting = 0  # doubled ones that have opened; of those that close without one, expand reads each as it is
    is_near_azure = False

    def doubled(found: re.Match[str]) -> str:
        nonlocal waiting, is_near_azure
        if found["open"]:
            waiting += 1
            is_near_azure |= found["open"].startswith("$")
            return f"{found[0]}{{"
        if found["close"] and not (is_near_azure and len(found[0]) == 1):
            closed = min(waiting, len(found[0]))
            waiting -= closed
            return found[0] + "}" * closed
        return found[0]

    return _BRACES.sub(doubled, text)


def _skip_blanks(line: str, position: int) -> int:
    while position < len(line) and line[position].isspace():
        position += 1
    return position


def _is_comment(line: str, position: int) -> bool:
    return line[position] == "#" and (position + 1 == len(line) or line[position + 1].isspace())


def _read_word(line: str, start: int, partial: bool) -> tuple[Word, int]:
    position = start
    while position < len(line) and not line[position].isspace():
        if line[position] in "'\"" and (position == start or line[position - 1] == "="):
            return _read_quoted(line, start, position, partial)
        position += 1
    return Word(line[start:position], start), position


def _read_quoted(line: str, start: int, opening: int, partial: bool) -> tuple[Word, int]:
    quote = line[opening]
    text: list[str] = []
    position = opening + 1
    while position < len(line) and line[position] != quote:
        if quote == '"' and line.startswith('\\"', position):
            position += 1
        text.append(line[position])
        position += 1
    word = Word(line[start:opening] + "".join(text), start, opening - start, position >= len(line))
    if word.is_open:
        if partial:
            return word, position
        raise InvalidInput(
            f"The quote that opens at {line[opening : opening + 16]!r} is never closed",
            hint="Close it, or put text that contains a quote between quotes of the other kind.",
        )
    position += 1
    if position < len(line) and not line[position].isspace() and line[position:].rstrip() != ";" and not partial:
        raise InvalidInput(
            f"Text follows the closing quote in {line[opening : position + 8]!r}",
            hint="Put a blank after the quote, or the whole word in quotes of the other kind.",
        )
    if partial and position < len(line) and not line[position].isspace():
        rest, end = _read_word(line, position, partial)
        return Word(word.text + rest.text, start, word.quote_at, rest.is_open), end
    return word, position


def _without_semicolon(words: list[Word]) -> Line:
    if not words or words[-1].quote_at >= 0 or not words[-1].text.endswith(";"):
        return Line(tuple(words))
    last = words.pop()
    bare = last.text[:-1]
    return Line((*words, Word(bare, last.start)) if bare else tuple(words), is_silent=True)
