"""An export read back: the definition with the template's parameters filled in, for whoever deploys or runs it.

``read_definition`` takes the folder of an export, its ``template.json``, or a bare definition as the portal's code view
shows it: a workflow (with or without ``{"definition": ...}`` around it) or a Data Factory pipeline.

A parameter's value is the first of these that there is: what the caller gives, ``parameters.json``, the default in the
template, and, when it is read to be run here, what the embedded workspace has for it. What has none stays as its
expression, and its name is among ``missing``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aml_magics.export.arm import Surroundings, is_expression, resolve
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.wire.casing import Json
from aml_magics.wire.json_text import loads

__all__ = ["DataFactoryDefinition", "LogicAppDefinition", "definition_from", "last_name", "read_definition"]

_FACTORY = "Microsoft.DataFactory/factories/"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicAppDefinition:
    """``definition`` is the workflow's; ``connections`` the value of ``$connections``, by their names in it.

    ``resources`` are all resources of the template, resolved; ``datastore`` and ``folders`` what the export noted down
    of the schedule, empty for a definition from elsewhere.
    """

    name: str
    definition: Json
    connections: Json = field(default_factory=dict)
    resources: tuple[Json, ...] = ()
    datastore: str = ""
    folders: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFactoryDefinition:
    """``pipelines``, ``triggers`` and ``linked_services`` are the ``properties`` of each by its name.

    ``name`` is that of the first pipeline; the rest as in ``LogicAppDefinition``.
    """

    name: str
    pipelines: Mapping[str, Json]
    triggers: Mapping[str, Json] = field(default_factory=dict)
    linked_services: Mapping[str, Json] = field(default_factory=dict)
    factory: str = ""
    resources: tuple[Json, ...] = ()
    datastore: str = ""
    folders: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read_definition(
    place: str | Path,
    values: Mapping[str, Any] | None = None,
    *,
    here: bool = False,
    subscription: str = "",
    resource_group: str = "",
    location: str = "",
) -> LogicAppDefinition | DataFactoryDefinition:
    """The definition in a folder or a file; ``here`` fills in what is known of the embedded workspace.

    Raises ``NotFound`` for no such place, ``InvalidInput`` for what is no definition.
    """
    path = Path(place).expanduser()
    file = path / "template.json" if path.is_dir() else path
    written = _json(file)
    beside = file.parent / "parameters.json"
    known = _json(beside) if file.name == "template.json" and beside.is_file() else {}
    return definition_from(
        written,
        name=path.stem,
        parameters=_mapping(known.get("parameters"), beside.name),
        values=values,
        here=here,
        around=Surroundings(subscription=subscription, resource_group=resource_group, location=location),
    )


def definition_from(
    written: Json,
    *,
    name: str = "",
    parameters: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    here: bool = False,
    around: Surroundings | None = None,
) -> LogicAppDefinition | DataFactoryDefinition:
    """As ``read_definition``, of JSON: a template, a workflow definition, or a pipeline."""
    if "resources" not in written:
        return _bare(written, name)
    around = around or Surroundings()
    declared = _mapping(written.get("parameters"), "parameters")
    filled = _filled(declared, parameters or {}, values or {}, here=here)
    defaults = {name: one["defaultValue"] for name, one in declared.items() if "defaultValue" in one}
    # A default that needs what is not known stays the expression that it was.
    known = {
        name: value
        for name, value in resolve(defaults, around).items()
        if value != defaults[name] or not is_expression(value)
    }
    filled = known | filled
    around = Surroundings(
        values=filled,
        subscription=around.subscription,
        resource_group=around.resource_group,
        location=around.location,
    )
    resources = tuple(resolve(one, around) for one in written["resources"])
    missing = tuple(one for one in declared if one not in filled and one not in defaults)
    about = _mapping(_mapping(written.get("metadata"), "metadata").get("amlMagics"), "metadata")
    noted = {"datastore": about.get("datastore", ""), "folders": tuple(about.get("folders", ())), "missing": missing}
    if any(str(one.get("type", "")).startswith(_FACTORY) for one in resources):
        return _factory(resources, filled, noted)
    return _workflow(resources, noted)


def _filled(
    declared: Mapping[str, Any], parameters: Mapping[str, Any], values: Mapping[str, Any], *, here: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in declared.items():
        in_file = parameters.get(name)
        embedded = one.get("metadata", {}).get("embedded") if here else None
        if name in values:
            found[name] = values[name]
        elif isinstance(in_file, Mapping) and "value" in in_file:
            found[name] = in_file["value"]
        elif "defaultValue" not in one and embedded is not None:
            found[name] = embedded
    return found


def _workflow(resources: tuple[Json, ...], noted: Mapping[str, Any]) -> LogicAppDefinition:
    found = [one for one in resources if one.get("type") == "Microsoft.Logic/workflows"]
    if len(found) != 1:
        message = f"the template has {len(found)} Logic Apps"
        raise InvalidInput(message, hint="Name the folder of one export, as %aml export made it.")
    properties = _mapping(found[0].get("properties"), "properties")
    connections = _mapping(properties.get("parameters"), "parameters").get("$connections", {})
    return LogicAppDefinition(
        name=str(found[0].get("name", "")),
        definition=_mapping(properties.get("definition"), "definition"),
        connections=_mapping(_mapping(connections, "$connections").get("value"), "$connections"),
        resources=resources,
        **noted,
    )


def _factory(resources: tuple[Json, ...], values: Mapping[str, Any], noted: Mapping[str, Any]) -> DataFactoryDefinition:
    parts: dict[str, dict[str, Json]] = {"pipelines": {}, "triggers": {}, "linkedservices": {}}
    for one in resources:
        kind = str(one.get("type", "")).removeprefix(_FACTORY)
        if kind in parts:
            parts[kind][last_name(str(one.get("name", "")))] = _mapping(one.get("properties"), "properties")
    if not parts["pipelines"]:
        raise InvalidInput("the template has no pipeline", hint="Name the folder of an export.")
    return DataFactoryDefinition(
        name=next(iter(parts["pipelines"])),
        pipelines=parts["pipelines"],
        triggers=parts["triggers"],
        linked_services=parts["linkedservices"],
        factory=str(values.get("factoryName", "")),
        resources=resources,
        **noted,
    )


def last_name(name: str) -> str:
    """The part's own name: of ``factory/name``, also where the factory's is not known yet."""
    return name.rpartition("/")[2].removesuffix("')]")


def _bare(written: Json, name: str) -> LogicAppDefinition | DataFactoryDefinition:
    inner = _mapping(written.get("properties"), "properties") or written
    if "activities" in inner:
        own = str(written.get("name") or name)
        return DataFactoryDefinition(name=own, pipelines={own: dict(inner)})
    definition = inner.get("definition", inner)
    if isinstance(definition, Mapping) and {"triggers", "actions"} <= definition.keys():
        connections = inner.get("parameters", {}).get("$connections", {}) if definition is not inner else {}
        value = connections.get("value", {}) if isinstance(connections, Mapping) else {}
        return LogicAppDefinition(name=name, definition=dict(definition), connections=value)
    message = f"{name or 'this'} is no workflow and no Data Factory pipeline"
    raise InvalidInput(message, hint="A workflow has triggers and actions, a pipeline has activities.")


def _json(file: Path) -> Json:
    try:
        found = loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        message = f"there is no file {str(file)!r}"
        raise NotFound(message, hint="Make one with %aml export logic-app NAME.") from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read {str(file)!r}: {error}"
        raise InvalidInput(message, hint="Name the folder of an export, or its template.json.") from None
    except json.JSONDecodeError as error:
        message = f"{file.name} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise InvalidInput(message, hint="Mend it there, or export it again.") from None
    return _mapping(found, file.name)


def _mapping(value: object, what: str) -> Json:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} is no JSON object", hint="Name the folder of an export, or its template.json.")
    return value
