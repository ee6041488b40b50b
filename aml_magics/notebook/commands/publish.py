"""``%aml pipeline publish``: a Python cell as a pipeline of one step, or a pipeline in YAML.

A body that looks like pipeline YAML (a top-level line ``jobs:``) is YAML unless it is Python that does something, so a
YAML pipeline is never taken for a script, be it broken or be it one that compiles. Neither is expanded.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from aml_magics.client.code_folder import code_reader
from aml_magics.client.names import is_experiment_name
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.resources import DataPathParameter, Parameter
from aml_magics.notebook import tables
from aml_magics.notebook.commands.files import read_file
from aml_magics.notebook.commands.pipeline import fields_of
from aml_magics.notebook.commands.shared import raw_values
from aml_magics.notebook.values import Given, data_path, inferred, text
from aml_magics.notebook.views import View
from aml_magics.notebook.words import spelled
from aml_magics.wire.pipeline_cell import pipeline_from_source
from aml_magics.wire.pipeline_yaml import is_pipeline_yaml, read_pipeline
from aml_magics.wire.values import parameter_value
from aml_magics.wire.yaml_text import load_yaml_mapping

if TYPE_CHECKING:
    from aml_magics.model.graph import PipelineDefinition
    from aml_magics.model.resources import Pipeline
    from aml_magics.notebook.call import Call

__all__ = ["publish"]

_Read = tuple["PipelineDefinition", tuple[str, ...]]  # and what the reading has to say


def publish(call: Call) -> View:
    """Publish the cell, or the file of ``--file``."""
    definition, notes = _definition(call)
    if call.is_dry_run:
        fields = [
            ("steps", ", ".join(step.name for step in definition.steps)),
            ("parameters", ", ".join(map(tables.parameter_text, definition.parameters))),
            ("data paths", ", ".join(one.name for one in definition.data_paths)),
        ]
        return View(f"Would publish the pipeline {definition.name}", value=definition, fields=fields, notes=notes)
    before = {one.id for one in call.workspace.pipelines.list(active_only=False)}
    with call.progress(f"Publishing {definition.name}"):
        found = call.workspace.pipelines.publish(definition)
    call.remember("pipeline", [found.name])
    sections = {"parameters": tables.parameters(call, found)} if found.parameters or found.data_paths else {}
    return View(
        f"The pipeline {found.name} is there already" if found.id in before else f"Published pipeline {found.name}",
        value=found,
        fields=fields_of(call, found),
        sections=sections,
        notes=[*notes, f"Run it: %aml pipeline submit {_to_submit(found)}"],
    )


def _to_submit(found: Pipeline) -> str:
    """What a line needs after ``submit``: the name, and what the run cannot do without."""
    needed = [f" --data-path {one.name}=DATASTORE/PATH" for one in found.data_paths if one.default is None]
    experiment = "" if is_experiment_name(found.name) else " --experiment NAME"
    return "".join((spelled(found.name), experiment, *needed))


def _definition(call: Call) -> _Read:
    file = call.get("file")
    if file is not None and call.body is not None:
        hint = "Leave out --file, or use %aml with one percent sign."
        raise InvalidInput("A file and a cell are two pipelines", hint=hint)
    if file is not None:
        return _from_file(call, file)
    if call.body is None:
        hint = "Put Python or pipeline YAML into a %%aml cell, or name a file with --file."
        raise InvalidInput("There is nothing to publish", hint=hint)
    if is_pipeline_yaml(call.body) and not _is_python(call.body):
        return _from_yaml(call, "\n" + call.body, Path(), "cell")  # lines count as the editor does, from the magic on
    return _from_python(call, call.body, call.get("name", ""))


def _from_file(call: Call, file: object) -> _Read:
    if not isinstance(file, str | PurePath) or not str(file):
        raise InvalidInput(f"--file is the name of a file, not {file!r}", hint="Write for example --file pipeline.yml.")
    path = Path(file).expanduser()
    try:
        body = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name} is not UTF-8 text", hint="Save it as UTF-8.") from error
    if path.suffix == ".py":
        return _from_python(call, body, call.get("name", path.stem))
    return _from_yaml(call, body, path.parent, path.name)


def _from_yaml(call: Call, body: str, folder: Path, what: str) -> _Read:
    definition, notes = read_pipeline(body, read_code=code_reader(folder), name=call.get("name", ""), what=what)
    return replace(definition, **_changes(call, definition)), notes


def _changes(call: Call, definition: PipelineDefinition) -> dict[str, Any]:
    """What the line says beside the YAML: description, version, failure policy, and defaults of its parameters."""
    options = ("description", "version", "continue_on_step_failure")
    changes = {key: call.get(key) for key in options if key in call.arguments}
    parameters = {one.name: one for one in definition.parameters}
    for name, value in raw_values(call.get("parameter", {}), "--parameter").items():
        if name not in parameters:
            hint = did_you_mean(name, parameters) or "Write it under inputs: in the YAML."
            raise InvalidInput(f"The pipeline has no parameter {name!r}", hint=hint)
        default = parameters[name].default
        parameters[name] = Parameter(
            name,
            parameter_value(text(name, value) if not isinstance(value, int | float) else str(value), default, name),
        )
    data_paths = {one.name: one for one in definition.data_paths}
    for one in _data_paths(call):
        if one.name not in data_paths:
            hint = did_you_mean(one.name, data_paths) or "Write it under inputs: in the YAML, with type: uri_folder."
            raise InvalidInput(f"The pipeline has no data path {one.name!r}", hint=hint)
        data_paths[one.name] = one
    return changes | {"parameters": tuple(parameters.values()), "data_paths": tuple(data_paths.values())}


def _from_python(call: Call, body: str, name: str) -> _Read:
    if not name:
        raise InvalidInput("The pipeline needs a name", hint="Write %%aml pipeline publish NAME.")
    definition = pipeline_from_source(
        body,
        name=name,
        parameters=tuple(_parameter(each, given) for each, given in call.get("parameter", {}).items()),
        data_paths=_data_paths(call),
        description=call.get("description", ""),
        version=call.get("version", ""),
        continue_on_step_failure=call.get("continue_on_step_failure", False),
    )
    return definition, ()


def _is_python(body: str) -> bool:
    """Whether it is a script: ``jobs: list = []`` is, a line ``jobs:`` is not, nor is ``jobs: {}``, which compiles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(body, "cell", "exec", dont_inherit=True)
            statements = ast.parse(body).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    # To Python, `key: value` is a variable's type and does nothing.
    if not all(isinstance(one, ast.AnnAssign) and one.value is None for one in statements):
        return True
    try:
        loaded = load_yaml_mapping(body)
    except InvalidInput:
        return False
    return not isinstance(loaded.get("jobs"), Mapping) and loaded.get("type") != "pipeline"


def _parameter(name: str, given: Given | None) -> Parameter:
    _check_name("parameter", name)
    if given is None:
        raise InvalidInput(f"The parameter {name!r} has no default", hint=f"Write --parameter {name}=VALUE.")
    is_text = given.is_quoted and isinstance(given.value, str)
    return Parameter(name, text(name, given.value) if is_text else inferred(given.value))


def _data_paths(call: Call) -> tuple[DataPathParameter, ...]:
    pairs: Mapping[str, Given | None] = call.get("data_path", {})
    for name in pairs:
        _check_name("data path", name)
    return tuple(
        DataPathParameter(name, data_path(f"The data path {name!r}", given.value) if given else None)
        for name, given in pairs.items()
    )


def _check_name(what: str, name: str) -> None:
    # It becomes an option of the step's command line and part of an environment variable.
    if not (name.isascii() and name.isidentifier()):
        hint = "Use letters, digits and _, and begin with a letter."
        raise InvalidInput(f"{name!r} cannot be the name of a {what}", hint=hint)
