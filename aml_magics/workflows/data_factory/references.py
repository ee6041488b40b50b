"""What the expressions of a definition refer to, checked before anything runs: that they can be read, that their
functions exist, and that the activities, variables and parameters that they name are there to be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.workflows.data_factory.scope import IN_PIPELINES, IN_TRIGGERS, PIPELINE_FACTS
from aml_magics.workflows.language import ExpressionError, check
from aml_magics.workflows.language.syntax import Access, Call, Expression, Literal, Node, nodes
from aml_magics.workflows.language.templates import expressions_in

__all__ = ["Known", "check_expressions", "check_trigger_expressions"]


@dataclass(frozen=True, slots=True)
class Known:
    """What may be named at some place of a pipeline. ``being_set`` is the variable that the activity sets."""

    activities: frozenset[str]
    variables: frozenset[str]
    parameters: frozenset[str]
    has_item: bool = False
    being_set: str = ""


def check_expressions(values: Mapping[str, Any], known: Known, where: str) -> None:
    """All expressions in the properties of an activity. Raises ``InvalidInput`` with the property and the column."""
    for name, value in values.items():
        try:
            for expression in expressions_in(value):
                for node in nodes(expression.root):
                    _check_node(expression, node, known)
            check(value, IN_PIPELINES)
        except ExpressionError as error:
            raise InvalidInput(f"{where}, {name}: {error.message}", hint=error.hint or "Correct it there.") from None


def check_trigger_expressions(values: Mapping[str, Any], where: str) -> None:
    """The same of what a trigger gives to a pipeline."""
    for name, value in values.items():
        try:
            check(value, IN_TRIGGERS)
        except ExpressionError as error:
            raise InvalidInput(f"{where}, {name}: {error.message}", hint=error.hint or "Correct it there.") from None


def _check_node(expression: Expression, node: Node, known: Known) -> None:
    problem = ("", "")
    if isinstance(node, Call):
        problem = _of_call(node, known)
    elif isinstance(node, Access) and isinstance(node.key, Literal) and isinstance(node.key.value, str):
        problem = _of_property(node, node.key.value, known)
    if problem[0]:
        raise ExpressionError.at(node.column, expression.text, *problem)


def _of_call(call: Call, known: Known) -> tuple[str, str]:
    """What is wrong, and the way out; both empty when nothing is."""
    function = call.name.casefold()
    given = call.arguments[0].value if call.arguments and isinstance(call.arguments[0], Literal) else None
    if function in {name.casefold() for name in IN_TRIGGERS}:
        return f"{call.name}() is for triggers", "What a trigger says comes in through its parameters."
    if function == "item" and not known.has_item:
        return "item() stands outside of a ForEach or Filter", "It is the item of a pass."
    if function == "activity" and isinstance(given, str) and given not in known.activities:
        near = did_you_mean(given, known.activities)
        return f"the activity {given!r} need not have run before this one", near or "Name it in dependsOn."
    if function == "variables" and isinstance(given, str):
        return _of_variable(given, known)
    return "", ""


def _of_variable(name: str, known: Known) -> tuple[str, str]:
    if name not in known.variables:
        return f"there is no variable {name!r}", did_you_mean(name, known.variables) or "None is declared."
    if name == known.being_set:
        return f"Data Factory sets no variable {name!r} from itself", "Set a second variable, and this one from that."
    return "", ""


def _of_property(access: Access, name: str, known: Known) -> tuple[str, str]:
    """Of ``pipeline().NAME`` and ``pipeline().parameters.NAME``; others are known when it runs."""
    of = access.of
    if access.is_optional:
        return "", ""
    if _is_pipeline(of) and name.casefold() not in {one.casefold() for one in PIPELINE_FACTS}:
        return f"pipeline() has no {name!r} here", did_you_mean(name, PIPELINE_FACTS)
    is_parameters = isinstance(of, Access) and _is_pipeline(of.of) and _named(of.key) == "parameters"
    if is_parameters and name.casefold() not in {one.casefold() for one in known.parameters}:
        return f"there is no parameter {name!r}", did_you_mean(name, known.parameters) or "None is declared."
    return "", ""


def _is_pipeline(node: Node) -> bool:
    return isinstance(node, Call) and node.name.casefold() == "pipeline"


def _named(key: Node) -> str:
    return str(key.value).casefold() if isinstance(key, Literal) else ""
