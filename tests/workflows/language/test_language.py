"""How expressions are read, where they stand in JSON, and what a mistake in one says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.workflows.language import ExpressionError, check, evaluate, parse
from aml_magics.workflows.language.syntax import DEEPEST, LONGEST

BODY = {
    "Name": "a b.csv",
    "Path": "/box/in/a b.csv",
    "Size": 12,
    "Tags": ["x", "y"],
    "None": None,
    "odd-name": {"a": [[7]]},
}


class Scope:
    """A trigger's body, and a function that wants one argument."""

    def lookup(self, function: str):
        known = {"triggerbody": lambda: BODY, "parameters": lambda name: {"n": 3, "key": "Name"}[name]}
        return known.get(function.casefold())


def worth(value):
    return evaluate(value, Scope())


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a@b.c", "a@b.c"),
        ("@@home", "@home"),
        ("@@{x}", "@{x}"),
        ("mail a@@b.c", "mail a@@b.c"),
        ("say @@{not this} but @{1}", "say @{not this} but 1"),
        ("@triggerBody()", BODY),
        ("@TRIGGERBODY()?['name']", "a b.csv"),
        ("@triggerBody().Size", 12),
        ("@{triggerBody().Size}", "12"),
        ("@{null}", ""),
        ("@null", None),
        ("@true", True),
        ("@False", False),
        ("@-1.5e2", -150.0),
        ("@'it''s'", "it's"),
        ("@''", ""),
        ("@{triggerBody()?['Name']}!", "a b.csv!"),
        ("x=@{1}, y=@{'}'}, z=@{triggerBody()?['Tags']}", 'x=1, y=}, z=["x","y"]'),
        ("@triggerBody()?['Nothing']", None),
        ("@triggerBody()?['Nothing']?['more']?.still", None),
        ("@triggerBody()?.None", None),
        ("@triggerBody()['Tags'][1]", "y"),
        ("@triggerBody()?['Tags']?[5]", None),
        ("@triggerBody()['odd-name'].a[0][0]", 7),
        ("@triggerBody()[parameters('key')]", "a b.csv"),
        ("@ concat ( 'a' ,\n 'b' ) ", "ab"),
        ("@first(triggerBody().Tags)", "x"),
        ({"@{parameters('key')}": ["@parameters('n')", {"deep": "@{1}@{2}"}]}, {"Name": [3, {"deep": "12"}]}),
        (7, 7),
        (None, None),
        ([True, 1.5], [True, 1.5]),
    ],
    ids=str,
)
def test_a_template_is_worth(template, value):
    found = worth(template)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("@", "an expression is missing, at column 1 of ''"),
        ("@{}", "an expression is missing, at column 1 of ''"),
        ("@{1", "'@{' has no '}', at column 1 of '@{1'. An at sign in front of a brace is two: @@{."),
        ("@concat('a'", "')' or ',' is missing after what begins at column 7: the expression ends, at column 11"),
        ("@concat('a' 'b')", "')' or ',' is missing after what begins at column 7: there is \"'b'\", at column 12"),
        ("@concat('a',)", "')' where a value should be, at column 12"),
        ("@concat('a'))", "')' follows an expression that is complete, at column 12"),
        ("@'a' 'b'", "follows an expression that is complete, at column 5"),
        ("@'a", "text that begins here does not end, at column 1 of \"'a\". A quote inside it is two: ''."),
        ('@concat("a")', "double quotes mean nothing here, at column 8"),
        ("@1 == 2", "'=' is not part of the language, at column 3 of '1 == 2'. There are no operators: equals(a, b)."),
        ("@1 + 2", "There are no operators: add(a, b) or concat(a, b)."),
        ("@name", "'name' is no value, at column 1 of 'name'. Text stands in quotes ('name')"),
        ("@triggerBody().", "the name of a property is missing, at column 15"),
        ("@triggerBody()['Name'", "']' is missing after what begins at column 14: the expression ends"),
        (
            "@triggerBody()['Nmae']",
            "there is no property 'Nmae', at column 15 of \"triggerBody()['Nmae']\". Did you mean 'Name'?",
        ),
        ("@triggerBody()['None']['x']", "there is no 'x' in null, at column 23"),
        ("@triggerBody()['Tags'][2]", "there is no item 2 in an array of 2, at column 23"),
        ("@triggerBody()['Tags']['x']", "an array has no 'x', at column 23"),
        ("@triggerBody()['Name']['x']", "text has no 'x'"),
        ("@triggerBody()[0]", "a property of an object is named by text, not by the number 0"),
        ("@parameters()", "parameters() does not take 0 arguments, at column 1"),
        ("@triggerBody(1)", "triggerBody() does not take 1 arguments, at column 1"),
        ("@triggerBdy()", "there is no function triggerBdy() here"),
        ({"@{null}@{1}": 1, "@parameters('n')": 2}, "the key of an object must be text, and one is the number 3"),
    ],
    ids=str,
)
def test_a_mistake_is_one_line_that_points_at_the_column(template, message):
    with pytest.raises(ExpressionError) as raised:
        worth(template)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_long_expression_is_shown_around_its_column():
    with pytest.raises(ExpressionError) as raised:
        parse("concat(" + "'abcdefgh', " * 30 + "oops)")
    assert "'oops' is no value, at column 368 of \"..." in str(raised.value)
    assert "'abcdefgh', oops)\"" in str(raised.value)
    assert len(str(raised.value)) < 250


def test_what_is_too_long_or_too_deep_is_refused_and_does_not_exhaust_anything():
    with pytest.raises(ExpressionError, match="8,200 characters, the longest may have 8,192"):
        worth("@" + "1" * (LONGEST + 8))
    deepest = "toLower(" * (DEEPEST - 1) + "'A'" + ")" * (DEEPEST - 1)
    assert worth(f"@{deepest}") == "a"
    with pytest.raises(ExpressionError, match=f"more than {DEEPEST} expressions inside each other, at column"):
        worth(f"@toLower({deepest})")
    with pytest.raises(ExpressionError, match="makes more than 10,000,000 letters"):
        worth("@replace(replace(replace(join(range(0,99999),'aaaaaaaaaa'),'a','bbbbbbbb'),'b','cccccccc'),'c','d')")


@pytest.mark.parametrize("number", ["9" * 5000, "1e999", "9" * 400 + ".5"], ids=lambda each: each[:9])
def test_a_number_that_is_too_large_is_refused_at_its_column(number):
    with pytest.raises(ExpressionError, match="the number is too large, at column 8"):
        worth(f"@string({number})")


class Nested:
    """A body nested deeper than the stack, and a long text."""

    def lookup(self, function: str):
        return {"body": self.body, "long": lambda: "a" * 1_000_000}.get(function.casefold())

    def body(self):
        root = inner = {}
        for _ in range(3000):
            inner["b"] = inner = {}
        return root


@pytest.mark.parametrize("access", [".b", "?.b", "['b']"])
def test_a_chain_of_accesses_may_be_as_long_as_an_expression(access):
    chain = "body()" + access * ((LONGEST - 6) // len(access) - 1)
    if access == ".b":
        chain = "body()" + ".b" * 3000
    assert evaluate(f"@{chain}", Nested()) is not None
    check(f"@{chain}", {"body"})


@pytest.mark.parametrize("expression", ["string(body())", "equals(body(), body())", "concat('a', body())"])
def test_values_nested_deeper_than_the_stack_are_refused(expression):
    with pytest.raises(ExpressionError, match="nested too deeply, at column 1"):
        evaluate(f"@{expression}", Nested())
    with pytest.raises(ExpressionError, match="nested too deeply"):
        evaluate([Nested().body()], Nested())


@pytest.mark.parametrize(
    "expression",
    [
        "replace(long(), 'a', long())",
        "join(range(0, 100000), long())",
        f"concat({'long(), ' * 10}long())",
        f"base64(concat({'long(), ' * 8}long()))",
    ],
)
def test_a_text_that_would_fill_the_memory_is_not_made(expression):
    with pytest.raises(ExpressionError, match=r"makes more than 10,000,000 letters, at column 1"):
        evaluate(f"@{expression}", Nested())


def test_a_long_text_with_at_signs_is_read_in_one_pass():
    began = time.process_time()
    text = "a@b.c " * 300_000
    assert worth(text + "@{1}") == text + "1"
    assert time.process_time() - began < 5  # letter by letter, each time with a copy, it took minutes


def test_a_defect_of_a_host_function_is_not_taken_for_a_wrong_number_of_arguments():
    class Broken:
        def lookup(self, function: str):
            return lambda: len(3)

    with pytest.raises(TypeError, match="has no len"):
        evaluate("@anything()", Broken())


def test_what_cannot_be_run_is_found_without_running_it():
    check({"a": "@triggerBody()?['x']", "b": ["@{toLower(variables('v'))}"]}, {"triggerBody", "variables"})
    for template, message in (
        ("@if(true, 1, nonsense())", "there is no function nonsense() here"),
        ("@{toLower()}", "toLower() takes 1 argument, not 0"),
        ({"a": ["@concat('a'"]}, "is missing"),
        ("@triggerBody()[xml('a')]", "xml() cannot be run here"),
        ("@variabels('a')", "Did you mean 'variables'?"),
    ):
        with pytest.raises(ExpressionError) as raised:
            check(template, {"triggerBody", "variables"})
        assert message in str(raised.value)


SIGNS = ["@", "@{", "}", "@@", "'", "(", ")", ",", "[", "]", "?", ".", "0", "-1", " ", "\n", "é", '"']
WORDS = ["concat(", "triggerBody()", "'a'", "null", "?['Name']", "if(", "true", "first(", "split(", "int(", "json("]
PIECES = st.sampled_from(SIGNS + WORDS)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_text_has_a_value_or_one_line_that_says_why_not(text):
    said = ""
    try:
        worth(text)
    except ExpressionError as error:
        said = str(error)
    assert "\n" not in said
    assert not said or "column" in said


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_can_be_written_as_a_literal(text):
    quoted = text.replace("'", "''")
    assert worth(f"@concat('{quoted}')") == text
