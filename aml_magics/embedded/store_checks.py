"""What a submission or a schedule may give a pipeline: names that it has, values that fit, nothing missing.

And how a refusal tells the names of those who stand in the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.wire.values import parameter_text, typed_strictly

if TYPE_CHECKING:
    from aml_magics.model.resources import DataPath, ParameterValue, Pipeline

__all__ = ["check_data_path_parameter", "names_shown", "settled_data_paths", "settled_parameters"]

_SHOWN = 10


def settled_parameters(pipeline: Pipeline, given: Mapping[str, ParameterValue], what: str) -> dict[str, ParameterValue]:
    """All parameters of the pipeline, typed: the given values over the defaults.

    Raises ``InvalidInput`` for a name that the pipeline does not have, and for a value that does not fit its parameter.
    """
    known = {parameter.name: parameter.default for parameter in pipeline.parameters}
    for name in given:
        if name not in known:
            raise _unknown(pipeline, name, "parameter", what)
    texts = {name: parameter_text(value) for name, value in given.items()}
    return known | typed_strictly(texts, pipeline.parameters)


def settled_data_paths(
    pipeline: Pipeline, given: Mapping[str, DataPath], what: str, *, later: Iterable[str] = ()
) -> dict[str, DataPath]:
    """All data paths of the pipeline: the given ones over the defaults. ``later`` names those that a fire will set.

    Raises ``InvalidInput`` for a name that the pipeline does not have, and for one that is missing.
    """
    known = {path.name: path.default for path in pipeline.data_paths}
    for name in given:
        if name not in known:
            raise _unknown(pipeline, name, "data path", what)
    missing = [name for name, default in known.items() if default is None and name not in given and name not in later]
    if missing:
        message = f"{what}: pipeline {pipeline.name!r} needs a data path for {', '.join(map(repr, missing))}"
        raise InvalidInput(message, hint="It has no default: give a datastore and a path on it.")
    defaults = {name: default for name, default in known.items() if default is not None}
    return defaults | dict(given)


def check_data_path_parameter(pipeline: Pipeline, name: str, what: str) -> None:
    """Raises ``InvalidInput`` unless ``name`` is one of the pipeline's data path parameters."""
    known = [path.name for path in pipeline.data_paths]
    if name in known:
        return
    message = f"{what}: data_path_parameter_name: pipeline {pipeline.name!r} has no data path {name!r}"
    if name in (parameter.name for parameter in pipeline.parameters):
        message += " (it is a parameter)"
    raise InvalidInput(message, hint=did_you_mean(name, known) or "It has no data path at all: leave the option out.")


def names_shown(names: Sequence[str]) -> str:
    """The first names for a message, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _unknown(pipeline: Pipeline, name: str, kind: str, what: str) -> InvalidInput:
    names = {
        "parameter": [parameter.name for parameter in pipeline.parameters],
        "data path": [path.name for path in pipeline.data_paths],
    }
    known = names[kind]
    message = f"{what}: pipeline {pipeline.name!r} has no {kind} {name!r}"
    other = "data path" if kind == "parameter" else "parameter"
    if name in names[other]:
        return InvalidInput(message, hint=f"{name!r} is a {other} of it: give it as one.")
    return InvalidInput(message, hint=did_you_mean(name, known) or f"It has no {kind} at all.")
