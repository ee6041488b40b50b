"""Which publications of a pipeline a filter means."""

import asyncio

import pytest

from aml_magics.client.finding import find_publications
from aml_magics.model.errors import NotFound
from aml_magics.model.resources import Status
from tests.client.conftest import client_of


def test_publications_are_those_of_a_name_newest_first_or_the_one_of_an_id(service, waits):
    old = service.add_pipeline("twice")
    new = service.add_pipeline("twice", status=Status.DISABLED)

    async def look_up():
        client = client_of(service, waits)
        found = [await find_publications(client, wanted) for wanted in ("twice", old.id, old, new.id[:8])]
        with pytest.raises(NotFound, match=r"Did you mean 'twice'\?"):
            await find_publications(client, "twic")
        await client.close()
        return [[one.id for one in several] for several in found]

    assert asyncio.run(look_up()) == [[new.id, old.id], [old.id], [old.id], [new.id]]
