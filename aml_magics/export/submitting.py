"""What is sent to start a run, and the parts of it that a trigger fills in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.wire.values import parameter_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aml_magics.export.source import Source
    from aml_magics.model.resources import DataPath
    from aml_magics.wire.casing import Json

__all__ = ["assignments", "data_path", "literal", "submission"]


def submission(source: Source, filled: Mapping[str, Json]) -> Json:
    """The body of the article: PipelineSubmissionInfo as a Logic App sends it, ``filled`` by the trigger."""
    schedule = source.schedule
    body: Json = {
        "ExperimentName": schedule.experiment_name,
        "ParameterAssignments": assignments(source),
        "DataPathAssignments": {**{name: data_path(path) for name, path in source.fixed_paths.items()}, **filled},
        "RunSource": "SDK",
    }
    if schedule.continue_on_step_failure is not None:
        body["ContinueRunOnStepFailure"] = schedule.continue_on_step_failure
    return body


def assignments(source: Source) -> dict[str, str]:
    """The pipeline's parameters: text, as everything is on this wire, and never read as an expression."""
    values = source.schedule.pipeline_parameters.items()
    return {name: literal(parameter_text(value)) for name, value in values}


def data_path(path: DataPath) -> Json:
    """A data path as a submission carries it."""
    return {"DataStoreName": path.datastore, "RelativePath": literal(path.path)}


def literal(text: str) -> str:
    """A text that a workflow does not evaluate: ``@`` begins an expression, and ``@@`` is the sign itself."""
    doubled = text.replace("@{", "@@{")
    return f"@{doubled}" if doubled.startswith("@") and not doubled.startswith("@@{") else doubled
