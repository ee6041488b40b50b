"""Whether values fit a published pipeline, told before anything is sent, and with the nearest name.

Azure passes over a parameter that the pipeline does not have, and the run goes on with the default; here it is refused.
Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING

from aml_magics.client.names import as_data_path, check_data_path, check_mapping
from aml_magics.model.errors import Conflict, InvalidInput, did_you_mean
from aml_magics.model.resources import DataPath, Status
from aml_magics.wire.values import parameter_text, typed_strictly

if TYPE_CHECKING:
    from aml_magics.model.resources import ParameterValue, Pipeline

__all__ = [
    "check_in_use",
    "fit_data_path_parameter",
    "fit_data_paths",
    "fit_parameters",
    "plain_value",
    "split_data_paths",
]

_LARGEST = 10**300  # a whole number that is longer is no number for ``wire/values.py``


def split_data_paths(
    parameters: Mapping[str, object], data_paths: Mapping[str, DataPath | str], *, called: str = "parameters"
) -> tuple[dict[str, object], dict[str, DataPath]]:
    """The SDK takes ``DataPath`` values among the parameters: they are moved to the data paths.

    ``called`` is what the caller's argument of the parameters is called. Raises ``InvalidInput``.
    """
    check_mapping(called, parameters)
    check_mapping("data_paths", data_paths)
    moved = {name: value for name, value in parameters.items() if isinstance(value, DataPath)}
    for name in moved.keys() & data_paths.keys():
        message = f"data path {name!r} is given twice"
        raise InvalidInput(message, hint="Give it in data_paths alone.")
    rest = {name: value for name, value in parameters.items() if name not in moved}
    return rest, moved | {name: as_data_path(name, value) for name, value in data_paths.items()}


def fit_parameters(pipeline: Pipeline, given: Mapping[str, object]) -> dict[str, ParameterValue]:
    """The values in the types of the pipeline's parameters (``"0.1"`` for a number is 0.1).

    Raises ``InvalidInput`` for a name that the pipeline does not have, and for a value that does not fit.
    """
    known = [parameter.name for parameter in pipeline.parameters]
    paths = [path.name for path in pipeline.data_paths]
    texts = {}
    for name, value in given.items():
        if name in paths:
            message = f"{name!r} is a data path of pipeline {pipeline.name!r}, not a parameter"
            raise InvalidInput(message, hint=f"Give it as a data path: {name}=datastore/path.")
        if name not in known:
            message = f"pipeline {pipeline.name!r} has no parameter {name!r}"
            raise InvalidInput(message, hint=did_you_mean(name, known) or "It has no parameters.")
        texts[name] = parameter_text(plain_value(name, value))
    return typed_strictly(texts, pipeline.parameters)


def fit_data_paths(
    pipeline: Pipeline,
    given: Mapping[str, DataPath],
    datastores: Iterable[str] | None,
    *,
    filled_by_trigger: str | None = None,
) -> dict[str, DataPath]:
    """The data paths as given. ``datastores`` are the names that there are, ``None`` when that is not known.

    Raises ``InvalidInput`` for a name that the pipeline does not have, for one without a default that is missing, for
    a datastore that is not there, and for a path that leads outside it. ``filled_by_trigger`` is the one that a change
    trigger fills in.
    """
    known = {path.name: path.default for path in pipeline.data_paths}
    stores = None if datastores is None else list(datastores)
    for name, path in given.items():
        if name not in known:
            message = f"pipeline {pipeline.name!r} has no data path {name!r}"
            raise InvalidInput(message, hint=did_you_mean(name, known) or "It has no data paths.")
        check_data_path(name, path)
        if stores is not None and path.datastore not in stores:
            message = f"data path {name!r}: there is no datastore {path.datastore!r}"
            raise InvalidInput(message, hint=did_you_mean(path.datastore, stores))
    for name, default in known.items():
        if default is None and name not in given and name != filled_by_trigger:
            message = f"pipeline {pipeline.name!r} needs the data path {name!r}, which has no default"
            raise InvalidInput(message, hint=f"Give it: --data-path {name}=datastore/path (data_paths in Python).")
    return dict(given)


def fit_data_path_parameter(pipeline: Pipeline, name: str | None) -> None:
    """Check the data path parameter that a change trigger fills in. Raises ``InvalidInput``."""
    known = [path.name for path in pipeline.data_paths]
    if name is not None and name not in known:
        message = f"data_path_parameter_name: pipeline {pipeline.name!r} has no data path {name!r}"
        raise InvalidInput(message, hint=did_you_mean(name, known) or "It has no data paths: leave the option out.")


def check_in_use(pipeline: Pipeline) -> None:
    """Raises ``Conflict`` for a pipeline that is not active: nothing can be submitted to it."""
    if pipeline.status is not Status.ACTIVE:
        message = f"pipeline {pipeline.name!r} is {pipeline.status.value.lower()}"
        raise Conflict(message, hint=f"Enable it first: %aml pipeline enable {pipeline.name}")


def plain_value(name: str, value: object) -> ParameterValue:
    """A value as Python's own; NumPy's numbers, which come out of data frames, are numbers too.

    Raises ``InvalidInput`` naming the parameter.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral):
        if abs(int(value)) >= _LARGEST:
            message = f"parameter {name!r}: the number has more than 300 digits"
            raise InvalidInput(message, hint="Give it as text.")
        return int(value)
    if isinstance(value, Real):
        return float(value)
    message = f"parameter {name!r}: {value!r} is neither text, a number, true nor false"
    raise InvalidInput(message, hint="Give one of these, or a DataPath for a data path.")
