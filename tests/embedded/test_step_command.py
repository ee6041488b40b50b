"""A step is given its values on the command line and in the environment, wherever they come from."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.embedded.code import materialise
from aml_magics.embedded.command import step_spec
from aml_magics.embedded.step import LOG, run_step
from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import Literal, PipelineDefinition, PipelineInput, StepDefinition, StepOutput
from aml_magics.model.resources import DataPath, DataPathParameter, Parameter, Run
from aml_magics.wire.pipeline_cell import pipeline_from_source

PREPARE = StepDefinition(name="prepare", command="x", outputs=("rows",))
TRAIN = StepDefinition(
    name="train",
    command="train ${{inputs.rate}} '${{outputs.model}}'",
    inputs={
        "rate": PipelineInput("learning_rate"),
        "flag": Literal(True),
        "data": PipelineInput("input_data"),
        "rows": StepOutput("prepare", "rows"),
    },
    outputs=("model",),
    environment_variables={"MINE": "1", "AZUREML_RUN_ID": "not mine to set"},
    timeout=9,
)
DEFINITION = PipelineDefinition(
    name="p",
    steps=(PREPARE, TRAIN),
    parameters=(Parameter("learning_rate", 0.1), Parameter("unused", "default")),
    data_paths=(DataPathParameter("input_data"), DataPathParameter("other", DataPath("store", "o"))),
)


def spec(
    run: Run, step: StepDefinition = TRAIN, definition: PipelineDefinition = DEFINITION, root: Path = Path("/runs")
):
    return step_spec(
        run,
        definition,
        step,
        runs_folder=root,
        code="/code/abc",
        python="/usr/bin/python9",
        resolve=lambda place: f"/data/{place.datastore}/{place.path}",
    )


def run_of(**fields) -> Run:
    return Run(id="r1", experiment_name="E", pipeline_id="p", **fields)


def test_everything_a_step_is_promised_is_in_its_spec():
    made = spec(run_of(parameters={"learning_rate": 0.5}, data_paths={"input_data": DataPath("store", "a b.csv")}))
    assert made.folder == "/runs/r1/train"
    assert made.command == "train \"${AZURE_ML_INPUT_rate}\" ''\"${AZURE_ML_OUTPUT_model}\"''"
    assert (made.code, made.python, made.outputs, made.timeout) == ("/code/abc", "/usr/bin/python9", ("model",), 9)
    assert made.environment == {
        "MINE": "1",
        "AZUREML_RUN_ID": "r1",
        "AZUREML_EXPERIMENT_NAME": "E",
        "AML_PARAMETER_learning_rate": "0.5",
        "AML_PARAMETER_unused": "default",
        "AZUREML_DATAREFERENCE_input_data": "/data/store/a b.csv",
        "AZUREML_DATAREFERENCE_other": "/data/store/o",
        "AZURE_ML_INPUT_rate": "0.5",
        "AZURE_ML_INPUT_flag": "True",
        "AZURE_ML_INPUT_data": "/data/store/a b.csv",
        "AZURE_ML_INPUT_rows": "/runs/r1/prepare/outputs/rows",
        "AZURE_ML_OUTPUT_model": "/runs/r1/train/outputs/model",
    }


def test_a_data_path_without_a_value_is_missed_only_by_the_step_that_takes_it():
    assert "AZUREML_DATAREFERENCE_input_data" not in spec(run_of(), PREPARE).environment
    with pytest.raises(InvalidInput, match="the data path 'input_data' has no value in this run"):
        spec(run_of())


CELL = """
import os, sys
names = ("AML_PARAMETER_text", "AZURE_ML_INPUT_text", "AZUREML_DATAREFERENCE_data")
sys.stdout.write(repr((sys.argv[1:], [os.environ[name] for name in names])))
"""


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_any_text_reaches_the_argv_and_the_environment_of_a_cell(tmp_path_factory, value):
    root = tmp_path_factory.mktemp("run")
    definition = pipeline_from_source(
        CELL, name="cell", parameters=(Parameter("text", "x"),), data_paths=(DataPathParameter("data"),)
    )
    place = DataPath("s", value)
    made = step_spec(
        run_of(parameters={"text": value}, data_paths={"data": place}),
        definition,
        definition.steps[0],
        runs_folder=root,
        code=str(materialise(definition.steps[0].code, root / "code")),
        python=sys.executable,
        resolve=lambda place: place.path,
    )
    assert run_step(made).exit_code == 0
    written = Path(made.folder, LOG).read_text(encoding="utf-8")
    assert ast.literal_eval(written) == (["--text", value, "--data", value], [value, value, value])
