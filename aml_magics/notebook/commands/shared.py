"""What several nouns need: names of pipelines, values of parameters, instants in the display zone, verbs on many
names.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aml_magics.client.fitting import check_in_use, fit_data_path_parameter, fit_data_paths, fit_parameters
from aml_magics.client.names import pick, pick_publications
from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.model.resources import Status
from aml_magics.notebook import tables
from aml_magics.notebook.present import moment
from aml_magics.notebook.values import Given, data_path, sound
from aml_magics.notebook.words import spelled

if TYPE_CHECKING:
    from aml_magics.client.connection import StatusChange
    from aml_magics.client.workspace import Workspace
    from aml_magics.model.resources import DataPath, Pipeline, Run, Schedule
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = [
    "LAST",
    "change_status",
    "data_paths_of",
    "fitted",
    "instant",
    "names_for_runs",
    "pipeline_names",
    "raw_values",
    "target_names",
]

LAST = 10  # runs that a view of something else shows
_FEW = 20

_Named = TypeVar("_Named", "Pipeline", "Schedule")


class _Collection(Protocol[_Named]):
    def list(self, *, active_only: bool = ...) -> builtins.list[_Named]: ...
    def disable(self, *names_or_ids: str) -> builtins.list[StatusChange[_Named]]: ...
    def enable(self, *names_or_ids: str) -> builtins.list[StatusChange[_Named]]: ...


def pipeline_names(workspace: Workspace) -> dict[str, str]:
    """The name of every pipeline by its id, in one call."""
    return {one.id: one.name for one in workspace.pipelines.list(active_only=False)}


def target_names(workspace: Workspace, schedules: Sequence[Schedule]) -> dict[str, str]:
    """The names of what these schedules start, by id: of all pipelines, and of pipeline endpoints when one is used."""
    names = pipeline_names(workspace)
    if any(one.endpoint_id for one in schedules):
        names |= {one.id: one.name for one in workspace.pipelines.endpoints(active_only=False)}
    return names


def names_for_runs(workspace: Workspace, runs: Iterable[Run]) -> dict[str, str]:
    """The names of all pipelines, and of the schedules that started these runs, by their ids."""
    runs = list(runs)
    names = pipeline_names(workspace)
    unlisted = {one.pipeline_id for one in runs if one.pipeline_id and one.pipeline_id not in names}
    starters = {one.schedule_id for one in runs if one.schedule_id}
    return {**names, **_unlisted_names(workspace, unlisted), **_schedule_names(workspace, starters)}


def _unlisted_names(workspace: Workspace, wanted: set[str]) -> dict[str, str]:
    """Pipelines that nobody published: the runs of drafts, and of Experiment.submit(Pipeline) in Microsoft's SDK."""
    names = {}
    for id_ in sorted(wanted)[:_FEW]:
        with suppress(AmlError):  # a run outlives its pipeline
            names[id_] = workspace.pipelines.get(id_).name
    return names


def _schedule_names(workspace: Workspace, wanted: set[str]) -> dict[str, str]:
    """A few schedules are asked for one by one: a list of all would take long where there are thousands."""
    if len(wanted) > _FEW:
        return {one.id: one.name for one in workspace.schedules.list(active_only=False)}
    names = {}
    for id_ in wanted:
        with suppress(AmlError):  # one that cannot be read goes by its id
            names[id_] = workspace.schedules.get(id_).name
    return names


def instant(call: Call, at: datetime | None) -> str:
    """An instant in the display zone as text; empty for none."""
    return moment(at.astimezone(call.zone)) if at else ""


def raw_values(pairs: Mapping[str, Given | None], option: str) -> dict[str, Any]:
    """The ``name=value`` pairs of an option as they stand; the workspace gives them the pipeline's types.

    InvalidInput for a name without a value.
    """
    raw: dict[str, Any] = {}
    for name, given in pairs.items():
        if given is None:
            raise InvalidInput(f"{option} {name} has no value", hint=f"Write {option} {name}=VALUE.")
        raw[name] = sound(f"{option} {name}", given.value) if isinstance(given.value, str) else given.value
    return raw


def data_paths_of(raw: Mapping[str, object]) -> dict[str, DataPath]:
    """Data paths from ``datastore/path`` or mappings. InvalidInput names the one that is neither."""
    return {name: data_path(f"The data path {name!r}", value) for name, value in raw.items()}


def fitted(
    workspace: Workspace,
    pipeline: Pipeline,
    parameters: Mapping[str, object],
    data_paths: Mapping[str, DataPath],
    *,
    by_trigger: str | None = None,
) -> dict[str, object]:
    """What a dry run checks in the workspace's stead: all values in their types. InvalidInput for what does not fit."""
    check_in_use(pipeline)
    fit_data_path_parameter(pipeline, by_trigger)
    stores = [one.name for one in workspace.datastores.list()]
    return {
        **fit_parameters(pipeline, parameters),
        **fit_data_paths(pipeline, data_paths, stores, filled_by_trigger=by_trigger),
    }


def change_status(call: Call, collection: _Collection[_Named], *, kind: str, to: Status) -> Table:
    """Give every named thing a status: the workspace looks all names up before it changes the first one."""
    names = call.named("name_or_id")
    if call.is_dry_run:
        everything = collection.list(active_only=False)
        found = [one for name in names for one in _picked(kind, name, everything, to)]
        before = [(one, one.status) for one in {one.id: one for one in found}.values()]
        if kind == "pipeline" and to is not Status.ACTIVE:
            call.workspace.pipelines.check_unused(*names)  # what would be refused is no plan
    else:
        change = collection.disable if to is Status.DISABLED else collection.enable
        before = [(one.value, one.was) for one in change(*names)]
    call.remember(kind, [one.name for one, _ in before])
    changed = [one for one, was in before if was is not to]
    notes = [f"{len(before) - len(changed)} had this status already."] if len(changed) < len(before) else []
    if changed and not call.is_dry_run:
        back = "enable" if to is Status.DISABLED else "disable"
        # One name may be many publications, and typed for them it would not mean the same ones again.
        known = collection.list(active_only=False) if kind == "pipeline" else changed
        count = Counter(one.name for one in known)
        undo = [spelled(one.name) if count[one.name] == 1 else one.id for one in changed]
        notes.append(f"To undo: %aml {kind} {back} {' '.join(undo)}")
    caption = f"{'Would be' if call.is_dry_run else 'Now'} {to.value.lower()}"
    return tables.changes(call, before, to, caption, notes)


def _picked(kind: str, name: str, everything: Sequence[_Named], to: Status) -> Sequence[_Named]:
    """What a name means when it is to get a status, as the workspace will see it."""
    if kind == "pipeline":
        return pick_publications(name, everything, to)
    return [pick(kind, name, everything, to_change=True)]
