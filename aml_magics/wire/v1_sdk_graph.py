"""The graph that Microsoft's SDK v1 publishes or submits, as steps that this workspace runs.

A node of such a graph is a module (what a step *is*: ports, parameters, structured arguments, the snapshot of its
source directory) and what the pipeline gives it (parameter values, edges, a run configuration). Together they become
one ``StepDefinition``; its command says all there is to say::

    AML_PARAMETER_rate=${{inputs.rate}} AZUREML_DATAREFERENCE_mid=${{outputs.mid}} python train.py ${{inputs.rate}}

==========================================  =========================================================================
a pipeline parameter in ``params``,         an input, and the environment variable that the SDK documents
``arguments``
a ``DataReference``                         an input that is a fixed place; the local path of it
a ``DataPath`` pipeline parameter           an input that is that data path; the local path of it
``PipelineData``                            an output of one step and an input of others: a *folder* that is there
a ``CommandStep``                           its words, each one word; ``$NAME`` alone is that variable
``run_after``                               an output that nobody fills, and an input that nobody reads
a ``PipelineStep`` that has no script       publishes, and fails in one line when it runs: there is nothing to run
==========================================  =========================================================================

A script runs with this kernel's Python and the packages that are installed there: Microsoft's images and conda packages
of a run configuration, which every step has by default, are passed over; a note says so where there are more of them.
What can only mean something else (several nodes, Spark, R, an image of one's own), a Dataset and the steps for other
services are refused by name.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import Binding, Literal, PipelineInput, StepDefinition, StepOutput
from aml_magics.model.resources import DataPath
from aml_magics.wire.casing import Body
from aml_magics.wire.v1_graph import STEP, module_creation_from
from aml_magics.wire.v1_sdk_settings import Settings, read_settings

__all__ = ["NOTHING_TO_RUN", "GraphSource", "GraphStep", "graph_steps"]

NOTHING_TO_RUN = "this step carries nothing that can be run here: neither a script nor a command"

_PARAMETER = ("1", "GraphParameterName")
_STRUCTURED = "USE_STRUCTURED_ARGUMENTS"
_VARIABLE = re.compile(r"\$(\w+|\{\w+\})", re.ASCII)
_OPERATORS = frozenset(("&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1", "&>"))
_OTHER_SERVICES = {
    "adlcloud": "Data Lake Analytics",
    "azurebatchcloud": "Azure Batch",
    "databrickscloud": "Databricks",
    "datatransfercloud": "Data Factory",
    "hdinsightcloud": "HDInsight",
    "kustocloud": "Data Explorer",
    "synapse": "Synapse Spark",
}
_OTHER_STEPS = frozenset(
    ("AutoMLStep", "EstimatorStep", "HyperDriveStep", "MpiStep", "ParallelRunStep", "RScriptStep", "TensorFlowStep")
)


class GraphSource(Protocol):
    """What the ids in a graph stand for; each answers ``None`` for an id that it does not know."""

    def module(self, module_id: str) -> Mapping[str, Any] | None:
        """A ModuleEntity."""

    def place(self, data_source_id: str) -> DataPath | None:
        """The place of a data source."""

    def code(self, snapshot_id: str) -> Mapping[str, bytes] | None:
        """The files of a snapshot: relative ``/`` paths to contents."""


@dataclass(frozen=True, slots=True)
class GraphStep:
    """A node: its id, the name that its author gave it, and what it does. ``step.name`` can be a folder's name.

    ``note`` is what the run of the step should warn of.
    """

    node_id: str
    title: str
    step: StepDefinition
    note: str = ""


@dataclass(slots=True)
class _Node:
    body: Body
    module: Body
    name: str
    inputs: dict[str, Binding] = field(default_factory=dict)  # by port

    @property
    def title(self) -> str:
        return self.module.text("Name")

    @property
    def interface(self) -> Body:
        return self.module.body("StructuredInterface") or Body({}, f"step {self.title!r}")

    @property
    def is_ours(self) -> bool:
        return STEP in self.module.texts("Properties")


def graph_steps(graph: Body, source: GraphSource) -> tuple[GraphStep, ...]:
    """The steps of a GraphEntity in the order of its nodes, ours (``%aml pipeline publish``) among them.

    Raises ``InvalidInput`` in one line for a step or an input that cannot be run here; whether the steps fit together
    is for ``PipelineDefinition`` to say.
    """
    nodes = _nodes(graph, source)
    filled = _connect(graph, nodes, source)
    return tuple(_step(node, filled.get(node.name, ()), source) for node in nodes.values())


def _nodes(graph: Body, source: GraphSource) -> dict[str, _Node]:
    """Node id -> node, with a name that no other one has."""
    nodes: dict[str, _Node] = {}
    taken: set[str] = set()
    for body in graph.bodies("ModuleNodes"):
        module = source.module(body.text("ModuleId"))
        if module is None:
            message = f"{body.what}: there is no module {body.text('ModuleId')!r}"
            raise InvalidInput(message, hint="Create the module first (POST /Modules).")
        if body.text("Id") in nodes:
            message = f"{body.what}: two nodes have the id {body.text('Id')!r}"
            raise InvalidInput(message, hint="Give each node an id of its own.")
        node = _Node(body, Body(module, "module"), "")
        node.name = node.title if node.is_ours else _free_name(node.title, taken)
        taken.add(node.name.casefold())
        nodes[body.text("Id")] = node
    return nodes


def _free_name(title: str, taken: set[str]) -> str:
    """``title`` as a step may be called."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", title)[:90] or "step"
    if not re.match(r"[A-Za-z_]", plain):
        plain = f"step_{plain}"
    name, count = plain, 1
    while name.casefold() in taken:
        count += 1
        name = f"{plain}_{count}"
    return name


def _connect(graph: Body, nodes: Mapping[str, _Node], source: GraphSource) -> dict[str, list[str]]:
    """Give each node what its ports take; step name -> the outputs of it that somebody takes."""
    data = {body.text("Id"): body for body in graph.bodies("DatasetNodes")}
    filled: dict[str, list[str]] = {}
    for edge in graph.bodies("Edges"):
        begin, end = edge.body("SourceOutputPort"), edge.body("DestinationInputPort")
        node = nodes.get(end.text("NodeId")) if end else None
        if begin is None or end is None or node is None:  # an output of the whole pipeline has no node
            continue
        port = end.text("PortName")
        giver = nodes.get(begin.text("NodeId"))
        if giver is not None:
            output = _identifier(begin.text("PortName"))
            filled.setdefault(giver.name, []).append(output)
            node.inputs[port] = StepOutput(giver.name, output)
        elif begin.text("NodeId") in data:
            node.inputs[port] = _place(data[begin.text("NodeId")], f"step {node.title!r}: input {port!r}", source)
    return filled


def _place(node: Body, what: str, source: GraphSource) -> Binding:
    if "DataSetDefinition" in node:
        message = f"{what} is a Dataset, which this workspace does not have"
        raise InvalidInput(message, hint="Give it a DataReference or a DataPath of a datastore.")
    if "DataPathParameterName" in node:
        return PipelineInput(node.text("DataPathParameterName"))
    place = source.place(node.text("DatasetId"))
    if place is None:
        message = f"{what}: there is no data source {node.text('DatasetId')!r}"
        raise InvalidInput(message, hint="Create the data source first (POST /DataSources).")
    return place


def _step(node: _Node, filled: Iterable[str], source: GraphSource) -> GraphStep:
    node_id = node.body.text("Id")
    if node.is_ours:
        return GraphStep(node_id, node.title, module_creation_from(node.module))
    what = f"step {node.title!r}"
    try:
        _refuse_other_services(node)
        settings = read_settings(node.body, node.interface)
        return GraphStep(node_id, node.title, _script_step(node, settings, tuple(filled), source), settings.note)
    except InvalidInput as error:
        message = error.message if error.message.startswith("step ") else f"{what}: {error.message}"
        raise InvalidInput(message, hint=error.hint) from error


def _refuse_other_services(node: _Node) -> None:
    kind, execution = node.module.text("StepType"), node.module.text("ModuleExecutionType").casefold()
    if execution in _OTHER_SERVICES:
        message = f"{kind or 'it'} runs on {_OTHER_SERVICES[execution]}, which this workspace cannot reach"
        raise InvalidInput(message, hint="Run a script here: a PythonScriptStep.")
    if kind in _OTHER_STEPS:
        message = f"{kind} cannot be run by this workspace"
        raise InvalidInput(message, hint="Run a script here: a PythonScriptStep.")


def _script_step(node: _Node, settings: Settings, filled: tuple[str, ...], source: GraphSource) -> StepDefinition:
    words = _Words(node, settings)
    code = _code(node, source)
    if settings.script and settings.script not in code:
        message = f"its script {settings.script!r} is not among the files of its source_directory"
        raise InvalidInput(message, hint="It may be left out by a .amlignore or .gitignore there.")
    outputs = dict.fromkeys([*words.outputs, *filled])
    command = words.command()  # which may add inputs
    return StepDefinition(
        name=node.name,
        command=command,
        code=code,
        inputs=words.inputs,
        outputs=tuple(outputs),
        environment_variables=settings.environment_variables,
        timeout=settings.timeout,
    )


def _code(node: _Node, source: GraphSource) -> Mapping[str, bytes]:
    snapshot_id = node.module.text("StorageId")
    if not snapshot_id:
        return {}
    code = source.code(snapshot_id)
    if code is None:
        message = f"the snapshot {snapshot_id} of its files is not in this workspace"
        raise InvalidInput(message, hint="Remove the folder ~/.azureml/.projectcontent and publish again.")
    return code


class _Words:
    """The command of a step, and the inputs and outputs that it names."""

    def __init__(self, node: _Node, settings: Settings) -> None:
        self._node = node
        self._settings = settings
        self.inputs: dict[str, Binding] = {_identifier(port): binding for port, binding in node.inputs.items()}
        self._ports = {port: _identifier(port) for port in node.inputs}
        self._parameters = dict(self._parameter_inputs())
        self.outputs = [_identifier(port.text("Name")) for port in self._own_outputs()]

    def command(self) -> str:
        variables = " ".join(f"{name}={value}" for name, value in self._variables().items())
        if self._settings.script:
            words = ["python", shlex.quote(self._settings.script), *self._arguments()]
            return " ".join([*([variables] if variables else []), *words])
        if self._settings.command:
            line = " ".join([self._settings.command, *self._arguments()])
            return f"export {variables}\n{line}" if variables else line
        return f"echo {shlex.quote(NOTHING_TO_RUN)}; exit 1"

    def _parameter_inputs(self) -> Iterator[tuple[str, str]]:
        """(name of a parameter, name of the input that holds its value); adds the inputs."""
        given = {item.text("Name"): item for item in self._node.body.bodies("ModuleParameters")}
        for item in self._node.interface.bodies("Parameters"):
            if not item.boolean("SetEnvironmentVariable"):
                continue
            name = item.text("Name")
            assigned = given.get(name)
            value: Binding = Literal(item.text("DefaultValue"))
            if assigned is not None and "Value" in assigned:
                is_parameter = assigned.text("ValueType") in _PARAMETER
                value = PipelineInput(assigned.text("Value")) if is_parameter else Literal(assigned.text("Value"))
            yield name, self._add(_identifier(name), value)

    def _variables(self) -> dict[str, str]:
        """What the SDK promises: ``AML_PARAMETER_*`` and ``AZUREML_DATAREFERENCE_*``."""
        found = {}
        for item in self._node.interface.bodies("Parameters"):
            name = item.text("Name")
            if name in self._parameters:
                variable = item.text("EnvironmentVariableOverride") or f"AML_PARAMETER_{name}"
                found[_identifier(variable)] = f"${{{{inputs.{self._parameters[name]}}}}}"
        for port in self._node.interface.bodies("Inputs"):
            if port.text("Name") in self._ports and not port.boolean("SkipProcessing"):
                found[_reference_variable(port)] = f"${{{{inputs.{self._ports[port.text('Name')]}}}}}"
        for port in self._own_outputs():
            found[_reference_variable(port)] = f"${{{{outputs.{_identifier(port.text('Name'))}}}}}"
        return found

    def _own_outputs(self) -> list[Body]:
        return [port for port in self._node.interface.bodies("Outputs") if not port.boolean("SkipProcessing")]

    def _arguments(self) -> Iterator[str]:
        for item in self._node.interface.bodies("Arguments"):
            kind, value = item.text("ValueType"), item.text("Value")
            if kind == "Literal":
                yield self._literal(value)
            elif kind == "Parameter" and value in self._parameters:
                yield f"${{{{inputs.{self._parameters[value]}}}}}"
            elif kind == "Input" and self._port_of(value) in self._ports:
                yield f"${{{{inputs.{self._ports[self._port_of(value)]}}}}}"
            elif kind == "Output":
                yield f"${{{{outputs.{_identifier(value)}}}}}"
            else:
                message = f"its argument {value!r} is an {kind.lower()} that gets nothing"
                raise InvalidInput(message, hint="Put it among the step's inputs, outputs or params.")
        if self._settings.arguments not in ("", _STRUCTURED):
            message = f"its arguments are the text {self._settings.arguments!r}"
            raise InvalidInput(message, hint="Give them as a list: arguments=[...].")

    def _port_of(self, name: str) -> str:
        """Arguments name an input by its port or by its data reference."""
        ports = self._node.interface.bodies("Inputs")
        return next((port.text("Name") for port in ports if port.text("DataReferenceName") == name), name)

    def _literal(self, value: str) -> str:
        if "${{" in value or "$[[" in value:  # which would be read as ours
            return f"${{{{inputs.{self._add('argument', Literal(value))}}}}}"
        if self._settings.command and _VARIABLE.fullmatch(value):
            return f'"{value}"'
        if self._settings.command and value in _OPERATORS:
            message = f"its command has the shell's {value} in it"
            raise InvalidInput(message, hint="Write it as sh -c '...', or put it into a script.")
        return shlex.quote(value)

    def _add(self, wanted: str, value: Binding) -> str:
        name, count = wanted, 1
        while name in self.inputs:
            count += 1
            name = f"{wanted}_{count}"
        self.inputs[name] = value
        return name


def _reference_variable(port: Body) -> str:
    return f"AZUREML_DATAREFERENCE_{_identifier(port.text('DataReferenceName') or port.text('Name'))}"


def _identifier(name: str) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
