"""Conditions of If, Until and Query: an expression, or an object ``{"and": [{"equals": ["@x", 1]}, ...]}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.workflows.language import Scope, evaluate, functions
from aml_magics.workflows.language.kinds import Refusal, kind_of

__all__ = ["check_condition", "holds"]

_COMPARISONS = (
    *("equals", "greater", "greaterOrEquals", "less", "lessOrEquals"),
    *("contains", "startsWith", "endsWith", "empty"),
)
_JOINED = ("and", "or", "not")


def check_condition(where: str, condition: Any) -> None:  # noqa: ANN401 - any JSON
    """Raises ``InvalidInput`` for an object that is no condition."""
    if not isinstance(condition, Mapping):
        return
    if len(condition) != 1:
        raise InvalidInput(f"{where}: a condition has one key, not {len(condition)}", hint='Join them with "and".')
    ((name, value),) = condition.items()
    if name == "not":
        check_condition(where, value)
    elif name in _JOINED and isinstance(value, list):
        for one in value:
            check_condition(where, one)
    elif name not in _COMPARISONS or not isinstance(value, list):
        hint = did_you_mean(str(name), (*_COMPARISONS, *_JOINED))
        raise InvalidInput(f"{where}: {name!r} is no condition with a list", hint=hint)


def holds(condition: Any, scope: Scope) -> bool:  # noqa: ANN401 - any JSON
    """Whether it is true. Raises ``InvalidInput`` for what is neither true nor false."""
    found = _value(condition, scope)
    if isinstance(found, bool):
        return found
    if isinstance(found, str) and found.casefold() in ("true", "false"):
        return found.casefold() == "true"
    raise InvalidInput(f"a condition must be true or false, and is {kind_of(found)}", hint="Compare it with equals().")


def _value(condition: Any, scope: Scope) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(condition, Mapping):
        return evaluate(condition, scope)
    ((name, value),) = condition.items()
    if name == "not":
        return not holds(value, scope)
    if name in _JOINED:
        found = [holds(one, scope) for one in value]
        return all(found) if name == "and" else any(found)
    function = functions.find(name)
    if function is None:
        raise InvalidInput(f"{name!r} is no condition")
    try:
        return function.call(*evaluate(value, scope))
    except (Refusal, TypeError) as refusal:
        raise InvalidInput(f"the condition {name!r}: {refusal}") from refusal
