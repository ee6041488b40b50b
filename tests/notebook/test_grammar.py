from __future__ import annotations

from importlib import import_module

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.notebook.expand import Namespace
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb, parse
from aml_magics.notebook.help import help_for
from aml_magics.notebook.nouns import TREE
from aml_magics.notebook.values import Given, whole_number

VERBS = [
    ((one.name, verb.name), verb) if isinstance(one, Noun) else ((one.name,), verb)
    for one in TREE
    for verb in (one.verbs if isinstance(one, Noun) else (one,))
]
BY_NAME = pytest.mark.parametrize(("path", "verb"), VERBS, ids=[" ".join(path) for path, _ in VERBS])

MAKE = Verb(
    name="make",
    help="make it",
    handler="x:y",
    positionals=(
        Positional(name="NAME", help="a name"),
        Positional(name="MORE", help="more", required=False, many=True),
    ),
    options=(
        Option(name="with-blanks", value="TEXT", help="text", aliases=("-w",)),
        Option(name="count", value="N", read=whole_number, help="number"),
        Option(name="fast", help="flag"),
        Option(name="size", value="SIZE", choices=("Small", "Large"), help="choice"),
        Option(name="set", value="K=V", pairs=True, help="pairs"),
    ),
)
SMALL = (Noun(name="thing", help="things", verbs=(MAKE,)),)


def arguments(line, **variables):
    return parse(f"thing make {line}", SMALL, Namespace(user=variables)).arguments


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a", {"name": "a"}),
        ("a b c", {"name": "a", "more": ["b", "c"]}),
        ("a --fast", {"name": "a", "fast": True}),
        ("--fast a", {"name": "a", "fast": True}),
        ("a --fast=false", {"name": "a", "fast": False}),
        ("a --with-blanks 'x y'", {"name": "a", "with_blanks": "x y"}),
        ("a --with_blanks='x y'", {"name": "a", "with_blanks": "x y"}),
        ("a -w x", {"name": "a", "with_blanks": "x"}),
        ("a -w -5", {"name": "a", "with_blanks": "-5"}),
        ("a -w '--fast'", {"name": "a", "with_blanks": "--fast"}),
        ("a --with-blanks=", {"name": "a", "with_blanks": ""}),
        ("-5 '--fast'", {"name": "-5", "more": ["--fast"]}),
        ("-- --fast -w", {"name": "--fast", "more": ["-w"]}),
        ("a --size small", {"name": "a", "size": "Small"}),
        ("a --set x=1 --set y=", {"name": "a", "set": {"x": Given("1"), "y": Given("")}}),
        ("a --set x='1 2'", {"name": "a", "set": {"x": Given("1 2", is_quoted=True)}}),
        ("a --set x=a=b", {"name": "a", "set": {"x": Given("a=b")}}),
        ("a --set x", {"name": "a", "set": {"x": None}}),
    ],
)
def test_a_line_becomes_arguments(line, expected):
    assert arguments(line) == expected


def test_a_variable_is_a_value_and_never_an_option_or_a_command():
    assert arguments("{x} {y}", x="--fast", y="--help") == {"name": "--fast", "more": ["--help"]}
    assert arguments("a --set x={pair}", pair="1 --fast") == {"name": "a", "set": {"x": Given("1 --fast")}}
    with pytest.raises(InvalidInput, match=r"no command '\{x\}'"):
        parse("{x} make", SMALL, Namespace(user={"x": "thing"}))


def test_an_object_that_is_a_whole_value_stays_itself():
    assert arguments("a --count {n}", n=5) == {"name": "a", "count": 5}
    assert arguments("a --set x={n}", n=0.5) == {"name": "a", "set": {"x": Given(0.5)}}


def test_a_number_in_quotes_is_text():
    assert arguments("'{n}' --with-blanks '{n}' --set 'x={n}' --set y='{n}'", n=5) == {
        "name": "5",
        "with_blanks": "5",
        "set": {"x": Given(5), "y": Given("5", is_quoted=True)},
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("thong make a", "Did you mean 'thing'?"),
        ("thing mkae a", "Did you mean 'make'?"),
        ("thing make a --fats", "Did you mean '--fast'?"),
        ("thing make a -x", "has no option -x"),
        ("thing make", "needs NAME"),
        ("thing make a --count", "--count needs a value"),
        ("thing make a --count --fast", "--count needs a value"),
        ("thing make a --count 0", "at least 1"),
        ("thing make a --count many", "'many'"),
        ("thing make a --count 1.5", "'1.5'"),
        ("thing make a --fast --fast", "twice"),
        ("thing make a --fast=maybe", "true or false"),
        ("thing make a --size medium", "cannot be 'medium'"),
        ("thing make a --set =1", "no name"),
        ("thing make a --set x=1 --set x=2", "twice"),
        ("thing make a -o 1x", "variable"),
        ("thing make a -o if", "variable"),
        ("thing make a -o", "needs a value"),
        ("thing make {nope}", "no variable 'nope'"),
    ],
)
def test_what_does_not_fit_is_one_line_that_says_so(line, said):
    with pytest.raises(InvalidInput) as caught:
        parse(line, SMALL, Namespace())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "hint"),
    [("—fast", "two plain hyphens"), ("“a", "straight quotes"), ("b;", "next line"), ("b", "in quotes")],
)
def test_a_word_too_many_gets_the_hint_that_fits_it(word, hint):
    tree = (Verb(name="go", help="go", handler="x:y"),)
    with pytest.raises(InvalidInput, match="too many") as caught:
        parse(f"go {word} c", tree, Namespace())
    assert hint in str(caught.value)


def test_the_first_line_of_a_cell_cannot_be_continued():
    with pytest.raises(InvalidInput, match="backslash"):
        parse("thing make a \\", SMALL, Namespace(), is_cell=True)


@pytest.mark.parametrize(
    "line",
    ["", "--help", "-h", "help", "thing", "thing -h", "thing make --help", "thing make a b -h", "help thing make"],
)
def test_help_is_there_at_every_level(line):
    asked = parse(line, SMALL, Namespace())
    assert asked.wants_help
    assert help_for(asked.path, SMALL)


@BY_NAME
def test_every_verb_has_a_handler_help_and_an_example(path, verb):
    module, _, function = verb.handler.partition(":")
    assert callable(getattr(import_module(f"aml_magics.notebook.commands.{module}"), function))
    text = help_for(path, TREE)
    assert verb.help in text
    assert verb.examples
    for option in verb.options:
        assert f"--{option.name}" in text


@BY_NAME
def test_every_example_is_a_line_of_the_grammar(path, verb):
    for example in verb.examples:
        line = example.partition("\n")[0]
        before, magic, rest = line.partition("%aml ")
        assert magic
        assert parse(rest, TREE, Namespace({"TOKEN": "secret", "KEY": "secret"})).path == path
        assert ("\n" in example) == before.endswith("%")


@BY_NAME
def test_no_two_options_of_a_verb_are_spelled_alike(path, verb):
    spellings = [spelling for option in verb.options for spelling in option.spellings]
    assert len(spellings) == len(set(spellings))
    assert not {"-o", "--output", "-h", "--help"} & set(spellings)


def test_the_cheat_sheet_fits_on_a_screen_and_names_every_noun_and_verb():
    lines = help_for((), TREE).splitlines()
    assert len(lines) < 25
    assert max(map(len, lines)) <= 120
    for path, _ in VERBS:
        assert any(set(path) <= set(line.split()) for line in lines)
