"""Engines watch folders too; what they promise of a datastore holds however it lists, of time however many are due."""

import pytest

from aml_magics.engine import timekeeper
from tests.datastores.conftest import watchers_have_ended
from tests.engine import fakes
from tests.engine.on_azurite import AzuriteStore

__all__ = ["any_listing", "any_number", "watchers_have_ended"]

EITHER_WAY = ("test_changes", "test_joining", "test_options", "test_polling", "test_settling", "test_sharing")

WAYS = ("by name", "in pages", "on Azurite")

FEW_OR_MANY = ("test_missed", "test_refusals", "test_time")


def pytest_generate_tests(metafunc):
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in FEW_OR_MANY:
        metafunc.parametrize("any_number", ("at once", "as bursts"), indirect=True)
    if module in EITHER_WAY:
        moves_back = metafunc.definition.get_closest_marker("old_versions_return")  # which a service never shows
        ways = WAYS[:2] if moves_back else WAYS
        metafunc.parametrize("any_listing", ways, indirect=True)


def pytest_itemcollected(item):
    """The emulator runs before a test begins, so that it is not taken for something that the test left behind."""
    if hasattr(item, "callspec") and item.callspec.params.get("any_listing") == "on Azurite":
        item.fixturenames.insert(0, "azurite")


@pytest.fixture(autouse=True)
def any_listing(request, monkeypatch, nothing_is_left_behind):
    """The datastore of a ``Bench`` lists in this way."""
    kind, made = getattr(request, "param", "by name"), []
    if kind == "in pages":
        monkeypatch.setattr(fakes, "MemoryStore", fakes.PagedMemoryStore)
    elif kind == "on Azurite":
        azurite = request.getfixturevalue("azurite")
        monkeypatch.setattr(fakes, "MemoryStore", lambda: made.append(AzuriteStore(azurite)) or made[-1])
    yield
    for store in made:
        store.close()


@pytest.fixture(autouse=True)
def any_number(request, monkeypatch):
    """Whatever is due is a burst, written out two schedules at a time."""
    if getattr(request, "param", "at once") == "as bursts":
        monkeypatch.setattr(timekeeper, "BURST", 0)
        monkeypatch.setattr(timekeeper, "PART", 2)
