"""A bed for every test: pipelines on a fake workspace and a clock that stands still."""

from __future__ import annotations

import pytest

from tests.workflows.data_factory.bed import Bed


@pytest.fixture
def bed() -> Bed:
    return Bed()
