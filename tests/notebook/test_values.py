from __future__ import annotations

from datetime import timedelta
from pathlib import PurePosixPath
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import DataPath
from aml_magics.notebook import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        ("-3", -3),
        ("0", 0),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0.1", 0.1),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("1e999", "1e999"),
        ("9" * 400, "9" * 400),
        ("inf", "inf"),
        ("nan", "nan"),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("", ""),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
        (0.5, 0.5),
        (True, True),
    ],
)
def test_a_parameter_has_the_type_that_its_text_suggests(text, expected):
    found = values.inferred(text)
    assert found == expected
    assert type(found) is type(expected)


@given(st.text())
def test_any_text_has_some_type_and_numbers_are_finite(text):
    found = values.inferred(text)
    assert isinstance(found, str | bool | int | float)
    assert not isinstance(found, float) or abs(found) < float("inf")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("90", 90), ("90s", 90), ("1.5 minutes", 90), ("2h", 7200), (5, 5), (timedelta(minutes=1), 60), ("0", 0)],
)
def test_a_length_of_time_is_seconds_unless_it_says_otherwise(value, expected):
    assert values.seconds("--timeout", value) == expected


@pytest.mark.parametrize("value", ["soon", "-5", "5 parsecs", -1, True, float("inf"), float("nan"), None])
def test_what_is_no_length_of_time_is_refused(value):
    with pytest.raises(InvalidInput, match="--timeout"):
        values.seconds("--timeout", value)


@pytest.mark.parametrize(
    "value",
    ["blob/a/b", "blob/a/b/", {"datastore": "blob", "path": "a/b"}, DataPath("blob", "a/b"), PurePosixPath("blob/a/b")],
)
def test_a_data_path_is_written_in_several_ways(value):
    assert values.data_path("x", value) == DataPath("blob", "a/b")


@pytest.mark.parametrize("value", ["blob", "/a", "", 5, None, {"path": "a"}, {"datastore": "b", "file": "c"}, ["b/a"]])
def test_what_is_no_data_path_is_refused(value):
    with pytest.raises(InvalidInput):
        values.data_path("x", value)


def test_an_object_with_an_id_or_a_name_stands_for_itself():
    assert values.reference("RUN", SimpleNamespace(id="1", name="a")) == "1"
    assert values.reference("RUN", SimpleNamespace(name="a")) == "a"
    assert values.references("RUN", ["a", SimpleNamespace(id="1")]) == ["a", "1"]


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 5, None, [], "", "  "])
def test_what_nobody_can_be_called_is_refused(value):
    with pytest.raises(InvalidInput):
        values.reference("RUN", value)


@pytest.mark.parametrize("value", ["a\0b", "\udfff", 5, 1.5, True, None, ["a"], {"a": 1}])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(InvalidInput, match="description"):
        values.text("description", value)


def test_lists_on_the_line_have_commas_between():
    assert values.items("--hours", "6, 18,x") == [6, 18, "x"]
    assert values.items("--hours", [6]) == [6]
