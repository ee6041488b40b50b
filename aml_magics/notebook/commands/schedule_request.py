"""What ``schedule create`` and ``preview`` are asked for: the options of the line and the keys of the body together.

Each key may stand in either place, but not in both: it is refused there, whichever would have won.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.parsing import TRIGGER_KEYS, trigger_from
from aml_magics.notebook import values
from aml_magics.notebook.commands.shared import data_paths_of, raw_values

if TYPE_CHECKING:
    from aml_magics.model.triggers import Trigger
    from aml_magics.notebook.call import Call

__all__ = ["ScheduleRequest", "read_request", "request_from"]

_READERS = {
    "name": values.text,
    "pipeline": values.reference,
    "experiment_name": values.reference,
    "description": values.text,
    "status": lambda what, value: values.choice(what, value, ("Active", "Disabled")),
    "missed": lambda what, value: values.choice(what, value, ("skip", "once", "all")),
    "if_exists": lambda what, value: values.choice(what, value, ("error", "replace", "skip")),
    "continue_on_step_failure": values.truth,
}
_MAPPINGS = ("pipeline_parameters", "data_paths")
_ALIASES = {
    "pipeline_id": "pipeline",
    "experiment": "experiment_name",
    "parameters": "pipeline_parameters",
    "parameter": "pipeline_parameters",
    "data_path": "data_paths",
    "datastore_name": "datastore",
    "path": "path_on_datastore",
}
_WAITING = "Leave it out: create waits until the schedule is there."
_NOT_HERE = {
    "wait_for_provisioning": _WAITING,
    "wait_timeout": _WAITING,
    "pipeline_endpoint_id": "Name the published pipeline with `pipeline`.",
}
_LINE_ONLY = ("dry_run", "count")
_OPTIONAL = ("experiment_name", "description", "continue_on_step_failure", "status", "missed", "if_exists")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """``trigger_words`` are the trigger's keys as given; the trigger itself is made of them on demand.

    ``others`` are the keys that a verb has of its own, as given.
    """

    options: Mapping[str, object] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    data_paths: Mapping[str, object] = field(default_factory=dict)
    trigger_words: Mapping[str, object] = field(default_factory=dict)
    others: Mapping[str, object] = field(default_factory=dict)

    def trigger(self) -> Trigger:
        """The trigger. Raises InvalidInput when there is none, or when its keys do not fit together."""
        if not self.trigger_words:
            hint = "Add for example `every: 15 minutes`, `cron: 0 6 * * 1-5`, or `datastore: workspaceblobstore`."
            raise InvalidInput("The schedule has no trigger", hint=hint)
        return trigger_from(self.trigger_words)

    def creation(self) -> dict[str, Any]:
        """The arguments of ``workspace.schedules.create``. Raises InvalidInput for what is missing or does not fit."""
        return {
            "name": self._required("name", "a name: %%aml schedule create NAME"),
            "trigger": self.trigger(),
            "pipeline": self._required("pipeline", "the name of a published pipeline: pipeline: train"),
            "pipeline_parameters": self.parameters,
            "data_paths": data_paths_of(self.data_paths),
            **{key: self.options[key] for key in _OPTIONAL if key in self.options},
        }

    def _required(self, key: str, example: str) -> str:
        value = self.options.get(key)
        if not isinstance(value, str) or not value.strip():
            raise InvalidInput(f"The schedule has no {key}", hint=f"Add {example}.")
        return value


def read_request(call: Call) -> ScheduleRequest:
    """The line and the body together. Raises InvalidInput for an unknown key, and for a key given twice."""
    return request_from(call.arguments, call.yaml_body())


def request_from(
    arguments: Mapping[str, Any], written: Mapping[str, object], *, others: Collection[str] = ()
) -> ScheduleRequest:
    """As ``read_request``, of a line's arguments and a body that has been read; ``others`` are keys besides ours."""
    line = {_ALIASES.get(key, key): value for key, value in arguments.items() if key not in _LINE_ONLY}
    body = _flat(written, others)
    for key in body:
        if key in line and key not in _MAPPINGS:
            raise InvalidInput(f"{key} is given on the line and in the cell", hint="Give it once.")
    given = {**line, **body}
    return ScheduleRequest(
        options={key: read(key, given[key]) for key, read in _READERS.items() if key in given},
        parameters=_merged("pipeline_parameters", line, body),
        data_paths=_merged("data_paths", line, body),
        trigger_words={key: value for key, value in given.items() if key in TRIGGER_KEYS},
        others={key: value for key, value in given.items() if key in others},
    )


def _flat(body: Mapping[str, object], others: Collection[str]) -> dict[str, object]:
    """The body with our names for its keys; a nested ``recurrence`` (the SDK's way) is opened."""
    flat: dict[str, object] = {}
    for written, value in body.items():
        key = _ALIASES.get(plain := written.replace("-", "_"), plain)
        if key == "recurrence" and isinstance(value, Mapping):
            parts = _flat({str(name): part for name, part in value.items()}, ())
        else:
            _check_known(written, key, others)
            parts = {key: value}
        for name, part in parts.items():
            if name in flat:
                raise InvalidInput(f"{name} is given twice in the cell", hint="Give it once.")
            flat[name] = part
    return flat


def _check_known(written: str, key: str, others: Collection[str]) -> None:
    known = {*_READERS, *_MAPPINGS, *TRIGGER_KEYS, *others}
    if key not in known:
        hint = _NOT_HERE.get(key) or did_you_mean(key, known)
        raise InvalidInput(f"A schedule has no {written!r}", hint=hint)


def _merged(key: str, line: Mapping[str, Any], body: Mapping[str, object]) -> dict[str, object]:
    """The pairs of the line and the mapping in the body; a name in both is refused."""
    merged = raw_values(line.get(key, {}), "--parameter" if key == "pipeline_parameters" else "--data-path")
    written = body.get(key) or {}
    if not isinstance(written, Mapping):
        hint = "Write `name: value` lines under it."
        raise InvalidInput(f"{key} is a mapping of names to values, not {written!r}", hint=hint)
    for name, value in written.items():
        if not isinstance(name, str):
            raise InvalidInput(f"{key}: the name {name!r} is not text", hint="Names are text.")
        if name in merged:
            raise InvalidInput(f"{key}: {name} is given on the line and in the cell", hint="Give it once.")
        merged[name] = value
    return merged
