"""Words for Tab after ``%aml`` and in the bodies of its cells: nouns, verbs, options, values, files, and names that
earlier answers held.

Quick: the declared commands, the time zones of this machine, one folder of it where a file belongs, and ``KnownNames``;
never the workspace. What is offered depends on the words before the cursor, read with the grammar's own word rules, so
quotes work: a name with blanks is completed in quotes. Where the place is ours, Python's words and other magics are
never offered, also when we have nothing to offer.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult

from aml_magics.model.change import KINDS
from aml_magics.notebook import values
from aml_magics.notebook.completion_places import InLine, key_value, place_of
from aml_magics.notebook.grammar import COMMON, Noun, Option, Positional, Verb
from aml_magics.notebook.names import KnownNames
from aml_magics.notebook.nouns import TREE
from aml_magics.notebook.nouns.options import FREQUENCIES
from aml_magics.notebook.words import Word, spelled, split, without_braces

__all__ = ["complete", "offers", "offers_in_body", "time_zones"]

_MOST = 200  # offers; nobody reads more
_LINE_ONLY = ("dry-run", "count")
_WORDS = {
    "frequency": FREQUENCIES,
    "week_day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "per": ("file", "batch"),
    "kind": KINDS,
    "cloud": ("AzureCloud", "AzureChinaCloud", "AzureUSGovernment"),
    "truth": ("true", "false"),
}


def complete(context: CompletionContext, known: KnownNames | None) -> SimpleMatcherResult:
    """IPython's matcher protocol, version 2. In a place that is not ours it offers nothing."""
    place = place_of(context)
    if place is None:
        return SimpleMatcherResult(completions=[], suppress=False)
    fragment, texts = (
        offers(place.before, known) if isinstance(place, InLine) else offers_in_body(place.verb, place.before, known)
    )
    # IPython silences the other matchers only beside an offer; the word as it stands is one that changes nothing.
    completions = [SimpleCompletion(text=text, type="magic") for text in texts or [fragment]]
    return SimpleMatcherResult(completions=completions, matched_fragment=fragment, suppress=True)


def offers_in_body(verb: Verb, before: str, known: KnownNames | None) -> tuple[str, list[str]]:
    """As ``offers``, for a line of a cell's body: a name a line, or ``key: value``."""
    bare = before.lstrip()
    if verb.body == "names":
        return bare, _plain_matching(bare, _named(verb.positionals[-1].completes, known))
    written = key_value(before)
    if written is None:  # what stands further in belongs to a mapping: names of parameters
        return bare, _beginning(bare, _keys(verb)) if bare == before else []
    option = _option(verb, f"--{written.key}")
    value = written.value
    if option is None or option.pairs:
        return value, []
    if option.read is values.items:
        value = value.lstrip("[")
        return _last_of(value, option, known)
    quote = value[:1] if value[:1] in ("'", '"') else ""
    found = _plain_matching(value.removeprefix(quote), _for_option(option, known))
    return value, [f"{quote}{text}{quote}" for text in found]


def _keys(verb: Verb) -> list[str]:
    """The keys that a YAML body may have."""
    mappings = {"parameter": "pipeline_parameters:", "data-path": "data_paths:"}
    options = [option for option in verb.options if option.name not in _LINE_ONLY]
    return [mappings.get(option.name) or f"{option.key}: " for option in options]


def _plain_matching(begun: str, texts: Iterable[str]) -> list[str]:
    """Those that begin so. In a body blanks need no quotes, but {name} would be a variable there too."""
    return [without_braces(text) for text in _beginning(begun, texts)]


def _last_of(value: str, option: Option, known: KnownNames | None) -> tuple[str, list[str]]:
    """The last item of ``Monday,Friday``, but for what the others are."""
    *others, begun = value.split(",")
    fragment = begun.lstrip()
    used = {other.strip().casefold() for other in others}
    left = [text for text in _for_option(option, known) if text.casefold() not in used]
    return fragment, _beginning(fragment, left)


def offers(line: str, known: KnownNames | None) -> tuple[str, list[str]]:
    """What stands before the cursor of the word that it is in, and the texts that may take its place."""
    words = list(split(line, partial=True).words)
    is_new = not words or (line[-1].isspace() and not words[-1].is_open)
    current = Word("", len(line)) if is_new else words.pop()
    fragment = line[current.start :]
    several = _several(words, current)
    if several is not None:
        return _last_of(*several, known)
    if current.is_quoted:
        found = _for_value_here(words, current.text, known)
        return fragment, _matching(fragment[:1], current.text, found)
    name, equals, _ = current.text.partition("=")
    if equals and name.startswith("--"):
        value = current.after(len(name) + 1)
        option = _option(_path(words)[1], name)
        written = line[current.start + len(name) + 1 :]
        quote = written[:1] if value.quote_at == 0 else ""
        return written, _matching(quote, value.text, _for_option(option, known, value.text) if option else ())
    return fragment, _matching("", current.text, _for_word(words, current.text, known))


def _several(words: Sequence[Word], current: Word) -> tuple[str, Option] | None:
    """The begun value of an option that takes several with commas, and the option."""
    if current.quote_at >= 0:
        return None
    verb, rest = _path(words)[1:]
    name, equals, value = current.text.partition("=")
    option = _option(verb, name) if equals else _takes_value(verb, rest) if verb is not None else None
    return (value if equals else current.text, option) if option and option.read is values.items else None


def _beginning(begun: str, texts: Iterable[str]) -> list[str]:
    lowered = begun.casefold()
    fitting = (text for text in dict.fromkeys(texts) if text.casefold().startswith(lowered))
    return [text for _, text in zip(range(_MOST), fitting, strict=False)]


def _matching(quote: str, begun: str, texts: Iterable[str]) -> list[str]:
    return [text if text.startswith("--") and not quote else spelled(text, quote) for text in _beginning(begun, texts)]


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
    return _for_value(verb, rest, begun, known)


def _for_value_here(words: Sequence[Word], begun: str, known: KnownNames | None) -> Iterable[str]:
    _, verb, rest = _path(words)
    return _for_value(verb, rest, begun, known) if verb is not None else []


def _takes_value(verb: Verb, rest: Sequence[Word]) -> Option | None:
    """The option before the cursor, if the word at the cursor is its value."""
    option = _option(verb, rest[-1].text) if rest and not rest[-1].is_quoted else None
    return option if option is not None and option.value else None


def _for_value(verb: Verb, rest: Sequence[Word], begun: str, known: KnownNames | None) -> Iterable[str]:
    option = _takes_value(verb, rest)
    if option is not None:
        return _for_option(option, known, begun)
    positional = _positional(verb, rest)
    if positional is not None and positional.completes == "file":
        return _files(begun)
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


def _for_option(option: Option, known: KnownNames | None, begun: str = "") -> Iterable[str]:
    if option.choices:
        return option.choices
    if option.completes == "file":
        return _files(begun)
    return _named(option.completes or ("" if option.value else "truth"), known)


def _named(kind: str, known: KnownNames | None) -> Sequence[str]:
    if kind == "time_zone":
        return time_zones()
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


def _files(begun: str) -> list[str]:
    """The files and folders that a begun path may become, hidden ones only when it begins so."""
    folder = begun[: len(begun) - len(begun.rpartition("/")[2])]
    name = begun[len(folder) :]
    try:
        with os.scandir(Path(folder or ".").expanduser()) as entries:
            found = [entry.name + ("/" if entry.is_dir() else "") for entry in entries]
    except (OSError, ValueError, RuntimeError):  # no such folder, no name at all, no such user's home
        return []
    return sorted(folder + one for one in found if name.startswith(".") or not one.startswith("."))


@cache
def time_zones() -> tuple[str, ...]:
    """Every name that a time zone goes by, IANA's first."""
    return tuple(_zone_names())


def _zone_names() -> Iterator[str]:
    from zoneinfo import available_timezones  # noqa: PLC0415 - not needed by help and completion

    from aml_magics.model.zone_table import TABLE  # noqa: PLC0415 - only for time zones

    yield from sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    yield from (line.partition(":")[0] for line in TABLE.splitlines() if ":" in line and not line.startswith(" "))
