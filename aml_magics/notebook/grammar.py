"""``%aml NOUN VERB WORDS --options``: what a command is, and how a line becomes an invocation of one.

The commands themselves are data (``nouns/``); a verb names its handler by import path, so that reading a line, help
and completion load nothing heavy. Options may stand anywhere after the verb; an option that takes a value takes the
next word or what follows ``=``; ``_`` and ``-`` are the same in an option's name, so the SDK's argument names work. A
word in quotes and every word after a bare ``--`` is a value. Nothing is expanded before it is known to be a value: a
variable cannot become an option.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.notebook import values
from aml_magics.notebook.expand import Namespace, as_text, expand
from aml_magics.notebook.words import Line, Word, split

__all__ = ["COMMON", "Body", "Invocation", "Noun", "Option", "Positional", "Tree", "Verb", "parse"]

Body = Literal["", "yaml", "names", "code", "text"]  # "": none; "yaml" and "names" are expanded, the others are not
Reader = Callable[[str, object], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """``--name VALUE`` or, without ``value``, a flag. ``completes`` is the kind of names that Tab offers for it.

    The value of a secret one is a ``values.GivenSecret``.
    """

    name: str
    help: str
    value: str = ""
    read: Reader = values.text
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    is_secret: bool = False
    pairs: bool = False  # VALUE is name=value; the option may be repeated and the result is a mapping
    completes: str = ""

    @property
    def key(self) -> str:
        return self.name.replace("-", "_")

    @property
    def spellings(self) -> tuple[str, ...]:
        return (f"--{self.name}", *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Positional:
    name: str
    help: str
    read: Reader = values.text
    required: bool = True
    many: bool = False
    completes: str = ""

    @property
    def key(self) -> str:
        return self.name.lower().replace("|", "_or_")

    @property
    def usage(self) -> str:
        shown = f"{self.name} ..." if self.many else self.name
        return shown if self.required else f"[{shown}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    name: str
    help: str
    handler: str  # "module:function", under aml_magics.notebook.commands
    positionals: tuple[Positional, ...] = ()
    options: tuple[Option, ...] = ()
    body: Body = ""
    details: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """``default`` is the verb that is meant when the noun stands alone; without one that asks for help."""

    name: str
    help: str
    verbs: tuple[Verb, ...]
    default: str = ""


Tree = Sequence[Noun | Verb]
_WHOLE_LINE = "A magic takes its whole line: put what follows on the next line."
# What other tools call it. Nothing is ever deleted, on Azure neither.
_MEANT = {
    **dict.fromkeys(("delete", "remove", "rm", "stop", "pause"), ("disable", "cancel", "unregister")),
    **dict.fromkeys(("resume", "start"), ("enable", "submit")),
    "enable": ("start",),
    "disable": ("stop",),
    **dict.fromkeys(("run", "invoke"), ("submit", "trigger")),
    **dict.fromkeys(("get", "describe", "info", "view"), ("show",)),
    **dict.fromkeys(("create", "new", "add", "make", "mount"), ("create", "publish", "register", "deploy")),
    **dict.fromkeys(("fire", "submit"), ("trigger",)),
    **dict.fromkeys(("next", "when"), ("preview",)),
    **dict.fromkeys(("log", "output"), ("logs",)),
    **dict.fromkeys(("url", "uri"), ("endpoint",)),
    **dict.fromkeys(("kill", "abort", "end"), ("cancel",)),
    **dict.fromkeys(("dir", "files"), ("ls",)),
    **dict.fromkeys(("put", "push"), ("upload",)),
    **dict.fromkeys(("fetch", "pull", "read", "cat"), ("download",)),
    **dict.fromkeys(("open", "attach"), ("connect",)),
    **dict.fromkeys(("job", "jobs", "runs"), ("run",)),
    **dict.fromkeys(("trigger", "watch"), ("schedule",)),
}
_Named = TypeVar("_Named", Noun, Verb, Noun | Verb)

COMMON = (
    Option(
        name="output",
        value="NAME",
        aliases=("-o",),
        help="also keep the result in this variable (cells cannot be assigned)",
    ),
    Option(name="help", aliases=("-h",), help="say what this does, and do nothing"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What a line asks for. ``verb`` is None when it asks for help above the verbs; ``path`` is the words so far."""

    path: tuple[str, ...] = ()
    verb: Verb | None = None
    arguments: Mapping[str, object] | None = None
    wants_help: bool = False
    output: str | None = None
    is_silent: bool = False


def parse(line: str, tree: Tree, names: Namespace, *, is_cell: bool = False) -> Invocation:
    """Read a line. Raises InvalidInput, one line, for everything that is not in the tree or does not fit."""
    words = split(line)
    if is_cell and words.words and words.words[-1].text == "\\":
        raise InvalidInput(
            "The first line of a %%aml cell cannot be continued with a backslash",
            hint="Write all options on that line, or as `key: value` lines in the body.",
        )
    return _parse_path(words, tree, names)


def _parse_path(line: Line, tree: Tree, names: Namespace) -> Invocation:
    words = line.words
    if words and words[0].text == "help":
        words = (*words[1:], Word("--help"))
    if not words or _is_help(words[0]):
        return Invocation(wants_help=True, is_silent=line.is_silent)
    noun = _find(words[0], tree, "%aml")
    if isinstance(noun, Verb):
        return _parse_verb((noun.name,), noun, words[1:], line, names)
    if len(words) == 1 and noun.default:
        words = (*words, Word(noun.default))
    if len(words) == 1 or _is_help(words[1]):
        return Invocation(path=(noun.name,), wants_help=True, is_silent=line.is_silent)
    verb = _find(words[1], noun.verbs, f"%aml {noun.name}")
    return _parse_verb((noun.name, verb.name), verb, words[2:], line, names)


def _is_help(word: Word) -> bool:
    return not word.is_quoted and word.text in ("--help", "-h")


def _find(word: Word, known: Sequence[_Named], where: str) -> _Named:
    for candidate in known:
        if candidate.name == word.text:
            return candidate
    kind = "verb" if where != "%aml" else "command"
    names = [candidate.name for candidate in known]
    if word.text.endswith(";"):
        raise InvalidInput(f"{where} has no {kind} {word.text!r}", hint=_WHOLE_LINE)
    meant = next((name for name in _MEANT.get(word.text.casefold(), ()) if name in names), "")
    hint = f"Did you mean {meant!r}?" if meant else did_you_mean(word.text, names)
    raise InvalidInput(f"{where} has no {kind} {word.text!r}", hint=f"{hint} {where} --help shows all.")


def _parse_verb(path: tuple[str, ...], verb: Verb, words: Sequence[Word], line: Line, names: Namespace) -> Invocation:
    found = _Arguments(verb, names, path, line)
    position = 0
    only_values = False
    while position < len(words):
        word = words[position]
        position += 1
        if only_values or word.is_quoted or not _looks_like_option(word.text):
            found.add_positional(word)
        elif word.text == "--":
            only_values = True
        elif _is_help(word):
            return Invocation(path=path, verb=verb, wants_help=True, is_silent=line.is_silent)
        else:
            position += found.add_option(word, words[position] if position < len(words) else None)
    output = found.options.pop("output", None)
    return Invocation(
        path=path, verb=verb, arguments=found.complete(), output=_identifier(output), is_silent=line.is_silent
    )


def _looks_like_option(text: str) -> bool:
    return text.startswith("--") or (len(text) == 2 and text[0] == "-" and text[1].isalpha())


class _Arguments:
    """Collects the positionals and options of one verb, each checked as it comes."""

    def __init__(self, verb: Verb, names: Namespace, path: tuple[str, ...], line: Line) -> None:
        self.verb = verb
        self.line = line
        self.names = names
        self.command = " ".join(("%aml", *path))
        self.positionals: list[object] = []
        self.options: dict[str, object] = {}
        self.known = {spelling: option for option in (*verb.options, *COMMON) for spelling in option.spellings}

    def value(self, word: Word) -> object:
        """What a word means: an object, if it is a reference and nothing else; in quotes a number is text."""
        value = expand(word.text, self.names)
        return as_text(value) if word.is_quoted else value

    def add_positional(self, word: Word) -> None:
        index = len(self.positionals)
        declared = self.verb.positionals
        if index >= len(declared) and not (declared and declared[-1].many):
            message = f"{word.text!r} is one word too many for {self.command}"
            raise InvalidInput(message, hint=_hint_for_surplus(word.text, self.command, self.line))
        positional = declared[min(index, len(declared) - 1)]
        value = positional.read(positional.name, self.value(word))
        if positional.many and isinstance(value, list):
            self.positionals += value
        else:
            self.positionals.append(value)

    def add_option(self, word: Word, following: Word | None) -> int:
        """Take an option and its value; returns how many of the following words that took."""
        written, equals, _ = word.text.partition("=")
        spelling = written.replace("_", "-")
        option = self.known.get(spelling)
        if option is None:
            near = did_you_mean(spelling, [known for known in self.known if known.startswith("--")])
            hint = _WHOLE_LINE if written.endswith(";") else f"{near} {self.command} --help shows all."
            raise InvalidInput(f"{self.command} has no option {written}", hint=hint)
        if equals:
            value, taken = word.after(len(written) + 1), 0
        elif not option.value:
            value, taken = Word("true"), 0
        elif following is None or (not following.is_quoted and self._is_option(following)):
            raise InvalidInput(
                f"{spelling} needs a value: {spelling} {option.value}", hint=f"Here it means: {option.help}."
            )
        else:
            value, taken = following, 1
        self._store(option, spelling, value)
        return taken

    def _is_option(self, word: Word) -> bool:
        return word.text.startswith("--") or word.text in self.known

    def _store(self, option: Option, spelling: str, word: Word) -> None:
        if option.pairs:
            self._store_pair(option, spelling, word)
            return
        if option.key in self.options:
            raise InvalidInput(f"{spelling} is given twice", hint="Give it once.")
        value = self.value(word)
        if option.is_secret:
            self.options[option.key] = values.secret(spelling, value, is_typed=value == word.text)
        elif option.choices:
            self.options[option.key] = values.choice(spelling, value, option.choices)
        elif option.value:
            self.options[option.key] = option.read(spelling, value)
        else:
            self.options[option.key] = values.truth(spelling, value)

    def _store_pair(self, option: Option, spelling: str, word: Word) -> None:
        pairs = self.options.setdefault(option.key, {})
        assert isinstance(pairs, dict)  # noqa: S101 - for the type checker: only this method fills it
        name, equals, _ = word.text.partition("=")
        name = name.strip()
        if not name:
            raise InvalidInput(f"{spelling} has no name in {word.text!r}", hint=f"Write {spelling} {option.value}.")
        if name in pairs:
            raise InvalidInput(f"{spelling} {name} is given twice", hint="Give each name once.")
        if not equals:
            pairs[name] = None
            return
        value = word.after(word.text.index("=") + 1)
        pairs[name] = values.Given(self.value(value), value.is_quoted)

    def complete(self) -> dict[str, object]:
        """All arguments by key; those that were not given are absent."""
        arguments = dict(self.options)
        for index, positional in enumerate(self.verb.positionals):
            rest = self.positionals[index:]
            if rest:
                arguments[positional.key] = rest if positional.many else rest[0]
            elif positional.required:
                usage = " ".join((self.command, *(one.usage for one in self.verb.positionals)))
                raise InvalidInput(f"{self.command} needs {positional.name}: {positional.help}", hint=f"Write {usage}.")
        return arguments


def _hint_for_surplus(word: str, command: str, line: Line) -> str:
    if word[:1] in "\u2010\u2011\u2012\u2013\u2014\u2212":
        return "An option starts with two plain hyphens: --."
    if any(quote in each.text for each in line.words for quote in "\u201c\u201d\u2018\u2019\u00ab\u00bb"):
        return 'Use straight quotes, as in "two words".'
    if word.endswith(";"):
        return _WHOLE_LINE
    return f"Put text with blanks in quotes. {command} --help shows what it takes."


def _identifier(name: object) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise InvalidInput(f"--output cannot be {name!r}", hint="Give the name of a variable, as in -o result.")
    return name
