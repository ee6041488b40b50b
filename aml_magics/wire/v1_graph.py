"""Publishing in the v1 dialect: steps as modules, a pipeline as a graph with its interface.

The service's own part of a module and a graph (interfaces, ports, edges) is written so that Microsoft's SDK can draw
the graph of what we published. What a step *does* travels in the module's ``Properties``, which are text to text::

    "aml_magics.step"   {"command", "environment_variables", "timeout", "outputs", "inputs"}    JSON text
    "aml_magics.code"   {relative path: base64}                                                 JSON text

and is read back from there alone. (Modules of Microsoft's SDK are read by ``v1_sdk_graph``.)

A node's id is its step's name: names are unique in a pipeline, and whoever reads a log by node id can read it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import (
    CODE_LIMIT,
    Binding,
    Literal,
    PipelineDefinition,
    PipelineInput,
    StepDefinition,
    StepOutput,
)
from aml_magics.model.resources import DataPath
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.moments import instant_to
from aml_magics.wire.v1_resources import DIGEST, interface_from, interface_to
from aml_magics.wire.values import parameter_text

__all__ = [
    "CODE_LIMIT",
    "STEP",
    "data_source_place",
    "data_source_to",
    "definition_digest",
    "module_creation_from",
    "module_creation_to",
    "module_interface_to",
    "pipeline_creation_from",
    "pipeline_creation_to",
]

STEP, _CODE = "aml_magics.step", "aml_magics.code"
_LITERAL, _PARAMETER = "0", "1"  # ParameterAssignment.ValueType goes over the wire as a number


def module_creation_to(step: StepDefinition) -> Json:
    """The body of POST ``/Modules``."""
    content = {
        "command": step.command,
        "environment_variables": dict(step.environment_variables),
        "timeout": step.timeout,
        "outputs": list(step.outputs),
        "inputs": {name: _binding_to(binding) for name, binding in step.inputs.items()},
    }
    code = {path: base64.b64encode(data).decode("ascii") for path, data in step.code.items()}
    properties = {STEP: json.dumps(content, sort_keys=True), _CODE: json.dumps(code, sort_keys=True)}
    digest = hashlib.sha256(f"{step.name}\n{properties[STEP]}\n{properties[_CODE]}".encode()).hexdigest()
    return {
        "Name": step.name,
        "Description": "",
        "IsDeterministic": False,
        "ModuleExecutionType": "escloud",
        "IdentifierHash": digest,
        "IsInterfaceOnly": False,
        "StepType": "PythonScriptStep",
        "StructuredInterface": _structured_interface(step),
        "Properties": properties,
    }


def module_creation_from(request: Mapping[str, Any] | Body) -> StepDefinition:
    """The step of a module. Raises ``InvalidInput`` for a module that carries no command of ours (an Azure one)."""
    body = request if isinstance(request, Body) else Body(request, "module")
    name, properties = body.text("Name"), body.texts("Properties")
    if STEP not in properties:
        message = f"step {name!r}: the module carries no command that this workspace can run"
        raise InvalidInput(message, hint="Publish the pipeline with %aml pipeline publish.")
    content = Body(_json(properties[STEP], name), f"step {name!r}")
    return StepDefinition(
        name=name,
        command=content.text("command"),
        code=_code_from(_json(properties.get(_CODE, "{}"), name), name),
        inputs={key: _binding_from(item, f"step {name!r}: input {key!r}") for key, item in _inputs(content)},
        outputs=tuple(map(str, content.values("outputs"))),
        environment_variables=content.texts("environment_variables"),
        timeout=content.number("timeout"),
    )


def module_interface_to(structured: Mapping[str, Any]) -> Json:
    """The ``Interface`` of GET ``/Modules/{id}``, derived from the StructuredInterface that came with the module."""
    body = Body(structured, "StructuredInterface")
    return {
        "Parameters": [_interface_parameter(item) for item in body.bodies("Parameters")],
        "MetadataParameters": [_interface_parameter(item) for item in body.bodies("MetadataParameters")],
        "Ports": {
            "Inputs": [
                {"Name": item.text("Name"), "DataTypesIds": item.values("DataTypeIdsList")}
                for item in body.bodies("Inputs")
            ],
            "Outputs": [
                {"Name": item.text("Name"), "DataTypeId": item.text("DataTypeId")} for item in body.bodies("Outputs")
            ],
        },
        "DataPathParameters": [],
        "DataPathParameterList": [],
    }


def data_source_to(request: Body, *, id: str, now: datetime) -> Json:  # noqa: A002 - the field's own name
    """DataSourceEntity of a POST ``/DataSources``: a place on a datastore, whatever kind of datastore it is."""
    place = {"AmlDataStoreName": request.text("DataStoreName"), "RelativePath": request.text("PathOnDataStore")}
    return {
        "Id": id,
        "Name": request.text("Name"),
        "Description": request.text("Description"),
        "DataTypeId": request.text("DataTypeId", "AnyDirectory"),
        "IdentifierHash": request.text("IdentifierHash"),
        "DataLocation": {"DataReference": {"Type": "AzureBlob", "AzureBlobReference": place}},
        "UploadState": "Completed",
        "EntityStatus": "Active",
        "CreatedDate": instant_to(now),
        "LastModifiedDate": instant_to(now),
    }


def data_source_place(entity: Mapping[str, Any]) -> DataPath:
    """Where the data of a DataSourceEntity is."""
    body = Body(entity, "data source")
    for name in ("DataLocation", "DataReference", "AzureBlobReference"):
        body = body.body(name) or Body({}, f"data source.{name}")
    return DataPath(body.text("AmlDataStoreName"), body.text("RelativePath").strip("/"))


def pipeline_creation_to(definition: PipelineDefinition, module_ids: Mapping[str, str]) -> Json:
    """The body of POST ``/Pipelines/Create``; ``module_ids`` maps each step's name to the id its module got."""
    return {**_creation(definition, module_ids), "Properties": {DIGEST: definition_digest(definition)}}


def definition_digest(definition: PipelineDefinition) -> str:
    """The same for definitions that would be published with the same words: code, steps, parameters, texts."""
    hashes = {step.name: module_creation_to(step)["IdentifierHash"] for step in definition.steps}
    return hashlib.sha256(json.dumps(_creation(definition, hashes), sort_keys=True).encode()).hexdigest()


def _creation(definition: PipelineDefinition, module_ids: Mapping[str, str]) -> Json:
    return {
        "Name": definition.name,
        "Description": definition.description,
        "Version": definition.version,
        "Graph": {
            "ModuleNodes": [_node(step, module_ids[step.name]) for step in definition.steps],
            "DatasetNodes": [],
            "Edges": [
                _edge(binding, step.name, name)
                for step in definition.steps
                for name, binding in step.inputs.items()
                if isinstance(binding, StepOutput)
            ],
        },
        "GraphInterface": interface_to(definition.parameters, definition.data_paths),
        "DataSetDefinitionValueAssignments": {},
        "ContinueRunOnStepFailure": definition.continue_on_step_failure,
    }


def pipeline_creation_from(request: Mapping[str, Any], steps: Iterable[StepDefinition]) -> PipelineDefinition:
    """The definition in a POST ``/Pipelines/Create``; ``steps`` are those of its graph, in the graph's order.

    Raises ``InvalidInput`` for a parameter that is a Dataset, and whatever ``PipelineDefinition`` refuses.
    """
    body = Body(request, "pipeline")
    datasets = Body(body.mapping("GraphInterface"), "pipeline.GraphInterface").bodies("DataPathParameterList")
    if datasets:
        message = (
            f"pipeline: its parameter {datasets[0].text('Name')!r} is a Dataset, which this workspace does not have"
        )
        raise InvalidInput(message, hint="Make it a DataPath of a datastore.")
    parameters, data_paths = interface_from(body.mapping("GraphInterface"), "pipeline.GraphInterface")
    return PipelineDefinition(
        name=body.text("Name"),
        description=body.text("Description"),
        version=body.text("Version"),
        parameters=parameters,
        data_paths=data_paths,
        steps=tuple(steps),
        continue_on_step_failure=bool(body.boolean("ContinueRunOnStepFailure")),
    )


def _node(step: StepDefinition, module_id: str) -> Json:
    values = []
    for name, binding in step.inputs.items():
        if isinstance(binding, Literal):
            values.append({"Name": name, "Value": parameter_text(binding.value), "ValueType": _LITERAL})
        elif isinstance(binding, PipelineInput):
            values.append({"Name": name, "Value": binding.name, "ValueType": _PARAMETER})
    return {
        "Id": step.name,
        "ModuleId": module_id,
        "ModuleParameters": values,
        "ModuleMetadataParameters": [],
        "ModuleInputSettings": [],
        "ModuleOutputSettings": [],
    }


def _edge(binding: StepOutput, step: str, name: str) -> Json:
    return {
        "SourceOutputPort": {"NodeId": binding.step, "PortName": binding.output},
        "DestinationInputPort": {"NodeId": step, "PortName": name},
    }


def _structured_interface(step: StepDefinition) -> Json:
    ports = [name for name, binding in step.inputs.items() if isinstance(binding, StepOutput)]
    return {
        "Inputs": [{"Name": name, "DataTypeIdsList": ["AnyFile", "AnyDirectory"]} for name in ports],
        "Outputs": [{"Name": name, "DataTypeId": "AnyDirectory"} for name in step.outputs],
        "Parameters": [
            {
                "Name": name,
                "ParameterType": "String",
                "DefaultValue": parameter_text(binding.value) if isinstance(binding, Literal) else "",
                "IsOptional": True,
            }
            for name, binding in step.inputs.items()
            if not isinstance(binding, StepOutput)
        ],
        "MetadataParameters": [],
        "Arguments": [],
    }


def _interface_parameter(item: Body) -> Json:
    return {
        "Name": item.text("Name"),
        "DefaultValue": item.text("DefaultValue"),
        "IsOptional": bool(item.boolean("IsOptional")),
        "Type": item.text("ParameterType", "String"),
    }


def _binding_to(binding: Binding) -> Json:
    if isinstance(binding, Literal):
        return {"literal": binding.value}
    if isinstance(binding, PipelineInput):
        return {"pipeline_input": binding.name}
    if isinstance(binding, DataPath):
        return {"datastore": binding.datastore, "path": binding.path}
    return {"step": binding.step, "output": binding.output}


def _binding_from(item: object, what: str) -> Binding:
    body = Body(item, what)
    literal = body.get("literal")
    if isinstance(literal, str | int | float):
        return Literal(literal)
    if "pipeline_input" in body:
        return PipelineInput(body.text("pipeline_input"))
    if "datastore" in body:
        return DataPath(body.text("datastore"), body.text("path"))
    if "step" in body:
        return StepOutput(body.text("step"), body.text("output"))
    message = f"{what}: it is bound to nothing"
    raise InvalidInput(message)


def _inputs(content: Body) -> list[tuple[str, Any]]:
    return list(content.mapping("inputs").items())


def _code_from(code: object, name: str) -> dict[str, bytes]:
    files = {}
    for path, text in Body({"code": code}, f"step {name!r}").texts("code").items():
        try:
            files[path] = base64.b64decode(text, validate=True)
        except binascii.Error:
            message = f"step {name!r}: the code file {path!r} is not base64"
            raise InvalidInput(message) from None
    return files


def _json(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        message = f"step {name!r}: its properties are not JSON"
        raise InvalidInput(message) from None
