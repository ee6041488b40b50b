"""Microsoft's own schemas asked about a resource: what they have against it, deepest reason first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

FOLDER = Path(__file__).parent.parent / "export" / "schemas"
_LOGIC = "2019-05-01.Microsoft.Logic.json"
_FACTORY = "2018-06-01.Microsoft.DataFactory.json"
_RESOURCES = {
    "Microsoft.Logic/workflows": (_LOGIC, ""),
    "Microsoft.Web/connections": ("2016-06-01.Microsoft.Web.json", "connections"),
    "Microsoft.DataFactory/factories/pipelines": (_FACTORY, "factories_pipelines"),
    "Microsoft.DataFactory/factories/linkedservices": (_FACTORY, "factories_linkedservices"),
    "Microsoft.DataFactory/factories/triggers": (_FACTORY, "factories_triggers"),
}


def against(resource: Mapping[str, Any]) -> str:
    """What the schema has against a resolved resource of a template; empty when it is fine."""
    file, definition = _RESOURCES[resource["type"]]
    asked = dict(resource)
    if resource["type"].startswith("Microsoft.DataFactory/"):
        asked["name"] = asked["name"].rpartition("/")[2]  # the schema knows the bare name of a child
    if definition == "connections":
        asked["apiVersion"] = "2016-06-01"  # the stored one; a connection by identity needs a newer one
    leaves = [leaf for error in _validator(file, definition).iter_errors(asked) for leaf in _leaves(error)]
    error = max(leaves, key=lambda one: len(one.absolute_path), default=None)
    return "" if error is None else f"{error.json_path}: {error.message[:200]}"


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The reasons below a union's "under none of the given schemas"."""
    if not error.context:
        yield error
    for inner in error.context or ():
        yield from _leaves(inner)


@cache
def _validator(file: str, definition: str) -> Draft4Validator:
    if not definition:
        return Draft4Validator(_schema(file), registry=_registry())
    id_ = _schema(file)["id"].removesuffix("#")
    return Draft4Validator({"$ref": f"{id_}#/resourceDefinitions/{definition}"}, registry=_registry())


@cache
def _registry() -> Registry[Any]:
    schemas = [_schema(path.name) for path in sorted(FOLDER.glob("*.json"))]
    named = [(one["id"].removesuffix("#"), Resource(one, DRAFT4)) for one in schemas if "id" in one]
    return Registry().with_resources(named)


@cache
def _schema(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / file).read_text())
    return found
