"""What the process of a step is given: its command and its environment.

Every value reaches the process by its environment; the command line refers to that (``model/expressions.py`` says why).
The variables, by what they hold::

    AML_PARAMETER_<name>            each parameter of the pipeline, as text
    AZUREML_DATAREFERENCE_<name>    the local path of each data path of the pipeline
    AZURE_ML_INPUT_<name>           each input of the step
    AZURE_ML_OUTPUT_<name>          the folder of each output of the step
    AZUREML_RUN_ID, AZUREML_EXPERIMENT_NAME
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aml_magics.embedded.step import StepSpec, output_folder, step_folder
from aml_magics.model.errors import InvalidInput
from aml_magics.model.expressions import input_variable, output_variable, shell_text
from aml_magics.model.graph import Binding, Literal, PipelineDefinition, PipelineInput, StepDefinition
from aml_magics.model.resources import DataPath, ParameterValue, Run

__all__ = ["Find", "Resolve", "local_places", "step_spec"]

Resolve = Callable[[DataPath], str]  # the local path of a place on a datastore
Find = Callable[[DataPath, Path], Awaitable[str]]  # the same, in the run's folder if need be; raises AmlError


async def local_places(
    run: Run, definition: PipelineDefinition, step: StepDefinition, *, run_folder: Path, find: Find
) -> dict[DataPath, str]:
    """The local paths of all places on datastores that a step is told of. Raises what ``find`` raises."""
    given = (run.data_paths.get(one.name, one.default) for one in definition.data_paths)
    bound = (binding for binding in step.inputs.values() if isinstance(binding, DataPath))
    wanted = dict.fromkeys(place for place in (*given, *bound) if place is not None)
    return {place: await find(place, run_folder) for place in wanted}


def step_spec(
    run: Run,
    definition: PipelineDefinition,
    step: StepDefinition,
    *,
    runs_folder: Path,
    code: str,
    python: str,
    resolve: Resolve,
) -> StepSpec:
    """Everything that ``run_step`` needs for one step of a run; ``code`` is the folder of its code, ``""`` for none.

    Raises ``InvalidInput`` for an input without a value, and what ``resolve`` raises.
    """
    values = _pipeline_values(run, definition, resolve)
    variables = {"AZUREML_RUN_ID": run.id, "AZUREML_EXPERIMENT_NAME": run.experiment_name}
    for parameter in definition.parameters:
        variables[f"AML_PARAMETER_{parameter.name}"] = values[parameter.name]
    for data_path in definition.data_paths:
        if data_path.name in values:
            variables[f"AZUREML_DATAREFERENCE_{data_path.name}"] = values[data_path.name]
    for name, binding in step.inputs.items():
        variables[input_variable(name)] = _input_value(binding, values, runs_folder / run.id, resolve)
    folder = step_folder(runs_folder, run.id, step.name)
    for name in step.outputs:
        variables[output_variable(name)] = str(output_folder(folder, name))
    return StepSpec(
        folder=str(folder),
        command=shell_text(step.command),
        code=code,
        environment={**step.environment_variables, **variables},
        outputs=step.outputs,
        python=python,
        timeout=step.timeout,
    )


def _pipeline_values(run: Run, definition: PipelineDefinition, resolve: Resolve) -> dict[str, str]:
    """Each input of the pipeline as text; a data path that has no value is left out."""
    values = {one.name: _text(run.parameters.get(one.name, one.default)) for one in definition.parameters}
    for data_path in definition.data_paths:
        place = run.data_paths.get(data_path.name, data_path.default)
        if place is not None:
            values[data_path.name] = resolve(place)
    return values


def _input_value(binding: Binding, values: Mapping[str, str], run_folder: Path, resolve: Resolve) -> str:
    if isinstance(binding, Literal):
        return _text(binding.value)
    if isinstance(binding, DataPath):
        return resolve(binding)
    if isinstance(binding, PipelineInput):
        if binding.name not in values:
            hint = (
                f"Submit with a place for it, or publish it with a default (--data-path {binding.name}=DATASTORE/PATH)."
            )
            raise InvalidInput(f"the data path {binding.name!r} has no value in this run", hint=hint)
        return values[binding.name]
    return str(output_folder(run_folder / binding.step, binding.output))


def _text(value: ParameterValue) -> str:
    return str(value)  # as the SDK sends it over the wire: True, 1.5
