"""A pipeline written as an Azure ML v2 pipeline job (YAML), read into a ``PipelineDefinition``.

The subset is what a published pipeline of commands can mean (source of the format: "CLI (v2) pipeline job YAML schema"
and "CLI (v2) command job YAML schema"). Three fates for a key:

* read: ``inputs``, ``jobs`` of ``type: command``, ``settings.continue_on_step_failure``, names and descriptions;
* left unused with a note, because the pipeline does the same without it: ``compute``, ``environment``, ...;
* refused by name, because without it the pipeline would do something else: ``component``, ``type: sweep``, ...

Inputs of the pipeline that are ``uri_file`` or ``uri_folder`` become data path parameters, the rest parameters. A
folder named by ``code`` is read by the caller's ``read_code``: nothing here touches a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import PipelineDefinition
from aml_magics.model.resources import DataPath, DataPathParameter, Parameter, ParameterValue
from aml_magics.wire.pipeline_yaml_jobs import DATA_TYPES, read_job
from aml_magics.wire.yaml_section import Section
from aml_magics.wire.yaml_text import load_yaml_mapping

__all__ = ["ReadPipeline", "data_path_from", "is_pipeline_yaml", "read_pipeline"]

# The v2 schema's default, which differs from v1's: steps that do not need the failed one still run.
_CONTINUE_BY_DEFAULT = True

_UNUSED = {
    "$schema": "",
    "tags": "",
    "properties": "",
    "experiment_name": "the experiment is named when a run is submitted",
    "compute": "steps run on this machine",
    "identity": "steps run as you",
}
_UNUSED_SETTINGS = {
    "default_compute": "steps run on this machine",
    "default_datastore": "outputs stay in the folder of the run",
    "force_rerun": "every step runs every time",
}
_REFUSED = {
    "component": "write the steps under jobs",
    "schedule": "create it with %%aml schedule create",
    "trigger": "create it with %%aml schedule create",
}
_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}
_LOOKS = re.compile(r"^(jobs\s*:|type\s*:\s*pipeline\b|\$schema\s*:)", re.MULTILINE)
_URI = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resourcegroups/[^/]+/(?:providers/[^/]+/)?workspaces/[^/]+/)?"
    r"datastores/(?P<datastore>[^/]+)/paths(?:/(?P<path>.*))?",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?P<datastore>[A-Za-z0-9_]+)(?:/(?P<path>[^:]*))?")


class ReadPipeline(NamedTuple):
    """What was read; ``notes`` name, one line each, the keys that were left unused."""

    definition: PipelineDefinition
    notes: tuple[str, ...]


def is_pipeline_yaml(text: str) -> bool:
    """Whether a cell is meant as pipeline YAML rather than as Python: it has a top-level line ``jobs:`` or the like."""
    return _LOOKS.search(text) is not None


def read_pipeline(
    text: str, *, read_code: Callable[[str], Mapping[str, bytes]], name: str = "", what: str = "cell"
) -> ReadPipeline:
    """Read the YAML text of a pipeline.

    ``name`` goes before the text's own ``display_name`` and ``name``; ``read_code`` gets each ``code`` value as written
    and returns relative ``/`` paths to contents. Raises ``InvalidInput`` with the place of what is wrong.
    """
    top = Section(load_yaml_mapping(text, what), what, [])
    _check_type(top)
    top.refuse(_REFUSED)
    display_name, own_name = top.text("display_name"), top.text("name")
    parameters, data_paths = _read_inputs(top.section("inputs"))
    outputs = top.section("outputs")
    jobs = top.section("jobs")
    steps = tuple(read_job(job, jobs, outputs.names(), read_code) for job in jobs.names())
    settings = top.section("settings")
    keep_going = settings.boolean("continue_on_step_failure", _CONTINUE_BY_DEFAULT)
    settings.ignore(_UNUSED_SETTINGS)
    settings.close()
    if outputs.names():
        top.notes.append(f"{outputs.where}: each output stays in the folder of the step that writes it")
    description, version = top.text("description"), top.text("version")
    top.ignore(_UNUSED)
    top.close()
    try:
        definition = PipelineDefinition(
            name=name or display_name or own_name,
            description=description,
            version=version,
            parameters=parameters,
            data_paths=data_paths,
            steps=steps,
            continue_on_step_failure=keep_going,
        )
    except InvalidInput as error:
        raise top.wrong(error.message, error.hint) from error
    return ReadPipeline(definition, tuple(dict.fromkeys(top.notes)))


def data_path_from(text: str) -> DataPath:
    """``azureml://datastores/NAME/paths/PATH`` (also the long form) or ``NAME/PATH``; raises ``InvalidInput``."""
    match = _URI.fullmatch(text) or _PLAIN.fullmatch(text)
    path = (match["path"] or "").strip("/") if match else ""
    if match is None or ".." in path.split("/") or "\0" in path:
        hint = "Write azureml://datastores/NAME/paths/PATH; local files go onto a datastore first."
        raise InvalidInput(f"{text!r} is no place on a datastore", hint=hint)
    return DataPath(match["datastore"], path)


def _check_type(top: Section) -> None:
    kind = top.text("type", "pipeline")
    if kind != "pipeline":
        raise top.wrong(
            f"type is {kind!r}; only pipelines can be published", "Write  type: pipeline  and a jobs: section."
        )


def _read_inputs(inputs: Section) -> tuple[tuple[Parameter, ...], tuple[DataPathParameter, ...]]:
    parameters, data_paths = [], []
    for name in inputs.names():
        value = inputs.take(name)
        if isinstance(value, str) and "${{" in value:
            raise inputs.wrong(f"{name} cannot be an expression", "Give it a value; jobs refer to it.")
        if isinstance(value, str | int | float):
            parameters.append(Parameter(name, value))
            continue
        if not isinstance(value, dict):
            raise inputs.wrong(f"{name} has no value", f"Give it a default, for example  {name}: 0.1")
        section = Section(value, f"{inputs.where}.{name}", inputs.notes)
        kind = section.text("type", "uri_folder")
        section.ignore({"description": ""})
        if kind in DATA_TYPES:
            data_paths.append(DataPathParameter(name, _read_data_path(section)))
        else:
            parameters.append(Parameter(name, _read_default(section, kind)))
        section.close()
    return tuple(parameters), tuple(data_paths)


def _read_data_path(section: Section) -> DataPath | None:
    mode = section.text("mode", "ro_mount")
    if mode not in ("ro_mount", "download"):
        raise section.wrong(f"mode {mode!r} is not supported: a step gets a local path", "Leave mode out.")
    path = section.text("path")
    if not path:
        return None
    try:
        return data_path_from(path)
    except InvalidInput as error:
        raise section.wrong(error.message, error.hint) from error


def _read_default(section: Section, kind: str) -> ParameterValue:
    if kind not in _SCALARS:
        known = ", ".join([*_SCALARS, *DATA_TYPES])
        raise section.wrong(f"inputs of type {kind!r} are not supported", f"Supported are {known}.")
    if section.boolean("optional", default=False):
        raise section.wrong("optional inputs are not supported", "Give it a default.")
    section.ignore(dict.fromkeys(("min", "max", "enum"), "values are not checked against it"))
    default = section.take("default")
    if default is None:
        raise section.wrong("it has no default", "Add  default: ...  to it; a run can still set another value.")
    is_right = isinstance(default, _SCALARS[kind]) and (kind == "boolean") == isinstance(default, bool)
    if not is_right or not isinstance(default, str | int | float):
        raise section.wrong(f"its default {default!r} is no {kind}", "Put it in quotes." if kind == "string" else "")
    return float(default) if kind == "number" else default
