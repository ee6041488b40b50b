"""Help texts, made from the declared commands: nothing here can go out of date on its own."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from aml_magics.notebook.grammar import COMMON, Noun, Option, Tree, Verb
from aml_magics.notebook.views import Text

__all__ = ["help_for"]

_WIDTH = 110
_RULES = """\
Quotes keep blanks together: --description "Based on time". A ` # ` starts a comment, a ; at the end hides the result.
{name} is a notebook variable, also {name.attribute} and {name[0]}; an unknown one is an error; {{ and }} are braces.
A value that is {name} alone is the object itself (a list, a datetime); in quotes, "{name}", a number is text.
Results are values: x = %aml ..., and -o x for a cell. An error shows one line; %tb shows everything.
Settings: %config AmlMagics"""

_BODIES = {
    "yaml": "YAML, the same names as the options, with _ for -; {name} is expanded in its values",
    "names": "names or ids, one a line; # starts a comment",
    "code": "Python or pipeline YAML, not expanded",
    "text": "any text, not expanded",
}


def help_for(path: tuple[str, ...], tree: Tree) -> Text:
    """The help of a level: of everything, of a noun, of a verb."""
    node: Noun | Verb | None = None
    known: Tree = tree
    for word in path:
        node = next(one for one in known if one.name == word)
        known = node.verbs if isinstance(node, Noun) else ()
    if node is None:
        return Text(_overview(tree))
    return Text(_noun(node) if isinstance(node, Noun) else _verb(" ".join(("%aml", *path)), node))


def _overview(tree: Tree) -> str:
    rows = [
        (one.name, " ".join(verb.name for verb in one.verbs) if isinstance(one, Noun) else one.help) for one in tree
    ]
    return "\n".join(
        [
            "%aml NOUN VERB ...   see, create, watch and stop what starts Azure ML pipelines",
            "",
            *_columns(rows),
            "",
            "%aml NOUN --help and %aml NOUN VERB --help say more; Tab completes everything.",
            _RULES,
        ]
    )


def _noun(noun: Noun) -> str:
    return "\n".join(
        [
            f"%aml {noun.name} VERB ...   {noun.help}",
            "",
            *_columns([(verb.name, verb.help) for verb in noun.verbs]),
            "",
            f"%aml {noun.name} VERB --help says more."
            + (f" %aml {noun.name} alone is %aml {noun.name} {noun.default}." if noun.default else ""),
        ]
    )


def _verb(command: str, verb: Verb) -> str:
    usage = " ".join((command, *(one.usage for one in verb.positionals), *(("[--options]",) if verb.options else ())))
    lines = [f"{usage}   {verb.help}"]
    if verb.positionals:
        lines += ["", *_columns([(one.name, one.help) for one in verb.positionals])]
    lines += ["", *_columns([(_spelling(option), _meaning(option)) for option in (*verb.options, *COMMON)])]
    if verb.body:
        lines += ["", f"Body of a %%aml cell: {_BODIES[verb.body]}."]
    if verb.details:
        lines += ["", *wrap(verb.details, _WIDTH)]
    for example in verb.examples:
        lines += ["", *(f"    {line}" for line in example.splitlines())]
    return "\n".join(lines)


def _spelling(option: Option) -> str:
    names = ", ".join((*(alias for alias in option.aliases if not alias.startswith("--")), f"--{option.name}"))
    return f"{names} {option.value}".rstrip()


def _meaning(option: Option) -> str:
    choices = f" ({', '.join(option.choices)})" if option.choices else ""
    others = [alias for alias in option.aliases if alias.startswith("--")]
    also = f"; also {', '.join(others)}" if others else ""
    return f"{option.help}{choices}{also}"


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    lines: list[str] = []
    for name, text in rows:
        lines += wrap(text, _WIDTH, initial_indent=f"  {name.ljust(width)}  ", subsequent_indent=" " * (width + 4))
    return lines
