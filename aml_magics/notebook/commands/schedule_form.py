"""``%aml schedule new``: a form in the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.client.fitting import check_in_use
from aml_magics.model.errors import InvalidInput
from aml_magics.notebook.completion import time_zones

if TYPE_CHECKING:
    from aml_magics.client.workspace import Workspace
    from aml_magics.model.resources import Schedule
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.form.form import ScheduleForm

__all__ = ["new"]


def new(call: Call) -> ScheduleForm:
    """Open the form; the workspace is asked for its names once, now."""
    try:
        from aml_magics.notebook.form.form import ScheduleForm, Workings  # noqa: PLC0415 - widgets cost 0.3 s
        from aml_magics.notebook.form.widgets import Choices  # noqa: PLC0415 - as above
    except ImportError as error:
        message = f"The form needs ipywidgets, which cannot be imported: {error}"
        raise InvalidInput(message, hint="Install it, or write the cell: %aml schedule create --help.") from error
    workspace = call.workspace
    pipelines = workspace.pipelines.list()
    datastores = [one.name for one in workspace.datastores.list()]
    chosen = {"name": call.get("name"), "pipeline": _pipeline(workspace, call.get("pipeline"))}
    choices = Choices(
        pipelines=pipelines,
        experiments=[one.name for one in workspace.experiments.list()],
        datastores=datastores,
        time_zones=time_zones(),
        chosen={key: text for key, text in chosen.items() if text},
    )

    def remember(made: Schedule) -> None:
        call.remember("schedule", [made.name])
        call.remember("experiment", [made.experiment_name])

    form = ScheduleForm(workspace, choices, Workings(now=call.now, zone=call.zone, made=remember))
    call.around.session.show("schedule form", form)
    return form


def _pipeline(workspace: Workspace, wanted: str | None) -> str | None:
    if wanted is None:
        return None
    found = workspace.pipelines.get(wanted)
    check_in_use(found)
    return found.name
