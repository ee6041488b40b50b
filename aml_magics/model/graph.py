"""What a published pipeline does: its parameters, its steps, and what flows between them.

A ``PipelineDefinition`` is checked when it is made, so that whoever holds one can run it: every name is valid and used
once, every reference leads somewhere, no step waits for itself. What is wrong is an ``InvalidInput`` of one line that
names the step. The values are written by ``wire/`` (YAML, a cell) and walked by ``embedded/``.

Names of parameters, inputs and outputs are identifiers because they become parts of environment variables; a step's
name may hold ``-`` as well and becomes a folder, so two names that differ only in case are one too many.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.expressions import NAME, command_references, shell_text
from aml_magics.model.resources import DataPath

if TYPE_CHECKING:
    from aml_magics.model.resources import DataPathParameter, Parameter, ParameterValue

__all__ = [
    "CODE_LIMIT",
    "Binding",
    "Literal",
    "PipelineDefinition",
    "PipelineInput",
    "StepDefinition",
    "StepOutput",
    "check_signature",
    "order",
]

CODE_LIMIT = 20 * 2**20  # bytes of code a step: it travels as base64 inside one JSON request
LONGEST_NAME = 255  # characters of a pipeline's name, as of an experiment's
_IDENTIFIER = re.compile(NAME)
_STEP_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written into the step itself."""

    value: ParameterValue


@dataclass(frozen=True, slots=True)
class PipelineInput:
    """``${{parent.inputs.name}}``: a parameter or a data path of the pipeline."""

    name: str


@dataclass(frozen=True, slots=True)
class StepOutput:
    """``${{parent.jobs.step.outputs.output}}``: the folder that another step fills."""

    step: str
    output: str


Binding = Literal | PipelineInput | StepOutput | DataPath  # a DataPath: a place that is the same in every run


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """One command with its code. ``code`` maps relative ``/`` paths to contents; ``timeout`` is in seconds.

    Raises ``InvalidInput`` for names, paths and expressions that cannot work.
    """

    name: str
    command: str
    code: Mapping[str, bytes] = field(default_factory=dict)
    inputs: Mapping[str, Binding] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None

    def __post_init__(self) -> None:
        if not (_is_text(self.name) and _STEP_NAME.fullmatch(self.name)):
            hint = "Use letters, digits, _ and -, at most 100, and begin with a letter."
            raise InvalidInput(f"{self.name!r} cannot be a step's name", hint=hint)
        try:
            _check_command(self)
            _check_names("an", "input", self.inputs)
            _check_names("an", "output", self.outputs)
            _check_code(self.code)
            _check_environment(self.environment_variables)
            _check_timeout(self.timeout)
        except InvalidInput as error:
            raise InvalidInput(f"step {self.name!r}: {error.message}", hint=error.hint) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineDefinition:
    """A whole pipeline, ready to be published. ``steps`` stay in the order in which they were written."""

    name: str
    description: str = ""
    version: str = ""
    parameters: tuple[Parameter, ...] = ()
    data_paths: tuple[DataPathParameter, ...] = ()
    steps: tuple[StepDefinition, ...]
    continue_on_step_failure: bool = False

    def __post_init__(self) -> None:
        check_signature(self.name, self.parameters, self.data_paths)
        for what, text in {"description": self.description, "version": self.version}.items():
            if not isinstance(text, str):
                raise InvalidInput(f"pipeline {self.name!r}: its {what} {text!r} is not text", hint="Put it in quotes.")
        if not isinstance(self.continue_on_step_failure, bool):
            message = f"continue_on_step_failure: {self.continue_on_step_failure!r} is neither True nor False"
            raise InvalidInput(f"pipeline {self.name!r}: {message}", hint="Write one of the two, without quotes.")
        if not self.steps:
            raise InvalidInput(f"pipeline {self.name!r} has no steps", hint="Give it one step at least.")
        inputs = [parameter.name for parameter in self.parameters] + [path.name for path in self.data_paths]
        _check_step_names([step.name for step in self.steps])
        outputs = {step.name: step.outputs for step in self.steps}
        for step in self.steps:
            for name, binding in step.inputs.items():
                _check_binding(f"step {step.name!r}: input {name!r}", binding, inputs, outputs)
        order(self.steps)


def check_signature(name: str, parameters: Sequence[Parameter], data_paths: Sequence[DataPathParameter]) -> None:
    """What a pipeline shows to whoever submits it: its name, its parameters with their defaults, its data paths.

    Raises ``InvalidInput``. A ``PipelineDefinition`` checks it itself; whoever makes steps out of the same names
    checks them before, so that the message is about the name and not about the step.
    """
    if not isinstance(name, str):
        raise InvalidInput(f"{name!r} cannot be a pipeline's name", hint="Give it as text, for example 'train'.")
    if not name.strip():
        raise InvalidInput("a pipeline needs a name", hint="Give it one, for example: train")
    if len(name) > LONGEST_NAME:
        message = f"the pipeline's name {name[:20]!r}... has {len(name)} characters"
        raise InvalidInput(message, hint=f"Use at most {LONGEST_NAME}; a longer text is a description.")
    if not name.isprintable():
        raise InvalidInput(f"{name!r} cannot be a pipeline's name", hint="Give it some plain text on one line.")
    names = [parameter.name for parameter in parameters]
    _check_names("a", "parameter", names)
    paths = [path.name for path in data_paths]
    _check_names("a", "data path", paths)
    _check_names("a", "pipeline input", names + paths)
    for parameter in parameters:
        _check_default(parameter)


def order(steps: Sequence[StepDefinition]) -> dict[str, frozenset[str]]:
    """Step name -> names of the steps that it needs, in an order in which they can run; ties stay as written.

    Raises ``InvalidInput`` that names a cycle.
    """
    needs = {step.name: frozenset(_needed(step)) for step in steps}
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        way = " -> ".join(error.args[1])
        raise InvalidInput(f"these steps wait for each other: {way}", hint="Break the circle of outputs.") from None
    position = {name: index for index, name in enumerate(needs)}
    ordered: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        ordered += ready
        sorter.done(*ready)
    return {name: needs[name] for name in ordered}


def _is_text(value: object) -> bool:
    # A definition is written in Python too, where an annotation stops nobody.
    return isinstance(value, str)


def _needed(step: StepDefinition) -> Iterable[str]:
    return (binding.step for binding in step.inputs.values() if isinstance(binding, StepOutput))


def _check_command(step: StepDefinition) -> None:
    if not _is_text(step.command) or not step.command.strip() or "\0" in step.command:
        raise InvalidInput("it has no command", hint="For example: python train.py")
    known = {"inputs": list(step.inputs), "outputs": list(step.outputs)}
    for reference in command_references(step.command):
        if reference.name not in known[reference.kind]:
            message = f"its command uses {reference}, which is not one of its {reference.kind}"
            hint = did_you_mean(reference.name, known[reference.kind])
            raise InvalidInput(message, hint=hint or f"Name it under {reference.kind}: of the step.")
    shell_text(step.command)


def _check_default(parameter: Parameter) -> None:
    default = parameter.default
    if type(default) not in (str, int, float, bool):
        message = f"parameter {parameter.name!r}: its default {default!r} is neither text, a number, true nor false"
        raise InvalidInput(message, hint="Give one of these: it says of which type the parameter is.")
    if isinstance(default, float) and not math.isfinite(default):
        message = f"parameter {parameter.name!r}: its default {default} is no finite number"
        raise InvalidInput(message, hint=f"Give a number, or the text '{default}'.")


def _check_names(article: str, what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not _is_text(name) or not _IDENTIFIER.fullmatch(name):
            message = f"{name!r} cannot be the name of {article} {what}"
            raise InvalidInput(message, hint="Use letters, digits and _, and begin with a letter.")
        if name in seen:
            raise InvalidInput(f"two {what}s are called {name!r}", hint="Rename one of them.")
        seen.add(name)


def _check_step_names(names: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if name.casefold() in seen:
            message = f"two steps are called {seen[name.casefold()]!r} and {name!r}"
            raise InvalidInput(message, hint="Rename one of them; upper and lower case do not count.")
        seen[name.casefold()] = name


def _check_code(code: Mapping[str, bytes]) -> None:
    for path in code:
        pure = PurePosixPath(path)
        plain = path == str(pure) and not pure.is_absolute() and path != "." and ".." not in pure.parts
        if not plain or "\\" in path or "\0" in path:
            raise InvalidInput(f"its code has a file at {path!r}", hint="Use relative paths with / inside the folder.")
        for folder in map(str, pure.parents):
            if folder in code:
                raise InvalidInput(
                    f"its code has {folder!r} both as a file and as a folder", hint="Rename one of them."
                )
    size = sum(map(len, code.values()))
    if size > CODE_LIMIT:
        message = f"its code is {size / 2**20:.1f} MiB; the limit is {CODE_LIMIT // 2**20} MiB a step"
        raise InvalidInput(message, hint="Keep data out of the code folder: put it on a datastore.")


def _check_environment(variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        if not _IDENTIFIER.fullmatch(name):
            raise InvalidInput(f"{name!r} cannot be an environment variable", hint="Use letters, digits and _.")
        if "${{" in value:
            hint = "Each input is there already as AZURE_ML_INPUT_<name>."
            raise InvalidInput(f"environment variable {name!r} holds an expression", hint=hint)
        if "\0" in value:
            raise InvalidInput(f"environment variable {name!r} holds a NUL character", hint="Take it out.")


def _check_timeout(seconds: object) -> None:
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise InvalidInput(f"its timeout is {seconds!r}", hint="Give a number of seconds, more than 0.")


def _check_binding(where: str, binding: Binding, inputs: Sequence[str], outputs: Mapping[str, tuple[str, ...]]) -> None:
    if isinstance(binding, PipelineInput) and binding.name not in inputs:
        message = f"{where} takes ${{{{parent.inputs.{binding.name}}}}}, but the pipeline has no such input"
        hint = did_you_mean(binding.name, inputs)
        raise InvalidInput(message, hint=hint or "Name it under inputs: of the pipeline, with its default.")
    if isinstance(binding, StepOutput):
        if binding.step not in outputs:
            message = f"{where} takes an output of step {binding.step!r}, which is not there"
            raise InvalidInput(message, hint=did_you_mean(binding.step, outputs))
        if binding.output not in outputs[binding.step]:
            message = f"{where} takes output {binding.output!r} of step {binding.step!r}, which has no such output"
            hint = did_you_mean(binding.output, outputs[binding.step])
            raise InvalidInput(message, hint=hint or "Name it under outputs: of that step.")
