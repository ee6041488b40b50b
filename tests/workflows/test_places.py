"""Which datastore stands for what a trigger watches."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.workflows.places import Place, place_for

STORES = [
    SimpleNamespace(name="folder", container="", account="", is_default=True),
    SimpleNamespace(name="box", container="box", account="acct", is_default=False),
    SimpleNamespace(name="other", container="box", account="Other", is_default=False),
    SimpleNamespace(name="noted", container="", account="", is_default=False),
]


class Workspace:
    async def datastores(self):
        return STORES


def place(container: str, **options: str) -> Place:
    return asyncio.run(place_for(Workspace(), container, what="trigger 't'", **options))


@pytest.mark.parametrize(
    ("container", "options", "found"),
    [
        ("box", {}, ("box", "box")),
        ("box", {"account": "other"}, ("other", "box")),
        ("box", {"noted": "noted"}, ("box", "box")),
        ("bag", {"noted": "noted"}, ("noted", "bag")),
        ("bag", {"wanted": "folder"}, ("folder", "bag")),
        ("", {"noted": "noted"}, ("noted", "noted")),
        ("", {}, ("folder", "folder")),
        ("", {"wanted": "box"}, ("box", "box")),
    ],
)
def test_a_name_counts_more_than_the_container_that_more_than_a_note_and_the_default_is_last(container, options, found):
    assert place(container, **options) == found


@pytest.mark.parametrize(
    ("container", "options", "message"),
    [
        ("bag", {}, "no datastore is in it"),
        ("bag", {"wanted": "box"}, "is in 'box'"),
        ("", {"wanted": "bx"}, "Did you mean 'box'"),
    ],
)
def test_a_place_that_is_not_there_is_refused_with_a_way_out(container, options, message):
    with pytest.raises(InvalidInput) as raised:
        place(container, **options)
    assert message in str(raised.value)
