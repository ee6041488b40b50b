"""``%aml pipeline`` but for ``publish``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aml_magics.client.names import check_experiment_name
from aml_magics.model.errors import InvalidInput
from aml_magics.model.resources import Status
from aml_magics.notebook import tables
from aml_magics.notebook.commands.run import run_view
from aml_magics.notebook.commands.shared import LAST, change_status, data_paths_of, fitted, instant, raw_values
from aml_magics.notebook.views import Text, View

if TYPE_CHECKING:
    from aml_magics.model.resources import Pipeline
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["disable", "enable", "endpoint", "fields_of", "list_all", "show", "submit"]


def list_all(call: Call) -> Table:
    """Published pipelines; says how many disabled ones it leaves out."""
    everything = call.workspace.pipelines.list(active_only=False)
    found = everything if call.get("all") else [one for one in everything if one.status is not Status.DISABLED]
    call.remember("pipeline", [one.name for one in everything], all_of_them=True)
    return tables.pipelines(call, found, left_out(len(everything) - len(found), "pipeline"))


def left_out(count: int, what: str) -> list[str]:
    """The note below a list that leaves disabled ones out."""
    return [f"{count} disabled {what}{'' if count == 1 else 's'} left out; --all shows them."] if count else []


def show(call: Call) -> View:
    """One pipeline: its steps, parameters, schedules and last runs."""
    workspace = call.workspace
    found = workspace.pipelines.get(call.get("name_or_id"))
    call.remember("pipeline", [found.name])
    names = {found.id: found.name}
    schedules = workspace.schedules.list(active_only=False, pipeline=found.id)
    sections = {
        "parameters": tables.parameters(call, found),
        "schedules": tables.schedules(call, schedules, names),
        "runs": tables.runs(
            call,
            workspace.runs.list(pipeline=found.id, limit=LAST),
            {**names, **{one.id: one.name for one in schedules}},
            "Last runs",
        ),
    }
    return View(f"Pipeline {found.name}", value=found, fields=fields_of(call, found), sections=sections)


def fields_of(call: Call, found: Pipeline) -> list[tuple[str, str]]:
    """What a view of a pipeline says about it."""
    return [
        ("id", found.id),
        ("status", found.status.value),
        ("version", found.version),
        ("description", found.description),
        ("steps", ", ".join(found.steps)),
        ("on a failed step", "go on" if found.continue_on_step_failure else "stop"),
        ("endpoint", found.endpoint),
        ("created", instant(call, found.created)),
    ]


def submit(call: Call) -> View:
    """Start a run of a pipeline now."""
    workspace = call.workspace
    found = workspace.pipelines.get(call.get("name_or_id"))
    call.remember("pipeline", [found.name])
    experiment = _experiment(call, found)
    parameters = raw_values(call.get("parameter", {}), "--parameter")
    data_paths = data_paths_of(raw_values(call.get("data_path", {}), "--data-path"))
    if call.is_dry_run:
        values = fitted(workspace, found, parameters, data_paths)
        fields = [("experiment", experiment), ("parameters", tables.pairs_text(values) or "the defaults")]
        return View(f"Would start a run of {found.name}", value=found, fields=fields)
    run = workspace.pipelines.submit(
        found.id,
        experiment_name=experiment,
        parameters=parameters,
        data_paths=data_paths,
        continue_on_step_failure=call.get("continue_on_step_failure"),
    )
    call.remember("run", [run.id])
    call.remember("experiment", [run.experiment_name])
    return run_view(call, run, {found.id: found.name}, notes=[f"Wait for it: %aml run wait {run.id[:8]}"])


def _experiment(call: Call, found: Pipeline) -> str:
    """The experiment of ``--experiment``, or the one that is called like the pipeline."""
    given = call.get("experiment_name")
    try:
        return check_experiment_name(given or found.name)
    except InvalidInput as error:
        if given:
            raise
        message = f"The pipeline's name {found.name!r} cannot be an experiment's name"
        raise InvalidInput(message, hint=f"Add --experiment NAME: {error.hint}") from error


def disable(call: Call) -> Table:
    """Take pipelines out of use."""
    return change_status(call, call.workspace.pipelines, kind="pipeline", to=Status.DISABLED)


def enable(call: Call) -> Table:
    """Put pipelines back into use."""
    return change_status(call, call.workspace.pipelines, kind="pipeline", to=Status.ACTIVE)


def endpoint(call: Call) -> Text:
    """The REST address that starts a run of a pipeline."""
    found = call.workspace.pipelines.get(call.get("name_or_id"))
    call.remember("pipeline", [found.name])
    served = call.around.session.served
    if not call.workspace.is_here:
        return Text(found.endpoint)
    if served is not None:
        path = urlsplit(found.endpoint).path
        return Text(served.url + path)
    address = Text(found.endpoint)
    address.add_notes(["It answers inside this kernel only: no port is open. %aml serve opens one."])
    return address
