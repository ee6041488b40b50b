"""A v2 pipeline is read for what it does; what cannot be honoured is noted or refused by name."""

from __future__ import annotations

import textwrap

import pytest

from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.graph import Literal, PipelineInput, StepOutput
from aml_magics.model.resources import DataPath, DataPathParameter, Parameter
from aml_magics.wire.pipeline_yaml import data_path_from, is_pipeline_yaml, read_pipeline

WHOLE = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
display_name: train
description: trains and scores
version: 3
experiment_name: ignored
tags: {owner: me}
compute: azureml:cpu-cluster
settings:
  default_compute: azureml:cpu-cluster
  continue_on_step_failure: false
inputs:
  learning_rate: 0.1
  epochs: {type: integer, default: 3}
  rate: {type: number, default: 1}
  title: {type: string, default: "10:30"}
  verbose: {type: boolean, default: true}
  input_data:
    type: uri_file
    path: azureml://datastores/workspaceblobstore/paths/incoming/day.csv
  history:
    type: uri_folder
    mode: download
outputs:
  model: {type: uri_folder}
jobs:
  train:
    type: command
    code: ./src
    command: >-
      python train.py --rate ${{inputs.rate}} --data "${{inputs.data}}" --model ${{outputs.model}}
    environment: azureml:AzureML-sklearn@latest
    resources: {instance_count: 1}
    inputs:
      rate: ${{ parent.inputs.learning_rate }}
      seed: 7
      data:
        type: uri_file
        path: ${{parent.inputs.input_data}}
    outputs:
      model: ${{parent.outputs.model}}
      report:
    environment_variables:
      DEBUG: true
      LEVEL: 2
      NAME: "on"
    limits: {timeout: 90}
  score:
    command: ls ${{inputs.model}}
    inputs:
      model: ${{parent.jobs.train.outputs.model}}
"""
FILES = {"./src": {"train.py": b"print(1)"}}


def read(text: str, **fields):
    return read_pipeline(textwrap.dedent(text), read_code=FILES.__getitem__, **fields)


def job(body: str) -> str:
    return "jobs:\n  a:\n    command: x\n" + textwrap.indent(textwrap.dedent(body), "    ")


def refusal(text: str, **fields) -> str:
    with pytest.raises((InvalidInput, NotFound)) as caught:
        read(text, **fields)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_whole_pipeline_is_read():
    made, notes = read(WHOLE)
    assert (made.name, made.description, made.version) == ("train", "trains and scores", "3")
    assert made.continue_on_step_failure is False
    assert made.parameters == (
        Parameter("learning_rate", 0.1),
        Parameter("epochs", 3),
        Parameter("rate", 1.0),
        Parameter("title", "10:30"),
        Parameter("verbose", True),
    )
    assert [type(one.default) for one in made.parameters] == [float, int, float, str, bool]
    assert made.data_paths == (
        DataPathParameter("input_data", DataPath("workspaceblobstore", "incoming/day.csv")),
        DataPathParameter("history"),
    )
    train, score = made.steps
    assert train.command == (
        'python train.py --rate ${{inputs.rate}} --data "${{inputs.data}}" --model ${{outputs.model}}'
    )
    assert train.code == {"train.py": b"print(1)"}
    assert train.inputs == {
        "rate": PipelineInput("learning_rate"),
        "seed": Literal(7),
        "data": PipelineInput("input_data"),
    }
    assert train.outputs == ("model", "report")
    assert train.environment_variables == {"DEBUG": "true", "LEVEL": "2", "NAME": "on"}
    assert train.timeout == 90
    assert score.inputs == {"model": StepOutput("train", "model")}
    assert (score.code, score.timeout) == ({}, None)
    assert notes == (
        "cell.jobs.train: environment is not used here: steps run with this kernel's own Python",
        "cell.jobs.train: resources is not used here: steps run on this machine",
        "cell.settings: default_compute is not used here: steps run on this machine",
        "cell.outputs: each output stays in the folder of the step that writes it",
        "cell: experiment_name is not used here: the experiment is named when a run is submitted",
        "cell: compute is not used here: steps run on this machine",
    )


def test_without_a_setting_independent_steps_go_on_as_the_v2_schema_says():
    assert read(job(""), name="p").definition.continue_on_step_failure is True


def test_the_name_is_the_callers_then_the_display_name_then_the_name():
    text = "display_name: b\nname: c\n" + job("")
    assert read(text, name="a").definition.name == "a"
    assert read(text).definition.name == "b"
    assert read("name: c\n" + job("")).definition.name == "c"
    assert "needs a name" in refusal(job(""))


def test_pipeline_yaml_is_told_from_python_by_its_first_column():
    assert is_pipeline_yaml(WHOLE)
    assert is_pipeline_yaml("type: pipeline\njobs: {}")
    assert not is_pipeline_yaml("import os\nfor job in []:\n    jobs: list = []\n")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("azureml://datastores/store/paths/a/b.csv", DataPath("store", "a/b.csv")),
        ("azureml://datastores/store/paths/", DataPath("store", "")),
        (
            "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/store/paths/a/",
            DataPath("store", "a"),
        ),
        (
            "azureml://subscriptions/s/resourceGroups/g/providers/P/workspaces/w/datastores/store/paths/a b/ü.csv",
            DataPath("store", "a b/ü.csv"),
        ),
        ("store/a/b.csv", DataPath("store", "a/b.csv")),
        ("store", DataPath("store", "")),
    ],
)
def test_a_place_on_a_datastore_has_two_notations(text, meant):
    assert data_path_from(text) == meant


@pytest.mark.parametrize(
    "text", ["./local.csv", "../x", "/tmp/x", "https://a/b", "azureml:asset:1", "store/../x", "azureml://x", ""]
)
def test_what_is_no_place_on_a_datastore_is_refused(text):
    with pytest.raises(InvalidInput, match="is no place on a datastore"):
        data_path_from(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type: command\ncommand: x", "cell: type is 'command'; only pipelines"),
        ("jobs: {}", "pipeline 'p' has no steps"),
        ("jobs: []", "cell.jobs: expected a mapping, got []"),
        ("jbos: {}\n" + job(""), "there is no key 'jbos' here. Did you mean 'jobs'?"),
        ("component: x\n" + job(""), "'component' is not supported"),
        ("schedule: x\n" + job(""), "'schedule' is not supported"),
        (
            "settings: {continue_on_step_failure: maybe}\n" + job(""),
            "cell.settings: continue_on_step_failure must be true",
        ),
        ("settings: {continue_on_failure: true}\n" + job(""), "Did you mean 'continue_on_step_failure'?"),
        (job("type: sweep"), "cell.jobs.a: jobs of type 'sweep' are not supported"),
        (job("component: ./c.yml"), "cell.jobs.a: 'component' is not supported"),
        (job("distribution: {type: mpi}"), "cell.jobs.a: 'distribution' is not supported"),
        (job("comand: y"), "Did you mean 'command'?"),
        (job("limits: {timout: 1}"), "cell.jobs.a.limits: there is no key 'timout' here. Did you mean 'timeout'?"),
        (job("limits: {timeout: soon}"), "timeout must be a number, got 'soon'"),
        (job("limits: {timeout: true}"), "timeout must be a number, got True"),
        (job("limits: {timeout: 0}"), "its timeout is 0"),
        (job("inputs: {x: }"), "cell.jobs.a.inputs: x has no value"),
        (job("inputs: {x: [1]}"), "x has no value"),
        (job("inputs: {x: 'a${{parent.inputs.y}}'}"), "x cannot be 'a${{parent.inputs.y}}'"),
        (job("inputs: {x: '${{parent.outputs.y}}'}"), "x cannot be"),
        (job("inputs: {x: '${{parent.inputs.y}}'}"), "but the pipeline has no such input"),
        (job("inputs: {x: '${{parent.jobs.b.outputs.y}}'}"), "step 'b', which is not there"),
        (job("inputs: {x: {type: uri_file, path: 'azureml://datastores/d/paths/p'}}"), "${{parent.inputs.NAME}} here"),
        (job("inputs: {x: {type: number, path: '${{parent.inputs.y}}'}}"), "inputs of type 'number'"),
        (job("outputs: {x: {type: uri_file}}"), "an output is a folder"),
        (job("outputs: {x: {path: 'azureml://datastores/d/paths/p'}}"), "cannot name its place"),
        (job("outputs: {x: '${{parent.outputs.y}}'}"), "the pipeline has no output 'y'"),
        (job("outputs: {x: somewhere}"), "an output cannot be 'somewhere'"),
        (job("environment_variables: {A: }"), "A has no value"),
        (job("environment_variables: {A: 3.10}"), "A is the number 3.1. Put it in quotes"),
        ("version: 1.10\n" + job(""), "version must be text, got 1.1. Put text in quotes"),
        ("inputs: {x: }\n" + job(""), "cell.inputs: x has no value"),
        ("inputs: {x: '${{parent.inputs.y}}'}\n" + job(""), "x cannot be an expression"),
        ("inputs: {x: {type: integer, default: 0.5}}\n" + job(""), "its default 0.5 is no integer"),
        ("inputs: {x: {type: integer, default: true}}\n" + job(""), "its default True is no integer"),
        ("inputs: {x: {type: boolean, default: 1}}\n" + job(""), "its default 1 is no boolean"),
        ("inputs: {x: {type: string, default: 10}}\n" + job(""), "is no string. Put it in quotes"),
        ("inputs: {x: {type: number}}\n" + job(""), "it has no default"),
        ("inputs: {x: {type: number, optional: true}}\n" + job(""), "optional inputs"),
        ("inputs: {x: {type: mltable, path: a/b}}\n" + job(""), "inputs of type 'mltable'"),
        ("inputs: {x: {type: uri_file, mode: direct}}\n" + job(""), "mode 'direct'"),
        ("inputs: {x: {type: uri_file, path: ./a.csv}}\n" + job(""), "cell.inputs.x: './a.csv' is no place"),
        ("inputs: {x: {type: uri_file, pth: a/b}}\n" + job(""), "Did you mean 'path'?"),
        ("jobs:\n  a:\n    code: .", "it has no command"),
    ],
)
def test_what_would_change_the_meaning_is_refused_with_its_place(text, said):
    assert said in refusal(text.replace("code: .", "tags: {}"), name="p")


def test_the_readers_refusal_keeps_its_kind_and_gains_the_job():
    def nowhere(folder):
        raise NotFound(f"code {folder!r}: there is no such folder", hint="Make it.")

    with pytest.raises(NotFound) as caught:
        read_pipeline(job("code: ./src"), read_code=nowhere, name="p", what="p.yml")
    assert str(caught.value) == "p.yml.jobs.a: code './src': there is no such folder. Make it."


def test_a_model_folder_is_an_output_like_any_other():
    step = read(job("outputs: {m: {type: mlflow_model, mode: upload}, n: {}, o: }"), name="p").definition.steps[0]
    assert step.outputs == ("m", "n", "o")
