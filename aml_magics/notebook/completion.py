"""Words for Tab after ``%aml``: nouns, verbs, options, values, and names that earlier answers held.

Pure and quick: the declared commands, the time zones of this machine, and ``KnownNames``; never the workspace. What
is offered depends on the words before the cursor, read with the grammar's own word rules, so quotes work: a name with
blanks is completed in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult

from aml_magics.notebook.grammar import COMMON, Noun, Option, Positional, Verb
from aml_magics.notebook.names import KnownNames
from aml_magics.notebook.nouns import TREE
from aml_magics.notebook.nouns.options import FREQUENCIES
from aml_magics.notebook.words import Word, split

__all__ = ["complete", "offers"]

_MAGIC = re.compile(r"^\s*(?:[\w.,\[\]'\" ]+=\s*)?%{1,2}aml[ \t](?P<line>.*)$")
_MOST = 200  # offers; nobody reads more
_WORDS = {
    "frequency": FREQUENCIES,
    "week_day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "per": ("file", "batch"),
    "truth": ("true", "false"),
}


def complete(context: CompletionContext, known: KnownNames | None) -> SimpleMatcherResult:
    """IPython's matcher protocol, version 2. In a line that is not ours, and where a file name belongs, it offers
    nothing.
    """
    line = _line(context)
    if line is None:
        return SimpleMatcherResult(completions=[], suppress=False)
    fragment, texts = offers(line, known)
    completions = [SimpleCompletion(text=text, type="magic") for text in texts]
    return SimpleMatcherResult(completions=completions, matched_fragment=fragment, suppress=bool(completions))


def _line(context: CompletionContext) -> str | None:
    """What stands between ``%aml`` and the cursor; ``None`` in other lines. A cell's magic is on line one only."""
    found = _MAGIC.match(context.text_until_cursor)
    is_cell = context.text_until_cursor.lstrip().startswith("%%")
    if found is None or (
        is_cell and context.full_text.split("\n")[: context.cursor_line] != [""] * context.cursor_line
    ):
        return None
    return found["line"]


def offers(line: str, known: KnownNames | None) -> tuple[str, list[str]]:
    """What stands before the cursor of the word that it is in, and the texts that may take its place."""
    words = list(split(line, partial=True).words)
    is_new = not words or (line[-1].isspace() and not words[-1].is_open)
    current = Word("", len(line)) if is_new else words.pop()
    fragment = line[current.start :]
    if current.is_quoted:
        found = _for_value_here(words, known)
        return fragment, _matching(fragment[:1], current.text, found)
    name, equals, _ = current.text.partition("=")
    if equals and name.startswith("--"):
        value = current.after(len(name) + 1)
        option = _option(_path(words)[1], name)
        written = line[current.start + len(name) + 1 :]
        quote = written[:1] if value.quote_at == 0 else ""
        return written, _matching(quote, value.text, _for_option(option, known) if option else ())
    return fragment, _matching("", current.text, _for_word(words, current.text, known))


def _matching(quote: str, begun: str, texts: Iterable[str]) -> list[str]:
    lowered = begun.casefold()
    fitting = (text for text in dict.fromkeys(texts) if text.casefold().startswith(lowered))
    return [_spelled(text, quote) for _, text in zip(range(_MOST), fitting, strict=False)]


def _spelled(text: str, quote: str) -> str:
    """The text as a word of the line, in quotes where it needs some."""
    if "{" in text:  # {name} would be a variable
        text = text.replace("{", "{{").replace("}", "}}")
    if quote or not text or any(letter.isspace() for letter in text) or text[0] in "'\"#-" or text.endswith(";"):
        if text.startswith("--") and not quote:
            return text
        mark = quote or ("'" if '"' in text else '"')
        inner = text.replace('"', '\\"') if mark == '"' else text
        return mark + inner + mark
    return text


def _path(words: Sequence[Word]) -> tuple[Noun | None, Verb | None, Sequence[Word]]:
    """The noun and verb of a line, and the words after them."""
    first = next((one for one in TREE if words and one.name == words[0].text), None)
    if isinstance(first, Verb):
        return None, first, words[1:]
    if first is None:
        return None, None, words
    verb = next((one for one in first.verbs if len(words) > 1 and one.name == words[1].text), None)
    return first, verb, words[2:]


def _for_word(words: Sequence[Word], begun: str, known: KnownNames | None) -> Iterable[str]:
    noun, verb, rest = _path(words)
    if not words:
        return [one.name for one in TREE] if not begun.startswith("-") else ["--help"]
    if verb is None:
        return [one.name for one in noun.verbs] if noun is not None and len(words) == 1 else []
    if begun.startswith("-") and not _takes_value(verb, rest):
        return _unused_options(verb, rest)
    return _for_value(verb, rest, known)


def _for_value_here(words: Sequence[Word], known: KnownNames | None) -> Iterable[str]:
    _, verb, rest = _path(words)
    return _for_value(verb, rest, known) if verb is not None else []


def _takes_value(verb: Verb, rest: Sequence[Word]) -> Option | None:
    """The option before the cursor, if the word at the cursor is its value."""
    option = _option(verb, rest[-1].text) if rest and not rest[-1].is_quoted else None
    return option if option is not None and option.value else None


def _for_value(verb: Verb, rest: Sequence[Word], known: KnownNames | None) -> Iterable[str]:
    option = _takes_value(verb, rest)
    if option is not None:
        return _for_option(option, known)
    positional = _positional(verb, rest)
    if positional is not None and positional.completes == "file":
        return []
    offered = _named(positional.completes, known) if positional is not None else []
    wants_more = positional is None or not positional.required
    return chain(offered, _unused_options(verb, rest)) if wants_more or not offered else offered


def _positional(verb: Verb, rest: Sequence[Word]) -> Positional | None:
    """The positional that the word at the cursor would be."""
    index = 0
    is_value = False
    for word in rest:
        option = None if word.is_quoted or is_value else _option(verb, word.text)
        if option is None and not is_value and not word.text.startswith("--"):
            index += 1
        is_value = option is not None and bool(option.value) and "=" not in word.text
    declared = verb.positionals
    if index < len(declared):
        return declared[index]
    return declared[-1] if declared and declared[-1].many else None


def _option(verb: Verb | None, written: str) -> Option | None:
    spelling = written.replace("_", "-")
    options = (*verb.options, *COMMON) if verb is not None else ()
    return next((option for option in options if spelling in option.spellings), None)


def _unused_options(verb: Verb, rest: Sequence[Word]) -> list[str]:
    used = {option for word in rest if not word.is_quoted and (option := _option(verb, word.text.partition("=")[0]))}
    return [f"--{option.name}" for option in (*verb.options, *COMMON) if option not in used or option.pairs]


def _for_option(option: Option, known: KnownNames | None) -> Iterable[str]:
    if option.choices:
        return option.choices
    return _named(option.completes or ("" if option.value else "truth"), known)


def _named(kind: str, known: KnownNames | None) -> Sequence[str]:
    if kind == "time_zone":
        return _time_zones()
    if kind in _WORDS:
        return _WORDS[kind]
    if known is None:
        return ()
    # The newest run of a schedule or a pipeline goes by their names.
    return (
        list(chain.from_iterable(known.of(each) for each in (kind, "schedule", "pipeline")))
        if kind == "run"
        else known.of(kind)
    )


@cache
def _time_zones() -> tuple[str, ...]:
    return tuple(_zone_names())


def _zone_names() -> Iterator[str]:
    from zoneinfo import available_timezones  # noqa: PLC0415 - not needed by help and completion

    from aml_magics.model.zone_table import TABLE  # noqa: PLC0415 - only for time zones

    yield from sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    yield from (line.partition(":")[0] for line in TABLE.splitlines() if ":" in line and not line.startswith(" "))
