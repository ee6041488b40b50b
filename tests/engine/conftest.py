"""Engines watch folders too."""

from tests.datastores.conftest import watchers_have_ended

__all__ = ["watchers_have_ended"]
