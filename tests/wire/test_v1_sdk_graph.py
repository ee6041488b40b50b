"""What Microsoft's SDK publishes becomes steps that this workspace runs, or is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.expressions import shell_text
from aml_magics.model.graph import Literal, PipelineInput, StepDefinition, StepOutput
from aml_magics.model.resources import DataPath
from aml_magics.wire import v1
from aml_magics.wire.casing import Body
from aml_magics.wire.v1_sdk_graph import NOTHING_TO_RUN

CODE = {"train.py": b"print()"}


class Source:
    """Modules by their names; one data source and one snapshot."""

    def __init__(self, *modules: Any) -> None:
        self._modules = {module["Name"]: module for module in modules}

    def module(self, module_id):
        return self._modules.get(module_id)

    def place(self, data_source_id):
        return DataPath("store", "fixed/here") if data_source_id == "source" else None

    def code(self, snapshot_id):
        return CODE if snapshot_id == "snapshot" else None


def module(name: str = "train", **interface: Any) -> dict[str, Any]:
    more = {key: interface.pop(key) for key in ("StepType", "ModuleExecutionType", "StorageId") if key in interface}
    return {
        "Name": name,
        "StepType": "PythonScriptStep",
        "ModuleExecutionType": "escloud",
        "StorageId": "snapshot",
        "Properties": {},
        "StructuredInterface": interface,
        **more,
    }


def node(name: str = "train", *, runconfig: Any = None, outputs: Any = (), **parameters: Any) -> dict[str, Any]:
    """A value in a tuple is the name of a pipeline parameter."""
    given = {"Script": "train.py", **parameters}
    values = [
        {"Name": key, "ValueType": "1", "Value": value[0]}
        if isinstance(value, tuple)
        else {"Name": key, "ValueType": "0", "Value": value}
        for key, value in given.items()
        if value is not None
    ]
    return {
        "Id": f"id of {name}",
        "ModuleId": name,
        "ModuleParameters": values,
        "ModuleOutputSettings": list(outputs),
        "Runconfig": json.dumps(runconfig or {}),
    }


def edge(begin: str, port: str, end: str, to: str) -> dict[str, Any]:
    return {
        "SourceOutputPort": {"NodeId": begin, "PortName": port},
        "DestinationInputPort": {"NodeId": end, "PortName": to},
    }


def argument(kind: str, value: str) -> dict[str, str]:
    return {"ValueType": kind, "Value": value}


def parameter(name: str, default: str | None = None) -> dict[str, Any]:
    variable = f"AML_PARAMETER_{name.replace(' ', '_')}"
    found = {"Name": name, "SetEnvironmentVariable": True, "EnvironmentVariableOverride": variable}
    return found | ({} if default is None else {"DefaultValue": default})


def read(modules: list[Any], nodes: list[Any], edges: Any = (), data: Any = ()) -> tuple[Any, ...]:
    graph = {"ModuleNodes": nodes, "Edges": list(edges), "DatasetNodes": list(data)}
    return v1.graph_steps(Body(graph, "graph"), Source(*modules))


def step_of(one_module: Any, one_node: Any, edges: Any = (), data: Any = ()) -> StepDefinition:
    (found,) = read([one_module], [one_node], edges, data)
    return found.step


def test_a_script_with_its_arguments_becomes_a_command():
    given = module(
        Parameters=[parameter("rate", "0.1"), parameter("mode", "fast")],
        Outputs=[{"Name": "model"}, {"Name": "_run_after_output", "SkipProcessing": True}],
        Arguments=[
            argument("Literal", "--rate"),
            argument("Parameter", "rate"),
            argument("Literal", "two words"),
            argument("Output", "model"),
        ],
    )

    step = step_of(given, node(rate=("learning_rate",), mode="slow"))

    assert step.code == CODE
    assert step.inputs == {"rate": PipelineInput("learning_rate"), "mode": Literal("slow")}
    assert step.outputs == ("model",)
    assert step.command == (
        "AML_PARAMETER_rate=${{inputs.rate}} AML_PARAMETER_mode=${{inputs.mode}}"
        " AZUREML_DATAREFERENCE_model=${{outputs.model}}"
        " python train.py --rate ${{inputs.rate}} 'two words' ${{outputs.model}}"
    )


def test_a_parameter_that_the_node_does_not_set_has_its_default():
    step = step_of(module(Parameters=[parameter("rate", "0.1")]), node())

    assert step.inputs == {"rate": Literal("0.1")}


@pytest.mark.parametrize("text", ["it's $HOME", "`x` $(y) \\", "", "-", "${{inputs.x}}", "$[[x]]", "a\nb", "#"])
def test_a_literal_argument_is_never_read_as_shell_or_as_an_expression(text, tmp_path):
    step = step_of(module(Arguments=[argument("Literal", text)]), node())

    assert run(step) == ["train.py", text]


def run(step: StepDefinition) -> list[str]:
    """What a real shell makes of the command: the arguments of ``python``."""
    import subprocess

    values = {f"AZURE_ML_INPUT_{key}": binding.value for key, binding in step.inputs.items()}
    script = f'python() {{ printf "%s\\0" "$@"; }}; {shell_text(step.command)}'
    done = subprocess.run(["/bin/sh", "-c", script], env=values, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


def test_data_comes_from_a_fixed_place_a_data_path_or_another_step():
    user = module(
        "use",
        Inputs=[
            {"Name": "fixed", "DataReferenceName": "fixed"},
            {"Name": "store_1", "DataReferenceName": "given"},
            {"Name": "model"},
            {"Name": "_run_after_input_0", "SkipProcessing": True},
        ],
        Arguments=[argument("Input", "fixed"), argument("Input", "given"), argument("Input", "model")],
    )
    maker = module("make", Outputs=[{"Name": "model"}, {"Name": "_run_after_output", "SkipProcessing": True}])
    data = [{"Id": "a", "DatasetId": "source"}, {"Id": "b", "DataPathParameterName": "input_data"}]
    edges = [
        edge("a", "data", "id of use", "fixed"),
        edge("b", "data", "id of use", "store_1"),
        edge("id of make", "model", "id of use", "model"),
        edge("id of make", "_run_after_output", "id of use", "_run_after_input_0"),
    ]

    use, make = (one.step for one in read([user, maker], [node("use"), node("make")], edges, data))

    assert use.inputs == {
        "fixed": DataPath("store", "fixed/here"),
        "store_1": PipelineInput("input_data"),
        "model": StepOutput("make", "model"),
        "_run_after_input_0": StepOutput("make", "_run_after_output"),
    }
    assert make.outputs == ("model", "_run_after_output")
    assert use.command == (
        "AZUREML_DATAREFERENCE_fixed=${{inputs.fixed}} AZUREML_DATAREFERENCE_given=${{inputs.store_1}}"
        " AZUREML_DATAREFERENCE_model=${{inputs.model}}"
        " python train.py ${{inputs.fixed}} ${{inputs.store_1}} ${{inputs.model}}"
    )


def test_an_output_of_the_whole_pipeline_is_passed_over():
    to_nowhere = {
        "SourceOutputPort": {"NodeId": "id of train", "PortName": "model"},
        "DestinationInputPort": {"GraphPortName": "result"},
    }

    assert step_of(module(Outputs=[{"Name": "model"}]), node(), [to_nowhere]).outputs == ("model",)


def test_a_parameter_and_an_input_of_the_same_name_stay_apart():
    given = module(
        Inputs=[{"Name": "data"}],
        Parameters=[parameter("data", "text")],
        Arguments=[argument("Input", "data"), argument("Parameter", "data")],
    )

    step = step_of(given, node(), [edge("a", "data", "id of train", "data")], [{"Id": "a", "DatasetId": "source"}])

    assert step.inputs == {"data": DataPath("store", "fixed/here"), "data_2": Literal("text")}
    assert step.command.endswith("python train.py ${{inputs.data}} ${{inputs.data_2}}")


def test_names_that_no_step_can_have_are_made_fit_and_kept_as_titles():
    titles = ["Train a model", "train.py", "train_py", "9 lives", "ü"]

    found = read([module(title) for title in titles], [node(title) for title in titles])

    assert [one.title for one in found] == titles
    assert [one.node_id for one in found] == [f"id of {title}" for title in titles]
    assert [one.step.name for one in found] == ["Train_a_model", "train_py", "train_py_2", "step_9_lives", "_"]


def test_parameters_whose_names_are_no_identifiers_are_variables_as_the_sdk_names_them():
    step = step_of(module(Parameters=[parameter("learning rate", "1")]), node())

    assert step.command.startswith("AML_PARAMETER_learning_rate=${{inputs.learning_rate}} python")


def test_a_command_step_runs_its_words_with_the_same_variables():
    words = [
        argument("Literal", "two words"),
        argument("Literal", "$AML_PARAMETER_rate"),
        argument("Parameter", "rate"),
    ]
    given = module(StepType="CommandStep", Parameters=[parameter("rate", "1")], Arguments=words)

    step = step_of(given, node(Script=None, Command="echo"))

    assert step.command == (
        "export AML_PARAMETER_rate=${{inputs.rate}}\necho 'two words' \"$AML_PARAMETER_rate\" ${{inputs.rate}}"
    )


def test_a_command_step_without_parameters_is_just_its_words():
    given = module(Arguments=[argument("Literal", "-c"), argument("Literal", "echo a && echo b")])

    assert step_of(given, node(Script=None, Command="sh")).command == "sh -c 'echo a && echo b'"


def test_an_operator_of_the_shell_in_a_command_step_is_refused_rather_than_passed_on_as_a_word():
    with pytest.raises(InvalidInput, match="its command has the shell's && in it"):
        step_of(module(Arguments=[argument("Literal", "&&")]), node(Script=None, Command="ls"))


def test_the_run_configuration_gives_variables_and_the_longest_time():
    settings = {
        "environmentVariables": {"A": "run"},
        "environment": {"environmentVariables": {"A": "environment", "B": "environment"}},
        "maxRunDurationSeconds": 90,
        "docker": {"useDocker": True},
        "framework": "Python",
        "communicator": "None",
        "nodeCount": 1,
    }

    step = step_of(module(), node(runconfig=settings))

    assert step.environment_variables == {"A": "run", "B": "environment"}
    assert step.timeout == 90


@pytest.mark.parametrize(
    ("dependencies", "note"),
    [
        (["python=3.8.13", {"pip": ["--pre", "azureml-defaults~=1.61"]}], ""),
        ([{"pip": ["azureml-defaults", "x==1"]}, "numpy"], "its environment is not made (x==1, numpy): it runs with"),
        (["python-dateutil"], "its environment is not made (python-dateutil): it runs with"),
    ],
)
def test_packages_that_are_not_installed_are_told_in_a_note(dependencies, note):
    environment = {"python": {"interpreterPath": "python", "condaDependencies": {"dependencies": dependencies}}}

    (found,) = read([module()], [node(runconfig={"environment": environment})])

    assert note in found.note
    assert bool(found.note) == bool(note)


def test_an_environment_that_its_author_manages_has_no_note():
    python = {"userManagedDependencies": True, "condaDependencies": {"dependencies": ["numpy"]}}

    (found,) = read([module()], [node(runconfig={"environment": {"python": python}})])

    assert found.note == ""


def test_a_step_that_has_no_script_fails_with_a_reason_when_it_runs():
    step = step_of(module(StepType="MyStep", StorageId=None), node(Script=None))

    assert step.command == f"echo '{NOTHING_TO_RUN}'; exit 1"
    assert step.code == {}


def test_a_step_of_our_own_is_read_as_it_was_published():
    ours = StepDefinition(name="fit", command="echo ${{inputs.x}}", inputs={"x": DataPath("store", "a")})
    entity = v1.module_creation_to(ours)

    (found,) = read([entity], [{"Id": "fit", "ModuleId": "fit"}])

    assert (found.step, found.node_id, found.title) == (ours, "fit", "fit")


def image(**docker: Any) -> dict[str, Any]:
    return {"environment": {"docker": docker}}


@pytest.mark.parametrize(
    ("given", "of", "reason"),
    [
        ({"ModuleExecutionType": "databrickscloud", "StepType": "DatabricksStep"}, {}, "DatabricksStep runs on Databr"),
        ({"ModuleExecutionType": "adlcloud", "StepType": "AdlaStep"}, {}, "AdlaStep runs on Data Lake Analytics"),
        ({"StepType": "ParallelRunStep"}, {}, "ParallelRunStep cannot be run"),
        ({"StepType": "HyperDriveStep"}, {}, "HyperDriveStep cannot be run"),
        ({"StorageId": "gone"}, {}, "the snapshot gone of its files is not in this workspace"),
        ({}, {"Script": "other.py"}, "its script 'other.py' is not among the files"),
        ({}, {"NodeCount": "4"}, "asks for 4 nodes"),
        ({}, {"NodeCount": ("nodes",)}, "takes NodeCount from the pipeline parameter 'nodes'"),
        ({}, {"runconfig": {"nodeCount": 2}}, "asks for 2 nodes"),
        ({}, {"runconfig": {"framework": "PySpark"}}, "the framework PySpark"),
        ({}, {"runconfig": {"communicator": "IntelMpi"}}, "the communicator IntelMpi"),
        ({}, {"runconfig": image(baseImage="own/image:1")}, "the image 'own/image:1'"),
        ({}, {"runconfig": image(baseDockerfile="FROM x")}, "built from a Dockerfile"),
        ({}, {"runconfig": {"environment": {"r": {"rVersion": "4"}}}}, "one for R"),
        ({}, {"runconfig": {"environment": {"python": {"interpreterPath": "/opt/p"}}}}, "the interpreter '/opt/p'"),
        ({}, {"runconfig": {"maxRunDurationSeconds": "soon"}}, "its longest time is 'soon'"),
        ({}, {"outputs": [{"Name": "o", "DatasetRegistration": {"Name": "d"}}]}, "'o' is registered as a Dataset"),
        ({}, {"outputs": [{"Name": "o", "DatasetOutputOptions": {}}]}, "OutputFileDatasetConfig"),
        ({}, {"Arguments": "--a,b"}, "its arguments are the text '--a,b'"),
        ({"Arguments": [argument("Input", "lost")]}, {}, "its argument 'lost' is an input that gets nothing"),
    ],
)
def test_what_cannot_be_run_here_is_refused_by_name_in_one_line_with_a_hint(given, of, reason):
    with pytest.raises(InvalidInput) as caught:
        step_of(module(**given), node(**of))

    assert caught.value.message.startswith("step 'train': ")
    assert reason in caught.value.message
    assert caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"Id": "a", "DataSetDefinition": {"DataTypeShortName": "AnyFile"}}, "input 'data' is a Dataset"),
        ({"Id": "a", "DatasetId": "nothing"}, "there is no data source 'nothing'"),
    ],
)
def test_data_that_is_not_a_place_on_a_datastore_is_refused(data, reason):
    with pytest.raises(InvalidInput, match=reason):
        step_of(module(Inputs=[{"Name": "data"}]), node(), [edge("a", "data", "id of train", "data")], [data])


def test_a_pipeline_parameter_that_is_a_dataset_is_refused():
    request = {"Name": "p", "GraphInterface": {"DataPathParameterList": [{"Name": "table"}]}}

    with pytest.raises(InvalidInput, match="its parameter 'table' is a Dataset"):
        v1.pipeline_creation_from(request, [StepDefinition(name="a", command="true")])


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(InvalidInput, match="there is no module 'train'"):
        read([], [node()])


def test_two_nodes_with_one_id_are_refused():
    with pytest.raises(InvalidInput, match="two nodes have the id 'id of train'"):
        read([module()], [node(), node()])
