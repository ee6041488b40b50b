"""The tables of Logic Apps and data factories: what they are, what they did, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aml_magics.notebook.frames import Columns
from aml_magics.notebook.tables import seconds_between, table
from aml_magics.wire.hosted_words import started_id

if TYPE_CHECKING:
    from aml_magics.model.hosted import (
        Check,
        HostedRun,
        HostedTrigger,
        LogicApp,
        PlannedChange,
        Work,
    )
    from aml_magics.model.resources import Status
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

    Changes = Sequence[tuple[LogicApp | HostedTrigger, Status]]

__all__ = ["apps", "checks", "in_words", "planned", "runs", "status_changes", "triggers", "work"]

_APPS: Columns = {
    "name": "string",
    "status": "string",
    "trigger": "string",
    "starts": "string",
    "region": "string",
    "changed": "instant",
    "id": "string",
}
_TRIGGERS: Columns = {
    "name": "string",
    "status": "string",
    "trigger": "string",
    "pipeline": "string",
    "factory": "string",
    "id": "string",
}
_RUNS: Columns = {
    "name": "string",
    "status": "string",
    "started": "instant",
    "seconds": "Float64",
    "trigger": "string",
    "code": "string",
    "error": "string",
    "id": "string",
}
_CHECKS: Columns = {
    "at": "instant",
    "fired": "boolean",
    "status": "string",
    "code": "string",
    "reason": "string",
    "run": "string",
    "ml_run": "string",
    "trigger": "string",
}
_WORK: Columns = {
    "name": "string",
    "kind": "string",
    "status": "string",
    "started": "instant",
    "seconds": "Float64",
    "error": "string",
    "ml_run": "string",
}
_PLANNED: Columns = {"change": "string", "kind": "string", "name": "string", "differences": "string", "id": "string"}
_STATUS: Columns = {"name": "string", "was": "string", "status": "string", "id": "string"}


def apps(call: Call, found: Sequence[LogicApp], notes: Iterable[str] = ()) -> Table:
    """Logic Apps."""
    rows = [
        {
            "name": one.name,
            "status": one.status.value,
            "trigger": in_words(one),
            "starts": ", ".join(map(started_id, one.starts)) or None,
            "region": one.location,
            "changed": one.changed,
            "id": one.id,
        }
        for one in found
    ]
    return table(call, _APPS, rows, "Logic Apps", notes=notes, empty="no Logic Apps")


def in_words(app: LogicApp) -> str:
    """When it starts something."""
    return "; ".join(words for words in app.triggers.values() if words)


def triggers(call: Call, found: Sequence[HostedTrigger], caption: str, notes: Iterable[str] = ()) -> Table:
    """Triggers of data factories."""
    rows = [
        {
            "name": one.name,
            "status": one.status.value,
            "trigger": one.trigger,
            "pipeline": ", ".join(one.pipelines) or None,
            "factory": one.owner,
            "id": one.id,
        }
        for one in found
    ]
    return table(call, _TRIGGERS, rows, caption, notes=notes, empty="no triggers")


def runs(call: Call, found: Sequence[HostedRun], caption: str, notes: Iterable[str] = ()) -> Table:
    """Runs of a Logic App or of a pipeline of a data factory."""
    rows = [
        {
            "name": one.name,
            "status": one.status,
            "started": one.started,
            "seconds": seconds_between(one.started, one.ended),
            "trigger": one.trigger or None,
            "code": one.code or None,
            "error": one.error or None,
            "id": one.id,
        }
        for one in found
    ]
    return table(call, _RUNS, rows, caption, notes=notes, empty="no runs")


def checks(call: Call, found: Sequence[Check], caption: str, notes: Iterable[str] = ()) -> Table:
    """What triggers found each time that they looked. ``ml_run`` is the run of the workspace."""
    rows = [
        {
            "at": one.at,
            "fired": one.fired,
            "status": one.status,
            "code": one.code or None,
            "reason": one.reason or None,
            "run": one.run_id or None,
            "ml_run": one.ml_run_id or None,
            "trigger": one.trigger,
        }
        for one in found
    ]
    return table(call, _CHECKS, rows, caption, notes=notes, empty="no check yet")


def work(call: Call, found: Sequence[Work], caption: str) -> Table:
    """What happened in one run."""
    rows = [
        {
            "name": one.name,
            "kind": one.kind or None,
            "status": one.status,
            "started": one.started,
            "seconds": seconds_between(one.started, one.ended),
            "error": one.error or None,
            "ml_run": one.ml_run_id or None,
        }
        for one in found
    ]
    return table(call, _WORK, rows, caption, empty="nothing yet")


def planned(call: Call, found: Sequence[PlannedChange], caption: str, notes: Iterable[str] = ()) -> Table:
    """What a deployment would do."""
    rows = [
        {
            "change": one.change,
            "kind": one.kind,
            "name": one.name,
            "differences": "; ".join(one.differences) or None,
            "id": one.id,
        }
        for one in found
    ]
    return table(call, _PLANNED, rows, caption, notes=notes, empty="nothing")


def status_changes(call: Call, found: Changes, to: Status, notes: list[str]) -> Table:
    """What a verb makes of several: the thing and the status it had; dry, what it would make of them."""
    rows = [{"name": one.name, "was": was.value, "status": to.value, "id": one.id} for one, was in found]
    already = sum(was is to for _one, was in found)
    said = [f"{already} had this status already."] if already else []
    caption = f"{'Would be' if call.is_dry_run else 'Now'} {to.value.lower()}"
    return table(call, _STATUS, rows, caption, notes=[*said, *notes])
