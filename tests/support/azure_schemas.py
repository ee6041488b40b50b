"""Makes ``tests/export/schemas``: Microsoft's resource schemas, cut down to what our exports use.

    python -m tests.support.azure_schemas FOLDER

``FOLDER`` holds ``arm-schemas`` (of Azure/azure-resource-manager-schemas) and ``bicep-types`` (of Azure/bicep-types-az)
by the names below. What is kept is the closure of a few resource definitions, without descriptions; of the unions of
all activities, linked services and triggers only the kinds that an export has. Logic Apps of 2019 are described as
Bicep types alone, and become a JSON schema here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent / "export" / "schemas"
KINDS = {
    "Activity": {
        "AzureMLExecutePipeline", "ExecutePipeline", "Fail", "ForEach", "IfCondition", "SetVariable", "Switch", "Until",
        "Wait", "WebActivity",
    },
    "LinkedService": {"AzureMLService"},
    "Trigger": {"BlobEventsTrigger", "ScheduleTrigger", "TumblingWindowTrigger"},
}  # fmt: skip
WANTED = {
    "2018-06-01.Microsoft.DataFactory.json": ("factories_pipelines", "factories_linkedservices", "factories_triggers"),
    "2016-06-01.Microsoft.Web.json": ("connections",),
    "common.definitions.json": (),
}
COMMON = "https://schema.management.azure.com/schemas/common/definitions.json"
LOGIC = "microsoft.logic.2019-05-01.types.json"
_LOCAL = "#/definitions/"
_REQUIRED, _READ_ONLY = 1, 2


def main(source: Path) -> None:
    HERE.mkdir(exist_ok=True)
    for name, resources in WANTED.items():
        schema = json.loads((source / "arm-schemas" / name).read_text())
        write(name, cut(schema, resources) if resources else common(schema))
    types = json.loads((source / "bicep-types" / LOGIC).read_text())
    workflow = next(one for one in types if one.get("name") == "Microsoft.Logic/workflows")
    write("2019-05-01.Microsoft.Logic.json", from_bicep(workflow, types))


def write(name: str, schema: dict[str, Any]) -> None:
    text = json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n"
    (HERE / name).write_text(text)
    print(f"{name}: {len(text):,} characters")


def from_bicep(kind: dict[str, Any], types: list[dict[str, Any]], *, is_top: bool = True) -> dict[str, Any]:
    """A JSON schema of a Bicep type. What is read-only is nothing that one sends, but for the name and kind on top."""

    def of(reference: dict[str, str]) -> dict[str, Any]:
        return from_bicep(types[int(reference["$ref"].removeprefix("#/"))], types, is_top=False)

    name = kind["$type"]
    if name == "UnionType":  # known words; that others may come some day is no word of ours
        return {
            "enum": [
                one["value"] for one in (types[int(each["$ref"][2:])] for each in kind["elements"]) if "value" in one
            ]
        }
    if name == "StringLiteralType":
        return {"enum": [kind["value"]]}
    if name == "ArrayType":
        return {"type": "array", "items": of(kind["itemType"])}
    if name != "ObjectType":
        simple = {"StringType": "string", "BooleanType": "boolean", "IntegerType": "integer"}
        return {"type": simple[name]} if name in simple else {}
    sent = {key: one for key, one in kind["properties"].items() if is_top or not one["flags"] & _READ_ONLY}
    more = kind.get("additionalProperties")
    return {
        "type": "object",
        "properties": {key: of(one["type"]) for key, one in sent.items()} | ({"dependsOn": {}} if is_top else {}),
        "required": [key for key, one in sent.items() if one["flags"] & _REQUIRED]
        + (["type", "apiVersion", "location", "properties"] if is_top else []),
        "additionalProperties": of(more) if more else False,
    }


def cut(schema: dict[str, Any], resources: tuple[str, ...]) -> dict[str, Any]:
    """The resources and every definition that they come to."""
    definitions = {name: bare(one) for name, one in schema["definitions"].items()}
    for name, kinds in KINDS.items():
        if name in definitions:
            union = definitions[name]["oneOf"]
            definitions[name]["oneOf"] = [one for one in union if kind_of(one, definitions) in kinds]
    kept = {name: bare(schema["resourceDefinitions"][name]) for name in resources}
    for one in kept.values():
        one["properties"].pop("resources", None)  # children within the same resource: we have them beside it
    names: set[str] = set()
    waiting = sorted(references(kept))
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += references(definitions[name])
    return {
        "id": schema["id"],
        "$schema": schema["$schema"],
        "resourceDefinitions": kept,
        "definitions": {name: definitions[name] for name in sorted(names)},
    }


def common(schema: dict[str, Any]) -> dict[str, Any]:
    """Only what the others ask for: the forms that an expression of a template has."""
    names = {"expression", "numberOrExpression", "resourceBase"}
    found = {name: bare(one) for name, one in schema["definitions"].items() if name in names}
    return {"id": COMMON, "$schema": schema["$schema"], "definitions": found}


def kind_of(one: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The one value of ``type`` that a member of a union takes."""
    if "$ref" in one:
        one = definitions[one["$ref"].removeprefix(_LOCAL)]
    kind = one["properties"]["type"]
    return str((kind.get("oneOf") or [kind])[0]["enum"][0])


def bare(value: Any) -> Any:
    """Without descriptions; a property that is called so stays."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: bare(one) for key, one in value.items() if key != "description" or not isinstance(one, str)}


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for one in value for name in references(one)]
    if not isinstance(value, dict):
        return []
    own = value.get("$ref", "")
    found = [own.removeprefix(_LOCAL)] if isinstance(own, str) and own.startswith(_LOCAL) else []
    return found + [name for one in value.values() for name in references(one)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
