"""The ``jobs`` of a v2 pipeline, read into ``StepDefinition``: one command each, with code, inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from aml_magics.model.errors import InvalidInput, NotFound, did_you_mean
from aml_magics.model.expressions import NAME
from aml_magics.model.graph import Binding, Literal, PipelineInput, StepDefinition, StepOutput
from aml_magics.wire.yaml_section import Section

__all__ = ["DATA_TYPES", "read_job"]

DATA_TYPES = ("uri_file", "uri_folder")
_FOLDER_TYPES = ("uri_folder", "mltable", "mlflow_model", "custom_model")

_UNUSED = {
    "$schema": "",
    "name": "",
    "display_name": "",
    "description": "",
    "tags": "",
    "properties": "",
    "experiment_name": "the experiment is named when a run is submitted",
    "environment": "steps run with this kernel's own Python",
    "compute": "steps run on this machine",
    "resources": "steps run on this machine",
    "queue_settings": "steps run on this machine",
    "identity": "steps run as you",
    "services": "a step offers none",
}
_REFUSED = {
    "component": "write the component's command into the job",
    "distribution": "a step is one command, started once",
    "jobs": "a pipeline cannot hold another one",
    "trial": "a step is one command, started once",
}
_PARENT_INPUT = re.compile(rf"\$\{{\{{\s*parent\.inputs\.({NAME})\s*\}}\}}")
_STEP_OUTPUT = re.compile(rf"\$\{{\{{\s*parent\.jobs\.([A-Za-z0-9_-]+)\.outputs\.({NAME})\s*\}}\}}")
_PARENT_OUTPUT = re.compile(rf"\$\{{\{{\s*parent\.outputs\.({NAME})\s*\}}\}}")


def read_job(
    name: str, jobs: Section, pipeline_outputs: Sequence[str], read_code: Callable[[str], Mapping[str, bytes]]
) -> StepDefinition:
    """Take one job out of the ``jobs`` section. Raises ``InvalidInput`` with the place of what is wrong."""
    job = jobs.section(name)
    kind = job.text("type", "command")
    job.refuse(_REFUSED)
    if kind != "command":
        raise job.wrong(f"jobs of type {kind!r} are not supported", "Only  type: command  is.")
    command = job.text("command")
    code = _read_code(job, read_code)
    inputs = _read_inputs(job.section("inputs"))
    outputs = _read_outputs(job.section("outputs"), pipeline_outputs)
    variables = _read_variables(job.section("environment_variables"))
    limits = job.section("limits")
    timeout = limits.number("timeout")
    limits.close()
    job.ignore(_UNUSED)
    job.close()
    try:
        return StepDefinition(
            name=name,
            command=command,
            code=code,
            inputs=inputs,
            outputs=outputs,
            environment_variables=variables,
            timeout=timeout,
        )
    except InvalidInput as error:
        raise jobs.wrong(error.message, error.hint) from error


def _read_code(job: Section, read_code: Callable[[str], Mapping[str, bytes]]) -> Mapping[str, bytes]:
    folder = job.text("code")
    try:
        return read_code(folder) if folder else {}
    except (InvalidInput, NotFound) as error:
        raise type(error)(f"{job.where}: {error.message}", hint=error.hint) from error


def _read_inputs(inputs: Section) -> dict[str, Binding]:
    return {name: _read_input(inputs, name) for name in inputs.names()}


def _read_input(inputs: Section, name: str) -> Binding:
    value = inputs.take(name)
    if isinstance(value, dict):
        value = _read_data_input(Section(value, f"{inputs.where}.{name}", inputs.notes))
    if isinstance(value, str) and "${{" in value:
        return _expression(inputs, name, value)
    if isinstance(value, str | int | float):
        return Literal(value)
    raise inputs.wrong(f"{name} has no value", "Give it a value or an expression such as ${{parent.inputs.NAME}}.")


def _read_data_input(section: Section) -> str:
    kind = section.text("type", "uri_folder")
    section.ignore({"mode": ""})
    path = section.text("path")
    section.close()
    if kind not in (*DATA_TYPES, *_FOLDER_TYPES):
        raise section.wrong(
            f"inputs of type {kind!r} are not supported here", f"Supported are {', '.join(DATA_TYPES)}."
        )
    if "${{" not in path:
        hint = "Declare it under the inputs of the pipeline and write ${{parent.inputs.NAME}} here."
        raise section.wrong("a step cannot name data of its own", hint)
    return path


def _expression(inputs: Section, name: str, text: str) -> Binding:
    text = text.strip()
    if match := _PARENT_INPUT.fullmatch(text):
        return PipelineInput(match[1])
    if match := _STEP_OUTPUT.fullmatch(text):
        return StepOutput(match[1], match[2])
    hint = "An input takes ${{parent.inputs.NAME}} or ${{parent.jobs.STEP.outputs.NAME}}, and nothing around it."
    raise inputs.wrong(f"{name} cannot be {text!r}", hint)


def _read_outputs(outputs: Section, pipeline_outputs: Sequence[str]) -> tuple[str, ...]:
    names = outputs.names()
    for name in names:
        value = outputs.take(name)
        if isinstance(value, str):
            _check_parent_output(outputs, value, pipeline_outputs)
            continue
        section = Section(value, f"{outputs.where}.{name}", outputs.notes)
        kind = section.text("type", "uri_folder")
        if kind not in _FOLDER_TYPES:
            raise section.wrong(f"outputs of type {kind!r} are not supported: an output is a folder", "Use uri_folder.")
        section.ignore({"mode": "", "description": ""})
        if path := section.text("path"):
            if "${{" not in path:
                raise section.wrong("an output cannot name its place: it is a folder of the run", "Leave path out.")
            _check_parent_output(section, path, pipeline_outputs)
        section.close()
    return tuple(names)


def _check_parent_output(place: Section, text: str, pipeline_outputs: Sequence[str]) -> None:
    match = _PARENT_OUTPUT.fullmatch(text.strip())
    if match is None:
        raise place.wrong(
            f"an output cannot be {text!r}", "Write ${{parent.outputs.NAME}}, or {} for a folder of the run."
        )
    if match[1] not in pipeline_outputs:
        hint = did_you_mean(match[1], pipeline_outputs)
        raise place.wrong(f"the pipeline has no output {match[1]!r}", hint)


def _read_variables(section: Section) -> dict[str, str]:
    variables = {}
    for name in section.names():
        value = section.take(name)
        if isinstance(value, bool):
            value = str(value).lower()  # as it was written, or as JSON would have it
        if isinstance(value, float):
            raise section.wrong(f"{name} is the number {value}", "Put it in quotes: 3.10 and 3.1 are the same number.")
        if not isinstance(value, str | int):
            raise section.wrong(f"{name} has no value", 'Write "" for an empty one.')
        variables[name] = str(value)
    return variables
