"""A bed for every test."""

from __future__ import annotations

import pytest

from tests.workflows.logic_app.bed import Bed


@pytest.fixture
def bed() -> Bed:
    return Bed()
