from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.model.errors import InvalidInput
from aml_magics.notebook.expand import Namespace, expand, load_body

WHEN = datetime(2026, 11, 23, 6, 30)
USER = {
    "name": "train",
    "number": 15,
    "rate": 0.5,
    "when": WHEN,
    "names": ["a", "b"],
    "config": {"rate": 0.1, "1": "text key", 2: "number key"},
    "run": SimpleNamespace(id="run-1", steps=[SimpleNamespace(name="fit")]),
    "größe": 7,
    "nothing": None,
    "sneaky": "x\nstatus: Disabled\npipeline: other",
    "_hidden": 1,
}
NAMES = Namespace(local={"name2": "local"}, user=USER)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{name}", "train"),
        ("a-{name}-{number}", "a-train-15"),
        ("{name2}", "local"),
        ("{number}", 15),
        ("{when}", WHEN),
        ("{names}", ["a", "b"]),
        ("{names[0]}", "a"),
        ("{names[-1]}", "b"),
        ("{config[rate]}", 0.1),
        ("{config[2]}", "number key"),
        ("{run.id}", "run-1"),
        ("{run.steps[0].name}", "fit"),
        ("{größe}", 7),
        ("{nothing}", None),
        ("{{name}}", "{name}"),
        ("{{{name}}}", "{train}"),
        ("{{", "{"),
        ("}}", "}}"),
        ("{{ x }}", "{ x }"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("{a: 1}", "{a: 1}"),
        ("{name:>10}", "{name:>10}"),
        ("{name!r}", "{name!r}"),
        ("{name }", "{name }"),
        ("{}", "{}"),
        ("{0}", "{0}"),
        ("{None} {True} {if}", "{None} {True} {if}"),
        ("f({name})", "f(train)"),
        ("$name $HOME ${name}", "$name $HOME $train"),
        ("${{parent.inputs.x}}", "${{parent.inputs.x}}"),
        ("${{inputs.x}} {name}", "${{inputs.x}} train"),
    ],
)
def test_braces_around_a_name_are_the_variable_and_all_other_braces_are_text(text, expected):
    assert expand(text, NAMES) == expected


@pytest.mark.parametrize(
    ("text", "named", "hint"),
    [
        ("{nmae}", "'nmae'", "Did you mean 'name'?"),
        ("{zzz}", "'zzz'", "{{zzz}}"),
        ("x{run.idd}", "'idd'", "Did you mean 'id'?"),
        ("{config[rte]}", "[rte]", "Did you mean 'rate'?"),
        ("{names[9]}", "[9]", ""),
        ("{names[a]}", "[a]", ""),
        ("{number[0]}", "[0]", ""),
        ("{name.nope}", "'nope'", ""),
    ],
)
def test_an_unknown_name_attribute_or_item_is_an_error_that_names_it(text, named, hint):
    with pytest.raises(InvalidInput) as caught:
        expand(text, NAMES)
    assert named in str(caught.value)
    assert hint in str(caught.value)
    assert "_hidden" not in str(caught.value)


def test_numbers_and_sequences_of_numpy_and_pandas_become_pythons_own():
    names = Namespace(user={"one": np.int64(5), "many": np.array([6, 18]), "column": pd.Series(["a", "b"])})
    assert type(expand("{one}", names)) is int
    assert expand("{many}", names) == [6, 18]
    assert expand("{column}", names) == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("pipeline: {name}", {"pipeline": "train"}),
        ('pipeline: "{name}"', {"pipeline": "train"}),
        ("interval: {number}", {"interval": 15}),
        ('description: "{number}"', {"description": "15"}),
        ("version: '{rate}'", {"version": "0.5"}),
        ('hours: "{names}"', {"hours": ["a", "b"]}),
        ("start_time: {when}", {"start_time": WHEN}),
        ("hours: {names}", {"hours": ["a", "b"]}),
        ("hours: [{number}, {rate}]", {"hours": [15, 0.5]}),
        ("description: run of {name}, {number} times", {"description": "run of train, 15 times"}),
        ("description: |\n  {name}\n  {{x}}\n", {"description": "train\n{x}\n"}),
        ("description: '{name}: 1'", {"description": "train: 1"}),
        ("pipeline_parameters: {rate: 1, lr: {rate}}", {"pipeline_parameters": {"rate": 1, "lr": 0.5}}),
        ("pipeline_parameters: {config}", {"pipeline_parameters": USER["config"]}),
        ("a: {b: {c: 1}}", {"a": {"b": {"c": 1}}}),
        ("a: {b: null}", {"a": {"b": None}}),
        ("a: {}", {"a": {}}),
        ("a:\n  b:\n", {"a": {"b": None}}),
        ("a: 1 # not {looked} at\n# {nor} this", {"a": 1}),
        ("a: ${{inputs.x}}", {"a": "${{inputs.x}}"}),
        ("a: {{name}}", {"a": "{name}"}),
        ("a: it costs $name", {"a": "it costs $name"}),
        ("a: \U00100000\U0010fffd{name}\U00100001", {"a": "\U00100000\U0010fffdtrain\U00100001"}),
        ("# only a comment", {}),
        ("", {}),
    ],
)
def test_a_yaml_body_is_expanded_in_its_scalars_after_parsing(body, expected):
    assert load_body(body, NAMES) == expected


def test_a_value_cannot_add_keys_or_lines_to_a_body():
    assert load_body("description: {sneaky}\nname: x{sneaky}", NAMES) == {
        "description": USER["sneaky"],
        "name": "x" + USER["sneaky"],
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("a: {nope}", "'nope'"),
        ("{name}: 1", "key"),
        ("x{name}: 1", "key"),
        ("- a\n- b", "mapping"),
        ("just text", "mapping"),
        ("a: [1, {name}", "line 2"),
        ("a: {name}\n b: 2", "line 3"),
        ("a: 1\na: {name}", "twice"),
        ("a: !{name} b", "{name}"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_one_line_in_its_own_words(body, said):
    with pytest.raises(InvalidInput) as caught:
        load_body(body, NAMES)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not any(ord(letter) >= 0x100000 for letter in str(caught.value))


def test_a_place_in_an_error_counts_the_columns_that_were_written():
    with pytest.raises(InvalidInput, match="line 3, column 12"):
        load_body("a: {name}\nb: {config[rate]}: 1".replace("{config[rate]}", "{number}"), NAMES)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(), max_size=4))
def test_any_text_in_a_variable_comes_through_a_body_unchanged(values):
    body = "\n".join(f"{key}_key: {{{key}_x}}\n{key}_quoted: '<{{{key}_x}}>'" for key in values)
    names = Namespace(user={f"{key}_x": value for key, value in values.items()})
    expected = {}
    for key, value in values.items():
        expected |= {f"{key}_key": value, f"{key}_quoted": f"<{value}>"}
    assert load_body(body, names) == expected
