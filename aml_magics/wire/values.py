"""Parameter values: text on the wire, typed again by the pipeline's own parameters.

The SDK sends every value through ``str()`` (``True``, ``1.5``), and only the graph's interface says what type it was:
``Int=0, Double=1, Bool=2, String=3``. Two of the SDK's habits are undone here: it declares a Python bool as ``Int``,
and it sends the type as a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import Parameter, ParameterValue

__all__ = ["parameter_from", "parameter_text", "parameter_to", "parameter_value", "typed", "typed_strictly"]

_TYPES = {bool: "Bool", int: "Int", float: "Double", str: "String"}
_BY_CODE = {"0": "int", "1": "double", "2": "bool", "3": "string", "4": "undefined"}
_WORDS: dict[type, str] = {bool: "True or False", int: "a whole number", float: "a number"}
_WHOLE = re.compile(r"[+-]?[0-9]{1,300}")
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def parameter_text(value: ParameterValue) -> str:
    """The text of a value on the wire, as the SDK writes it."""
    return str(value)


def parameter_value(text: str, default: ParameterValue, name: str = "parameter") -> ParameterValue:
    """``text`` as the type of ``default``. Raises ``InvalidInput`` naming the parameter when it is none."""
    kind = type(default)
    value = _read(text, kind)
    if value is None:
        message = f"parameter {name!r} takes {_WORDS[kind]} (its default is {default}), got {text!r}"
        raise InvalidInput(message, hint="The type of the default in the published pipeline is the parameter's type.")
    return value


def typed(assignments: Mapping[str, str], parameters: Iterable[Parameter]) -> dict[str, ParameterValue]:
    """Every assignment as the type of its parameter; text that does not fit, or is for no parameter, stays text."""
    kinds = {parameter.name: type(parameter.default) for parameter in parameters}
    return {name: _fitting(text, kinds.get(name, str)) for name, text in assignments.items()}


def typed_strictly(assignments: Mapping[str, str], parameters: Iterable[Parameter]) -> dict[str, ParameterValue]:
    """As ``typed`` for names that are all known; raises ``InvalidInput`` for a value that does not fit."""
    defaults = {parameter.name: parameter.default for parameter in parameters}
    return {name: parameter_value(text, defaults[name], name) for name, text in assignments.items()}


def parameter_to(parameter: Parameter) -> dict[str, object]:
    """A graph interface's ``Parameter``: type by name, default as text."""
    return {
        "Name": parameter.name,
        "DefaultValue": parameter_text(parameter.default),
        "IsOptional": True,
        "Type": _TYPES[type(parameter.default)],
    }


def parameter_from(name: str, default: str, kind: str) -> Parameter:
    """The parameter with its typed default; ``kind`` is a type's name or number, the default is text."""
    word = _BY_CODE.get(kind, kind).casefold()
    if word == "int" and default in ("True", "False"):  # the SDK declares a bool as Int
        word = "bool"
    types: dict[str, type] = {"int": int, "double": float, "bool": bool}
    return Parameter(name, _fitting(default, types.get(word, str)))


def _fitting(text: str, kind: type) -> ParameterValue:
    value = _read(text, kind)
    return text if value is None else value


def _read(text: str, kind: type) -> ParameterValue | None:
    """``None`` when the text is not of that kind."""
    if kind is str:
        return text
    word = text.strip()
    if kind is bool:
        return _TRUTH.get(word.casefold())
    if kind is int:
        return int(word) if _WHOLE.fullmatch(word) else None
    try:
        return None if "_" in word else float(word)
    except ValueError:
        return None
