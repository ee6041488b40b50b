"""A factory from JSON that a person wrote or copied out of Data Factory's editor.

One pipeline, or ``{"pipelines": [...], "triggers": [...]}``. An ARM template is read by ``export.definitions``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aml_magics.model.errors import InvalidInput
from aml_magics.wire.casing import Body
from aml_magics.workflows.data_factory.definition import Factory, read_factory

__all__ = ["factory_from_json", "factory_from_text"]


def factory_from_text(text: str, what: str) -> Factory:
    """Raises ``InvalidInput`` with the line for text that is no JSON. ``what`` is the name of the file."""
    try:
        value = json.loads(text)
    except ValueError as error:
        message = f"{what} is no JSON: {error}"
        raise InvalidInput(message, hint="Copy the pipeline's JSON from Data Factory ({} in its editor).") from None
    return factory_from_json(value, what)


def factory_from_json(value: object, what: str) -> Factory:
    """Raises ``InvalidInput`` that names the place."""
    body = Body(value, what)
    if "pipelines" not in body:
        name = body.text("name", "pipeline")
        return read_factory(what, {name: value}, {})
    return read_factory(what, _by_name(body, "pipelines"), _by_name(body, "triggers"))


def _by_name(body: Body, key: str) -> dict[str, Any]:
    """Resources by name, from a list of them or from a mapping."""
    value = body.get(key)
    if isinstance(value, Mapping):
        return body.mapping(key)
    return {one.required("name"): given for one, given in zip(body.bodies(key), body.values(key), strict=True)}
