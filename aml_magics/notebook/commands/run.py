"""``%aml run``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from aml_magics.model.errors import AmlError, InvalidInput, NotFound
from aml_magics.model.resources import RunStatus, StepStatus
from aml_magics.notebook import tables
from aml_magics.notebook.commands.shared import instant, names_for_runs
from aml_magics.notebook.views import Text, View

if TYPE_CHECKING:
    from aml_magics.client.workspace import Workspace
    from aml_magics.model.resources import Run
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["RunFailed", "cancel", "list_all", "logs", "run_view", "show", "wait"]

_LIST = 100


class RunFailed(AmlError):
    """A run that was waited for has failed; ``run`` is the run."""

    def __init__(self, message: str, *, run: Run, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.run = run


def list_all(call: Call) -> Table:
    """The newest runs of everything, or of a pipeline, a schedule, an experiment."""
    workspace = call.workspace
    limit = call.get("limit", _LIST)
    found = workspace.runs.list(
        pipeline=call.get("pipeline"),
        schedule=call.get("schedule"),
        experiment=call.get("experiment_name"),
        limit=limit,
    )
    call.remember("run", [one.id for one in reversed(found)])
    notes = [f"The newest {limit}; --limit takes more."] if len(found) == limit else []
    return tables.runs(call, found, names_for_runs(workspace, found), notes=notes)


def show(call: Call) -> View:
    """One run: its steps, parameters and times."""
    workspace = call.workspace
    run = _find(workspace, call.get("run"))
    return _detailed(call, workspace, run)


def logs(call: Call) -> Text | View:
    """What the steps of a run wrote; ``--follow`` writes it as it comes and returns the run when it has ended."""
    workspace = call.workspace
    run = _find(workspace, call.get("run"))
    call.remember("run", [run.id])
    if call.get("follow"):
        for text in workspace.runs.follow(run.id, step=call.get("step")):
            call.around.write(text)
        return _detailed(call, workspace, workspace.runs.get(run.id))
    text = Text(workspace.runs.logs(run.id, step=call.get("step")))
    if not text:
        text.add_notes([f"Nothing has been written; the run is {run.status.value}."])
    return text


def wait(call: Call) -> View:
    """Wait until a run has ended."""
    workspace = call.workspace
    wanted = call.get("run")
    with call.progress(f"Waiting for the run {wanted[:40]}"):
        ended = _ended(workspace, wanted, call.get("timeout"))
    if ended.status is RunStatus.FAILED and not call.get("no_raise"):
        raise _failed(workspace, ended)
    return _detailed(call, workspace, ended)


def _ended(workspace: Workspace, wanted: str, timeout: float | None) -> Run:
    """A run by id, or the newest of a schedule or pipeline, when it has ended; a schedule's may be yet to come."""
    if _is_schedule(workspace, wanted):
        return workspace.runs.wait_for_schedule(wanted, timeout=timeout)
    return workspace.runs.wait(_find(workspace, wanted), timeout=timeout)


def _is_schedule(workspace: Workspace, wanted: str) -> bool:
    try:
        return workspace.schedules.get(wanted).name == wanted
    except (NotFound, InvalidInput):
        return False


def cancel(call: Call) -> View:
    """Ask for the end of a run."""
    workspace = call.workspace
    run = workspace.runs.get(call.get("run"))
    if run.status.is_final:
        return _detailed(call, workspace, run, notes=["It had ended already."])
    if call.is_dry_run:
        return View(f"Would cancel the run {run.id}", value=run, fields=[("status", run.status.value)])
    asked = workspace.runs.cancel(run.id)
    notes = [] if asked.status.is_final else [f"Its steps are being ended: %aml run wait {run.id[:8]}"]
    return _detailed(call, workspace, asked, notes)


def _find(workspace: Workspace, wanted: str) -> Run:
    """A run by id, by the beginning of its id, or the newest run of the schedule or pipeline of that name."""
    try:
        return workspace.runs.get(wanted)
    except NotFound as error:
        newest = _newest_named(workspace, wanted)
        if newest is None:
            raise NotFound(error.message, hint="%aml run list shows the runs and their ids.") from error
        return newest


def _newest_named(workspace: Workspace, name: str) -> Run | None:
    found: list[Run] = []
    is_name = False
    for keyword in ("schedule", "pipeline"):
        try:
            found += workspace.runs.list(**{keyword: name}, limit=1)
            is_name = True
        except NotFound:
            continue
    if is_name and not found:
        raise NotFound(
            f"{name!r} has no runs yet", hint="%aml pipeline submit starts one; %aml schedule preview tells when."
        )
    return max(found, key=lambda run: (run.created is not None, run.created), default=None)


def _failed(workspace: Workspace, run: Run) -> RunFailed:
    broken = [step for step in workspace.runs.steps(run.id) if step.status is StepStatus.FAILED]
    reasons = "; ".join(
        f"step {step.name!r} {step.detail or f'ended with exit code {step.exit_code}'}" for step in broken
    )
    reason = reasons or run.status_detail or "no step says why"
    hint = f"%aml run logs {run.id[:8]} shows what it wrote; --no-raise returns the run."
    return RunFailed(f"The run {run.id} failed: {reason}", run=run, hint=hint)


def _detailed(call: Call, workspace: Workspace, run: Run, notes: Iterable[str] = ()) -> View:
    call.remember("run", [run.id])
    view = run_view(call, run, names_for_runs(workspace, [run]), notes)
    view.sections["steps"] = tables.steps(call, workspace.runs.steps(run.id))
    return view


def run_view(call: Call, run: Run, names: Mapping[str, str], notes: Iterable[str] = ()) -> View:
    """What a view of a run says without asking for its steps. ``names`` are those of pipelines and schedules by id."""
    pipeline = names.get(run.pipeline_id, run.pipeline_id)
    seconds = tables.seconds_between(run.started, run.ended)
    fields = [
        ("id", run.id),
        ("status", run.status.value),
        ("detail", run.status_detail),
        ("pipeline", pipeline),
        ("experiment", run.experiment_name),
        ("schedule", names.get(run.schedule_id or "", run.schedule_id or "")),
        ("source", run.source),
        ("parameters", tables.pairs_text(run.parameters)),
        ("data paths", tables.pairs_text(run.data_paths)),
        ("created", instant(call, run.created)),
        ("started", instant(call, run.started)),
        ("ended", instant(call, run.ended)),
        ("took", f"{seconds:.1f} s" if seconds is not None else ""),
    ]
    return View(f"Run of {pipeline}: {run.status.value}", value=run, fields=fields, notes=notes)
