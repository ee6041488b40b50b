"""Conditions: one expression, or the objects that the designer writes, ``{"and": [{"equals": ["@a", 1]}]}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.workflows.language import ExpressionError, Scope, evaluate
from aml_magics.workflows.language.functions import find
from aml_magics.workflows.language.kinds import Refusal

__all__ = ["check_condition", "holds"]

_COMPARISONS = (
    *("equals", "greater", "greaterOrEquals", "less", "lessOrEquals"),
    *("contains", "startsWith", "endsWith", "empty"),
)


def holds(condition: Any, scope: Scope) -> bool:  # noqa: ANN401 - any JSON
    """Whether it is true. Raises ``InvalidInput`` for what is neither true nor false."""
    if isinstance(condition, Mapping):
        return _of_object(condition, scope)
    found = evaluate(condition, scope)
    if isinstance(found, bool):
        return found
    raise InvalidInput(f"the condition {condition!r} is {found!r}, not true or false", hint="equals(a, b) is.")


def _of_object(condition: Mapping[str, Any], scope: Scope) -> bool:
    ((name, value),) = condition.items()
    if name in ("and", "or"):
        found = [holds(one, scope) for one in value]
        return all(found) if name == "and" else any(found)
    if name == "not":
        return not holds(value, scope)
    arguments = evaluate(value, scope)
    function = find(name)
    try:
        return bool(function.call(*arguments)) if function else False
    except Refusal as refusal:
        which = f"argument {refusal.argument} " if refusal.argument else ""
        raise ExpressionError(f"{name} in a condition: {which}{refusal}", hint=refusal.hint) from None


def check_condition(condition: object, where: str) -> None:
    """Raises ``InvalidInput`` for what is no condition. Expressions in it are checked elsewhere."""
    if isinstance(condition, str) and condition.startswith("@"):
        return
    if not isinstance(condition, Mapping) or len(condition) != 1:
        hint = "Write an expression such as '@equals(a, b)', or an object with one of and, or, not, equals ..."
        raise InvalidInput(f"{where}: {condition!r} is no condition", hint=hint)
    ((name, value),) = condition.items()
    if name == "not":
        check_condition(value, where)
    elif name in ("and", "or") and isinstance(value, list):
        for one in value:
            check_condition(one, where)
    elif name not in _COMPARISONS:
        raise InvalidInput(f"{where}: {name!r} compares nothing", hint=did_you_mean(str(name), _COMPARISONS))
    elif not isinstance(value, list) or len(value) != (1 if name == "empty" else 2):
        raise InvalidInput(f"{where}: {name} takes an array of two values", hint='{"equals": ["@a", "b"]} is one.')
