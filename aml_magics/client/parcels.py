"""An export on its way to Azure: its template with the values that are known, and what they make of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aml_magics.export.definitions import DataFactoryDefinition, LogicAppDefinition, read_definition
from aml_magics.model.errors import InvalidInput, NotFound, did_you_mean
from aml_magics.wire.casing import Json

__all__ = ["Parcel", "open_parcel", "read_parcel", "value_in_file"]

_KINDS = {"logic-app": LogicAppDefinition, "data-factory": DataFactoryDefinition}
_WORDS = {LogicAppDefinition: "a Logic App", DataFactoryDefinition: "a Data Factory pipeline"}
_WORKFLOWS = "Microsoft.Logic/workflows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is deployed: ``template`` with ``values``, and the same resolved. ``roles`` is a template of its own."""

    folder: Path
    template: Json
    values: Mapping[str, Any]
    definition: LogicAppDefinition | DataFactoryDefinition
    roles: Json | None = None

    @property
    def workflow(self) -> Json:
        """The Logic App, resolved, as its provider takes it."""
        found = next(one for one in self.definition.resources if one.get("type") == _WORKFLOWS)
        return {name: value for name, value in found.items() if name in ("location", "identity", "tags", "properties")}

    def enabled(self) -> Json:
        """The template, with its Logic App switched on: one that is on already is not to be interrupted."""
        template = copy.deepcopy(self.template)
        for one in template["resources"]:
            if one.get("type") == _WORKFLOWS:
                one["properties"]["state"] = "Enabled"
        return template

    def check_roles(self) -> None:
        """Raises ``InvalidInput`` when the export has no roles."""
        if self.roles is None:
            message = f"there is no roles.json in {self.folder.as_posix()!r}"
            raise InvalidInput(message, hint="Export it again, or leave --roles out.")

    def values_of_roles(self) -> dict[str, Any]:
        """Of the values, those that the roles' template has parameters for."""
        wanted = (self.roles or {}).get("parameters", {})
        known = {**self.values, "workflowName": self.definition.name}
        return {name: known[name] for name in wanted if name in known}


def open_parcel(place: str, kind: str) -> Path:
    """The folder that a person means: itself, or ``NAME-logic-app`` beside the notebook. Raises ``NotFound``."""
    wanted = Path(place).expanduser()
    for path in (wanted, Path(f"{place}-{kind}").expanduser()):
        if path.is_dir() or path.name == "template.json":
            return path.parent if path.name == "template.json" else path
    message = f"there is no export {place!r}: no folder {wanted.as_posix()!r}, and no {wanted.name}-{kind}"
    raise NotFound(message, hint=f"Make one with %aml export {kind} NAME, and name its folder.")


def read_parcel(
    folder: Path, kind: str, given: Mapping[str, Any], *, subscription: str, resource_group: str, location: str
) -> Parcel:
    """The export in a folder. Raises ``InvalidInput`` for another kind, and for values that are unknown or missing."""
    template = _json(folder / "template.json")
    declared = template.get("parameters") or {}
    for name in given:
        if name not in declared:
            message = f"--parameter {name}: the template in {folder.as_posix()!r} has no such parameter"
            raise InvalidInput(message, hint=did_you_mean(name, declared) or "It has none.")
    definition = read_definition(
        folder, given, subscription=subscription, resource_group=resource_group, location=location
    )
    if not isinstance(definition, _KINDS[kind]):
        other = next(one for one in _KINDS if one != kind)
        message = f"{folder.as_posix()!r} holds {_WORDS[type(definition)]}"
        raise InvalidInput(message, hint=f"Deploy it with %aml {other} deploy.")
    if definition.missing:
        named = " ".join(f"--parameter {name}=..." for name in definition.missing)
        message = f"the template's parameters have no value: {', '.join(definition.missing)}"
        raise InvalidInput(message, hint=f"Give them on the line ({named}) or in parameters.json.")
    roles = folder / "roles.json"
    return Parcel(
        folder=folder,
        template=template,
        values={**_values(folder), **given},
        definition=definition,
        roles=_json(roles) if roles.is_file() else None,
    )


def value_in_file(folder: Path, name: str) -> str:
    """The value that ``parameters.json`` has for a parameter; empty when it has none."""
    return str(_values(folder).get(name) or "")


def _values(folder: Path) -> dict[str, Any]:
    file = folder / "parameters.json"
    found = (_json(file).get("parameters") or {}) if file.is_file() else {}
    return {name: one["value"] for name, one in found.items() if isinstance(one, dict) and "value" in one}


def _json(file: Path) -> Json:
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        message = f"there is no file {file.as_posix()!r}"
        raise NotFound(message, hint="Name the folder of an export, as %aml export made it.") from None
    except (OSError, ValueError) as error:
        message = f"{file.as_posix()!r} cannot be read as JSON: {error}"
        raise InvalidInput(message, hint="Export it again, or correct it.") from None
    if not isinstance(found, dict):
        message = f"{file.as_posix()!r} is no JSON object"
        raise InvalidInput(message, hint="Export it again.")
    return found
