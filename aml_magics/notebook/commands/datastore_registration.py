"""``%aml datastore register``, ``unregister`` and ``set-default``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aml_magics.model.errors import Conflict, InvalidInput, did_you_mean
from aml_magics.model.secret import Secret
from aml_magics.notebook import datastore_tables, values
from aml_magics.notebook.nouns.datastore import REGISTER
from aml_magics.notebook.views import View

if TYPE_CHECKING:
    from aml_magics.model.resources import Datastore
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.grammar import Option

__all__ = ["register", "set_default", "unregister"]

_OPTIONS = {option.key: option for option in REGISTER.options if option.key != "dry_run"}
_KEYS = {spelling.lstrip("-").replace("-", "_"): one.key for one in _OPTIONS.values() for spelling in one.spellings}
_FROM_ENVIRONMENT = "env:"


def register(call: Call) -> View:
    """Register a datastore, or say what would be registered."""
    options = _options(call)
    name = options.pop("name")
    datastores = call.workspace.datastores
    if call.is_dry_run:
        is_default = options.pop("default", False)
        if options.pop("create_if_not_exists", False):  # then there is perhaps nothing to look at yet
            options["skip_validation"] = True
        found = datastores.plan(name, **options)
        return _shown(found, f"Would be registered: {found.name}", is_default=is_default)
    found = datastores.register(name, **options)
    call.remember("datastore", [found.name])
    return _shown(found, f"Registered the datastore {found.name}", is_default=found.is_default)


def unregister(call: Call) -> View:
    """Forget a datastore."""
    datastores = call.workspace.datastores
    if call.is_dry_run:
        found = datastores.get(call.get("name_or_id"))
        if found.is_default:
            hint = "Make another one the default first."
            raise Conflict(f"datastore {found.name!r} is the default one", hint=hint)
        return _shown(found, f"Would be forgotten: {found.name}")
    found = datastores.unregister(call.get("name_or_id"))
    return _shown(found, f"Forgotten: the datastore {found.name}", notes=["What lies in it stays."])


def set_default(call: Call) -> View:
    """Make a datastore the default one."""
    datastores = call.workspace.datastores
    before = datastores.default()
    if call.is_dry_run:
        found = datastores.get(call.get("name_or_id"))
        return _shown(found, f"Would be the default datastore: {found.name}", notes=[_undo(before)])
    found = datastores.set_default(call.get("name_or_id"))
    call.remember("datastore", [found.name])
    return _shown(found, f"The default datastore is now {found.name}", is_default=True, notes=[_undo(before)])


def _undo(before: Datastore) -> str:
    return f"To undo: %aml datastore set-default {before.name}"


def _shown(found: Datastore, title: str, *, is_default: bool = False, notes: list[str] | None = None) -> View:
    fields = [*datastore_tables.facts_of(found), ("default", "yes" if is_default else "")]
    return View(title, value=found, fields=fields, notes=notes or [])


def _options(call: Call) -> dict[str, Any]:
    """The line and the body together, secrets as ``Secret``. Raises InvalidInput for a key that is unknown or twice."""
    given = {key: value for key, value in call.arguments.items() if key != "dry_run"}
    for written, value in call.yaml_body().items():
        key = _KEYS.get(written.replace("-", "_"))
        if key is None:
            raise InvalidInput(f"A datastore has no {written!r}", hint=did_you_mean(written, _KEYS))
        if key in given:
            raise InvalidInput(f"{key} is given twice", hint="Give it once, on the line or in the cell.")
        given[key] = _read(_OPTIONS[key], key, value, call.body or "")
    return {
        key: _secret(call, key, value) if isinstance(value, values.GivenSecret) else value
        for key, value in given.items()
    }


def _read(option: Option, key: str, value: object, body: str) -> object:
    """A value of the body, as the line would have read it."""
    if option.is_secret:
        return values.secret(key, value, is_typed=isinstance(value, str) and value in body)
    return option.read(key, value) if option.value else values.truth(key, value)


def _secret(call: Call, key: str, given: values.GivenSecret) -> Secret:
    """The secret, which ``env:NAME`` takes from the environment. One that was typed is worth a note."""
    text = given.secret.reveal()
    if text.startswith(_FROM_ENVIRONMENT):
        return _from(os.environ, key, text.removeprefix(_FROM_ENVIRONMENT))
    if given.is_typed:
        way_out = f"use --{_OPTIONS[key].name} {_OPTIONS[key].value}"
        call.notes.append(f"The {key.replace('_', ' ')} stands in this cell, so a saved notebook holds it: {way_out}.")
    return given.secret


def _from(environment: Mapping[str, str], key: str, name: str) -> Secret:
    text = environment.get(name, "").strip()
    if not text:
        message = f"{key}: there is no environment variable {name!r}"
        raise InvalidInput(message, hint="Set it before the kernel starts, or in os.environ.")
    return Secret(text)
