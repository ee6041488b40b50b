"""What ``%aml data-factory run`` shows: a run with its activities, what a trigger started, a plan."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aml_magics.model.secret import redacted
from aml_magics.model.words import listed
from aml_magics.notebook.commands.shared import instant
from aml_magics.notebook.frames import Columns
from aml_magics.notebook.present import moment
from aml_magics.notebook.tables import table
from aml_magics.notebook.views import View
from aml_magics.workflows.data_factory.dependencies import Status, in_order

if TYPE_CHECKING:
    from aml_magics.notebook.call import Call
    from aml_magics.workflows.data_factory.definition import Activity, Pipeline, Trigger
    from aml_magics.workflows.data_factory.records import ActivityRun, PipelineRun
    from aml_magics.workflows.data_factory.triggers import Watched

__all__ = ["plan", "run_view", "short", "watched_view"]

_ACTIVITIES: Columns = {
    "activity": "string",
    "type": "string",
    "status": "string",
    "started": "instant",
    "seconds": "Float64",
    "attempts": "Int64",
    "result": "string",
    "ml_run": "string",
    "user_properties": "string",
}
_RUNS: Columns = {
    "pipeline": "string",
    "status": "string",
    "fired_by": "string",
    "parameters": "string",
    "started": "instant",
    "seconds": "Float64",
    "message": "string",
    "ml_runs": "string",
    "id": "string",
}
_PLAN: Columns = {"activity": "string", "type": "string", "after": "string", "inside": "string"}
_LONGEST = 200  # characters of an output in a table; the value holds all of it


def run_view(call: Call, run: PipelineRun) -> View:
    """One run: the activities as they ended, and those of the pipelines that it executed."""
    fields = [
        ("id", run.id),
        ("status", _status(run)),
        ("message", run.message),
        ("parameters", _pairs(run.parameters)),
        ("variables", _pairs(run.masked(run.variables))),
        ("started", instant(call, run.started)),
        ("took", f"{_seconds(run):.1f} s"),
        ("runs of Azure ML", ", ".join(run.ml_runs)),
    ]
    notes = [f"%aml run logs {id_[:8]} shows what the run of Azure ML wrote." for id_ in run.ml_runs[:1]]
    view = View(f"Pipeline run of {run.pipeline}: {_status(run)}", value=run, fields=fields, notes=notes)
    # The value has a list of that name, so the table is the section and the list is view.value.activities.
    view.sections["activities"] = table(call, _ACTIVITIES, _rows(run), "Activities", empty="none ran")
    return view


def watched_view(call: Call, trigger: Trigger, watched: Watched, seconds: float) -> View:
    """What a trigger started in its time."""
    fields = [
        ("trigger", f"{trigger.name} ({trigger.type})"),
        ("watched", watched.place),
        ("looks", f"{watched.looks:,}" if watched.looks else ""),
        ("next", f"{instant(call, watched.next_due)}, after the end" if watched.next_due else ""),
    ]
    count = len(watched.runs)
    title = f"Trigger {trigger.name}: {count:,} run{'' if count == 1 else 's'} in {seconds:g} s"
    failed = [one for one in watched.runs if one.status is not Status.SUCCEEDED]
    notes = [f"{len(failed)} of {count} did not succeed."] if failed else []
    notes += [f"Went wrong: {one}" for one in watched.failures]
    view = View(title, value=watched, fields=fields, notes=notes)
    rows = [_run_row(one) for one in watched.runs]
    view.sections["runs"] = table(call, _RUNS, rows, "Runs", empty="nothing fired")
    return view


def plan(call: Call, *pipelines: Pipeline) -> View:
    """What would run, in its order; nothing has."""
    names = listed([one.name for one in pipelines])
    view = View(f"Would run {names}: everything in it runs here", value=pipelines)
    rows = [row for one in pipelines for row in _planned(one.activities, "")]
    view.sections["plan"] = table(call, _PLAN, rows, "Activities", empty="none")
    return view


def _planned(activities: Iterable[Activity], inside: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for one in in_order(list(activities)):
        after = ", ".join(f"{each.activity} {'|'.join(each.conditions)}" for each in one.depends_on)
        rows.append({"activity": one.name, "type": one.type, "after": after, "inside": inside})
        for branch, inner in one.branches.items():
            rows += _planned(inner, f"{one.name}: {branch}")
    return rows


def _rows(run: PipelineRun, within: str = "") -> list[dict[str, object]]:
    rows = [_row(one, within) for one in run.activities]
    for child in run.children:
        rows += _rows(child, f"{within}{child.pipeline}: ")
    return rows


def _row(one: ActivityRun, within: str) -> dict[str, object]:
    has_run = one.status is not Status.SKIPPED
    return {
        "activity": f"{within}{one.where}",
        "type": one.type,
        "status": one.status.value,
        "started": one.started if has_run else None,
        "seconds": round(one.seconds, 3) if has_run else None,
        "attempts": one.attempts or None,
        "result": one.error.get("message") or short(one.output),
        "ml_run": ", ".join(one.ml_runs),
        "user_properties": _pairs(one.user_properties),
    }


def _run_row(run: PipelineRun) -> dict[str, object]:
    return {
        "pipeline": run.pipeline,
        "status": _status(run),
        "fired_by": _fired_by(run),
        "parameters": _pairs(run.parameters),
        "started": run.started,
        "seconds": round(_seconds(run), 3),
        "message": run.message,
        "ml_runs": ", ".join(run.ml_runs),
        "id": run.id,
    }


def _fired_by(run: PipelineRun) -> str:
    """The file, the window or the time."""
    fired = run.fired
    if fired.body:
        return "/".join(str(fired.body[name]) for name in ("folderPath", "fileName"))
    if fired.outputs:
        return f"window {fired.outputs['windowStartTime']}"
    return moment(fired.scheduled) if fired.scheduled else ""


def _status(run: PipelineRun) -> str:
    return run.status.value if run.status else "InProgress"


def _seconds(run: PipelineRun) -> float:
    return (run.ended - run.started).total_seconds() if run.ended else 0.0


def _pairs(values: Any) -> str:  # noqa: ANN401 - a mapping of any JSON
    return ", ".join(f"{name}={short(value)}" for name, value in values.items())


def short(value: object) -> str:
    """JSON of a value, not too much of it, without what looks like a secret."""
    if value is None or value == {}:
        return ""
    text = redacted(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
