"""``%aml experiment``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.client.names import check_experiment_name
from aml_magics.model.errors import NotFound
from aml_magics.notebook import tables
from aml_magics.notebook.commands.shared import LAST, names_for_runs
from aml_magics.notebook.present import moment
from aml_magics.notebook.views import View

if TYPE_CHECKING:
    from aml_magics.model.resources import Experiment
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["create", "list_all", "show"]


def list_all(call: Call) -> Table:
    """All experiments."""
    found = call.workspace.experiments.list()
    call.remember("experiment", [one.name for one in found], all_of_them=True)
    return tables.experiments(call, found)


def show(call: Call) -> View:
    """One experiment and its last runs."""
    workspace = call.workspace
    found = workspace.experiments.get(call.get("name_or_id"))
    runs = workspace.runs.list(experiment=found.name, limit=LAST)
    return _view(call, found, {"runs": tables.runs(call, runs, names_for_runs(workspace, runs), "Last runs")})


def create(call: Call) -> View:
    """Make an experiment, or return the one of that name."""
    name = call.get("name")
    workspace = call.workspace
    if call.is_dry_run:
        check_experiment_name(name)
        return View(f"Would make the experiment {name}", notes=_already_there(call, name))
    found = workspace.experiments.create(name)
    call.remember("experiment", [found.name])
    return _view(call, found)


def _already_there(call: Call, name: str) -> list[str]:
    try:
        call.workspace.experiments.get(name)
    except NotFound:
        return []
    return ["It is there already: nothing would change."]


def _view(call: Call, found: Experiment, sections: dict[str, Table] | None = None) -> View:
    fields = [
        ("id", found.id),
        ("description", found.description),
        ("created", moment(found.created.astimezone(call.zone)) if found.created else ""),
    ]
    return View(f"Experiment {found.name}", value=found, fields=fields, sections=sections)
