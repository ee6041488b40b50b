"""A value comes out of a real shell exactly as it went in, wherever its expression stands."""

from __future__ import annotations

import doctest
import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.model import expressions
from aml_magics.model.errors import InvalidInput
from aml_magics.model.expressions import Reference, command_references, shell_text

NASTY = [
    "",
    " ",
    "a b",
    "'",
    '"',
    "$HOME",
    "`id`",
    "$(id)",
    "\\",
    "\\n",
    "-rf",
    "--",
    "*",
    "a\nb\n",
    "😀",
    "!",
    "#x",
    "${x",
    "}",
]
VALUES = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20
)


def words(command: str, **values: str) -> list[str]:
    """The words that a program gets from the shell."""
    variables = {f"AZURE_ML_INPUT_{name}": value for name, value in values.items()}
    made = subprocess.run(
        ["/bin/sh", "-c", shell_text(command)],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        check=True,
    )
    assert made.stderr == b""
    return made.stdout.decode().split("\0")[:-1]


def test_the_example_in_the_documentation_is_true():
    assert doctest.testmod(expressions).failed == 0


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_any_value_comes_through_any_kind_of_place(value):
    command = r"""
        # don't stop at ${{inputs.x}} in a comment
        show() { printf '%s\0' "$@"; }
        show ${{inputs.x}} "${{inputs.x}}" '${{inputs.x}}' --x=${{ inputs.x }}/y "a ${{inputs.x}}'b" 'a"${{inputs.x}} b'
        (show \"${{inputs.x}}\' "\"${{inputs.x}}"); show "$(printf '%s' ${{inputs.x}} "${{inputs.x}}")${{inputs.x}}"
        show "`echo a`" ${{inputs.x}} $((1 << 2)) ${HOME:-'"'} "${{inputs.x}}"
        show $((1+$(printf %s ${{inputs.x}} | wc -c))) "$(((2)*(1+1)))" ${y:-$(printf 1 ${{inputs.x}})} ${{inputs.x}}
    """
    assert words(command, x=value) == [
        value,
        value,
        value,
        f"--x={value}/y",
        f"a {value}'b",
        f'a"{value} b',
        f"\"{value}'",
        f'"{value}',
        (value + value).rstrip("\n") + value,
        "a",
        value,
        "4",
        '"',
        value,
        str(1 + len(value.encode())),
        "4",
        "1",
        value,
    ]


PLAIN = st.text("abc xyz,.:=/-+é", max_size=6)
PIECES = st.lists(
    st.tuples(st.sampled_from(["bare", "double", "single", "escaped"]), PLAIN, st.booleans()), min_size=1, max_size=6
)


@settings(max_examples=100, deadline=None)
@given(PIECES, VALUES)
def test_one_word_may_be_put_together_of_every_kind_of_quotes(pieces, value):
    written, meant = [], []
    for kind, text, with_value in pieces:
        inside = "${{inputs.x}}" if with_value else ""
        meant.append(text + (value if with_value else ""))
        if kind == "double":
            written.append(f'"{text}{inside}"')
        elif kind == "single":
            written.append(f"'{text}{inside}'")
        else:
            written.append("".join(f"\\{letter}" for letter in text) + inside)
    assert words(f"printf '%s\\0' _{''.join(written)}", x=value) == ["_" + "".join(meant)]


def test_a_value_is_never_part_of_the_shell_text():
    assert shell_text("a ${{inputs.x}} ${{outputs.y}}") == 'a "${AZURE_ML_INPUT_x}" "${AZURE_ML_OUTPUT_y}"'


def test_references_are_found_in_order():
    found = command_references("x ${{inputs.a}} '${{ outputs.b }}' # ${{inputs.c}}")
    assert found == [Reference("inputs", "a"), Reference("outputs", "b"), Reference("inputs", "c")]
    assert [str(one) for one in found[:2]] == ["${{inputs.a}}", "${{outputs.b}}"]


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("echo `cat ${{inputs.x}}`", "in backticks"),
        ('echo "`cat ${{inputs.x}}`"', "in backticks"),
        ("echo $((${{inputs.x}} + 1))", "in $((...)) arithmetic"),
        ("echo $(( (1 + 2) * (${{inputs.x}} + 1) ))", "in $((...)) arithmetic"),
        ("echo ${y:-${{inputs.x}}}", "in a ${...} expansion"),
        ("echo $'${{inputs.x}}'", "in a $'...' string"),
        ("cat <<END\n${{inputs.x}}\nEND", "after a here-document (<<)"),
    ],
)
def test_where_no_quoting_is_right_the_variable_is_named_instead(command, place):
    with pytest.raises(InvalidInput) as caught:
        shell_text(command)
    assert place in str(caught.value)
    assert 'Use "$AZURE_ML_INPUT_x" instead' in str(caught.value)


def test_the_advised_variable_works_in_a_here_document():
    assert words('cat <<END | tr "\\n" "\\0"\n$AZURE_ML_INPUT_x\nEND', x="$(id) 'a'") == ["$(id) 'a'"]
