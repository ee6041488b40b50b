"""Expressions of templates: the few that exports have are resolved, literal texts survive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aml_magics.export.arm import Surroundings, concat, escaped, parameter, resolve
from aml_magics.model.errors import InvalidInput

AROUND = Surroundings(
    values={"name": "it's", "place": "westeurope"},
    subscription="sub",
    resource_group="rg",
    location="westeurope",
)


@given(st.text(), st.text(), st.text())
def test_texts_and_parameters_join_whatever_is_in_them(before, value, after):
    found = resolve(concat(f"-{before}", parameter("p"), f"{after}-"), Surroundings(values={"p": value}))
    assert found == f"-{before}{value}{after}-"


@given(st.recursive(st.text() | st.integers() | st.none(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_literal_json_comes_back_as_it_was(value):
    assert resolve(escaped(value), AROUND) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[parameters('name')]", "it's"),
        ("[parameters('place')]", "westeurope"),
        ("[resourceId('A/b', 'x')]", "/subscriptions/sub/resourceGroups/rg/providers/A/b/x"),
        ("[resourceId('A/b/c', 'x', 'y')]", "/subscriptions/sub/resourceGroups/rg/providers/A/b/x/c/y"),
        ("[subscriptionResourceId('A/b', parameters('place'))]", "/subscriptions/sub/providers/A/b/westeurope"),
        ("[concat('it''s', ' ', parameters('name'))]", "it's it's"),
        ("[reference(resourceId('A/b', 'x')).id]", "[reference(resourceId('A/b', 'x')).id]"),
        ("[parameters('other')]", "[parameters('other')]"),
        ("[[x]", "[x]"),
        ("[x", "[x"),
        ("[resourceGroup().location]", "westeurope"),
    ],
)
def test_what_is_known_is_filled_in_and_the_rest_stays(expression, value):
    assert resolve({"a": [expression]}, AROUND) == {"a": [value]}


def test_without_a_place_ids_stay_as_they_are():
    for expression in (
        "[resourceId('A/b', 'x')]",
        "[resourceGroup().location]",
        "[subscriptionResourceId('A/b', 'x')]",
    ):
        assert resolve(expression, Surroundings()) == expression


@pytest.mark.parametrize(
    "expression", ["[x]", "[concat('a']", "['a' 'b']", "[resourceId('A/b')]", "[]", "[parameters()]"]
)
def test_what_cannot_be_read_is_refused_by_its_text(expression):
    with pytest.raises(InvalidInput, match="cannot be read"):
        resolve(expression, AROUND)


def test_a_function_that_is_not_known_is_named():
    with pytest.raises(InvalidInput, match=r"uses uniqueString\(\)"):
        resolve("[uniqueString('a')]", AROUND)
