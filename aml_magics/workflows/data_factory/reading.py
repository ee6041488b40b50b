"""A factory from what there is of it: an export, a template, or JSON copied out of Data Factory's editor.

Such JSON is one pipeline, or ``{"pipelines": [...], "triggers": [...]}``. A template's parameters are filled in by
``export.definitions``; one that has no value counts when something that runs needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from aml_magics.export.definitions import DataFactoryDefinition, LogicAppDefinition, definition_from, read_definition
from aml_magics.model.errors import InvalidInput
from aml_magics.wire.casing import Body
from aml_magics.wire.json_text import loads
from aml_magics.workflows.data_factory.definition import Factory, read_factory

__all__ = ["factory_from_file", "factory_from_json", "factory_from_text"]

_LEFT = re.compile(r"^\[(?!\[).*parameters\('([^']*)'\)")
_NOT_NEEDED = ("scope",)  # a datastore stands for the storage account


def factory_from_file(path: Path, text: str, *, here: bool) -> Factory:
    """``text`` is what stands in the file; ``here``: what a template asks for is that of the embedded workspace.

    Raises ``InvalidInput``.
    """
    value = _loaded(text, path.name)
    if "resources" in value:
        return _of_export(read_definition(path, here=here), path.name)
    return factory_from_json(value, path.name)


def factory_from_text(text: str, what: str, *, here: bool = False) -> Factory:
    """Of a text that has no file. Raises ``InvalidInput``, with the line for text that is no JSON."""
    value = _loaded(text, what)
    if "resources" in value:
        return _of_export(definition_from(dict(value), name=what, here=here), what)
    return factory_from_json(value, what)


def factory_from_json(value: object, what: str) -> Factory:
    """One pipeline or several, with triggers or without. Raises ``InvalidInput`` that names the place."""
    body = Body(value, what)
    if "pipelines" not in body:
        name = body.text("name", "pipeline")
        return read_factory(what, {name: value}, {})
    return read_factory(what, _by_name(body, "pipelines"), _by_name(body, "triggers"))


def _loaded(text: str, what: str) -> Mapping[str, Any]:
    try:
        value = loads(text)
    except ValueError as error:
        message = f"{what} is no JSON: {error}"
        raise InvalidInput(message, hint="Copy the pipeline's JSON from Data Factory ({} in its editor).") from None
    Body(value, what)
    return cast("Mapping[str, Any]", value)  # Body has refused anything else


def _by_name(body: Body, key: str) -> dict[str, Any]:
    """Resources by name, from a list of them or from a mapping."""
    value = body.get(key)
    if isinstance(value, Mapping):
        return body.mapping(key)
    return {one.required("name"): given for one, given in zip(body.bodies(key), body.values(key), strict=True)}


def _of_export(definition: DataFactoryDefinition | LogicAppDefinition, what: str) -> Factory:
    if isinstance(definition, LogicAppDefinition):
        raise InvalidInput(f"{what} is a Logic App", hint="Run it with %aml logic-app run.")
    for name in (one for part in (definition.pipelines, definition.triggers) for one in _unknown(part)):
        message = f"{what}: the parameter {name!r} of the template has no value"
        raise InvalidInput(message, hint="Write it into parameters.json, beside the template.")
    name = definition.factory or what
    return read_factory(name, definition.pipelines, definition.triggers, datastore=definition.datastore)


def _unknown(value: object) -> Iterator[str]:
    """The template's parameters that are still asked for."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key not in _NOT_NEEDED:
                yield from _unknown(item)
    elif isinstance(value, list):
        for item in value:
            yield from _unknown(item)
    elif isinstance(value, str) and (found := _LEFT.match(value)):
        yield found[1]
