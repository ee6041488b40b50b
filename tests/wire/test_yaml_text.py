"""YAML means what it looks like, and a mistake is one line with its place and the way out."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.model.errors import InvalidInput
from aml_magics.wire.yaml_text import DEEPEST, LONGEST, load_yaml, load_yaml_mapping


def refusal(text: str, load=load_yaml) -> str:
    with pytest.raises(InvalidInput) as caught:
        load(text)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10:30", "10:30"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00"),
        ("2026-01-01", "2026-01-01"),
        ("yes", "yes"),
        ("No", "No"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("none", "none"),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("190:20:30", "190:20:30"),
        ("0.1", 0.1),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", float("-inf")),
        ("1.2.3", "1.2.3"),
        ("'10'", "10"),
        ('"true"', "true"),
        ("=", "="),
        ("${{inputs.x}}", "${{inputs.x}}"),
        ("😀", "😀"),
        ("[a, 1, true]", ["a", 1, True]),
        ("{a: 1}", {"a": 1}),
        ("|\n  a\n   b\n", "a\n b\n"),
    ],
)
def test_a_plain_value_is_read_by_the_core_schema(written, meant):
    value = load_yaml(f"key: {written}")["key"]
    assert value == meant
    assert type(value) is type(meant)


def test_on_is_a_key_like_any_other():
    assert load_yaml("on: 1\nyes: 2\nno: 3") == {"on": 1, "yes": 2, "no": 3}


def test_not_a_number_is_one():
    assert load_yaml("x: .nan")["x"] != load_yaml("x: .nan")["x"]


def test_an_empty_text_is_nothing():
    assert load_yaml("") is None
    assert load_yaml("# only a remark\n---\n") is None


@pytest.mark.parametrize(
    ("text", "place", "said", "way_out"),
    [
        ("a:\n\tb: 1", "line 2, column 1", "there is a tab", "Use spaces"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1", "the key 'a' is there twice", "Delete one"),
        ("x:\n  a: 1\n  'a': 3", "line 3, column 3", "the key 'a' is there twice", "Delete one"),
        ("a: b: c", "line 1, column 5", "a second ': '", "in quotes"),
        ("ok: 1\nkey:value\nb: 1", "line 2, column 1", "no key with a value", "space after the colon"),
        ("a: [1, 2", "line 1, column 4", "this [ is never closed", "]"),
        ("a: {b: 1", "line 1, column 4", "this { is never closed", "}"),
        ("a: [", "line 1, column 5", "a bracket is never closed", "Close it"),
        ("a: ]", "line 1, column 4", "no value can begin here", "in quotes"),
        ("a: |x", "line 1, column 5", "found 'x'", "below the |"),
        ("a: [1 {]", "line 1, column 7", "", "commas"),
        ("a: 'x\nb: 2", "line 1, column 4", "this quote is never closed", "Close it"),
        ('a: "x', "line 1, column 4", "this quote is never closed", "Close it"),
        ("a: @x", "line 1, column 4", "'@'", "in quotes"),
        ("a: `x`", "line 1, column 4", "'`'", "in quotes"),
        ("a: *x", "line 1, column 4", "alias 'x'", "in quotes"),
        ("a: 'b' c", "line 1, column 8", "does not fit", "quote a value as a whole"),
        (" a: 1\nb: 2", "line 2, column 1", "does not fit", "same column"),
        ("- a\nb: 2", "line 2, column 1", "does not fit", "same column"),
        ("5: x", "line 1, column 1", "a key must be text, this one is '5'", "in quotes"),
        ("true: x", "line 1, column 1", "a key must be text", "in quotes"),
        ("? [a]\n: 1", "line 1, column 3", "a list or a mapping", "in quotes"),
        ("<<: {a: 1}", "line 1, column 1", "merge keys", "Write the keys out"),
        ("a: 1\n---\nb: 2", "line 2, column 1", "a second document", "---"),
        (
            "a: !!python/object/apply:os.system [id]",
            "line 1, column 4",
            "!!python/object/apply:os.system",
            "Leave the tag out",
        ),
        ("a: !mine b", "line 1, column 4", "!mine", "Leave the tag out"),
        ("a: !!timestamp 2026-01-01", "line 1, column 4", "!!timestamp", "Leave the tag out"),
        ("a: !!binary aGk=", "line 1, column 4", "!!binary", "Leave the tag out"),
        ("a: !!set {x}", "line 1, column 4", "!!set", "Leave the tag out"),
        ("a: !!int 10:30", "line 1, column 4", "'10:30' is no int", "Leave the tag out"),
        ("a: 1\nb: \x07", "line 2, column 4", "U+0007", "Delete"),
        ("a: 1\n\u00a0b: 1", "line 2, column 1", "unusual space (U+00A0)", "ordinary spaces"),
        (f"a: {'9' * 5000}", "line 1, column 4", "5,000 digits", "in quotes"),
        ("a: &a [*a]", "line 1, column 8", "*a stands inside of what it means", ""),
    ],
)
def test_a_mistake_is_one_line_with_its_place_and_the_way_out(text, place, said, way_out):
    line = refusal(text)
    assert line.startswith(f"cell: {place}: ")
    assert said in line
    assert way_out in line


def test_the_place_names_what_was_read():
    with pytest.raises(InvalidInput, match=r"^pipeline.yml: line 1, column 4: "):
        load_yaml("a: @", "pipeline.yml")


def test_aliases_are_written_out():
    assert load_yaml("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}
    shared = load_yaml("a: &x [1]\nb: *x")
    shared["a"].append(2)
    assert shared["b"] == [1]


def test_a_bomb_of_aliases_is_refused_before_it_is_written_out():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "more than 20,000 values" in refusal("\n".join(lines))


def test_what_is_too_deep_is_refused_without_reading_on():
    fine = "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)
    load_yaml(fine)
    began = time.process_time()
    assert f"nested more than {DEEPEST} deep" in refusal("[" * LONGEST)
    assert time.process_time() - began < 10  # PyYAML alone would read for minutes


def test_what_is_too_long_is_refused_unread():
    assert "131,073 characters" in refusal("x" * (LONGEST + 1))


def test_a_mapping_is_asked_for_by_its_looks():
    assert load_yaml_mapping("a: 1") == {"a": 1}
    assert "there is nothing in it" in refusal("# no\n", load_yaml_mapping)
    assert "only the text 'name:train'" in refusal("name:train", load_yaml_mapping)
    assert "space after the colon" in refusal("name:train", load_yaml_mapping)
    assert "this is a list" in refusal("- a", load_yaml_mapping)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\x85\u2028\u2029"), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc yno10:", max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_json_is_yaml(value):
    assert load_yaml(json.dumps(value, ensure_ascii=False)) == value


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab:-?[]{},&*!|>'\"%@`# \t\n~0.<"), max_size=30))
def test_any_text_is_read_or_refused_in_one_line(text):
    said = []
    try:
        load_yaml(text)
    except InvalidInput as error:
        said = [str(error)]
    assert all(line.startswith("cell: line ") and "\n" not in line for line in said)
