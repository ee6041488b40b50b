"""What ``%aml logic-app run`` shows: the runs, the checks of the triggers, the actions; and the plan of a dry run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aml_magics.notebook.commands.shared import instant
from aml_magics.notebook.factory_tables import short
from aml_magics.notebook.frames import Columns
from aml_magics.notebook.tables import table
from aml_magics.notebook.views import View
from aml_magics.workflows.logic_app.records import ActionRun, Status, WorkflowRun

if TYPE_CHECKING:
    from aml_magics.notebook.call import Call
    from aml_magics.workflows.logic_app.definition import Action, Workflow
    from aml_magics.workflows.logic_app.triggers import Watched

__all__ = ["plan", "watched_view"]

_RUNS: Columns = {
    "status": "string",
    "fired_by": "string",
    "trigger": "string",
    "started": "instant",
    "seconds": "Float64",
    "message": "string",
    "ml_runs": "string",
    "id": "string",
}
_CHECKS: Columns = {
    "trigger": "string",
    "at": "instant",
    "status": "string",
    "runs": "Int64",
    "reason": "string",
    "checks": "Int64",
}
_ACTIONS: Columns = {
    "run": "string",
    "action": "string",
    "type": "string",
    "status": "string",
    "seconds": "Float64",
    "result": "string",
    "ml_run": "string",
}
_PLAN: Columns = {"action": "string", "type": "string", "after": "string", "inside": "string"}


def watched_view(call: Call, workflow: Workflow, watched: Watched, seconds: float) -> View:
    """What the triggers started in their time."""
    fields = [(f"watched by {name}", place) for name, place in watched.places.items()]
    fields.append(("checks", f"{len(watched.checks):,}"))
    if watched.next_due:
        fields.append(("next", f"{instant(call, watched.next_due)}, after the end"))
    count = len(watched.runs)
    failed = [one for one in watched.runs if one.status is not Status.SUCCEEDED]
    notes = [f"{len(failed)} of {count} did not succeed."] if failed else []
    notes += [f"%aml run logs {id_[:8]} shows what the run of Azure ML wrote." for id_ in _ml_runs(watched)[:1]]
    title = f"Logic App {workflow.name}: {count:,} run{'' if count == 1 else 's'} in at most {seconds:g} s"
    view = View(title, value=watched, fields=fields, notes=notes)
    view.sections["runs_table"] = table(call, _RUNS, [_run(one) for one in watched.runs], "Runs", empty="nothing fired")
    view.sections["checks_table"] = table(call, _CHECKS, _checks(watched), "Checks of the triggers", empty="none")
    rows = [_action(run, one) for run in watched.runs for one in run.actions]
    if rows:
        view.sections["actions_table"] = table(call, _ACTIONS, rows, "Actions")
    return view


def plan(call: Call, workflow: Workflow) -> View:
    """What would run; nothing has."""
    triggers = ", ".join(one.name for one in workflow.triggers)
    view = View(f"Would run {workflow.name}: everything in it runs here", value=workflow, fields=[("starts", triggers)])
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


def _ml_runs(watched: Watched) -> list[str]:
    return [id_ for one in watched.runs for id_ in one.ml_runs]


def _run(run: WorkflowRun) -> dict[str, object]:
    ended = run.ended or run.started
    return {
        "status": run.status.value if run.status else "Running",
        "fired_by": _fired_by(run),
        "trigger": run.trigger,
        "started": run.started,
        "seconds": round((ended - run.started).total_seconds(), 3),
        "message": run.message,
        "ml_runs": ", ".join(run.ml_runs),
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
    return str(run.outputs.get("scheduledTime", ""))


def _checks(watched: Watched) -> list[dict[str, object]]:
    """Checks in a row that say the same are one row, with their number."""
    rows: list[dict[str, object]] = []
    for one in watched.checks:
        row: dict[str, object] = {
            "trigger": one.trigger,
            "at": one.at,
            "status": one.status.value,
            "runs": one.runs,
            "reason": one.reason,
        }
        last = rows[-1] if rows else {}
        if not one.runs and all(last.get(key) == row[key] for key in ("trigger", "status", "runs", "reason")):
            last["checks"] = int(str(last["checks"])) + 1
        else:
            rows.append(row | {"checks": 1})
    return rows


def _action(run: WorkflowRun, one: ActionRun) -> dict[str, object]:
    has_run = one.status is not Status.SKIPPED
    return {
        "run": run.id[:8],
        "action": one.where,
        "type": one.type,
        "status": one.status.value,
        "seconds": round(one.seconds, 3) if has_run else None,
        "result": one.error.get("message") or short(one.outputs),
        "ml_run": ", ".join(one.ml_runs),
    }
