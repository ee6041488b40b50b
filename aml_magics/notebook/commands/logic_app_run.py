"""``%aml logic-app run``: a Logic App in this kernel, for as long as its triggers may fire."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from aml_magics.client.own_addresses import OwnAddresses
from aml_magics.engine.clock import SystemClock
from aml_magics.export.definitions import DataFactoryDefinition, definition_from, read_definition
from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.notebook import logic_app_tables
from aml_magics.notebook.commands.files import is_folder
from aml_magics.workflows.logic_app.checks import check_workflow
from aml_magics.workflows.logic_app.definition import Workflow, read_workflow
from aml_magics.workflows.logic_app.records import Status
from aml_magics.workflows.logic_app.running import AUDIENCE, Runner
from aml_magics.workflows.logic_app.triggers import Options, Watched, run_triggers

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.progress import Progress
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
    check_workflow(workflow, call.workspace.ask(_own_addresses))
    if call.is_dry_run:
        return logic_app_tables.plan(call, workflow)
    options = Options(
        seconds=call.get("for", _SECONDS),
        interval=call.get("interval"),
        existing=bool(call.get("existing")),
        once=bool(call.get("once")),
        datastore=call.get("datastore", ""),
    )
    watched = Watched()
    with call.progress(f"Logic App {workflow.name}") as progress:
        call.workspace.ask(lambda client: _work(client, workflow, options, watched, progress))
    call.remember("run", [id_ for one in watched.runs for id_ in one.ml_runs])
    failed = [one for one in watched.runs if one.status is not Status.SUCCEEDED]
    if failed and not call.get("no_raise"):
        message = f"{len(failed)} of {len(watched.runs)} runs of {workflow.name!r} failed: {failed[0].message}"
        hint = "--no-raise returns the runs with all their actions."
        raise LogicAppRunFailed(message, watched=watched, hint=hint)
    return logic_app_tables.watched_view(call, workflow, watched, options.seconds)


async def _work(
    client: WorkspaceClient, workflow: Workflow, options: Options, watched: Watched, progress: Progress
) -> None:
    runner = Runner(
        workflow,
        client,
        SystemClock(),
        web=OwnAddresses(client.transport),
        audience=AUDIENCE,
        tell=progress.under_way,
    )
    await run_triggers(runner, options, watched)


async def _own_addresses(client: WorkspaceClient) -> OwnAddresses:
    return OwnAddresses(client.transport)


def _definition(call: Call) -> Any:  # noqa: ANN401 - a LogicAppDefinition
    """What the cell's body says, or a file, or what was exported under a name."""
    wanted, here = call.get("file_or_name"), call.workspace.is_embedded
    if call.body is not None:
        if wanted is not None:
            raise InvalidInput("A file and a cell's text are two definitions", hint="Leave out one of them.")
        found = definition_from(_loaded(call.body), name="the cell", here=here)
    elif isinstance(wanted, str | PurePath) and str(wanted):
        found = read_definition(_found(Path(wanted).expanduser()), here=here)
    else:
        hint = "Write %aml logic-app run FILE, or put the JSON into a %%aml cell."
        raise InvalidInput("There is no definition to run", hint=hint)
    if isinstance(found, DataFactoryDefinition):
        raise InvalidInput(f"{found.name} is a Data Factory pipeline", hint="Run it with %aml data-factory run.")
    return found


def _loaded(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        hint = "Copy the workflow from the portal's code view."
        raise InvalidInput(f"the cell is no JSON: {error}", hint=hint) from None
    if not isinstance(value, dict):
        raise InvalidInput("the cell is no JSON object", hint="A workflow has triggers and actions.")
    return value


def _found(path: Path) -> Path:
    """A folder or file of that name, or the folder that was exported under it."""
    exported = path.with_name(f"{path.name}-logic-app")
    return exported if not path.exists() and is_folder(exported) else path
