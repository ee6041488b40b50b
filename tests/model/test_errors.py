"""What an error says: one line, with the way out."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import did_you_mean


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        ([], ""),
        (["train", "score"], "Known: score, train."),
        ([f"{number:02}" for number in range(12)], "Known: 00, 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11."),
        (
            [f"{number:02}" for number in range(17)],
            "Known: 00, 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11 and 5 more.",
        ),
    ],
)
def test_a_long_list_of_known_words_says_how_many_it_leaves_out(known, hint):
    assert did_you_mean("xyzzy", known) == hint
