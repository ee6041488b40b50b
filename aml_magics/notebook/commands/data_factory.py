"""``%aml data-factory``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aml_magics.model.resources import Status
from aml_magics.notebook import hosted_tables
from aml_magics.notebook.commands.hosted import HISTORY, RUNS, azure, in_short, values, watching
from aml_magics.notebook.commands.shared import LAST
from aml_magics.notebook.views import View
from aml_magics.notebook.words import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aml_magics.client.data_factories import DataFactories
    from aml_magics.model.hosted import FactoryPipeline, HostedTrigger
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["deploy", "history", "history_of", "list_all", "runs", "show", "show_named", "start", "stop", "trigger"]


def deploy(call: Call) -> View | Table:
    """Check an export, and create or change its pipeline and trigger; or, dry, show what that would do."""
    factories, folder, place = _factories(call), call.get("folder"), _place(call)
    given = values(call)
    if call.is_dry_run:
        with call.progress("Checking with Azure"):
            planned = factories.plan(folder, parameters=given, **place)
        return hosted_tables.planned(call, planned, "Would change", ["Azure has checked it; nothing was changed."])
    with watching(call, "Deploying", f"%aml data-factory deploy {spelled(folder)}") as told:
        made = factories.deploy(
            folder,
            parameters=given,
            start=bool(call.get("start")),
            roles=bool(call.get("roles")),
            timeout=call.get("timeout"),
            tell=told.append,
            **place,
        )
    _remember(call, [made.pipeline], made.triggers)
    is_new = not made.was
    notes = [*told]
    if is_new and not call.get("roles"):
        notes.append(
            "The factory's identity needs the roles of roles.json: deploy it again with --roles, if it lacks them."
        )
    title = f"{'Made' if is_new else 'Changed'} the pipeline {made.pipeline.name} of {made.pipeline.factory}"
    return _view(call, made.pipeline, made.triggers, title, notes)


def list_all(call: Call) -> Table:
    """The triggers of the data factories."""
    found = _factories(call).list(**_place(call))
    _remember(call, [], found)
    return hosted_tables.triggers(call, found, "Triggers of data factories")


def show(call: Call) -> View:
    """One pipeline with its triggers and last runs."""
    return show_named(call, call.get("name"), **_place(call))


def show_named(call: Call, name: str, **place: Any) -> View:  # noqa: ANN401 - factory and resource group
    """The pipeline of that name, or the one of the trigger of that name."""
    factories = _factories(call)
    pipeline, triggers = factories.get(name, **place)
    _remember(call, [pipeline], triggers)
    view = _view(call, pipeline, triggers, f"Pipeline {pipeline.name} of {pipeline.factory}", ())
    last = factories.runs(pipeline.name, limit=LAST, **{**place, "factory": pipeline.factory})
    view.sections["runs"] = hosted_tables.runs(call, last, "Last runs")
    return view


def _view(
    call: Call, pipeline: FactoryPipeline, triggers: Sequence[HostedTrigger], title: str, notes: Iterable[str]
) -> View:
    types = [
        f"{name}={pipeline.defaults[name]!r}" if name in pipeline.defaults else f"{name} ({kind})"
        for name, kind in pipeline.parameters.items()
    ]
    fields = [
        ("factory", pipeline.factory),
        ("description", pipeline.description),
        ("activities", ", ".join(pipeline.activities)),
        ("parameters", ", ".join(types)),
        ("starts", ", ".join(pipeline.starts)),
        ("id", pipeline.id),
    ]
    name = spelled(pipeline.name)
    if triggers and all(one.status is not Status.ACTIVE for one in triggers):
        said = [f"Its trigger is stopped: it does not fire until %aml data-factory start {name}"]
    else:
        said = [f"Did it fire, and if not, why: %aml data-factory history {name}"] if triggers else []
    sections = {"triggers": hosted_tables.triggers(call, triggers, "Triggers")}
    return View(title, value=pipeline, fields=fields, sections=sections, notes=[*notes, *said])


def history(call: Call) -> Table:
    """When its triggers fired, or failed to, and why."""
    return history_of(call, call.get("name"), **_place(call))


def history_of(call: Call, name: str, **place: Any) -> Table:  # noqa: ANN401 - factory and resource group
    """The history of a trigger, or of those of a pipeline."""
    checks = _factories(call).history(name, limit=call.get("limit", HISTORY), **place)
    return hosted_tables.checks(call, checks, f"History of {name}, the newest first", [in_short(checks)])


def runs(call: Call) -> Table:
    """Its newest runs, or the activities of one of them."""
    factories, name = _factories(call), call.get("name")
    if "run" in call.arguments:
        found = factories.work(call.get("run"), **_place(call))
        return hosted_tables.work(call, found, f"Activities of the run {call.get('run')}")
    limit = call.get("limit", RUNS)
    return hosted_tables.runs(call, factories.runs(name, limit=limit, **_place(call)), f"Runs of {name}")


def trigger(call: Call) -> View:
    """Start a pipeline now."""
    factories, place = _factories(call), _place(call)
    pipeline, triggers = factories.get(call.get("name"), **place)
    place["factory"] = pipeline.factory
    given = values(call, dict(pipeline.parameters))
    factories.fire_plan(pipeline.name, parameters=given, **place)
    if call.is_dry_run:
        return _view(call, pipeline, triggers, f"Would start the pipeline {pipeline.name}", ())
    run = factories.fire(pipeline.name, parameters=given, **place)
    fields = [("run", run), ("parameters", ", ".join(f"{name}={value}" for name, value in given.items()))]
    notes = [f"What became of it: %aml data-factory runs {spelled(pipeline.name)} --run {run}"]
    return View(f"Started the pipeline {pipeline.name}", value=pipeline, fields=fields, notes=notes)


def start(call: Call) -> Table:
    """Start triggers."""
    return _set_status(call, Status.ACTIVE)


def stop(call: Call) -> Table:
    """Stop triggers."""
    return _set_status(call, Status.DISABLED)


def _set_status(call: Call, to: Status) -> Table:
    factories, names, place = _factories(call), call.named("name"), _place(call)
    if call.is_dry_run:
        found = factories.meant(*names, **place)
        return hosted_tables.status_changes(call, [(one, one.status) for one in found], to, [])
    changes = (factories.start if to is Status.ACTIVE else factories.stop)(*names, **place)
    _remember(call, [], [one.value for one in changes])
    back = "stop" if to is Status.ACTIVE else "start"
    changed = [spelled(one.value.name) for one in changes if one.changed]
    undo = [f"To undo: %aml data-factory {back} {' '.join(changed)}"] if changed else []
    return hosted_tables.status_changes(call, [(one.value, one.was) for one in changes], to, undo)


def _factories(call: Call) -> DataFactories:
    return azure(call, "data-factory").data_factories


def _place(call: Call) -> dict[str, Any]:
    return {"factory": call.get("factory"), "resource_group": call.get("resource_group")}


def _remember(call: Call, pipelines: Sequence[FactoryPipeline], triggers: Sequence[HostedTrigger]) -> None:
    names = [*(one.name for one in pipelines), *(name for one in triggers for name in one.pipelines)]
    call.remember("factory-trigger", [*names, *(one.name for one in triggers)])
    call.remember("factory", [one.factory for one in pipelines] + [one.owner for one in triggers])
