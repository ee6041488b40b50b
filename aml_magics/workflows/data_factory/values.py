"""Values of a Data Factory pipeline: expressions in them evaluated, and everything as the type it is declared to be.

An expression stands in text (``@...``, ``a@{...}b``) or in an object ``{"value": "@...", "type": "Expression"}``, at
any depth. Types are written in any case, as Data Factory takes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.secret import Secret
from aml_magics.model.words import listed
from aml_magics.workflows.data_factory.definition import Declared, Pipeline
from aml_magics.workflows.language import Scope, evaluate

__all__ = [
    "as_bool",
    "as_mapping",
    "as_number",
    "as_text",
    "checked",
    "filled",
    "is_wrapped",
    "of_type",
    "resolve",
    "seconds_of",
]

PARAMETER_TYPES = ("String", "SecureString", "Int", "Float", "Bool", "Array", "Object")
VARIABLE_TYPES = ("String", "Boolean", "Integer", "Array")
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "text"),
    "securestring": ((str,), "text"),
    "int": ((int,), "a whole number"),
    "integer": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "boolean": ((bool,), "true or false"),
    "array": ((list,), "an array"),
    "object": ((dict,), "an object"),
}
_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})")


def is_wrapped(value: object, kind: str = "Expression") -> bool:
    """Whether it is an object ``{"value": ..., "type": kind}``."""
    return isinstance(value, Mapping) and value.get("type") == kind and set(value) == {"value", "type"}


def resolve(value: Any, scope: Scope) -> Any:  # noqa: ANN401 - any JSON
    """The value with everything in it evaluated. Raises ``InvalidInput`` for an expression that cannot be."""
    if is_wrapped(value) or is_wrapped(value, "SecureString"):
        return evaluate(value["value"], scope)
    if isinstance(value, Mapping):
        return {key: resolve(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    return evaluate(value, scope)


def filled(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a run: what is given, else the defaults; a SecureString is a ``Secret``.

    Raises ``InvalidInput`` for what does not fit.
    """
    for name in given:
        if name not in pipeline.parameters:
            message = f"the pipeline {pipeline.name!r} has no parameter {name!r}"
            raise InvalidInput(message, hint=did_you_mean(name, pipeline.parameters) or "It declares none.")
    missing = [name for name, one in pipeline.parameters.items() if name not in given and not one.has_default]
    if missing:
        message = f"the pipeline {pipeline.name!r} needs a value for {listed([repr(name) for name in missing])}"
        raise InvalidInput(message, hint=f"Give it with --parameter {missing[0]}=VALUE, or write a defaultValue.")
    values = {}
    for name, one in pipeline.parameters.items():
        value = of_type(one, given.get(name, one.default), f"the parameter {name!r}")
        values[name] = Secret(value) if one.type.casefold() == "securestring" else value
    return values


def of_type(declared: Declared, value: Any, what: str) -> Any:  # noqa: ANN401 - any JSON
    """The value as its declared type; text from a line (``5``, ``[1, 2]``) is read as what it has to be."""
    kind = declared.type.casefold()
    if isinstance(value, Secret):
        value = value.reveal()
    if kind in ("string", "securestring") and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and kind not in ("string", "securestring"):
        with suppress(ValueError):  # it stays text, which is refused below
            value = json.loads(value.lower() if kind in ("bool", "boolean") else value)
    return checked(declared, value, what)


def checked(declared: Declared, value: Any, what: str) -> Any:  # noqa: ANN401 - any JSON
    """The value itself if it is of its declared type. Raises ``InvalidInput``."""
    kinds, words = _KINDS[declared.type.casefold()]
    if isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool)):
        return value
    message = f"{what} is declared as {declared.type}, which is {words}, not {_shown(value)}"
    raise InvalidInput(message, hint="Give such a value, or declare another type.")


def as_text(name: str, value: object) -> str:
    """Text, or a number written as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InvalidInput(f"{name} is text, not {_shown(value)}", hint="@string(...) makes text of it.")


def as_bool(name: str, value: object) -> bool:
    """True or false, also as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in ("true", "false"):
        return value.casefold() == "true"
    raise InvalidInput(f"{name} is true or false, not {_shown(value)}", hint="@equals(a, b) gives one of them.")


def as_mapping(name: str, value: object) -> Mapping[str, Any]:
    """A JSON object."""
    if isinstance(value, Mapping):
        return value
    raise InvalidInput(f"{name} is an object, not {_shown(value)}", hint="Write a value for each name.")


def as_number(name: str, value: object) -> float:
    """A number of zero or more, also as text."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise InvalidInput(f"{name} is a number of zero or more, not {_shown(value)}", hint="Write for example 30.")
    return number


def seconds_of(name: str, span: object) -> float:
    """The seconds of ``[days.]hh:mm:ss``."""
    found = _SPAN.fullmatch(span) if isinstance(span, str) else None
    if found is None:
        hint = "Write [days.]hours:minutes:seconds, such as 0.12:00:00."
        raise InvalidInput(f"{name} {_shown(span)} is no length of time", hint=hint)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
