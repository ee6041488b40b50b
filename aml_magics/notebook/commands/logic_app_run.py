"""``%aml logic-app run``: a Logic App in this kernel, for as long as its triggers may fire."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from aml_magics.client.clouds import KNOWN
from aml_magics.client.own_addresses import OwnAddresses
from aml_magics.engine.clock import SystemClock
from aml_magics.export.definitions import (
    DataFactoryDefinition,
    LogicAppDefinition,
    definition_from,
    read_definition,
)
from aml_magics.export.logic_app import export_logic_app
from aml_magics.model.errors import AmlError, InvalidInput, NotFound
from aml_magics.notebook import logic_app_tables
from aml_magics.notebook.call import Call
from aml_magics.notebook.commands.export_request import source_of
from aml_magics.notebook.commands.files import is_folder, read_file
from aml_magics.wire.json_text import loads
from aml_magics.workflows.logic_app.checks import check_workflow
from aml_magics.workflows.logic_app.definition import Workflow, read_workflow
from aml_magics.workflows.logic_app.records import Status, Watched
from aml_magics.workflows.logic_app.running import Runner
from aml_magics.workflows.logic_app.sending import ARM
from aml_magics.workflows.logic_app.triggers import Options, places, run_triggers

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.notebook.views import View

__all__ = ["LogicAppRunFailed", "run"]

_SECONDS = 60.0


class LogicAppRunFailed(AmlError):
    """A run of a Logic App failed here; ``watched`` has all runs and checks."""

    def __init__(self, message: str, *, watched: Watched, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.watched = watched


def run(call: Call) -> View:
    """Check the whole definition, then let its triggers fire."""
    workflow = read_workflow(_definition(call))
    runner = _runner(call, workflow)
    check_workflow(workflow, runner.web)
    if call.is_dry_run:
        found = call.workspace.ask(lambda client: places(runner, client, call.get("datastore", "")))
        return logic_app_tables.plan(call, workflow, {name: place.datastore for name, (_, place) in found.items()})
    options = Options(
        seconds=call.get("for", _SECONDS),
        interval=call.get("interval"),
        existing=bool(call.get("existing")),
        once=bool(call.get("once")),
        datastore=call.get("datastore", ""),
    )
    watched = Watched()
    with call.progress(f"Logic App {workflow.name}") as progress:
        runner.tell = progress.under_way
        call.workspace.ask(lambda client: run_triggers(runner, client, options, watched))
    ids = [id_ for one in watched.runs for id_ in one.ml_runs]
    call.remember("run", ids)
    failed = [one for one in watched.runs if one.status is not Status.SUCCEEDED]
    if failed and not call.get("no_raise"):
        message = f"{len(failed)} of {len(watched.runs)} runs of {workflow.name!r} failed: {failed[0].message}"
        hint = "--no-raise returns the runs with all their actions."
        raise LogicAppRunFailed(message, watched=watched, hint=hint)
    ml_runs = {id_: call.workspace.runs.get(id_) for id_ in ids}
    return logic_app_tables.watched_view(call, workflow, watched, options.seconds, ml_runs)


def _runner(call: Call, workflow: Workflow) -> Runner:
    cloud = KNOWN.get(call.workspace.about.get("cloud", ""))
    web = call.workspace.ask(_own_addresses)
    return Runner(workflow, SystemClock(), web=web, audience=cloud.audience if cloud else ARM)


async def _own_addresses(client: WorkspaceClient) -> OwnAddresses:
    return OwnAddresses(client.transport)


def _definition(call: Call) -> LogicAppDefinition:
    """What the cell's body says, or a file, or what was exported under a name, or a schedule, exported for this run."""
    wanted, here = call.get("file_or_name"), call.workspace.is_embedded
    if call.body is not None:
        if wanted is not None:
            raise InvalidInput("A file and a cell's text are two definitions", hint="Leave out one of them.")
        return _logic_app(definition_from(_loaded(call.body), name="the cell", here=here))
    if not isinstance(wanted, str | PurePath) or not str(wanted):
        hint = "Write %aml logic-app run NAME, or put the JSON into a %%aml cell."
        raise InvalidInput("There is no definition to run", hint=hint)
    path = Path(wanted).expanduser()
    for place in (path, path.with_name(f"{path.name}-logic-app")):
        if is_folder(place) or place.is_file():
            return _logic_app(read_definition(place, here=here))
    if path.suffix or len(path.parts) != 1:
        read_file(path)  # it is not there: this says so, with the nearest name
    return _of_schedule(call, str(wanted))


def _of_schedule(call: Call, name: str) -> LogicAppDefinition:
    try:
        schedule = call.workspace.schedules.get(name)
    except NotFound as error:
        message = f"there is no file, no export and no schedule called {name!r}"
        raise NotFound(message, hint=error.hint or "%aml export logic-app makes one of a schedule.") from None
    exporting = Call(("export", "logic-app"), {"name": schedule.name}, None, call.names, call.around)
    export = export_logic_app(source_of(exporting, "logic-app"), call.now())
    call.notes += [*exporting.notes, f"The schedule was exported for this run; %aml export logic-app {name} keeps it."]
    values = export.parameters["parameters"]
    here = call.workspace.is_embedded
    return _logic_app(definition_from(export.template, name=export.name, parameters=values, here=here))


def _logic_app(found: LogicAppDefinition | DataFactoryDefinition) -> LogicAppDefinition:
    if isinstance(found, DataFactoryDefinition):
        raise InvalidInput(f"{found.name} is a Data Factory pipeline", hint="Run it with %aml data-factory run.")
    return found


def _loaded(text: str) -> dict[str, Any]:
    try:
        value = loads(text)
    except ValueError as error:
        hint = "Copy the workflow from the portal's code view."
        raise InvalidInput(f"the cell is no JSON: {error}", hint=hint) from None
    if not isinstance(value, dict):
        raise InvalidInput("the cell is no JSON object", hint="A workflow has triggers and actions.")
    return value
