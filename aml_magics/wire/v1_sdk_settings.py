"""What a step that Microsoft's SDK publishes is to run, and how: its module parameters and its run configuration.

The run configuration travels as JSON text. Most of it says on what machine and in what image Azure is to run the step,
and has no meaning here. What can be kept is read (environment variables, the longest time); packages are passed over,
and a note says so; what cannot be left out without the step becoming another one is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aml_magics.model.errors import InvalidInput
from aml_magics.wire.casing import Body

__all__ = ["Settings", "read_settings"]

_MICROSOFT_IMAGES = "mcr.microsoft.com/azureml/"
_IS_DEFAULT = re.compile(r"-|(python|pip|azureml-defaults)(?![\w-])")  # an option of pip is no package
_PYTHONS = ("", "python", "python3")
_ONE_NODE = "A step runs as one process on this machine."


@dataclass(frozen=True, slots=True)
class Settings:
    """``script`` is a path in the snapshot, ``command`` shell text; at most one of them is there."""

    script: str = ""
    command: str = ""
    arguments: str = ""
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    note: str = ""  # what was asked for and is passed over


def read_settings(node: Body, interface: Body) -> Settings:
    """Of a graph's module node. Raises ``InvalidInput`` for what this workspace cannot do."""
    values = _literals(node, interface)
    run = Body(_json(node.text("Runconfig")), "runconfig")
    environment = run.body("environment") or Body({}, "runconfig.environment")
    _refuse_other_machines(values, run)
    _refuse_other_images(environment)
    _refuse_datasets(node)
    seconds = values.get("MaxRunDurationSeconds") or run.optional_text("maxRunDurationSeconds")
    return Settings(
        script=values.get("Script", "").replace("\\", "/").removeprefix("./"),
        command=values.get("Command", ""),
        arguments=values.get("Arguments", ""),
        environment_variables=environment.texts("environmentVariables") | run.texts("environmentVariables"),
        timeout=_seconds(seconds),
        note=_note(environment),
    )


def _literals(node: Body, interface: Body) -> dict[str, str]:
    """The parameters that say how to run the step; those that its author made are in the environment."""
    own = {item.text("Name") for item in interface.bodies("Parameters") if item.boolean("SetEnvironmentVariable")}
    found = {}
    for item in node.bodies("ModuleParameters"):
        name = item.text("Name")
        if name in own or "Value" not in item:
            continue
        if item.text("ValueType", "0") not in ("0", "Literal"):
            message = f"its run configuration takes {name} from the pipeline parameter {item.text('Value')!r}"
            raise InvalidInput(message, hint=_ONE_NODE)
        found[name] = item.text("Value")
    return found


def _refuse_other_machines(values: Mapping[str, str], run: Body) -> None:
    def given(parameter: str, setting: str) -> str:
        return values.get(parameter) or run.text(setting)

    if given("Framework", "framework").casefold() not in ("", "python"):
        message = f"its run configuration has the framework {given('Framework', 'framework')}"
        raise InvalidInput(message, hint="This workspace runs plain Python scripts.")
    if given("Communicator", "communicator").casefold() not in ("", "none"):
        message = f"its run configuration has the communicator {given('Communicator', 'communicator')}"
        raise InvalidInput(message, hint=_ONE_NODE)
    if given("NodeCount", "nodeCount") not in ("", "0", "1"):
        message = f"its run configuration asks for {given('NodeCount', 'nodeCount')} nodes"
        raise InvalidInput(message, hint=_ONE_NODE)


def _refuse_other_images(environment: Body) -> None:
    hint = "A script runs with this kernel's Python: leave the environment of the run configuration as it is."
    docker = environment.body("docker") or Body({}, "runconfig.environment.docker")
    registry = docker.body("baseImageRegistry")
    image = docker.text("baseImage", _MICROSOFT_IMAGES)
    if "baseDockerfile" in docker or "buildContext" in docker:
        raise InvalidInput("its environment is built from a Dockerfile", hint=hint)
    if not image.startswith(_MICROSOFT_IMAGES) or (registry and registry.text("address")):
        raise InvalidInput(f"its environment is the image {image!r}", hint=hint)
    if "r" in environment:
        raise InvalidInput("its environment is one for R", hint=hint)
    python = environment.body("python")
    interpreter = python.text("interpreterPath") if python else ""
    if interpreter not in _PYTHONS:
        raise InvalidInput(f"its environment has the interpreter {interpreter!r}", hint=hint)


def _note(environment: Body) -> str:
    """Names the packages that the environment has besides those that it has by default."""
    python = environment.body("python")
    conda = python.body("condaDependencies") if python and not python.boolean("userManagedDependencies") else None
    listed: list[object] = []
    for item in conda.values("dependencies") if conda else ():
        listed += Body(item, "runconfig.environment").values("pip") if isinstance(item, Mapping) else [item]
    packages = [str(one) for one in listed if not _IS_DEFAULT.match(str(one))]
    if not packages:
        return ""
    return f"its environment is not made ({', '.join(packages)}): it runs with the packages of this kernel"


def _refuse_datasets(node: Body) -> None:
    unknown: dict[str, Callable[[Body], bool]] = {
        "is registered as a Dataset": lambda output: "DatasetRegistration" in output,
        "is a Dataset (OutputFileDatasetConfig)": lambda output: (
            "DatasetOutputOptions" in output or "DatasetOutput" in output
        ),
    }
    for output in node.bodies("ModuleOutputSettings"):
        for what, is_so in unknown.items():
            if is_so(output):
                message = f"its output {output.text('Name')!r} {what}, which this workspace does not have"
                raise InvalidInput(message, hint="Use PipelineData.")


def _seconds(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        message = f"its longest time is {text!r}, which is no number of seconds"
        raise InvalidInput(message, hint="Give a number of seconds, or leave max_run_duration_seconds out.") from None


def _json(text: str) -> object:
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError:
        message = "its run configuration is not JSON"
        raise InvalidInput(message, hint="Give a RunConfiguration of the SDK.") from None
