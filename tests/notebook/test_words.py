from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.notebook.expand import Namespace, expand
from aml_magics.notebook.words import spelled, split, without_braces


def texts(line: str) -> list[str]:
    return [word.text for word in split(line).words]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("  a   b ", ["a", "b"]),
        ("a\u00a0b", ["a", "b"]),
        ('--description "Based on time"', ["--description", "Based on time"]),
        ("--description 'Based on time'", ["--description", "Based on time"]),
        ('--description="Based on time"', ["--description=Based on time"]),
        ('x="a b"', ["x=a b"]),
        ('"a" ""', ["a", ""]),
        ("it's five o'clock", ["it's", "five", "o'clock"]),
        ('a"b"c', ['a"b"c']),
        (r"C:\data\new x", [r"C:\data\new", "x"]),
        (r'"C:\data files\new"', [r"C:\data files\new"]),
        (r'"she said \"no\""', ['she said "no"']),
        (r"'\"'", [r"\""]),
        ("run#1 #2 a#b", ["run#1", "#2", "a#b"]),
        ("a # b c", ["a"]),
        ("a #", ["a"]),
        ("'# not' # but this", ["# not"]),
        ("🚀 \U0001f468\u200d\U0001f469\u200d\U0001f467 é", ["🚀", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "é"]),
        ("$HOME !ls {x} %y", ["$HOME", "!ls", "{x}", "%y"]),
        ("a; b", ["a;", "b"]),
    ],
)
def test_words_are_split_like_a_shell_does_and_nothing_is_lost(line, expected):
    assert texts(line) == expected


@pytest.mark.parametrize("line", ["status;", "status ;", "status ; # done", 'x "a b";'])
def test_a_semicolon_at_the_end_silences_and_is_no_word(line):
    assert split(line).is_silent
    assert not any(word.text.endswith(";") for word in split(line).words)


def test_a_semicolon_in_quotes_is_text():
    assert split("x 'a;'").is_silent is False
    assert texts("x 'a;'") == ["x", "a;"]


@pytest.mark.parametrize("line", ['"a', "'a", 'x="a b', "x 'it's'", '"a"b', "'a'b c"])
def test_a_quote_that_is_not_closed_or_runs_on_is_one_line_of_error(line):
    with pytest.raises(InvalidInput) as caught:
        split(line)
    assert "\n" not in str(caught.value)
    assert "quote" in str(caught.value)


def test_a_word_in_quotes_knows_that_it_was():
    plain, quoted, value = split("--all '--all' name='--all'").words
    assert (plain.is_quoted, quoted.is_quoted, value.is_quoted) == (False, True, False)
    assert value.after(len("name=")).is_quoted


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\"'", exclude_categories=["Zs", "Zl", "Zp", "Cc"]))))
def test_words_without_quotes_come_back_as_they_were_written(words):
    words = [word for word in words if word and word != "#" and not word.endswith(";")]
    assert texts(" ".join(words)) == words


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_is_words_or_one_error_and_partial_words_never_fail(line):
    split(line, partial=True)
    said = ""
    try:
        split(line)
    except AmlError as error:
        said = str(error)
    assert "\n" not in said


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab \"'#;-=", min_size=1))
def test_a_word_that_is_spelled_for_a_line_is_read_as_that_word(text):
    assert texts(f"disable {spelled(text)} --all") == ["disable", text, "--all"]


def test_braces_of_any_text_read_back_as_they_are():
    texts = ["".join(letters) for length in range(7) for letters in product("${}x", repeat=length)]
    # What opens with "${" and closes with "}}" is Azure's, and nothing else can be written that way.
    ours = [text for text in texts if not re.search(r"\$\{.*\}\}", text)]
    assert [text for text in ours if expand(without_braces(text), Namespace()) != text] == []


@pytest.mark.parametrize(
    ("text", "written"), [("{x}", "{{x}}"), ("${x}", "${{x}"), ("${{x}}", "${{x}}"), ("}{", "}{{"), ("a}}b", "a}}b")]
)
def test_no_more_braces_are_doubled_than_have_to_be(text, written):
    assert without_braces(text) == written
