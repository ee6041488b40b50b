"""What ``%aml logic-app run`` shows: the runs, the checks of the triggers, the actions; and the plan of a dry run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from aml_magics.notebook.commands.shared import instant
from aml_magics.notebook.factory_tables import short
from aml_magics.notebook.frames import Columns
from aml_magics.notebook.present import moment
from aml_magics.notebook.tables import table
from aml_magics.notebook.views import View
from aml_magics.workflows.logic_app.records import ActionRun, Status, WorkflowRun

if TYPE_CHECKING:
    from aml_magics.model.resources import Run
    from aml_magics.notebook.call import Call
    from aml_magics.workflows.logic_app.definition import Action, Trigger, Workflow
    from aml_magics.workflows.logic_app.records import Watched

__all__ = ["plan", "watched_view"]

_RUNS: Columns = {
    "fired_by": "string",
    "data_path": "string",
    "status": "string",
    "ml_run": "string",
    "ml_status": "string",
    "fired": "instant",
    "seconds": "Float64",
    "message": "string",
    "trigger": "string",
    "id": "string",
}
_CHECKS: Columns = {
    "at": "instant",
    "status": "string",
    "found": "Int64",
    "runs": "Int64",
    "why": "string",
    "checks": "Int64",
    "trigger": "string",
}
_ACTIONS: Columns = {
    "run": "string",
    "action": "string",
    "type": "string",
    "status": "string",
    "seconds": "Float64",
    "inputs": "string",
    "result": "string",
    "ml_run": "string",
}
_PLAN: Columns = {"action": "string", "type": "string", "after": "string", "inside": "string"}


def watched_view(call: Call, workflow: Workflow, watched: Watched, seconds: float, ml_runs: Mapping[str, Run]) -> View:
    """What the triggers started in their time. ``ml_runs`` are the runs of Azure ML by their ids."""
    fields = [(f"watched by {name}", place) for name, place in watched.places.items()]
    fields.append(("checks", f"{len(watched.checks):,}"))
    if watched.next_due:
        fields.append(("next", f"{instant(call, watched.next_due)}, after the end"))
    count = len(watched.runs)
    failed = [one for one in watched.runs if one.status is not Status.SUCCEEDED]
    notes = [f"{len(failed)} of {count} did not succeed."] if failed else []
    notes += [f"%aml run logs {id_[:8]} shows what the run of Azure ML wrote." for id_ in list(ml_runs)[:1]]
    title = f"Logic App {workflow.name}: {count:,} run{'' if count == 1 else 's'} in at most {seconds:g} s"
    view = View(title, value=watched, fields=fields, notes=notes)
    view.sections["runs_table"] = table(
        call, _RUNS, [_run(one, ml_runs) for one in watched.runs], "Runs", empty="nothing fired"
    )
    view.sections["checks_table"] = table(call, _CHECKS, _checks(watched), "Checks of the triggers", empty="none")
    rows = [_action(run, one) for run in watched.runs for one in run.actions]
    if rows:
        view.sections["actions_table"] = table(call, _ACTIONS, rows, "Actions")
    return view


def plan(call: Call, workflow: Workflow, stores: Mapping[str, str]) -> View:
    """What would run; nothing has. ``stores`` has for each blob trigger the datastore that it looks at."""
    triggers = [f"{one.name} ({_kind(one, stores)})" for one in workflow.triggers]
    fields = [("starts by", ", ".join(triggers))]
    view = View(f"Would run {workflow.name}: everything in it runs here", value=workflow, fields=fields)
    view.sections["plan"] = table(call, _PLAN, _planned(workflow.actions, ""), "Actions", empty="none")
    return view


def _planned(actions: Iterable[Action], inside: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for one in actions:
        after = ", ".join(f"{name} {'|'.join(results)}" for name, results in one.run_after.items())
        rows.append({"action": one.name, "type": one.type, "after": after, "inside": inside})
        for branch, inner in one.branches.items():
            rows += _planned(inner, one.name if branch == "actions" else f"{one.name}: {branch}")
    return rows


def _kind(trigger: Trigger, stores: Mapping[str, str]) -> str:
    if trigger.name in stores:
        return f"blobs of the datastore {stores[trigger.name]}"
    recurrence = trigger.recurrence
    return f"every {recurrence['interval']} {recurrence['frequency']}"


def _run(run: WorkflowRun, ml_runs: Mapping[str, Run]) -> dict[str, object]:
    seconds = (run.ended - run.started).total_seconds() if run.started and run.ended else None
    return {
        "fired_by": _fired_by(run),
        "data_path": ", ".join(run.data_paths),
        "status": run.status.value if run.status else "Running",
        "ml_run": ", ".join(run.ml_runs),
        "ml_status": ", ".join(ml_runs[id_].status.value for id_ in run.ml_runs if id_ in ml_runs),
        "fired": run.fired,
        "seconds": None if seconds is None else round(seconds, 3),
        "message": run.message,
        "trigger": run.trigger,
        "id": run.id,
    }


def _fired_by(run: WorkflowRun) -> str:
    """The file, the files, or the time."""
    body = run.body
    if isinstance(body, dict) and "Path" in body:
        return str(body["Path"])
    if isinstance(body, list) and body:
        more = f" and {len(body) - 1} more" if len(body) > 1 else ""
        return f"{body[0]['Path']}{more}"
    return moment(run.scheduled)


def _checks(watched: Watched) -> list[dict[str, object]]:
    """Checks in a row that say the same are one row, with their number."""
    rows: list[dict[str, object]] = []
    for one in watched.checks:
        row: dict[str, object] = {
            "trigger": one.trigger,
            "at": one.at,
            "status": one.status.value,
            "found": one.found,
            "runs": len(one.runs),
            "why": one.why,
        }
        last = rows[-1] if rows else {}
        if not one.runs and all(last.get(key) == row[key] for key in ("trigger", "status", "runs", "why")):
            last["checks"] = int(str(last["checks"])) + 1
        else:
            rows.append(row | {"checks": 1})
    return rows


def _of_http(value: object, part: str) -> object:
    """What counts of the inputs or outputs of an HTTP action, unless they are hidden."""
    return value.get(part) if isinstance(value, Mapping) else value


def _action(run: WorkflowRun, one: ActionRun) -> dict[str, object]:
    has_run = one.status is not Status.SKIPPED
    return {
        "run": run.id[:8],
        "action": one.where,
        "type": one.type,
        "status": one.status.value,
        "seconds": round((one.ended - one.started).total_seconds(), 3) if has_run else None,
        "inputs": short(_of_http(one.inputs, "body") if one.type == "Http" else one.inputs),
        "result": one.message or short(_of_http(one.outputs, "statusCode") if one.type == "Http" else one.outputs),
        "ml_run": one.ml_run,
    }
