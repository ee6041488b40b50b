"""``%aml data-factory run``: a Data Factory pipeline in this kernel, once or as its trigger fires."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from aml_magics.client.own_addresses import OwnAddresses
from aml_magics.engine.clock import SystemClock
from aml_magics.model.errors import AmlError, InvalidInput
from aml_magics.notebook import factory_tables
from aml_magics.notebook.commands.files import is_folder, read_file
from aml_magics.notebook.commands.shared import raw_values
from aml_magics.workflows.data_factory.checks import check
from aml_magics.workflows.data_factory.dependencies import Status
from aml_magics.workflows.data_factory.reading import factory_from_file, factory_from_text
from aml_magics.workflows.data_factory.running import Runner
from aml_magics.workflows.data_factory.triggers import Watched, check_trigger, run_trigger
from aml_magics.workflows.data_factory.values import filled

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.progress import Progress
    from aml_magics.notebook.views import View
    from aml_magics.workflows.data_factory.definition import Factory
    from aml_magics.workflows.data_factory.records import PipelineRun

__all__ = ["FactoryRunFailed", "run"]

_SECONDS = 60.0


class FactoryRunFailed(AmlError):
    """A Data Factory pipeline that was run here failed; ``run`` is its run."""

    def __init__(self, message: str, *, run: PipelineRun, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.run = run


def run(call: Call) -> View:
    """Check the whole definition, then run it."""
    factory = _definition(call)
    given = raw_values(call.get("parameter", {}), "--parameter")
    if "trigger" in call.arguments:
        return _watch(call, factory, given)
    _refuse_without_trigger(call)
    pipeline = factory.pipeline(call.get("pipeline", ""))
    web = call.workspace.ask(_own_addresses)
    check(factory, pipeline.name, web)
    filled(pipeline, given)
    if call.is_dry_run:
        return factory_tables.plan(call, pipeline)
    with call.progress(f"Running {pipeline.name}") as progress:
        done = call.workspace.ask(lambda client: _runner(factory, client, web, progress).run(pipeline.name, given))
    call.remember("run", done.ml_runs)
    if done.status is not Status.SUCCEEDED and not call.get("no_raise"):
        logs = f"%aml run logs {done.ml_runs[-1][:8]} shows what it wrote; " if done.ml_runs else ""
        hint = f"{logs}--no-raise returns the run with all its activities."
        raise FactoryRunFailed(f"The pipeline {pipeline.name!r} failed: {done.message}", run=done, hint=hint)
    return factory_tables.run_view(call, done)


def _watch(call: Call, factory: Factory, given: dict[str, Any]) -> View:
    trigger = factory.trigger(call.get("trigger"))
    if "pipeline" in call.arguments:
        raise InvalidInput("--pipeline does not go with --trigger", hint="The trigger says what it starts.")
    web = call.workspace.ask(_own_addresses)
    check_trigger(factory, trigger, web)
    seconds = call.get("for", _SECONDS)
    if call.is_dry_run:
        return factory_tables.plan(call, *(factory.pipeline(one.name) for one in trigger.pipelines))
    watched = Watched()

    async def work(client: WorkspaceClient, progress: Progress) -> Watched:
        runner = _runner(factory, client, web, progress)
        return await run_trigger(runner, trigger, seconds, given, datastore=call.get("datastore", ""), watched=watched)

    with call.progress(f"Trigger {trigger.name}") as progress:
        call.workspace.ask(lambda client: work(client, progress))
    call.remember("run", [id_ for one in watched.runs for id_ in one.ml_runs])
    return factory_tables.watched_view(call, trigger, watched, seconds)


def _runner(factory: Factory, client: WorkspaceClient, web: OwnAddresses, progress: Progress) -> Runner:
    return Runner(factory, client, SystemClock(), web=web, tell=progress.under_way)


async def _own_addresses(client: WorkspaceClient) -> OwnAddresses:
    return OwnAddresses(client.transport)


def _refuse_without_trigger(call: Call) -> None:
    for option in ("for", "datastore"):
        if option in call.arguments:
            raise InvalidInput(f"--{option} goes with --trigger", hint="Name the trigger that is to fire.")


def _definition(call: Call) -> Factory:
    """What the cell's body says, or a file, or what was exported under a name."""
    wanted = call.get("file_or_name")
    if call.body is not None:
        if wanted is not None:
            raise InvalidInput("A file and a cell's text are two definitions", hint="Leave out one of them.")
        return factory_from_text(call.body, "the cell", here=call.workspace.is_embedded)
    if not isinstance(wanted, str | PurePath) or not str(wanted):
        hint = "Write %aml data-factory run FILE, or put the JSON into a %%aml cell."
        raise InvalidInput("There is no definition to run", hint=hint)
    path = _found(Path(wanted).expanduser())
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name} is not UTF-8 text", hint="Save it as UTF-8.") from error
    return factory_from_file(path, text, here=call.workspace.is_embedded)


def _found(path: Path) -> Path:
    """The file of a definition: itself, the template of an exported folder, that of an exported name."""
    for folder in (path, path.with_name(f"{path.name}-data-factory")):
        if is_folder(folder):
            return folder / "template.json"
    return path
