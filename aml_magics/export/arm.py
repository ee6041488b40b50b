"""ARM templates: their parts, and the few expressions of them that the exports use.

``parameters()``, ``variables()``-free ``concat()``, ``resourceId()``, ``subscriptionResourceId()`` and
``resourceGroup().location`` are resolved here, so that a template can be read back without Azure; ``reference()`` and
``guid()`` only Azure can answer, and they stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.wire.casing import Json

__all__ = ["Parameters", "Surroundings", "concat", "escaped", "is_expression", "parameter", "resolve", "template"]

_TEMPLATE = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_PARAMETERS = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_]\w*)|(.))")
_ONLY_AZURE = ("reference", "guid")


def parameter(name: str) -> str:
    """``[parameters('name')]``."""
    return f"[parameters('{name}')]"


def concat(*parts: str) -> str:
    """One text of literal parts and of parameters (those that ``parameter`` made)."""
    inner = [part[1:-1] if part.startswith("[parameters(") else _quoted(part) for part in parts if part]
    return f"[concat({', '.join(inner)})]"


def escaped(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """JSON as a template holds it literally: a text that begins with ``[`` begins with ``[[``."""
    if isinstance(value, str):
        return f"[{value}" if value.startswith("[") else value
    if isinstance(value, Mapping):
        return {key: escaped(item) for key, item in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list | tuple) else value


@dataclass(slots=True)
class Parameters:
    """The parameters of a template as they are needed, with the values that are known.

    A value from the embedded workspace goes into the parameter's metadata, for running the export there.
    """

    declared: Json = field(default_factory=dict)
    values: Json = field(default_factory=dict)

    def need(self, name: str, description: str, *, value: str = "", embedded: str = "", default: str = "") -> str:
        """The expression for a parameter, which is declared with the first use of it."""
        about = {"description": description} | ({"embedded": embedded} if embedded and not value else {})
        self.declared[name] = {"type": "string", "metadata": about}
        if default:
            self.declared[name]["defaultValue"] = default
        if value:
            self.values[name] = {"value": value}
        return parameter(name)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those that have neither a value nor a default."""
        return tuple(
            name for name, one in self.declared.items() if name not in self.values and "defaultValue" not in one
        )

    def file(self) -> Json:
        """``parameters.json``."""
        return {"$schema": _PARAMETERS, "contentVersion": "1.0.0.0", "parameters": self.values}


def template(parameters: Parameters, resources: list[Json], *, outputs: Json | None = None, about: Json) -> Json:
    """A deployment template; ``about`` is what ours reads back of it, and Azure passes over."""
    return {
        "$schema": _TEMPLATE,
        "contentVersion": "1.0.0.0",
        "metadata": {"amlMagics": about},
        "parameters": parameters.declared,
        "resources": resources,
        "outputs": outputs or {},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a template is resolved against: the values of its parameters, and where it would be deployed."""

    values: Mapping[str, Any] = field(default_factory=dict)
    subscription: str = ""
    resource_group: str = ""
    location: str = ""


def is_expression(value: object) -> bool:
    """Whether a text is an expression of the template: one that could not be resolved is left as it was."""
    return isinstance(value, str) and value.startswith("[") and not value.startswith("[[") and value.endswith("]")


class _Unknown(Exception):
    """An expression that needs something that is not known."""


def resolve(value: Any, around: Surroundings) -> Any:  # noqa: ANN401 - any JSON
    """JSON with its ARM expressions resolved; one that needs what is not known stays as it is.

    InvalidInput for an expression that cannot be read, or that uses another function.
    """
    if isinstance(value, Mapping):
        return {key: resolve(item, around) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, around) for item in value]
    if isinstance(value, str) and value.startswith("[["):
        return value[1:]
    if not is_expression(value):
        return value
    try:
        return _Expression(value, around).value()
    except _Unknown:
        return value


class _Expression:
    """A recursive descent over ``name(args).member``, and texts."""

    def __init__(self, text: str, around: Surroundings) -> None:
        self._text = text
        self._around = around
        self._tokens = [match.groups() for match in _TOKEN.finditer(text[1:-1]) if match[0].strip()]
        self._at = 0

    def value(self) -> Any:  # noqa: ANN401 - any JSON
        found = self._term()
        if self._at != len(self._tokens):
            raise self._wrong()
        return found

    def _term(self) -> Any:  # noqa: ANN401 - any JSON
        literal, name, _sign = self._next()
        if literal is not None:
            return literal.replace("''", "'")
        if name is None:
            raise self._wrong()
        found = self._call(name, self._arguments())
        while self._sign() == ".":
            self._at += 1
            member = self._next()[1]
            if member is None or not isinstance(found, Mapping):
                raise self._wrong()
            if not found.get(member):
                raise _Unknown
            found = found[member]
        return found

    def _arguments(self) -> list[Any]:
        self._expect("(")
        found: list[Any] = []
        while self._sign() != ")":
            if found:
                self._expect(",")
            found.append(self._term())
        self._expect(")")
        return found

    def _call(self, name: str, arguments: list[Any]) -> Any:  # noqa: ANN401 - any JSON
        if name in _ONLY_AZURE:
            raise _Unknown
        functions: dict[str, Callable[..., Any]] = {
            "parameters": self._parameter,
            "concat": lambda *parts: "".join(map(str, parts)),
            "resourceId": self._resource_id,
            "subscriptionResourceId": self._subscription_id,
            "resourceGroup": lambda: {"location": self._around.location, "name": self._around.resource_group},
        }
        if name not in functions:
            message = f"the template uses {name}(), which cannot be resolved here: {self._text}"
            raise InvalidInput(message, hint=did_you_mean(name, functions))
        try:
            return functions[name](*arguments)
        except (TypeError, ValueError):
            raise self._wrong() from None

    def _parameter(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        if name not in self._around.values:
            raise _Unknown
        return self._around.values[name]

    def _resource_id(self, kind: str, *names: str) -> str:
        if not (self._around.subscription and self._around.resource_group):
            raise _Unknown
        group = f"/subscriptions/{self._around.subscription}/resourceGroups/{self._around.resource_group}"
        return f"{group}/providers/{_path(kind, names)}"

    def _subscription_id(self, kind: str, *names: str) -> str:
        if not self._around.subscription:
            raise _Unknown
        return f"/subscriptions/{self._around.subscription}/providers/{_path(kind, names)}"

    def _next(self) -> tuple[str | None, str | None, str | None]:
        if self._at >= len(self._tokens):
            raise self._wrong()
        self._at += 1
        literal, name, sign = self._tokens[self._at - 1]
        return literal, name, sign

    def _sign(self) -> str | None:
        return self._tokens[self._at][2] if self._at < len(self._tokens) else None

    def _expect(self, sign: str) -> None:
        if self._next()[2] != sign:
            raise self._wrong()

    def _wrong(self) -> InvalidInput:
        return InvalidInput(f"the template's expression {self._text!r} cannot be read", hint="Export it again.")


def _path(kind: str, names: tuple[str, ...]) -> str:
    provider, *types = kind.split("/")
    return "/".join([provider, *(part for pair in zip(types, names, strict=True) for part in pair)])


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
