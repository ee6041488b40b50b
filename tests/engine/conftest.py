"""Engines watch folders too; and what they promise of a datastore holds however it lists."""

import pytest

from tests.datastores.conftest import watchers_have_ended
from tests.engine import fakes

__all__ = ["any_listing", "watchers_have_ended"]

EITHER_WAY = ("test_changes", "test_joining", "test_options", "test_polling", "test_settling", "test_sharing")


def pytest_generate_tests(metafunc):
    if metafunc.module.__name__.rpartition(".")[2] in EITHER_WAY:
        metafunc.parametrize("any_listing", ["by name", "in pages"], indirect=True)


@pytest.fixture(autouse=True)
def any_listing(request, monkeypatch):
    """The datastore of a ``Bench`` lists in this way."""
    if getattr(request, "param", "") == "in pages":
        monkeypatch.setattr(fakes, "MemoryStore", fakes.PagedMemoryStore)
